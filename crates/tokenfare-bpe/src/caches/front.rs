//! The short cache with the vocabulary in it, made once it is worth the time.
//!
//! Making it takes most of the time of a first count, so a program that counts a few short texts
//! does without: its pieces are merged, and only `hot_cache` keeps their counts. After [`FEW`] new
//! pieces it is made.

use crate::caches::short_cache::{Key, ShortCache};
use crate::vocabulary::Vocabulary;

/// Pieces that are merged before the cache is made. A judgement: other numbers were not tried.
pub(crate) const FEW: usize = 2048;

/// The cache, or how many pieces were new without it.
pub(crate) enum Front {
    Met(usize),
    Made(ShortCache),
}

impl Default for Front {
    fn default() -> Self {
        Front::Met(0)
    }
}

impl Front {
    /// The cache, if it was made.
    #[inline(always)]
    pub(crate) fn made(&self) -> Option<&ShortCache> {
        match self {
            Front::Made(cache) => Some(cache),
            Front::Met(_) => None,
        }
    }

    /// The count of the piece, or 0 if it is not known. O(1).
    #[inline(always)]
    pub(crate) fn find(&self, key: Key) -> usize {
        self.made().map_or(0, |cache| cache.find(key))
    }

    /// Keeps the count of a piece, 1 to 15, once there is a cache. O(1).
    #[inline(always)]
    pub(crate) fn put(&mut self, key: Key, count: usize) {
        if let Front::Made(cache) = self {
            cache.put(key, count);
        }
    }

    /// Notes that `new` pieces more had to be merged, and makes the cache if these were enough.
    /// O(1), once O(size of the vocabulary).
    #[inline]
    pub(crate) fn met(&mut self, new: usize, v: &Vocabulary) {
        if let Front::Met(before) = self {
            *before += new;
            if *before >= FEW {
                *self = Front::Made(ShortCache::knowing(v));
            }
        }
    }
}
