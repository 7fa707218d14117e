//! The family of cl100k, Qwen's patterns among it, in a window; see `patterns::words`.
//!
//! # The algebra
//!
//! With `L` letters (and marks where they count as such), `N` numbers, `S` white space, `R` line ends and
//! `O` the rest:
//!
//! - A number starts a piece, always, or with every third of a run (alternative 3).
//! - A run of `O` starts one unless a space stands before it, which then takes the run (4).
//! - Line ends behind a run of `O` belong to it (4).
//! - Of the white space that is left, a run starts a piece with its first character; behind its
//!   last line end (5); and with its last character if text follows (6), which is no line end.
//! - A run of `L` starts one (2) unless the character before it does so for it: white space that is
//!   no line end, or a run of `O` of a single character that starts a piece.
//! - Behind a contraction (1) the letters that go on start a piece.
//!
//! The pattern splits the rest of a run of letters as it splits the run, so a window may begin at
//! any letter. White space that ends the text (T) is in no window.

use super::runs::{alone, carried, threes, white_space};
use super::window::{Beyond, Rules, Split};
use crate::pieces::masks::{Masks, READ};
use crate::pieces::scan::contraction;

/// Whether marks are letters, and how many digits are a piece: 1 or 3.
pub(super) struct Words<const MARKS: bool, const DIGITS: usize>;

impl<const MARKS: bool, const DIGITS: usize> Rules for Words<MARKS, DIGITS> {
    const MARKS: bool = MARKS;
    const CASED: bool = false;

    #[inline(always)]
    fn split(m: &Masks, beyond: &Beyond, bytes: &[u8; READ]) -> Split {
        let number = m.digit | beyond.number;
        let other = !(m.letter | number | m.white);
        let run = other & !(other << 1) & !(m.space << 1);
        let prefix = alone(run, other, m.inner) | m.white & !m.line_end;
        let word = m.letter & !m.inner & !((m.letter | prefix) << 1);
        let numbers = if DIGITS == 1 { number & !m.inner } else { threes(number, m.inner) };
        let white = m.white & !carried(m.line_end, m.line_end & other << 1);
        let starts =
            1 | run | word | numbers | white_space(m, white) | behind_contractions(m, run, bytes);
        Split { starts, white, anew: u64::MAX, known: u64::MAX }
    }
}

/// Letters that go on behind a contraction; the apostrophe starts its run.
#[inline(always)]
fn behind_contractions(m: &Masks, run: u64, bytes: &[u8; READ]) -> u64 {
    let mut rest = m.apostrophe & run & m.letter >> 1;
    let mut behind = 0;
    while rest != 0 {
        let at = rest.trailing_zeros() as usize;
        if let Some(length) = contraction(&bytes[at + 1..]) {
            behind |= (2u64 << at) << length;
        }
        rest &= rest - 1;
    }
    behind & m.letter & !m.inner
}
