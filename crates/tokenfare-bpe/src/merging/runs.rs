//! Merging a piece that is a few runs of equal bytes: rulers, blank lines, indentation.
//!
//! The plain way merges pair by pair. A ruler of sixty dashes then takes sixty steps, each of which
//! waits for the last. Here `m` equal tokens in a row are one entry, and all pairs of one rank are
//! merged in one step.
//!
//! **Claim.** In a vocabulary in order, in which each token is made of tokens of lower rank, the
//! following is merging by rank: merge all pairs of the lowest rank from left to right, and only
//! then look for the next rank. **Proof.** A merge of rank `r` makes the token `r`. Whatever merges
//! with that token makes one of higher rank. So no merge of rank `r` makes a pair of rank `r` or
//! lower, and the pairs of rank `r` that are there are merged before all others, the leftmost
//! first. They are all of the same two tokens. If these differ, no two of the pairs overlap. If
//! they are equal, the pairs stand in runs, and the leftmost first takes a run two by two. ∎

use crate::vocabulary::Vocabulary;
use crate::vocabulary::pairs::NONE;

/// Most runs that a piece may have at first.
const FIRST: usize = 8;
/// Most runs that it may have before a step.
const MOST: usize = 16;

/// A token, and how often it stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) token: u32,
    pub(crate) times: usize,
}

/// The tokens of a piece as runs. No two neighbouring runs are of the same token.
pub(crate) struct Runs {
    /// A step makes at most two runs of each.
    runs: [Run; 2 * MOST],
    count: usize,
}

impl Runs {
    const EMPTY: Self = Runs { runs: [Run { token: NONE, times: 0 }; 2 * MOST], count: 0 };

    /// The tokens that `piece` merges into. `None` if these are more than a few runs, at first or
    /// on the way, or if the vocabulary is not in order.
    ///
    /// Reading it is O(length). Then each step halves a run or lets a token grow, and there is a
    /// longest token.
    pub(crate) fn of(v: &Vocabulary, piece: &[u8]) -> Option<Self> {
        if !v.in_order {
            return None;
        }
        let mut runs = Runs::EMPTY;
        let mut rest = piece;
        while let Some(byte) = rest.first() {
            if runs.count == FIRST {
                return None;
            }
            let times = run_length(rest, *byte);
            runs.push(v.byte_ids[usize::from(*byte)], times);
            rest = &rest[times..];
        }
        while let Some((left, right, merged)) = runs.lowest(v) {
            if runs.count > MOST {
                return None;
            }
            runs = runs.after(left, right, merged);
        }
        Some(runs)
    }

    /// The runs, in order.
    pub(crate) fn all(&self) -> &[Run] {
        &self.runs[..self.count]
    }

    /// How many tokens they are.
    pub(crate) fn tokens(&self) -> usize {
        self.all().iter().map(|run| run.times).sum()
    }

    /// The pair of lowest rank and what it merges into, if any pair merges.
    fn lowest(&self, v: &Vocabulary) -> Option<(u32, u32, u32)> {
        let within = self.all().iter().filter(|run| run.times > 1);
        let within = within.map(|run| (run.token, run.token));
        let between = self.all().windows(2).map(|two| (two[0].token, two[1].token));
        let merged = within.chain(between).map(|(l, r)| (l, r, v.pairs.merged(l, r)));
        merged.min_by_key(|(_, _, merged)| *merged).filter(|(_, _, merged)| *merged != NONE)
    }

    /// The runs when every pair of `left` and `right` is merged.
    fn after(&self, left: u32, right: u32, merged: u32) -> Self {
        let mut runs = Runs::EMPTY;
        let mut gone = 0; // of the run that comes next
        for (i, run) in self.all().iter().enumerate() {
            let times = run.times - std::mem::take(&mut gone);
            if left == right && run.token == left {
                runs.push(merged, times / 2);
                runs.push(left, times % 2);
            } else if times > 0
                && run.token == left
                && self.all().get(i + 1).is_some_and(|next| next.token == right)
            {
                runs.push(left, times - 1);
                runs.push(merged, 1);
                gone = 1;
            } else {
                runs.push(run.token, times);
            }
        }
        runs
    }

    /// Adds tokens behind the last run, or to it.
    fn push(&mut self, token: u32, times: usize) {
        if let Some(last) = self.runs[..self.count].last_mut().filter(|last| last.token == token) {
            last.times += times;
        } else if times > 0 {
            self.runs[self.count] = Run { token, times };
            self.count += 1;
        }
    }
}

/// How often `byte` stands at the beginning of `bytes`. Thirty-two bytes are compared together.
fn run_length(bytes: &[u8], byte: u8) -> usize {
    const TOGETHER: usize = 32;
    let same = |chunk: &&[u8; TOGETHER]| chunk.iter().fold(true, |same, b| same & (*b == byte));
    let whole = TOGETHER * bytes.as_chunks().0.iter().take_while(same).count();
    whole + bytes[whole..].iter().take_while(|other| **other == byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merging::merge::{Room, merge_long};
    use crate::testing::{DATA, dice};

    fn merged(v: &Vocabulary, piece: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        merge_long(v, &mut Room::default(), piece, |id| ids.push(id));
        ids
    }

    fn by_runs(v: &Vocabulary, piece: &[u8]) -> Option<Vec<u32>> {
        let runs = Runs::of(v, piece)?;
        let ids = runs.all().iter().flat_map(|run| std::iter::repeat_n(run.token, run.times));
        assert_eq!(ids.clone().count(), runs.tokens());
        Some(ids.collect())
    }

    #[test]
    fn a_run_of_any_byte_and_length_is_what_merging_makes_of_it() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        for byte in 0..=u8::MAX {
            for length in (1..150).chain([256, 257, 511, 1000, 1337]) {
                let piece = vec![byte; length];
                assert_eq!(by_runs(&v, &piece), Some(merged(&v, &piece)), "{byte} x {length}");
            }
        }
    }

    #[test]
    fn a_few_runs_are_what_merging_makes_of_them() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        let mut roll = dice(5);
        let alphabets: [&[u8]; 5] =
            [b" -=\n", b"ab", b"=-+|#*/_~. ", b"aeioustnr ", b"\xe2\x94\x80 "];
        let (mut taken, rounds) = (0, 40_000);
        for round in 0..rounds {
            let alphabet = alphabets[round % 5];
            let mut piece = Vec::new();
            for _ in 0..1 + roll(9) {
                let length = if roll(3) == 0 { 1 + roll(80) } else { 1 + roll(4) };
                piece.extend(std::iter::repeat_n(alphabet[roll(alphabet.len())], length));
            }
            if let Some(ids) = by_runs(&v, &piece) {
                assert_eq!(ids, merged(&v, &piece), "{:?}", String::from_utf8_lossy(&piece));
                taken += 1;
            }
        }
        assert!(taken > rounds * 9 / 10, "{taken}");
    }

    #[test]
    fn many_runs_are_declined() {
        let v = Vocabulary::from_compact(DATA).unwrap();
        assert!(Runs::of(&v, b"abcdefgh").is_some());
        assert!(Runs::of(&v, b"abcdefghi").is_none());
    }
}
