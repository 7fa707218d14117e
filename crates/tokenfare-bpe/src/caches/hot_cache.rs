//! Counts of the pieces of up to 15 bytes met last. The table is so small that it stays in the near
//! caches of the processor, and it answers for most pieces of a text.
//!
//! The plain way looks up one piece after the other and waits for each entry. Here pieces are
//! looked up in groups: every entry of a group is prefetched before the first is read, and AVX-512
//! or AVX2 compare four at a time.
//!
//! An entry is as in `short_cache`. A key has one place, and the newest entry stays.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod sse2;

use crate::caches::short_cache::Key;
#[cfg(target_arch = "x86_64")]
use crate::machine::{has_avx2, has_avx512};
use crate::pieces::windows::{Places, list};
use crate::prefetch::prefetch;
use crate::table::table;

const BITS: u32 = 14;
const HOT: usize = 1 << BITS;

/// Pieces that are looked up together.
const GROUP: usize = 64;
/// Pieces that are looked up together where fewer than [`GROUP`] are left, so that a short text
/// needs little room.
const SOME: usize = 16;

/// A key with its count, or zeros if the place is empty.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Entry(Key);

/// Entries in a cache line of the CPU.
const ENTRIES_IN_A_LINE: usize = 64 / size_of::<Entry>();

/// The cache; 256 kB.
pub(crate) struct HotCache(Box<[Entry; HOT]>);

impl Default for HotCache {
    fn default() -> Self {
        HotCache(table(Entry(Key::default())))
    }
}

impl HotCache {
    /// Prefetches all of it.
    pub(crate) fn prefetch(&self) {
        self.0.iter().step_by(ENTRIES_IN_A_LINE).for_each(prefetch);
    }

    /// Keeps the count of a piece, 1 to 15. A `count` of 0 empties its place instead. O(1).
    #[inline(always)]
    pub(crate) fn put(&mut self, key: Key, mixed: u64, count: usize) {
        self.0[place(mixed)].0 = key.with_count(count);
    }

    /// The tokens of all pieces that are here, together. The numbers of the other pieces are added
    /// to `missing`. O(pieces).
    ///
    /// Piece `i` is `text[starts[i]..ends[i]]`. Every piece starts at least 16 bytes before the end
    /// of `text`.
    pub(crate) fn count(
        &self,
        text: &[u8],
        starts: &[u32],
        ends: &[u32],
        missing: &mut Places,
    ) -> usize {
        #[cfg(target_arch = "x86_64")]
        if starts.len() >= GROUP && has_avx2() {
            // SAFETY: the functions ask for nothing but the instructions that they were compiled
            // for, and the machine has these.
            return unsafe {
                match has_avx512() {
                    true => avx512::count(self, text, starts, ends, missing),
                    false => avx2::count(self, text, starts, ends, missing),
                }
            };
        }
        self.count_with(
            text,
            starts,
            ends,
            missing,
            |hot, text, starts, ends| hot.find::<GROUP>(text, starts, ends),
            list,
        )
    }

    /// As `count`, with the function that looks up a whole group. It returns the tokens of the
    /// pieces that are here, and the others as bits.
    #[inline(always)]
    fn count_with(
        &self,
        text: &[u8],
        starts: &[u32],
        ends: &[u32],
        missing: &mut Places,
        mut find: impl FnMut(&HotCache, &[u8], &[u32; GROUP], &[u32; GROUP]) -> (usize, u64),
        list: impl Fn(&mut [u32; GROUP], u32, u64),
    ) -> usize {
        let (mut sum, mut base) = (0, 0);
        let mut take = |(count, others): (usize, u64), pieces: usize| {
            sum += count;
            missing.add(base, others, &list);
            base += pieces as u32;
        };
        let (groups, starts) = starts.as_chunks();
        let (groups_ends, ends) = ends.as_chunks();
        for (starts, ends) in groups.iter().zip(groups_ends) {
            take(find(self, text, starts, ends), GROUP);
        }
        for (starts, ends) in starts.chunks(SOME).zip(ends.chunks(SOME)) {
            take(self.find::<SOME>(text, starts, ends), starts.len());
        }
        sum
    }

    /// Looks up at most `MOST` pieces one by one, without a branch on what is found.
    #[inline(always)]
    fn find<const MOST: usize>(&self, text: &[u8], starts: &[u32], ends: &[u32]) -> (usize, u64) {
        let mut asked = [(Key::default(), 0); MOST];
        for ((asked, start), end) in asked.iter_mut().zip(starts).zip(ends) {
            let (start, length) = (*start as usize, (end - start) as usize);
            let bytes = text.get(start..start + 16).and_then(|bytes| bytes.first_chunk());
            let key = bytes.map_or_else(Key::default, |bytes| Key::of_first(bytes, length));
            let place = place(key.mixed());
            prefetch(&self.0[place]);
            *asked = (key, place);
        }
        let (mut sum, mut missing) = (0, 0);
        for (i, (key, place)) in asked.iter().take(starts.len()).enumerate() {
            let count = self.0[place % HOT].0.count_if_same(*key);
            sum += count;
            missing |= u64::from(count == 0) << i;
        }
        (sum, missing)
    }
}

fn place(mixed: u64) -> usize {
    (mixed >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "x86_64")]
    use crate::machine::tests::{Vectors, with};
    use crate::testing::dice;

    #[test]
    fn pieces_are_found_in_groups_as_one_by_one() {
        let mut roll = dice(11);
        let text: Vec<u8> = (0..20_000).map(|_| b"abc\0\xff"[roll(5)]).collect();
        let mut hot = HotCache::default();
        for round in 0..300 {
            let (mut starts, mut ends, mut at) = (vec![], vec![], 0);
            while starts.len() < 64 * (round % 4) + roll(64) {
                let length = [1 + roll(4), roll(20), roll(300)][roll(20) / 9];
                if at + length + 16 > text.len() {
                    break;
                }
                starts.push(at as u32);
                at += length;
                ends.push(at as u32);
            }
            let (mut sum, mut expected) = (0, vec![]);
            for (i, (start, end)) in starts.iter().zip(&ends).enumerate() {
                let (start, end) = (*start as usize, *end as usize);
                let known = (1..=15).contains(&(end - start)).then(|| Key::new(&text, start, end));
                let entry = |key: Key| hot.0[place(key.mixed())].0.count_if_same(key);
                match known.map_or(0, entry) {
                    0 => expected.push(i as u32),
                    count => sum += count,
                }
            }
            let check = || {
                let mut missing = Places::default();
                let found = hot.count(&text, &starts, &ends, &mut missing);
                assert_eq!((found, missing.all()), (sum, &expected[..]));
            };
            check();
            #[cfg(target_arch = "x86_64")]
            for vectors in [Vectors::Plain, Vectors::Avx2] {
                with(vectors, check);
            }
            for i in expected {
                let (start, end) = (starts[i as usize] as usize, ends[i as usize] as usize);
                if (1..=15).contains(&(end - start)) {
                    let key = Key::new(&text, start, end);
                    hot.put(key, key.mixed(), roll(16));
                }
            }
        }
    }
}
