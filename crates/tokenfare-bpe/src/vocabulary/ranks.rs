//! Reducing a vocabulary, as files spell it out, to one pair of tokens for each token.
//!
//! Rank files (tiktoken) merge any two neighbours whose bytes together are a token. Other files
//! (Hugging Face's) list the pairs, often several for one token. The core knows one pair for each
//! token.
//!
//! **Claim.** Whichever pairs merge at whichever ranks, a token is only ever made of one pair: the
//! last that is merged when its own bytes are merged alone. A token to which merging its own bytes
//! alone does not lead is never made.
//!
//! **Proof.** Look at the bytes over which token t is made, in any piece. No earlier merge crosses
//! their borders, or t could not start and end there. So the merges inside neither see nor change
//! what is outside. Each of them is the leftmost of lowest rank in the whole piece, hence also
//! among those inside. So they come in the same order as when these bytes are merged alone. There,
//! each step leaves one token less, so exactly one state has two tokens. It is the state before t
//! is made, in the piece as alone, and its two tokens are the pair. ∎
//!
//! So pairs that are not the last of their token never merge, and can be dropped. Tokens that are
//! never made are *spare*: they are ids to decode, or whole pieces if the vocabulary says that a
//! piece that is a token is that token. The proof assumes nothing about the order of ranks: 81
//! tokens of Llama 3 are made of a token of higher rank than their own, and 588 are never made.

use std::collections::{HashMap, HashSet};

use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::{LONGEST_TOKEN, MAX_ID, MOST_BYTES, SINGLES};
use crate::vocabulary::pairs::MAX_TOKENS;

/// Which neighbours merge.
#[derive(Debug, Clone, Copy)]
pub enum Merging<'a> {
    /// Any two whose bytes together are a token, the lowest id first, as in tiktoken. A piece that
    /// is a token is that token.
    ByRank,
    /// The listed pairs of ids, the earlier first, as in Hugging Face's tokenizers.
    Listed {
        /// The ids of the two tokens of each merge.
        pairs: &'a [(u32, u32)],
        /// Whether a piece that is a token is that token, whatever merging makes of it
        /// (`ignore_merges`).
        whole_pieces: bool,
    },
}

/// A vocabulary with one pair for each token that merging makes.
pub(crate) struct Reduced<'a> {
    pub(crate) singles: [u8; SINGLES],
    /// Indexed by rank; each is the ranks of the two tokens.
    pub(crate) merges: Vec<(u32, u32)>,
    pub(crate) spare: Vec<&'a [u8]>,
    pub(crate) whole_pieces: bool,
    /// The id of each token, unless it is the place of the token among singles, merges and spare
    /// tokens.
    pub(crate) ids: Option<Vec<u32>>,
}

