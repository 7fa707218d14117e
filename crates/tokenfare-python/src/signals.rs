//! Ctrl-C during long work: Python notes a signal and raises it once somebody asks.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// What an interrupt may wait. Asking takes the GIL, which other threads may hold for 5 ms.
const INTERVAL: Duration = Duration::from_millis(50);

/// Asks for signals now and then.
pub(crate) struct Signals {
    asked: Instant,
    /// Whether handlers run on this thread: they do on the main thread alone.
    heard: Option<bool>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Signals { asked: Instant::now(), heard: None }
    }

    /// Breaks off with what a signal's handler raised. Called without the GIL; on a thread where
    /// nothing is raised, it is asked for once.
    pub(crate) fn check(&mut self) -> ControlFlow<PyErr> {
        if self.heard == Some(false) || self.asked.elapsed() < INTERVAL {
            return ControlFlow::Continue(());
        }
        let checked = Python::attach(|py| {
            if self.heard.is_none() {
                self.heard = Some(is_main(py)?);
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

fn is_main(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let (main, this) =
        (threading.call_method0("main_thread")?, threading.call_method0("get_ident")?);
    main.getattr("ident")?.eq(this)
}
