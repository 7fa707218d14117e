//! The body of a request: its messages, the room for its answer, and what else it says.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::escape::quoted;
use crate::form::Form;
use crate::plain::{Name, is_settled, is_sound, refuse, room, seed};
use crate::scan::{Share, Told};

/// The names under which a body says how long its answer may be.
const ROOMS: [&str; 2] = ["max_completion_tokens", "max_tokens"];

/// Names that a body has at most: each is looked for among those before it.
const NAMES: usize = 64;

/// Reads a body and writes it, without the model that it names.
pub(crate) struct BodySeed<'a> {
    pub(crate) form: &'a Form,
    pub(crate) share: &'a mut Share,
}

seed!(BodySeed, Told, deserialize_map);

impl<'de> Visitor<'de> for BodySeed<'_> {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a plain request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        let BodySeed { form, share } = self;
        let (mut told, mut most) = (None, None);
        let mut names: Vec<Cow<'de, str>> = Vec::with_capacity(8);
        while let Some(Name(name)) = map.next_key()? {
            refuse(names.len() == NAMES || names.contains(&name))?;
            if name == "model" {
                refuse(!is_sound(map.next_value::<&RawValue>()?.get()))?;
                names.push(name);
                continue;
            }
            share.store.bodies.push(if names.iter().all(|name| name == "model") {
                b'{'
            } else {
                b','
            });
            quoted(&name, &mut share.store.bodies);
            share.store.bodies.push(b':');
            if name == "messages" {
                told = Some(map.next_value_seed(MessagesSeed { form, share })?);
            } else {
                refuse(form.apart.contains(name.as_ref()))?;
                let raw = map.next_value::<&RawValue>()?.get();
                refuse(!is_settled(raw))?;
                if ROOMS.contains(&name.as_ref()) {
                    most = most.max(Some(named(raw)?));
                }
                share.store.bodies.extend_from_slice(raw.as_bytes());
            }
            names.push(name);
        }
        let mut told = told.ok_or_else(|| A::Error::custom("no messages"))?;
        told.room = most.unwrap_or_else(|| {
            room(form, share);
            form.room
        });
        share.store.bodies.push(b'}');
        Ok(told)
    }
}

fn named<E: Error>(raw: &str) -> Result<u64, E> {
    let room = raw.parse::<u64>().map_err(E::custom)?;
    refuse(room == 0)?;
    Ok(room)
}

/// Reads messages of roles and texts, at least one, and writes them.
pub(crate) struct MessagesSeed<'a> {
    pub(crate) form: &'a Form,
    pub(crate) share: &'a mut Share,
}

seed!(MessagesSeed, Told, deserialize_seq);

impl<'de> Visitor<'de> for MessagesSeed<'_> {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages of roles and texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Told, A::Error> {
        let MessagesSeed { form, share } = self;
        let mut told = Told::default();
        loop {
            let before = share.store.bodies.len();
            share.store.bodies.push(if told.messages == 0 { b'[' } else { b',' });
            let message = MessageSeed { form, share, told: &mut told };
            if list.next_element_seed(message)?.is_none() {
                share.store.bodies.truncate(before);
                break;
            }
        }
        refuse(told.messages == 0)?;
        share.store.bodies.push(b']');
        Ok(told)
    }
}

struct MessageSeed<'a> {
    form: &'a Form,
    share: &'a mut Share,
    told: &'a mut Told,
}

seed!(MessageSeed, (), deserialize_map);

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a role and a text")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let MessageSeed { form, share, told } = self;
        let (mut role, mut content): (Option<Cow<'de, str>>, bool) = (None, false);
        while let Some(Name(name)) = map.next_key()? {
            share.store.bodies.push(if role.is_some() || content { b',' } else { b'{' });
            match name.as_ref() {
                "role" if role.is_none() => {
                    let Name(said) = map.next_value()?;
                    refuse(!matches!(said.as_ref(), "system" | "user" | "assistant"))?;
                    told.system_first |= told.messages == 0 && said == "system";
                    let written = ["\"role\":\"", &said, "\""];
                    written
                        .iter()
                        .for_each(|part| share.store.bodies.extend_from_slice(part.as_bytes()));
                    role = Some(said);
                }
                "content" if !content => {
                    content = true;
                    share.store.bodies.extend_from_slice(b"\"content\":");
                    map.next_value_seed(ContentSeed { form, share, told })?;
                }
                _ => return Err(A::Error::custom("more than a role and a text")),
            }
        }
        let role = role.filter(|_| content).ok_or_else(|| A::Error::custom("half a message"))?;
        share.climb(&role, form);
        share.store.bodies.push(b'}');
        told.messages += 1;
        Ok(())
    }
}

/// Reads a text, writes it, and puts it to those that are counted.
pub(crate) struct ContentSeed<'a> {
    pub(crate) form: &'a Form,
    pub(crate) share: &'a mut Share,
    pub(crate) told: &'a mut Told,
}

impl<'de> DeserializeSeed<'de> for ContentSeed<'_> {
    type Value = ();

    /// By hand, since a reader that unescapes text grows a buffer of its own for every line.
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let ContentSeed { form, share, told } = self;
        let raw = <&RawValue>::deserialize(reader)?.get();
        refuse(!raw.starts_with('"') || !share.unquote(raw))?;
        refuse(form.is_marked(share.text()))?;
        share.take(told);
        Ok(())
    }
}
