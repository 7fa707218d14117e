//! Columns of strings that come over the Arrow PyCapsule interface: read where they lie.
//!
//! String, large string and string view, plain or as the values of a dictionary, in one array or in
//! a stream of chunks. The producer's offsets are taken at its word, as that interface is meant;
//! its text is not: `str` promises UTF-8, so every row is checked before it is counted.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayRef, Int64Array, OffsetSizeTrait, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use tokenfare_bpe::Tokenizer;

use crate::guard::guarded;

/// The chunks of a column, one at a time.
pub(crate) enum Chunks {
    One(Option<ArrayRef>),
    Stream(ArrayStreamReader),
}

impl Chunks {
    /// Takes the column over, if `source` has one to give.
    pub(crate) fn of(source: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        if source.hasattr("__arrow_c_stream__")? {
            let capsule = source.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
            let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
            // SAFETY: a capsule of this name points to a stream by the interface's contract. It is
            // moved out, and the capsule left with an empty one, which its destructor skips.
            let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) };
            let stream = ArrayStreamReader::try_new(stream).map_err(refused)?;
            return Ok(Some(Chunks::Stream(stream)));
        }
        if source.hasattr("__arrow_c_array__")? {
            let pair = source.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
            return Ok(Some(Chunks::One(Some(array(&pair)?))));
        }
        Ok(None)
    }

    /// The next chunk. A stream's producer may take the GIL itself, so it is called without it.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<ArrayRef>> {
        match self {
            Chunks::One(array) => Ok(array.take()),
            Chunks::Stream(stream) => py.detach(|| stream.next()).transpose().map_err(refused),
        }
    }

    /// The count of each row on all cores; nothing for nothing. O(n), and 24 bytes a row of a chunk.
    pub(crate) fn count(&mut self, py: Python<'_>, tokenizer: &Tokenizer) -> PyResult<Counted> {
        let mut counted = Counted::default();
        while let Some(chunk) = self.next(py)? {
            let rows = guarded(py, usize::MAX, || count(tokenizer, &chunk, counted.counts.len()))?;
            counted.append(rows?, chunk.logical_nulls().as_ref());
        }
        Ok(counted)
    }
}

fn array(pair: &Bound<'_, PyTuple>) -> PyResult<ArrayRef> {
    let (schema, array) = (pair.get_item(0)?, pair.get_item(1)?);
    let schema = schema.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_schema"))?;
    let array = array.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_array"))?;
    // SAFETY: capsules of these names point to a schema and to an array by the interface's
    // contract. The array is moved out and its capsule left with an empty one; the schema is
    // only read, and its capsule outlives that.
    let data = unsafe {
        let array = FFI_ArrowArray::from_raw(array.cast().as_ptr());
        from_ffi(array, schema.cast::<FFI_ArrowSchema>().as_ref())
    };
    data.map(make_array).map_err(refused)
}

fn refused(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("the Arrow column cannot be read: {error}"))
}

/// Counts of rows, and which rows hold nothing.
#[derive(Default)]
pub(crate) struct Counted {
    counts: Vec<i64>,
    valid: Vec<bool>,
}

impl Counted {
    fn append(&mut self, counts: Vec<usize>, nulls: Option<&NullBuffer>) {
        self.valid.resize(self.counts.len() + counts.len(), true);
        if let Some(nulls) = nulls {
            let start = self.counts.len();
            self.valid.truncate(start);
            self.valid.extend(nulls.iter());
        }
        self.counts.extend(counts.into_iter().map(|count| count as i64));
    }

    /// The counts as an Arrow array.
    pub(crate) fn into_array(self) -> Int64Array {
        let nulls = self.valid.contains(&false).then(|| NullBuffer::from(self.valid));
        Int64Array::new(self.counts.into(), nulls)
    }
}

fn count(tokenizer: &Tokenizer, chunk: &dyn Array, first: usize) -> PyResult<Vec<usize>> {
    let Some(dictionary) = chunk.as_any_dictionary_opt() else {
        return Ok(tokenizer.count_batch(&texts(chunk, first)?));
    };
    let counts = tokenizer.count_batch(&texts(dictionary.values(), first)?);
    if counts.is_empty() {
        return Ok(vec![0; chunk.len()]); // all null
    }
    Ok(dictionary.normalized_keys().into_iter().map(|key| counts[key]).collect())
}

/// The rows of a chunk whose first row is number `first` of the column; nothing is an empty text.
fn texts(chunk: &dyn Array, first: usize) -> PyResult<Vec<&str>> {
    match chunk.data_type() {
        DataType::Utf8 => checked(chunk, first, lying::<i32>(chunk)),
        DataType::LargeUtf8 => checked(chunk, first, lying::<i64>(chunk)),
        DataType::Utf8View => {
            let array = chunk.as_string_view();
            checked(chunk, first, move |row| array.value(row).as_bytes())
        }
        other => Err(PyTypeError::new_err(format!(
            "a column of strings can be counted, not of {other}; of a table, give one column"
        ))),
    }
}

fn lying<'a, O: OffsetSizeTrait>(chunk: &'a dyn Array) -> impl Fn(usize) -> &'a [u8] {
    let array = chunk.as_string::<O>();
    move |row| array.value(row).as_bytes()
}

fn checked<'a>(
    chunk: &'a dyn Array,
    first: usize,
    bytes: impl Fn(usize) -> &'a [u8],
) -> PyResult<Vec<&'a str>> {
    let text = |row| {
        if chunk.is_null(row) {
            return Ok("");
        }
        simdutf8::basic::from_utf8(bytes(row)).map_err(|_| {
            PyValueError::new_err(format!("row {} of the column is not UTF-8", first + row))
        })
    };
    (0..chunk.len()).map(text).collect()
}

/// An array as the two capsules of the interface.
pub(crate) fn capsules<'py>(
    py: Python<'py>,
    array: &Arc<Int64Array>,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let (array, schema) = to_ffi(&array.to_data()).map_err(refused)?;
    let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
    Ok((schema, PyCapsule::new_with_value(py, array, c"arrow_array")?))
}
