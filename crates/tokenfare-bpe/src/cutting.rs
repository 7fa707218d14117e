//! Cutting a text by tokens: the longest beginning or end within a limit, and chunks of at most so
//! many tokens that end at the best boundaries.

pub(crate) mod around;
pub(crate) mod beginnings;
pub(crate) mod boundaries;
pub(crate) mod endings;
pub(crate) mod fences;
pub(crate) mod graphemes;
pub(crate) mod inside;
pub(crate) mod kind;
pub(crate) mod line_ends;
pub(crate) mod sentences;
pub(crate) mod split;
pub(crate) mod truncate;

/// A chunk of a text, in bytes from the start of the text, and its tokens, counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How many tokens it is.
    pub tokens: usize,
}
