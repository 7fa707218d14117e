//! Ids and bodies that were seen before, in a few bytes each.
//!
//! By SipHash under a key that nobody else knows: who writes the requests cannot make two of them
//! meet. By chance two ids of a million meet once in 37 million jobs, two bodies never.

use std::collections::{HashMap, HashSet};

use siphasher::sip128::SipHasher13;

/// Ids and bodies of a job.
#[derive(Debug)]
pub struct Seen {
    key: [u8; 16],
    ids: HashSet<u64>,
    /// For each body, which of the `carriers` it was sent as; 0 where nobody asks.
    bodies: HashMap<u128, u32>,
    carriers: Vec<String>,
    keeps: bool,
}

impl Seen {
    /// Nothing seen yet. With `keeps`, the id under which a body was sent first is kept too.
    pub fn new(key: [u8; 16], keeps: bool) -> Self {
        let (ids, bodies, carriers) = Default::default();
        Seen { key, ids, bodies, carriers, keeps }
    }

    /// Notes an id; whether it is new.
    pub fn id(&mut self, id: &str) -> bool {
        let digest = self.digest(id.as_bytes());
        self.ids.insert(digest as u64)
    }

    /// Notes that a body is sent under an id. `Some` where it was before: under that id, or under
    /// "" where ids are not kept.
    pub fn body(&mut self, body: &[u8], id: &str) -> Option<&str> {
        let digest = self.digest(body);
        if let Some(&carrier) = self.bodies.get(&digest) {
            return Some(self.carriers.get(carrier as usize).map_or("", String::as_str));
        }
        let number = self.carriers.len() as u32;
        if self.keeps {
            self.carriers.push(id.to_owned());
        }
        self.bodies.insert(digest, number);
        None
    }

    fn digest(&self, bytes: &[u8]) -> u128 {
        SipHasher13::new_with_key(&self.key).hash(bytes).as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let mut seen = Seen::new([7; 16], false);
        assert_eq!(["a", "b", "a", ""].map(|id| seen.id(id)), [true, true, false, true]);
    }

    #[test]
    fn a_body_remembers_who_was_sent_with_it_first() {
        let mut seen = Seen::new([7; 16], true);
        assert_eq!(seen.body(b"x", "first"), None);
        assert_eq!(seen.body(b"y", "second"), None);
        assert_eq!(seen.body(b"x", "third"), Some("first"));
        assert_eq!(seen.body(b"y", "fourth"), Some("second"));
    }

    #[test]
    fn without_ids_it_only_says_that_it_was_seen() {
        let mut seen = Seen::new([7; 16], false);
        assert_eq!(seen.body(b"x", "first"), None);
        assert_eq!(seen.body(b"x", "second"), Some(""));
    }
}
