//! Byte-pair merging: of one piece, of many pieces at once, of long pieces, and where a piece can
//! be divided before it is merged.

pub(crate) mod adjacent;
pub(crate) mod interleaved;
pub(crate) mod joints;
pub(crate) mod long;
pub(crate) mod merge;
pub(crate) mod pending;
pub(crate) mod piece;
pub(crate) mod runs;
