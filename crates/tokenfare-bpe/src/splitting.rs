//! How a vocabulary wants its text split into pieces: normalized or not, and by which pattern.
//!
//! What is told apart here is data of a vocabulary, fixed when it is loaded. A pattern says where
//! the piece that starts at a place ends, and where a text may be cut so that counts add up.

use std::borrow::Cow;

use crate::cuts::is_cut;
use crate::nfc::nfc;
use crate::scan;

/// A split pattern. Each is a scanner written for it, equal to its regular expression by test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pattern {
    /// Qwen 1 to 3: one digit a piece, marks among punctuation (see `scan`).
    Qwen,
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
    /// white space that is looked at twice. Panics if `start` is not inside.
    #[inline(always)]
    pub(crate) fn piece_end(&self, text: &[u8], start: usize) -> usize {
        match self.pattern {
            Pattern::Qwen => scan::piece_end(text, start),
        }
    }

    /// Whether the text, not normalized yet, may be cut at `at`, which is inside it. O(1).
    #[inline]
    pub(crate) fn is_cut(&self, text: &[u8], at: usize) -> bool {
        match self.pattern {
            Pattern::Qwen => is_cut(text, at),
        }
    }
}
