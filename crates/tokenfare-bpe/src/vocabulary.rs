//! A byte-level BPE vocabulary: tokens by id, ids by bytes, and what merges into what.
//!
//! Read from the compact form, which lists for every token of more than one byte the two tokens
//! that merge into it; the bytes follow by concatenation, the merge table is the list itself.
//! Rank is id. Nothing here knows where the bytes came from or for which model they are.

use std::fmt;

use crate::joints::Joints;
use crate::pairs::{MAX_TOKENS, NONE, Pairs};

const MAGIC: &[u8; 8] = b"TFBPE\0\0\x01";
const HEADER: usize = 24;
const SINGLES: usize = 256;

/// Why bytes are not a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VocabularyError {
    /// Not the compact form, or a version of it that this code does not know.
    Foreign,
    /// Cut short, or longer than its header says.
    Length {
        /// Bytes that the header asks for.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The checksum differs: the content was changed after it was written.
    Damaged,
    /// More tokens than ids have room for, or fewer than there are bytes.
    Size(u64),
    /// A byte that is not the token of exactly one id.
    Byte(u8),
    /// A token made of a token that does not come before it.
    Order(u32),
    /// A token made of the same two tokens as an earlier one.
    Repeated(u32),
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "not a compact vocabulary of version 1"),
            Self::Length { expected, found } => {
                write!(f, "{found} bytes where the header asks for {expected}")
            }
            Self::Damaged => write!(f, "the checksum does not match the content"),
            Self::Size(tokens) => {
                write!(f, "{tokens} tokens; from {SINGLES} to {} are possible", MAX_TOKENS - 1)
            }
            Self::Byte(byte) => write!(f, "byte {byte:#04x} is not the token of exactly one id"),
            Self::Order(id) => write!(f, "token {id} is made of a token that comes after it"),
            Self::Repeated(id) => write!(f, "token {id} is made of the same two tokens as another"),
        }
    }
}

impl std::error::Error for VocabularyError {}

/// The tokens, ready to be merged and looked up.
pub(crate) struct Vocabulary {
    /// The bytes of all tokens, one after the other.
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// The two tokens that merge into each token; meaningless for single bytes.
    parts: Vec<(u32, u32)>,
    /// The id of each byte.
    pub(crate) byte_ids: [u32; 256],
    pub(crate) pairs: Pairs,
    /// What two bytes merge into, by their ids: every merging starts with these look-ups.
    byte_pairs: Vec<u32>,
    ids: Ids,
    /// Where pieces of three-byte characters fall apart.
    pub(crate) joints: Joints,
}

impl Vocabulary {
    /// Reads the compact form. O(total length of all tokens).
    pub(crate) fn from_compact(data: &[u8]) -> Result<Self, VocabularyError> {
        let (count, body) = checked_body(data)?;
        let (singles, merges) = body.split_at(SINGLES);
        let mut vocabulary = Vocabulary {
            bytes: Vec::with_capacity(8 * count),
            ends: Vec::with_capacity(count),
            parts: vec![(NONE, NONE); SINGLES],
            byte_ids: [NONE; 256],
            byte_pairs: vec![NONE; SINGLES * SINGLES],
            pairs: Pairs::with_room_for(count - SINGLES),
            ids: Ids::with_room_for(count),
            joints: Joints::new(),
        };
        vocabulary.parts.reserve_exact(count - SINGLES);
        for byte in singles {
            vocabulary.add_byte(*byte)?;
        }
        for pair in merges.chunks_exact(6) {
            let left = u32::from_le_bytes([pair[0], pair[1], pair[2], 0]);
            let right = u32::from_le_bytes([pair[3], pair[4], pair[5], 0]);
            vocabulary.add_merge(left, right)?;
        }
        Ok(vocabulary)
    }

    fn add_byte(&mut self, byte: u8) -> Result<(), VocabularyError> {
        let id = self.len() as u32;
        if self.byte_ids[usize::from(byte)] != NONE {
            return Err(VocabularyError::Byte(byte));
        }
        self.byte_ids[usize::from(byte)] = id;
        self.bytes.push(byte);
        self.ends.push(self.bytes.len() as u32);
        self.ids.insert(&[byte], id);
        Ok(())
    }

