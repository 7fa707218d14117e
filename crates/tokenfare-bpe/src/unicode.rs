//! What Unicode defines: classes of characters, and NFC.

pub(crate) mod classes;
pub(crate) mod mark_runs;
pub(crate) mod nfc;
