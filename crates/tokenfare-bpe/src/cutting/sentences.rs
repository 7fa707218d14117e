//! Where sentences, clauses and words end within a line.
//!
//! - A sentence ends at `.`, `!`, `?`, `…` before white space, and at the full-width stops and
//!   those of other scripts (`。`, `！`, `।`, `؟`, …) before anything. Closing quotes and brackets
//!   belong to it. It does not end before a lower-case letter, nor at the dot of an abbreviation,
//!   nor at the dot of a number that numbers an item (`2. Fees`).
//! - A clause ends at commas, colons, semicolons and dashes, by the same two rules.
//! - A word ends after white space, and between two characters of a script that puts no spaces
//!   between words and can be divided without a dictionary (Han and Hiragana).
//! - In markup or data without line breaks, an element that was closed before another opens, and an
//!   item of a list before the next, end as sentences do.
//!
//! Abbreviations are recognised by their form (`e.g.`, `U.S.`, `J. Smith`), and a few by name:
//! those that precede a name or a number, where a capital or a digit does not show that a sentence
//! begins. There is no complete list of them, and no locale.

use crate::cutting::around::{before, behind};
use crate::cutting::kind::Kind;

/// What ends at `at` within a line; `None` if white space goes on there. O(1).
pub(crate) fn end_within_line(text: &str, at: usize) -> Option<Kind> {
    let bytes = text.as_bytes();
    if at > 0 && at < bytes.len() && bytes[at - 1].is_ascii_alphanumeric() && bytes[at] < 0x80 {
        return None; // most places are inside a word, or before a space
    }
    let last = text[..at].chars().next_back()?;
    let next = text[at..].chars().next();
    if is_unspaced(last) {
        return next.is_some_and(|c| is_unspaced(c) && !leans_back(c)).then_some(Kind::Word);
    }
    if last.is_alphanumeric() || next.is_some_and(char::is_whitespace) {
        return None;
    }
    if last.is_whitespace() { behind_space(text, at, next) } else { behind_mark(text, at, next) }
}

/// What ends before a word, of which `next` is the first character.
fn behind_space(text: &str, at: usize, next: Option<char>) -> Option<Kind> {
    // A straight quote after a space opens a quotation.
    if next.is_some_and(|next| is_closer(next) && !is_straight_quote(next)) {
        return None;
    }
    let all = before(text, at);
    let head = all.trim_end();
    if all[head.len()..].contains(['\n', '\r']) {
        return Some(Kind::Word); // `line_ends` says what kind of line ends there
    }
    let closed = head.trim_end_matches(|c| is_closer(c) || is_emphasis(c));
    let kind = match closed.chars().next_back() {
        Some(mark) if is_wide_stop(mark) => Kind::Sentence,
        Some(mark) if is_stop(mark) && !goes_on(closed, behind(text, at)) => Kind::Sentence,
        Some('>') if next == Some('<') && closes_element(closed, behind(text, at)) => {
            Kind::Sentence
        }
        Some(mark) if is_pause(mark) || is_wide_pause(mark) => Kind::Clause,
        _ => Kind::Word,
    };
    Some(kind)
}

/// What ends at a mark with no space after it, before `next`.
fn behind_mark(text: &str, at: usize, next: Option<char>) -> Option<Kind> {
    let head = before(text, at);
    if head.ends_with("},") || head.ends_with("],") {
        match next {
            Some('{' | '[') => return Some(Kind::Sentence),
            Some('"') => return Some(Kind::Clause), // the next name of an object, as a rule
            _ => {}
        }
    }
    if next.is_some_and(is_closer) {
        return None;
    }
    let closed = head.trim_end_matches(is_closer);
    let mark = closed.chars().next_back()?;
    if is_wide_stop(mark) {
        return after_wide_stop(mark, closed.len() < head.len(), next);
    }
    let wide = next.is_some_and(is_unspaced);
    if is_wide_pause(mark) || wide && matches!(mark, '…' | '—') {
        return Some(Kind::Clause);
    }
    let element = mark == '>' && next == Some('<') && closes_element(head, behind(text, at));
    element.then_some(Kind::Sentence)
}

