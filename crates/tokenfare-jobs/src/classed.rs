//! What is known of the requests of a job with a deadline.

/// Stands for what is not known.
pub(crate) const NONE: u32 = u32::MAX;

/// What is known of a request in a job with a deadline. [`NONE`] stands for what is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Classed {
    /// The outcome that it would have without the deadline.
    pub(crate) free: u32,
    pub(crate) class: u32,
    pub(crate) model: u32,
    pub(crate) carried: bool,
}

impl Default for Classed {
    fn default() -> Self {
        Classed { free: NONE, class: NONE, model: NONE, carried: false }
    }
}
