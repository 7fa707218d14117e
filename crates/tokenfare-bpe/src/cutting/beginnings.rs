//! The longest beginning of a normalized text that has at most `limit` tokens.
//!
//! The plain way counts the text up to every place. Here the pieces are counted once, and only the
//! last piece, or the last run of white space, is looked into.
//!
//! **Claim.** Let N be the text, and b a position where a piece of N ends. Then b also ends a piece
//! of every longer beginning of N, unless everything from the start of that piece to the end of the
//! beginning is white space.
//!
//! **Proof.** A piece depends on the text from its start only. Apart from white space before the
//! end of the text (`\s+(?!\S)`, in some patterns `\s++$`), no alternative of a pattern asks what
//! follows its match. So every match in a beginning is a match in N too. The match that N takes is
//! therefore the one that the beginning takes, if the beginning contains it; and an alternative
//! that fails in N fails in the beginning. `(?!\S)` and `$` hold at the end of a beginning where
//! they may not hold in N, but only for white space that reaches that end. ∎
//!
//! So the count of a beginning is that of the pieces of N before its last piece, or before the
//! white space that it ends with, plus the count of the rest, split and encoded alone. The counts
//! at the starts of pieces only grow. Let b be the last start of a piece before which N has at most
//! `limit` tokens. Then no beginning fits that reaches beyond the piece at b, or beyond the white
//! space that this piece is part of. What is left is one piece or one run of white space, and
//! `inside` says how far it can fit.
//!
//! White space is split after its last line end. So a run of it that is cut off counts as one piece
//! up to the last line end before the cut, and one for the rest.

use crate::counting::count_piece;
use crate::cutting::inside::Inside;
use crate::memory::Memory;
use crate::tokenizer::Tokenizer;
use crate::unicode::classes::{CLASS, SPACE, class_at};

/// Pieces of up to this many bytes are encoded anew for each beginning that is tried.
const SHORT: usize = 64;

/// Length of the longest contraction in bytes.
const CONTRACTION: usize = 3;

/// The pieces of a text, up to the first with which it has more than `limit` tokens.
pub(crate) struct Beginnings<'a> {
    tokenizer: &'a Tokenizer,
    text: &'a [u8],
    limit: usize,
    /// Where each piece starts, and how many tokens precede it.
    starts: Vec<(usize, usize)>,
    /// The end of the last of these pieces.
    end: usize,
    /// Long pieces that were encoded, with their starts.
    inside: Vec<(usize, Inside<'a>)>,
}

/// How far a beginning may reach, and whether it is certain that none reaches further, whatever
/// text follows.
pub(crate) struct Reach {
    pub(crate) at: usize,
    pub(crate) certain: bool,
}

impl<'a> Beginnings<'a> {
    /// Counts the pieces of a text, which is not empty, until there are more than `limit` tokens.
    pub(crate) fn new(
        tokenizer: &'a Tokenizer,
        memory: &mut Memory,
        text: &'a [u8],
        limit: usize,
    ) -> Self {
        let mut found =
            Beginnings { tokenizer, text, limit, starts: Vec::new(), end: 0, inside: Vec::new() };
        let mut tokens = 0;
        while found.end < text.len() && tokens <= limit {
            let start = found.end;
            found.starts.push((start, tokens));
            found.end = tokenizer.splitting.piece_end(text, start);
            tokens += found.count(memory, start, found.end);
        }
        found
    }

    /// Tokens of `text[start..end]`, which is one piece.
    fn count(&mut self, memory: &mut Memory, start: usize, end: usize) -> usize {
        let (v, piece) = (&self.tokenizer.vocabulary, &self.text[start..end]);
        if piece.len() <= SHORT || v.spare_piece(piece).is_some() {
            return count_piece(v, memory, self.text, start, end);
        }
        self.inside(memory, start, end).beginning(&mut memory.room, end - start)
    }

