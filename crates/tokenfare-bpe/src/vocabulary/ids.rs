//! The ids that callers use, where they differ from the ranks used inside.

use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::MAX_ID;

/// Stands for an id that does not exist. Not `NONE` of `pairs`, which may be the rank of a spare
/// token.
const NO_RANK: u32 = u32::MAX;

/// Ids by rank, and ranks by id.
#[derive(Default)]
pub(crate) struct Ids {
    /// Empty if ids are ranks.
    by_rank: Vec<u32>,
    ranks: Vec<u32>,
}

impl Ids {
    /// Takes the id of each rank, or `None` if ids are ranks. O(highest id).
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

    /// Replaces ranks with ids. O(length).
    pub(crate) fn name(&self, ranks: &mut [u32]) {
        if !self.by_rank.is_empty() {
            ranks.iter_mut().for_each(|rank| *rank = self.by_rank[*rank as usize]);
        }
    }

    /// A bound above every id, given that all ranks are below `ranks`.
    pub(crate) fn bound(&self, ranks: usize) -> u32 {
        if self.by_rank.is_empty() { ranks as u32 } else { self.ranks.len() as u32 }
    }

    /// The rank of an id. If ids are ranks, the id itself, whatever it is; otherwise [`NO_RANK`]
    /// for an id that does not exist. O(1).
    pub(crate) fn rank(&self, id: u32) -> u32 {
        if self.by_rank.is_empty() {
            return id;
        }
        self.ranks.get(id as usize).map_or(NO_RANK, |rank| *rank)
    }
}
