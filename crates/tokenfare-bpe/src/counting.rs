//! Counting the tokens of a part of a text. Pieces are found a batch at a time and looked up
//! together; what is new is merged afterwards.
//!
//! The plain way takes one piece after the other: find it, look it up, merge it if it is new. Each
//! look-up then waits for memory. Here the look-ups of a batch do not depend on one another and
//! take no branch on what they find, so the processor overlaps them. What `hot_cache` does not hold
//! is set aside, and looked up when the batch is through.

use crate::caches::front::Front;
use crate::caches::long_cache;
use crate::caches::middle_cache::{self, MiddleCache};
use crate::caches::short_cache::{Key, LONGEST};
use crate::caches::wide_cache::{self, WideKey};
use crate::memory::{Asked, Memory, TOGETHER};
use crate::merging::piece;
use crate::merging::runs::Runs;
use crate::pieces::splitting::Splitting;
use crate::pieces::traversal::{Taker, walk, walk_both};
use crate::pieces::windows::Pieces;
use crate::unicode::classes::length_of;
use crate::vocabulary::Vocabulary;

/// How many tokens `part` is, except for pieces that wait to be merged: [`merge_pending`] counts
/// those.
///
/// O(n) but for pieces of more than 64 bytes, O(n log n) at worst.
pub(crate) fn count_part(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
) -> usize {
    let mut pieces = memory.pieces.take().unwrap_or_default();
    let mut counting = Counting { v, memory, count: 0 };
    walk(v, splitting, &mut pieces[0], part, &mut counting);
    let count = counting.count;
    memory.pieces = Some(pieces);
    count
}

/// As [`count_part`], for two parts.
pub(crate) fn count_both(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    parts: [&str; 2],
) -> usize {
    let mut pieces = memory.pieces.take().unwrap_or_default();
    let mut counting = Counting { v, memory, count: 0 };
    walk_both(v, splitting, &mut pieces, parts, &mut counting);
    let count = counting.count;
    memory.pieces = Some(pieces);
    count
}

/// Bytes at the start of a long text that tell whether it needs joints.
const NEAR_START: usize = 1024;

/// Prefetches the smaller tables, for a text so long that it will read most of them. Other programs
/// may have emptied the CPU's caches; read here and there, each line would be waited for.
///
/// `start` is the first of the text. If it has a character of three bytes in its first kilobyte, the
/// text is taken for one that needs joints.
pub(crate) fn prefetch_for(v: &Vocabulary, memory: &Memory, start: &str) {
    memory.hot.prefetch();
    if start.bytes().take(NEAR_START).any(|byte| length_of(byte) == 3) {
        v.joints().prefetch();
    }
}

/// How many tokens the pieces are that were left waiting. None waits after that.
pub(crate) fn merge_pending(v: &Vocabulary, memory: &mut Memory) -> usize {
    Counting { v, memory, count: 0 }.merge_pending()
}

/// A count in the making, with what it needs.
pub(crate) struct Counting<'a> {
    pub(crate) v: &'a Vocabulary,
    pub(crate) memory: &'a mut Memory,
    pub(crate) count: usize,
}

impl Taker for Counting<'_> {
    const ALL: bool = false;

    #[inline(always)]
    fn batch(&mut self, text: &[u8], pieces: &Pieces) {
        self.count += pieces.counted() + self.count_batch(text, pieces.starts(), pieces.ends());
    }

    fn piece(&mut self, text: &[u8], start: usize, end: usize) {
        self.count += match end - start {
            0..=middle_cache::LONGEST => self.count_or_wait(text, start, end),
            _ => self.count_segments(text, start, end),
        };
    }
}

/// How many tokens the piece `text[start..end]` is. It is looked up, and merged at once if it is
/// new.
pub(crate) fn count_piece(
    v: &Vocabulary,
    memory: &mut Memory,
    text: &[u8],
    start: usize,
    end: usize,
) -> usize {
    Counting { v, memory, count: 0 }.count_piece(text, start, end)
}

