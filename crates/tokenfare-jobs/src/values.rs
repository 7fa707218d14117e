//! JSON values that are passed on as they are spelled, and when that is safe.

/// The most brackets in a value that is not parsed further: readers differ in the depth of nesting
/// that they accept.
const DEEP: usize = 64;

/// Whether every JSON reader accepts a value that is not looked at here: it has no escape, few
/// brackets, and no number that could be too large for a float.
pub(crate) fn is_sound(raw: &str) -> bool {
    // Without escapes, the parts at even places of a split by quotes are outside of texts.
    !raw.contains('\\')
        && raw.bytes().filter(|b| matches!(b, b'[' | b'{')).count() < DEEP
        && raw.split('"').step_by(2).all(has_plain_numbers)
}

fn has_plain_numbers(outside: &str) -> bool {
    outside.split(|c: char| !c.is_ascii_digit() && !matches!(c, 'e' | 'E')).all(|run| {
        !run.starts_with(|c: char| c.is_ascii_digit())
            || (run.len() <= 18 && run.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a value is spelled as every JSON writer spells it: a text without escapes, a literal
/// name, or a number in its usual form.
pub(crate) fn is_canonical(raw: &str) -> bool {
    match raw.as_bytes() {
        [b'"', ..] => !raw.contains('\\'),
        [b't' | b'f' | b'n', ..] => true,
        _ => is_whole(raw) || is_decimal(raw),
    }
}

/// A whole number of at most 18 digits; not minus zero, which writers spell in two ways.
pub(crate) fn is_whole(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    raw != "-0" && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A decimal fraction without an exponent, in its shortest form.
fn is_decimal(raw: &str) -> bool {
    let Some((whole, part)) = raw.strip_prefix('-').unwrap_or(raw).split_once('.') else {
        return false;
    };
    let few = whole.len() + part.len() <= 15;
    let all_digits = whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit());
    let shortest = part == "0" || !part.ends_with('0');
    let not_small = whole != "0" || part == "0" || part.bytes().take(4).any(|b| b != b'0');
    few && all_digits && shortest && not_small
}

/// Leaves the line as doubtful if a condition holds.
pub(crate) fn doubtful_if(condition: bool) -> Option<()> {
    (!condition).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_canonical_if_no_writer_spells_it_otherwise() {
        for raw in ["0", "-1", "123456789012345678", "0.7", "1.0", "-0.0", "0.0001", "12.25"] {
            assert!(is_canonical(raw), "{raw}");
        }
        for raw in ["-0", "1234567890123456789", "0.70", "1.00", "0.00001", "1e3", "1.5E2"] {
            assert!(!is_canonical(raw), "{raw}");
        }
    }

    #[test]
    fn a_value_is_sound_if_every_reader_takes_it() {
        for raw in ["null", "[true, false, -12.5, {}]", r#""3e400""#, r#"{"7e9": "{[", "a": 1}"#] {
            assert!(is_sound(raw), "{raw}");
        }
        let deep = "[".repeat(DEEP);
        for raw in ["3e400", "[1E2]", "1234567890123456789", r#"{"a": -0.1e5}"#, r#""\n""#, &deep] {
            assert!(!is_sound(raw), "{raw}");
        }
    }

    #[test]
    fn a_canonical_decimal_is_written_as_it_stands() {
        for raw in ["0.7", "1.0", "-0.0", "0.0001", "0.00015", "999999999999.99", "123456.789"] {
            let number: f64 = raw.parse().unwrap();
            assert!(is_decimal(raw), "{raw}");
            assert_eq!(serde_json::to_string(&number).unwrap(), raw);
        }
    }
}
