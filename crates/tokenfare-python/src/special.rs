//! Special tokens: recognised in texts by their names, and spelled out by their ids.

use std::collections::HashMap;

use pyo3::prelude::*;
use tokenfare_bpe::SpecialTokens;

/// Special tokens to recognise in a text, prepared once.
#[pyclass(frozen, module = "tokenfare._core")]
pub(crate) struct Special {
    pub(crate) tokens: SpecialTokens,
    pub(crate) names: HashMap<u32, String>,
}

#[pymethods]
impl Special {
    /// `normalized` are matched in the normalized text, the others in the text as given.
    #[new]
    #[pyo3(signature = (tokens, normalized, /))]
    fn new(tokens: Vec<(String, u32)>, normalized: Vec<(String, u32)>) -> Self {
        let all = tokens.iter().chain(&normalized);
        let names = all.map(|(name, id)| (*id, name.clone())).collect();
        Special { tokens: SpecialTokens::new(tokens).and_normalized(normalized), names }
    }
}
