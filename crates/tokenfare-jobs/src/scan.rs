//! Lines of a chunk read side by side, each thread into memory of its own.

use std::num::NonZero;
use std::ops::Range;
use std::thread::{available_parallelism, scope};

use tokenfare_bpe::Tokenizer;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::escape::unquoted;
use crate::form::Form;
use crate::ladder::{Climb, Said};
use crate::plain::plain;
use crate::seen::Key;
use crate::store::{Place, Store};

/// Bytes of a chunk for which another thread is worth its start.
const WORTH: usize = 256 * 1024;

/// What a plain request says, in numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) room: u64,
    pub(crate) messages: u32,
    /// Texts that are not empty, and those of them that begin with white space.
    pub(crate) filled: u32,
    pub(crate) spaced: u32,
    pub(crate) system_first: bool,
    /// Bytes of the texts as they are, in NFC, and the larger of the two for each.
    pub(crate) as_is: u64,
    pub(crate) nfc: u64,
    pub(crate) most: u64,
}

impl Told {
    /// A chat of one message of a user.
    pub(crate) fn one() -> Self {
        Told { messages: 1, ..Told::default() }
    }

    fn add(&mut self, text: &str, spaced: bool) {
        self.filled += 1;
        self.spaced += u32::from(spaced);
        let (as_is, nfc) = (text.len() as u64, nfc_bytes(text));
        self.as_is += as_is;
        self.nfc += nfc;
        self.most += as_is.max(nfc);
    }
}

/// Whether a text begins with white space, as Python's `str.isspace` has it.
fn is_spaced(text: &str) -> bool {
    text.starts_with(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

fn nfc_bytes(text: &str) -> u64 {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text.len() as u64;
    }
    text.nfc().map(|c| c.len_utf8() as u64).sum()
}

/// One line that is not blank.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its number, from 1 in its file.
    pub(crate) number: u64,
    /// Where it lies in the chunk, without the white space around it.
    pub(crate) line: Range<usize>,
    /// Its id, and what is sent, without a model.
    pub(crate) place: Place,
    /// What the body is remembered by.
    pub(crate) digest: u128,
    /// `None` where it is doubtful.
    pub(crate) told: Option<Told>,
}

/// What a thread has found in its part of the chunk.
#[derive(Default)]
pub(crate) struct Share {
    pub(crate) rows: Vec<Row>,
    pub(crate) store: Store,
    texts: String,
    /// Where each text that is counted lies among the texts, and its row.
    counted: Vec<(Range<usize>, usize)>,
    /// Where the last text lies among the texts, and the ladder up to it.
    last: Range<usize>,
    climb: Option<Climb>,
}

impl Share {
    /// A share of a part of so many bytes.
    fn of(bytes: usize) -> Self {
        let mut share = Share::default();
        share.store.bodies.reserve(bytes);
        share.texts.reserve(bytes);
        share
    }

    /// Writes what a JSON string says, with the line break that it may be counted behind before it.
    pub(crate) fn unquote(&mut self, raw: &str) -> bool {
        self.texts.push('\n');
        let start = self.texts.len();
        let whole = unquoted(raw, &mut self.texts, &mut self.store.bodies);
        self.last = start..self.texts.len();
        whole
    }

    /// The last text.
    pub(crate) fn text(&self) -> &str {
        &self.texts[self.last.clone()]
    }

    /// Puts the last text to those that are counted.
    pub(crate) fn take(&mut self, told: &mut Told) {
        let text = self.text();
        if text.is_empty() {
            return;
        }
        let spaced = is_spaced(text);
        told.add(text, spaced);
        let start = self.last.start - usize::from(spaced);
        self.counted.push((start..self.last.end, self.rows.len()));
    }

    /// Makes the rungs of a message, the text of which was the last one.
    pub(crate) fn climb(&mut self, role: &str, form: &Form) {
        if let (Some(ladders), Some(climb)) = (&form.ladders, &mut self.climb) {
            let said = Said::Text(role, &self.texts[self.last.clone()]);
            ladders.add(climb, said, &mut self.store.rungs);
        }
    }

    fn read(&mut self, number: u64, line: Range<usize>, bytes: &[u8], form: &Form, key: Key) {
        let (texts, counted) = (self.texts.len(), self.counted.len());
        let mark = self.store.mark();
        self.climb = form.ladders.as_ref().map(|ladders| ladders.begin(None));
        let text = std::str::from_utf8(bytes).ok();
        let told = text.and_then(|text| plain(text, form, self));
        let (mut place, mut digest) = (Place::default(), 0);
        if told.is_some() {
            place = self.store.since(mark, 0);
            digest = key.digest(&self.store.bodies[place.body.clone()]);
        } else {
            self.texts.truncate(texts);
            self.counted.truncate(counted);
            self.store.back_to(mark);
        }
        self.rows.push(Row { number, line, place, digest, told });
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.counted.iter().map(|(place, _)| &self.texts[place.clone()])
    }
}

/// Tokens of each row's texts, by tokenizer. A text that begins with white space is counted behind
/// a line break, whose own token is not among them.
pub(crate) type Tokens = Vec<Vec<u64>>;

