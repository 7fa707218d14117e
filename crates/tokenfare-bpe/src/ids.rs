//! The ids that the outside uses, where they are not the ranks that the core counts in.

use std::collections::HashMap;

/// Ids by rank and ranks by id; nothing where they are the same.
#[derive(Default)]
pub(crate) struct Ids {
    by_rank: Vec<u32>,
    ranks: HashMap<u32, u32>,
}

impl Ids {
    /// The id of each rank, or `None` where ids are ranks.
    pub(crate) fn new(by_rank: Option<Vec<u32>>) -> Self {
        let by_rank = by_rank.unwrap_or_default();
        let ranks = by_rank.iter().copied().zip(0..).collect();
        Ids { by_rank, ranks }
    }

    /// Replaces ranks by ids. O(length).
    pub(crate) fn name(&self, ranks: &mut [u32]) {
        if !self.by_rank.is_empty() {
            ranks.iter_mut().for_each(|rank| *rank = self.by_rank[*rank as usize]);
        }
    }

    /// The rank of an id, if it has one; the id itself where ids are ranks. O(1).
    pub(crate) fn rank(&self, id: u32) -> Option<u32> {
        if self.by_rank.is_empty() { Some(id) } else { self.ranks.get(&id).copied() }
    }
}
