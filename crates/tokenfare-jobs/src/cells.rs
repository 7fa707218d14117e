//! Rows of a table: what a line of JSON has under names, a row has in cells.

use std::borrow::Cow;
use std::ops::Range;

use crate::body::{body, messages};
use crate::escape::quoted;
use crate::form::Form;
use crate::plain::ended;
use crate::reader::Reader;
use crate::scan::{Share, Told};

/// A row of a table, by what its columns are for.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    /// Its number, from 1 in its file.
    pub number: u64,
    /// Where it lies in the chunk, if it is text.
    pub line: Range<usize>,
    /// The request's own id; a row that has none is given one.
    pub id: Option<Cow<'a, str>>,
    /// What is asked.
    pub content: Content<'a>,
}

/// What a row asks.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A body as JSON, with the method and the URL of the row, if it names them.
    Body {
        /// The body.
        body: Cow<'a, str>,
        /// Named beside it.
        method: Option<Cow<'a, str>>,
        /// Named beside it.
        url: Option<Cow<'a, str>>,
    },
    /// A list of messages as JSON.
    Messages(Cow<'a, str>),
    /// The text of one message.
    Prompt(Cow<'a, str>),
    /// Messages that are no JSON.
    Chat(Vec<Message<'a>>),
    /// Something else: the row is left to others.
    Doubtful,
}

/// A message of a role and a text, which are sent in the order of their columns.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Whose it is.
    pub role: &'a str,
    /// What it says.
    pub content: &'a str,
    /// Whether the role comes first.
    pub role_first: bool,
}

impl Cells<'_> {
    /// About the bytes of the body that is sent.
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

    /// Reads the row; what it wrote before it gave up is the caller's to take back.
    pub(crate) fn plain(&self, form: &Form, share: &mut Share) -> Option<Told> {
        if let Some(id) = &self.id {
            (!id.is_empty()).then(|| share.store.ids.push_str(id))?;
        }
        match &self.content {
            Content::Body { body: text, method, url } => {
                let right = |said: &Option<Cow<'_, str>>, expected: &str| {
                    said.as_ref().is_none_or(|said| said == expected)
                };
                let taken = right(method, &form.method) && right(url, &form.url);
                taken.then(|| read(text, |reader| body(reader, form, share)))?
            }
            Content::Messages(text) => {
                share.store.bodies.extend_from_slice(MESSAGES);
                let told = read(text, |reader| messages(reader, form, share))?;
                closed(told, form, share)
            }
            Content::Prompt(text) => {
                let one = Message { role: "user", content: text, role_first: true };
                (!text.is_empty()).then(|| chat(&[one], form, share))?
            }
            Content::Chat(messages) => chat(messages, form, share),
            Content::Doubtful => None,
        }
    }
}

const MESSAGES: &[u8] = b"{\"messages\":";

/// About what a body and a message have beside their texts.
const AROUND: usize = 64;

/// Reads JSON that is the whole of a cell.
fn read<'a>(text: &'a str, by: impl FnOnce(&mut Reader<'a>) -> Option<Told>) -> Option<Told> {
    let mut reader = Reader::new(text);
    let told = by(&mut reader)?;
    reader.end().map(|()| told)
}

fn closed(mut told: Told, form: &Form, share: &mut Share) -> Option<Told> {
    told.room = ended(form, share);
    Some(told)
}

fn chat(messages: &[Message<'_>], form: &Form, share: &mut Share) -> Option<Told> {
    let mut told = Told::default();
    share.store.bodies.extend_from_slice(MESSAGES);
    for &Message { role, content, role_first } in messages {
        matches!(role, "system" | "user" | "assistant").then_some(())?;
        told.system_first |= told.messages == 0 && role == "system";
        share.store.bodies.push(if told.messages == 0 { b'[' } else { b',' });
        let (first, second) = if role_first { (true, false) } else { (false, true) };
        for (is_role, opens) in [(first, b'{'), (second, b',')] {
            share.store.bodies.push(opens);
            let name: &[u8] = if is_role { b"\"role\":" } else { b"\"content\":" };
            share.store.bodies.extend_from_slice(name);
            if is_role {
                quoted(role, &mut share.store.bodies);
            } else {
                share.quote(content);
                (!form.is_marked(content)).then_some(())?;
                share.take(&mut told)?;
            }
        }
        share.add_digests(role, form);
        share.store.bodies.push(b'}');
        told.messages += 1;
    }
    (told.messages > 0).then_some(())?;
    share.store.bodies.push(b']');
    closed(told, form, share)
}
