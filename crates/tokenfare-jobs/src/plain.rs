//! A line as a plain request, or nothing: serde's visitors, which write as they read.
//!
//! What is written is the body as it is sent, compact and with its names in their order, and beside
//! it the texts to be counted. Where one reader could take the line in another way than the next
//! (a name twice, a number that a float may not hold, a name that means nothing here), it is left.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::body::{BodySeed, ContentSeed, MessagesSeed};
use crate::form::Form;
use crate::scan::{Share, Told};

/// Brackets in a value that is not looked into: with more, readers differ in how deep they go.
const DEEP: usize = 64;

/// Reads a line; what it wrote before it gave up is the caller's to take back.
pub(crate) fn plain(line: &str, form: &Form, share: &mut Share) -> Option<Told> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let told = reader.deserialize_map(Line { form, share }).ok()?;
    reader.end().ok()?;
    Some(told)
}

/// A name, lying in the line unless it holds an escape.
pub(crate) struct Name<'de>(pub(crate) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        reader.deserialize_str(Reader)
    }
}

struct Line<'a> {
    form: &'a Form,
    share: &'a mut Share,
}

impl<'de> Visitor<'de> for Line<'_> {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        let Line { form, share } = self;
        let (mut told, mut is_body, mut has_id, mut batch_only) = (None, false, false, 0);
        while let Some(Name(name)) = map.next_key()? {
            if name == form.custom_id {
                refuse(has_id)?;
                has_id = true;
                id(map.next_value()?, share)?;
            } else if name == "body" {
                refuse(told.is_some())?;
                is_body = true;
                told = Some(map.next_value_seed(BodySeed { form, share })?);
            } else if name == form.messages {
                refuse(told.is_some())?;
                share.store.bodies.extend_from_slice(b"{\"messages\":");
                let mut found = map.next_value_seed(MessagesSeed { form, share })?;
                found.room = ended(form, share);
                told = Some(found);
            } else if name == form.prompt {
                refuse(told.is_some())?;
                let front = b"{\"messages\":[{\"role\":\"user\",\"content\":";
                share.store.bodies.extend_from_slice(front);
                let mut found = Told::one();
                map.next_value_seed(ContentSeed { form, share, told: &mut found })?;
                refuse(found.filled == 0)?;
                share.climb("user", form);
                share.store.bodies.extend_from_slice(b"}]");
                found.room = ended(form, share);
                told = Some(found);
            } else if name == "method" || name == "url" {
                let expected = if name == "url" { &form.url } else { &form.method };
                let Name(said) = map.next_value()?;
                refuse(said != expected.as_str())?;
                batch_only += 1;
            } else {
                refuse(form.beside.contains(name.as_ref()))?;
                refuse(!is_sound(map.next_value::<&RawValue>()?.get()))?;
            }
        }
        refuse(batch_only > 0 && !is_body)?;
        told.ok_or_else(|| A::Error::custom("no request"))
    }
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
fn id<E: Error>(raw: &RawValue, share: &mut Share) -> Result<(), E> {
    let raw = raw.get();
    if raw.starts_with('"') {
        let Name(text) = serde_json::from_str(raw).map_err(E::custom)?;
        refuse(text.is_empty())?;
        share.store.ids.push_str(&text);
        return Ok(());
    }
    refuse(raw != "null" && !is_whole(raw))?;
    if raw != "null" {
        share.store.ids.push_str(raw);
    }
    Ok(())
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
pub(crate) fn refuse<E: Error>(whether: bool) -> Result<(), E> {
    if whether { Err(E::custom("not plain")) } else { Ok(()) }
}

/// A seed that reads a value by a visitor, as maps and lists need them.
macro_rules! seed {
    ($name:ident, $value:ty, $how:ident) => {
        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = $value;
            fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<$value, D::Error> {
                reader.$how(self)
            }
        }
    };
}
pub(crate) use seed;

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
            assert_eq!(serde_json::to_string(&number).unwrap(), raw, "{}", is_decimal(raw));
        }
    }
}
