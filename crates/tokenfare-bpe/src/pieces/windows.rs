//! Splitting 64 bytes at a time: the starts of pieces as the bits of a word.
//!
//! The plain way is in `scan` and `patterns`, which read a text piece by piece. Here the same
//! starts are computed by bit operations: `window` has what all patterns share, and `words`,
//! `cased` and `plain` have the algebra of each kind of pattern. A window begins where a piece
//! begins, and no pattern looks behind, so what precedes the window does not matter. Each window
//! also says how far its result is certain: up to its last start, where the next window begins, or
//! up to white space at its end, whose pieces depend on what follows.
//!
//! Where a window is certain of nothing, because a piece is longer or because of characters that
//! the algebra does not cover, the scanner reads instead.

mod both;
mod cased;
mod plain;
mod runs;
mod window;
mod words;

#[cfg(target_arch = "x86_64")]
use crate::machine::{has_avx2, has_avx512};
use crate::merging::joints::Joints;
pub(crate) use crate::pieces::masks::READ;
use crate::pieces::masks::{self, Masks, WINDOW};
use crate::pieces::splitting::{Pattern, Splitting};
use cased::Cased;
use plain::Plain;
use window::{Rules, Window};
use words::Words;

/// Pieces that are found before they are counted.
pub(crate) const BATCH: usize = 4096;

/// A piece longer than this many bytes is counted alone: places in a stretch have 32 bits.
const FAR: usize = 1 << 20;

/// A batch that covers this many bytes is full, however few pieces it has: those that are surely one
/// token are not listed in it, and a text may have no others.
const STRETCH: usize = 1 << 20;

/// Why no more pieces are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The batch is full.
    Full,
    /// Less than [`READ`] bytes are left.
    Tail,
    /// The next window is certain of nothing, and either the text may not be NFC, or the next piece
    /// is longer than [`FAR`].
    Long,
    /// The next window is not in NFC.
    Unstable,
}

/// Consecutive pieces, or segments of pieces, in a stretch of text.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Where the stretch begins in the text.
    base: usize,
    /// Where it ends, counted from `base` as all places are.
    end: usize,
    starts: Places,
    ends: Places,
    /// Pieces that are counted but not listed, each of them one token: those of a single byte, and
    /// characters of three bytes that are tokens.
    counted: usize,
}

impl Pieces {
    /// Drops all pieces, and begins a new stretch at `at`.
    pub(crate) fn begin(&mut self, at: usize) {
        (self.base, self.end) = (at, 0);
        (self.starts.count, self.ends.count, self.counted) = (0, 0, 0);
    }

    /// Drops the last piece, which has one byte.
    pub(crate) fn forget_last_byte(&mut self, all: bool) {
        if all {
            (self.starts.count, self.ends.count) = (self.starts.count - 1, self.ends.count - 1);
        } else {
            self.counted -= 1;
        }
        self.end -= 1;
    }

    /// Where the first piece starts in the text.
    pub(crate) fn start(&self) -> usize {
        self.base
    }

    /// Where the last piece ends in the text.
    pub(crate) fn end(&self) -> usize {
        self.base + self.end
    }

    /// How many pieces there are that are not listed. Each is one token.
    pub(crate) fn counted(&self) -> usize {
        self.counted
    }

