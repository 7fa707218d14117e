//! The lines of a chunk that are sent: signatures for `tokenfare-jobs`, and the rows as Arrow.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};

use crate::column::capsules;

/// The requests of a chunk that are sent, and their lines.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Sent(pub(crate) tokenfare_jobs::Sent);

#[pymethods]
impl Sent {
    /// The lines by address, in the order of the addresses' first lines: the address, the lines
    /// concatenated, how many they are.
    fn files<'py>(&self, py: Python<'py>) -> Vec<(usize, Bound<'py, PyBytes>, usize)> {
        let files = self.0.files.iter();
        files.map(|f| (f.address, PyBytes::new(py, &f.lines), f.lengths.len())).collect()
    }

    /// The bytes of each line, by index into `files`.
    #[pyo3(signature = (place, /))]
    fn lengths(&self, place: usize) -> PyResult<Vec<usize>> {
        let file = self.0.files.get(place);
        let found = file.map(|file| file.lengths.clone());
        found.ok_or_else(|| PyIndexError::new_err(format!("there are no lines {place}")))
    }

    /// A row of `line`, `custom_id`, `outcome` and `sent_as` for each request, as an Arrow struct
    /// array.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let Self(sent) = self;
        let columns: [(&str, DataType, ArrayRef); 4] = [
            ("line", DataType::Int64, Arc::new(Int64Array::from(sent.numbers.clone()))),
            ("custom_id", DataType::Utf8, Arc::new(StringArray::from_iter_values(sent.ids.iter()))),
            ("outcome", DataType::Int32, Arc::new(Int32Array::from(sent.outcomes.clone()))),
            ("sent_as", DataType::Utf8, Arc::new(StringArray::from_iter(&sent.carriers))),
        ];
        let fields = columns.map(|(name, kind, array)| {
            (Arc::new(Field::new(name, kind, name == "sent_as")), array)
        });
        capsules(py, &StructArray::from(fields.to_vec()))
    }
}
