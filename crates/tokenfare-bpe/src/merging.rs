//! Byte-pair merging: of one piece, of many at once, of long ones, and where a piece falls apart.

pub(crate) mod adjacent;
pub(crate) mod interleaved;
pub(crate) mod joints;
pub(crate) mod long;
pub(crate) mod merge;
pub(crate) mod pending;
pub(crate) mod piece;
pub(crate) mod runs;
