//! Tokenization by definition, and slow: the published regular expression, a map of tokens, and
//! merging that looks at all neighbours again at each step. It shares no code and no table with the
//! core.

use std::borrow::Cow;
use std::collections::HashMap;

use fancy_regex::Regex;
use icu_normalizer::ComposingNormalizerBorrowed;

pub(crate) const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const QWEN_MARKS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const CL100K: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";
pub(crate) const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const O200K: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const GPT2: &str =
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";

pub(crate) type Ranks = HashMap<Vec<u8>, u32>;

/// The ranks of a compact vocabulary of version 1: 24 bytes of header, the single bytes, then two
/// earlier tokens for each token, 24 bits each.
pub(crate) fn ranks(data: &[u8]) -> Ranks {
    let (singles, merges) = data[24..].split_at(256);
    let mut tokens: Vec<Vec<u8>> = singles.iter().map(|byte| vec![*byte]).collect();
    let number = |b: &[u8]| usize::from(b[0]) | usize::from(b[1]) << 8 | usize::from(b[2]) << 16;
    for pair in merges.chunks_exact(6) {
        let (left, right) = (&tokens[number(&pair[..3])], &tokens[number(&pair[3..])]);
        tokens.push([&left[..], &right[..]].concat());
    }
    tokens.into_iter().zip(0..).collect()
}

pub(crate) struct Reference {
    ranks: &'static Ranks,
    regex: Regex,
    nfc: bool,
}

impl Reference {
    pub(crate) fn new(ranks: &'static Ranks, regex: &str, nfc: bool) -> Self {
        Reference { ranks, regex: Regex::new(regex).expect("a published pattern"), nfc }
    }

    pub(crate) fn normalized<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.nfc { ComposingNormalizerBorrowed::new_nfc().normalize(text) } else { text.into() }
    }

    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let text = self.normalized(text);
        let mut ids = Vec::new();
        for piece in self.regex.find_iter(&text) {
            self.merge(piece.expect("short enough").as_str().as_bytes(), &mut ids);
        }
        ids
    }

    /// Merges the neighbours of lowest rank, the leftmost of equals, until no two neighbours are a
    /// token.
    fn merge(&self, piece: &[u8], ids: &mut Vec<u32>) {
        let mut ends: Vec<usize> = (0..=piece.len()).collect();
        let rank = |ends: &[usize], i: usize| match ends.get(i..i + 3) {
            Some(three) => *self.ranks.get(&piece[three[0]..three[2]]).unwrap_or(&u32::MAX),
            None => u32::MAX,
        };
        // The token that parts `i` and `i + 1` are together; the last part has no neighbour.
        let mut joined: Vec<u32> = (0..piece.len()).map(|i| rank(&ends, i)).collect();
        while let Some(lowest) = joined.iter().min().filter(|rank| **rank != u32::MAX) {
            let i = joined.iter().position(|rank| rank == lowest).unwrap_or_default();
            ends.remove(i + 1);
            joined.remove(i + 1);
            joined[i] = rank(&ends, i);
            if i > 0 {
                joined[i - 1] = rank(&ends, i - 1);
            }
        }
        ids.extend(ends.windows(2).map(|end| self.ranks[&piece[end[0]..end[1]]]));
    }
}
