//! The count of a text that arrives in parts, in memory that does not grow with the text.
//!
//! The plain way keeps the whole text and counts it at the end. Here what has arrived is counted up
//! to its last cut (a place where counts add up, see `cuts`), and only the rest is kept until more
//! arrives. Whether a place is a cut depends on the two characters around it, so it is also a cut
//! of the whole text. The count is therefore that of the whole text wherever it is divided: inside
//! a character, between a letter and its marks, inside a line end.
//!
//! A text without any cut (one word, a run of marks or of white space, of any length) is kept
//! whole, since no part of it can be counted alone. Each place is looked at once, so time is
//! linear.

use std::fmt;

use crate::interrupts::worked;
use crate::text::code_points::utf8_of;
use crate::text::source::Text;
use crate::tokenizer::Tokenizer;
use crate::unicode::classes::length_of;

/// Bytes kept before any cut is looked for: few enough to be counted whenever the count is asked
/// for.
const KEPT: usize = 16 * 1024;

/// A byte at a place where UTF-8 does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8 {
    /// The first byte of what is not a character.
    pub byte: u8,
    /// Its offset in the UTF-8 of everything that arrived.
    pub offset: u64,
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not UTF-8: byte 0x{:02x} at offset {}", self.byte, self.offset)
    }
}

impl std::error::Error for NotUtf8 {}

/// A text that is still arriving, and the count of what is settled. The same tokenizer must count
/// all of it.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Tokens of the text that is no longer kept.
    tokens: usize,
    kept: String,
    /// No place of `kept` before this one is a cut.
    looked: usize,
    /// The first half of a surrogate pair at the end of what arrived.
    high: Option<u32>,
    /// The first bytes of a character at the end of what arrived.
    begun: Vec<u8>,
    /// Bytes of everything that arrived, without those of a half character and of half a surrogate
    /// pair.
    length: u64,
}

impl Stream {
    /// Adds a text. O(n), except for long pieces (see [`Tokenizer::count`]).
    ///
    /// Fails if the bytes before it end inside a character, and then adds nothing. If the work is
    /// interrupted or panics, some of the text may have been added, and the count means nothing
    /// from then on.
    pub fn add<'a>(
        &mut self,
        tokenizer: &Tokenizer,
        text: impl Into<Text<'a>>,
    ) -> Result<(), NotUtf8> {
        self.whole_characters()?;
        let mut text = text.into();
        let Some(first) = text.first() else { return Ok(()) };
        if let Some(high) = self.high.take() {
            let (pair, mut room) = ([high, first], Vec::new());
            let is_pair = matches!(first, 0xdc00..0xe000);
            self.push(tokenizer, utf8_of(&pair[..1 + usize::from(is_pair)], &mut room));
            text = text.behind(usize::from(is_pair));
        }
        (text, self.high) = text.without_half();
        text.stretches(|text| self.push(tokenizer, text));
        Ok(())
    }

    /// Adds bytes of UTF-8, which may begin and end inside a character. Fails if they are not
    /// UTF-8, and then adds nothing. Otherwise the same as [`Stream::add`].
    pub fn add_bytes(&mut self, tokenizer: &Tokenizer, bytes: &[u8]) -> Result<(), NotUtf8> {
        let missing = self.begun.first().map_or(0, |lead| length_of(*lead) - self.begun.len());
        let (head, bytes) = bytes.split_at(missing.min(bytes.len()));
        let joint = [&self.begun, head].concat();
        let bad = |bytes: &[u8], before: usize, at: usize| NotUtf8 {
            byte: bytes[at],
            offset: self.came() + (before + at) as u64,
        };
        let (first, half) = complete(&joint).map_err(|at| bad(&joint, 0, at))?;
        let (text, begun) = complete(bytes).map_err(|at| bad(bytes, joint.len(), at))?;
        if (!first.is_empty() || !text.is_empty()) && self.high.take().is_some() {
            self.push(tokenizer, "\u{fffd}");
        }
        self.push(tokenizer, first);
        self.begun = [half, begun].concat();
        Text::Utf8(text).stretches(|text| self.push(tokenizer, text));
        Ok(())
    }

    /// How many tokens everything that arrived so far is, counting whole characters only. O(length
    /// of what is kept), which is some kilobytes or one stretch without a cut.
    pub fn tokens(&self, tokenizer: &Tokenizer) -> usize {
        let rest = match self.high {
            None => tokenizer.count(&self.kept),
            Some(_) => tokenizer.count(&format!("{}\u{fffd}", self.kept)),
        };
        self.tokens + rest
    }

    /// Fails if what arrived ends inside a character.
    pub fn whole_characters(&self) -> Result<(), NotUtf8> {
        match self.begun.first() {
            Some(byte) => Err(NotUtf8 { byte: *byte, offset: self.came() }),
            None => Ok(()),
        }
    }

    /// Bytes of everything that arrived before a half character. A half surrogate pair before that
    /// has no other half, so it counts as U+FFFD.
    fn came(&self) -> u64 {
        self.length + self.high.map_or(0, |_| '\u{fffd}'.len_utf8() as u64)
    }

    fn push(&mut self, tokenizer: &Tokenizer, text: &str) {
        self.kept.push_str(text);
        self.length += text.len() as u64;
        if self.kept.len() < KEPT {
            return;
        }
        let kept = self.kept.as_bytes();
        worked(kept.len() - self.looked);
        let places = self.looked.max(1)..kept.len();
        if let Some(cut) = places.rev().find(|at| tokenizer.splitting.is_cut(kept, *at)) {
            self.tokens += tokenizer.count(&self.kept[..cut]);
            self.kept.drain(..cut);
        }
        self.looked = self.kept.len();
    }
}

