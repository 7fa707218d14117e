//! The compact form of a vocabulary: written once, read in milliseconds.
//!
//! | bytes | version 1 and 2 |
//! |---|---|
//! | 8 | `TFBPE`, two zeros, the version |
//! | 8 | tokens that are single bytes or made by merging |
//! | 8 | checksum of all that follows |
//! | 12 | version 2 only: pattern, normalization, whole pieces (0 or 1), numbered (0 or 1), spare tokens (4), zeros (4) |
//! | 256 | the single bytes, by rank |
//! | 6 each | the two tokens that merge into each further token, by rank |
//! | | version 2 only: each spare token as its length (2) and its bytes |
//! | 4 each | version 2 only, if numbered: the id of each token, spare ones last; otherwise ids are ranks |
//!
//! Numbers are little-endian. Version 1 has Qwen's pattern, NFC and no spare tokens. Spare tokens
//! are those that no merge makes; with "whole pieces", a piece that is a spare token is that token.

use crate::pieces::splitting::{Normalization, Pattern, Splitting};
use crate::vocabulary::error::VocabularyError;
use crate::vocabulary::limits::SINGLES;
use crate::vocabulary::pairs::MAX_TOKENS;
use crate::vocabulary::ranks::{Merging, Reduced};

const MAGIC: &[u8] = b"TFBPE\0\0";
const HEADER: usize = 24;
const MORE: usize = 12;

const NORMALIZATIONS: [Normalization; 2] = [Normalization::Nfc, Normalization::None];

/// The compact form, split into its fields.
pub(crate) struct Compact<'a> {
    pub(crate) splitting: Splitting,
    /// Whether a piece that is a spare token is that token.
    pub(crate) whole_pieces: bool,
    pub(crate) singles: &'a [u8; SINGLES],
    merges: &'a [[u8; 6]],
    pub(crate) spare: Vec<&'a [u8]>,
    /// The id of each token, unless ids are ranks.
    pub(crate) ids: Option<Vec<u32>>,
}

impl<'a> Compact<'a> {
    /// Splits `data` into its fields. O(length).
    pub(crate) fn read(data: &'a [u8]) -> Result<Self, VocabularyError> {
        let (version, tokens, mut rest) = checked(data)?;
        let mut compact = Compact {
            splitting: Splitting::QWEN,
            whole_pieces: false,
            singles: &[0; SINGLES],
            merges: &[],
            spare: Vec::new(),
            ids: None,
        };
        let (mut spare, mut numbered) = (0, false);
        if version == 2 {
            let head: [u8; MORE] = *take(&mut rest)?;
            let [pattern, normalization, whole, is_numbered, a, b, c, d, ..] = head;
            let pattern = Pattern::ALL.get(usize::from(pattern)).ok_or(VocabularyError::Foreign)?;
            let normalization =
                NORMALIZATIONS.get(usize::from(normalization)).ok_or(VocabularyError::Foreign)?;
            compact.splitting = Splitting { pattern: *pattern, normalization: *normalization };
            compact.whole_pieces = whole != 0;
            numbered = is_numbered != 0;
            spare = u32::from_le_bytes([a, b, c, d]) as usize;
        }
        compact.singles = take(&mut rest)?;
        let merges = split_off(&mut rest, 6 * (tokens - SINGLES))?;
        compact.merges = merges.as_chunks().0;
        for _ in 0..spare {
            let length = u16::from_le_bytes(*take(&mut rest)?);
            compact.spare.push(split_off(&mut rest, usize::from(length))?);
        }
        if numbered {
            let ids = split_off(&mut rest, 4 * (tokens + spare))?;
            let ids = ids.as_chunks().0.iter().map(|id| u32::from_le_bytes(*id));
            compact.ids = Some(ids.collect());
        }
        match rest.len() {
            0 => Ok(compact),
            more => Err(length_error(data.len() - more, data.len())),
        }
    }

    /// The pair of each token that merging makes, by rank.
    pub(crate) fn merges(&self) -> impl Iterator<Item = (u32, u32)> {
        self.merges.iter().map(|[a, b, c, d, e, f]| {
            (u32::from_le_bytes([*a, *b, *c, 0]), u32::from_le_bytes([*d, *e, *f, 0]))
        })
    }
}

