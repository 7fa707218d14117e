//! Counts of pieces of up to 15 bytes that were met before. Most pieces of a text are so short.
//!
//! A piece, its length and its count fit into 16 bytes. Four such entries form a set, which is one
//! cache line of the processor. They stand in the order of age, the newest first, and a new one
//! displaces the oldest.
//!
//! It is a cache and nothing else: bounded, and never wrong, since the whole piece is compared. A
//! piece that it does not hold is merged and put in. At first it holds the vocabulary.

use std::hint::select_unpredictable;

use crate::prefetch::prefetch;
use crate::table::table;
use crate::vocabulary::Vocabulary;

/// Longest piece, in bytes, that has an entry.
pub(crate) const LONGEST: usize = 15;
const BITS: u32 = 16;
const SETS: usize = 1 << BITS;
/// Tokens whose sets are being fetched at once while the vocabulary is put in.
const AHEAD: usize = 16;

/// A piece as two words. Its bytes are padded with zeros, and the low half of the last byte is its
/// length. The high half of that byte is the count in an entry, and zero in a key.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Key(u64, u64);

const MASKS: [(u64, u64); 16] = {
    let mut masks = [(0, 0); 16];
    let mut length = 1;
    while length < 16 {
        masks[length] = if length <= 8 {
            (u64::MAX >> (64 - 8 * length), 0)
        } else {
            (u64::MAX, u64::MAX >> (128 - 8 * length))
        };
        length += 1;
    }
    masks
};

/// Factors by which the two words of a key are mixed.
pub(crate) const FACTORS: (u64, u64) = (0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93);

/// The two words of a key mixed to one: the sum of two products, which AVX-512 makes of four keys
/// at a time.
#[inline(always)]
pub(crate) fn mixed(low: u64, high: u64) -> u64 {
    low.wrapping_mul(FACTORS.0).wrapping_add(high.wrapping_mul(FACTORS.1))
}

impl Key {
    /// The key of the first `length` bytes, 1 to [`LONGEST`]. Other lengths give the key of
    /// nothing, which is never found with a count. O(1), no branch.
    #[inline(always)]
    pub(crate) fn of_first(bytes: &[u8; 16], length: usize) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let length = select_unpredictable(length <= LONGEST, length, 0);
        let mask = MASKS[length & 15];
        let (low, high) = (u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]));
        Key(low & mask.0, high & mask.1 | (length as u64) << 56)
    }

    /// The key of `text[start..end]`, which has 1 to [`LONGEST`] bytes. O(1).
    #[inline(always)]
    pub(crate) fn new(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        match text.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => Key::of_first(bytes, length),
            None => {
                let mut bytes = [0; 16];
                bytes[..length].copy_from_slice(&text[start..end]);
                Key::of_first(&bytes, length)
            }
        }
    }

    /// All bits of the key mixed. The highest ones choose a place.
    #[inline(always)]
    pub(crate) fn mixed(self) -> u64 {
        mixed(self.0, self.1)
    }

    /// The key as bytes: the piece, then zeros, its length in the last byte.
    #[inline(always)]
    pub(crate) fn bytes(self) -> [u8; 16] {
        (u128::from(self.0) | u128::from(self.1) << 64).to_le_bytes()
    }

    /// The key with these bytes.
    #[inline(always)]
    pub(crate) fn from_bytes(bytes: &[u8; 16]) -> Self {
        let words = u128::from_le_bytes(*bytes);
        Key(words as u64, (words >> 64) as u64)
    }

    /// Length of its piece in bytes.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        (self.1 >> 56) as usize & LONGEST
    }

    /// Its two words, for callers that handle several keys at once.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn words(self) -> (u64, u64) {
        (self.0, self.1)
    }

    /// This key as an entry: the piece has `count` tokens, 1 to 15, or nothing is known of it, 0.
    #[inline]
    pub(crate) fn with_count(self, count: usize) -> Self {
        debug_assert!(count <= LONGEST);
        Key(self.0, self.1 | (count as u64) << 60)
    }

    /// The count in this entry if its piece is that of `key`, otherwise 0. No branch. The shift
    /// drops the four bits of the count from the comparison.
    #[inline(always)]
    pub(crate) fn count_if_same(self, key: Key) -> usize {
        let differs = (self.0 ^ key.0) | ((self.1 ^ key.1) << 4);
        select_unpredictable(differs == 0, (self.1 >> 60) as usize, 0)
    }
}

