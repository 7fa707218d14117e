//! Encoding one part of a text: pieces are found a batch at a time, and their ids are copied from a
//! cache.
//!
//! Ids have an order, so pieces are taken in order and a new piece is merged at once.

use crate::caches::id_cache::{LongerIdCache, MOST};
use crate::caches::long_cache;
use crate::caches::middle_cache;
use crate::caches::short_cache::{Key, LONGEST};
use crate::memory::Memory;
use crate::merging::piece;
use crate::pieces::splitting::Splitting;
use crate::pieces::traversal::{Taker, walk};
use crate::pieces::windows::Pieces;
use crate::vocabulary::Vocabulary;

/// Appends the ids of `part` to `ids`. O(n), except for pieces of more than 64 bytes, which are O(n
/// log n) at worst.
pub(crate) fn encode_part(
    v: &Vocabulary,
    splitting: &Splitting,
    memory: &mut Memory,
    part: &str,
    ids: &mut Vec<u32>,
) {
    let mut pieces = memory.pieces.take().unwrap_or_default();
    walk(v, splitting, &mut pieces[0], part, &mut Encoding { v, memory, ids });
    memory.pieces = Some(pieces);
}

struct Encoding<'a> {
    v: &'a Vocabulary,
    memory: &'a mut Memory,
    ids: &'a mut Vec<u32>,
}

/// Pieces whose cache entries are prefetched before the first of them is read.
const TOGETHER: usize = 32;

impl Encoding<'_> {
    /// Encodes at most [`TOGETHER`] pieces.
    #[inline(always)]
    fn some(&mut self, text: &[u8], starts: &[u32], ends: &[u32]) {
        let mut keys = [Key::default(); TOGETHER];
        for ((key, start), end) in keys.iter_mut().zip(starts).zip(ends) {
            let (start, length) = (*start as usize, (end - start) as usize);
            let bytes = text.get(start..start + 16).and_then(|bytes| bytes.first_chunk());
            *key = bytes.map_or_else(Key::default, |bytes| Key::of_first(bytes, length));
            self.memory.spelled.prefetch(*key);
        }
        let mut known = self.ids.len();
        // Room for the most ids that a cached piece can have; the next piece overwrites what is not
        // used.
        self.ids.resize(known + TOGETHER * MOST, 0);
        for ((key, start), end) in keys.iter().zip(starts).zip(ends) {
            let (found, count) = self.memory.spelled.find(*key);
            if let (1.., Some(room)) = (count, self.ids[known..].first_chunk_mut()) {
                *room = *found;
                known += count;
                continue;
            }
            self.ids.truncate(known);
            self.piece(text, *start as usize, *end as usize);
            known = self.ids.len();
            self.ids.resize(known + TOGETHER * MOST, 0);
        }
        self.ids.truncate(known);
    }
}

impl Taker for Encoding<'_> {
    const ALL: bool = true;

    #[inline(always)]
    fn batch(&mut self, text: &[u8], pieces: &Pieces) {
        let starts = pieces.starts().chunks(TOGETHER);
        for (starts, ends) in starts.zip(pieces.ends().chunks(TOGETHER)) {
            self.some(text, starts, ends);
        }
    }

    #[inline(never)]
    fn piece(&mut self, text: &[u8], start: usize, end: usize) {
        let Memory { spelled, room, .. } = &mut *self.memory;
        if end - start > LONGEST {
            return self.longer_piece(&text[start..end]);
        }
        let before = self.ids.len();
        let key = Key::new(text, start, end);
        let (found, count) = spelled.find(key);
        if count > 0 {
            return self.ids.extend_from_slice(&found[..count]);
        }
        piece::tokens(self.v, room, &text[start..end], |id| self.ids.push(id));
        spelled.put(key, &self.ids[before..]);
    }
}

impl Encoding<'_> {
    fn longer_piece(&mut self, piece: &[u8]) {
        let Memory { spelled_longer, kept_ids, room, .. } = &mut *self.memory;
        let before = self.ids.len();
        if piece.len() > middle_cache::LONGEST {
            if let Some(found) = kept_ids.find(piece) {
                return self.ids.extend_from_slice(found);
            }
            piece::tokens(self.v, room, piece, |id| self.ids.push(id));
            if piece.len() <= long_cache::LONGEST {
                kept_ids.put(piece, self.ids[before..].into());
            }
            return;
        }
        let place = LongerIdCache::place(piece);
        let found = spelled_longer.find(place, piece);
        if !found.is_empty() {
            return self.ids.extend_from_slice(found);
        }
        piece::tokens(self.v, room, piece, |id| self.ids.push(id));
        spelled_longer.put(place, piece, &self.ids[before..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::Room;
    use crate::testing::DATA;
    use crate::tokenizer::Tokenizer;

    #[test]
    fn ids_are_those_of_each_piece_alone_however_often_it_was_met() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let mut text = String::new();
        for length in (1..200).chain([4095, 4096, 4097, 5000]) {
            for unit in ["a", "qz", " ", "=-", "ж", "国科", "\u{301}x"] {
                text += &unit.repeat(length / unit.len() + 1);
                text += ".\n0";
            }
        }
        let (mut expected, mut at) = (Vec::new(), 0);
        let normal = tokenizer.splitting.normalized(&text);
        let (v, room) = (&tokenizer.vocabulary, &mut Room::default());
        while at < normal.len() {
            let end = tokenizer.splitting.piece_end(normal.as_bytes(), at);
            piece::tokens(v, room, &normal.as_bytes()[at..end], |id| expected.push(id));
            at = end;
        }
        for _ in 0..3 {
            let mut ids = Vec::new();
            tokenizer.encode(&text, &mut ids);
            assert!(ids == expected);
        }
    }
}
