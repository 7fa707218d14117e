//! A pull parser for the JSON of a line: names, strings and values, one after the other.
//!
//! Strings are nearly all of a job, so they are read here, many bytes at a time: finding the end
//! and unescaping are one pass. (A parser that first finds the end and then unescapes goes over
//! each string twice, and stops at each escape both times.) Every other value is only delimited
//! here, and serde decides whether it is valid.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::escape::{SHORT, by_number};
use crate::stops::{STEP, stops};

/// A position in a line. Methods return `None` if the line does not have what they read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    line: &'a str,
    at: usize,
}

/// An object or a list that is being read.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    has_one: bool,
}

/// A string of the line: as it is written there, its length in bytes once unescaped, and whether
/// `escape::quoted` would write it in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    pub(crate) raw: &'a str,
    pub(crate) length: usize,
    pub(crate) as_written: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Reader { line, at: 0 }
    }

    /// Reads the opening bracket of an object (`{`) or of a list (`[`).
    pub(crate) fn open(&mut self, bracket: u8) -> Option<Opened> {
        self.takes(bracket).then(Opened::default)
    }

    /// Reads the next name of an object and its colon; `Some(None)` at the object's end.
    #[expect(clippy::option_option, reason = "the end of an object is no fault")]
    pub(crate) fn name(&mut self, object: &mut Opened) -> Option<Option<Cow<'a, str>>> {
        if !self.more(object, b'}')? {
            return Some(None);
        }
        let name = self.string()?;
        self.takes(b':').then_some(Some(name))
    }

    /// Whether a list or an object has another element. Reads the comma before it, or the end.
    pub(crate) fn more(&mut self, of: &mut Opened, end: u8) -> Option<bool> {
        if self.takes(end) {
            return Some(false);
        }
        let goes_on = !of.has_one || self.takes(b',');
        of.has_one = true;
        goes_on.then_some(true)
    }

    /// Reads a string; borrowed from the line unless it has an escape.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        let raw = self.quoted()?;
        if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
            return Some(Cow::Borrowed(&raw[1..raw.len() - 1]));
        }
        serde_json::from_str(raw).ok().map(Cow::Owned)
    }

    /// Reads a string and unescapes it into the first bytes of `said`.
    ///
    /// `said` only grows, to what the longest string of a line may need: clearing it for each
    /// string would write it twice.
    pub(crate) fn text(&mut self, said: &mut Vec<u8>) -> Option<Text<'a>> {
        self.takes(b'"').then_some(())?;
        let start = self.at;
        let bytes = self.line.as_bytes();
        // Unescaping never lengthens a string; whole steps are copied.
        let room = bytes.len() - start + STEP;
        if said.len() < room {
            said.resize(room, 0);
        }
        let (mut at, mut to, mut as_written) = (start, 0, true);
        loop {
            let step = bytes.get(at..).and_then(|rest| rest.first_chunk::<STEP>());
            if let Some(step) = step {
                said[to..to + STEP].copy_from_slice(step);
                let found = stops(step).trailing_zeros() as usize;
                (at, to) = (at + found, to + found);
                if found == STEP {
                    continue;
                }
            }
            match *bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    let short = SHORT[usize::from(*bytes.get(at + 1)?)];
                    if short != 0 {
                        said[to] = short;
                        as_written &= short != b'/';
                        (at, to) = (at + 2, to + 1);
                        continue;
                    }
                    let (character, behind) = by_number(&self.line[at..])?;
                    as_written = false; // perhaps it is, but only `quoted` knows
                    to += character.encode_utf8(&mut said[to..]).len();
                    at += behind;
                }
                byte if byte < b' ' => return None,
                byte => {
                    said[to] = byte;
                    (at, to) = (at + 1, to + 1);
                }
            }
        }
        self.at = at + 1;
        Some(Text { raw: &self.line[start - 1..self.at], length: to, as_written })
    }

    /// Reads a value of any type, and returns it as it is written in the line.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.skip_space();
        let bytes = self.line.as_bytes();
        let (start, mut deep) = (self.at, 0usize);
        loop {
            match *bytes.get(self.at)? {
                b'"' => {
                    self.quoted()?;
                    if deep == 0 {
                        break; // a string, or one behind something else, which serde refuses
                    }
                    continue;
                }
                b'{' | b'[' => deep += 1,
                b'}' | b']' | b',' if deep == 0 => break,
                b'}' | b']' => deep -= 1,
                _ => {}
            }
            self.at += 1;
        }
        let raw = self.line[start..self.at].trim_end_matches(SPACE);
        let is_one = raw.starts_with('"') || serde_json::from_str::<IgnoredAny>(raw).is_ok();
        is_one.then_some(raw)
    }

    /// Succeeds if nothing but white space is left.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.skip_space();
        (self.at == self.line.len()).then_some(())
    }

    /// Reads a string with valid escapes, and returns it with its quotes, as it is written.
    fn quoted(&mut self) -> Option<&'a str> {
        self.takes(b'"').then_some(())?;
        let start = self.at - 1;
        let bytes = self.line.as_bytes();
        loop {
            let step = bytes.get(self.at..).and_then(|rest| rest.first_chunk::<STEP>());
            if let Some(step) = step {
                let found = stops(step).trailing_zeros() as usize;
                self.at += found;
                if found == STEP {
                    continue;
                }
            }
            match *bytes.get(self.at)? {
                b'"' => break,
                b'\\' => match *bytes.get(self.at + 1)? {
                    b'u' => {
                        let digits = bytes.get(self.at + 2..self.at + 6)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.at += 6;
                    }
                    byte if SHORT[usize::from(byte)] != 0 => self.at += 2,
                    _ => return None,
                },
                byte if byte < b' ' => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(&self.line[start..self.at])
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.line.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.line.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| SPACE.contains(&char::from(**byte))).count();
    }
}

