//! Ctrl-C during long work: Python notes a signal and raises it once somebody asks.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// What an interrupt may wait. Asking takes the GIL, which other threads may hold for 5 ms.
const INTERVAL: Duration = Duration::from_millis(50);

/// Asks for signals now and then.
pub(crate) struct Signals {
    asked: Instant,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Signals { asked: Instant::now() }
    }

    /// Breaks off with what a signal's handler raised, with and without the GIL. Handlers run on the
    /// main thread alone; on others nothing is raised.
    pub(crate) fn check(&mut self) -> ControlFlow<PyErr> {
        if self.asked.elapsed() < INTERVAL {
            return ControlFlow::Continue(());
        }
        self.asked = Instant::now();
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => ControlFlow::Break(raised),
        }
    }
}
