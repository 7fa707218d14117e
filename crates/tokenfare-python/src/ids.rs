//! Token ids between Python and the core: lists and arrays in, lists out.

use std::sync::Mutex;

use pyo3::buffer::{Element, PyBuffer, PyUntypedBuffer};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyIterator, PyList, PyMemoryView};

use crate::errors::Refused;
use crate::small_ints::SmallInts;

/// How many ids of a list are read at a time: few enough to stay in the cache, and too few to
/// release the GIL for.
const AT_ONCE: usize = 1024;

/// How many ids are turned into a list between two checks for signals.
const MANY: usize = 1 << 22;

/// The ids of a vocabulary as Python integers, each made when it is first needed.
///
/// A text has few distinct tokens. Reusing an integer takes a third of the time of making one, and
/// the elements of a list of ids then share their objects.
pub(crate) struct Numbers {
    /// Locked while a list is filled, which runs no Python code except signal handlers. A caller
    /// that finds it locked makes its own integers.
    made: Mutex<Vec<Option<Py<PyInt>>>>,
    size: usize,
    small_ints: SmallInts,
}

impl Numbers {
    pub(crate) fn new(py: Python<'_>, size: usize) -> Self {
        Numbers { made: Mutex::new(Vec::new()), size, small_ints: SmallInts::learn(py) }
    }

    /// A list of the ids. O(n); a signal handler that raises ends it.
    pub(crate) fn list<'py>(&self, py: Python<'py>, ids: &[u32]) -> PyResult<Bound<'py, PyList>> {
        let Ok(mut made) = self.made.try_lock() else { return PyList::new(py, ids) };
        if made.is_empty() {
            made.resize_with(self.size, || None);
        }
        let number = |id: u32| PyInt::new(py, id);
        let mut numbered = |id: &u32| match made.get_mut(*id as usize) {
            Some(place) => place.get_or_insert_with(|| number(*id).unbind()).bind(py).clone(),
            None => number(*id),
        };
        if ids.len() <= MANY {
            return PyList::new(py, ids.iter().map(numbered));
        }
        let mut some = ids.chunks(MANY);
        let list = PyList::new(py, some.next().unwrap_or_default().iter().map(&mut numbered))?;
        for some in some {
            py.check_signals()?;
            let next = PyList::new(py, some.iter().map(&mut numbered))?;
            list.set_slice(list.len(), list.len(), &next)?;
        }
        Ok(list)
    }

    /// Reads ids from a list, an array (anything with a buffer of integers) or another iterable,
    /// and passes them to `each`; those of a list in several calls.
    pub(crate) fn read(
        &self,
        source: &Bound<'_, PyAny>,
        mut each: impl FnMut(&[u32]) -> PyResult<()>,
    ) -> PyResult<()> {
        if let Ok(list) = source.cast::<PyList>() {
            return self.read_list(list, each);
        }
        match PyUntypedBuffer::get(source) {
            Ok(buffer) if !states_layout(&buffer) => {
                if masks(source) {
                    return Err(masked(source));
                }
                return each(&of_buffer(source.py(), &buffer)?);
            }
            Ok(buffer) if source.is_instance_of::<PyMemoryView>() => return Err(in_order(&buffer)),
            Err(error) if source.is_instance_of::<PyMemoryView>() => {
                return Err(no_view(source.py(), &error));
            }
            _ => {}
        }
        let ids = iterator(source)?.enumerate().map(|(i, id)| of_number(i, &id?));
        each(&ids.collect::<PyResult<Vec<_>>>()?)
    }

    fn read_list(
        &self,
        list: &Bound<'_, PyList>,
        mut each: impl FnMut(&[u32]) -> PyResult<()>,
    ) -> PyResult<()> {
        let mut ids = [0; AT_ONCE];
        let (mut start, length) = (0, list.len());
        while start < length {
            let mut read = self.small_ints.read(list, start, &mut ids);
            if read == 0 {
                ids[0] = of_number(start, &list.get_item(start)?)?;
                read = 1;
            }
            each(&ids[..read])?;
            start += read;
            if start % MANY < read {
                list.py().check_signals()?;
            }
        }
        Ok(())
    }
}

/// An iterator over `source`. An exception that Python code raises meanwhile is returned as it is;
/// a `TypeError` without a traceback comes from no such code, and means that `source` is not
/// iterable.
fn iterator<'py>(source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    let py = source.py();
    source.try_iter().map_err(|error| {
        let is_of_type = error.is_instance_of::<PyTypeError>(py);
        if error.traceback(py).is_some() || !is_of_type {
            return error;
        }
        let class = source.get_type();
        Refused::new_err(format!("ids are a list, an array or another iterable, not {class}"))
    })
}

