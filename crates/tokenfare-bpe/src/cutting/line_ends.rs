//! How good a boundary the end of a line is, judged by the lines around it.
//!
//! A place to divide a text is as good as what it separates. Blank lines separate more than a line
//! break, and a line that is indented less begins something larger: this holds for the methods of a
//! class as for the paragraphs of a list item. A line should stay with what it announces or belongs
//! to: a heading, a comment or a decorator with what follows, a colon or an opening bracket with
//! what it opens, a closing bracket with what it closes, and the two halves of a sentence that was
//! broken to fit a width with each other. No rule depends on a particular language; each holds in
//! most of them.

use memchr::memrchr2;

use crate::cutting::around::{before, behind};
use crate::cutting::fences::Fences;
use crate::cutting::kind::Kind;
use crate::cutting::sentences::{is_closer, is_wide_stop};

/// The last end of a line in `text` after `from` and at or before `to`, and where its line break
/// starts.
pub(crate) fn break_before(text: &str, from: usize, to: usize) -> Option<(usize, usize)> {
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

/// The kind of the boundary at `at`, the end of a line whose break starts at `start`. O(1), except
/// for text that `fences` has not read yet.
pub(crate) fn line_end(text: &str, at: usize, start: usize, fences: &mut Fences) -> Kind {
    let rest = behind(text, at);
    let next = rest.trim_start_matches(is_blank);
    if next.is_empty() || next.starts_with(is_break) {
        return Kind::DeepLine; // more blank lines follow
    }
    let before = before(text, start);
    let line = before.trim_end();
    let breaks = &before[line.len()..];
    let line = &line[line.rfind(is_break).map_or(0, |at| at + 1)..];
    let fenced = fences.contain(text, at);
    let blank_lines = breaks.matches('\n').count().max(breaks.matches('\r').count());
    if announces(line, fenced) || belongs(next, fenced) || underlines(line, before, blank_lines) {
        return Kind::BrokenLine;
    }
    let indent = Indent::of(&rest[..rest.len() - next.len()]);
    match (blank_lines, fenced) {
        (0, true) => Kind::DeepLine,
        (_, true) => Kind::InnerLine,
        (0, false) if is_broken(line, next) || is_rule(first_line(next)) => Kind::BrokenLine,
        (0, false) => indent.pick([Kind::Line, Kind::InnerLine, Kind::DeepLine]),
        (2.., false) if indent == Indent::None => Kind::Section,
        _ if indent == Indent::None && is_heading(next) => Kind::Section,
        _ if is_title(line, before) => Kind::DeepParagraph,
        _ => indent.pick([Kind::Paragraph, Kind::InnerParagraph, Kind::DeepParagraph]),
    }
}

/// Whether a line begins at `at` that is neither blank nor a continuation of the line before. O(1),
/// except for text that `fences` has not read yet.
pub(crate) fn begins_line(text: &str, at: usize, fences: &mut Fences) -> bool {
    let Some((end, start)) = break_before(text, at.saturating_sub(2), at) else { return false };
    let next = behind(text, at).trim_start_matches(is_blank);
    let is_blank_line = next.is_empty() || next.starts_with(is_break);
    end == at && !is_blank_line && line_end(text, at, start, fences) < Kind::BrokenLine
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Indent {
    None,
    Step,
    More,
}

impl Indent {
    /// A step is a tab, up to four spaces, or two ideographic spaces.
    fn of(blanks: &str) -> Self {
        let width: usize = blanks.chars().map(|c| if c == ' ' { 1 } else { 4 }).sum();
        match width {
            0 => Indent::None,
            1..=4 => Indent::Step,
            _ if blanks == "\u{3000}\u{3000}" => Indent::Step,
            _ => Indent::More,
        }
    }

    fn pick(self, [none, step, more]: [Kind; 3]) -> Kind {
        match self {
            Indent::None => none,
            Indent::Step => step,
            Indent::More => more,
        }
    }
}

pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{3000}' | '\u{a0}')
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Whether a line announces the next one.
fn announces(line: &str, fenced: bool) -> bool {
    let line = line.trim_start_matches(is_blank);
    let decorates =
        line.strip_prefix('@').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    is_heading(line)
        || decorates
        || line.starts_with("//")
        || line.ends_with([':', '：', '{', '[', '(', '\\'])
        || is_rule_of_table(line)
        || fenced && is_fence(line)
}

/// Whether a line belongs to the one before it.
fn belongs(next: &str, fenced: bool) -> bool {
    next.starts_with(|c: char| is_closer(c) && !matches!(c, '"' | '\''))
        || next.starts_with("</")
        || is_rule_of_table(next)
        || fenced && is_fence(next)
}

fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.starts_with("~~~")
}

/// A heading of Markdown, or a comment of many languages.
fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - rest.len())) && rest.starts_with(' ')
}

