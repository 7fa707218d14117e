//! Which token two neighbours merge into: a hash table whose lines are cache lines of the
//! processor, with twelve pairs to a line.
//!
//! The plain way keeps both ids of a pair and the token. Ids have 18 bits, so that is a word of 64
//! bits, and eight pairs fit into a line. But look-ups jump about in the whole table and wait for
//! far memory, so half the room is time saved.
//!
//! A pair is a number of 36 bits. Multiplied by an odd factor, it becomes another number of 36
//! bits, and no two pairs become the same. The upper bits of that number, 14 or more, name the
//! line. So an entry keeps only the lower 22, beside the 18 of the token: 40 bits. A pair that is
//! not in the table is never taken for one that is.
//!
//! A pair that finds no place in its line stands in a hash map, `beyond`, which is shared by all
//! such pairs, and one of 32 bits in the line says that it may be there. The pairs of lowest rank
//! come first, so hardly one that is common is there.

#[cfg(target_arch = "x86_64")]
mod sse2;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::select_unpredictable;

use crate::prefetch::prefetch;

/// Pairs that a line has room for.
const PLACES: usize = 12;
/// Pairs for which a line is made: fewer than it has room for, so that few lines are full.
const EACH: usize = 10;
/// A line is named by at least so many bits of a mixed pair. An entry has room for the others.
const LEAST_BITS: u32 = 14;
/// Pairs whose lines are being fetched while one is put in.
const AHEAD: usize = 16;
/// One more than the most tokens that merging may make: the last id of 18 bits belongs to none of
/// them. A spare token, of which nothing is made, may have that id or a higher one.
pub(crate) const MAX_TOKENS: usize = 1 << 18;
/// The id of no token that merging makes. [`Pairs::merged`] returns it for a pair that does not
/// merge, and an empty place holds it. It is above the rank of every token that merging makes.
pub(crate) const NONE: u32 = MAX_TOKENS as u32 - 1;

/// Sixteen words. Each of the first twelve is an entry: the lower fourteen of its bits, and its
/// token. Three hold the other eight bits of each entry, four entries in a word. The last holds the
/// bits that tell of pairs that found no place.
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
        // SAFETY: the function asks for nothing but instructions that every x86-64 machine has.
        // Compared word by word, counting new text takes a fifth longer.
        let same = unsafe { sse2::same(self, mixed) };
        #[cfg(not(target_arch = "x86_64"))]
        let same = self.same(mixed);
        // Empty places come after those that are taken. So the first place is that of the pair if
        // it is here; if it is not, the place may be an empty one, whose token is `NONE`.
        let place = (same | 1 << PLACES).trailing_zeros() as usize;
        select_unpredictable(place < PLACES, self.0[place % 16] & NONE, NONE)
    }

    /// The places, as bits, whose entries are of the pair that was mixed to `mixed`. An empty place
    /// is taken for an entry of zeros.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn same(&self, mixed: Mixed) -> u32 {
        let Line(words) = self;
        let same = |place: usize| {
            let high = words[PLACES + place / 4] >> (8 * (place % 4));
            (words[place] & !NONE == mixed.low()) & (high as u8 == mixed.high() as u8)
        };
        (0..PLACES).fold(0, |all, place| all | u32::from(same(place)) << place)
    }

    /// Puts in a pair behind those that are here. If there is no room, marks that it is in
    /// `beyond`, and returns `false`.
    fn put(&mut self, mixed: Mixed, merged: u32, place: usize) -> bool {
        let Line(words) = self;
        if place >= PLACES {
            words[PLACES + 3] |= mixed.bit();
            return false;
        }
        words[place] = mixed.low() | merged;
        words[PLACES + place / 4] |= (mixed.high() & 0xff) << (8 * (place % 4));
        true
    }

    /// Whether the pair may be in `beyond`.
    #[inline(always)]
    fn is_beyond(&self, mixed: Mixed) -> bool {
        self.0[PLACES + 3] & mixed.bit() != 0
    }
}

/// A pair after mixing, in the upper 36 bits. The lower 28 are zero.
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

    /// The lower fourteen of the bits that an entry keeps, where an entry has them: above the
    /// token.
    #[inline(always)]
    fn low(self) -> u32 {
        ((self.0 >> 28) as u32) << 18
    }

    /// The other eight bits that an entry keeps. Bits above these are not part of it.
    #[inline(always)]
    fn high(self) -> u32 {
        (self.0 >> 42) as u32
    }

    /// The bit that marks this pair in the last word of a line.
    #[inline(always)]
    fn bit(self) -> u32 {
        1 << (self.high() & 31)
    }
}

/// Mixes a mixed pair once more for the hash map: all pairs of a line have the same upper bits, and
/// the map must not see that.
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

/// Pairs of tokens, and what they merge into. A look-up is O(1) expected, and mostly reads one
/// cache line.
pub(crate) struct Pairs {
    lines: Box<[Line]>,
    shift: u32,
    /// The pairs that found no place in their line.
    beyond: HashMap<Mixed, u32, BuildHasherDefault<Twice>>,
}

