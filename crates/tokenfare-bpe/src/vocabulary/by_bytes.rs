//! Which token some bytes are: an open-addressing hash table.

/// Ids by the bytes of their tokens. A place holds an id, and bytes are compared in the vocabulary.
pub(super) struct ByBytes {
    places: Vec<u32>,
    shift: u32,
}

impl ByBytes {
    /// Not `NONE`, which may be the id of a spare token: any number of spare tokens follow those
    /// that merging makes.
    const EMPTY: u32 = u32::MAX;

    pub(super) fn with_room_for(count: usize) -> Self {
        let places = (count * 3 / 2).next_power_of_two();
        ByBytes { places: vec![ByBytes::EMPTY; places], shift: 64 - places.trailing_zeros() }
    }

    fn home(&self, bytes: &[u8]) -> usize {
        (hash(bytes) >> self.shift) as usize
    }

    pub(super) fn insert(&mut self, bytes: &[u8], id: u32) {
        let mut place = self.home(bytes);
        while self.places[place] != ByBytes::EMPTY {
            place = (place + 1) & (self.places.len() - 1);
        }
        self.places[place] = id;
    }

    pub(super) fn find<'a>(&self, bytes: &[u8], token: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let mut place = self.home(bytes);
        while self.places[place] != ByBytes::EMPTY {
            if token(self.places[place]) == bytes {
                return Some(self.places[place]);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
        None
    }
}

/// A multiplicative hash of words of eight bytes, seeded with the length. O(length).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let step = |mixed: u64, word: &[u8]| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        (mixed ^ u64::from_le_bytes(padded)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    bytes.chunks(8).fold(bytes.len() as u64, step).wrapping_mul(0xd6e8_feb8_6659_fd93)
}
