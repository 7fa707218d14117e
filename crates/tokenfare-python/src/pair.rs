//! Spans as pairs of numbers, which is how Python has them.

use tokenfare_jobs::Span;

/// The two ends of a size; or a file and a line.
pub(crate) type Pair = (u64, u64);

pub(crate) fn pair(span: &Span) -> Pair {
    (span.low, span.high)
}

pub(crate) fn span((low, high): Pair) -> Span {
    Span { low, high }
}
