//! The masks of a window by AVX-512, where a comparison of sixty-four bytes gives a mask at once;
//! and listing the bits of a mask.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
    _mm512_cmple_epu8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32,
    _mm512_maskz_compress_epi8, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set_epi64,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_sub_epi8,
};

use bytemuck::must_cast;

use super::{Beyond, Masks, READ, WINDOW};

/// The masks of the window at the start of `bytes`. O(1).
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(crate) fn masks(bytes: &[u8; READ]) -> Masks {
    let v = vector(bytes, 0);
    let space = is(v, b' ');
    let high = _mm512_movepi8_mask(v);
    let Beyond { inner, three, plain } = if high == 0 { Beyond::default() } else { beyond(bytes) };
    Masks {
        letter: between(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), b'a', b'z'),
        upper: between(v, b'A', b'Z'),
        digit: between(v, b'0', b'9'),
        space,
        white: space | between(v, b'\t', b'\r'),
        line_end: is(v, b'\n') | is(v, b'\r'),
        apostrophe: is(v, b'\''),
        slash: is(v, b'/'),
        high,
        inner,
        three,
        plain,
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn beyond(bytes: &[u8; READ]) -> Beyond {
    let v = vector(bytes, 0);
    Beyond {
        inner: between(v, 0x80, 0xbf),
        three: between(v, 0xe0, 0xef),
        plain: plain(v, vector(bytes, 1), vector(bytes, 2)),
    }
}

/// See [`Masks::plain`]; `avx2` says which ranges are left out.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn plain(v: __m512i, second: __m512i, third: __m512i) -> u64 {
    let two = between(v, 0xc4, 0xc5) | between(v, 0xd0, 0xd1);
    let hangul = between(v, 0xea, 0xed)
        & !(is(v, 0xea) & between(second, 0x80, 0xaf))
        & !(is(v, 0xed) & between(second, 0x9e, 0xbf));
    let ideograph = between(v, 0xe4, 0xe9) & !(is(v, 0xe4) & is(second, 0xb7));
    let kana = is(second, 0x81) & !is(third, 0x80)
        | is(second, 0x82) & !between(third, 0x97, 0xa0)
        | is(second, 0x83) & !is(third, 0xbb);
    two | hangul | ideograph | is(v, 0xe3) & kana
}

/// The sixty-four bytes at `at`.
#[target_feature(enable = "avx512f")]
#[inline]
fn vector(bytes: &[u8; READ], at: usize) -> __m512i {
    let mut those = [0_u8; WINDOW];
    those.copy_from_slice(&bytes[at..at + WINDOW]);
    must_cast(those)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn between(v: __m512i, first: u8, last: u8) -> u64 {
    let from = _mm512_sub_epi8(v, _mm512_set1_epi8(first as i8));
    _mm512_cmple_epu8_mask(from, _mm512_set1_epi8((last - first) as i8))
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn is(v: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(byte as i8))
}

/// Writes `base + i` to `room` for the number `i` of each set bit, in order. The places of `room`
/// after those may change too. O(1).
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
#[inline]
pub(crate) fn list(room: &mut [u32; WINDOW], base: u32, bits: u64) {
    let numbers = _mm512_maskz_compress_epi8(bits, numbers());
    let base = _mm512_set1_epi32(base as i32);
    let (room, _) = room.as_chunks_mut::<16>();
    let mut write = |i: usize, part| {
        let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(part), base);
        room[i] = must_cast(places);
    };
    let count = bits.count_ones();
    write(0, _mm512_castsi512_si128(numbers));
    if count > 16 {
        write(1, _mm512_extracti32x4_epi32::<1>(numbers));
    }
    if count > 32 {
        write(2, _mm512_extracti32x4_epi32::<2>(numbers));
        write(3, _mm512_extracti32x4_epi32::<3>(numbers));
    }
}

/// 0, 1, 2, … 63.
#[target_feature(enable = "avx512f")]
#[inline]
fn numbers() -> __m512i {
    const FIRST: i64 = 0x0706_0504_0302_0100;
    const EIGHT: i64 = 0x0808_0808_0808_0808;
    let word = |i: i64| FIRST + i * EIGHT;
    _mm512_set_epi64(word(7), word(6), word(5), word(4), word(3), word(2), word(1), word(0))
}
