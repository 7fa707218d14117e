//! Cutting a text by tokens: the longest beginning or end within a limit, and chunks of at most so
//! many tokens that end at the best boundaries.

pub(crate) mod beginnings;
pub(crate) mod boundaries;
pub(crate) mod endings;
pub(crate) mod fences;
pub(crate) mod graphemes;
pub(crate) mod inside;
pub(crate) mod line_ends;
pub(crate) mod sentences;
pub(crate) mod split;
pub(crate) mod truncate;
