//! Looks up four pieces at a time by AVX-512. Their keys are the quarters of one vector, and are
//! made, mixed and compared together.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi128_si64, _mm_min_epu32, _mm_set_epi64x, _mm_set1_epi32,
    _mm_sub_epi32, _mm512_add_epi64, _mm512_and_si512, _mm512_broadcast_i32x4,
    _mm512_castsi128_si512, _mm512_castsi512_si128, _mm512_cmplt_epu8_mask,
    _mm512_extracti64x2_epi64, _mm512_inserti64x2, _mm512_mask_mov_epi8, _mm512_maskz_mov_epi8,
    _mm512_maskz_srli_epi64, _mm512_mullo_epi64, _mm512_reduce_add_epi64, _mm512_set_epi64,
    _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_epi32, _mm512_srli_epi64,
    _mm512_test_epi64_mask, _mm512_testn_epi64_mask, _mm512_xor_si512, _pext_u64,
};

use super::sse2::{bytes_of, numbers, words_of};
use super::{BITS, Entry, GROUP, HOT, HotCache};
use crate::caches::short_cache::{FACTORS, LONGEST};
use crate::pieces::masks::avx512::list;
use crate::pieces::windows::Places;
use crate::prefetch::prefetch;

/// Keys in a vector.
const QUARTERS: usize = 4;

/// As [`HotCache::count`].
#[target_feature(
    enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2"
)]
pub(super) fn count(
    hot: &HotCache,
    text: &[u8],
    starts: &[u32],
    ends: &[u32],
    missing: &mut Places,
) -> usize {
    let mut asked = [(_mm512_setzero_si512(), [0; QUARTERS]); GROUP / QUARTERS];
    hot.count_with(
        text,
        starts,
        ends,
        missing,
        |hot, text, starts, ends| find(hot, text, starts, ends, &mut asked),
        |room, base, bits| list(room, base, bits),
    )
}

/// The keys of four pieces at a time, and their places.
type Asked = [(__m512i, [usize; QUARTERS]); GROUP / QUARTERS];

/// The tokens of the pieces that are found, and a bit for each that is not. `asked` is scratch
/// space; a local array would be filled with zeros for each group.
#[target_feature(
    enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2"
)]
#[inline]
fn find(
    HotCache(entries): &HotCache,
    text: &[u8],
    starts: &[u32; GROUP],
    ends: &[u32; GROUP],
    asked: &mut Asked,
) -> (usize, u64) {
    let (starts, _) = starts.as_chunks::<QUARTERS>();
    let (ends, _) = ends.as_chunks::<QUARTERS>();
    for ((asked, starts), ends) in asked.iter_mut().zip(starts).zip(ends) {
        let keys = keys(text, starts, ends);
        let places = places(keys);
        places.iter().for_each(|place| prefetch(&entries[*place % HOT]));
        *asked = (keys, places);
    }
    let mut sum = _mm512_setzero_si512();
    let mut missing = 0;
    for (i, (keys, places)) in asked.iter().enumerate() {
        let counts = counts(*keys, places.map(|place| &entries[place % HOT]));
        sum = _mm512_add_epi64(sum, counts);
        let found = _mm512_test_epi64_mask(counts, counts);
        missing |= _pext_u64(!u64::from(found), UPPER) << (QUARTERS * i);
    }
    (_mm512_reduce_add_epi64(sum) as usize, missing)
}

/// The upper word of each quarter, as bits of the eight words of a vector.
const UPPER: u64 = 0b1010_1010;

/// Keys as `Key::of_first` makes them, except that a piece that is too long keeps its first bytes.
/// Its length becomes 16, of which a key has room for the low four bits, 0; no entry with a count
/// has that length.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn keys(text: &[u8], starts: &[u32; QUARTERS], ends: &[u32; QUARTERS]) -> __m512i {
    let lengths = _mm_sub_epi32(numbers(ends), numbers(starts));
    let lengths = _mm_min_epu32(lengths, _mm_set1_epi32(LONGEST as i32 + 1));
    // For each byte of a quarter: its number in the quarter, and the length of the piece.
    const NUMBERS: [i64; 2] = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
    let number = _mm512_broadcast_i32x4(_mm_set_epi64x(NUMBERS[1], NUMBERS[0]));
    let quarter = |i: i64| 0x0404_0404_0404_0404 * i;
    let [a, b, c, d] = [quarter(0), quarter(1), quarter(2), quarter(3)];
    let each = _mm512_set_epi64(d, d, c, c, b, b, a, a);
    let lengths = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(lengths), each);
    let inside = _mm512_cmplt_epu8_mask(number, lengths);
    let bytes = quarters(starts.map(|start| bytes_of(text, start as usize)));
    _mm512_mask_mov_epi8(_mm512_maskz_mov_epi8(inside, bytes), LAST, lengths)
}

/// The last byte of each quarter, as bits of the 64 bytes of a vector.
const LAST: u64 = 0x8000_8000_8000_8000;

/// The place of each key: the upper bits of what `short_cache::mixed` gives. The two products of a
/// key are added by exchanging the words of each quarter.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn places(keys: __m512i) -> [usize; QUARTERS] {
    let (low, high) = (FACTORS.0 as i64, FACTORS.1 as i64);
    let factors = _mm512_broadcast_i32x4(_mm_set_epi64x(high, low));
    let products = _mm512_mullo_epi64(keys, factors);
    let mixed = _mm512_add_epi64(products, _mm512_shuffle_epi32::<0b01_00_11_10>(products));
    let places = _mm512_srli_epi64::<{ 64 - BITS }>(mixed);
    [
        _mm512_castsi512_si128(places),
        _mm512_extracti64x2_epi64::<1>(places),
        _mm512_extracti64x2_epi64::<2>(places),
        _mm512_extracti64x2_epi64::<3>(places),
    ]
    .map(|place| _mm_cvtsi128_si64(place) as usize)
}

/// The upper word of each quarter holds the count of the entry if it has the same key, otherwise 0.
/// The lower words are 0.
#[target_feature(enable = "avx512f,avx512bw,avx512dq")]
#[inline]
fn counts(keys: __m512i, entries: [&Entry; QUARTERS]) -> __m512i {
    let entries = quarters(entries.map(|entry| words_of(entry)));
    // All bits except the count, which keys do not have.
    let compared = _mm512_broadcast_i32x4(_mm_set_epi64x(i64::MAX >> 3, -1));
    let differs = _mm512_and_si512(_mm512_xor_si512(keys, entries), compared);
    let same = _mm512_testn_epi64_mask(differs, differs);
    let same = same & same << 1 & UPPER as u8;
    _mm512_maskz_srli_epi64::<60>(same, entries)
}

#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn quarters([a, b, c, d]: [__m128i; QUARTERS]) -> __m512i {
    let v = _mm512_inserti64x2::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti64x2::<3>(_mm512_inserti64x2::<2>(v, c), d)
}
