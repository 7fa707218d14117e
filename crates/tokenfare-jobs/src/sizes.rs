//! The sizes of plain requests on kinds of models, and the lowest price of each kind for each size.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::prices::Prices;
use crate::sink::Summary;
use crate::span::Span;

/// How texts are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// In tokens, as the tokenizer of this number counts them; behind a line break if white space
    /// comes first.
    Tokens(usize),
    /// By bounds: one token at least, and one for each byte of the text at most.
    AsIs,
    /// By the same bounds, for the text in NFC.
    Nfc,
    /// By the same bounds, for the larger of the two.
    Most,
}

/// How the models of a kind turn a plain chat into tokens: its texts and what the template adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// How the texts are measured.
    pub measure: Measure,
    /// Whether the template puts a line break before each text that may merge with white space at
    /// the text's beginning.
    pub joins: bool,
    /// What the template adds to each request.
    pub once: Span,
    /// What it adds to each message.
    pub each: Span,
    /// What it adds if the first message is not a system message.
    pub default: Span,
}

impl Kind {
    /// The size of a request; `tokens` gives those of its texts, by the tokenizer's number.
    pub(crate) fn of(&self, summary: &Summary, tokens: impl Fn(usize) -> u64) -> Span {
        let messages = u64::from(summary.messages);
        let default = if summary.system_first { Span::default() } else { self.default };
        let certain = summary.texts - if self.joins { summary.spaced } else { 0 };
        let (low, high) = match self.measure {
            Measure::Tokens(number) => (tokens(number), tokens(number)),
            Measure::AsIs => (u64::from(certain), summary.bytes),
            Measure::Nfc => (u64::from(certain), summary.nfc_bytes),
            Measure::Most => (u64::from(certain), summary.most_bytes),
        };
        Span {
            low: self.once.low + self.each.low * messages + default.low + low,
            high: self.once.high + self.each.high * messages + default.high + high,
        }
    }
}

/// The offers of one service: the lowest price of each kind for each size that came up.
#[derive(Clone, Debug)]
pub struct Offers {
    /// The index of each kind's list of sizes.
    list_of: Arc<[usize]>,
    lists: Vec<SizeList>,
    tables: Vec<Table>,
}

/// The lowest price of a kind for a size, comparable within the service and not negative; `None` if
/// no model of the kind takes the size.
pub type Offer = Option<i64>;

const NONE: u32 = u32::MAX;

/// A hasher for numbers of tokens, of which there is one for each request and kind.
///
/// The standard hash, which resists chosen collisions, takes longer than everything else here. A
/// caller who wants collisions would have to send as many requests.
#[derive(Clone, Copy, Debug, Default)]
struct MixHasher(u64);

impl Hasher for MixHasher {
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

/// The distinct sizes of plain requests on one or more kinds, and how many requests have each.
///
/// Kinds that differ only in what plain requests do not have (tools, media) share a list.
#[derive(Clone, Debug)]
struct SizeList {
    kind: Kind,
    sizes: Vec<Span>,
    held: Vec<u64>,
    /// The places of the sizes, once there are more than `FEW`: a job in which each request has a
    /// room of its own has many lists of one size.
    places: HashMap<Span, u32, BuildHasherDefault<MixHasher>>,
}

const FEW: usize = 24;

impl SizeList {
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

/// The offers of one kind for the first of its sizes, and the outcomes of those offers that were
/// the lowest for some request.
#[derive(Clone, Debug, Default)]
struct Table {
    priced_by: Option<PricedBy>,
    offers: Vec<i64>,
    outcomes: Vec<u32>,
}

/// Stands for `None` in `Table::offers`: no price is negative.
const NOBODY: i64 = -1;

/// The prices that a kind's sizes are answered by: the models that take a request beside its room,
/// and the length of the answer that is priced.
#[derive(Clone, Debug)]
struct PricedBy {
    prices: Arc<Prices>,
    takers: Box<[(usize, Option<u64>)]>,
    answer: u64,
}

impl Table {
    fn answer(&mut self, offers: impl IntoIterator<Item = Offer>) {
        self.offers.extend(offers.into_iter().map(|offer| offer.map_or(NOBODY, |it| it.max(0))));
        self.outcomes.resize(self.offers.len(), NONE);
    }

    /// Adds the offers for sizes that have none yet, if the prices are known.
    fn answer_by_prices(&mut self, sizes: &[Span]) {
        let Some(PricedBy { prices, takers, answer }) = &self.priced_by else { return };
        let open = sizes[self.offers.len()..].iter();
        let found = open.map(|size| prices.least(takers, *size, *answer).unwrap_or(NOBODY));
        self.offers.extend(found);
        self.outcomes.resize(self.offers.len(), NONE);
    }
}

impl Offers {
    /// No sizes yet, on these kinds.
    pub fn new(kinds: Vec<Kind>) -> Self {
        let tables = kinds.iter().map(|_| Table::default()).collect();
        let mut lists: Vec<SizeList> = Vec::new();
        let list_of = kinds.into_iter().map(|kind| {
            let known = lists.iter().position(|list| list.kind == kind);
            known.unwrap_or_else(|| {
                let (sizes, held) = (Vec::new(), Vec::new());
                lists.push(SizeList { kind, sizes, held, places: HashMap::default() });
                lists.len() - 1
            })
        });
        Offers { list_of: list_of.collect(), lists, tables }
    }

