//! How requests are written in lines: the names of their parts, and what makes a line doubtful.

use std::collections::HashSet;

use crate::prefix_digests::PrefixDigester;

/// The names under which a line has its parts, and the defaults for parts that it lacks.
#[derive(Clone, Debug)]
pub struct LineLayout {
    /// The name of a prompt, which is sent as a chat of one user message.
    pub prompt: String,
    /// The name of a list of messages.
    pub messages: String,
    /// The name of the request's own id.
    pub custom_id: String,
    /// What the `method` of a batch line has to be, if it has one.
    pub method: String,
    /// What the `url` of a batch line has to be, if it has one.
    pub url: String,
    /// Names in a body that make the line doubtful, whatever their values: they may change what the
    /// request costs or whether a model takes it.
    pub doubtful_in_body: HashSet<String>,
    /// Names beside a prompt or messages that make the line doubtful: they are parameters of the
    /// call.
    pub doubtful_beside: HashSet<String>,
    /// Beginnings that mark a text as a reference to something else, such as an uploaded file.
    pub marks: Vec<String>,
    /// The room for an answer, in tokens, where the body names none.
    pub room: u64,
    /// What makes the requests' prefix digests, if they are wanted.
    pub digester: Option<PrefixDigester>,
}

impl LineLayout {
    /// Whether a text is a reference to something else.
    pub(crate) fn is_marked(&self, text: &str) -> bool {
        self.marks.iter().any(|mark| text.starts_with(mark.as_str()))
    }
}
