//! Counts columns of strings that arrive over the Arrow PyCapsule interface, without copying them.
//!
//! A column may be of string, large string or string view, plain or dictionary-encoded, in one
//! array or in a stream of chunks, by itself or as a column of a table. The producer's offsets are
//! trusted, as the interface intends. Its text is not: `str` promises UTF-8, so every row is
//! validated before it is counted.

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayReader, ArrayRef, Int64Array, OffsetSizeTrait, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType, Schema};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use tokenfare_bpe::Tokenizer;

use crate::errors::{Refused, of_producer};
use crate::guard::interruptible;
use crate::text_column::TextColumn;

/// The chunks of a column, one at a time.
pub(crate) enum Chunks {
    One(Option<ArrayRef>),
    Stream(ArrayStreamReader),
    Reader { reader: Py<PyAny>, kind: DataType },
}

impl Chunks {
    /// Takes ownership of the column of `source`; `None` if it does not offer the interface.
    pub(crate) fn of(source: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        Chunks::taken(source).map_err(|error| of_producer(source.py(), error))
    }

    fn taken(source: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        if let Some(kind) = kind_of_reader(source)? {
            return Ok(Some(Chunks::Reader { reader: source.clone().unbind(), kind }));
        }
        if source.hasattr("__arrow_c_stream__")? {
            let capsule = source.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
            let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
            // SAFETY: by the interface's contract, a capsule of this name points to a stream. It is
            // moved out, and the capsule is left with a released one, which its destructor skips.
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

    /// The next chunk. The producer of a stream may acquire the GIL itself, so it is called
    /// without.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<ArrayRef>> {
        match self {
            Chunks::One(array) => Ok(array.take()),
            Chunks::Stream(stream) => py.detach(|| stream.next()).transpose().map_err(refused),
            Chunks::Reader { reader, .. } => {
                next_of_reader(reader.bind(py)).map_err(|error| of_producer(py, error))
            }
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Chunks::One(array) => {
                array.as_ref().map_or(DataType::Null, |it| it.data_type().clone())
            }
            Chunks::Stream(stream) => stream.field().data_type().clone(),
            Chunks::Reader { kind, .. } => kind.clone(),
        }
    }

    /// Counts each row, on all cores; null rows stay null. O(n), and 24 bytes for each row of a
    /// chunk.
    ///
    /// `column` names the column of a table.
    pub(crate) fn count(
        &mut self,
        py: Python<'_>,
        tokenizer: &Tokenizer,
        column: Option<&str>,
    ) -> PyResult<Counted> {
        TextColumn::of(&self.data_type(), column).map_err(Refused::new_err)?;
        let mut counted = Counted::default();
        while let Some(chunk) = self.next(py)? {
            let first = counted.counts.len();
            // The batches of a reader need not be of the type that it states.
            let place = TextColumn::of(chunk.data_type(), column).map_err(|why| {
                Refused::new_err(format!(
                    "the batch from row {first} on is unlike its schema: {why}"
                ))
            })?;
            let (texts, nulls) = place.within(&chunk);
            let rows = interruptible(py, usize::MAX, || count(tokenizer, texts, first, &place))?;
            counted.append(rows?, nulls.as_ref());
        }
        Ok(counted)
    }
}

/// The type of a reader's batches, if `source` is a record batch reader like pyarrow's.
///
/// Such a reader may call a Python iterator. Through a C stream, an exception raised there (also
/// `KeyboardInterrupt`) would arrive as an error number and a message.
fn kind_of_reader(source: &Bound<'_, PyAny>) -> PyResult<Option<DataType>> {
    if !source.hasattr("read_next_batch")? || !source.hasattr("__arrow_c_stream__")? {
        return Ok(None);
    }
    let Some(schema) = source.getattr_opt("schema")? else { return Ok(None) };
    let Some(capsule) = schema.getattr_opt("__arrow_c_schema__")? else { return Ok(None) };
    let capsule = capsule.call0()?.cast_into::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(c"arrow_schema"))?;
    // SAFETY: a capsule of this name points to a schema by the interface's contract. It is only
    // read, and the capsule outlives that.
    let schema = Schema::try_from(unsafe { pointer.cast::<FFI_ArrowSchema>().as_ref() });
    schema.map(|schema| Some(DataType::Struct(schema.fields))).map_err(refused)
}

