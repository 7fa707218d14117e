//! Exact and fast token counting for byte-level BPE: bytes and ranks in, integers out.
//!
//! The answers are those of the reference tokenizers (tiktoken, Hugging Face's `tokenizers`), id
//! for id, on every input. Unicode is 16.0 throughout; newer code points count as unassigned.
//!
//! Not here: files, model names, clocks, Python. The crate is a library's core; its interface is
//! whatever that library needs.
//!
//! # Example
//!
//! A vocabulary is the 256 bytes and the tokens that merging makes of them. Usually it comes from
//! a file of some 150,000 tokens; three are enough to see it work:
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
//! # How a count is done, the plain way
//!
//! 1. **Normalize.** The text is taken to NFC, if the vocabulary wants that ([`nfc()`]).
//! 2. **Split.** A pattern cuts it into *pieces*: words with the space before them, numbers,
//!    punctuation, white space. No token reaches from one piece into the next. `scan` and
//!    `patterns` read a text piece by piece, each with its regular expression beside it.
//! 3. **Merge.** A piece starts as its bytes. Of all neighbours that are a pair of the vocabulary,
//!    the pair of lowest rank becomes one token, the leftmost of equals, until no pair is left
//!    (`merge`). With the vocabulary above, `h e l l o` becomes `he l l o`, `he ll o`, `hell o`.
//! 4. **Add up.** The count of the text is the sum over its pieces.
//!
//! These four modules are short and can be read alone. Everything else is there so that most of
//! that work is not done, or is done for many pieces at once, and each module is held to the plain
//! way by tests.
//!
//! # How it is done fast
//!
//! - **Most pieces were seen before.** Their counts are remembered in tables by length: `short_cache` up
//!   to 15 bytes, `wide_cache` to 30, `middle_cache` to 62, `long_cache` beyond; `id_cache` remembers ids. A thread's
//!   tables are its `memory`, and are bounded.
//! - **Pieces are found 64 bytes at a time.** `masks` says which bytes are letters, digits, spaces;
//!   `windows` finds where pieces start by arithmetic on those bits, in two parts of a text at a time,
//!   since each window waits for the one before. `traversal` goes through the parts so, and makes NFC
//!   only where a character needs it.
//! - **Look-ups wait for one another no more than they must.** `counting` looks up a batch of
//!   pieces and sets aside what is new; there it waits (`pending`) until there is enough of it for
//!   `interleaved`, which merges 32 pieces at a time. `encoding` and `gathering` are its siblings for ids and for short
//!   stretches.
//! - **Long pieces** are merged in about linear time (`long`), those of a few runs of equal bytes rank by
//!   rank (`runs`), and long pieces of scripts without spaces fall apart where no token reaches across
//!   (`joints`, `adjacent`). Long runs of marks are sorted for NFC by counting (`mark_runs`).
//! - **A long text** is cut where counts add up (`cuts`, found by `cut_search`), so that it takes bounded
//!   memory and several threads (`sharing`). `source` and `code_points` read Python's own form of a text without
//!   a copy; `stream` counts a text that comes in parts. Whoever asked for long work can end it ([`interruptible`]).
//!
//! # Where things are
//!
//! | folder | what is in it |
//! |---|---|
//! | `vocabulary` | `ranks` reduces any table of merges to one pair a token, `compact` writes and reads it, `error` says what can be wrong with it, `pairs` looks up what two tokens merge into, `ids` has the ids that the outside knows |
//! | `text` | a text as it comes: in Python's form or as UTF-8, at once or in parts, for one thread or several |
//! | `unicode` | classes of characters, NFC |
//! | `pieces` | the split patterns, one piece at a time and 64 bytes at a time; where a text may be cut |
//! | `merging` | one piece, many at once, long ones; where a piece falls apart |
//! | `caches` | counts and ids of pieces that were met before |
//! | `cutting` | [`Tokenizer::longest_beginning`] and its kin (`truncate`, `beginnings`, `endings`, `inside`), [`Tokenizer::split`] (`split`; `boundaries`, which knows `line_ends`, `fences` and `sentences`), between grapheme clusters (`graphemes`) |
//!
//! Beside them stand what brings these together, [`Tokenizer`], `counting`, `encoding` and `gathering`; `decoding`,
//! from ids back to bytes; and `special`, special tokens in a text.
//!
//! `README.md` beside this crate has what is claimed with its proofs, the costs, and the
//! experiments, those that failed among them.

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
mod text;
mod tokenizer;
mod unicode;
mod vocabulary;

pub use cutting::split::Span;
pub use cutting::truncate::Cut;
pub use interrupts::interruptible;
pub use pieces::splitting::{Normalization, Pattern};
pub use special::SpecialTokens;
pub use text::source::Text;
pub use text::stream::{NotUtf8, Stream};
pub use tokenizer::{Counter, Tokenizer, UnknownId};
pub use unicode::nfc::nfc;
pub use vocabulary::error::VocabularyError;
pub use vocabulary::ranks::{Merging, to_compact};
