//! New pieces that wait until there are enough of them to be merged together.
//!
//! The plain way merges each new piece as it is found. Merging many at once costs a fraction of
//! that (see `interleaved`), but a batch has only a hundred new ones, and of the longest kind one
//! or two. So they wait here from batch to batch. When a text ends, those that are left are merged
//! and counted, too.
//!
//! A piece that is new again while it waits, or while it is in the making, is merged once and
//! counted as often as it came. Of the new pieces of a batch, a fifth (Chinese) to two fifths (C)
//! are the same as another one.

use crate::merging::interleaved::{self, Interleaved};
use crate::queue::Bounds;
use crate::table::table;
use crate::vocabulary::Vocabulary;

const INDEX: usize = 1024;

/// Room for `MOST` pieces of less than `N` bytes: those that wait and those that are being merged.
///
/// A piece is kept as `N` bytes, padded with zeros. One of the last bytes is its length, as in the
/// key of a cache.
pub(crate) struct Pending<const N: usize, const MOST: usize> {
    pieces: Box<[[u8; N]; MOST]>,
    /// How often the piece at a place came; 0 if the place is free.
    times: Box<[u32; MOST]>,
    /// The first `free_count` are the places that are free; the last of these is taken first.
    free: Box<[u16; MOST]>,
    free_count: usize,
    /// The first `waiting_count` are the pieces that wait, as ranges of `pieces` as one text.
    waiting: Box<[Bounds; MOST]>,
    waiting_count: usize,
    /// How often a piece was added since some were last merged.
    added: usize,
    /// For each place in this index, where the last piece with it was put. Another piece may be
    /// there by now.
    index: Box<[u16; INDEX]>,
    room: Box<Interleaved<N>>,
}

impl<const N: usize, const MOST: usize> Default for Pending<N, MOST> {
    fn default() -> Self {
        let mut free = table(0);
        free.iter_mut().zip(0..).for_each(|(place, i)| *place = i);
        Pending {
            pieces: table([0; N]),
            times: table(0),
            free,
            free_count: MOST,
            waiting: table((0, 0)),
            waiting_count: 0,
            added: 0,
            index: table(0),
            room: Box::default(),
        }
    }
}

impl<const N: usize, const MOST: usize> Pending<N, MOST> {
    /// Whether there is room for `more` pieces, and pieces have not come so often since the last
    /// merging that knowing their counts is worth more than waiting.
    #[inline(always)]
    pub(crate) fn may_wait(&self, more: usize) -> bool {
        more <= self.free_count && self.added <= 2 * MOST
    }

    /// Adds a piece, or counts it once more if it is here. `mixed` is the same for the same piece.
    /// There must be room for one more. O(1).
    ///
    /// There is no branch on whether it is here, as that cannot be predicted.
    #[inline(always)]
    pub(crate) fn add(&mut self, piece: [u8; N], length: usize, mixed: u64) {
        let index = &mut self.index[place(mixed)];
        let before = usize::from(*index) % MOST;
        let same = (self.times[before] > 0) & (self.pieces[before] == piece);
        debug_assert!(self.free_count > 0);
        let next = self.free[self.free_count.wrapping_sub(1) % MOST];
        let at = if same { before } else { usize::from(next) % MOST };
        let start = (at * N) as u32;
        self.pieces[at] = piece;
        self.times[at] += 1;
        self.waiting[self.waiting_count % MOST] = (start, start + length as u32);
        self.waiting_count += usize::from(!same);
        self.free_count -= usize::from(!same);
        self.added += 1;
        *index = at as u16;
    }

    /// Merges the pieces that wait. Calls `counted` with each piece that is done and its tokens,
    /// and returns the tokens of all these, as often as they came.
    ///
    /// If it is not to merge `all`, fewer than 32 pieces are left in the making. If pieces have
    /// come again too often, it merges all anyway.
    #[inline(always)]
    pub(crate) fn merge(
        &mut self,
        v: &Vocabulary,
        all: bool,
        mut counted: impl FnMut(&[u8; N], usize),
    ) -> usize {
        if self.free_count == MOST {
            return 0;
        }
        let all = all || self.added > 2 * MOST;
        let Pending {
            pieces, times, free, free_count, waiting, waiting_count, added, room, ..
        } = self;
        *added = 0;
        let mut sum = 0;
        let waiting = &waiting[..std::mem::take(waiting_count)];
        interleaved::count(v, room, pieces.as_flattened(), waiting, all, |(start, _), count| {
            let at = start as usize / N % MOST;
            sum += std::mem::take(&mut times[at]) as usize * count;
            free[*free_count % MOST] = at as u16;
            *free_count += 1;
            counted(&pieces[at], count);
        });
        sum
    }
}

