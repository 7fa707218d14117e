//! Byte-pair merging of one piece: the pair of lowest rank first, the leftmost of equals.
//!
//! Two ways to the same tokens. A short piece keeps the rank of every neighbouring pair in an array
//! and scans it for the minimum: quadratic, and faster than anything with a structure up to
//! [`SHORT`] bytes. A longer piece keeps its pairs in a heap and its tokens in a linked list:
//! O(n log n) time and O(n) memory for every input. Neither recurses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::front::Front;
use crate::pairs::NONE;
use crate::vocabulary::Vocabulary;

/// Longest piece, in bytes, that is merged by scanning.
pub(crate) const SHORT: usize = 64;

/// Room that merging needs, kept between pieces so that it is not allocated for each.
#[derive(Default)]
pub(crate) struct Room {
    /// Counts of short pieces met before.
    pub(crate) front: Front,
    /// Tokens of a long piece.
    pub(crate) ids: Vec<u32>,
    token: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
    heap: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Room {
    /// Gives memory back if a long piece took more than `most` places.
    pub(crate) fn shrink_to(&mut self, most: usize) {
        for list in [&mut self.ids, &mut self.token, &mut self.next, &mut self.previous] {
            list.clear();
            list.shrink_to(most);
        }
        self.heap.clear();
        self.heap.shrink_to(most);
    }
}

/// Calls `token` with the ids of the tokens of `piece`, in order.
pub(crate) fn merge(v: &Vocabulary, room: &mut Room, piece: &[u8], token: impl FnMut(u32)) {
    if piece.len() <= SHORT {
        merge_short(v, piece, token);
    } else {
        merge_long(v, room, piece, token);
    }
}

/// O(n²), no memory of its own. Panics if the piece is longer than [`SHORT`].
fn merge_short(v: &Vocabulary, piece: &[u8], token: impl FnMut(u32)) {
    let mut tokens = [0u32; SHORT];
    let mut ranks = [NONE; SHORT + 1]; // ranks[i]: of the pair that starts with tokens[i]
    let mut n = piece.len();
    for (id, byte) in tokens.iter_mut().zip(piece) {
        *id = v.byte_ids[usize::from(*byte)];
    }
    for i in 1..n {
        ranks[i - 1] = v.pairs.merged(tokens[i - 1], tokens[i]);
    }
    while n > 1 {
        let (at, rank) = lowest(&ranks[..n - 1]);
        if rank == NONE {
            break;
        }
        tokens[at] = rank;
        tokens.copy_within(at + 2..n, at + 1);
        ranks.copy_within(at + 1..n, at);
        n -= 1;
        if at > 0 {
            ranks[at - 1] = v.pairs.merged(tokens[at - 1], rank);
        }
        ranks[at] = if at + 1 < n { v.pairs.merged(rank, tokens[at + 1]) } else { NONE };
    }
    tokens[..n].iter().copied().for_each(token);
}

/// Place and value of the leftmost smallest rank; `ranks` is not empty.
fn lowest(ranks: &[u32]) -> (usize, u32) {
    let mut best = (0, ranks[0]);
    for (i, rank) in ranks.iter().enumerate().skip(1) {
        if *rank < best.1 {
            best = (i, *rank);
        }
    }
    best
}

/// O(n log n), for pieces of less than 2³² bytes (longer ones panic).
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
        push(v, heap, tokens, at - 1, at);
    }
    while let Some(Reverse((rank, at))) = heap.pop() {
        let right = next[at as usize];
        // A pair that was broken by another merge since it was pushed is not what it was.
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
