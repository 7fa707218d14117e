//! Counting a short stretch of text: pieces are found one by one, and looked up in one batch.
//!
//! `counting` does the same with pieces found in windows, for which a stretch is too short.

use crate::caches::short_cache::LONGEST;
use crate::counting::Counting;
use crate::memory::{Batch, Memory};
use crate::pieces::splitting::Splitting;
use crate::pieces::windows::BATCH;
use crate::vocabulary::Vocabulary;

/// Longest stretch, in bytes, that is counted so.
pub(crate) const STRETCH: usize = 512;

// One batch has room for all pieces: NFC makes no UTF-8 more than three times as long.
const _: () = assert!(3 * STRETCH <= BATCH);

/// How many tokens `part` is, which has at most [`STRETCH`] bytes. O(n), except for pieces of more
/// than 64 bytes, which are O(n log n) at worst.
pub(crate) fn count_pieces(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
) -> usize {
    debug_assert!(part.len() <= STRETCH);
    let text = splitting.normalized(part);
    let text = text.as_bytes();
    let mut batch = std::mem::take(&mut memory.batch);
    let mut counting = Counting { v, memory, count: 0 };
    splitting.for_each_piece(text, |start, end| add(&mut counting, &mut batch, text, start, end));
    counting.count += counting.count_batch(text, &batch.starts, &batch.ends);
    counting.count += counting.merge_pending();
    let count = counting.count;
    batch.starts.clear();
    batch.ends.clear();
    memory.batch = batch;
    count
}

/// Adds a piece to the batch. A long piece whose first four bytes are not all ASCII is divided where
/// no token reaches across: hardly any such piece comes twice as a whole.
#[inline(always)]
fn add(counting: &mut Counting<'_>, batch: &mut Batch, text: &[u8], start: usize, end: usize) {
    if end - start <= LONGEST || text[start..start + 4].is_ascii() {
        return add_segment(counting, batch, text, start, end);
    }
    let mut at = start;
    while at < end {
        let next = counting.v.joints().segment_end(&text[..end], at);
        add_segment(counting, batch, text, at, next);
        at = next;
    }
}

/// Adds a segment to the batch, or counts it at the end of the text: `count_batch` reads 16 bytes
/// from the start of a piece.
#[inline(always)]
fn add_segment(
    counting: &mut Counting<'_>,
    batch: &mut Batch,
    text: &[u8],
    start: usize,
    end: usize,
) {
    if text.len() - start < 16 {
        counting.count += counting.count_piece(text, start, end);
    } else {
        batch.starts.push(start as u32);
        batch.ends.push(end as u32);
    }
}
