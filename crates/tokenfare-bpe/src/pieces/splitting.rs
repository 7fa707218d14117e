//! How a vocabulary wants its text split into pieces: normalized or not, and by which pattern.
//!
//! Both are properties of a vocabulary, fixed when it is loaded. A pattern says where the piece
//! that starts at a given place ends, and where a text may be cut so that counts add up.

use std::borrow::Cow;

use crate::pieces::cut_search::{first_cut, may_part_bytes};
use crate::pieces::cuts::is_cut;
use crate::pieces::patterns::cuts::{self, Rule};
use crate::pieces::patterns::{cased, plain, words};
use crate::pieces::scan;
use crate::unicode::nfc::nfc;

/// A split pattern. Each has a scanner written for it, which tests compare with its regular
/// expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pattern {
    /// Qwen 1 to 3: a piece for each digit, marks among punctuation (see `scan`).
    Qwen,
    /// Qwen 3.5 and later: a piece for each digit, marks among letters.
    QwenMarks,
    /// cl100k as tiktoken writes it: up to three digits a piece, white space at the end of the text
    /// as one piece.
    Cl100k,
    /// Llama 3, and cl100k as others write it: up to three digits a piece.
    Llama3,
    /// o200k and Llama 4: words start at capitals, contractions belong to the word before them.
    O200k,
    /// GPT-2: a space belongs to the word, number or punctuation after it.
    Gpt2,
}

impl Pattern {
    /// All patterns, in the order of their numbers in the compact form.
    pub const ALL: [Self; 6] =
        [Self::Qwen, Self::QwenMarks, Self::Cl100k, Self::Llama3, Self::O200k, Self::Gpt2];

    /// The pattern of this name: that of the vocabulary that had it first.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "qwen" => Self::Qwen,
            "qwen3.5" => Self::QwenMarks,
            "cl100k" => Self::Cl100k,
            "llama3" => Self::Llama3,
            "o200k" => Self::O200k,
            "gpt2" => Self::Gpt2,
            _ => return None,
        })
    }
}

/// How a text is normalized before it is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Canonical composition (NFC) of Unicode 16.0.
    Nfc,
    /// Not at all.
    None,
}

/// The pattern and the normalization of one vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Splitting {
    pub(crate) pattern: Pattern,
    pub(crate) normalization: Normalization,
}

impl Splitting {
    pub(crate) const QWEN: Self =
        Splitting { pattern: Pattern::Qwen, normalization: Normalization::Nfc };

    /// `text` in the form in which it is split; borrowed if nothing changes. O(n).
    pub(crate) fn normalized<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.normalization {
            Normalization::Nfc => nfc(text),
            Normalization::None => Cow::Borrowed(text),
        }
    }

    /// End of the piece that starts at `start` in normalized text. O(length of the piece), except
    /// for what is read again (see `patterns`). Panics if `start` is not inside `text`.
    #[inline(always)]
    pub(crate) fn piece_end(&self, text: &[u8], start: usize) -> usize {
        match self.pattern {
            Pattern::Qwen => scan::piece_end(text, start),
            Pattern::QwenMarks => words::piece_end::<true, 1, false>(text, start),
            Pattern::Cl100k => words::piece_end::<false, 3, true>(text, start),
            Pattern::Llama3 => words::piece_end::<false, 3, false>(text, start),
            Pattern::O200k => cased::piece_end(text, start),
            Pattern::Gpt2 => plain::piece_end(text, start),
        }
    }

    /// Calls `piece` with the start and end of every piece of `text`, in order. `text` is
    /// normalized.
    #[inline(always)]
    pub(crate) fn for_each_piece(&self, text: &[u8], mut piece: impl FnMut(usize, usize)) {
        // One loop for each pattern, so that the scanner is inlined and the pattern chosen once.
        let mut each = |end: fn(&[u8], usize) -> usize| {
            let mut start = 0;
            while start < text.len() {
                let end = end(text, start);
                piece(start, end);
                start = end;
            }
        };
        match self.pattern {
            Pattern::Qwen => each(scan::piece_end),
            Pattern::QwenMarks => each(words::piece_end::<true, 1, false>),
            Pattern::Cl100k => each(words::piece_end::<false, 3, true>),
            Pattern::Llama3 => each(words::piece_end::<false, 3, false>),
            Pattern::O200k => each(cased::piece_end),
            Pattern::Gpt2 => each(plain::piece_end),
        }
    }

    /// Whether the text may be cut at `at`, which is inside it. The text need not be normalized.
    /// O(1).
    #[inline]
    pub(crate) fn is_cut(&self, text: &[u8], at: usize) -> bool {
        match self.pattern {
            Pattern::Qwen => is_cut(text, at),
            Pattern::QwenMarks | Pattern::Cl100k | Pattern::Llama3 => {
                cuts::is_cut(text, at, Rule { line_end: true, before_quote_or_slash: true })
            }
            Pattern::O200k => {
                cuts::is_cut(text, at, Rule { line_end: true, before_quote_or_slash: false })
            }
            Pattern::Gpt2 => {
                cuts::is_cut(text, at, Rule { line_end: false, before_quote_or_slash: true })
            }
        }
    }

    /// The first cut at or after `from`, or the end of the text. O(distance).
    pub(crate) fn next_cut(&self, text: &[u8], from: usize) -> usize {
        let places = from.max(1)..text.len();
        let is_cut = |at| self.is_cut(text, at);
        first_cut(text, places, may_part_bytes, is_cut).unwrap_or(text.len())
    }

    /// `text` in parts of about `size` bytes, cut where counts add up; a part is longer where there
    /// is no cut.
    pub(crate) fn parts<'a>(&self, text: &'a str, size: usize) -> impl Iterator<Item = &'a str> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            (start < text.len()).then(|| {
                let from = start.saturating_add(size.max(1)).min(text.len());
                at = self.next_cut(text.as_bytes(), from);
                &text[start..at]
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_rejoin_to_the_text() {
        let text = "one two 三四 five.\nsix \u{301}seven".repeat(50);
        for size in [0, 1, 2, 7, 100, usize::MAX] {
            assert_eq!(Splitting::QWEN.parts(&text, size).collect::<String>(), text);
        }
    }
}
