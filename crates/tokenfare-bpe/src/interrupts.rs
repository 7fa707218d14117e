//! Long work that its caller may want to end before it is done.
//!
//! Work says now and then how much it has done, and when that is much, whoever asked for it is asked
//! whether it shall go on. Where not, it is thrown away by unwinding, as a panic that nobody reports: a
//! result that says so would have to go through every function from the merge of two tokens up.
//! Nothing is left half done by that: what a thread has learnt is its own until a call is over, and
//! goes with the work.
//!
//! Not here: a clock, a signal, a limit. Who asks knows those.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Bytes of text between two questions: some milliseconds at the worst, and so much that asking costs
/// nothing.
const BETWEEN: usize = 1 << 16;

type GoOn = Box<dyn FnMut() -> bool>;

thread_local! {
    static DONE: Cell<usize> = const { Cell::new(0) };
    static GO_ON: Cell<Option<GoOn>> = const { Cell::new(None) };
}

/// What unwinding carries.
struct Ended;

/// Does `work`, and asks `go_on` on this thread while it does; nothing if that said no.
///
/// `go_on` may do anything, other such work among it.
pub fn interruptible<T>(
    go_on: impl FnMut() -> bool + 'static,
    work: impl FnOnce() -> T,
) -> Option<T> {
    let before = GO_ON.replace(Some(Box::new(go_on)));
    let result = catch_unwind(AssertUnwindSafe(work));
    GO_ON.set(before);
    match result {
        Ok(result) => Some(result),
        Err(thrown) if thrown.is::<Ended>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// Notes that so many bytes are done, or as much work as those are. Does not return if that was all
/// that is wanted.
#[inline]
pub(crate) fn worked(bytes: usize) {
    let done = DONE.get().saturating_add(bytes);
    DONE.set(done);
    if done >= BETWEEN {
        ask();
    }
}

/// Asks now.
#[cold]
pub(crate) fn ask() {
    DONE.set(0);
    let Some(mut go_on) = GO_ON.take() else { return };
    let wanted = go_on();
    GO_ON.set(Some(go_on));
    if !wanted {
        resume_unwind(Box::new(Ended));
    }
}

/// The steps of a scan, which are too short to note each.
pub(crate) struct Steps {
    noted: usize,
}

impl Steps {
    #[inline(always)]
    pub(crate) fn from(at: usize) -> Self {
        Steps { noted: at }
    }

    /// That the scan has come to `at`.
    #[inline(always)]
    pub(crate) fn to(&mut self, at: usize) {
        if at - self.noted >= BETWEEN {
            ask();
            self.noted = at;
        }
    }
}

/// The thread that is asked, of several that share one work.
#[derive(Default)]
pub(crate) struct Leader(Arc<AtomicBool>);

impl Leader {
    /// For another thread.
    pub(crate) fn follower(&self) -> Follower {
        Follower(Arc::clone(&self.0))
    }
}

impl Drop for Leader {
    /// When the work is over, or unwinding goes by.
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Works as long as its leader does.
pub(crate) struct Follower(Arc<AtomicBool>);

impl Follower {
    /// Does `work`; nothing if the leader was gone before.
    pub(crate) fn follow<T>(self, work: impl FnOnce() -> T) -> Option<T> {
        interruptible(move || !self.0.load(Relaxed), work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// Asks, and says no to the question of this number.
    fn no_at(number: usize) -> (Rc<Cell<usize>>, impl FnMut() -> bool) {
        let asked = Rc::new(Cell::new(0));
        let counted = Rc::clone(&asked);
        let go_on = move || {
            counted.set(counted.get() + 1);
            counted.get() < number
        };
        (asked, go_on)
    }

    #[test]
    fn work_that_nobody_ends_is_done() {
        let (asked, go_on) = no_at(usize::MAX);
        let result = interruptible(go_on, || {
            (0..80).for_each(|_| worked(BETWEEN / 8));
            5
        });
        assert_eq!((result, asked.get()), (Some(5), 10));
        worked(usize::MAX); // of which nobody wants to know
        assert_eq!(asked.get(), 10);
    }

    #[test]
    fn work_ends_with_the_question_that_is_answered_no() {
        let (asked, go_on) = no_at(3);
        let done = Cell::new(0);
        let result = interruptible(go_on, || {
            loop {
                worked(BETWEEN);
                done.set(done.get() + 1);
            }
        });
        assert_eq!((result, asked.get(), done.get()), (None::<()>, 3, 2));
    }

    #[test]
    fn a_question_may_do_such_work_itself() {
        let go_on = || interruptible(|| false, || (0..9).for_each(|_| worked(BETWEEN))).is_none();
        let result = interruptible(go_on, || {
            (0..5).for_each(|_| worked(BETWEEN));
            7
        });
        assert_eq!(result, Some(7));
    }

    #[test]
    fn a_panic_goes_on_and_ends_the_asking() {
        let (asked, go_on) = no_at(2);
        let work = || interruptible(go_on, || resume_unwind(Box::new("it broke")));
        let thrown = catch_unwind(AssertUnwindSafe(work)).map(|_: Option<()>| ()).unwrap_err();
        assert_eq!(thrown.downcast_ref(), Some(&"it broke"));
        worked(usize::MAX);
        assert_eq!(asked.get(), 0);
    }
}
