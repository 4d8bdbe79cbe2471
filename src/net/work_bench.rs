//! Where long computations are done: a few threads of their own, behind those that answer in the eyes of the kernel.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::sys::process;
use crate::limits;

type Work = (Box<dyn FnOnce() + Send>, oneshot::Sender<()>);

/// A queue and the threads that work it off. They begin with the first piece of work, and end with the bench.
#[derive(Debug, Default)]
pub(super) struct WorkBench {
    queue: OnceLock<Option<Arc<Queue>>>,
}

/// What waits for a thread. A thread is woken only for work that finds one asleep: most pieces are shorter than waking
/// somebody, and those who are at it take the next one themselves.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    has_changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    /// Threads that wait for work.
    asleep: usize,
    is_over: bool,
}

impl WorkBench {
    /// Has the work done. Resolves when it is, or was dropped undone because the queue is full or a thread could not be had.
    pub(super) fn put(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (done, is_done) = oneshot::channel();
        if let Some(queue) = self.queue.get_or_init(begin) {
            queue.put((work, done));
        }
        is_done.map(drop).boxed()
    }
}

impl Drop for WorkBench {
    fn drop(&mut self) {
        if let Some(Some(queue)) = self.queue.get() {
            queue.state().is_over = true;
            queue.has_changed.notify_all();
        }
    }
}

impl Queue {
    /// A full queue drops the work, and its sender with it.
    fn put(&self, work: Work) {
        let mut state = self.state();
        if state.waiting.len() >= limits::COMPUTATIONS_WAITING {
            return;
        }
        state.waiting.push_back(work);
        let is_somebody_asleep = state.asleep > 0;
        drop(state);
        if is_somebody_asleep {
            self.has_changed.notify_one();
        }
    }

    /// The next piece of work, waited for; none when there is and will be none.
    fn take(&self) -> Option<Work> {
        let mut state = self.state();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                return Some(work);
            }
            if state.is_over {
                return None;
            }
            state.asleep += 1;
            state = self.has_changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.state().waiting.len()).finish_non_exhaustive()
    }
}

fn begin() -> Option<Arc<Queue>> {
    let queue = Arc::<Queue>::default();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut begun = 0;
    for _ in 0..threads {
        let queue = queue.clone();
        let thread = thread::Builder::new().name("namu-compute".into());
        begun += usize::from(thread.spawn(move || work_off(&queue)).is_ok());
    }
    (begun > 0).then_some(queue)
}

fn work_off(queue: &Queue) {
    process::give_way();
    while let Some((work, done)) = queue.take() {
        // Whoever waits notices that there is no result.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let _ = done.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn work_is_done_and_a_full_bench_drops_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = WorkBench::default();
        let done = Arc::new(AtomicUsize::new(0));
        let count = |done: &Arc<AtomicUsize>| {
            let done = done.clone();
            Box::new(move || _ = done.fetch_add(1, Ordering::SeqCst))
        };
        runtime.block_on(bench.put(count(&done)));
        assert_eq!(done.load(Ordering::SeqCst), 1);
        runtime.block_on(bench.put(Box::new(|| panic!("work that breaks"))));
        runtime.block_on(bench.put(count(&done)));
        assert_eq!(done.load(Ordering::SeqCst), 2, "the thread goes on");
        // Nobody works before the gate opens; all threads stand at it, the queue fills, and one more is too many.
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock().unwrap();
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let stand = || {
            let gate = gate.clone();
            bench.put(Box::new(move || drop(gate.lock())))
        };
        let held: Vec<_> = (0..threads + limits::COMPUTATIONS_WAITING).map(|_| stand()).collect();
        // Threads may not have taken theirs yet, so a few of these find no room; far more than all do.
        let more: Vec<_> = (0..limits::COMPUTATIONS_WAITING).map(|_| bench.put(count(&done))).collect();
        drop(closed);
        held.into_iter().chain(more).for_each(|work| runtime.block_on(work));
        assert!(done.load(Ordering::SeqCst) < 2 + limits::COMPUTATIONS_WAITING, "some were dropped");
    }
}