/// The version, the number of tokens, and everything behind the header, whose length and checksum
/// agree with the header.
fn checked(data: &[u8]) -> Result<(u8, usize, &[u8]), VocabularyError> {
    let version = match data.split_at_checked(MAGIC.len()) {
        Some((MAGIC, [version @ 1..=2, ..])) => *version,
        _ => return Err(VocabularyError::Foreign),
    };
    let mut rest = &data[MAGIC.len() + 1..];
    let (Ok(tokens), Ok(checksum)) = (take(&mut rest), take(&mut rest)) else {
        return Err(length_error(HEADER, data.len()));
    };
    let tokens = u64::from_le_bytes(*tokens);
    if !(SINGLES as u64..MAX_TOKENS as u64).contains(&tokens) {
        return Err(VocabularyError::Size(tokens));
    }
    let count = tokens as usize;
    let least = SINGLES + 6 * (count - SINGLES) + if version == 2 { MORE } else { 0 };
    if rest.len() < least || version == 1 && rest.len() != least {
        return Err(length_error(HEADER + least, data.len()));
    }
    if mix(rest) != u64::from_le_bytes(*checksum) {
        return Err(VocabularyError::Damaged);
    }
    Ok((version, count, rest))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], VocabularyError> {
    let (taken, more) = rest.split_first_chunk().ok_or_else(|| length_error(N, rest.len()))?;
    *rest = more;
    Ok(taken)
}

fn split_off<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], VocabularyError> {
    let taken = rest.split_at_checked(length);
    let (taken, more) = taken.ok_or_else(|| length_error(length, rest.len()))?;
    *rest = more;
    Ok(taken)
}

fn length_error(expected: usize, found: usize) -> VocabularyError {
    VocabularyError::Length { expected, found }
}

/// Converts tokens and their merges to the compact form.
///
/// `tokens` are bytes and ids. All 256 single bytes must be among them; ids may have gaps. O(n²) in
/// the length of each token, O(n) in their number: less than a second for 200,000 tokens.
pub fn to_compact(
    tokens: &[(&[u8], u32)],
    merging: Merging<'_>,
    pattern: Pattern,
    normalization: Normalization,
) -> Result<Vec<u8>, VocabularyError> {
    let reduced = Reduced::new(tokens, merging)?;
    Ok(write(&reduced, &Splitting { pattern, normalization }))
}

/// Writes version 2. O(length of the result).
fn write(reduced: &Reduced, splitting: &Splitting) -> Vec<u8> {
    let place = |found: Option<usize>| found.unwrap_or(usize::from(u8::MAX)) as u8;
    let mut body = vec![
        place(Pattern::ALL.iter().position(|p| *p == splitting.pattern)),
        place(NORMALIZATIONS.iter().position(|n| *n == splitting.normalization)),
        u8::from(reduced.whole_pieces),
        u8::from(reduced.ids.is_some()),
    ];
    body.extend((reduced.spare.len() as u32).to_le_bytes());
    body.extend([0; 4]);
    body.extend(reduced.singles);
    for (left, right) in &reduced.merges {
        body.extend_from_slice(&left.to_le_bytes()[..3]);
        body.extend_from_slice(&right.to_le_bytes()[..3]);
    }
    for token in &reduced.spare {
        body.extend((token.len() as u16).to_le_bytes());
        body.extend_from_slice(token);
    }
    body.extend(reduced.ids.iter().flatten().flat_map(|id| id.to_le_bytes()));

    let tokens = SINGLES + reduced.merges.len();
    let mut data = [MAGIC, &[2]].concat();
    data.extend((tokens as u64).to_le_bytes());
    data.extend(mix(&body).to_le_bytes());
    data.append(&mut body);
    data
}

/// A 64-bit checksum of the body, word by word. It detects damage, and is no signature.
fn mix(body: &[u8]) -> u64 {
    let step = |mixed: u64, word: &[u8]| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        let mixed = (mixed ^ u64::from_le_bytes(padded)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    body.chunks(8).fold(0, step)
}
