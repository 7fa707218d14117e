//! A list of pieces to look at later, filled without a branch.

use crate::pieces::windows::BATCH;
use crate::table::table;

/// Start and end of a piece in a stretch of text.
pub(crate) type Bounds = (u32, u32);

/// More than a batch holds, and a power of two, so that an index modulo this needs no bounds check.
const QUEUE: usize = 2 * BATCH;

/// Starts and ends of pieces, at most as many as a batch has.
pub(crate) struct Queue {
    all: Box<[Bounds; QUEUE]>,
    count: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Queue { all: table((0, 0)), count: 0 }
    }
}

impl Queue {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds the piece if it is `wanted`.
    #[inline(always)]
    pub(crate) fn push_if(&mut self, bounds: Bounds, wanted: bool) {
        self.all[self.count % QUEUE] = bounds;
        self.count += usize::from(wanted);
    }

    pub(crate) fn all(&self) -> &[Bounds] {
        &self.all[..self.count]
    }
}
