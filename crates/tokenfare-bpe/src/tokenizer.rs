//! The public interface: text in, counts and ids out.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::counting::{count_both, count_part, merge_pending, prefetch_for};
use crate::decoding::Decoding;
use crate::encoding::encode_part;
use crate::gathering::{STRETCH, count_pieces};
use crate::memory::Memory;
use crate::pieces::splitting::Splitting;
use crate::special::{Found, SpecialTokens};
use crate::text::source::Text;
use crate::vocabulary::Vocabulary;
use crate::vocabulary::compact::Compact;
use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::ids::Ids;

/// Entries of each list of working memory that are kept from one call to the next.
const KEPT: usize = 1 << 16;

/// Bytes of text that are normalized and split at a time: few enough to stay in a near cache of the
/// CPU.
const PART: usize = 64 * 1024;

/// Tables are prefetched for a text of at least this many bytes.
const LONG: usize = 2 * PART;

/// Texts of at least this many bytes are counted from their beginning and from their middle at the
/// same time.
const TWO: usize = 2048;

/// Code points that are converted to UTF-8 at a time; few, for the same reason as [`PART`].
const POINTS: usize = 64 * 1024;

/// A share of this many bytes has no cut behind its middle: from so many code points or bytes on
/// that a share was to have, the first cut is its end.
const UNCUT: usize = 8 * PART;
const _: () = assert!(UNCUT / 2 >= 4 * POINTS && UNCUT / 2 >= 2 * PART);

/// Bytes of the buffer for converted code points that are kept from one call to the next.
const UTF8_KEPT: usize = 6 * POINTS;

/// An id that is not the id of any token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownId(pub u32);

impl fmt::Display for UnknownId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is the id of no token", self.0)
    }
}

impl std::error::Error for UnknownId {}

/// Counts, encodes and decodes with one vocabulary.
///
/// Any number of threads may use one tokenizer at once; each borrows its memory from a pool.
pub struct Tokenizer {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) splitting: Splitting,
    ids: Ids,
    /// Built when ids are first decoded.
    decoding: OnceLock<Decoding>,
    #[expect(
        clippy::vec_box,
        reason = "one is taken out for every text, and a box moves as one pointer"
    )]
    memories: Mutex<Vec<Box<Memory>>>,
}

impl Tokenizer {
    /// Reads a vocabulary in the compact form. O(size of the vocabulary), some milliseconds.
    ///
    /// It is not checked that merging the bytes of a token gives that token, which is so for all
    /// that [`to_compact`](crate::to_compact) writes. Where it is not, a count may differ from the
    /// number of ids.
    pub fn from_compact(data: &[u8]) -> Result<Self, VocabularyError> {
        let compact = Compact::read(data)?;
        Ok(Tokenizer {
            vocabulary: Vocabulary::new(&compact)?,
            splitting: compact.splitting,
            ids: Ids::new(compact.ids)?,
            decoding: OnceLock::new(),
            memories: Mutex::new(Vec::new()),
        })
    }

    /// Number of tokens in the vocabulary, without special tokens.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// Length of the longest token in bytes: `n` tokens are at most `n` times this many bytes of
    /// normalized text.
    pub fn longest_token(&self) -> usize {
        self.vocabulary.longest()
    }

    /// Frees the memory kept from call to call, and with it what was learnt about pieces.
    pub fn forget(&self) {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many tokens `text` is, with special tokens taken as ordinary text.
    ///
    /// O(n), except for single pieces of more than 64 bytes, which are O(n log n) at worst.
    ///
    /// Memory is bounded whatever the length of the text, with two exceptions: a single long piece
    /// needs memory of its own, and so does a long stretch without a cut (see `cuts`; dashes and
    /// spaces without a letter, digit or line end are one such stretch, however many pieces they
    /// are). What has to be normalized in such a stretch is copied as a whole, and code points are
    /// converted to UTF-8 as a whole, which takes two, three or four bytes for each code point that
    /// is kept in one, two or four.
    pub fn count<'a>(&self, text: impl Into<Text<'a>>) -> usize {
        let text = text.into();
        self.with_memory(|memory| self.count_text(memory, text))
    }

