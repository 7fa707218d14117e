//! Merging long pieces in about linear time: short chunks are encoded alone, and the seams between
//! them are mended.
//!
//! The plain way is `merge_long`, with a heap: O(n log n) on everything. Here a chunk is so short
//! that it is merged by scanning. What follows says when the tokens of two chunks may stand side by
//! side.
//!
//! **Valid pair.** `(l, r)` is a valid pair if encoding `bytes(l) + bytes(r)` gives `l, r` back.
//! This is decided without encoding. First, the two must not merge themselves. Then undo their
//! merges, the latest first. Each time, look whether the parts that now face each other at the seam
//! would have merged before the step that was undone; if so, the pair is not valid. This asks for a
//! vocabulary in which tokens are made of tokens of lower rank, so that the latest merge is the one
//! of highest rank. In another vocabulary the two are encoded.
//!
//! **Lemma.** A sequence of two or more tokens is the encoding of its bytes if and only if every
//! two neighbours are a valid pair. *Only if*: no merge crosses a seam of the final sequence, so
//! the steps inside two neighbours are those of encoding the two alone. *If*: each token belongs to
//! a valid pair, so its bytes alone give that token. Suppose the encoding differs; then some step
//! crosses a seam of the sequence. Take the first such step. Until then the steps inside each token
//! are those of encoding it alone. So both facing parts are parts of two neighbours at that stage,
//! and the same merge would come first in encoding the two alone: they are not a valid pair.
//! Nothing is assumed about ranks. ∎
//!
//! So the encodings of two chunks join where the tokens at the seam are a valid pair. Where they
//! are not, a window around the seam is encoded anew, and made wider until both its ends are valid
//! pairs. The cost of windows is bounded: when they add up to more than [`BUDGET`] times the length
//! of the piece, the whole piece goes through the heap.

use crate::interrupts::worked;
use crate::merging::merge::{Room, merge, merge_long};
use crate::merging::runs::Runs;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::pairs::NONE;

const CHUNK: usize = 32;
const BUDGET: usize = 16;

/// Puts the tokens of `piece` into `out`, which is empty. O(n) usually, O(n log n) at worst; O(n)
/// memory.
pub(crate) fn encode_long(v: &Vocabulary, room: &mut Room, piece: &[u8], out: &mut Vec<u32>) {
    debug_assert!(out.is_empty());
    if let Some(runs) = Runs::of(v, piece) {
        return runs
            .all()
            .iter()
            .for_each(|run| out.extend(std::iter::repeat_n(run.token, run.times)));
    }
    let mut joined = Joined { v, piece, tokens: out, window: Vec::new(), spent: 0 };
    let mut chunk = Vec::new();
    for at in (0..piece.len()).step_by(CHUNK) {
        let end = (at + CHUNK).min(piece.len());
        worked(CHUNK);
        chunk.clear();
        merge(v, room, &piece[at..end], |id| chunk.push(id));
        let from = match joined.tokens.last() {
            Some(last) if !is_valid_pair(v, *last, chunk[0]) => joined.mend(room, at, &chunk),
            _ => 0,
        };
        joined.tokens.extend_from_slice(&chunk[from..]);
        if joined.spent > BUDGET * piece.len() {
            out.clear();
            return merge_long(v, room, piece, |id| out.push(id));
        }
    }
}

/// The tokens of the chunks that were joined so far.
struct Joined<'a> {
    v: &'a Vocabulary,
    piece: &'a [u8],
    tokens: &'a mut Vec<u32>,
    /// Room for the tokens of a window.
    window: Vec<u32>,
    /// The bytes of all windows.
    spent: usize,
}

impl Joined<'_> {
    /// Encodes a window around the seam at `at`, behind which `chunk` comes. Replaces the tokens
    /// that it covers, and returns how many tokens of `chunk` it covers.
    #[inline(never)] // so that the loop over chunks stays small
    fn mend(&mut self, room: &mut Room, at: usize, chunk: &[u32]) -> usize {
        let Joined { v, piece, tokens, window, spent } = self;
        let length = |ids: &[u32]| ids.iter().map(|id| v.token(*id).len()).sum::<usize>();
        let (mut left, mut right) = (2, 2);
        loop {
            left = left.min(tokens.len());
            right = right.min(chunk.len());
            let (kept, covered) = tokens.split_at(tokens.len() - left);
            let (start, end) = (at - length(covered), at + length(&chunk[..right]));
            *spent += end - start;
            window.clear();
            merge(v, room, &piece[start..end], |id| window.push(id));
            let left_holds = kept.last().is_none_or(|last| is_valid_pair(v, *last, window[0]));
            let right_holds =
                right == chunk.len() || is_valid_pair(v, window[window.len() - 1], chunk[right]);
            if left_holds && right_holds {
                tokens.truncate(tokens.len() - left);
                tokens.extend_from_slice(window);
                return right;
            }
            left *= if left_holds { 1 } else { 2 };
            right *= if right_holds { 1 } else { 2 };
        }
    }
}

