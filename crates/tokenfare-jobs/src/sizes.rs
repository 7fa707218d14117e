//! The sizes of plain requests on models that count alike, and what these ask for each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The place of each kind's scale.
    scale_of: Arc<[usize]>,
    scales: Vec<Scale>,
    tables: Vec<Table>,
}

/// An answer: a price that compares with others of the service, and is none below zero.
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

/// The sizes of plain requests on kinds that count them alike, each once, and how many had each.
///
/// Models of several kinds may differ in what plain requests do not have.
#[derive(Clone, Debug)]
struct Scale {
    kind: Kind,
    sizes: Vec<Span>,
    held: Vec<u64>,
    /// Where there are more than a few: in some jobs each request has a room, and so offers, of its
    /// own.
    places: HashMap<Span, u32, BuildHasherDefault<Mixed>>,
}

const FEW: usize = 24;

impl Scale {
    fn place(&mut self, size: Span) -> u32 {
        let next = self.sizes.len();
        let known = if next <= FEW {
            self.sizes.iter().position(|its| *its == size).map(|place| place as u32)
        } else {
            self.places.get(&size).copied()
        };
        if let Some(place) = known {
            return place;
        }
        self.sizes.push(size);
        self.held.push(0);
        if next == FEW {
            self.places.extend(self.sizes.iter().copied().zip(0..));
        } else if next > FEW {
            self.places.insert(size, next as u32);
        }
        next as u32
    }
}

/// Of the first sizes on one kind the offers, and the outcomes of those that were the cheapest for
/// some request.
#[derive(Clone, Debug, Default)]
struct Table {
    asked: Option<Asked>,
    offers: Vec<i64>,
    outcomes: Vec<u32>,
}

/// Stands for no offer: no price is below zero.
const NOBODY: i64 = -1;

/// Who is asked for the sizes of a kind, with answers of so many tokens.
#[derive(Clone, Debug)]
struct Asked {
    prices: Arc<Prices>,
    takers: Box<[(usize, Option<u64>)]>,
    answer: u64,
}

impl Table {
    fn answer(&mut self, offers: impl IntoIterator<Item = Offer>) {
        self.offers.extend(offers.into_iter().map(|offer| offer.map_or(NOBODY, |it| it.max(0))));
        self.outcomes.resize(self.offers.len(), NONE);
    }

    /// Answers for the sizes that are open, if it is known who is asked.
    fn answer_by_prices(&mut self, sizes: &[Span]) {
        let Some(Asked { prices, takers, answer }) = &self.asked else { return };
        let open = sizes[self.offers.len()..].iter();
        let found = open.map(|size| prices.least(takers, *size, *answer).unwrap_or(NOBODY));
        self.offers.extend(found);
        self.outcomes.resize(self.offers.len(), NONE);
    }
}

impl Offers {
    /// Nothing asked yet, of models of these kinds.
    pub fn new(kinds: Vec<Kind>) -> Self {
        let tables = kinds.iter().map(|_| Table::default()).collect();
        let mut scales: Vec<Scale> = Vec::new();
        let scale_of = kinds.into_iter().map(|kind| {
            let known = scales.iter().position(|scale| scale.kind == kind);
            known.unwrap_or_else(|| {
                let (sizes, held) = (Vec::new(), Vec::new());
                scales.push(Scale { kind, sizes, held, places: HashMap::default() });
                scales.len() - 1
            })
        });
        Offers { scale_of: scale_of.collect(), scales, tables }
    }

    /// The sizes on a kind that nobody has said anything of.
    pub fn open(&self, kind: usize) -> &[Span] {
        self.sizes_from(kind, self.tables[kind].offers.len())
    }

    pub(crate) fn sizes_from(&self, kind: usize, place: usize) -> &[Span] {
        &self.scale(kind).sizes[place..]
    }

    fn scale(&self, kind: usize) -> &Scale {
        &self.scales[self.scale_of[kind]]
    }

    /// Takes the offers for the first sizes that are open.
    pub fn answer(&mut self, kind: usize, offers: &[Offer]) {
        self.tables[kind].answer(offers.iter().copied());
    }

