//! The bytes of every token, one after the other.

use std::ops::Range;

use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::{LONGEST_TOKEN, MOST_BYTES, SINGLES};
use crate::vocabulary::out_of_order::Spellings;

/// Bytes that are copied at once. Most tokens are shorter.
const AT_ONCE: usize = 16;
/// Bytes of a token for which there is room at first; Qwen's have 6.4 on average.
const ROOM: usize = 8;

/// The bytes of tokens by rank.
pub(crate) struct Tokens {
    pub(crate) bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// Length of the longest one in bytes.
    pub(crate) longest: usize,
}

impl Tokens {
    /// Spells the tokens that are `singles` or made by `merges`. With `in_order`, each merge is of
    /// tokens of lower rank. O(length of the result).
    pub(super) fn new(
        singles: &[u8; SINGLES],
        merges: &[(u32, u32)],
        in_order: bool,
    ) -> Result<Self, VocabularyError> {
        let ends = Vec::with_capacity(SINGLES + merges.len());
        let mut tokens = Tokens { bytes: Vec::new(), ends, longest: 0 };
        singles.iter().try_for_each(|byte| tokens.add(&[*byte]))?;
        if in_order {
            tokens.spell(merges)?;
        } else {
            Spellings::new(singles, merges)?.tokens().try_for_each(|token| tokens.add(token))?;
        }
        Ok(tokens)
    }

    /// Adds a token.
    pub(super) fn add(&mut self, token: &[u8]) -> Result<(), VocabularyError> {
        self.end_token(self.bytes.len(), token.len())?;
        self.bytes.extend_from_slice(token);
        Ok(())
    }

    /// Notes where the next token ends, which begins at `start` and has `length` bytes.
    #[inline(always)]
    fn end_token(&mut self, start: usize, length: usize) -> Result<(), VocabularyError> {
        if length > LONGEST_TOKEN {
            return Err(VocabularyError::Token { id: self.len() as u32, length });
        }
        let end = start + length;
        if end > MOST_BYTES {
            return Err(VocabularyError::Bytes(end));
        }
        self.ends.push(end as u32);
        self.longest = self.longest.max(length);
        Ok(())
    }

    /// Adds tokens, each made of two that stand before it.
    ///
    /// The plain way appends one and the other, with a call of `memcpy` for each. Here a fixed
    /// number of bytes is copied; what that puts behind a token, the next one overwrites.
    fn spell(&mut self, merges: &[(u32, u32)]) -> Result<(), VocabularyError> {
        let mut end = self.bytes.len();
        let mut bytes = vec![0; ROOM * self.ends.capacity()]; // never touched where it is not needed
        bytes[..end].copy_from_slice(&self.bytes);
        self.bytes = bytes;
        for (left, right) in merges {
            let (left, right) = (self.span(*left), self.span(*right));
            let (middle, start) = (end + left.len(), end);
            end = middle + right.len();
            self.end_token(start, end - start)?;
            if end + AT_ONCE > self.bytes.len() {
                self.bytes.resize(2 * end + AT_ONCE, 0);
            }
            self.copy(left, start);
            self.copy(right, middle);
        }
        self.bytes.truncate(end);
        Ok(())
    }

    /// Copies some bytes, and others behind them, to a place that is not before them.
    #[inline(always)]
    fn copy(&mut self, from: Range<usize>, to: usize) {
        self.bytes.copy_within(from.start..from.start + AT_ONCE, to);
        for at in (AT_ONCE..from.len()).step_by(AT_ONCE) {
            self.bytes.copy_within(from.start + at..from.start + at + AT_ONCE, to + at);
        }
    }

    /// Number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where token `id` is in `bytes`. O(1). Panics if there is no such token.
    #[inline]
    pub(crate) fn span(&self, id: u32) -> Range<usize> {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        start as usize..self.ends[id] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DATA, dice};
    use crate::vocabulary::compact::Compact;

    /// Tokens made of two earlier ones, mostly of late ones, so that many are long.
    fn merges(count: u32, seed: u64) -> Vec<(u32, u32)> {
        let mut roll = dice(seed);
        let mut roll = |sides: u32| roll(sides as usize) as u32;
        let mut earlier = |id: u32| if roll(3) == 0 { roll(id) } else { id - 1 - roll(id.min(40)) };
        (256..256 + count).map(|id| (earlier(id), earlier(id))).collect()
    }

    #[test]
    fn tokens_copied_from_earlier_ones_are_those_that_are_appended() {
        let all: [u8; SINGLES] = std::array::from_fn(|i| (i * 7) as u8);
        let shipped = Compact::read(DATA).unwrap();
        let cases = (0..200).map(|i| (&all, merges(1 + 6 * i, u64::from(i))));
        let (mut longest, mut refused) = (0, 0);
        for (singles, merges) in cases.chain([(shipped.singles, shipped.merges().collect())]) {
            let [copied, appended] = [true, false].map(|way| Tokens::new(singles, &merges, way));
            let (Ok(copied), Ok(appended)) = (&copied, &appended) else {
                assert_eq!(copied.err(), appended.err());
                refused += 1;
                continue;
            };
            assert_eq!(copied.bytes, appended.bytes);
            assert_eq!(copied.ends, appended.ends);
            assert_eq!(copied.longest, appended.longest);
            longest = longest.max(copied.longest);
        }
        assert!(longest > 900 && refused > 0, "{longest} {refused}");
    }
}
