//! Writes the tables of character classes for Unicode 16.0:
//!
//! - `src/unicode/classes/{index,blocks}.bin`, from `regex-syntax` (L, N, White_Space, M, case) and
//!   `unicode-normalization` (what NFC may change);
//! - `src/pieces/patterns/{index,blocks}.bin`, from `regex-syntax` (what the other patterns
//!   distinguish).
//!
//! `cargo run -p tokenfare-bpe --example make_classes`; the same inputs give the same bytes.

use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfc_quick};

const CODE_POINTS: usize = 0x11_0000;
/// Blocks for which a table has room.
const BLOCKS: usize = 512;

fn mark(classes: &mut [u8], pattern: &str, bits: u8) {
    let hir = regex_syntax::parse(pattern).expect("a character class");
    let HirKind::Class(Class::Unicode(class)) = hir.into_kind() else {
        panic!("{pattern} is not a class");
    };
    for range in class.ranges() {
        let range = range.start() as usize..=range.end() as usize;
        classes[range].iter_mut().for_each(|class| *class |= bits);
    }
}

fn main() -> std::io::Result<()> {
    let mut classes = vec![0u8; CODE_POINTS];
    mark(&mut classes, r"\p{L}", 1);
    mark(&mut classes, r"\p{N}", 2);
    mark(&mut classes, r"\s", 3);
    mark(&mut classes, r"\p{M}", 4);
    mark(&mut classes, r"[\p{Lu}\p{Lt}]", 16);
    mark(&mut classes, r"\p{Ll}", 32);
    for (code, class) in classes.iter_mut().enumerate() {
        let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) else { continue };
        let stays = is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
        let starts = canonical_combining_class(c) == 0;
        *class |= match (stays, starts) {
            (true, true) => 0,
            (true, false) => 8 | 64,
            (false, _) => 8,
        };
    }
    write("unicode/classes", &classes)?;

    let mut kinds = vec![0u8; CODE_POINTS];
    for (bit, pattern) in
        [r"\p{L}", r"\p{N}", r"\s", r"\p{M}", r"[\p{Lu}\p{Lt}]", r"\p{Ll}", r"[\r\n]"]
            .iter()
            .enumerate()
    {
        mark(&mut kinds, pattern, 1 << bit);
    }
    write("pieces/patterns", &kinds)
}

/// Writes a two-level table: for each block of 64 code points the number of its content, and the
/// different contents.
fn write(name: &str, classes: &[u8]) -> std::io::Result<()> {
    let mut blocks: Vec<&[u8]> = Vec::new();
    let mut index = Vec::with_capacity(CODE_POINTS / 32);
    for block in classes.chunks(64) {
        let place = blocks.iter().position(|known| *known == block).unwrap_or_else(|| {
            blocks.push(block);
            blocks.len() - 1
        });
        index.extend(u16::try_from(place).expect("few blocks").to_le_bytes());
    }
    println!("{name}: {} different blocks", blocks.len());
    let mut flat = blocks.concat();
    assert!(flat.len() <= BLOCKS * 64, "no room for so many blocks");
    flat.resize(BLOCKS * 64, 0);
    let folder = format!("{}/src/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(format!("{folder}/index.bin"), index)?;
    std::fs::write(format!("{folder}/blocks.bin"), flat)
}