fn after_wide_stop(mark: char, quoted: bool, next: Option<char>) -> Option<Kind> {
    match next {
        Some(next) if is_wide_stop(next) => None,
        Some(next) if mark == '．' && next.is_numeric() => None, // a decimal
        Some('と') if quoted => Some(Kind::Clause),              // "…", says someone
        _ => Some(Kind::Sentence),
    }
}

/// A mark that ends a sentence if white space follows.
fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…')
}

/// A mark that ends a clause if white space follows.
fn is_pause(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '—' | '–')
}

/// A mark that ends a sentence whatever follows.
pub(crate) fn is_wide_stop(c: char) -> bool {
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
pub(crate) fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '›' | '」' | '』' | '）' | '】' | '》'
        | '〉' | '］' | '｝' | '〗' | '〕' | '｣')
}

fn is_straight_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// A mark of Markdown that may close together with the sentence.
fn is_emphasis(c: char) -> bool {
    matches!(c, '*' | '_' | '`')
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// A small kana, which is one sound with the kana before it.
#[rustfmt::skip] // vowels, then the others
fn leans_back(c: char) -> bool {
    matches!(c, 'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ' | 'ゎ' | 'ゕ' | 'ゖ' | 'ゝ' | 'ゞ')
}

/// Elements of HTML that are used within a sentence.
const INLINE: [&str; 16] = [
    "a", "abbr", "b", "cite", "code", "em", "i", "kbd", "label", "mark", "s", "small", "span",
    "strong", "sub", "sup",
];

/// Whether `head` ends with the end tag of an element as large as a sentence or larger, and no end
/// tag follows.
fn closes_element(head: &str, rest: &str) -> bool {
    let tag = head.rsplit_once('<').and_then(|(_, tag)| tag.strip_suffix('>'));
    let closed = tag.and_then(|tag| tag.strip_prefix('/').or_else(|| tag.strip_suffix('/')));
    closed.is_some_and(|name| !INLINE.contains(&name.trim())) && !rest.starts_with("</")
}

/// Abbreviations that are followed by a name or by more of the sentence.
const BEFORE_A_NAME: [&str; 30] = [
    "capt", "cf", "col", "dr", "fr", "gen", "gov", "hon", "lt", "messrs", "mlle", "mm", "mme",
    "mr", "mrs", "ms", "mt", "mx", "pres", "prof", "rep", "rev", "sen", "sgt", "sr", "sra", "st",
    "ste", "viz", "vs",
];

/// Abbreviations that are followed by a number.
const BEFORE_A_NUMBER: [&str; 23] = [
    "abs", "app", "art", "arts", "ca", "ch", "cl", "eq", "eqs", "fig", "figs", "no", "nos", "nr",
    "p", "par", "para", "pp", "sec", "sect", "tab", "v", "vol",
];

/// Whether the sentence seems to go on after the stop with which `head` ends.
fn goes_on(head: &str, rest: &str) -> bool {
    let next = rest.chars().next();
    if next.is_some_and(|next| next.is_lowercase() || is_stop(next)) {
        return true;
    }
    let Some(head) = head.strip_suffix('.') else { return false };
    let word = last_word(head);
    is_lettered(word)
        || is_known(&BEFORE_A_NAME, word)
        || is_known(&BEFORE_A_NUMBER, word) && next.is_some_and(char::is_numeric)
        || is_ordinal(word) && starts_sentence(&head[..head.len() - word.len()])
}

/// The last word of a text, without an opening quote or bracket.
fn last_word(head: &str) -> &str {
    let opens =
        |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '\'' | '“' | '‘' | '«');
    head.rsplit(opens).next().unwrap_or(head)
}

fn is_known(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a word is a single letter (an initial), or several with dots between them.
fn is_lettered(word: &str) -> bool {
    word.split('.').all(|part| {
        let mut letters = part.chars();
        let cased = letters.next().is_some_and(|c| c.is_lowercase() || c.is_uppercase());
        cased && letters.next().is_none()
    })
}

/// Whether a word is a number as it is used for items of lists: `2`, `4.1`, `iv`.
fn is_ordinal(word: &str) -> bool {
    let digits = word.len() <= 8
        && word.split('.').all(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        });
    let roman = |byte: u8| matches!(byte.to_ascii_lowercase(), b'i' | b'v' | b'x');
    digits || (1..=4).contains(&word.len()) && word.bytes().all(roman)
}

