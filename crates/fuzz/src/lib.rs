//! Every path of the core against an independent implementation, on texts made from bytes.
//!
//! The bytes come from libFuzzer in the fuzz targets (`make fuzz`), and from a small generator in
//! the tests (the last step of `make test-rust`).

mod reference;
mod texts;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokenfare_bpe::{Merging, Normalization, Pattern, Text, Tokenizer, to_compact};

use reference::{Ranks, Reference};
pub use texts::text_of;

/// The patterns as their publishers write them, each with its name in the core.
const PATTERNS: [(Pattern, &str); 6] = [
    (Pattern::Qwen, reference::QWEN),
    (Pattern::QwenMarks, reference::QWEN_MARKS),
    (Pattern::Cl100k, reference::CL100K),
    (Pattern::Llama3, reference::LLAMA3),
    (Pattern::O200k, reference::O200K),
    (Pattern::Gpt2, reference::GPT2),
];

/// The core and the reference for one pattern, on the shipped vocabulary.
struct Twins {
    core: Tokenizer,
    reference: Reference,
}

static TWINS: LazyLock<Vec<Twins>> = LazyLock::new(|| {
    let data = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
    let ranks: &'static Ranks = Box::leak(Box::new(reference::ranks(data)));
    let twins = |(pattern, regex): &(Pattern, &str)| {
        let qwen = *pattern == Pattern::Qwen || *pattern == Pattern::QwenMarks;
        let core = match pattern {
            Pattern::Qwen => data.to_vec(),
            _ => converted(ranks, *pattern, qwen),
        };
        let core = Tokenizer::from_compact(&core).expect("a vocabulary");
        Twins { core, reference: Reference::new(ranks, regex, qwen) }
    };
    PATTERNS.iter().map(twins).collect()
});

fn converted(ranks: &Ranks, pattern: Pattern, nfc: bool) -> Vec<u8> {
    let mut tokens: Vec<(&[u8], u32)> = ranks.iter().map(|(token, id)| (&token[..], *id)).collect();
    tokens.sort_by_key(|(_, id)| *id);
    let normalization = if nfc { Normalization::Nfc } else { Normalization::None };
    to_compact(&tokens, Merging::ByRank, pattern, normalization).expect("a vocabulary")
}

static BYTES: AtomicU64 = AtomicU64::new(0);

/// Bytes of text that were compared so far.
pub fn compared() -> u64 {
    BYTES.load(Relaxed)
}

/// Compares every path of the core with the reference on the text that `data` makes. Panics if they
/// differ. Half of the texts go to Qwen's own pattern, the fastest and most intricate.
pub fn compare(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let which = if choice % 2 == 0 { 0 } else { usize::from(choice / 2) % PATTERNS.len() };
    let text = text_of(rest);
    let twins = &TWINS[which];
    check(twins, &text);
    if *choice >= 250 {
        long(twins, &text);
    }
    let before = BYTES.fetch_add(text.len() as u64, Relaxed);
    const STEP: u64 = 10_000_000;
    let millions = (before + text.len() as u64) / STEP;
    if before / STEP != millions {
        eprintln!("{}0 million bytes compared, no difference", millions);
    }
}

fn check(Twins { core, reference }: &Twins, text: &str) {
    let expected = reference.encode(text);
    let count = expected.len();
    // The first time, pieces are merged; the second time, they are found in the caches.
    for _ in 0..2 {
        let mut ids = Vec::new();
        core.encode(text, &mut ids);
        assert_eq!(ids, expected);
        assert_eq!(core.count(text), count);
    }
    for limit in [0, count / 2, count.saturating_sub(1), count, count + 1] {
        assert_eq!(core.count_up_to(text, limit), (limit >= count).then_some(count), "{limit}");
    }
    let bytes = core.decode(&expected).expect("ids of tokens");
    assert_eq!(bytes, reference.normalized(text).as_bytes());
}

/// Texts longer than the share of a thread: counted by one thread, by two, and as a batch.
fn long(Twins { core, reference }: &Twins, text: &str) {
    let unit = format!("{text}\n.");
    let times = 150_000 / unit.len();
    let long = unit.repeat(times);
    let mut ids = Vec::new();
    core.encode(&long, &mut ids);
    assert_eq!(core.count(&long), ids.len());
    assert_eq!(core.count_with_threads(&long, 2), ids.len());
    let points: Vec<u32> = long.chars().map(u32::from).collect();
    assert_eq!(core.count_with_threads(Text::Points32(&points), 2), ids.len());
    let batch = vec![unit.as_str(); times];
    let apart = reference.encode(&unit).len();
    assert_eq!(core.count_batch(&batch), vec![apart; times]);
}
