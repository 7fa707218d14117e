//! Compares the entries of a line four at a time, which every x86-64 machine can do.

use std::arch::x86_64::{
    _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpeq_epi32, _mm_movemask_epi8, _mm_packs_epi16,
    _mm_packs_epi32, _mm_set_epi32, _mm_set1_epi8, _mm_set1_epi32, _mm_setzero_si128,
};

use super::{Line, Mixed, NONE};

/// The places, as bits, whose entries are of the pair that was mixed to `mixed`. An empty place is
/// taken for an entry of zeros. O(1), no branch.
///
/// The comparisons of the lower bits, word by word, are packed to one byte each. Those of the other
/// eight bits are bytes from the start. The last four bytes are of the word that tells of pairs in
/// `beyond`; the packed zeros rule them out.
#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn same(Line(line): &Line, mixed: Mixed) -> u32 {
    let [a, b, c, d] = [0, 4, 8, 12].map(|at| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| line[at + i] as i32);
        _mm_set_epi32(d, c, b, a)
    });
    let kept = _mm_set1_epi32(!NONE as i32);
    let low = _mm_set1_epi32(mixed.low() as i32);
    let [a, b, c] = [a, b, c].map(|words| _mm_cmpeq_epi32(_mm_and_si128(words, kept), low));
    let low = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, _mm_setzero_si128()));
    let high = _mm_cmpeq_epi8(d, _mm_set1_epi8(mixed.high() as i8));
    _mm_movemask_epi8(_mm_and_si128(low, high)) as u32
}