    /// How many tokens `text` is, or `None` if it is more than `limit`.
    ///
    /// Stops at most one part of the text (some bytes for each token of the limit, more where the
    /// text cannot be cut) after the limit is passed: the cost depends on the limit, not on the
    /// length of the text.
    pub fn count_up_to<'a>(&self, text: impl Into<Text<'a>>, limit: usize) -> Option<usize> {
        let text = text.into();
        self.with_memory(|memory| match text {
            Text::Utf8(text) => self.count_in(memory, text, limit),
            _ => self.count_points(memory, text, limit),
        })
    }

    pub(crate) fn count_text(&self, memory: &mut Memory, text: Text<'_>) -> usize {
        let Tokenizer { vocabulary, splitting, .. } = self;
        let mut room = std::mem::take(&mut memory.utf8);
        let size = if let Text::Utf8(_) = text { 2 * PART } else { POINTS };
        let mut count = 0;
        let mut is_long = text.bytes() >= LONG;
        for share in text.shares(splitting, size) {
            let share = share.utf8(&mut room);
            if std::mem::take(&mut is_long) {
                prefetch_for(vocabulary, memory, share);
            }
            count += if !(TWO..UNCUT).contains(&share.len()) {
                count_part(vocabulary, splitting, memory, share)
            } else {
                let (one, two) =
                    share.split_at(splitting.next_cut(share.as_bytes(), share.len() / 2));
                count_both(vocabulary, splitting, memory, [one, two])
            };
        }
        memory.utf8 = room;
        count + merge_pending(vocabulary, memory)
    }

    fn count_points(&self, memory: &mut Memory, text: Text<'_>, limit: usize) -> Option<usize> {
        let size = limit.saturating_mul(4).clamp(256, POINTS);
        let mut room = std::mem::take(&mut memory.utf8);
        let mut left = Some(limit);
        for share in text.shares(&self.splitting, size) {
            let count = left.and_then(|left| self.count_in(memory, share.utf8(&mut room), left));
            left = left.zip(count).map(|(left, count)| left - count);
            if left.is_none() {
                break;
            }
        }
        memory.utf8 = room;
        left.map(|left| limit - left)
    }

    fn count_in(&self, memory: &mut Memory, text: &str, limit: usize) -> Option<usize> {
        let size = limit.saturating_mul(8).clamp(256, PART);
        let mut count = 0;
        for part in self.splitting.parts(text, size) {
            count += self.count_part(memory, part);
            if count > limit {
                return None;
            }
        }
        Some(count)
    }

    pub(crate) fn count_part(&self, memory: &mut Memory, part: &str) -> usize {
        count_part(&self.vocabulary, &self.splitting, memory, part)
            + merge_pending(&self.vocabulary, memory)
    }

    /// The same as `count_part`, for stretches that are mostly short: it sets up no windows.
    pub(crate) fn count_stretch(&self, memory: &mut Memory, part: &str) -> usize {
        if part.len() > STRETCH {
            return self.count_part(memory, part);
        }
        count_pieces(&self.vocabulary, &self.splitting, memory, part)
    }

    /// Appends the ids of `text` to `ids`, with special tokens taken as ordinary text.
    pub fn encode<'a>(&self, text: impl Into<Text<'a>>, ids: &mut Vec<u32>) {
        let (text, first) = (text.into(), ids.len());
        self.with_memory(|memory| match text {
            Text::Utf8(text) => self.encode_in(memory, text, ids),
            _ => {
                let mut room = std::mem::take(&mut memory.utf8);
                for share in text.shares(&self.splitting, POINTS) {
                    self.encode_in(memory, share.utf8(&mut room), ids);
                }
                memory.utf8 = room;
            }
        });
        self.ids.name(&mut ids[first..]);
    }

    fn encode_in(&self, memory: &mut Memory, text: &str, ids: &mut Vec<u32>) {
        for part in self.splitting.parts(text, PART) {
            encode_part(&self.vocabulary, &self.splitting, memory, part, ids);
        }
    }

    /// Appends the ids of `text` to `ids`; a special token listed in `special` becomes its one id.
    pub fn encode_with_special(&self, text: &str, special: &SpecialTokens, ids: &mut Vec<u32>) {
        special.split(
            text,
            |text| self.splitting.normalized(text),
            |found| match found {
                Found::Token(id) => ids.push(id),
                Found::Between(text) => self.encode(text, ids),
            },
        );
    }

    /// The bytes of the tokens `ids`, one after the other. O(length of the result).
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, UnknownId> {
        let mut bytes = Vec::with_capacity(5 * ids.len());
        self.decode_with(ids, &mut bytes, |_| None)?;
        Ok(bytes)
    }

    /// Appends the bytes of the tokens `ids`. `special` is asked for the bytes of ids that the
    /// vocabulary does not have. O(length of what is appended).
    ///
    /// After an error, the bytes that were there before are unchanged, and anything may follow
    /// them.
    pub fn decode_with<'a>(
        &'a self,
        ids: &[u32],
        bytes: &mut Vec<u8>,
        special: impl Fn(u32) -> Option<&'a [u8]>,
    ) -> Result<(), UnknownId> {
        let decoding = self.decoding.get_or_init(|| Decoding::new(&self.vocabulary, &self.ids));
        let slow = |id| self.vocabulary.get(self.ids.rank(id)).or_else(|| special(id));
        decoding.append(ids, bytes, slow).map_err(UnknownId)
    }

    /// A counter for one thread, which keeps its memory from one text to the next.
    ///
    /// Use it to count texts one by one as they are read. [`Tokenizer::count`] borrows memory anew
    /// for each text, and two threads that call it would take each other's.
    pub fn counter(&self) -> Counter<'_> {
        Counter { tokenizer: self, memory: Some(self.memory()) }
    }

    fn memory(&self) -> Box<Memory> {
        self.kept_memory().unwrap_or_default()
    }

    pub(crate) fn kept_memory(&self) -> Option<Box<Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(crate) fn give_back(&self, mut memory: Box<Memory>) {
        memory.room.shrink_to(KEPT);
        memory.utf8.truncate(UTF8_KEPT);
        memory.utf8.shrink_to(UTF8_KEPT);
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }

    pub(crate) fn with_memory<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory();
        let result = work(&mut memory);
        self.give_back(memory);
        result
    }
}

/// Counts texts with one tokenizer, one after the other.
pub struct Counter<'a> {
    tokenizer: &'a Tokenizer,
    /// `None` while a text is counted, and after a count that unwound.
    memory: Option<Box<Memory>>,
}

impl Counter<'_> {
    /// The same as [`Tokenizer::count`].
    pub fn count<'a>(&mut self, text: impl Into<Text<'a>>) -> usize {
        // Taken out during the count: if the count unwinds, its half-finished memory is dropped.
        let mut memory = self.memory.take().unwrap_or_else(|| self.tokenizer.memory());
        let count = self.tokenizer.count_text(&mut memory, text.into());
        self.memory = Some(memory);
        count
    }
}

impl Drop for Counter<'_> {
    /// Gives the memory back to the tokenizer, unless a count that unwound dropped it.
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.tokenizer.give_back(memory);
        }
    }
}
