//! The family of cl100k: words with at most one character before them; a contraction is a piece of
//! its own.
//!
//! ```text
//! 1  (?i:'s|'t|'re|'ve|'m|'ll|'d)      a contraction; U+017F is an s here
//! 2  [^\r\n\p{L}\p{N}]?W+              a word, with at most one character before it
//! 3  \p{N}{1,D}                        digits
//! 4   ?[^\s\p{L}\p{N}…]+[\r\n]*        punctuation and the rest, with line ends after it
//! T  \s++$                             white space that ends the text
//! 5  \s*[\r\n]+                        white space up to its last line end
//! 6  \s+(?!\S)|\s+                     white space, but for its last character if text follows
//! ```
//!
//! | | W | D | T | |
//! |---|---|---|---|---|
//! | Qwen 1 to 3 | `\p{L}` | 1 | no | `scan`, which is faster |
//! | Qwen 3.5 and later | `[\p{L}\p{M}]`, and 4 leaves marks out | 1 | no | |
//! | cl100k as tiktoken writes it | `\p{L}` | 3 | yes | |
//! | Llama 3, and cl100k as others write it | `\p{L}` | 3 | no | |
//!
//! In alternative 2 of Qwen 3.5, a mark may be either the character before the word or the first of
//! the word. The piece ends at the same place either way.

use super::kinds::{
    LETTER, LINE_END, MARK, NUMBER, SPACE, Space, kind_at, numbers, run_of, run_of_letters,
    run_without,
};
use crate::pieces::scan::contraction;

/// End of the piece that starts at `start`. Panics if `start` is not inside `text`.
#[inline(always)]
pub(crate) fn piece_end<const MARKS: bool, const DIGITS: usize, const TAIL: bool>(
    text: &[u8],
    start: usize,
) -> usize {
    let word = if MARKS { LETTER | MARK } else { LETTER };
    let known = word | NUMBER | SPACE; // what alternative 4 leaves out
    let first = text[start];
    if first == b'\''
        && let Some(length) = contraction(&text[start + 1..])
    {
        return start + 1 + length;
    }
    let (kind, length) = kind_at(text, start);
    let next = start + length;
    if kind & word != 0 {
        return run_of_letters(text, next, word);
    }
    if kind & NUMBER != 0 {
        return numbers(text, next, DIGITS - 1);
    }
    if kind & LINE_END == 0 && kind_at(text, next).0 & word != 0 {
        return run_of_letters(text, next, word);
    }
    let other = if first == b' ' { run_without(text, next, known) } else { next };
    if kind & SPACE == 0 {
        return run_of(text, run_without(text, next, known), LINE_END);
    }
    if other > next {
        return run_of(text, other, LINE_END);
    }
    let space = Space::at(text, start);
    match space.behind_line_end {
        _ if TAIL && space.end == text.len() => space.end,
        Some(end) => end,
        None => space.all_but_last(text, start),
    }
}
