//! Classifying 64 bytes at once: which are ASCII letters, digits, white space and so on, as bits of
//! a word.
//!
//! Bit `i` of a mask stands for byte `i` of the window. The masks are made in one of three ways
//! with the same result: with AVX-512, with AVX2, and for every CPU with eight bytes in a word.
//! None of the three needs `unsafe` inside: the window is an array, and so are the bytes of a
//! vector.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod words;

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

/// The masks that are empty if all bytes are ASCII.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct Beyond {
    inner: u64,
    three: u64,
    plain: u64,
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
        is_x86_feature_detected!("avx2").then(|| unsafe { avx2::masks(bytes) })
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
                    assert_eq!(words::masks(&bytes), naive(&bytes), "{byte} in {around}");
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
