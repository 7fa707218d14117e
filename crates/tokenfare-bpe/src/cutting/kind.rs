//! What kinds of boundaries a text has.

/// The kinds of boundaries, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// After two or more blank lines, or before a heading.
    Section,
    /// After a blank line, if the next line is not indented.
    Paragraph,
    /// The same, if the next line is indented by one step.
    InnerParagraph,
    /// The same, if the next line is indented by more; and after what looks like a title.
    DeepParagraph,
    /// After a line, if the next one is not indented.
    Line,
    /// The same, if the next line is indented by one step; and a blank line within a fence.
    InnerLine,
    /// The same, if the next line is indented by more; and any line within a fence.
    DeepLine,
    Sentence,
    /// After a line that continues in the next one, or belongs to it.
    BrokenLine,
    Clause,
    Word,
}
