//! Bodies and ids of many lines, one behind the other.

use std::ops::Range;

/// What was written of many lines; rows say where theirs lies in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) bodies: Vec<u8>,
    pub(crate) ids: String,
    pub(crate) digests: Vec<u64>,
}

/// Where a row's body and its id lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) body: Range<usize>,
    /// Empty where it has no id of its own.
    pub(crate) id: Range<usize>,
    /// Its prefix digests.
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
    /// Where what comes next will begin.
    pub(crate) fn mark(&self) -> Mark {
        Mark { bodies: self.bodies.len(), ids: self.ids.len(), digests: self.digests.len() }
    }

    /// The place of all that came since a mark.
    pub(crate) fn since(&self, mark: Mark) -> Place {
        Place {
            body: mark.bodies..self.bodies.len(),
            id: mark.ids..self.ids.len(),
            digests: mark.digests..self.digests.len(),
        }
    }

    /// Takes back all that came since a mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.bodies.truncate(mark.bodies);
        self.ids.truncate(mark.ids);
        self.digests.truncate(mark.digests);
    }
}

/// How far a store had been written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bodies: usize,
    ids: usize,
    digests: usize,
}
