//! Vocabularies of every shape against a slow reference: tokens that no merge makes, several pairs
//! for one token, tokens made of tokens of higher rank, ids with gaps.
#![allow(clippy::unwrap_used)] // a test's way to fail

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokenfare_bpe::{Merging, Normalization, Pattern, Tokenizer, VocabularyError, to_compact};

type Tokens = BTreeMap<Vec<u8>, u32>;

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    }
}

fn convert(tokens: &Tokens, merging: Merging<'_>) -> Result<Vec<u8>, VocabularyError> {
    let tokens: Vec<(&[u8], u32)> = tokens.iter().map(|(t, id)| (t.as_slice(), *id)).collect();
    to_compact(&tokens, merging, Pattern::Llama3, Normalization::None)
}

/// Merges the lowest rank first, the leftmost of equals; `rank` says what two neighbours merge
/// into.
fn reference(
    piece: &[u8],
    tokens: &Tokens,
    rank: impl Fn(&[u8], &[u8]) -> Option<u32>,
) -> Vec<u32> {
    let mut parts: Vec<Vec<u8>> = piece.iter().map(|byte| vec![*byte]).collect();
    loop {
        let ranks =
            parts.windows(2).enumerate().filter_map(|(i, w)| Some((rank(&w[0], &w[1])?, i)));
        let Some((_, i)) = ranks.min() else { break };
        let right = parts.remove(i + 1);
        parts[i].extend(right);
    }
    parts.iter().map(|part| tokens[part]).collect()
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    assert_eq!(tokenizer.count(text), ids.len(), "{text:?}");
    assert_eq!(tokenizer.decode(&ids).unwrap(), text.as_bytes());
    ids
}

/// The single bytes and `count` random words over `letters`, with random ids.
fn random_tokens(roll: &mut impl FnMut(usize) -> usize, letters: &[&str], count: usize) -> Tokens {
    let mut words: BTreeSet<Vec<u8>> = BTreeSet::new();
    while words.len() < count {
        let word: String = (0..2 + roll(5)).map(|_| letters[roll(letters.len())]).collect();
        let bytes = word.as_bytes();
        // Some end inside a character.
        words.insert(
            bytes[..bytes.len() - if roll(4) == 0 { roll(bytes.len() - 1) } else { 0 }].into(),
        );
    }
    words.retain(|word| word.len() > 1);
    let mut ids: Vec<u32> = (0..(256 + words.len()) as u32).map(|i| 3 * i).collect();
    for i in (1..ids.len()).rev() {
        ids.swap(i, roll(i + 1));
    }
    (0..=255).map(|byte| vec![byte]).chain(words).zip(ids).collect()
}

/// One piece: letters only.
fn random_piece(roll: &mut impl FnMut(usize) -> usize, letters: &[&str]) -> String {
    let some = 1 + roll(letters.len());
    let length = [1 + roll(12), 1 + roll(70), 200 + roll(200)][roll(3)];
    (0..length).map(|_| letters[roll(some)]).collect()
}

/// Many pieces in one text, each followed by a digit: counted in batches, not alone.
#[derive(Default)]
struct OneText {
    text: String,
    ids: Vec<u32>,
}

impl OneText {
    fn add(&mut self, piece: &str, ids: &[u32], tokens: &Tokens) {
        self.text.push_str(piece);
        self.text.push('1');
        self.ids.extend_from_slice(ids);
        self.ids.push(tokens[b"1".as_slice()]);
    }
}

const LETTERS: [&[&str]; 3] = [&["a", "b", "c"], &["a", "中", "丮", "ä"], &["x"]];

