//! Which token two neighbours merge into: an open hash table, twelve pairs to a line of the machine's
//! cache.
//!
//! A pair is a number of 36 bits, since ids have 18. An odd factor mixes it to another number of 36 bits,
//! and never two to the same. Its upper bits name the line, so an entry keeps only the lower 22, beside
//! the 18 of the token: 40 bits a pair, and what is not there is never taken for what is. Look-ups jump
//! about in the whole table and wait for far memory, so half the room is time saved.
//!
//! A pair that finds no place in its line stands in a table of its own for all those, and one of 32 bits
//! in the line tells of it. The pairs of lowest rank come first, so hardly one that is common is there.

#[cfg(target_arch = "x86_64")]
mod sse2;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::select_unpredictable;

use crate::prefetch::prefetch;

/// Pairs that a line has room for.
const PLACES: usize = 12;
/// Pairs for which there is a line; fewer than it has room for, so that few are full.
const EACH: usize = 10;
/// Lines by so many bits at least: what those do not tell, an entry has room for.
const LEAST_BITS: u32 = 14;
/// One more than the most tokens that merging may make: the last id of 18 bits is none of theirs. Spare ones, of
/// which nothing is made, may have it or be beyond.
pub(crate) const MAX_TOKENS: usize = 1 << 18;
/// No token that merging makes: what [`Pairs::merged`] answers for a pair that does not merge, and what an empty
/// place holds. Above every rank of one that it makes.
pub(crate) const NONE: u32 = MAX_TOKENS as u32 - 1;

/// Twelve words of the lower fourteen bits and the token; twelve bytes of the other eight, four in a word;
/// and the word that tells of pairs that found no place.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u32; 16]);

impl Line {
    const EMPTY: Self = {
        let mut words = [NONE; 16];
        words[PLACES] = 0;
        words[PLACES + 1] = 0;
        words[PLACES + 2] = 0;
        words[PLACES + 3] = 0;
        Line(words)
    };

    /// The token of the pair that was mixed to `mixed`, or [`NONE`]. O(1), no branch.
    #[inline(always)]
    fn find(&self, mixed: Mixed) -> u32 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: asks for what every x86-64 machine has. Word by word, counting new text takes a fifth longer.
        let same = unsafe { sse2::same(self, mixed) };
        #[cfg(not(target_arch = "x86_64"))]
        let same = self.same(mixed);
        // An empty place stands behind those that are taken, so the first is the pair if it is there.
        let place = (same | 1 << PLACES).trailing_zeros() as usize;
        select_unpredictable(place < PLACES, self.0[place % 16] & NONE, NONE)
    }

    /// The places, as bits, whose entries are of the pair that was mixed to `mixed`, empty ones taken for
    /// entries of zeros.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn same(&self, mixed: Mixed) -> u32 {
        let Line(words) = self;
        let same = |place: usize| {
            let high = words[PLACES + place / 4] >> (8 * (place % 4));
            (words[place] & !NONE == mixed.low()) & (high as u8 == mixed.high() as u8)
        };
        (0..PLACES).fold(0, |all, place| all | u32::from(same(place)) << place)
    }

    /// Takes in a pair, if there is room.
    fn put(&mut self, mixed: Mixed, merged: u32) -> bool {
        let Line(words) = self;
        let Some(place) = words[..PLACES].iter().position(|word| word % (1 << 18) == NONE) else {
            words[PLACES + 3] |= mixed.bit();
            return false;
        };
        words[place] = mixed.low() | merged;
        words[PLACES + place / 4] |= (mixed.high() & 0xff) << (8 * (place % 4));
        true
    }

    /// Whether the pair may be one that found no place.
    #[inline(always)]
    fn is_beyond(&self, mixed: Mixed) -> bool {
        self.0[PLACES + 3] & mixed.bit() != 0
    }
}

/// A pair that was mixed: in the upper 36 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mixed(u64);

impl Mixed {
    #[inline(always)]
    const fn of(left: u32, right: u32) -> Self {
        let pair = (left as u64) << 18 | right as u64;
        Mixed(pair.wrapping_mul(0xd1ce_4e5b_9000_0000 | 1 << 28))
    }

    #[inline(always)]
    fn line(self, shift: u32) -> usize {
        (self.0 >> shift) as usize
    }

    /// The lower fourteen of the bits that an entry keeps, where a word has them.
    #[inline(always)]
    fn low(self) -> u32 {
        ((self.0 >> 28) as u32) << 18
    }

    /// The other eight; the bits above are no part of it.
    #[inline(always)]
    fn high(self) -> u32 {
        (self.0 >> 42) as u32
    }

    /// One of 32 bits.
    #[inline(always)]
    fn bit(self) -> u32 {
        1 << (self.high() & 31)
    }
}

/// What is mixed already, mixed once more: its line and the bits of the hash map are not the same.
#[derive(Default)]
struct Twice(u64);

