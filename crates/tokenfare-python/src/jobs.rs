//! Lines of a batch job: signatures for `tokenfare-jobs`, whose types have the documentation.

use std::collections::HashSet;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use tokenfare_jobs::{Address, Fate, Offer};

use crate::Tokenizer;
use crate::guard::guarded;
use crate::kinds::{KindParts, kind};
use crate::output::Sent;
use crate::pair::{Pair, pair, span};
use crate::prefixes::{PrefixDigester, PrefixTrees};
use crate::prices::{Prices, Takers};

/// The names under which a line has its parts.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct LineLayout(pub(crate) tokenfare_jobs::LineLayout);

#[pymethods]
impl LineLayout {
    #[new]
    #[pyo3(signature = (*, prompt, messages, custom_id, method, url, doubtful_in_body, doubtful_beside, marks, room, digester))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn new(
        prompt: String,
        messages: String,
        custom_id: String,
        method: String,
        url: String,
        doubtful_in_body: HashSet<String>,
        doubtful_beside: HashSet<String>,
        marks: Vec<String>,
        room: u64,
        digester: Option<&PrefixDigester>,
    ) -> Self {
        let digester = digester.map(|digester| digester.0.clone());
        LineLayout(tokenfare_jobs::LineLayout {
            prompt,
            messages,
            custom_id,
            method,
            url,
            doubtful_in_body,
            doubtful_beside,
            marks,
            room,
            digester,
        })
    }
}

/// Ids and bodies seen before.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Seen(pub(crate) tokenfare_jobs::Seen);

#[pymethods]
impl Seen {
    #[new]
    #[pyo3(signature = (key, *, keeps))]
    fn new(key: [u8; 16], keeps: bool) -> Self {
        Seen(tokenfare_jobs::Seen::new(tokenfare_jobs::Key::new(key), keeps))
    }

    #[pyo3(signature = (id, /))]
    fn id(&mut self, id: &str) -> bool {
        self.0.id(id)
    }

    #[pyo3(signature = (body, id, /))]
    fn body(&mut self, body: &[u8], id: &str) -> Option<&str> {
        self.0.body(body, id)
    }
}

/// The lowest price of each kind of a service's models for each size.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Offers(pub(crate) tokenfare_jobs::Offers);

#[pymethods]
impl Offers {
    /// A kind is its measure (a tokenizer's number or the name of a rule), `joins`, and the spans
    /// `once`, `each` and `default`.
    #[new]
    #[pyo3(signature = (kinds, /))]
    fn new(kinds: Vec<KindParts>) -> PyResult<Self> {
        let kinds = kinds.into_iter().map(kind).collect::<PyResult<Vec<_>>>()?;
        Ok(Offers(tokenfare_jobs::Offers::new(kinds)))
    }

    #[pyo3(signature = (kind, /))]
    fn open(&self, kind: usize) -> Vec<Pair> {
        self.0.open(kind).iter().map(pair).collect()
    }

    #[pyo3(signature = (kind, offers, /))]
    fn answer(&mut self, kind: usize, offers: Vec<Offer>) {
        self.0.answer(kind, &offers);
    }

    /// Compute the offers of a kind in the core, as sizes come up.
    #[pyo3(signature = (kind, prices, takers, answer, /))]
    fn price_by(
        &mut self,
        kind: usize,
        prices: &Bound<'_, Prices>,
        takers: Takers,
        answer: u64,
    ) -> PyResult<()> {
        let prices = prices.get();
        prices.check(&takers)?;
        if kind >= self.0.kinds() {
            return Err(unknown("kind", kind));
        }
        self.0.price_by(kind, prices.0.clone(), takers, answer);
        Ok(())
    }

    #[pyo3(signature = (kind, place, outcome, /))]
    fn settle(&mut self, kind: usize, place: u32, outcome: u32) {
        self.0.settle(kind, place, outcome);
    }

    /// For each kind the number of its list of sizes: kinds that count alike share one.
    fn size_lists(&self) -> Vec<usize> {
        self.0.list_of().to_vec()
    }

    #[pyo3(signature = (kind, /))]
    fn held(&self, kind: usize) -> Vec<(Pair, u64)> {
        self.0.held(kind).map(|(size, number)| (pair(&size), number)).collect()
    }
}

/// What was decided for requests, by number, and how many requests have each outcome.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Outcomes(pub(crate) tokenfare_jobs::Outcomes);

