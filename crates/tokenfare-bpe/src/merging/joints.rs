//! The joints of a vocabulary: between which characters a token may stand, and where a piece can
//! therefore be divided.
//!
//! Chinese, Japanese and Korean have long pieces, as they are written without spaces. Hardly any of
//! them comes twice, and merging them whole is slow. But a merge across the joint of two
//! neighbouring characters A and B makes a token that holds the end of A and the start of B. Where
//! the vocabulary has no such token, the piece can be divided.
//!
//! **Claim.** If no token could stand across the joint of A and B, the piece's count is the sum of
//! the counts of its two sides. **Proof.** Every merge makes a token. One that crosses the joint
//! would make a token that stands across it. There is none, so no merge ever crosses. Then the
//! merges on one side neither see nor change the other side, and come in the same order as when
//! that side is alone. ∎
//!
//! **What is looked up.** A token that stands across the joint may hold all of A and B; then the
//! six bytes are in `whole`. Otherwise it starts inside A or ends inside B; then the last byte of A
//! and the first two of B are in `partial`. `whole` is a set of hashes, and `partial` knows only
//! three of the bytes. So the answer may be yes where it should be no, but never no where a token
//! may stand. A false yes costs time: it makes one segment that is new of two that are known.
//!
//! **Beside ASCII.** Where words of two scripts meet, the letters of both stand in one piece
//! (`使用CREATE`), and a piece may begin with punctuation (`%` before an ideograph). These joints are
//! taken all together: if no token stands across any of them, pieces are divided at each, by the
//! same proof. Two kinds of joint are not among them: those behind white space, since many tokens
//! begin with it, and those of characters that are not `plain` (see `masks`), so that masks alone
//! tell the places. Only windows look for these joints; [`Joints::segment_end`] passes over them.
//!
//! **Characters that are tokens.** Of the segments of more than one byte in such text, four of ten
//! are one character of three bytes that is a token. Such a segment is one token, as every piece
//! that is a token of merging is, so a bit says so and nothing is looked up ([`Joints::tokens`]).
//!
//! **Characters at once.** This asks for a vocabulary in order, in which each token is made of
//! tokens of lower rank. A character that is a token may be taken as one from the start if every
//! token that could stand across one of its two joints holds all of it. **Proof.** Take the first
//! merge that crosses one of its joints. Until then, the bytes of the character are merged among
//! themselves as they are alone, and that ends in the token that it is. What the crossing merge
//! makes holds all of the character, and neither of its two parts crosses a joint of it, so one
//! part is the whole character. That merge has a higher rank than the character, hence than every
//! merge inside it. So it never comes before one of these, and having the character early changes
//! no order. The same holds for each further character. ∎ `parted` holds the joints across which
//! some token stands that holds only a part of the character before, or of the one behind.

use crate::pieces::masks::{READ, WINDOW};
use crate::prefetch::prefetch;
use crate::table::table;
use crate::unicode::classes::length_of;

const BITS: u32 = 20;
/// Words in a cache line of the CPU.
const WORDS_IN_A_LINE: usize = 64 / size_of::<u64>();

/// The joints that some token of a vocabulary may stand across.
pub(crate) struct Joints {
    whole: Box<[u64; 1 << (BITS - 6)]>,
    partial: Box<[u64; 1 << (16 - 6)]>,
    /// Whether no token stands between an ASCII character that is not white space and a plain
    /// character of three bytes behind it, nor between such a character and an ASCII letter behind
    /// it.
    ascii_apart: bool,
    parted: Vec<u64>,
    /// A bit for each character of three bytes that is a token.
    characters: Box<[u64; 1 << 12]>,
}

impl Joints {
    /// No joints yet; tokens are added one by one.
    pub(crate) fn new() -> Self {
        Joints {
            whole: table(0),
            partial: table(0),
            ascii_apart: true,
            parted: vec![0; 2 * PARTED / 32],
            characters: table(0),
        }
    }

    /// A token may stand across every joint: no piece is divided.
    pub(crate) fn everywhere() -> Self {
        Joints {
            whole: table(u64::MAX),
            partial: table(u64::MAX),
            ascii_apart: false,
            parted: vec![u64::MAX; 2 * PARTED / 32],
            characters: table(0),
        }
    }

