//! How models count plain chats: signatures for `tokenfare-jobs`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tokenfare_jobs::{Kind, Measure, Span};

use crate::jobs::Pair;

/// What texts are measured by.
#[derive(FromPyObject)]
pub(crate) enum By {
    Tokenizer(usize),
    Rule(String),
}

/// What texts are measured by, whether they join, and the spans of once, each and default.
pub(crate) type Told = (By, bool, Pair, Pair, Pair);

pub(crate) fn kind((by, joins, once, each, default): Told) -> PyResult<Kind> {
    let measure = match &by {
        By::Tokenizer(number) => Measure::Tokens(*number),
        By::Rule(name) => match name.as_str() {
            "as is" => Measure::AsIs,
            "nfc" => Measure::Nfc,
            "most" => Measure::Most,
            other => return Err(PyValueError::new_err(format!("no measure {other:?}"))),
        },
    };
    let span = |(low, high)| Span { low, high };
    Ok(Kind { measure, joins, once: span(once), each: span(each), default: span(default) })
}
