//! Converts byte positions in the UTF-8 of a text to indices of the Python string that it came
//! from.
//!
//! Python indexes by code point, and the UTF-8 here has one character for each. The exception are
//! two surrogates that form a pair: Python keeps them as two code points, and in UTF-8 they are one
//! character.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Converts positions that mostly ascend.
pub(crate) struct Positions<'a> {
    text: &'a str,
    /// The code point at which each character starts; empty if the two numbers are the same.
    starts: Vec<usize>,
    /// Whether every byte is a code point.
    ascii: bool,
    at: usize,
    characters: usize,
}

impl<'a> Positions<'a> {
    /// `text` is the UTF-8 of `string`, with lone surrogates replaced.
    pub(crate) fn new(string: &Bound<'_, PyString>, text: &'a str) -> PyResult<Self> {
        let length = string.len()?;
        let ascii = length == text.len();
        let paired = !ascii && length != characters(text.as_bytes());
        let starts = if paired { starts(string)? } else { Vec::new() };
        Ok(Positions { text, starts, ascii, at: 0, characters: 0 })
    }

    /// The index of the code point at byte `at`. O(distance from the previous call's position).
    pub(crate) fn code_point(&mut self, at: usize) -> usize {
        if self.ascii {
            return at;
        }
        let bytes = self.text.as_bytes();
        if at < self.at {
            self.characters -= characters(&bytes[at..self.at]);
        } else {
            self.characters += characters(&bytes[self.at..at]);
        }
        self.at = at;
        self.starts.get(self.characters).copied().unwrap_or(self.characters)
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// The code point at which each character of a string with surrogates starts, and its length.
#[cold]
fn starts(string: &Bound<'_, PyString>) -> PyResult<Vec<usize>> {
    let units =
        string.call_method1("encode", ("utf-32-le", "surrogatepass"))?.extract::<Vec<u8>>()?;
    let high = |at: usize| units.get(4 * at + 1).is_some_and(|byte| byte & 0xfc == 0xd8);
    let low = |at: usize| units.get(4 * at + 1).is_some_and(|byte| byte & 0xfc == 0xdc);
    let basic = |at: usize| units.get(4 * at + 2) == Some(&0);
    let length = units.len() / 4;
    let (mut starts, mut at) = (Vec::new(), 0);
    while at < length {
        starts.push(at);
        let pair = high(at) && basic(at) && at + 1 < length && low(at + 1) && basic(at + 1);
        at += if pair { 2 } else { 1 };
    }
    starts.push(length);
    Ok(starts)
}
