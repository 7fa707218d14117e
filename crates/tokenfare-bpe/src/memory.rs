//! What a thread keeps from one call to the next: what it has learnt about pieces, and room to work
//! in.

use crate::caches::front::Front;
use crate::caches::hot_cache::HotCache;
use crate::caches::id_cache::{IdCache, LongerIdCache};
use crate::caches::long_cache::LongCache;
use crate::caches::middle_cache::MiddleCache;
use crate::caches::short_cache::Key;
use crate::caches::wide_cache::WideCache;
use crate::merging::merge::Room;
use crate::merging::pending::Pending;
use crate::pieces::windows::{Pieces, Places};
use crate::queue::Queue;

/// The caches, each bounded, at most 16 MiB together; and room for merging.
#[derive(Default)]
pub(crate) struct Memory {
    /// Counts of the pieces of up to 15 bytes seen last.
    pub(crate) hot: HotCache,
    /// Counts of pieces of up to 15 bytes seen before.
    pub(crate) front: Front,
    /// Counts of pieces of 16 to 30 bytes seen before.
    pub(crate) wide: WideCache,
    /// Counts of pieces of 31 to 62 bytes seen before.
    pub(crate) middle: MiddleCache,
    /// Counts of longer pieces seen before.
    pub(crate) kept: LongCache<usize>,
    /// Ids of pieces of up to 15 bytes seen before.
    pub(crate) spelled: IdCache,
    /// Ids of pieces of 16 to 62 bytes seen before.
    pub(crate) spelled_longer: LongerIdCache,
    /// Ids of longer pieces seen before.
    pub(crate) kept_ids: LongCache<Box<[u32]>>,
    /// The batches of pieces found in windows, one for each of two parts. `None` while they are in
    /// use.
    pub(crate) pieces: Option<Box<[Pieces; 2]>>,
    /// The batch of pieces found one by one.
    pub(crate) batch: Batch,
    /// Which pieces of the batch are not in `hot`.
    pub(crate) cold: Places,
    pub(crate) asked: Box<Asked>,
    /// Pieces of the batch that are too long for `front`; and those of them not in `wide`.
    pub(crate) longer: Queue,
    pub(crate) missing: Queue,
    /// Pieces that wait to be merged: of up to 15, 30 and 62 bytes.
    pub(crate) new: Pending<16, 256>,
    pub(crate) new_wide: Pending<32, 256>,
    pub(crate) new_middle: Pending<64, 128>,
    pub(crate) room: Room,
    /// Buffer for code points converted to UTF-8.
    pub(crate) utf8: Vec<u8>,
}

/// Pieces that are counted together: where each starts and ends.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) starts: Vec<u32>,
    pub(crate) ends: Vec<u32>,
}

/// Pieces whose sets in `front` are prefetched before the first of them is looked up.
pub(crate) const TOGETHER: usize = 128;

/// Scratch space for pieces whose sets are being fetched: their keys, each with what it is `mixed`
/// to, and the numbers of those that are not found.
pub(crate) struct Asked {
    pub(crate) keys: [(Key, u64); TOGETHER],
    pub(crate) missing: [u8; TOGETHER],
}

impl Default for Asked {
    fn default() -> Self {
        Asked { keys: [(Key::default(), 0); TOGETHER], missing: [0; TOGETHER] }
    }
}
