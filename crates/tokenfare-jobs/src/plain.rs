//! Reads a line as a plain request, or leaves it as doubtful.
//!
//! The line is read once. While it is read, the body is written as it will be sent (compact, its
//! names in the same order), and the texts to be counted are collected. A line that two JSON
//! readers could understand differently (a name that occurs twice, a number that a float may not
//! hold) is doubtful, and so is one with a part whose meaning is not known here.
//!
//! Functions return `None` where the line is doubtful.

use crate::body::{MESSAGES, body, body_of_messages, closed, content};
use crate::layout::LineLayout;
use crate::reader::Reader;
use crate::sink::{Sink, Summary};
use crate::values::{doubtful_if, is_sound, is_whole};

/// Reads a line. If it is doubtful, the caller removes what was written to `sink` until then.
pub(crate) fn plain(line: &str, layout: &LineLayout, sink: &mut Sink) -> Option<Summary> {
    let mut reader = Reader::new(line);
    let summary = request(&mut reader, layout, sink)?;
    reader.end().map(|()| summary)
}

fn request(reader: &mut Reader<'_>, layout: &LineLayout, sink: &mut Sink) -> Option<Summary> {
    let (mut summary, mut is_body, mut has_id, mut batch_only) = (None, false, false, false);
    let mut line = reader.open(b'{')?;
    while let Some(name) = reader.name(&mut line)? {
        if name == layout.custom_id {
            doubtful_if(has_id)?;
            has_id = true;
            id(reader.value()?, sink)?;
        } else if name == "body" {
            doubtful_if(summary.is_some())?;
            is_body = true;
            summary = Some(body(reader, layout, sink)?);
        } else if name == layout.messages {
            doubtful_if(summary.is_some())?;
            summary = Some(body_of_messages(reader, layout, sink)?);
        } else if name == layout.prompt {
            doubtful_if(summary.is_some())?;
            sink.store.bodies.extend_from_slice(MESSAGES);
            sink.store.bodies.extend_from_slice(b"[{\"role\":\"user\",\"content\":");
            let mut found = Summary::one();
            content(reader, layout, sink, &mut found)?;
            doubtful_if(found.texts == 0)?;
            sink.add_digests("user", layout);
            sink.store.bodies.extend_from_slice(b"}]");
            summary = Some(closed(found, layout, sink));
        } else if name == "method" || name == "url" {
            let expected = if name == "url" { &layout.url } else { &layout.method };
            doubtful_if(reader.string()? != expected.as_str())?;
            batch_only = true;
        } else {
            doubtful_if(layout.doubtful_beside.contains(name.as_ref()))?;
            doubtful_if(!is_sound(reader.value()?))?;
        }
    }
    doubtful_if(batch_only && !is_body)?;
    summary
}

/// An id is a text or a whole number; `null` stands for no id.
fn id(raw: &str, sink: &mut Sink) -> Option<()> {
    if raw.starts_with('"') {
        let text = Reader::new(raw).string()?;
        doubtful_if(text.is_empty())?;
        sink.store.ids.push_str(&text);
        return Some(());
    }
    doubtful_if(raw != "null" && !is_whole(raw))?;
    if raw != "null" {
        sink.store.ids.push_str(raw);
    }
    Some(())
}
