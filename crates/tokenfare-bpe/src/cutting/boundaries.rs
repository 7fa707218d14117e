//! Where a reader would best divide a text: the last boundary of the best kind in a stretch.
//!
//! A boundary is behind the white space that follows it, so that the chunks join to the text and
//! every chunk starts with a word. Line breaks are ranked by the lines around them (`line_ends`),
//! other boundaries by the marks before them (`sentences`). The rules follow what a reader sees.
//! They are cheap, and the same for every kind of text: prose, Markdown, source code, data.
//!
//! **A tiny chunk is worse than a weaker boundary.** A paragraph that ends just after the start of
//! the stretch would make a chunk of a few words, and the next chunk would be no better off. So a
//! boundary in the first quarter of a stretch, before `near`, is taken only if no sentence ends
//! further on.

use crate::cutting::around::before;
use crate::cutting::fences::Fences;
use crate::cutting::graphemes::is_place;
use crate::cutting::kind::Kind;
use crate::cutting::line_ends::{begins_line, break_before, is_blank, line_end};
use crate::cutting::sentences::end_within_line;

/// The order of boundaries, the best being the least: strong kinds (a sentence or better) far from
/// the start come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    weak: bool,
    near: bool,
    kind: Kind,
}

impl Rank {
    fn new(kind: Kind, near: bool) -> Self {
        Rank { weak: kind > Kind::Sentence, near, kind }
    }
}

/// A stretch of a text in which to look for a boundary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// The boundary is after this place,
    pub(crate) from: usize,
    /// preferably at or after this one,
    pub(crate) near: usize,
    /// and at or before this one.
    pub(crate) to: usize,
}

/// The best boundary so far.
struct Best(Option<(Rank, usize)>);

impl Best {
    fn offer(&mut self, rank: Rank, at: usize) {
        if !self.beats(rank) {
            self.0 = Some((rank, at));
        }
    }

    /// Whether an earlier boundary of this rank would be no improvement.
    fn beats(&self, rank: Rank) -> bool {
        self.0.is_some_and(|(known, _)| known <= rank)
    }

    /// Whether no boundary at or before `at` can be an improvement.
    fn is_settled(&self, at: usize, near: usize) -> bool {
        self.beats(Rank::new(Kind::Section, at < near))
    }
}

/// The last boundary of the best kind in a stretch, if there is any. O(length of the stretch).
pub(crate) fn best_boundary(text: &str, fences: &mut Fences, stretch: Stretch) -> Option<usize> {
    let Stretch { from, near, to } = stretch;
    let mut best = Best(None);
    let mut at = to;
    while let Some((boundary, start)) = break_before(text, from, at) {
        if best.is_settled(boundary, near) {
            break;
        }
        at = start;
        let blank = start == from || text.as_bytes()[start - 1].is_ascii_whitespace();
        if !blank && best.beats(Rank::new(Kind::Line, boundary < near)) {
            continue; // a line break alone would be no improvement
        }
        let kind = line_end(text, boundary, start, fences);
        best.offer(Rank::new(kind, boundary < near), boundary);
    }
    within_lines(text, stretch, &mut best);
    best.0.map(|(_, at)| at)
}

/// Offers the boundaries within lines, from the last one back.
fn within_lines(text: &str, stretch: Stretch, best: &mut Best) {
    let Stretch { from, near, to } = stretch;
    for at in (from + 1..=to).rev() {
        if best.beats(Rank::new(Kind::Sentence, at < near)) {
            return;
        }
        if !text.is_char_boundary(at) {
            continue;
        }
        let Some(kind) = end_within_line(text, at) else { continue };
        let rank = Rank::new(kind, at < near);
        if !best.beats(rank) && is_place(&text[from..], at - from) {
            best.offer(rank, at);
        }
    }
}

/// The first end of a word in `text` at or after `from` and before `to`, between grapheme clusters.
pub(crate) fn first_word(text: &str, from: usize, to: usize) -> Option<usize> {
    (from..to).find(|at| {
        text.is_char_boundary(*at) && end_within_line(text, *at).is_some() && is_place(text, *at)
    })
}

/// The first place in `text` at or after `from` and before `to` where a sentence begins, or a line
/// that does not continue the one before: a reader who starts there misses nothing. O(length of the
/// stretch).
pub(crate) fn first_sentence(
    text: &str,
    fences: &mut Fences,
    from: usize,
    to: usize,
) -> Option<usize> {
    (from..to).find(|at| {
        text.is_char_boundary(*at)
            && (end_within_line(text, *at) == Some(Kind::Sentence)
                || begins_line(text, *at, fences))
            && is_place(text, *at)
    })
}

