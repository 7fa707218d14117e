//! Byte-pair merging of one piece: of all neighbours that merge, the pair of lowest rank first, the
//! leftmost of equals.
//!
//! There are two ways to the same tokens. A short piece keeps the rank of every two neighbours in
//! an array and scans it for the minimum. That is quadratic, but up to [`SHORT`] bytes faster than
//! anything with a structure. A longer piece keeps its pairs in a heap and its tokens in a linked
//! list: O(n log n) time and O(n) memory for every input. Neither recurses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::interrupts::worked;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::pairs::NONE;

/// Longest piece, in bytes, that is merged by scanning.
pub(crate) const SHORT: usize = 64;

/// Steps of merging a long piece between two calls of [`worked`].
const STEPS: u32 = 1 << 12;

/// Room that merging needs, kept between pieces so that it is not allocated for each.
#[derive(Default)]
pub(crate) struct Room {
    /// Tokens of a long piece.
    pub(crate) ids: Vec<u32>,
    token: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Room {
    /// Gives memory back if a long piece took room for more than `most` tokens.
    pub(crate) fn shrink_to(&mut self, most: usize) {
        for list in [&mut self.ids, &mut self.token, &mut self.next, &mut self.previous] {
            list.clear();
            list.shrink_to(most);
        }
        self.heap.clear();
        self.heap.shrink_to(most);
    }
}

/// Calls `token` with the ids of the tokens of `piece`, in order; never, if it is empty.
pub(crate) fn merge(v: &Vocabulary, room: &mut Room, piece: &[u8], token: impl FnMut(u32)) {
    match piece.len() {
        0 => {}
        1..=16 => merge_short::<16>(v, piece, token),
        17..=32 => merge_short::<32>(v, piece, token),
        33..=SHORT => merge_short::<SHORT>(v, piece, token),
        _ => merge_long(v, room, piece, token),
    }
}

/// Merges a piece of 1 to `LANES` bytes by scanning. O(n · LANES), no memory of its own. Other
/// lengths are not expected: they panic or give wrong tokens.
///
/// Tokens stay at the places where they start, and a bit says which places still hold one. The key
/// of a pair is its rank and then its place. So the smallest key is that of the leftmost pair of
/// lowest rank, and finding it is a minimum over an array, without branches.
#[inline(always)]
pub(crate) fn merge_short<const LANES: usize>(
    v: &Vocabulary,
    piece: &[u8],
    mut token: impl FnMut(u32),
) {
    let n = piece.len();
    let mut tokens = [0u32; LANES];
    let mut keys = [NO_PAIR; LANES]; // keys[i]: of the pair that starts with tokens[i]
    for (id, byte) in tokens.iter_mut().zip(piece) {
        *id = v.byte_ids[usize::from(*byte)];
    }
    for i in 1..n {
        keys[i - 1] = key(v.merged_bytes(piece[i - 1], piece[i]), i - 1);
    }
    let mut alive = u64::MAX >> (64 - n);
    loop {
        let lowest = keys.iter().fold(NO_PAIR, |a, b| a.min(*b));
        if lowest >= NO_PAIR {
            break;
        }
        let (at, rank) = (lowest as usize % LANES, rank_of(lowest));
        let right = next(alive, at);
        tokens[at] = rank;
        alive &= !(1 << right);
        keys[right % LANES] = NO_PAIR;
        let after = next(alive, at);
        keys[at] =
            if after < n { key(v.pairs.merged(rank, tokens[after % LANES]), at) } else { NO_PAIR };
        let below = alive & ((1 << at) - 1);
        if below != 0 {
            let before = below.ilog2() as usize % LANES;
            keys[before] = key(v.pairs.merged(tokens[before], rank), before);
        }
    }
    while alive != 0 {
        token(tokens[alive.trailing_zeros() as usize % LANES]);
        alive &= alive - 1;
    }
}

/// The least key of a pair that does not merge. The keys of all that merge are below it.
pub(crate) const NO_PAIR: u32 = NONE << PLACE_BITS;

/// Bits of a place in a piece of at most [`SHORT`] bytes.
const PLACE_BITS: u32 = SHORT.ilog2();

/// The key of the pair at `at`: 18 bits of rank, then 6 of place.
#[inline(always)]
pub(crate) fn key(rank: u32, at: usize) -> u32 {
    rank << PLACE_BITS | at as u32
}

/// The rank in a key.
#[inline(always)]
pub(crate) fn rank_of(key: u32) -> u32 {
    key >> PLACE_BITS
}

/// The place of the next token after `at`, or 64 if there is none.
#[inline(always)]
pub(crate) fn next(alive: u64, at: usize) -> usize {
    (alive & (u64::MAX - 1) << at).trailing_zeros() as usize
}

/// Merges a piece by a heap. O(n log n) time, O(n) memory. Panics if the piece has 2³² bytes or
/// more.
pub(crate) fn merge_long(v: &Vocabulary, room: &mut Room, piece: &[u8], token: impl FnMut(u32)) {
    let n = u32::try_from(piece.len()).expect("a piece of less than 4 GiB");
    let Room { token: tokens, next, previous, heap, .. } = room;
    tokens.clear();
    tokens.extend(piece.iter().map(|b| v.byte_ids[usize::from(*b)]));
    next.clear();
    next.extend(1..=n);
    previous.clear();
    previous.extend((0..n).map(|i| i.wrapping_sub(1)));
    heap.clear();
    for at in 1..n {
        if at.is_multiple_of(STEPS) {
            worked(STEPS as usize);
        }
        push(v, heap, tokens, at - 1, at);
    }
    let mut steps = 0;
    while let Some(Reverse((rank, at))) = heap.pop() {
        steps += 1;
        if steps == STEPS {
            worked(STEPS as usize);
            steps = 0;
        }
        let right = next[at as usize];
        // The pair may have been broken by another merge since it was pushed.
        if right >= n || tokens[at as usize] == NONE {
            continue;
        }
        if v.parts(rank) != (tokens[at as usize], tokens[right as usize]) {
            continue;
        }
        let after = next[right as usize];
        tokens[at as usize] = rank;
        tokens[right as usize] = NONE;
        next[at as usize] = after;
        if after < n {
            previous[after as usize] = at;
            push(v, heap, tokens, at, after);
        }
        if at > 0 {
            push(v, heap, tokens, previous[at as usize], at);
        }
    }
    tokens.iter().copied().filter(|id| *id != NONE).for_each(token);
}

fn push(
    v: &Vocabulary,
    heap: &mut BinaryHeap<Reverse<(u32, u32)>>,
    tokens: &[u32],
    at: u32,
    right: u32,
) {
    let rank = v.pairs.merged(tokens[at as usize], tokens[right as usize]);
    if rank != NONE {
        heap.push(Reverse((rank, at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::DATA;

    #[test]
    fn an_empty_piece_has_no_tokens_and_a_byte_has_one() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut room = Room::default();
        for (piece, expected) in [(&b""[..], &[][..]), (b"a", &[64])] {
            let mut found: Vec<u32> = Vec::new();
            merge(&v, &mut room, piece, |id| found.push(id));
            assert_eq!(found, expected, "{piece:?}");
        }
    }
}
