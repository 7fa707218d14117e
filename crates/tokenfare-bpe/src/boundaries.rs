//! Where a text is best cut for its reader: the last boundary of the best kind in a stretch.
//!
//! The kinds, best first: the end of a paragraph (its blank lines included), of a line, of a sentence,
//! of a clause, of a word. A boundary stands behind the white space that follows it, so what is cut
//! there rejoins to the text, and every piece starts with a word. Rules are for the eye, cheap and the
//! same everywhere; no dictionary, no locale:
//!
//! - A sentence ends at `.`, `!`, `?`, `…` before white space, and at their full-width and other
//!   scripts' fellows (`。`, `！`, `।`, `؟`, …) before anything, closing quotes and brackets included.
//!   A dot before a small letter, or behind a single capital (an initial), ends none.
//! - A clause ends at commas, colons, semicolons and dashes, by the same two rules.
//! - A word ends behind white space, and between two characters of a script that writes words without
//!   spaces between them and needs no dictionary for it (Han and Hiragana).

use memchr::{memrchr, memrchr2};

use crate::graphemes::is_place;

/// The kinds of boundaries within a line, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Sentence,
    Clause,
    Word,
}

/// The last boundary of the best kind in `text` that lies behind `from` and at or before `to`, if
/// there is any. O(`to` - `from`).
pub(crate) fn best_boundary(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut line = None;
    let mut at = to;
    while let Some((boundary, start)) = last_line_end(text, from, at) {
        if is_paragraph(text, boundary, start) {
            return Some(boundary);
        }
        line = line.or(Some(boundary));
        at = start;
    }
    line.or_else(|| best_in_line(text, from, to))
}

/// The last end of a line in `from..=to`, and where the line break starts.
fn last_line_end(text: &str, from: usize, to: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = to;
    while let Some(found) = memrchr2(b'\n', b'\r', &bytes[from..at]) {
        let (start, end) = (from + found, from + found + 1);
        let inside = bytes[start] == b'\r' && bytes.get(end) == Some(&b'\n');
        if !inside {
            let pair = bytes[start] == b'\n' && start > from && bytes[start - 1] == b'\r';
            return Some((end, start - usize::from(pair)));
        }
        at = start;
    }
    None
}

/// Whether a line end at `boundary`, whose line break starts at `start`, ends a paragraph: the line
/// before the break is blank, or the next paragraph's first line is not.
fn is_paragraph(text: &str, boundary: usize, start: usize) -> bool {
    let blank = |c: &char| matches!(c, ' ' | '\t' | '\u{3000}' | '\u{a0}');
    let before = text[..start].chars().rev().find(|c| !blank(c));
    let after = text[boundary..].chars().next();
    matches!(before, Some('\n' | '\r')) && !matches!(after, Some('\n' | '\r'))
}

/// As `best_boundary`, for a stretch without line ends.
fn best_in_line(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut best: Option<(Kind, usize)> = None;
    let mut at = to;
    while at > from {
        if text.is_char_boundary(at)
            && let Some(kind) = kind_at(text, at)
            && best.is_none_or(|(known, _)| kind < known)
            && is_place(&text[from..], at - from)
        {
            best = Some((kind, at));
            if kind == Kind::Sentence {
                break;
            }
        }
        at -= 1;
    }
    best.map(|(_, at)| at)
}

/// The first end of a word in `text` at or behind `from` and before `to`, between clusters.
pub(crate) fn first_word(text: &str, from: usize, to: usize) -> Option<usize> {
    (from..to).find(|at| {
        text.is_char_boundary(*at) && kind_at(text, *at).is_some() && is_place(text, *at)
    })
}

/// What ends at `at` within a line; nothing where white space goes on.
fn kind_at(text: &str, at: usize) -> Option<Kind> {
    let bytes = text.as_bytes();
    if at > 0 && at < bytes.len() && bytes[at - 1].is_ascii_alphanumeric() && bytes[at] < 0x80 {
        return None; // most places are inside a word, or before a space
    }
    let last = text[..at].chars().next_back()?;
    let next = text[at..].chars().next();
    if is_unspaced(last) {
        return next.is_some_and(is_unspaced).then_some(Kind::Word);
    }
    if last.is_alphanumeric() || next.is_some_and(|next| next.is_whitespace() || is_closer(next)) {
        return None;
    }
    let spaced = last.is_whitespace();
    let mut head = if spaced { text[..at].trim_end() } else { &text[..at] };
    while let Some(c) = head.chars().next_back().filter(|c| is_closer(*c)) {
        head = &head[..head.len() - c.len_utf8()];
    }
    let mark = head.chars().next_back()?;
    if is_wide_stop(mark) && !next.is_some_and(is_wide_stop)
        || spaced && is_stop(mark) && !goes_on(head, next)
    {
        return Some(Kind::Sentence);
    }
    if is_wide_pause(mark) || spaced && is_pause(mark) {
        return Some(Kind::Clause);
    }
    spaced.then_some(Kind::Word)
}

/// A mark that ends a sentence when white space follows.
fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…')
}

/// A mark that ends a clause when white space follows.
fn is_pause(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '—' | '–')
}

/// A mark that ends a sentence whatever follows.
fn is_wide_stop(c: char) -> bool {
    matches!(
        c,
        '。' | '！'
            | '？'
            | '｡'
            | '．'
            | '।'
            | '॥'
            | '؟'
            | '۔'
            | '։'
            | '።'
            | '፧'
            | '၊'
            | '။'
            | '៕'
    )
}

/// A mark that ends a clause whatever follows.
fn is_wide_pause(c: char) -> bool {
    matches!(c, '，' | '、' | '；' | '：' | '､' | '،' | '؛' | '፣' | '፤')
}

/// A mark that belongs to what it closes.
#[rustfmt::skip] // one kind of bracket after the other
fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '›' | '」' | '』' | '）' | '】' | '》'
        | '〉' | '］' | '｝' | '〗' | '〕' | '｣')
}

/// Whether the dot that `head` ends with is that of an abbreviation, as far as one can see.
fn goes_on(head: &str, next: Option<char>) -> bool {
    let Some(word) = head.strip_suffix('.') else { return false };
    let initial = memrchr(b' ', word.as_bytes()).map_or(word, |space| &word[space + 1..]);
    let mut letters = initial.chars();
    let single = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    single || next.is_some_and(char::is_lowercase)
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text up to the boundary that is found in all of it but its first and last character.
    fn cut(text: &str) -> &str {
        let to = text.char_indices().next_back().unwrap().0;
        best_boundary(text, 0, to).map_or("", |at| &text[..at])
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

    #[test]
    fn a_line_break_of_two_characters_is_not_cut() {
        let text = "one\r\ntwo";
        assert_eq!(best_boundary(text, 0, 4), None);
        assert_eq!(best_boundary(text, 0, 5), Some(5));
        assert_eq!(best_boundary(text, 4, 5), Some(5));
    }
}
