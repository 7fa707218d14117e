//! Tokens to bytes, by copies of a fixed width.
//!
//! A token has four bytes on average. Copying exactly the bytes of each token costs a call of
//! `memcpy`, which takes longer than everything else. So the bytes of a token are stored in an
//! entry of sixteen, all sixteen are copied, and the next token overwrites the excess. Longer
//! tokens, and ids of no token, take a slow path.
//!
//! The bytes of 64 ids are put together on the stack, where there is always room for an entry, and
//! then copied behind the others. A check for room at each id took longer.

use crate::interrupts::worked;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::ids::Ids;

/// Most bytes of a token that fit into an entry.
const ROOM: usize = 15;

/// Bytes written at once.
const WIDTH: usize = 16;

/// Ids whose bytes are put together at a time.
const TOGETHER: usize = 64;

/// More bytes than these ids can have.
const MOST: usize = WIDTH * TOGETHER;

/// Room for them, and for a whole entry wherever one begins.
const ROOM_TOGETHER: usize = MOST + WIDTH;

/// Ids decoded between two calls of `worked`.
const MANY: usize = 1 << 14;

/// The bytes of a token and, in the last place, how many they are: 0 if they do not fit, or if
/// there is no such token.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Entry([u8; WIDTH]);

const NONE: Entry = Entry([0; WIDTH]);

impl Entry {
    fn of(token: &[u8]) -> Self {
        let mut entry = NONE;
        if token.len() <= ROOM {
            entry.0[..token.len()].copy_from_slice(token);
            entry.0[ROOM] = token.len() as u8;
        }
        entry
    }

    #[inline(always)]
    fn length(&self) -> usize {
        usize::from(self.0[ROOM])
    }
}

/// The bytes of all tokens, indexed by the ids that callers use; 16 bytes for each id, 2.4 MB for
/// Qwen's vocabulary.
pub(crate) struct Decoding {
    entries: Vec<Entry>,
}

impl Decoding {
    /// O(number of ids), about a millisecond.
    pub(crate) fn new(v: &Vocabulary, ids: &Ids) -> Self {
        let entry = |id| match v.get(ids.rank(id)) {
            Some(token) => Entry::of(token),
            None => NONE,
        };
        Decoding { entries: (0..ids.bound(v.len())).map(entry).collect() }
    }

    /// Appends the bytes of the tokens. `slow` is asked for the bytes of an id that has no entry;
    /// if it knows none, that id is the error. O(length of the result).
    pub(crate) fn append<'a>(
        &self,
        ids: &[u32],
        bytes: &mut Vec<u8>,
        slow: impl Fn(u32) -> Option<&'a [u8]>,
    ) -> Result<(), u32> {
        for many in ids.chunks(MANY) {
            self.append_many(many, bytes, &slow)?;
            worked(MANY);
        }
        Ok(())
    }

    fn append_many<'a>(
        &self,
        ids: &[u32],
        bytes: &mut Vec<u8>,
        slow: &impl Fn(u32) -> Option<&'a [u8]>,
    ) -> Result<(), u32> {
        let mut room = [0; ROOM_TOGETHER];
        for mut some in ids.chunks(TOGETHER) {
            loop {
                let (copied, length) = self.copy(some, &mut room);
                bytes.extend_from_slice(&room[..length]);
                let [without_entry, behind @ ..] = &some[copied..] else { break };
                bytes.extend_from_slice(slow(*without_entry).ok_or(*without_entry)?);
                some = behind;
            }
        }
        Ok(())
    }

    /// Puts the bytes of at most `TOGETHER` ids into `room`, up to the first id without an entry.
    /// Returns how many ids that were, and how many bytes they have.
    #[inline(always)]
    fn copy(&self, ids: &[u32], room: &mut [u8; ROOM_TOGETHER]) -> (usize, usize) {
        let mut at = 0;
        for (i, id) in ids.iter().enumerate() {
            match self.entries.get(*id as usize) {
                Some(entry) if entry.length() > 0 => {
                    // `at` is below `MOST`; said in this way, it is not checked again.
                    let start = at % MOST;
                    room[start..start + WIDTH].copy_from_slice(&entry.0);
                    at += entry.length();
                }
                _ => return (i, at),
            }
        }
        (ids.len(), at)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::DATA;
    use crate::tokenizer::{Tokenizer, UnknownId};

    #[test]
    fn every_token_is_spelled_alone_and_among_others() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let v = &tokenizer.vocabulary;
        let all: Vec<u32> = (0..v.len() as u32).collect();
        assert!(all.iter().any(|id| v.token(*id).len() > super::ROOM));
        assert!(all.iter().all(|id| tokenizer.decode(&[*id]).unwrap() == v.token(*id)));
        for step in [1, 7, 64_007] {
            let mixed: Vec<u32> =
                (0..v.len()).map(|place| (place * step % v.len()) as u32).collect();
            let expected: Vec<u8> = mixed.iter().flat_map(|id| v.token(*id).to_vec()).collect();
            assert!(tokenizer.decode(&mixed).unwrap() == expected, "{step}");
        }
        let longest = *all.iter().max_by_key(|id| v.token(**id).len()).unwrap();
        let expected = v.token(longest).repeat(5_000);
        assert!(tokenizer.decode(&[longest; 5_000]).unwrap() == expected);
    }

    #[test]
    fn what_is_appended_stands_behind_what_was_there() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let mut bytes = b"before ".to_vec();
        let special = |id| (id == 200_000).then_some(&b"<a special token of many bytes>"[..]);
        for ids in [&[][..], &[0, 200_000, 1], &[200_000; 2_000]] {
            let before = bytes.clone();
            tokenizer.decode_with(ids, &mut bytes, special).unwrap();
            let spelled = |id: &u32| match special(*id) {
                Some(bytes) => bytes.to_vec(),
                None => tokenizer.vocabulary.token(*id).to_vec(),
            };
            let expected: Vec<u8> = ids.iter().flat_map(spelled).collect();
            assert!(bytes == [before, expected].concat());
        }
    }

    #[test]
    fn an_id_of_no_token_is_named() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        for id in [151_643, 1 << 20, u32::MAX] {
            assert_eq!(tokenizer.decode(&[1, id, 2]), Err(UnknownId(id)));
        }
    }
}