    /// From now on each size of a kind is answered for as soon as it comes: by prices of the models
    /// that take it beside the room, each with the longest input that it takes, and an answer of so
    /// many tokens. A model is a place in the prices.
    ///
    /// # Panics
    ///
    /// If there is no such kind; later, if there is no such model.
    pub fn ask(
        &mut self,
        kind: usize,
        prices: Arc<Prices>,
        takers: Vec<(usize, Option<u64>)>,
        answer: u64,
    ) {
        self.tables[kind].asked = Some(Asked { prices, takers: takers.into(), answer });
    }

    pub(crate) fn answer_by_prices(&mut self) {
        for (table, scale) in self.tables.iter_mut().zip(&*self.scale_of) {
            table.answer_by_prices(&self.scales[*scale].sizes);
        }
    }

    /// Takes the number of the outcome of requests that go to the offer for a size.
    pub fn settle(&mut self, kind: usize, place: u32, outcome: u32) {
        self.tables[kind].outcomes[place as usize] = outcome;
    }

    /// How many requests were held to the models of a kind with each size.
    pub fn held(&self, kind: usize) -> impl Iterator<Item = (Span, u64)> {
        let Scale { sizes, held, .. } = self.scale(kind);
        sizes.iter().copied().zip(held.iter().copied()).filter(|(_, number)| *number > 0)
    }

    /// How many kinds there are.
    pub fn kinds(&self) -> usize {
        self.tables.len()
    }

    /// The place of each kind's scale: kinds that count plain requests alike have one.
    pub fn scale_of(&self) -> Arc<[usize]> {
        self.scale_of.clone()
    }

    /// The places of a request's size on each scale, added behind others.
    pub(crate) fn place(
        &mut self,
        told: &Told,
        tokens: impl Fn(usize) -> u64,
        places: &mut Vec<u32>,
    ) {
        let scales = self.scales.iter_mut();
        places.extend(scales.map(|scale| scale.place(scale.kind.of(told, &tokens))));
    }

    pub(crate) fn size(&self, kind: usize, place: u32) -> Span {
        self.scale(kind).sizes[place as usize]
    }

    pub(crate) fn offer(&self, kind: usize, place: u32) -> Offer {
        self.tables[kind].offers.get(place as usize).copied().filter(|offer| *offer != NOBODY)
    }

    /// The number of the outcome of requests that go to the offer for a size, once it is known.
    pub(crate) fn outcome(&self, kind: usize, place: u32) -> Option<u32> {
        Some(self.tables[kind].outcomes[place as usize]).filter(|outcome| *outcome != NONE)
    }

    pub(crate) fn hold(&mut self, places: &[u32]) {
        for (scale, &place) in self.scales.iter_mut().zip(places) {
            scale.held[place as usize] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(measure: Measure) -> Kind {
        let none = Span::default();
        Kind { measure, joins: false, once: none, each: none, default: none }
    }

    #[test]
    fn a_size_keeps_its_place_however_many_come() {
        let mut offers = Offers::new(vec![kind(Measure::AsIs)]);
        let mut naive: Vec<Span> = Vec::new();
        for number in 0..400_u64 {
            let high = number * number % 97;
            let size = Span { low: high / 2, high };
            let expected = naive.iter().position(|its| *its == size).unwrap_or(naive.len());
            if expected == naive.len() {
                naive.push(size);
            }
            assert_eq!(offers.scales[0].place(size) as usize, expected, "{number}");
        }
        assert!(naive.len() > FEW);
        assert_eq!(offers.sizes_from(0, 0), naive);
    }

    #[test]
    fn kinds_that_count_alike_share_sizes_and_have_offers_of_their_own() {
        let kinds = [Measure::AsIs, Measure::Nfc, Measure::AsIs].map(kind);
        let mut offers = Offers::new(kinds.to_vec());
        assert_eq!(*offers.scale_of(), [0, 1, 0]);
        offers.scales[0].place(Span { low: 1, high: 4 });
        offers.hold(&[0]);
        offers.answer(0, &[Some(7)]);
        assert_eq!([0, 1, 2].map(|kind| offers.open(kind).len()), [0, 0, 1]);
        offers.answer(2, &[None]);
        assert_eq!([0, 2].map(|kind| offers.offer(kind, 0)), [Some(7), None]);
        assert_eq!([0, 1, 2].map(|kind| offers.held(kind).count()), [1, 0, 1]);
    }
}
