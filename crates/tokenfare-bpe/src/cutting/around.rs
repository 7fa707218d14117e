//! The text around a place, as far as it is looked at.

/// How many bytes around a boundary are looked at. The limit keeps a text that is one line, or one
/// run of spaces, as cheap as any other.
const LOOK: usize = 256;

/// The text before `at`, as far as it is looked at.
pub(crate) fn before(text: &str, at: usize) -> &str {
    &text[text.ceil_char_boundary(at.saturating_sub(LOOK))..at]
}

/// The text after `at`, as far as it is looked at.
pub(crate) fn behind(text: &str, at: usize) -> &str {
    &text[at..text.floor_char_boundary(at + LOOK)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_at_is_whole_characters() {
        let text = "é".repeat(LOOK);
        assert_eq!(before(&text, text.len()), "é".repeat(LOOK / 2));
        assert_eq!(before(&format!("{text}a"), text.len() + 1).len(), LOOK - 1);
        assert_eq!(behind(&format!("a{text}"), 0).len(), LOOK - 1);
        assert_eq!((before("abc", 2), behind("abc", 2)), ("ab", "c"));
    }
}