/// What a chunk holds: its lines that are not blank, what they are sent as, how many tokens each
/// has, and the number of the line behind it.
pub(crate) struct Scanned {
    pub(crate) rows: Vec<Row>,
    pub(crate) stores: Vec<Store>,
    pub(crate) tokens: Tokens,
    pub(crate) next: u64,
}

/// The lines of a chunk that are not blank, each read; texts are counted by each tokenizer.
///
/// `first` is the number of the chunk's first line. O(n) for n bytes, on as many threads as the
/// machine has cores; memory for the bodies and, until the end, for the texts.
pub(crate) fn scanned(
    chunk: &[u8],
    first: u64,
    form: &Form,
    key: Key,
    tokenizers: &[&Tokenizer],
) -> Scanned {
    let cores = available_parallelism().map_or(1, NonZero::get).min(1 + chunk.len() / WORTH);
    let parts = parts(chunk, cores);
    let mut shares: Vec<Share> = Vec::new();
    let mut number = first;
    scope(|scope| {
        let mut threads = Vec::new();
        for part in parts {
            let from = number;
            number += lines_in(&chunk[part.clone()]);
            threads.push(scope.spawn(move || share_of(chunk, part, from, form, key)));
        }
        for thread in threads {
            match thread.join() {
                Ok(share) => shares.push(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    let texts: Vec<&str> = shares.iter().flat_map(Share::texts).collect();
    let counts = tokenizers.iter().map(|tokenizer| by_row(tokenizer.count_batch(&texts), &shares));
    let tokens = counts.collect();
    let (mut rows, mut stores) = (Vec::new(), Vec::new());
    for (number, mut share) in shares.into_iter().enumerate() {
        share.rows.iter_mut().for_each(|row| row.place.store = number);
        rows.append(&mut share.rows);
        stores.push(share.store);
    }
    Scanned { rows, stores, tokens, next: number }
}

fn by_row(counts: Vec<usize>, shares: &[Share]) -> Vec<u64> {
    let mut counts = counts.into_iter();
    let mut rows = Vec::new();
    for share in shares {
        let before = rows.len();
        let breaks = |row: &Row| row.told.as_ref().map_or(0, |told| u64::from(told.spaced));
        rows.extend(share.rows.iter().map(|row| breaks(row).wrapping_neg()));
        for ((_, row), count) in share.counted.iter().zip(&mut counts) {
            rows[before + row] = rows[before + row].wrapping_add(count as u64);
        }
    }
    rows
}

fn share_of(chunk: &[u8], part: Range<usize>, first: u64, form: &Form, key: Key) -> Share {
    let mut share = Share::of(part.len());
    let mut start = part.start;
    for (number, line) in (first..).zip(chunk[part].split_inclusive(|&b| b == b'\n')) {
        let end = start + line.len();
        let said = trimmed(line);
        if !said.is_empty() {
            let bytes = &line[said.clone()];
            share.read(number, start + said.start..start + said.end, bytes, form, key);
        }
        start = end;
    }
    share
}

/// The chunk in about equal parts of whole lines.
fn parts(chunk: &[u8], number: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for i in 1..=number {
        let about = (chunk.len() * i / number).max(start);
        let rest = chunk[about..].iter().position(|&b| b == b'\n');
        let end =
            if i == number { chunk.len() } else { rest.map_or(chunk.len(), |n| about + n + 1) };
        parts.push(start..end);
        start = end;
    }
    parts
}

fn lines_in(part: &[u8]) -> u64 {
    part.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// What is left without the white space around it, as `bytes.strip` has it.
fn trimmed(line: &[u8]) -> Range<usize> {
    let said = |byte: &u8| !matches!(byte, b'\t'..=b'\r' | b' ');
    let start = line.iter().position(said).unwrap_or(line.len());
    start..line.iter().rposition(said).map_or(start, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same list is held to Python's by tests/batch/test_blocks.py.
    #[test]
    fn white_space_is_what_python_calls_so() {
        let spaced: Vec<u32> = (0..=0x10_ffff)
            .filter(|&c| char::from_u32(c).is_some_and(|c| is_spaced(&c.to_string())))
            .collect();
        let mut expected: Vec<u32> = (0x09..=0x0d).chain(0x1c..=0x20).collect();
        expected.extend([0x85, 0xa0, 0x1680]);
        expected.extend(0x2000..=0x200a);
        expected.extend([0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);
        assert_eq!(spaced, expected);
    }

    #[test]
    fn parts_are_whole_lines_and_the_whole_chunk() {
        for chunk in ["", "\n", "a", "a\nb", "aaaaaaaaa\nb\n\nc\n", "\n\n\n\n\n\n\n\n"] {
            for number in 1..5 {
                let parts = parts(chunk.as_bytes(), number);
                let whole: String = parts.iter().map(|part| &chunk[part.clone()]).collect();
                assert_eq!(whole, chunk);
                let inner = &parts[..parts.len() - 1];
                assert!(inner.iter().all(|p| p.end == chunk.len()
                    || chunk[..p.end].ends_with('\n')
                    || p.is_empty()));
            }
        }
    }
}
