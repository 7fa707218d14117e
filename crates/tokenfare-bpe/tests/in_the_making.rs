//! New pieces wait from batch to batch, and some stay half merged in between. None may be lost,
//! counted twice or left to the next text, whatever ended the text before. Encoding, which merges
//! each piece alone and at once, is the reference.
#![allow(clippy::unwrap_used)] // a test's way to fail

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokenfare_bpe::{
    Merging, Normalization, Pattern, Stream, Text, Tokenizer, interruptible, to_compact,
};

const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");

/// Lengths of new pieces in bytes: each kind that waits separately, and the limits of each.
const LENGTHS: [usize; 9] = [2, 9, 15, 16, 24, 30, 31, 45, 62];

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    }
}

/// A word of some bytes that has not been seen before.
fn word(roll: &mut impl FnMut(usize) -> usize, length: usize) -> String {
    let letters = [&["a", "e", "q", "z", "n", "T"][..], &["ж", "и", "é"], &["国", "科", "の"]];
    let letters = letters[roll(3)];
    let mut word = String::new();
    while word.len() < length {
        let letter = letters[roll(letters.len())];
        word.push_str(if word.len() + letter.len() > length { "x" } else { letter });
    }
    word
}

fn text(roll: &mut impl FnMut(usize) -> usize, words: usize) -> String {
    let lengths = [&LENGTHS[..], &LENGTHS[..3], &LENGTHS[3..6], &LENGTHS[6..]][roll(4)];
    let mut one = || {
        let length = lengths[roll(lengths.len())];
        word(roll, length) + "1"
    };
    (0..words).map(|_| one()).collect()
}

fn encoded(tokenizer: &Tokenizer, text: &str) -> usize {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids.len()
}

/// A few tokens, in order or not, and spare tokens that are whole pieces, some of which are
/// `words`.
fn with_spare_pieces(words: &[String], in_order: bool) -> Tokenizer {
    let bytes: Vec<[u8; 1]> = (0..=u8::MAX).map(|byte| [byte]).collect();
    let mut tokens: Vec<&[u8]> = bytes.iter().map(|byte| &byte[..]).collect();
    let mut made = ["ae", "qz", "aeqz", "国", "科", "ж", "иж", "xx", "zn", "国科"];
    if !in_order {
        made.reverse();
    }
    tokens.extend(made.iter().map(|token| token.as_bytes()));
    tokens.extend(words.iter().map(String::as_bytes));
    let tokens: Vec<(&[u8], u32)> = tokens.into_iter().zip(0..).collect();
    let table = to_compact(&tokens, Merging::ByRank, Pattern::Qwen, Normalization::Nfc).unwrap();
    Tokenizer::from_compact(&table).unwrap()
}

#[test]
fn what_comes_again_at_any_distance_is_counted_each_time() {
    let mut roll = dice(1);
    let mut distances = vec![1, 2, 31, 32, 33, 97, 127, 128, 129, 159, 160];
    distances.extend([224, 225, 226, 255, 256, 257, 258, 300, 511, 512, 513]);
    let spare: Vec<String> = LENGTHS[1..].iter().map(|length| word(&mut roll, *length)).collect();
    let tokenizers = [
        Tokenizer::from_compact(DATA).unwrap(),
        with_spare_pieces(&spare, true),
        with_spare_pieces(&spare, false),
    ];
    for distance in distances {
        for length in LENGTHS {
            let mut words: Vec<String> = (0..distance).map(|_| word(&mut roll, length)).collect();
            words[distance / 2] = spare[roll(spare.len())].clone();
            let text = words.join("1").repeat(3) + "1";
            for tokenizer in &tokenizers {
                assert_eq!(
                    tokenizer.count(&text),
                    encoded(tokenizer, &text),
                    "{distance} words of {length} bytes"
                );
            }
        }
    }
}

