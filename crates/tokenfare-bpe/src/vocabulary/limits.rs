//! How large a vocabulary may be.

/// Tokens of one byte: each byte is one.
pub(crate) const SINGLES: usize = 256;

/// All ids are below this, so that tables indexed by id stay small; 300,000 is already a large id.
pub(crate) const MAX_ID: u32 = 1 << 20;

/// Longest token, in bytes. The longest known is 128; the bound limits the time that reading takes.
pub(crate) const LONGEST_TOKEN: usize = 1024;

/// Most bytes of all tokens together; 1 to 2 MB are usual.
pub(crate) const MOST_BYTES: usize = 1 << 25;
