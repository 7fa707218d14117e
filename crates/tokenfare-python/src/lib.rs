//! The Python binding of `tokenfare-bpe`: signatures, the GIL, errors. No logic worth a test.

mod column;
mod counts;
mod deadline;
mod errors;
mod guard;
mod ids;
mod jobs;
mod kinds;
mod output;
mod pair;
mod positions;
mod prefixes;
mod prices;
mod reused_buffer;
mod rows;
mod signals;
mod small_ints;
mod special;
mod stream;
mod text;
mod text_column;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyString, PyType};
use tokenfare_bpe::{Merging, Normalization, Pattern, Span};

use crate::column::Chunks;
use crate::counts::CountColumn;
use crate::errors::{Refused, Unusable};
use crate::guard::{guarded, interruptible};
use crate::ids::Numbers;
use crate::positions::Positions;
use crate::reused_buffer::ReusedBuffer;
use crate::special::Special;
use crate::text::{string_of, text_of, utf8};

/// Counts, encodes and decodes with one vocabulary.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Tokenizer {
    pub(crate) core: tokenfare_bpe::Tokenizer,
    numbers: Numbers,
    /// Where ids become bytes.
    buffer: ReusedBuffer,
}

#[pymethods]
impl Tokenizer {
    #[new]
    fn new(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let core = tokenfare_bpe::Tokenizer::from_compact(data)
            .map_err(|e| Refused::new_err(e.to_string()))?;
        let numbers = Numbers::new(py, core.vocabulary_size());
        Ok(Tokenizer { core, numbers, buffer: ReusedBuffer::default() })
    }

    #[classattr]
    #[pyo3(name = "Refused")]
    fn refused(py: Python<'_>) -> Py<PyType> {
        errors::class(py)
    }

    #[getter]
    fn vocabulary_size(&self) -> usize {
        self.core.vocabulary_size()
    }

    #[getter]
    fn longest_token(&self) -> usize {
        self.core.longest_token()
    }

    #[pyo3(signature = (text, /))]
    fn count(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let text = text_of(text)?;
        interruptible(py, text.bytes(), || self.core.count(text))
    }

    #[pyo3(signature = (text, threads, /))]
    fn count_with_threads(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        threads: usize,
    ) -> PyResult<usize> {
        let text = text_of(text)?;
        interruptible(py, text.bytes(), || self.core.count_with_threads(text, threads))
    }

    #[pyo3(signature = (text, limit, /))]
    fn count_up_to(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
    ) -> PyResult<Option<usize>> {
        let text = text_of(text)?;
        let bytes = text.bytes().min(limit.saturating_mul(8));
        interruptible(py, bytes, || self.core.count_up_to(text, limit))
    }

    #[pyo3(signature = (texts, /))]
    fn count_batch(&self, py: Python<'_>, texts: &Bound<'_, PyList>) -> PyResult<Vec<usize>> {
        let strings = texts.iter().enumerate().map(|(i, text)| {
            text.cast_into::<PyString>().map_err(|error| {
                let class = error.into_inner().get_type();
                let class =
                    class.name().map_or_else(|_| "another type".into(), |name| name.to_string());
                Refused::new_err(format!("texts[{i}]: a string is expected, not {class}"))
            })
        });
        let strings = strings.collect::<PyResult<Vec<_>>>()?;
        let texts = strings.iter().map(text_of).collect::<PyResult<Vec<_>>>()?;
        let bytes = texts.iter().map(|text| text.bytes()).sum();
        interruptible(py, bytes, || self.core.count_batch(&texts))
    }

    /// Counts the rows of an Arrow column, or of one of a table's; `None` if `source` offers none.
    #[pyo3(signature = (source, column=None, /))]
    fn count_column(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        column: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Option<CountColumn>> {
        let column = column.map(|name| name.to_str().map_err(|_| no_name(name))).transpose()?;
        let Some(mut chunks) = Chunks::of(source)? else { return Ok(None) };
        let counted = chunks.count(py, &self.core, column)?;
        Ok(Some(CountColumn(counted.into_array())))
    }

    /// The end of what stays in front, and the start of what stays behind.
    #[pyo3(signature = (text, limit, keep, /))]
    fn truncate(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
        keep: &str,
    ) -> PyResult<(usize, usize)> {
        let utf8 = utf8(text)?;
        let found = interruptible(py, utf8.len(), || match keep {
            "start" => self.core.longest_beginning(&utf8, limit).map(|cut| (cut.at, utf8.len())),
            "end" => self.core.longest_ending(&utf8, limit).map(|cut| (0, cut.at)),
            _ => self.core.both_ends(&utf8, limit),
        })?;
        let mut positions = Positions::new(text, &utf8)?;
        let (head, tail) = found.map_err(|span| too_long(&mut positions, span))?;
        Ok((positions.code_point(head), positions.code_point(tail)))
    }

    /// Start, end and tokens of each piece.
    #[pyo3(signature = (text, limit, overlap, /))]
    fn split(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
        overlap: usize,
    ) -> PyResult<Vec<(usize, usize, usize)>> {
        let utf8 = utf8(text)?;
        let found = interruptible(py, utf8.len(), || self.core.split(&utf8, limit, overlap))?;
        let mut positions = Positions::new(text, &utf8)?;
        let spans = found.map_err(|span| too_long(&mut positions, span))?;
        Ok(spans.into_iter().map(|span| in_code_points(&mut positions, span)).collect())
    }

    #[pyo3(signature = (text, special=None, /))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
        special: Option<&Bound<'py, Special>>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.numbers.list(py, &self.ids(py, text, special)?)
    }

