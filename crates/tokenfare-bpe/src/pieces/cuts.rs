//! Where a text may be cut so that the counts of the parts add up.
//!
//! **Cut.** A place with a letter or number on its left and a character other than a letter on its
//! right; or with `\n` on its left and a character other than white space on its right. NFC must
//! not be able to change either of the two.
//!
//! **Proof.** *NFC:* the character on the left stays as it is, and the one on the right joins
//! nothing before it, so the NFC of the whole is the NFC of the parts, joined. *Pieces:* a piece
//! depends on the text from its own start onwards only. So it is enough that some piece ends at the
//! cut, and that it ends there whether or not the text goes on. The alternatives of the pattern
//! (see `scan`), one by one:
//!
//! - A letter is taken by alternatives 1 and 2 only. After it they take letters only, and there is
//!   none on the right.
//! - A number is taken by alternative 3 only, which takes one.
//! - A `\n` is taken by 4 or 5 only: 2 excludes it, and 6 and 7 are reached only if 5 fails, that
//!   is if the white space holds no line end. 4 takes line ends as long as there are any, and there
//!   is none on the right. 5 takes white space up to its last line end, and the white space ends at
//!   the cut.
//!
//! Beyond that, none of these pieces depends on what is to the right of the cut, nor does a piece
//! before them. ∎
//!
//! Merging never crosses pieces, so counts and ids of the parts add up to those of the whole.

use crate::unicode::classes::{CLASS, LETTER, NUMBER, SPACE, UNSTABLE, class_at, class_before};

/// Whether a text that Qwen's pattern splits may be cut at `at`, which is inside the text.
#[inline]
pub(crate) fn is_cut(text: &[u8], at: usize) -> bool {
    if text[at] & 0xc0 == 0x80 {
        return false; // inside a character
    }
    let right = class_at(text, at).0;
    if right & UNSTABLE != 0 {
        return false;
    }
    if text[at - 1] == b'\n' {
        return right & CLASS != SPACE;
    }
    if right & CLASS == LETTER {
        return false;
    }
    let class = class_before(text, at);
    class & UNSTABLE == 0 && matches!(class & CLASS, LETTER | NUMBER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::scan::piece_end;
    use unicode_normalization::UnicodeNormalization;

    fn pieces(text: &str) -> Vec<String> {
        let text: String = text.nfc().collect();
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = piece_end(text.as_bytes(), at);
            pieces.push(text[at..end].to_owned());
            at = end;
        }
        pieces
    }

    #[test]
    fn every_cut_of_every_short_text_keeps_the_pieces() {
        let alphabet = [
            'a', 's', '\u{301}', '\u{e9}', '\u{4e2d}', '1', '\u{bd}', ' ', '\n', '\r', '\t', '\'',
            '.', '=', '\u{338}', '\u{3000}', '\u{2028}', '\u{ac00}', '\u{11a8}',
        ];
        let n = alphabet.len();
        let mut cuts = 0;
        for code in 0..n.pow(5) {
            let text: String = (0..5).map(|i| alphabet[code / n.pow(i) % n]).collect();
            let whole = pieces(&text);
            for at in (1..text.len()).filter(|at| is_cut(text.as_bytes(), *at)) {
                let mut apart = pieces(&text[..at]);
                apart.extend(pieces(&text[at..]));
                assert_eq!(apart, whole, "{text:?} at {at}");
                cuts += 1;
            }
        }
        assert!(cuts > 1_000_000, "{cuts}");
    }
}
