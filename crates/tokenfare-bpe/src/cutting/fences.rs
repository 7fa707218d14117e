//! Where the fenced code blocks of Markdown are: those between lines of ``` or ~~~.
//!
//! As in CommonMark, a fence is a line that starts with three or more of one character. It is
//! closed by a line of at least as many and nothing else, or by the end of the text. Unlike in
//! CommonMark, any indentation is allowed, since fences in lists have some.

use std::ops::Range;

use memchr::{memchr, memchr2, memrchr2};

/// The blocks of a text, as far as it was read. A block extends from the start of its opening line
/// to the end of its closing line, including the line break.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    blocks: Vec<Range<usize>>,
    /// The block that is not closed yet: its start, its character, and how many of them open it.
    open: Option<(usize, u8, usize)>,
    known: usize,
}

impl Fences {
    /// Whether `at`, the start of a line, is inside a block of `text`, which must be the same text
    /// in every call. O(length of the text not yet read).
    pub(crate) fn contain(&mut self, text: &str, at: usize) -> bool {
        self.look(text, at);
        let next = self.blocks.partition_point(|block| block.end <= at);
        self.blocks.get(next).is_some_and(|block| block.start < at)
            || self.open.is_some_and(|(start, ..)| start < at)
    }

    /// Reads the lines up to the one that contains `to`.
    fn look(&mut self, text: &str, to: usize) {
        let bytes = text.as_bytes();
        while self.known < to {
            let Some(found) = memchr2(b'`', b'~', &bytes[self.known..to]) else {
                self.known = to;
                return;
            };
            let mark = self.known + found;
            let end = next_line(bytes, mark);
            self.look_at_line(bytes, mark, end);
            self.known = end;
        }
    }

    /// Reads the line that ends at `end` and has its first backtick or tilde at `mark`.
    fn look_at_line(&mut self, bytes: &[u8], mark: usize, end: usize) {
        let start = memrchr2(b'\n', b'\r', &bytes[..mark]).map_or(0, |at| at + 1);
        let (line, fence) = (&bytes[mark..end], bytes[mark]);
        let length = line.iter().take_while(|byte| **byte == fence).count();
        if length < 3 || !bytes[start..mark].trim_ascii().is_empty() {
            return;
        }
        match self.open {
            Some((opened, by, least)) => {
                if fence == by && length >= least && line[length..].trim_ascii().is_empty() {
                    self.blocks.push(opened..end);
                    self.open = None;
                }
            }
            // A line with a backtick further on is text with inline code.
            None if fence == b'`' && memchr(b'`', &line[length..]).is_some() => {}
            None => self.open = Some((start, fence, length)),
        }
    }
}

/// Where the line after the one at `from` starts, or the end of the text.
///
/// CommonMark ends a line with `\n`, `\r\n`, or a `\r` that no `\n` follows (0.31.2, section 2.1).
fn next_line(bytes: &[u8], from: usize) -> usize {
    let Some(found) = memchr2(b'\n', b'\r', &bytes[from..]) else { return bytes.len() };
    let at = from + found;
    at + if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each line of a text, `x` if a cut before it would break a block, otherwise `.`.
    fn lines(text: &str) -> String {
        let ends = |at: &usize| text[..*at].ends_with('\n') || text[..*at].ends_with('\r');
        let inside = |at: &usize| text[..*at].ends_with('\r') && text[*at..].starts_with('\n');
        let starts = || (0..=text.len()).filter(|at| *at == 0 || ends(at) && !inside(at));
        let mut fences = Fences::default();
        let marks: Vec<bool> = starts().map(|at| fences.contain(text, at)).collect();
        let mut late = Fences::default();
        late.contain(text, text.len());
        assert!(starts().map(|at| late.contain(text, at)).eq(marks.iter().copied()), "{text:?}");
        marks.iter().map(|inside| if *inside { 'x' } else { '.' }).collect()
    }

    #[test]
    fn a_block_is_from_fence_to_fence() {
        let table = [
            ("a\n```py\nb\n\nc\n```\nd", "..xxxx."),
            ("a\n~~~\nb\n```\n~~~\nd", "..xxx."),
            ("````\n```\n````\n", ".xx."),
            ("```\na\n``` b\n`````\nc", ".xxx."),
            ("- a\n  ```\n  b\n  ```\n", "..xx."),
            ("```\na\n```\nb", ".xx."),
            ("a\n```\nnever closed\n\nb", "..xxx"),
            ("```in``` a line\n\nb ``` c\n", "...."),
            ("`a` and ~~b~~\n\n``\nc", "...."),
            ("```\na\n```\n\n```\nb\n```\n", ".xx..xx."),
        ];
        for (text, expected) in table {
            for line_end in ["\n", "\r\n", "\r"] {
                let text = text.replace('\n', line_end);
                assert_eq!(lines(&text), expected, "{text:?}");
            }
        }
    }
}
