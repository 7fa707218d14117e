//! A text as callers have it: UTF-8, or the code points that Python keeps, of one, two or four
//! bytes.
//!
//! Code points are converted to UTF-8 one share at a time, by the thread that counts the share. A
//! share ends at a cut (see `cuts`), so counts and ids of the shares add up. Whether a place is a
//! cut depends on the two characters around it, so only these two are looked at. There is no cut
//! beside a surrogate, which may be half a character.

use std::borrow::Cow;
use std::ops::Range;

use crate::interrupts::worked;
use crate::pieces::cut_search::{first_cut, may_part_points};
use crate::pieces::splitting::Splitting;
use crate::text::code_points::utf8_of;

/// Code points converted at a time where a text is wanted whole, or as a stream.
const AT_ONCE: usize = 1 << 14;

/// A text in one of the forms in which it may lie in memory.
///
/// Among code points, a surrogate pair is one character; a lone surrogate, and a number beyond
/// U+10FFFF, counts as U+FFFD.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// UTF-8.
    Utf8(&'a str),
    /// Code points up to U+00FF.
    Points8(&'a [u8]),
    /// Code points up to U+FFFF.
    Points16(&'a [u16]),
    /// Any code points.
    Points32(&'a [u32]),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::Utf8(text)
    }
}

impl<'a> From<&'a String> for Text<'a> {
    fn from(text: &'a String) -> Self {
        Text::Utf8(text)
    }
}

impl<'a> Text<'a> {
    /// Its length in its own units: bytes or code points.
    pub(crate) fn len(self) -> usize {
        match self {
            Text::Utf8(text) => text.len(),
            Text::Points8(points) => points.len(),
            Text::Points16(points) => points.len(),
            Text::Points32(points) => points.len(),
        }
    }

    /// About how many bytes it has as UTF-8.
    pub fn bytes(self) -> usize {
        match self {
            Text::Utf8(text) => text.len(),
            Text::Points8(points) => points.len(),
            Text::Points16(points) => 2 * points.len(),
            Text::Points32(points) => 2 * points.len(),
        }
    }

    /// The text as UTF-8; written into `room` unless it is UTF-8 already. O(n).
    pub fn utf8<'b>(self, room: &'b mut Vec<u8>) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Text::Utf8(text) => text,
            Text::Points8(points) => utf8_of(points, room),
            Text::Points16(points) => utf8_of(points, room),
            Text::Points32(points) => utf8_of(points, room),
        }
    }

    /// The whole text as UTF-8. O(n).
    pub fn whole(self) -> Cow<'a, str> {
        if let Text::Utf8(text) = self {
            return Cow::Borrowed(text);
        }
        let mut whole = String::new();
        self.stretches(|stretch| whole.push_str(stretch));
        Cow::Owned(whole)
    }

    /// Calls `each` with the text as UTF-8, one stretch at a time. O(n).
    pub(crate) fn stretches(self, mut each: impl FnMut(&str)) {
        let (mut room, mut at) = (Vec::new(), 0);
        while at < self.len() {
            let start = at;
            at = self.len().min(start + AT_ONCE);
            while at < self.len() && self.may_part_a_character(at) {
                at += 1;
            }
            each(self.part(start..at).utf8(&mut room));
            worked(at - start);
        }
    }

    fn may_part_a_character(self, at: usize) -> bool {
        match self {
            Text::Utf8(text) => !text.is_char_boundary(at),
            _ => is_high(self.point(at - 1)),
        }
    }

    /// Its first code point, or first byte of UTF-8.
    pub(crate) fn first(self) -> Option<u32> {
        (self.len() > 0).then(|| self.point(0))
    }

    /// The text without its first `points` code points.
    pub(crate) fn behind(self, points: usize) -> Self {
        self.part(points..self.len())
    }

    /// The text without the first half of a surrogate pair at its end, if there is one, and that
    /// half.
    pub(crate) fn without_half(self) -> (Self, Option<u32>) {
        match self.len().checked_sub(1).map(|at| (at, self.point(at))) {
            Some((at, point)) if is_high(point) => (self.part(0..at), Some(point)),
            _ => (self, None),
        }
    }

    fn point(self, at: usize) -> u32 {
        match self {
            Text::Utf8(text) => text.as_bytes()[at].into(),
            Text::Points8(points) => points[at].into(),
            Text::Points16(points) => points[at].into(),
            Text::Points32(points) => points[at],
        }
    }

    /// Shares of about `size` bytes or code points, cut where counts add up; longer where there is
    /// no cut.
    pub(crate) fn shares(
        self,
        splitting: &Splitting,
        size: usize,
    ) -> impl Iterator<Item = Text<'a>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            (start < self.len()).then(|| {
                let from = start.saturating_add(size.max(1)).min(self.len());
                at = self.next_cut(splitting, from);
                self.part(start..at)
            })
        })
    }

    /// The first cut at or after `from`, or the end of the text. O(distance).
    fn next_cut(self, splitting: &Splitting, from: usize) -> usize {
        let places = from.max(1)..self.len();
        let found = match self {
            Text::Utf8(text) => return splitting.next_cut(text.as_bytes(), from),
            Text::Points8(points) => cut_among(splitting, points, places),
            Text::Points16(points) => cut_among(splitting, points, places),
            Text::Points32(points) => cut_among(splitting, points, places),
        };
        found.unwrap_or(self.len())
    }

    fn part(self, range: Range<usize>) -> Text<'a> {
        match self {
            Text::Utf8(text) => Text::Utf8(&text[range]),
            Text::Points8(points) => Text::Points8(&points[range]),
            Text::Points16(points) => Text::Points16(&points[range]),
            Text::Points32(points) => Text::Points32(&points[range]),
        }
    }
}

