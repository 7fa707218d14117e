//! Where a text may be cut so that counts add up, for each of these patterns; see `cuts` for Qwen's
//! first and for what normalization asks.
//!
//! As there, it is enough that some piece ends at the cut, and ends there whether or not the text
//! goes on: no pattern looks behind, so what follows the cut is split as it would be alone. The
//! character on the right is ASCII, so it is no mark and joins to nothing.
//!
//! **Between a letter and an ASCII character that is no letter.** `words`: only 1 and 2 take a
//! letter, and all that they take after it are letters (or marks). `plain`: the same of its
//! contractions and ` ?\p{L}+`. `cased`: 1 and 2 may go on behind the letters with a contraction,
//! so the right side must not be an apostrophe. Then whatever pieces start among the letters (or
//! among the letters of a contraction), each takes letters and marks only, so one of them ends where
//! those end, which is the cut; where 1 gives characters back depends on these letters alone.
//!
//! **Between a number and an ASCII character that is no letter and no digit.** Only one alternative
//! takes a number, it takes numbers only, counted from the start of their run, and the run ends here.
//! (`plain`'s may start with a space before them, which changes nothing at the end.)
//!
//! **Between `\n` and an ASCII character that is no white space**, `words` and `cased`. The line end
//! is taken by 4, which takes as many as there are, or by 5, which goes up to the last line end of
//! the white space, or by T, if the text ends here: then 5 and T take the same. In `cased`, 4 also
//! takes slashes, so the right side must not be one. Not in `plain`: there `\s+(?!\S)` leaves the
//! `\n` alone if text follows, and takes it along if not. ∎

use crate::unicode::classes::{CLASS, LETTER, NUMBER, UNSTABLE, class_at};

/// What differs between the patterns.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// Whether a `\n` ends a piece whatever follows that is no white space.
    pub(crate) line_end: bool,
    /// Whether the right side may be an apostrophe or a slash.
    pub(crate) contractions_in_front: bool,
}

/// Whether the text may be cut at `at`, which is inside it. O(1).
#[inline]
pub(crate) fn is_cut(text: &[u8], at: usize, rule: Rule) -> bool {
    let right = text[at];
    if !right.is_ascii() || !rule.contractions_in_front && matches!(right, b'\'' | b'/') {
        return false;
    }
    if text[at - 1] == b'\n' {
        return rule.line_end && !matches!(right, b'\t'..=b'\r' | b' ');
    }
    if right.is_ascii_alphanumeric() {
        return false;
    }
    let mut start = at - 1;
    while text[start] & 0xc0 == 0x80 {
        start -= 1;
    }
    let class = class_at(text, start).0;
    class & UNSTABLE == 0 && matches!(class & CLASS, LETTER | NUMBER)
}
