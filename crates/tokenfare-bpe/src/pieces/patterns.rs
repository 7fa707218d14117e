//! The split patterns other than Qwen's first, each as a scanner written for its regular
//! expression.
//!
//! No pattern looks behind the start of a piece, so a text is split from left to right, and each
//! piece depends on the text from its start only. Some text is read again, but only a few times:
//! white space twice (once to find its end, once behind a piece that stopped before it), its last
//! character once more, and the letters of a word four times at most (capitals after a mark, in
//! `cased`). So each scanner splits a text in linear time, and none recurses.
//!
//! Tests compare each with its regular expression, run by the engine that tiktoken uses.

pub(crate) mod cased;
pub(crate) mod cuts;
pub(crate) mod kinds;
pub(crate) mod plain;
pub(crate) mod words;

#[cfg(test)]
mod tests;
