//! Truncation against its naive twin, which tries every place of short texts for the longest that
//! fits.
#![allow(clippy::unwrap_used)] // a test's way to fail

use tokenfare_bpe::{Cut, Merging, Normalization, Pattern, Span, Tokenizer, to_compact};
use unicode_segmentation::UnicodeSegmentation;

fn qwen() -> Tokenizer {
    let data = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
    Tokenizer::from_compact(data).unwrap()
}

fn places(text: &str) -> Vec<usize> {
    text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect()
}

/// A reproducible sequence.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    }
}

fn check(tokenizer: &Tokenizer, text: &str) {
    let heads: Vec<Cut> = places(text)
        .into_iter()
        .map(|at| Cut { at, tokens: tokenizer.count(&text[..at]) })
        .collect();
    let tails: Vec<Cut> = places(text)
        .into_iter()
        .map(|at| Cut { at, tokens: tokenizer.count(&text[at..]) })
        .collect();
    let most = heads.iter().chain(&tails).map(|cut| cut.tokens).max().unwrap();
    for limit in 0..most + 2 {
        let head = heads.iter().rfind(|cut| cut.tokens <= limit).unwrap();
        let tail = tails.iter().find(|cut| cut.tokens <= limit).unwrap();
        let (first, last) = (heads[1], tails[tails.len() - 2]);
        let first = Span { start: 0, end: first.at, tokens: first.tokens };
        let last = Span { start: last.at, end: text.len(), tokens: last.tokens };
        let head = if head.at > 0 { Ok(*head) } else { Err(first) };
        let tail = if tail.at < text.len() { Ok(*tail) } else { Err(last) };
        assert_eq!(tokenizer.longest_beginning(text, limit), head, "{text:?} to {limit}");
        assert_eq!(tokenizer.longest_ending(text, limit), tail, "{text:?} to {limit}");
    }
}

const UNITS: [&str; 48] = [
    "a",
    "impor",
    "import",
    "hello",
    " world",
    "The",
    "naïve",
    "'s",
    "'re",
    "'",
    "don't",
    "WORLD",
    "1",
    "2024",
    "½",
    " ",
    "  ",
    "   ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    "\u{3000}",
    "\u{a0}",
    ".",
    "...",
    "=",
    "====",
    "(",
    "://",
    "。",
    "，",
    "「",
    "通义千问",
    "中",
    "日本語",
    "한국어",
    "мир",
    "e\u{301}",
    "\u{301}",
    "=\u{338}",
    "\u{1112}\u{1161}\u{11ab}",
    "👩\u{200d}👩\u{200d}👧",
    "🇨🇳",
    "\0",
    "\u{d4e}",
    "𠀀",
];

#[test]
fn of_all_places_the_longest_that_fits_is_found() {
    let tokenizer = qwen();
    let mut roll = dice(1);
    for round in 0..6_000 {
        let few = 1 + roll(UNITS.len());
        let text: String =
            (0..1 + roll(14)).map(|_| UNITS[(roll(few) + round) % UNITS.len()]).collect();
        check(&tokenizer, &text);
    }
}

#[test]
fn in_long_runs_too() {
    let tokenizer = qwen();
    for unit in UNITS {
        check(&tokenizer, &unit.repeat(200 / unit.len() + 1));
        check(&tokenizer, &format!("x {} y", unit.repeat(100 / unit.len() + 1)));
    }
    let mut roll = dice(2);
    for _ in 0..40 {
        let white: String = (0..150).map(|_| [" ", "\n", "\t", "\r\n", "  "][roll(5)]).collect();
        check(&tokenizer, &format!("a{white}b"));
        check(&tokenizer, &white);
        check(&tokenizer, &format!("!{white}b"));
        check(&tokenizer, &format!("!{} \n{}x", "\n".repeat(roll(140)), "\n\t".repeat(roll(40))));
        let letters: String = (0..150).map(|_| char::from(b'a' + roll(26) as u8)).collect();
        check(&tokenizer, &letters);
    }
}

#[test]
fn in_texts_of_many_blocks_no_longer_cluster_fits() {
    let tokenizer = qwen();
    let mut roll = dice(3);
    for _ in 0..200 {
        let few = 1 + roll(UNITS.len());
        let text: String = (0..1500).map(|_| UNITS[roll(few)]).collect();
        let limit = 30 + roll(tokenizer.count(&text));
        let head = tokenizer.longest_beginning(&text, limit).unwrap();
        let tail = tokenizer.longest_ending(&text, limit).unwrap();
        assert_eq!(tokenizer.count(&text[..head.at]), head.tokens);
        assert_eq!(tokenizer.count(&text[tail.at..]), tail.tokens);
        assert!(head.tokens <= limit && tail.tokens <= limit);
        for (at, _) in text[head.at..].grapheme_indices(true).skip(1).take(60) {
            assert!(tokenizer.count(&text[..head.at + at]) > limit);
        }
        for (at, _) in text[..tail.at].grapheme_indices(true).rev().take(60) {
            assert!(tokenizer.count(&text[at..]) > limit);
        }
    }
}

