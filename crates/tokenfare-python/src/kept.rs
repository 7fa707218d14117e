//! Room that is kept from one call to the next.
//!
//! A new megabyte is 256 pages, which the system hands out one by one when they are first written to:
//! that takes from a third of the time of decoding to several times of it, by what else the machine does.

use std::sync::Mutex;

/// Bytes that are kept; room for more is given back.
const MOST: usize = 1 << 22;

/// Room for bytes. Whoever finds it taken gets new one.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<u8>>);

impl Kept {
    /// The room, with anything in it.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.try_lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
    }

    pub(crate) fn give_back(&self, room: Vec<u8>) {
        if room.capacity() <= MOST
            && let Ok(mut kept) = self.0.try_lock()
        {
            *kept = room;
        }
    }
}
