//! The longest end of a normalized text that has at most `limit` tokens.
//!
//! A piece depends on the text from its start only. So the text from any position y on has pieces
//! of its own, which start at the chain y, `piece_end(y)`, … Let b₀ < b₁ < … be the starts of the
//! pieces of the whole text. Once a chain reaches one of them, it follows them, and the rest need
//! not be counted again.
//!
//! **Claim.** If y lies inside piece j, its chain reaches bⱼ₊₁. If not, it reaches bⱼ₊₂, and then y
//! to bⱼ₊₁ is a single character, or letters of a contraction, or line ends.
//!
//! **Why.** Letters, punctuation, and white space up to a line end are taken to the end of their
//! run from wherever in the run a piece starts. There are three exceptions. The last character
//! before letters or punctuation may be taken with what follows it (a space, a bracket, an
//! apostrophe that begins a contraction). The letters of a contraction are taken with the letters
//! after them. Line ends behind punctuation are taken with white space after them. In each, the
//! piece ends where the next piece of the whole text ends. This is an explanation, not a proof; a
//! test below tries all texts of five characters over an alphabet of twelve.
//!
//! So every chain that starts well before the piece in which the limit is passed goes through the
//! start of that piece, and has more than `limit` tokens. One that starts in this piece, but not
//! within its last few bytes, goes through its end, and `inside` says which of these fit.
//!
//! All of this holds for Qwen's pattern, and for vocabularies in which merging alone decides. With
//! others (three digits a piece, say, where two chains need not meet before the digits end), every
//! place of the block is tried, and counts from each position are remembered, so that time stays
//! linear.

use std::collections::BTreeMap;

use crate::counting::count_piece;
use crate::cutting::inside::Inside;
use crate::memory::Memory;
use crate::pieces::splitting::Pattern;
use crate::tokenizer::Tokenizer;

/// Pieces of up to this many bytes are encoded anew for each end that is tried.
const SHORT: usize = 64;

/// Bytes before the start and before the end of a piece in which ends are tried, since their chains
/// may pass over it: a character, or the letters of a contraction. Line ends there are looked at
/// separately.
const PASSES: usize = 8;

/// Pieces that a chain may need until it meets another.
const MEETS: usize = 2;

/// All pieces of a text.
pub(crate) struct Endings<'a> {
    tokenizer: &'a Tokenizer,
    text: &'a [u8],
    /// Where each piece starts and how many tokens the text has from there on; the last entry is
    /// the length of the text.
    starts: Vec<(usize, usize)>,
    /// The piece with which, counted from the end, there are more than `limit` tokens.
    over: usize,
    /// Long pieces around that one, encoded, with their starts.
    inside: Vec<(usize, Inside<'a>)>,
    /// Tokens from other positions on, as far as they were asked for.
    known: BTreeMap<usize, usize>,
    limit: usize,
}

/// Where ends that fit may start: from `first` up to `pause`, and from `then` on.
pub(crate) struct Reach {
    pub(crate) first: usize,
    pub(crate) pause: usize,
    pub(crate) then: usize,
    /// Whether it is certain that none starts elsewhere, whatever text precedes.
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
        then = then.min(end.saturating_sub(PASSES).max(start));
        let mut first = start.saturating_sub(PASSES);
        // Line ends behind punctuation, followed by white space that is a piece of its own.
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

    /// The first position in `start..end`, which is one piece, from which on there are at most
    /// `limit` tokens; and whether it is certain that none lies before it. Short pieces are not
    /// looked into.
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
