//! A byte-level BPE vocabulary: the bytes of each token, and which two tokens merge into it.
//!
//! It is read from the compact form, which lists for every token of more than one byte the two
//! tokens that merge into it. Its bytes follow by concatenation, and the list itself is the merge
//! table. Ids in here are ranks; `ids` translates them to the ids that callers use. Nothing here
//! knows where the data came from, or for which model it is.

pub(crate) mod by_bytes;
pub(crate) mod compact;
pub(crate) mod error;
pub(crate) mod ids;
mod limits;
/// Vocabularies in which some tokens are made of tokens of higher rank.
mod out_of_order;
pub(crate) mod pairs;
pub(crate) mod ranks;
/// The bytes of each token.
mod tokens;

use std::sync::OnceLock;

use crate::merging::adjacent::Adjacent;
use crate::merging::joints::Joints;
use crate::table::table;
use crate::vocabulary::by_bytes::ByBytes;
use crate::vocabulary::compact::Compact;
use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::SINGLES;
use crate::vocabulary::pairs::{NONE, Pairs};
use crate::vocabulary::tokens::Tokens;

/// The tokens, ready to be merged and looked up.
pub(crate) struct Vocabulary {
    pub(crate) tokens: Tokens,
    /// The two tokens that merge into each token; meaningless for single bytes.
    parts: Vec<(u32, u32)>,
    /// The id of each byte.
    pub(crate) byte_ids: [u32; SINGLES],
    pub(crate) pairs: Pairs,
    /// The token that two bytes merge into: every merging starts with these look-ups.
    byte_pairs: Box<[u32; SINGLES * SINGLES]>,
    /// The tokens that are one three-byte character, indexed by the sixteen bits of its code point.
    characters: Box<[u32; 1 << 16]>,
    /// Built on first use, as are the joints: a short text needs neither.
    by_bytes: OnceLock<ByBytes>,
    joints: OnceLock<Joints>,
    adjacent: OnceLock<Adjacent>,
    /// Number of tokens that are single bytes or made by merging; spare tokens follow.
    merged: u32,
    /// Length of the longest spare token that counts as one token if it is a piece; 0 if there is
    /// none.
    pub(crate) longest_spare_piece: usize,
    /// Whether every token is made of tokens of lower rank.
    pub(crate) in_order: bool,
}

impl Vocabulary {
    /// Reads the compact form. O(total length of all tokens).
    #[cfg(test)]
    pub(crate) fn from_compact(data: &[u8]) -> Result<Self, VocabularyError> {
        Vocabulary::new(&Compact::read(data)?)
    }

    /// Builds the tables from the compact form. O(total length of all tokens).
    pub(crate) fn new(compact: &Compact<'_>) -> Result<Self, VocabularyError> {
        let mut parts = vec![(NONE, NONE); SINGLES];
        parts.extend(compact.merges());
        let byte_ids = ids_of_bytes(compact.singles)?;
        let merges = &parts[SINGLES..];
        let in_order = merges.iter().zip(SINGLES as u32..).all(|((l, r), id)| *l < id && *r < id);
        let tokens = Tokens::new(compact.singles, merges, in_order)?;
        let mut vocabulary = Vocabulary {
            byte_ids,
            byte_pairs: table(NONE),
            pairs: Pairs::of(merges, SINGLES as u32).map_err(VocabularyError::Repeated)?,
            characters: table(NONE),
            by_bytes: OnceLock::new(),
            joints: OnceLock::new(),
            adjacent: OnceLock::new(),
            merged: tokens.len() as u32,
            tokens,
            longest_spare_piece: 0,
            in_order,
            parts,
        };
        vocabulary.index_short_tokens();
        vocabulary.add_spare(compact)?;
        Ok(vocabulary)
    }

    /// Fills `byte_pairs` and `characters`.
    fn index_short_tokens(&mut self) {
        for id in SINGLES as u32..self.merged {
            match *self.token(id) {
                [first, last] => {
                    self.byte_pairs[usize::from(first) * SINGLES + usize::from(last)] = id;
                }
                [lead @ 0xe0..=0xef, middle @ 0x80..=0xbf, last @ 0x80..=0xbf] => {
                    self.characters[place_of(lead, middle, last)] = id;
                }
                _ => (),
            }
        }
    }

    /// Adds the spare tokens, which no merge makes.
    fn add_spare(&mut self, compact: &Compact<'_>) -> Result<(), VocabularyError> {
        for bytes in &compact.spare {
            self.tokens.add(bytes)?;
            self.parts.push((NONE, NONE));
            if compact.whole_pieces {
                self.longest_spare_piece = self.longest_spare_piece.max(bytes.len());
            }
        }
        Ok(())
    }

