//! Sixteen code points at a time by AVX2: each is encoded as four bytes, and one shuffle moves the
//! wanted bytes of four code points together.
//!
//! Which bytes are wanted depends on the four lengths alone, so a table holds all 256 shuffles.
//! Sixteen code points of 16 bits are one vector. Only a group with a larger one is encoded as two
//! vectors of 32 bits.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_shuffle_epi8, _mm256_and_si256, _mm256_blendv_epi8, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmpeq_epi16, _mm256_cmpeq_epi32, _mm256_cmpgt_epi32,
    _mm256_extracti128_si256, _mm256_min_epu16, _mm256_movemask_epi8, _mm256_movemask_ps,
    _mm256_or_si256, _mm256_packs_epi16, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi32, _mm256_slli_epi16, _mm256_slli_epi32,
    _mm256_srli_epi16, _mm256_srli_epi32, _mm256_testz_si256, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi16,
};

use bytemuck::must_cast;

use super::{GROUP, Group, Point, WRITTEN, Written};

/// Code points of a vector, and of half a vector, which is as far as a shuffle reaches.
const EIGHT: usize = 8;
const FOUR: usize = 4;

/// The shuffle for every four lengths. In the number of a shuffle, bit `i` says whether code point
/// `i` has two or three bytes, and bit `4 + i` whether it has three or four.
static SHUFFLES: [[u8; WRITTEN * FOUR]; 256] = shuffles();

const fn shuffles() -> [[u8; WRITTEN * FOUR]; 256] {
    let mut all = [[0; WRITTEN * FOUR]; 256];
    let mut number = 0;
    while number < all.len() {
        let mut bytes = [0x80; WRITTEN * FOUR]; // makes a zero
        let (mut point, mut at) = (0, 0);
        while point < FOUR {
            let length = match (number >> point & 1, number >> (FOUR + point) & 1) {
                (0, 0) => 1,
                (1, 0) => 2,
                (1, _) => 3,
                _ => 4,
            };
            let mut byte = 0;
            while byte < length {
                bytes[at] = (WRITTEN * point + byte) as u8;
                (byte, at) = (byte + 1, at + 1);
            }
            point += 1;
        }
        all[number] = bytes;
        number += 1;
    }
    all
}

/// Writes a group, and returns how many bytes it takes and whether one of its code points is not a
/// character. What follows these bytes in `room` may change. O(1).
#[target_feature(enable = "avx2,popcnt")]
#[inline]
pub(super) fn write_group<P: Point>(group: &[P; GROUP], room: &mut Written) -> (usize, bool) {
    match P::units(group) {
        Some(units) => write_units(&units, room),
        None => write_wide(&group.map(Into::into), room),
    }
}

/// As [`write_group`], of code points that have at most 16 bits.
#[target_feature(enable = "avx2,popcnt")]
#[inline]
fn write_units(units: &[u16; GROUP], room: &mut Written) -> (usize, bool) {
    let all = |bits: u16| _mm256_set1_epi16(bits as i16);
    let or = |a, b| _mm256_or_si256(a, b);
    let and = |a, bits| _mm256_and_si256(a, all(bits));
    let unit: __m256i = must_cast(*units);
    let at_most = |most| _mm256_cmpeq_epi16(_mm256_min_epu16(unit, all(most)), unit);
    let (is_one, at_most_two) = (at_most(0x7f), at_most(0x7ff));
    let last = or(and(unit, 0x3f), all(0x80));
    let two = or(or(_mm256_srli_epi16::<6>(unit), all(0xc0)), _mm256_slli_epi16::<8>(last));
    let second = and(_mm256_slli_epi16::<2>(unit), 0x3f00);
    let three = or(or(_mm256_srli_epi16::<12>(unit), all(0x80e0)), second);
    let first = _mm256_blendv_epi8(_mm256_blendv_epi8(three, two, at_most_two), unit, is_one);
    // Of every four code points, four bits for those of one byte and four for those of one or two.
    let short = _mm256_shuffle_epi32::<0b11_01_10_00>(_mm256_packs_epi16(is_one, at_most_two));
    let numbers = (!_mm256_movemask_epi8(short)).to_le_bytes();
    let (low, high) = (_mm256_unpacklo_epi16(first, last), _mm256_unpackhi_epi16(first, last));
    let fours = [
        _mm256_castsi256_si128(low),
        _mm256_castsi256_si128(high),
        _mm256_extracti128_si256::<1>(low),
        _mm256_extracti128_si256::<1>(high),
    ];
    let mut at = 0;
    for (four, number) in fours.into_iter().zip(numbers) {
        put(four, &SHUFFLES[usize::from(number)], room, at);
        at += FOUR + number.count_ones() as usize;
    }
    let surrogate = _mm256_cmpeq_epi16(and(unit, 0xf800), all(0xd800));
    (at, _mm256_testz_si256(surrogate, surrogate) == 0)
}

