//! Ids of short pieces that were met before: what `front` is for counts, for encoding.
//!
//! An entry is the piece's key with its count, and up to four ids; pieces of more tokens are rare
//! and are merged each time. A cache: bounded, the whole piece compared, the newest stays.

use crate::front::Key;

const BITS: u32 = 16;
const PLACES: usize = 1 << BITS;
/// Most ids that are kept of a piece.
pub(crate) const MOST: usize = 4;

#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Entry {
    key: Key,
    ids: [u32; MOST],
}

/// The cache; 2 MiB once the first piece is put in, nothing before.
#[derive(Default)]
pub(crate) struct Spelled {
    entries: Vec<Entry>,
}

impl Spelled {
    /// The ids of the piece and how many there are; 0 if it is not here. O(1), no branch on it.
    #[inline(always)]
    pub(crate) fn find(&self, key: Key) -> (&[u32; MOST], usize) {
        match self.entries.get(place(key)) {
            Some(entry) => (&entry.ids, entry.key.count_if_same(key)),
            None => (&[0; MOST], 0),
        }
    }

    /// Keeps the ids of a piece, if they are few enough. O(1).
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

fn place(key: Key) -> usize {
    (key.mixed() >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_last_is_found_and_nothing_else() {
        let mut spelled = Spelled::default();
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
}
