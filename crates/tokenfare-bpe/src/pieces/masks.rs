//! Classifying 64 bytes at once: which are ASCII letters, digits, white space and so on, as bits of
//! a word.
//!
//! Bit `i` of a mask stands for byte `i` of the window. The masks are made in one of three ways
//! with the same result: with AVX-512, with AVX2, and for every CPU with eight bytes in a word.
//! None of the three needs `unsafe` inside: the window is an array, and so are the bytes of a
//! vector.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_andnot_si256, _mm256_cmpeq_epi8,
    _mm256_cmpgt_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

#[cfg(target_arch = "x86_64")]
use bytemuck::must_cast;

/// Bytes that are classified together.
pub(crate) const WINDOW: usize = 64;

/// Bytes that must be readable from the start of a window on: its last character may extend beyond
/// it.
pub(crate) const READ: usize = WINDOW + 16;

/// One bit for each byte of a window.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Masks {
    /// `A`-`Z`, `a`-`z`.
    pub(crate) letter: u64,
    /// `A`-`Z`.
    pub(crate) upper: u64,
    /// `0`-`9`.
    pub(crate) digit: u64,
    /// The space itself.
    pub(crate) space: u64,
    /// ASCII white space, including line ends and the space.
    pub(crate) white: u64,
    /// `\r` and `\n`.
    pub(crate) line_end: u64,
    /// `'`
    pub(crate) apostrophe: u64,
    /// `/`
    pub(crate) slash: u64,
    /// Bytes of characters beyond ASCII.
    pub(crate) high: u64,
    /// Bytes that are not the first byte of their character.
    pub(crate) inner: u64,
    /// First bytes of three-byte characters.
    pub(crate) three: u64,
    /// First bytes of characters that are known by their bytes, without the table, to be letters
    /// that NFC neither changes nor joins to what precedes them. Not all such letters: Cyrillic up
    /// to U+047F, Latin from U+0100 to U+017F, and most kana, ideographs and Hangul syllables. They
    /// have two or three bytes, and those of three have no case.
    pub(crate) plain: u64,
}

/// The masks of the window at the start of `bytes`, thirty-two bytes at a time. O(1).
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn avx2(bytes: &[u8; READ]) -> Masks {
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

/// The masks that are empty if all bytes are ASCII.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct Beyond {
    inner: u64,
    three: u64,
    plain: u64,
}

#[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn vector(bytes: &[u8; READ], at: usize) -> __m256i {
    let mut those = [0_u8; 32];
    those.copy_from_slice(&bytes[at..at + 32]);
    must_cast(those)
}

/// See [`Masks::plain`]. `second` and `third` are the same bytes as `v`, one and two places further
/// on.
#[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn between(v: __m256i, first: u8, last: u8) -> __m256i {
    let moved = _mm256_add_epi8(v, _mm256_set1_epi8(0x80_u8.wrapping_sub(first) as i8));
    _mm256_cmpgt_epi8(_mm256_set1_epi8((0x80 + (last - first + 1)) as i8), moved)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn is(v: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte as i8))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn bits(v: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(v) as u32)
}

/// The masks of the window at the start of `bytes`, eight bytes at a time; `plain` is empty. O(1).
#[inline(always)]
pub(crate) fn words(bytes: &[u8; READ]) -> Masks {
    words::masks(bytes)
}

mod words {
    use super::{Masks, READ, WINDOW};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;

    #[inline(always)]
    pub(super) fn masks(bytes: &[u8; READ]) -> Masks {
        let mut masks = Masks::default();
        let (words, _) = bytes[..WINDOW].as_chunks::<8>();
        for (i, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let at = 8 * i;
            let space = between(word, b' ', b' ');
            masks.letter |= bits(between(word | (0x20 * ONES), b'a', b'z')) << at;
            masks.upper |= bits(between(word, b'A', b'Z')) << at;
            masks.digit |= bits(between(word, b'0', b'9')) << at;
            masks.space |= bits(space) << at;
            masks.white |= bits(space | between(word, b'\t', b'\r')) << at;
            masks.line_end |= bits(between(word, b'\n', b'\n') | between(word, b'\r', b'\r')) << at;
            masks.apostrophe |= bits(between(word, b'\'', b'\'')) << at;
            masks.slash |= bits(between(word, b'/', b'/')) << at;
            masks.high |= bits(word & HIGH) << at;
            masks.inner |= bits(word & !(word << 1) & HIGH) << at;
            masks.three |= bits(word & word << 1 & word << 2 & !(word << 3) & HIGH) << at;
        }
        masks
    }