    /// Number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Length of the longest token in bytes.
    #[inline]
    pub(crate) fn longest(&self) -> usize {
        self.tokens.longest
    }

    /// The bytes of token `id`. O(1). Panics if there is no such token.
    #[inline]
    pub(crate) fn token(&self, id: u32) -> &[u8] {
        &self.tokens.bytes[self.tokens.span(id)]
    }

    /// The bytes of token `id`, if there is one. O(1).
    pub(crate) fn get(&self, id: u32) -> Option<&[u8]> {
        ((id as usize) < self.len()).then(|| self.token(id))
    }

    /// The two tokens that merge into token `id`. O(1). Panics if there is no such token.
    #[inline]
    pub(crate) fn parts(&self, id: u32) -> (u32, u32) {
        self.parts[id as usize]
    }

    /// The token that two bytes merge into, or [`NONE`]. O(1).
    #[inline(always)]
    pub(crate) fn merged_bytes(&self, left: u8, right: u8) -> u32 {
        self.byte_pairs[usize::from(left) * SINGLES + usize::from(right)]
    }

    /// The token that is exactly the character with the UTF-8 `bytes`; [`NONE`] if there is none,
    /// or if the character has four bytes. O(1).
    #[inline(always)]
    pub(crate) fn character(&self, bytes: &[u8]) -> u32 {
        match bytes {
            [byte] => self.byte_ids[usize::from(*byte)],
            [lead, last] => self.merged_bytes(*lead, *last),
            [lead, middle, last] => self.characters[place_of(*lead, *middle, *last)],
            _ => NONE,
        }
    }

    /// The tokens that count as one token if they are a piece.
    pub(crate) fn whole_pieces(&self) -> std::ops::Range<u32> {
        0..if self.takes_spare_pieces() { self.len() as u32 } else { self.merged }
    }

    /// Whether a piece may be one token although merging does not lead to it.
    pub(crate) fn takes_spare_pieces(&self) -> bool {
        self.longest_spare_piece > 0
    }

    /// Where pieces can be divided. If spare tokens stand for whole pieces, a segment of a piece
    /// must not be taken for such a piece, so nothing is divided.
    #[inline]
    pub(crate) fn joints(&self) -> &Joints {
        self.joints.get_or_init(|| {
            if self.takes_spare_pieces() {
                return Joints::everywhere();
            }
            let mut joints = Joints::new();
            (0..self.merged).for_each(|id| joints.add(self.token(id)));
            joints
        })
    }

    /// How far tokens reach across two bytes.
    pub(crate) fn adjacent(&self) -> &Adjacent {
        let tokens = (0..self.len() as u32).map(|id| self.token(id));
        self.adjacent.get_or_init(|| Adjacent::new(tokens))
    }

    fn by_bytes(&self) -> &ByBytes {
        self.by_bytes.get_or_init(|| {
            let mut by_bytes = ByBytes::with_room_for(self.len());
            self.whole_pieces().for_each(|id| by_bytes.insert(self.token(id), id));
            by_bytes
        })
    }

    /// The token that `piece` is as a whole, if encoding it gives that token alone. O(length)
    /// expected.
    #[inline]
    pub(crate) fn whole_piece(&self, piece: &[u8]) -> Option<u32> {
        self.by_bytes().find(piece, |id| self.token(id))
    }

    /// The same as [`Self::whole_piece`] for a piece of more than 64 bytes; `None` unless it is a
    /// spare token.
    #[inline]
    pub(crate) fn spare_piece(&self, piece: &[u8]) -> Option<u32> {
        if piece.len() > self.longest_spare_piece { None } else { self.whole_piece(piece) }
    }
}

/// The id of each byte.
fn ids_of_bytes(singles: &[u8; SINGLES]) -> Result<[u32; SINGLES], VocabularyError> {
    let mut ids = [NONE; SINGLES];
    for (byte, id) in singles.iter().zip(0..) {
        if std::mem::replace(&mut ids[usize::from(*byte)], id) != NONE {
            return Err(VocabularyError::Byte(*byte));
        }
    }
    Ok(ids)
}

fn place_of(lead: u8, middle: u8, last: u8) -> usize {
    usize::from(lead & 0x0f) << 12 | usize::from(middle & 0x3f) << 6 | usize::from(last & 0x3f)
}
