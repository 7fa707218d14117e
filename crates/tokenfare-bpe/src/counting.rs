//! Counting a part of a text: pieces are found a batch at a time, looked up together, and what is
//! new is merged afterwards.
//!
//! The look-ups of a batch do not depend on one another and take no branch on what they find, so
//! the machine overlaps them. What was not found is set aside with its place, and looked at when
//! the batch is through.

use crate::front::{Key, LONGEST};
use crate::kept;
use crate::memory::Memory;
use crate::middle::{self, Middle};
use crate::nfc::nfc;
use crate::piece;
use crate::queue::Bounds;
use crate::scan::piece_end;
use crate::splitting::Splitting;
use crate::together;
use crate::vocabulary::Vocabulary;
use crate::wide::{self, WideKey};
use crate::windows::{BATCH, Pieces, Stop};

/// How many tokens `part` is. O(n) but for pieces of more than 64 bytes, O(n log n) at worst.
pub(crate) fn count_part(v: &Vocabulary, memory: &mut Memory, part: &str) -> usize {
    let mut pieces = std::mem::take(&mut memory.pieces);
    let mut counting = Counting { v, memory };
    let (count, at) = counting.walk(&mut pieces, part.as_bytes(), false);
    let rest = match &part[at..] {
        "" => 0,
        rest => counting.walk(&mut pieces, nfc(rest).as_bytes(), true).0,
    };
    memory.pieces = pieces;
    count + rest
}

/// As [`count_part`], for any pattern: pieces are found one by one, and looked up in batches.
pub(crate) fn count_pieces(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
) -> usize {
    let text = splitting.normalized(part);
    let text = text.as_bytes();
    let mut batch = std::mem::take(&mut memory.batch);
    let mut gathering = Gathering { counting: Counting { v, memory }, text, base: 0, count: 0 };
    splitting.for_each_piece(text, |start, end| gathering.add(&mut batch, start, end));
    gathering.flush(&mut batch, 0);
    let count = gathering.count;
    memory.batch = batch;
    count
}

/// Pieces on their way into a batch.
struct Gathering<'a, 'b> {
    counting: Counting<'a>,
    text: &'b [u8],
    /// Where the stretch begins that the batch is of.
    base: usize,
    count: usize,
}

impl Gathering<'_, '_> {
    /// Long pieces of characters beyond ASCII are taken apart where no token reaches across, since
    /// hardly any of them comes twice.
    #[inline(always)]
    fn add(&mut self, batch: &mut Vec<Bounds>, start: usize, end: usize) {
        if end - start <= LONGEST || self.text[start..start + 4].is_ascii() {
            return self.add_segment(batch, start, end);
        }
        let mut at = start;
        while at < end {
            let next = self.counting.v.joints.segment_end(&self.text[..end], at);
            self.add_segment(batch, at, next);
            at = next;
        }
    }

    #[inline(always)]
    fn add_segment(&mut self, batch: &mut Vec<Bounds>, start: usize, end: usize) {
        if batch.len() == BATCH || end - self.base > STRETCH {
            self.flush(batch, start);
        }
        // A batch reads 16 bytes from where a piece starts, and counts in 32 bits.
        if end - self.base > STRETCH || self.text.len() - start < 16 {
            self.count += self.counting.count_piece(self.text, start, end);
        } else {
            batch.push(((start - self.base) as u32, (end - self.base) as u32));
        }
    }

    /// Counts the batch; the next begins at `base`.
    fn flush(&mut self, batch: &mut Vec<Bounds>, base: usize) {
        let stretch = &self.text[self.base..];
        self.count += self.counting.count_batch(stretch, batch.drain(..));
        self.base = base;
    }
}

/// Bytes that one batch may be of.
const STRETCH: usize = 1 << 24;

/// How many tokens the piece `text[start..end]` is, from what was met before if it was.
pub(crate) fn count_piece(
    v: &Vocabulary,
    memory: &mut Memory,
    text: &[u8],
    start: usize,
    end: usize,
) -> usize {
    Counting { v, memory }.count_piece(text, start, end)
}

struct Counting<'a> {
    v: &'a Vocabulary,
    memory: &'a mut Memory,
}

