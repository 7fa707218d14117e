//! Ids and bodies that were seen before, remembered by a digest of a few bytes each.
//!
//! Digests are SipHash under a secret key, so whoever writes the requests cannot construct a
//! collision. Ids are compared by 64 bits: in a job of a million requests two collide by chance
//! once in 37 million jobs. So are bodies that are only counted. Where one request is sent in place
//! of another, bodies are compared by 128 bits.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip128::SipHasher13;

/// The key of the digests.
#[derive(Clone, Copy, Debug)]
pub struct Key([u8; 16]);

impl Key {
    /// A key of 16 random bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Key(bytes)
    }

    pub(crate) fn digest(&self, bytes: &[u8]) -> u128 {
        SipHasher13::new_with_key(&self.0).hash(bytes).as_u128()
    }
}

/// Leaves digests as they are: they are distributed as evenly as a hash of them would be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
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

/// For maps and sets whose keys are digests.
pub(crate) type BuildIdentityHasher = BuildHasherDefault<IdentityHasher>;

/// The ids and bodies of a job.
#[derive(Debug)]
pub struct Seen {
    key: Key,
    ids: HashSet<u64, BuildIdentityHasher>,
    bodies: Bodies,
}

#[derive(Debug)]
enum Bodies {
    Known(HashSet<u64, BuildIdentityHasher>),
    /// For each body, the id of the first request that was sent with it.
    Carried(HashMap<u128, Box<str>, BuildIdentityHasher>),
}

impl Seen {
    /// Nothing seen yet. With `keeps`, the id of the first request with each body is kept too.
    pub fn new(key: Key, keeps: bool) -> Self {
        let bodies = if keeps {
            Bodies::Carried(HashMap::default())
        } else {
            Bodies::Known(HashSet::default())
        };
        Seen { key, ids: HashSet::default(), bodies }
    }

    /// Remembers an id. Returns whether it is new.
    pub fn id(&mut self, id: &str) -> bool {
        self.ids.insert(self.key.digest(id.as_bytes()) as u64)
    }

    /// Remembers a body. If it was seen before, returns the id of the first request that had it, or
    /// "" if ids are not kept.
    pub fn body(&mut self, body: &[u8], id: &str) -> Option<&str> {
        self.digest(self.key.digest(body), id)
    }

    /// As `body`, for a body's digest.
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
