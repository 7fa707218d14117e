//! CSV as Python's `csv.reader` reads it by default: cells end at commas, quotes inside of quotes
//! are doubled, rows end at any line break, and nothing is an error.
//!
//! A quote that is not the first character of a cell is an ordinary character, and text behind a
//! closing quote belongs to the same cell. At the end of the text the last row ends, even inside of
//! quotes; then it is doubtful, since it may hold what was meant to be further rows.

use std::borrow::Cow;
use std::ops::Range;
use std::str::from_utf8;

use memchr::memchr3;

use crate::cells::{Cells, Content};
use crate::layout::LineLayout;

/// The columns of a table: how many there are, and the places of those that a request is made of.
#[derive(Clone, Debug)]
pub struct Heading {
    columns: usize,
    id: Option<usize>,
    method: Option<usize>,
    url: Option<usize>,
    body: Option<usize>,
    messages: Option<usize>,
    prompt: Option<usize>,
}

impl Heading {
    /// From the names of the columns, which are distinct.
    pub fn new(names: &[String], layout: &LineLayout) -> Self {
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        Heading {
            columns: names.len(),
            id: place(&layout.custom_id),
            method: place("method"),
            url: place("url"),
            body: place("body"),
            messages: place(&layout.messages),
            prompt: place(&layout.prompt),
        }
    }

    /// The cells of a row that a request is made of. An empty cell counts as absent.
    fn cells<'a>(
        &self,
        row: &mut [Option<Cow<'a, str>>],
        number: u64,
        line: Range<usize>,
    ) -> Cells<'a> {
        let doubtful = Cells { number, line: line.clone(), id: None, content: Content::Doubtful };
        if row.len() != self.columns || row.contains(&None) {
            return doubtful;
        }
        let mut cell = |place: Option<usize>| row[place?].take().filter(|text| !text.is_empty());
        let id = cell(self.id);
        let content = if let Some(body) = cell(self.body) {
            Content::Body { body, method: cell(self.method), url: cell(self.url) }
        } else if let Some(messages) = cell(self.messages) {
            Content::Messages(messages)
        } else {
            cell(self.prompt).map_or(Content::Doubtful, Content::Prompt)
        };
        Cells { number, line, id, content }
    }
}

/// The whole rows at the beginning of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// The place where the last of them ends.
    pub end: usize,
    /// The number of lines that they take.
    pub lines: u64,
    /// Whether the row behind them has `longest` bytes or more, as far as it is there.
    pub is_long: bool,
}

/// Finds the whole rows at the beginning of a text: at most `most` of them, up to the first one of
/// `longest` bytes or more.
///
/// `ends` says that the text is complete, so that its end is the end of a row. O(n).
pub fn whole(text: &[u8], ends: bool, longest: usize, most: usize) -> Whole {
    let mut found = Whole::default();
    for _ in 0..most {
        let row = Row::<false>::read(text, found.end, ends);
        let end = row.as_ref().map_or(text.len(), |row| row.end);
        if end - found.end >= longest {
            return Whole { is_long: true, ..found };
        }
        match row {
            Some(row) if row.end > found.end => {
                found = Whole { end: row.end, lines: found.lines + row.lines, is_long: false };
            }
            _ => break,
        }
    }
    found
}

/// The rows of a text of whole rows, except blank ones; `first` is the number of the first line.
pub(crate) fn rows<'a>(text: &'a [u8], first: u64, heading: &Heading) -> Vec<Cells<'a>> {
    let (mut rows, mut number, mut start) = (Vec::new(), first, 0);
    while start < text.len() {
        let Some(mut row) = Row::<true>::read(text, start, true) else { break };
        if row.is_open {
            let (id, content) = (None, Content::Doubtful);
            rows.push(Cells { number, line: start..row.end, id, content });
        } else if !row.cells.is_empty() {
            rows.push(heading.cells(&mut row.cells, number, start..row.end));
        }
        number += row.lines;
        start = row.end;
    }
    rows
}

/// One row. With `KEEPS` it has its cells; a cell that is not UTF-8 is `None`.
struct Row<'a, const KEEPS: bool> {
    cells: Vec<Option<Cow<'a, str>>>,
    end: usize,
    lines: u64,
    /// Whether the text ends inside of quotes.
    is_open: bool,
}

/// A cell that is being read: what had to be put together so far, and where the rest begins, which
/// is taken as it is.
#[derive(Default)]
struct Cell {
    before: Vec<u8>,
    start: usize,
    /// The place of the closing quote, if it ends the cell.
    end: Option<usize>,
}

