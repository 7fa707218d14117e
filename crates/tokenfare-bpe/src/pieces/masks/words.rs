//! The masks of a window for every CPU: eight bytes in a word.

use super::{Masks, READ, WINDOW};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// The masks of the window at the start of `bytes`; `plain` is empty. O(1).
#[inline(always)]
pub(crate) fn masks(bytes: &[u8; READ]) -> Masks {
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