/// Whether `before` ends where a sentence starts.
fn starts_sentence(before: &str) -> bool {
    let head = before.trim_end_matches([' ', '\t', '\u{a0}', '\u{3000}']);
    if let Some(abbreviation) = head.strip_suffix('.') {
        return !is_known(&BEFORE_A_NUMBER, last_word(abbreviation));
    }
    let last = head.chars().next_back();
    last.is_none_or(|c| matches!(c, '\n' | '\r' | ':' | ';') || is_stop(c) || is_closer(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with `|` where a sentence ends, and `·` where a clause does.
    fn marked(text: &str) -> String {
        let mut out = String::new();
        for (at, c) in text.char_indices() {
            match end_within_line(text, at) {
                Some(Kind::Sentence) => out.push('|'),
                Some(Kind::Clause) => out.push('·'),
                _ => {}
            }
            out.push(c);
        }
        out
    }

    fn check(table: &[&str]) {
        for expected in table {
            let text: String = expected.chars().filter(|c| !matches!(c, '|' | '·')).collect();
            assert_eq!(marked(&text), *expected);
        }
    }

    #[test]
    fn a_sentence_ends_at_its_stop_and_what_closes_with_it() {
        check(&[
            "It is. |It was! |Will it? |Yes",
            "He said \"yes.\" |Then he left. |\"Why?\" |Nobody knew",
            "**Bold.** |Then _more._ |And `code`. |End",
            "(All of it.) |Next",
            "«Oui.» |Non",
            "Wait... |What? |So … |Well",
            "\"Really?\" he asked. |\"Really!\" she said",
        ]);
    }

    #[test]
    fn an_abbreviation_a_number_and_a_row_of_dots_end_no_sentence() {
        check(&[
            "Dr. Smith and Mr. J. R. R. Jones met Mrs. Brown. |Then",
            "see e.g. Paris, ·i.e. France, ·or the U.S. Army. |It",
            "Das ist z. B. Köln und d.h. Bonn. |Es",
            "as in Fig. 3 and Sec. 4, ·pp. 12, ·No. 5. |It",
            "Did he? |No. |He left",
            "It is 3.14 or 1,000 in all. |And 2.5",
            "1. First. |2. Second. |2.1. Third: ·a. Fourth; ·iv. Fifth",
            "(b) 12. Fees are due. |It was 1990. |Then 12. |So",
            "one . . . |Two",
            "St. Mark vs. St. John. |End",
        ]);
    }

    #[test]
    fn a_full_stop_of_other_scripts_needs_no_space() {
        check(&[
            "你好。|世界很大，·人很多",
            "他说：·“好。”|她走了——·没有回头……·很久",
            "他说：·「好。」|然后",
            "真的？！|是的（对。）|好",
            "「そうだ。」·と彼は言った。|「いや……」·と",
            "値は３．１４です．|次",
            "क्या है। |हाँ",
        ]);
    }

    #[test]
    fn a_word_of_japanese_is_not_cut_before_a_small_kana() {
        let text = "きょうはがっこう";
        let ends: Vec<usize> = (0..text.len())
            .filter(|at| text.is_char_boundary(*at) && end_within_line(text, *at).is_some())
            .collect();
        // き|ょ and が|っ are one sound each.
        assert_eq!(ends, [6, 9, 12, 18, 21]);
    }

    #[test]
    fn an_element_and_an_item_end_where_the_next_begins() {
        check(&[
            "<p>One</p>|<p>Two <b>x</b><i>y</i></p>|<ul><li>a</li>|<li>b</li></ul>|<hr/>|<p>",
            "<p>One</p> |<p>Two</p> </div> |<p>",
            "[{\"a\":1},|{\"b\":[2,3],·\"c\":4},|[5],|[6]]",
        ]);
    }
}