    /// The high bit of each byte that lies in `first..=last`, both ASCII.
    ///
    /// Adding `128 - first` to the low seven bits sets the high bit of bytes from `first` on. The
    /// sum of two 7-bit numbers does not carry into the next byte.
    #[inline(always)]
    fn between(word: u64, first: u8, last: u8) -> u64 {
        let low = word & !HIGH;
        let from = low + ONES * u64::from(0x80 - first);
        let beyond = low + ONES * u64::from(0x7f - last);
        from & !beyond & !word & HIGH
    }

    /// The high bits of eight bytes as eight bits. The factor has the bits 7, 14, … 56, so bit `8k`
    /// of `high >> 7` goes to `8k + 7j` for each `j` of 1 to 8, and with `j = 8 - k` to bit `k` of
    /// the top byte. All these sums differ, so nothing carries.
    #[inline(always)]
    fn bits(high: u64) -> u64 {
        (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "x86_64")]
    use crate::unicode::classes::{CLASS, LETTER, LOWER, UNSTABLE, UPPER, class_at};

    fn naive(bytes: &[u8; READ]) -> Masks {
        let mask = |is: fn(u8) -> bool| {
            bytes[..WINDOW].iter().enumerate().map(|(i, b)| u64::from(is(*b)) << i).sum::<u64>()
        };
        Masks {
            letter: mask(|b| b.is_ascii_alphabetic()),
            upper: mask(|b| b.is_ascii_uppercase()),
            digit: mask(|b| b.is_ascii_digit()),
            space: mask(|b| b == b' '),
            white: mask(|b| matches!(b, b'\t'..=b'\r' | b' ')),
            line_end: mask(|b| b == b'\r' || b == b'\n'),
            apostrophe: mask(|b| b == b'\''),
            slash: mask(|b| b == b'/'),
            high: mask(|b| b >= 0x80),
            inner: mask(|b| (0x80..0xc0).contains(&b)),
            three: mask(|b| (0xe0..0xf0).contains(&b)),
            plain: 0,
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn with_avx2(bytes: &[u8; READ]) -> Option<Masks> {
        // SAFETY: the CPU has the features that the function was compiled for.
        is_x86_feature_detected!("avx2").then(|| unsafe { avx2(bytes) })
    }

    #[cfg(target_arch = "x86_64")]
    fn with_avx512(bytes: &[u8; READ]) -> Option<Masks> {
        // SAFETY: the CPU has the features that the function was compiled for.
        crate::machine::has_avx512().then(|| unsafe { avx512::masks(bytes) })
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn bits_are_listed_in_order() {
        let mut state = 3u64;
        for round in 0..100_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mixed = state ^ state >> 32;
            let bits = match round % 3 {
                0 => mixed,
                1 => mixed & mixed << 13 & mixed << 29,
                _ => mixed | mixed << 13 | mixed << 29,
            };
            let mut room = [7; WINDOW];
            if !crate::machine::has_avx512() {
                return;
            }
            // SAFETY: the CPU has the features that the function was compiled for.
            unsafe { avx512::list(&mut room, 1000, bits) };
            let expected: Vec<u32> =
                (0..64).filter(|i| bits >> i & 1 == 1).map(|i| 1000 + i).collect();
            assert_eq!(room[..expected.len()], expected);
        }
    }

    #[test]
    fn every_byte_at_every_place_has_its_bits() {
        for byte in 0..=255u8 {
            for place in 0..WINDOW {
                for around in [0, b'a', 0xff, byte.wrapping_add(1), byte.wrapping_sub(1)] {
                    let mut bytes = [around; READ];
                    bytes[place] = byte;
                    assert_eq!(words(&bytes), naive(&bytes), "{byte} in {around}");
                    #[cfg(target_arch = "x86_64")]
                    for found in [with_avx2(&bytes), with_avx512(&bytes)].into_iter().flatten() {
                        let found = Masks { plain: 0, ..found };
                        assert_eq!(found, naive(&bytes), "{byte} in {around}");
                    }
                }
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_plain_character_is_a_letter_that_nfc_keeps() {
        let mut plain = 0;
        for c in '\u{80}'..=char::MAX {
            let mut bytes = [b'!'; READ];
            let length = c.encode_utf8(&mut bytes[61..]).len();
            let Some(found) = with_avx2(&bytes) else { return };
            assert_eq!(with_avx512(&bytes).unwrap_or(found), found, "{c:?}");
            assert_eq!(found.plain & !(1 << 61), 0, "{c:?}");
            if found.plain != 0 {
                let class = class_at(&bytes, 61).0;
                assert_eq!(class & (CLASS | UNSTABLE), LETTER, "{c:?}");
                assert!(length < 4);
                assert!(length == 2 || class & (UPPER | LOWER) == 0, "{c:?}");
                assert!(length == 2 || crate::merging::joints::may_be_plain(&bytes[61..]), "{c:?}");
                plain += 1;
            }
        }
        assert!(plain > 30_000, "{plain}");
    }
}
