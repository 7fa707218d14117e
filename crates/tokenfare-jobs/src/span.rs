//! Numbers of tokens that are known up to their ends.

/// A number of tokens that is known up to its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The least.
    pub low: u64,
    /// The most.
    pub high: u64,
}
