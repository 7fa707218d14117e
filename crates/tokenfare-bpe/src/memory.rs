//! What a thread keeps from one call to the next: what it learnt of pieces, and room to work in.

use crate::caches::hot_cache::HotCache;
use crate::caches::id_cache::{IdCache, LongerIdCache};
use crate::caches::long_cache::LongCache;
use crate::caches::middle_cache::MiddleCache;
use crate::caches::short_cache::ShortCache;
use crate::caches::wide_cache::WideCache;
use crate::counting::Asked;
use crate::gathering::Batch;
use crate::merging::merge::Room;
use crate::merging::pending::Pending;
use crate::pieces::windows::{Pieces, Places};
use crate::queue::Queue;
use crate::vocabulary::Vocabulary;

/// Caches, each bounded, 16 MiB in all at most; and room for merging.
pub(crate) struct Memory {
    /// Counts of pieces of up to 15 bytes met last.
    pub(crate) hot: HotCache,
    /// Counts of pieces of up to 15 bytes met before.
    pub(crate) front: ShortCache,
    /// Counts of pieces of 16 to 30 bytes met before.
    pub(crate) wide: WideCache,
    /// Counts of pieces of 31 to 62 bytes met before.
    pub(crate) middle: MiddleCache,
    /// Counts of longer pieces met before.
    pub(crate) kept: LongCache<usize>,
    /// Ids of pieces of up to 15 bytes met before.
    pub(crate) spelled: IdCache,
    /// Ids of pieces of 16 to 62 bytes met before.
    pub(crate) spelled_longer: LongerIdCache,
    /// Ids of longer pieces met before.
    pub(crate) kept_ids: LongCache<Box<[u32]>>,
    /// The pieces that come next; with whoever takes them while he does.
    pub(crate) pieces: Option<Box<[Pieces; 2]>>,
    /// The same for patterns that find them one by one.
    pub(crate) batch: Batch,
    /// The numbers of those that were not met lately.
    pub(crate) cold: Places,
    pub(crate) asked: Box<Asked>,
    /// Of those: too long for `short_cache`, and known to no cache.
    pub(crate) longer: Queue,
    pub(crate) missing: Queue,
    /// Pieces that wait to be merged, of up to 15, 30 and 62 bytes.
    pub(crate) new: Pending<16, 256>,
    pub(crate) new_wide: Pending<32, 256>,
    pub(crate) new_middle: Pending<64, 128>,
    pub(crate) room: Room,
    /// What code points become.
    pub(crate) utf8: Vec<u8>,
}

impl Memory {
    /// Caches that know the vocabulary. O(its size), less than a millisecond.
    pub(crate) fn knowing(v: &Vocabulary) -> Self {
        Memory {
            hot: HotCache::default(),
            front: ShortCache::knowing(v),
            wide: WideCache::default(),
            middle: MiddleCache::default(),
            kept: LongCache::default(),
            spelled: IdCache::default(),
            spelled_longer: LongerIdCache::default(),
            kept_ids: LongCache::default(),
            pieces: None,
            batch: Batch::default(),
            cold: Places::default(),
            asked: Box::default(),
            longer: Queue::default(),
            missing: Queue::default(),
            new: Pending::default(),
            new_wide: Pending::default(),
            new_middle: Pending::default(),
            room: Room::default(),
            utf8: Vec::new(),
        }
    }
}
