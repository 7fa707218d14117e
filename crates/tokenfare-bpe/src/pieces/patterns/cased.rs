//! The pattern of o200k: words start at capitals, and contractions belong to the word before them.
//!
//! ```text
//! 1  P?U*W+(?i:'s|'t|'re|'ve|'m|'ll|'d)?      P = [^\r\n\p{L}\p{N}]
//! 2  P?U+W*(?i:'s|'t|'re|'ve|'m|'ll|'d)?      U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
//! 3  \p{N}{1,3}                               W = [\p{Ll}\p{Lm}\p{Lo}\p{M}]
//! 4   ?[^\s\p{L}\p{N}]+[\r\n/]*
//! 5  \s*[\r\n]+
//! 6  \s+(?!\S)|\s+
//! ```
//!
//! **How alternative 1 backtracks.** `U*` takes as much as it can. If a lower-case letter follows,
//! `W+` goes on from there. If not, `U*` gives back characters until `W+` can start: at the last
//! character that is in both sets, which is followed by a capital or by the end of the run. If
//! there is no such character, 1 fails, and the run, which is all capitals, is taken by `U+` of 2.
//!
//! A mark may be `P` or belong to the word. The order is that of the pattern: 1 with `P`, 1
//! without, 2 with `P`, 2 without.

use super::kinds::{
    LETTER, LINE_END, LOWER, MARK, NUMBER, SPACE, Space, UPPER, ascii_between, kind_at, numbers,
    run_of, run_without,
};
use crate::interrupts::Steps;
use crate::pieces::scan::contraction;

/// End of the piece that starts at `start`. Panics if `start` is not inside `text`.
pub(crate) fn piece_end(text: &[u8], start: usize) -> usize {
    let (kind, length) = kind_at(text, start);
    let next = start + length;
    if kind & NUMBER != 0 {
        return numbers(text, next, 2);
    }
    if let Some(end) = word(text, start, kind, next) {
        return behind_contraction(text, end);
    }
    const KNOWN: u8 = LETTER | NUMBER | SPACE;
    if kind & SPACE == 0 {
        return line_ends_and_slashes(text, run_without(text, next, KNOWN));
    }
    if text[start] == b' ' {
        let end = run_without(text, next, KNOWN);
        if end > next {
            return line_ends_and_slashes(text, end);
        }
    }
    let space = Space::at(text, start);
    space.behind_line_end.unwrap_or_else(|| space.all_but_last(text, start))
}

/// Alternatives 1 and 2 without the contraction.
#[inline(always)]
fn word(text: &[u8], start: usize, kind: u8, next: usize) -> Option<usize> {
    let before = kind & (LINE_END | LETTER | NUMBER) == 0;
    let inside = kind & (LETTER | MARK) != 0;
    let lower = |at| mixed(text, at);
    let upper = |at| Some(run_of(text, at, UPPER)).filter(|end| *end > at);
    (before.then(|| lower(next)).flatten())
        .or_else(|| inside.then(|| lower(start)).flatten())
        .or_else(|| before.then(|| upper(next)).flatten())
        .or_else(|| inside.then(|| upper(start)).flatten())
}

/// The end of `U*W+` from `at` on, if it matches.
#[inline(always)]
fn mixed(text: &[u8], mut at: usize) -> Option<usize> {
    let mut in_both = None; // end of the last character that is in both U and W
    let mut steps = Steps::from(at);
    loop {
        steps.to(at);
        let (kind, length) = kind_at(text, at);
        if kind & LOWER != 0 {
            return Some(rest_of_word(text, at + length));
        }
        if kind & (LETTER | MARK) == 0 {
            return in_both;
        }
        at += length;
        if kind & UPPER == 0 {
            in_both = Some(at);
        }
    }
}

/// The end of `W*` from `at` on.
#[inline(always)]
fn rest_of_word(text: &[u8], mut at: usize) -> usize {
    let mut steps = Steps::from(at);
    loop {
        steps.to(at);
        at += ascii_between(text, at, 0, b'a', b'z');
        let (kind, length) = kind_at(text, at);
        if kind & (LETTER | MARK) == 0 || kind & UPPER != 0 {
            return at;
        }
        at += length;
    }
}

#[inline(always)]
fn behind_contraction(text: &[u8], end: usize) -> usize {
    match text.get(end..) {
        Some([b'\'', rest @ ..]) => contraction(rest).map_or(end, |length| end + 1 + length),
        _ => end,
    }
}

fn line_ends_and_slashes(text: &[u8], mut at: usize) -> usize {
    let mut steps = Steps::from(at);
    while let Some(b'\r' | b'\n' | b'/') = text.get(at) {
        at += 1;
        steps.to(at);
    }
    at
}
