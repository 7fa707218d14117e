//! The ids that the outside uses, where they are not the ranks that the core counts in.

use crate::vocabulary::error::VocabularyError;

/// Ids are below this, so that what is looked up by id is small; 300,000 is much.
pub(crate) const MAX_ID: u32 = 1 << 20;

/// In the place of an id that there is not. Not `NONE` of `pairs`, which may be the rank of a spare token.
const NO_RANK: u32 = u32::MAX;

/// Ids by rank and ranks by id; nothing where they are the same.
#[derive(Default)]
pub(crate) struct Ids {
    by_rank: Vec<u32>,
    ranks: Vec<u32>,
}

impl Ids {
    /// The id of each rank, or `None` where ids are ranks. O(highest id).
    pub(crate) fn new(by_rank: Option<Vec<u32>>) -> Result<Self, VocabularyError> {
        let by_rank = by_rank.unwrap_or_default();
        let highest = by_rank.iter().max().map_or(0, |id| *id);
        if highest >= MAX_ID {
            return Err(VocabularyError::Beyond(highest));
        }
        let mut ranks = vec![NO_RANK; highest as usize + 1];
        for (id, rank) in by_rank.iter().zip(0..) {
            ranks[*id as usize] = rank;
        }
        Ok(Ids { by_rank, ranks })
    }

    /// Replaces ranks by ids. O(length).
    pub(crate) fn name(&self, ranks: &mut [u32]) {
        if !self.by_rank.is_empty() {
            ranks.iter_mut().for_each(|rank| *rank = self.by_rank[*rank as usize]);
        }
    }

    /// Above every id, if ranks are below `ranks`.
    pub(crate) fn bound(&self, ranks: usize) -> u32 {
        if self.by_rank.is_empty() { ranks as u32 } else { self.ranks.len() as u32 }
    }

    /// The rank of an id; the id itself where ids are ranks; no rank of a token for other ids. O(1).
    pub(crate) fn rank(&self, id: u32) -> u32 {
        if self.by_rank.is_empty() {
            return id;
        }
        self.ranks.get(id as usize).map_or(NO_RANK, |rank| *rank)
    }
}
