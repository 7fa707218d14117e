//! Lines of a job with a deadline: signatures for `tokenfare-jobs`, whose types have the
//! documentation.

use std::collections::HashMap;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokenfare_jobs::{Bid, Span};

use crate::guard::guarded;
use crate::jobs::{Lines, Offers, Outcomes, Seen};
use crate::pair::{Pair, pair, span};

/// The classes of a job, and which of its requests are carried.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Classes(tokenfare_jobs::Classes);

#[pymethods]
impl Classes {
    #[new]
    fn new() -> Self {
        Classes(tokenfare_jobs::Classes::default())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (bids, /))]
    fn number(&mut self, mut bids: Vec<u32>) -> u32 {
        self.0.number(&mut bids)
    }

    /// The number of a bid: a size on a kind of a service's models.
    #[pyo3(signature = (service, kind, size, /))]
    fn bid(&mut self, service: u32, kind: u32, size: Pair) -> u32 {
        self.0.bid(Bid { service, kind, size: span(size) })
    }

    /// All bids as columns: services and kinds (`u32`), and the two ends of the sizes (`u64`).
    fn bids<'py>(&self, py: Python<'py>) -> [Bound<'py, PyBytes>; 4] {
        let bids = self.0.bids();
        [
            packed(py, bids.iter().map(|bid| bid.service.to_ne_bytes())),
            packed(py, bids.iter().map(|bid| bid.kind.to_ne_bytes())),
            packed(py, bids.iter().map(|bid| bid.size.low.to_ne_bytes())),
            packed(py, bids.iter().map(|bid| bid.size.high.to_ne_bytes())),
        ]
    }

    /// All classes as columns: how many bids each has (`u32`), the bids concatenated (`u32`), and
    /// how many requests of each are sent (`u64`).
    fn all<'py>(&self, py: Python<'py>) -> [Bound<'py, PyBytes>; 3] {
        let bids = self.0.iter().flat_map(|(bids, _)| bids);
        [
            packed(py, self.0.iter().map(|(bids, _)| (bids.len() as u32).to_ne_bytes())),
            packed(py, bids.map(|bid| bid.to_ne_bytes())),
            packed(py, self.0.iter().map(|(_, requests)| requests.to_ne_bytes())),
        ]
    }

    /// Count the next request of the job, which was not read by the core.
    #[pyo3(signature = (number, carried, /))]
    fn count_one(&mut self, number: u32, carried: bool) -> PyResult<()> {
        self.check(number)?;
        self.0.count(number, carried);
        Ok(())
    }

    /// Count the requests of a block. Gives how many sent requests have no class.
    #[pyo3(signature = (lines, outcomes, seen, once, /))]
    fn count(
        &mut self,
        py: Python<'_>,
        lines: &mut Lines,
        outcomes: &mut Outcomes,
        seen: &mut Seen,
        once: bool,
    ) -> PyResult<u64> {
        let (lines, outcomes, seen) = (&mut lines.0, &mut outcomes.0, &mut seen.0);
        guarded(py, usize::MAX, || lines.count(outcomes, seen, once, &mut self.0))
    }

    /// Join bids: `joined` has the representative of each.
    #[pyo3(signature = (joined, /))]
    fn coarsen(&mut self, joined: Vec<u32>) -> PyResult<()> {
        let bids = self.0.bids().len();
        if joined.len() != bids || joined.iter().any(|bid| *bid as usize >= bids) {
            return Err(PyIndexError::new_err(format!("there are {bids} bids")));
        }
        self.0.coarsen(joined);
        Ok(())
    }

    /// Columns of class, model and number of requests that go there; and for each class the model
    /// for its carried requests.
    #[pyo3(signature = (classes, models, requests, carried, /))]
    fn give_out(
        &mut self,
        classes: Vec<u32>,
        models: Vec<u32>,
        requests: Vec<u64>,
        carried: Vec<u32>,
    ) -> PyResult<()> {
        classes.iter().try_for_each(|class| self.check(*class))?;
        let parts = classes.into_iter().zip(models).zip(requests);
        self.0.give_out(parts.map(|((class, model), number)| (class, model, number)), &carried);
        Ok(())
    }

    /// The model of the next request of the job, and whether it is carried; `None` if the requests
    /// differ from those that were counted.
    #[pyo3(signature = (number, /))]
    fn next(&mut self, number: u32) -> PyResult<Option<(u32, bool)>> {
        self.check(number)?;
        Ok(self.0.next(number))
    }

    fn all_given(&self) -> bool {
        self.0.all_given()
    }

    /// Withdraw the requests of a block that go to late addresses. Gives the addresses that any
    /// request goes to.
    #[staticmethod]
    #[pyo3(signature = (lines, outcomes, late, /))]
    fn withdraw(lines: &mut Lines, outcomes: &Outcomes, late: Vec<bool>) -> PyResult<Vec<usize>> {
        if late.len() < outcomes.0.addresses() {
            return Err(PyIndexError::new_err("each address is late or is not"));
        }
        Ok(lines.0.withdraw(&outcomes.0, &late))
    }

    /// The outcome that a request would have without the deadline, if it is known.
    #[staticmethod]
    #[pyo3(signature = (lines, row, /))]
    fn free(lines: &Lines, row: usize) -> PyResult<Option<u32>> {
        lines.check(row)?;
        Ok(lines.0.free(row))
    }

    /// Set the class, and the outcome without the deadline, of a request not read by the core.
    #[pyo3(signature = (lines, row, number, free, /))]
    fn classed(&self, lines: &mut Lines, row: usize, number: u32, free: u32) -> PyResult<()> {
        lines.check(row)?;
        self.check(number)?;
        lines.0.classed(row, number, free);
        Ok(())
    }

    /// Give the requests of a block that have a class their models. Gives whether they are the same
    /// as those that were counted.
    #[pyo3(signature = (lines, /))]
    fn deal(&mut self, lines: &mut Lines) -> bool {
        lines.0.deal(&mut self.0)
    }

    /// The model that a request was given by `deal`.
    #[staticmethod]
    #[pyo3(signature = (lines, row, /))]
    fn model(lines: &Lines, row: usize) -> PyResult<Option<u32>> {
        lines.check(row)?;
        Ok(lines.0.model(row))
    }

    /// Count which outcomes replaced which, for the requests of a block that are sent.
    #[pyo3(signature = (lines, /))]
    fn compare(&mut self, lines: &Lines) {
        lines.0.compare(&mut self.0);
    }

    /// The counts of `compare`: the outcome without the deadline, the one with it, how many.
    fn moves(&self) -> Vec<(u32, u32, u64)> {
        self.0.moves().collect()
    }
}

