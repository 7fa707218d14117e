//! The places where a text may be divided for a reader: between grapheme clusters (extended,
//! Unicode 16.0).
//!
//! At such a place, NFC can also be applied to the two sides separately. Whatever NFC joins to the
//! character before it is an extending mark or a conjoining Jamo, and no cluster ends before one of
//! those, except after a control, to which nothing is joined. So the NFC of a beginning that ends
//! at a place is a beginning of the NFC of the whole, and a [`Window`] can translate positions in
//! one into positions in the other. Tests check this for every pair that composes and for every
//! mark that may be reordered.
//!
//! Positions are in bytes. Those in the text as it came are called `raw`, those in its NFC
//! `normal`.

use std::borrow::Cow;

use unicode_segmentation::{GraphemeCursor, GraphemeIncomplete};

use crate::interrupts::worked;
use crate::pieces::splitting::Splitting;

/// Bytes of one cluster between two questions whether to go on.
const STRIDE: usize = 1 << 14;

/// Whether a cluster ends at `at`; both ends of the text are places. O(length of the clusters
/// around it).
pub(crate) fn is_place(text: &str, at: usize) -> bool {
    text.is_char_boundary(at)
        && GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(true)
}

/// The last place at or before `at`.
pub(crate) fn place_before(text: &str, at: usize) -> usize {
    let mut at = text.floor_char_boundary(at);
    if is_place(text, at) {
        return at;
    }
    // `prev_boundary` is not used: for a part of a text it may ask for what precedes the part, and
    // if it gets that in parts, it takes a mark at the end of one for the joiner of an emoji.
    let mut noted = at;
    loop {
        at = text.floor_char_boundary(at - 1);
        if is_place(text, at) {
            return at;
        }
        if noted - at >= STRIDE {
            worked(noted - at);
            noted = at;
        }
    }
}

/// The first place at or after `at`.
pub(crate) fn place_after(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    if is_place(text, at) {
        return at;
    }
    next_place(&mut GraphemeCursor::new(at, text.len(), true), text).unwrap_or(text.len())
}

/// The first place after the cursor, unless the cursor is at the end. O(length of the cluster).
fn next_place(cursor: &mut GraphemeCursor, text: &str) -> Option<usize> {
    loop {
        // Always from the start of the text: then the cursor never asks for what precedes.
        let end = text.floor_char_boundary(cursor.cur_cursor().saturating_add(STRIDE));
        match cursor.next_boundary(&text[..end], 0) {
            Err(GraphemeIncomplete::NextChunk) if end < text.len() => worked(STRIDE),
            found => return found.ok().flatten(),
        }
    }
}

/// Where each cluster of a text ends.
fn cluster_ends(text: &str) -> impl Iterator<Item = usize> {
    let mut cursor = GraphemeCursor::new(0, text.len(), true);
    std::iter::from_fn(move || next_place(&mut cursor, text))
}

/// A place, as a position in the text and in its NFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) raw: usize,
    pub(crate) normal: usize,
}

