//! What is known of pieces of more than 62 bytes that were met before, counts or ids: of rulers, of
//! indented blank lines.
//!
//! It is a hash map used as a cache: bounded, and never wrong, since the whole piece is compared.
//! When it is full, it is emptied: it is then full of long pieces that never came again, and
//! choosing among them is not worth the effort.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::vocabulary::by_bytes::hash;

/// Longest piece, in bytes, that is kept.
pub(crate) const LONGEST: usize = 4096;
const MOST_BYTES: usize = 1 << 18;

/// The cache; at most 256 kB of pieces.
#[derive(Default)]
pub(crate) struct LongCache<T> {
    known: HashMap<Box<[u8]>, T, BuildHasherDefault<Mixed>>,
    bytes: usize,
}

impl<T> LongCache<T> {
    /// What is known of the piece, if it is here. O(length).
    pub(crate) fn find(&self, piece: &[u8]) -> Option<&T> {
        self.known.get(piece)
    }

    /// Keeps what is known of a piece of at most [`LONGEST`] bytes. O(length).
    pub(crate) fn put(&mut self, piece: &[u8], known: T) {
        if self.bytes + piece.len() > MOST_BYTES {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += piece.len();
        self.known.insert(piece.into(), known);
    }
}

/// The vocabulary's own hash as a hasher of the standard library. Texts chosen so that hashes
/// collide make the cache slow, at worst a scan of its few thousand entries, but never wrong.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(5) ^ hash(bytes);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_last_is_found_and_the_whole_is_bounded() {
        let mut kept = LongCache::default();
        for i in 0..20_000usize {
            let piece = format!("{i:0>width$}", width = 63 + i % 4000);
            assert_eq!(kept.find(piece.as_bytes()), None);
            kept.put(piece.as_bytes(), i);
            assert_eq!(kept.find(piece.as_bytes()), Some(&i));
            assert!(kept.known.keys().map(|key| key.len()).sum::<usize>() <= MOST_BYTES);
        }
    }
}
