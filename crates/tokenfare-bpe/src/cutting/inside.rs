//! How many tokens the beginnings and the ends of one piece have, without encoding each of them.
//!
//! A piece of many kilobytes (one word, one run of spaces) has as many beginnings as bytes. Two
//! facts about the encoding `t₁ … tₖ` of a piece make each of them cheap. Both follow from the
//! lemma in `long`: a sequence of tokens is the encoding of its bytes if and only if all neighbours
//! are valid pairs.
//!
//! **Beginnings.** `t₁ … tⱼ` is the encoding of its own bytes, so the beginning that ends with `tⱼ`
//! has j tokens. For a beginning that ends between two tokens, take the last `tⱼ` in it and encode
//! the bytes after `tⱼ` alone. If `tⱼ` and the first token of these are a valid pair, the count is
//! j plus theirs. If not, try an earlier `tⱼ`.
//!
//! **Nothing longer fits.** Let r be the length of the longest token with bytes on both sides of
//! position x (`adjacent`), or 1 if there is none. If all beginnings that end at x or less than r
//! bytes before it have at least n tokens, every beginning longer than x has more than n. *Proof.*
//! The encoding of the longer beginning has a token that ends beyond x and starts at some a ≤ x.
//! Either a = x, or the token has bytes on both sides of x, so it has at most r bytes and a > x - r.
//! What precedes that token is the encoding of the beginning that ends at a, which has at least n
//! tokens; the token is one more. ∎
//!
//! The same holds in mirror image for the ends of a piece.
//!
//! **Ends of what repeats.** In a piece like a thousand times `    \n`, an end that starts at
//! another place than a token of the piece has none of the piece's tokens. It would be encoded as a
//! whole, and so would each of a hundred ends. But its tokens repeat too. So the first token of a
//! window is taken for the next token, windows with the same bytes are encoded once, and by the
//! lemma the tokens are the right ones if all neighbours are valid pairs.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::merging::long::{encode_long, is_valid_pair};
use crate::merging::merge::{Room, SHORT, merge};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Vocabulary;

/// One piece and its tokens. Positions are bytes from its start, and may be inside a character.
pub(crate) struct Inside<'a> {
    tokenizer: &'a Tokenizer,
    bytes: &'a [u8],
    ids: Vec<u32>,
    /// Where each token starts; at last, the length of the piece.
    starts: Vec<usize>,
    /// The first token of windows that were encoded.
    firsts: RefCell<HashMap<&'a [u8], u32>>,
}

/// Tokens of an end that are encoded before it is tried as one that repeats.
const REPEATS: usize = 64;

/// Windows whose first token is kept.
const FIRSTS: usize = 4096;

impl<'a> Inside<'a> {
    /// Encodes the piece. Costs as much time and memory as encoding.
    pub(crate) fn new(tokenizer: &'a Tokenizer, room: &mut Room, bytes: &'a [u8]) -> Self {
        let ids = merged(&tokenizer.vocabulary, room, bytes);
        let mut starts = vec![0];
        for id in &ids {
            starts.push(starts[starts.len() - 1] + tokenizer.vocabulary.token(*id).len());
        }
        Inside { tokenizer, bytes, ids, starts, firsts: RefCell::default() }
    }