#[pymethods]
impl Outcomes {
    #[new]
    fn new() -> Self {
        Outcomes(tokenfare_jobs::Outcomes::default())
    }

    /// An address is the bytes between a line's id and its body, and the most bytes of a line.
    #[pyo3(signature = (front, most, /))]
    fn add_address(&mut self, front: Vec<u8>, most: Option<usize>) {
        self.0.add_address(Address { front, most });
    }

    #[pyo3(signature = (address, size, /))]
    fn add(&mut self, address: usize, size: Pair) -> PyResult<()> {
        let known = address < self.0.addresses();
        known.then(|| self.0.add(address, span(size))).ok_or_else(|| unknown("address", address))
    }

    fn forget_numbers(&mut self) {
        self.0.forget_numbers();
    }

    /// For at most `most` outcomes, beginning with `first`: how many are sent, how many of these are
    /// repeated, how many are carried, and the file and line of the first that is sent.
    #[pyo3(signature = (first, most, /))]
    fn numbers(&self, first: usize, most: usize) -> Vec<(u64, u64, u64, Option<Pair>)> {
        let numbers = self.0.numbers().iter().skip(first).take(most);
        numbers.map(|each| (each.sent, each.repeated, each.carried, each.first)).collect()
    }
}

fn unknown(what: &str, number: usize) -> PyErr {
    PyIndexError::new_err(format!("there is no {what} {number}"))
}

/// The lines of one chunk.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Lines(pub(crate) tokenfare_jobs::Lines);

#[pymethods]
impl Lines {
    #[new]
    /// `key` is that of the `Seen` which the lines will be compared with.
    #[pyo3(signature = (block, first, layout, key, tokenizers, /))]
    fn new(
        py: Python<'_>,
        block: PyBackedBytes,
        first: u64,
        layout: &Bound<'_, LineLayout>,
        key: [u8; 16],
        tokenizers: Vec<Bound<'_, Tokenizer>>,
    ) -> PyResult<Self> {
        let key = tokenfare_jobs::Key::new(key);
        let (bytes, layout) = (block.len(), &layout.get().0);
        let cores: Vec<_> = tokenizers.iter().map(|tokenizer| &tokenizer.get().core).collect();
        let read = || tokenfare_jobs::Lines::new(Box::new(block), first, layout, key, &cores);
        guarded(py, bytes, read).map(Lines)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// A line's number in its file and its text.
    #[pyo3(signature = (row, /))]
    fn line<'py>(&self, py: Python<'py>, row: usize) -> PyResult<(u64, Bound<'py, PyBytes>)> {
        self.check(row)?;
        let (number, text) = self.0.line(row);
        Ok((number, PyBytes::new(py, text)))
    }

    #[pyo3(signature = (row, /))]
    fn id(&self, row: usize) -> PyResult<&str> {
        self.check(row)?;
        Ok(self.0.id(row))
    }

    #[pyo3(signature = (row, id, body, digests, /))]
    fn give(&mut self, row: usize, id: &str, body: &[u8], digests: Vec<u64>) -> PyResult<()> {
        self.check(row)?;
        if !body.starts_with(b"{\"") {
            return Err(PyValueError::new_err("a body is an object that says something"));
        }
        self.0.give(row, id, body, &digests);
        Ok(())
    }

    #[pyo3(signature = (prefix, seen, /))]
    fn name(&mut self, prefix: &str, seen: &mut Seen) {
        self.0.name(prefix, &mut seen.0);
    }

    fn doubtful(&self) -> Vec<usize> {
        self.rows(|fate| fate == Fate::Doubtful)
    }

    fn duplicates(&self) -> Vec<usize> {
        self.rows(|fate| fate == Fate::DuplicateId)
    }

    fn open(&self) -> Vec<usize> {
        self.rows(|fate| fate == Fate::Open)
    }

    /// The rows of lines that are too long for their address, with their outcomes and their bytes.
    fn too_long(&self) -> Vec<(usize, u32, usize)> {
        let fates = self.0.fates().iter().enumerate();
        let long = fates.filter_map(|(row, fate)| match fate {
            Fate::TooLong(outcome, bytes) => Some((row, *outcome, *bytes)),
            _ => None,
        });
        long.collect()
    }

