//! Writes text as JSON strings, escaping only what has to be escaped, and reads escapes.

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

/// The byte that a one-letter escape stands for, by the letter; 0 if there is no such escape.
pub(crate) const SHORT: [u8; 256] = {
    let mut said = [0; 256];
    let mut all: &[(u8, u8)] = &[
        (b'"', b'"'),
        (b'\\', b'\\'),
        (b'/', b'/'),
        (b'b', 0x08),
        (b'f', 0x0c),
        (b'n', b'\n'),
        (b'r', b'\r'),
        (b't', b'\t'),
    ];
    while let [(letter, byte), rest @ ..] = all {
        said[*letter as usize] = *byte;
        all = rest;
    }
    said
};

/// The character of `\uXXXX`, or of a surrogate pair of two of these, and the bytes that it takes.
///
/// `None` for anything else, and for half of a surrogate pair.
pub(crate) fn by_number(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?; // and no sign
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
}
