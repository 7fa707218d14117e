//! Counts of pieces of 31 to 62 bytes that were met before: rulers, indentation, phrases in scripts
//! that are written without spaces.
//!
//! It is a cache as `short_cache` is: bounded, and never wrong, since the whole piece is compared.
//! A piece has one place, and the newest entry stays.

use crate::vocabulary::by_bytes::hash;

/// Longest piece, in bytes, that has an entry.
pub(crate) const LONGEST: usize = 62;
const BITS: u32 = 15;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Entry {
    bytes: [u8; LONGEST],
    length: u8,
    count: u8,
}

/// The cache; 2 MiB once the first piece is put in, nothing before.
#[derive(Default)]
pub(crate) struct MiddleCache {
    entries: Vec<Entry>,
}

impl MiddleCache {
    /// The place of a piece's entry. O(length).
    pub(crate) fn place(piece: &[u8]) -> usize {
        (hash(piece) >> (64 - BITS)) as usize
    }

    /// The count of the piece, if it is at its place. O(length).
    pub(crate) fn find(&self, place: usize, piece: &[u8]) -> Option<usize> {
        let entry = self.entries.get(place)?;
        let same = usize::from(entry.length) == piece.len() && entry.bytes[..piece.len()] == *piece;
        same.then_some(usize::from(entry.count))
    }

    /// Keeps the count of a piece of at most [`LONGEST`] bytes. O(length), except for making the
    /// table.
    pub(crate) fn put(&mut self, place: usize, piece: &[u8], count: usize) {
        if self.entries.is_empty() {
            self.entries = vec![Entry { bytes: [0; LONGEST], length: 0, count: 0 }; 1 << BITS];
        }
        let entry = &mut self.entries[place];
        entry.bytes[..piece.len()].copy_from_slice(piece);
        entry.length = piece.len() as u8;
        entry.count = count as u8;
    }
}

/// A piece of at most [`LONGEST`] bytes, padded with zeros, its length in the last byte.
pub(crate) fn padded(piece: &[u8]) -> [u8; LONGEST + 2] {
    let mut padded = [0; LONGEST + 2];
    padded[..piece.len()].copy_from_slice(piece);
    padded[LONGEST + 1] = piece.len() as u8;
    padded
}

/// The piece that [`padded`] was given.
pub(crate) fn unpadded(padded: &[u8; LONGEST + 2]) -> &[u8] {
    &padded[..usize::from(padded[LONGEST + 1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_last_is_found_with_its_count_and_nothing_else() {
        let mut middle = MiddleCache::default();
        for i in 0..20_000usize {
            let piece = format!("{i:0>width$}", width = 16 + i % 47);
            let place = MiddleCache::place(piece.as_bytes());
            assert_eq!(middle.find(place, piece.as_bytes()), None);
            middle.put(place, piece.as_bytes(), i % 62 + 1);
            assert_eq!(middle.find(place, piece.as_bytes()), Some(i % 62 + 1));
        }
    }
}
