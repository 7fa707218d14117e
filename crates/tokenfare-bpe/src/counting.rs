//! Counting a part of a text: pieces are found a batch at a time, looked up together, and what is
//! new is merged afterwards.
//!
//! The look-ups of a batch do not depend on one another and take no branch on what they find, so
//! the machine overlaps them. What was not found is set aside with its place, and looked at when
//! the batch is through.

use crate::front::{Key, LONGEST};
use crate::kept;
use crate::merge::Room;
use crate::middle::{self, Middle};
use crate::nfc::nfc;
use crate::piece;
use crate::scan::piece_end;
use crate::splitting::Splitting;
use crate::vocabulary::Vocabulary;
use crate::windows::{BATCH, Bounds, Stop};

/// How many tokens `part` is. O(n) but for pieces of more than 64 bytes, O(n log n) at worst.
pub(crate) fn count_part(v: &Vocabulary, room: &mut Room, part: &str) -> usize {
    let mut bounds = std::mem::take(&mut room.bounds);
    let mut counting = Counting { v, room };
    let (count, at) = counting.walk(&mut bounds, part.as_bytes(), false);
    let rest = match &part[at..] {
        "" => 0,
        rest => counting.walk(&mut bounds, nfc(rest).as_bytes(), true).0,
    };
    room.bounds = bounds;
    count + rest
}

/// As [`count_part`], for any pattern, piece by piece.
pub(crate) fn count_pieces(
    v: &Vocabulary,
    splitting: &Splitting,
    room: &mut Room,
    part: &str,
) -> usize {
    let text = splitting.normalized(part);
    let text = text.as_bytes();
    let mut counting = Counting { v, room };
    let mut count = 0;
    splitting.for_each_piece(text, |start, end| count += counting.count_piece(text, start, end));
    count
}

struct Counting<'a> {
    v: &'a Vocabulary,
    room: &'a mut Room,
}

impl Counting<'_> {
    /// Counts `text`, or as much of it as is NFC without a closer look: answers where it stopped.
    ///
    /// What follows then starts with a character that NFC keeps and never joins to those before it:
    /// it was in a window that held no other kind, or the text starts there.
    fn walk(&mut self, bounds: &mut Bounds, text: &[u8], normal: bool) -> (usize, usize) {
        let mut count = 0;
        bounds.begin(0);
        loop {
            let stop = bounds.find(text, &self.v.joints, normal);
            count += self.count_batch(text, bounds.places());
            let at = bounds.end();
            match stop {
                Stop::Full => bounds.begin(at),
                _ if !normal => return (count, at),
                Stop::Long if at < text.len() => {
                    let end = piece_end(text, at);
                    count += self.count_piece(text, at, end);
                    bounds.begin(end);
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

    /// Pieces between neighbouring places, all of them at least [`LONGEST`] bytes from the end.
    fn count_batch(&mut self, text: &[u8], places: &[usize]) -> usize {
        let mut new = [(0, 0); BATCH + 64];
        let mut news = 0;
        let mut count = 0;
        let front = &self.room.front;
        for bounds in places.windows(2) {
            let (start, end) = (bounds[0], bounds[1]);
            let Some(bytes) = text.get(start..).and_then(|rest| rest.first_chunk()) else { break };
            let short = usize::from(end - start <= LONGEST).wrapping_neg();
            let found = front.find(Key::of_first(bytes, end - start)) & short;
            count += found;
            new[news % new.len()] = (start, end);
            news += usize::from(found == 0);
        }
        for (start, end) in &new[..news] {
            count += self.count_piece(text, *start, *end);
        }
        count
    }

    #[inline(always)]
    fn count_piece(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        if end - start > LONGEST {
            return self.count_segments(text, start, end);
        }
        let key = Key::new(text, start, end);
        match self.room.front.find(key) {
            0 => self.count_new_piece(key, &text[start..end]),
            count => count,
        }
    }

    #[inline(never)] // rare, and large: inlined it costs the common way its registers
    fn count_new_piece(&mut self, key: Key, piece: &[u8]) -> usize {
        let count = piece::count(self.v, self.room, piece);
        self.room.front.put(key, count);
        count
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
            count += if next - at > LONGEST {
                self.count_long(&piece[at..next])
            } else {
                self.count_piece(text, at, next)
            };
            at = next;
        }
        count
    }

    fn count_long(&mut self, piece: &[u8]) -> usize {
        if piece.len() > kept::LONGEST {
            return piece::count(self.v, self.room, piece);
        }
        if piece.len() > middle::LONGEST {
            if let Some(count) = self.room.kept.find(piece) {
                return count;
            }
            let count = piece::count(self.v, self.room, piece);
            self.room.kept.put(piece, count);
            return count;
        }
        let place = Middle::place(piece);
        if let Some(count) = self.room.middle.find(place, piece) {
            return count;
        }
        let count = piece::count(self.v, self.room, piece);
        self.room.middle.put(place, piece, count);
        count
    }
}
