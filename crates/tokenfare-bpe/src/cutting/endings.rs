//! The longest end of a normalized text that is at most so many tokens.
//!
//! A piece depends on the text from its start on, so the text from any position y on has pieces of its
//! own: those of the chain y, `piece_end(y)`, … Let b₀ < b₁ < … be the starts of the pieces of N.
//!
//! **Claim.** If y lies inside piece j, its chain comes to bⱼ₊₁; or else to bⱼ₊₂, and then nothing
//! stands between y and bⱼ₊₁ but one character, or the letters of a contraction, or line ends.
//! **Why.** Letters, punctuation and white space up to a line end are taken to the end of their run,
//! from wherever in it a piece starts. Only the last character before letters or punctuation may be
//! taken by what follows it (a space, a bracket, an apostrophe that begins a contraction), the letters
//! of a contraction go with those behind it, and line ends behind punctuation go with white space
//! behind them. What is taken then ends where the next piece ends. The test below tries all texts of
//! five characters. ∎
//!
//! So all chains that start well before the piece at which the limit is passed come through its start,
//! and have more tokens than `limit`.
//!
//! All of this is said of Qwen's pattern, and of vocabularies in which merging decides alone. For others
//! (three digits a piece, say, whose chains need not meet before the digits end) no end of the block is left out, and what was counted from a
//! position on is kept, so that time stays linear.

use std::collections::BTreeMap;

use crate::counting::count_piece;
use crate::cutting::inside::Inside;
use crate::memory::Memory;
use crate::pieces::splitting::Pattern;
use crate::tokenizer::Tokenizer;

/// Pieces of up to this many bytes are encoded anew for each end that is tried.
const SHORT: usize = 64;

/// Bytes before a piece in which ends are tried whose chains may pass over its start: a character, or
/// the letters of a contraction. Line ends there are looked at apart.
const PASSES: usize = 8;

/// Pieces that a chain may need to come to those of another.
const MEETS: usize = 2;

/// A text in its pieces, all of them.
pub(crate) struct Endings<'a> {
    tokenizer: &'a Tokenizer,
    text: &'a [u8],
    /// Where each piece starts and how many tokens the text has from there on; at last its length.
    starts: Vec<(usize, usize)>,
    /// The piece with which there are more than `limit` tokens.
    over: usize,
    /// Long pieces around that one.
    inside: Vec<(usize, Inside<'a>)>,
    /// Tokens from other positions on, as far as they were asked for.
    known: BTreeMap<usize, usize>,
    limit: usize,
}

/// Where ends of at most so many tokens may start: from `first` up to `pause`, and from `then` on.
pub(crate) struct Reach {
    pub(crate) first: usize,
    pub(crate) pause: usize,
    pub(crate) then: usize,
    /// Whether it is certain that none starts elsewhere, whatever may stand before the text.
    pub(crate) certain: bool,
}