    /// Bytes of the piece.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn encoded(&self, room: &mut Room, start: usize, end: usize) -> Vec<u32> {
        merged(&self.tokenizer.vocabulary, room, &self.bytes[start..end])
    }

    fn joins(&self, left: Option<&u32>, right: Option<&u32>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => is_valid_pair(&self.tokenizer.vocabulary, *left, *right),
            _ => true,
        }
    }

    /// How many tokens the first `end` bytes are. O(log n) usually.
    pub(crate) fn beginning(&self, room: &mut Room, end: usize) -> usize {
        let whole = self.starts.partition_point(|start| *start <= end) - 1;
        let mut back = 0;
        loop {
            let kept = whole.saturating_sub(back);
            let rest = self.encoded(room, self.starts[kept], end);
            let last = kept.checked_sub(1).map(|at| &self.ids[at]);
            if self.joins(last, rest.first()) {
                return kept + rest.len();
            }
            back = 2 * back + 1;
        }
    }

    /// How many tokens the bytes from `start` on are. O(log n) usually.
    pub(crate) fn ending(&self, room: &mut Room, start: usize) -> usize {
        let whole = self.starts.partition_point(|at| *at < start);
        let mut on = 0;
        loop {
            let from = (whole + on).min(self.ids.len());
            let rest = self.encoded(room, start, self.starts[from]);
            if self.joins(rest.last(), self.ids.get(from)) {
                return rest.len() + self.ids.len() - from;
            }
            on = 2 * on + 1;
            if on > REPEATS
                && on / 2 <= REPEATS
                && let Some(count) = self.repeating_ending(room, start)
            {
                return count;
            }
        }
    }

    /// How many tokens the bytes from `start` on are, if each is the first token of a window that
    /// starts with it. O(tokens) where few windows differ.
    fn repeating_ending(&self, room: &mut Room, start: usize) -> Option<usize> {
        let v = &self.tokenizer.vocabulary;
        let mut firsts = self.firsts.borrow_mut();
        let (mut at, mut count) = (start, 0);
        let mut last = None;
        let mut valid = None;
        while at < self.bytes.len() {
            let window = &self.bytes[at..(at + 2 * v.longest()).min(self.bytes.len())];
            let first = match firsts.get(window) {
                Some(first) => *first,
                None => {
                    if firsts.len() == FIRSTS {
                        firsts.clear();
                    }
                    let first = *merged(v, room, window).first()?;
                    firsts.insert(window, first);
                    first
                }
            };
            let pair = (last, Some(first));
            if valid != Some(pair) && !self.joins(last.as_ref(), Some(&first)) {
                return None;
            }
            valid = Some(pair);
            last = Some(first);
            at += v.token(first).len();
            count += 1;
        }
        Some(count)
    }

    /// The longest beginning of at most `most` tokens, and whether every longer one has more,
    /// however the piece may go on.
    pub(crate) fn longest_beginning(&self, room: &mut Room, most: usize) -> (usize, bool) {
        if self.ids.len() <= most {
            return (self.bytes.len(), false);
        }
        let (mut found, mut full) = (self.starts[most], 1);
        let mut at = found;
        while full < self.reach(at) && at < self.bytes.len() {
            at += 1;
            let count = self.beginning(room, at);
            full = if count < most { 0 } else { full + 1 };
            if count <= most {
                found = at;
            }
        }
        (found, full >= self.reach(at))
    }

    /// How many beginnings up to `at`, or ends from `at` on, must be too long to settle that
    /// nothing longer fits, however the piece may go on.
    fn reach(&self, at: usize) -> usize {
        match at {
            0 => self.tokenizer.vocabulary.longest(),
            _ if at == self.bytes.len() => self.tokenizer.vocabulary.longest(),
            _ => self.tokenizer.vocabulary.adjacent().across(self.bytes, at),
        }
    }

    /// The start of the longest end of at most `most` tokens, and whether every longer one has
    /// more, whatever may precede the piece.
    pub(crate) fn longest_ending(&self, room: &mut Room, most: usize) -> (usize, bool) {
        if self.ids.len() <= most {
            return (0, false);
        }
        let (mut found, mut full) = (self.starts[self.ids.len() - most], 1);
        let mut at = found;
        while full < self.reach(at) && at > 0 {
            at -= 1;
            let count = self.ending(room, at);
            full = if count < most { 0 } else { full + 1 };
            if count <= most {
                found = at;
            }
        }
        (found, full >= self.reach(at))
    }
}

