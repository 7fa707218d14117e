//! What can be wrong with a vocabulary, in the compact form or as a list of tokens.

use std::fmt;

use crate::vocabulary::limits::{LONGEST_TOKEN, MAX_ID, MOST_BYTES, SINGLES};
use crate::vocabulary::pairs::MAX_TOKENS;

/// Why bytes are not a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VocabularyError {
    /// Not the compact form, or a version of it that this code does not know.
    Foreign,
    /// Cut short, or longer than its header says.
    Length {
        /// Bytes that the header asks for.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The checksum differs: the content was changed after it was written.
    Damaged,
    /// More tokens than ids have room for, or fewer than there are single bytes.
    Size(u64),
    /// A byte that is not the token of exactly one id.
    Byte(u8),
    /// A token that is made of itself, or of a token that does not exist.
    Order(u32),
    /// A token made of the same two tokens as another one.
    Repeated(u32),
    /// An empty token, or one that is too long.
    Token {
        /// Its id.
        id: u32,
        /// Its bytes.
        length: usize,
    },
    /// Two ids with the same bytes.
    Twice {
        /// The id that came first.
        first: u32,
        /// The other.
        second: u32,
    },
    /// An id given to two tokens.
    Id(u32),
    /// An id that is too large.
    Beyond(u32),
    /// More bytes in all tokens together than a vocabulary may have.
    Bytes(usize),
    /// A merge of tokens that do not exist, or into a token that does not.
    Merge {
        /// Its place in the list, from 0.
        place: usize,
    },
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "not a compact vocabulary of version 1 or 2"),
            Self::Length { expected, found } => {
                write!(f, "{found} bytes where the header asks for {expected}")
            }
            Self::Damaged => write!(f, "the checksum does not match the content"),
            Self::Size(tokens) => {
                write!(f, "{tokens} tokens; from {SINGLES} to {} are possible", MAX_TOKENS - 1)
            }
            Self::Byte(byte) => write!(f, "byte {byte:#04x} is not the token of exactly one id"),
            Self::Order(id) => write!(f, "token {id} is made of itself or of no token"),
            Self::Repeated(id) => write!(f, "token {id} is made of the same two tokens as another"),
            Self::Token { id, length } => {
                write!(f, "token {id} has {length} bytes; 1 to {LONGEST_TOKEN} are possible")
            }
            Self::Twice { first, second } => {
                write!(f, "the tokens {first} and {second} have the same bytes")
            }
            Self::Id(id) => write!(f, "the id {id} has two tokens"),
            Self::Beyond(id) => write!(f, "the id {id}; ids below {MAX_ID} are possible"),
            Self::Bytes(bytes) => {
                write!(f, "all tokens have {bytes} bytes; {MOST_BYTES} are possible")
            }
            Self::Merge { place } => {
                write!(f, "merge {place} (from 0) is of tokens that there are not, or into one")
            }
        }
    }
}

impl std::error::Error for VocabularyError {}
