//! The pattern of o200k in a window; see `patterns::cased`.
//!
//! It differs from `words` in this:
//!
//! - Slashes, too, belong to a run of `O`, after its first line end.
//! - A contraction behind a letter belongs to the word. Its letters start nothing, and letters
//!   after it are a run of their own. An apostrophe directly after a contraction starts no further
//!   contraction.
//! - In a run of letters, call capitals `U`, lower-case letters `W`, and letters that are neither
//!   `B`. A capital starts a piece if the last letter before it that is not a `B` is a `W`. If no
//!   `W` comes before it, `U*` has taken everything so far; if none follows either, and the run
//!   ends with `B U+`, the capitals at the end start a piece, since `W+` needs the `B`.
//! - As long as no `W` has come, a window may begin at a `B`: both `U*` and `W+` take it, and what
//!   happens to the capitals behind it depends only on the `B` and on what follows.
//!
//! A mark may be the character before a word or a part of it, and the scanner decides which: a
//! window is certain only of what precedes its first mark.

use super::WINDOW;
use super::runs::{alone, carried, threes, white_space};
use super::window::{Beyond, Rules, Split};
use crate::pieces::masks::{Masks, READ};
use crate::pieces::scan::contraction;

pub(super) struct Cased;

impl Rules for Cased {
    const MARKS: bool = false;
    const CASED: bool = true;

    #[inline(always)]
    fn split(m: &Masks, beyond: &Beyond, bytes: &[u8; READ]) -> Split {
        let number = m.digit | beyond.number;
        let other = !(m.letter | number | m.white);
        let taken = carried(m.line_end | m.slash, m.line_end & other << 1);
        let contractions = contractions(m, bytes);
        let letter = m.letter & !contractions;
        let other = other & !taken & !contractions;

        let run = other & !(other << 1) & !(m.space << 1);
        let prefix = alone(run, other, m.inner) | m.white & !m.line_end;
        let word = letter & !m.inner & !((letter | prefix) << 1);
        let white = m.white & !taken;

        let upper = (m.upper | beyond.upper) & letter;
        let lower = (m.letter & !m.high & !m.upper | beyond.lower) & letter;
        let both = letter & !upper & !lower;
        let behind_lower = carried(both, lower << 1 & both);
        let turn = upper & !m.inner & (lower | behind_lower) << 1;
        let free = both & !behind_lower;
        let starts = 1
            | run
            | word
            | turn
            | capitals_at_the_end(upper, upper & !m.inner & free << 1, letter | beyond.mark)
            | threes(number, m.inner)
            | white_space(m, white);
        let known = (beyond.mark & beyond.mark.wrapping_neg()).wrapping_sub(1);
        Split { starts, white, anew: free, known }
    }
}

/// The apostrophes and letters of contractions behind letters.
#[inline(always)]
fn contractions(m: &Masks, bytes: &[u8; READ]) -> u64 {
    let mut rest = m.apostrophe & m.letter << 1;
    let (mut all, mut end) = (0, 0);
    while rest != 0 {
        let at = rest.trailing_zeros() as usize;
        if let Some(length) = contraction(&bytes[at + 1..])
            && at != end
        {
            all |= ((2 << length) - 1) << at;
            end = at + 1 + length;
        }
        rest &= rest - 1;
    }
    all
}

/// Of the runs of capitals that start at `first`, those that neither a letter nor a mark follows. A
/// run that reaches the end of the window is left out.
#[inline(always)]
fn capitals_at_the_end(upper: u64, first: u64, goes_on: u64) -> u64 {
    let (mut rest, mut starts) = (first, 0);
    while rest != 0 {
        let at = rest.trailing_zeros();
        let end = at + (upper >> at).trailing_ones();
        if end < WINDOW as u32 && goes_on >> end & 1 == 0 {
            starts |= 1 << at;
        }
        rest &= rest - 1;
    }
    starts
}
