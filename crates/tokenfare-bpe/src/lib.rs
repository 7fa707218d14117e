//! Exact and fast token counting for byte-level BPE: bytes and ranks in, integers out.
//!
//! On every input, counts and ids equal those of the reference tokenizers (tiktoken, Hugging Face's
//! `tokenizers`). Normalization and character classes are those of Unicode 16.0; newer code points
//! count as unassigned.
//!
//! The crate knows no files, model names, clocks or Python. It is the core of a library, and its
//! interface is what that library needs.
//!
//! # Example
//!
//! A vocabulary is the 256 single bytes and the tokens made from them by merging. It usually comes
//! from a file of some 150,000 tokens; three are enough to see how it works:
//!
//! ```
//! use tokenfare_bpe::{Merging, Normalization, Pattern, Tokenizer, to_compact};
//!
//! let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
//! let mut tokens: Vec<(&[u8], u32)> = bytes.iter().map(|byte| &byte[..]).zip(0..).collect();
//! tokens.extend([(&b"he"[..], 256), (b"ll", 257), (b"hell", 258)]);
//!
//! let table = to_compact(&tokens, Merging::ByRank, Pattern::Qwen, Normalization::Nfc)?;
//! let tokenizer = Tokenizer::from_compact(&table)?;
//! assert_eq!(tokenizer.count("hello"), 2);
//!
//! let mut ids = Vec::new();
//! tokenizer.encode("hello", &mut ids);
//! assert_eq!(ids, [258, u32::from(b'o')]);
//! # Ok::<(), tokenfare_bpe::VocabularyError>(())
//! ```
//!
//! # How a count is made, the plain way
//!
//! 1. **Normalize.** The text is brought to NFC, if the vocabulary asks for it ([`nfc()`]).
//! 2. **Split.** A pattern splits the text into *pieces* (elsewhere called pre-tokens): words with
//!    the space before them, numbers, punctuation, white space. No token reaches from one piece
//!    into the next. `scan` and `patterns` read a text piece by piece, each with its regular
//!    expression beside it.
//! 3. **Merge.** A piece starts as its bytes, each a token. Of all neighbouring tokens that form a
//!    pair of the vocabulary, the pair of lowest rank becomes one token, the leftmost first among
//!    equals, until no such pair is left (`merge`). With the vocabulary above, `h e l l o` becomes
//!    `he l l o`, `he ll o`, `hell o`.
//! 4. **Add up.** The count of the text is the sum of the counts of its pieces.
//!
//! These modules are short and can be read alone. Everything else exists to avoid most of that
//! work, or to do it for many pieces at once, and tests compare it with the plain way.
//!
//! # How it is made fast
//!
//! - **Most pieces have been seen before.** Their counts are cached by length: `short_cache` up to
//!   15 bytes, `wide_cache` to 30, `middle_cache` to 62, `long_cache` beyond; `id_cache` holds ids.
//!   The caches of a thread are its `memory`, and their size is bounded.
//! - **Pieces are found 64 bytes at a time.** `masks` turns 64 bytes into bit masks of letters,
//!   digits, spaces and so on; `windows` computes from these bits where pieces start. It works on
//!   two parts of a text at a time, since each window has to wait for the one before it.
//!   `traversal` walks through the parts and normalizes only where a character needs it.
//! - **Look-ups overlap.** `counting` looks up a batch of pieces and sets aside those that are new.
//!   They wait in `pending` until there are enough of them for `interleaved`, which merges 32
//!   pieces at a time. `encoding` does the same for ids, and `gathering` for short stretches of
//!   text.
//! - **Long pieces** are merged in about linear time (`long`); a piece of a few runs of equal bytes
//!   is merged rank by rank (`runs`); and long pieces of scripts without spaces are divided where
//!   no token reaches across (`joints`, `adjacent`). For NFC, long runs of combining marks are
//!   sorted by counting (`mark_runs`).
//! - **A long text** is cut where counts add up (`cuts`, found by `cut_search`), so that it needs
//!   bounded memory and several threads can share it (`sharing`). `source` and `code_points` read
//!   Python's own form of a text without a copy; `stream` counts a text that arrives in parts. A
//!   caller can end long work ([`interruptible`]).
//!
//! # Where things are
//!
//! | folder | what is in it |
//! |---|---|
//! | `vocabulary` | `ranks` reduces any table of merges to one pair for each token, `compact` reads and writes it, `error` says what can be wrong with it, `limits` how large it may be, `pairs` looks up the token that two tokens merge into, `by_bytes` finds a token by its bytes, `ids` holds the ids that callers use |
//! | `text` | the forms of a text: Python's or UTF-8, whole or in parts, for one thread or several |
//! | `unicode` | character classes, NFC |
//! | `pieces` | the split patterns, one piece at a time and 64 bytes at a time; where a text may be cut |
//! | `merging` | merging one piece, many at once, long ones; where a piece can be divided |
//! | `caches` | counts and ids of pieces seen before |
//! | `cutting` | [`Tokenizer::longest_beginning`] and related functions (`truncate`, `beginnings`, `endings`, `inside`), [`Tokenizer::split`] (`split`; `boundaries`, with `kind`, `line_ends`, `fences`, `sentences` and `around`), and limits between grapheme clusters (`graphemes`) |
//!
//! Beside these folders are [`Tokenizer`], `counting`, `encoding` and `gathering`, which bring them
//! together; `decoding`, from ids back to bytes; and `special`, special tokens in a text.
//!
//! `README.md` of this crate lists what is claimed with its proofs, and the costs; `EXPERIMENTS.md`
//! has the measurements, and `REJECTED.md` the experiments that failed.

mod caches;
mod counting;
mod cutting;
mod decoding;
mod encoding;
mod gathering;
mod interrupts;
mod machine;
mod memory;
mod merging;
mod pieces;
mod prefetch;
mod queue;
mod special;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod tokenizer;
mod unicode;
mod vocabulary;

pub use cutting::Span;
pub use cutting::truncate::Cut;
pub use interrupts::interruptible;
pub use pieces::splitting::{Normalization, Pattern};
pub use special::SpecialTokens;
pub use text::source::Text;
pub use text::stream::{NotUtf8, Stream};
pub use tokenizer::{Counter, Tokenizer, UnknownId};
pub use unicode::nfc::nfc;
pub use vocabulary::compact::to_compact;
pub use vocabulary::error::VocabularyError;
pub use vocabulary::ranks::Merging;
