//! Ids and bodies that were seen before, in a few bytes each.
//!
//! By SipHash under a key that nobody else knows: who writes the requests cannot make two of them
//! meet. By chance two ids of a million meet once in 37 million jobs, and so do two bodies where it
//! is for numbers only; where one would be sent in place of the other, they never do.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip128::SipHasher13;

/// What bytes are remembered by.
#[derive(Clone, Copy, Debug)]
pub struct Key([u8; 16]);

impl Key {
    /// A key of 16 bytes that nobody can guess.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Key(bytes)
    }

    pub(crate) fn digest(&self, bytes: &[u8]) -> u128 {
        SipHasher13::new_with_key(&self.0).hash(bytes).as_u128()
    }
}

/// A digest is as even as any hash of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}

/// For keys that are digests.
pub(crate) type Even = BuildHasherDefault<AsItIs>;

/// Ids and bodies of a job.
#[derive(Debug)]
pub struct Seen {
    key: Key,
    ids: HashSet<u64, Even>,
    bodies: Bodies,
}

#[derive(Debug)]
enum Bodies {
    Known(HashSet<u64, Even>),
    /// For each body the id that it was sent under first.
    Carried(HashMap<u128, Box<str>, Even>),
}

impl Seen {
    /// Nothing seen yet. With `keeps`, the id under which a body was sent first is kept too.
    pub fn new(key: Key, keeps: bool) -> Self {
        let bodies = if keeps {
            Bodies::Carried(HashMap::default())
        } else {
            Bodies::Known(HashSet::default())
        };
        Seen { key, ids: HashSet::default(), bodies }
    }

    /// Notes an id; whether it is new.
    pub fn id(&mut self, id: &str) -> bool {
        self.ids.insert(self.key.digest(id.as_bytes()) as u64)
    }

    /// Notes that a body is sent under an id. `Some` where it was before: under that id, or under
    /// "" where ids are not kept.
    pub fn body(&mut self, body: &[u8], id: &str) -> Option<&str> {
        self.digest(self.key.digest(body), id)
    }

    /// As `body`, for the digest of one.
    pub(crate) fn digest(&mut self, digest: u128, id: &str) -> Option<&str> {
        use std::collections::hash_map::Entry;
        match &mut self.bodies {
            Bodies::Known(known) => (!known.insert(digest as u64)).then_some(""),
            Bodies::Carried(carriers) => match carriers.entry(digest) {
                Entry::Occupied(found) => Some(found.into_mut()),
                Entry::Vacant(free) => {
                    free.insert(id.into());
                    None
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let mut seen = Seen::new(Key::new([7; 16]), false);
        assert_eq!(["a", "b", "a", ""].map(|id| seen.id(id)), [true, true, false, true]);
    }

    #[test]
    fn a_body_remembers_who_was_sent_with_it_first() {
        let mut seen = Seen::new(Key::new([7; 16]), true);
        assert_eq!(seen.body(b"x", "first"), None);
        assert_eq!(seen.body(b"y", "second"), None);
        assert_eq!(seen.body(b"x", "third"), Some("first"));
        assert_eq!(seen.body(b"y", "fourth"), Some("second"));
    }

    #[test]
    fn without_ids_it_only_says_that_it_was_seen() {
        let mut seen = Seen::new(Key::new([7; 16]), false);
        assert_eq!(seen.body(b"x", "first"), None);
        assert_eq!(seen.body(b"x", "second"), Some(""));
    }
}
