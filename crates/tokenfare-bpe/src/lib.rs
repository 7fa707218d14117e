//! Exact and fast token counting for byte-level BPE: bytes and ranks in, integers out.
//!
//! A text is normalized to NFC (or not), split into pieces by a pattern (`scan` has Qwen's first,
//! `patterns` the others), and each piece is merged by rank. The answers are those of the reference
//! tokenizers, id for id, on every input. Unicode 16.0 throughout; code points that are newer count as unassigned.
//!
//! Not here: files, model names, clocks, Python. The crate is a library's core; its interface is
//! whatever that library needs.

mod classes;
mod compact;
mod counting;
mod cuts;
mod front;
mod ids;
mod joints;
mod kept;
mod long;
mod masks;
mod memory;
mod merge;
mod middle;
mod nfc;
mod pairs;
mod patterns;
mod piece;
mod queue;
mod ranks;
mod scan;
mod special;
mod spelled;
mod splitting;
mod together;
mod tokenizer;
mod vocabulary;
mod wide;
mod windows;

pub use ranks::{Merging, to_compact};
pub use special::SpecialTokens;
pub use splitting::{Normalization, Pattern};
pub use tokenizer::{Tokenizer, UnknownId};
pub use vocabulary::VocabularyError;
