//! The lines of a chunk on their way: read, told apart, sized, chosen for, sent.

use tokenfare_bpe::Tokenizer;

use crate::form::Form;
use crate::scan::{Row, Tokens, scanned};
use crate::seen::Seen;
use crate::sizes::{Column, Kind, Span};

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

/// Requests with one room for the answer, and their sizes on each kind of model.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: Vec<usize>,
    pub(crate) columns: Vec<Column>,
}

/// The lines of one chunk that are not blank, by their place in it.
#[derive(Debug)]
pub struct Lines {
    chunk: Vec<u8>,
    pub(crate) rows: Vec<Row>,
    pub(crate) fates: Vec<Fate>,
    tokens: Tokens,
    groups: Vec<Group>,
}

impl Lines {
    /// Reads a chunk of whole lines, the first of which has the number `first`, on all cores.
    pub fn new(chunk: Vec<u8>, first: u64, form: &Form, tokenizers: &[&Tokenizer]) -> Self {
        let (rows, tokens) = scanned(&chunk, first, form, tokenizers);
        let fate = |row: &Row| if row.told.is_some() { Fate::Open } else { Fate::Doubtful };
        let fates = rows.iter().map(fate).collect();
        Lines { chunk, rows, fates, tokens, groups: Vec::new() }
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
        (*number, &self.chunk[line.clone()])
    }

    /// The id of a request.
    pub fn id(&self, row: usize) -> &str {
        &self.rows[row].id
    }

    /// What is sent of a request, without its model.
    pub fn body(&self, row: usize) -> &[u8] {
        &self.rows[row].body
    }

    /// Takes a doubtful line as a request, with its id and what is to be sent, without a model.
    pub fn give(&mut self, row: usize, id: String, body: Vec<u8>) {
        self.rows[row].told = None;
        self.rows[row].id = id;
        self.rows[row].body = body;
        self.fates[row] = Fate::Open;
    }

    /// Gives requests without an id one, `prefix` and their number, and finds ids that are taken.
    pub fn name(&mut self, prefix: &str, seen: &mut Seen) {
        for (row, fate) in self.rows.iter_mut().zip(&mut self.fates) {
            if *fate == Fate::Doubtful {
                continue;
            }
            if row.id.is_empty() {
                row.id = format!("{prefix}{}", row.number);
            }
            if !seen.id(&row.id) {
                *fate = Fate::Taken;
            }
        }
    }

    /// The rooms that plain requests without a model have, each once.
    pub fn rooms(&self) -> Vec<u64> {
        let mut rooms: Vec<u64> = self.open().map(|(_, room)| room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    fn open(&self) -> impl Iterator<Item = (usize, u64)> {
        self.rows.iter().zip(&self.fates).enumerate().filter_map(|(i, (row, fate))| {
            row.told.as_ref().filter(|_| *fate == Fate::Open).map(|told| (i, told.room))
        })
    }

    /// The number of a group of all plain requests without a model that have this room, by their
    /// sizes on each kind.
    pub fn group(&mut self, room: u64, kinds: &[Kind]) -> usize {
        let rows: Vec<usize> =
            self.open().filter_map(|(row, its)| (its == room).then_some(row)).collect();
        let size = |kind: &Kind, row: usize| {
            let told = self.rows[row].told.as_ref()?;
            Some(kind.of(told, |number| self.tokens[number][row]))
        };
        let column = |kind| Column::new(rows.iter().filter_map(|&row| size(kind, row)));
        let columns = kinds.iter().map(column).collect();
        self.groups.push(Group { rows, columns });
        self.groups.len() - 1
    }

    /// The sizes that requests of a group have on a kind, each once.
    pub fn distinct(&self, group: usize, kind: usize) -> &[Span] {
        &self.groups[group].columns[kind].distinct
    }

    /// The rows of a group.
    pub fn rows_of(&self, group: usize) -> &[usize] {
        &self.groups[group].rows
    }

    /// The requests of a group that have no model, and their places in it.
    pub fn left(&self, group: usize) -> Vec<(usize, usize)> {
        let rows = self.groups[group].rows.iter().enumerate();
        rows.filter(|(_, row)| self.fates[**row] == Fate::Open)
            .map(|(at, &row)| (row, at))
            .collect()
    }

    /// The sizes of the request at a place of a group, on each kind.
    pub fn sizes(&self, group: usize, place: usize) -> Vec<Span> {
        let columns = self.groups[group].columns.iter();
        columns.map(|column| column.distinct[column.of[place] as usize]).collect()
    }

    /// Gives each request of a group the outcome with the least price; `offers` has, for each kind
    /// and each distinct size, a price and an outcome, or none.
    ///
    /// Returns the places in the group where the least price is that of several kinds; these
    /// requests, and those that nobody has an offer for, stay open.
    pub fn choose(&mut self, group: usize, offers: &[Vec<Option<(i64, u32)>>]) -> Vec<usize> {
        let Group { rows, columns } = &self.groups[group];
        let mut ties = Vec::new();
        for (place, &row) in rows.iter().enumerate() {
            let (mut best, mut tied) = (None, false);
            for (column, offers) in columns.iter().zip(offers) {
                let Some((price, outcome)) = offers[column.of[place] as usize] else { continue };
                match best {
                    Some((least, _)) if least < price => {}
                    Some((least, _)) if least == price => tied = true,
                    _ => (best, tied) = (Some((price, outcome)), false),
                }
            }
            match best {
                Some(_) if tied => ties.push(place),
                Some((_, outcome)) => self.fates[row] = Fate::Placed(outcome),
                None => {}
            }
        }
        ties
    }

    /// Gives a request an outcome.
    pub fn place(&mut self, row: usize, outcome: u32) {
        self.fates[row] = Fate::Placed(outcome);
    }

    /// How many requests of a group are sent with each of a kind's distinct sizes.
    pub fn sent_by_size(&self, group: usize, kind: usize) -> Vec<u64> {
        let Group { rows, columns } = &self.groups[group];
        let column = &columns[kind];
        let mut numbers = vec![0; column.distinct.len()];
        for (&row, &size) in rows.iter().zip(&column.of) {
            numbers[size as usize] += u64::from(matches!(self.fates[row], Fate::Placed(_)));
        }
        numbers
    }
}
