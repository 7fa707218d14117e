//! New pieces that wait until there are enough of them to be merged together.
//!
//! Merging many pieces at once costs a fraction of merging each alone (`interleaved`), and a batch has a
//! hundred new ones, of which the longest kind is one or two. So they wait here from batch to batch; a
//! text is not counted before those that are left are taken, too. A piece that is new again while it
//! waits is merged once and counted as often as it came: of the new pieces of a batch a fifth (Chinese) to
//! two fifths (C) are the same as another one.

use crate::interleaved::{self, Interleaved};
use crate::queue::Bounds;
use crate::short_cache::places;
use crate::vocabulary::Vocabulary;

const INDEX: usize = 1024;

/// At most `MOST` pieces of less than `N` bytes, each as `N` bytes: padded with zeros, and its length in
/// one of the last, as in the key of a cache.
pub(crate) struct Pending<const N: usize, const MOST: usize> {
    pieces: Box<[[u8; N]; MOST]>,
    bounds: Box<[Bounds; MOST]>,
    times: Box<[u32; MOST]>,
    count: usize,
    /// Where the piece last was that has this place; it may be another one by now.
    index: Box<[u16; INDEX]>,
    room: Box<Interleaved<N>>,
}

impl<const N: usize, const MOST: usize> Default for Pending<N, MOST> {
    fn default() -> Self {
        Pending {
            pieces: places([0; N]),
            bounds: places((0, 0)),
            times: places(0),
            count: 0,
            index: places(0),
            room: Box::default(),
        }
    }
}

impl<const N: usize, const MOST: usize> Pending<N, MOST> {
    /// Whether there is room for `more` pieces.
    pub(crate) fn has_room_for(&self, more: usize) -> bool {
        self.count + more <= MOST
    }

    /// Adds a piece, or one more of it. `mixed` is the same for the same piece. There is room for it.
    ///
    /// Without a branch on whether it is here: that cannot be predicted.
    #[inline(always)]
    pub(crate) fn add(&mut self, piece: [u8; N], length: usize, mixed: u64) {
        let index = &mut self.index[place(mixed)];
        let before = usize::from(*index) % MOST;
        let same = (before < self.count) & (self.pieces[before] == piece);
        let at = if same { before } else { self.count % MOST };
        let start = (at * N) as u32;
        self.pieces[at] = piece;
        self.bounds[at] = (start, start + length as u32);
        self.times[at] = self.times[at] * u32::from(same) + 1;
        self.count += usize::from(!same);
        *index = at as u16;
    }

    /// Merges all, tells `counted` of each with its tokens, and answers the tokens of all that came.
    #[inline(always)]
    pub(crate) fn merge(
        &mut self,
        v: &Vocabulary,
        mut counted: impl FnMut(&[u8; N], usize),
    ) -> usize {
        let Pending { pieces, bounds, times, count, room, .. } = self;
        let mut sum = 0;
        let bounds = &bounds[..std::mem::take(count)];
        interleaved::count(v, room, pieces.as_flattened(), bounds, |(start, _), count| {
            let at = start as usize / N % MOST;
            sum += times[at] as usize * count;
            counted(&pieces[at], count);
        });
        sum
    }
}

/// By all bits mixed once more, so that what shares a set of a cache does not share a place here.
fn place(mixed: u64) -> usize {
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % INDEX
}
