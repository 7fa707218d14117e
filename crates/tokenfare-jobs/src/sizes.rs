//! The sizes of plain requests on models that count alike, and which of them repeat.

use std::collections::HashMap;

use crate::scan::Told;

/// Two ends of a number of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
}

/// What a text is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The tokens that the tokenizer of this number counts, behind a line break.
    Tokens(usize),
    /// A token at least, the bytes of the text as it is at most.
    AsIs,
    /// The same, of the text in NFC.
    Nfc,
    /// The same, of the larger of the two.
    Most,
}

/// How models that count alike turn a plain chat into tokens: its texts and what a template adds.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What the texts are measured by.
    pub measure: Measure,
    /// Whether a text is counted behind a line break of the template's, whose token is its own.
    pub joins: bool,
    /// Added once.
    pub once: Span,
    /// Added to each message.
    pub each: Span,
    /// Added where the first message is not the system's.
    pub default: Span,
}

impl Kind {
    /// The size of a request; `tokens` are those of its texts, by tokenizer.
    pub(crate) fn of(&self, told: &Told, tokens: impl Fn(usize) -> u64) -> Span {
        let messages = u64::from(told.messages);
        let default = if told.system_first { Span::default() } else { self.default };
        let certain = told.filled - if self.joins { told.spaced } else { 0 };
        let (low, high) = match self.measure {
            Measure::Tokens(number) => (tokens(number), tokens(number)),
            Measure::AsIs => (u64::from(certain), told.as_is),
            Measure::Nfc => (u64::from(certain), told.nfc),
            Measure::Most => (u64::from(certain), told.most),
        };
        Span {
            low: self.once.low + self.each.low * messages + default.low + low,
            high: self.once.high + self.each.high * messages + default.high + high,
        }
    }
}

/// Sizes of one kind: each that there is, and which of them each row has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) distinct: Vec<Span>,
    pub(crate) of: Vec<u32>,
}

impl Column {
    pub(crate) fn new(sizes: impl Iterator<Item = Span>) -> Self {
        let mut places: HashMap<Span, u32> = HashMap::new();
        let mut column = Column::default();
        for size in sizes {
            let next = column.distinct.len() as u32;
            let place = *places.entry(size).or_insert(next);
            if place == next {
                column.distinct.push(size);
            }
            column.of.push(place);
        }
        column
    }
}