/// As [`write_group`], of any code points.
#[target_feature(enable = "avx2,popcnt")]
#[inline(never)]
fn write_wide(group: &Group, room: &mut Written) -> (usize, bool) {
    let (mut at, mut foreign) = (0, false);
    for eight in group.as_chunks::<EIGHT>().0 {
        let Coded { bytes, two_or_three, three_or_four, four, is_foreign } =
            coded(must_cast(*eight));
        foreign |= is_foreign;
        let halves = [_mm256_castsi256_si128(bytes), _mm256_extracti128_si256::<1>(bytes)];
        for (half, i) in halves.into_iter().zip([0, FOUR]) {
            let of_half = |bits: u32| bits >> i & 0xf;
            let number = of_half(two_or_three) | of_half(three_or_four) << FOUR;
            put(half, &SHUFFLES[number as usize % SHUFFLES.len()], room, at);
            at += FOUR + number.count_ones() as usize + 2 * of_half(four).count_ones() as usize;
        }
    }
    (at, foreign)
}

/// Eight code points as UTF-8 of four bytes each, the first byte lowest, with a bit of each for its
/// length.
struct Coded {
    bytes: __m256i,
    two_or_three: u32,
    three_or_four: u32,
    four: u32,
    /// Whether one of them is not a character.
    is_foreign: bool,
}

#[target_feature(enable = "avx2")]
#[inline]
fn coded(point: __m256i) -> Coded {
    let all = _mm256_set1_epi32;
    let or = |a, b| _mm256_or_si256(a, b);
    let six_bits = |v| _mm256_and_si256(v, all(0x3f));
    let above = |most| _mm256_cmpgt_epi32(point, all(most));
    let last = six_bits(point);
    let third = six_bits(_mm256_srli_epi32::<6>(point));
    let two = or(or(all(0x80c0), _mm256_srli_epi32::<6>(point)), _mm256_slli_epi32::<8>(last));
    let ends = or(_mm256_slli_epi32::<8>(third), _mm256_slli_epi32::<16>(last));
    let three = or(or(all(0x80_80e0), _mm256_srli_epi32::<12>(point)), ends);
    let (is_two, is_three) = (above(0x7f), above(0x7ff));
    let bytes = _mm256_blendv_epi8(_mm256_blendv_epi8(point, two, is_two), three, is_three);
    let (two_or_three, three_or_four) = (bits(is_two), bits(is_three));
    let surrogate = _mm256_cmpeq_epi32(_mm256_and_si256(point, all(!0x7ff)), all(0xd800));
    let beyond = all(0xffff_0000_u32 as i32);
    if _mm256_testz_si256(point, beyond) != 0 {
        let is_foreign = bits(surrogate) != 0;
        return Coded { bytes, two_or_three, three_or_four, four: 0, is_foreign };
    }
    let second = six_bits(_mm256_srli_epi32::<12>(point));
    let ends = or(_mm256_slli_epi32::<8>(ends), _mm256_slli_epi32::<8>(second));
    let first = or(all(0x8080_80f0_u32 as i32), _mm256_srli_epi32::<18>(point));
    let is_four = above(0xffff);
    let bytes = _mm256_blendv_epi8(bytes, or(first, ends), is_four);
    let four = bits(is_four);
    // The comparison is of signed numbers, so from 0x8000_0000 on they are negative. Such a point is
    // written as one byte, which does not matter, since it is not a character.
    let negative = _mm256_cmpgt_epi32(_mm256_setzero_si256(), point);
    let is_foreign = bits(or(surrogate, or(above(0x10_ffff), negative))) != 0;
    Coded { bytes, two_or_three: two_or_three & !four, three_or_four, four, is_foreign }
}

/// The highest bit of each place.
#[target_feature(enable = "avx2")]
#[inline]
fn bits(v: __m256i) -> u32 {
    _mm256_movemask_ps(_mm256_castsi256_ps(v)) as u32
}

/// Writes the wanted bytes of four code points to `room[at..]`, and zeros after them.
#[target_feature(enable = "avx2")]
#[inline]
fn put(bytes: __m128i, shuffle: &[u8; WRITTEN * FOUR], room: &mut Written, at: usize) {
    let together = _mm_shuffle_epi8(bytes, must_cast(*shuffle));
    // Never less than `at`: it spares a check.
    let at = at.min(room.len() - WRITTEN * FOUR);
    room[at..at + WRITTEN * FOUR].copy_from_slice(&must_cast::<_, [u8; WRITTEN * FOUR]>(together));
}
