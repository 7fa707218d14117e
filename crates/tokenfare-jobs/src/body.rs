//! The body of a request: its messages, the room for its answer, and what else it says.

use std::borrow::Cow;

use crate::escape::quoted;
use crate::form::Form;
use crate::plain::{given_up_if, is_settled, is_sound, room};
use crate::reader::Reader;
use crate::scan::{Share, Told};

/// The names under which a body says how long its answer may be.
const ROOMS: [&str; 2] = ["max_completion_tokens", "max_tokens"];

/// Names that a body has at most: each is looked for among those before it.
const NAMES: usize = 64;

/// Reads a body and writes it, without the model that it names.
pub(crate) fn body(reader: &mut Reader<'_>, form: &Form, share: &mut Share) -> Option<Told> {
    let (mut told, mut most) = (None, None);
    let mut names: Vec<Cow<'_, str>> = Vec::with_capacity(8);
    let mut object = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut object)? {
        given_up_if(names.len() == NAMES || names.contains(&name))?;
        if name == "model" {
            given_up_if(!is_sound(reader.value()?))?;
            names.push(name);
            continue;
        }
        let is_first = names.iter().all(|name| name == "model");
        share.store.bodies.push(if is_first { b'{' } else { b',' });
        quoted(&name, &mut share.store.bodies);
        share.store.bodies.push(b':');
        if name == "messages" {
            told = Some(messages(reader, form, share)?);
        } else {
            given_up_if(form.apart.contains(name.as_ref()))?;
            let raw = reader.value()?;
            given_up_if(!is_settled(raw))?;
            if ROOMS.contains(&name.as_ref()) {
                most = most.max(Some(named(raw)?));
            }
            share.store.bodies.extend_from_slice(raw.as_bytes());
        }
        names.push(name);
    }
    let mut told: Told = told?;
    told.room = most.unwrap_or_else(|| {
        room(form, share);
        form.room
    });
    share.store.bodies.push(b'}');
    Some(told)
}

fn named(raw: &str) -> Option<u64> {
    raw.parse().ok().filter(|room| *room != 0)
}

/// Reads messages of roles and texts, at least one, and writes them.
pub(crate) fn messages(reader: &mut Reader<'_>, form: &Form, share: &mut Share) -> Option<Told> {
    let mut told = Told::default();
    let mut list = reader.open(b'[')?;
    while reader.more(&mut list, b']')? {
        share.store.bodies.push(if told.messages == 0 { b'[' } else { b',' });
        message(reader, form, share, &mut told)?;
    }
    given_up_if(told.messages == 0)?;
    share.store.bodies.push(b']');
    Some(told)
}

fn message(reader: &mut Reader<'_>, form: &Form, share: &mut Share, told: &mut Told) -> Option<()> {
    let (mut role, mut has_content) = (None, false);
    let mut object = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut object)? {
        let is_first = role.is_none() && !has_content;
        share.store.bodies.push(if is_first { b'{' } else { b',' });
        match name.as_ref() {
            "role" if role.is_none() => {
                let said = reader.string()?;
                given_up_if(!matches!(said.as_ref(), "system" | "user" | "assistant"))?;
                told.system_first |= told.messages == 0 && said == "system";
                for part in ["\"role\":\"", &said, "\""] {
                    share.store.bodies.extend_from_slice(part.as_bytes());
                }
                role = Some(said);
            }
            "content" if !has_content => {
                has_content = true;
                share.store.bodies.extend_from_slice(b"\"content\":");
                content(reader, form, share, told)?;
            }
            _ => return None, // more than a role and a text
        }
    }
    let role = role.filter(|_| has_content)?;
    share.add_digests(&role, form);
    share.store.bodies.push(b'}');
    told.messages += 1;
    Some(())
}

/// Reads a text, writes it, and puts it to those that are counted.
pub(crate) fn content(
    reader: &mut Reader<'_>,
    form: &Form,
    share: &mut Share,
    told: &mut Told,
) -> Option<()> {
    share.unquote(reader)?;
    given_up_if(form.is_marked(share.text()))?;
    share.take(told)
}