/// The place in the index. All bits are mixed once more, so that pieces that share a set of a cache
/// do not share a place here.
fn place(mixed: u64) -> usize {
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % INDEX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::Room;
    use crate::merging::piece;
    use crate::testing::DATA;

    const MOST: usize = 64;

    fn padded(piece: &[u8]) -> [u8; 32] {
        let mut padded = [0; 32];
        padded[..piece.len()].copy_from_slice(piece);
        padded[31] = piece.len() as u8;
        padded
    }

    /// Adds `pieces` with an index by `mixed`, merging where they may not wait.
    fn merged(v: &Vocabulary, pieces: &[String], mixed: fn(usize) -> u64) -> (usize, usize) {
        let mut pending = Pending::<32, MOST>::default();
        let (mut sum, mut told) = (0, 0);
        let mut alone = |piece: &[u8; 32], count: usize| {
            told += 1;
            let piece = &piece[..usize::from(piece[31])];
            assert_eq!(count, piece::count(v, &mut Room::default(), piece));
        };
        for piece in pieces {
            if !pending.may_wait(1) {
                sum += pending.merge(v, false, &mut alone);
            }
            pending.add(padded(piece.as_bytes()), piece.len(), mixed(piece.len()));
        }
        sum += pending.merge(v, true, &mut alone);
        assert_eq!(pending.merge(v, true, &mut alone), 0);
        (sum, told)
    }

    #[test]
    fn a_piece_counts_as_often_as_it_came_and_is_merged_once_while_it_waits() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let piece = |i: usize| format!("q{:z>width$}", i % 50, width = 1 + i % 25);
        for pieces in [1, 2, 50, 63, 64, 65, 100, 1_000] {
            let pieces: Vec<_> = (0..pieces).map(piece).collect();
            let alone = |piece: &String| piece::count(&v, &mut Room::default(), piece.as_bytes());
            let expected = pieces.iter().map(alone).sum();
            // By a good index, by one that many share, and by one that all do.
            let [first, second, third] = [|l| l as u64 * 77, |l| l as u64 % 3, |_| 7];
            assert_eq!(merged(&v, &pieces, first).0, expected);
            assert_eq!(merged(&v, &pieces, second).0, expected);
            assert_eq!(merged(&v, &pieces, third).0, expected);
        }
        let one = vec![piece(24); 100];
        assert_eq!(merged(&v, &one, |_| 7).1, 1);
    }

    #[test]
    fn what_comes_again_and_again_does_not_wait_for_others() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let one = vec!["qzxqzx".to_owned(); 1_000];
        assert_eq!(merged(&v, &one, |_| 7).1, 1_000 / 129 + 1);
    }

    #[test]
    fn what_comes_again_while_it_is_in_the_making_is_merged_once() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut pending = Pending::<32, MOST>::default();
        let piece = |i: usize| format!("qz{i:x>width$}", width = 3 + i % 25);
        let pieces: Vec<_> =
            (0..MOST).map(|i| (padded(piece(i).as_bytes()), piece(i).len(), i as u64)).collect();
        let alone = |piece: &[u8; 32]| {
            piece::count(&v, &mut Room::default(), &piece[..usize::from(piece[31])])
        };
        let once: usize = pieces.iter().map(|(piece, ..)| alone(piece)).sum();
        for times in 1..10 {
            let (mut sum, mut told) = (0, 0);
            for (piece, length, mixed) in pieces.repeat(times) {
                if !pending.may_wait(1) {
                    sum += pending.merge(&v, false, |_, _| told += 1);
                }
                pending.add(piece, length, mixed);
            }
            sum += pending.merge(&v, false, |_, _| told += 1);
            let left = MOST - pending.free_count;
            assert!((1..32).contains(&left) && pending.waiting_count == 0);
            let taken = |piece: &[u8; 32]| {
                let mut places = pending.pieces.iter().zip(&*pending.times);
                places.any(|(other, times)| *times > 0 && other == piece)
            };
            let in_the_making: Vec<_> = pieces.iter().filter(|(piece, ..)| taken(piece)).collect();
            assert_eq!(in_the_making.len(), left);
            for (piece, length, mixed) in &in_the_making {
                pending.add(*piece, *length, *mixed);
            }
            assert_eq!((pending.waiting_count, MOST - pending.free_count), (0, left));
            let before = told;
            sum += pending.merge(&v, true, |_, _| told += 1);
            assert_eq!(told - before, left);
            let again: usize = in_the_making.iter().map(|(piece, ..)| alone(piece)).sum();
            assert_eq!(sum, times * once + again);
            // Every place is free again, each once.
            let mut free = pending.free.to_vec();
            free.sort_unstable();
            assert!(free.into_iter().eq(0..MOST as u16));
            assert_eq!((pending.free_count, pending.times.iter().sum::<u32>()), (MOST, 0));
        }
    }
}
