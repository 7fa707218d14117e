use std::ops::Range;

use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::{LONGEST_TOKEN, MOST_BYTES, SINGLES};

/// The bytes of each token that merging makes, whatever the order of ranks.
pub(super) struct Spellings {
    bytes: Vec<u8>,
    /// Where the bytes of each token are, including single bytes; empty while not known.
    places: Vec<Range<usize>>,
}

impl Spellings {
    /// O(total length of all tokens). Refuses a token that is made of itself, or of a token that
    /// does not exist.
    pub(super) fn new(
        singles: &[u8; SINGLES],
        pairs: &[(u32, u32)],
    ) -> Result<Self, VocabularyError> {
        let count = SINGLES + pairs.len();
        let mut places: Vec<Range<usize>> = (0..SINGLES).map(|i| i..i + 1).collect();
        places.resize(count, 0..0);
        let mut spellings = Spellings { bytes: singles.to_vec(), places };
        let mut open = Vec::new(); // tokens that wait for a part, each for the next one
        for id in SINGLES..count {
            open.push(id);
            while let Some(&id) = open.last() {
                if !spellings.places[id].is_empty() {
                    open.pop();
                    continue;
                }
                let (left, right) = pairs[id - SINGLES];
                let place = |part: u32| spellings.places.get(part as usize).cloned();
                let parts = place(left).zip(place(right));
                let (l, r) = parts.ok_or(VocabularyError::Order(id as u32))?;
                if l.is_empty() || r.is_empty() {
                    if open.len() > count {
                        return Err(VocabularyError::Order(id as u32));
                    }
                    open.push(if l.is_empty() { left } else { right } as usize);
                    continue;
                }
                spellings.add(id, l, r)?;
            }
        }
        Ok(spellings)
    }

    fn add(
        &mut self,
        id: usize,
        left: Range<usize>,
        right: Range<usize>,
    ) -> Result<(), VocabularyError> {
        let start = self.bytes.len();
        let length = left.len() + right.len();
        if length > LONGEST_TOKEN {
            return Err(VocabularyError::Token { id: id as u32, length });
        }
        if start + length > MOST_BYTES {
            return Err(VocabularyError::Bytes(start + length));
        }
        self.bytes.extend_from_within(left);
        self.bytes.extend_from_within(right);
        self.places[id] = start..start + length;
        Ok(())
    }

    /// The tokens by rank, without single bytes.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &[u8]> {
        self.places[SINGLES..].iter().map(|place| &self.bytes[place.clone()])
    }
}
