//! Windows with characters that NFC may change.

use super::*;
use crate::unicode::nfc::nfc;

/// Marks that stay, that are reordered, and that compose, with characters for each.
const MARKED: [&str; 31] = [
    "\u{e01}\u{e48}",        // a Thai tone mark
    "\u{e01}\u{e39}\u{e48}", // behind another mark, in order
    "\u{e48}\u{e38}",        // out of order
    "\u{915}\u{93c}",        // a composite that NFC does not make
    "\u{928}\u{93c}",        // one that it makes
    "\u{93c}",
    "\u{94d}",
    "\u{e0a}",
    "\u{995}\u{9be}", // a vowel sign that joins another one only
    "\u{9c7}\u{9be}",
    "\u{633}\u{651}\u{64e}", // out of order, as it is mostly written
    "\u{633}\u{64e}\u{651}",
    "e",
    "é",
    "ê\u{323}", // joins what the composed letter is made of
    "e\u{329}",
    "\u{329}",
    "\u{301}",
    "\u{323}",
    "\u{1100}",
    "\u{1161}",
    "\u{ac00}",
    "\u{11a8}",
    "'s",
    "中国",
    "か",
    "が",
    "\u{3099}",
    " ",
    ".\n",
    "१",
];

/// Checks that the pieces found before a stop are those of the normalized text, or segments of
/// them if `joints` are those of the vocabulary. Says why it stopped.
fn check(v: &Vocabulary, splitting: &Splitting, text: &str, joints: Option<&Joints>) -> Stop {
    let whole = nfc(text);
    let mut pieces = Pieces::default();
    let stop = pieces.find::<true>(splitting, text.as_bytes(), joints, false);
    assert!(stop != Stop::Unstable || whole != text, "{splitting:?} {text:?}");
    let (before, behind) = text.split_at(pieces.end());
    let rest = nfc(behind);
    assert_eq!(whole, format!("{before}{rest}"), "{splitting:?} {text:?}");
    let mut found = vec![0];
    found.extend(pieces.bounds().map(|(_, end)| end as usize));
    let expected = slow(splitting, &whole);
    if joints.is_some() {
        let mut tokens = ids(v, before, &found);
        tokens.extend(ids(v, &rest, &slow(splitting, &rest)));
        assert_eq!(tokens, ids(v, &whole, &expected), "{splitting:?} {text:?}");
    } else {
        assert!(expected.starts_with(&found), "{splitting:?} {text:?}");
    }
    stop
}

#[test]
fn windows_go_on_through_marks_that_stay_and_only_through_these() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let mut roll = dice(11);
    for splitting in splittings() {
        let (mut stopped, mut kept) = (0, 0);
        for _ in 0..20_000 {
            let chosen: Vec<&str> = (0..2 + roll(6)).map(|_| MARKED[roll(MARKED.len())]).collect();
            let mut text = String::new();
            while text.len() < 300 {
                text.push_str(chosen[roll(chosen.len())]);
            }
            for joints in [None, Some(v.joints())] {
                match check(&v, &splitting, &text, joints) {
                    Stop::Tail => kept += 1,
                    Stop::Unstable => stopped += 1,
                    Stop::Full | Stop::Long => (),
                }
            }
        }
        assert!(kept > 1_000 && stopped > 10_000, "{splitting:?}: {kept}, {stopped}");
    }
}

#[test]
fn no_piece_is_divided_before_a_character_that_is_joined_behind_the_window() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    // No token stands across 人か; one does across 人が, which NFC makes of the last two and the
    // mark behind the other mark.
    for padding in 0..2 * WINDOW {
        let text = format!("{}人か\u{329}\u{3099}{}", "1".repeat(padding), "xy ".repeat(40));
        for splitting in splittings() {
            check(&v, &splitting, &text, Some(v.joints()));
        }
    }
}
