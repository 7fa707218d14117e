//! Each scanner against its regular expression, run by tiktoken's engine; the cuts against the
//! pieces.

use fancy_regex::Regex;
use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::UnicodeNormalization;

use super::kinds::{self, kind_at};
use crate::pieces::splitting::{Normalization, Pattern, Splitting};
use crate::testing::dice;

/// The patterns as their publishers write them: Qwen (`tokenization_qwen.py`), transformers
/// (`tokenization_qwen3_5.py`), tiktoken (`openai_public.py`), llama-models
/// (`llama3/tokenizer.py`).
const PATTERNS: [(Pattern, &str); 6] = [
    (
        Pattern::Qwen,
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        Pattern::QwenMarks,
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        Pattern::Cl100k,
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
    (
        Pattern::Llama3,
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        Pattern::O200k,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        Pattern::Gpt2,
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    ),
];

/// One or more of each kind that a pattern distinguishes, and every character that a pattern names.
const ALPHABET: [char; 20] = [
    'a', 's', 'l', 'T', 'A', '\u{1c5}', '\u{2b0}', '\u{4e2d}', '\u{e9}', '\u{301}', '\u{903}', '1',
    '\u{bd}', ' ', '\n', '\r', '\u{3000}', '\'', '/', '.',
];

fn splitting(pattern: Pattern) -> Splitting {
    Splitting { pattern, normalization: Normalization::None }
}

fn pieces<'a>(splitting: &Splitting, text: &'a str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    splitting.for_each_piece(text.as_bytes(), |start, end| pieces.push(&text[start..end]));
    pieces
}

fn expected<'a>(regex: &Regex, text: &'a str) -> Vec<&'a str> {
    regex.find_iter(text).map(|found| found.unwrap().as_str()).collect()
}

/// Every text of `length` characters over the alphabet, one after the other in `text`.
fn each_text(alphabet: &[char], length: u32, mut check: impl FnMut(&str)) {
    let n = alphabet.len();
    let mut text = String::new();
    for code in 0..n.pow(length) {
        text.clear();
        text.extend((0..length).map(|i| alphabet[code / n.pow(i) % n]));
        check(&text);
    }
}

#[test]
fn every_short_text_is_split_as_the_regular_expression_splits_it() {
    for (pattern, regex) in PATTERNS {
        let (splitting, regex) = (splitting(pattern), Regex::new(regex).unwrap());
        let check = |text: &str| {
            assert_eq!(pieces(&splitting, text), expected(&regex, text), "{pattern:?} {text:?}");
        };
        (1..=3).for_each(|length| each_text(&ALPHABET, length, check));
        let one_of_each =
            ['s', 'A', '\u{4e2d}', '\u{e9}', '\u{301}', '1', ' ', '\n', '\u{3000}', '\'', '/', '.'];
        each_text(&one_of_each, 4, check);
    }
}

#[test]
fn longer_random_texts_are_split_as_the_regular_expression_splits_them() {
    let more = ['\u{17f}', '\u{212a}', 'v', 'E', 'm', 'D', 'R', '\t', '\u{85}', '\0', '\u{378}'];
    let alphabet: Vec<char> = ALPHABET.into_iter().chain(more).collect();
    let mut roll = dice(1);
    for (pattern, regex) in PATTERNS {
        let (splitting, regex) = (splitting(pattern), Regex::new(regex).unwrap());
        for _ in 0..20_000 {
            let some = 2 + roll(alphabet.len() - 1);
            let first = roll(alphabet.len());
            let text: String = (0..1 + roll(60))
                .map(|_| alphabet[(first + roll(some)) % alphabet.len()])
                .collect();
            assert_eq!(pieces(&splitting, &text), expected(&regex, &text), "{pattern:?} {text:?}");
        }
    }
}