/// The whole characters of these bytes and the beginning of another; or, as the error, where they
/// stop being UTF-8.
fn complete(bytes: &[u8]) -> Result<(&str, &[u8]), usize> {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return Ok((text, &[]));
    }
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => Ok((text, &[])),
        Err(error) if error.error_len().is_some() => Err(error.valid_up_to()),
        Err(error) => {
            let (whole, begun) = bytes.split_at(error.valid_up_to());
            Ok((simdutf8::basic::from_utf8(whole).unwrap_or_default(), begun))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DATA, dice, small};
    use crate::{Merging, Normalization, Pattern};

    /// Units with characters beside which a wrong cut would change the count: marks, line ends,
    /// Jamo, white space.
    const UNITS: [&str; 16] = [
        "word",
        " and",
        "\r\n",
        "\n",
        "  ",
        "1",
        "\u{301}",
        "\u{323}",
        "e",
        "\u{1112}\u{1161}",
        "\u{11ab}",
        "通义",
        "😀",
        "it's",
        "\u{3000}",
        "=\u{338}",
    ];

    fn tokenizers() -> Vec<Tokenizer> {
        let more = ["  ", "\r\n", "\n\n", "wo", "e\u{301}", " a", "'s", "\u{301}\u{323}", "\n "];
        let more = more.map(str::as_bytes);
        let merging = Merging::Listed { pairs: &[(32, 32)], whole_pieces: true };
        let patterns = [Pattern::QwenMarks, Pattern::Cl100k, Pattern::O200k, Pattern::Gpt2];
        let tables = patterns.into_iter().flat_map(|pattern| {
            [Normalization::Nfc, Normalization::None].map(|n| small(&more, merging, pattern, n))
        });
        tables
            .chain([DATA.to_vec()])
            .map(|table| Tokenizer::from_compact(&table).unwrap())
            .collect()
    }

    #[test]
    fn a_text_has_its_count_wherever_it_is_parted() {
        let mut roll = dice(5);
        for tokenizer in tokenizers() {
            for round in 0..40 {
                let few: Vec<&str> = (0..1 + roll(5)).map(|_| UNITS[roll(UNITS.len())]).collect();
                let text: String =
                    (0..2_000 + roll(20_000)).map(|_| few[roll(few.len())]).collect();
                let most = [5, 700, 9_000, 90_000][round % 4];
                let mut stream = Stream::default();
                let (mut at, bytes) = (0, text.as_bytes());
                while at < bytes.len() {
                    let end = bytes.len().min(at + roll(most));
                    stream.add_bytes(&tokenizer, &bytes[at..end]).unwrap();
                    at = end;
                    if roll(400) == 0 {
                        let whole = text.floor_char_boundary(at);
                        assert_eq!(stream.tokens(&tokenizer), tokenizer.count(&text[..whole]));
                    }
                }
                stream.whole_characters().unwrap();
                assert_eq!(stream.tokens(&tokenizer), tokenizer.count(&text), "{few:?}");
            }
        }
    }

    #[test]
    fn little_is_kept_where_there_are_cuts() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let (mut stream, mut length) = (Stream::default(), 0);
        for unit in ["Word by word.\n", "通义千问,具有。\n", "e\u{301} \u{323}a.\r\n"] {
            let text = unit.repeat(200_000 / unit.len());
            for _ in 0..5 {
                stream.add(&tokenizer, &text).unwrap();
                length += text.len() as u64;
                assert!(stream.kept.len() < KEPT);
                assert_eq!(stream.length, length);
            }
        }
    }

    #[test]
    fn each_form_of_a_text_may_follow_each_and_halves_of_pairs_meet() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let (high, low) = ([0x61, 0xd83d], [0xde00, 0x62]);
        let mut stream = Stream::default();
        stream.add(&tokenizer, Text::Points16(&high)).unwrap();
        assert_eq!(stream.tokens(&tokenizer), tokenizer.count("a\u{fffd}"));
        stream.add(&tokenizer, Text::Points16(&[])).unwrap();
        stream.add(&tokenizer, Text::Points16(&low)).unwrap();
        assert_eq!(stream.tokens(&tokenizer), tokenizer.count("a😀b"));
        stream.add(&tokenizer, Text::Points16(&high)).unwrap();
        stream.add(&tokenizer, Text::Points8(&[0xe9])).unwrap();
        stream.add(&tokenizer, Text::Points16(&high)).unwrap();
        stream.add_bytes(&tokenizer, b"").unwrap();
        stream.add_bytes(&tokenizer, b"x").unwrap();
        stream.add(&tokenizer, Text::Points32(&[0xde00])).unwrap();
        let expected = tokenizer.count("a😀ba\u{fffd}éa\u{fffd}x\u{fffd}");
        assert_eq!(stream.tokens(&tokenizer), expected);
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_named_by_its_place_however_it_comes() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let texts: [&[u8]; 8] = [
            b"ab\xffcd",
            b"ab\xe4\xb8cd",
            b"\xe4\xb8\xad\xe4",
            b"\xf0\x9f\x98",
            b"a\x80",
            b"\xc3\xc3\xa9",
            b"\xed\xa0\x80",
            b"\xe0\x80\x80",
        ];
        for text in texts {
            let error = std::str::from_utf8(text).unwrap_err();
            let at = error.valid_up_to();
            let expected = NotUtf8 { byte: text[at], offset: at as u64 };
            for size in 1..=text.len() {
                let mut stream = Stream::default();
                let added =
                    text.chunks(size).try_for_each(|part| stream.add_bytes(&tokenizer, part));
                assert_eq!(
                    added.and_then(|()| stream.whole_characters()),
                    Err(expected),
                    "{text:?}"
                );
            }
        }
        let mut stream = Stream::default();
        stream.add_bytes(&tokenizer, b"ab\xe4").unwrap();
        let expected = NotUtf8 { byte: 0xe4, offset: 2 };
        assert_eq!(stream.add(&tokenizer, "c"), Err(expected));
        assert_eq!(stream.add_bytes(&tokenizer, b"\xb8c"), Err(expected));
        stream.add_bytes(&tokenizer, b"\xb8\xad").unwrap();
        assert_eq!(stream.tokens(&tokenizer), tokenizer.count("ab中"));
    }

    #[test]
    fn half_a_surrogate_pair_before_bytes_is_as_long_as_what_it_counts_as() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let refused = |parts: &[&[u8]]| {
            let mut stream = Stream::default();
            stream.add(&tokenizer, Text::Points16(&[0x61, 0xd83d])).unwrap();
            let added = parts.iter().try_for_each(|part| stream.add_bytes(&tokenizer, part));
            added.and_then(|()| stream.whole_characters()).unwrap_err()
        };
        let behind = |text: &str, byte| NotUtf8 { byte, offset: text.len() as u64 };
        assert_eq!(refused(&[b"\xff"]), behind("a\u{fffd}", 0xff));
        assert_eq!(refused(&[b"bc\xff"]), behind("a\u{fffd}bc", 0xff));
        assert_eq!(refused(&[b"bc", b"\xff"]), behind("a\u{fffd}bc", 0xff));
        assert_eq!(refused(&[b"\xe4", b"\xb8c"]), behind("a\u{fffd}", 0xe4));
        assert_eq!(refused(&[b"\xe4\xb8", b"\xadd\xe4"]), behind("a\u{fffd}中d", 0xe4));
        assert_eq!(refused(&[b"\xe4\xb8"]), behind("a\u{fffd}", 0xe4));
        assert_eq!(refused(&[b"b\xe4\xb8"]), behind("a\u{fffd}b", 0xe4));
    }
}
