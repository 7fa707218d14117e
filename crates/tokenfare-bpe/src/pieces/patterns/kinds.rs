//! The kinds of characters that the patterns distinguish, as one byte from a two-level table, and
//! runs of characters of a kind.
//!
//! The table is for Unicode 16.0 and written by `examples/make_classes.rs`. It is finer than
//! `classes`, which the hottest path reads, and separate from it so that `classes` stays small.

use crate::interrupts::Steps;

/// `\p{L}`
pub(crate) const LETTER: u8 = 1;
/// `\p{N}`
pub(crate) const NUMBER: u8 = 2;
/// `\s`, which is `\p{White_Space}`
pub(crate) const SPACE: u8 = 4;
/// `\p{M}`
pub(crate) const MARK: u8 = 8;
/// `[\p{Lu}\p{Lt}]`, a letter too.
pub(crate) const UPPER: u8 = 16;
/// `\p{Ll}`, a letter too.
pub(crate) const LOWER: u8 = 32;
/// `[\r\n]`, white space too.
pub(crate) const LINE_END: u8 = 64;
/// Not a character: the end of the text.
pub(crate) const END: u8 = 128;

const PLACES: usize = 512 * 64;
static INDEX: &[u8; 2 * 0x11_0000 / 64] = include_bytes!("index.bin");
static BLOCKS: &[u8; PLACES] = include_bytes!("blocks.bin");

/// Kind and length in bytes of the character at `start`; [`END`] and 0 at the end of the text.
/// O(1).
///
/// `text` must be UTF-8, and `start` the start of a character or the end. Otherwise the result is
/// some kind, or a panic for an index out of range.
#[inline(always)]
pub(crate) fn kind_at(text: &[u8], start: usize) -> (u8, usize) {
    let Some(lead) = text.get(start).copied() else { return (END, 0) };
    if lead < 0x80 {
        // The first two blocks of the table are those of ASCII, in order: they differ, so neither
        // stands for both.
        return (BLOCKS[usize::from(lead)], 1);
    }
    let low = |at: usize| usize::from(text[start + at] & 0x3f);
    let (block, last, length) = if lead < 0xe0 {
        (usize::from(lead & 0x1f), low(1), 2)
    } else if lead < 0xf0 {
        (usize::from(lead & 0x0f) << 6 | low(1), low(2), 3)
    } else {
        (usize::from(lead & 7) << 12 | low(1) << 6 | low(2), low(3), 4)
    };
    let block = u16::from_le_bytes([INDEX[2 * block], INDEX[2 * block + 1]]);
    (BLOCKS[(usize::from(block) << 6 | last) & (PLACES - 1)], length)
}

/// The first position at or after `at` whose character is of none of the kinds in `any`.
#[inline(always)]
pub(crate) fn run_of(text: &[u8], mut at: usize, any: u8) -> usize {
    let mut steps = Steps::from(at);
    loop {
        let (kind, length) = kind_at(text, at);
        if kind & any == 0 {
            return at;
        }
        at += length;
        steps.to(at);
    }
}

/// The same as [`run_of`] for an `any` that includes letters: ASCII letters are passed eight at a
/// time.
#[inline(always)]
pub(crate) fn run_of_letters(text: &[u8], mut at: usize, any: u8) -> usize {
    let mut steps = Steps::from(at);
    loop {
        at += ascii_between(text, at, 0x20, b'a', b'z');
        let (kind, length) = kind_at(text, at);
        if kind & any == 0 {
            return at;
        }
        at += length;
        steps.to(at);
    }
}

/// The first position at or after `at` whose character is of one of the kinds in `none`, or the
/// end.
#[inline(always)]
pub(crate) fn run_without(text: &[u8], mut at: usize, none: u8) -> usize {
    let mut steps = Steps::from(at);
    loop {
        let (kind, length) = kind_at(text, at);
        if kind & (none | END) != 0 {
            return at;
        }
        at += length;
        steps.to(at);
    }
}

/// Number of bytes from `at` on, at most 8, that lie in `first..=last` once the bits of `fold` are
/// set in them: eight bytes are compared in one word. 0 if fewer than eight bytes are left.
///
/// Adding `128 - first` to a 7-bit number sets its high bit exactly if it is at least `first`, and
/// adding `127 - last` exactly if it is beyond `last`. The sum of two 7-bit numbers never carries
/// out of its byte.
#[inline(always)]
pub(crate) fn ascii_between(text: &[u8], at: usize, fold: u8, first: u8, last: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk()) else { return 0 };
    let word = u64::from_le_bytes(*bytes);
    let low = (word | (ONES * u64::from(fold))) & (ONES * 0x7f);
    let from = low + ONES * u64::from(0x80 - first);
    let beyond = low + ONES * u64::from(0x7f - last);
    let inside = from & !beyond & !word & (ONES * 0x80);
    ((inside ^ (ONES * 0x80)).trailing_zeros() / 8) as usize
}

/// The end of at most `most` numbers from `at` on.
#[inline(always)]
pub(crate) fn numbers(text: &[u8], mut at: usize, most: usize) -> usize {
    for _ in 0..most {
        let (kind, length) = kind_at(text, at);
        if kind & NUMBER == 0 {
            break;
        }
        at += length;
    }
    at
}

/// A run of white space: its end, the start of its last character, and the place behind its last
/// line end, if it has one.
pub(crate) struct Space {
    pub(crate) end: usize,
    pub(crate) last: usize,
    pub(crate) behind_line_end: Option<usize>,
}

impl Space {
    /// The white space that starts at `start`; empty if there is none.
    #[inline(always)]
    pub(crate) fn at(text: &[u8], start: usize) -> Self {
        let mut space = Space { end: start, last: start, behind_line_end: None };
        let mut steps = Steps::from(start);
        loop {
            steps.to(space.end);
            let (kind, length) = kind_at(text, space.end);
            if kind & SPACE == 0 {
                return space;
            }
            space.last = space.end;
            space.end += length;
            if kind & LINE_END != 0 {
                space.behind_line_end = Some(space.end);
            }
        }
    }

    /// The end of `\s+(?!\S)|\s+`: all of the run except its last character if text follows, and at
    /// least one character.
    #[inline(always)]
    pub(crate) fn all_but_last(&self, text: &[u8], start: usize) -> usize {
        if self.end == text.len() || self.last == start { self.end } else { self.last }
    }
}
