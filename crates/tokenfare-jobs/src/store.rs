//! The bodies, ids and prefix digests of many lines, each concatenated.

use std::ops::Range;

/// What was written for the lines of a chunk. A row's `Place` says which part is its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) bodies: Vec<u8>,
    pub(crate) ids: String,
    pub(crate) digests: Vec<u64>,
}

/// The place of a row's body, id and prefix digests in a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) body: Range<usize>,
    /// Empty if it has no id of its own.
    pub(crate) id: Range<usize>,
    pub(crate) digests: Range<usize>,
}

impl Place {
    pub(crate) fn body<'a>(&self, store: &'a Store) -> &'a [u8] {
        &store.bodies[self.body.clone()]
    }

    pub(crate) fn id<'a>(&self, store: &'a Store) -> &'a str {
        &store.ids[self.id.clone()]
    }

    pub(crate) fn digests<'a>(&self, store: &'a Store) -> &'a [u64] {
        &store.digests[self.digests.clone()]
    }
}

impl Store {
    /// The current end of the store.
    pub(crate) fn mark(&self) -> Mark {
        Mark { bodies: self.bodies.len(), ids: self.ids.len(), digests: self.digests.len() }
    }

    /// The place of everything written since a mark.
    pub(crate) fn since(&self, mark: Mark) -> Place {
        Place {
            body: mark.bodies..self.bodies.len(),
            id: mark.ids..self.ids.len(),
            digests: mark.digests..self.digests.len(),
        }
    }

    /// Removes everything written since a mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.bodies.truncate(mark.bodies);
        self.ids.truncate(mark.ids);
        self.digests.truncate(mark.digests);
    }
}

/// The end of a store at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bodies: usize,
    ids: usize,
    digests: usize,
}
