//! The family of cl100k, including Qwen's patterns, in a window; see `patterns::words`.
//!
//! # The algebra
//!
//! With `L` for letters (and marks where the pattern counts them as letters), `N` for numbers, `S`
//! for white space, `R` for line ends and `O` for all others:
//!
//! - A number starts a piece: every one, or every third of a run (alternative 3).
//! - A run of `O` starts a piece, unless a space precedes it, which then takes the run (4).
//! - Line ends behind a run of `O` belong to it (4).
//! - Of the remaining white space, a run starts a piece at its first character, behind its last
//!   line end (5), and at its last character if text follows and that is not a line end (6).
//! - A run of `L` starts a piece (2), unless the character before it belongs to it and starts the
//!   piece: white space other than a line end, or a run of `O` that is a single character and
//!   starts a piece.
//! - Letters directly behind a contraction (1) start a piece.
//!
//! The pattern splits the rest of a run of letters as it would split that rest alone, so a window
//! may begin at any letter. White space that ends the text (T) reaches the end of every window that
//! it is in, so no window decides about it.

use super::runs::{alone, carried, threes, white_space};
use super::window::{Beyond, Rules, Split};
use crate::pieces::masks::{Masks, READ};
use crate::pieces::scan::contraction;

/// Whether marks are letters, and how many digits make a piece: 1 or 3.
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

/// The letters directly behind a contraction. The apostrophe must start its run.
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
