//! Walking through a part of a text, one batch of pieces at a time, and normalizing only where it
//! is needed.
//!
//! The plain way normalizes the whole part and then splits it. Here the text is split where it lies
//! as long as its windows are in NFC; where one is not, some kilobytes are normalized, up to the
//! next cut.

use crate::interrupts::worked;
use crate::pieces::splitting::{Normalization, Splitting};
use crate::pieces::windows::{Pieces, READ, Stop};
use crate::unicode::nfc::nfc;
use crate::vocabulary::Vocabulary;

/// Bytes that are normalized at a time; more if the next cut is further away.
const STRETCH: usize = 8192;

/// From this many bytes on, the end of a text is taken in a window rather than piece by piece.
const TAIL: usize = 20;

/// A text of fewer bytes is looked at first: if it is ASCII, it needs no joints. Making them takes
/// millions of instructions.
const SHORT: usize = 512;

/// A consumer of pieces, which gets them in order.
pub(crate) trait Taker {
    /// Whether it wants pieces that are surely one token too, or only their number.
    const ALL: bool;

    /// Takes all pieces of a batch; each starts at least 16 bytes before the end of `text`.
    fn batch(&mut self, text: &[u8], pieces: &Pieces);

    /// Takes one piece.
    fn piece(&mut self, text: &[u8], start: usize, end: usize);
}

/// Hands all pieces of `part`, normalized, to `taker`; some pieces come in segments (see
/// `windows`).
///
/// O(length of `part`). Text that needs no closer look for NFC is taken where it lies.
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

/// The same as [`walk`] for two parts at once, for a consumer to which the order of pieces does not
/// matter.
///
/// Where a window begins is known only when the one before it has been read, so with one part alone
/// the CPU waits most of the time.
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
        let i = Pieces::find_both(pieces, splitting, texts, Some(v.joints()), way.normal);
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
    /// Through a batch, or past what stopped it.
    Batch,
    /// Up to this place, where text follows that may not be in NFC, or a piece longer than a
    /// window, or less text than a window needs.
    Stopped(usize),
    /// To the end.
    End,
}

/// What does not change on the way through a part.
struct Way<'a> {
    v: &'a Vocabulary,
    splitting: &'a Splitting,
    /// Whether the text is to be split as it is, without NFC.
    normal: bool,
}

impl<'a> Way<'a> {
    fn new(v: &'a Vocabulary, splitting: &'a Splitting) -> Self {
        Way { v, splitting, normal: splitting.normalization == Normalization::None }
    }
}

