//! Encoding a part of a text: pieces are found a batch at a time, and their ids copied from a cache.
//!
//! In order, since ids have an order: a piece that is new is merged at once.

use crate::front::{Key, LONGEST};
use crate::memory::Memory;
use crate::piece;
use crate::spelled::MOST;
use crate::splitting::Splitting;
use crate::vocabulary::Vocabulary;
use crate::walk::{Taker, walk};
use crate::windows::Pieces;

/// Appends the ids of `part` to `ids`. O(n) but for pieces of more than 64 bytes, O(n log n) at worst.
pub(crate) fn encode_part(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
    ids: &mut Vec<u32>,
) {
    let mut pieces = memory.pieces.take().unwrap_or_default();
    walk(v, splitting, &mut pieces, part, &mut Encoding { v, memory, ids });
    memory.pieces = Some(pieces);
}

struct Encoding<'a> {
    v: &'a Vocabulary,
    memory: &'a mut Memory,
    ids: &'a mut Vec<u32>,
}

impl Taker for Encoding<'_> {
    const ALL: bool = true;

    #[inline(always)]
    fn batch(&mut self, text: &[u8], pieces: &Pieces) {
        let mut known = self.ids.len();
        for (start, end) in pieces.bounds() {
            // Room for what a piece of the cache has at most; what it has less is written over.
            if self.ids.len() < known + MOST {
                self.ids.resize(known + 1024 * MOST, 0);
            }
            let (start, end) = (start as usize, end as usize);
            let bytes = text.get(start..).and_then(|rest| rest.first_chunk());
            let room = self.ids[known..].first_chunk_mut();
            if let (true, Some(bytes), Some(room)) = (end - start <= LONGEST, bytes, room) {
                let (found, count) = self.memory.spelled.find(Key::of_first(bytes, end - start));
                if count > 0 {
                    *room = *found;
                    known += count;
                    continue;
                }
            }
            self.ids.truncate(known);
            self.piece(text, start, end);
            known = self.ids.len();
        }
        self.ids.truncate(known);
    }

    #[inline(never)]
    fn piece(&mut self, text: &[u8], start: usize, end: usize) {
        let before = self.ids.len();
        let Memory { spelled, room, .. } = &mut *self.memory;
        if end - start > LONGEST {
            return piece::tokens(self.v, room, &text[start..end], |id| self.ids.push(id));
        }
        let key = Key::new(text, start, end);
        let (found, count) = spelled.find(key);
        if count > 0 {
            return self.ids.extend_from_slice(&found[..count]);
        }
        piece::tokens(self.v, room, &text[start..end], |id| self.ids.push(id));
        spelled.put(key, &self.ids[before..]);
    }
}