impl Hasher for Twice {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, mixed: u64) {
        self.0 = (mixed >> 28).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Pairs of tokens and what they merge into. Look-up O(1) expected, one cache line mostly.
pub(crate) struct Pairs {
    lines: Box<[Line]>,
    shift: u32,
    /// Those that found no place.
    beyond: HashMap<Mixed, u32, BuildHasherDefault<Twice>>,
}

impl Pairs {
    /// Room for `count` pairs.
    pub(crate) fn with_room_for(count: usize) -> Self {
        let lines = (count / EACH + 1).next_power_of_two().max(1 << LEAST_BITS);
        Pairs {
            lines: vec![Line::EMPTY; lines].into(),
            shift: 64 - lines.trailing_zeros(),
            beyond: HashMap::default(),
        }
    }

    /// Adds a pair; `false` if it is there already.
    pub(crate) fn insert(&mut self, left: u32, right: u32, merged: u32) -> bool {
        let mixed = Mixed::of(left, right);
        if self.merged(left, right) != NONE {
            return false;
        }
        if !self.lines[mixed.line(self.shift)].put(mixed, merged) {
            self.beyond.insert(mixed, merged);
        }
        true
    }

    /// The token that `left` and `right` merge into, or [`NONE`].
    #[inline]
    pub(crate) fn merged(&self, left: u32, right: u32) -> u32 {
        self.answer(Mixed::of(left, right))
    }

    /// Asks for what `left` and `right` merge into, if `both` are there, and lets the machine fetch
    /// it; [`Pairs::answer`] has it later.
    #[inline(always)]
    pub(crate) fn ask(&self, left: u32, right: u32, both: bool) -> Mixed {
        let mixed = Mixed(select_unpredictable(both, Mixed::of(left, right).0, NOTHING.0));
        if let Some(line) = self.lines.get(mixed.line(self.shift)) {
            prefetch(line);
        }
        mixed
    }

    /// The token that was asked for, or [`NONE`].
    #[inline(always)]
    pub(crate) fn answer(&self, mixed: Mixed) -> u32 {
        let line = &self.lines[mixed.line(self.shift)];
        let found = line.find(mixed);
        // In this order: that it is beyond is rare, that it is not found cannot be predicted.
        if line.is_beyond(mixed) && found == NONE {
            return self.find_beyond(mixed);
        }
        found
    }

    #[cold]
    fn find_beyond(&self, mixed: Mixed) -> u32 {
        self.beyond.get(&mixed).copied().unwrap_or(NONE)
    }
}

/// No pair: two ids of which nothing is made in any vocabulary.
pub(crate) const NOTHING: Mixed = Mixed::of(NONE, NONE);

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

    /// Pairs whose line is the first.
    fn rivals(pairs: &Pairs) -> impl Iterator<Item = (u32, u32)> {
        let all = (0..2_000).flat_map(|left| (0..2_000).map(move |right| (left, right)));
        all.filter(|(left, right)| Mixed::of(*left, *right).line(pairs.shift) == 0)
    }

    #[test]
    fn pairs_that_find_no_place_in_their_line_are_found_and_nothing_else() {
        let mut pairs = Pairs::with_room_for(2);
        let rivals: Vec<_> = rivals(&pairs).take(120).collect();
        for ((left, right), merged) in rivals[..60].iter().zip(256..) {
            assert!(pairs.insert(*left, *right, merged));
            assert!(!pairs.insert(*left, *right, merged + 1));
        }
        assert_eq!(pairs.beyond.len(), 60 - PLACES);
        for (i, (left, right)) in rivals.iter().enumerate() {
            let expected = if i < 60 { 256 + i as u32 } else { NONE };
            assert_eq!(pairs.merged(*left, *right), expected);
        }
    }

    #[test]
    fn no_two_pairs_are_mixed_to_the_same() {
        // Whatever is lost of a number by mixing is lost of one with a single bit.
        let bits = || (0..18).flat_map(|bit| [1 << bit, (1 << bit) + 1]).filter(|id| *id >= 128);
        let ids = || (0..128).chain(bits().filter(|id| *id < NONE - 128)).chain(NONE - 128..=NONE);
        let mut all: Vec<_> = ids().flat_map(|l| ids().map(move |r| Mixed::of(l, r).0)).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|mixed| mixed % (1 << 28) == 0));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn entries_are_found_at_once_as_one_by_one() {
        let pairs = Pairs::with_room_for(2);
        let rivals: Vec<_> = rivals(&pairs).take(30).collect();
        for taken in 0..=PLACES {
            let mut line = Line::EMPTY;
            for ((left, right), merged) in rivals[..taken].iter().rev().zip(256..) {
                assert!(line.put(Mixed::of(*left, *right), merged));
            }
            for (left, right) in &rivals {
                // One bit changed is a pair of this line, or one that is asked in no line but its own.
                for bit in (0..36).map(|bit| 1 << (28 + bit)).chain([0]) {
                    let mixed = Mixed(Mixed::of(*left, *right).0 ^ bit);
                    // SAFETY: every x86-64 machine has what the function was compiled for.
                    let at_once = unsafe { sse2::same(&line, mixed) };
                    assert_eq!(at_once, line.same(mixed));
                }
            }
        }
    }
}
