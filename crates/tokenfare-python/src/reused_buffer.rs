//! A buffer that is kept from one call to the next.
//!
//! A new megabyte is 256 pages, each of which the system maps when it is first written to. That
//! takes from a third of the time of decoding to several times as long, depending on the machine's
//! load.

use std::sync::Mutex;

/// The largest buffer that is kept, in bytes.
const MOST: usize = 1 << 22;

/// The buffer. A caller that finds it in use gets a new one.
#[derive(Default)]
pub(crate) struct ReusedBuffer(Mutex<Vec<u8>>);

impl ReusedBuffer {
    /// Takes the buffer, with whatever is left in it.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.try_lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
    }

    /// Keeps a buffer for the next call.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= MOST
            && let Ok(mut kept) = self.0.try_lock()
        {
            *kept = buffer;
        }
    }
}
