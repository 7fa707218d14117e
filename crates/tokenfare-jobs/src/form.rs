//! How a line says what it says: the names of its parts, and what else makes it more than plain.

use std::collections::HashSet;

use crate::prefix_digests::PrefixDigester;

/// The names under which a line has its parts, and what is taken where it has none.
#[derive(Clone, Debug)]
pub struct Form {
    /// The name of a prompt, for which a chat of one message is made.
    pub prompt: String,
    /// The name of a list of messages.
    pub messages: String,
    /// The name of the request's own id.
    pub custom_id: String,
    /// The `method` of a batch line that names one.
    pub method: String,
    /// The `url` of a batch line that names one.
    pub url: String,
    /// Names in a body that may change what it costs or whether it is taken, whatever they say.
    pub apart: HashSet<String>,
    /// Names that are part of the call where they stand beside a prompt or messages.
    pub beside: HashSet<String>,
    /// Beginnings of texts that stand for something else.
    pub marks: Vec<String>,
    /// The room for an answer, in tokens, where the body names none.
    pub room: u64,
    /// What makes the requests' prefix digests, if they are wanted.
    pub digester: Option<PrefixDigester>,
}

impl Form {
    /// Whether a text stands for something else.
    pub(crate) fn is_marked(&self, text: &str) -> bool {
        self.marks.iter().any(|mark| text.starts_with(mark.as_str()))
    }
}