    fn add_merge(&mut self, left: u32, right: u32) -> Result<(), VocabularyError> {
        let id = self.len() as u32;
        if left >= id || right >= id {
            return Err(VocabularyError::Order(id));
        }
        if !self.pairs.insert(left, right, id) {
            return Err(VocabularyError::Repeated(id));
        }
        if left < SINGLES as u32 && right < SINGLES as u32 {
            self.byte_pairs[left as usize * SINGLES + right as usize] = id;
        }
        let start = self.bytes.len();
        for part in [left, right] {
            self.bytes.extend_from_within(self.span(part));
        }
        self.ends.push(self.bytes.len() as u32);
        self.parts.push((left, right));
        self.ids.insert(&self.bytes[start..], id);
        self.joints.add(&self.bytes[start..]);
        Ok(())
    }

    /// Number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of token `id`. O(1). Panics if there is no such token.
    #[inline]
    pub(crate) fn token(&self, id: u32) -> &[u8] {
        &self.bytes[self.span(id)]
    }

    /// The two tokens that merge into token `id`. O(1). Panics if there is no such token.
    #[inline]
    pub(crate) fn parts(&self, id: u32) -> (u32, u32) {
        self.parts[id as usize]
    }

    /// The token that two single-byte tokens merge into, or [`NONE`]. O(1). Panics on other ids.
    #[inline]
    pub(crate) fn merged_bytes(&self, left: u32, right: u32) -> u32 {
        self.byte_pairs[left as usize * SINGLES + right as usize]
    }

    /// The id of the token that is exactly `bytes`. O(length) expected.
    #[inline]
    pub(crate) fn id_of(&self, bytes: &[u8]) -> Option<u32> {
        self.ids.find(bytes, |id| self.token(id))
    }

    #[inline]
    fn span(&self, id: u32) -> std::ops::Range<usize> {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        start as usize..self.ends[id] as usize
    }
}

/// The body behind a header that matches it, and the number of tokens.
fn checked_body(data: &[u8]) -> Result<(usize, &[u8]), VocabularyError> {
    let word =
        |at: usize| data.get(at..at + 8).and_then(|w| w.try_into().ok()).map(u64::from_le_bytes);
    if data.get(..8) != Some(MAGIC) {
        return Err(VocabularyError::Foreign);
    }
    let (Some(tokens), Some(checksum)) = (word(8), word(16)) else {
        return Err(VocabularyError::Length { expected: HEADER, found: data.len() });
    };
    if tokens < SINGLES as u64 || tokens >= MAX_TOKENS as u64 {
        return Err(VocabularyError::Size(tokens));
    }
    let count = tokens as usize;
    let expected = HEADER + SINGLES + 6 * (count - SINGLES);
    if data.len() != expected {
        return Err(VocabularyError::Length { expected, found: data.len() });
    }
    let body = &data[HEADER..];
    if mix(body) != checksum { Err(VocabularyError::Damaged) } else { Ok((count, body)) }
}

/// A 64-bit mix of the body, word by word: notices damage, is no signature.
fn mix(body: &[u8]) -> u64 {
    let step = |mixed: u64, word: &[u8]| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        let mixed = (mixed ^ u64::from_le_bytes(padded)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    body.chunks(8).fold(0, step)
}

/// Ids by the bytes of their tokens: open addressing over ids, the bytes compared in the vocabulary.
struct Ids {
    places: Vec<u32>,
    shift: u32,
}

impl Ids {
    fn with_room_for(count: usize) -> Self {
        let places = (count * 3 / 2).next_power_of_two();
        Ids { places: vec![NONE; places], shift: 64 - places.trailing_zeros() }
    }

    fn home(&self, bytes: &[u8]) -> usize {
        (hash(bytes) >> self.shift) as usize
    }

    fn insert(&mut self, bytes: &[u8], id: u32) {
        let mut place = self.home(bytes);
        while self.places[place] != NONE {
            place = (place + 1) & (self.places.len() - 1);
        }
        self.places[place] = id;
    }

    fn find<'a>(&self, bytes: &[u8], token: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let mut place = self.home(bytes);
        while self.places[place] != NONE {
            if token(self.places[place]) == bytes {
                return Some(self.places[place]);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
        None
    }
}

/// FNV-1a over words of eight bytes, the length in the last one. O(length).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let step = |mixed: u64, word: &[u8]| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        (mixed ^ u64::from_le_bytes(padded)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    bytes.chunks(8).fold(bytes.len() as u64, step).wrapping_mul(0xd6e8_feb8_6659_fd93)
}
