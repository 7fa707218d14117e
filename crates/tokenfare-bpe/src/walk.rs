//! Through a part of a text, batch by batch of pieces, with NFC made only where it is needed.
//!
//! The fast way of the pattern of Qwen 1 to 3; others go piece by piece (`splitting`).

use crate::nfc::nfc;
use crate::scan::piece_end;
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

/// Hands all pieces of NFC(`part`) to `taker`; some are handed over in segments (see `windows`).
///
/// O(length). No copy is made of what is NFC.
#[inline(always)]
pub(crate) fn walk<T: Taker>(v: &Vocabulary, pieces: &mut Pieces, part: &str, taker: &mut T) {
    let at = go(pieces, v, part.as_bytes(), false, taker);
    match &part[at..] {
        "" => {}
        rest => {
            go(pieces, v, nfc(rest).as_bytes(), true, taker);
        }
    }
}

/// Takes `text`, or as much of it as is NFC without a closer look: answers where it stopped.
///
/// What follows then starts with a character that NFC keeps and never joins to those before it: it
/// was in a window that held no other kind, or the text starts there.
#[inline(always)]
fn go<T: Taker>(
    pieces: &mut Pieces,
    v: &Vocabulary,
    text: &[u8],
    normal: bool,
    taker: &mut T,
) -> usize {
    pieces.begin(0);
    loop {
        let stop = match text.len() - pieces.end() {
            0..READ => Stop::Tail,
            _ if T::ALL => pieces.find::<true>(text, v.joints(), normal),
            _ => pieces.find::<false>(text, v.joints(), normal),
        };
        taker.batch(pieces.stretch(text), pieces);
        let mut at = pieces.end();
        match stop {
            Stop::Full => pieces.begin(at),
            _ if !normal => return at,
            Stop::Long if at < text.len() => {
                let end = piece_end(text, at);
                taker.piece(text, at, end);
                pieces.begin(end);
            }
            _ => {
                while at < text.len() {
                    let end = piece_end(text, at);
                    taker.piece(text, at, end);
                    at = end;
                }
                return at;
            }
        }
    }
}
