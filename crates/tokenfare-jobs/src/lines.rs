//! The lines of a chunk on their way: read, told apart, sized, chosen for, sent.

use std::sync::Arc;

use tokenfare_bpe::Tokenizer;

use crate::cells::Cells;
use crate::csv::{self, Heading};
use crate::deadline::Classed;
use crate::form::Form;
use crate::output::Outcomes;
use crate::prefix_trees::PrefixTrees;
use crate::scan::{Row, Scanned, Tokens, scanned, scanned_cells};
use crate::seen::{Key, Seen};
use crate::sizes::{Offers, Span};
use crate::store::Store;

/// What has become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not read here, and by nobody else yet.
    Doubtful,
    /// A request without a model.
    Open,
    /// Its id was another's before.
    Taken,
    /// It has the outcome of this number.
    Placed(u32),
    /// Sent with another one that says the same; its own outcome has this number.
    Carried(u32),
    /// As a line for the model of this outcome it has too many bytes.
    TooLong(u32, usize),
}

/// Requests with one room for the answer, and the place of each one's size on each scale, which
/// kinds of models have together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: Vec<usize>,
    /// Those of the first request, then of the next one.
    places: Vec<u32>,
    scales: usize,
    /// The scale of each kind.
    scale_of: Arc<[usize]>,
}

/// Where a request is the cheapest.
enum Best {
    /// On one kind, by the place of its size there.
    One(usize, u32),
    /// On several kinds alike.
    Several,
    /// Nowhere.
    None,
}

impl Group {
    /// The places of the size of the request at a place of the group, on each kind.
    pub(crate) fn on_kinds(&self, at: usize) -> impl Iterator<Item = u32> {
        let places = self.on_scales(at);
        self.scale_of.iter().map(|scale| places[*scale])
    }

    /// That on one kind.
    pub(crate) fn on(&self, kind: usize, at: usize) -> u32 {
        self.on_scales(at)[self.scale_of[kind]]
    }

    fn on_scales(&self, at: usize) -> &[u32] {
        &self.places[at * self.scales..][..self.scales]
    }

    fn best(&self, at: usize, offers: &Offers) -> Best {
        let (mut best, mut found) = (None, Best::None);
        for (kind, place) in self.on_kinds(at).enumerate() {
            let Some(price) = offers.offer(kind, place) else { continue };
            match best {
                Some(least) if least < price => {}
                Some(least) if least == price => found = Best::Several,
                _ => (best, found) = (Some(price), Best::One(kind, place)),
            }
        }
        found
    }
}

/// Bytes that somebody keeps.
pub type Chunk = Box<dyn AsRef<[u8]> + Send + Sync>;

/// The lines of one chunk that are not blank, by their place in it.
pub struct Lines {
    chunk: Chunk,
    pub(crate) rows: Vec<Row>,
    pub(crate) fates: Vec<Fate>,
    /// What is sent of them, and under which ids.
    pub(crate) store: Store,
    tokens: Tokens,
    pub(crate) groups: Vec<Group>,
    /// The rooms of plain requests with their rows, in order: rows by room are asked for as often
    /// as there are rooms, and in some jobs each request has one of its own.
    by_room: Vec<(u64, usize)>,
    /// Of a job with a deadline, for each line.
    pub(crate) classed: Vec<Classed>,
    next: u64,
    key: Key,
}

impl Lines {
    /// Reads a chunk of whole lines, the first of which has the number `first`, on the thread that calls.
    pub fn new(chunk: Chunk, first: u64, form: &Form, key: Key, tokenizers: &[&Tokenizer]) -> Self {
        let scanned = scanned((*chunk).as_ref(), first, form, key, tokenizers);
        Lines::of(scanned, chunk, key)
    }

    /// As `new`, for a chunk of whole rows of CSV; `first` is the number of its first line.
    pub fn of_csv(
        chunk: Chunk,
        first: u64,
        heading: &Heading,
        form: &Form,
        key: Key,
        tokenizers: &[&Tokenizer],
    ) -> Self {
        let (rows, next) = csv::rows((*chunk).as_ref(), first, heading);
        let scanned = scanned_cells(&rows, next, form, key, tokenizers);
        drop(rows);
        Lines::of(scanned, chunk, key)
    }

