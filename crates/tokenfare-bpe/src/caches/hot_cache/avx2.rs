//! Looks up four pieces at a time by AVX2. A key is half of a vector, so two vectors hold the keys
//! of four pieces: of the first and the third, and of the second and the fourth. Interleaved word
//! by word, these give the four counts in the order of the pieces.

use std::arch::x86_64::{
    __m256i, _mm_min_epu32, _mm_set_epi64x, _mm_set1_epi32, _mm_sub_epi32, _mm256_add_epi64,
    _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_castsi256_pd, _mm256_cmpeq_epi64,
    _mm256_cmpgt_epi8, _mm256_extract_epi64, _mm256_movemask_pd, _mm256_or_si256,
    _mm256_set_epi64x, _mm256_set_m128i, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi64, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::sse2::{bytes_of, numbers, words_of};
use super::{Entry, GROUP, HOT, HotCache, place};
use crate::caches::short_cache::{LONGEST, mixed};
use crate::pieces::windows::{Places, list};
use crate::prefetch::prefetch;

/// Pieces whose keys are made and compared together.
const FOUR: usize = 4;

/// As [`HotCache::count`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn count(
    hot: &HotCache,
    text: &[u8],
    starts: &[u32],
    ends: &[u32],
    missing: &mut Places,
) -> usize {
    let mut asked = [([_mm256_setzero_si256(); 2], [0; FOUR]); GROUP / FOUR];
    let find = |hot: &_, text: &_, starts: &_, ends: &_| find(hot, text, starts, ends, &mut asked);
    hot.count_with(text, starts, ends, missing, find, list)
}

/// The keys of four pieces, those of the first and the third before those of the second and the
/// fourth; and the places of the four, in their order.
type Asked = [([__m256i; 2], [usize; FOUR]); GROUP / FOUR];

/// The tokens of the pieces that are found, and a bit for each that is not. `asked` is scratch
/// space; a local array would be filled with zeros for each group.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn find(
    HotCache(entries): &HotCache,
    text: &[u8],
    starts: &[u32; GROUP],
    ends: &[u32; GROUP],
    asked: &mut Asked,
) -> (usize, u64) {
    let (starts, _) = starts.as_chunks::<FOUR>();
    let (ends, _) = ends.as_chunks::<FOUR>();
    for ((asked, starts), ends) in asked.iter_mut().zip(starts).zip(ends) {
        let keys = keys(text, starts, ends);
        let places = places(keys);
        places.iter().for_each(|place| prefetch(&entries[*place % HOT]));
        *asked = (keys, places);
    }
    let none = _mm256_setzero_si256();
    let (mut sum, mut missing) = (none, 0);
    for (i, (keys, places)) in asked.iter().enumerate() {
        let counts = counts(*keys, places.map(|place| &entries[place % HOT]));
        sum = _mm256_add_epi64(sum, counts);
        let others = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(counts, none)));
        missing |= (others as u64) << (FOUR * i);
    }
    let sum = _mm256_extract_epi64::<0>(sum)
        + _mm256_extract_epi64::<1>(sum)
        + _mm256_extract_epi64::<2>(sum)
        + _mm256_extract_epi64::<3>(sum);
    (sum as usize, missing)
}

/// Keys as `Key::of_first` makes them, except that a piece that is too long keeps its first bytes.
/// Its length becomes 16, of which a key has room for the low four bits, 0; no entry with a count
/// has that length.
#[target_feature(enable = "avx2")]
#[inline]
fn keys(text: &[u8], starts: &[u32; FOUR], ends: &[u32; FOUR]) -> [__m256i; 2] {
    let lengths = _mm_sub_epi32(numbers(ends), numbers(starts));
    let lengths = _mm_min_epu32(lengths, _mm_set1_epi32(LONGEST as i32 + 1));
    let lengths = _mm256_broadcastsi128_si256(lengths);
    let [a, b, c, d] = starts.map(|start| bytes_of(text, start as usize));
    // The number of each byte in its half. The last byte belongs to no piece: it holds the length,
    // and its number is larger than any length.
    let number = both_halves(0x7f0e_0d0c_0b0a_0908, 0x0706_0504_0302_0100);
    let last = both_halves(0xff << 56, 0);
    // The shuffle that copies the lowest byte of a length to all bytes of a half. `first` and
    // `second` are the places of that byte for the two pieces of a vector.
    let each = |first: i64, second: i64| {
        let all = 0x0101_0101_0101_0101;
        _mm256_set_epi64x(second * all, second * all, first * all, first * all)
    };
    let key = |bytes: __m256i, lengths: __m256i| {
        let inside = _mm256_and_si256(bytes, _mm256_cmpgt_epi8(lengths, number));
        _mm256_or_si256(inside, _mm256_and_si256(lengths, last))
    };
    [
        key(_mm256_set_m128i(c, a), _mm256_shuffle_epi8(lengths, each(0, 8))),
        key(_mm256_set_m128i(d, b), _mm256_shuffle_epi8(lengths, each(4, 12))),
    ]
}

/// The places of the four keys, in the order of the pieces.
#[target_feature(enable = "avx2")]
#[inline]
fn places([first, second]: [__m256i; 2]) -> [usize; FOUR] {
    let of = |low: i64, high: i64| place(mixed(low as u64, high as u64));
    [
        of(_mm256_extract_epi64::<0>(first), _mm256_extract_epi64::<1>(first)),
        of(_mm256_extract_epi64::<0>(second), _mm256_extract_epi64::<1>(second)),
        of(_mm256_extract_epi64::<2>(first), _mm256_extract_epi64::<3>(first)),
        of(_mm256_extract_epi64::<2>(second), _mm256_extract_epi64::<3>(second)),
    ]
}

/// The count of each entry that has the same key, otherwise 0, in the order of the pieces.
#[target_feature(enable = "avx2")]
#[inline]
fn counts(keys: [__m256i; 2], [a, b, c, d]: [&Entry; FOUR]) -> __m256i {
    let both = |low: &Entry, high: &Entry| _mm256_set_m128i(words_of(high), words_of(low));
    let entries = [both(a, c), both(b, d)];
    // All bits except the count.
    let compared = both_halves(u64::MAX >> 4, u64::MAX);
    let same = |i: usize| {
        let differs = _mm256_and_si256(_mm256_xor_si256(keys[i], entries[i]), compared);
        _mm256_cmpeq_epi64(differs, _mm256_setzero_si256())
    };
    let (first, second) = (same(0), same(1));
    let same = _mm256_and_si256(
        _mm256_unpacklo_epi64(first, second),
        _mm256_unpackhi_epi64(first, second),
    );
    let counts = _mm256_srli_epi64::<60>(_mm256_unpackhi_epi64(entries[0], entries[1]));
    _mm256_and_si256(counts, same)
}

#[target_feature(enable = "avx2")]
#[inline]
fn both_halves(high: u64, low: u64) -> __m256i {
    _mm256_broadcastsi128_si256(_mm_set_epi64x(high as i64, low as i64))
}
