//! How a vocabulary wants its text split into pieces: normalized or not, and by which pattern.
//!
//! What is told apart here is data of a vocabulary, fixed when it is loaded. A pattern says where
//! the piece that starts at a place ends, and where a text may be cut so that counts add up.

use std::borrow::Cow;

use crate::pieces::cuts::is_cut;
use crate::pieces::patterns::cuts::{self, Rule};
use crate::pieces::patterns::{cased, plain, words};
use crate::pieces::scan;
use crate::unicode::nfc::nfc;

/// A split pattern. Each is a scanner written for it, equal to its regular expression by test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pattern {
    /// Qwen 1 to 3: one digit a piece, marks among punctuation (see `scan`).
    Qwen,
    /// Qwen 3.5 and later: one digit a piece, marks among letters.
    QwenMarks,
    /// cl100k as tiktoken writes it: three digits, white space at the end of the text together.
    Cl100k,
    /// Llama 3, and cl100k as others write it: three digits.
    Llama3,
    /// o200k and Llama 4: words that start with capitals, contractions behind them.
    O200k,
    /// GPT-2: a space before a word, a number or punctuation.
    Gpt2,
}

impl Pattern {
    /// All of them, in the order of their numbers in the compact form.
    pub const ALL: [Self; 6] =
        [Self::Qwen, Self::QwenMarks, Self::Cl100k, Self::Llama3, Self::O200k, Self::Gpt2];
}

/// What is done to a text before it is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Canonical composition, by Unicode 16.0.
    Nfc,
    /// Nothing.
    None,
}

/// Pattern and normalization of one vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Splitting {
    pub(crate) pattern: Pattern,
    pub(crate) normalization: Normalization,
}

impl Splitting {
    pub(crate) const QWEN: Self =
        Splitting { pattern: Pattern::Qwen, normalization: Normalization::Nfc };

    /// `text` as it is split; borrowed if nothing changes. O(n), but for runs of marks.
    pub(crate) fn normalized<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.normalization {
            Normalization::Nfc => nfc(text),
            Normalization::None => Cow::Borrowed(text),
        }
    }

    /// End of the piece that starts at `start` of normalized text. O(length of the piece) but for
    /// what is read twice (see `patterns`). Panics if `start` is not inside.
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

    /// Calls `piece` with start and end of every piece of `text`, which is normalized, in order.
    #[inline(always)]
    pub(crate) fn for_each_piece(&self, text: &[u8], mut piece: impl FnMut(usize, usize)) {
        // One loop for each pattern: the scanners are inlined, the choice is made once.
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

    /// Whether the text, not normalized yet, may be cut at `at`, which is inside it. O(1).
    #[inline]
    pub(crate) fn is_cut(&self, text: &[u8], at: usize) -> bool {
        match self.pattern {
            Pattern::Qwen => is_cut(text, at),
            Pattern::QwenMarks | Pattern::Cl100k | Pattern::Llama3 => {
                cuts::is_cut(text, at, Rule { line_end: true, contractions_in_front: true })
            }
            Pattern::O200k => {
                cuts::is_cut(text, at, Rule { line_end: true, contractions_in_front: false })
            }
            Pattern::Gpt2 => {
                cuts::is_cut(text, at, Rule { line_end: false, contractions_in_front: true })
            }
        }
    }
}
