//! NFC of long runs of combining marks.
//!
//! For NFC, the marks that follow a character are sorted by their combining class, and those of one
//! class keep their order. The plain way stores each mark with its class and sorts these entries,
//! which takes four times the memory of the text and more than a cache holds. Here it is a counting
//! sort: there are at most 255 classes, so the bytes of each class are counted, and then every mark
//! is written to its place.
//!
//! Then the run is composed with the character before it, a starter *s*:
//!
//! - After sorting, a mark composes with *s* only if no mark of the same class is left between the
//!   two (marks between them never have a higher class). So in each class the first marks may
//!   compose, up to the first that does not.
//! - Only a few marks of a run compose, since no character decomposes into more than four. So at
//!   least one mark of the run is left. Whatever follows the run can then neither compose with *s*
//!   nor move before the mark.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

use crate::interrupts::Steps;

/// Bytes from which on a run is long.
pub(crate) const LONG: usize = 4096;

/// The marks of this block are looked up once in advance; nearly all marks in long runs are among
/// them.
const BLOCK: std::ops::Range<u32> = 0x300..0x370;

/// The NFC of `segment`, at whose start NFC joins nothing to what precedes it. O(n).
pub(crate) fn normalized(segment: &str) -> String {
    let classes = Classes::new();
    let mut out = String::with_capacity(segment.len());
    let mut done = 0;
    while let Some((start, end)) = classes.next_run(segment, done) {
        let mut head = segment[done..start].chars();
        let mut last = String::new();
        if let Some(c) = head.next_back() {
            decompose_canonical(c, |c| last.push(c));
        }
        let starters = last.trim_end_matches(|c| canonical_combining_class(c) != 0).len();
        out.extend(noted(head.as_str()).chain(last[..starters].chars()).nfc());
        let starter = if starters > 0 { out.pop() } else { None };
        classes.append(&mut out, starter, &last[starters..], &segment[start..end]);
        done = end;
    }
    out.extend(noted(&segment[done..]).nfc());
    out
}

/// The characters of a text; progress is reported as they are taken.
fn noted(text: &str) -> impl Iterator<Item = char> {
    let mut steps = Steps::from(0);
    text.char_indices().map(move |(at, c)| {
        steps.to(at);
        c
    })
}

/// The combining classes of the marks of [`BLOCK`]; 0 for those that decompose.
struct Classes([u8; 0x70]);

impl Classes {
    fn new() -> Self {
        let mut classes = [0; 0x70];
        for (class, c) in classes.iter_mut().zip(BLOCK.filter_map(char::from_u32)) {
            let mut itself = true;
            decompose_canonical(c, |part| itself &= part == c);
            *class = if itself { canonical_combining_class(c) } else { 0 };
        }
        Classes(classes)
    }

    /// Calls `each` with the characters that `c` decomposes into, and their classes.
    #[inline]
    fn decompose(&self, c: char, mut each: impl FnMut(char, u8)) {
        match self.0.get(u32::from(c).wrapping_sub(BLOCK.start) as usize) {
            Some(class @ 1..) => each(c, *class),
            _ => decompose_canonical(c, |c| each(c, canonical_combining_class(c))),
        }
    }

    /// The next long run at or after `from` of characters that decompose into marks only.
    fn next_run(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let (mut start, mut steps) = (from, Steps::from(from));
        for (at, c) in text[from..].char_indices().map(|(at, c)| (from + at, c)) {
            steps.to(at);
            let mut marks = true;
            self.decompose(c, |_, class| marks &= class != 0);
            if !marks {
                if at - start >= LONG {
                    return Some((start, at));
                }
                start = at + c.len_utf8();
            }
        }
        (text.len() - start >= LONG).then_some((start, text.len()))
    }

    /// Appends the NFC of a starter, the marks of its own decomposition (`with`), and a run.
    fn append(&self, out: &mut String, starter: Option<char>, with: &str, run: &str) {
        let mut sizes = [0; 256];
        let (mut last, mut in_order) = (0, with.is_empty());
        let mut steps = Steps::from(0);
        for (at, c) in run.char_indices() {
            steps.to(at);
            self.decompose(c, |mark, class| {
                sizes[usize::from(class)] += mark.len_utf8();
                in_order &= class >= last && mark == c;
                last = class;
            });
        }
        for c in with.chars() {
            sizes[usize::from(canonical_combining_class(c))] += c.len_utf8();
        }
        let sorted = if in_order { String::new() } else { self.sorted(&sizes, with, run) };
        let sorted = if in_order { run } else { &sorted };
        push_composed(out, starter, &sizes, sorted);
    }

