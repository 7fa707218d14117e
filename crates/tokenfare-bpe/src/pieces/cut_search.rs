//! Searching for the next cut where there may be none for a long time.
//!
//! The plain way asks of each place whether it is a cut, which looks up the class of two
//! characters. Most places can be ruled out more cheaply, many at a time.
//!
//! **A place is no cut** (see `cuts` and `patterns::cuts`)
//!
//! - if a letter or a mark stands on its right, unless `\n` stands on its left;
//! - after `\n`, if white space stands on its right;
//! - after any other ASCII character that is neither a letter nor a digit.
//!
//! These tests of two neighbours are comparisons only, which the compiler turns into vectors. They
//! need not know every letter: a place that they do not rule out is looked at in the plain way.

use std::ops::Range;

use crate::interrupts::worked;

/// Places that are tested together.
const TOGETHER: usize = 64;

/// Places between two calls of `worked`.
const STRIDE: usize = 1 << 10;

/// The first of these places that is a cut. A place is between two of `units`; `may_be` rules it
/// out by the unit on its left and the two on its right. O(distance).
#[inline(always)]
pub(crate) fn first_cut<U: Copy>(
    units: &[U],
    places: Range<usize>,
    may_be: impl Fn(U, U, U) -> bool,
    is_cut: impl Fn(usize) -> bool,
) -> Option<usize> {
    let Range { mut start, end } = places;
    // Most texts have a cut soon, so the first places are looked at one by one: that costs less
    // than the tests.
    let soon = end.min(start.saturating_add(TOGETHER));
    if let Some(found) = (start..soon).find(|at| is_cut(*at)) {
        return Some(found);
    }
    start = soon;
    while start < end {
        let stop = end.min(start + STRIDE);
        let last = stop.min(units.len() - 1); // has no second unit on its right
        while start < stop {
            let next = if start < last { last.min(start + TOGETHER) } else { stop };
            let any = next > last || any(&units[start - 1..=next], &may_be);
            if any && let Some(found) = (start..next).find(|at| is_cut(*at)) {
                return Some(found);
            }
            start = next;
        }
        worked(STRIDE);
    }
    None
}

#[inline(always)]
fn any<U: Copy>(units: &[U], may_be: &impl Fn(U, U, U) -> bool) -> bool {
    let behind = units[1..].iter().zip(&units[2..]);
    units.iter().zip(behind).fold(false, |any, (l, (r, after))| any | may_be(*l, *r, *after))
}

/// Whether there may be a cut between two bytes of UTF-8, where `after` follows the two.
#[inline(always)]
pub(crate) fn may_part_bytes(left: u8, right: u8, after: u8) -> bool {
    let inside = right & 0xc0 == 0x80;
    // The lead bytes of U+0300 to U+033F, which are marks, and of U+0400 to U+047F, U+4E00 to
    // U+9FFF and U+AC00 to U+D77F, which are letters.
    let letter = is_letter(u32::from(right))
        | matches!(right, 0xcc | 0xd0 | 0xd1 | 0xe5..=0xe9 | 0xeb | 0xec)
        | (right == 0xe4) & (after >= 0xb8)
        | (right == 0xea) & (after >= 0xb0)
        | (right == 0xed) & (after <= 0x9d);
    !inside & may_part(u32::from(left), u32::from(right), letter)
}

/// Whether there may be a cut between two code points.
#[inline(always)]
pub(crate) fn may_part_points(left: u32, right: u32, _: u32) -> bool {
    let letter = is_letter(right)
        | matches!(right, 0x300..0x340 | 0x400..0x480 | 0x4e00..0xa000 | 0xac00..0xd7a4);
    may_part(left, right, letter)
}

/// Whether there may be a cut between `left` and `right`; `letter` says whether `right` is known to
/// be a letter or a mark.
#[inline(always)]
fn may_part(left: u32, right: u32, letter: bool) -> bool {
    let line_end = left == 0x0a;
    let space = (right == 0x20) | right.wrapping_sub(0x09).lt(&5);
    let ends = is_letter(left) | left.wrapping_sub(0x30).lt(&10) | (left >= 0x80);
    (line_end & !space) | (ends & !letter)
}

/// Whether this is an ASCII letter.
#[inline(always)]
fn is_letter(unit: u32) -> bool {
    (unit | 0x20).wrapping_sub(0x61) < 26
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::splitting::{Normalization, Pattern, Splitting};

    #[test]
    fn no_cut_is_ruled_out() {
        let lefts = ['a', 'Z', '0', '\n', '\r', ' ', '.', 'é', '\u{301}', '½', '中', '한', '😀'];
        let mut cuts = 0;
        for right in '\0'..=char::MAX {
            for left in lefts.into_iter().chain([right]) {
                let text = String::from_iter([left, right]);
                let (bytes, at) = (text.as_bytes(), left.len_utf8());
                for pattern in Pattern::ALL {
                    let splitting = Splitting { pattern, normalization: Normalization::Nfc };
                    if splitting.is_cut(bytes, at) {
                        let after = bytes.get(at + 1).copied().unwrap_or_default();
                        assert!(may_part_bytes(bytes[at - 1], bytes[at], after), "{text:?}");
                        assert!(may_part_points(left.into(), right.into(), 0), "{text:?}");
                        cuts += 1;
                    }
                }
            }
        }
        assert!(cuts > 1_000_000, "{cuts}");
    }

    #[test]
    fn the_first_cut_is_found_wherever_it_stands() {
        let splitting = Splitting::QWEN;
        for unit in ["a", "中", "한", " ", "\u{301}", "ж", "=", "\r\n"] {
            for length in (0..300).step_by(7).chain([1022, 1023, 1024, 1025, 1088, 5000]) {
                for end in ["a.", "a1", "\nx", ""] {
                    let text = unit.repeat(length) + end + "b. c";
                    let bytes = text.as_bytes();
                    let slow =
                        |from: usize| (from..bytes.len()).find(|at| splitting.is_cut(bytes, *at));
                    for from in [1, 2, bytes.len() / 2 + 1] {
                        let found = first_cut(bytes, from..bytes.len(), may_part_bytes, |at| {
                            splitting.is_cut(bytes, at)
                        });
                        assert_eq!(found, slow(from), "{unit:?} {length} {end:?} {from}");
                    }
                }
            }
        }
    }
}