impl Counting<'_> {
    /// The tokens of a batch, except for pieces that wait.
    ///
    /// Piece `i` is `text[starts[i]..ends[i]]`. Every piece starts at least 16 bytes before the end
    /// of `text`.
    #[inline(always)]
    pub(crate) fn count_batch(&mut self, text: &[u8], starts: &[u32], ends: &[u32]) -> usize {
        if starts.is_empty() {
            return 0; // a short text has but what stands at its end, and no time for what a batch needs
        }
        let Memory { hot, cold, .. } = &mut *self.memory;
        cold.clear();
        let count = hot.count(text, starts, ends, cold);
        if cold.all().is_empty() {
            return count;
        }
        count + self.count_cold(text, starts, ends) + self.count_longer(text)
    }

    /// The tokens of the pieces that `hot` does not hold. Those that are too long for `front` are
    /// set aside in `longer`, and those that are new wait.
    #[inline(never)]
    fn count_cold(&mut self, text: &[u8], starts: &[u32], ends: &[u32]) -> usize {
        self.memory.longer.clear();
        if self.memory.front.made().is_none() {
            return self.count_all_new(text, starts, ends);
        }
        let mut sum = 0;
        for from in (0..self.memory.cold.all().len()).step_by(TOGETHER) {
            if !self.memory.new.may_wait(TOGETHER) {
                sum += self.merge_short(false);
            }
            let Memory { hot, cold, front, wide, longer, new, asked, .. } = &mut *self.memory;
            let Some(front) = front.made() else { unreachable!("it was made above") };
            let Asked { keys, missing } = &mut **asked;
            let mut count = 0;
            for i in cold.all()[from..].iter().take(TOGETHER) {
                let bounds = (starts[*i as usize], ends[*i as usize]);
                let (start, end) = (bounds.0 as usize, bounds.1 as usize);
                if end - start > LONGEST {
                    longer.push_if(bounds, true);
                    if end - start <= wide_cache::LONGEST {
                        wide.prefetch(WideKey::new(text, start, end));
                    }
                    continue;
                }
                let key = Key::new(text, start, end);
                let mixed = key.mixed();
                front.prefetch(mixed);
                keys[count % TOGETHER] = (key, mixed);
                count += 1;
            }
            let mut misses = 0;
            for (i, (key, mixed)) in keys[..count].iter().enumerate() {
                let found = front.find_mixed(*key, *mixed);
                sum += found;
                missing[misses % TOGETHER] = i as u8;
                misses += usize::from(found == 0);
                hot.put(*key, *mixed, found);
            }
            for i in &missing[..misses] {
                let (key, mixed) = keys[usize::from(*i) % TOGETHER];
                new.add(key.bytes(), key.length(), mixed);
            }
        }
        sum
    }

    /// As `count_cold` while there is no `front`.
    fn count_all_new(&mut self, text: &[u8], starts: &[u32], ends: &[u32]) -> usize {
        let mut sum = 0;
        for i in 0..self.memory.cold.all().len() {
            let i = self.memory.cold.all()[i] as usize;
            let bounds = (starts[i], ends[i]);
            if bounds.1 - bounds.0 > LONGEST as u32 {
                self.memory.longer.push_if(bounds, true);
            } else {
                sum += self.new_short(Key::new(text, bounds.0 as usize, bounds.1 as usize));
            }
        }
        sum
    }

    /// The tokens of the pieces in `longer`; those that are new wait.
    #[inline(never)]
    fn count_longer(&mut self, text: &[u8]) -> usize {
        let Memory { longer, wide, missing, .. } = &mut *self.memory;
        missing.clear();
        let mut sum = 0;
        for bounds in longer.all() {
            let (start, end) = (bounds.0 as usize, bounds.1 as usize);
            let is_wide = end - start <= wide_cache::LONGEST;
            let found = if is_wide { wide.find(WideKey::new(text, start, end)) } else { 0 };
            sum += found;
            missing.push_if(*bounds, found == 0);
        }
        for i in 0..self.memory.missing.all().len() {
            let bounds = self.memory.missing.all()[i];
            let (start, end) = (bounds.0 as usize, bounds.1 as usize);
            sum += match end - start {
                0..=wide_cache::LONGEST => self.new_wide(WideKey::new(text, start, end)),
                31..=middle_cache::LONGEST => self.count_middle(&text[start..end]),
                _ => self.count_segments(text, start, end),
            };
        }
        sum
    }

    /// The tokens of a piece of up to 62 bytes if it is known; otherwise as [`Self::new_wide`].
    fn count_or_wait(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        match end - start {
            0..=1 => end - start, // every byte is a token
            2..=LONGEST => {
                let key = Key::new(text, start, end);
                match self.memory.front.find(key) {
                    0 => self.new_short(key),
                    count => count,
                }
            }
            16..=wide_cache::LONGEST => {
                let key = WideKey::new(text, start, end);
                match self.memory.wide.find(key) {
                    0 => self.new_wide(key),
                    count => count,
                }
            }
            _ => self.count_middle(&text[start..end]),
        }
    }

    /// As [`Self::new_wide`], for a piece that `front` does not know. A batch may have left no
    /// room: it makes room before it adds pieces, not after. So room is made here before the piece
    /// is added.
    fn new_short(&mut self, key: Key) -> usize {
        let before = if self.memory.new.may_wait(1) { 0 } else { self.merge_short(false) };
        self.memory.new.add(key.bytes(), key.length(), key.mixed());
        before
    }

    /// Lets a piece wait that `wide` does not know, and returns 0. If too many wait then, merges
    /// them, and returns the tokens of those that are done.
    #[inline(always)]
    fn new_wide(&mut self, key: WideKey) -> usize {
        self.memory.new_wide.add(key.bytes(), key.length(), key.mixed());
        if self.memory.new_wide.may_wait(1) { 0 } else { self.merge_wide(false) }
    }

    /// The tokens of a piece of 31 to 62 bytes if it is known; otherwise as [`Self::new_wide`].
    fn count_middle(&mut self, piece: &[u8]) -> usize {
        let Memory { middle, new_middle, .. } = &mut *self.memory;
        let place = MiddleCache::place(piece);
        if let Some(count) = middle.find(place, piece) {
            return count;
        }
        // Where a piece may be a token that merging does not make, it waits as others do.
        if !self.v.takes_spare_pieces()
            && let Some(runs) = Runs::of(self.v, piece)
        {
            middle.put(place, piece, runs.tokens());
            return runs.tokens();
        }
        new_middle.add(middle_cache::padded(piece), piece.len(), place as u64);
        if new_middle.may_wait(1) { 0 } else { self.merge_middle(false) }
    }

    /// Merges the pieces that still wait, and returns the tokens of all of them.
    pub(crate) fn merge_pending(&mut self) -> usize {
        self.merge_short(true) + self.merge_wide(true) + self.merge_middle(true)
    }

    #[inline(never)]
    fn merge_short(&mut self, all: bool) -> usize {
        let Memory { hot, front, new, .. } = &mut *self.memory;
        if let Front::Made(front) = front {
            return new.merge(self.v, all, |piece, count| {
                let key = Key::from_bytes(piece);
                front.put(key, count);
                hot.put(key, key.mixed(), count);
            });
        }
        let mut met = 0;
        let sum = new.merge(self.v, all, |piece, count| {
            let key = Key::from_bytes(piece);
            hot.put(key, key.mixed(), count);
            met += 1;
        });
        front.met(met, self.v);
        sum
    }

    #[inline(never)]
    fn merge_wide(&mut self, all: bool) -> usize {
        let Memory { wide, new_wide, .. } = &mut *self.memory;
        new_wide.merge(self.v, all, |piece, count| wide.put(WideKey::from_bytes(piece), count))
    }

    #[inline(never)]
    fn merge_middle(&mut self, all: bool) -> usize {
        let Memory { middle, new_middle, .. } = &mut *self.memory;
        new_middle.merge(self.v, all, |piece, count| {
            let piece = middle_cache::unpadded(piece);
            middle.put(MiddleCache::place(piece), piece, count);
        })
    }

    /// The tokens of one piece, which is merged at once if it is new.
    pub(crate) fn count_piece(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let Memory { front, wide, room, .. } = &mut *self.memory;
        let piece = &text[start..end];
        match piece.len() {
            0..=1 => piece.len(),
            2..=LONGEST => {
                let key = Key::new(text, start, end);
                match front.find(key) {
                    0 => {
                        let count = piece::count(self.v, room, piece);
                        front.put(key, count);
                        front.met(1, self.v);
                        count
                    }
                    count => count,
                }
            }
            16..=wide_cache::LONGEST => {
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

    /// The tokens of a piece of more than 30 bytes, in segments that no token reaches out of (see
    /// `joints`). A piece that starts with four bytes of ASCII is taken whole.
    #[inline(never)]
    fn count_segments(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        if text[start..start + 4].is_ascii() {
            return self.count_long(&text[start..end]);
        }
        let piece = &text[..end];
        let (mut count, mut at) = (0, start);
        while at < end {
            let next = self.v.joints().segment_end(piece, at);
            count += match next - at {
                0..=wide_cache::LONGEST => self.count_piece(text, at, next),
                _ => self.count_long(&piece[at..next]),
            };
            at = next;
        }
        count
    }

    fn count_long(&mut self, piece: &[u8]) -> usize {
        if piece.len() > long_cache::LONGEST {
            return piece::count(self.v, &mut self.memory.room, piece);
        }
        if piece.len() > middle_cache::LONGEST {
            if let Some(count) = self.memory.kept.find(piece) {
                return *count;
            }
            let count = piece::count(self.v, &mut self.memory.room, piece);
            self.memory.kept.put(piece, count);
            return count;
        }
        let place = MiddleCache::place(piece);
        if let Some(count) = self.memory.middle.find(place, piece) {
            return count;
        }
        let count = piece::count(self.v, &mut self.memory.room, piece);
        self.memory.middle.put(place, piece, count);
        count
    }
}

#[cfg(test)]
mod tests;
