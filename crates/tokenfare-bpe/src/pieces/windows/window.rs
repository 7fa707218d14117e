//! One window: the classes of its characters, and how far its starts are certain.

use crate::merging::joints::Joints;
use crate::pieces::masks::{Masks, READ};
use crate::unicode::classes::{
    CLASS, LETTER, LOWER, MARK, NUMBER, SPACE, STAYS, UNSTABLE, UPPER, class_at, length_of,
};
use crate::unicode::nfc::is_nfc;

/// What a window needs to know of a pattern.
pub(super) trait Rules {
    /// Whether marks are letters.
    const MARKS: bool;
    /// Whether letters have a case.
    const CASED: bool;

    /// The starts in a window that begins where a piece begins.
    fn split(m: &Masks, beyond: &Beyond, bytes: &[u8; READ]) -> Split;
}

/// What a pattern says about a window.
pub(super) struct Split {
    /// Where pieces start.
    pub(super) starts: u64,
    /// White space that does not belong to the punctuation before it.
    pub(super) white: u64,
    /// Letters at which a window may begin although no piece does: from there on, the pattern
    /// splits the text as if a piece started there.
    pub(super) anew: u64,
    /// The bytes before the first character that the pattern's algebra does not cover.
    pub(super) known: u64,
}

/// The starts of pieces before `certain`, which is a start itself.
pub(super) struct Window {
    pub(super) starts: u64,
    pub(super) certain: usize,
    /// Those of `starts` whose piece is a character of three bytes that is one token. None, if they
    /// were not asked for.
    pub(super) tokens: u64,
}

impl Window {
    /// `None` if the window is not in NFC, unless the text is known to be `normal`. With `ALL`, no
    /// pieces are told apart.
    #[inline(always)]
    pub(super) fn new<R: Rules, const ALL: bool>(
        bytes: &[u8; READ],
        mut m: Masks,
        joints: Option<&Joints>,
        normal: bool,
    ) -> Option<Self> {
        if m.high == 0 {
            return Some(Self::of(&R::split(&m, &Beyond::default(), bytes), 0));
        }
        let beyond = Beyond::new::<R>(bytes, &mut m);
        let unstable = match beyond.unstable && !normal {
            true => Unstable::in_nfc(bytes, m.high & !m.inner & !m.plain)?,
            false => Unstable { all: 0, open: 0 },
        };
        let mut split = R::split(&m, &beyond, bytes);
        split.known &= !unstable.open;
        // Letters inside pieces before which no token reaches across. Divided there, a piece has
        // the same count, and its segments are short.
        let inside = m.letter & !split.starts;
        let behind_three = m.three & m.three << 3 & inside;
        let (plain, ascii) = (m.plain & m.three, !m.high);
        let beside_ascii = (plain & (ascii & !m.white) << 1 | ascii & plain << 3) & inside;
        let apart = joints.map_or(0, |joints| {
            joints.apart(bytes, behind_three >> 3) | joints.apart_beside_ascii(beside_ascii)
        });
        let settled = if normal { u64::MAX } else { !may_join(bytes, m.inner | unstable.all) };
        let window = Self::of(&split, apart & settled);
        let tokens = joints.filter(|_| !ALL).map_or(0, |joints| {
            let bounds = window.starts | 1 << window.certain;
            joints.tokens(bytes, window.starts & m.three & bounds >> 3)
        });
        Some(Window { tokens, ..window })
    }

    /// Combines the starts of pieces with `apart`, the places at which pieces are divided.
    #[inline(always)]
    fn of(split: &Split, apart: u64) -> Self {
        // White space that reaches the end of the window is not settled beyond its first character.
        let open = split.white.leading_ones();
        let closed = u64::MAX >> open.saturating_sub(1);
        let last = (split.starts | apart & split.anew) & split.known & closed;
        let certain = (last | 1).ilog2() as usize;
        Window { starts: (split.starts | apart) & ((1 << certain) - 1), certain, tokens: 0 }
    }
}

/// Characters that NFC may change, but does not.
struct Unstable {
    /// All their bytes.
    all: u64,
    /// Those of them that reach the end of the window, up to which there is no stable character.
    /// More may follow, which NFC may put before them or join to what precedes them, so no window
    /// begins among them.
    open: u64,
}

impl Unstable {
    /// `None` if NFC changes one of the characters in the window. The unstable ones are among those
    /// that start at `starts`.
    ///
    /// Such a character often stays whatever it is behind, if that is stable ([`STAYS`]). The
    /// others are judged together with those around them, from the stable character before to the
    /// next.
    #[inline(never)]
    fn in_nfc(bytes: &[u8; READ], starts: u64) -> Option<Self> {
        let (mut all, mut doubtful) = (0, 0);
        let mut rest = starts;
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            let (class, length) = class_at(bytes, at);
            if class & UNSTABLE != 0 {
                let behind_another = all << 1 >> at & 1 != 0;
                doubtful |= u64::from(behind_another || class & STAYS == 0) << at;
                all |= ((1 << length) - 1) << at;
            }
            rest &= rest - 1;
        }
        while doubtful != 0 {
            let at = doubtful.trailing_zeros();
            let (before, from) = (!all & !(u64::MAX << at), !all & u64::MAX << at);
            let last_before = (before | 1).ilog2() as usize;
            let next = from.trailing_zeros();
            if !is_nfc(characters(bytes, last_before, next as usize)?) {
                return None;
            }
            // All up to the next stable character are judged.
            doubtful = doubtful.checked_shr(next).map_or(0, |rest| rest << next);
        }
        Some(Unstable { all, open: !(u64::MAX >> all.leading_ones().min(63)) })
    }
}

/// The characters that begin in the window and of which a byte lies in `start..end`.
fn characters(bytes: &[u8; READ], mut start: usize, mut end: usize) -> Option<&str> {
    let is_inner = |at: usize| bytes[at] & 0xc0 == 0x80;
    while start > 0 && is_inner(start) {
        start -= 1;
    }
    while end < READ && is_inner(end) {
        end += 1;
    }
    std::str::from_utf8(&bytes[start..end]).ok()
}

/// A bit at the last stable character of the window if NFC may join the character after it to it.
/// Then the joint before it cannot be judged yet. The starts of pieces can: a joined character
/// stays in its class. `behind` are the bytes that are not the first one of a stable character.
#[inline(always)]
fn may_join(bytes: &[u8; READ], behind: u64) -> u64 {
    let last = (!behind | 1).ilog2() as usize;
    let (class, _) = class_at(bytes, last + length_of(bytes[last]));
    u64::from(class & UNSTABLE != 0) << last
}

/// What characters beyond ASCII add to the masks.
#[derive(Clone, Copy, Default)]
pub(super) struct Beyond {
    pub(super) number: u64,
    /// Marks, unless the pattern takes them for letters.
    pub(super) mark: u64,
    pub(super) upper: u64,
    pub(super) lower: u64,
    /// Whether NFC may change one of the characters.
    unstable: bool,
}

impl Beyond {
    /// Looks up each character that is not `plain`; adds letters and white space to `m`.
    #[inline(always)]
    fn new<R: Rules>(bytes: &[u8; READ], m: &mut Masks) -> Self {
        // Plain characters of two bytes may have a case, so they are looked up where case matters.
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
