//! Bodies and ids of many lines, one behind the other.

use std::ops::Range;

/// What a thread has written; rows say where theirs lie in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) bodies: Vec<u8>,
    pub(crate) ids: String,
}

/// Where a row's body and its id lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// Which of the stores.
    pub(crate) store: usize,
    pub(crate) body: Range<usize>,
    /// Empty where it has no id of its own.
    pub(crate) id: Range<usize>,
}

impl Place {
    pub(crate) fn body<'a>(&self, stores: &'a [Store]) -> &'a [u8] {
        &stores[self.store].bodies[self.body.clone()]
    }

    pub(crate) fn id<'a>(&self, stores: &'a [Store]) -> &'a str {
        &stores[self.store].ids[self.id.clone()]
    }
}

impl Store {
    /// Puts a body and an id behind the others; `number` is that of this store.
    pub(crate) fn put(&mut self, number: usize, id: &str, body: &[u8]) -> Place {
        let (bodies, ids) = (self.bodies.len(), self.ids.len());
        self.bodies.extend_from_slice(body);
        self.ids.push_str(id);
        Place { store: number, body: bodies..self.bodies.len(), id: ids..self.ids.len() }
    }
}
