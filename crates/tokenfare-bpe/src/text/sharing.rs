//! Counting with several threads at once.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::interrupts::{Leader, ask, worked};
use crate::memory::Memory;
use crate::text::source::Text;
use crate::tokenizer::Tokenizer;

/// Bytes of text that a thread takes at a time; starting a thread costs about as much as counting
/// these.
const SHARE: usize = 64 * 1024;

/// The fixed cost of a text, whatever its length, as so many bytes of another.
const A_TEXT: usize = 16;

/// How long the calling thread waits for the others before it asks its caller whether to go on.
const PATIENCE: Duration = Duration::from_millis(10);

impl Tokenizer {
    /// How many tokens `text` is, counted by up to `threads` threads.
    ///
    /// The text is cut where counts add up (see `cuts`); a text that has no such place is counted
    /// by one thread.
    pub fn count_with_threads<'a>(&self, text: impl Into<Text<'a>>, threads: usize) -> usize {
        let shares: Vec<Text<'_>> = text.into().shares(&self.splitting, SHARE).collect();
        self.counts(&shares, threads).into_iter().sum()
    }

    /// The count of each text, in order, on as many threads as the machine has cores.
    ///
    /// Each thread starts with its own range of neighbouring texts, in small shares, and helps with
    /// the others' when its own are done, so one long text among short ones holds up nobody.
    pub fn count_batch<'a, T>(&self, texts: &[T]) -> Vec<usize>
    where
        T: Copy + Into<Text<'a>> + Sync,
    {
        self.counts(texts, std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn counts<'a, T>(&self, texts: &[T], threads: usize) -> Vec<usize>
    where
        T: Copy + Into<Text<'a>> + Sync,
    {
        let shares = shares_of(texts);
        if threads <= 1 || shares.len() == 1 {
            let count = |text: &T| {
                worked(A_TEXT);
                self.count(*text)
            };
            return texts.iter().map(count).collect();
        }
        let counts: Vec<AtomicUsize> = texts.iter().map(|_| AtomicUsize::new(0)).collect();
        let threads = threads.min(shares.len());
        let regions = Regions::new(shares.len(), threads);
        // A thread keeps its memory from share to share. If it moved between cores, the contents of
        // their caches would have to follow, and two threads would be no faster than one. From call
        // to call, the same memory serves the same region, so that texts seen before are known
        // there.
        let kept: Vec<Option<Box<Memory>>> = (0..threads).map(|_| self.kept_memory()).collect();
        let work = |thread: usize, memory: Option<Box<Memory>>| {
            let mut memory = memory.unwrap_or_default();
            for share in regions.of(thread).filter_map(|share| shares.get(share)) {
                for i in share.clone() {
                    worked(A_TEXT);
                    counts[i].store(self.count_text(&mut memory, texts[i].into()), Relaxed);
                }
            }
            memory
        };
        let used = std::thread::scope(|scope| {
            // Dropped before the scope waits for its threads, so that they end if this thread
            // unwinds.
            let leader = Leader::default();
            let (at_work, all_done) = channel::<()>();
            let mut kept = kept.into_iter().enumerate();
            let first = kept.next();
            let others = kept.map(|(thread, memory)| {
                let (at_work, follower) = (at_work.clone(), leader.follower());
                std::thread::Builder::new().spawn_scoped(scope, move || {
                    let memory = follower.follow(|| work(thread, memory));
                    drop(at_work);
                    memory
                })
            });
            // If the system gives no more threads, those that there are do all of the work.
            let others: Vec<_> = others.map_while(Result::ok).collect();
            drop(at_work);
            let first = first.map(|(thread, memory)| work(thread, memory));
            while all_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                ask();
            }
            let others = others.into_iter().filter_map(|other| match other.join() {
                Ok(memory) => memory,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            first.into_iter().chain(others).collect::<Vec<_>>()
        });
        // Returned in reverse order, since the one returned last is the first to be borrowed again.
        used.into_iter().rev().for_each(|memory| self.give_back(memory));
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }
}

/// Shares that the threads divide among themselves: each thread has a region of its own, and goes
/// on with the regions after it.
struct Regions {
    /// The next place of each region, and its end.
    regions: Vec<(AtomicUsize, usize)>,
}

impl Regions {
    fn new(places: usize, threads: usize) -> Self {
        let border = |i: usize| i * places / threads;
        let region = |i| (AtomicUsize::new(border(i)), border(i + 1));
        Regions { regions: (0..threads).map(region).collect() }
    }

    /// The places that a thread takes, as long as any are left.
    fn of(&self, thread: usize) -> impl Iterator<Item = usize> {
        let in_turn = self.regions.iter().cycle().skip(thread).take(self.regions.len());
        in_turn.flat_map(|(next, end)| {
            std::iter::repeat_with(|| next.fetch_add(1, Relaxed)).take_while(|place| place < end)
        })
    }
}

/// Ranges of texts with about [`SHARE`] bytes each.
fn shares_of<'a, T: Copy + Into<Text<'a>>>(texts: &[T]) -> Vec<Range<usize>> {
    let mut shares = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (i, text) in texts.iter().enumerate() {
        bytes += (*text).into().bytes();
        if bytes >= SHARE {
            shares.push(start..i + 1);
            (start, bytes) = (i + 1, 0);
        }
    }
    shares.push(start..texts.len());
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupts::interruptible;
    use crate::testing::{DATA, questions};

    #[test]
    fn what_is_ended_at_any_question_leaves_nothing_half_done() {
        let tokenizer = Tokenizer::from_compact(DATA).unwrap();
        let long = ["word by word ", "国科", "e\u{301} ", "xqzjv", "\u{323}\u{301}", "füße\n"]
            .map(|unit| unit.repeat(300_000 / unit.len()));
        let texts: Vec<&str> = long.iter().map(String::as_str).cycle().take(24).collect();
        let expected: Vec<usize> = texts.iter().map(|text| tokenizer.count(*text)).collect();
        for last in 1..60 {
            let mut questions = 0..last;
            let go_on = move || questions.next().is_some();
            let ended = interruptible(go_on, || tokenizer.counts(&texts, 3));
            assert!(ended.is_none_or(|counts| counts == expected), "{last}");
        }
        let asked = |threads| {
            questions(|| assert_eq!(tokenizer.counts(&texts, threads).len(), texts.len()))
        };
        assert!(asked(1) > 60);
        assert!(asked(3) > 5);
        assert_eq!(tokenizer.counts(&texts, 3), expected);
    }

    #[test]
    fn threads_take_every_place_once_beginning_with_their_own() {
        for (places, threads) in [(1, 1), (2, 2), (7, 2), (7, 3), (100, 8)] {
            let regions = Regions::new(places, threads);
            let first: Vec<_> = (0..threads).filter_map(|i| regions.of(i).next()).collect();
            assert_eq!(first, (0..threads).map(|i| i * places / threads).collect::<Vec<_>>());
            let mut taken: Vec<_> = regions.of(threads - 1).chain(first).collect();
            taken.sort_unstable();
            assert_eq!(taken, (0..places).collect::<Vec<_>>());
        }
    }
}
