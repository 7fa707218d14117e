//! Splitting a text into chunks of at most so many tokens, each ending at the best boundary that it
//! can reach.
//!
//! The plain way counts the text from the start of each chunk to every boundary. Here the longest
//! beginning of the rest that fits is found as in `truncate`, and within it the last boundary of
//! the best kind (`boundaries`). If there is no boundary, that beginning is the chunk. Every chunk
//! is counted alone before it is returned, so none exceeds the limit.
//!
//! **Linear time.** The text is counted once, in blocks between cuts, and the counts of blocks are
//! kept. A chunk costs as much as its window, the stretch of at most `limit` tokens after its
//! start. It may be much shorter than its window, if the best boundary comes early. But then the
//! rest of the window has no boundary as good, so the next chunk either ends beyond this window or
//! at a boundary of lower rank. There are twenty-two ranks (eleven kinds, each near the start of
//! the window or not), so at most that many chunks in a row end in one window. With an overlap,
//! there are as many windows as chunks.

use std::ops::Range;

use crate::cutting::Span;
use crate::cutting::boundaries::{
    Stretch, best_boundary, blanks_before, first_sentence, first_word,
};
use crate::cutting::fences::Fences;
use crate::cutting::graphemes::place_after;
use crate::cutting::truncate::{BLOCK, next_edge};
use crate::interrupts::worked;
use crate::memory::Memory;
use crate::tokenizer::Tokenizer;

/// A chunk is not shorter than its window divided by this, if a sentence ends further on; an
/// overlap is not shorter than one that starts at a word, divided by this.
const NEAR: usize = 4;

impl Tokenizer {
    /// Splits `text` into chunks of at most `limit` tokens. Each chunk but the first starts with up
    /// to `overlap` tokens of the end of the one before, counted alone; if `overlap` is 0, the
    /// chunks join to the text.
    ///
    /// An overlap starts at the start of a sentence or a line, or at a word if that would leave
    /// less than a quarter of the overlap. It is left out where the chunk could not go on with it.
    ///
    /// Fails with the first grapheme cluster that has more than `limit` tokens.
    pub fn split(&self, text: &str, limit: usize, overlap: usize) -> Result<Vec<Span>, Span> {
        self.with_memory(|memory| {
            let mut spans = Vec::new();
            let mut chunking = Chunking {
                tokenizer: self,
                text,
                limit,
                blocks: Vec::new(),
                head: None,
                fences: Fences::default(),
            };
            let (mut start, mut done) = (0, 0);
            while done < text.len() {
                let span = match chunking.chunk(memory, start, done) {
                    None if start < done => chunking.chunk(memory, done, done),
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
                start = chunking.overlap_start(memory, span, overlap);
            }
            Ok(spans)
        })
    }
}

/// A text that is being split, and the counts of its blocks as far as they were needed.
struct Chunking<'a> {
    tokenizer: &'a Tokenizer,
    text: &'a str,
    limit: usize,
    /// The end of each block, and its tokens once they are counted.
    blocks: Vec<(usize, Option<usize>)>,
    /// Where the current chunk starts, and its tokens up to the end of the block in which it
    /// starts.
    head: Option<(usize, usize)>,
    fences: Fences,
}

impl Chunking<'_> {
    /// The chunk that starts at `start` and ends after `done`; `None` if nothing there fits.
    fn chunk(&mut self, memory: &mut Memory, start: usize, done: usize) -> Option<Span> {
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
            to = end - 1; // a shorter text may have more tokens than a longer one
        }
        (longest.end > done).then_some(longest)
    }

    /// The longest chunk that starts at `start`, whatever boundary it ends at.
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

    /// Where the next chunk starts: at the first sentence or line of this one from which on it has
    /// at most `overlap` tokens, or at the first such word if a sentence or line would leave too
    /// little.
    fn overlap_start(&mut self, memory: &mut Memory, span: Span, overlap: usize) -> usize {
        if overlap == 0 {
            return span.end;
        }
        let Some(word) = self.overlap_word(memory, span, overlap) else { return span.end };
        let mut from = blanks_before(self.text, word).max(span.start + 1); // with its indentation
        let to = span.end - (span.end - word).div_ceil(NEAR) + 1;
        while let Some(start) = first_sentence(self.text, &mut self.fences, from, to) {
            if self.count(memory, start, span.end) <= overlap {
                return start;
            }
            from = start + 1;
        }
        word
    }

    /// The first word from which on a chunk has at most `overlap` tokens. Where words are far apart
    /// there may be none, and that is cheaper to see than where the limit falls.
    fn overlap_word(&mut self, memory: &mut Memory, span: Span, overlap: usize) -> Option<usize> {
        let chunk = &self.text[span.start..span.end];
        let has_word = |stretch: Range<usize>| {
            let (from, to) = (span.start + stretch.start, span.start + stretch.end);
            first_word(self.text, from, to).is_some()
        };
        let mut from =
            span.start + self.tokenizer.wanted_ending(memory, chunk, overlap, has_word).at;
        if from == span.start {
            from += 1; // the next chunk must start after the start of this one
        }
        while let Some(start) = first_word(self.text, from, span.end) {
            if self.count(memory, start, span.end) <= overlap {
                return Some(start);
            }
            from = start + 1;
        }
        None
    }

    /// The end of a block, and its tokens if they are known.
    fn block(&mut self, block: usize) -> (usize, Option<usize>) {
        while self.blocks.len() <= block {
            let start = self.blocks.last().map_or(0, |(end, _)| *end);
            self.blocks
                .push((next_edge(&self.tokenizer.splitting, self.text, start + BLOCK), None));
        }
        self.blocks[block]
    }

    /// The block that contains `at`, before its end.
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
    use crate::testing::{DATA, dice};

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

    /// Where the overlap of a chunk starts, by definition: at the first word that fits, or at the
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
        let mut roll = dice(3);
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
                    // Left out, since nothing behind the chunk fits together with it.
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