/// The line between the head of a table and its rows.
fn is_rule_of_table(line: &str) -> bool {
    let cell = line.strip_prefix('|').map(str::trim_start);
    cell.is_some_and(|cell| cell.starts_with("--") || cell.starts_with(":-"))
}

/// A row of one mark, as used to underline titles and to separate sections.
fn is_rule(line: &str) -> bool {
    let marks = ['=', '-', '~', '^', '*', '#'];
    line.len() >= 3 && marks.iter().any(|mark| line.chars().all(|c| c == *mark))
}

/// Whether a line, with which `before` ends, is the rule above or below a title.
fn underlines(line: &str, before: &str, blank_lines: usize) -> bool {
    is_rule(line) && (blank_lines == 0 || !line_above(line, before).trim().is_empty())
}

/// The line above the one with which `before` ends.
fn line_above<'a>(line: &str, before: &'a str) -> &'a str {
    let before = before.trim_end();
    last_line(&before[..before.len() - line.len()])
}

fn first_line(text: &str) -> &str {
    text.split(is_break).next().unwrap_or(text).trim_end()
}

/// The last line of `text`, which ends with its line break.
fn last_line(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    &text[text.rfind(is_break).map_or(0, |at| at + 1)..]
}

/// Whether a line was broken to fit a width: a long line, without a bracket at its end, before a
/// lower-case letter or before markup that stands inside sentences.
fn is_broken(line: &str, next: &str) -> bool {
    const LONG: usize = 40;
    let open =
        |c: char| c.is_alphanumeric() || matches!(c, ',' | '.' | '-' | '"' | '’' | '”' | '—');
    let mut first = next.chars();
    let goes_on = match first.next() {
        Some('`' | '(' | '“') => !is_fence(next) && !line.ends_with('.'),
        Some('*' | '_') => first.next().is_some_and(char::is_alphabetic) && !line.ends_with('.'),
        first => first.is_some_and(char::is_lowercase),
    };
    goes_on && line.len() >= LONG && line.ends_with(open)
}

