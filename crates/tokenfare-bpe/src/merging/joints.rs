//! Between which characters no token reaches, so that a piece falls apart there.
//!
//! Chinese, Japanese and Korean write long pieces without spaces; hardly any of them comes twice,
//! and merging them whole is slow. But between two neighbouring characters A and B, a merge across
//! makes a token that holds the end of A and the start of B.
//!
//! **Claim.** If no token could stand across the joint of A and B, the piece's count is the sum of
//! the counts of its two sides. **Proof.** Every merge makes a token. One that crosses the joint
//! would make a token that stands across it; there is none, so no merge ever crosses. Then the merges
//! on one side neither see nor change the other, and come in the order that they have alone. ∎
//!
//! **What is looked up.** A token that stands across the joint either holds all of A and B, and the
//! six bytes are in `whole`; or it starts inside A or ends inside B, and the last byte of A with
//! the first two of B is in `partial`. Both are sets of hashes or of a part of what is known, so
//! they may answer yes for too many, which costs time, and never no for one that is there: a joint that is
//! held for nothing makes one segment of two, and one that is new of two that are known.
//!
//! **Beside ASCII.** Letters of both stand in one piece where words of two scripts do (`使用CREATE`), and a
//! piece may begin with punctuation (`%` before an ideograph). For these joints, all or none: if no token
//! stands across any of them, each piece falls apart there, by the same proof. White space before a character
//! is not among them, since many tokens begin with it, nor what is not `plain` (`masks`), so that masks alone
//! tell the places. Only windows look for these; [`Joints::segment_end`] passes them by.
//!
//! **Characters at once.** A character that is a token may be taken as one from the start of a merge
//! if every token that could stand across one of its two joints holds all of it. **Proof.** Take the
//! first merge that crosses one of its joints. Until then its bytes are merged among themselves, as
//! they are alone, which ends in the token that it is; and what the merge makes holds all of it, so
//! the part on its side of the joint is all of it. Whatever merges with it has a later rank than
//! its own parts, so having it early changes no order. ∎ `parted` knows the joints across which
//! some token stands that holds only a part of the character before it, or of the one behind it.

use crate::caches::short_cache::places;
use crate::pieces::masks::WINDOW;
use crate::pieces::windows::READ;

const BITS: u32 = 20;

/// The joints that some token of a vocabulary may stand across.
pub(crate) struct Joints {
    whole: Box<[u64; 1 << (BITS - 6)]>,
    partial: Box<[u64; 1 << (16 - 6)]>,
    /// Whether no token stands across a joint between ASCII that is no white space and a plain character of three
    /// bytes behind it, nor between such a character and an ASCII letter behind it.
    ascii_apart: bool,
    parted: Vec<u64>,
}

impl Joints {
    /// No joints; tokens are added one by one.
    pub(crate) fn new() -> Self {
        Joints {
            whole: places(0),
            partial: places(0),
            ascii_apart: true,
            parted: vec![0; 2 * PARTED / 32],
        }
    }

    /// Joints that a token may stand across everywhere: nothing falls apart.
    pub(crate) fn everywhere() -> Self {
        Joints {
            whole: places(u64::MAX),
            partial: places(u64::MAX),
            ascii_apart: false,
            parted: vec![u64::MAX; 2 * PARTED / 32],
        }
    }

