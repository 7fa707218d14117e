//! The forms of a text: as UTF-8 or as code points, whole or in parts, for one thread or several.

pub(crate) mod code_points;
pub(crate) mod sharing;
pub(crate) mod source;
pub(crate) mod stream;
