//! Reads the lines of a chunk one by one, and counts the texts of each while they are in the cache.

use std::ops::Range;

use memchr::{memchr, memchr_iter};
use tokenfare_bpe::{Counter, Tokenizer};

use crate::cells::Cells;
use crate::layout::LineLayout;
use crate::plain::plain;
use crate::seen::Key;
use crate::sink::{Row, Sink, Summary};
use crate::store::Store;

/// The tokens of each row's texts, by tokenizer. A text that begins with white space is counted
/// behind a line break, since the two may merge; the line break's own token is subtracted.
pub(crate) type Tokens = Vec<Vec<u64>>;

/// A chunk that was read: its rows, their bodies and ids, and their tokens.
pub(crate) struct Scanned {
    pub(crate) rows: Vec<Row>,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
}

/// Reads the lines of a chunk that are not blank, and counts their texts with each tokenizer.
///
/// `first` is the number of the chunk's first line. Takes O(n) for n bytes, on the calling thread,
/// and memory for all bodies and for the texts of one line.
pub(crate) fn scanned(
    chunk: &[u8],
    first: u64,
    layout: &LineLayout,
    key: Key,
    tokenizers: &[&Tokenizer],
) -> Scanned {
    let mut scan = Scan::new(chunk.len(), layout, key, tokenizers);
    let (mut number, mut start) = (first, 0);
    while start < chunk.len() {
        let line = &chunk[start..];
        let line = &line[..memchr(b'\n', line).map_or(line.len(), |at| at + 1)];
        let said = trimmed(line);
        if !said.is_empty() {
            let bytes = &line[said.clone()];
            scan.row(number, start + said.start..start + said.end, |sink| {
                let text = simdutf8::basic::from_utf8(bytes).ok()?;
                plain(text, layout, sink)
            });
        }
        start += line.len();
        number += 1;
    }
    scan.finish()
}

/// As `scanned`, for rows of a table.
pub(crate) fn scanned_cells(
    rows: &[Cells<'_>],
    layout: &LineLayout,
    key: Key,
    tokenizers: &[&Tokenizer],
) -> Scanned {
    let mut scan = Scan::new(rows.iter().map(Cells::bytes).sum(), layout, key, tokenizers);
    for row in rows {
        scan.row(row.number, row.line.clone(), |sink| row.plain(layout, sink));
    }
    scan.finish()
}

/// A chunk that is being read, with a counter for each tokenizer.
struct Scan<'a> {
    sink: Sink,
    counters: Vec<Counter<'a>>,
    tokens: Tokens,
    layout: &'a LineLayout,
    key: Key,
}

impl<'a> Scan<'a> {
    /// For rows of this many bytes together.
    fn new(bytes: usize, layout: &'a LineLayout, key: Key, tokenizers: &[&'a Tokenizer]) -> Self {
        let counters = tokenizers.iter().map(|tokenizer| tokenizer.counter()).collect();
        let tokens = vec![Vec::new(); tokenizers.len()];
        Scan { sink: Sink::of(bytes), counters, tokens, layout, key }
    }

    fn row(
        &mut self,
        number: u64,
        line: Range<usize>,
        read: impl FnOnce(&mut Sink) -> Option<Summary>,
    ) {
        self.sink.read(number, line, self.layout, self.key, read);
        for (counter, tokens) in self.counters.iter_mut().zip(&mut self.tokens) {
            tokens.push(self.sink.tokens(counter));
        }
    }

    fn finish(self) -> Scanned {
        let Sink { rows, store, .. } = self.sink;
        Scanned { rows, store, tokens: self.tokens }
    }
}

/// How many line feeds these bytes have. O(n).
pub fn line_breaks(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

/// The place of a line's content without the white space around it, as Python's `bytes.strip`
/// defines it.
fn trimmed(line: &[u8]) -> Range<usize> {
    let said = |byte: &u8| !matches!(byte, b'\t'..=b'\r' | b' ');
    let start = line.iter().position(said).unwrap_or(line.len());
    start..line.iter().rposition(said).map_or(start, |last| last + 1)
}
