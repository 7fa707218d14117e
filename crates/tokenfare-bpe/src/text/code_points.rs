//! Code points as UTF-8.
//!
//! Python keeps a text that is not ASCII as code points of one, two or four bytes, and its own way to
//! UTF-8 takes up to a third of the time that counting takes. This one goes eight code points at a
//! time, each written as four bytes of which the next overwrites what is too much; by AVX-512 sixteen,
//! of which the bytes that are meant are pushed together.
//!
//! A surrogate pair is the character that it stands for, a surrogate alone U+FFFD.

#[cfg(target_arch = "x86_64")]
mod avx512;

use std::ops::BitOr;

#[cfg(target_arch = "x86_64")]
use crate::machine::{has_avx2, has_avx512};

/// Code points that are made UTF-8 together.
const GROUP: usize = 16;

/// Code points that are looked at together whether they are all ASCII.
const STRIDE: usize = 4 * GROUP;

/// Bytes that are written at once, whatever a character has.
const WRITTEN: usize = 4;

/// A group, and room for all that it may become.
type Group = [u32; GROUP];
type Written = [u8; WRITTEN * GROUP];

/// A code point as it is kept, in as many bytes as the largest of its text needs.
pub(crate) trait Point: Copy + Into<u32> + Default + BitOr<Output = Self> {
    /// Bytes of UTF-8 that one is at most; a surrogate, of which U+FFFD is made, has no more.
    const WIDEST: usize;

    /// Its lowest eight bits.
    fn low(self) -> u8;
}

impl Point for u8 {
    const WIDEST: usize = 2;

    fn low(self) -> u8 {
        self
    }
}

impl Point for u16 {
    const WIDEST: usize = 3;

    fn low(self) -> u8 {
        self as u8
    }
}

impl Point for u32 {
    const WIDEST: usize = 4;

    fn low(self) -> u8 {
        self as u8
    }
}

/// Makes `utf8` the UTF-8 of `points`, and gives it as a text. O(n).
///
/// Code points beyond U+10FFFF become U+FFFD as well. Takes room for the widest that there may be, since to see
/// how wide they are takes as long as to write them.
pub(crate) fn utf8_of<'a, P: Point>(points: &[P], utf8: &'a mut Vec<u8>) -> &'a str {
    let most = P::WIDEST * points.len() + WRITTEN * STRIDE;
    if utf8.len() < most {
        utf8.resize(most, 0);
    }
    let length = write(points, utf8).unwrap_or_else(|| write_replaced(points, utf8));
    debug_assert!(std::str::from_utf8(&utf8[..length]).is_ok());
    // SAFETY: the first `length` bytes are the UTF-8 of characters: `write` answers nothing where a code point is
    // none, and `write_replaced` has `char`s. Tests hold both against the standard library: every character in one
    // of the places of a stride, and what is none in all of them. Checking it again would take 2 % of the time of
    // counting such a text.
    unsafe { std::str::from_utf8_unchecked(&utf8[..length]) }
}

/// Writes characters, and answers how many bytes they take; nothing if one of them is none. There
/// must be room for [`STRIDE`] more.
fn write<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if has_avx512() {
        // SAFETY: the machine has what the function was compiled for, and that is all it asks.
        return unsafe { write_with_avx512(points, utf8) };
    }
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has what the function was compiled for, and that is all it asks.
        return unsafe { write_with_avx2(points, utf8) };
    }
    write_with(points, utf8, write_group)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")]
fn write_with_avx512<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    write_with(points, utf8, |group, room| avx512::write_group(group, room))
}

/// Twice as fast as what goes for every machine.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn write_with_avx2<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    write_with(points, utf8, write_group)
}

#[inline(always)]
fn write_with<P: Point>(
    points: &[P],
    utf8: &mut [u8],
    write_group: impl Fn(&Group, &mut Written) -> (usize, bool),
) -> Option<usize> {
    let (strides, rest) = points.as_chunks::<STRIDE>();
    let (mut at, mut seen) = (0, false);
    for stride in strides {
        if stride.iter().fold(P::default(), |all, point| all | *point).into() < 0x80 {
            *utf8[at..].first_chunk_mut()? = stride.map(Point::low);
            at += STRIDE;
            continue;
        }
        for group in stride.as_chunks::<GROUP>().0 {
            let group = &group.map(Into::into);
            let (length, foreign) = write_group(group, utf8[at..].first_chunk_mut()?);
            at += length;
            seen |= foreign;
        }
    }
    for point in rest {
        let point = (*point).into();
        utf8[at..at + WRITTEN].copy_from_slice(&coded(point).to_le_bytes());
        at += length_of(point) as usize;
        seen |= foreign(point);
    }
    (!seen).then_some(at)
}

/// Whether a code point is no character.
#[inline(always)]
fn foreign(point: u32) -> bool {
    (point & !0x7ff == 0xd800) | (point > 0x10_ffff)
}

/// Writes a group, and answers how many bytes it takes.
#[inline(always)]
fn write_group(group: &Group, room: &mut Written) -> (usize, bool) {
    let mut at = 0;
    for half in group.as_chunks::<{ GROUP / 2 }>().0 {
        // First all, in vectors; then one after the other, each where the one before ended.
        let (codes, lengths) = (half.map(coded), half.map(length_of));
        for (code, length) in codes.into_iter().zip(lengths) {
            let place = at.min(WRITTEN * (GROUP - 1));
            room[place..place + WRITTEN].copy_from_slice(&code.to_le_bytes());
            at += length as usize;
        }
    }
    (at, group.iter().fold(false, |seen, point| seen | foreign(*point)))
}

