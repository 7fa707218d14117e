//! Reads the body of a request: its messages, the room for its answer, and other parameters.
//!
//! As in `plain`, `None` means that the line is doubtful.

use std::borrow::Cow;

use crate::escape::quoted;
use crate::layout::LineLayout;
use crate::reader::Reader;
use crate::sink::{Sink, Summary};
use crate::values::{doubtful_if, is_canonical, is_sound};

/// The parameters that limit the length of the answer.
const ROOMS: [&str; 2] = ["max_completion_tokens", "max_tokens"];

/// The most names of a body that is read here: each is compared with all before it.
const NAMES: usize = 64;

/// Reads a body and writes it, leaving out the model that it names.
pub(crate) fn body(
    reader: &mut Reader<'_>,
    layout: &LineLayout,
    sink: &mut Sink,
) -> Option<Summary> {
    let (mut summary, mut most) = (None, None);
    let mut names: Vec<Cow<'_, str>> = Vec::with_capacity(8);
    let mut object = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut object)? {
        doubtful_if(names.len() == NAMES || names.contains(&name))?;
        if name == "model" {
            doubtful_if(!is_sound(reader.value()?))?;
            names.push(name);
            continue;
        }
        let is_first = names.iter().all(|name| name == "model");
        sink.store.bodies.push(if is_first { b'{' } else { b',' });
        quoted(&name, &mut sink.store.bodies);
        sink.store.bodies.push(b':');
        if name == "messages" {
            summary = Some(messages(reader, layout, sink)?);
        } else {
            doubtful_if(layout.doubtful_in_body.contains(name.as_ref()))?;
            let raw = reader.value()?;
            doubtful_if(!is_canonical(raw))?;
            if ROOMS.contains(&name.as_ref()) {
                most = most.max(Some(room_of(raw)?));
            }
            sink.store.bodies.extend_from_slice(raw.as_bytes());
        }
        names.push(name);
    }
    let summary: Summary = summary?;
    let Some(room) = most else { return Some(closed(summary, layout, sink)) };
    sink.store.bodies.push(b'}');
    Some(Summary { room, ..summary })
}

fn room_of(raw: &str) -> Option<u64> {
    raw.parse().ok().filter(|room| *room != 0)
}

/// What a body begins with that is written for messages alone.
pub(crate) const MESSAGES: &[u8] = b"{\"messages\":";

/// Reads a list of messages, and writes a body of them and the default room.
pub(crate) fn body_of_messages(
    reader: &mut Reader<'_>,
    layout: &LineLayout,
    sink: &mut Sink,
) -> Option<Summary> {
    sink.store.bodies.extend_from_slice(MESSAGES);
    let summary = messages(reader, layout, sink)?;
    Some(closed(summary, layout, sink))
}

/// Reads one or more messages of a role and a text, and writes them.
fn messages(reader: &mut Reader<'_>, layout: &LineLayout, sink: &mut Sink) -> Option<Summary> {
    let mut summary = Summary::default();
    let mut list = reader.open(b'[')?;
    while reader.more(&mut list, b']')? {
        sink.store.bodies.push(if summary.messages == 0 { b'[' } else { b',' });
        message(reader, layout, sink, &mut summary)?;
    }
    doubtful_if(summary.messages == 0)?;
    sink.store.bodies.push(b']');
    Some(summary)
}

fn message(
    reader: &mut Reader<'_>,
    layout: &LineLayout,
    sink: &mut Sink,
    summary: &mut Summary,
) -> Option<()> {
    let (mut role, mut has_content) = (None, false);
    let mut object = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut object)? {
        let is_first = role.is_none() && !has_content;
        sink.store.bodies.push(if is_first { b'{' } else { b',' });
        match name.as_ref() {
            "role" if role.is_none() => {
                let said = reader.string()?;
                doubtful_if(!is_plain_role(&said))?;
                summary.system_first |= summary.messages == 0 && said == "system";
                for part in ["\"role\":\"", &said, "\""] {
                    sink.store.bodies.extend_from_slice(part.as_bytes());
                }
                role = Some(said);
            }
            "content" if !has_content => {
                has_content = true;
                sink.store.bodies.extend_from_slice(b"\"content\":");
                content(reader, layout, sink, summary)?;
            }
            _ => return None, // anything but a role and a text, each once
        }
    }
    let role = role.filter(|_| has_content)?;
    sink.add_digests(&role, layout);
    sink.store.bodies.push(b'}');
    summary.messages += 1;
    Some(())
}

/// Reads a text, writes it, and adds it to the texts to be counted.
pub(crate) fn content(
    reader: &mut Reader<'_>,
    layout: &LineLayout,
    sink: &mut Sink,
    summary: &mut Summary,
) -> Option<()> {
    sink.unquote(reader)?;
    doubtful_if(layout.is_marked(sink.text()))?;
    sink.count_last_text(summary)
}

/// Whether messages of this role are texts and nothing else.
pub(crate) fn is_plain_role(role: &str) -> bool {
    matches!(role, "system" | "user" | "assistant")
}

/// Writes the default room, which the body did not name, and the end of the body.
pub(crate) fn closed(summary: Summary, layout: &LineLayout, sink: &mut Sink) -> Summary {
    let end = format!(",\"max_tokens\":{}}}", layout.room);
    sink.store.bodies.extend_from_slice(end.as_bytes());
    Summary { room: layout.room, ..summary }
}
