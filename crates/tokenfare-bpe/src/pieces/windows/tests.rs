use super::*;
use crate::merging::merge::{Room, merge_long};
use crate::pieces::splitting::Normalization;
use crate::testing::{DATA, dice};
use crate::vocabulary::Vocabulary;

mod marks;

fn splittings() -> [Splitting; 6] {
    Pattern::ALL.map(|pattern| Splitting { pattern, normalization: Normalization::None })
}

/// Bounds of pieces, or of segments if the vocabulary's joints are given; found in the plain way
/// where windows do not go.
fn bounds(splitting: &Splitting, text: &str, joints: Option<&Joints>) -> Vec<usize> {
    let text = text.as_bytes();
    let mut all = vec![0];
    let mut bounds = Pieces::default();
    let mut at = 0;
    while at < text.len() {
        bounds.begin(at);
        let stop = bounds.find::<true>(splitting, text, joints, true);
        all.extend(bounds.bounds().map(|(_, end)| at + end as usize));
        at = bounds.end();
        if matches!(stop, Stop::Tail | Stop::Long) && at < text.len() {
            at = splitting.piece_end(text, at);
            all.push(at);
        }
    }
    all
}

fn slow(splitting: &Splitting, text: &str) -> Vec<usize> {
    let mut all = vec![0];
    splitting.for_each_piece(text.as_bytes(), |_, end| all.push(end));
    all
}

const ALPHABET: [&str; 48] = [
    "A",
    "B",
    "É",
    "Ж",
    "ǅ",
    "ʰ",
    "Ა",
    "/",
    "12",
    "'S",
    "'t",
    "ั",
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

/// A text of at least `length` bytes made of a few of the alphabet.
fn mixture(roll: &mut impl FnMut(usize) -> usize, length: usize) -> String {
    let some = 1 + roll(7);
    let chosen: Vec<&str> = (0..some).map(|_| ALPHABET[roll(ALPHABET.len())]).collect();
    let mut text = String::new();
    while text.len() < length {
        text.push_str(chosen[roll(some)]);
    }
    text
}

#[test]
fn windows_find_the_pieces_that_the_pattern_gives() {
    let mut roll = dice(5);
    for splitting in splittings() {
        for _ in 0..60_000 {
            let text = mixture(&mut roll, 200);
            let found = bounds(&splitting, &text, None);
            assert_eq!(found, slow(&splitting, &text), "{splitting:?} {text:?}");
        }
    }
}

#[test]
fn masks_alone_find_every_piece_that_fits_in_a_window_and_holds_no_mark() {
    let mut roll = dice(8);
    for splitting in splittings() {
        let mut texts = 0;
        for _ in 0..20_000 {
            let text = mixture(&mut roll, 400);
            let marks = text.contains(['\u{301}', '\u{e31}']);
            let long = slow(&splitting, &text).windows(2).any(|ends| ends[1] - ends[0] > 32);
            if !marks && !long {
                // The text is not marked as normal, so that the scanner is not asked.
                let mut pieces = Pieces::default();
                let stop = pieces.find::<true>(&splitting, text.as_bytes(), None, false);
                assert_eq!(stop, Stop::Tail, "{splitting:?} {text:?}");
                texts += 1;
            }
        }
        assert!(texts > 5_000, "{splitting:?}: {texts}");
    }
}

#[test]
fn pieces_of_one_byte_may_be_counted_instead_of_found() {
    let mut roll = dice(6);
    for splitting in splittings() {
        for _ in 0..10_000 {
            let mut text = String::new();
            while text.len() < 300 {
                text.push_str(ALPHABET[roll(ALPHABET.len())]);
            }
            let bytes = text.as_bytes();
            let (mut all, mut longer) = (Pieces::default(), Pieces::default());
            all.find::<true>(&splitting, bytes, None, true);
            longer.find::<false>(&splitting, bytes, None, true);
            let (ones, expected): (Vec<_>, Vec<_>) =
                all.bounds().partition(|(start, end)| end - start == 1);
            assert_eq!(longer.bounds().collect::<Vec<_>>(), expected, "{splitting:?} {text:?}");
            assert_eq!((longer.counted(), longer.end()), (ones.len(), all.end()));
        }
    }
}

#[test]
fn characters_that_are_tokens_may_be_counted_instead_of_found() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    // The last three are no tokens.
    let alphabet =
        ["的", "国", "あ", "ー", "한", "글", "。", "，", "a", " ", "é", "가", "힣", "囍", "囸"];
    assert!(alphabet[12..].iter().all(|c| ids(&v, c, &[0, 3]).len() > 1));
    let mut roll = dice(10);
    for splitting in splittings() {
        let (mut counted, mut listed) = (0, 0);
        for _ in 0..10_000 {
            let mut text = String::new();
            while text.len() < 300 {
                text.push_str(alphabet[roll(alphabet.len())]);
            }
            let bytes = text.as_bytes();
            let (mut all, mut some) = (Pieces::default(), Pieces::default());
            all.find::<true>(&splitting, bytes, Some(v.joints()), true);
            some.find::<false>(&splitting, bytes, Some(v.joints()), true);
            assert_eq!(some.end(), all.end(), "{splitting:?} {text:?}");
            let mut found = some.bounds().peekable();
            for (start, end) in all.bounds() {
                if found.next_if_eq(&(start, end)).is_some() {
                    listed += usize::from(end - start == 3);
                    continue;
                }
                let (start, end) = (start as usize, end as usize);
                assert!(matches!(end - start, 1 | 3), "{splitting:?} {text:?} at {start}");
                assert_eq!(ids(&v, &text, &[start, end]).len(), 1, "{text:?} at {start}");
                counted += usize::from(end - start == 3);
            }
            assert_eq!(found.next(), None, "{splitting:?} {text:?}");
            assert_eq!(all.bounds().count() - some.bounds().count(), some.counted());
        }
        assert!(counted > 100_000 && listed > 10_000, "{splitting:?}: {counted} {listed}");
    }
}

