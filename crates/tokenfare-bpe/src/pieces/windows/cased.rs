//! The pattern of o200k in a window; see `patterns::cased`.
//!
//! What differs from `words`:
//!
//! - Slashes, too, belong to a run of `O` behind its first line end.
//! - A contraction behind a letter belongs to the word; its letters start nothing, and those that go on
//!   behind it are a run of their own. An apostrophe behind a contraction starts none.
//! - In a run of letters, with `U` capitals, `W` lower case and `B` those that are neither: a
//!   capital starts a piece if the last letter before it that is not `B` is a `W`. Where there is no `W` before, `U*`
//!   has taken all; if none follows either and the run ends with `B U+`, the capitals at its end
//!   start a piece, since `W+` had to have the `B`.
//! - As long as no `W` came, a `B` may be the first letter as well: both `U*` and `W+` take it, and
//!   what the capitals behind it do depends on it or what follows.
//!
//! Marks may be the character before a word or in it, and the scanner decides which: a window is
//! certain of what stands before the first mark.

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

/// Of the runs of capitals that start at `first`, those that no letter and no mark follows. One that the window
/// cuts off is left out.
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
