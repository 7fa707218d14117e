//! Where a text may end for its reader: between grapheme clusters (Unicode 16.0, extended).
//!
//! Such a place is also one where NFC may be made on both sides apart: whatever NFC joins to a
//! character before it is an extending mark or a conjoining Jamo, before which no cluster ends, or
//! stands behind a control, to which nothing is joined. So the NFC of a beginning that ends at a place
//! is a beginning of the NFC, and a [`Window`] can tell one position from the other. The tests hold
//! every pair that composes and every mark that moves against this.
//!
//! Positions are bytes; those of the text as it came are `raw`, those of its NFC `normal`.

use std::borrow::Cow;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::splitting::Splitting;

/// Whether a cluster ends at `at`; the ends of the text are places. O(the clusters around it).
pub(crate) fn is_place(text: &str, at: usize) -> bool {
    text.is_char_boundary(at)
        && GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(true)
}

/// The last place at or before `at`.
pub(crate) fn place_before(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if is_place(text, at) {
        return at;
    }
    let before = GraphemeCursor::new(at, text.len(), true).prev_boundary(text, 0);
    before.ok().flatten().unwrap_or(0)
}

/// The first place at or after `at`.
pub(crate) fn place_after(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    if is_place(text, at) {
        return at;
    }
    let after = GraphemeCursor::new(at, text.len(), true).next_boundary(text, 0);
    after.ok().flatten().unwrap_or(text.len())
}

/// A place as a position in the text and in its NFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) raw: usize,
    pub(crate) normal: usize,
}

/// A stretch of text beside its NFC. Both of its ends are places.
pub(crate) struct Window<'a> {
    text: &'a str,
    normal: Cow<'a, str>,
    /// Every place, if the NFC differs from the text.
    places: Vec<Place>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(splitting: &Splitting, text: &'a str) -> Self {
        let mut normal = splitting.normalized(text);
        let mut places = Vec::new();
        if let Cow::Owned(joined) = &mut normal {
            joined.clear();
            places.push(Place { raw: 0, normal: 0 });
            for (start, cluster) in text.grapheme_indices(true) {
                joined.push_str(&splitting.normalized(cluster));
                places.push(Place { raw: start + cluster.len(), normal: joined.len() });
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
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::{canonical_combining_class, compose};

    /// Every pair of characters that composes to one.
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
