//! Counting a text that arrives in parts: signatures for `tokenfare_bpe::Stream`.

use std::sync::{Mutex, MutexGuard};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};
use tokenfare_bpe::{NotUtf8, Text};

use crate::Tokenizer;
use crate::errors::{self, Refused, Unusable};
use crate::guard::interruptible;
use crate::text::text_of;

/// A text that arrives in parts, and the tokenizer that counts it.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Stream {
    tokenizer: Py<Tokenizer>,
    /// Locked during each call. `None` for good once a call that adds a part was interrupted.
    counted: Mutex<Option<tokenfare_bpe::Stream>>,
}

#[pymethods]
impl Stream {
    #[new]
    #[pyo3(signature = (tokenizer, /))]
    fn new(tokenizer: Py<Tokenizer>) -> Self {
        Stream { tokenizer, counted: Mutex::new(Some(tokenfare_bpe::Stream::default())) }
    }

    #[classattr]
    #[pyo3(name = "Refused")]
    fn refused(py: Python<'_>) -> Py<PyType> {
        errors::class(py)
    }

    #[classattr]
    #[pyo3(name = "Unusable")]
    fn unusable(py: Python<'_>) -> Py<PyType> {
        py.get_type::<Unusable>().unbind()
    }

    #[pyo3(signature = (part, /))]
    fn add(&self, py: Python<'_>, part: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = &self.tokenizer.get().core;
        let part = Part::of(part)?;
        let mut place = self.locked()?;
        let mut counted = place.take().ok_or_else(broken)?;
        let (counted, added) = interruptible(py, part.bytes(), || {
            let added = match part {
                Part::Text(text) => counted.add(core, text),
                Part::Bytes(bytes) => counted.add_bytes(core, bytes),
            };
            (counted, added)
        })?;
        *place = Some(counted);
        added.map_err(refused)
    }

    #[getter]
    fn tokens(&self, py: Python<'_>) -> PyResult<usize> {
        let place = self.locked()?;
        let counted = place.as_ref().ok_or_else(broken)?;
        let core = &self.tokenizer.get().core;
        interruptible(py, usize::MAX, || counted.tokens(core))
    }

    /// Raises if the parts so far end inside a character.
    fn whole_characters(&self) -> PyResult<()> {
        self.locked()?.as_ref().ok_or_else(broken)?.whole_characters().map_err(refused)
    }
}

impl Stream {
    /// Fails instead of waiting: a signal handler that runs during a call would wait for ever.
    fn locked(&self) -> PyResult<MutexGuard<'_, Option<tokenfare_bpe::Stream>>> {
        let busy = "it is at work, for another thread or for what a signal's handler interrupted";
        self.counted.try_lock().map_err(|_| Unusable::new_err(busy))
    }
}

/// A part to add.
enum Part<'a> {
    Text(Text<'a>),
    Bytes(&'a [u8]),
}

impl<'a> Part<'a> {
    fn of(part: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = part.cast::<PyString>() {
            return Ok(Part::Text(text_of(text)?));
        }
        match part.cast::<PyBytes>() {
            Ok(bytes) => Ok(Part::Bytes(bytes.as_bytes())),
            Err(_) => {
                let message = format!("a part is str or bytes, not {}", part.get_type().name()?);
                Err(Refused::new_err(message))
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Part::Text(text) => text.bytes(),
            Part::Bytes(bytes) => bytes.len(),
        }
    }
}

fn refused(error: NotUtf8) -> PyErr {
    Refused::new_err(error.to_string())
}

fn broken() -> PyErr {
    Unusable::new_err("a part was interrupted while it was added: begin anew")
}
