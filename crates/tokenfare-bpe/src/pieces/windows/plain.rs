//! GPT-2's pattern in a window; see `patterns::plain`.
//!
//! A run of letters, of numbers or of other characters starts a piece, unless a space precedes it,
//! which then starts the piece. White space starts a piece at its first character, and at its last
//! if text follows. A contraction is a piece of its own: its letters start none, and letters that
//! follow it do.

use super::runs::last_of_each;
use super::window::{Beyond, Rules, Split};
use crate::pieces::masks::{Masks, READ};
use crate::pieces::patterns::plain::contraction;

pub(super) struct Plain;

impl Rules for Plain {
    const MARKS: bool = false;
    const CASED: bool = false;

    #[inline(always)]
    fn split(m: &Masks, beyond: &Beyond, bytes: &[u8; READ]) -> Split {
        let number = m.digit | beyond.number;
        let (letter, white) = (m.letter, m.white);
        let other = !(letter | number | white);
        let first = |any: u64| any & !(any << 1);
        let runs = (first(letter) | first(number) | first(other)) & !(m.space << 1);
        let mut starts = 1 | runs | first(white) | last_of_each(white & !(white >> 1), m.inner);
        let mut rest = m.apostrophe & runs & letter >> 1;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            if let Some(length) = contraction(&bytes[at..]) {
                starts = starts & !(2 << at) | (1u64 << at) << length & letter;
            }
            rest &= rest - 1;
        }
        Split { starts, white, anew: u64::MAX, known: u64::MAX }
    }
}
