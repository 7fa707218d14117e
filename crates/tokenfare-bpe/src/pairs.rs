//! Which token two neighbours merge into: an open hash table of 64-bit words, four to a line.
//!
//! A word is `((left << 18 | right) + 1) << 18 | merged`; ids have 18 bits, zero is an empty place. A pair
//! is looked for in the line that its hash names, and in the next one if a pair found no place there:
//! then the highest bit of the line's first word is set.

use crate::prefetch::prefetch;

const PLACES: usize = 4;
/// One more than the largest id that fits.
pub(crate) const MAX_TOKENS: usize = 1 << 18;
/// Set in the first word of a line from which a pair went to the next.
const FULL: u64 = 1 << 63;
/// No token: what [`Pairs::merged`] answers for a pair that does not merge. Above every rank.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
#[repr(align(32))]
struct Line([u64; PLACES]);

/// Pairs of tokens and what they merge into. Look-up O(1) expected, one cache line mostly.
pub(crate) struct Pairs {
    lines: Box<[Line]>,
    shift: u32,
}

impl Pairs {
    /// Room for `count` pairs, at most 5 in 8 places taken.
    pub(crate) fn with_room_for(count: usize) -> Self {
        let lines = (count.max(1) * 8 / 5 / PLACES + 1).next_power_of_two().max(2);
        Pairs { lines: vec![Line([0; PLACES]); lines].into(), shift: 64 - lines.trailing_zeros() }
    }

    /// Adds a pair; `false` if it is there already.
    pub(crate) fn insert(&mut self, left: u32, right: u32, merged: u32) -> bool {
        let key = key(left, right);
        if self.merged(left, right) != NONE {
            return false;
        }
        let mut line = self.home(key);
        loop {
            let words = &mut self.lines[line].0;
            if let Some(word) = words.iter_mut().find(|word| **word & !FULL == 0) {
                *word |= key << 18 | u64::from(merged);
                return true;
            }
            words[0] |= FULL;
            line = (line + 1) & (self.lines.len() - 1);
        }
    }

    /// The token that `left` and `right` merge into, or [`NONE`].
    #[inline]
    pub(crate) fn merged(&self, left: u32, right: u32) -> u32 {
        let key = key(left, right);
        self.merged_from(self.home(key), key)
    }

    #[inline(always)]
    fn merged_from(&self, mut line: usize, key: u64) -> u32 {
        loop {
            let words = &self.lines[line].0;
            // A word of this key differs from it by the merged token, which is below all else. All
            // four, without branches: which it is, and whether it is there, cannot be predicted.
            let differs = |word: u64| word ^ key << 18;
            let [first, second, third, fourth] = *words;
            let least = differs(first & !FULL).min(differs(second));
            let least = least.min(differs(third).min(differs(fourth)));
            if least >= MAX_TOKENS as u64 && first & FULL != 0 {
                line = (line + 1) & (self.lines.len() - 1);
                continue;
            }
            return if least < MAX_TOKENS as u64 { least as u32 } else { NONE };
        }
    }

    /// Asks for what `left` and `right` merge into, if `both` are there, and lets the machine fetch
    /// it; [`Pairs::answer`] has it later.
    #[inline(always)]
    pub(crate) fn ask(&self, left: u32, right: u32, both: bool) -> Asked {
        let key = if both { key(left, right) } else { NOTHING.0 };
        let asked = Asked(key, self.home(key) as u32);
        if let Some(line) = self.lines.get(asked.1 as usize) {
            prefetch(line);
        }
        asked
    }

    /// The token that was asked for, or [`NONE`].
    #[inline(always)]
    pub(crate) fn answer(&self, Asked(key, line): Asked) -> u32 {
        self.merged_from(line as usize, key)
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }
}

/// A pair that was asked for: its key and the line to look in first.
#[derive(Clone, Copy)]
pub(crate) struct Asked(u64, u32);

/// No pair: its key is that of two ids which no vocabulary has room for.
pub(crate) const NOTHING: Asked = Asked(u64::MAX >> 28, 0);

#[inline]
fn key(left: u32, right: u32) -> u64 {
    (u64::from(left) << 18 | u64::from(right)) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_nothing_else() {
        let mut pairs = Pairs::with_room_for(1000);
        for i in 0..1000 {
            assert!(pairs.insert(i, i * 7 % 1000, 256 + i));
        }
        for left in 0..1000 {
            for right in 0..1000 {
                let expected = if left * 7 % 1000 == right { 256 + left } else { NONE };
                assert_eq!(pairs.merged(left, right), expected);
            }
        }
    }

    #[test]
    fn the_pair_of_zeros_is_not_taken_for_an_empty_place() {
        let mut pairs = Pairs::with_room_for(1);
        assert_eq!(pairs.merged(0, 0), NONE);
        assert!(pairs.insert(0, 0, 300));
        assert_eq!(pairs.merged(0, 0), 300);
    }

    #[test]
    fn a_pair_is_inserted_once() {
        let mut pairs = Pairs::with_room_for(1);
        assert!(pairs.insert(1, 2, 300));
        assert!(!pairs.insert(1, 2, 301));
        assert_eq!(pairs.merged(1, 2), 300);
    }

    #[test]
    fn lines_that_are_full_spill_into_the_next() {
        let mut pairs = Pairs::with_room_for(2);
        for i in 0..7 {
            assert!(pairs.insert(i, i, 256 + i));
        }
        assert!((0..7).all(|i| pairs.merged(i, i) == 256 + i));
        assert_eq!(pairs.merged(7, 7), NONE);
    }
}
