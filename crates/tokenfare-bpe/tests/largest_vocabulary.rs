//! As many tokens made by merging as there is room for, and spare tokens behind them.
#![allow(clippy::unwrap_used)] // a test's way to fail

use std::collections::HashMap;

use tokenfare_bpe::{
    Merging, Normalization, Pattern, Tokenizer, UnknownId, VocabularyError, to_compact,
};

/// The most tokens that merging may make: ids have 18 bits, and the last id stands for no token.
const MOST: usize = (1 << 18) - 1;
/// Lengths of spare tokens in bytes: one for each way in which a piece is counted and encoded.
const SPARE: [usize; 4] = [5, 20, 40, 70];

/// `count` tokens that are all made: bytes, pairs of bytes, three letters and four letters.
fn made(count: usize) -> Vec<Vec<u8>> {
    let bytes = 0..=u8::MAX;
    let letters: Vec<u8> = (b'a'..=b'z').chain(b'A'..=b'Z').collect();
    let mut tokens: Vec<Vec<u8>> = bytes.clone().map(|byte| vec![byte]).collect();
    tokens.extend(bytes.clone().flat_map(|left| bytes.clone().map(move |right| vec![left, right])));
    for (ways, length) in [(&letters[..], 3), (&letters[..16], 4)] {
        let spelled = |mut number: usize| {
            let digits = (0..length).map(|_| {
                let digit = number % ways.len();
                number /= ways.len();
                ways[digit]
            });
            digits.collect::<Vec<u8>>()
        };
        tokens.extend((0..ways.len().pow(length)).map(spelled));
    }
    assert!(tokens.len() >= count);
    tokens.truncate(count);
    tokens
}

/// Punctuation of which merging makes pairs and nothing longer.
fn spare(length: usize) -> Vec<u8> {
    b"!-+=#~".iter().cycle().take(length).copied().collect()
}

fn compact(tokens: &[Vec<u8>], first_id: u32) -> Result<Vec<u8>, VocabularyError> {
    let tokens: Vec<(&[u8], u32)> = tokens.iter().map(Vec::as_slice).zip(first_id..).collect();
    to_compact(&tokens, Merging::ByRank, Pattern::Qwen, Normalization::Nfc)
}

/// The encoding of a piece by definition: a token as a whole, or else merging by rank.
fn reference(piece: &[u8], ids: &HashMap<&[u8], u32>) -> Vec<u32> {
    if let Some(id) = ids.get(piece) {
        return vec![*id];
    }
    let mut parts: Vec<Vec<u8>> = piece.iter().map(|byte| vec![*byte]).collect();
    loop {
        let made = parts.windows(2).map(|two| ids.get(two.concat().as_slice()));
        let Some((_, at)) = made.zip(0..).filter_map(|(id, at)| Some((*id?, at))).min() else {
            return parts.iter().map(|part| ids[part.as_slice()]).collect();
        };
        let right = parts.remove(at + 1);
        parts[at].extend(right);
    }
}

#[test]
fn the_last_ids_are_tokens_like_others_and_one_too_many_is_refused() {
    let one_too_many = made(MOST + 1);
    assert_eq!(compact(&one_too_many, 0), Err(VocabularyError::Size(MOST as u64 + 1)));

    let tokens = &one_too_many[..MOST];
    let tokenizer = Tokenizer::from_compact(&compact(tokens, 0).unwrap()).unwrap();
    assert_eq!(tokenizer.vocabulary_size(), MOST);
    let ids: HashMap<&[u8], u32> = tokens.iter().map(Vec::as_slice).zip(0..).collect();
    let (mut text, mut expected) = (String::new(), Vec::new());
    for last in tokens[MOST - 300..].iter().rev() {
        let last = std::str::from_utf8(last).unwrap();
        // Alone, as a part of pieces that are merged in each of the ways, and twice in a row.
        let around = ["".into(), "é".into(), "Zq".repeat(5), "yX".repeat(12), "wV".repeat(35)];
        for around in around {
            for piece in [format!("{around}{last}"), format!("{last}{last}{around}")] {
                text += &piece;
                text.push('1');
                expected.extend(reference(piece.as_bytes(), &ids));
                expected.push(ids[b"1".as_slice()]);
            }
        }
    }
    assert!(expected.contains(&(MOST as u32 - 1)));
    let mut found = Vec::new();
    tokenizer.encode(&text, &mut found);
    assert!(found == expected);
    assert_eq!(tokenizer.count(&text), expected.len());
    assert!(tokenizer.decode(&expected).unwrap() == text.as_bytes());
    assert_eq!(tokenizer.decode(&[MOST as u32]), Err(UnknownId(MOST as u32)));
}

#[test]
fn spare_tokens_behind_the_last_id_are_whole_pieces_and_decode() {
    let mut tokens = made(MOST);
    tokens.extend(SPARE.map(spare));
    // Each of them is once the first behind those that merging makes.
    for first in 0..SPARE.len() {
        let first_id = first as u32 % 2;
        let compact = compact(&tokens, first_id).unwrap();
        let tokenizer = Tokenizer::from_compact(&compact).unwrap();
        assert_eq!(tokenizer.vocabulary_size(), MOST + SPARE.len());
        for (token, id) in tokens[MOST..].iter().zip(MOST as u32 + first_id..) {
            let piece = std::str::from_utf8(token).unwrap();
            let mut ids = Vec::new();
            tokenizer.encode(piece, &mut ids);
            assert_eq!(ids, [id], "{piece}");
            for times in [1, 2, 500] {
                let text = format!("{piece}1").repeat(times);
                assert_eq!(tokenizer.count(&text), 2 * times, "{piece}");
            }
            assert_eq!(tokenizer.decode(&[id]).unwrap(), *token);
        }
        let beyond = tokens.len() as u32 + first_id;
        for id in [beyond, beyond + 1, u32::MAX].into_iter().chain((first_id > 0).then_some(0)) {
            assert_eq!(tokenizer.decode(&[id]), Err(UnknownId(id)));
        }
        tokens[MOST..].rotate_left(1);
    }
}
