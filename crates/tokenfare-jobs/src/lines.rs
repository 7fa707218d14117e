//! The lines of a chunk on their way through a plan: read, named, sized, given a model, sent.

use std::sync::Arc;

use tokenfare_bpe::Tokenizer;

use crate::cells::Cells;
use crate::classed::Classed;
use crate::csv::{self, Heading};
use crate::layout::LineLayout;
use crate::outcomes::Outcomes;
use crate::prefix_trees::PrefixTrees;
use crate::scan::{Scanned, Tokens, scanned, scanned_cells};
use crate::seen::{Key, Seen};
use crate::sink::Row;
use crate::sizes::Offers;
use crate::span::Span;
use crate::store::Store;

/// What has become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not a plain request, and not yet handed in by the caller.
    Doubtful,
    /// A request that has no model yet.
    Open,
    /// A request whose id an earlier request has.
    DuplicateId,
    /// A request with the outcome of this number.
    Placed(u32),
    /// A request that is not sent, because an identical earlier one is; its own outcome has this
    /// number.
    Carried(u32),
    /// A request whose line, for the address of this outcome, has too many bytes (as given).
    TooLong(u32, usize),
}

/// Requests with the same room for the answer, and the places of their sizes (see `SizeList`).
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: Vec<usize>,
    /// For each request, the place of its size in each list.
    places: Vec<u32>,
    lists: usize,
    /// The index of each kind's list.
    list_of: Arc<[usize]>,
}

/// Which kind has the lowest offer for a request.
enum Best {
    /// One kind; with the place of the size.
    One(usize, u32),
    /// Several kinds have the same lowest offer.
    Several,
    /// No kind has an offer.
    None,
}

impl Group {
    /// The place of a request's size on each kind; `at` is the request's place in the group.
    pub(crate) fn on_kinds(&self, at: usize) -> impl Iterator<Item = u32> {
        let places = self.on_lists(at);
        self.list_of.iter().map(|list| places[*list])
    }

    /// The same, on one kind.
    pub(crate) fn on(&self, kind: usize, at: usize) -> u32 {
        self.on_lists(at)[self.list_of[kind]]
    }

