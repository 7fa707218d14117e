use super::*;
use crate::scan::piece_end;
use crate::vocabulary::Vocabulary;

const DATA: &[u8] = include_bytes!("../../../../src/tokenfare/tokenizers/data/qwen.bpe");

/// Bounds of pieces, or of segments if the vocabulary's joints are given; the slow way where
/// windows do not go.
fn bounds(text: &str, joints: &Joints) -> Vec<usize> {
    let text = text.as_bytes();
    let mut all = vec![0];
    let mut bounds = Pieces::default();
    let mut at = 0;
    while at < text.len() {
        bounds.begin(at);
        let stop = bounds.find::<true>(text, joints, true);
        all.extend(bounds.bounds().map(|(_, end)| at + end as usize));
        at = bounds.end();
        if matches!(stop, Stop::Tail | Stop::Long) && at < text.len() {
            at = piece_end(text, at);
            all.push(at);
        }
    }
    all
}

fn slow(text: &str) -> Vec<usize> {
    let mut all = vec![0];
    while all[all.len() - 1] < text.len() {
        all.push(piece_end(text.as_bytes(), all[all.len() - 1]));
    }
    all
}

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    }
}

/// A set of joints in which every joint is held, so that nothing falls apart.
fn held() -> Joints {
    let mut joints = Joints::new();
    for lead in 0xe0..=0xefu8 {
        for last in 0x80..=0xbf {
            joints.add(&[last, lead]);
        }
    }
    joints
}

const ALPHABET: [&str; 36] = [
    "a",
    "s",
    "t",
    "re",
    "LL",
    "é",
    "ж",
    "中",
    "国",
    "あ",
    "ſ",
    "1",
    "½",
    "٣",
    " ",
    "  ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "'",
    "''",
    ".",
    "=",
    "。",
    "「",
    "\u{301}",
    "\u{1f469}",
    "\u{200d}",
    "\0",
    "abcdefgh",
    "\u{10400}",
    "\u{85}",
];

#[test]
fn windows_find_the_pieces_that_the_pattern_gives() {
    let (mut roll, held) = (dice(5), held());
    for _ in 0..60_000 {
        let some = 1 + roll(7);
        let chosen: Vec<&str> = (0..some).map(|_| ALPHABET[roll(ALPHABET.len())]).collect();
        let mut text = String::new();
        while text.len() < 200 {
            text.push_str(chosen[roll(some)]);
        }
        assert_eq!(bounds(&text, &held), slow(&text), "{text:?}");
    }
}

#[test]
fn pieces_of_one_byte_may_be_counted_instead_of_found() {
    let (mut roll, held) = (dice(6), held());
    for _ in 0..20_000 {
        let mut text = String::new();
        while text.len() < 300 {
            text.push_str(ALPHABET[roll(ALPHABET.len())]);
        }
        let (mut all, mut longer) = (Pieces::default(), Pieces::default());
        all.find::<true>(text.as_bytes(), &held, true);
        longer.find::<false>(text.as_bytes(), &held, true);
        let (ones, expected): (Vec<_>, Vec<_>) =
            all.bounds().partition(|(start, end)| end - start == 1);
        assert_eq!(longer.bounds().collect::<Vec<_>>(), expected, "{text:?}");
        let mut portable = Pieces::default();
        portable.find_with::<false>(text.as_bytes(), &held, true, masks::words);
        assert_eq!(portable.bounds().collect::<Vec<_>>(), expected, "{text:?}");
        assert_eq!((longer.ones(), longer.end()), (ones.len(), all.end()));
    }
}

#[test]
fn segments_are_parts_of_pieces_cut_at_joints() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let (mut roll, mut cuts) = (dice(9), 0);
    let alphabet = ["的", "国", "あ", "ー", "한", "글", "。", "，", "a", " ", "é", "\u{1f469}"];
    for _ in 0..20_000 {
        let mut text = String::new();
        while text.len() < 200 {
            text.push_str(alphabet[roll(alphabet.len())]);
        }
        let segments = bounds(&text, v.joints());
        let pieces = slow(&text);
        assert!(pieces.iter().all(|at| segments.contains(at)), "{text:?}");
        for at in segments.iter().filter(|at| !pieces.contains(at)) {
            assert!(!v.joints().may_hold(text.as_bytes(), *at), "{text:?} at {at}");
            cuts += 1;
        }
    }
    assert!(cuts > 100_000, "{cuts}");
}

#[test]
fn a_character_that_normalization_may_change_stops_the_window_before_it() {
    let held = held();
    for at in 0..400 {
        let text = format!("{}e\u{301}{}", "ab ".repeat(at), "cd ".repeat(100));
        let mut bounds = Pieces::default();
        bounds.begin(0);
        while bounds.find::<false>(text.as_bytes(), &held, false) == Stop::Full {
            let end = bounds.end();
            bounds.begin(end);
        }
        assert_eq!(bounds.find::<false>(text.as_bytes(), &held, false), Stop::Unstable);
        assert!(bounds.end() <= 3 * at && bounds.end() + WINDOW > 3 * at);
    }
}
