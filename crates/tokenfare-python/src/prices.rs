//! The prices of models: signatures for `tokenfare-jobs`.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use tokenfare_jobs::{MOST_SCALE, Priced};

use crate::pair::{Pair, span};

/// The bounds of a model's tiers, and for each tier the prices of an input and of an output token.
type Tiers = (Vec<u64>, Vec<(u128, u128)>);

/// Models by index, each with the longest input that it takes.
pub(crate) type Takers = Vec<(usize, Option<u64>)>;

/// The prices of a kind's models, in whole numbers.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Prices(pub(crate) Arc<tokenfare_jobs::Prices>);

#[pymethods]
impl Prices {
    /// A model is the longest input of each of its tiers but the last, and for each tier the prices
    /// of an input and of an output token.
    #[new]
    #[pyo3(signature = (models, scale, /))]
    fn new(models: Vec<Tiers>, scale: u128) -> PyResult<Self> {
        let has_tiers = models.iter().all(|(bounds, tiers)| tiers.len() == bounds.len() + 1);
        if !(1..=MOST_SCALE).contains(&scale) || !has_tiers {
            let expected = format!("a tier more than bounds, on a scale of 1 to {MOST_SCALE}");
            return Err(PyValueError::new_err(expected));
        }
        let models = models.into_iter().map(|(bounds, tiers)| Priced { bounds, tiers });
        Ok(Prices(Arc::new(tokenfare_jobs::Prices::new(models.collect(), scale))))
    }

    /// Over the models that take a request, the least of the most that it may cost there, to twelve
    /// digits behind the point.
    #[pyo3(signature = (takers, size, answer, /))]
    fn least(&self, takers: Takers, size: Pair, answer: u64) -> PyResult<Option<i64>> {
        self.check(&takers)?;
        Ok(self.0.least(&takers, span(size), answer))
    }
}

impl Prices {
    pub(crate) fn check(&self, takers: &Takers) -> PyResult<()> {
        let unknown = takers.iter().find(|(place, _)| *place >= self.0.len());
        unknown.map_or(Ok(()), |(place, _)| {
            Err(PyIndexError::new_err(format!("there is no model {place}")))
        })
    }
}