/// Whether a code point may be the first half of a surrogate pair.
fn is_high(point: u32) -> bool {
    matches!(point, 0xd800..0xdc00)
}

/// The first of these places that is a cut.
fn cut_among<P: Copy + Into<u32>>(
    splitting: &Splitting,
    points: &[P],
    places: Range<usize>,
) -> Option<usize> {
    let may_be = |l: P, r: P, after: P| may_part_points(l.into(), r.into(), after.into());
    let cut = |at: usize| is_cut(splitting, points[at - 1].into(), points[at].into());
    first_cut(points, places, may_be, cut)
}

/// Whether a text may be cut between two code points.
fn is_cut(splitting: &Splitting, left: u32, right: u32) -> bool {
    let (Some(left), Some(right)) = (char::from_u32(left), char::from_u32(right)) else {
        return false;
    };
    let mut bytes = [0; 8];
    let at = left.encode_utf8(&mut bytes).len();
    right.encode_utf8(&mut bytes[at..]);
    splitting.is_cut(&bytes, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::splitting::Pattern;
    use crate::testing::DATA;
    use crate::tokenizer::Tokenizer;

    fn texts() -> Vec<Vec<u32>> {
        let units = [
            "Füße, 12 mal.\n",
            "ÿ",
            "通义千问具有强大的能力。",
            "字",
            "a \u{301}b",
            "\n\n x'll",
            "é😀 ",
        ];
        let mut texts: Vec<Vec<u32>> = units
            .iter()
            .map(|unit| unit.repeat(90_000 / unit.chars().count()).chars().map(u32::from).collect())
            .collect();
        // Pairs, halves, and letters beside them.
        texts.push([0x61, 0xd83d, 0xde00, 0x20, 0xd800, 0x62, 0xdc00, 0x0a].repeat(9_000));
        texts.push(vec![]);
        // So long without a cut that it is known to have none behind its middle.
        texts.extend([vec![0x5b57; 200_000], vec![0x20; 600_000]]);
        texts
    }

    /// The text in every form that has room for it.
    fn held_to(points: &[u32], check: impl Fn(Text<'_>)) {
        check(Text::Points32(points));
        if let Ok(points) = points.iter().map(|p| u16::try_from(*p)).collect::<Result<Vec<_>, _>>()
        {
            check(Text::Points16(&points));
        }
        if let Ok(points) = points.iter().map(|p| u8::try_from(*p)).collect::<Result<Vec<_>, _>>() {
            check(Text::Points8(&points));
        }
    }

    #[test]
    fn a_text_of_code_points_has_the_count_and_ids_of_its_utf8() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        for points in texts() {
            let text = utf8_of(&points, &mut Vec::new()).to_owned();
            let (count, mut ids) = (tokenizer.count(&text), Vec::new());
            tokenizer.encode(&text, &mut ids);
            held_to(&points, |form| {
                let mut apart = Vec::new();
                tokenizer.encode(form, &mut apart);
                assert!(apart == ids, "{:?}", &text[..text.len().min(20)]);
                assert_eq!(tokenizer.count(form), count);
                assert_eq!(tokenizer.count_with_threads(form, 3), count);
                for limit in [0, count / 2, count.saturating_sub(1), count] {
                    let fits = (limit >= count).then_some(count);
                    assert_eq!(tokenizer.count_up_to(form, limit), fits);
                }
            });
        }
    }

    #[test]
    fn a_whole_text_is_not_cut_inside_a_pair() {
        for before in AT_ONCE - 3..AT_ONCE + 2 {
            let mut points = vec![0x61; before];
            points.extend([0xd83d, 0xd83d, 0xde00, 0xe9]);
            points.resize(3 * AT_ONCE, 0x4e2d);
            let expected = utf8_of(&points, &mut Vec::new()).to_owned();
            held_to(&points, |form| assert_eq!(form.whole(), expected));
        }
    }

    #[test]
    fn shares_join_to_the_text_and_none_is_empty() {
        for points in texts() {
            held_to(&points, |form| {
                for size in [0, 1, 7, 1000, 100_000, usize::MAX] {
                    let mut joined = String::new();
                    for share in form.shares(&Splitting::QWEN, size) {
                        assert!(share.len() > 0);
                        joined.push_str(share.utf8(&mut Vec::new()));
                    }
                    assert_eq!(joined, form.utf8(&mut Vec::new()), "{size}");
                }
            });
        }
    }

    #[test]
    fn a_cut_between_two_code_points_is_one_of_the_text_around_them() {
        let alphabet = [
            'a', 'l', 'é', '中', '1', '½', ' ', '\n', '\r', '\'', '/', '.', '\u{301}', '\u{3000}',
            '😀',
        ];
        let n = alphabet.len();
        for splitting in Pattern::ALL.map(|pattern| Splitting { pattern, ..Splitting::QWEN }) {
            for code in 0..n.pow(4) {
                let [a, b, c, d] = [0, 1, 2, 3].map(|i| alphabet[code / n.pow(i) % n]);
                let text = String::from_iter([a, b, c, d]);
                let at = a.len_utf8() + b.len_utf8();
                let found = is_cut(&splitting, b.into(), c.into());
                assert_eq!(found, splitting.is_cut(text.as_bytes(), at), "{text:?}");
            }
        }
    }
}
