//! Lines of a chunk read one by one, and their texts counted while they are near.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;
use tokenfare_bpe::{Counter, Tokenizer, nfc};

use crate::cells::Cells;
use crate::escape::quoted;
use crate::form::Form;
use crate::plain::plain;
use crate::prefix_digests::{Chain, DigestInput};
use crate::reader::Reader;
use crate::seen::Key;
use crate::store::{Place, Store};

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

    fn add(&mut self, text: &str, spaced: bool) -> Option<()> {
        self.filled += 1;
        self.spaced += u32::from(spaced);
        let (as_is, nfc) = (text.len() as u64, nfc_bytes(text)?);
        self.as_is += as_is;
        self.nfc += nfc;
        self.most += as_is.max(nfc);
        Some(())
    }
}

/// Bytes of a text in NFC; nothing where an older Unicode may compose less of what was composed:
/// whoever has the list of what came since bounds that. All of it is in these blocks.
fn nfc_bytes(text: &str) -> Option<u64> {
    let late = |c| {
        matches!(c, '\u{7eb}'..='\u{8ff}' | '\u{9fe}' | '\u{c00}'..='\u{d7f}' | '\u{e80}'..='\u{eff}'
            | '\u{1700}'..='\u{17ff}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{a800}'..='\u{a82f}' | '\u{10000}'..='\u{1efff}')
    };
    match nfc(text) {
        Cow::Owned(normal) if normal.chars().any(late) => None,
        normal => Some(normal.len() as u64),
    }
}