fn next_of_reader(reader: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    match reader.call_method0("read_next_batch") {
        Ok(batch) => {
            array(&batch.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?).map(Some)
        }
        Err(error) if error.is_instance_of::<PyStopIteration>(reader.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes ownership of an array from the two capsules of the interface.
pub(crate) fn array(pair: &Bound<'_, PyTuple>) -> PyResult<ArrayRef> {
    let (schema, array) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
    let schema = schema.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_schema"))?;
    let array = array.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_array"))?;
    // SAFETY: by the interface's contract, capsules of these names point to a schema and to an
    // array. The array is moved out, and its capsule is left with a released one; the schema is
    // only read, and its capsule outlives that. If either is released already, nothing else of it
    // is read.
    let data = unsafe {
        let array = FFI_ArrowArray::from_raw(array.cast().as_ptr());
        let schema = schema.cast::<FFI_ArrowSchema>().as_ref();
        if array.is_released() || schema.release().is_none() {
            let taken = "the Arrow column was handed out already, and its capsules are empty";
            return Err(Refused::new_err(taken));
        }
        from_ffi(array, schema)
    };
    data.map(make_array).map_err(refused)
}

fn refused(error: ArrowError) -> PyErr {
    Refused::new_err(format!("the Arrow column cannot be read: {error}"))
}

/// The counts of rows, and which rows are not null.
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

fn count(
    tokenizer: &Tokenizer,
    chunk: &dyn Array,
    first: usize,
    place: &TextColumn,
) -> PyResult<Vec<usize>> {
    let Some(dictionary) = chunk.as_any_dictionary_opt() else {
        let named = |row| format!("row {} of {}", first + row, place.name);
        return Ok(tokenizer.count_batch(&texts(chunk, named)?));
    };
    let named = |value| format!("value {value} in the dictionary of {}", place.name);
    let counts = tokenizer.count_batch(&texts(dictionary.values(), named)?);
    if counts.is_empty() {
        return Ok(vec![0; chunk.len()]); // all null
    }
    Ok(dictionary.normalized_keys().into_iter().map(|key| counts[key]).collect())
}

/// The texts of an array, with "" for null; `named` is how an error refers to the text at an index.
fn texts(array: &dyn Array, named: impl Fn(usize) -> String) -> PyResult<Vec<&str>> {
    match array.data_type() {
        DataType::Utf8 => checked(array, named, string_bytes::<i32>(array)),
        DataType::LargeUtf8 => checked(array, named, string_bytes::<i64>(array)),
        DataType::Utf8View => {
            let views = array.as_string_view();
            checked(array, named, move |at| views.value(at).as_bytes())
        }
        other => Err(Refused::new_err(format!("a column of strings is none of {other}"))),
    }
}

/// The bytes of each string of an array.
pub(crate) fn string_bytes<'a, O: OffsetSizeTrait>(
    array: &'a dyn Array,
) -> impl Fn(usize) -> &'a [u8] {
    let array = array.as_string::<O>();
    move |at| array.value(at).as_bytes()
}

fn checked<'a>(
    array: &'a dyn Array,
    named: impl Fn(usize) -> String,
    bytes: impl Fn(usize) -> &'a [u8],
) -> PyResult<Vec<&'a str>> {
    let text = |at| {
        if array.is_null(at) {
            return Ok("");
        }
        simdutf8::basic::from_utf8(bytes(at))
            .map_err(|_| Refused::new_err(format!("{} is not UTF-8", named(at))))
    };
    (0..array.len()).map(text).collect()
}

/// Hands an array out as the two capsules of the interface.
pub(crate) fn capsules<'py>(
    py: Python<'py>,
    array: &dyn Array,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let (array, schema) = to_ffi(&array.to_data()).map_err(refused)?;
    let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
    Ok((schema, PyCapsule::new_with_value(py, array, c"arrow_array")?))
}
