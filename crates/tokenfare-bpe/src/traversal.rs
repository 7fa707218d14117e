//! Through a part of a text, batch by batch of pieces, with NFC made only where it is needed.

use crate::interrupts::worked;
use crate::nfc::nfc;
use crate::splitting::{Normalization, Splitting};
use crate::vocabulary::Vocabulary;
use crate::windows::{Pieces, READ, Stop};

/// Who takes the pieces, in order.
pub(crate) trait Taker {
    /// Whether it wants pieces of one byte too, or only to know how many there are.
    const ALL: bool;

    /// All pieces of a batch; each starts at least 16 bytes before the end of `text`.
    fn batch(&mut self, text: &[u8], pieces: &Pieces);

    /// One piece.
    fn piece(&mut self, text: &[u8], start: usize, end: usize);
}

/// Hands all pieces of `part`, normalized, to `taker`; some are handed over in segments (see `windows`).
///
/// O(length). No copy is made of what is normalized.
#[inline(always)]
pub(crate) fn walk<T: Taker>(
    v: &Vocabulary,
    splitting: &Splitting,
    pieces: &mut Pieces,
    part: &str,
    taker: &mut T,
) {
    let mut way = Way { v, splitting, normal: splitting.normalization == Normalization::None };
    let at = way.go(pieces, part.as_bytes(), taker);
    match &part[at..] {
        "" => {}
        rest => {
            way.normal = true;
            way.go(pieces, nfc(rest).as_bytes(), taker);
        }
    }
}

/// What does not change on the way.
struct Way<'a> {
    v: &'a Vocabulary,
    splitting: &'a Splitting,
    /// Whether the text is to be split as it is.
    normal: bool,
}

impl Way<'_> {
    /// Takes `text`, or as much of it as is NFC without a closer look: answers where it stopped.
    ///
    /// What follows then starts with a character that NFC keeps and never joins to those before it:
    /// it was in a window that held no other kind, or the text starts there.
    #[inline(always)]
    fn go<T: Taker>(&self, pieces: &mut Pieces, text: &[u8], taker: &mut T) -> usize {
        let Way { splitting, normal, .. } = *self;
        pieces.begin(0);
        loop {
            let before = pieces.end();
            let stop = match text.len() - pieces.end() {
                0..READ => Stop::Tail,
                _ if T::ALL => pieces.find::<true>(splitting, text, self.v.joints(), normal),
                _ => pieces.find::<false>(splitting, text, self.v.joints(), normal),
            };
            taker.batch(pieces.stretch(text), pieces);
            let mut at = pieces.end();
            match stop {
                Stop::Full => {
                    worked(at - before);
                    pieces.begin(at);
                }
                _ if !normal => return at,
                Stop::Long if at < text.len() => {
                    let end = splitting.piece_end(text, at);
                    taker.piece(text, at, end);
                    worked(end - before);
                    pieces.begin(end);
                }
                _ => {
                    while at < text.len() {
                        let end = splitting.piece_end(text, at);
                        taker.piece(text, at, end);
                        at = end;
                    }
                    return at;
                }
            }
        }
    }
}
