//! Long work that its caller may want to end early.
//!
//! Work reports now and then how much it has done. When that adds up to enough, the caller is asked
//! whether to go on. If the answer is no, the work is abandoned by unwinding, with a panic that is
//! not reported. The plain way, a result that says "ended", would have to pass through every
//! function down to the merge of two tokens.
//!
//! Unwinding leaves nothing half done: what a thread learns belongs to the call until the call is
//! over, and is dropped with it.
//!
//! This module knows no clock, signal or limit. Whoever is asked knows those.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Bytes of text between two questions: some milliseconds at worst, and enough that asking costs
/// nothing that can be measured.
const BETWEEN: usize = 1 << 16;

type GoOn = Box<dyn FnMut() -> bool>;

thread_local! {
    static DONE: Cell<usize> = const { Cell::new(0) };
    static GO_ON: Cell<Option<GoOn>> = const { Cell::new(None) };
}

/// The payload of the unwinding.
struct Ended;

/// Does `work`, and meanwhile asks `go_on` on this thread whether to go on. `None` if `go_on` said
/// no.
///
/// `go_on` may do anything, including interruptible work of its own.
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

/// Reports `bytes` of text as done, or an equal amount of other work. Asks if enough has been done,
/// and does not return if the answer is no.
#[inline]
pub(crate) fn worked(bytes: usize) {
    let done = DONE.get().saturating_add(bytes);
    DONE.set(done);
    if done >= BETWEEN {
        ask();
    }
}

/// Asks now, and unwinds if the answer is no.
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

/// Reports the progress of a scan, whose single steps are too short to report each.
pub(crate) struct Steps {
    noted: usize,
}

impl Steps {
    #[inline(always)]
    pub(crate) fn from(at: usize) -> Self {
        Steps { noted: at }
    }

    /// The scan has reached `at`.
    #[inline(always)]
    pub(crate) fn to(&mut self, at: usize) {
        if at - self.noted >= BETWEEN {
            ask();
            self.noted = at;
        }
    }
}

/// Held by the one thread that is asked, of several that share the same work.
#[derive(Default)]
pub(crate) struct Leader(Arc<AtomicBool>);

impl Leader {
    /// A follower, to be given to another thread.
    pub(crate) fn follower(&self) -> Follower {
        Follower(Arc::clone(&self.0))
    }
}

impl Drop for Leader {
    /// Ends the followers, when the work is over or when unwinding passes by.
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Held by another thread, which works only as long as the leader exists.
pub(crate) struct Follower(Arc<AtomicBool>);

impl Follower {
    /// Does `work`; `None` if the leader was dropped first.
    pub(crate) fn follow<T>(self, work: impl FnOnce() -> T) -> Option<T> {
        interruptible(move || !self.0.load(Relaxed), work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// A `go_on` that counts its calls and says no to the call of this number.
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
        worked(usize::MAX); // nobody is asked
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