#[test]
fn neighbours_that_are_a_token_merge_by_rank() {
    let mut roll = dice(1);
    for round in 0..30 {
        let letters = LETTERS[round % 3];
        let count = if letters.len() == 1 { 4 } else { 10 + roll(60) };
        let tokens = random_tokens(&mut roll, letters, count);
        let compact = convert(&tokens, Merging::ByRank).unwrap();
        let tokenizer = Tokenizer::from_compact(&compact).unwrap();
        let mut in_one = OneText::default();
        for _ in 0..30 {
            let piece = random_piece(&mut roll, letters);
            let expected = match tokens.get(piece.as_bytes()) {
                Some(id) => vec![*id],
                None => reference(piece.as_bytes(), &tokens, |l, r| {
                    tokens.get([l, r].concat().as_slice()).copied()
                }),
            };
            assert_eq!(encode(&tokenizer, &piece), expected, "{piece:?} {tokens:?}");
            in_one.add(&piece, &expected, &tokens);
        }
        assert_eq!(encode(&tokenizer, &in_one.text), in_one.ids, "{tokens:?}");
    }
}

#[test]
fn listed_pairs_merge_in_their_order() {
    let mut roll = dice(2);
    for round in 0..48 {
        let letters = LETTERS[round % 3];
        let count = if letters.len() == 1 { 4 } else { 10 + roll(60) };
        let tokens = random_tokens(&mut roll, letters, count);
        let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
        for word in tokens.keys() {
            for at in 1..word.len() {
                let (left, right) = word.split_at(at);
                if tokens.contains_key(left) && tokens.contains_key(right) && roll(3) > 0 {
                    pairs.insert(roll(pairs.len() + 1), (left, right));
                }
            }
        }
        let ranks: HashMap<(&[u8], &[u8]), u32> = pairs.iter().copied().zip(0..).collect();
        let ids: Vec<(u32, u32)> = pairs.iter().map(|(l, r)| (tokens[*l], tokens[*r])).collect();
        let whole_pieces = round % 2 == 0;
        let merging = Merging::Listed { pairs: &ids, whole_pieces };
        let tokenizer = Tokenizer::from_compact(&convert(&tokens, merging).unwrap()).unwrap();
        let mut in_one = OneText::default();
        for _ in 0..20 {
            let piece = random_piece(&mut roll, letters);
            let expected = match tokens.get(piece.as_bytes()) {
                Some(id) if whole_pieces => vec![*id],
                _ => reference(piece.as_bytes(), &tokens, |l, r| ranks.get(&(l, r)).copied()),
            };
            assert_eq!(encode(&tokenizer, &piece), expected, "{piece:?} {whole_pieces} {pairs:?}");
            in_one.add(&piece, &expected, &tokens);
        }
        assert_eq!(encode(&tokenizer, &in_one.text), in_one.ids, "{whole_pieces} {pairs:?}");
        for (token, id) in &tokens {
            assert_eq!(tokenizer.decode(&[*id]).unwrap(), *token, "spare tokens decode too");
        }
        assert!(tokenizer.decode(&[1]).is_err(), "ids have gaps");
    }
}

#[test]
fn a_piece_that_is_a_spare_token_is_one_whatever_its_length() {
    let lengths = [2, 12, 15, 16, 30, 31, 40, 62, 63, 64, 65, 100, 300];
    let mut tokens = bytes();
    tokens.extend(lengths.iter().zip(300..).map(|(length, id)| (vec![b'='; *length], id)));
    for whole_pieces in [true, false] {
        // Merging makes `==` and nothing longer.
        let merging = Merging::Listed { pairs: &[(61, 61)], whole_pieces };
        let tokenizer = Tokenizer::from_compact(&convert(&tokens, merging).unwrap()).unwrap();
        for (length, id) in lengths.iter().zip(300..) {
            let merged = [vec![300; length / 2], vec![61; length % 2]].concat();
            let piece = if whole_pieces { vec![id] } else { merged };
            let text = ("=".repeat(*length) + "1").repeat(100);
            let expected = [piece, vec![49]].concat().repeat(100);
            assert_eq!(encode(&tokenizer, &text), expected, "{length} {whole_pieces}");
        }
    }
}

fn bytes() -> Tokens {
    (0..=255).map(|byte| (vec![byte], u32::from(byte))).collect()
}

