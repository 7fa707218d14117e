//! The pieces of a text, as a vocabulary's pattern splits it: one at a time, 64 bytes at a time,
//! and the places where a text may be cut because no piece reaches across.

pub(crate) mod cut_search;
pub(crate) mod cuts;
pub(crate) mod masks;
pub(crate) mod patterns;
pub(crate) mod scan;
pub(crate) mod splitting;
pub(crate) mod traversal;
pub(crate) mod windows;
