//! The public face: text in, counts and ids out.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::merge::{Room, merge};
use crate::nfc::nfc;
use crate::scan::piece_end;
use crate::special::SpecialTokens;
use crate::vocabulary::{Vocabulary, VocabularyError};

/// Places of working memory that are kept from one call to the next.
const KEPT: usize = 1 << 16;

/// An id that names no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownId(pub u32);

impl fmt::Display for UnknownId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is the id of no token", self.0)
    }
}

impl std::error::Error for UnknownId {}

/// Counts, encodes and decodes with one vocabulary.
///
/// Any number of threads may use one tokenizer at once; each borrows working memory from a pool.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    rooms: Mutex<Vec<Room>>,
}

impl Tokenizer {
    /// Reads a vocabulary in the compact form. O(size of the vocabulary), some milliseconds.
    pub fn from_compact(data: &[u8]) -> Result<Self, VocabularyError> {
        let vocabulary = Vocabulary::from_compact(data)?;
        Ok(Tokenizer { vocabulary, rooms: Mutex::new(Vec::new()) })
    }

    /// Number of tokens in the vocabulary, special tokens not among them.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// How many tokens `text` is, special tokens taken as ordinary text. O(n log n) at worst.
    pub fn count(&self, text: &str) -> usize {
        self.count_up_to(text, usize::MAX).unwrap_or(usize::MAX)
    }

    /// How many tokens `text` is, or `None` if it is more than `limit`.
    pub fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        let text = nfc(text);
        let mut count = 0;
        self.with_room(|room| {
            for piece in pieces(text.as_bytes()) {
                self.piece(room, piece, |_| count += 1);
                if count > limit {
                    return None;
                }
            }
            Some(count)
        })
    }

    /// Appends the ids of `text` to `ids`, special tokens taken as ordinary text.
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let text = nfc(text);
        self.with_room(|room| {
            for piece in pieces(text.as_bytes()) {
                self.piece(room, piece, |id| ids.push(id));
            }
        });
    }

    /// Appends the ids of `text` to `ids`; what `special` lists becomes its one id.
    pub fn encode_with_special(&self, text: &str, special: &SpecialTokens, ids: &mut Vec<u32>) {
        let mut at = 0;
        while let Some((found, id)) = special.find(text, at) {
            self.encode(&text[at..found.start], ids);
            ids.push(id);
            at = found.end;
        }
        self.encode(&text[at..], ids);
    }

    /// The bytes of the tokens `ids`, one after the other. O(length of the result).
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, UnknownId> {
        let mut bytes = Vec::with_capacity(4 * ids.len());
        for id in ids {
            if *id as usize >= self.vocabulary.len() {
                return Err(UnknownId(*id));
            }
            bytes.extend_from_slice(self.vocabulary.token(*id));
        }
        Ok(bytes)
    }

    /// Every token encodes to itself, so a piece that is a token needs no merging.
    fn piece(&self, room: &mut Room, piece: &[u8], mut token: impl FnMut(u32)) {
        match self.vocabulary.id_of(piece) {
            Some(id) => token(id),
            None => merge(&self.vocabulary, room, piece, token),
        }
    }

    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        let pool = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = pool().pop().unwrap_or_default();
        let result = work(&mut room);
        room.shrink_to(KEPT);
        pool().push(room);
        result
    }
}

/// The pieces of `text`, in order; they rejoin to it.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        (start < text.len()).then(|| {
            at = piece_end(text, start);
            &text[start..at]
        })
    })
}
