//! What a thread keeps from one call to the next: what it learnt of pieces, and room to work in.

use crate::front::{Front, Key};
use crate::gathering::Batch;
use crate::hot::Hot;
use crate::kept::Kept;
use crate::merge::Room;
use crate::middle::Middle;
use crate::once::Once;
use crate::queue::Queue;
use crate::spelled::{Spelled, SpelledLonger};
use crate::together::Together;
use crate::vocabulary::Vocabulary;
use crate::wide::{Wide, WideKey};
use crate::windows::{Pieces, Places};

/// Caches, each bounded, 16 MiB in all at most; and room for merging.
pub(crate) struct Memory {
    /// Counts of pieces of up to 15 bytes met last.
    pub(crate) hot: Hot,
    /// Counts of pieces of up to 15 bytes met before.
    pub(crate) front: Front,
    /// Counts of pieces of 16 to 30 bytes met before.
    pub(crate) wide: Wide,
    /// Counts of pieces of 31 to 62 bytes met before.
    pub(crate) middle: Middle,
    /// Counts of longer pieces met before.
    pub(crate) kept: Kept<usize>,
    /// Ids of pieces of up to 15 bytes met before.
    pub(crate) spelled: Spelled,
    /// Ids of pieces of 16 to 62 bytes met before.
    pub(crate) spelled_longer: SpelledLonger,
    /// Ids of longer pieces met before.
    pub(crate) kept_ids: Kept<Box<[u32]>>,
    /// The pieces that come next; with whoever takes them while he does.
    pub(crate) pieces: Option<Box<Pieces>>,
    /// The same for patterns that find them one by one.
    pub(crate) batch: Batch,
    /// The numbers of those that were not met lately.
    pub(crate) cold: Places,
    /// Of those: too long for `front`, and known to no cache.
    pub(crate) longer: Queue,
    pub(crate) missing: Queue,
    /// Of the last: each once, and those that are there already.
    pub(crate) new: Queue,
    pub(crate) again: Queue,
    pub(crate) once: Once<Key>,
    pub(crate) once_wide: Once<WideKey>,
    /// What is merged, of up to 15, 31 and 63 bytes.
    pub(crate) short: Box<Together<16>>,
    pub(crate) long: Box<Together<32>>,
    pub(crate) longest: Box<Together<64>>,
    pub(crate) room: Room,
    /// What code points become.
    pub(crate) utf8: Vec<u8>,
}

impl Memory {
    /// Caches that know the vocabulary. O(its size), less than a millisecond.
    pub(crate) fn knowing(v: &Vocabulary) -> Self {
        Memory {
            hot: Hot::default(),
            front: Front::knowing(v),
            wide: Wide::default(),
            middle: Middle::default(),
            kept: Kept::default(),
            spelled: Spelled::default(),
            spelled_longer: SpelledLonger::default(),
            kept_ids: Kept::default(),
            pieces: None,
            batch: Batch::default(),
            cold: Places::default(),
            longer: Queue::default(),
            missing: Queue::default(),
            new: Queue::default(),
            again: Queue::default(),
            once: Once::default(),
            once_wide: Once::default(),
            short: Box::default(),
            long: Box::default(),
            longest: Box::default(),
            room: Room::default(),
            utf8: Vec::new(),
        }
    }
}
