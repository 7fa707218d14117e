//! Calls into the core: without the GIL where that pays, interruptible, and with panics as errors.
//!
//! A panic becomes `tokenfare.errors.CoreFailure`.
//!
//! PyO3 would raise a `PanicException`, which derives from `BaseException` and so is not caught by
//! the `except Exception` of a program that wants to survive one bad text.

use std::any::Any;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

use crate::signals::Signals;

/// From this many bytes on, work is done without the GIL. Below, reacquiring it costs more than the
/// work.
const LARGE: usize = 16 * 1024;

/// Does `work` on this many bytes, without the GIL if they are many.
///
/// Unwinding is safe: all that the core shares between calls are caches behind locks, and a cache
/// that is in use when a panic occurs is dropped.
pub(crate) fn guarded<T: Send>(
    py: Python<'_>,
    bytes: usize,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let work = || catch_unwind(AssertUnwindSafe(work)).map_err(message_of);
    let result = if bytes < LARGE { work() } else { py.detach(work) };
    result.map_err(|message| failure(py, &message))
}

/// As `guarded`, for work that may take long: an exception that a signal handler raises (Ctrl-C)
/// ends it. Work on few bytes is not interrupted.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    bytes: usize,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    if bytes < LARGE {
        return guarded(py, bytes, work);
    }
    guarded(py, bytes, || {
        let raised = Rc::new(Cell::new(None));
        let mut signals = Signals::new();
        let noted = Rc::clone(&raised);
        let go_on = move || match signals.check() {
            ControlFlow::Continue(()) => true,
            ControlFlow::Break(error) => {
                noted.set(Some(error));
                false
            }
        };
        let result = tokenfare_bpe::interruptible(go_on, work);
        result.ok_or_else(|| raised.take().unwrap_or_else(|| PyKeyboardInterrupt::new_err(())))
    })?
}

/// The message of a panic.
fn message_of(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cold]
fn failure(py: Python<'_>, message: &str) -> PyErr {
    let class = py.import("tokenfare.errors").and_then(|m| m.getattr("CoreFailure"));
    match class.and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(_) => PyRuntimeError::new_err(format!("the counting core failed: {message}")),
    }
}
