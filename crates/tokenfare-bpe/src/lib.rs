//! Exact and fast token counting for byte-level BPE: bytes and ranks in, integers out.
//!
//! A text is normalized to NFC (or not), split into pieces by a pattern (`scan` has Qwen's first,
//! `patterns` the others), and each piece is merged by rank. The answers are those of the reference
//! tokenizers, id for id, on every input. Unicode 16.0 throughout; code points that are newer count as unassigned.
//!
//! Not here: files, model names, clocks, Python. The crate is a library's core; its interface is
//! whatever that library needs.

mod adjacent;
mod beginnings;
mod boundaries;
mod classes;
mod compact;
mod counting;
mod cuts;
mod decoding;
mod encoding;
mod endings;
mod front;
mod gathering;
mod ids;
mod inside;
mod joints;
mod kept;
mod long;
mod machine;
mod masks;
mod memory;
mod merge;
mod middle;
mod nfc;
mod once;
mod pairs;
mod patterns;
mod piece;
mod places;
mod points;
mod prefetch;
mod queue;
mod ranks;
mod scan;
mod source;
mod special;
mod spelled;
mod split;
mod splitting;
mod together;
mod tokenizer;
mod truncate;
mod vocabulary;
mod walk;
mod wide;
mod windows;

pub use nfc::nfc;
pub use ranks::{Merging, to_compact};
pub use source::Text;
pub use special::SpecialTokens;
pub use split::Span;
pub use splitting::{Normalization, Pattern};
pub use tokenizer::{Counter, Tokenizer, UnknownId};
pub use truncate::Cut;
pub use vocabulary::VocabularyError;