    /// The rest of the text, from the start of the first piece on.
    pub(crate) fn stretch<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.base..]
    }

    /// Where each listed piece starts in the stretch, in order.
    pub(crate) fn starts(&self) -> &[u32] {
        self.starts.all()
    }

    /// Where each listed piece ends.
    pub(crate) fn ends(&self) -> &[u32] {
        self.ends.all()
    }

    /// Start and end of each listed piece.
    #[cfg(test)]
    fn bounds(&self) -> impl Iterator<Item = (u32, u32)> {
        self.starts().iter().copied().zip(self.ends().iter().copied())
    }

    fn is_full(&self) -> bool {
        self.ends.count >= BATCH || self.end >= STRETCH
    }

    /// Adds the pieces of a window, which begins at the end of the last piece.
    #[inline(always)]
    fn add<const ALL: bool>(
        &mut self,
        window: &Window,
        list: impl Fn(&mut [u32; WINDOW], u32, u64),
    ) {
        let end = 1 << window.certain;
        let ones = if ALL { 0 } else { window.starts & (window.starts | end) >> 1 };
        self.counted += (ones | window.tokens).count_ones() as usize;
        let starts = window.starts & !(ones | window.tokens);
        let ends = (window.starts & !1 | end) & !(ones << 1 | window.tokens << 3);
        self.starts.add(self.end as u32, starts, &list);
        self.ends.add(self.end as u32, ends, &list);
        self.end += window.certain;
    }

    /// Adds a piece that begins at the end of the last one.
    fn add_one<const ALL: bool>(&mut self, length: usize) {
        let end = self.end + length;
        if ALL || length > 1 {
            self.starts.add(self.end as u32, 1, list);
            self.ends.add(end as u32, 1, list);
        } else {
            self.counted += 1;
        }
        self.end = end;
    }

    /// Finds pieces from the end of the last one on, until the batch is full or something stops it.
    ///
    /// `text` is UTF-8. With `normal` it is known to be in the form in which it is split, and
    /// nothing is tested for NFC. Unless `ALL`, pieces that are surely one token are only counted.
    pub(crate) fn find<const ALL: bool>(
        &mut self,
        splitting: &Splitting,
        text: &[u8],
        joints: Option<&Joints>,
        normal: bool,
    ) -> Stop {
        let given = Given { splitting, joints, normal };
        match splitting.pattern {
            Pattern::Qwen => self.find_by::<Words<false, 1>, ALL>(text, given),
            Pattern::QwenMarks => self.find_by::<Words<true, 1>, ALL>(text, given),
            Pattern::Cl100k | Pattern::Llama3 => self.find_by::<Words<false, 3>, ALL>(text, given),
            Pattern::O200k => self.find_by::<Cased, ALL>(text, given),
            Pattern::Gpt2 => self.find_by::<Plain, ALL>(text, given),
        }
    }

    fn find_by<R: Rules, const ALL: bool>(&mut self, text: &[u8], given: Given<'_>) -> Stop {
        #[cfg(target_arch = "x86_64")]
        if has_avx512() {
            // SAFETY: the CPU has the features that the function was compiled for; it asks for
            // nothing else.
            return unsafe { self.find_with_avx512::<R, ALL>(text, given) };
        }
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            // SAFETY: the CPU has the features that the function was compiled for; it asks for
            // nothing else.
            return unsafe { self.find_with_avx2::<R, ALL>(text, given) };
        }
        self.find_with::<R, ALL>(text, given, masks::words::masks, list)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")]
    fn find_with_avx512<R: Rules, const ALL: bool>(
        &mut self,
        text: &[u8],
        given: Given<'_>,
    ) -> Stop {
        self.find_with::<R, ALL>(
            text,
            given,
            |bytes| masks::avx512::masks(bytes),
            |room, base, bits| masks::avx512::list(room, base, bits),
        )
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_with_avx2<R: Rules, const ALL: bool>(&mut self, text: &[u8], given: Given<'_>) -> Stop {
        self.find_with::<R, ALL>(text, given, |bytes| masks::avx2::masks(bytes), list)
    }

    #[inline(always)]
    fn find_with<R: Rules, const ALL: bool>(
        &mut self,
        text: &[u8],
        given: Given<'_>,
        masks: impl Fn(&[u8; READ]) -> Masks,
        list: impl Fn(&mut [u32; WINDOW], u32, u64),
    ) -> Stop {
        while !self.is_full() {
            let Some(bytes) = self.ahead(text) else { return Stop::Tail };
            let window = Window::new::<R, ALL>(bytes, masks(bytes), given.joints, given.normal);
            let Some(window) = window else { return Stop::Unstable };
            if window.certain > 0 {
                self.add::<ALL>(&window, &list);
            } else if let Err(stop) = self.read::<ALL>(text, given) {
                return stop;
            }
        }
        Stop::Full
    }

    /// The bytes that the window behind the last piece is made from, unless the end of the text is
    /// too near.
    #[inline(always)]
    fn ahead<'a>(&self, text: &'a [u8]) -> Option<&'a [u8; READ]> {
        text.get(self.end()..).and_then(|rest| rest.first_chunk())
    }

    /// Lets the scanner read the bytes of a window, or a little more.
    #[inline(never)]
    fn read<const ALL: bool>(&mut self, text: &[u8], given: Given<'_>) -> Result<(), Stop> {
        if !given.normal {
            return Err(Stop::Long); // the scanner does not see what NFC may change
        }
        let until = self.end() + WINDOW;
        while self.end() < until {
            let start = self.end();
            if text.len() - start < READ {
                return Err(Stop::Tail);
            }
            let length = given.splitting.piece_end(text, start) - start;
            if length > FAR {
                return Err(Stop::Long);
            }
            self.add_one::<ALL>(length);
        }
        Ok(())
    }
}

/// What the pieces of a text depend on.
#[derive(Clone, Copy)]
struct Given<'a> {
    splitting: &'a Splitting,
    /// Where pieces are divided; `None` if they are not.
    joints: Option<&'a Joints>,
    normal: bool,
}

/// Places in a text, or numbers of pieces, in order. Beyond [`BATCH`] there is room for those of a
/// window.
pub(crate) struct Places {
    all: Box<[u32; BATCH + 2 * WINDOW]>,
    count: usize,
}

impl Default for Places {
    fn default() -> Self {
        Places { all: Box::new([0; BATCH + 2 * WINDOW]), count: 0 }
    }
}

impl Places {
    pub(crate) fn all(&self) -> &[u32] {
        &self.all[..self.count]
    }

    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds `base + i` for the number `i` of each set bit; `list` writes them.
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        base: u32,
        bits: u64,
        list: impl Fn(&mut [u32; WINDOW], u32, u64),
    ) {
        if let Some(room) = self.all[self.count..].first_chunk_mut() {
            list(room, base, bits);
            self.count += bits.count_ones() as usize;
        }
    }
}

/// Writes `base + i` for the number `i` of each set bit, in order. The places of `room` after those
/// may change too.
#[inline(always)]
pub(crate) fn list(room: &mut [u32; WINDOW], base: u32, bits: u64) {
    let mut rest = bits;
    let (eights, _) = room.as_chunks_mut::<8>();
    // Eight at a time, whether needed or not: the number of bits cannot be predicted.
    for eight in eights.iter_mut().take(bits.count_ones().div_ceil(8) as usize) {
        for place in eight {
            *place = base + rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
