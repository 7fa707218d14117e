//! Converting code points to UTF-8.
//!
//! Python keeps a text that is not ASCII as code points of one, two or four bytes, and its own
//! conversion takes up to a third of the time that counting takes. The plain way encodes one
//! character after the other. Here sixteen code points are encoded at a time, each as four bytes,
//! of which the wanted ones are then moved together: with AVX-512 all by one instruction, with AVX2
//! four code points by each shuffle. Elsewhere each is written as four bytes, and the next one
//! overwrites the excess.
//!
//! A surrogate pair becomes the character that it stands for, a lone surrogate U+FFFD.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use std::ops::BitOr;

#[cfg(target_arch = "x86_64")]
use crate::machine::{has_avx2, has_avx512};

/// Code points converted together.
const GROUP: usize = 16;

/// Code points that are tested together for being all ASCII.
const STRIDE: usize = 4 * GROUP;

/// Bytes written for each code point, however many its UTF-8 has.
const WRITTEN: usize = 4;

/// A group of code points, and room for everything that it may become.
type Group = [u32; GROUP];
type Written = [u8; WRITTEN * GROUP];

/// A code point in the width of its text: as many bytes as the largest code point needs.
pub(crate) trait Point: Copy + Into<u32> + Default + BitOr<Output = Self> {
    /// Most bytes of UTF-8 for one code point. U+FFFD, which replaces a surrogate, has no more.
    const WIDEST: usize;

    /// Its lowest eight bits.
    fn low(self) -> u8;

    /// A group in 16 bits each; `None` if one of them has more. Only AVX2 asks for it.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    fn units(group: &[Self; GROUP]) -> Option<[u16; GROUP]>;
}

impl Point for u8 {
    const WIDEST: usize = 2;

    fn low(self) -> u8 {
        self
    }

    fn units(group: &[Self; GROUP]) -> Option<[u16; GROUP]> {
        Some(group.map(u16::from))
    }
}

impl Point for u16 {
    const WIDEST: usize = 3;

    fn low(self) -> u8 {
        self as u8
    }

    fn units(group: &[Self; GROUP]) -> Option<[u16; GROUP]> {
        Some(*group)
    }
}

impl Point for u32 {
    const WIDEST: usize = 4;

    fn low(self) -> u8 {
        self as u8
    }

    fn units(group: &[Self; GROUP]) -> Option<[u16; GROUP]> {
        let all = group.iter().fold(0, |all, point| all | point);
        (all <= 0xffff).then(|| group.map(|point| point as u16))
    }
}

/// Writes the UTF-8 of `points` to the start of `utf8`, and returns it as a text. O(n).
///
/// Code points beyond U+10FFFF become U+FFFD too. Makes room for the widest possible result, since
/// finding the actual width takes as long as writing.
pub(crate) fn utf8_of<'a, P: Point>(points: &[P], utf8: &'a mut Vec<u8>) -> &'a str {
    let most = P::WIDEST * points.len() + WRITTEN * STRIDE;
    if utf8.len() < most {
        utf8.resize(most, 0);
    }
    let length = write(points, utf8).unwrap_or_else(|| write_replaced(points, utf8));
    debug_assert!(std::str::from_utf8(&utf8[..length]).is_ok());
    // SAFETY: the first `length` bytes are the UTF-8 of characters: `write` returns `None` if a
    // code point is not a character, and `write_replaced` encodes `char`s. Tests compare both with
    // the standard library: every character in one of the places of a stride, and code points that
    // are not characters in all of them. Checking the bytes again would take 2 % of the time of
    // counting such a text.
    unsafe { std::str::from_utf8_unchecked(&utf8[..length]) }
}

/// Writes characters, and returns how many bytes they take; `None` if a code point is not a
/// character. `utf8` must have room for [`STRIDE`] more code points than there are.
fn write<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if has_avx512() {
        // SAFETY: the CPU has the features that the function was compiled for; it asks for nothing
        // else.
        return unsafe { write_with_avx512(points, utf8) };
    }
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the CPU has the features that the function was compiled for; it asks for nothing
        // else.
        return unsafe { write_with_avx2(points, utf8) };
    }
    write_with(points, utf8, |group, room| write_group(&group.map(Into::into), room))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")]
fn write_with_avx512<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    write_with(points, utf8, |group, room| avx512::write_group(&group.map(Into::into), room))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn write_with_avx2<P: Point>(points: &[P], utf8: &mut [u8]) -> Option<usize> {
    write_with(points, utf8, |group, room| avx2::write_group(group, room))
}

#[inline(always)]
fn write_with<P: Point>(
    points: &[P],
    utf8: &mut [u8],
    write_group: impl Fn(&[P; GROUP], &mut Written) -> (usize, bool),
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

/// Whether a code point is not a character: a surrogate, or beyond U+10FFFF.
#[inline(always)]
fn foreign(point: u32) -> bool {
    (point & !0x7ff == 0xd800) | (point > 0x10_ffff)
}

/// Writes a group, and returns how many bytes it takes and whether a code point is not a character.
#[inline(always)]
fn write_group(group: &Group, room: &mut Written) -> (usize, bool) {
    let mut at = 0;
    for half in group.as_chunks::<{ GROUP / 2 }>().0 {
        // First encode all, which the compiler turns into vectors; then store one after the other,
        // each where the one before it ended.
        let (codes, lengths) = (half.map(coded), half.map(length_of));
        for (code, length) in codes.into_iter().zip(lengths) {
            let place = at.min(WRITTEN * (GROUP - 1));
            room[place..place + WRITTEN].copy_from_slice(&code.to_le_bytes());
            at += length as usize;
        }
    }
    (at, group.iter().fold(false, |seen, point| seen | foreign(*point)))
}

/// The UTF-8 of a character, its first byte lowest.
///
/// All four lengths are computed and one is chosen, so that the compiler can use vectors. It does
/// not if the function returns the length as well.
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
    #[cfg(target_arch = "x86_64")]
    use crate::machine::tests::{Vectors, with};

    /// The conversion of `points`, checked to be the same from every form that can hold them and on a
    /// CPU with narrower vectors.
    fn text_of(points: &[u32]) -> String {
        let mut room = Vec::new();
        let text = utf8_of(points, &mut room).to_owned();
        let highest = points.iter().max().copied().unwrap_or_default();
        if highest <= 0xffff {
            let narrow: Vec<u16> = points.iter().map(|point| *point as u16).collect();
            assert_eq!(utf8_of(&narrow, &mut room), text);
        }
        if highest <= 0xff {
            let narrow: Vec<u8> = points.iter().map(|point| *point as u8).collect();
            assert_eq!(utf8_of(&narrow, &mut room), text);
        }
        let mut check = || {
            // Filled with what UTF-8 never has, so that a byte that is not written is seen.
            room.clear();
            room.resize(WRITTEN * (points.len() + STRIDE), 0xff);
            let written = write(points, &mut room);
            let foreign = points.iter().any(|point| char::from_u32(*point).is_none());
            assert_eq!(written.is_none(), foreign);
            assert!(foreign || written.is_some_and(|length| room[..length] == *text.as_bytes()));
        };
        check();
        #[cfg(target_arch = "x86_64")]
        for vectors in [Vectors::Plain, Vectors::Avx2] {
            with(vectors, &mut check);
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
