//! Counting a short stretch of text: pieces are found one by one, and looked up in batches.
//!
//! `counting` does the same with pieces found in windows, for which a stretch is too short.

use crate::caches::short_cache::LONGEST;
use crate::counting::Counting;
use crate::memory::{Batch, Memory};
use crate::pieces::splitting::Splitting;
use crate::pieces::windows::BATCH;
use crate::vocabulary::Vocabulary;

/// How many tokens `part` is. O(n), except for pieces of more than 64 bytes, which are O(n log n)
/// at worst.
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

/// Collects pieces into batches and counts them.
struct Gathering<'a, 'b> {
    counting: Counting<'a>,
    text: &'b [u8],
    /// Start of the stretch that the batch covers; its pieces are stored relative to this.
    base: usize,
}

impl Gathering<'_, '_> {
    /// A long piece whose first four bytes are not all ASCII is divided where no token reaches
    /// across: hardly any such piece comes twice as a whole.
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
        // `count_batch` reads 16 bytes from the start of a piece and stores places in 32 bits.
        if end - self.base > STRETCH || self.text.len() - start < 16 {
            self.counting.count += self.counting.count_piece(self.text, start, end);
        } else {
            batch.starts.push((start - self.base) as u32);
            batch.ends.push((end - self.base) as u32);
        }
    }

    /// Counts the batch; the next one begins at `base`.
    fn flush(&mut self, batch: &mut Batch, base: usize) {
        let stretch = &self.text[self.base..];
        self.counting.count += self.counting.count_batch(stretch, &batch.starts, &batch.ends);
        batch.starts.clear();
        batch.ends.clear();
        self.base = base;
    }
}

/// Most bytes of text that one batch may cover.
const STRETCH: usize = 1 << 24;