/// Whether a buffer's format states a byte order, or with `=` that its numbers are not aligned.
/// `PyBuffer` would read a foreign order as the native one, and refuses numbers that are not
/// aligned; iterating over the array reads both correctly.
fn states_layout(buffer: &PyUntypedBuffer) -> bool {
    matches!(buffer.format().to_bytes().first(), Some(b'<' | b'>' | b'!' | b'='))
}

/// Whether this is a masked array of NumPy that masks something. Its buffer holds the numbers below
/// the mask too. NumPy's own arrays derive from `object` alone, and are not asked.
fn masks(source: &Bound<'_, PyAny>) -> bool {
    let any = || source.getattr(intern!(source.py(), "mask"))?.call_method0("any")?.is_truthy();
    source.get_type().mro().len() > 2 && any().unwrap_or(false)
}

#[cold]
fn masked(source: &Bound<'_, PyAny>) -> PyErr {
    let first = || source.getattr("mask")?.call_method0("argmax")?.extract::<usize>();
    let place = first().map_or_else(|_| "an id".to_owned(), |i| format!("ids[{i}]"));
    Refused::new_err(format!(
        "{place} is masked, so it has no text; `ids.compressed()` is the array without such ids"
    ))
}

/// A view has no other way to its numbers where its array is told to lie in some order.
#[cold]
fn in_order(buffer: &PyUntypedBuffer) -> PyErr {
    let format = buffer.format().to_string_lossy();
    Refused::new_err(format!(
        "a memoryview of {format:?} does not give its numbers; hand over the array itself"
    ))
}

/// A view that was released.
#[cold]
fn no_view(py: Python<'_>, error: &PyErr) -> PyErr {
    let said = error.value(py);
    Refused::new_err(format!(
        "no ids: {said}; decode before the view is released, or hand over the array itself"
    ))
}

#[inline]
fn of_number(i: usize, id: &Bound<'_, PyAny>) -> PyResult<u32> {
    id.extract().map_err(|error| no_id(i, id, error))
}

/// Why an object is not an id. An exception that the object's own `__index__` raises is returned as
/// it is: it has a traceback, or is of a class that no failed conversion raises.
#[cold]
fn no_id(i: usize, id: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = id.py();
    let too_large = error.is_instance_of::<PyOverflowError>(py);
    let converts = too_large || error.is_instance_of::<PyTypeError>(py);
    if error.traceback(py).is_some() || !converts {
        return error;
    }
    match id.extract::<i128>() {
        Ok(number) => Refused::new_err(format!("ids[{i}] is {number}, the id of no token")),
        Err(_) if too_large => {
            Refused::new_err(format!("ids[{i}] does not fit 128 bits: the id of no token"))
        }
        Err(_) => {
            let class = id.get_type();
            Refused::new_err(format!("ids[{i}] is of {class}; an id is an integer"))
        }
    }
}

fn of_buffer(py: Python<'_>, buffer: &PyUntypedBuffer) -> PyResult<Vec<u32>> {
    if buffer.dimensions() != 1 {
        let message = format!("an array of ids has one dimension, not {}", buffer.dimensions());
        return Err(Refused::new_err(message));
    }
    if let Ok(ids) = buffer.as_typed::<u32>() {
        return ids.to_vec(py);
    }
    if let Ok(ids) = buffer.as_typed::<i64>() {
        return converted(py, ids);
    }
    if let Ok(ids) = buffer.as_typed::<i32>() {
        return converted(py, ids);
    }
    if let Ok(ids) = buffer.as_typed::<u64>() {
        return converted(py, ids);
    }
    if let Ok(ids) = buffer.as_typed::<u16>() {
        return converted(py, ids);
    }
    if let Ok(ids) = buffer.as_typed::<i16>() {
        return converted(py, ids);
    }
    if is_empty_of_integers(buffer) {
        return Ok(Vec::new());
    }
    let format = buffer.format().to_string_lossy();
    Err(Refused::new_err(format!("an array of {format:?} holds no ids; uint32 does, or int64")))
}

/// Whether this is an empty array of a type that is taken: the buffer of an empty `array.array` need
/// not be aligned, and is refused for that.
fn is_empty_of_integers(buffer: &PyUntypedBuffer) -> bool {
    let is_of_integers =
        matches!(buffer.format().to_bytes(), [letter] if b"hHiIlLqQ".contains(letter));
    buffer.item_count() == 0 && is_of_integers
}

fn converted<T: Element + TryInto<u32> + Into<i128>>(
    py: Python<'_>,
    ids: &PyBuffer<T>,
) -> PyResult<Vec<u32>> {
    let ids = ids.to_vec(py)?.into_iter().enumerate();
    let ids = ids.map(|(i, id)| {
        id.try_into().map_err(|_| {
            let number: i128 = id.into();
            Refused::new_err(format!("ids[{i}] is {number}, the id of no token"))
        })
    });
    ids.collect()
}