/// How many tokens `piece` is. As [`encode_long`], but a piece of a few runs of equal bytes needs
/// no memory.
pub(crate) fn count_long(v: &Vocabulary, room: &mut Room, piece: &[u8]) -> usize {
    if let Some(runs) = Runs::of(v, piece) {
        return runs.tokens();
    }
    let mut ids = std::mem::take(&mut room.ids);
    encode_long(v, room, piece, &mut ids);
    let count = ids.len();
    ids.clear();
    room.ids = ids;
    count
}

/// Whether encoding the bytes of the two tokens gives the two tokens. O(depth of their merges); in
/// a vocabulary that is not in order, O(n²) in the length of the tokens.
pub(crate) fn is_valid_pair(v: &Vocabulary, mut left: u32, mut right: u32) -> bool {
    if !v.in_order {
        return encodes_to(v, left, right);
    }
    // Merges of this rank or higher have been undone: only one of lower rank can come before them.
    let mut limit = NONE;
    loop {
        let merged = v.pairs.merged(left, right);
        if merged < limit {
            return false;
        }
        let (left_part, right_part) = (v.parts(left).1, v.parts(right).0);
        // If both are of one rank, the left one was merged first, so the right one is undone first.
        let undo_left = left_part != NONE && (left > right || right_part == NONE);
        if undo_left {
            limit = left;
            left = left_part;
        } else if right_part != NONE {
            limit = right + 1;
            right = right_part;
        } else {
            return true;
        }
    }
}

/// Merges the bytes of the two tokens by the plain way, and looks whether the two come out.
#[cold]
fn encodes_to(v: &Vocabulary, left: u32, right: u32) -> bool {
    let bytes = [v.token(left), v.token(right)].concat();
    let mut tokens: Vec<u32> = bytes.iter().map(|b| v.byte_ids[usize::from(*b)]).collect();
    loop {
        let pairs = tokens.windows(2).map(|pair| v.pairs.merged(pair[0], pair[1]));
        let lowest = pairs.enumerate().min_by_key(|(at, rank)| (*rank, *at));
        let Some((at, rank)) = lowest.filter(|(_, rank)| *rank != NONE) else { break };
        tokens[at] = rank;
        tokens.remove(at + 1);
    }
    tokens == [left, right]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DATA, dice};

    fn heap(v: &Vocabulary, piece: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        merge_long(v, &mut Room::default(), piece, |id| ids.push(id));
        ids
    }

    fn chunks(v: &Vocabulary, piece: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        encode_long(v, &mut Room::default(), piece, &mut ids);
        ids
    }

    #[test]
    fn chunks_and_seams_give_what_the_heap_gives() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut roll = dice(7);
        let units =
            ["the", "ing", "=", "==", " ", "ab", "\u{4e2d}", "\u{301}", "x", "\n", "0", "tion"];
        for round in 0..3000 {
            let some = 1 + roll(units.len());
            let mut piece = String::new();
            let length = 65 + roll(600);
            while piece.len() < length {
                piece.push_str(&units[(roll(some) + round) % units.len()].repeat(1 + roll(4)));
            }
            assert_eq!(chunks(&v, piece.as_bytes()), heap(&v, piece.as_bytes()), "{piece:?}");
        }
    }

    #[test]
    fn arbitrary_bytes_give_what_the_heap_gives() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut roll = dice(11);
        for _ in 0..2000 {
            let sides = 1 + roll(256);
            let piece: Vec<u8> = (0..65 + roll(400)).map(|_| roll(sides) as u8).collect();
            assert_eq!(chunks(&v, &piece), heap(&v, &piece));
        }
    }

    #[test]
    fn runs_of_every_byte_and_length_give_what_the_heap_gives() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        for byte in 0..=255u8 {
            for length in [65, 127, 256, 257, 300, 511, 1000, 1337] {
                let piece = vec![byte; length];
                assert_eq!(chunks(&v, &piece), heap(&v, &piece), "{byte} x {length}");
            }
        }
    }

    #[test]
    fn a_pair_is_valid_if_its_bytes_encode_to_it() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut roll = dice(3);
        let (mut valid, mut invalid) = (0, 0);
        for round in 0..200_000 {
            let left = roll(v.len()) as u32;
            // Half of them from tokens that are split, so that many are not valid.
            let (left, right) = match v.parts(left) {
                (l, r) if round % 2 == 0 && l != NONE => (l, r),
                _ => (left, roll(3000) as u32),
            };
            let bytes = [v.token(left), v.token(right)].concat();
            let truth = heap(&v, &bytes) == [left, right];
            assert_eq!(is_valid_pair(&v, left, right), truth, "{left} {right}");
            valid += u32::from(truth);
            invalid += u32::from(!truth);
        }
        assert!(valid > 10_000 && invalid > 10_000, "{valid} {invalid}");
    }
}
