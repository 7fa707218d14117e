//! The split pattern of Qwen 1 to 3 as a scanner, one piece at a time. This is the readable
//! version; `windows` is the fast one.
//!
//! The alternatives are tried in this order at each position. There is no look-behind:
//!
//! ```text
//! 1  (?i:'s|'t|'re|'ve|'m|'ll|'d)      a contraction; U+017F is an s here
//! 2  [^\r\n\p{L}\p{N}]?\p{L}+          letters, with at most one character before them
//! 3  \p{N}                             one digit
//! 4   ?[^\s\p{L}\p{N}]+[\r\n]*         punctuation and the rest, with line ends after it
//! 5  \s*[\r\n]+                        white space up to its last line end
//! 6  \s+(?!\S)                         white space, but for its last character if text follows
//! 7  \s+
//! ```
//!
//! Where a piece ends depends on the text from its start only. Every alternative except 5 and 6
//! stops at the first character that does not belong to it. White space is read at most twice (once
//! to find its last line end, once more for what follows that), and its last character once again
//! as the start of the next piece, so a whole text is split in linear time.

use crate::interrupts::Steps;
use crate::pieces::patterns::kinds::ascii_between;
use crate::unicode::classes::{CLASS, LETTER, NUMBER, OTHER, SPACE, class_at};

/// End of the piece that starts at `start`. O(length of the piece and of the white space after it).
///
/// `text` is UTF-8, and `start` the start of a character in it. Panics if `start` is not inside
/// `text`.
pub(crate) fn piece_end(text: &[u8], start: usize) -> usize {
    let first = text[start];
    if first == b'\''
        && let Some(length) = contraction(&text[start + 1..])
    {
        return start + 1 + length;
    }
    let (class, length) = class_of(text, start);
    let next = start + length;
    if class == LETTER {
        return run(text, next, LETTER);
    }
    if class == NUMBER {
        return next;
    }
    let line_end = first == b'\r' || first == b'\n';
    if !line_end && class_after(text, next) == Some(LETTER) {
        return run(text, next, LETTER);
    }
    if class == OTHER {
        return line_ends(text, run(text, next, OTHER));
    }
    if first == b' ' && class_after(text, next) == Some(OTHER) {
        return line_ends(text, run(text, next, OTHER));
    }
    white_space(text, start)
}

#[inline(always)]
fn class_of(text: &[u8], start: usize) -> (u8, usize) {
    let (class, length) = class_at(text, start);
    (class & CLASS, length)
}

#[inline(always)]
fn class_after(text: &[u8], start: usize) -> Option<u8> {
    (start < text.len()).then(|| class_of(text, start).0)
}

/// Length of the letters after an apostrophe that make it a contraction.
#[inline]
pub(crate) fn contraction(rest: &[u8]) -> Option<usize> {
    match rest {
        [b's' | b'S' | b't' | b'T' | b'm' | b'M' | b'd' | b'D', ..] => Some(1),
        [b'r' | b'R' | b'v' | b'V', b'e' | b'E', ..] | [b'l' | b'L', b'l' | b'L', ..] => Some(2),
        [0xc5, 0xbf, ..] => Some(2), // U+017F, the long s, folds to s
        _ => None,
    }
}

/// The first position at or after `at` that holds a character of another class.
#[inline]
fn run(text: &[u8], mut at: usize, class: u8) -> usize {
    let mut steps = Steps::from(at);
    while at < text.len() {
        steps.to(at);
        if class == LETTER {
            at += ascii_between(text, at, 0x20, b'a', b'z');
            if at >= text.len() {
                break;
            }
        }
        let (found, length) = class_of(text, at);
        if found != class {
            break;
        }
        at += length;
        at += repeated(text, at);
    }
    at
}

/// Most repeated bytes that are read between two reports of progress (see [`Steps`]).
const AT_ONCE: usize = 1 << 14;

/// Number of bytes from `at` on that repeat the byte before `at`, if that is ASCII; up to
/// seven fewer at the end of the text, and at most [`AT_ONCE`].
///
/// A long piece that is no word is mostly a ruler, indentation or blank lines. Eight bytes are
/// compared in one word.
#[inline(always)]
fn repeated(text: &[u8], at: usize) -> usize {
    let byte = text[at - 1];
    if !byte.is_ascii() {
        return 0;
    }
    let (words, _) = text[at..].as_chunks();
    let mut count = 0;
    for word in &words[..words.len().min(AT_ONCE / 8)] {
        let differs = u64::from_le_bytes(*word) ^ u64::from_le_bytes([byte; 8]);
        if differs != 0 {
            return count + differs.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    count
}

fn line_ends(text: &[u8], mut at: usize) -> usize {
    let mut steps = Steps::from(at);
    while at < text.len() && (text[at] == b'\r' || text[at] == b'\n') {
        at += 1;
        steps.to(at);
    }
    at
}

/// Alternatives 5 to 7, for white space at `start` to which neither 2 nor 4 applies.
fn white_space(text: &[u8], start: usize) -> usize {
    let mut at = start;
    let mut last = start; // start of the last white-space character
    let mut after_line_end = None;
    let mut steps = Steps::from(at);
    while at < text.len() {
        let (class, length) = class_of(text, at);
        if class != SPACE {
            break;
        }
        let more = repeated(text, at + length);
        last = at + more;
        at = last + length;
        steps.to(at);
        if text[last] == b'\r' || text[last] == b'\n' {
            after_line_end = Some(at);
        }
    }
    if let Some(end) = after_line_end {
        return end;
    }
    if at == text.len() || last == start { at } else { last }
}
