//! The exceptions of this module: types of its own, which nothing else raises.
//!
//! While the core works, signal handlers run, and so does the caller's code that produces columns
//! or numbers. An exception raised there must not be mistaken for one of the core.

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::signals::is_of_handler;

create_exception!(
    tokenfare._core,
    Refused,
    PyValueError,
    "An argument is invalid, or a text does not fit."
);

create_exception!(
    tokenfare._core,
    Unusable,
    PyRuntimeError,
    "An object is in use by another call, or a call on it was interrupted."
);

/// The type `Refused`, as a class attribute: callers can catch it without importing this module.
pub(crate) fn class(py: Python<'_>) -> Py<PyType> {
    py.get_type::<Refused>().unbind()
}

/// Turns an error of an Arrow producer into a `Refused` with that error as its cause.
///
/// Producers raise types of their own for data that they cannot hand out, derived from `TypeError`
/// or `ValueError`. Any other exception is returned as it is, and so is one of a signal handler that
/// ran while the producer's Python code did.
pub(crate) fn of_producer(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyTypeError>(py) && !error.is_instance_of::<PyValueError>(py) {
        return error;
    }
    if is_of_handler(py, &error).unwrap_or(false) {
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
