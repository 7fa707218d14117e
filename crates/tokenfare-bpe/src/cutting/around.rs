//! The text around a place, as far as it is looked at.

/// How many bytes around a boundary are looked at. The limit keeps a text that is one line, or one
/// run of spaces, as cheap as any other.
const LOOK: usize = 256;

/// The text before `at`, as far as it is looked at.
pub(crate) fn before(text: &str, at: usize) -> &str {
    let mut from = at.saturating_sub(LOOK);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..at]
}

/// The text after `at`, as far as it is looked at.
pub(crate) fn behind(text: &str, at: usize) -> &str {
    let mut to = text.len().min(at + LOOK);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    &text[at..to]
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
