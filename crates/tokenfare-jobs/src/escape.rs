//! Text as JSON: what must be escaped is, and nothing else; and JSON as text.

use memchr::memchr;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string, with its quotes.
pub(crate) fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    inside(text, out);
    out.push(b'"');
}

fn inside(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&bytes[start..]);
}

/// Appends to `text` what a JSON string says, and to `json` the same as `quoted` writes it.
///
/// `raw` is one, with its quotes, as a reader of JSON took it: what stands behind an escape is there.
/// `false` for half of a surrogate pair, which no text holds; what was appended is then not whole.
pub(crate) fn unquoted(raw: &str, text: &mut String, json: &mut Vec<u8>) -> bool {
    let start = text.len();
    let mut as_written = true;
    let mut rest = &raw[1..raw.len() - 1];
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let (said, behind) = match rest.as_bytes()[at + 1] {
            b'n' => ('\n', 2),
            b't' => ('\t', 2),
            b'r' => ('\r', 2),
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'u' => match by_number(&rest[at..]) {
                Some(found) => found,
                None => return false,
            },
            other => (char::from(other), 2), // a quote or a slash of either kind
        };
        as_written &= !matches!(rest.as_bytes()[at + 1], b'u' | b'/');
        text.push(said);
        rest = &rest[at + behind..];
    }
    text.push_str(rest);
    if as_written {
        json.extend_from_slice(raw.as_bytes());
    } else {
        quoted(&text[start..], json);
    }
    true
}

/// The character of `\uXXXX` or of a pair of these, and how many bytes say it.
fn by_number(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let pair = [first, unit(6).unwrap_or(0)];
    if let Some(Ok(found)) = char::decode_utf16([first]).next() {
        return Some((found, 6));
    }
    char::decode_utf16(pair).next()?.ok().map(|found| (found, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_must_escape_is_escaped_and_nothing_else() {
        for (text, json) in [
            ("", r#""""#),
            ("a/é\u{7f}\u{2028}", "\"a/é\u{7f}\u{2028}\""),
            ("\"\\\n\r\t\u{8}\u{c}", r#""\"\\\n\r\t\b\f""#),
            ("\0a\u{1f}", r#""\u0000a\u001f""#),
        ] {
            let mut out = Vec::new();
            quoted(text, &mut out);
            assert_eq!(std::str::from_utf8(&out), Ok(json));
        }
    }

    #[test]
    fn every_text_is_read_back() {
        let all: String = (0..=0x2_0000).filter_map(char::from_u32).collect();
        let mut out = Vec::new();
        quoted(&all, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).ok(), Some(all));
    }

    #[test]
    fn what_a_string_says_is_what_serde_reads_and_is_written_as_ever() {
        for raw in [
            r#""""#,
            r#""a é 你 \n\t\r\b\f\/\\\"b""#,
            r#""\u00e9\u0000\u0041\u2028\ud83d\ude42x\uD83D\uDE42""#,
            r#""\u0022\u005c\u001f\u007f""#,
            r#""\n\"\\\/""#,
        ] {
            let (mut text, mut json) = (String::from("before"), Vec::new());
            assert!(unquoted(raw, &mut text, &mut json), "{raw}");
            let expected: String = serde_json::from_str(raw).unwrap();
            assert_eq!(text.strip_prefix("before"), Some(&expected[..]));
            let mut written = Vec::new();
            quoted(&expected, &mut written);
            assert_eq!(json, written, "{raw}");
        }
        for raw in [r#""\ud83d""#, r#""\ude42\ud83d""#, r#""\ud83dx""#, r#""\ud83d\u0041""#] {
            assert!(!unquoted(raw, &mut String::new(), &mut Vec::new()), "{raw}");
            assert!(serde_json::from_str::<String>(raw).is_err(), "{raw}");
        }
    }
}
