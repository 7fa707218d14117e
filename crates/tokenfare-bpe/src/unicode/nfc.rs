//! Normalization to NFC that touches only what needs it.
//!
//! The plain way decomposes and recomposes the whole text. But a character without the flag
//! [`UNSTABLE`] is a starter that NFC keeps as it is and never joins to what precedes it. So a text
//! can be normalized in segments, each from such a character, with all that follows it and has the
//! flag, to the next. A text without flagged characters is NFC already.
//!
//! Unicode is 16.0. Combining marks that were assigned later count as unassigned: they are neither
//! reordered nor composed.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::interrupts::{Steps, worked};
use crate::unicode::classes::{UNSTABLE, class_at};
use crate::unicode::mark_runs::{LONG, normalized};

/// `text` in NFC; borrowed if it is in NFC already. O(n).
pub fn nfc(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut done = 0; // text[..done] is in `out`, if there is an `out`
    let mut out: Option<String> = None;
    let mut at = 0;
    while let Some((start, end)) = next_segment(bytes, at) {
        let segment = &text[start..end];
        worked(segment.len());
        at = end;
        if segment.len() >= LONG {
            let normal = normalized(segment);
            if normal != segment {
                let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
                out.push_str(&text[done..start]);
                out.push_str(&normal);
                done = end;
            }
            continue;
        }
        if is_nfc(segment) {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[done..start]);
        out.extend(segment.nfc());
        done = end;
    }
    match out {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(&text[done..]);
            Cow::Owned(out)
        }
    }
}

/// Whether `text` is in NFC. O(n) for a text without long runs of marks.
pub(crate) fn is_nfc(text: &str) -> bool {
    is_nfc_quick(text.chars()) == IsNormalized::Yes || text.chars().nfc().eq(text.chars())
}

/// The next segment at or after `from` that holds flagged characters: from the stable character
/// before the first (or from `from`) to the stable character after the last (or to the end).
fn next_segment(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    let mut before = from; // start of the last character that was passed
    let mut steps = Steps::from(from);
    loop {
        steps.to(at);
        at += ascii_run(&text[at..]);
        if at == text.len() {
            return None;
        }
        let (class, length) = class_at(text, at);
        if class & UNSTABLE != 0 {
            break;
        }
        before = at;
        at += length;
    }
    if at > from && text[at - 1] < 0x80 {
        before = at - 1;
    }
    let mut end = at;
    while end < text.len() {
        let (class, length) = class_at(text, end);
        if class & UNSTABLE == 0 {
            break;
        }
        end += length;
        steps.to(end);
    }
    Some((before, end))
}

/// Number of ASCII bytes at the start.
#[inline]
fn ascii_run(text: &[u8]) -> usize {
    let blocks = text.chunks_exact(32).take_while(|block| block.is_ascii()).count();
    let rest = &text[32 * blocks..];
    32 * blocks + rest.iter().position(|b| *b >= 0x80).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::questions;

    #[test]
    fn ascii_and_composed_text_is_not_copied() {
        for text in ["", "plain", "caf\u{e9} \u{4f60}\u{597d}", "\u{e01}\u{e34}\u{e48}"] {
            assert!(matches!(nfc(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn every_pass_over_a_long_text_asks_whether_to_go_on() {
        const LENGTH: usize = 1_000_000;
        // One pass looks for segments; then NFC is made, or runs are found and sorted.
        for (unit, passes) in [("ü", 1), ("\u{212b}", 3), ("\u{1161}", 3), ("\u{323}\u{31b}", 4)] {
            let text = unit.repeat(LENGTH / unit.len());
            let asked = questions(|| drop(nfc(&text)));
            assert!(asked >= passes * (LENGTH >> 16), "{unit:?}: {asked}");
        }
    }

    #[test]
    fn only_the_segment_changes() {
        assert_eq!(nfc("xe\u{301}y e\u{301}"), "x\u{e9}y \u{e9}");
        assert_eq!(nfc("=\u{338}"), "\u{2260}");
        assert_eq!(nfc("\u{1100}\u{1161}\u{11a8}z"), "\u{ac01}z");
        assert_eq!(nfc("\u{301}a"), "\u{301}a");
    }

    #[test]
    fn every_character_alone_and_beside_marks_is_as_the_whole_text_normalization_gives_it() {
        let mut text = String::new();
        for c in '\0'..=char::MAX {
            text.clear();
            text.extend(['a', c, '\u{323}', '\u{301}', c, '\u{1161}', '\u{11a8}', 'b']);
            assert_eq!(nfc(&text), text.nfc().collect::<String>(), "{c:?}");
        }
    }
}