impl<'a> Reduced<'a> {
    pub(crate) fn new(
        tokens: &[(&'a [u8], u32)],
        merging: Merging<'_>,
    ) -> Result<Self, VocabularyError> {
        let known = Known::new(tokens)?;
        let listed = known.listed(merging)?;
        let mut tokens: Vec<(&[u8], u32)> = tokens.to_vec();
        tokens.sort_unstable_by_key(|(_, id)| *id);

        let (mut singles, mut made, mut spare) = (Vec::new(), Vec::new(), Vec::new());
        for (bytes, id) in tokens {
            if let [byte] = bytes {
                singles.push((*byte, id));
            } else if let Some(last) = last_merge(bytes, &known, listed.as_ref()) {
                made.push((last.rank, last.pair, id));
            } else {
                spare.push((bytes, id));
            }
        }
        made.sort_unstable();
        let count = SINGLES + made.len();
        if count >= MAX_TOKENS {
            return Err(VocabularyError::Size(count as u64));
        }
        let ids: Vec<u32> = (singles.iter().map(|(_, id)| *id))
            .chain(made.iter().map(|(.., id)| *id))
            .chain(spare.iter().map(|(_, id)| *id))
            .collect();
        let places: HashMap<u32, u32> = ids.iter().copied().zip(0..).collect();
        let merges = made.iter().map(|(_, (left, right), _)| (places[left], places[right]));
        let whole_pieces = match merging {
            Merging::ByRank => true,
            Merging::Listed { whole_pieces, .. } => whole_pieces,
        };
        Ok(Reduced {
            singles: std::array::from_fn(|place| singles[place].0), // each byte once, says `Known`
            merges: merges.collect(),
            spare: spare.into_iter().map(|(bytes, _)| bytes).collect(),
            whole_pieces,
            ids: Some(ids).filter(|ids| ids.iter().zip(0..).any(|(id, place)| *id != place)),
        })
    }
}

/// Pairs of ids, with their rank and the id of the token that they make.
type Listed = HashMap<(u32, u32), (u32, u32)>;

/// Ids by bytes, each once; all single bytes are among them.
struct Known<'a>(HashMap<&'a [u8], u32>);

impl<'a> Known<'a> {
    fn new(tokens: &[(&'a [u8], u32)]) -> Result<Self, VocabularyError> {
        let mut ids = HashMap::with_capacity(tokens.len());
        let mut seen = HashSet::with_capacity(tokens.len());
        let mut total = 0;
        for (bytes, id) in tokens {
            if bytes.is_empty() || bytes.len() > LONGEST_TOKEN {
                return Err(VocabularyError::Token { id: *id, length: bytes.len() });
            }
            if let Some(other) = ids.insert(*bytes, *id) {
                return Err(VocabularyError::Twice { first: other, second: *id });
            }
            if !seen.insert(*id) {
                return Err(VocabularyError::Id(*id));
            }
            if *id >= MAX_ID {
                return Err(VocabularyError::Beyond(*id));
            }
            total += bytes.len();
        }
        if total > MOST_BYTES {
            return Err(VocabularyError::Bytes(total));
        }
        match (0..=255).find(|byte| !ids.contains_key([*byte].as_slice())) {
            Some(byte) => Err(VocabularyError::Byte(byte)),
            None => Ok(Known(ids)),
        }
    }

    fn listed(&self, merging: Merging<'_>) -> Result<Option<Listed>, VocabularyError> {
        let Merging::Listed { pairs, .. } = merging else { return Ok(None) };
        let by_id: HashMap<u32, &[u8]> = self.0.iter().map(|(bytes, id)| (*id, *bytes)).collect();
        let mut listed = HashMap::with_capacity(pairs.len());
        for (rank, (left, right)) in pairs.iter().enumerate() {
            let parts = by_id.get(left).zip(by_id.get(right));
            let made = parts.and_then(|(l, r)| self.0.get([*l, *r].concat().as_slice()));
            let made = *made.ok_or(VocabularyError::Merge { place: rank })?;
            if listed.insert((*left, *right), (rank as u32, made)).is_some() {
                return Err(VocabularyError::Repeated(made));
            }
        }
        Ok(Some(listed))
    }
}

/// The last merge when the bytes of a token are merged alone.
struct Last {
    rank: u32,
    pair: (u32, u32),
}

/// A token while its neighbours are merged.
struct Part {
    start: usize,
    id: u32,
    /// Rank and id of the token that this one makes with the next.
    makes: Option<(u32, u32)>,
}

/// Merges `bytes` alone; `None` if more than one token is left. O(n²).
fn last_merge(bytes: &[u8], known: &Known<'_>, listed: Option<&Listed>) -> Option<Last> {
    let single = |(start, byte)| Part { start, id: known.0[[byte].as_slice()], makes: None };
    let mut parts: Vec<Part> = bytes.iter().copied().enumerate().map(single).collect();
    let makes = |parts: &[Part], at: usize| {
        let (left, right) = (&parts[at], parts.get(at + 1)?);
        if let Some(listed) = listed {
            return listed.get(&(left.id, right.id)).copied();
        }
        let end = parts.get(at + 2).map_or(bytes.len(), |next| next.start);
        known.0.get(&bytes[left.start..end]).map(|id| (*id, *id))
    };
    for at in 0..parts.len() {
        parts[at].makes = makes(&parts, at);
    }
    loop {
        let ranks = parts.iter().enumerate().filter_map(|(at, part)| Some((part.makes?, at)));
        let ((rank, made), at) = ranks.min_by_key(|((rank, _), at)| (*rank, *at))?;
        if parts.len() == 2 {
            return Some(Last { rank, pair: (parts[0].id, parts[1].id) });
        }
        parts.remove(at + 1);
        parts[at].id = made;
        parts[at].makes = makes(&parts, at);
        if at > 0 {
            parts[at - 1].makes = makes(&parts, at - 1);
        }
    }
}