    fn on_lists(&self, at: usize) -> &[u32] {
        &self.places[at * self.lists..][..self.lists]
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

/// The bytes of a chunk, whoever owns them.
pub type Chunk = Box<dyn AsRef<[u8]> + Send + Sync>;

/// The lines of one chunk that are not blank. A *row* is the index of such a line.
pub struct Lines {
    chunk: Chunk,
    pub(crate) rows: Vec<Row>,
    pub(crate) fates: Vec<Fate>,
    /// Their bodies, ids and prefix digests.
    pub(crate) store: Store,
    tokens: Tokens,
    pub(crate) groups: Vec<Group>,
    /// The room and the row of each plain request, sorted: rows are looked up by room once for each
    /// room, and in some jobs each request has a room of its own.
    by_room: Vec<(u64, usize)>,
    /// In a job with a deadline, what is known of each line for it.
    pub(crate) classed: Vec<Classed>,
    key: Key,
}

impl Lines {
    /// Reads a chunk of whole lines, on the calling thread; `first` is the number of its first
    /// line.
    ///
    /// `key` is that of the [`Seen`] which the lines will be compared with.
    pub fn new(
        chunk: Chunk,
        first: u64,
        layout: &LineLayout,
        key: Key,
        tokenizers: &[&Tokenizer],
    ) -> Self {
        let scanned = scanned((*chunk).as_ref(), first, layout, key, tokenizers);
        Lines::of(scanned, chunk, key)
    }

    /// As `new`, for a chunk of whole rows of CSV; `first` is the number of its first line.
    pub fn of_csv(
        chunk: Chunk,
        first: u64,
        heading: &Heading,
        layout: &LineLayout,
        key: Key,
        tokenizers: &[&Tokenizer],
    ) -> Self {
        let rows = csv::rows((*chunk).as_ref(), first, heading);
        let scanned = scanned_cells(&rows, layout, key, tokenizers);
        drop(rows);
        Lines::of(scanned, chunk, key)
    }

    /// As `new`, for rows of a table that is not text.
    pub fn of_cells(
        rows: &[Cells<'_>],
        layout: &LineLayout,
        key: Key,
        tokenizers: &[&Tokenizer],
    ) -> Self {
        Lines::of(scanned_cells(rows, layout, key, tokenizers), Box::new([]), key)
    }

    fn of(scanned: Scanned, chunk: Chunk, key: Key) -> Self {
        let Scanned { rows, store, tokens } = scanned;
        let fate = |row: &Row| if row.summary.is_some() { Fate::Open } else { Fate::Doubtful };
        let fates = rows.iter().map(fate).collect();
        let (groups, classed) = (Vec::new(), Vec::new());
        let rooms =
            rows.iter().enumerate().filter_map(|(at, row)| Some((row.summary.as_ref()?.room, at)));
        let mut by_room: Vec<_> = rooms.collect();
        by_room.sort_unstable();
        Lines { chunk, rows, fates, store, tokens, groups, by_room, classed, key }
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

    /// A line's number in its file, and its bytes.
    pub fn line(&self, row: usize) -> (u64, &[u8]) {
        let Row { number, line, .. } = &self.rows[row];
        (*number, &(*self.chunk).as_ref()[line.clone()])
    }

    /// The id of a request.
    pub fn id(&self, row: usize) -> &str {
        self.rows[row].place.id(&self.store)
    }

    /// The body that is sent for a request, without its model.
    pub fn body(&self, row: usize) -> &[u8] {
        self.rows[row].place.body(&self.store)
    }

    /// Takes a doubtful line that the caller has read as a request: its id, its body without a
    /// model, and its prefix digests.
    pub fn give(&mut self, row: usize, id: &str, body: &[u8], digests: &[u64]) {
        let store = &mut self.store;
        let mark = store.mark();
        store.bodies.extend_from_slice(body);
        store.ids.push_str(id);
        store.digests.extend_from_slice(digests);
        let place = store.since(mark);
        let digest = self.key.digest(body);
        let row_of = &mut self.rows[row];
        (row_of.place, row_of.digest, row_of.summary) = (place, digest, None);
        self.fates[row] = Fate::Open;
    }

    /// Gives each request without an id the id `prefix` + line number, and finds duplicate ids.
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
                *fate = Fate::DuplicateId;
            }
        }
    }

    /// The distinct rooms of the plain requests that have no model yet, ascending.
    pub fn rooms(&self) -> Vec<u64> {
        let open = self.by_room.iter().filter(|(_, row)| self.is_open(*row));
        let mut rooms: Vec<u64> = open.map(|(room, _)| *room).collect();
        rooms.dedup();
        rooms
    }

    /// Whether a line is a plain request that has no model yet, and was read here.
    fn is_open(&self, row: usize) -> bool {
        self.fates[row] == Fate::Open && self.rows[row].summary.is_some()
    }

    /// The rows of the plain requests with this room that have no model yet.
    pub fn rows_with(&self, room: u64) -> Vec<usize> {
        let start = self.by_room.partition_point(|(its, _)| *its < room);
        let its = self.by_room[start..].iter().take_while(|(its, _)| *its == room);
        its.map(|(_, row)| *row).filter(|row| self.is_open(*row)).collect()
    }

    /// Makes a group of the plain requests with this room that have no model yet, and adds their
    /// sizes to those of `offers`. Returns the group's number.
    pub fn group(&mut self, room: u64, offers: &mut Offers) -> usize {
        let mut rows = self.rows_with(room);
        let list_of = offers.list_of();
        let lists = list_of.iter().max().map_or(0, |most| most + 1);
        let mut places = Vec::with_capacity(rows.len() * lists);
        rows.retain(|&row| {
            let Some(summary) = &self.rows[row].summary else { return false };
            offers.place(summary, |number| self.tokens[number][row], &mut places);
            true
        });
        offers.answer_by_prices();
        self.groups.push(Group { rows, places, lists, list_of });
        self.groups.len() - 1
    }

    /// The row of the request at a place of a group.
    pub fn row(&self, group: usize, place: usize) -> usize {
        self.groups[group].rows[place]
    }

    /// The places in a group of the requests that have no model yet.
    pub fn left(&self, group: usize) -> Vec<usize> {
        let rows = self.groups[group].rows.iter().enumerate();
        rows.filter(|(_, row)| self.fates[**row] == Fate::Open).map(|(place, _)| place).collect()
    }

    /// The sizes of the request at a place of a group, on each kind.
    pub fn sizes(&self, group: usize, place: usize, offers: &Offers) -> Vec<Span> {
        let places = self.groups[group].on_kinds(place).enumerate();
        places.map(|(kind, place)| offers.size(kind, place)).collect()
    }

    /// The lowest offers for requests of a group that have no outcome yet, each once: the kind, the
    /// place of the size, and the size. Every size has to be answered before.
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

    /// Gives each request of a group the outcome of its lowest offer; all of these are settled.
    ///
    /// Returns the places in the group of requests for which several kinds have the lowest offer.
    /// They stay open, and so do those without any offer.
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

    /// Counts the requests of a group that are sent, by size, in `offers`.
    pub fn hold(&self, group: usize, offers: &mut Offers) {
        let group = &self.groups[group];
        for (at, &row) in group.rows.iter().enumerate() {
            if matches!(self.fates[row], Fate::Placed(_)) {
                offers.hold(group.on_lists(at));
            }
        }
    }

    /// Adds the requests that are sent to prefix trees; `trees` has the tree of each address, and
    /// `file` is the number of the input.
    ///
    /// Returns the requests whose longest shared prefix is reported for the first time (see
    /// [`PrefixTrees::add`]): the row, the tree, the number of the prefix, the index of its digest.
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
