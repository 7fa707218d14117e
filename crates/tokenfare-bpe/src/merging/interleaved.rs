//! Merging many short pieces at once, so that their look-ups overlap.
//!
//! Each piece is merged as in `merge`: the pair of lowest rank first, the leftmost of equals. The
//! plain way merges one piece after the other. But the next merge of a piece depends on what the
//! look-ups of the last one find, so one piece alone waits for memory after every merge. Here
//! [`LANES`] pieces take turns, each in a lane. In its turn a lane does one merge and prefetches
//! the two lines of the table that it needs next. It reads them when its turn comes again.
//!
//! A turn with few busy lanes waits for memory as long as one in which all are busy. So a batch
//! that is not the last stops when it cannot fill all lanes, and what they hold goes on in the
//! next.

/// The tokens that a piece starts with.
mod begun;

#[cfg(target_arch = "x86_64")]
use crate::machine::has_avx2;
use crate::merging::merge::{NO_PAIR, key, next, rank_of};
use crate::queue::Bounds;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::pairs::{Mixed, NONE, NOTHING, Pairs};
use begun::{Begun, bytes_of};

/// Number of pieces that take turns.
const LANES: usize = 32;
/// Number of pieces whose first pairs are being fetched meanwhile; a power of two.
const AHEAD: usize = 8;

/// Pieces of at most `N` - 1 bytes in the making, where `N` is 16, 32 or 64. It is kept from batch
/// to batch, since making it takes as long as counting some pieces.
pub(crate) struct Interleaved<const N: usize> {
    lanes: [Lane<N>; LANES],
    /// How many lanes hold a piece; these come first.
    busy: usize,
    begun: [Begun<N>; AHEAD],
}

impl<const N: usize> Default for Interleaved<N> {
    fn default() -> Self {
        Interleaved {
            lanes: [const { Lane::<N>::EMPTY }; LANES],
            busy: 0,
            begun: [const { Begun::<N>::EMPTY }; AHEAD],
        }
    }
}

/// Calls `counted` with the bounds and the count of each piece, in any order. Pieces that an
/// earlier call left in the making are among them. If not `all` are to be counted, fewer than
/// [`LANES`] are left for the next call.
///
/// A piece is a range of `text`, of 1 to `N` - 1 bytes: the last place of a lane is kept free.
#[inline(always)]
fn count_with<const N: usize>(
    v: &Vocabulary,
    room: &mut Interleaved<N>,
    text: &[u8],
    pieces: &[Bounds],
    all: bool,
    mut counted: impl FnMut(Bounds, usize),
) {
    let Interleaved { lanes, busy: left, begun } = room;
    let mut busy = *left;
    let mut ahead = Ahead::new(v, text, pieces, begun);
    while busy < LANES && ahead.next(&mut lanes[busy], &mut counted) {
        busy += 1;
    }
    while busy == LANES || all && busy > 0 {
        // All lanes take before the first one steps: taking stores to one place of `keys`, and a
        // load of eight places waits for a store to one of them.
        for lane in &mut lanes[..busy] {
            lane.take(&v.pairs);
        }
        let mut i = 0;
        while i < busy {
            let lane = &mut lanes[i];
            if lane.step(&v.pairs) {
                i += 1;
                continue;
            }
            counted(lane.bounds, lane.alive.count_ones() as usize);
            if ahead.next(lane, &mut counted) {
                i += 1;
            } else {
                busy -= 1;
                lanes.swap(i, busy);
            }
        }
    }
    *left = busy;
}

/// The pieces that come next. The first pairs of up to [`AHEAD`] of them are being fetched.
struct Ahead<'a, const N: usize> {
    v: &'a Vocabulary,
    text: &'a [u8],
    pieces: &'a [Bounds],
    begun: &'a mut [Begun<N>; AHEAD],
    /// How many were handed over to lanes or counted.
    over: usize,
}

impl<'a, const N: usize> Ahead<'a, N> {
    #[inline(always)]
    fn new(
        v: &'a Vocabulary,
        text: &'a [u8],
        pieces: &'a [Bounds],
        begun: &'a mut [Begun<N>; AHEAD],
    ) -> Self {
        for (begun, bounds) in begun.iter_mut().zip(pieces) {
            begun.begin(v, text, *bounds);
        }
        Ahead { v, text, pieces, begun, over: 0 }
    }

    /// Puts the next piece that has something to merge into `lane`. Pieces before it that have
    /// nothing to merge are `counted`. `false` if there is no such piece.
    #[inline(always)]
    fn next(&mut self, lane: &mut Lane<N>, counted: &mut impl FnMut(Bounds, usize)) -> bool {
        while let Some(bounds) = self.pieces.get(self.over) {
            let begun = &mut self.begun[self.over % AHEAD];
            let merges = lane.fill(self.v, begun, self.text, *bounds);
            if let Some(bounds) = self.pieces.get(self.over + AHEAD) {
                begun.begin(self.v, self.text, *bounds);
            }
            self.over += 1;
            if merges {
                return true;
            }
            counted(lane.bounds, lane.alive.count_ones() as usize);
        }
        false
    }
}