#[test]
fn what_is_no_vocabulary_is_refused_with_its_place() {
    let error = |tokens: &[(&[u8], u32)], merging| {
        to_compact(tokens, merging, Pattern::Llama3, Normalization::None).unwrap_err()
    };
    let bytes = bytes();
    let all: Vec<(&[u8], u32)> = bytes.iter().map(|(t, id)| (t.as_slice(), *id)).collect();
    let with = |token: &'static [u8], id| [all.as_slice(), &[(token, id)]].concat();
    let listed = |pairs| Merging::Listed { pairs, whole_pieces: false };

    assert_eq!(error(&all[1..], Merging::ByRank), VocabularyError::Byte(0));
    assert_eq!(
        error(&with(b"a", 300), Merging::ByRank),
        VocabularyError::Twice { first: 97, second: 300 }
    );
    assert_eq!(error(&with(b"ab", 97), Merging::ByRank), VocabularyError::Id(97));
    assert_eq!(
        error(&with(b"", 300), Merging::ByRank),
        VocabularyError::Token { id: 300, length: 0 }
    );
    let long: &'static [u8] = &[b'a'; 1025];
    assert_eq!(
        error(&with(long, 300), Merging::ByRank),
        VocabularyError::Token { id: 300, length: 1025 }
    );
    assert_eq!(error(&all, listed(&[(97, 98)])), VocabularyError::Merge { place: 0 });
    assert_eq!(
        error(&with(b"ab", 300), listed(&[(97, 98), (97, 999)])),
        VocabularyError::Merge { place: 1 }
    );
    assert_eq!(
        error(&with(b"ab", 300), listed(&[(97, 98), (97, 98)])),
        VocabularyError::Repeated(300)
    );
}

/// A vocabulary with ranks out of order, spare tokens and ids of its own, so that every field is
/// used.
fn compact() -> Vec<u8> {
    let mut tokens = bytes();
    for (word, id) in [("bc", 400), ("abc", 300), ("xyz", 500)] {
        tokens.insert(word.into(), id);
    }
    convert(&tokens, Merging::ByRank).unwrap()
}

#[test]
fn a_token_may_be_made_of_one_of_higher_rank() {
    let tokenizer = Tokenizer::from_compact(&compact()).unwrap();
    assert_eq!(encode(&tokenizer, "abc"), [300]);
    assert_eq!(encode(&tokenizer, "abcbcd"), [300, 400, 100]);
    assert_eq!(encode(&tokenizer, "xyz"), [500], "as a whole piece");
    assert_eq!(encode(&tokenizer, "xyzx"), [120, 121, 122, 120], "nothing makes it");
    assert_eq!(tokenizer.vocabulary_size(), 259);
}

#[test]
fn every_compact_file_that_was_changed_is_refused_and_none_panics() {
    let good = compact();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[at] ^= 1 << bit;
            assert!(Tokenizer::from_compact(&changed).is_err(), "byte {at}, bit {bit}");
        }
        assert!(Tokenizer::from_compact(&good[..at]).is_err(), "cut to {at}");
    }
    assert!(Tokenizer::from_compact(&[good.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn a_forged_checksum_leads_to_an_answer_or_an_error_and_to_nothing_else() {
    let good = compact();
    let mut roll = dice(9);
    for _ in 0..3000 {
        let mut changed = good.clone();
        for _ in 0..1 + roll(3) {
            let at = 24 + roll(good.len() - 24);
            changed[at] = roll(256) as u8;
        }
        let checksum = checksum(&changed[24..]);
        changed[16..24].copy_from_slice(&checksum.to_le_bytes());
        if let Ok(tokenizer) = Tokenizer::from_compact(&changed) {
            tokenizer.count("abcabc bcxyz");
        }
    }
}

/// As the format is described: words of eight bytes, mixed.
fn checksum(body: &[u8]) -> u64 {
    body.chunks(8).fold(0, |mixed: u64, word| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        let mixed = (mixed ^ u64::from_le_bytes(padded)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    })
}
