//! Which of 64 bytes are ASCII letters, digits, white space and so on, as bits of words.
//!
//! Bit `i` of a mask stands for byte `i` of the window. Two ways to the same masks: AVX2, for
//! machines that have it, and eight bytes in a word for all. Neither needs `unsafe` inside: the
//! window is an array, and the vectors are made from its words.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
};

/// Bytes that are looked at together.
pub(crate) const WINDOW: usize = 64;

/// One bit for each byte of a window.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Masks {
    /// `A`-`Z`, `a`-`z`.
    pub(crate) letter: u64,
    /// `0`-`9`.
    pub(crate) digit: u64,
    /// The space itself.
    pub(crate) space: u64,
    /// ASCII white space, line ends and the space among it.
    pub(crate) white: u64,
    /// `\r` and `\n`.
    pub(crate) line_end: u64,
    /// `'`
    pub(crate) apostrophe: u64,
    /// Bytes of characters beyond ASCII.
    pub(crate) high: u64,
}

/// The masks of a window, sixteen and thirty-two bytes at a time. O(1).
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn avx2(window: &[u8; WINDOW]) -> Masks {
    let mut masks = Masks::default();
    let (halves, _) = window.as_chunks::<32>();
    for (i, half) in halves.iter().enumerate() {
        let (words, _) = half.as_chunks::<8>();
        let word = |i: usize| i64::from_le_bytes(words[i]);
        let v = _mm256_set_epi64x(word(3), word(2), word(1), word(0));
        let lower = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
        let space = is(v, b' ');
        let at = 32 * i;
        masks.letter |= bits(between(lower, b'a', b'z')) << at;
        masks.digit |= bits(between(v, b'0', b'9')) << at;
        masks.space |= bits(space) << at;
        masks.white |= bits(_mm256_or_si256(space, between(v, b'\t', b'\r'))) << at;
        masks.line_end |= bits(_mm256_or_si256(is(v, b'\n'), is(v, b'\r'))) << at;
        masks.apostrophe |= bits(is(v, b'\'')) << at;
        masks.high |= bits(v) << at;
    }
    masks
}

/// Bytes beyond ASCII are negative, so they are below any `first`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn between(v: __m256i, first: u8, last: u8) -> __m256i {
    let from = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(first as i8 - 1));
    _mm256_and_si256(from, _mm256_cmpgt_epi8(_mm256_set1_epi8(last as i8 + 1), v))
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

/// The masks of a window, eight bytes at a time. O(1).
#[inline(always)]
pub(crate) fn words(window: &[u8; WINDOW]) -> Masks {
    words::masks(window)
}

mod words {
    use super::{Masks, WINDOW};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;

    #[inline(always)]
    pub(super) fn masks(window: &[u8; WINDOW]) -> Masks {
        let mut masks = Masks::default();
        let (words, _) = window.as_chunks::<8>();
        for (i, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let at = 8 * i;
            let space = between(word, b' ', b' ');
            masks.letter |= bits(between(word | (0x20 * ONES), b'a', b'z')) << at;
            masks.digit |= bits(between(word, b'0', b'9')) << at;
            masks.space |= bits(space) << at;
            masks.white |= bits(space | between(word, b'\t', b'\r')) << at;
            masks.line_end |= bits(between(word, b'\n', b'\n') | between(word, b'\r', b'\r')) << at;
            masks.apostrophe |= bits(between(word, b'\'', b'\'')) << at;
            masks.high |= bits(word & HIGH) << at;
        }
        masks
    }

    /// The high bit of each byte that lies in `first..=last`, both ASCII.
    ///
    /// Adding to the low seven bits what `first` lacks to 128 sets the high bit from `first` on;
    /// no such sum carries into the next byte.
    #[inline(always)]
    fn between(word: u64, first: u8, last: u8) -> u64 {
        let low = word & !HIGH;
        let from = low + ONES * u64::from(0x80 - first);
        let beyond = low + ONES * u64::from(0x7f - last);
        from & !beyond & !word & HIGH
    }

    /// The high bits of eight bytes as eight bits: the product moves each to its place in the top
    /// byte, and no two products meet elsewhere with a carry into it.
    #[inline(always)]
    fn bits(high: u64) -> u64 {
        (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(window: &[u8; WINDOW]) -> Masks {
        let mask = |is: fn(u8) -> bool| {
            window.iter().enumerate().map(|(i, b)| u64::from(is(*b)) << i).sum::<u64>()
        };
        Masks {
            letter: mask(|b| b.is_ascii_alphabetic()),
            digit: mask(|b| b.is_ascii_digit()),
            space: mask(|b| b == b' '),
            white: mask(|b| matches!(b, b'\t'..=b'\r' | b' ')),
            line_end: mask(|b| b == b'\r' || b == b'\n'),
            apostrophe: mask(|b| b == b'\''),
            high: mask(|b| b >= 0x80),
        }
    }

    #[test]
    fn every_byte_at_every_place_has_its_bits() {
        for byte in 0..=255u8 {
            for place in 0..WINDOW {
                for around in [0, b'a', 0xff, byte.wrapping_add(1), byte.wrapping_sub(1)] {
                    let mut window = [around; WINDOW];
                    window[place] = byte;
                    assert_eq!(words(&window), naive(&window), "{byte} in {around}");
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx2") {
                        // SAFETY: the machine has what the function was compiled for.
                        let found = unsafe { avx2(&window) };
                        assert_eq!(found, naive(&window), "{byte} in {around}");
                    }
                }
            }
        }
    }
}
