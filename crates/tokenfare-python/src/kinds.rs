//! How a kind of models counts plain chats: conversion for `tokenfare-jobs`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tokenfare_jobs::{Kind, Measure};

use crate::pair::{Pair, span};

/// How texts are measured: by a tokenizer's number or the name of a rule.
#[derive(FromPyObject)]
pub(crate) enum By {
    Tokenizer(usize),
    Rule(String),
}

/// The fields of a [`Kind`] in order, as Python passes them.
pub(crate) type KindParts = (By, bool, Pair, Pair, Pair);

pub(crate) fn kind((by, joins, once, each, default): KindParts) -> PyResult<Kind> {
    let measure = match &by {
        By::Tokenizer(number) => Measure::Tokens(*number),
        By::Rule(name) => match name.as_str() {
            "as is" => Measure::AsIs,
            "nfc" => Measure::Nfc,
            "most" => Measure::Most,
            other => return Err(PyValueError::new_err(format!("no measure {other:?}"))),
        },
    };
    Ok(Kind { measure, joins, once: span(once), each: span(each), default: span(default) })
}
