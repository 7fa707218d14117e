//! Reads Python strings from memory.
//!
//! For a short string CPython is asked for the UTF-8, which it caches with the string; for ASCII
//! that is the string itself. For longer ones that would take as much memory again, and a third of
//! the time of counting, with the GIL held. So their code points are passed on as they are, and the
//! thread that counts them converts them.

use std::borrow::Cow;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::types::string::PyStringData;
use tokenfare_bpe::Text;

use crate::guard::interruptible;

/// Up to this many characters, CPython is asked for the UTF-8.
const SHORT: usize = 1 << 7;

/// The text as it is stored in memory; nothing is copied.
pub(crate) fn text_of<'a>(string: &'a Bound<'_, PyString>) -> PyResult<Text<'a>> {
    if string.len()? <= SHORT || string.call_method0("isascii")?.is_truthy()? {
        match string.to_str() {
            Ok(text) => return Ok(Text::Utf8(text)),
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(string.py()) => {}
            Err(error) => return Err(error),
        }
    }
    // SAFETY: requires only that the layout is CPython's own, which the tests check for every kind
    // of string. A string is immutable, and outlives what is borrowed from it.
    Ok(match unsafe { string.data() }? {
        PyStringData::Ucs1(points) => Text::Points8(points),
        PyStringData::Ucs2(points) => Text::Points16(points),
        PyStringData::Ucs4(points) => Text::Points32(points),
    })
}

/// The whole text as UTF-8; a lone surrogate becomes U+FFFD, as in tiktoken.
pub(crate) fn utf8<'a>(string: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match text_of(string)? {
        Text::Utf8(text) => Ok(Cow::Borrowed(text)),
        text => interruptible(string.py(), text.bytes(), || text.whole()),
    }
}

/// A string from bytes; what is not UTF-8 becomes U+FFFD.
pub(crate) fn string_of<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: the bytes are borrowed for the call, which reads `length` of them. It returns a new
    // reference to a string, or null with an exception set.
    unsafe {
        let start = bytes.as_ptr().cast();
        let length = bytes.len() as ffi::Py_ssize_t;
        let string = ffi::PyUnicode_DecodeUTF8(start, length, c"replace".as_ptr());
        Ok(Bound::from_owned_ptr_or_err(py, string)?.cast_into()?)
    }
}
