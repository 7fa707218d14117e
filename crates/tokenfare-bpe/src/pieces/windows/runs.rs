//! Runs of characters of one class in a window: where they start, and which have a single
//! character.
//!
//! Every byte of a character carries the class of the character; `inner` are the bytes that are not
//! the first of their character. `x << 1` is read as "after x", `x >> 1` as "before x".

use super::WINDOW;
use crate::pieces::masks::Masks;

/// The last byte of each character that is a run by itself. `any` are the characters of a class,
/// `first` the first bytes of its runs.
#[inline(always)]
pub(super) fn alone(first: u64, any: u64, inner: u64) -> u64 {
    let mut last = first;
    if inner != 0 {
        for _ in 0..3 {
            last |= last << 1 & inner;
        }
        last &= !(inner >> 1);
    }
    last & !(any >> 1)
}

/// The bits of `through` that can be reached from `entries` by going upwards through `through`,
/// including `entries`, which must be a part of it.
///
/// In the sum, a carry goes from an entry through its run and clears it. Where the carry meets
/// another entry it leaves that bit set, so entries are added back.
#[inline(always)]
pub(super) fn carried(through: u64, entries: u64) -> u64 {
    entries | through & !through.wrapping_add(entries)
}

/// Where pieces of white space start. `white` is the white space that does not belong to
/// punctuation. A piece starts at the first character of a run, behind its last line end, and at
/// its last character if text follows and that character is not a line end.
#[inline(always)]
pub(super) fn white_space(m: &Masks, white: u64) -> u64 {
    let last = last_of_each(white & !m.line_end & !(m.white >> 1), m.inner);
    white & !(white << 1) | last | behind_last_line_end(white, m.line_end)
}

/// The first bytes of the characters that end at `last`.
#[inline(always)]
pub(super) fn last_of_each(mut last: u64, inner: u64) -> u64 {
    if last & inner != 0 {
        for _ in 0..3 {
            last = last & !inner | (last & inner) >> 1;
        }
    }
    last
}

/// The first character behind the last line end of each run of white space, where there is one.
#[inline(always)]
fn behind_last_line_end(white: u64, line_end: u64) -> u64 {
    let blank = white & !line_end;
    let mut behind = blank & (line_end & white) << 1;
    // The carry goes through the blanks behind a line end; if it stops at another line end, that
    // run of blanks is not behind the last one.
    if blank.wrapping_add(behind) & line_end & white != 0 {
        let mut rest = behind;
        while rest != 0 {
            let at = rest.trailing_zeros();
            let stop = at + (!(blank >> at)).trailing_zeros();
            if stop < WINDOW as u32 && line_end & white & 1 << stop != 0 {
                behind &= !(1 << at);
            }
            rest &= rest - 1;
        }
    }
    behind
}

/// The first of every three characters of each run.
#[inline(always)]
pub(super) fn threes(any: u64, inner: u64) -> u64 {
    let mut starts = any & !(any << 1);
    if any & inner != 0 {
        return threes_of_any_length(any, inner);
    }
    let fourth = any & any << 1 & any << 2 & any << 3;
    let mut next = starts << 3 & fourth;
    while next != 0 {
        starts |= next;
        next = next << 3 & fourth;
    }
    starts
}

#[cold]
fn threes_of_any_length(any: u64, inner: u64) -> u64 {
    let (mut starts, mut nth, mut rest) = (0, 0, any & !inner);
    while rest != 0 {
        let first = rest & rest.wrapping_neg();
        nth = if any << 1 & first == 0 { 0 } else { (nth + 1) % 3 };
        starts |= if nth == 0 { first } else { 0 };
        rest &= rest - 1;
    }
    starts
}