/// The tokens that merging makes of `bytes`, which need not be a piece.
fn merged(v: &Vocabulary, room: &mut Room, bytes: &[u8]) -> Vec<u32> {
    let mut ids = Vec::new();
    if bytes.len() <= SHORT {
        merge(v, room, bytes, |id| ids.push(id));
    } else {
        encode_long(v, room, bytes, &mut ids);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::merge_long;
    use crate::testing::{DATA, dice};

    fn count(tokenizer: &Tokenizer, bytes: &[u8]) -> usize {
        let mut count = 0;
        merge_long(&tokenizer.vocabulary, &mut Room::default(), bytes, |_| count += 1);
        count
    }

    fn pieces() -> Vec<Vec<u8>> {
        let mut roll = dice(11);
        let words =
            ["inter", "nation", "al", "ize", "import", "mpor", "aaaa", "xq", "ing", "通义", "能"];
        let mut pieces: Vec<Vec<u8>> =
            ["a", "ab", " ", "\n ", "=", "é", "中", "👩\u{200d}", "importimpor"]
                .iter()
                .map(|unit| unit.repeat(300 / unit.len()).into_bytes())
                .collect();
        pieces.extend(
            (0..12).map(|_| {
                (0..60).flat_map(|_| words[roll(words.len())].as_bytes().to_vec()).collect()
            }),
        );
        pieces.extend((0..6).map(|_| (0..200).map(|_| b'a' + roll(26) as u8).collect()));
        pieces
    }

    #[test]
    fn every_beginning_and_every_end_is_counted_as_if_it_stood_alone() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let room = &mut Room::default();
        let mut not_monotone = 0;
        for piece in pieces() {
            let inside = Inside::new(&tokenizer, room, &piece);
            let mut before = 0;
            for at in 0..=piece.len() {
                let alone = count(&tokenizer, &piece[..at]);
                assert_eq!(inside.beginning(room, at), alone, "{piece:?} to {at}");
                assert_eq!(
                    inside.ending(room, at),
                    count(&tokenizer, &piece[at..]),
                    "{piece:?} {at}"
                );
                not_monotone += usize::from(alone < before);
                before = alone;
            }
        }
        assert!(not_monotone > 100, "{not_monotone}");
    }

    #[test]
    fn ends_of_a_piece_that_repeats_are_counted_by_their_windows() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let room = &mut Room::default();
        let mut alone = 0;
        for unit in ["    \n", "\u{a0}", "👩\u{200d}", "=-", "xq", "\t\n  "] {
            let mut piece = unit.repeat(20_000 / unit.len()).into_bytes();
            for end in ["", "\n", "ing"] {
                piece.extend(end.bytes());
                let inside = Inside::new(&tokenizer, room, &piece);
                for start in (0..80).chain(5_000..5_020).chain(piece.len() - 40..piece.len()) {
                    let expected = count(&tokenizer, &piece[start..]);
                    let found = inside.repeating_ending(room, start);
                    assert_eq!(found, Some(expected), "{unit:?} {end:?} from {start}");
                    assert_eq!(inside.ending(room, start), expected, "{unit:?} {end:?} {start}");
                }
                let met = |start| inside.starts.binary_search(&start).is_ok();
                alone += (0..80).filter(|start| !met(*start)).count();
            }
        }
        assert!(alone > 500, "{alone}");
        for piece in pieces() {
            let inside = Inside::new(&tokenizer, room, &piece);
            for start in 0..piece.len() {
                let expected = count(&tokenizer, &piece[start..]);
                let found = inside.repeating_ending(room, start);
                assert!(found.is_none_or(|found| found == expected), "{piece:?} from {start}");
            }
        }
    }

    #[test]
    fn the_longest_beginning_and_end_are_those_that_trying_all_finds() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let room = &mut Room::default();
        for piece in pieces() {
            let n = piece.len();
            let heads: Vec<usize> = (0..=n).map(|at| count(&tokenizer, &piece[..at])).collect();
            let tails: Vec<usize> = (0..=n).map(|at| count(&tokenizer, &piece[at..])).collect();
            let inside = Inside::new(&tokenizer, room, &piece);
            for most in 0..heads[n] + 2 {
                let head = (0..=n).rev().find(|at| heads[*at] <= most);
                let tail = (0..=n).find(|at| tails[*at] <= most);
                assert_eq!(Some(inside.longest_beginning(room, most).0), head, "{piece:?} {most}");
                assert_eq!(Some(inside.longest_ending(room, most).0), tail, "{piece:?} {most}");
            }
        }
    }
}
