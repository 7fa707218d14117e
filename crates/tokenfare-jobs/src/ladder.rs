//! What a request begins with, as a ladder: two requests share the rungs up to where they differ.
//!
//! A rung stands at the end of each message and at given distances inside of long ones, and is a
//! digest of all up to it, under a key: good for one job only.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Makes the ladders of one job.
#[derive(Clone, Debug)]
pub struct Ladders {
    key: [u8; 16],
    distances: Vec<usize>,
}

/// A message of a request.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A role and a text.
    Text(&'a str, &'a str),
    /// Anything else, as it is written.
    Whole(&'a [u8]),
}

/// A ladder as it grows.
#[derive(Clone, Debug)]
pub(crate) struct Climb {
    top: u64,
}

impl Ladders {
    /// By this key; inside of a text rungs are at `distances`, in characters, ascending.
    pub fn new(key: [u8; 16], distances: Vec<usize>) -> Self {
        Ladders { key, distances }
    }

    /// The rungs of a request; `options`, if it has any, as they are written. O(n) for n bytes.
    pub fn of<'a>(
        &self,
        options: Option<&[u8]>,
        messages: impl Iterator<Item = Said<'a>>,
    ) -> Vec<u64> {
        let mut rungs = Vec::new();
        let mut climb = self.begin(options);
        messages.for_each(|said| self.add(&mut climb, said, &mut rungs));
        rungs
    }

    pub(crate) fn begin(&self, options: Option<&[u8]>) -> Climb {
        Climb { top: options.map_or(0, |options| self.digest(0, b'o', options)) }
    }

    pub(crate) fn add(&self, climb: &mut Climb, said: Said<'_>, rungs: &mut Vec<u64>) {
        let mut up = |kind, bytes: &[u8]| {
            climb.top = self.digest(climb.top, kind, bytes);
            climb.top
        };
        let (role, text) = match said {
            Said::Text(role, text) => (role, text),
            Said::Whole(written) => {
                rungs.push(up(b'w', written));
                return;
            }
        };
        up(b'r', role.as_bytes());
        let mut rest = text;
        let mut start = 0;
        for &distance in &self.distances {
            // A rung at the end of the text is the message's own.
            let Some(at) = byte_of(rest, distance - start).filter(|&at| at < rest.len()) else {
                break;
            };
            rungs.push(up(b'p', &rest.as_bytes()[..at]));
            rest = &rest[at..];
            start = distance;
        }
        rungs.push(up(b'e', rest.as_bytes()));
    }

    fn digest(&self, below: u64, kind: u8, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(below);
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// Where so many characters of a text end, if it has them.
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

    fn rungs(messages: &[(&str, &str)]) -> Vec<u64> {
        let ladders = Ladders::new([7; 16], vec![3, 5, 10]);
        ladders.of(None, messages.iter().map(|(role, text)| Said::Text(role, text)))
    }

    fn shared(one: &[(&str, &str)], other: &[(&str, &str)]) -> usize {
        let (one, other) = (rungs(one), rungs(other));
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        assert!(one[shared..].iter().all(|rung| !other.contains(rung)));
        shared
    }

    #[test]
    fn rungs_stand_inside_of_texts_and_at_their_ends() {
        for (text, number) in [("", 1), ("abc", 1), ("abcd", 2), ("éééé", 2), ("你好吗好好好", 3)]
        {
            assert_eq!(rungs(&[("user", text)]).len(), number, "{text}");
        }
        assert_eq!(rungs(&[("user", "abcd"), ("user", "")]).len(), 3);
    }

    #[test]
    fn two_requests_share_the_rungs_up_to_where_they_differ() {
        assert_eq!(shared(&[("user", "abcdef")], &[("user", "abcdxx")]), 1);
        assert_eq!(shared(&[("user", "abcdef")], &[("user", "abcdef"), ("user", "x")]), 3);
        assert_eq!(shared(&[("user", "abcdef")], &[("system", "abcdef")]), 0);
        // The end of a message is not the same as a place inside of one.
        assert_eq!(shared(&[("user", "abc")], &[("user", "abcd")]), 0);
        assert_eq!(shared(&[("user", "é你éé")], &[("user", "é你éx")]), 1);
    }

    #[test]
    fn options_and_what_is_no_text_count_too() {
        let ladders = Ladders::new([7; 16], vec![3]);
        let of = |options: Option<&[u8]>, said| ladders.of(options, [said].into_iter())[0];
        let all = [
            of(None, Said::Text("user", "a")),
            of(Some(b""), Said::Text("user", "a")),
            of(Some(b"x"), Said::Text("user", "a")),
            of(None, Said::Whole(b"a")),
            of(None, Said::Whole(b"usera")),
        ];
        let distinct: std::collections::HashSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
