//! Whole texts, counted and encoded as on CPUs with narrower vectors or none.

use std::cell::Cell;

use super::*;
use crate::Merging;
use crate::merging::merge::Room;
use crate::merging::piece;
use crate::pieces::splitting::{Normalization, Pattern};
use crate::testing::{DATA, dice, small};
use crate::text::source::Text;
use crate::tokenizer::Tokenizer;

/// The vector instructions of a CPU, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Vectors {
    Plain,
    Avx2,
    Avx512,
}

thread_local! {
    static ALLOWED: Cell<Vectors> = const { Cell::new(Vectors::Avx512) };
}

/// The most that this thread may use.
pub(super) fn allowed() -> Vectors {
    ALLOWED.get()
}

/// Does `work` as if the CPU had no more than `vectors`.
pub(crate) fn with<T>(vectors: Vectors, work: impl FnOnce() -> T) -> T {
    let before = ALLOWED.replace(vectors);
    let result = work();
    ALLOWED.set(before);
    result
}

/// Qwen's own, and a small one for each pattern, with NFC and without.
fn tokenizers() -> Vec<Tokenizer> {
    let more = ["  ", "\r\n", "\n\n", "wo", "rd", "word", "e\u{301}", " a", "'s", "12"];
    let more = more.map(str::as_bytes);
    let tables = Pattern::ALL.into_iter().flat_map(|pattern| {
        [Normalization::Nfc, Normalization::None].map(|n| small(&more, Merging::ByRank, pattern, n))
    });
    tables.chain([DATA.to_vec()]).map(|table| Tokenizer::from_compact(&table).unwrap()).collect()
}

const UNITS: [&str; 24] = [
    "word",
    " and",
    " Other",
    "it's",
    "'LL",
    "\r\n",
    "\n",
    "\t",
    "  ",
    " ",
    "1",
    "2026",
    "½",
    ".",
    "/",
    "=\u{338}",
    "\u{301}",
    "e",
    "ß",
    "жук",
    "通义千问",
    "한국",
    "😀",
    "\u{3000}",
];

/// Texts of all lengths: many alphabets, long pieces, and units repeated many times.
fn texts() -> Vec<String> {
    let mut roll = dice(11);
    let lengths = (0..120).chain([500, 2_000, 9_000, 70_000]).chain((0..60).map(|i| 150 + 31 * i));
    let mut texts = Vec::new();
    for length in lengths {
        let few: Vec<&str> = (0..1 + roll(9)).map(|_| UNITS[roll(UNITS.len())]).collect();
        let mut text = String::new();
        while text.len() < length {
            let unit = few[roll(few.len())];
            text.push_str(&unit.repeat(if roll(40) == 0 { 1 + roll(80) } else { 1 }));
        }
        texts.push(text);
    }
    texts
}

/// The count without windows, caches or vectors.
fn slow(tokenizer: &Tokenizer, text: &str) -> usize {
    let (splitting, mut room, mut tokens) = (&tokenizer.splitting, Room::default(), 0);
    let text = splitting.normalized(text);
    splitting.for_each_piece(text.as_bytes(), |start, end| {
        tokens += piece::count(&tokenizer.vocabulary, &mut room, &text.as_bytes()[start..end]);
    });
    tokens
}

/// Every way of counting and encoding a text, first with a tokenizer that has seen nothing, then
/// with one that has seen the text.
fn asked(tokenizer: &Tokenizer, text: &str) -> (Vec<usize>, Vec<u32>) {
    let points: Vec<u32> = text.chars().map(u32::from).collect();
    let narrow: Vec<u16> = points.iter().map_while(|point| u16::try_from(*point).ok()).collect();
    let mut ids = Vec::new();
    tokenizer.forget();
    let mut counts = vec![tokenizer.count(text), tokenizer.count(text)];
    counts.push(tokenizer.count(Text::Points32(&points)));
    if narrow.len() == points.len() {
        counts.push(tokenizer.count(Text::Points16(&narrow)));
    }
    counts.extend(tokenizer.count_up_to(text, counts[0]));
    tokenizer.encode(text, &mut ids);
    (counts, ids)
}

#[test]
fn a_text_has_its_count_and_ids_whatever_vectors_a_machine_has() {
    let texts = texts();
    for tokenizer in tokenizers() {
        for text in &texts {
            let expected = slow(&tokenizer, text);
            let (counts, ids) = with(Vectors::Plain, || asked(&tokenizer, text));
            assert!(
                counts.len() >= 4 && counts.iter().all(|count| *count == expected),
                "{text:.60}"
            );
            assert_eq!(ids.len(), expected);
            for vectors in [Vectors::Avx2, Vectors::Avx512] {
                let found = with(vectors, || asked(&tokenizer, text));
                assert!(found == (counts.clone(), ids.clone()), "{vectors:?} {text:.60}");
            }
        }
    }
}

#[test]
fn what_is_allowed_is_all_that_is_found() {
    let found = |vectors| with(vectors, || (has_avx2(), has_avx512()));
    assert_eq!(found(Vectors::Plain), (false, false));
    assert!(!found(Vectors::Avx2).1);
    assert_eq!(found(Vectors::Avx2).0, found(Vectors::Avx512).0);
}
