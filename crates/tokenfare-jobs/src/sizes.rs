//! The sizes of plain requests on models that count alike, and what these ask for each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::prices::Prices;
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

/// What is asked of the models of one service for requests of one size, and remembered.
#[derive(Clone, Debug)]
pub struct Offers {
    kinds: Vec<Kind>,
    tables: Vec<Table>,
}

/// An answer: a price that compares with others of the service.
pub type Offer = Option<i64>;

const NONE: u32 = u32::MAX;

/// Mixes numbers of tokens, which come once for each request and each kind: the standard hash, which
/// withstands who wants keys to meet, takes longer than the rest. Whoever could choose counts for
/// that would have to send as many requests.
#[derive(Clone, Copy, Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The sizes on one kind, each once; of the first of them the offers, and the outcomes of those
/// that were the cheapest for some request.
#[derive(Clone, Debug, Default)]
struct Table {
    places: HashMap<Span, u32, BuildHasherDefault<Mixed>>,
    sizes: Vec<Span>,
    offers: Vec<Offer>,
    outcomes: Vec<u32>,
    held: Vec<u64>,
}

impl Offers {
    /// Nothing asked yet, of models of these kinds.
    pub fn new(kinds: Vec<Kind>) -> Self {
        let tables = kinds.iter().map(|_| Table::default()).collect();
        Offers { kinds, tables }
    }

    /// The sizes on a kind that nobody has said anything of.
    pub fn open(&self, kind: usize) -> &[Span] {
        let table = &self.tables[kind];
        &table.sizes[table.offers.len()..]
    }

    pub(crate) fn sizes_from(&self, kind: usize, place: usize) -> &[Span] {
        &self.tables[kind].sizes[place..]
    }

    /// Takes the offers for the first sizes that are open.
    pub fn answer(&mut self, kind: usize, offers: &[Offer]) {
        let table = &mut self.tables[kind];
        table.offers.extend_from_slice(offers);
        table.outcomes.resize(table.offers.len(), NONE);
    }

    /// Answers for the sizes that are open by prices of the models that take them beside the room,
    /// each with the longest input that it takes, and an answer of so many tokens.
    ///
    /// # Panics
    ///
    /// If there is no such kind or model.
    pub fn answer_by(
        &mut self,
        kind: usize,
        prices: &Prices,
        takers: &[(usize, Option<u64>)],
        answer: u64,
    ) {
        let open = self.open(kind).iter();
        let offers: Vec<Offer> = open.map(|size| prices.least(takers, *size, answer)).collect();
        self.answer(kind, &offers);
    }

    /// Takes the number of the outcome of requests that go to the offer for a size.
    pub fn settle(&mut self, kind: usize, place: u32, outcome: u32) {
        self.tables[kind].outcomes[place as usize] = outcome;
    }

    /// How many requests were held to the models of a kind with each size.
    pub fn held(&self, kind: usize) -> impl Iterator<Item = (Span, u64)> {
        let Table { sizes, held, .. } = &self.tables[kind];
        sizes.iter().copied().zip(held.iter().copied()).filter(|(_, number)| *number > 0)
    }

    pub(crate) fn kinds(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn place(&mut self, kind: usize, told: &Told, tokens: impl Fn(usize) -> u64) -> u32 {
        let size = self.kinds[kind].of(told, tokens);
        let table = &mut self.tables[kind];
        let next = table.sizes.len() as u32;
        let place = *table.places.entry(size).or_insert(next);
        if place == next {
            table.sizes.push(size);
            table.held.push(0);
        }
        place
    }

    pub(crate) fn size(&self, kind: usize, place: u32) -> Span {
        self.tables[kind].sizes[place as usize]
    }

    pub(crate) fn offer(&self, kind: usize, place: u32) -> Offer {
        self.tables[kind].offers.get(place as usize).copied().flatten()
    }

    /// The number of the outcome of requests that go to the offer for a size, once it is known.
    pub(crate) fn outcome(&self, kind: usize, place: u32) -> Option<u32> {
        Some(self.tables[kind].outcomes[place as usize]).filter(|outcome| *outcome != NONE)
    }

    pub(crate) fn hold(&mut self, kind: usize, place: u32) {
        self.tables[kind].held[place as usize] += 1;
    }
}