#[test]
fn a_stretch_is_no_longer_than_places_in_it_go_however_few_pieces_it_has() {
    let text = "!\t".repeat(STRETCH);
    for splitting in splittings() {
        let bytes = text.as_bytes();
        let mut pieces = Pieces::default();
        let stop = pieces.find::<false>(&splitting, bytes, None, true);
        assert_eq!((stop, pieces.starts().len()), (Stop::Full, 0), "{splitting:?}");
        let mut both = [Pieces::default(), Pieces::default()];
        Pieces::find_both(&mut both, &splitting, [bytes, bytes], None, true);
        for pieces in [&pieces, &both[0], &both[1]] {
            assert_eq!(pieces.counted(), pieces.end());
            assert!(pieces.end().abs_diff(STRETCH) < 2 * WINDOW, "{}", pieces.end());
        }
    }
}

#[test]
fn two_texts_at_once_have_the_pieces_of_each() {
    let mut roll = dice(8);
    let mut both_went_on = 0;
    for splitting in splittings() {
        for round in 0..5_000 {
            let texts = [(); 2].map(|()| {
                let length = roll(600);
                mixture(&mut roll, length)
            });
            let normal = round % 2 == 0;
            let mut found = [Pieces::default(), Pieces::default()];
            let bytes = [texts[0].as_bytes(), texts[1].as_bytes()];
            let stopped = Pieces::find_both(&mut found, &splitting, bytes, None, normal);
            both_went_on += usize::from(found.iter().all(|pieces| pieces.end() > WINDOW));
            let alone = |text: &[u8]| {
                let mut pieces = Pieces::default();
                let stop = pieces.find::<false>(&splitting, text, None, normal);
                (pieces, stop)
            };
            for (i, (pieces, text)) in found.iter_mut().zip(bytes).enumerate() {
                let end = pieces.end();
                let (expected, expected_stop) = alone(text);
                let stop = pieces.find::<false>(&splitting, text, None, normal);
                assert_eq!(stop, expected_stop, "{splitting:?} {text:?}");
                assert!(pieces.bounds().eq(expected.bounds()), "{splitting:?} {text:?}");
                assert_eq!((pieces.counted(), pieces.end()), (expected.counted(), expected.end()));
                assert!(i != stopped || pieces.end() == end, "it had not stopped: {text:?}");
            }
        }
    }
    assert!(both_went_on > 10_000, "{both_went_on}");
}

