//! Special tokens that a caller wants recognised in a text.
//!
//! They are matched in the text as it stands, before normalization, as in the reference:
//! `<|im_end|>` followed by a combining mark is the special token and then a mark. Nothing is
//! recognised unless the caller listed it.

use std::borrow::Cow;
use std::ops::Range;

use crate::interrupts::Steps;

/// Texts that stand for one token each.
#[derive(Debug, Clone, Default)]
pub struct SpecialTokens {
    as_it_stands: Texts,
    /// Looked for in what is left between the others, once that is normalized.
    normalized: Texts,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    /// Longest first, so that the first match is the longest.
    texts: Vec<(Box<str>, u32)>,
    /// The bytes that some of these texts start with.
    starts: Vec<u8>,
}

impl SpecialTokens {
    /// A set of special tokens with their ids. Empty texts are left out: they match nowhere.
    pub fn new(tokens: impl IntoIterator<Item = (String, u32)>) -> Self {
        SpecialTokens { as_it_stands: Texts::new(tokens), normalized: Texts::default() }
    }

    /// Adds special tokens that are looked for between the others, in normalized text, as some
    /// vocabularies ask for (Hugging Face's `normalized`).
    #[must_use]
    pub fn and_normalized(self, tokens: impl IntoIterator<Item = (String, u32)>) -> Self {
        SpecialTokens { normalized: Texts::new(tokens), ..self }
    }

    /// Calls `found` with the special tokens of `text` and the texts between them, in order.
    /// `normalize` turns a text into the form in which it is split.
    pub(crate) fn split<'a>(
        &self,
        text: &'a str,
        normalize: impl Fn(&'a str) -> Cow<'a, str>,
        mut found: impl FnMut(Found<'_>),
    ) {
        self.as_it_stands.split(text, |part| match part {
            Found::Between(between) if !self.normalized.texts.is_empty() => {
                self.normalized.split(&normalize(between), &mut found);
            }
            part => found(part),
        });
    }
}

/// A special token, or a text that holds none.
pub(crate) enum Found<'a> {
    Token(u32),
    Between(&'a str),
}

impl Texts {
    fn new(tokens: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut texts: Vec<(Box<str>, u32)> = tokens
            .into_iter()
            .filter(|(t, _)| !t.is_empty())
            .map(|(t, id)| (t.into(), id))
            .collect();
        texts.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let mut starts: Vec<u8> = texts.iter().map(|(text, _)| text.as_bytes()[0]).collect();
        starts.sort_unstable();
        starts.dedup();
        Texts { texts, starts }
    }

    fn split<'a>(&self, text: &'a str, mut found: impl FnMut(Found<'a>)) {
        let mut at = 0;
        while let Some((place, id)) = self.find(text, at) {
            found(Found::Between(&text[at..place.start]));
            found(Found::Token(id));
            at = place.end;
        }
        found(Found::Between(&text[at..]));
    }

    /// The first special token at or after `from` and where it stands; of several that start at one
    /// place, the longest. O(distance × number of special tokens) at worst.
    fn find(&self, text: &str, from: usize) -> Option<(Range<usize>, u32)> {
        let bytes = text.as_bytes();
        let mut steps = Steps::from(from);
        (from..bytes.len()).find_map(|at| {
            steps.to(at);
            if !self.starts.contains(&bytes[at]) {
                return None;
            }
            let mut texts = self.texts.iter();
            let (found, id) = texts.find(|(text, _)| bytes[at..].starts_with(text.as_bytes()))?;
            Some((at..at + found.len(), *id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_those_that_start_first_is_found() {
        let set = Texts::new([("<a>".into(), 1), ("<a>b".into(), 2), ("<".into(), 3)]);
        assert_eq!(set.find("x<a>b<a>", 0), Some((1..5, 2)));
        assert_eq!(set.find("x<a>b<a>", 5), Some((5..8, 1)));
        assert_eq!(set.find("x<a>b<a>", 6), None);
        assert_eq!(set.find("<b", 0), Some((0..1, 3)));
    }

    #[test]
    fn an_empty_text_stands_nowhere() {
        assert_eq!(Texts::new([(String::new(), 1)]).find("abc", 0), None);
    }
}
