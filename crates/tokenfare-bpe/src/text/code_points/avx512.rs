//! Sixteen code points at a time with AVX-512: each is encoded in four bytes, and the wanted bytes
//! are moved together.

use std::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_cmpeq_epi32_mask, _mm512_cmpge_epu32_mask,
    _mm512_mask_mov_epi32, _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi32,
    _mm512_slli_epi32, _mm512_srli_epi32, _mm512_test_epi8_mask,
};

use bytemuck::must_cast;

use super::{Group, Written};

/// The first byte of each code point's four.
const FIRST: u64 = 0x1111_1111_1111_1111;

/// Writes a group, and returns how many bytes it takes and whether a code point is not a character.
/// The bytes of `room` after those may change too. O(1).
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
#[inline]
pub(super) fn write_group(group: &Group, room: &mut Written) -> (usize, bool) {
    let point: __m512i = must_cast(*group);
    let all = _mm512_set1_epi32;
    let or = |a, b| _mm512_or_si512(a, b);
    let six_bits = |v| _mm512_and_si512(v, all(0x3f));
    let last = six_bits(point);
    let third = six_bits(_mm512_srli_epi32::<6>(point));
    let two = or(or(all(0x80c0), _mm512_srli_epi32::<6>(point)), _mm512_slli_epi32::<8>(last));
    let ends = or(_mm512_slli_epi32::<8>(third), _mm512_slli_epi32::<16>(last));
    let three = or(or(all(0x80_80e0), _mm512_srli_epi32::<12>(point)), ends);
    let from = |first| _mm512_cmpge_epu32_mask(point, all(first));
    let mut bytes = _mm512_mask_mov_epi32(point, from(0x80), two);
    bytes = _mm512_mask_mov_epi32(bytes, from(0x800), three);
    let surrogate = _mm512_cmpeq_epi32_mask(_mm512_and_si512(point, all(!0x7ff)), all(0xd800));
    let mut foreign = surrogate;
    let beyond = from(0x1_0000);
    if beyond != 0 {
        foreign |= from(0x11_0000);
        let second = six_bits(_mm512_srli_epi32::<12>(point));
        let ends = or(_mm512_slli_epi32::<8>(ends), _mm512_slli_epi32::<8>(second));
        let first = or(all(0x8080_80f0_u32 as i32), _mm512_srli_epi32::<18>(point));
        bytes = _mm512_mask_mov_epi32(bytes, beyond, or(first, ends));
    }
    // A wanted byte is nonzero, unless it is the first of its four (U+0000).
    let meant = _mm512_test_epi8_mask(bytes, bytes) | FIRST;
    *room = must_cast(_mm512_maskz_compress_epi8(meant, bytes));
    (meant.count_ones() as usize, foreign != 0)
}
