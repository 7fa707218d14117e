//! Times the core alone, without Python: `speed FOLDER [name…]` over the `.txt` files of a folder.
//!
//! `fresh` counts the second half of each text after the first half warmed a tokenizer up that had forgotten all,
//! `seen` counts the same half again. The best of eleven, MB = 10⁶ bytes. The `count` column is what
//! `benchmarks/counting` checks against other tokenizers; this program only prints it.

use std::time::{Duration, Instant};

use tokenfare_bpe::Tokenizer;

const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
const ROUNDS: usize = 11;

fn timed(tokenizer: &Tokenizer, text: &str) -> (Duration, usize) {
    let start = Instant::now();
    let count = tokenizer.count(text);
    (start.elapsed(), count)
}

/// The best of all: what another process takes away is never a gift.
fn rate(times: &[Duration], bytes: usize) -> f64 {
    let best = times.iter().min().copied().unwrap_or_default();
    bytes as f64 / 1e6 / best.as_secs_f64()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("speed FOLDER [name…]")?;
    let wanted: Vec<String> = arguments.collect();
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let tokenizer = Tokenizer::from_compact(DATA)?;
    println!("{:22} {:>8} {:>8} {:>9}", "MB/s", "fresh", "seen", "count");
    let (mut product, mut natural) = (0.0, 0);
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.iter().any(|w| name.starts_with(w)) {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let half = text.floor_char_boundary(text.len() / 2);
        let (mut fresh, mut seen) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            tokenizer.forget();
            tokenizer.count(&text[..half]);
            fresh.push(timed(&tokenizer, &text[half..]).0);
            seen.push(timed(&tokenizer, &text[half..]).0);
        }
        let count = tokenizer.count(&text);
        let bytes = text.len() - half;
        let (fresh, seen) = (rate(&fresh, bytes), rate(&seen, bytes));
        if !name.starts_with("x ") {
            product += fresh.ln();
            natural += 1;
        }
        println!("{name:22} {fresh:8.1} {seen:8.1} {count:9}");
    }
    println!("{:22} {:8.1}", "geometric mean", (product / f64::from(natural)).exp());
    Ok(())
}