/// Whether a line between blank ones is as short as a title and does not end with a mark.
fn is_title(line: &str, before: &str) -> bool {
    const SHORT: usize = 60;
    line_above(line, before).trim().is_empty()
        && line.len() <= SHORT
        && line.starts_with(|c: char| c.is_alphanumeric())
        && line.ends_with(|c: char| c.is_alphanumeric() && !is_wide_stop(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{
        BrokenLine, DeepLine, DeepParagraph, InnerLine, InnerParagraph, Line, Paragraph, Section,
    };

    /// The kind of the line end at `|`.
    fn kind(marked: &str) -> Kind {
        let at = marked.find('|').unwrap();
        let text = format!("{}{}", &marked[..at], &marked[at + 1..]);
        let (end, start) = break_before(&text, 0, at).unwrap();
        assert_eq!(end, at, "{marked:?}");
        line_end(&text, at, start, &mut Fences::default())
    }

    fn check(table: &[(&str, Kind)]) {
        for (marked, expected) in table {
            assert_eq!(kind(marked), *expected, "{marked:?}");
            let windows = marked.replace('\n', "\r\n");
            assert_eq!(kind(&windows), *expected, "{windows:?}");
            let old = marked.replace('\n', "\r");
            assert_eq!(kind(&old), *expected, "{old:?}");
        }
    }

    #[test]
    fn what_follows_more_blank_lines_or_a_heading_is_larger() {
        check(&[
            ("One.\n\n\n|Two", Section),
            ("One.\n \n\t\n|Two", Section),
            ("One.\n\n\n|    two", InnerParagraph),
            ("One.\n\n|## Two", Section),
            ("One.\n\n|Two", Paragraph),
            ("One.\n\n|#two", Paragraph),
            ("One.\n|Two", Line),
            ("One.\n|\nTwo", DeepLine),
            ("One.\n|  \nTwo", DeepLine),
        ]);
    }

    #[test]
    fn what_is_indented_more_is_smaller() {
        check(&[
            ("a()\n\n|b()", Paragraph),
            ("a()\n\n|    b()", InnerParagraph),
            ("a()\n\n|\tb()", InnerParagraph),
            ("a()\n\n|        b()", DeepParagraph),
            ("a()\n|b()", Line),
            ("a()\n|    b()", InnerLine),
            ("a()\n|\t\tb()", DeepLine),
            ("好。\n|\u{3000}\u{3000}好", InnerLine),
        ]);
    }

    #[test]
    fn a_line_is_not_parted_from_what_it_announces() {
        check(&[
            ("# Title\n|Text", BrokenLine),
            ("# Title\n\n|Text", BrokenLine),
            ("Title\n=====\n\n|Text", BrokenLine),
            ("Title\n|=====\n\nText", BrokenLine),
            ("Text.\n\n=====\n|Title\n=====", BrokenLine),
            ("Text.\n\n---\n\n|Text", Paragraph),
            ("A title\n\n|Text", DeepParagraph),
            ("Text.\n\nA title\n\n|Text", DeepParagraph),
            ("Text\nof two lines\n\n|Text", Paragraph),
            ("as follows:\n\n|- one", BrokenLine),
            ("def f():\n|    pass", BrokenLine),
            ("@cached\n|def f():", BrokenLine),
            ("// A comment.\n|int a;", BrokenLine),
            ("int f() {\n|    a;", BrokenLine),
            ("    a;\n|}", BrokenLine),
            ("<li>a</li>\n|</ul>", BrokenLine),
            ("make a \\\n|  b", BrokenLine),
            ("}\n|int g()", Line),
        ]);
    }

    #[test]
    fn a_line_that_was_broken_to_fit_a_width_is_no_end() {
        let long = "The quick brown fox jumps over the lazy";
        check(&[
            (&format!("{long} dog\n|and sleeps"), BrokenLine),
            (&format!("{long} dog,\n|  and sleeps"), BrokenLine),
            (&format!("{long} dog\n|`and` sleeps"), BrokenLine),
            (&format!("{long} dog\n|*and* sleeps"), BrokenLine),
            (&format!("{long} dog\n|* and sleeps"), Line),
            (&format!("{long} dog\n|```\nand\n```"), Line),
            (&format!("{long} dog.\n|`and` sleeps"), Line),
            (&format!("{long} dog.\n|And sleeps"), Line),
            (&format!("{long} dog\n|- a list"), Line),
            (&format!("{long}(dog)\n|and = sleeps"), Line),
            ("roses are red\n|violets are blue", Line),
        ]);
    }

    #[test]
    fn a_table_stays_with_its_head_and_a_block_of_code_with_its_fences() {
        check(&[
            ("~ a ~\n|~ b ~", Line),
            ("Text.\n```\na\n\n|b\n```\n", InnerLine),
            ("Text.\n```\na\n|b\n```\n", DeepLine),
            ("Text.\n```py\n|a\n```\n", BrokenLine),
            ("Text.\n```\na\n|```\n", BrokenLine),
            ("Text.\n```\na\n```\n|Text", Line),
            ("Text.\n```\na\n```\n\n|Text", Paragraph),
            ("Text.\n|```\na\n```\n", Line),
        ]);
        let table = "/a/b/\n/-/-/\n/1/2/\n/3/4/\n".replace('/', "|").replace("-", "---");
        let ends: Vec<Kind> = table
            .match_indices('\n')
            .map(|(at, _)| line_end(&table, at + 1, at, &mut Fences::default()))
            .collect();
        assert_eq!(ends, [BrokenLine, BrokenLine, Line, DeepLine]);
    }
}
