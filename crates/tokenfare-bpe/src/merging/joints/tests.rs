use super::*;
use crate::merging::merge::{Room, merge_long};
use crate::testing::{DATA, dice, small};
use crate::vocabulary::Vocabulary;
use crate::{Merging, Normalization, Pattern, Tokenizer};

fn ids(v: &Vocabulary, piece: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    merge_long(v, &mut Room::default(), piece.as_bytes(), |id| ids.push(id));
    ids
}

#[test]
fn segments_of_random_characters_encode_to_what_the_whole_encodes_to() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let mut roll = dice(5);
    let mut roll = |sides: u32| roll(sides as usize) as u32;
    let ranges = [
        0x4e00..0x9fff,
        0x3041..0x30ff,
        0xac00..0xd7a3,
        0x0e01..0x0e5b,
        0x20..0x17f,
        0x20000..0x2a6df,
        0xff00..0xffef,
        0x2000..0x2fff,
    ];
    let mut cuts = 0;
    for round in 0..60_000usize {
        let piece: String = (0..2 + roll(12))
            .filter_map(|i| {
                let range = &ranges[if i % 3 == 2 { roll(8) as usize } else { round % 8 }];
                char::from_u32(range.start + roll(range.end - range.start))
            })
            .collect();
        let (mut start, mut apart) = (0, Vec::new());
        while start < piece.len() {
            let end = v.joints().segment_end(piece.as_bytes(), start);
            apart.extend(ids(&v, &piece[start..end]));
            cuts += usize::from(end < piece.len());
            start = end;
        }
        assert_eq!(apart, ids(&v, &piece), "{piece:?}");
    }
    assert!(cuts > 60_000, "{cuts}");
}

#[test]
fn no_token_stands_across_a_place_where_it_would_be_cut() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    for id in 0..v.len() as u32 {
        let Ok(text) = std::str::from_utf8(v.token(id)) else { continue };
        assert_eq!(v.joints().segment_end(text.as_bytes(), 0), text.len(), "{text:?}");
    }
}

#[test]
fn tokens_that_start_or_end_inside_a_character_are_not_cut_however_it_goes_on() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    for id in 0..v.len() as u32 {
        let token = v.token(id);
        for at in 1..token.len() {
            let known = token[..at].iter().rev().take_while(|b| **b & 0xc0 == 0x80).count();
            if known != at || known > 2 || !is_three_byte_lead(token[at]) {
                continue;
            }
            let mut text = vec![0xe4, 0xb8, 0x80][..3 - known].to_vec();
            text.extend_from_slice(token);
            text.extend([0x80; 3]);
            assert!(v.joints().may_hold(&text, 3), "{token:?}");
        }
    }
}

#[test]
fn no_token_of_qwen_stands_beside_ascii_where_pieces_fall_apart() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let plain =
        |c: &char| matches!(c, 'ぁ'..='ヺ' | '\u{4000}'..='\u{9fff}' | '\u{ac00}'..='\u{d77f}');
    for id in 0..v.len() as u32 {
        let text = String::from_utf8_lossy(v.token(id));
        for (before, behind) in text.chars().zip(text.chars().skip(1)) {
            let white = before.is_ascii_whitespace();
            assert!(!(before.is_ascii() && !white && plain(&behind)), "{text:?}");
            assert!(!(plain(&before) && behind.is_ascii_alphabetic()), "{text:?}");
        }
    }
    assert_eq!(v.joints().apart_beside_ascii(u64::MAX), u64::MAX);
}

#[test]
fn a_character_is_known_as_a_token_if_merging_makes_it_one() {
    let v = Vocabulary::from_compact(DATA).unwrap();
    let mut tokens = 0;
    for c in '\u{800}'..='\u{ffff}' {
        let at = c as usize % (WINDOW - 2);
        let mut bytes = [b'!'; READ];
        let character = c.encode_utf8(&mut bytes[at..]).to_owned();
        let expected = u64::from(ids(&v, &character).len() == 1) << at;
        assert_eq!(v.joints().tokens(&bytes, 1 << at), expected, "{c:?}");
        tokens += usize::from(expected != 0);
    }
    assert!(tokens > 5_000, "{tokens}");
    assert_eq!(Joints::everywhere().tokens(&[0xe4; READ], u64::MAX), 0);
}

/// A tokenizer of single bytes and what these merge into, in this order.
fn merging(made: &[&[u8]]) -> Tokenizer {
    merging_normalized(made, Normalization::None)
}

fn merging_normalized(made: &[&[u8]], normalization: Normalization) -> Tokenizer {
    let compact = small(made, Merging::ByRank, Pattern::Qwen, normalization);
    Tokenizer::from_compact(&compact).unwrap()
}

#[test]
fn a_token_across_one_joint_beside_ascii_keeps_all_pieces_together() {
    // Whole characters; the beginning of one, or its end.
    let across: [(&str, &[&[u8]]); 6] = [
        ("中", &[b"\xe4\xb8", b"\xe4\xb8\xad", b"x\xe4\xb8\xad"]),
        ("中", &[b"\xe4\xb8", b"\xe4\xb8\xad", b"\xe4\xb8\xadx"]),
        ("中", &[b"x\xe4"]),
        ("中", &[b"x\xe4", b"x\xe4\xb8"]),
        ("中", &[b"\xadx"]),
        ("あ", &[b"x\xe3"]),
    ];
    for (character, made) in across {
        let (tokenizer, text) = (merging(made), format!("x{character}x "));
        let of_one = tokenizer.count(text.trim_end());
        assert!(of_one < 5, "{made:?}");
        assert_eq!(tokenizer.count(text.repeat(40).trim_end()), 40 * of_one + 39, "{made:?}");
    }
    let apart = merging(&[b"\xe4\xb8", b"\xe4\xb8\xad", b" \xe4\xb8\xad"]);
    assert_eq!(apart.count(&" 中x".repeat(40)), 80);
}

#[test]
fn a_joint_is_that_of_the_characters_that_nfc_makes_wherever_a_window_ends() {
    // Each token stands across what is no joint of the text as it is spelled.
    let spelled: [(&str, &[&[u8]]); 2] = [
        ("中e\u{301}", &[b"\xe4\xb8", b"\xe4\xb8\xad", b"\xc3\xa9", "中é".as_bytes()]),
        (
            "中か\u{3099}",
            &[b"\xe4\xb8", b"\xe4\xb8\xad", b"\xe3\x81", b"\xe3\x81\x8c", "中が".as_bytes()],
        ),
    ];
    for (character, made) in spelled {
        let tokenizer = merging_normalized(made, Normalization::Nfc);
        for before in 0..70 {
            let text = format!("{}{}", "1".repeat(before), format!(" {character}").repeat(40));
            assert_eq!(tokenizer.count(&text), before + 40 * 2, "{character} {before}");
        }
    }
}

#[test]
fn bytes_of_a_token_that_are_no_character_are_not_taken_for_one() {
    // With the bits of "䁂" (e4 81 82), but for those that say that the second byte is an inner one.
    let tokenizer = merging(&[b"\xe4A", b"\xe4A\x82"]);
    assert_eq!(tokenizer.count(&"䁂国 ".repeat(40)), 7 * 40);
}
