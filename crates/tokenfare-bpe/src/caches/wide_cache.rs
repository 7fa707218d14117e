//! Counts of pieces of 16 to 30 bytes that were met before: words in scripts of two bytes a letter,
//! long identifiers.
//!
//! It is as `short_cache`, with entries of 32 bytes: 30 for the piece, one for its length, one for
//! its count. Two entries form a set, which is one cache line of the processor, the newer first.

use std::hint::select_unpredictable;

use crate::prefetch::prefetch;
use crate::table::table;

/// Longest piece, in bytes, that has an entry.
pub(crate) const LONGEST: usize = 30;
const SETS: usize = 1 << 15;

/// A piece as four words. Its bytes are padded with zeros, and the last byte but one is its length.
/// The last byte is the count in an entry, and zero in a key.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WideKey([u64; 4]);

const COUNT: u32 = 56;

impl WideKey {
    /// The key of `text[start..end]`, which has 16 to [`LONGEST`] bytes. O(1).
    #[inline(always)]
    pub(crate) fn new(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        match text.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => WideKey::of_first(bytes, length),
            None => {
                let mut bytes = [0; 32];
                bytes[..length].copy_from_slice(&text[start..end]);
                WideKey::of_first(&bytes, length)
            }
        }
    }

    #[inline(always)]
    fn of_first(bytes: &[u8; 32], length: usize) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |i: usize| u64::from_le_bytes(words[i]);
        // The first 16 of 16 to 30 bytes are always there; 0 to 14 are left for the upper two
        // words. A word cannot be shifted by 64 bits, hence the two cases.
        let bits = 8 * (length as u32 - 16);
        let third = if bits < 64 { (1 << bits) - 1 } else { u64::MAX };
        let fourth = if bits < 64 { 0 } else { (1 << (bits - 64)) - 1 };
        WideKey([word(0), word(1), word(2) & third, word(3) & fourth | (length as u64) << 48])
    }

    /// The key as bytes: the piece, then zeros, its length in the last byte but one.
    #[inline(always)]
    pub(crate) fn bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (words, _) = bytes.as_chunks_mut::<8>();
        words.iter_mut().zip(self.0).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
        bytes
    }

    /// The key with these bytes.
    #[inline(always)]
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        WideKey([0, 1, 2, 3].map(|i| u64::from_le_bytes(words[i])))
    }

    /// Length of its piece in bytes.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        (self.0[3] >> 48) as usize & 0xff
    }

    /// All bits of the key mixed. The lowest ones choose a place.
    #[inline(always)]
    pub(crate) fn mixed(self) -> u64 {
        let WideKey([a, b, c, d]) = self;
        let (left, right) = (a ^ c.rotate_left(23), b ^ d.rotate_left(41));
        let product =
            u128::from(left ^ 0x9e37_79b9_7f4a_7c15) * u128::from(right ^ 0xd6e8_feb8_6659_fd93);
        (product >> 64) as u64 ^ product as u64
    }
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Set([[u64; 4]; 2]);

/// The cache; 2 MiB once the first piece is put in, nothing before.
#[derive(Default)]
pub(crate) struct WideCache(Option<Box<[Set; SETS]>>);

impl WideCache {
    /// The count of the piece, or 0 if it is not here. O(1), no branch on what is found.
    #[inline(always)]
    pub(crate) fn find(&self, key: WideKey) -> usize {
        let Some(sets) = &self.0 else { return 0 };
        let WideKey([a, b, c, d]) = key;
        let Set(entries) = &sets[key.mixed() as usize % SETS];
        entries.iter().fold(0, |count, entry| {
            let differs = (entry[0] ^ a)
                | (entry[1] ^ b)
                | (entry[2] ^ c)
                | ((entry[3] ^ d) << (64 - COUNT) >> (64 - COUNT));
            count | select_unpredictable(differs == 0, (entry[3] >> COUNT) as usize, 0)
        })
    }

    /// Prefetches the piece's set.
    #[inline(always)]
    pub(crate) fn prefetch(&self, key: WideKey) {
        if let Some(sets) = &self.0 {
            prefetch(&sets[key.mixed() as usize % SETS]);
        }
    }

    /// Keeps the count of a piece, 1 to 30. O(1), except for making the table.
    #[inline]
    pub(crate) fn put(&mut self, key: WideKey, count: usize) {
        let WideKey([a, b, c, d]) = key;
        let sets = self.0.get_or_insert_with(|| table(Set([[0; 4]; 2])));
        let Set(entries) = &mut sets[key.mixed() as usize % SETS];
        *entries = [[a, b, c, d | (count as u64) << COUNT], entries[0]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_piece_wherever_it_stands() {
        let text = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for start in 0..text.len() {
            for end in start + 16..=text.len().min(start + LONGEST) {
                let alone = text[start..end].to_vec();
                assert!(WideKey::new(text, start, end) == WideKey::new(&alone, 0, alone.len()));
            }
        }
    }

    #[test]
    fn what_was_put_in_last_is_found_with_its_count_and_nothing_else() {
        let mut wide = WideCache::default();
        for i in 0..200_000usize {
            let piece = format!("{i:0>width$}", width = 16 + i % 15);
            let key = WideKey::new(piece.as_bytes(), 0, piece.len());
            assert_eq!(wide.find(key), 0);
            wide.put(key, i % 30 + 1);
            assert_eq!(wide.find(key), i % 30 + 1);
        }
    }
}