/// The white space of JSON.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::quoted;

    /// Texts with `piece` at every distance from the ends of steps, and of the line.
    fn lines(piece: &str) -> impl Iterator<Item = String> {
        (0..70).flat_map(move |before| {
            [0, 1, 31, 70]
                .map(|behind| format!("\"{}{piece}{}\"", "é".repeat(before), "x".repeat(behind)))
        })
    }

    #[test]
    fn a_text_says_what_serde_reads_and_knows_whether_it_is_written_as_ever() {
        let pieces = [
            "",
            "a é 你 \u{7f}\u{2028}",
            r#"\n\t\r\b\f\/\\\""#,
            r"\u00e9\u0000\u0041\u2028\ud83d\ude42x\uD83D\uDE42",
            r"\u0022\u005c\u001f\u007f",
            r#"\n\"\\"#,
            r"\ud83d",
            r"\ude42\ud83d",
            r"\ud83dx",
            r"\ud83d\u0041",
            r"\ud83d\n",
            r"\x",
            r"\u00g0",
            r"\u+041",
            r"\u00",
            r"\",
            "\n",
            "\0",
            "\u{1f}",
        ];
        for line in pieces.into_iter().flat_map(lines) {
            for behind in ["", ",", " }                                      "] {
                let whole = format!("{line}{behind}");
                let expected: Option<String> = serde_json::from_str(&line).ok();
                let mut said = vec![b'?'; 7];
                let mut reader = Reader::new(&whole);
                let Some(Text { raw, length, as_written }) = reader.text(&mut said) else {
                    assert_eq!(expected, None, "{whole}");
                    continue;
                };
                let expected = expected.unwrap_or_else(|| panic!("{whole} is no text"));
                assert_eq!(std::str::from_utf8(&said[..length]), Ok(&expected[..]));
                assert_eq!((raw, reader.at), (&line[..], line.len()));
                let mut written = Vec::new();
                quoted(&expected, &mut written);
                assert!(!as_written || written == raw.as_bytes(), "{whole}");
                assert!(as_written || raw.contains("\\u") || raw.contains("\\/"), "{whole}");
                assert_eq!(Reader::new(&whole).string().as_deref(), Some(&expected[..]));
            }
        }
    }

    #[test]
    fn a_text_without_an_end_is_none() {
        for line in [
            "",
            "\"",
            "\"a",
            "\"\\",
            "\"\\\"",
            "a\"",
            "\"\\u12",
            "\"0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(Reader::new(line).text(&mut Vec::new()), None, "{line}");
            assert_eq!(Reader::new(line).string(), None, "{line}");
        }
    }

    #[test]
    fn a_value_is_what_serde_takes_for_one_and_ends_where_it_ends() {
        let values = [
            "1",
            "-0.5e+3",
            "true",
            "null",
            "[]",
            "{}",
            r#""a,]}""#,
            r#"["]", {"}": [1, "\""]}]"#,
            "[1 , 2 ]",
            r#"{"a" : null}"#,
            "007",
            "-",
            "1 2",
            "tru",
            "[1,]",
            "{a: 1}",
            r#""\x""#,
            "[}",
            "",
            "1e",
            "+1",
            "'a'",
            "NaN",
            r#"{"a": "\ud83d"}"#,
        ];
        for value in values {
            for end in ["}", " ,", "\t]"] {
                let line = format!(" {value}{end}");
                let found = Reader::new(&line).value();
                let expected = serde_json::from_str::<IgnoredAny>(value).is_ok();
                assert_eq!(found, expected.then_some(value), "{line}");
            }
        }
    }

    #[test]
    fn an_object_ends_once_and_its_names_are_apart() {
        let names = |line: &str| {
            let mut reader = Reader::new(line);
            let mut object = reader.open(b'{')?;
            let mut found = Vec::new();
            while let Some(name) = reader.name(&mut object)? {
                found.push(name.into_owned());
                reader.value()?;
            }
            reader.end().map(|()| found)
        };
        assert_eq!(names("{}"), Some(vec![]));
        let two = Some(vec!["a".to_owned(), "é\n".to_owned()]);
        assert_eq!(names(r#" { "a" :1 , "\u00e9\n":[] } "#), two);
        for line in [
            "",
            "{",
            "[]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a":1}}"#,
            r#"{"a":1},"#,
            r#"{,"a":1}"#,
            r#"{1:1}"#,
            r#"{"a" "b"}"#,
            "{\u{a0}}",
        ] {
            assert_eq!(names(line), None, "{line}");
        }
    }
}
