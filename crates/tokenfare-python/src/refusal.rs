//! What this module itself says against what it was handed, by types that nobody else raises.
//!
//! While the core works, handlers of signals run, and so does the code of whoever hands a column or
//! numbers over. What those raise is none of the core's, and is not to be taken for it.

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;

create_exception!(
    tokenfare._core,
    Refused,
    PyValueError,
    "What was handed over is not what it should be, or does not fit."
);

create_exception!(
    tokenfare._core,
    Unusable,
    PyRuntimeError,
    "What is to be worked with is being worked with, or was left in the middle of that."
);

/// The type, for a class whose callers have it from there: the module need not be loaded to catch it.
pub(crate) fn class(py: Python<'_>) -> Py<PyType> {
    py.get_type::<Refused>().unbind()
}

/// What the protocol of another's object raised, as a refusal of that object.
///
/// A producer has types of its own for what it cannot make, and they derive from these two.
pub(crate) fn of_producer(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyTypeError>(py) && !error.is_instance_of::<PyValueError>(py) {
        return error;
    }
    match error.value(py).getattr("args") {
        Ok(said) => {
            let refused = Refused::new_err(said.unbind());
            refused.set_cause(py, Some(error));
            refused
        }
        Err(_) => error,
    }
}