impl Classes {
    fn check(&self, number: u32) -> PyResult<()> {
        let known = (number as usize) < self.0.len();
        known.then_some(()).ok_or_else(|| PyIndexError::new_err(format!("no class {number}")))
    }
}

/// The bytes of numbers, concatenated.
fn packed<const N: usize>(
    py: Python<'_>,
    numbers: impl Iterator<Item = [u8; N]>,
) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &numbers.flatten().collect::<Vec<u8>>())
}

/// The bids of a live service.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Bids {
    core: tokenfare_jobs::Bids,
    /// By kind, the longest input that is taken; converted once, since every block asks again.
    longest: Vec<Option<u64>>,
}

#[pymethods]
impl Bids {
    /// `kinds` has the kind of each model that can promise a time, `longest` the longest input that
    /// such a model of each kind takes (`None`: none takes any).
    #[new]
    #[pyo3(signature = (service, kinds, longest, /))]
    fn new(service: u32, kinds: HashMap<u32, usize>, longest: Vec<Option<u64>>) -> PyResult<Self> {
        let number = longest.len();
        if kinds.values().any(|kind| *kind >= number) {
            return Err(PyIndexError::new_err(format!("there are {number} kinds")));
        }
        Ok(Bids { core: tokenfare_jobs::Bids::new(service, kinds, number), longest })
    }

    /// The sizes on a kind that have no bid yet.
    #[pyo3(signature = (kind, offers, /))]
    fn open(&self, kind: usize, offers: &Offers) -> Vec<Pair> {
        self.core.open(kind, &offers.0).iter().map(pair).collect()
    }

    /// Give the open sizes bids, up to the longest that is taken on each kind.
    #[pyo3(signature = (offers, classes, /))]
    fn answer_up_to(&mut self, offers: &Offers, classes: &mut Classes) {
        for (kind, longest) in self.longest.iter().enumerate() {
            let takes = |_, size: Span| longest.is_some_and(|longest| size.high <= longest);
            self.core.answer(kind, &offers.0, &mut classes.0, takes);
        }
    }

    /// Give bids to those of a kind's open sizes that are taken.
    #[pyo3(signature = (kind, offers, classes, taken, /))]
    fn answer(
        &mut self,
        kind: usize,
        offers: &Offers,
        classes: &mut Classes,
        taken: Vec<bool>,
    ) -> PyResult<()> {
        if taken.len() != self.core.open(kind, &offers.0).len() {
            return Err(PyValueError::new_err("an answer for each size that is open"));
        }
        self.core.answer(kind, &offers.0, &mut classes.0, |place, _| taken[place]);
        Ok(())
    }

    /// Whether a request in a group has no known outcome without the deadline.
    #[staticmethod]
    #[pyo3(signature = (lines, group, /))]
    fn lacks(lines: &Lines, group: usize) -> bool {
        lines.0.lacks(group)
    }

    /// Give the requests of a group their classes. Gives the places of those that have none.
    #[pyo3(signature = (lines, group, classes, /))]
    fn classify(&self, lines: &mut Lines, group: usize, classes: &mut Classes) -> Vec<usize> {
        lines.0.classify(group, &self.core, &mut classes.0)
    }

    /// What is to be settled for a group: model, place of the size, size.
    #[pyo3(signature = (lines, group, offers, /))]
    fn unsettled(&self, lines: &Lines, group: usize, offers: &Offers) -> Vec<(u32, u32, Pair)> {
        let found = lines.0.unsettled(group, &self.core, &offers.0).into_iter();
        found.map(|(model, place, size)| (model, place, pair(&size))).collect()
    }

    #[pyo3(signature = (model, place, outcome, /))]
    fn settle(&mut self, model: u32, place: u32, outcome: u32) {
        self.core.settle(model, place, outcome);
    }

    /// Give the requests of a group their outcomes on the models that they were given.
    #[pyo3(signature = (lines, group, /))]
    fn settle_all(&self, lines: &mut Lines, group: usize) {
        lines.0.settle(group, &self.core);
    }
}
