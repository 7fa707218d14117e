//! What both kinds of wider vectors are made of: half a key, or the bounds of four pieces. Every
//! x86-64 CPU has these instructions.

use std::arch::x86_64::{__m128i, _mm_set_epi32, _mm_set_epi64x};

use super::Entry;

/// The two words of an entry.
#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn words_of(entry: &Entry) -> __m128i {
    let (low, high) = entry.0.words();
    _mm_set_epi64x(high as i64, low as i64)
}

/// Four numbers, the first lowest.
#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn numbers(numbers: &[u32; 4]) -> __m128i {
    let [a, b, c, d] = numbers.map(|number| number as i32);
    _mm_set_epi32(d, c, b, a)
}

/// Sixteen bytes of `text` from `start` on; zeros if it has fewer.
#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn bytes_of(text: &[u8], start: usize) -> __m128i {
    let bytes: [u8; 16] = match text.get(start..start + 16).and_then(|bytes| bytes.first_chunk()) {
        Some(bytes) => *bytes,
        None => [0; 16],
    };
    let (words, _) = bytes.as_chunks::<8>();
    _mm_set_epi64x(i64::from_le_bytes(words[1]), i64::from_le_bytes(words[0]))
}
