//! What a line is read into: its body as it is sent, its id, and the texts to be counted.

use std::borrow::Cow;
use std::ops::Range;

use tokenfare_bpe::{Counter, nfc};

use crate::escape::quoted;
use crate::layout::LineLayout;
use crate::prefix_digests::{Chain, DigestInput};
use crate::reader::Reader;
use crate::seen::Key;
use crate::store::{Place, Store};

/// The numbers that the size of a plain request follows from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) room: u64,
    pub(crate) messages: u32,
    /// The number of texts that are not empty, and of those that begin with white space.
    pub(crate) texts: u32,
    pub(crate) spaced: u32,
    /// Whether the first message is a system message.
    pub(crate) system_first: bool,
    /// Bytes of the texts as they are; in NFC; and with the larger of the two for each text.
    pub(crate) bytes: u64,
    pub(crate) nfc_bytes: u64,
    pub(crate) most_bytes: u64,
}

impl Summary {
    /// A chat of one user message, whose text is not added yet.
    pub(crate) fn one() -> Self {
        Summary { messages: 1, ..Summary::default() }
    }

    fn add(&mut self, text: &str, spaced: bool) -> Option<()> {
        self.texts += 1;
        self.spaced += u32::from(spaced);
        let (as_is, nfc) = (text.len() as u64, nfc_bytes(text)?);
        self.bytes += as_is;
        self.nfc_bytes += nfc;
        self.most_bytes += as_is.max(nfc);
        Some(())
    }
}

/// The bytes of a text in NFC.
///
/// `None` if NFC changes the text and the result has a character from a block in which compositions
/// were added by later versions of Unicode: a provider with an older version may compose less, and
/// the caller, which has the list of those compositions, bounds the size.
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

/// Whether a text begins with white space, by the definition of Python's `str.isspace`.
fn is_spaced(text: &str) -> bool {
    text.starts_with(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// One line that is not blank.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its number, from 1 in its file.
    pub(crate) number: u64,
    /// Its place in the chunk, without the white space around it.
    pub(crate) line: Range<usize>,
    /// The places of its id, and of the body that is sent, without a model.
    pub(crate) place: Place,
    /// The digest of the body.
    pub(crate) digest: u128,
    /// `None` if the line is doubtful, or was read by others.
    pub(crate) summary: Option<Summary>,
}

/// What reading writes to: the rows of the chunk so far, and buffers for the line being read.
#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) rows: Vec<Row>,
    pub(crate) store: Store,
    /// The texts of the line, each behind a line break; `said` is the buffer that a text is
    /// unescaped into.
    texts: String,
    said: Vec<u8>,
    /// The places in `texts` of those that are counted, and whether the line break is counted with
    /// each.
    counted: Vec<(Range<usize>, bool)>,
    /// The place of the last text, and the chain of prefix digests before it.
    last: Range<usize>,
    chain: Option<Chain>,
}

impl Sink {
    /// A sink for a chunk of this many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let mut sink = Sink::default();
        sink.store.bodies.reserve(bytes);
        sink
    }

    /// Reads a JSON string, writes it to the body, and keeps its text, behind a line break that may
    /// be counted with it.
    pub(crate) fn unquote(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let text = reader.text(&mut self.said)?;
        let said = simdutf8::basic::from_utf8(&self.said[..text.length]).ok()?;
        self.last = kept(&mut self.texts, said);
        if text.as_written {
            self.store.bodies.extend_from_slice(text.raw.as_bytes());
        } else {
            quoted(said, &mut self.store.bodies);
        }
        Some(())
    }

    /// Writes a text to the body as a JSON string, and keeps it as `unquote` does.
    pub(crate) fn quote(&mut self, text: &str) {
        self.last = kept(&mut self.texts, text);
        quoted(text, &mut self.store.bodies);
    }

    /// The last text.
    pub(crate) fn text(&self) -> &str {
        &self.texts[self.last.clone()]
    }

    /// Adds the last text to those that are counted. `None` if its size in NFC is not certain.
    pub(crate) fn count_last_text(&mut self, summary: &mut Summary) -> Option<()> {
        let text = self.text();
        if text.is_empty() {
            return Some(());
        }
        let spaced = is_spaced(text);
        summary.add(text, spaced)?;
        self.counted.push((self.last.start - usize::from(spaced)..self.last.end, spaced));
        Some(())
    }

    /// Adds the prefix digests of a message whose text was the last one.
    pub(crate) fn add_digests(&mut self, role: &str, layout: &LineLayout) {
        if let (Some(digester), Some(chain)) = (&layout.digester, &mut self.chain) {
            let message = DigestInput::Text(role, &self.texts[self.last.clone()]);
            digester.add(chain, message, &mut self.store.digests);
        }
    }

    /// Adds a row: what `read` makes of it, or a doubtful one.
    pub(crate) fn read(
        &mut self,
        number: u64,
        line: Range<usize>,
        layout: &LineLayout,
        key: Key,
        read: impl FnOnce(&mut Self) -> Option<Summary>,
    ) {
        self.texts.clear();
        self.counted.clear();
        let mark = self.store.mark();
        self.chain = layout.digester.as_ref().map(|digester| digester.begin(None));
        let summary = read(self);
        let (mut place, mut digest) = (Place::default(), 0);
        if summary.is_some() {
            place = self.store.since(mark);
            digest = key.digest(place.body(&self.store));
        } else {
            self.counted.clear();
            self.store.back_to(mark);
        }
        self.rows.push(Row { number, line, place, digest, summary });
    }

    /// The tokens of the last line's texts, without the line breaks that were counted with them.
    pub(crate) fn tokens(&self, counter: &mut Counter<'_>) -> u64 {
        let texts = self.counted.iter().map(|(text, spaced)| {
            counter.count(&self.texts[text.clone()]) as u64 - u64::from(*spaced)
        });
        texts.sum()
    }
}

/// Adds a text behind a line break. Returns its place.
fn kept(texts: &mut String, text: &str) -> Range<usize> {
    texts.push('\n');
    let start = texts.len();
    texts.push_str(text);
    start..texts.len()
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
