//! What requests begin with: signatures for `tokenfare-jobs`.

use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use tokenfare_jobs::{Said, Span};

/// A message: a role and a text, or anything else as it is written.
#[derive(FromPyObject)]
enum Message {
    Text(PyBackedStr, PyBackedStr),
    Whole(PyBackedBytes),
}

/// Makes the ladders of one job.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Ladders(pub(crate) tokenfare_jobs::Ladders);

#[pymethods]
impl Ladders {
    #[new]
    #[pyo3(signature = (key, distances, /))]
    fn new(key: [u8; 16], distances: Vec<usize>) -> Self {
        Ladders(tokenfare_jobs::Ladders::new(key, distances))
    }

    #[pyo3(signature = (options, messages, /))]
    fn of(&self, options: Option<&[u8]>, messages: Vec<Message>) -> Vec<u64> {
        let said = messages.iter().map(|message| match message {
            Message::Text(role, text) => Said::Text(role, text),
            Message::Whole(written) => Said::Whole(written),
        });
        self.0.of(options, said)
    }
}

/// Which requests of a job begin alike.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Beginnings(pub(crate) tokenfare_jobs::Beginnings);

#[pymethods]
impl Beginnings {
    #[new]
    #[pyo3(signature = (room, /))]
    fn new(room: usize) -> Self {
        Beginnings(tokenfare_jobs::Beginnings::new(room))
    }

    /// A beginning that the request is the first to end with, by number and rung.
    #[pyo3(signature = (tree, ladder, size, place, /))]
    fn climb(
        &mut self,
        tree: usize,
        ladder: Vec<u64>,
        size: (u64, u64),
        place: (u64, u64),
    ) -> Option<(u32, usize)> {
        self.0.climb(tree, &ladder, Span { low: size.0, high: size.1 }, place)
    }

    /// For each tree: its number, how many requests, the shortest and the longest of them.
    fn groups(&self) -> Vec<(usize, u64, u64, u64)> {
        let groups = self.0.groups().into_iter();
        groups.map(|each| (each.tree, each.requests, each.sizes.low, each.sizes.high)).collect()
    }

    /// Beginnings of a tree: number, how many had it, how many ended with it, file and line.
    #[pyo3(signature = (tree, /))]
    fn of(&self, tree: usize) -> Vec<(u32, u64, u64, (u64, u64))> {
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

    /// What had to go: tree, number, how many ended with it.
    fn take_gone(&mut self) -> Vec<(usize, u32, u64)> {
        let gone = self.0.take_gone().into_iter();
        gone.map(|each| (each.tree, each.number, each.ended)).collect()
    }
}
