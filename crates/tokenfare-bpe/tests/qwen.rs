//! The shipped vocabulary: known answers and laws.
#![allow(clippy::unwrap_used)] // a test's way to fail

use tokenfare_bpe::{SpecialTokens, Text, Tokenizer, UnknownId, VocabularyError};

const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");

fn qwen() -> Tokenizer {
    Tokenizer::from_compact(DATA).unwrap()
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids
}

#[test]
fn the_official_example() {
    let expected = [31935, 64559, 99320, 56007, 100629, 104795, 99788, 1773];
    assert_eq!(ids(&qwen(), "通义千问具有强大的能力。"), expected);
}

#[test]
fn every_token_decodes_and_those_that_are_one_piece_encode_to_themselves() {
    let tokenizer = qwen();
    let mut checked = 0;
    for id in 0..tokenizer.vocabulary_size() as u32 {
        let bytes = tokenizer.decode(&[id]).unwrap();
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let found = ids(&tokenizer, &text);
        // 248 tokens are not NFC, 1,673 are more than one piece: no text encodes to them.
        if found.len() == 1 && tokenizer.decode(&found).unwrap() == text.as_bytes() {
            assert_eq!(found, [id]);
            checked += 1;
        }
    }
    assert_eq!(tokenizer.vocabulary_size(), 151_643);
    assert!(checked > 147_000, "{checked}");
}

#[test]
fn special_tokens_are_ordinary_text_unless_listed() {
    let tokenizer = qwen();
    let text = "<|im_start|>user\nhi<|im_end|>";
    assert_eq!(tokenizer.count(text), 15);
    let special =
        SpecialTokens::new([("<|im_start|>".into(), 151_644), ("<|im_end|>".into(), 151_645)]);
    let mut ids = Vec::new();
    tokenizer.encode_with_special(text, &special, &mut ids);
    assert_eq!(ids, [151_644, 872, 198, 6023, 151_645]);
}

#[test]
fn counting_stops_at_the_limit_and_only_there() {
    let tokenizer = qwen();
    let text = "It's 12 o'clock.\n\n  Über den Wolken 你好 — \u{1f469}\u{200d}\u{1f467}";
    let count = ids(&tokenizer, text).len();
    for limit in 0..2 * count {
        let expected = (limit >= count).then_some(count);
        assert_eq!(tokenizer.count_up_to(text, limit), expected);
    }
}

#[test]
fn a_token_across_a_character_that_nfc_makes_is_found_at_every_place_of_a_text() {
    let tokenizer = qwen();
    // The second syllable is spelled by its parts; in NFC, the two and the space are one token.
    let (spelled, composed) = ("한\u{1100}\u{116e}\u{11a8}", "한국");
    assert_eq!(ids(&tokenizer, " 한국"), [130_092]);
    for at in 0..200 {
        let text =
            |word: &str| format!("{} {word} {}", "b".repeat(at), "and so it goes on ".repeat(9));
        let expected = ids(&tokenizer, &text(composed));
        assert!(expected.contains(&130_092));
        assert_eq!(ids(&tokenizer, &text(spelled)), expected, "{at}");
        assert_eq!(tokenizer.count(&text(spelled)), expected.len(), "{at}");
    }
}

#[test]
fn counters_side_by_side_count_as_the_tokenizer_does() {
    let tokenizer = qwen();
    let texts = ["", "a b", "你好 🙂", "fn main() {\n    x += 1;\n}\n", &"ab".repeat(40_000)];
    let expected = texts.map(|text| tokenizer.count(text));
    let (mut one, mut other) = (tokenizer.counter(), tokenizer.counter());
    for _ in 0..2 {
        assert_eq!(texts.map(|text| one.count(text)), expected);
        assert_eq!(texts.map(|text| other.count(text)), expected);
    }
}

#[test]
fn an_id_beyond_the_vocabulary_is_named() {
    assert_eq!(qwen().decode(&[0, 151_643]), Err(UnknownId(151_643)));
}

#[test]
fn damaged_data_is_refused_with_its_reason() {
    let error = |data: &[u8]| Tokenizer::from_compact(data).err().unwrap();
    assert_eq!(error(b""), VocabularyError::Foreign);
    assert_eq!(error(b"not a vocabulary at all"), VocabularyError::Foreign);
    assert_eq!(error(&DATA[..20]), VocabularyError::Length { expected: 24, found: 20 });
    assert_eq!(
        error(&DATA[..DATA.len() - 1]),
        VocabularyError::Length { expected: DATA.len(), found: DATA.len() - 1 }
    );
    let mut changed = DATA.to_vec();
    changed[500_000] ^= 1;
    assert_eq!(error(&changed), VocabularyError::Damaged);
    let mut longer = DATA.to_vec();
    longer[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(error(&longer), VocabularyError::Size(u64::MAX));
}

#[test]
fn a_megabyte_of_anything_is_counted() {
    let tokenizer = qwen();
    let rows = [("a", 125_000), ("=", 15_625), (" ", 7_813), ("\n", 31_250), ("1", 1_000_000)];
    for (unit, expected) in rows {
        let text = unit.repeat(1_000_000);
        let count = tokenizer.count(&text);
        assert!(count.abs_diff(expected) <= expected / 50, "{unit:?}: {count}");
    }
}

#[test]
fn counts_are_how_many_ids_there_are_whatever_a_text_is_mixed_of() {
    let mut state = 12u64;
    let mut roll = move |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    };
    let units = [
        "the ",
        "Unpredictably",
        "don't",
        " ",
        "\n",
        "\r\n",
        "\t",
        "0",
        "1234",
        "=",
        "-",
        "/* ",
        "的",
        "国家",
        "あ",
        "カタ",
        "한국",
        "слово ",
        "Ω",
        "é",
        "e\u{301}",
        "\u{301}",
        "👩‍👧",
        "。",
        "\u{3000}",
        "()",
        "_x",
        "qzx",
        "https://",
    ];
    let tokenizer = qwen();
    let mut counter = tokenizer.counter();
    for round in 0..400 {
        let some = 1 + roll(units.len());
        let length = [300, 3_000, 30_000, 200_000][round % 4];
        let mut text = String::new();
        while text.len() < length {
            let times = if roll(20) == 0 { 1 + roll(90) } else { 1 };
            text += &units[(roll(some) + round) % units.len()].repeat(times);
        }
        let expected = ids(&tokenizer, &text).len();
        assert_eq!(tokenizer.count(&text), expected, "{some} units from {round} on");
        assert_eq!(counter.count(&text), expected);
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        assert_eq!(tokenizer.count(Text::Points32(&points)), expected);
        assert_eq!(tokenizer.count_with_threads(&text, 2), expected);
    }
}
