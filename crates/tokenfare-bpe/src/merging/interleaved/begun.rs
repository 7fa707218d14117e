//! The tokens that a piece starts with: its bytes, or its characters where these may be taken at
//! once.

use crate::merging::joints::{PARTS_BEFORE, PARTS_BEHIND};
use crate::queue::Bounds;
use crate::unicode::classes::length_of;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::pairs::NONE;

/// The first `N` bytes of `text` from `start` on, followed by zeros if it ends before.
#[inline(always)]
pub(super) fn bytes_of<const N: usize>(text: &[u8], start: usize) -> [u8; N] {
    match text[start..].first_chunk() {
        Some(bytes) => *bytes,
        None => {
            let mut bytes = [0; N];
            let rest = text.len().min(start + N) - start;
            bytes[..rest].copy_from_slice(&text[start..start + rest]);
            bytes
        }
    }
}

/// The tokens that a piece starts with. There are none if it is ASCII: the pairs of its bytes are
/// looked up in a small table, so nothing need be fetched from far memory.
#[repr(align(64))]
pub(super) struct Begun<const N: usize> {
    pub(super) tokens: [u32; N],
    pub(super) count: usize,
}

impl<const N: usize> Begun<N> {
    pub(super) const EMPTY: Self = Begun { tokens: [0; N], count: 0 };

    #[inline(always)]
    pub(super) fn begin(&mut self, v: &Vocabulary, text: &[u8], (start, end): Bounds) {
        let (start, length) = (start as usize, (end - start) as usize);
        let bytes: [u8; N] = bytes_of(text, start);
        // The bytes behind the piece, mostly zeros, are looked at too. At worst an ASCII piece
        // takes the longer way to begin.
        let high = bytes.iter().fold(0, |high, byte| high | byte);
        self.count = 0;
        if high >= 0x80 {
            self.begin_with_characters(v, &bytes[..length.min(N)]);
        }
    }

    /// Takes a character as one token where `joints` says that this is the same, and its bytes
    /// where not. Prefetches the first pairs.
    #[inline(always)]
    fn begin_with_characters(&mut self, v: &Vocabulary, piece: &[u8]) {
        let joints = v.joints();
        let (mut count, mut at, mut joint) = (0, 0, 0);
        while at < piece.len() {
            let end = piece.len().min(at + length_of(piece[at]));
            let next = if end == piece.len() { 0 } else { joints.parts(piece, end) };
            let parted = joint & PARTS_BEHIND | next & PARTS_BEFORE;
            let character = v.character(&piece[at..end]);
            if v.in_order && parted == 0 && character != NONE {
                self.tokens[count % N] = character;
                count += 1;
            } else {
                for byte in &piece[at..end] {
                    self.tokens[count % N] = v.byte_ids[usize::from(*byte)];
                    count += 1;
                }
            }
            (at, joint) = (end, next);
        }
        for place in 1..count.min(N) {
            v.pairs.ask(self.tokens[place - 1], self.tokens[place], true);
        }
        self.count = count;
    }
}
