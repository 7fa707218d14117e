//! What a thread knows of pieces that it has met before: their counts or their ids. There is one
//! cache for each range of lengths.

pub(crate) mod front;
pub(crate) mod hot_cache;
pub(crate) mod id_cache;
pub(crate) mod long_cache;
pub(crate) mod middle_cache;
pub(crate) mod short_cache;
pub(crate) mod wide_cache;
