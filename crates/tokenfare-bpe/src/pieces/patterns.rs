//! Split patterns other than Qwen's first, each a scanner written for its regular expression.
//!
//! All of them look ahead of a piece's start only, so a text is split from left to right and every
//! piece depends on the text from its start. White space is read twice at most (once to find its
//! end, once behind the piece that stopped short of it), the letters of a word three times at most:
//! each splits a text in linear time, without recursion.
//!
//! The tests hold each to its regular expression, run by the engine that tiktoken uses.

pub(crate) mod cased;
pub(crate) mod cuts;
pub(crate) mod kinds;
pub(crate) mod plain;
pub(crate) mod words;

#[cfg(test)]
mod tests;