/// Four entries, the newest first; one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Set([Key; 4]);

/// The cache; 4 MiB.
pub(crate) struct ShortCache(Box<[Set; SETS]>);

impl Default for ShortCache {
    fn default() -> Self {
        ShortCache(table(Set([Key(0, 0); 4])))
    }
}

impl ShortCache {
    /// A cache that holds every token that may be a piece and is short enough, with a count of 1.
    /// If a set has too few places, it holds the tokens of lowest id. O(size of the vocabulary).
    ///
    /// The tokens go in from the highest id to the lowest, so that the lowest are the newest.
    pub(crate) fn knowing(v: &Vocabulary) -> Self {
        let mut front = ShortCache::default();
        let key = |id| {
            let span = v.tokens.span(id);
            let short = span.len() <= LONGEST;
            if short { Key::new(&v.tokens.bytes, span.start, span.end) } else { Key::default() }
        };
        // Each token waits until `AHEAD` more have been asked for; meanwhile its set is fetched.
        let mut waiting = [Key::default(); AHEAD];
        let keys = v.whole_pieces().rev().map(key).chain([Key::default(); AHEAD]);
        for (i, key) in keys.enumerate() {
            front.prefetch(key.mixed());
            let earlier = std::mem::replace(&mut waiting[i % AHEAD], key);
            if earlier != Key::default() {
                front.put(earlier, 1);
            }
        }
        front
    }

    /// The count of the piece, or 0 if it is not here. O(1), no branch: a piece may stand twice in
    /// its set, but with the same count, so the counts of all entries are joined by OR.
    #[inline(always)]
    pub(crate) fn find(&self, key: Key) -> usize {
        self.find_mixed(key, key.mixed())
    }

    /// As [`Self::find`], for a caller that has the key `mixed` already.
    #[inline(always)]
    pub(crate) fn find_mixed(&self, key: Key, mixed: u64) -> usize {
        let Set(set) = &self.0[set_of(mixed)];
        set.iter().fold(0, |count, entry| count | entry.count_if_same(key))
    }

    /// Prefetches the set of the piece whose key gives `mixed`.
    #[inline(always)]
    pub(crate) fn prefetch(&self, mixed: u64) {
        prefetch(&self.0[set_of(mixed)]);
    }

    /// Keeps the count of a piece, 1 to 15. O(1).
    #[inline]
    pub(crate) fn put(&mut self, key: Key, count: usize) {
        let Set(set) = &mut self.0[set_of(key.mixed())];
        *set = [key.with_count(count), set[0], set[1], set[2]];
    }
}

fn set_of(mixed: u64) -> usize {
    (mixed >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::DATA;

    #[test]
    fn a_key_is_the_piece_wherever_it_stands() {
        let text = b"0123456789abcdefghijklmnopqrstuvwxyz";
        for start in 0..text.len() {
            for end in start + 1..=text.len().min(start + LONGEST) {
                let alone = text[start..end].to_vec();
                assert!(Key::new(text, start, end) == Key::new(&alone, 0, alone.len()));
            }
        }
        assert!(Key::new(b"a", 0, 1) != Key::new(b"a\0", 0, 2));
    }

    #[test]
    fn it_begins_with_the_tokens_of_lowest_id_in_each_set() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let front = ShortCache::knowing(&v);
        let mut taken = vec![0; SETS];
        for id in v.whole_pieces() {
            let token = v.token(id);
            if token.len() <= LONGEST {
                let key = Key::new(token, 0, token.len());
                let taken = &mut taken[set_of(key.mixed())];
                assert_eq!(front.find(key), usize::from(*taken < 4), "{token:?}");
                *taken += 1;
            }
        }
        assert_eq!(front.find(Key::of_first(b"longer than that", 16)), 0);
        assert_eq!(front.find(Key::default()), 0);
    }

    #[test]
    fn what_was_put_in_last_is_found_with_its_count() {
        let mut front = ShortCache::default();
        for i in 0..1_000_000u32 {
            let piece = format!("{i:x}");
            let key = Key::new(piece.as_bytes(), 0, piece.len());
            front.put(key, i as usize % 15 + 1);
            assert_eq!(front.find(key), i as usize % 15 + 1);
        }
        assert_eq!(front.find(Key::new(b"never", 0, 5)), 0);
    }
}