    /// The marks sorted by class; `sizes` has the bytes of each class.
    fn sorted(&self, sizes: &[usize; 256], with: &str, run: &str) -> String {
        let mut places = [0; 256];
        let mut all = 0;
        for (place, size) in places.iter_mut().zip(sizes) {
            *place = all;
            all += size;
        }
        let mut sorted = vec![0; all];
        let mut steps = Steps::from(0);
        let with = with.chars().map(|c| (0, c));
        for (at, c) in with.chain(run.char_indices()) {
            steps.to(at);
            self.decompose(c, |mark, class| {
                let place = &mut places[usize::from(class)];
                *place += mark.encode_utf8(&mut sorted[*place..]).len();
            });
        }
        String::from_utf8(sorted).unwrap_or_default()
    }
}

/// Appends a starter and sorted marks; the first marks of each class are composed with the starter
/// as far as they compose.
fn push_composed(out: &mut String, starter: Option<char>, sizes: &[usize; 256], sorted: &str) {
    let mut starter = starter;
    let mut kept = Vec::new(); // the ranges of marks that are left
    let mut at = 0;
    for size in sizes {
        let end = at + size;
        while let Some(c) = sorted[at..end].chars().next()
            && let Some(composed) = starter.and_then(|starter| compose(starter, c))
        {
            starter = Some(composed);
            at += c.len_utf8();
        }
        kept.push(at..end);
        at = end;
    }
    out.extend(starter);
    kept.into_iter().for_each(|range| out.push_str(&sorted[range]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::dice;
    use crate::unicode::nfc::nfc;

    /// Marks of several classes, of which some decompose and some compose; and starters around
    /// them.
    const MARKS: [&str; 12] = [
        "\u{301}",
        "\u{323}",
        "\u{344}",
        "\u{340}",
        "\u{338}",
        "\u{345}",
        "\u{302}",
        "\u{3099}",
        "\u{f73}",
        "\u{f71}",
        "\u{1d165}",
        "\u{31b}",
    ];
    const STARTERS: [&str; 12] = [
        "",
        "a",
        "\u{e9}",
        "\u{1ea5}",
        "=",
        "\u{1112}\u{1161}",
        "\u{ac00}",
        "か",
        "\u{f40}",
        "\u{9c7}",
        "\u{1d15e}",
        "\u{212b}",
    ];
    const ENDS: [&str; 6] = ["", "b", "\u{1161}", "\u{11a8}", "\u{9be}", "\u{1e9}"];

    #[test]
    fn a_long_run_is_normalized_as_any_other_way() {
        let mut roll = dice(11);
        let mut changed = 0;
        for round in 0..600 {
            let mut text = String::new();
            for _ in 0..1 + roll(3) {
                text += STARTERS[roll(STARTERS.len())];
                text += STARTERS[roll(STARTERS.len())];
                let few: Vec<&str> = (0..1 + roll(4)).map(|_| MARKS[roll(MARKS.len())]).collect();
                let length = LONG - 12 + roll(24) + LONG * roll(2);
                let from = text.len();
                while text.len() < from + length {
                    text += few[roll(few.len())];
                }
                text += ENDS[roll(ENDS.len())];
            }
            if round % 3 == 0 {
                text = text.nfc().collect(); // in order already
            }
            let expected: String = text.nfc().collect();
            assert!(normalized(&text) == expected, "{:?}", &text[..40]);
            assert!(nfc(&text) == expected);
            changed += usize::from(text != expected);
        }
        assert!(changed > 200, "{changed}");
    }

    #[test]
    fn runs_of_every_mark_of_unicode_are_normalized() {
        for c in '\0'..=char::MAX {
            let mut marks = true;
            decompose_canonical(c, |c| marks &= canonical_combining_class(c) != 0);
            if !marks {
                continue;
            }
            let mut text = String::from("x\u{e9}");
            for i in 0..LONG / c.len_utf8() + 1 {
                text.push(c);
                text.extend((i % 700 == 0).then_some('\u{323}'));
            }
            assert!(normalized(&text) == text.nfc().collect::<String>(), "{c:?}");
        }
    }
}