/// The UTF-8 of a character, the first byte lowest.
///
/// All four lengths are made and one is chosen, so that the compiler makes vectors of it; it does not
/// if this answers the length too.
#[inline(always)]
fn coded(point: u32) -> u32 {
    let (last, third, second) = (point & 0x3f, point >> 6 & 0x3f, point >> 12 & 0x3f);
    let two = 0x80c0 | point >> 6 | last << 8;
    let three = 0x80_80e0 | point >> 12 | third << 8 | last << 16;
    let four = 0x8080_80f0 | point >> 18 | second << 8 | third << 16 | last << 24;
    let bytes = if point < 0x800 { two } else { three };
    let bytes = if point < 0x1_0000 { bytes } else { four };
    if point < 0x80 { point } else { bytes }
}

/// How many bytes the UTF-8 of a character has.
#[inline(always)]
fn length_of(point: u32) -> u32 {
    1 + u32::from(point >= 0x80) + u32::from(point >= 0x800) + u32::from(point >= 0x1_0000)
}

#[cold]
fn write_replaced<P: Point>(points: &[P], utf8: &mut Vec<u8>) -> usize {
    utf8.clear();
    let mut rest = points.iter().map(|point| (*point).into()).peekable();
    while let Some(point) = rest.next() {
        let low =
            rest.next_if(|low| (0xd800..0xdc00).contains(&point) && (0xdc00..0xe000).contains(low));
        let point = low.map_or(point, |low| 0x1_0000 + ((point & 0x3ff) << 10 | low & 0x3ff));
        let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        utf8.extend_from_slice(character.encode_utf8(&mut [0; WRITTEN]).as_bytes());
    }
    utf8.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same from every form that has room for it.
    fn text_of(points: &[u32]) -> String {
        let text = utf8_of(points, &mut Vec::new()).to_owned();
        let highest = points.iter().max().copied().unwrap_or_default();
        if highest <= 0xffff {
            let narrow: Vec<u16> = points.iter().map(|point| *point as u16).collect();
            assert_eq!(utf8_of(&narrow, &mut Vec::new()), text);
        }
        if highest <= 0xff {
            let narrow: Vec<u8> = points.iter().map(|point| *point as u8).collect();
            assert_eq!(utf8_of(&narrow, &mut Vec::new()), text);
        }
        // As a machine with less wide vectors writes them.
        let mut plain = vec![0; WRITTEN * (points.len() + STRIDE)];
        let written = write_with(points, &mut plain, write_group);
        assert_eq!(written.is_none(), points.iter().any(|point| char::from_u32(*point).is_none()));
        if let Some(length) = written {
            assert_eq!(plain[..length], *text.as_bytes());
        }
        text
    }

    #[test]
    fn what_is_no_character_is_seen_in_every_place_of_a_stride() {
        let none = (0xd800..0xe000).step_by(0x1ff).chain([0xdbff, 0xdc00, 0xdfff]);
        let none: Vec<u32> = none.chain([0x11_0000, 0x11_d800, 0x8000_0041, u32::MAX]).collect();
        for around in ['a', 'é', '中', '😀'] {
            for foreign in &none {
                for place in 0..=STRIDE {
                    let mut points = [around as u32; STRIDE + 1];
                    points[place] = *foreign;
                    let character = |point| char::from_u32(point).unwrap_or('\u{fffd}');
                    let expected: String = points.iter().map(|point| character(*point)).collect();
                    assert_eq!(text_of(&points), expected, "{foreign:x} at {place}");
                }
            }
        }
    }

    #[test]
    fn every_character_is_written_as_itself_in_a_place_of_a_stride() {
        for around in ['a', 'é', '中', '😀'] {
            for c in '\0'..=char::MAX {
                let place = c as usize % (STRIDE + 1);
                let mut text: Vec<char> = vec![around; STRIDE + 1];
                text[place] = c;
                let points: Vec<u32> = text.iter().map(|c| *c as u32).collect();
                assert_eq!(text_of(&points), text.iter().collect::<String>(), "{c:?} at {place}");
            }
        }
    }

    #[test]
    fn surrogates_are_what_utf_16_makes_of_them() {
        let alphabet =
            [0x61, 0xe9, 0xd83d, 0xd800, 0xdbff, 0xdc00, 0xde00, 0xdfff, 0xe000, 0x1f600];
        let n = alphabet.len();
        for code in 0..n.pow(4) {
            let points: Vec<u32> = (0..4).map(|i| alphabet[code / n.pow(i) % n]).collect();
            let units: Vec<u16> = points
                .iter()
                .flat_map(|point| match char::from_u32(*point) {
                    Some(c) => c.encode_utf16(&mut [0; 2]).to_vec(),
                    None => vec![*point as u16],
                })
                .collect();
            assert_eq!(text_of(&points), String::from_utf16_lossy(&units), "{points:x?}");
        }
    }

    #[test]
    fn no_more_room_is_taken_than_the_widest_of_its_kind_need() {
        let few = WRITTEN * STRIDE;
        let room_of = |write: &dyn Fn(&mut Vec<u8>) -> usize| {
            let mut room = Vec::new();
            assert!(write(&mut room) <= room.len());
            room.len()
        };
        for n in [0, 1, STRIDE, 100_003] {
            assert!(room_of(&|room| utf8_of(&vec![0xff_u8; n], room).len()) <= 2 * n + few);
            assert!(room_of(&|room| utf8_of(&vec![0xfffd_u16; n], room).len()) <= 3 * n + few);
            assert!(room_of(&|room| utf8_of(&vec![0x1f600_u32; n], room).len()) <= 4 * n + few);
        }
    }

    #[test]
    fn what_is_beyond_unicode_is_replaced() {
        assert_eq!(text_of(&[0x61, 0x11_0000, u32::MAX, 0x10_ffff]), "a\u{fffd}\u{fffd}\u{10ffff}");
    }
}
