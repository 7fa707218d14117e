//! Python's small integers, read where they lie.
//!
//! An `int` of one digit, which every id is, lies in memory as its head, a word that tells sign and
//! number of digits, and the digit. `PyLong_AsUnsignedLong` is a call that takes 2.5 ns, where finding
//! the bytes of a token and copying them takes 3. What the word is differs between versions of Python,
//! so it is not assumed: it is looked up in numbers whose value is known. Where these do not look as
//! expected, numbers are asked for by the call.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};

/// An `int` of at least one digit.
#[repr(C)]
struct Laid {
    head: ffi::PyObject,
    word: usize,
    digit: u32,
}

/// Numbers of one digit, the largest among them.
const SMALL: [i64; 5] = [1, 255, 65_536, 151_642, (1 << 30) - 1];

/// Numbers that are not of one digit, or not positive.
const OTHER: [i64; 5] = [0, -1, -151_642, 1 << 30, 1 << 40];

/// How to tell a positive number of one digit from others; nothing if it is not known.
#[derive(Clone, Copy)]
pub(crate) struct Digits(Option<usize>);

impl Digits {
    /// Learns it from numbers that are known.
    pub(crate) fn learn(py: Python<'_>) -> Self {
        let word = laid(&PyInt::new(py, SMALL[0])).0;
        let like = |number: i64| {
            let (its, digit) = laid(&PyInt::new(py, number));
            its == word && i64::from(digit) == number
        };
        let certain = SMALL.into_iter().all(like) && !OTHER.into_iter().any(like);
        Digits(certain.then_some(word))
    }

    /// Reads numbers from `start` of a list on, as long as they are plain `int`s of one digit and there
    /// is room for them; how many it read.
    pub(crate) fn read(self, list: &Bound<'_, PyList>, start: usize, room: &mut [u32]) -> usize {
        let Some(expected) = self.0 else { return 0 };
        let behind = list.len().saturating_sub(start).min(room.len());
        // SAFETY: the list has as many items behind `start`. They are borrowed from it while the GIL is
        // held and no Python code runs, so nobody takes them out of it meanwhile. One whose class is
        // `int` itself has the layout that was looked up in other numbers of that class.
        unsafe {
            let items = (*list.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            for (i, place) in room[..behind].iter_mut().enumerate() {
                let number = *items.add(start + i);
                if ffi::PyLong_CheckExact(number) == 0 || (*number.cast::<Laid>()).word != expected
                {
                    return i;
                }
                *place = (*number.cast::<Laid>()).digit;
            }
        }
        behind
    }
}

/// Word and first digit of a number.
fn laid(number: &Bound<'_, PyInt>) -> (usize, u32) {
    // SAFETY: CPython gives every `int` room for one digit at least, behind its head and a word, in
    // all versions from 3.11 on. In a version that laid it out differently these would be other bytes
    // of the same object, which is no smaller; `learn` finds out.
    unsafe {
        let number = number.as_ptr().cast::<Laid>();
        ((*number).word, (*number).digit)
    }
}