/// The pieces that need merging. The others are whole tokens, and are `counted` as one.
///
/// This is for vocabularies in which a piece may be a token that merging does not make.
#[cold]
fn not_whole(
    v: &Vocabulary,
    text: &[u8],
    pieces: &[Bounds],
    counted: &mut impl FnMut(Bounds, usize),
) -> Vec<Bounds> {
    let mut rest = Vec::with_capacity(pieces.len());
    for bounds in pieces {
        match v.whole_piece(&text[bounds.0 as usize..bounds.1 as usize]) {
            Some(_) => counted(*bounds, 1),
            None => rest.push(*bounds),
        }
    }
    rest
}

/// Counts pieces of at most `N` - 1 bytes, and those that were left in `room`. Unless it counts
/// `all`, fewer than [`LANES`] are left again. As `count_with`.
#[inline(never)]
pub(crate) fn count<const N: usize>(
    v: &Vocabulary,
    room: &mut Interleaved<N>,
    text: &[u8],
    pieces: &[Bounds],
    all: bool,
    mut counted: impl FnMut(Bounds, usize),
) {
    let rest = v.takes_spare_pieces().then(|| not_whole(v, text, pieces, &mut counted));
    let pieces = rest.as_deref().unwrap_or(pieces);
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: all it asks is the instructions it was compiled for, which the machine has.
        return unsafe { count_with_avx2(v, room, text, pieces, all, counted) };
    }
    count_with(v, room, text, pieces, all, counted);
}

/// As `count_with`, with the minimum taken of eight places at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn count_with_avx2<const N: usize>(
    v: &Vocabulary,
    room: &mut Interleaved<N>,
    text: &[u8],
    pieces: &[Bounds],
    all: bool,
    counted: impl FnMut(Bounds, usize),
) {
    count_with(v, room, text, pieces, all, counted);
}

/// A piece in the making.
#[repr(align(64))]
struct Lane<const N: usize> {
    /// The key of the pair at a place, as in `merge`; [`NO_PAIR`] or more if there is none.
    keys: [u32; N],
    /// Each token, at the place where it starts.
    tokens: [u32; N],
    /// The places that hold a token, as bits.
    alive: u64,
    /// The place of the newest token, and of the token before it.
    at: usize,
    before: usize,
    /// The pairs asked for: the newest token with the one after, the one before with the newest.
    with_after: Mixed,
    with_before: Mixed,
    bounds: Bounds,
}

impl<const N: usize> Lane<N> {
    const EMPTY: Self = Lane {
        keys: [NO_PAIR; N],
        tokens: [0; N],
        alive: 0,
        at: 0,
        before: 0,
        with_after: NOTHING,
        with_before: NOTHING,
        bounds: (0, 0),
    };

    /// Begins with a piece. `false` if nothing merges, which is known only of a piece that begins
    /// with characters; one that begins with bytes gives `true`.
    #[inline(always)]
    fn fill(&mut self, v: &Vocabulary, begun: &Begun<N>, text: &[u8], bounds: Bounds) -> bool {
        self.bounds = bounds;
        // Nothing is asked for yet. The answer, no pair, goes to the place that is kept free.
        (self.at, self.before) = (N - 1, N - 1);
        (self.with_after, self.with_before) = (NOTHING, NOTHING);
        if begun.count == 0 {
            self.fill_with_bytes(v, bytes_of(text, bounds.0 as usize), bounds.1 - bounds.0);
            return true;
        }
        self.tokens = begun.tokens;
        self.alive = u64::MAX >> (64 - begun.count);
        self.keys = [NO_PAIR; N];
        let mut lowest = NO_PAIR;
        for place in 1..begun.count.min(N) {
            let rank = v.pairs.merged(begun.tokens[place - 1], begun.tokens[place]);
            let key = key(rank, place - 1);
            self.keys[place - 1] = key;
            lowest = lowest.min(key);
        }
        lowest < NO_PAIR
    }

    #[inline(always)]
    fn fill_with_bytes(&mut self, v: &Vocabulary, bytes: [u8; N], length: u32) {
        // All places are looked up, and those beyond the piece are ruled out afterwards: how many
        // there are cannot be predicted.
        for at in 0..N - 1 {
            self.keys[at] = v.merged_bytes(bytes[at], bytes[at + 1]);
        }
        self.keys[N - 1] = NONE;
        for (rank, at) in self.keys.iter_mut().zip(0..) {
            let beyond = u32::from(at + 1 >= length).wrapping_neg();
            *rank = key(*rank, at as usize) | beyond;
        }
        for (token, byte) in self.tokens.iter_mut().zip(bytes) {
            *token = v.byte_ids[usize::from(byte)];
        }
        self.alive = u64::MAX >> (64 - length);
    }

