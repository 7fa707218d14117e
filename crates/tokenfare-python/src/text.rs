//! Python's strings, read where they lie.
//!
//! A short string's UTF-8 is made by CPython, which keeps it beside the string; of ASCII it is the
//! string itself. For others that would be memory as large as the text and work under the GIL, a
//! third of what counting takes: their code points are handed on as they are, and made UTF-8 by the
//! thread that counts them.

use std::borrow::Cow;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::types::string::PyStringData;
use tokenfare_bpe::Text;

use crate::guard::interruptible;

/// Characters of a string whose UTF-8 CPython is asked for.
const SHORT: usize = 1 << 7;

/// The text as it lies in memory, which is not copied.
pub(crate) fn text_of<'a>(string: &'a Bound<'_, PyString>) -> PyResult<Text<'a>> {
    if string.len()? <= SHORT || string.call_method0("isascii")?.is_truthy()? {
        match string.to_str() {
            Ok(text) => return Ok(Text::Utf8(text)),
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(string.py()) => {}
            Err(error) => return Err(error),
        }
    }
    // SAFETY: asks for nothing but that the layout is CPython's own, which the tests of every kind of
    // string hold it to. A string does not change, and lives as long as what is borrowed from it.
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

/// The string of these bytes; what is not UTF-8 becomes U+FFFD.
pub(crate) fn string_of<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: the bytes are borrowed for a call that reads as many as it is told. It gives a new
    // reference to a string, or nothing and an exception.
    unsafe {
        let start = bytes.as_ptr().cast();
        let length = bytes.len() as ffi::Py_ssize_t;
        let string = ffi::PyUnicode_DecodeUTF8(start, length, c"replace".as_ptr());
        Ok(Bound::from_owned_ptr_or_err(py, string)?.cast_into()?)
    }
}
