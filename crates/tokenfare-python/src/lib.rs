//! The Python binding of `tokenfare-bpe`: signatures, the GIL, errors. No logic worth a test.

use std::borrow::Cow;

use pyo3::exceptions::{PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use tokenfare_bpe::{Merging, Normalization, Pattern, SpecialTokens};

/// Texts of at least this many bytes are counted without the GIL. Below, taking it back costs more
/// than the count.
const LARGE: usize = 16 * 1024;

/// The text as UTF-8; a lone surrogate becomes U+FFFD, as in tiktoken.
fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
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

fn released<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    if bytes < LARGE { work() } else { py.detach(work) }
}

/// Special tokens to recognise in a text, prepared once.
#[pyclass(frozen, module = "tokenfare._core")]
struct Special(SpecialTokens);

#[pymethods]
impl Special {
    #[new]
    fn new(tokens: Vec<(String, u32)>) -> Self {
        Special(SpecialTokens::new(tokens))
    }
}

/// Counts, encodes and decodes with one vocabulary.
#[pyclass(frozen, module = "tokenfare._core")]
struct Tokenizer(tokenfare_bpe::Tokenizer);

#[pymethods]
impl Tokenizer {
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        let tokenizer = tokenfare_bpe::Tokenizer::from_compact(data);
        tokenizer.map(Tokenizer).map_err(|e| PyValueError::new_err(e.to_string()))
    }

    #[getter]
    fn vocabulary_size(&self) -> usize {
        self.0.vocabulary_size()
    }

    #[pyo3(signature = (text, /))]
    fn count(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<usize> {
        let text = utf8(text)?;
        Ok(released(py, text.len(), || self.0.count(&text)))
    }

    #[pyo3(signature = (text, threads, /))]
    fn count_with_threads(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        threads: usize,
    ) -> PyResult<usize> {
        let text = utf8(text)?;
        Ok(released(py, text.len(), || self.0.count_with_threads(&text, threads)))
    }

    #[pyo3(signature = (text, limit, /))]
    fn count_up_to(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        limit: usize,
    ) -> PyResult<Option<usize>> {
        let text = utf8(text)?;
        Ok(released(py, text.len(), || self.0.count_up_to(&text, limit)))
    }

    #[pyo3(signature = (texts, /))]
    fn count_batch(&self, py: Python<'_>, texts: &Bound<'_, PyList>) -> PyResult<Vec<usize>> {
        let texts: Vec<Bound<'_, PyString>> = texts.extract()?;
        let texts = texts.iter().map(utf8).collect::<PyResult<Vec<_>>>()?;
        let bytes = texts.iter().map(|text| text.len()).sum();
        Ok(released(py, bytes, || self.0.count_batch(&texts)))
    }

    #[pyo3(signature = (text, special=None, /))]
    fn encode(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        special: Option<&Bound<'_, Special>>,
    ) -> PyResult<Vec<u32>> {
        let text = utf8(text)?;
        let special = special.map(|special| &special.get().0);
        Ok(released(py, text.len(), || {
            let mut ids = Vec::new();
            match special {
                None => self.0.encode(&text, &mut ids),
                Some(special) => self.0.encode_with_special(&text, special, &mut ids),
            }
            ids
        }))
    }

    #[pyo3(signature = (ids, /))]
    fn decode<'py>(&self, py: Python<'py>, ids: Vec<u32>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.decode(&ids).map_err(|e| PyValueError::new_err(e.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// Converts tokens and their merges to the compact form that `Tokenizer` reads.
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
    let found = PATTERNS.iter().find(|(name, _)| *name == pattern).map(|(_, pattern)| *pattern);
    let pattern = found.ok_or_else(|| PyValueError::new_err(format!("no pattern {pattern:?}")))?;
    let normalization = if nfc { Normalization::Nfc } else { Normalization::None };
    let merging = match &merges {
        None => Merging::ByRank,
        Some(pairs) => Merging::Listed { pairs, whole_pieces },
    };
    let tokens: Vec<(&[u8], u32)> = tokens.iter().map(|(t, id)| (t.as_bytes(), *id)).collect();
    let compact = py.detach(|| tokenfare_bpe::to_compact(&tokens, merging, pattern, normalization));
    let compact = compact.map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &compact))
}

const PATTERNS: [(&str, Pattern); 6] = [
    ("qwen", Pattern::Qwen),
    ("qwen3.5", Pattern::QwenMarks),
    ("cl100k", Pattern::Cl100k),
    ("llama3", Pattern::Llama3),
    ("o200k", Pattern::O200k),
    ("gpt2", Pattern::Gpt2),
];

#[pymodule]
#[pyo3(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Tokenizer>()?;
    module.add_class::<Special>()?;
    module.add_function(wrap_pyfunction!(to_compact, module)?)
}