    /// As `new`, for rows of a table that is no text; `next` is the number behind the last one.
    pub fn of_cells(
        rows: &[Cells<'_>],
        next: u64,
        form: &Form,
        key: Key,
        tokenizers: &[&Tokenizer],
    ) -> Self {
        Lines::of(scanned_cells(rows, next, form, key, tokenizers), Box::new([]), key)
    }

    fn of(scanned: Scanned, chunk: Chunk, key: Key) -> Self {
        let Scanned { rows, store, tokens, next } = scanned;
        let fate = |row: &Row| if row.told.is_some() { Fate::Open } else { Fate::Doubtful };
        let fates = rows.iter().map(fate).collect();
        let (groups, classed) = (Vec::new(), Vec::new());
        let rooms =
            rows.iter().enumerate().filter_map(|(at, row)| Some((row.told.as_ref()?.room, at)));
        let mut by_room: Vec<_> = rooms.collect();
        by_room.sort_unstable();
        Lines { chunk, rows, fates, store, tokens, groups, by_room, classed, next, key }
    }

    /// The number of the line behind the last one.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all lines are blank.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What has become of each line.
    pub fn fates(&self) -> &[Fate] {
        &self.fates
    }

    /// A line's number in its file, and its text.
    pub fn line(&self, row: usize) -> (u64, &[u8]) {
        let Row { number, line, .. } = &self.rows[row];
        (*number, &(*self.chunk).as_ref()[line.clone()])
    }

    /// The id of a request.
    pub fn id(&self, row: usize) -> &str {
        self.rows[row].place.id(&self.store)
    }

    /// What is sent of a request, without its model.
    pub fn body(&self, row: usize) -> &[u8] {
        self.rows[row].place.body(&self.store)
    }

    /// Takes a line that others read as a request, with its id, what is to be sent without
    /// a model, and its prefix digests.
    pub fn give(&mut self, row: usize, id: &str, body: &[u8], digests: &[u64]) {
        let store = &mut self.store;
        let mark = store.mark();
        store.bodies.extend_from_slice(body);
        store.ids.push_str(id);
        store.digests.extend_from_slice(digests);
        let place = store.since(mark);
        let digest = self.key.digest(body);
        let row_of = &mut self.rows[row];
        (row_of.place, row_of.digest, row_of.told) = (place, digest, None);
        self.fates[row] = Fate::Open;
    }

    /// Gives requests without an id one, `prefix` and their number, and finds ids that are taken.
    pub fn name(&mut self, prefix: &str, seen: &mut Seen) {
        for (row, fate) in self.rows.iter_mut().zip(&mut self.fates) {
            if *fate == Fate::Doubtful {
                continue;
            }
            let store = &mut self.store.ids;
            if row.place.id.is_empty() {
                let start = store.len();
                store.push_str(prefix);
                store.push_str(&row.number.to_string());
                row.place.id = start..store.len();
            }
            if !seen.id(&store[row.place.id.clone()]) {
                *fate = Fate::Taken;
            }
        }
    }

    /// The rooms that plain requests without a model have, each once.
    pub fn rooms(&self) -> Vec<u64> {
        let open = self.by_room.iter().filter(|(_, row)| self.is_open(*row));
        let mut rooms: Vec<u64> = open.map(|(room, _)| *room).collect();
        rooms.dedup();
        rooms
    }

    /// Whether a request is plain and has no model; one that others have read is plain no more.
    fn is_open(&self, row: usize) -> bool {
        self.fates[row] == Fate::Open && self.rows[row].told.is_some()
    }

    /// The plain requests without a model that have this room.
    pub fn rows_with(&self, room: u64) -> Vec<usize> {
        let start = self.by_room.partition_point(|(its, _)| *its < room);
        let its = self.by_room[start..].iter().take_while(|(its, _)| *its == room);
        its.map(|(_, row)| *row).filter(|row| self.is_open(*row)).collect()
    }

    /// The number of a group of all plain requests without a model that have this room; their
    /// sizes are put to those of `offers`.
    pub fn group(&mut self, room: u64, offers: &mut Offers) -> usize {
        let mut rows = self.rows_with(room);
        let scale_of = offers.scale_of();
        let scales = scale_of.iter().max().map_or(0, |most| most + 1);
        let mut places = Vec::with_capacity(rows.len() * scales);
        rows.retain(|&row| {
            let Some(told) = &self.rows[row].told else { return false };
            offers.place(told, |number| self.tokens[number][row], &mut places);
            true
        });
        offers.answer_by_prices();
        self.groups.push(Group { rows, places, scales, scale_of });
        self.groups.len() - 1
    }

    /// The row of the request at a place of a group.
    pub fn row(&self, group: usize, place: usize) -> usize {
        self.groups[group].rows[place]
    }

    /// The places in a group of requests that have no model.
    pub fn left(&self, group: usize) -> Vec<usize> {
        let rows = self.groups[group].rows.iter().enumerate();
        rows.filter(|(_, row)| self.fates[**row] == Fate::Open).map(|(place, _)| place).collect()
    }

    /// The sizes of the request at a place of a group, on each kind.
    pub fn sizes(&self, group: usize, place: usize, offers: &Offers) -> Vec<Span> {
        let places = self.groups[group].on_kinds(place).enumerate();
        places.map(|(kind, place)| offers.size(kind, place)).collect()
    }

    /// The cheapest offers for requests of a group whose outcomes are not known, each once: the
    /// kind, the place of the size and the size. Every size has an answer.
    pub fn undecided(&self, group: usize, offers: &Offers) -> Vec<(usize, u32, Span)> {
        let group = &self.groups[group];
        let best = (0..group.rows.len()).filter_map(|place| match group.best(place, offers) {
            Best::One(kind, at) if offers.outcome(kind, at).is_none() => Some((kind, at)),
            _ => None,
        });
        let mut found: Vec<_> = best.collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(kind, at)| (kind, at, offers.size(kind, at))).collect()
    }