/// Whether a text begins with white space, as Python's `str.isspace` has it.
fn is_spaced(text: &str) -> bool {
    text.starts_with(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
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

/// What was found in a chunk, and room for the line that is read.
#[derive(Default)]
pub(crate) struct Share {
    pub(crate) rows: Vec<Row>,
    pub(crate) store: Store,
    /// The texts of the line, and in the first bytes of `said` the last one.
    texts: String,
    said: Vec<u8>,
    /// Where those that are counted lie among them, and whether the line break is counted too.
    counted: Vec<(Range<usize>, bool)>,
    /// Where the last text lies among them, and the chain of prefix digests up to it.
    last: Range<usize>,
    chain: Option<Chain>,
}

impl Share {
    /// A share of a chunk of so many bytes.
    fn of(bytes: usize) -> Self {
        let mut share = Share::default();
        share.store.bodies.reserve(bytes);
        share
    }

    /// Takes a text of JSON, writes it, and keeps what it says, with the line break that it may be
    /// counted behind before it.
    pub(crate) fn unquote(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let text = reader.text(&mut self.said)?;
        let said = simdutf8::basic::from_utf8(&self.said[..text.length]).ok()?;
        self.texts.push('\n');
        let start = self.texts.len();
        self.texts.push_str(said);
        self.last = start..self.texts.len();
        if text.as_written {
            self.store.bodies.extend_from_slice(text.raw.as_bytes());
        } else {
            quoted(said, &mut self.store.bodies);
        }
        Some(())
    }

    /// Writes a text as a JSON string, and keeps it as `unquote` does.
    pub(crate) fn quote(&mut self, text: &str) {
        self.texts.push('\n');
        let start = self.texts.len();
        self.texts.push_str(text);
        self.last = start..self.texts.len();
        quoted(text, &mut self.store.bodies);
    }

    /// The last text.
    pub(crate) fn text(&self) -> &str {
        &self.texts[self.last.clone()]
    }

    /// Puts the last text to those that are counted; nothing where its size is doubtful.
    pub(crate) fn take(&mut self, told: &mut Told) -> Option<()> {
        let text = self.text();
        if text.is_empty() {
            return Some(());
        }
        let spaced = is_spaced(text);
        told.add(text, spaced)?;
        self.counted.push((self.last.start - usize::from(spaced)..self.last.end, spaced));
        Some(())
    }

    /// Adds the prefix digests of a message whose text was the last one.
    pub(crate) fn add_digests(&mut self, role: &str, form: &Form) {
        if let (Some(digester), Some(chain)) = (&form.digester, &mut self.chain) {
            let message = DigestInput::Text(role, &self.texts[self.last.clone()]);
            digester.add(chain, message, &mut self.store.digests);
        }
    }

    /// Takes a row, which `read` reads if it can.
    fn read(
        &mut self,
        number: u64,
        line: Range<usize>,
        form: &Form,
        key: Key,
        read: impl FnOnce(&mut Self) -> Option<Told>,
    ) {
        self.texts.clear();
        self.counted.clear();
        let mark = self.store.mark();
        self.chain = form.digester.as_ref().map(|digester| digester.begin(None));
        let told = read(self);
        let (mut place, mut digest) = (Place::default(), 0);
        if told.is_some() {
            place = self.store.since(mark);
            digest = key.digest(&self.store.bodies[place.body.clone()]);
        } else {
            self.counted.clear();
            self.store.back_to(mark);
        }
        self.rows.push(Row { number, line, place, digest, told });
    }

    /// The tokens of the last line's texts, without those of the line breaks before them.
    fn tokens(&self, counter: &mut Counter<'_>) -> u64 {
        let texts = self.counted.iter().map(|(text, spaced)| {
            counter.count(&self.texts[text.clone()]) as u64 - u64::from(*spaced)
        });
        texts.sum()
    }
}

/// Tokens of each row's texts, by tokenizer. A text that begins with white space is counted behind
/// a line break, whose own token is not among them.
pub(crate) type Tokens = Vec<Vec<u64>>;

/// What a chunk holds: its lines that are not blank, what they are sent as, how many tokens each
/// has, and the number of the line behind it.
pub(crate) struct Scanned {
    pub(crate) rows: Vec<Row>,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) next: u64,
}

/// The lines of a chunk that are not blank, each read; texts are counted by each tokenizer.
///
/// `first` is the number of the chunk's first line. O(n) for n bytes, on the thread that calls;
/// memory for the bodies and for the texts of one line.
pub(crate) fn scanned(
    chunk: &[u8],
    first: u64,
    form: &Form,
    key: Key,
    tokenizers: &[&Tokenizer],
) -> Scanned {
    let mut scan = Scan::new(chunk.len(), form, key, tokenizers);
    let (mut next, mut start) = (first, 0);
    while start < chunk.len() {
        let line = &chunk[start..];
        let line = &line[..memchr(b'\n', line).map_or(line.len(), |at| at + 1)];
        let said = trimmed(line);
        if !said.is_empty() {
            let bytes = &line[said.clone()];
            scan.row(next, start + said.start..start + said.end, |share| {
                let text = simdutf8::basic::from_utf8(bytes).ok()?;
                plain(text, form, share)
            });
        }
        start += line.len();
        next += 1;
    }
    scan.ended(next)
}

/// As `scanned`, for rows of a table; `next` is the number behind them.
pub(crate) fn scanned_cells(
    rows: &[Cells<'_>],
    next: u64,
    form: &Form,
    key: Key,
    tokenizers: &[&Tokenizer],
) -> Scanned {
    let mut scan = Scan::new(rows.iter().map(Cells::bytes).sum(), form, key, tokenizers);
    for row in rows {
        scan.row(row.number, row.line.clone(), |share| row.plain(form, share));
    }
    scan.ended(next)
}

/// Rows as they are read, each counted while it is near.
struct Scan<'a> {
    share: Share,
    counters: Vec<Counter<'a>>,
    tokens: Tokens,
    form: &'a Form,
    key: Key,
}

impl<'a> Scan<'a> {
    /// Of rows that have so many bytes.
    fn new(bytes: usize, form: &'a Form, key: Key, tokenizers: &[&'a Tokenizer]) -> Self {
        let counters = tokenizers.iter().map(|tokenizer| tokenizer.counter()).collect();
        let tokens = vec![Vec::new(); tokenizers.len()];
        Scan { share: Share::of(bytes), counters, tokens, form, key }
    }

    fn row(
        &mut self,
        number: u64,
        line: Range<usize>,
        read: impl FnOnce(&mut Share) -> Option<Told>,
    ) {
        self.share.read(number, line, self.form, self.key, read);
        for (counter, tokens) in self.counters.iter_mut().zip(&mut self.tokens) {
            tokens.push(self.share.tokens(counter));
        }
    }

    fn ended(self, next: u64) -> Scanned {
        let Share { rows, store, .. } = self.share;
        Scanned { rows, store, tokens: self.tokens, next }
    }
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
}