    /// The encoded stretch that starts at `start` and reaches `end` or beyond.
    fn inside(&mut self, memory: &mut Memory, start: usize, end: usize) -> &Inside<'a> {
        let known = self.inside.iter().position(|(at, it)| *at == start && end <= at + it.len());
        let place = known.unwrap_or_else(|| {
            let new = Inside::new(self.tokenizer, &mut memory.room, &self.text[start..end]);
            self.inside.push((start, new));
            self.inside.len() - 1
        });
        &self.inside[place].1
    }

    /// The furthest position up to which the text may have at most `limit` tokens.
    pub(crate) fn reach(&mut self, memory: &mut Memory) -> Reach {
        let last = self.starts.len() - 1;
        let (start, before) = self.starts[last];
        let white = white_end(self.text, start);
        if white >= self.end {
            return self.reach_in_white_space(memory, last, white);
        }
        let inner = self.end < self.text.len();
        if self.end - start <= SHORT {
            return Reach { at: self.end, certain: inner };
        }
        let (most, end) = (self.limit - before, self.end);
        let (at, sure) = self.longest_beginning(memory, start, end, most);
        // Some patterns end a word with a contraction, which is a piece of its own if it is cut
        // off.
        let at = (at + CONTRACTION).min(end);
        Reach { at: white.max(at), certain: inner || sure }
    }

    /// Where the longest beginning of a stretch ends that has at most `most` tokens as one piece,
    /// and whether every longer one has more, however the stretch may go on.
    fn longest_beginning(
        &mut self,
        memory: &mut Memory,
        start: usize,
        end: usize,
        most: usize,
    ) -> (usize, bool) {
        let (length, sure) =
            self.inside(memory, start, end).longest_beginning(&mut memory.room, most);
        // A spare token: a piece may be one token although merging does not lead to it.
        let spare = self.tokenizer.vocabulary.longest_spare_piece;
        ((start + length.max(spare)).min(end), sure)
    }

    fn reach_in_white_space(&mut self, memory: &mut Memory, last: usize, end: usize) -> Reach {
        let (start, before) = self.starts[self.white_before(last)];
        let inner = end < self.text.len();
        if end - start <= SHORT {
            return Reach { at: end, certain: inner };
        }
        let most = self.limit - before;
        let (at, sure) = self.longest_beginning(memory, start, end, most);
        let whole = Reach { at, certain: inner || sure };
        let Some(lines) = self.text[start..whole.at].iter().rposition(|b| is_line_end(*b)) else {
            return whole;
        };
        let line = start + lines + 1;
        let used = self.count(memory, start, line);
        if used > most {
            return whole;
        }
        let next = self.text[line..end].iter().position(|b| is_line_end(*b));
        let line_end = next.map_or(end, |length| line + length);
        let (at, _) = self.longest_beginning(memory, line, line_end, most - used);
        let certain = inner || sure && at < end;
        Reach { at: whole.at.max(at), certain }
    }

    /// The first of the pieces of white space that lead up to the start of piece `at`; `at` itself
    /// if there are none.
    fn white_before(&self, mut at: usize) -> usize {
        while at > 0
            && white_end(&self.text[..self.starts[at].0], self.starts[at - 1].0)
                == self.starts[at].0
        {
            at -= 1;
        }
        at
    }

    /// Tokens of the text up to `end`, counted alone.
    pub(crate) fn count_to(&mut self, memory: &mut Memory, end: usize) -> usize {
        let text = &self.text[..end];
        let mut at = self.starts.partition_point(|(start, _)| *start <= end) - 1;
        if white_end(text, self.starts[at].0) == end {
            at = self.white_before(at);
        }
        let (mut start, mut count) = self.starts[at];
        while start < end {
            let next = self.tokenizer.splitting.piece_end(text, start);
            count += self.count(memory, start, next);
            start = next;
        }
        count
    }
}

/// The end of the white space that starts at `at`; `at` if there is none.
fn white_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let (class, length) = class_at(text, at);
        if class & CLASS != SPACE {
            break;
        }
        at += length;
    }
    at
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}
