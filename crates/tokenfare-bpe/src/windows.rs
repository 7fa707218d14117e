//! The split pattern 64 bytes at a time: where pieces start, as the bits of a word.
//!
//! `scan` has the pattern and reads it piece by piece; this finds the same starts by bit algebra.
//! A window begins where a piece begins, and the pattern never looks behind, so what stands before
//! the window does not matter. A window says how far it is certain: up to its last start, where the
//! next window begins; or up to the white space at its end, which ends in a way that depends on
//! what follows.
//!
//! # The algebra
//!
//! Every byte of a character carries its class. With `L` letters, `N` numbers, `S` white space, `R`
//! line ends, `O` the rest, `x << 1` "after x" and `x >> 1` "before x":
//!
//! - A number starts a piece, always (alternative 3).
//! - A run of `O` starts one unless a space stands before it, which then takes the run (4).
//! - Line ends behind a run of `O` belong to it (4). Adding the first of them to `R` carries
//!   through exactly those runs.
//! - Of the white space that is left, a run starts a piece with its first character; behind its
//!   last line end (5); and with its last character if text follows (6), which is no line end.
//! - A run of `L` starts one (2) unless the character before it does so for it: white space that is
//!   no line end, or a run of `O` of a single character that starts a piece.
//! - Behind a contraction (1) the letters that go on start a piece.
//!
//! Between two letters of three bytes that no token reaches across (see `joints`) a start is added:
//! the count is the same, the segments are short. The pattern splits the rest of a run of letters
//! as it splits the run, so a window may begin there too.

use crate::classes::{CLASS, LETTER, NUMBER, SPACE, UNSTABLE, class_at};
use crate::joints::Joints;
#[cfg(target_arch = "x86_64")]
use crate::machine::has_avx2;
pub(crate) use crate::masks::READ;
use crate::masks::{self, Masks, WINDOW};
use crate::scan::contraction;

/// Pieces that are found before they are counted.
pub(crate) const BATCH: usize = 1024;

/// Why pieces are no longer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The batch is full.
    Full,
    /// Less than [`READ`] bytes are left.
    Tail,
    /// The next piece does not end in a window.
    Long,
    /// The next window holds a character that NFC may change.
    Unstable,
}

/// Consecutive pieces, or segments of pieces, in a stretch of a text.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Where the stretch begins.
    base: usize,
    /// Where it ends, counted from its beginning as all places are.
    end: usize,
    starts: Places,
    ends: Places,
    /// Pieces of a single byte that are only counted.
    ones: usize,
}

impl Pieces {
    /// Forgets all, and begins anew at `at`.
    pub(crate) fn begin(&mut self, at: usize) {
        (self.base, self.end) = (at, 0);
        (self.starts.count, self.ends.count, self.ones) = (0, 0, 0);
    }

    /// Where the last piece ends in the text.
    pub(crate) fn end(&self) -> usize {
        self.base + self.end
    }

    /// How many pieces of one byte there are that are not among the bounds.
    pub(crate) fn ones(&self) -> usize {
        self.ones
    }

    /// The rest of the text from the beginning of the first piece on.
    pub(crate) fn stretch<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.base..]
    }

    /// Start and end of each other piece in the stretch, in order.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (u32, u32)> {
        self.starts.all().iter().copied().zip(self.ends.all().iter().copied())
    }

    /// Adds the pieces of a window that begins at the end of the last one.
    #[inline(always)]
    fn add<const ALL: bool>(&mut self, window: &Window) {
        let end = 1 << window.certain;
        let ones = if ALL { 0 } else { window.starts & (window.starts | end) >> 1 };
        self.ones += ones.count_ones() as usize;
        self.starts.add(self.end as u32, window.starts & !ones);
        self.ends.add(self.end as u32, (window.starts & !1 | end) & !(ones << 1));
        self.end += window.certain;
    }

    /// Finds pieces from the end of the last one on, until the batch is full or something stops it.
    ///
    /// `text` is UTF-8. With `normal`, all of it is known to be NFC.
    ///
    /// Pieces of one byte are only counted, but with `ALL`.
    pub(crate) fn find<const ALL: bool>(
        &mut self,
        text: &[u8],
        joints: &Joints,
        normal: bool,
    ) -> Stop {
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the machine has what the function was compiled for, and that is all it asks.
            return unsafe { self.find_with_avx2::<ALL>(text, joints, normal) };
        }
        self.find_with::<ALL>(text, joints, normal, masks::words)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_with_avx2<const ALL: bool>(
        &mut self,
        text: &[u8],
        joints: &Joints,
        normal: bool,
    ) -> Stop {
        self.find_with::<ALL>(text, joints, normal, |bytes| masks::avx2(bytes))
    }

    #[inline(always)]
    fn find_with<const ALL: bool>(
        &mut self,
        text: &[u8],
        joints: &Joints,
        normal: bool,
        masks: impl Fn(&[u8; READ]) -> Masks,
    ) -> Stop {
        while self.ends.count < BATCH {
            let Some(bytes) = text.get(self.end()..).and_then(|rest| rest.first_chunk::<READ>())
            else {
                return Stop::Tail;
            };
            let window = Window::new(bytes, masks(bytes), joints, normal);
            let Some(window) = window else { return Stop::Unstable };
            if window.certain == 0 {
                return Stop::Long;
            }
            self.add::<ALL>(&window);
        }
        Stop::Full
    }
}

/// Places in a text, in order; there is room for those of a window beyond [`BATCH`].
struct Places {
    all: Box<[u32; BATCH + 2 * WINDOW]>,
    count: usize,
}

impl Default for Places {
    fn default() -> Self {
        Places { all: Box::new([0; BATCH + 2 * WINDOW]), count: 0 }
    }
}

