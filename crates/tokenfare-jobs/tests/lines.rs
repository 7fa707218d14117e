//! From lines to what is sent: what is read here, what is left to others, sizes, choices, files.
#![allow(clippy::unwrap_used)] // a test's way to fail

use std::collections::HashSet;

use tokenfare_bpe::Tokenizer;
use tokenfare_jobs::{
    Address, DigestInput, Fate, Key, Kind, LineLayout, Lines, Measure, Numbers, Offers, Outcomes,
    PrefixDigester, PrefixTrees, Seen, Sent, Span,
};

const KEY: Key = Key::new([7; 16]);
const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");

fn layout() -> LineLayout {
    LineLayout {
        prompt: "prompt".into(),
        messages: "messages".into(),
        custom_id: "custom_id".into(),
        method: "POST".into(),
        url: "/v1/chat/completions".into(),
        doubtful_in_body: HashSet::from(["tools".into(), "n".into()]),
        doubtful_beside: HashSet::from(["temperature".into()]),
        marks: vec!["fileid://".into()],
        room: 50,
        digester: Some(PrefixDigester::new([7; 16], vec![3, 5])),
    }
}

fn read(lines: &str) -> Lines {
    let qwen = Tokenizer::from_compact(DATA).unwrap();
    Lines::new(Box::new(lines.to_owned()), 1, &layout(), KEY, &[&qwen])
}

fn kind(measure: Measure) -> Kind {
    let nothing = Span::default();
    Kind { measure, joins: true, once: nothing, each: nothing, default: nothing }
}

fn sizes(lines: &mut Lines, kind: Kind) -> Vec<Span> {
    let mut offers = Offers::new(vec![kind]);
    let group = lines.group(50, &mut offers);
    let rows = lines.rows_with(50).len();
    (0..rows).map(|place| lines.sizes(group, place, &offers)[0]).collect()
}

fn span(low: u64, high: u64) -> Span {
    Span { low, high }
}

#[test]
fn plain_lines_are_read_and_written_as_they_are_sent() {
    for (line, body) in [
        (
            r#"{"prompt": "a\u00e9\n"}"#,
            r#"{"messages":[{"role":"user","content":"aé\n"}],"max_tokens":50}"#,
        ),
        (
            r#" {"note": [1], "messages": [ {"content": "", "role": "system"} ]} "#,
            r#"{"messages":[{"content":"","role":"system"}],"max_tokens":50}"#,
        ),
        (
            r#"{"body": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "seed": 7}}"#,
            r#"{"max_tokens":9,"messages":[{"role":"user","content":"x"}],"seed":7}"#,
        ),
    ] {
        let lines = read(line);
        assert_eq!(lines.fates(), [Fate::Open], "{line}");
        assert_eq!(std::str::from_utf8(lines.body(0)), Ok(body));
    }
}