    /// Add the requests that are sent to prefix trees; `trees` has the tree of each address. Gives
    /// the rows whose longest shared prefix is reported for the first time: the row, the tree, the
    /// number of the prefix, the index of its digest.
    #[pyo3(signature = (prefix_trees, outcomes, trees, file, /))]
    fn add_prefixes(
        &self,
        py: Python<'_>,
        prefix_trees: &mut PrefixTrees,
        outcomes: &Outcomes,
        trees: Vec<usize>,
        file: u64,
    ) -> PyResult<Vec<(usize, usize, u32, usize)>> {
        if trees.len() < outcomes.0.addresses() {
            return Err(unknown("tree for address", trees.len()));
        }
        let (lines, prefix_trees, outcomes) = (&self.0, &mut prefix_trees.0, &outcomes.0);
        guarded(py, usize::MAX, || lines.add_prefixes(prefix_trees, outcomes, &trees, file))
    }

    #[pyo3(signature = (row, /))]
    fn outcome(&self, row: usize) -> PyResult<Option<u32>> {
        self.check(row)?;
        Ok(match self.0.fates()[row] {
            Fate::Placed(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// The body that is sent for a request, without its model.
    #[pyo3(signature = (row, /))]
    fn body<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyBytes>> {
        self.check(row)?;
        Ok(PyBytes::new(py, self.0.body(row)))
    }

    fn rooms(&self) -> Vec<u64> {
        self.0.rooms()
    }

    #[pyo3(signature = (room, /))]
    fn rows_with(&self, room: u64) -> Vec<usize> {
        self.0.rows_with(room)
    }

    #[pyo3(signature = (room, offers, /))]
    fn group(&mut self, room: u64, offers: &mut Offers) -> usize {
        self.0.group(room, &mut offers.0)
    }

    #[pyo3(signature = (group, place, /))]
    fn row(&self, group: usize, place: usize) -> usize {
        self.0.row(group, place)
    }

    #[pyo3(signature = (group, /))]
    fn left(&self, group: usize) -> Vec<usize> {
        self.0.left(group)
    }

    #[pyo3(signature = (group, place, offers, /))]
    fn sizes(&self, group: usize, place: usize, offers: &Offers) -> Vec<Pair> {
        self.0.sizes(group, place, &offers.0).iter().map(pair).collect()
    }

    /// The lowest offers for requests of a group that have no outcome yet: the kind, the place of
    /// the size, and the size.
    #[pyo3(signature = (group, offers, /))]
    fn undecided(&self, group: usize, offers: &Offers) -> Vec<(usize, u32, Pair)> {
        let found = self.0.undecided(group, &offers.0).into_iter();
        found.map(|(kind, place, size)| (kind, place, pair(&size))).collect()
    }

    #[pyo3(signature = (group, offers, /))]
    fn choose(&mut self, group: usize, offers: &Offers) -> Vec<usize> {
        self.0.choose(group, &offers.0)
    }

    #[pyo3(signature = (group, offers, /))]
    fn hold(&self, group: usize, offers: &mut Offers) {
        self.0.hold(group, &mut offers.0);
    }

    #[pyo3(signature = (row, outcome, /))]
    fn place(&mut self, row: usize, outcome: u32) -> PyResult<()> {
        self.check(row)?;
        self.0.place(row, outcome);
        Ok(())
    }

    /// `file` is the number of the input.
    #[pyo3(signature = (outcomes, seen, once, file, /))]
    fn send(
        &mut self,
        py: Python<'_>,
        outcomes: &mut Outcomes,
        seen: &mut Seen,
        once: bool,
        file: u64,
    ) -> PyResult<Sent> {
        let (lines, outcomes, seen) = (&mut self.0, &mut outcomes.0, &mut seen.0);
        guarded(py, usize::MAX, || lines.send(outcomes, seen, once, file)).map(Sent)
    }
}

impl Lines {
    fn rows(&self, which: impl Fn(Fate) -> bool) -> Vec<usize> {
        let fates = self.0.fates().iter().enumerate();
        fates.filter_map(|(row, fate)| which(*fate).then_some(row)).collect()
    }

    pub(crate) fn check(&self, row: usize) -> PyResult<()> {
        let known = row < self.0.len();
        known.then_some(()).ok_or_else(|| unknown("line", row))
    }
}

/// How many line feeds these bytes have.
#[pyfunction]
#[pyo3(signature = (block, /))]
pub(crate) fn line_breaks(block: &[u8]) -> usize {
    tokenfare_jobs::line_breaks(block)
}
