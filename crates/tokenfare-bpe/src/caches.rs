//! What is known of pieces that were met before, by length and by what is known: counts or ids.

pub(crate) mod hot_cache;
pub(crate) mod id_cache;
pub(crate) mod long_cache;
pub(crate) mod middle_cache;
pub(crate) mod short_cache;
pub(crate) mod wide_cache;
