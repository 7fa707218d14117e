//! The masks of a window by AVX2, thirty-two bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_andnot_si256, _mm256_cmpeq_epi8,
    _mm256_cmpgt_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

use bytemuck::must_cast;

use super::{Beyond, Masks, READ};

/// The masks of the window at the start of `bytes`. O(1).
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn masks(bytes: &[u8; READ]) -> Masks {
    let mut masks = Masks::default();
    for at in [0, 32] {
        let v = vector(bytes, at);
        let lower = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
        let space = is(v, b' ');
        masks.letter |= bits(between(lower, b'a', b'z')) << at;
        masks.upper |= bits(between(v, b'A', b'Z')) << at;
        masks.digit |= bits(between(v, b'0', b'9')) << at;
        masks.space |= bits(space) << at;
        masks.white |= bits(_mm256_or_si256(space, between(v, b'\t', b'\r'))) << at;
        masks.line_end |= bits(_mm256_or_si256(is(v, b'\n'), is(v, b'\r'))) << at;
        masks.apostrophe |= bits(is(v, b'\'')) << at;
        masks.slash |= bits(is(v, b'/')) << at;
        masks.high |= bits(v) << at;
    }
    // `beyond` is not inlined, so that this function is small enough to be inlined into the loop
    // that calls it: each window has to wait for the masks of the one before it.
    let Beyond { inner, three, plain } =
        if masks.high == 0 { Beyond::default() } else { beyond(bytes) };
    Masks { inner, three, plain, ..masks }
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn beyond(bytes: &[u8; READ]) -> Beyond {
    let mut masks = Beyond::default();
    for at in [0, 32] {
        let v = vector(bytes, at);
        masks.inner |= bits(between(v, 0x80, 0xbf)) << at;
        masks.three |= bits(between(v, 0xe0, 0xef)) << at;
        masks.plain |= bits(plain(v, vector(bytes, at + 1), vector(bytes, at + 2))) << at;
    }
    masks
}

/// The thirty-two bytes at `at`.
#[target_feature(enable = "avx2")]
#[inline]
fn vector(bytes: &[u8; READ], at: usize) -> __m256i {
    let mut those = [0_u8; 32];
    those.copy_from_slice(&bytes[at..at + 32]);
    must_cast(those)
}

/// See [`Masks::plain`]. `second` and `third` are the same bytes as `v`, one and two places further
/// on.
#[target_feature(enable = "avx2")]
#[inline]
fn plain(v: __m256i, second: __m256i, third: __m256i) -> __m256i {
    let or = |a, b| _mm256_or_si256(a, b);
    let all = |byte: u8| _mm256_set1_epi8(byte as i8);
    let two = or(between(v, 0xc4, 0xc5), between(v, 0xd0, 0xd1));
    // U+AC00 to U+D77F. The last syllables, up to U+D7A3, are as rare as they are few.
    let below = _mm256_and_si256(is(v, 0xea), _mm256_cmpgt_epi8(all(0xb0), second));
    let above = _mm256_and_si256(is(v, 0xed), _mm256_cmpgt_epi8(second, all(0x9d)));
    let hangul = _mm256_andnot_si256(or(below, above), between(v, 0xea, 0xed));
    // U+4000 to U+9FFF, without the hexagrams from U+4DC0 to U+4DFF.
    let hexagram = _mm256_and_si256(is(v, 0xe4), is(second, 0xb7));
    let ideograph = _mm256_andnot_si256(hexagram, between(v, 0xe4, 0xe9));
    // U+3041 to U+30FF, without U+3097 to U+30A0 and the middle dot.
    let kana = or(
        _mm256_andnot_si256(is(third, 0x80), is(second, 0x81)),
        or(
            _mm256_andnot_si256(between(third, 0x97, 0xa0), is(second, 0x82)),
            _mm256_andnot_si256(is(third, 0xbb), is(second, 0x83)),
        ),
    );
    or(or(two, hangul), or(ideograph, _mm256_and_si256(is(v, 0xe3), kana)))
}

/// The bytes in `first..=last`, at most 127 of them. The comparison is of signed numbers, so a byte
/// is moved first: `first` to the least of these numbers, and what is below `first` to the
/// greatest.
#[target_feature(enable = "avx2")]
#[inline]
fn between(v: __m256i, first: u8, last: u8) -> __m256i {
    let moved = _mm256_add_epi8(v, _mm256_set1_epi8(0x80_u8.wrapping_sub(first) as i8));
    _mm256_cmpgt_epi8(_mm256_set1_epi8((0x80 + (last - first + 1)) as i8), moved)
}

#[target_feature(enable = "avx2")]
#[inline]
fn is(v: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte as i8))
}

#[target_feature(enable = "avx2")]
#[inline]
fn bits(v: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(v) as u32)
}
