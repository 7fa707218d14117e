//! A text that comes in parts: signatures for `tokenfare_bpe::Stream`.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use tokenfare_bpe::{NotUtf8, Text};

use crate::Tokenizer;
use crate::guard::interruptible;
use crate::text::text_of;

/// A text in the making, and the tokenizer that counts it.
#[pyclass(module = "tokenfare._core")]
pub(crate) struct Stream {
    tokenizer: Py<Tokenizer>,
    /// Away while a part is added, and for good where that was interrupted.
    counted: Option<tokenfare_bpe::Stream>,
}

#[pymethods]
impl Stream {
    #[new]
    #[pyo3(signature = (tokenizer, /))]
    fn new(tokenizer: Py<Tokenizer>) -> Self {
        Stream { tokenizer, counted: Some(tokenfare_bpe::Stream::default()) }
    }

    #[pyo3(signature = (part, /))]
    fn add(&mut self, py: Python<'_>, part: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = &self.tokenizer.get().core;
        let part = Part::of(part)?;
        let mut counted = self.counted.take().ok_or_else(broken)?;
        let (counted, added) = interruptible(py, part.bytes(), || {
            let added = match part {
                Part::Text(text) => counted.add(core, text),
                Part::Bytes(bytes) => counted.add_bytes(core, bytes),
            };
            (counted, added)
        })?;
        self.counted = Some(counted);
        added.map_err(refused)
    }

    #[getter]
    fn tokens(&self, py: Python<'_>) -> PyResult<usize> {
        let counted = self.counted.as_ref().ok_or_else(broken)?;
        let core = &self.tokenizer.get().core;
        interruptible(py, usize::MAX, || counted.tokens(core))
    }

    /// Raises if what came ends inside a character.
    fn whole_characters(&self) -> PyResult<()> {
        self.counted.as_ref().ok_or_else(broken)?.whole_characters().map_err(refused)
    }
}

/// What may be added.
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
                Err(PyTypeError::new_err(message))
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
    PyValueError::new_err(error.to_string())
}

fn broken() -> PyErr {
    PyRuntimeError::new_err("a part was interrupted while it was added: begin anew")
}
