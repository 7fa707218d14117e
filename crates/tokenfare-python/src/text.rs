//! Python's strings as UTF-8, whole or in parts.
//!
//! CPython keeps the UTF-8 of a string beside it once somebody asked, but for ASCII, which is UTF-8
//! already. For a long text that is memory as large as the text, so a long one that is not ASCII
//! is taken in blocks, each cut where counts and ids add up.

use std::borrow::Cow;
use std::ops::ControlFlow;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyString};
use tokenfare_bpe::Tokenizer;

/// Characters of a block; a text of no more is taken whole.
pub(crate) const BLOCK: usize = 1 << 18;

/// The text as UTF-8; a lone surrogate becomes U+FFFD, as in tiktoken.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match text.to_str() {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => replaced(text),
        Err(error) => Err(error),
    }
}

#[cold]
fn replaced<'a>(text: &Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    let units =
        text.call_method1("encode", ("utf-16-le", "surrogatepass"))?.extract::<Vec<u8>>()?;
    let units = units.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let characters = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(Cow::Owned(characters.collect()))
}

/// Hands the text to `each`, whole or in parts of about `block` characters, until it breaks.
pub(crate) fn in_parts<B>(
    tokenizer: &Tokenizer,
    text: &Bound<'_, PyString>,
    block: usize,
    mut each: impl FnMut(&str) -> PyResult<ControlFlow<B>>,
) -> PyResult<Option<B>> {
    let length = text.len()?;
    if length <= block || text.call_method0("isascii")?.extract()? {
        return Ok(each(&utf8(text)?)?.break_value());
    }
    let (mut at, mut pending) = (0, String::new());
    while at < length {
        let (part, end) = characters(text, at, (at + block).min(length), length)?;
        let before = pending.len();
        pending.push_str(&utf8(&part)?);
        at = end;
        // What was pending has no cut inside: it would have been cut there.
        let cut = match at < length {
            true => tokenizer.last_cut(&pending, before),
            false => Some(pending.len()),
        };
        let Some(cut) = cut else { continue };
        if let ControlFlow::Break(value) = each(&pending[..cut])? {
            return Ok(Some(value));
        }
        pending.drain(..cut);
    }
    Ok(None)
}

/// The characters from `start` to `end`, or one more where that is the other half of a surrogate
/// pair; and where they end.
fn characters<'py>(
    text: &Bound<'py, PyString>,
    start: usize,
    end: usize,
    length: usize,
) -> PyResult<(Bound<'py, PyString>, usize)> {
    let slice = |end: usize| {
        let slice = PySlice::new(text.py(), start as isize, end as isize, 1);
        text.get_item(slice)?.cast_into::<PyString>().map_err(PyErr::from)
    };
    let part = slice(end)?;
    if end < length && part.to_str().is_err() {
        return Ok((slice(end + 1)?, end + 1));
    }
    Ok((part, end))
}
