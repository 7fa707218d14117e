//! A line as a plain request, or nothing: read once, and written as it is read.
//!
//! What is written is the body as it is sent, compact and with its names in their order, and beside
//! it the texts to be counted. Where one reader could take the line in another way than the next
//! (a name twice, a number that a float may not hold, a name that means nothing here), it is left.

use crate::body::{body, content, messages};
use crate::form::Form;
use crate::reader::Reader;
use crate::scan::{Share, Told};

/// Brackets in a value that is not looked into: with more, readers differ in how deep they go.
const DEEP: usize = 64;

/// Reads a line; what it wrote before it gave up is the caller's to take back.
pub(crate) fn plain(line: &str, form: &Form, share: &mut Share) -> Option<Told> {
    let mut reader = Reader::new(line);
    let told = request(&mut reader, form, share)?;
    reader.end().map(|()| told)
}

fn request(reader: &mut Reader<'_>, form: &Form, share: &mut Share) -> Option<Told> {
    let (mut told, mut is_body, mut has_id, mut batch_only) = (None, false, false, false);
    let mut line = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut line)? {
        if name == form.custom_id {
            given_up_if(has_id)?;
            has_id = true;
            id(reader.value()?, share)?;
        } else if name == "body" {
            given_up_if(told.is_some())?;
            is_body = true;
            told = Some(body(reader, form, share)?);
        } else if name == form.messages {
            given_up_if(told.is_some())?;
            share.store.bodies.extend_from_slice(b"{\"messages\":");
            let mut found = messages(reader, form, share)?;
            found.room = ended(form, share);
            told = Some(found);
        } else if name == form.prompt {
            given_up_if(told.is_some())?;
            let front = b"{\"messages\":[{\"role\":\"user\",\"content\":";
            share.store.bodies.extend_from_slice(front);
            let mut found = Told::one();
            content(reader, form, share, &mut found)?;
            given_up_if(found.filled == 0)?;
            share.add_digests("user", form);
            share.store.bodies.extend_from_slice(b"}]");
            found.room = ended(form, share);
            told = Some(found);
        } else if name == "method" || name == "url" {
            let expected = if name == "url" { &form.url } else { &form.method };
            given_up_if(reader.string()? != expected.as_str())?;
            batch_only = true;
        } else {
            given_up_if(form.beside.contains(name.as_ref()))?;
            given_up_if(!is_sound(reader.value()?))?;
        }
    }
    given_up_if(batch_only && !is_body)?;
    told
}

/// Closes a body that names no room, and so is given one.
pub(crate) fn ended(form: &Form, share: &mut Share) -> u64 {
    room(form, share);
    share.store.bodies.push(b'}');
    form.room
}

/// Gives a body the room that it does not name.
pub(crate) fn room(form: &Form, share: &mut Share) {
    share.store.bodies.extend_from_slice(format!(",\"max_tokens\":{}", form.room).as_bytes());
}

/// An id is a text or a whole number; null is none.
fn id(raw: &str, share: &mut Share) -> Option<()> {
    if raw.starts_with('"') {
        let text = Reader::new(raw).string()?;
        given_up_if(text.is_empty())?;
        share.store.ids.push_str(&text);
        return Some(());
    }
    given_up_if(raw != "null" && !is_whole(raw))?;
    if raw != "null" {
        share.store.ids.push_str(raw);
    }
    Some(())
}

/// Whether a value that means nothing here is one by every reader's rules: no escape, not deep, no
/// number that could be too large for a float.
pub(crate) fn is_sound(raw: &str) -> bool {
    // Without escapes, every second quote ends a text.
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

/// Whether a value is written as every writer writes it: a text without escapes, a word, a number.
pub(crate) fn is_settled(raw: &str) -> bool {
    match raw.as_bytes() {
        [b'"', ..] => !raw.contains('\\'),
        [b't' | b'f' | b'n', ..] => true,
        _ => is_whole(raw) || is_decimal(raw),
    }
}

/// A whole number of at most 18 digits. Minus zero has two spellings, and is none.
fn is_whole(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    raw != "-0" && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A decimal fraction whose shortest form is the one it has, by no exponent.
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

/// Gives the line up.
pub(crate) fn given_up_if(whether: bool) -> Option<()> {
    (!whether).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_settled_if_no_writer_spells_it_otherwise() {
        for raw in ["0", "-1", "123456789012345678", "0.7", "1.0", "-0.0", "0.0001", "12.25"] {
            assert!(is_settled(raw), "{raw}");
        }
        for raw in ["-0", "1234567890123456789", "0.70", "1.00", "0.00001", "1e3", "1.5E2"] {
            assert!(!is_settled(raw), "{raw}");
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
    fn a_decimal_that_is_settled_is_written_as_it_stands() {
        for raw in ["0.7", "1.0", "-0.0", "0.0001", "0.00015", "999999999999.99", "123456.789"] {
            let number: f64 = raw.parse().unwrap();
            assert!(is_decimal(raw), "{raw}");
            assert_eq!(serde_json::to_string(&number).unwrap(), raw);
        }
    }
}