impl Pairs {
    /// The pairs that merge into the tokens from `first` on. Fails with a token that is made of the
    /// same pair as an earlier one. O(`merges`) expected.
    pub(crate) fn of(merges: &[(u32, u32)], first: u32) -> Result<Self, u32> {
        let mut pairs = Pairs::with_room_for(merges.len());
        let mut taken = vec![0; pairs.lines.len()];
        for (i, ((left, right), merged)) in merges.iter().zip(first..).enumerate() {
            // The line of a pair that comes later is fetched meanwhile.
            if let Some((left, right)) = merges.get(i + AHEAD) {
                pairs.ask(*left, *right, true);
            }
            if !pairs.insert(*left, *right, merged, &mut taken) {
                return Err(merged);
            }
        }
        Ok(pairs)
    }

    /// An empty table with room for `count` pairs. O(`count`).
    fn with_room_for(count: usize) -> Self {
        let lines = (count / EACH + 1).next_power_of_two().max(1 << LEAST_BITS);
        Pairs {
            lines: vec![Line::EMPTY; lines].into(),
            shift: 64 - lines.trailing_zeros(),
            beyond: HashMap::default(),
        }
    }

    /// Adds a pair. `false` if it is there already. `taken` has the number of places taken in each
    /// line, so that the first free one need not be looked for. O(1) expected.
    fn insert(&mut self, left: u32, right: u32, merged: u32, taken: &mut [u8]) -> bool {
        let mixed = Mixed::of(left, right);
        if self.answer(mixed) != NONE {
            return false;
        }
        let line = mixed.line(self.shift);
        if self.lines[line].put(mixed, merged, usize::from(taken[line])) {
            taken[line] += 1;
        } else {
            self.beyond.insert(mixed, merged);
        }
        true
    }

    /// The token that `left` and `right` merge into, or [`NONE`]. O(1) expected.
    #[inline]
    pub(crate) fn merged(&self, left: u32, right: u32) -> u32 {
        self.answer(Mixed::of(left, right))
    }

    /// Asks for what `left` and `right` merge into: prefetches the line that [`Pairs::answer`] will
    /// read. If not `both` exist, the answer will be [`NONE`]. O(1), no branch on `both`.
    #[inline(always)]
    pub(crate) fn ask(&self, left: u32, right: u32, both: bool) -> Mixed {
        let mixed = Mixed(select_unpredictable(both, Mixed::of(left, right).0, NOTHING.0));
        if let Some(line) = self.lines.get(mixed.line(self.shift)) {
            prefetch(line);
        }
        mixed
    }

    /// The answer to what was asked: the token, or [`NONE`]. O(1) expected.
    #[inline(always)]
    pub(crate) fn answer(&self, mixed: Mixed) -> u32 {
        let line = &self.lines[mixed.line(self.shift)];
        let found = line.find(mixed);
        // The order matters: that the bit is set is rare, so the branch on it is predicted. Whether
        // the pair was found cannot be predicted.
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

/// What no pair is mixed to: two ids of which no vocabulary makes anything.
pub(crate) const NOTHING: Mixed = Mixed::of(NONE, NONE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_nothing_else() {
        let pairs =
            Pairs::of(&(0..1000).map(|i| (i, i * 7 % 1000)).collect::<Vec<_>>(), 256).unwrap();
        for left in 0..1000 {
            for right in 0..1000 {
                let expected = if left * 7 % 1000 == right { 256 + left } else { NONE };
                assert_eq!(pairs.merged(left, right), expected);
            }
        }
    }

    #[test]
    fn the_pair_of_zeros_is_not_taken_for_an_empty_place() {
        assert_eq!(Pairs::of(&[], 300).unwrap().merged(0, 0), NONE);
        assert_eq!(Pairs::of(&[(0, 0)], 300).unwrap().merged(0, 0), 300);
    }

    #[test]
    fn a_pair_is_inserted_once() {
        assert_eq!(Pairs::of(&[(1, 2), (2, 1), (1, 2)], 300).err(), Some(302));
        assert_eq!(Pairs::of(&[(0, 0), (0, 0)], 300).err(), Some(301));
    }

    /// Pairs whose line is the first.
    fn rivals(pairs: &Pairs) -> impl Iterator<Item = (u32, u32)> {
        let all = (0..2_000).flat_map(|left| (0..2_000).map(move |right| (left, right)));
        all.filter(|(left, right)| Mixed::of(*left, *right).line(pairs.shift) == 0)
    }

    #[test]
    fn pairs_that_find_no_place_in_their_line_are_found_and_nothing_else() {
        let rivals: Vec<_> = rivals(&Pairs::with_room_for(60)).take(120).collect();
        let pairs = Pairs::of(&rivals[..60], 256).unwrap();
        assert_eq!(pairs.beyond.len(), 60 - PLACES);
        for again in [0, PLACES - 1, PLACES, 59] {
            let twice: Vec<_> = [&rivals[..60], &rivals[again..=again]].concat();
            assert_eq!(Pairs::of(&twice, 256).err(), Some(316));
        }
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
            for (i, (left, right)) in rivals[..taken].iter().rev().enumerate() {
                assert!(line.put(Mixed::of(*left, *right), 256 + i as u32, i));
            }
            for (left, right) in &rivals {
                // With one bit changed, it is another pair of this line, or one of another line,
                // which this line is never asked for.
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
