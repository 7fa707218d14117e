//! The fuzz target for some seconds, with bytes from a generator: it needs no nightly compiler and
//! no corpus.

use std::time::{Duration, Instant};

use tokenfare_fuzz::{compare, compared, text_of};

/// SplitMix64, by Steele, Lea and Flood.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.roll() % (1 << (self.roll() % 12 + 1));
        (0..length).map(|_| self.roll() as u8).collect()
    }
}

#[test]
fn no_text_is_tokenized_otherwise_than_by_the_reference() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let mut dice = Dice(20_261_125);
    // The first comparison builds the reference, which may take all of the time on a busy machine.
    compare(&dice.bytes());
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        compare(&dice.bytes());
    }
    println!("{} bytes of text compared", compared());
    assert!(compared() > 100_000);
}

#[test]
fn texts_reach_what_they_are_meant_to() {
    let mut dice = Dice(7);
    let mut all = String::new();
    while all.len() < 2_000_000 {
        all.push_str(&text_of(&dice.bytes()));
    }
    let run = " ".repeat(500);
    for part in ["\u{901a}\u{4e49}", "\r\n\r\n", "\u{301}", "\u{10ffff}", "\0", "x", &run] {
        assert!(all.contains(part), "{part:?}");
    }
    assert!(all.chars().any(|c| ('\u{20000}'..'\u{2a000}').contains(&c)));
    assert!(all.chars().any(|c| ('\u{ac00}'..'\u{d7a4}').contains(&c)));
}
