//! What tests have in common.

use std::cell::Cell;
use std::rc::Rc;

use crate::interrupts::interruptible;
use crate::pieces::splitting::{Normalization, Pattern};
use crate::vocabulary::compact::to_compact;
use crate::vocabulary::ranks::Merging;

/// Qwen's vocabulary in the compact form.
pub(crate) const DATA: &[u8] = include_bytes!("../../../src/tokenfare/tokenizers/data/qwen.bpe");

/// A small vocabulary in the compact form: the single bytes, and `more` behind them. Ids are ranks.
pub(crate) fn small(
    more: &[&[u8]],
    merging: Merging<'_>,
    pattern: Pattern,
    normalization: Normalization,
) -> Vec<u8> {
    let bytes: Vec<[u8; 1]> = (0..=u8::MAX).map(|byte| [byte]).collect();
    let singles = bytes.iter().map(|byte| &byte[..]);
    let tokens: Vec<(&[u8], u32)> = singles.chain(more.iter().copied()).zip(0..).collect();
    to_compact(&tokens, merging, pattern, normalization).unwrap()
}

/// Numbers below `sides`, the same on every machine. The low bits of a linear congruence, which
/// repeat soon, are left out.
pub(crate) fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |sides| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % sides
    }
}

/// How often `work` asks whether to go on.
pub(crate) fn questions(work: impl FnOnce()) -> usize {
    let asked = Rc::new(Cell::new(0));
    let noted = Rc::clone(&asked);
    let go_on = move || {
        noted.set(noted.get() + 1);
        true
    };
    interruptible(go_on, work).unwrap();
    asked.get()
}