    /// Stores the answers to what was asked for.
    #[inline(always)]
    fn take(&mut self, pairs: &Pairs) {
        // The order matters: if there is no token before, both answers go to the same place, and
        // the second is the right one.
        self.keys[self.before % N] = key(pairs.answer(self.with_before), self.before);
        self.keys[self.at % N] = key(pairs.answer(self.with_after), self.at);
    }

    /// Does the next merge and asks for the pairs it makes possible. `false` if nothing merges.
    #[inline(always)]
    fn step(&mut self, pairs: &Pairs) -> bool {
        let lowest = self.keys.iter().fold(NO_PAIR, |a, b| a.min(*b));
        if lowest >= NO_PAIR {
            return false;
        }
        let (at, rank) = (lowest as usize % N, rank_of(lowest));
        let right = next(self.alive, at);
        self.tokens[at] = rank;
        self.alive &= !(1 << (right % 64));
        self.keys[right % N] = NO_PAIR;
        let after = next(self.alive, at);
        let below = self.alive & ((1 << at) - 1);
        let before = (below | 1).ilog2() as usize;
        self.with_after = pairs.ask(rank, self.tokens[after % N], after < 64);
        self.with_before = pairs.ask(self.tokens[before % N], rank, below != 0);
        self.at = at;
        self.before = if below != 0 { before } else { at };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::{Room, merge_long};
    use crate::testing::{DATA, dice};

    fn check(
        pieces: &[Vec<u8>],
        count: impl Fn(&Vocabulary, &[u8], &[Bounds], &mut dyn FnMut(Bounds, usize)),
    ) {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let text = pieces.concat();
        let mut at = 0;
        let bounds: Vec<_> = pieces
            .iter()
            .map(|piece| {
                at += piece.len() as u32;
                (at - piece.len() as u32, at)
            })
            .collect();
        let mut counts = std::collections::HashMap::new();
        count(&v, &text, &bounds, &mut |bounds, count| {
            assert_eq!(counts.insert(bounds, count), None);
        });
        for (bounds, piece) in bounds.iter().zip(pieces) {
            let mut expected = 0;
            merge_long(&v, &mut Room::default(), piece, |_| expected += 1);
            assert_eq!(counts[bounds], expected, "{piece:?}");
        }
    }

    fn pieces(most: usize) -> Vec<Vec<u8>> {
        let mut roll = dice(77);
        let words = ["the", "ing", "qu", "er", "国", "ж", "0", " ", "ation", "x", "\u{301}"];
        (0..20_000)
            .map(|round| {
                let mut piece = String::new();
                let length = 1 + roll(most);
                loop {
                    let before = piece.len();
                    match round % 3 {
                        0 => piece
                            .push(char::from_u32(1 << roll(17) | roll(64) as u32).unwrap_or('a')),
                        1 => piece.push((b'a' + roll(26) as u8) as char),
                        _ => piece.push_str(words[roll(words.len())]),
                    }
                    if piece.len() > length {
                        piece.truncate(before);
                        break if before == 0 { b"x".to_vec() } else { piece.into_bytes() };
                    }
                }
            })
            .collect()
    }

    #[test]
    fn pieces_that_take_turns_are_counted_as_each_alone() {
        check(&pieces(15), |v, text, bounds, counted| {
            count(v, &mut Interleaved::<16>::default(), text, bounds, true, counted);
        });
        check(&pieces(31), |v, text, bounds, counted| {
            count(v, &mut Interleaved::<32>::default(), text, bounds, true, counted);
        });
        check(&pieces(63), |v, text, bounds, counted| {
            count(v, &mut Interleaved::<64>::default(), text, bounds, true, counted);
        });
        check(&pieces(31), |v, text, bounds, counted| {
            count_with(v, &mut Interleaved::<32>::default(), text, bounds, true, counted);
        });
        check(&pieces(63), |v, text, bounds, counted| {
            count_with(v, &mut Interleaved::<64>::default(), text, bounds, true, counted);
        });
    }

    fn left_in_the_making<const N: usize>() {
        for batch in [1, 5, LANES - 1, LANES, LANES + 1, 100, 1_000] {
            check(&pieces(N - 1), |v, text, bounds, counted| {
                let mut room = Interleaved::<N>::default();
                for (some, round) in bounds.chunks(batch).zip(0..) {
                    match round % 5 {
                        0 => count_with(v, &mut room, text, some, false, &mut *counted),
                        _ => count(v, &mut room, text, some, false, &mut *counted),
                    }
                    assert!(room.busy < LANES);
                }
                count(v, &mut room, text, &[], true, &mut *counted);
                assert_eq!(room.busy, 0);
            });
        }
    }

    #[test]
    fn pieces_that_are_left_in_the_making_are_counted_later_and_once() {
        left_in_the_making::<16>();
        left_in_the_making::<32>();
        left_in_the_making::<64>();
    }
}
