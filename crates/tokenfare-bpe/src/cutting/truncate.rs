//! The longest beginning or end of a text that has at most so many tokens.
//!
//! **What is promised.** Of all places of the text (see `graphemes`),
//! [`Tokenizer::longest_beginning`] finds the last one up to which the text, counted alone, has at
//! most `limit` tokens, and [`Tokenizer::longest_ending`] the first one from which on it has.
//!
//! Counts are not monotone: a longer beginning may have fewer tokens than a shorter one (`impor` is
//! two, `import` is one). So neither bisection nor the end of the n-th token finds that place, and
//! counting up to each place is quadratic. Three facts leave only a few places to try:
//!
//! 1. Counts add up at cuts (`cuts`). Once a text has `limit` tokens up to a cut, nothing that
//!    reaches beyond the cut fits. So whole blocks between cuts are counted, and the answer is in
//!    the first block that goes over the limit.
//! 2. Within a block, counts add up at the ends of pieces, except for the last ones (`beginnings`,
//!    `endings`).
//! 3. Within a piece, `inside` says from where on every longer beginning has more tokens.
//!
//! A block without a cut (a word, a run of emoji, of any length) is looked at through a window at
//! its beginning, which is doubled until the answer is certain whatever follows.
//!
//! The cost is that of counting the result and one window beyond it: it depends on the limit, not
//! on the length of the text.

use std::ops::Range;

use crate::cutting::Span;
use crate::cutting::beginnings::Beginnings;
use crate::cutting::endings::Endings;
use crate::cutting::graphemes::{Window, is_place, place_after, place_before};
use crate::interrupts::worked;
use crate::memory::Memory;
use crate::pieces::splitting::Splitting;
use crate::tokenizer::Tokenizer;

/// Places that are looked at between two calls of [`worked`].
const STRIDE: usize = 1 << 16;

/// Bytes that are counted at a time.
pub(crate) const BLOCK: usize = 2048;

/// A longer block has few cuts, and is looked at through windows.
const LONG: usize = 2 * BLOCK;

/// Least size of a window in bytes.
const WINDOW: usize = 192;

/// A block with more than this many bytes for each token of the limit is unlikely to fit.
const LIKELY: usize = 6;

/// Size of the first window in bytes: about what `limit` tokens have in text without words, and
/// some more to see that nothing longer fits. All of a window is encoded, and little of it may be
/// of use.
fn first_window(limit: usize) -> usize {
    limit.saturating_mul(2).saturating_add(WINDOW)
}

/// Where a text is cut, in bytes from its start, and how many tokens are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The end of the beginning that is kept, or the start of the end that is kept.
    pub at: usize,
    /// Tokens of what is kept, counted alone.
    pub tokens: usize,
}

/// The first place at or after `from` where counts add up, or the end of the text.
pub(crate) fn next_edge(splitting: &Splitting, text: &str, mut from: usize) -> usize {
    while from < text.len() {
        from = splitting.next_cut(text.as_bytes(), from);
        if is_place(text, from) {
            return from;
        }
        from += 1;
    }
    text.len()
}

/// The last place at or before `from` where counts add up, or the start of the text.
fn previous_edge(splitting: &Splitting, text: &str, from: usize) -> usize {
    let edge = |at: &usize| splitting.is_cut(text.as_bytes(), *at) && is_place(text, *at);
    let mut end = from + 1;
    while end > 1 {
        let start = end.saturating_sub(STRIDE).max(1);
        if let Some(found) = (start..end).rev().find(edge) {
            return found;
        }
        worked(end - start);
        end = start;
    }
    0
}

impl Tokenizer {
    /// The longest beginning of `text` that ends between grapheme clusters and has at most `limit`
    /// tokens, counted alone. Fails with the first cluster if not even that fits.
    ///
    /// The cost depends on the limit, not on the length of the text.
    pub fn longest_beginning(&self, text: &str, limit: usize) -> Result<Cut, Span> {
        let cut = self.beginning(text, limit);
        if cut.at > 0 || text.is_empty() { Ok(cut) } else { Err(self.first_cluster(text)) }
    }

    /// The longest end of `text` that starts between grapheme clusters and has at most `limit`
    /// tokens, counted alone. Fails with the last cluster if not even that fits.
    ///
    /// The cost depends on the limit, not on the length of the text.
    pub fn longest_ending(&self, text: &str, limit: usize) -> Result<Cut, Span> {
        let cut = self.with_memory(|memory| self.ending(memory, text, limit));
        if cut.at < text.len() || text.is_empty() { Ok(cut) } else { Err(self.last_cluster(text)) }
    }

    /// A beginning and an end of `text` that together, joined, have at most `limit` tokens; returns
    /// the end of the one and the start of the other. Fails with the first cluster if there is room
    /// for neither.
    ///
    /// The beginning is the longest within half of the limit, rounded up. The end is the longest
    /// within what is left. Where the two meet, joining them may add tokens; the end is then
    /// shortened, cluster by cluster, until they fit.
    pub fn both_ends(&self, text: &str, limit: usize) -> Result<(usize, usize), Span> {
        if self.beginning(text, limit).at == text.len() {
            return Ok((text.len(), text.len()));
        }
        let head = self.beginning(text, limit - limit / 2);
        let rest = &text[head.at..];
        let tail = self.with_memory(|memory| self.ending(memory, rest, limit - head.tokens));
        let mut start = head.at + tail.at;
        while self.count_up_to(&[&text[..head.at], &text[start..]].concat(), limit).is_none() {
            start = head.at + place_after(rest, start - head.at + 1);
        }
        if head.at == 0 && start == text.len() {
            return Err(self.first_cluster(text));
        }
        Ok((head.at, start))
    }

