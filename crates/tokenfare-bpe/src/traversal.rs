//! Through a part of a text, batch by batch of pieces, with NFC made only where it is needed.

use crate::cuts::next_cut;
use crate::interrupts::worked;
use crate::nfc::nfc;
use crate::splitting::{Normalization, Splitting};
use crate::vocabulary::Vocabulary;
use crate::windows::{Pieces, READ, Stop};

/// Bytes that are normalized at a time, or more where no cut is.
const STRETCH: usize = 8192;

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
    let way = Way::new(v, splitting);
    pieces.begin(0);
    while let Some(at) = way.go_on(pieces, part.as_bytes(), taker) {
        way.normalize(pieces, part, at, taker);
    }
}

/// As [`walk`], of two parts at once, for a taker that does not mind in which order pieces come.
///
/// Where a window begins is known when the one before is read, so one part alone waits most of the time.
#[inline(always)]
pub(crate) fn walk_both<T: Taker>(
    v: &Vocabulary,
    splitting: &Splitting,
    pieces: &mut [Pieces; 2],
    parts: [&str; 2],
    taker: &mut T,
) {
    const { assert!(!T::ALL) };
    let way = Way::new(v, splitting);
    let texts = parts.map(str::as_bytes);
    pieces.iter_mut().for_each(|pieces| pieces.begin(0));
    let mut done = [false; 2];
    while done == [false; 2] {
        let i = Pieces::find_both(pieces, splitting, texts, v.joints(), way.normal);
        match way.step(&mut pieces[i], texts[i], taker) {
            Step::Batch => (),
            Step::Stopped(at) => way.normalize(&mut pieces[i], parts[i], at, taker),
            Step::End => done[i] = true,
        }
    }
    for (i, pieces) in pieces.iter_mut().enumerate().filter(|(i, _)| !done[*i]) {
        while let Some(at) = way.go_on(pieces, texts[i], taker) {
            way.normalize(pieces, parts[i], at, taker);
        }
    }
}

/// How far a step went.
enum Step {
    /// Through a batch, or what stood in its way.
    Batch,
    /// To where the text goes on with what may not be NFC, or with less than a window.
    Stopped(usize),
    /// Through all.
    End,
}

/// What does not change on the way.
struct Way<'a> {
    v: &'a Vocabulary,
    splitting: &'a Splitting,
    /// Whether the text is to be split as it is.
    normal: bool,
}

impl<'a> Way<'a> {
    fn new(v: &'a Vocabulary, splitting: &'a Splitting) -> Self {
        Way { v, splitting, normal: splitting.normalization == Normalization::None }
    }
}

impl Way<'_> {
    /// Takes what stands from `at` on, where it stopped, by its NFC: some of it, up to the next cut; begins anew
    /// behind that.
    #[inline(always)]
    fn normalize<T: Taker>(&self, pieces: &mut Pieces, part: &str, at: usize, taker: &mut T) {
        let end = next_cut(self.splitting, part.as_bytes(), (at + STRETCH).min(part.len()));
        pieces.begin(0);
        let whole =
            Way { normal: true, ..*self }.go_on(pieces, nfc(&part[at..end]).as_bytes(), taker);
        debug_assert_eq!(whole, None);
        pieces.begin(end);
    }

    /// Takes what is left of `text`, or as much of it as is NFC without a closer look: answers where it
    /// stopped, or nothing if all is taken.
    ///
    /// What follows then starts with a character that NFC never joins to those before it, since it was in
    /// a window that held no other kind, or the text starts there. It may become another one by what
    /// stands behind it; then a piece starts with it (see `window`).
    #[inline(always)]
    fn go_on<T: Taker>(&self, pieces: &mut Pieces, text: &[u8], taker: &mut T) -> Option<usize> {
        loop {
            match self.step(pieces, text, taker) {
                Step::Batch => (),
                Step::Stopped(at) => return Some(at),
                Step::End => return None,
            }
        }
    }

    /// Takes the next batch, and what stopped it.
    #[inline(always)]
    fn step<T: Taker>(&self, pieces: &mut Pieces, text: &[u8], taker: &mut T) -> Step {
        let Way { splitting, normal, .. } = *self;
        let before = pieces.start();
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
            _ if !normal && at < text.len() => return Step::Stopped(at),
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
                return Step::End;
            }
        }
        Step::Batch
    }
}
