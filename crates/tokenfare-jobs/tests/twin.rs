//! What is read here, against a reader that is slow and simple, on lines with anything wrong in them.
#![allow(clippy::unwrap_used)] // a test's way to fail

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use tokenfare_bpe::Tokenizer;
use tokenfare_jobs::{Fate, Key, Kind, LineLayout, Lines, Measure, Offers, PrefixDigester, Span};

const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
const ROOM: u64 = 50;
const ROUNDS: usize = 3_000;

/// Lines that are whole, to begin with.
const SEEDS: &[&str] = &[
    r#"{"prompt": "Why is the sky blue? \u00e9\ud83d\ude42 \n\"x\""}"#,
    r#"{"custom_id": "a", "prompt": " \tspaced", "note": [1.5, {"b": null}]}"#,
    r#"{"custom_id": 7, "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ""}]}"#,
    r#"{"method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"content": "你好 é", "role": "user"}], "max_tokens": 9, "temperature": 0.7}}"#,
    r#"{"body": {"messages": [{"role": "assistant", "content": "\u0000\/\\"}], "seed": -3, "stop": "x", "stream": false}}"#,
];
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\\u",
    "d83d",
    "\\ud800",
    "0",
    "1e9",
    "-",
    ".5",
    "null",
    "true",
    " ",
    "\t",
    "\n",
    "\r",
    "é",
    "\u{301}",
    "🙂",
    "prompt",
    "content",
    "role",
    "user",
    "n",
    "max_tokens",
    "body",
    "messages",
    "model",
    "\u{85}",
    "\u{2028}",
    "\0",
];

/// A small generator (xorshift64*, Vigna 2014): the same lines on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A line with some places changed, as bytes: it may be no UTF-8 any more.
    fn line(&mut self) -> Vec<u8> {
        let mut line = self.of(SEEDS).as_bytes().to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(line.len() + 1);
            let to = (at + self.below(6)).min(line.len());
            match self.below(4) {
                0 => drop(line.drain(at..to)),
                1 => drop(line.splice(at..at, self.of(PIECES).bytes())),
                2 => drop(line.splice(at..to, self.of(PIECES).bytes())),
                _ => {
                    let other = self.of(SEEDS).as_bytes();
                    let from = self.below(other.len());
                    drop(line.splice(at..to, other[from..].iter().copied()));
                }
            }
        }
        line
    }
}

fn layout() -> LineLayout {
    LineLayout {
        prompt: "prompt".into(),
        messages: "messages".into(),
        custom_id: "custom_id".into(),
        method: "POST".into(),
        url: "/v1/chat/completions".into(),
        doubtful_in_body: HashSet::from(["n".into(), "tools".into()]),
        doubtful_beside: HashSet::from(["temperature".into()]),
        marks: vec!["fileid://".into()],
        room: ROOM,
        digester: Some(PrefixDigester::new([7; 16], vec![3, 5])),
    }
}

/// What is sent for a line that has been read, by a reader that knows no short cut.
fn expected(line: &[u8]) -> Map<String, Value> {
    let Value::Object(line) = serde_json::from_slice(line).unwrap() else { panic!("an object") };
    let chat = |messages: &Value| Map::from_iter([("messages".to_owned(), messages.clone())]);
    let mut body = match (line.get("body"), line.get("messages"), line.get("prompt")) {
        (Some(Value::Object(body)), None, None) => body.clone(),
        (None, Some(messages), None) => chat(messages),
        (None, None, Some(text)) => chat(&json!([{"role": "user", "content": text}])),
        other => panic!("one of them: {other:?}"),
    };
    body.remove("model");
    if !body.contains_key("max_tokens") && !body.contains_key("max_completion_tokens") {
        body.insert("max_tokens".to_owned(), json!(ROOM));
    }
    body
}

/// The tokens of a body's texts: one that begins with white space is counted behind a line break.
fn tokens(body: &Map<String, Value>, qwen: &Tokenizer) -> u64 {
    let texts = body["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap());
    let count = |text: &str| {
        let spaced =
            text.starts_with(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
        if spaced { qwen.count(&format!("\n{text}")) - 1 } else { qwen.count(text) }
    };
    texts.map(|text| count(text) as u64).sum()
}

#[test]
fn lines_that_are_read_say_what_a_simple_reader_says() {
    let qwen = Tokenizer::from_compact(DATA).unwrap();
    let nothing = Span::default();
    let measure = Measure::Tokens(0);
    let kind = Kind { measure, joins: true, once: nothing, each: nothing, default: nothing };
    let mut draw = Draw(7);
    let (mut read, mut left) = (0, 0);
    for _ in 0..ROUNDS {
        let block = (0..=draw.below(6)).map(|_| draw.line()).collect::<Vec<_>>().join(&b"\n"[..]);
        let mut lines = Lines::new(Box::new(block), 1, &layout(), Key::new([7; 16]), &[&qwen]);
        for room in lines.rooms() {
            let mut offers = Offers::new(vec![kind]);
            let group = lines.group(room, &mut offers);
            for place in 0..lines.rows_with(room).len() {
                let row = lines.row(group, place);
                assert_eq!(lines.fates()[row], Fate::Open);
                let (_, line) = lines.line(row);
                let body: Map<String, Value> = serde_json::from_slice(lines.body(row)).unwrap();
                let shown = String::from_utf8_lossy(line);
                assert_eq!(body, expected(line), "{shown}");
                let found = lines.sizes(group, place, &offers)[0];
                let tokens = tokens(&body, &qwen);
                assert_eq!((found.low, found.high), (tokens, tokens), "{shown}");
                read += 1;
            }
        }
        left += lines.fates().iter().filter(|fate| **fate == Fate::Doubtful).count();
    }
    assert!(read > ROUNDS && left > ROUNDS, "{read} read, {left} left");
}
