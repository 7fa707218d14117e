//! Ctrl-C during long work: Python records a signal, and runs its handler when it is asked to.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// How long an interrupt may wait. Asking needs the GIL, which other threads may hold for 5 ms.
const INTERVAL: Duration = Duration::from_millis(50);

/// Asks Python to handle signals, at intervals.
pub(crate) struct Signals {
    asked: Instant,
    /// Whether this is the main thread, the only one on which handlers run; `None` until it is
    /// known.
    on_main: Option<bool>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Signals { asked: Instant::now(), on_main: None }
    }

    /// Breaks with the exception that a signal handler raised. Called without the GIL, which it
    /// acquires only once on threads where handlers do not run.
    pub(crate) fn check(&mut self) -> ControlFlow<PyErr> {
        if self.on_main == Some(false) || self.asked.elapsed() < INTERVAL {
            return ControlFlow::Continue(());
        }
        let checked = Python::attach(|py| {
            if self.on_main.is_none() {
                self.on_main = Some(is_main(py)?);
            }
            py.check_signals()
        });
        self.asked = Instant::now();
        match checked {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => ControlFlow::Break(raised),
        }
    }
}

/// Whether a signal handler raised this exception, while Python code of the caller ran.
///
/// Python calls a handler with the frame that it interrupts, so the frame of a handler holds its own
/// caller's frame among its variables. Ordinary functions do not. Comparing with the handlers that
/// are installed now would miss one that has just restored its predecessor.
pub(crate) fn is_of_handler(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    let mut at = error.traceback(py).map(Bound::into_any);
    while let Some(traceback) = at {
        let frame = traceback.getattr("tb_frame")?;
        let caller = frame.getattr("f_back")?;
        if !caller.is_none() {
            let locals = frame.getattr("f_locals")?;
            for local in locals.call_method0("values")?.try_iter()? {
                let local = local?;
                let gathered =
                    local.cast::<PyTuple>().is_ok_and(|all| all.iter().any(|it| it.is(&caller)));
                if gathered || local.is(&caller) {
                    return Ok(true);
                }
            }
        }
        at = Some(traceback.getattr("tb_next")?).filter(|next| !next.is_none());
    }
    Ok(false)
}

fn is_main(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let (main, this) =
        (threading.call_method0("main_thread")?, threading.call_method0("get_ident")?);
    main.getattr("ident")?.eq(this)
}
