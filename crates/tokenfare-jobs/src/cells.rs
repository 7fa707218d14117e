//! Rows of a table as requests: their columns stand for the names of a JSON line.
//!
//! As in `plain`, `None` means that the row is doubtful.

use std::borrow::Cow;
use std::ops::Range;

use crate::body::{MESSAGES, body, body_of_messages, closed, is_plain_role};
use crate::escape::quoted;
use crate::layout::LineLayout;
use crate::reader::Reader;
use crate::sink::{Sink, Summary};
use crate::values::doubtful_if;

/// The cells of a row that a request is made of.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    /// The number of the row's line in its file, from 1.
    pub number: u64,
    /// The row's place in the chunk, if the chunk is text.
    pub line: Range<usize>,
    /// The request's own id; a request without one is given one later.
    pub id: Option<Cow<'a, str>>,
    /// The request itself.
    pub content: Content<'a>,
}

/// The request in a row, in one of the forms that it may have.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A body as JSON, and the row's method and URL, if it has them.
    Body {
        /// The body.
        body: Cow<'a, str>,
        /// The row's method.
        method: Option<Cow<'a, str>>,
        /// The row's URL.
        url: Option<Cow<'a, str>>,
    },
    /// A list of messages as JSON.
    Messages(Cow<'a, str>),
    /// The text of a single user message.
    Prompt(Cow<'a, str>),
    /// Messages as values, not as JSON.
    Chat(Vec<Message<'a>>),
    /// Anything else: the row is doubtful.
    Doubtful,
}

/// A message of a role and a text. They are sent in the order in which the table has them.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The role.
    pub role: &'a str,
    /// The text.
    pub content: &'a str,
    /// Whether the role comes before the text.
    pub role_first: bool,
}

impl Cells<'_> {
    /// About the number of bytes of the body that is sent.
    pub(crate) fn bytes(&self) -> usize {
        let said = match &self.content {
            Content::Body { body: text, .. } | Content::Messages(text) | Content::Prompt(text) => {
                text.len()
            }
            Content::Chat(chat) => chat.iter().map(|message| message.content.len() + AROUND).sum(),
            Content::Doubtful => return 0,
        };
        said + AROUND
    }

    /// Reads the row. If it is doubtful, the caller removes what was written to `sink` until then.
    pub(crate) fn plain(&self, layout: &LineLayout, sink: &mut Sink) -> Option<Summary> {
        if let Some(id) = &self.id {
            doubtful_if(id.is_empty())?;
            sink.store.ids.push_str(id);
        }
        match &self.content {
            Content::Body { body: text, method, url } => {
                let wrong = |said: &Option<Cow<'_, str>>, expected: &str| {
                    said.as_ref().is_some_and(|said| said != expected)
                };
                doubtful_if(wrong(method, &layout.method) || wrong(url, &layout.url))?;
                read(text, |reader| body(reader, layout, sink))
            }
            Content::Messages(text) => read(text, |reader| body_of_messages(reader, layout, sink)),
            Content::Prompt(text) => {
                doubtful_if(text.is_empty())?;
                chat(&[Message { role: "user", content: text, role_first: true }], layout, sink)
            }
            Content::Chat(messages) => chat(messages, layout, sink),
            Content::Doubtful => None,
        }
    }
}

/// About the number of bytes that a body, or a message, has around its text.
const AROUND: usize = 64;

/// Reads JSON that fills a whole cell.
fn read<'a>(text: &'a str, by: impl FnOnce(&mut Reader<'a>) -> Option<Summary>) -> Option<Summary> {
    let mut reader = Reader::new(text);
    let summary = by(&mut reader)?;
    reader.end().map(|()| summary)
}

fn chat(messages: &[Message<'_>], layout: &LineLayout, sink: &mut Sink) -> Option<Summary> {
    let mut summary = Summary::default();
    sink.store.bodies.extend_from_slice(MESSAGES);
    for &Message { role, content, role_first } in messages {
        doubtful_if(!is_plain_role(role))?;
        summary.system_first |= summary.messages == 0 && role == "system";
        sink.store.bodies.push(if summary.messages == 0 { b'[' } else { b',' });
        for (is_role, opens) in [(role_first, b'{'), (!role_first, b',')] {
            sink.store.bodies.push(opens);
            let name: &[u8] = if is_role { b"\"role\":" } else { b"\"content\":" };
            sink.store.bodies.extend_from_slice(name);
            if is_role {
                quoted(role, &mut sink.store.bodies);
            } else {
                sink.quote(content);
                doubtful_if(layout.is_marked(content))?;
                sink.count_last_text(&mut summary)?;
            }
        }
        sink.add_digests(role, layout);
        sink.store.bodies.push(b'}');
        summary.messages += 1;
    }
    doubtful_if(messages.is_empty())?;
    sink.store.bodies.push(b']');
    Some(closed(summary, layout, sink))
}