    /// The ids as the bytes of 32-bit numbers of this machine.
    #[pyo3(signature = (text, special=None, /))]
    fn encode_to_buffer<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
        special: Option<&Bound<'py, Special>>,
    ) -> PyResult<Bound<'py, PyByteArray>> {
        let ids = self.ids(py, text, special)?;
        PyByteArray::new_with(py, 4 * ids.len(), |bytes| {
            for (place, id) in bytes.as_chunks_mut().0.iter_mut().zip(&ids) {
                *place = id.to_ne_bytes();
            }
            Ok(())
        })
    }

    #[pyo3(signature = (ids, special, /))]
    fn decode_bytes<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
        special: &Bound<'py, Special>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.spelled(py, ids, special, |bytes| Ok(PyBytes::new(py, bytes)))
    }

    #[pyo3(signature = (ids, special, /))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
        special: &Bound<'py, Special>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.spelled(py, ids, special, |bytes| string_of(py, bytes))
    }
}

impl Tokenizer {
    fn ids(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        special: Option<&Bound<'_, Special>>,
    ) -> PyResult<Vec<u32>> {
        let mut ids = Vec::new();
        if let Some(special) = special {
            // A special token may lie across a cut, so the text is taken whole.
            let (text, tokens) = (utf8(text)?, &special.get().tokens);
            interruptible(py, text.len(), || {
                self.core.encode_with_special(&text, tokens, &mut ids)
            })?;
            return Ok(ids);
        }
        let text = text_of(text)?;
        interruptible(py, text.bytes(), || self.core.encode(text, &mut ids))?;
        Ok(ids)
    }

    /// What `result` makes of the bytes of these tokens.
    fn spelled<T>(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        special: &Bound<'_, Special>,
        result: impl FnOnce(&[u8]) -> PyResult<T>,
    ) -> PyResult<T> {
        let special = special.get();
        let name = |id| special.names.get(&id).map(String::as_bytes);
        let mut bytes = self.buffer.take();
        bytes.clear();
        let read = self.numbers.read(ids, |ids| {
            interruptible(py, 4 * ids.len(), || self.core.decode_with(ids, &mut bytes, name))?
                .map_err(|error| Refused::new_err(error.to_string()))
        });
        let result = read.and_then(|()| result(&bytes));
        self.buffer.give_back(bytes);
        result
    }
}

/// No column has a name with half a surrogate pair in it.
fn no_name(name: &Bound<'_, PyString>) -> PyErr {
    let shown = name.repr().map_or_else(|_| "of that name".into(), |name| name.to_string());
    Refused::new_err(format!("there is no column {shown}, which is not Unicode text"))
}

/// Converts tokens and their merges to the compact layout that `Tokenizer` reads.
///
/// Without `merges`, neighbours merge whose bytes together are a token, the lowest id first.
#[pyfunction]
#[pyo3(signature = (tokens, merges, *, whole_pieces, pattern, nfc))]
fn to_compact<'py>(
    py: Python<'py>,
    tokens: Vec<(Bound<'py, PyBytes>, u32)>,
    merges: Option<Vec<(u32, u32)>>,
    whole_pieces: bool,
    pattern: &str,
    nfc: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let pattern = Pattern::named(pattern)
        .ok_or_else(|| Refused::new_err(format!("no pattern {pattern:?}")))?;
    let normalization = if nfc { Normalization::Nfc } else { Normalization::None };
    let merging = match &merges {
        None => Merging::ByRank,
        Some(pairs) => Merging::Listed { pairs, whole_pieces },
    };
    let tokens: Vec<(&[u8], u32)> = tokens.iter().map(|(t, id)| (t.as_bytes(), *id)).collect();
    let compact = py.detach(|| tokenfare_bpe::to_compact(&tokens, merging, pattern, normalization));
    let compact = compact.map_err(|e| Refused::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &compact))
}

/// Panics, so that a test can see what becomes of a panic.
#[pyfunction]
fn panic(py: Python<'_>, message: String, bytes: usize) -> PyResult<()> {
    guarded(py, bytes, || panic!("{message}"))
}

fn in_code_points(positions: &mut Positions<'_>, span: Span) -> (usize, usize, usize) {
    (positions.code_point(span.start), positions.code_point(span.end), span.tokens)
}

/// A cluster that is more than the limit, as an error with its place and tokens.
fn too_long(positions: &mut Positions<'_>, cluster: Span) -> PyErr {
    Refused::new_err(in_code_points(positions, cluster))
}

#[pymodule]
#[pyo3(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("Refused", module.py().get_type::<Refused>())?;
    module.add("Unusable", module.py().get_type::<Unusable>())?;
    module.add_class::<Tokenizer>()?;
    module.add_class::<Special>()?;
    module.add_class::<CountColumn>()?;
    module.add_class::<prefixes::PrefixTrees>()?;
    module.add_class::<prefixes::PrefixDigester>()?;
    module.add_class::<deadline::Bids>()?;
    module.add_class::<deadline::Classes>()?;
    module.add_class::<jobs::LineLayout>()?;
    module.add_class::<jobs::Lines>()?;
    module.add_class::<jobs::Offers>()?;
    module.add_class::<jobs::Outcomes>()?;
    module.add_class::<jobs::Seen>()?;
    module.add_class::<output::Sent>()?;
    module.add_class::<prices::Prices>()?;
    module.add_class::<stream::Stream>()?;
    module.add_function(wrap_pyfunction!(to_compact, module)?)?;
    module.add_function(wrap_pyfunction!(jobs::line_breaks, module)?)?;
    module.add_function(wrap_pyfunction!(rows::csv_rows, module)?)?;
    module.add_function(wrap_pyfunction!(rows::lines_of_csv, module)?)?;
    module.add_function(wrap_pyfunction!(rows::lines_of_table, module)?)?;
    module.add_function(wrap_pyfunction!(panic, module)?)
}
