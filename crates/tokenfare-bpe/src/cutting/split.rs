//! A text in pieces of at most so many tokens, each cut at the best boundary that it can reach.
//!
//! From where a piece starts, the longest beginning of the rest that fits is found as in `truncate`,
//! and within it the last boundary of the best kind (`boundaries`); where there is none, the beginning
//! itself is the piece. Every piece is counted alone before it is given out, so none is over the limit.
//!
//! **Linear time.** The text is counted once, in blocks between cuts, and the blocks' counts are kept.
//! A piece costs what its window costs, the stretch of at most `limit` tokens behind its start. A
//! piece may be much shorter than its window, where the best boundary comes early; but then none as
//! good stands in the rest of the window, so the next piece is longer or ends at a worse kind. There
//! are eleven kinds, so at most that many pieces in a row end in one window. With an overlap, windows
//! are as many as pieces.

use std::ops::Range;

use crate::cutting::boundaries::{
    Stretch, best_boundary, blanks_before, first_sentence, first_word,
};
use crate::cutting::fences::Fences;
use crate::cutting::graphemes::place_after;
use crate::cutting::truncate::{BLOCK, next_edge};
use crate::interrupts::worked;
use crate::memory::Memory;
use crate::tokenizer::Tokenizer;

/// A piece is no shorter than this part of its window where a sentence ends behind that; nor an overlap
/// than this part of one that starts at a word.
const NEAR: usize = 4;

/// A piece of a text, in bytes from the text's start, and its tokens, counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How many tokens it is.
    pub tokens: usize,
}

impl Tokenizer {
    /// Splits `text` into pieces of at most `limit` tokens. Each piece but the first starts with at most
    /// `overlap` tokens of the one before, counted alone; with none, the pieces join to the text.
    ///
    /// An overlap starts where a sentence or a line does, or at a word where that leaves less than a
    /// quarter of it.
    /// An overlap is left out where the piece could not go on with it. Fails with the first grapheme
    /// cluster that is more than `limit` tokens.
    pub fn split(&self, text: &str, limit: usize, overlap: usize) -> Result<Vec<Span>, Span> {
        self.with_memory(|memory| {
            let mut spans = Vec::new();
            let mut splitting = Splitting {
                tokenizer: self,
                text,
                limit,
                blocks: Vec::new(),
                head: None,
                fences: Fences::default(),
            };
            let (mut start, mut done) = (0, 0);
            while done < text.len() {
                let span = match splitting.piece(memory, start, done) {
                    None if start < done => splitting.piece(memory, done, done),
                    found => found,
                };
                let Some(span) = span else {
                    let end = done + place_after(&text[done..], 1);
                    let tokens = self.count_part(memory, &text[done..end]);
                    return Err(Span { start: done, end, tokens });
                };
                worked(span.end - done);
                spans.push(span);
                done = span.end;
                start = splitting.overlap_start(memory, span, overlap);
            }
            Ok(spans)
        })
    }
}

/// A text being split, and the counts of its blocks as far as they were needed.
struct Splitting<'a> {
    tokenizer: &'a Tokenizer,
    text: &'a str,
    limit: usize,
    /// The end of each block, and its tokens once it was counted.
    blocks: Vec<(usize, Option<usize>)>,
    /// Where the piece at hand starts, and its tokens up to the end of the block it starts in.
    head: Option<(usize, usize)>,
    fences: Fences,
}

