//! Reads Python's small integers directly from memory.
//!
//! CPython stores an `int` below 2^30, which every token id is, as an object header, a word for
//! sign and number of digits, and one digit. `PyLong_AsUnsignedLong` takes 2.5 ns, and finding and
//! copying the bytes of a token takes 3. The content of the word differs between versions of
//! Python, so it is not assumed: it is learnt from numbers of known value. If these do not look as
//! expected, nothing is read here, and the caller uses the function.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};

/// The memory layout of an `int`.
#[repr(C)]
struct IntLayout {
    head: ffi::PyObject,
    word: usize,
    digit: u32,
}

/// Positive numbers of one digit, the largest among them.
const SMALL: [i64; 5] = [1, 255, 65_536, 151_642, (1 << 30) - 1];

/// Numbers that are not positive, or have more than one digit.
const OTHER: [i64; 5] = [0, -1, -151_642, 1 << 30, 1 << 40];

/// The word of a positive one-digit number; `None` if the layout is not as expected.
#[derive(Clone, Copy)]
pub(crate) struct SmallInts(Option<usize>);

impl SmallInts {
    /// Learns the word from numbers of known value.
    pub(crate) fn learn(py: Python<'_>) -> Self {
        let word = word_and_digit(&PyInt::new(py, SMALL[0])).0;
        let like = |number: i64| {
            let (its, digit) = word_and_digit(&PyInt::new(py, number));
            its == word && i64::from(digit) == number
        };
        let certain = SMALL.into_iter().all(like) && !OTHER.into_iter().any(like);
        SmallInts(certain.then_some(word))
    }

    /// Reads numbers of a list, from `start` on, into `room`, up to the first one that is not a
    /// plain positive `int` of one digit. Returns how many it read.
    pub(crate) fn read(self, list: &Bound<'_, PyList>, start: usize, room: &mut [u32]) -> usize {
        let Some(expected) = self.0 else { return 0 };
        let behind = list.len().saturating_sub(start).min(room.len());
        // SAFETY: the list has that many items from `start` on. They are borrowed from it while the
        // GIL is held and no Python code runs, so nothing can remove them. An item whose class is
        // exactly `int` has the layout that was checked with other numbers of that class.
        unsafe {
            let items = (*list.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            for (i, place) in room[..behind].iter_mut().enumerate() {
                let number = *items.add(start + i);
                if ffi::PyLong_CheckExact(number) == 0
                    || (*number.cast::<IntLayout>()).word != expected
                {
                    return i;
                }
                *place = (*number.cast::<IntLayout>()).digit;
            }
        }
        behind
    }
}

/// The word and the first digit of a number.
fn word_and_digit(number: &Bound<'_, PyInt>) -> (usize, u32) {
    // SAFETY: in all versions of CPython from 3.11 on, an `int` has a header, a word and at least
    // one digit. In a version with another layout these would be other bytes of the same object,
    // which is no smaller, and `learn` would notice.
    unsafe {
        let number = number.as_ptr().cast::<IntLayout>();
        ((*number).word, (*number).digit)
    }
}