/// The scanners see only the kind of a character, and a few ASCII characters by name.
#[test]
fn every_character_has_the_kind_that_the_regex_engine_gives_it() {
    let mut all = vec![0u8; 0x11_0000];
    for (pattern, kind) in [
        (r"\p{L}", kinds::LETTER),
        (r"\p{N}", kinds::NUMBER),
        (r"\s", kinds::SPACE),
        (r"\p{M}", kinds::MARK),
        (r"[\p{Lu}\p{Lt}]", kinds::UPPER),
        (r"\p{Ll}", kinds::LOWER),
        (r"[\r\n]", kinds::LINE_END),
    ] {
        let HirKind::Class(Class::Unicode(class)) =
            regex_syntax::parse(pattern).unwrap().into_kind()
        else {
            panic!("{pattern} is not a class")
        };
        for range in class.ranges() {
            let range = range.start() as usize..=range.end() as usize;
            all[range].iter_mut().for_each(|known| *known |= kind);
        }
    }
    let mut buffer = [0; 4];
    for c in '\0'..=char::MAX {
        let text = c.encode_utf8(&mut buffer).as_bytes();
        assert_eq!(kind_at(text, 0), (all[c as usize], text.len()), "{c:?}");
    }
    assert_eq!(kind_at(b"", 0), (kinds::END, 0));
}

#[test]
fn only_the_long_s_is_a_contraction_beyond_ascii() {
    for (pattern, regex) in PATTERNS {
        let regex = Regex::new(regex).unwrap();
        for c in ['\u{17f}', '\u{212a}', '\u{fb05}', '\u{fb06}', '\u{130}', '\u{131}'] {
            let text = format!("a'{c}b 'l{c} 'r{c}");
            assert_eq!(pieces(&splitting(pattern), &text), expected(&regex, &text), "{c:?}");
        }
    }
}

#[test]
fn every_cut_of_every_short_text_keeps_the_pieces() {
    for (pattern, _) in PATTERNS {
        for normalization in [Normalization::Nfc, Normalization::None] {
            let splitting = Splitting { pattern, normalization };
            let mut cuts = 0;
            let mut check = |text: &str| {
                let split = |part: &str| -> Vec<String> {
                    let part = splitting.normalized(part);
                    pieces(&splitting, &part).into_iter().map(str::to_owned).collect()
                };
                let whole = split(text);
                for at in (1..text.len()).filter(|at| splitting.is_cut(text.as_bytes(), *at)) {
                    let apart = [split(&text[..at]), split(&text[at..])].concat();
                    assert_eq!(apart, whole, "{pattern:?} {text:?} at {at}");
                    cuts += 1;
                }
            };
            each_text(&ALPHABET, 3, &mut check);
            let few = ['s', 'A', '\u{301}', '\u{e9}', '1', ' ', '\n', '\r', '\'', '/', '='];
            each_text(&few, 5, &mut check);
            assert!(cuts > 30_000, "{pattern:?}: {cuts}");
        }
    }
}

#[test]
fn a_text_of_one_kind_is_split_in_linear_time() {
    // Capitals behind a letter that is in both sets: the run is given back once, not once for each.
    let text = format!("\u{4e2d}{}", "A".repeat(200_000)).repeat(3);
    assert_eq!(pieces(&splitting(Pattern::O200k), &text).len(), 2);
    let text = format!("\n{}", " ".repeat(200_000)).repeat(3);
    for (pattern, _) in PATTERNS {
        assert!(pieces(&splitting(pattern), &text).len() <= 4);
    }
}

#[test]
fn normalization_is_done_if_it_is_asked_for() {
    let nfd: String = "caf\u{e9} \u{ac01}".nfd().collect();
    let splitting = |normalization| Splitting { pattern: Pattern::Qwen, normalization };
    assert_eq!(splitting(Normalization::Nfc).normalized(&nfd), "caf\u{e9} \u{ac01}");
    assert_eq!(splitting(Normalization::None).normalized(&nfd), nfd);
}