    /// Marks every joint that `token` may stand across. O(length of the token).
    pub(crate) fn add(&mut self, token: &[u8]) {
        if token.is_ascii() {
            return; // most tokens, and no joint
        }
        match (std::str::from_utf8(token), token) {
            (Ok(_), &[lead, second, third]) if is_three_byte_lead(lead) => {
                let (word, bit) = character_place([lead, second, third, 0]);
                self.characters[word] |= 1 << bit;
            }
            (Ok(_), _) => {}
            (Err(_), _) => self.add_parted(token),
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

    /// Marks the joints in a token at which the token holds only a part of the character before or
    /// of the one behind. Such a token is not UTF-8.
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

    /// Which characters at the joint at `at` a token across it may hold only in part:
    /// [`PARTS_BEFORE`] for the one before, [`PARTS_BEHIND`] for the one behind, both or 0. O(1).
    ///
    /// `text` is UTF-8, and `at` the start of a character in it that is not the first.
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

    /// 1 if a token may stand across the joint in the middle of the lower six bytes of `around`,
    /// otherwise 0. O(1).
    #[inline(always)]
    fn holds(&self, around: u64) -> u64 {
        let (whole, partial) = (whole_place(around), partial_place(around >> 16));
        (self.whole[whole >> 6] >> (whole & 63) | self.partial[partial >> 6] >> (partial & 63)) & 1
    }

    /// Prefetches what [`Self::apart`] and [`Self::tokens`] look up.
    pub(crate) fn prefetch(&self) {
        for words in [&self.whole[..], &self.partial[..], &self.characters[..]] {
            words.iter().step_by(WORDS_IN_A_LINE).for_each(prefetch);
        }
    }

    /// The joints at which pieces can be divided, of those behind the characters that start at the
    /// bits of `befores`. A joint is returned as the start of the character behind it.
    ///
    /// Each joint is between two characters of three bytes, and both are in `bytes`. O(joints).
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

    /// Those of `starts` whose characters are tokens. Each is the start of a character of three
    /// bytes. O(starts).
    #[inline(always)]
    pub(crate) fn tokens(&self, bytes: &[u8; READ], starts: u64) -> u64 {
        let (mut rest, mut found) = (starts, 0);
        while rest != 0 {
            let at = rest.trailing_zeros() as usize % WINDOW;
            let (word, bit) = character_place(bytes[at..].first_chunk().map_or([0; 4], |b| *b));
            found |= (self.characters[word] >> bit & 1) << at;
            rest &= rest - 1;
        }
        found
    }

    /// The `places` at which pieces can be divided: all or none. Each is between ASCII that is not
    /// white space and a plain character of three bytes behind it, or between such a character and
    /// an ASCII letter behind it.
    #[inline(always)]
    pub(crate) fn apart_beside_ascii(&self, places: u64) -> u64 {
        if self.ascii_apart { places } else { 0 }
    }

    /// The end of the segment that starts at `start`: the first joint between characters of three
    /// bytes that no token stands across, or the end of the piece. O(length of the segment).
    ///
    /// `piece` is UTF-8, and `start` the start of a character in it.
    pub(crate) fn segment_end(&self, piece: &[u8], start: usize) -> usize {
        let mut at = start;
        while at + 6 <= piece.len() {
            let length = length_of(piece[at]);
            at += length;
            if length == 3 && is_three_byte_lead(piece[at]) && !self.may_hold(piece, at) {
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

/// The place in `whole` of the two characters in the lower six bytes of `around`: a hash.
#[inline(always)]
fn whole_place(around: u64) -> usize {
    ((around << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

/// The place in `parted` of a joint: its own for each three bytes that are the last one before it
/// and the first two behind it, or the first one behind it if that is ASCII.
#[inline(always)]
fn parted_place(last: u8, first: u8, second: u8) -> usize {
    let (last, first, second) = (usize::from(last), usize::from(first), usize::from(second));
    if first < 0x80 {
        last << 7 | first
    } else {
        PARTED | last << 12 | (first & 0x3f) << 6 | second & 0x3f
    }
}

/// The first of the places in `parted` for joints before characters beyond ASCII.
const PARTED: usize = 1 << 20;
/// The bits that [`Joints::parts`] returns.
pub(crate) const PARTS_BEFORE: u64 = 1;
pub(crate) const PARTS_BEHIND: u64 = 2;

/// Whether `token` has one of the joints beside ASCII at `at`.
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

/// Whether a character that begins with these bytes, one or more, may be a plain one of three
/// bytes; see `masks`.
pub(crate) fn may_be_plain(bytes: &[u8]) -> bool {
    match bytes {
        [0xe3, second, ..] => (0x81..=0x83).contains(second),
        [0xea, second, ..] => *second >= 0xb0,
        [0xed, second, ..] => *second <= 0x9d,
        _ => matches!(bytes[0], 0xe3..=0xed),
    }
}

/// The place in `characters` of the character in the first three bytes: a word, and a bit in it.
#[inline(always)]
fn character_place(bytes: [u8; 4]) -> (usize, u32) {
    let bytes = u32::from_be_bytes(bytes);
    (bytes as usize >> 16 & 0xfff, bytes >> 8 & 0x3f)
}

/// The place in `partial` of the lower three bytes of `across`: the last one before a joint and two
/// behind it. It is made of the bits that differ between characters of three bytes, so each three
/// bytes have their own.
#[inline(always)]
fn partial_place(across: u64) -> usize {
    (across & 0x3f | across >> 2 & 0x3c0 | across >> 6 & 0xfc00) as usize
}

#[cfg(test)]
mod tests;