impl Places {
    fn all(&self) -> &[u32] {
        &self.all[..self.count]
    }

    /// Adds `base` and the number of each bit.
    #[inline(always)]
    fn add(&mut self, base: u32, bits: u64) {
        let count = bits.count_ones() as usize;
        let mut rest = bits;
        let mut at = self.count;
        // Eight at a time, needed or not: the number of bits cannot be predicted.
        for _ in 0..count.div_ceil(8) {
            let Some(places) = self.all[at..].first_chunk_mut::<8>() else { return };
            for place in places {
                *place = base + rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
            }
            at += 8;
        }
        self.count += count;
    }
}

/// The starts of pieces in a window, below `certain`, which is a start itself.
struct Window {
    starts: u64,
    certain: usize,
}

impl Window {
    /// `None` if a character is in the window that NFC may change, unless that is `normal`.
    #[inline(always)]
    fn new(bytes: &[u8; READ], mut m: Masks, joints: &Joints, normal: bool) -> Option<Self> {
        let (starts, white) = if m.high == 0 {
            split(&m, Beyond::default(), bytes)
        } else {
            let beyond = Beyond::new(bytes, &mut m);
            if beyond.unstable && !normal {
                return None;
            }
            let (starts, white) = split(&m, beyond, bytes);
            (starts | falls_apart(&m, starts, bytes, joints), white)
        };
        // White space that reaches the end of the window is open, from its first character on.
        let last = if white >> (WINDOW - 1) == 0 { starts } else { white & !(white << 1) };
        let certain = last.ilog2() as usize;
        Some(Window { starts: starts & ((1 << certain) - 1), certain })
    }
}

/// What the characters beyond ASCII add to the masks.
#[derive(Clone, Copy, Default)]
struct Beyond {
    number: u64,
    /// NFC may change one of them.
    unstable: bool,
}

impl Beyond {
    /// Looks up each character that is not plain; letters and white space are added to `m`.
    #[inline(always)]
    fn new(bytes: &[u8; READ], m: &mut Masks) -> Self {
        m.letter |= m.plain | m.plain << 1 | (m.plain & m.three) << 2;
        let mut number = 0;
        let mut seen = 0;
        let mut rest = m.high & !m.inner & !m.plain;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            let (class, length) = class_at(bytes, at);
            seen |= class;
            let all = ((1 << length) - 1) << at;
            let class = class & CLASS;
            m.letter |= if class == LETTER { all } else { 0 };
            m.white |= if class == SPACE { all } else { 0 };
            number |= if class == NUMBER { all } else { 0 };
            rest &= rest - 1;
        }
        Beyond { number, unstable: seen & UNSTABLE != 0 }
    }
}

/// The starts of all pieces, and the white space that no punctuation has taken.
#[inline(always)]
fn split(m: &Masks, beyond: Beyond, bytes: &[u8; READ]) -> (u64, u64) {
    let number = m.digit | beyond.number;
    let inner = m.inner;
    let other = !(m.letter | number | m.white);

    let run = other & !(other << 1) & !(m.space << 1);
    let mut alone = run;
    if inner != 0 {
        // The last byte of the character that starts the run.
        for _ in 0..3 {
            alone |= alone << 1 & inner;
        }
        alone &= !(inner >> 1);
    }
    let prefix = alone & !(other >> 1) | m.white & !m.line_end;
    let word = m.letter & !inner & !((m.letter | prefix) << 1);

    let taken = m.line_end & !m.line_end.wrapping_add(m.line_end & other << 1);
    let white = m.white & !taken;
    let mut last = white & !m.line_end & !(m.white >> 1);
    if last & inner != 0 {
        for _ in 0..3 {
            last = last & !inner | (last & inner) >> 1;
        }
    }
    let starts = 1
        | run
        | word
        | number & !inner
        | white & !(white << 1)
        | last
        | behind_last_line_end(white, m.line_end);
    (starts | behind_contractions(m, run, inner, bytes), white)
}

/// The first character behind the last line end of each run of white space, where there is one.
#[inline(always)]
fn behind_last_line_end(white: u64, line_end: u64) -> u64 {
    let blank = white & !line_end;
    let mut behind = blank & (line_end & white) << 1;
    // The carry goes through the blanks behind a line end; what it stops at may be another.
    if blank.wrapping_add(behind) & line_end & white != 0 {
        let mut rest = behind;
        while rest != 0 {
            let at = rest.trailing_zeros();
            let stop = at + (!(blank >> at)).trailing_zeros();
            if stop < WINDOW as u32 && line_end & white & 1 << stop != 0 {
                behind &= !(1 << at);
            }
            rest &= rest - 1;
        }
    }
    behind
}

/// Letters that go on behind a contraction; the apostrophe starts its run.
#[inline(always)]
fn behind_contractions(m: &Masks, run: u64, inner: u64, bytes: &[u8; READ]) -> u64 {
    let mut rest = m.apostrophe & run & m.letter >> 1;
    let mut behind = 0;
    while rest != 0 {
        let at = rest.trailing_zeros() as usize;
        if let Some(length) = contraction(&bytes[at + 1..]) {
            behind |= (2u64 << at) << length;
        }
        rest &= rest - 1;
    }
    behind & m.letter & !inner
}

/// Starts of letters of three bytes behind a character of three bytes, where no token reaches
/// across.
#[inline(always)]
fn falls_apart(m: &Masks, starts: u64, bytes: &[u8; READ], joints: &Joints) -> u64 {
    let mut rest = m.three & m.letter & m.three << 3 & !starts;
    let mut apart = 0;
    while rest != 0 {
        let at = rest.trailing_zeros() as usize;
        apart |= u64::from(!joints.may_hold(bytes, at)) << at;
        rest &= rest - 1;
    }
    apart
}

#[cfg(test)]
mod tests;