fn portable<R: Rules>(splitting: &Splitting) {
    let mut roll = dice(7);
    for _ in 0..10_000 {
        let text = mixture(&mut roll, 300);
        let (mut found, mut expected) = (Pieces::default(), Pieces::default());
        let given = Given { splitting, joints: None, normal: true };
        found.find_with::<R, true>(text.as_bytes(), given, masks::words::masks, list);
        expected.find::<true>(splitting, text.as_bytes(), None, true);
        assert!(found.bounds().eq(expected.bounds()), "{splitting:?} {text:?}");
        assert_eq!(found.end(), expected.end());
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            found.begin(0);
            // SAFETY: the CPU has the features that the function was compiled for.
            unsafe { found.find_with_avx2::<R, true>(text.as_bytes(), given) };
            assert!(found.bounds().eq(expected.bounds()), "{splitting:?} {text:?}");
        }
        let mut both = [Pieces::default(), Pieces::default()];
        let bytes = text.as_bytes();
        Pieces::find_both_with::<R>(&mut both, [bytes, bytes], given, masks::words::masks, list);
        expected.begin(0);
        expected.find::<false>(splitting, bytes, None, true);
        for mut pieces in both {
            pieces.find::<false>(splitting, bytes, None, true);
            assert!(pieces.bounds().eq(expected.bounds()), "{splitting:?} {text:?}");
            assert_eq!((pieces.counted(), pieces.end()), (expected.counted(), expected.end()));
        }
    }
}

#[test]
fn machines_with_less_wide_vectors_find_the_same() {
    let [qwen, marks, cl100k, _, o200k, gpt2] = splittings();
    portable::<Words<false, 1>>(&qwen);
    portable::<Words<true, 1>>(&marks);
    portable::<Words<false, 3>>(&cl100k);
    portable::<Cased>(&o200k);
    portable::<Plain>(&gpt2);
}

/// The ids of everything between `bounds`, each piece merged alone.
fn ids(v: &Vocabulary, text: &str, bounds: &[usize]) -> Vec<u32> {
    let (mut room, mut ids) = (Room::default(), Vec::new());
    for (start, end) in bounds.iter().zip(&bounds[1..]) {
        merge_long(v, &mut room, &text.as_bytes()[*start..*end], |id| ids.push(id));
    }
    ids
}

#[test]
fn segments_are_parts_of_pieces_cut_at_joints() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let mut roll = dice(9);
    let alphabet = [
        "的",
        "国",
        "あ",
        "ー",
        "한",
        "글",
        "。",
        "，",
        "a",
        " ",
        "%",
        "é",
        "\u{1f469}",
        "A",
        "AB",
    ];
    for splitting in splittings() {
        let mut cuts = 0;
        for round in 0..10_000 {
            let mut text = String::new();
            while text.len() < 200 {
                text.push_str(alphabet[roll(alphabet.len())]);
            }
            let segments = bounds(&splitting, &text, Some(v.joints()));
            let pieces = slow(&splitting, &text);
            assert!(pieces.iter().all(|at| segments.contains(at)), "{splitting:?} {text:?}");
            for at in segments.iter().filter(|at| !pieces.contains(at)) {
                let (before, behind) = text.split_at(*at);
                let (before, behind) = (before.chars().last(), behind.chars().next());
                let (Some(before), Some(behind)) = (before, behind) else { unreachable!() };
                let beside_ascii = match before {
                    '的' | '国' | 'あ' | 'ー' | '한' | '글' => behind.is_ascii_alphabetic(),
                    _ => "aAB%".contains(before),
                };
                assert!(
                    beside_ascii || !v.joints().may_hold(text.as_bytes(), *at),
                    "{text:?} at {at}"
                );
                cuts += 1;
            }
            if round < 1_000 {
                assert_eq!(ids(&v, &text, &segments), ids(&v, &text, &pieces), "{text:?}");
            }
        }
        assert!(cuts > 30_000, "{splitting:?}: {cuts}");
    }
}

#[test]
fn a_character_that_normalization_changes_stops_the_window_before_it() {
    for at in 0..400 {
        let text = format!("{}e\u{301}{}", "ab ".repeat(at), "cd ".repeat(100));
        let mut bounds = Pieces::default();
        bounds.begin(0);
        while bounds.find::<false>(&Splitting::QWEN, text.as_bytes(), None, false) == Stop::Full {
            let end = bounds.end();
            bounds.begin(end);
        }
        assert_eq!(
            bounds.find::<false>(&Splitting::QWEN, text.as_bytes(), None, false),
            Stop::Unstable
        );
        assert!(bounds.end() <= 3 * at && bounds.end() + WINDOW > 3 * at);
    }
}
