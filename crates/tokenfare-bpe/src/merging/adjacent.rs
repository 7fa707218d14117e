//! How long a token may be that holds two given bytes side by side.
//!
//! A search that divides a piece must look as far ahead as a token may reach. The plain bound is
//! the longest token of all: 128 bytes in Qwen's vocabulary, of spaces. But between two letters it
//! is at most 42, and between most pairs of bytes far less.

const BYTES: usize = 256;

/// For every two bytes, the length of the longest token in which they stand side by side; 128 kB.
pub(crate) struct Adjacent(Vec<u16>);

impl Adjacent {
    /// Takes all tokens. O(their total length), some milliseconds.
    pub(crate) fn new<'a>(tokens: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut longest = vec![0; BYTES * BYTES];
        for token in tokens {
            for pair in token.windows(2) {
                let place = &mut longest[place(pair[0], pair[1])];
                *place = token.len().max(usize::from(*place)) as u16;
            }
        }
        Adjacent(longest)
    }

    /// The length of the longest token with bytes on both sides of `at`, as far as the two bytes
    /// around `at` tell; 1 if there is none. O(1).
    #[inline]
    pub(crate) fn across(&self, bytes: &[u8], at: usize) -> usize {
        match at.checked_sub(1).map(|before| (bytes[before], bytes.get(at))) {
            Some((left, Some(right))) => usize::from(self.0[place(left, *right)]).max(1),
            _ => 1,
        }
    }
}

fn place(left: u8, right: u8) -> usize {
    usize::from(left) * BYTES + usize::from(right)
}

#[cfg(test)]
mod tests {
    use crate::testing::DATA;
    use crate::vocabulary::Vocabulary;

    #[test]
    fn no_token_reaches_further_than_is_said_of_any_place_in_it() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let adjacent = v.adjacent();
        for id in 0..v.len() as u32 {
            let token = v.token(id);
            assert!((1..token.len()).all(|at| adjacent.across(token, at) >= token.len()));
            assert_eq!((adjacent.across(token, 0), adjacent.across(token, token.len())), (1, 1));
        }
        assert_eq!(adjacent.across(b"  ", 1), 128);
        assert_eq!(adjacent.across(b"\xff\xff", 1), 1);
    }
}
