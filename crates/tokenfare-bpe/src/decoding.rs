//! Tokens as bytes, by copies of a fixed width.
//!
//! A token has four bytes on average, and a copy of as many bytes as it has costs a call of `memcpy`,
//! more than all else. So its bytes stand in an entry of sixteen, and all sixteen are copied; the next
//! token overwrites what is too much. Longer ones, and ids of no token, go the slow way.

use crate::interrupts::worked;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::ids::Ids;

/// Bytes of a token that an entry has room for.
const ROOM: usize = 15;

/// Bytes that are written at once.
const WIDTH: usize = 16;

/// Ids for which room is made together. Room is filled with zeros first, and most of it is still there for the
/// next ones: with few at a time hardly more is filled than is needed.
const TOGETHER: usize = 64;

/// Bytes that those have at most.
const MOST: usize = WIDTH * TOGETHER;

/// Ids between two notes of how much was done.
const MANY: usize = 1 << 14;

/// A token's bytes and how many they are; 0 where they have no room, or there is no token.
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

/// The bytes of all tokens by the ids that the outside uses; 16 bytes an id, 2.4 MB for Qwen's.
pub(crate) struct Decoding {
    entries: Vec<Entry>,
}

impl Decoding {
    /// O(number of ids), a millisecond.
    pub(crate) fn new(v: &Vocabulary, ids: &Ids) -> Self {
        let entry = |id| match v.get(ids.rank(id)) {
            Some(token) => Entry::of(token),
            None => NONE,
        };
        Decoding { entries: (0..ids.bound(v.len())).map(entry).collect() }
    }

    /// Appends the bytes of the tokens. `slow` is asked for those of an id that has no entry; where it
    /// knows none, that id is the error. O(length of the result).
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
        let mut at = bytes.len();
        for some in ids.chunks(TOGETHER) {
            bytes.resize(at + MOST, 0);
            for id in some {
                let entry = self.entries.get(*id as usize).unwrap_or(&NONE);
                if let (1.., Some(room)) = (entry.length(), bytes[at..].first_chunk_mut()) {
                    *room = entry.0;
                    at += entry.length();
                    continue;
                }
                let token = slow(*id).ok_or(*id)?;
                bytes.truncate(at);
                bytes.extend_from_slice(token);
                at = bytes.len();
                bytes.resize(at + MOST, 0);
            }
        }
        bytes.truncate(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::tokenizer::{Tokenizer, UnknownId};

    const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");

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
