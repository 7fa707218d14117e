//! The character classes that the split pattern and NFC need, as one byte for each character, from
//! a two-level table.
//!
//! The table is for Unicode 16.0. It is written by `examples/make_classes.rs`, and the tests below
//! compare it with its sources, character by character. A code point that 16.0 does not know is
//! [`OTHER`], as in the reference tokenizers of that version.
//!
//! The first level is indexed by a code point without its low six bits. These are exactly the bits
//! that the bytes of a UTF-8 character hold before its last byte, so a class is looked up without
//! assembling the code point.

/// Neither letter, number nor white space: punctuation, symbols, marks, controls, unassigned.
pub(crate) const OTHER: u8 = 0;
/// `\p{L}`
pub(crate) const LETTER: u8 = 1;
/// `\p{N}`
pub(crate) const NUMBER: u8 = 2;
/// `\s`, which is `\p{White_Space}`
pub(crate) const SPACE: u8 = 3;
/// The bits that hold one of the four classes above.
pub(crate) const CLASS: u8 = 3;
/// `\p{M}`, set in addition to [`OTHER`].
pub(crate) const MARK: u8 = 4;
/// Set if NFC may change, reorder or compose the character. A character without it is a starter
/// that NFC keeps as it is and never joins to what precedes it.
pub(crate) const UNSTABLE: u8 = 8;
/// Set in addition to [`UNSTABLE`] if NFC only ever reorders the character: its quick-check
/// property is Yes. It stays where it is between two characters without [`UNSTABLE`].
pub(crate) const STAYS: u8 = 64;
/// `[\p{Lu}\p{Lt}]`, set in addition to [`LETTER`].
pub(crate) const UPPER: u8 = 16;
/// `\p{Ll}`, set in addition to [`LETTER`].
pub(crate) const LOWER: u8 = 32;

static INDEX: [u16; 0x11_0000 / 64] = little_endian(include_bytes!("classes/index.bin"));
static BLOCKS: &[u8; 512 * 64] = include_bytes!("classes/blocks.bin");

const fn little_endian<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u16; M] {
    let mut words = [0; M];
    let mut i = 0;
    while i < M {
        words[i] = u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
        i += 1;
    }
    words
}

#[inline(always)]
fn at(block: usize, last: u8) -> u8 {
    BLOCKS[(usize::from(INDEX[block]) << 6 | usize::from(last & 0x3f)) & (512 * 64 - 1)]
}

/// Class byte and length in bytes of the character at `start`. O(1).
///
/// `text` must be UTF-8 and `start` the start of a character in it. Otherwise the result is some
/// class, or a panic for an index out of range; it is never undefined.
#[inline(always)]
pub(crate) fn class_at(text: &[u8], start: usize) -> (u8, usize) {
    let lead = text[start];
    if lead < 0x80 {
        (at(usize::from(lead >> 6), lead), 1)
    } else if lead < 0xe0 {
        (at(usize::from(lead & 0x1f), text[start + 1]), 2)
    } else if lead < 0xf0 {
        let block = usize::from(lead & 0x0f) << 6 | usize::from(text[start + 1] & 0x3f);
        (at(block, text[start + 2]), 3)
    } else {
        let block = usize::from(lead & 7) << 12
            | usize::from(text[start + 1] & 0x3f) << 6
            | usize::from(text[start + 2] & 0x3f);
        (at(block, text[start + 3]), 4)
    }
}

/// Class byte of the character that ends at `end`. O(1).
///
/// `text` must be UTF-8 up to `end`, which is not its start.
#[inline(always)]
pub(crate) fn class_before(text: &[u8], end: usize) -> u8 {
    let mut start = end - 1;
    while text[start] & 0xc0 == 0x80 {
        start -= 1;
    }
    class_at(text, start).0
}

/// Length of the character that starts with `lead`; 1 for a byte that starts none.
#[inline(always)]
pub(crate) fn length_of(lead: u8) -> usize {
    match lead {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class, HirKind};
    use unicode_normalization::char::canonical_combining_class;
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

    fn class_of(c: char) -> u8 {
        let mut buffer = [0; 4];
        let text = c.encode_utf8(&mut buffer).as_bytes();
        let (class, length) = class_at(text, 0);
        assert_eq!(length, text.len());
        class
    }

    fn members(pattern: &str) -> impl Fn(char) -> bool {
        let HirKind::Class(Class::Unicode(class)) =
            regex_syntax::parse(pattern).unwrap().into_kind()
        else {
            panic!("{pattern} is not a class")
        };
        let ranges: Vec<_> = class.ranges().iter().map(|r| r.start()..=r.end()).collect();
        move |c| ranges.iter().any(|r| r.contains(&c))
    }

    #[test]
    fn every_character_has_the_class_that_the_regex_engine_gives_it() {
        let all = [
            (members(r"\p{L}"), LETTER),
            (members(r"\p{N}"), NUMBER),
            (members(r"\s"), SPACE),
            (members(r"\p{M}"), MARK),
            (members(r"[\p{Lu}\p{Lt}]"), UPPER),
            (members(r"\p{Ll}"), LOWER),
        ];
        for c in '\0'..=char::MAX {
            let expected: u8 = all.iter().map(|(is, bits)| if is(c) { *bits } else { 0 }).sum();
            assert_eq!(class_of(c) & !(UNSTABLE | STAYS), expected, "{c:?}");
        }
    }

    #[test]
    fn what_marks_make_of_a_character_is_of_its_class() {
        let mut made = 0;
        for c in '\0'..=char::MAX {
            let spelled: Vec<char> = c.nfd().collect();
            if spelled.len() > 1 && spelled.iter().copied().nfc().eq([c]) {
                let first = class_of(spelled[0]);
                assert!(first & UNSTABLE != 0 || first == class_of(c) & !UNSTABLE, "{c:?}");
                made += 1;
            }
        }
        assert!(made > 11_172, "{made}");
    }

    #[test]
    fn every_character_that_nfc_may_touch_is_marked() {
        for c in '\0'..=char::MAX {
            let stable = is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes
                && canonical_combining_class(c) == 0;
            assert_eq!(class_of(c) & UNSTABLE == 0, stable, "{c:?}");
            let stays = is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
            assert_eq!(class_of(c) & STAYS != 0, stays && !stable, "{c:?}");
        }
    }
}