impl Counting<'_> {
    /// Counts `text`, or as much of it as is NFC without a closer look: answers where it stopped.
    ///
    /// What follows then starts with a character that NFC keeps and never joins to those before it:
    /// it was in a window that held no other kind, or the text starts there.
    fn walk(&mut self, pieces: &mut Pieces, text: &[u8], normal: bool) -> (usize, usize) {
        let mut count = 0;
        pieces.begin(0);
        loop {
            let stop = pieces.find::<false>(text, &self.v.joints, normal);
            count += pieces.ones() + self.count_batch(pieces.stretch(text), pieces.bounds());
            let at = pieces.end();
            match stop {
                Stop::Full => pieces.begin(at),
                _ if !normal => return (count, at),
                Stop::Long if at < text.len() => {
                    let end = piece_end(text, at);
                    count += self.count_piece(text, at, end);
                    pieces.begin(end);
                }
                _ => return (count + self.count_tail(text, at), text.len()),
            }
        }
    }

    fn count_tail(&mut self, text: &[u8], mut at: usize) -> usize {
        let mut count = 0;
        while at < text.len() {
            let end = piece_end(text, at);
            count += self.count_piece(text, at, end);
            at = end;
        }
        count
    }

    /// Pieces that all start at least 16 bytes before the end of `text`.
    #[inline(always)]
    fn count_batch(&mut self, text: &[u8], bounds: impl Iterator<Item = Bounds>) -> usize {
        let Memory { hot, cold, longer, .. } = &mut *self.memory;
        cold.clear();
        longer.clear();
        let mut count = 0;
        for bounds in bounds {
            let (start, length) = (bounds.0 as usize, bounds.1 - bounds.0);
            let Some(bytes) = text.get(start..).and_then(|rest| rest.first_chunk()) else { break };
            let is_longer = length > LONGEST as u32;
            let found = hot.find(Key::of_first(bytes, length as usize));
            let found = if is_longer { 0 } else { found };
            count += found;
            longer.push_if(bounds, is_longer);
            cold.push_if(bounds, (found == 0) & !is_longer);
        }
        count + self.count_cold(text) + self.count_longer(text)
    }

    /// Pieces that were not met lately.
    #[inline(never)]
    fn count_cold(&mut self, text: &[u8]) -> usize {
        let Memory { hot, front, cold, new, .. } = &mut *self.memory;
        new.clear();
        let mut sum = 0;
        for bounds in cold.all() {
            let key = Key::new(text, bounds.0 as usize, bounds.1 as usize);
            let found = front.find(key);
            sum += found;
            new.push_if(*bounds, found == 0);
            if found > 0 {
                hot.put(key, found);
            }
        }
        together::count_narrow(self.v, text, new.all(), |bounds, count| {
            let key = Key::new(text, bounds.0 as usize, bounds.1 as usize);
            if front.find(key) == 0 {
                front.put(key, count); // not twice, if the piece stands twice in the batch
            }
            hot.put(key, count);
            sum += count;
        });
        sum
    }

    /// Pieces that are too long for the front.
    #[inline(never)]
    fn count_longer(&mut self, text: &[u8]) -> usize {
        let Memory { wide, longer, new, .. } = &mut *self.memory;
        new.clear();
        let mut sum = 0;
        for bounds in longer.all() {
            let (start, end) = (bounds.0 as usize, bounds.1 as usize);
            let is_wide = end - start <= wide::LONGEST;
            let found = if is_wide { wide.find(WideKey::new(text, start, end)) } else { 0 };
            sum += found;
            new.push_if(*bounds, is_wide & (found == 0));
        }
        together::count_wide(self.v, text, new.all(), |bounds, count| {
            wide.put(WideKey::new(text, bounds.0 as usize, bounds.1 as usize), count);
            sum += count;
        });
        for i in 0..self.memory.longer.all().len() {
            let (start, end) = self.memory.longer.all()[i];
            if (end - start) as usize > wide::LONGEST {
                sum += self.count_segments(text, start as usize, end as usize);
            }
        }
        sum
    }

    /// One piece alone.
    fn count_piece(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let Memory { front, wide, room, .. } = &mut *self.memory;
        let piece = &text[start..end];
        match piece.len() {
            0 => 0,
            1..=LONGEST => {
                let key = Key::new(text, start, end);
                match front.find(key) {
                    0 => {
                        let count = piece::count(self.v, room, piece);
                        front.put(key, count);
                        count
                    }
                    count => count,
                }
            }
            16..=wide::LONGEST => {
                let key = WideKey::new(text, start, end);
                match wide.find(key) {
                    0 => {
                        let count = piece::count(self.v, room, piece);
                        wide.put(key, count);
                        count
                    }
                    count => count,
                }
            }
            _ => self.count_segments(text, start, end),
        }
    }

    /// A piece that is too long for the front: in segments that no token reaches out of.
    #[inline(never)]
    fn count_segments(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        if text[start..start + 4].is_ascii() {
            return self.count_long(&text[start..end]);
        }
        let piece = &text[..end];
        let (mut count, mut at) = (0, start);
        while at < end {
            let next = self.v.joints.segment_end(piece, at);
            count += match next - at {
                0..=wide::LONGEST => self.count_piece(text, at, next),
                _ => self.count_long(&piece[at..next]),
            };
            at = next;
        }
        count
    }

    fn count_long(&mut self, piece: &[u8]) -> usize {
        if piece.len() > kept::LONGEST {
            return piece::count(self.v, &mut self.memory.room, piece);
        }
        if piece.len() > middle::LONGEST {
            if let Some(count) = self.memory.kept.find(piece) {
                return count;
            }
            let count = piece::count(self.v, &mut self.memory.room, piece);
            self.memory.kept.put(piece, count);
            return count;
        }
        let place = Middle::place(piece);
        if let Some(count) = self.memory.middle.find(place, piece) {
            return count;
        }
        let count = piece::count(self.v, &mut self.memory.room, piece);
        self.memory.middle.put(place, piece, count);
        count
    }
}