impl<'a> Endings<'a> {
    /// Counts the pieces of a text.
    pub(crate) fn new(
        tokenizer: &'a Tokenizer,
        memory: &mut Memory,
        text: &'a [u8],
        limit: usize,
    ) -> Self {
        let mut starts = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = tokenizer.splitting.piece_end(text, start);
            starts.push((start, count_piece(&tokenizer.vocabulary, memory, text, start, end)));
            start = end;
        }
        starts.push((start, 0));
        for at in (1..starts.len()).rev() {
            starts[at - 1].1 += starts[at].1;
        }
        let over = starts.partition_point(|(_, tokens)| *tokens > limit).saturating_sub(1);
        let (inside, known) = (Vec::new(), BTreeMap::new());
        Endings { tokenizer, text, starts, over, inside, known, limit }
    }

    /// Tokens of the whole text.
    pub(crate) fn tokens(&self) -> usize {
        self.starts[0].1
    }

    /// Where ends of at most `limit` tokens may start, if the text has more.
    pub(crate) fn reach(&mut self, memory: &mut Memory) -> Reach {
        let v = &self.tokenizer.vocabulary;
        if self.tokenizer.splitting.pattern != Pattern::Qwen || v.takes_spare_pieces() {
            return Reach { first: 0, pause: 0, then: 0, certain: false };
        }
        let (start, end) = (self.starts[self.over].0, self.starts[self.over + 1].0);
        let met = self.over > MEETS;
        let (mut then, mut sure) = self.longest_inside(memory, start, end);
        let mut first = start.saturating_sub(PASSES);
        // Line ends behind punctuation, with white space behind them that is a piece of its own.
        for seam in [start, end] {
            let before = self.text[..seam].iter().rev();
            let lines = seam - before.take_while(|b| matches!(b, b'\r' | b'\n')).count();
            if lines == seam || seam == self.text.len() {
                continue;
            }
            let passes = self.tokenizer.splitting.piece_end(self.text, lines);
            if passes > seam && self.tokens_from(passes).is_some_and(|t| t <= self.limit) {
                let (from, certain) = self.longest_inside(memory, lines, passes);
                (first, then) = (first.min(from), then.min(from.max(start)));
                sure &= certain;
            }
        }
        Reach { first, pause: start, then, certain: met || sure }
    }

    /// The first position in `start..end`, which is one piece, from which on there are at most `limit`
    /// tokens; and whether it is certain that none lies before. Short pieces are not looked into.
    fn longest_inside(&mut self, memory: &mut Memory, start: usize, end: usize) -> (usize, bool) {
        if end - start <= SHORT {
            return (start, false);
        }
        let most = self.limit - self.tokens_from(end).unwrap_or(self.limit);
        let inside = Inside::new(self.tokenizer, &mut memory.room, &self.text[start..end]);
        let (from, sure) = inside.longest_ending(&mut memory.room, most);
        self.inside.push((start, inside));
        (start + from, sure)
    }

    /// Tokens from a position on, if a piece of the text starts there.
    fn tokens_from(&self, start: usize) -> Option<usize> {
        let at = self.starts.binary_search_by_key(&start, |(start, _)| *start);
        at.ok().map(|at| self.starts[at].1)
    }

    /// Tokens of the text from `start` on, counted alone.
    pub(crate) fn count_from(&mut self, memory: &mut Memory, start: usize) -> usize {
        let mut chain = Vec::new();
        let (mut at, mut tokens) = (start, 0);
        let rest = loop {
            if let Some(rest) = self.tokens_from(at).or_else(|| self.known.get(&at).copied()) {
                break rest;
            }
            chain.push((at, tokens));
            let end = self.tokenizer.splitting.piece_end(self.text, at);
            tokens += self.count(memory, at, end);
            at = end;
        };
        let total = tokens + rest;
        self.known.extend(chain.into_iter().map(|(at, before)| (at, total - before)));
        total
    }

    fn count(&self, memory: &mut Memory, start: usize, end: usize) -> usize {
        let known = self.inside.iter().find(|(at, it)| *at <= start && end == *at + it.len());
        match known {
            Some((at, inside)) => inside.ending(&mut memory.room, start - at),
            None => count_piece(&self.tokenizer.vocabulary, memory, self.text, start, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::scan::piece_end;

    fn chain(text: &[u8], mut at: usize) -> Vec<usize> {
        let mut starts = Vec::new();
        while at < text.len() {
            starts.push(at);
            at = piece_end(text, at);
        }
        starts.push(at);
        starts
    }

    #[test]
    fn chains_meet_behind_their_piece_or_the_next() {
        let alphabet = ["a", "é", "l", "1", " ", "\n", "\r", "\t", "'", ".", "\u{301}", "\u{3000}"];
        let n = alphabet.len();
        let mut passed = 0;
        for code in 0..n.pow(5) {
            let text: String = (0..5).map(|i| alphabet[code / n.pow(i) % n]).collect();
            let whole = chain(text.as_bytes(), 0);
            for (y, c) in text.char_indices() {
                let piece = whole.partition_point(|start| *start <= y) - 1;
                let own = chain(text.as_bytes(), y);
                if own.contains(&whole[piece + 1]) {
                    continue;
                }
                passed += 1;
                let rest = &text[y..whole[piece + 1]];
                let last = rest.len() == c.len_utf8();
                let contraction = text[whole[piece]..].starts_with('\'');
                let line_ends = rest.bytes().all(|b| b == b'\r' || b == b'\n');
                assert!(last || contraction || line_ends, "{text:?} from {y}");
                assert!(rest.len() <= PASSES, "{text:?} from {y}");
                assert!(own.contains(&whole[piece + 2]), "{text:?} from {y}");
            }
        }
        assert!(passed > 10_000, "{passed}");
    }
}
