//! Ids of pieces that were met before. This is for encoding what `short_cache` and `middle_cache`
//! are for counting.
//!
//! There are two tables. For a piece of up to 15 bytes an entry holds its key, its count and up to
//! four ids; for a longer piece, up to 62 bytes and sixteen ids. Pieces of more tokens are rare,
//! and are merged each time.
//!
//! Both are caches: bounded, and never wrong, since the whole piece is compared. A piece has one
//! place, and the newest entry stays.

use crate::caches::middle_cache;
use crate::caches::short_cache::Key;
use crate::prefetch::prefetch;
use crate::vocabulary::by_bytes::hash;

const BITS: u32 = 16;
const PLACES: usize = 1 << BITS;
/// Most ids that are kept of a piece of up to 15 bytes.
pub(crate) const MOST: usize = 4;

#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Entry {
    key: Key,
    ids: [u32; MOST],
}

/// The cache of pieces of up to 15 bytes; 2 MiB once the first is put in, nothing before.
#[derive(Default)]
pub(crate) struct IdCache {
    entries: Vec<Entry>,
}

impl IdCache {
    /// The ids of the piece and how many there are; 0 if it is not here. O(1), no branch on whether
    /// it is here.
    #[inline(always)]
    pub(crate) fn find(&self, key: Key) -> (&[u32; MOST], usize) {
        match self.entries.get(place(key)) {
            Some(entry) => (&entry.ids, entry.key.count_if_same(key)),
            None => (&[0; MOST], 0),
        }
    }

    /// Prefetches the piece's entry.
    #[inline(always)]
    pub(crate) fn prefetch(&self, key: Key) {
        if let Some(entry) = self.entries.get(place(key)) {
            prefetch(entry);
        }
    }

    /// Keeps the ids of a piece if they are few enough. O(1), except for making the table.
    pub(crate) fn put(&mut self, key: Key, ids: &[u32]) {
        if ids.is_empty() || ids.len() > MOST {
            return;
        }
        if self.entries.is_empty() {
            self.entries = vec![Entry::default(); PLACES];
        }
        let entry = &mut self.entries[place(key)];
        entry.key = key.with_count(ids.len());
        entry.ids[..ids.len()].copy_from_slice(ids);
    }
}

/// Most ids that are kept of a longer piece.
const MOST_OF_LONGER: usize = 16;
const LONGER_BITS: u32 = 14;

/// A piece of up to 62 bytes, padded with zeros, and its ids.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Longer {
    bytes: [u8; middle_cache::LONGEST],
    length: u8,
    count: u8,
    ids: [u32; MOST_OF_LONGER],
}

const NOTHING: Longer =
    Longer { bytes: [0; middle_cache::LONGEST], length: 0, count: 0, ids: [0; MOST_OF_LONGER] };

/// The cache of longer pieces; 2 MiB once the first is put in, nothing before.
#[derive(Default)]
pub(crate) struct LongerIdCache {
    entries: Vec<Longer>,
}

impl LongerIdCache {
    /// The place of a piece's entry. O(length).
    pub(crate) fn place(piece: &[u8]) -> usize {
        (hash(piece) >> (64 - LONGER_BITS)) as usize
    }

    /// The ids of the piece; none if it is not at its place. O(length).
    pub(crate) fn find(&self, place: usize, piece: &[u8]) -> &[u32] {
        match self.entries.get(place) {
            Some(entry) if entry.bytes.get(..usize::from(entry.length)) == Some(piece) => {
                &entry.ids[..usize::from(entry.count)]
            }
            _ => &[],
        }
    }

    /// Keeps the ids of a piece if it is short enough and they are few enough. O(length), except
    /// for making the table.
    pub(crate) fn put(&mut self, place: usize, piece: &[u8], ids: &[u32]) {
        if piece.len() > middle_cache::LONGEST || ids.len() > MOST_OF_LONGER {
            return;
        }
        if self.entries.is_empty() {
            self.entries = vec![NOTHING; 1 << LONGER_BITS];
        }
        let entry = &mut self.entries[place];
        entry.bytes[..piece.len()].copy_from_slice(piece);
        entry.ids[..ids.len()].copy_from_slice(ids);
        (entry.length, entry.count) = (piece.len() as u8, ids.len() as u8);
    }
}

fn place(key: Key) -> usize {
    (key.mixed() >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_last_is_found_and_nothing_else() {
        let mut spelled = IdCache::default();
        let key = |piece: &str| Key::new(piece.as_bytes(), 0, piece.len());
        assert_eq!(spelled.find(key("never")).1, 0);
        for i in 0..300_000u32 {
            let piece = format!("{i:x}");
            let ids = [i, i + 1, i + 2, i + 3, i + 4];
            let ids = &ids[..1 + i as usize % 5];
            spelled.put(key(&piece), ids);
            let (found, count) = spelled.find(key(&piece));
            let expected = if ids.len() <= MOST { ids } else { &[] };
            assert_eq!(&found[..count], expected);
        }
        assert_eq!(spelled.find(key("never")).1, 0);
    }

    #[test]
    fn of_longer_pieces_what_was_put_in_last_is_found_and_nothing_else() {
        let mut spelled = LongerIdCache::default();
        assert_eq!(spelled.find(0, b""), []);
        for i in 0..100_000u32 {
            let piece = format!("{i:0>width$}", width = 16 + i as usize % 50);
            let ids: Vec<u32> = (i..i + 1 + i % 18).collect();
            let place = LongerIdCache::place(piece.as_bytes());
            assert_eq!(spelled.find(place, piece.as_bytes()), []);
            spelled.put(place, piece.as_bytes(), &ids);
            let kept = piece.len() <= 62 && ids.len() <= 16;
            let expected = if kept { &ids[..] } else { &[] };
            assert_eq!(spelled.find(place, piece.as_bytes()), expected);
        }
    }
}
