//! Laws that hold for every text: all ways to count agree, and decoding gives back the NFC of the
//! text, which encodes to the same ids.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tokenfare_bpe::Tokenizer;

static QWEN: LazyLock<Tokenizer> = LazyLock::new(|| {
    let data = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");
    Tokenizer::from_compact(data).expect("the shipped vocabulary")
});

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut ids = Vec::new();
    QWEN.encode(&text, &mut ids);
    let count = QWEN.count(&text);
    assert_eq!(count, ids.len());
    assert_eq!(QWEN.count_with_threads(&text, 2), count);
    assert_eq!(QWEN.count_up_to(&text, count), Some(count));
    assert_eq!(count.checked_sub(1).and_then(|less| QWEN.count_up_to(&text, less)), None);
    let bytes = QWEN.decode(&ids).expect("ids that were just made");
    let normalized = String::from_utf8(bytes).expect("tokens of a text are its bytes");
    let mut again = Vec::new();
    QWEN.encode(&normalized, &mut again);
    assert_eq!(again, ids);
});
