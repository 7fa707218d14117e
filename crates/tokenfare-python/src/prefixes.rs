//! The prefixes that requests share: signatures for `tokenfare-jobs`.

use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use tokenfare_jobs::DigestInput;

use crate::pair::{Pair, span};

/// A message: a role and a text, or any other one as its JSON is written.
#[derive(FromPyObject)]
enum Message {
    Text(PyBackedStr, PyBackedStr),
    Raw(PyBackedBytes),
}

/// Makes the prefix digests of one job.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct PrefixDigester(pub(crate) tokenfare_jobs::PrefixDigester);

#[pymethods]
impl PrefixDigester {
    #[new]
    #[pyo3(signature = (key, distances, /))]
    fn new(key: [u8; 16], distances: Vec<usize>) -> Self {
        PrefixDigester(tokenfare_jobs::PrefixDigester::new(key, distances))
    }

    #[pyo3(signature = (options, messages, /))]
    fn of(&self, options: Option<&[u8]>, messages: Vec<Message>) -> Vec<u64> {
        let inputs = messages.iter().map(|message| match message {
            Message::Text(role, text) => DigestInput::Text(role, text),
            Message::Raw(written) => DigestInput::Raw(written),
        });
        self.0.of(options, inputs)
    }
}

/// The prefixes that a job's requests share, counted by tree.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct PrefixTrees(pub(crate) tokenfare_jobs::PrefixTrees);

#[pymethods]
impl PrefixTrees {
    #[new]
    #[pyo3(signature = (capacity, /))]
    fn new(capacity: usize) -> Self {
        PrefixTrees(tokenfare_jobs::PrefixTrees::new(capacity))
    }

    /// The number of the request's longest shared prefix and the index of its digest, the first
    /// time that this prefix is reported.
    #[pyo3(signature = (tree, digests, size, place, /))]
    fn add(
        &mut self,
        tree: usize,
        digests: Vec<u64>,
        size: Pair,
        place: Pair,
    ) -> Option<(u32, usize)> {
        self.0.add(tree, &digests, span(size), place)
    }

    /// For each tree: its number, how many requests, the low end of the shortest and the high end
    /// of the longest.
    fn groups(&self) -> Vec<(usize, u64, u64, u64)> {
        let groups = self.0.groups().into_iter();
        groups.map(|each| (each.tree, each.requests, each.sizes.low, each.sizes.high)).collect()
    }

    /// The shared prefixes of a tree: number, how many requests have it, how many of them share no
    /// longer one with an earlier request, and the file and line of the first.
    #[pyo3(signature = (tree, /))]
    fn of(&self, tree: usize) -> Vec<(u32, u64, u64, Pair)> {
        let all = self.0.of(tree).into_iter();
        all.map(|each| (each.number, each.count, each.ended, each.place)).collect()
    }

    #[getter]
    fn missed(&self) -> u64 {
        self.0.missed()
    }

    #[getter]
    fn nodes(&self) -> usize {
        self.0.nodes()
    }

    /// The prefixes evicted since the last call: tree, number, how many requests ended with it.
    fn take_evicted(&mut self) -> Vec<(usize, u32, u64)> {
        let evicted = self.0.take_evicted().into_iter();
        evicted.map(|each| (each.tree, each.number, each.ended)).collect()
    }
}