impl Splitting<'_> {
    /// The piece that starts at `start` and ends behind `done`, or `None` if nothing there fits.
    fn piece(&mut self, memory: &mut Memory, start: usize, done: usize) -> Option<Span> {
        let longest = self.longest(memory, start);
        if longest.end == self.text.len() {
            return Some(longest);
        }
        let near = start + (longest.end - start) / NEAR;
        let mut to = longest.end;
        while let Some(end) =
            best_boundary(self.text, &mut self.fences, Stretch { from: done, near, to })
        {
            let tokens = self.count(memory, start, end);
            if tokens <= self.limit {
                return Some(Span { start, end, tokens });
            }
            to = end - 1; // a shorter text may be more tokens than a longer one
        }
        (longest.end > done).then_some(longest)
    }

    /// The longest piece that starts at `start`.
    fn longest(&mut self, memory: &mut Memory, start: usize) -> Span {
        let (mut end, mut tokens) = (start, 0);
        let mut block = self.block_behind(start);
        while end < self.text.len() {
            let (next, known) = self.block(block);
            let left = self.limit - tokens;
            let whole =
                known.filter(|_| self.starts_block(end, block)).filter(|count| *count <= left);
            if let Some(count) = whole {
                (end, tokens) = (next, tokens + count);
                block += 1;
                continue;
            }
            let cut = self.tokenizer.beginning_of(memory, &self.text[end..next], left);
            if end + cut.at == next && self.starts_block(end, block) {
                self.blocks[block].1 = Some(cut.tokens);
            } else if end + cut.at == next {
                self.head = Some((start, cut.tokens));
            }
            (end, tokens) = (end + cut.at, tokens + cut.tokens);
            if end < next {
                break;
            }
            block += 1;
        }
        Span { start, end, tokens }
    }

    /// Tokens of `text[start..end]`, counted alone.
    fn count(&mut self, memory: &mut Memory, start: usize, end: usize) -> usize {
        let (mut at, mut tokens) = (start, 0);
        let mut block = self.block_behind(start);
        loop {
            let (next, known) = self.block(block);
            let until = next.min(end);
            let head = self.head.filter(|(start, _)| *start == at).map(|(_, count)| count);
            tokens += match known.filter(|_| self.starts_block(at, block)).or(head) {
                Some(count) if until == next => count,
                _ => self.tokenizer.count_stretch(memory, &self.text[at..until]),
            };
            if until == end {
                return tokens;
            }
            at = until;
            block += 1;
        }
    }

    /// Where the next piece starts: at the first sentence or line of this one from which on it is at
    /// most `overlap` tokens, or at the first word where that leaves little.
    fn overlap_start(&mut self, memory: &mut Memory, span: Span, overlap: usize) -> usize {
        if overlap == 0 {
            return span.end;
        }
        let Some(word) = self.overlap_word(memory, span, overlap) else { return span.end };
        let mut from = blanks_before(self.text, word).max(span.start + 1); // a line has its indentation
        let to = span.end - (span.end - word).div_ceil(NEAR) + 1;
        while let Some(start) = first_sentence(self.text, &mut self.fences, from, to) {
            if self.count(memory, start, span.end) <= overlap {
                return start;
            }
            from = start + 1;
        }
        word
    }

    /// The first word from which on a piece is at most `overlap` tokens. Where words are far apart there
    /// is none, and that is cheaper to see than where the limit falls.
    fn overlap_word(&mut self, memory: &mut Memory, span: Span, overlap: usize) -> Option<usize> {
        let piece = &self.text[span.start..span.end];
        let has_word = |stretch: Range<usize>| {
            let (from, to) = (span.start + stretch.start, span.start + stretch.end);
            first_word(self.text, from, to).is_some()
        };
        let mut from =
            span.start + self.tokenizer.wanted_ending(memory, piece, overlap, has_word).at;
        if from == span.start {
            from += 1; // the next piece starts behind this one's start
        }
        while let Some(start) = first_word(self.text, from, span.end) {
            if self.count(memory, start, span.end) <= overlap {
                return Some(start);
            }
            from = start + 1;
        }
        None
    }

    /// The end of a block and its tokens, if they are known.
    fn block(&mut self, block: usize) -> (usize, Option<usize>) {
        while self.blocks.len() <= block {
            let start = self.blocks.last().map_or(0, |(end, _)| *end);
            self.blocks
                .push((next_edge(&self.tokenizer.splitting, self.text, start + BLOCK), None));
        }
        self.blocks[block]
    }

    /// The block in which `at` lies, before its end.
    fn block_behind(&mut self, at: usize) -> usize {
        while self.blocks.last().is_none_or(|(end, _)| *end <= at && *end < self.text.len()) {
            self.block(self.blocks.len());
        }
        self.blocks.partition_point(|(end, _)| *end <= at).min(self.blocks.len() - 1)
    }

    fn starts_block(&self, at: usize, block: usize) -> bool {
        at == if block == 0 { 0 } else { self.blocks[block - 1].0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &[u8] = include_bytes!("../../../../src/tokenfare/tokenizers/data/qwen.bpe");

    /// Runs without a word in them, and words, in all mixtures.
    const UNITS: [&str; 18] = [
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "====================================================================",
        "xqzjvkwpfygbhcmdnrtlsxqzjvkwpfygbhcmdnrtlsxqzjvkwpfygbhcmdnrtls",
        "                                                                                       ",
        "\n\n\n\n\n\n\n\n\n\n",
        " ",
        "word ",
        "impor",
        "t",
        "One more. ",
        "Next.\n\n",
        "    one.step()\n",
        "a colon:\r",
        "```\n",
        "通义千问具有强大的能力",
        "한국어 ",
        "e\u{301} \u{301}",
        "👩\u{200d}👧",
    ];

    /// Where the overlap of a piece starts, by its definition: the first word of those that fit, or the
    /// first line or sentence from there on that leaves a quarter of it.
    fn first_that_fits(
        tokenizer: &Tokenizer,
        text: &str,
        span: Span,
        overlap: usize,
    ) -> Option<usize> {
        let fits = |at: &usize| tokenizer.count(&text[*at..span.end]) <= overlap;
        let places = span.start + 1..span.end;
        let mut words = places.clone().filter_map(|at| first_word(text, at, at + 1));
        let word = words.find(fits)?;
        let enough = |at: &usize| 4 * (span.end - at) >= span.end - word;
        let indentation =
            |at: &usize| word - at <= 256 && text[*at..word].trim_matches(' ').is_empty();
        places
            .filter_map(|at| first_sentence(text, &mut Fences::default(), at, at + 1))
            .filter(|at| *at >= word || indentation(at))
            .filter(enough)
            .find(fits)
            .or(Some(word))
    }

    #[test]
    fn an_overlap_starts_at_the_first_sentence_that_fits_or_word() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let mut state = 3u64;
        let mut roll = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % sides
        };
        let (mut overlaps, mut without, mut sentences) = (0, 0, 0);
        for _ in 0..1_000 {
            let few: Vec<&str> = (0..1 + roll(4)).map(|_| UNITS[roll(UNITS.len())]).collect();
            let text: String = (0..roll(80)).map(|_| few[roll(few.len())]).collect();
            let limit = 15 + roll(80);
            let overlap = 1 + roll(limit - 1);
            let spans = tokenizer.split(&text, limit, overlap).unwrap();
            for pair in spans.windows(2) {
                let expected = first_that_fits(&tokenizer, &text, pair[0], overlap);
                without += usize::from(expected.is_none());
                let Some(expected) = expected else {
                    assert_eq!(pair[1].start, pair[0].end, "{text:?} {limit} {overlap}");
                    continue;
                };
                overlaps += usize::from(pair[1].start == expected);
                let mut fences = Fences::default();
                sentences += usize::from(
                    first_sentence(&text, &mut fences, expected, expected + 1).is_some(),
                );
                if pair[1].start != expected {
                    // Left out, since nothing behind the piece fits together with it.
                    assert_eq!(pair[1].start, pair[0].end, "{text:?} {limit} {overlap}");
                    let next = tokenizer.longest_beginning(&text[expected..], limit).unwrap();
                    assert!(expected + next.at <= pair[0].end, "{text:?} {limit} {overlap}");
                }
            }
        }
        let seen = [overlaps, without, sentences, overlaps - sentences];
        assert!(seen.iter().all(|times| *times > 1_000), "{seen:?}");
    }
}