#[test]
fn a_body_of_very_many_names_is_left_to_others() {
    let body = |names: usize| {
        let more: String = (2..=names).map(|i| format!(", \"a{i}\": 1")).collect();
        format!(r#"{{"body": {{"messages": [{{"role": "user", "content": "x"}}]{more}}}}}"#)
    };
    assert_eq!(read(&body(64)).fates(), [Fate::Open]);
    assert_eq!(read(&body(65)).fates(), [Fate::Doubtful]);
}

#[test]
fn what_could_be_read_in_two_ways_is_left_to_others() {
    for line in [
        "x",
        "[]",
        "{}",
        r#"{"prompt": ""}"#,
        r#"{"prompt": 7}"#,
        r#"{"prompt": "a", "prompt": "b"}"#,
        r#"{"prompt": "a", "messages": []}"#,
        r#"{"prompt": "a"} {}"#,
        r#"{"prompt": "fileid://7"}"#,
        r#"{"prompt": "a", "custom_id": ""}"#,
        r#"{"prompt": "a", "custom_id": 1.5}"#,
        r#"{"prompt": "a", "method": "POST"}"#,
        r#"{"prompt": "a", "temperature": 0}"#,
        r#"{"temperature": 0, "messages": [{"role": "user", "content": "a"}]}"#,
        r#"{"prompt": "\ud800"}"#,
        r#"{"messages": [{"role": "tool", "content": "a"}]}"#,
        r#"{"messages": [{"role": "user", "content": "a", "name": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "n": 2}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "tools": []}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "seed": 1e3}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "max_tokens": 0}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "seed": 1, "seed": 1}}"#,
        r#"{"body": {"model": "a", "messages": [{"role": "user", "content": "a"}], "model": "a"}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "model": 1e400}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "messages": [{"role": "user", "content": "b"}]}}"#,
        r#"{"body": {"messages": [{"role": "user", "content": "a"}], "url": "/other"}, "url": "/other"}"#,
    ] {
        assert_eq!(read(line).fates(), [Fate::Doubtful], "{line}");
    }
}

#[test]
fn lines_keep_their_numbers_through_blank_lines() {
    let line = format!("{{\"prompt\": \"{}\"}}\n\n \r\n", "word ".repeat(100));
    let lines = read(&line.repeat(3_000));
    assert_eq!(lines.len(), 3_000);
    for row in 0..lines.len() {
        assert_eq!(lines.line(row), (1 + 3 * row as u64, line.trim_end().as_bytes()));
    }
}

#[test]
fn texts_are_counted_behind_a_line_break_and_bounded_by_their_bytes() {
    let mut lines =
        read("{\"prompt\": \"\\n\\nx\"}\n{\"prompt\": \"e\u{301}\"}\n{\"prompt\": \"\u{958}\"}");
    let qwen = Tokenizer::from_compact(DATA).unwrap();
    let joined = qwen.count("\n\n\nx") as u64 - 1;
    let found = sizes(&mut lines, kind(Measure::Tokens(0)));
    let alone = |text| qwen.count(text) as u64;
    let (accented, qa) = (alone("e\u{301}"), alone("\u{958}"));
    assert_eq!(found, [span(joined, joined), span(accented, accented), span(qa, qa)]);
    assert_eq!(sizes(&mut lines, kind(Measure::AsIs)), [span(0, 3), span(1, 3), span(1, 3)]);
    // "é" is shorter in NFC, U+0958 is two code points there.
    assert_eq!(sizes(&mut lines, kind(Measure::Nfc)), [span(0, 3), span(1, 2), span(1, 6)]);
    assert_eq!(sizes(&mut lines, kind(Measure::Most)), [span(0, 3), span(1, 3), span(1, 6)]);
}

#[test]
fn what_a_template_adds_is_added() {
    let chat = |first, second| {
        format!(
            r#"{{"messages": [{{"role": "{first}", "content": "x"}}, {{"role": "{second}", "content": ""}}]}}"#
        )
    };
    let (first, second) = (chat("system", "user"), chat("user", "system"));
    let mut lines = read(&format!("{first}\n{second}\n{{\"prompt\": \"x\"}}"));
    let adds = Kind {
        once: span(1, 2),
        each: span(10, 20),
        default: span(100, 200),
        ..kind(Measure::AsIs)
    };
    let expected = [span(1 + 20 + 1, 2 + 40 + 1), span(122, 243), span(112, 223)];
    assert_eq!(sizes(&mut lines, adds), expected);
}

/// Lines of the letters, all placed with outcome 0 at an address, and sent.
fn sent(letters: &str, most: Option<usize>, once: bool) -> (Lines, Sent, Numbers) {
    let each = |letter| format!("{{\"prompt\": \"{letter}\"}}\n");
    let mut lines = read(&letters.chars().map(each).collect::<String>());
    let mut seen = Seen::new(KEY, once);
    lines.name("id-", &mut seen);
    for row in 0..lines.len() {
        lines.place(row, 0);
    }
    let mut outcomes = Outcomes::default();
    outcomes.add_address(Address { front: b",{".to_vec(), most });
    outcomes.add(0, span(1, 2));
    let sent = lines.send(&mut outcomes, &mut seen, once, 3);
    (lines, sent, outcomes.numbers()[0])
}

#[test]
fn a_body_that_was_sent_is_repeated_or_carried() {
    let first = Some((3, 1));
    let (_, repeated, numbers) = sent("aba", None, false);
    assert_eq!(numbers, Numbers { sent: 3, repeated: 1, carried: 0, first });
    assert_eq!(repeated.carriers, [None, None, None]);
    let (lines, carried, numbers) = sent("aba", None, true);
    assert_eq!(numbers, Numbers { sent: 2, repeated: 0, carried: 1, first });
    assert_eq!(carried.carriers, [None, None, Some("id-1".to_owned())]);
    assert_eq!(carried.ids.iter().collect::<Vec<_>>(), ["id-1", "id-2", "id-3"]);
    assert_eq!(lines.fates(), [Fate::Placed(0), Fate::Placed(0), Fate::Carried(0)]);
    let file = &carried.files[0];
    assert_eq!((file.lines.len(), file.lengths.len()), (file.lengths.iter().sum(), 2));
    let front = br#"{"custom_id": "id-1",{"messages":[{"#;
    assert_eq!(&file.lines[..front.len()], front);
}

#[test]
fn a_line_with_a_byte_too_many_is_not_sent() {
    let (_, all, _) = sent("é", None, false);
    let length = all.files[0].lengths[0];
    let (lines, _, numbers) = sent("é", Some(length), false);
    assert_eq!((lines.fates(), numbers.sent), (&[Fate::Placed(0)][..], 1));
    let (lines, long, numbers) = sent("é", Some(length - 1), false);
    assert_eq!(lines.fates(), [Fate::TooLong(0, length)]);
    assert_eq!((numbers, long.files.len(), long.numbers.len()), (Numbers::default(), 0, 0));
}

#[test]
fn files_come_in_the_order_of_their_first_lines() {
    let mut lines = read("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n{\"prompt\": \"c\"}");
    let mut seen = Seen::new(KEY, false);
    lines.name("", &mut seen);
    let mut outcomes = Outcomes::default();
    for front in [b"0,", b"1,", b"2,"] {
        outcomes.add_address(Address { front: front.to_vec(), most: None });
    }
    [2, 0].into_iter().for_each(|address| outcomes.add(address, span(1, 2)));
    [0, 1, 0].iter().enumerate().for_each(|(row, &outcome)| lines.place(row, outcome));
    let sent = lines.send(&mut outcomes, &mut seen, false, 1);
    let of = |file: &tokenfare_jobs::File| (file.address, file.lengths.len());
    assert_eq!(sent.files.iter().map(of).collect::<Vec<_>>(), [(2, 2), (0, 1)]);
    assert_eq!(sent.outcomes, [0, 1, 0]);
}

#[test]
fn the_least_price_is_chosen_and_equal_ones_are_left_to_who_knows_more() {
    let mut lines = read("{\"prompt\": \"a\"}\n{\"prompt\": \"a b\"}\n{\"prompt\": \"a b c\"}");
    let mut offers = Offers::new(vec![kind(Measure::Tokens(0)), kind(Measure::AsIs)]);
    let group = lines.group(50, &mut offers);
    assert_eq!(offers.open(0), [span(1, 1), span(2, 2), span(3, 3)]);
    offers.answer(0, &[Some(5), Some(7)]);
    assert_eq!(offers.open(0), [span(3, 3)]);
    offers.answer(0, &[None]);
    offers.answer(1, &[Some(6), Some(7), None]);
    assert_eq!(lines.undecided(group, &offers), [(0, 0, span(1, 1))]);
    offers.settle(0, 0, 9);
    assert_eq!(lines.undecided(group, &offers), []);
    assert_eq!(lines.choose(group, &offers), [1]);
    assert_eq!(lines.fates(), [Fate::Placed(9), Fate::Open, Fate::Open]);
    assert_eq!(lines.left(group), [1, 2]);
    assert_eq!(lines.row(group, 2), 2);
}

#[test]
fn a_size_is_asked_for_once_and_what_is_sent_is_held_to_it() {
    let mut offers = Offers::new(vec![kind(Measure::Tokens(0))]);
    for text in ["a", "b", "a b"] {
        let mut lines = read(&format!("{{\"prompt\": \"{text}\"}}\n{{\"prompt\": \"{text}!\"}}"));
        let group = lines.group(50, &mut offers);
        lines.place(0, 0); // the other one is not sent
        lines.hold(group, &mut offers);
    }
    assert_eq!(offers.open(0), [span(1, 1), span(2, 2), span(3, 3)]);
    assert_eq!(offers.held(0).collect::<Vec<_>>(), [(span(1, 1), 2), (span(2, 2), 1)]);
}

#[test]
fn an_id_is_taken_once_across_chunks_and_by_lines_that_others_read() {
    let mut seen = Seen::new(KEY, false);
    let mut first = read("{\"prompt\": \"a\", \"custom_id\": \"x\"}\n[]\n[]");
    first.give(1, "x", b"{\"a\":1}", &[]);
    first.name("id-", &mut seen);
    assert_eq!(first.fates(), [Fate::Open, Fate::DuplicateId, Fate::Doubtful]);
    let mut second = read("{\"prompt\": \"a\", \"custom_id\": \"x\"}\n{\"prompt\": \"a\"}");
    second.name("id-", &mut seen);
    assert_eq!(second.fates(), [Fate::DuplicateId, Fate::Open]);
    assert_eq!(second.id(1), "id-2");
}

#[test]
fn prefix_digests_are_those_of_the_messages_however_they_are_written() {
    let chat = |text| {
        format!(
            r#"{{"messages": [{{"content": "{text}", "role": "user"}}, {{"role": "assistant", "content": ""}}]}}"#
        )
    };
    let lines = format!("{}\n{}\n{{\"prompt\": \" abcd\"}}", chat(" abcdef"), chat(" abcdxx"));
    let mut lines = read(&lines);
    let mut outcomes = Outcomes::default();
    outcomes.add_address(Address { front: b",{".to_vec(), most: None });
    outcomes.add(0, span(4, 6));
    (0..3).for_each(|row| lines.place(row, 0));
    let mut found = PrefixTrees::new(1_000);
    // The second request shares two digests with the first, the third one; both are news.
    let first = lines.add_prefixes(&mut found, &outcomes, &[8], 1);
    assert_eq!(first, [(1, 8, 1, 1), (2, 8, 0, 0)]);
    let digester = layout().digester.unwrap();
    let messages = [DigestInput::Text("user", " abcdef"), DigestInput::Text("assistant", "")];
    let mut by_hand = found.clone();
    let digests = digester.of(None, messages.into_iter());
    assert_eq!(digests.len(), 4);
    by_hand.add(8, &digests, span(1, 9), (1, 4));
    let all = |found: &PrefixTrees| found.of(8).iter().map(|each| each.count).max();
    assert_eq!((all(&found), all(&by_hand)), (Some(3), Some(4)));
    let group = by_hand.groups()[0];
    assert_eq!((group.tree, group.requests, group.sizes), (8, 4, span(1, 9)));
}
