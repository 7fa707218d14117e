//! Laws of splitting: nothing is lost, every chunk fits, and there are no more chunks than
//! necessary.
#![allow(clippy::unwrap_used)] // a test's way to fail

use tokenfare_bpe::{Span, Tokenizer};

fn qwen() -> Tokenizer {
    let data = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
    Tokenizer::from_compact(data).unwrap()
}

fn check(tokenizer: &Tokenizer, text: &str, limit: usize, overlap: usize) -> Vec<Span> {
    let spans = tokenizer.split(text, limit, overlap).unwrap();
    let mut end = 0;
    for span in &spans {
        assert!(span.start <= end && span.end > end, "{spans:?} of {text:?}");
        let tokens = tokenizer.count(&text[span.start..span.end]);
        assert_eq!(tokens, span.tokens);
        assert!(tokens <= limit, "{span:?} of {text:?}");
        assert!(tokenizer.count(&text[span.start..end]) <= overlap, "{spans:?} of {text:?}");
        end = span.end;
    }
    assert_eq!(end, text.len());
    assert!(spans.windows(2).all(|two| two[0].start < two[1].start));
    spans
}

const UNITS: [&str; 22] = [
    "One sentence. ",
    "Another one! ",
    "word ",
    "longerword",
    "\n",
    "\n\n",
    "\r\n",
    "通义千问。",
    "中文，",
    "能",
    "日本語",
    "한국어 ",
    "  ",
    "\t",
    "2024",
    "e\u{301}",
    "\u{1112}\u{1161}\u{11ab}",
    "👩\u{200d}👧",
    "....",
    "(a, b)",
    "🇨🇳",
    "\0",
];

#[test]
fn chunks_join_fit_and_overlap_by_no_more_than_asked() {
    let tokenizer = qwen();
    let mut state = 5u64;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    };
    for _ in 0..1500 {
        let few = 1 + roll(UNITS.len());
        let text: String = (0..roll(300)).map(|_| UNITS[roll(few)]).collect();
        let limit = 12 + roll(60);
        check(&tokenizer, &text, limit, 0);
        check(&tokenizer, &text, limit, roll(limit));
        check(&tokenizer, &text, limit, limit - 1);
    }
}

#[test]
fn without_any_boundary_chunks_are_as_long_as_they_can_be() {
    let tokenizer = qwen();
    for unit in ["a", "xq", "=", "👩\u{200d}👧", "\u{1112}\u{1161}\u{11ab}", "e\u{301}"] {
        let text = unit.repeat(5000);
        let spans = check(&tokenizer, &text, 100, 0);
        for span in &spans[..spans.len() - 1] {
            let longest = tokenizer.longest_beginning(&text[span.start..], 100).unwrap();
            assert_eq!(span.end, span.start + longest.at, "{unit:?}");
        }
    }
}

#[test]
fn the_first_cluster_that_is_too_long_is_the_error() {
    let tokenizer = qwen();
    let family = "👩\u{200d}👩\u{200d}👧";
    let text = format!("ab {family} c");
    let tokens = tokenizer.count(family);
    let error = Span { start: 3, end: 3 + family.len(), tokens };
    assert_eq!(tokenizer.split(&text, tokens - 1, 0), Err(error));
    check(&tokenizer, &text, tokens, 0);
    assert_eq!(tokenizer.split("", 5, 0), Ok(vec![]));
}
