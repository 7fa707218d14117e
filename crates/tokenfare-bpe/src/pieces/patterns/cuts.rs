//! Where a text may be cut so that counts add up, for each pattern of this folder. See `cuts` for
//! Qwen's first pattern and for what normalization requires.
//!
//! As there, it is enough that some piece ends at the cut, and that it ends there whether or not
//! the text goes on: no pattern looks behind, so what follows the cut is split as it would be
//! alone. Here the character on the right is ASCII, so it is not a mark and joins nothing before
//! it. NFC may join a mark to it (`e` becomes `é`, `=` becomes `≠`); a letter then stays a letter,
//! and no other character becomes a letter, a digit or white space.
//!
//! **Between a letter and an ASCII character that is not alphanumeric.**
//!
//! - `words`: only alternatives 1 and 2 take a letter, and after it they take letters (or marks)
//!   only.
//! - `plain`: the same holds for its contractions and ` ?\p{L}+`.
//! - `cased`: 1 and 2 may go on after the letters with a contraction, so the right side must not be
//!   an apostrophe. Then every piece that starts among the letters, or among the letters of a
//!   contraction, takes letters and marks only, so one of them ends where the letters end, which is
//!   the cut. Where 1 gives characters back depends on these letters alone.
//!
//! **Between a number and an ASCII character that is not alphanumeric.** Only one alternative takes
//! a number. It takes numbers only, counted from the start of their run, and the run ends here.
//! (`plain` may take a space before them, which does not change the end.)
//!
//! **Between `\n` and an ASCII character that is not white space**, in `words` and `cased`. The
//! line end is taken by 4, which takes as many as there are; by 5, which goes up to the last line
//! end of the white space; or by T, if the text ends here, and then T takes what 5 would take. In
//! `cased`, 4 also takes slashes, so the right side must not be one. In `plain` this is no cut:
//! there `\s+(?!\S)` leaves the `\n` alone if text follows, and includes it if not. ∎

use crate::unicode::classes::{CLASS, LETTER, NUMBER, UNSTABLE, class_before};

/// What differs between the patterns.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// Whether a piece ends after `\n`, whatever follows that is not white space.
    pub(crate) line_end: bool,
    /// Whether the right side may be an apostrophe or a slash.
    pub(crate) before_quote_or_slash: bool,
}

/// Whether the text may be cut at `at`, which is inside it. O(1).
#[inline]
pub(crate) fn is_cut(text: &[u8], at: usize, rule: Rule) -> bool {
    let right = text[at];
    if !right.is_ascii() || !rule.before_quote_or_slash && matches!(right, b'\'' | b'/') {
        return false;
    }
    if text[at - 1] == b'\n' {
        return rule.line_end && !matches!(right, b'\t'..=b'\r' | b' ');
    }
    if right.is_ascii_alphanumeric() {
        return false;
    }
    let class = class_before(text, at);
    class & UNSTABLE == 0 && matches!(class & CLASS, LETTER | NUMBER)
}