#[test]
fn both_ends_join_to_at_most_the_limit_and_the_tail_has_what_the_head_leaves() {
    let tokenizer = qwen();
    let mut roll = dice(4);
    for _ in 0..3_000 {
        let few = 1 + roll(UNITS.len());
        let text: String = (0..1 + roll(20)).map(|_| UNITS[roll(few)]).collect();
        let limit = 8 + roll(40);
        let Ok((head, tail)) = tokenizer.both_ends(&text, limit) else { continue };
        let joined = [&text[..head], &text[tail..]].concat();
        assert!(tokenizer.count(&joined) <= limit, "{text:?} to {limit}");
        if head == text.len() {
            continue;
        }
        assert!(tokenizer.count(&text) > limit);
        let half = |at: &usize| tokenizer.count(&text[..*at]) <= limit.div_ceil(2);
        assert_eq!(places(&text).into_iter().rfind(half), Some(head), "{text:?} to {limit}");
        let left = limit - tokenizer.count(&text[..head]);
        let room = |at: &&usize| {
            tokenizer.count(&text[**at..]) <= left
                || tokenizer.count(&[&text[..head], &text[**at..]].concat()) <= limit
        };
        let all = places(&text);
        let first = all.iter().filter(|at| **at >= head).find(room).unwrap();
        assert!(tail >= *first, "{text:?} to {limit}");
    }
    assert!(tokenizer.both_ends("👩\u{200d}👩\u{200d}👧", 2).is_err());
    assert_eq!(tokenizer.both_ends("", 2), Ok((0, 0)));
}

/// Small vocabularies: the bytes and some words over few letters, with random ranks, for one
/// pattern each.
fn other(pattern: Pattern, merging: &str, roll: &mut impl FnMut(usize) -> usize) -> Tokenizer {
    let mut words = std::collections::BTreeSet::new();
    let letters = ["a", "b", "'", "s", "1", "2", " ", "\n", ".", "é", "中", "A", "=", "\r\n"];
    while words.len() < 300 {
        let word: String = (0..2 + roll(3)).map(|_| letters[roll(letters.len())]).collect();
        words.insert(word.into_bytes());
    }
    words.retain(|word| word.len() > 1);
    let mut words: Vec<Vec<u8>> = words.into_iter().collect();
    for i in (1..words.len()).rev() {
        words.swap(i, roll(i + 1));
    }
    let tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).chain(words).collect();
    let ids: Vec<(&[u8], u32)> = tokens.iter().map(Vec::as_slice).zip(0..).collect();
    let pairs: Vec<(u32, u32)> = (256..ids.len() as u32)
        .filter_map(|id| {
            let token = &tokens[id as usize];
            let half = 1 + roll(token.len() - 1);
            let of = |part: &[u8]| tokens.iter().position(|t| t == part).map(|at| at as u32);
            Some((of(&token[..half])?, of(&token[half..])?))
        })
        .collect();
    let merging = match merging {
        "by rank" => Merging::ByRank,
        _ => Merging::Listed { pairs: &pairs, whole_pieces: true },
    };
    let data = to_compact(&ids, merging, pattern, Normalization::None).unwrap();
    Tokenizer::from_compact(&data).unwrap()
}

#[test]
fn with_every_pattern_and_random_vocabularies_too() {
    let mut roll = dice(6);
    let units = [
        "a", "b", "ab", "'", "'s", "A", "AB", "1", "12", "123", " ", "  ", "\n", "\r\n", ".", "=",
        "é", "中", "e\u{301}", "aB", "\t",
    ];
    for round in 0..120 {
        let merging = ["by rank", "listed"][round / 6 % 2];
        let tokenizer = other(Pattern::ALL[round % 6], merging, &mut roll);
        for _ in 0..20 {
            let few = 1 + roll(units.len());
            let text: String =
                (0..1 + roll(14)).map(|_| units[(roll(few) + round) % units.len()]).collect();
            check(&tokenizer, &text);
        }
        for _ in 0..2 {
            let few = 1 + roll(4);
            let text: String =
                (0..60 + roll(80)).map(|_| units[(roll(few) + round) % units.len()]).collect();
            check(&tokenizer, &text);
        }
    }
}