#[test]
fn a_text_that_was_ended_leaves_nothing_to_the_next() {
    let mut roll = dice(2);
    let tokenizer = Tokenizer::from_compact(DATA).unwrap();
    let mut counter = tokenizer.counter();
    let (mut ended, mut done) = (0, 0);
    for end in (1..7).cycle().take(12) {
        let words = 12_000 + roll(3_000);
        let long = text(&mut roll, words);
        let ends_at = |end| {
            let asked = Rc::new(Cell::new(0));
            move || asked.replace(asked.get() + 1) + 1 < end
        };
        let counts = [
            interruptible(ends_at(end), || counter.count(&long)),
            interruptible(ends_at(end), || tokenizer.count(&long)),
            interruptible(ends_at(end), || tokenizer.count_with_threads(&long, 2)),
        ];
        // After a text that was ended: a short text and a long one, each twice.
        for words in [1, 40, 2_000] {
            let next = text(&mut roll, words);
            let expected = encoded(&tokenizer, &next);
            assert_eq!(counter.count(&next), expected);
            assert_eq!(tokenizer.count(&next), expected);
        }
        let expected = encoded(&tokenizer, &long);
        for count in counts {
            assert_eq!(count.unwrap_or(expected), expected);
            *if count.is_some() { &mut done } else { &mut ended } += 1;
        }
        assert_eq!(tokenizer.count(&long), expected);
    }
    assert!(ended > 10 && done > 2, "{ended} {done}");
}

#[test]
fn every_way_of_counting_one_text_after_another_takes_what_waits_with_it() {
    let mut roll = dice(3);
    let tokenizer = Tokenizer::from_compact(DATA).unwrap();
    for round in 0..60 {
        let words = [1, 3, 31, 33, 300, 1_500][roll(6)];
        let new = text(&mut roll, words);
        let expected = encoded(&tokenizer, &new);
        match round % 6 {
            0 => assert_eq!(tokenizer.count(&new), expected),
            1 => {
                let points: Vec<u32> = new.chars().map(u32::from).collect();
                assert_eq!(tokenizer.count(Text::Points32(&points)), expected);
            }
            2 => {
                assert_eq!(tokenizer.count_up_to(&new, expected / 2), None);
                assert_eq!(tokenizer.count_up_to(&new, expected), Some(expected));
            }
            3 => {
                let mut stream = Stream::default();
                for part in new.as_bytes().chunks(1 + roll(20_000)) {
                    stream.add_bytes(&tokenizer, part).unwrap();
                }
                assert_eq!(stream.tokens(&tokenizer), expected);
            }
            4 => {
                let limit = 40 + roll(400);
                let spans = tokenizer.split(&new, limit, 0).unwrap();
                for span in spans {
                    let part = &new[span.start..span.end];
                    assert_eq!(span.tokens, encoded(&tokenizer, part));
                }
            }
            _ => {
                let parts: Vec<&str> = new.split_inclusive('1').collect();
                let apart: Vec<usize> =
                    parts.iter().map(|part| encoded(&tokenizer, part)).collect();
                assert_eq!(tokenizer.count_batch(&parts), apart);
            }
        }
    }
}

#[test]
fn memory_may_be_forgotten_while_texts_are_counted() {
    let tokenizer = Tokenizer::from_compact(DATA).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                tokenizer.forget();
                std::thread::yield_now();
            }
        });
        let counters = (0..2).map(|seed| {
            let tokenizer = &tokenizer;
            scope.spawn(move || {
                let mut roll = dice(100 + seed);
                for _ in 0..40 {
                    let words = [1, 33, 400][roll(3)];
                    let new = text(&mut roll, words);
                    assert_eq!(tokenizer.count(&new), encoded(tokenizer, &new));
                }
            })
        });
        let counters: Vec<_> = counters.collect();
        let results: Vec<_> = counters.into_iter().map(|counter| counter.join()).collect();
        done.store(true, Relaxed);
        results.into_iter().for_each(|result| result.unwrap());
    });
}