impl<'a, const KEEPS: bool> Row<'a, KEEPS> {
    /// Reads the row that begins at `start`; `None` if it is not complete.
    fn read(text: &'a [u8], start: usize, ends: bool) -> Option<Self> {
        let mut row = Row { cells: Vec::new(), end: start, lines: 0, is_open: false };
        loop {
            let mut cell = Cell { start: row.end, ..Cell::default() };
            let mut from = row.end;
            if text.get(from) == Some(&b'"') {
                cell.start += 1;
                from = row.quoted(text, &mut cell, ends)?;
            }
            let found = memchr3(b',', b'\n', b'\r', &text[from..]).map(|at| from + at);
            match found {
                Some(at) if text[at] == b',' => {
                    row.take(text, cell, at);
                    row.end = at + 1;
                }
                None if !ends => return None,
                _ => {
                    let at = found.unwrap_or(text.len());
                    row.end = if at == text.len() { at } else { line_end(text, at, ends)? };
                    row.lines += 1;
                    if at > start {
                        row.take(text, cell, at);
                    }
                    return Some(row);
                }
            }
        }
    }

    /// Reads the quoted part that a cell begins with. Returns the place behind the closing quote.
    fn quoted(&mut self, text: &[u8], cell: &mut Cell, ends: bool) -> Option<usize> {
        let mut at = cell.start;
        loop {
            let Some(found) = memchr3(b'"', b'\n', b'\r', &text[at..]).map(|far| at + far) else {
                self.is_open = true;
                return ends.then_some(text.len());
            };
            if text[found] != b'"' {
                at = line_end(text, found, ends)?;
                self.lines += 1;
                continue;
            }
            match text.get(found + 1) {
                None | Some(b',' | b'\n' | b'\r') => {
                    cell.end = Some(found);
                    return Some(found + 1);
                }
                Some(b'"') => {
                    at = found + 2;
                    cell.put_together::<KEEPS>(text, found + 1, at);
                }
                Some(_) => {
                    cell.put_together::<KEEPS>(text, found, found + 1);
                    return Some(found + 1);
                }
            }
        }
    }

    /// Adds a cell that ends at `at`, or at its closing quote.
    fn take(&mut self, text: &'a [u8], cell: Cell, at: usize) {
        if !KEEPS {
            return;
        }
        let rest = &text[cell.start..cell.end.unwrap_or(at)];
        self.cells.push(if cell.before.is_empty() {
            from_utf8(rest).ok().map(Cow::Borrowed)
        } else {
            let mut whole = cell.before;
            whole.extend_from_slice(rest);
            String::from_utf8(whole).ok().map(Cow::Owned)
        });
    }
}

impl Cell {
    /// Keeps the text up to `end`, and continues at `next`.
    fn put_together<const KEEPS: bool>(&mut self, text: &[u8], end: usize, next: usize) {
        if KEEPS {
            self.before.extend_from_slice(&text[self.start..end]);
        }
        self.start = next;
    }
}

/// The place behind the line break at `at`; `None` if its second character may still follow.
fn line_end(text: &[u8], at: usize, ends: bool) -> Option<usize> {
    match text.get(at + 1) {
        Some(b'\n') if text[at] == b'\r' => Some(at + 2),
        None if text[at] == b'\r' && !ends => None,
        _ => Some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let (mut found, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let row = Row::<true>::read(text.as_bytes(), start, true).unwrap();
            found.push(row.cells.into_iter().map(|cell| cell.unwrap().into_owned()).collect());
            start = row.end;
        }
        found
    }

    /// Python's own reader is asked for the same by tests/batch/test_tables_in_blocks.py.
    #[test]
    fn quotes_and_line_breaks_are_what_they_are_to_python() {
        let none: [&str; 0] = [];
        for (text, rows) in [
            ("a,b\n", vec![vec!["a", "b"]]),
            ("a,\r\n\rb", vec![vec!["a", ""], none.to_vec(), vec!["b"]]),
            ("\"a,\r\n\"\"b\",\"\"\n", vec![vec!["a,\r\n\"b", ""]]),
            ("a\"b\",\"c\"d\"\n", vec![vec!["a\"b\"", "cd\""]]),
            ("\"a\nb", vec![vec!["a\nb"]]),
            ("a,", vec![vec!["a", ""]]),
            ("\"a\"", vec![vec!["a"]]),
        ] {
            assert_eq!(cells(text), rows, "{text:?}");
        }
    }

    #[test]
    fn a_row_is_whole_when_nothing_can_be_added_to_it() {
        let at = |text: &str| {
            let found = whole(text.as_bytes(), false, 100, usize::MAX);
            (found.end, found.lines, found.is_long)
        };
        assert_eq!(at("a\nb"), (2, 1, false));
        assert_eq!(at("a\r"), (0, 0, false));
        assert_eq!(at("a\rb"), (2, 1, false));
        assert_eq!(at("\"a\n\"\nb,\"c\""), (5, 2, false));
        assert_eq!(at(&format!("a\n{}", "b".repeat(100))), (2, 1, true));
        assert_eq!(at(&format!("a\n{}\n", "b".repeat(100))), (2, 1, true));
        assert_eq!(at(&format!("a\n{}\n", "b".repeat(98))), (101, 2, false));
        assert_eq!(whole(b"a\nb", true, 100, usize::MAX).end, 3);
        assert_eq!(whole(b"a\nb\n", true, 100, 1).end, 2);
    }
}