    /// Marks every joint that `token` may stand across. O(length of the token).
    pub(crate) fn add(&mut self, token: &[u8]) {
        if token.is_ascii() {
            return; // most tokens, and no joint
        }
        if std::str::from_utf8(token).is_err() {
            self.add_parted(token);
        }
        if (1..token.len()).any(|at| joins_ascii(token, at)) {
            self.ascii_apart = false;
        }
        for at in 1..token.len() {
            if !is_three_byte_lead(token[at]) || token[at - 1] & 0xc0 != 0x80 {
                continue; // no joint, or one after a character that is not of three bytes
            }
            let right = &token[at..token.len().min(at + 3)];
            let known_left = token[..at].iter().rev().take_while(|b| **b & 0xc0 == 0x80).count();
            let starts_inside = known_left == at;
            if starts_inside && known_left < 3 || right.len() < 3 {
                self.add_partial(token[at - 1], right);
            } else if !starts_inside
                && known_left == 2
                && is_three_byte_lead(token[at - 3])
                && let Some(&[a, b, c, d, e, f]) = token[at - 3..].first_chunk()
            {
                let place = whole_place(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
                self.whole[place >> 6] |= 1 << (place & 63);
            }
        }
    }

    /// Marks the joints in a token at which it holds only a part of a character.
    fn add_parted(&mut self, token: &[u8]) {
        for at in (1..token.len()).filter(|at| token[*at] & 0xc0 != 0x80) {
            let before = token[..at].iter().rposition(|byte| byte & 0xc0 != 0x80);
            let is_whole = before.is_some_and(|start| start + length_of(token[start]) == at);
            let goes_on = at + length_of(token[at]) > token.len();
            let parted =
                if is_whole { 0 } else { PARTS_BEFORE } | if goes_on { PARTS_BEHIND } else { 0 };
            let seconds = match token.get(at + 1) {
                _ if token[at] < 0x80 => 0..=0,
                Some(second) => *second..=*second,
                None => 0x80..=0xbf,
            };
            for second in seconds {
                let place = parted_place(token[at - 1], token[at], second);
                self.parted[place / 32] |= parted << (2 * (place % 32));
            }
        }
    }

    /// Whether a token may stand across the joint at `at` that holds only a part of the character
    /// before it, or of that behind it: [`PARTS_BEFORE`], [`PARTS_BEHIND`], both or 0. O(1).
    ///
    /// `text` is UTF-8, `at` the start of a character in it that is not the first.
    #[inline(always)]
    pub(crate) fn parts(&self, text: &[u8], at: usize) -> u64 {
        let second = text.get(at + 1).copied().unwrap_or(0);
        let place = parted_place(text[at - 1], text[at], second);
        self.parted[place / 32] >> (2 * (place % 32)) & (PARTS_BEFORE | PARTS_BEHIND)
    }

    fn add_partial(&mut self, last: u8, right: &[u8]) {
        let seconds = if right.len() > 1 { right[1]..=right[1] } else { 0x80..=0xbf };
        for second in seconds {
            let [last, lead, second] = [last, right[0], second].map(u64::from);
            let place = partial_place(last | lead << 8 | second << 16);
            self.partial[place >> 6] |= 1 << (place & 63);
        }
    }

    /// Whether a token may stand across the joint at `at`, which is between two characters of three
    /// bytes each. O(1).
    #[inline(always)]
    pub(crate) fn may_hold(&self, text: &[u8], at: usize) -> bool {
        let around = match text[at - 3..].first_chunk() {
            Some(around) => *around,
            None => {
                let mut around = [0; 8];
                around[..6].copy_from_slice(&text[at - 3..at + 3]);
                around
            }
        };
        self.holds(u64::from_le_bytes(around)) != 0
    }

    /// 1 if a token may stand across the joint in the middle of the lower six bytes of `around`, otherwise 0.
    #[inline(always)]
    fn holds(&self, around: u64) -> u64 {
        let (whole, partial) = (whole_place(around), partial_place(around >> 16));
        (self.whole[whole >> 6] >> (whole & 63) | self.partial[partial >> 6] >> (partial & 63)) & 1
    }

    /// Of the joints behind the characters that start at the bits of `befores`, those that no token stands
    /// across: the starts of the characters behind them.
    ///
    /// At each joint are two characters of three bytes, and both are in the window. O(joints).
    #[inline(always)]
    pub(crate) fn apart(&self, bytes: &[u8; READ], befores: u64) -> u64 {
        let (mut rest, mut holding) = (befores, 0);
        while rest != 0 {
            let at = rest.trailing_zeros() as usize % WINDOW;
            let around = bytes[at..].first_chunk().map_or(0, |around| u64::from_le_bytes(*around));
            holding |= self.holds(around) << at;
            rest &= rest - 1;
        }
        (befores & !holding) << 3
    }

    /// Of the `places` between ASCII that is no white space and plain characters of three bytes, or between these
    /// and ASCII letters, those at which pieces fall apart: all or none.
    #[inline(always)]
    pub(crate) fn apart_beside_ascii(&self, places: u64) -> u64 {
        if self.ascii_apart { places } else { 0 }
    }

    /// The end of the segment that starts at `start`: the first joint that no token stands across,
    /// or the end of the piece. O(length of the segment).
    ///
    /// `piece` is UTF-8 and `start` the start of a character in it.
    pub(crate) fn segment_end(&self, piece: &[u8], start: usize) -> usize {
        let mut at = start;
        while at + 6 <= piece.len() {
            let lead = piece[at];
            if !is_three_byte_lead(lead) {
                at += if lead < 0x80 {
                    1
                } else if lead < 0xe0 {
                    2
                } else {
                    4
                };
                continue;
            }
            at += 3;
            if is_three_byte_lead(piece[at]) && !self.may_hold(piece, at) {
                return at;
            }
        }
        piece.len()
    }
}

#[inline(always)]
fn is_three_byte_lead(byte: u8) -> bool {
    byte & 0xf0 == 0xe0
}

/// A place for the two characters in the lower six bytes of `around`.
#[inline(always)]
fn whole_place(around: u64) -> usize {
    ((around << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

/// A place for each three bytes: the last one before the joint and two behind it, or one if that is
/// ASCII.
#[inline(always)]
fn parted_place(last: u8, first: u8, second: u8) -> usize {
    let (last, first, second) = (usize::from(last), usize::from(first), usize::from(second));
    if first < 0x80 {
        last << 7 | first
    } else {
        PARTED | last << 12 | (first & 0x3f) << 6 | second & 0x3f
    }
}

/// The first place of those for characters beyond ASCII.
const PARTED: usize = 1 << 20;
/// What [`Joints::parts`] answers.
pub(crate) const PARTS_BEFORE: u64 = 1;
pub(crate) const PARTS_BEHIND: u64 = 2;

/// Length of the character that starts with `lead`; 1 for a byte that starts none.
#[inline(always)]
pub(crate) fn length_of(lead: u8) -> usize {
    match lead {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => 1,
    }
}

/// Whether at `at` a token has one of the joints beside ASCII.
fn joins_ascii(token: &[u8], at: usize) -> bool {
    let (before, behind) = token.split_at(at);
    if before[at - 1].is_ascii() {
        return !matches!(before[at - 1], b'\t'..=b'\r' | b' ') && may_be_plain(behind);
    }
    if !behind[0].is_ascii_alphabetic() {
        return false;
    }
    let start = before.iter().rposition(|byte| byte & 0xc0 != 0x80);
    start.is_none_or(|start| may_be_plain(&before[start..]))
}

/// Whether a character that begins with these bytes, one or more, may be a plain one of three bytes; see `masks`.
pub(crate) fn may_be_plain(bytes: &[u8]) -> bool {
    match bytes {
        [0xe3, second, ..] => (0x81..=0x83).contains(second),
        _ => matches!(bytes[0], 0xe3..=0xe9 | 0xeb | 0xec),
    }
}

/// A place for the lower three bytes of `across`, the last one before a joint and two behind it: the
/// bits of them that differ between characters of three bytes.
#[inline(always)]
fn partial_place(across: u64) -> usize {
    (across & 0x3f | across >> 2 & 0x3c0 | across >> 6 & 0xfc00) as usize
}

#[cfg(test)]
mod tests;