/// Where the blanks before `at` begin. In an endless run of blanks, only as far back as [`before`]
/// looks.
pub(crate) fn blanks_before(text: &str, at: usize) -> usize {
    let before = before(text, at);
    at - (before.len() - before.trim_end_matches(is_blank).len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::dice;

    /// The text up to the boundary found in all of it except its first and last character.
    fn cut(text: &str) -> &str {
        cut_behind(text, 0)
    }

    fn cut_behind(text: &str, near: usize) -> &str {
        let to = text.char_indices().next_back().unwrap().0;
        let stretch = Stretch { from: 0, near, to };
        best_boundary(text, &mut Fences::default(), stretch).map_or("", |at| &text[..at])
    }

    #[test]
    fn the_best_kind_wins_and_of_one_kind_the_last() {
        let table = [
            ("one\n\ntwo\nthree. Four, five", "one\n\n"),
            ("one\n\n  two\n \t\n\nthree\nfour", "one\n\n  two\n \t\n\n"),
            ("one\r\n\r\ntwo\r\nthree", "one\r\n\r\n"),
            ("one\rtwo\rthree", "one\rtwo\r"),
            ("one\ntwo. Three", "one\n"),
            ("One. Two! Three? Four", "One. Two! Three? "),
            ("He said \"yes.\" Then, nothing", "He said \"yes.\" "),
            ("see e.g. this, or Mr J. Smith and", "see e.g. this, "),
            ("costs 3.14 or 1,000 in all", "costs 3.14 or 1,000 in "),
            ("one two  three", "one two  "),
            ("你好。世界很大，人很多", "你好。"),
            ("他说：「好。」然后走了", "他说：「好。」"),
            ("真的？！是的", "真的？！"),
            ("世界很大，人很多", "世界很大，"),
            ("世界很大", "世界很"),
            ("क्या है। हाँ", "क्या है। "),
            ("unbreakable", ""),
            ("a\u{301} \u{301}b", ""),
        ];
        for (text, expected) in table {
            assert_eq!(cut(text), expected, "{text:?}");
        }
    }

    /// `best_boundary` by its definition: the best of all boundaries, and of equal ones the last.
    fn best_of_all(text: &str, Stretch { from, near, to }: Stretch) -> Option<usize> {
        let places = (from + 1..=to).filter(|at| is_place(&text[from..], at - from));
        let ranked = places.filter_map(|at| {
            let line = break_before(text, from, at).filter(|(end, _)| *end == at);
            let kind = match line {
                Some((end, start)) => line_end(text, end, start, &mut Fences::default()),
                None => end_within_line(text, at)?,
            };
            Some((Rank::new(kind, at < near), at))
        });
        ranked.min_by_key(|(rank, at)| (*rank, to - at)).map(|(_, at)| at)
    }

    #[test]
    fn of_all_boundaries_the_best_is_found() {
        const UNITS: [&str; 20] = [
            "word ",
            "Word",
            ". ",
            ", ",
            "\n",
            "\n\n",
            "\n\n\n",
            "\r\n",
            "\r",
            "    ",
            "# ",
            "```\n",
            ":\n",
            "}\n",
            "他说：",
            "「好。」",
            "a line that is so long that it was broken here\n",
            "e\u{301}",
            "</p><p>",
            "👩\u{200d}👧",
        ];
        let mut roll = dice(5);
        let mut kinds = [0; 2];
        for _ in 0..20_000 {
            let few: Vec<&str> = (0..1 + roll(6)).map(|_| UNITS[roll(UNITS.len())]).collect();
            let text: String = (0..1 + roll(30)).map(|_| few[roll(few.len())]).collect();
            let ends: Vec<usize> = (0..=text.len()).filter(|at| is_place(&text, *at)).collect();
            let (a, b) = (ends[roll(ends.len())], ends[roll(ends.len())]);
            let (from, to) = (a.min(b), a.max(b));
            let stretch = Stretch { from, near: from + roll(to - from + 1), to };
            let found = best_boundary(&text, &mut Fences::default(), stretch);
            assert_eq!(found, best_of_all(&text, stretch), "{text:?} {stretch:?}");
            kinds[usize::from(found.is_some())] += 1;
        }
        assert!(kinds[0] > 1_000 && kinds[1] > 10_000, "{kinds:?}");
    }

    #[test]
    fn a_line_break_of_two_characters_is_not_cut() {
        let text = "one\r\ntwo";
        let find = |from, to| {
            best_boundary(text, &mut Fences::default(), Stretch { from, near: from, to })
        };
        assert_eq!(find(0, 4), None);
        assert_eq!(find(0, 5), Some(5));
        assert_eq!(find(4, 5), Some(5));
    }

    #[test]
    fn near_the_start_a_boundary_is_taken_only_where_no_sentence_ends_behind_it() {
        let table = [
            ("So.\n\nThe rest is long. It goes on, and on", "So.\n\nThe rest is long. "),
            ("So.\n\nThe rest goes on, and on, without an end", "So.\n\n"),
            ("So.\nThe rest is long.\nIt goes on", "So.\nThe rest is long.\n"),
            ("So. The rest goes on and on", "So. "),
            ("So, the rest goes on and on", "So, the rest goes on and "),
            ("So, the rest goes on, and on", "So, the rest goes on, "),
        ];
        for (text, expected) in table {
            assert_eq!(cut_behind(text, 9), expected, "{text:?}");
        }
    }
}
