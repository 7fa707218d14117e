//! The counts of a column, as an Arrow array and as a Python sequence.

use arrow_array::{Array, Int64Array};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyCapsule, PyIterator, PyList};

use crate::column::capsules;

/// Token counts of an Arrow column, one for each row: 64-bit integers, null where the text was.
#[pyclass(frozen, sequence, module = "tokenfare._core")]
pub(crate) struct CountColumn(pub(crate) Int64Array);

#[pymethods]
impl CountColumn {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, index: isize) -> PyResult<Option<i64>> {
        let length = self.0.len();
        let row = if index < 0 { index + length as isize } else { index };
        if !(0..length as isize).contains(&row) {
            let message = format!("there is no row {index} in {length}");
            return Err(PyIndexError::new_err(message));
        }
        let row = row as usize;
        Ok(self.0.is_valid(row).then(|| self.0.value(row)))
    }

    // `iter()` would work without it, by indexing, but pandas would take the column for a scalar
    // and put the whole of it into every row.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.to_list())?.try_iter()
    }

    fn __repr__(&self) -> String {
        let (rows, nulls) = (self.0.len(), self.0.null_count());
        format!("<CountColumn, {rows} rows, {nulls} of them null>")
    }

    #[getter]
    fn null_count(&self) -> usize {
        self.0.null_count()
    }

    fn to_list(&self) -> Vec<Option<i64>> {
        self.0.iter().collect()
    }

    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let nulls = self.0.null_count();
        if nulls > 0 {
            return Err(PyValueError::new_err(format!(
                "{nulls} of {} rows are null, and NumPy's integers have no null: fill or drop them \
                 first, ask for a dtype of floats, or use the counts as an Arrow array or to_list()",
                self.0.len()
            )));
        }
        let bytes = PyByteArray::new(py, self.0.values().inner().as_slice());
        py.import("numpy")?.call_method1("frombuffer", (bytes, "int64"))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            let message = "an array of these counts is always a copy";
            return Err(PyValueError::new_err(message));
        }
        let Some(dtype) = dtype else {
            return self.to_numpy(py);
        };
        let kind: String =
            py.import("numpy")?.call_method1("dtype", (dtype,))?.getattr("kind")?.extract()?;
        let array = if kind == "f" && self.0.null_count() > 0 {
            self.floats(py)?
        } else {
            self.to_numpy(py)?
        };
        array.call_method1("astype", (dtype,))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface allows a producer to ignore the requested type.
        let _ = requested_schema;
        capsules(py, &self.0)
    }
}

impl CountColumn {
    /// A NumPy array of doubles, NaN where a row is null.
    fn floats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.0.iter().map(|row| row.map_or(f64::NAN, |count| count as f64));
        let bytes: Vec<u8> = rows.flat_map(f64::to_ne_bytes).collect();
        py.import("numpy")?.call_method1("frombuffer", (PyByteArray::new(py, &bytes), "float64"))
    }
}