impl Way<'_> {
    /// Takes some of the text from `at` on, where the walk stopped, in its NFC: up to the first cut
    /// at least [`STRETCH`] bytes further on. The walk goes on from there.
    #[inline(always)]
    fn normalize<T: Taker>(&self, pieces: &mut Pieces, part: &str, at: usize, taker: &mut T) {
        let end = self.splitting.next_cut(part.as_bytes(), (at + STRETCH).min(part.len()));
        pieces.begin(0);
        let whole =
            Way { normal: true, ..*self }.go_on(pieces, nfc(&part[at..end]).as_bytes(), taker);
        debug_assert_eq!(whole, None);
        pieces.begin(end);
    }

    /// Takes what is left of `text`, or as much of it as is known to be NFC. `Some` says where it
    /// stopped; `None` that everything is taken.
    ///
    /// The text after that place can be normalized alone: either the text starts there, or a window
    /// began there, and the one before it was in NFC. If a window begins with a mark, the window
    /// before it holds all marks of that run, and a stable character behind them. What follows a
    /// stable character may still join it; then a piece starts with it (see `window`).
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

    #[inline(always)]
    fn find<T: Taker>(&self, pieces: &mut Pieces, text: &[u8]) -> Stop {
        let Way { v, splitting, normal } = *self;
        let joints = if text.len() < SHORT && text.is_ascii() { None } else { Some(v.joints()) };
        if T::ALL {
            pieces.find::<true>(splitting, text, joints, normal)
        } else {
            pieces.find::<false>(splitting, text, joints, normal)
        }
    }

    /// Takes the next batch, and whatever stopped it.
    #[inline(always)]
    fn step<T: Taker>(&self, pieces: &mut Pieces, text: &[u8], taker: &mut T) -> Step {
        let Way { splitting, normal, .. } = *self;
        let before = pieces.start();
        let stop = if text.len() - pieces.end() < READ {
            Stop::Tail
        } else {
            self.find::<T>(pieces, text)
        };
        taker.batch(pieces.stretch(text), pieces);
        let mut at = pieces.end();
        // Whatever stopped it is reported here: where pieces are long, no batch of a part is ever
        // full.
        worked(at - before);
        if stop == Stop::Tail {
            if self.take_tail(pieces, &text[at..], taker) {
                return Step::End;
            }
            pieces.begin(at);
        }
        match stop {
            Stop::Full => pieces.begin(at),
            _ if !normal && at < text.len() => return Step::Stopped(at),
            Stop::Long if at < text.len() => {
                let end = splitting.piece_end(text, at);
                taker.piece(text, at, end);
                worked(end - at);
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

    /// Takes `tail`, the end of a text, in windows, if it ends as most texts do. Windows need more
    /// bytes than there are, so a digit is put behind the tail, at a place where a digit changes
    /// none of its pieces.
    ///
    /// It changes none if the text could be cut before the digit (see `cuts`), or if the tail ends
    /// with ASCII punctuation: all patterns take punctuation together with more of it, then with
    /// line ends and slashes, or a single one with the letters after it; none takes it with a
    /// digit.
    #[inline(always)]
    fn take_tail<T: Taker>(&self, pieces: &mut Pieces, tail: &[u8], taker: &mut T) -> bool {
        if !(TAIL..READ).contains(&tail.len()) {
            return false;
        }
        // Letters follow the digit, so that it is a piece of its own, as many as windows have to
        // read.
        let mut room = [b'a'; 2 * READ];
        room[..tail.len()].copy_from_slice(tail);
        room[tail.len()] = b'0';
        let text = &room[..tail.len() + READ];
        if !tail[tail.len() - 1].is_ascii_punctuation() && !self.splitting.is_cut(text, tail.len())
        {
            return false;
        }
        pieces.begin(0);
        if self.find::<T>(pieces, text) != Stop::Tail || pieces.end() != tail.len() + 1 {
            return false;
        }
        pieces.forget_last_byte(T::ALL);
        taker.batch(text, pieces);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::Room;
    use crate::merging::piece;
    use crate::pieces::splitting::Pattern;
    use crate::testing::{DATA, dice, questions};
    use crate::tokenizer::Tokenizer;

    /// Counts bytes and tokens of all the pieces it gets, with or without those that a batch only
    /// counts.
    struct Tokens<'a, const ALL: bool> {
        v: &'a Vocabulary,
        room: Room,
        bytes: usize,
        tokens: usize,
        in_batches: usize,
    }

    impl<const ALL: bool> Tokens<'_, ALL> {
        fn all<'v>(v: &'v Vocabulary, splitting: &Splitting, text: &str) -> Tokens<'v, ALL> {
            let room = Room::default();
            let mut tokens = Tokens { v, room, bytes: 0, tokens: 0, in_batches: 0 };
            walk(v, splitting, &mut Pieces::default(), text, &mut tokens);
            tokens
        }
    }

    impl<const ALL: bool> Taker for Tokens<'_, ALL> {
        const ALL: bool = ALL;

        fn batch(&mut self, text: &[u8], pieces: &Pieces) {
            let before = self.bytes;
            for (start, end) in pieces.starts().iter().zip(pieces.ends()) {
                assert!(*start as usize + 16 <= text.len());
                self.piece(text, *start as usize, *end as usize);
            }
            // What is not listed has one byte, or three.
            let (counted, listed) = (pieces.counted(), self.bytes - before);
            let rest = pieces.end() - pieces.start() - listed;
            assert!(if ALL { rest == 0 } else { (counted..=3 * counted).contains(&rest) });
            self.bytes += rest;
            self.tokens += counted;
            self.in_batches += pieces.starts().len() + counted;
        }

        fn piece(&mut self, text: &[u8], start: usize, end: usize) {
            self.bytes += end - start;
            self.tokens += piece::count(self.v, &mut self.room, &text[start..end]);
        }
    }

    /// The same counts without windows and cuts.
    fn slow(v: &Vocabulary, splitting: &Splitting, text: &str) -> (usize, usize) {
        let (text, mut room, mut tokens) = (splitting.normalized(text), Room::default(), 0);
        splitting.for_each_piece(text.as_bytes(), |start, end| {
            tokens += piece::count(v, &mut room, &text.as_bytes()[start..end]);
        });
        (text.len(), tokens)
    }

    fn splittings() -> impl Iterator<Item = Splitting> {
        Pattern::ALL.into_iter().flat_map(|pattern| {
            [Normalization::None, Normalization::Nfc]
                .map(|normalization| Splitting { pattern, normalization })
        })
    }

    #[test]
    fn a_text_may_end_in_any_way() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let ends =
            ["a", "S", "'", "'ll", " ", "\n", "\r", ".", "/", "1", "é", "½", "中", "\u{301}"];
        for splitting in splittings() {
            let mut in_batches = 0;
            for code in 0..ends.len().pow(3) {
                let end = (0..3).map(|i| ends[code / ends.len().pow(i) % ends.len()]);
                let text = format!("with at least 18: {}", end.collect::<String>());
                let (expected, fast) =
                    (slow(&v, &splitting, &text), Tokens::<true>::all(&v, &splitting, &text));
                assert_eq!((fast.bytes, fast.tokens), expected, "{splitting:?} {text:?}");
                let fast = Tokens::<false>::all(&v, &splitting, &text);
                assert_eq!((fast.bytes, fast.tokens), expected, "{splitting:?} {text:?}");
                in_batches += fast.in_batches;
            }
            assert!(in_batches > 4_000, "{splitting:?}: {in_batches}");
        }
    }

    #[test]
    fn what_is_normalized_ends_where_counts_add_up() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut roll = dice(3);
        let units = ["word ", "中文", "e", "\u{301}", "각", "\u{11a8}", "\n", "12", ". ", "'s"];
        for splitting in splittings() {
            for round in 0..40 {
                let mut text = String::new();
                while text.len() < 5 * STRETCH {
                    // Half of the texts have such characters everywhere, half here and there.
                    let rare = round % 2 == 0 && roll(2_000) > 0;
                    text.push_str(
                        units[if rare { [0, 1, 2, 4, 6, 7, 8, 9][roll(8)] } else { roll(10) }],
                    );
                }
                let (expected, fast) =
                    (slow(&v, &splitting, &text), Tokens::<false>::all(&v, &splitting, &text));
                assert_eq!((fast.bytes, fast.tokens), expected, "{splitting:?}");
                let mut both = Tokens::<false>::all(&v, &splitting, "");
                let middle = splitting.next_cut(text.as_bytes(), text.len() / 2);
                let parts = text.split_at(middle).into();
                walk_both(&v, &splitting, &mut Default::default(), parts, &mut both);
                assert_eq!((both.bytes, both.tokens), expected, "{splitting:?}");
            }
        }
    }

    #[test]
    fn whether_to_go_on_is_asked_as_often_whatever_the_pieces_are() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let units = [
            "word ".to_owned(),
            format!("{} ", "x".repeat(25)),
            format!("{} ", "x".repeat(60)),
            format!("{} ", "x".repeat(5_000)),
            format!("{}\u{301} ", "word ".repeat(2_000)),
            format!("{}\u{301} ", "x".repeat(25)),
            "中文。".to_owned(),
        ];
        for unit in units {
            let text = unit.repeat((1 << 22) / unit.len());
            let asked = questions(|| {
                tokenizer.count(&text);
            });
            assert!(asked >= text.len() >> 17, "{asked} {unit:.70}");
        }
    }
}
