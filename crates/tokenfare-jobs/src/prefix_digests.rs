//! The prefixes of a request as a chain of digests: two requests share the digests up to the place
//! where they differ.
//!
//! There is a digest at the end of each message, and at given distances inside of long ones. Each
//! is a digest of everything up to its place, keyed, so that it can be compared within one job
//! only.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Makes the prefix digests of one job.
#[derive(Clone, Debug)]
pub struct PrefixDigester {
    key: [u8; 16],
    distances: Vec<usize>,
}

/// One message of a request, as it enters the digests.
#[derive(Clone, Copy, Debug)]
pub enum DigestInput<'a> {
    /// A role and a text.
    Text(&'a str, &'a str),
    /// A message with anything else in it, as its JSON is written.
    Raw(&'a [u8]),
}

/// The state of a chain of digests: the digest of everything so far.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    last: u64,
}

impl PrefixDigester {
    /// `key` keys the digests; `distances` are the places inside of a text, in characters,
    /// ascending.
    pub fn new(key: [u8; 16], distances: Vec<usize>) -> Self {
        PrefixDigester { key, distances }
    }

    /// The digests of a request, in order. `options`, if it has any, are part of every prefix, as
    /// they are written. O(n) for n bytes.
    pub fn of<'a>(
        &self,
        options: Option<&[u8]>,
        messages: impl Iterator<Item = DigestInput<'a>>,
    ) -> Vec<u64> {
        let mut digests = Vec::new();
        let mut chain = self.begin(options);
        messages.for_each(|message| self.add(&mut chain, message, &mut digests));
        digests
    }

    pub(crate) fn begin(&self, options: Option<&[u8]>) -> Chain {
        Chain { last: options.map_or(0, |options| self.digest(0, b'o', options)) }
    }

    pub(crate) fn add(&self, chain: &mut Chain, message: DigestInput<'_>, digests: &mut Vec<u64>) {
        let mut extend = |kind, bytes: &[u8]| {
            chain.last = self.digest(chain.last, kind, bytes);
            chain.last
        };
        let (role, text) = match message {
            DigestInput::Text(role, text) => (role, text),
            DigestInput::Raw(written) => {
                digests.push(extend(b'w', written));
                return;
            }
        };
        extend(b'r', role.as_bytes());
        let mut rest = text;
        let mut start = 0;
        for &distance in &self.distances {
            // The place at the end of the text has the message's own digest, below.
            let Some(at) = byte_of(rest, distance - start).filter(|&at| at < rest.len()) else {
                break;
            };
            digests.push(extend(b'p', &rest.as_bytes()[..at]));
            rest = &rest[at..];
            start = distance;
        }
        digests.push(extend(b'e', rest.as_bytes()));
    }

    fn digest(&self, before: u64, kind: u8, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(before);
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// The byte offset behind the first `characters` characters of a text; `None` if it has fewer.
fn byte_of(text: &str, characters: usize) -> Option<usize> {
    if text.len() < characters {
        return None;
    }
    let head = &text.as_bytes()[..characters];
    if head.is_ascii() {
        return Some(characters);
    }
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(messages: &[(&str, &str)]) -> Vec<u64> {
        let digester = PrefixDigester::new([7; 16], vec![3, 5, 10]);
        digester.of(None, messages.iter().map(|(role, text)| DigestInput::Text(role, text)))
    }

    fn shared(one: &[(&str, &str)], other: &[(&str, &str)]) -> usize {
        let (one, other) = (digests(one), digests(other));
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        assert!(one[shared..].iter().all(|digest| !other.contains(digest)));
        shared
    }

    #[test]
    fn there_are_digests_inside_of_texts_and_at_their_ends() {
        for (text, number) in [("", 1), ("abc", 1), ("abcd", 2), ("éééé", 2), ("你好吗好好好", 3)]
        {
            assert_eq!(digests(&[("user", text)]).len(), number, "{text}");
        }
        assert_eq!(digests(&[("user", "abcd"), ("user", "")]).len(), 3);
    }

    #[test]
    fn two_requests_share_the_digests_up_to_where_they_differ() {
        assert_eq!(shared(&[("user", "abcdef")], &[("user", "abcdxx")]), 1);
        assert_eq!(shared(&[("user", "abcdef")], &[("user", "abcdef"), ("user", "x")]), 3);
        assert_eq!(shared(&[("user", "abcdef")], &[("system", "abcdef")]), 0);
        // The end of a message is not the same as a place inside of one.
        assert_eq!(shared(&[("user", "abc")], &[("user", "abcd")]), 0);
        assert_eq!(shared(&[("user", "é你éé")], &[("user", "é你éx")]), 1);
    }

    #[test]
    fn options_and_what_is_no_text_count_too() {
        let digester = PrefixDigester::new([7; 16], vec![3]);
        let of = |options: Option<&[u8]>, message| digester.of(options, [message].into_iter())[0];
        let all = [
            of(None, DigestInput::Text("user", "a")),
            of(Some(b""), DigestInput::Text("user", "a")),
            of(Some(b"x"), DigestInput::Text("user", "a")),
            of(None, DigestInput::Raw(b"a")),
            of(None, DigestInput::Raw(b"usera")),
        ];
        let distinct: std::collections::HashSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