    /// The sizes on a kind that have no offer yet.
    pub fn open(&self, kind: usize) -> &[Span] {
        self.sizes_from(kind, self.tables[kind].offers.len())
    }

    pub(crate) fn sizes_from(&self, kind: usize, place: usize) -> &[Span] {
        &self.list(kind).sizes[place..]
    }

    fn list(&self, kind: usize) -> &SizeList {
        &self.lists[self.list_of[kind]]
    }

    /// Takes the offers for the first of the sizes that `open` returned.
    pub fn answer(&mut self, kind: usize, offers: &[Offer]) {
        self.tables[kind].answer(offers.iter().copied());
    }

    /// From now on computes the offers of a kind here, as sizes come up.
    ///
    /// `takers` are the models of `prices`, by index, that take some request beside its room, each
    /// with its longest input (`None` for no limit); `answer` is the length of the answer in
    /// tokens.
    ///
    /// # Panics
    ///
    /// If there is no such kind; or later, if there is no such model.
    pub fn price_by(
        &mut self,
        kind: usize,
        prices: Arc<Prices>,
        takers: Vec<(usize, Option<u64>)>,
        answer: u64,
    ) {
        self.tables[kind].priced_by = Some(PricedBy { prices, takers: takers.into(), answer });
    }

    pub(crate) fn answer_by_prices(&mut self) {
        for (table, list) in self.tables.iter_mut().zip(&*self.list_of) {
            table.answer_by_prices(&self.lists[*list].sizes);
        }
    }

    /// Takes the outcome of the requests that accept a kind's offer for a size.
    pub fn settle(&mut self, kind: usize, place: u32, outcome: u32) {
        self.tables[kind].outcomes[place as usize] = outcome;
    }

    /// How many requests of each size were counted by `hold`, on a kind.
    pub fn held(&self, kind: usize) -> impl Iterator<Item = (Span, u64)> {
        let SizeList { sizes, held, .. } = self.list(kind);
        sizes.iter().copied().zip(held.iter().copied()).filter(|(_, number)| *number > 0)
    }

    /// How many kinds there are.
    pub fn kinds(&self) -> usize {
        self.tables.len()
    }

    /// The index of each kind's list of sizes: kinds that count plain requests alike share one.
    pub fn list_of(&self) -> Arc<[usize]> {
        self.list_of.clone()
    }

    /// Appends to `places` the place of the request's size in each list.
    pub(crate) fn place(
        &mut self,
        summary: &Summary,
        tokens: impl Fn(usize) -> u64,
        places: &mut Vec<u32>,
    ) {
        let lists = self.lists.iter_mut();
        places.extend(lists.map(|list| list.place(list.kind.of(summary, &tokens))));
    }

    pub(crate) fn size(&self, kind: usize, place: u32) -> Span {
        self.list(kind).sizes[place as usize]
    }

    pub(crate) fn offer(&self, kind: usize, place: u32) -> Offer {
        self.tables[kind].offers.get(place as usize).copied().filter(|offer| *offer != NOBODY)
    }

    /// The outcome of the requests that accept a kind's offer for a size, once it is known.
    pub(crate) fn outcome(&self, kind: usize, place: u32) -> Option<u32> {
        Some(self.tables[kind].outcomes[place as usize]).filter(|outcome| *outcome != NONE)
    }

    /// Counts a request, by the places of its size.
    pub(crate) fn hold(&mut self, places: &[u32]) {
        for (list, &place) in self.lists.iter_mut().zip(places) {
            list.held[place as usize] += 1;
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
            assert_eq!(offers.lists[0].place(size) as usize, expected, "{number}");
        }
        assert!(naive.len() > FEW);
        assert_eq!(offers.sizes_from(0, 0), naive);
    }

    #[test]
    fn kinds_that_count_alike_share_sizes_and_have_offers_of_their_own() {
        let kinds = [Measure::AsIs, Measure::Nfc, Measure::AsIs].map(kind);
        let mut offers = Offers::new(kinds.to_vec());
        assert_eq!(*offers.list_of(), [0, 1, 0]);
        offers.lists[0].place(Span { low: 1, high: 4 });
        offers.hold(&[0]);
        offers.answer(0, &[Some(7)]);
        assert_eq!([0, 1, 2].map(|kind| offers.open(kind).len()), [0, 0, 1]);
        offers.answer(2, &[None]);
        assert_eq!([0, 2].map(|kind| offers.offer(kind, 0)), [Some(7), None]);
        assert_eq!([0, 1, 2].map(|kind| offers.held(kind).count()), [1, 0, 1]);
    }
}
