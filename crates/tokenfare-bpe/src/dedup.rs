//! Which pieces of a batch are new, each once.
//!
//! A piece that is new is often there again before it was counted: of the new pieces of a batch a
//! fifth (Chinese) to two fifths (C) are the same as another one. Merging those once is enough.

use crate::queue::{Bounds, Queue};
use crate::short_cache::places;

/// More than the new pieces that a batch usually has.
const PLACES: usize = 256;

/// The keys of pieces that are being counted, those that fit: one a place, the newest stays. A key
/// that is not here is taken for new, which costs time, and is never wrong.
pub(crate) struct Dedup<K>(Box<[K; PLACES]>);

impl<K: Copy + Default> Default for Dedup<K> {
    fn default() -> Self {
        Dedup(places(K::default()))
    }
}

impl<K: Copy + Default + PartialEq> Dedup<K> {
    /// Parts the pieces that are `missing` into those that are `new` and those that are there
    /// `again`. Whoever counts the new ones tells [`Self::leave`].
    #[inline(always)]
    pub(crate) fn part(
        &mut self,
        missing: &Queue,
        new: &mut Queue,
        again: &mut Queue,
        key: impl Fn(Bounds) -> K,
        mixed: impl Fn(K) -> u64,
    ) {
        new.clear();
        again.clear();
        for bounds in missing.all() {
            let key = key(*bounds);
            let place = &mut self.0[place(mixed(key))];
            let same = *place == key;
            *place = key;
            new.push_if(*bounds, !same);
            again.push_if(*bounds, same);
        }
    }

    /// Forgets the piece with this mixed key.
    #[inline(always)]
    pub(crate) fn leave(&mut self, mixed: u64) {
        self.0[place(mixed)] = K::default();
    }
}

/// By all bits mixed once more, so that what shares a set of a cache does not share a place here.
fn place(mixed: u64) -> usize {
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `part` makes of pieces of one byte each, of which those with equal `mixed` share a place.
    fn parted(once: &mut Dedup<u8>, pieces: &[u8], mixed: fn(u8) -> u64) -> [Vec<u8>; 2] {
        let (mut missing, mut new, mut again) =
            (Queue::default(), Queue::default(), Queue::default());
        for i in 0..pieces.len() as u32 {
            missing.push_if((i, i + 1), true);
        }
        let key = |bounds: Bounds| pieces[bounds.0 as usize];
        once.part(&missing, &mut new, &mut again, key, mixed);
        let all = |queue: &Queue| queue.all().iter().map(|bounds| key(*bounds)).collect();
        [all(&new), all(&again)]
    }

    fn apart(piece: u8) -> u64 {
        u64::from(piece) << 32
    }

    #[test]
    fn a_piece_is_new_once_until_it_was_counted() {
        let mut once = Dedup::default();
        let parts = parted(&mut once, b"abacabx", apart);
        assert_eq!(parts, [b"abcx".to_vec(), b"aab".to_vec()]);
        b"abx".iter().for_each(|key| once.leave(apart(*key)));
        assert_eq!(parted(&mut once, b"abc", apart), [b"ab".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn pieces_that_share_a_place_are_new_and_never_taken_for_each_other() {
        let mut once = Dedup::default();
        let parts = parted(&mut once, b"abbab", |_| 7);
        assert_eq!(parts, [b"abab".to_vec(), b"b".to_vec()]);
        once.leave(7);
        assert_eq!(parted(&mut once, b"b", |_| 7), [b"b".to_vec(), vec![]]);
    }
}
