//! GPT-2's pattern: a space belongs to the word, number or punctuation after it.
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```

use super::kinds::{
    END, LETTER, NUMBER, SPACE, Space, kind_at, run_of, run_of_letters, run_without,
};

/// End of the piece that starts at `start`. Panics if `start` is not inside `text`.
pub(crate) fn piece_end(text: &[u8], start: usize) -> usize {
    if let Some(length) = contraction(&text[start..]) {
        return start + length;
    }
    let from = start + usize::from(text[start] == b' ');
    let kind = kind_at(text, from).0;
    if kind & LETTER != 0 {
        return run_of_letters(text, from, LETTER);
    }
    if kind & NUMBER != 0 {
        return run_of(text, from, NUMBER);
    }
    if kind & (SPACE | END) == 0 {
        return run_without(text, from, LETTER | NUMBER | SPACE);
    }
    Space::at(text, start).all_but_last(text, start)
}

/// Length of the contraction that `text` begins with. Lower case only, unlike in the other
/// patterns.
pub(crate) fn contraction(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}
