//! Counting a short stretch of a text: pieces are found one by one, and looked up in batches.
//!
//! What `counting` does with pieces that are found in windows, for which a stretch is too short.

use crate::caches::short_cache::LONGEST;
use crate::counting::Counting;
use crate::memory::Memory;
use crate::pieces::splitting::Splitting;
use crate::pieces::windows::BATCH;
use crate::vocabulary::Vocabulary;

/// How many tokens `part` is. O(n) but for pieces of more than 64 bytes, O(n log n) at worst.
pub(crate) fn count_pieces(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
) -> usize {
    let text = splitting.normalized(part);
    let text = text.as_bytes();
    let mut batch = std::mem::take(&mut memory.batch);
    let mut gathering = Gathering { counting: Counting { v, memory, count: 0 }, text, base: 0 };
    splitting.for_each_piece(text, |start, end| gathering.add(&mut batch, start, end));
    gathering.flush(&mut batch, 0);
    let count = gathering.counting.count + gathering.counting.merge_pending();
    memory.batch = batch;
    count
}

/// Pieces that are counted together: where they start, and where they end.
#[derive(Default)]
pub(crate) struct Batch {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

/// Pieces on their way into a batch.
struct Gathering<'a, 'b> {
    counting: Counting<'a>,
    text: &'b [u8],
    /// Where the stretch begins that the batch is of.
    base: usize,
}

impl Gathering<'_, '_> {
    /// Long pieces of characters beyond ASCII are taken apart where no token reaches across, since
    /// hardly any of them comes twice.
    #[inline(always)]
    fn add(&mut self, batch: &mut Batch, start: usize, end: usize) {
        if end - start <= LONGEST || self.text[start..start + 4].is_ascii() {
            return self.add_segment(batch, start, end);
        }
        let mut at = start;
        while at < end {
            let next = self.counting.v.joints().segment_end(&self.text[..end], at);
            self.add_segment(batch, at, next);
            at = next;
        }
    }

    #[inline(always)]
    fn add_segment(&mut self, batch: &mut Batch, start: usize, end: usize) {
        if batch.starts.len() == BATCH || end - self.base > STRETCH {
            self.flush(batch, start);
        }
        // A batch reads 16 bytes from where a piece starts, and counts in 32 bits.
        if end - self.base > STRETCH || self.text.len() - start < 16 {
            self.counting.count += self.counting.count_piece(self.text, start, end);
        } else {
            batch.starts.push((start - self.base) as u32);
            batch.ends.push((end - self.base) as u32);
        }
    }

    /// Counts the batch; the next begins at `base`.
    fn flush(&mut self, batch: &mut Batch, base: usize) {
        let stretch = &self.text[self.base..];
        self.counting.count += self.counting.count_batch(stretch, &batch.starts, &batch.ends);
        batch.starts.clear();
        batch.ends.clear();
        self.base = base;
    }
}

/// Bytes that one batch may be of.
const STRETCH: usize = 1 << 24;
