//! Times the core alone, without Python: `speed FOLDER [PATTERN] [name…]` reads the `.txt` files of
//! a folder.
//!
//! For each text, a tokenizer forgets everything and counts the first half to warm up. Then `fresh`
//! is the speed of counting the second half, and `seen` that of counting it again. `emptied` is as
//! `fresh`, but a megabyte at a time, with other memory read before each so that no table is left
//! in the CPU's caches, as when other programs run. Times are processor times, the best of seven;
//! MB = 10⁶ bytes.
//!
//! PATTERN is `qwen` (the default), `qwen3.5`, `cl100k`, `llama3`, `o200k` or `gpt2`, each with
//! Qwen's tokens. The `count` column is only printed here; `benchmarks/counting` checks it against
//! other tokenizers.

use std::time::Duration;

use cpu_time::ThreadTime;
use tokenfare_bpe::{Merging, Normalization, Pattern, Tokenizer, to_compact};

const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
const ROUNDS: usize = 7;

/// Qwen's tokens, split by a pattern.
fn tokenizer(pattern: Pattern) -> Result<Tokenizer, Box<dyn std::error::Error>> {
    let qwen = Tokenizer::from_compact(DATA)?;
    if pattern == Pattern::Qwen {
        return Ok(qwen);
    }
    let ids = 0..u32::try_from(qwen.vocabulary_size())?;
    let tokens = ids.map(|id| qwen.decode(&[id])).collect::<Result<Vec<_>, _>>()?;
    let ranks: Vec<(&[u8], u32)> = tokens.iter().map(Vec::as_slice).zip(0..).collect();
    let normalization = match pattern {
        Pattern::QwenMarks => Normalization::Nfc,
        _ => Normalization::None,
    };
    let compact = to_compact(&ranks, Merging::ByRank, pattern, normalization)?;
    Ok(Tokenizer::from_compact(&compact)?)
}

/// Reads more memory than the CPU's caches hold.
fn empty_caches(other: &mut [u8]) {
    other.iter_mut().step_by(64).for_each(|byte| *byte = byte.wrapping_add(1));
    std::hint::black_box(other);
}

/// The time for `text`, a megabyte at a time, with the caches emptied before each.
fn timed_emptied(tokenizer: &Tokenizer, mut text: &str, other: &mut [u8]) -> Duration {
    let mut time = Duration::ZERO;
    while !text.is_empty() {
        let (share, rest) = text.split_at(text.floor_char_boundary(1_000_000));
        empty_caches(other);
        time += timed(tokenizer, share).0;
        text = rest;
    }
    time
}

fn timed(tokenizer: &Tokenizer, text: &str) -> (Duration, usize) {
    let start = ThreadTime::now();
    let count = tokenizer.count(text);
    (start.elapsed(), count)
}

/// The best of all times: other processes can only take time away.
fn rate(times: &[Duration], bytes: usize) -> f64 {
    let best = times.iter().min().copied().unwrap_or_default();
    bytes as f64 / 1e6 / best.as_secs_f64()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("speed FOLDER [PATTERN] [name…]")?;
    let mut wanted: Vec<String> = arguments.collect();
    let named = wanted.first().and_then(|name| Pattern::named(name));
    let tokenizer = tokenizer(named.unwrap_or(Pattern::Qwen))?;
    wanted.drain(..usize::from(named.is_some()));
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    println!("{:22} {:>8} {:>8} {:>8} {:>9}", "MB/s", "fresh", "seen", "emptied", "count");
    let mut other = vec![1; 128 << 20];
    let (mut product, mut natural) = ([0.0; 3], 0);
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.iter().any(|w| name.starts_with(w)) {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let half = text.floor_char_boundary(text.len() / 2);
        let (mut fresh, mut seen, mut emptied) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            tokenizer.forget();
            tokenizer.count(&text[..half]);
            fresh.push(timed(&tokenizer, &text[half..]).0);
            seen.push(timed(&tokenizer, &text[half..]).0);
            tokenizer.forget();
            tokenizer.count(&text[..half]);
            emptied.push(timed_emptied(&tokenizer, &text[half..], &mut other));
        }
        let count = tokenizer.count(&text);
        let bytes = text.len() - half;
        let rates = [fresh, seen, emptied].map(|times| rate(&times, bytes));
        if !name.starts_with("x ") {
            product.iter_mut().zip(rates).for_each(|(product, rate)| *product += rate.ln());
            natural += 1;
        }
        let [fresh, seen, emptied] = rates;
        println!("{name:22} {fresh:8.1} {seen:8.1} {emptied:8.1} {count:9}");
    }
    let [fresh, seen, emptied] = product.map(|product| (product / f64::from(natural)).exp());
    println!("{:22} {fresh:8.1} {seen:8.1} {emptied:8.1}", "geometric mean");
    Ok(())
}
