//! One window: which class its characters have, and how far its starts are certain.

use crate::merging::joints::{Joints, length_of};
use crate::pieces::masks::{Masks, READ};
use crate::unicode::classes::{
    CLASS, LETTER, LOWER, MARK, NUMBER, SPACE, UNSTABLE, UPPER, class_at,
};

/// What windows need to know of a pattern.
pub(super) trait Rules {
    /// Whether marks are letters.
    const MARKS: bool;
    /// Whether letters have a case.
    const CASED: bool;

    /// The starts in a window that begins where a piece begins.
    fn split(m: &Masks, beyond: &Beyond, bytes: &[u8; READ]) -> Split;
}

/// What a pattern says of a window.
pub(super) struct Split {
    /// Where pieces start.
    pub(super) starts: u64,
    /// White space that no punctuation has taken.
    pub(super) white: u64,
    /// Letters from which on the pattern splits as if a piece started there.
    pub(super) anew: u64,
    /// What stands before the first character that it does not tell.
    pub(super) known: u64,
}

/// The starts of pieces in a window, below `certain`, which is a start itself.
pub(super) struct Window {
    pub(super) starts: u64,
    pub(super) certain: usize,
}

impl Window {
    /// `None` if a character is in the window that NFC may change, unless that is `normal`.
    #[inline(always)]
    pub(super) fn new<R: Rules>(
        bytes: &[u8; READ],
        mut m: Masks,
        joints: &Joints,
        normal: bool,
    ) -> Option<Self> {
        if m.high == 0 {
            return Some(Self::of(&R::split(&m, &Beyond::default(), bytes), 0));
        }
        let beyond = Beyond::new::<R>(bytes, &mut m);
        if beyond.unstable && !normal {
            return None;
        }
        let split = R::split(&m, &beyond, bytes);
        // Letters inside pieces before which no token reaches across: the count is the same, the segments are
        // short.
        let inside = m.letter & !split.starts;
        let behind_three = m.three & m.three << 3 & inside;
        let (plain, ascii) = (m.plain & m.three, !m.high);
        let beside_ascii = (plain & (ascii & !m.white) << 1 | ascii & plain << 3) & inside;
        let apart =
            joints.apart(bytes, behind_three >> 3) | joints.apart_beside_ascii(beside_ascii);
        let settled = if normal { u64::MAX } else { !may_join(bytes, m.inner) };
        Some(Self::of(&split, apart & settled))
    }

    /// Starts of pieces, and those `apart` at which pieces fall apart.
    #[inline(always)]
    fn of(split: &Split, apart: u64) -> Self {
        // White space that reaches the end of the window is open, from its first character on.
        let open = split.white.leading_ones();
        let closed = u64::MAX >> open.saturating_sub(1);
        let last = (split.starts | apart & split.anew) & split.known & closed;
        let certain = (last | 1).ilog2() as usize;
        Window { starts: (split.starts | apart) & ((1 << certain) - 1), certain }
    }
}

/// The last character of a window if NFC may join to it what stands behind the window: the joint before it is
/// not yet the one that tokens stand across or not. Pieces start where they did, since it stays in its class.
#[inline(always)]
fn may_join(bytes: &[u8; READ], inner: u64) -> u64 {
    let last = (!inner | 1).ilog2() as usize;
    let (class, _) = class_at(bytes, last + length_of(bytes[last]));
    u64::from(class & UNSTABLE != 0) << last
}

/// What the characters beyond ASCII add to the masks.
#[derive(Clone, Copy, Default)]
pub(super) struct Beyond {
    pub(super) number: u64,
    /// Marks, unless they are letters.
    pub(super) mark: u64,
    pub(super) upper: u64,
    pub(super) lower: u64,
    /// NFC may change one of them.
    unstable: bool,
}

impl Beyond {
    /// Looks up each character that is not plain; letters and white space are added to `m`.
    #[inline(always)]
    fn new<R: Rules>(bytes: &[u8; READ], m: &mut Masks) -> Self {
        // Of the plain ones, those of two bytes may have a case.
        let plain = if R::CASED { m.plain & m.three } else { m.plain };
        m.letter |= plain | plain << 1 | (plain & m.three) << 2;
        let mut beyond = Beyond::default();
        let mut seen = 0;
        let mut rest = m.high & !m.inner & !plain;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            let (class, length) = class_at(bytes, at);
            seen |= class;
            let all = ((1 << length) - 1) << at;
            let if_set = |bits: u8| if class & bits != 0 { all } else { 0 };
            let if_is = |kind: u8| if class & CLASS == kind { all } else { 0 };
            m.letter |= if_is(LETTER);
            m.white |= if_is(SPACE);
            beyond.number |= if_is(NUMBER);
            if R::MARKS {
                m.letter |= if_set(MARK);
            }
            if R::CASED {
                beyond.mark |= if_set(MARK);
                beyond.upper |= if_set(UPPER);
                beyond.lower |= if_set(LOWER);
            }
            rest &= rest - 1;
        }
        Beyond { unstable: seen & UNSTABLE != 0, ..beyond }
    }
}