    fn first_cluster(&self, text: &str) -> Span {
        let end = place_after(text, 1);
        Span { start: 0, end, tokens: self.count(&text[..end]) }
    }

    fn last_cluster(&self, text: &str) -> Span {
        let start = place_before(text, text.len() - 1);
        Span { start, end: text.len(), tokens: self.count(&text[start..]) }
    }

    fn beginning(&self, text: &str, limit: usize) -> Cut {
        self.with_memory(|memory| {
            let (mut at, mut tokens) = (0, 0);
            while at < text.len() {
                worked(BLOCK);
                let end = next_edge(&self.splitting, text, at + BLOCK);
                let cut = self.beginning_of(memory, &text[at..end], limit - tokens);
                at += cut.at;
                tokens += cut.tokens;
                if at < end {
                    break;
                }
            }
            Cut { at, tokens }
        })
    }

    /// The same as `longest_ending`; empty if not even the last cluster fits.
    fn ending(&self, memory: &mut Memory, text: &str, limit: usize) -> Cut {
        self.wanted_ending(memory, text, limit, |_| true)
    }

    /// The same as `ending`, for a caller that needs only an end that starts in a `wanted` stretch.
    /// If the end would start in another stretch, returns what follows that stretch instead of
    /// searching it.
    pub(crate) fn wanted_ending(
        &self,
        memory: &mut Memory,
        text: &str,
        limit: usize,
        wanted: impl Fn(Range<usize>) -> bool,
    ) -> Cut {
        let (mut at, mut tokens) = (text.len(), 0);
        while at > 0 {
            worked(BLOCK);
            let start = previous_edge(&self.splitting, text, at.saturating_sub(BLOCK));
            if at - start <= LONG {
                let count = self.count_stretch(memory, &text[start..at]);
                if count <= limit - tokens {
                    (at, tokens) = (start, tokens + count);
                    continue;
                }
            }
            if !wanted(start..at) {
                break;
            }
            let cut = self.ending_of(memory, &text[start..at], limit - tokens);
            at = start + cut.at;
            tokens += cut.tokens;
            if at > start {
                break;
            }
        }
        Cut { at, tokens }
    }

    /// The longest beginning of a block that starts at a place. O(length of the block), or less.
    pub(crate) fn beginning_of(&self, memory: &mut Memory, block: &str, limit: usize) -> Cut {
        if block.len() <= LONG.min(limit.saturating_mul(LIKELY)) {
            let tokens = self.count_stretch(memory, block);
            if tokens <= limit {
                return Cut { at: block.len(), tokens };
            }
        }
        let mut size = first_window(limit).min(block.len());
        loop {
            let end = place_after(block, size);
            let window = Window::new(&self.splitting, &block[..end]);
            let (cut, certain) = self.beginning_in(memory, &window, limit);
            if certain || end == block.len() {
                return cut;
            }
            size = (2 * end).min(block.len());
        }
    }

    fn beginning_in(&self, memory: &mut Memory, window: &Window<'_>, limit: usize) -> (Cut, bool) {
        let mut beginnings = Beginnings::new(self, memory, window.normal().as_bytes(), limit);
        let reach = beginnings.reach(memory);
        let mut place = window.before(reach.at);
        loop {
            let tokens = beginnings.count_to(memory, place.normal);
            if tokens <= limit {
                return (Cut { at: place.raw, tokens }, reach.certain);
            }
            place = window.before(place.normal - 1); // up to 0 there are 0 tokens
        }
    }

    /// The longest end of a block that ends at a place where counts add up.
    fn ending_of(&self, memory: &mut Memory, block: &str, limit: usize) -> Cut {
        let mut size = first_window(limit).min(block.len());
        loop {
            let start = place_before(block, block.len() - size);
            let window = Window::new(&self.splitting, &block[start..]);
            let (cut, certain) = self.ending_in(memory, &window, limit);
            if certain || start == 0 {
                return Cut { at: start + cut.at, tokens: cut.tokens };
            }
            size = (2 * (block.len() - start)).min(block.len());
        }
    }

    fn ending_in(&self, memory: &mut Memory, window: &Window<'_>, limit: usize) -> (Cut, bool) {
        let mut endings = Endings::new(self, memory, window.normal().as_bytes(), limit);
        if endings.tokens() <= limit {
            return (Cut { at: 0, tokens: endings.tokens() }, false);
        }
        let reach = endings.reach(memory);
        let mut place = window.after(reach.first);
        loop {
            if reach.pause < place.normal && place.normal < reach.then {
                place = window.after(reach.then);
            }
            let tokens = endings.count_from(memory, place.normal);
            if tokens <= limit {
                return (Cut { at: place.raw, tokens }, reach.certain);
            }
            place = window.after(place.normal + 1); // at the end there are 0 tokens
        }
    }
}