    /// Gives each request of a group the outcome with the least price; these are all settled.
    ///
    /// Returns the places in the group where the least price is that of several kinds; these
    /// requests, and those that nobody has an offer for, stay open.
    pub fn choose(&mut self, group: usize, offers: &Offers) -> Vec<usize> {
        let group = &self.groups[group];
        let mut ties = Vec::new();
        for (place, &row) in group.rows.iter().enumerate() {
            match group.best(place, offers) {
                Best::One(kind, at) => {
                    let outcome = offers.outcome(kind, at);
                    self.fates[row] = outcome.map_or(Fate::Open, Fate::Placed);
                }
                Best::Several => ties.push(place),
                Best::None => {}
            }
        }
        ties
    }

    /// Gives a request an outcome.
    pub fn place(&mut self, row: usize, outcome: u32) {
        self.fates[row] = Fate::Placed(outcome);
    }

    /// Adds the requests of a group that are sent to those that were held to the models of `offers`.
    pub fn hold(&self, group: usize, offers: &mut Offers) {
        let group = &self.groups[group];
        for (at, &row) in group.rows.iter().enumerate() {
            if matches!(self.fates[row], Fate::Placed(_)) {
                offers.hold(group.on_scales(at));
            }
        }
    }

    /// Adds the requests that are sent to prefix trees; `trees` has the tree of each address, and
    /// `file` is the number of the input.
    ///
    /// Returns the requests whose longest shared prefix is reported for the first time (see
    /// [`PrefixTrees::add`]): the row, the tree, the number of the prefix and the index of its digest.
    pub fn add_prefixes(
        &self,
        prefix_trees: &mut PrefixTrees,
        outcomes: &Outcomes,
        trees: &[usize],
        file: u64,
    ) -> Vec<(usize, usize, u32, usize)> {
        let mut first = Vec::new();
        for (at, (row, fate)) in self.rows.iter().zip(&self.fates).enumerate() {
            let Fate::Placed(outcome) = *fate else { continue };
            let (address, size) = outcomes.of(outcome);
            let digests = row.place.digests(&self.store);
            let tree = trees[address];
            let found = prefix_trees.add(tree, digests, size, (file, row.number));
            first.extend(found.map(|(number, index)| (at, tree, number, index)));
        }
        first
    }
}