/// A stretch of text together with its NFC. It starts and ends at places.
pub(crate) struct Window<'a> {
    text: &'a str,
    normal: Cow<'a, str>,
    /// All places, if the NFC differs from the text; otherwise empty.
    places: Vec<Place>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(splitting: &Splitting, text: &'a str) -> Self {
        let mut normal = splitting.normalized(text);
        let mut places = Vec::new();
        if let Cow::Owned(joined) = &mut normal {
            joined.clear();
            places.push(Place { raw: 0, normal: 0 });
            let mut start = 0;
            for end in cluster_ends(text) {
                joined.push_str(&splitting.normalized(&text[start..end]));
                places.push(Place { raw: end, normal: joined.len() });
                start = end;
            }
        }
        Window { text, normal, places }
    }

    /// The NFC of the text.
    pub(crate) fn normal(&self) -> &str {
        &self.normal
    }

    /// The last place at or before a position of the NFC.
    pub(crate) fn before(&self, normal: usize) -> Place {
        if self.places.is_empty() {
            let at = place_before(self.text, normal);
            return Place { raw: at, normal: at };
        }
        self.places[self.places.partition_point(|place| place.normal <= normal) - 1]
    }

    /// The first place at or after a position of the NFC.
    pub(crate) fn after(&self, normal: usize) -> Place {
        if self.places.is_empty() {
            let at = place_after(self.text, normal);
            return Place { raw: at, normal: at };
        }
        self.places[self.places.partition_point(|place| place.normal < normal)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::questions;
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::{canonical_combining_class, compose};
    use unicode_segmentation::UnicodeSegmentation;

    /// Every pair of characters that composes into one.
    fn composing_pairs() -> Vec<(char, char)> {
        let mut pairs = Vec::new();
        for c in '\0'..=char::MAX {
            let mut apart: Vec<char> = std::iter::once(c).nfd().collect();
            let last = apart.pop().unwrap();
            let first: Vec<char> = apart.into_iter().nfc().collect();
            if first.len() == 1 && compose(first[0], last) == Some(c) {
                pairs.push((first[0], last));
            }
        }
        pairs
    }

    #[test]
    fn no_cluster_ends_between_characters_that_compose() {
        let pairs = composing_pairs();
        assert!(pairs.len() > 12_000, "{}", pairs.len());
        for (a, b) in pairs {
            let text: String = [a, b].iter().collect();
            assert!(!is_place(&text, a.len_utf8()), "{a:?} {b:?}");
        }
    }

    #[test]
    fn no_cluster_ends_before_a_mark_that_may_move() {
        for c in ('\0'..=char::MAX).filter(|c| canonical_combining_class(*c) != 0) {
            assert!(!is_place(&format!("a{c}"), 1), "{c:?}");
        }
    }

    #[test]
    fn nfc_makes_no_text_shorter_than_a_quarter() {
        for c in '\0'..=char::MAX {
            let apart: String = std::iter::once(c).nfd().collect();
            let joined: String = apart.nfc().collect();
            assert!(apart.len() <= 4 * joined.len() && c.len_utf8() <= 4 * joined.len(), "{c:?}");
        }
    }

    #[test]
    fn a_window_knows_each_place_in_the_text_and_in_its_nfc() {
        for text in [
            "",
            "plain",
            "e\u{301}\u{323}x\u{212b}",
            "\u{1112}\u{1161}\u{11ab}\u{1100}",
            "\n\u{301}a\r\nb",
            "🇨🇳🇨",
        ] {
            let window = Window::new(&Splitting::QWEN, text);
            assert_eq!(window.normal(), text.nfc().collect::<String>());
            for at in (0..=text.len()).filter(|at| is_place(text, *at)) {
                let normal = text[..at].nfc().collect::<String>().len();
                let place = Place { raw: at, normal };
                assert_eq!(
                    (window.before(normal), window.after(normal)),
                    (place, place),
                    "{text:?}"
                );
            }
        }
    }

    /// Clusters as long as strides, or longer, that end in various ways.
    fn long_clusters() -> Vec<String> {
        let units = [
            "\u{301}",
            "🇨",
            "\u{200d}",
            "👩\u{200d}",
            "\u{915}\u{94d}",
            "\u{94d}\u{200d}",
            "\u{600}",
        ];
        let ends = ["", "a", "👩", "\u{200d}👩", "\u{915}", "🇨", "\r\n"];
        let mut texts = Vec::new();
        for unit in units {
            for end in ends {
                for length in [STRIDE - 5, STRIDE, STRIDE + 1, 2 * STRIDE + 3] {
                    for begin in ["", "a", "👩", "\u{915}\u{94d}"] {
                        texts.push(format!("{begin}{}{end}x", unit.repeat(length / unit.len())));
                    }
                }
            }
        }
        texts
    }

    #[test]
    fn a_cluster_of_any_length_ends_where_the_whole_text_says() {
        for text in long_clusters() {
            let ends: Vec<usize> =
                text.grapheme_indices(true).map(|(at, it)| at + it.len()).collect();
            assert!(cluster_ends(&text).eq(ends.iter().copied()), "{text:.20}");
            let last = text.len() - 1;
            for at in [1, STRIDE - 20, last.min(STRIDE), last / 2, last - 1, last] {
                let after = ends[ends.partition_point(|end| *end < at)];
                let before = ends[..ends.partition_point(|end| *end <= at)].last();
                assert_eq!(place_after(&text, at), after, "{text:.20}");
                assert_eq!(place_before(&text, at), before.copied().unwrap_or(0), "{text:.20}");
            }
        }
    }

    #[test]
    fn whether_to_go_on_is_asked_within_a_cluster() {
        let text = format!("a{}", "\u{301}".repeat(1 << 20));
        let walks: [fn(&str) -> usize; 3] = [
            |text| place_after(text, 1),
            |text| place_before(text, text.len() - 1),
            |text| cluster_ends(text).count(),
        ];
        for walk in walks {
            let asked = questions(|| {
                walk(&text);
            });
            assert!(asked >= text.len() >> 17, "{asked}");
        }
    }

    #[test]
    fn a_position_inside_a_cluster_has_the_places_around_it() {
        let text = "a👩\u{200d}👧b";
        for at in 1..text.len() - 1 {
            let expected = if at == 1 { 1 } else { text.len() - 1 };
            assert_eq!(place_after(text, at), expected);
            assert_eq!(place_before(text, at), 1);
        }
        assert_eq!((place_before(text, 0), place_after(text, text.len())), (0, text.len()));
    }
}
