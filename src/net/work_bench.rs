//! Where long computations are done: a few threads of their own, behind those that answer in the eyes of the kernel.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    queue: OnceLock<Option<SyncSender<Work>>>,
}

impl WorkBench {
    /// Has the work done. Resolves when it is, or was dropped undone because the queue is full or a thread could not be had.
    pub(super) fn put(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (done, is_done) = oneshot::channel();
        if let Some(queue) = self.queue.get_or_init(begin) {
            // A full queue gives the work back: it is dropped with its sender.
            let _ = queue.try_send((work, done));
        }
        is_done.map(drop).boxed()
    }
}

fn begin() -> Option<SyncSender<Work>> {
    let (sender, receiver) = sync_channel(limits::COMPUTATIONS_WAITING);
    let receiver = Arc::new(Mutex::new(receiver));
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut begun = 0;
    for _ in 0..threads {
        let receiver = receiver.clone();
        let thread = thread::Builder::new().name("namu-compute".into());
        begun += usize::from(thread.spawn(move || work_off(&receiver)).is_ok());
    }
    (begun > 0).then_some(sender)
}

fn work_off(queue: &Mutex<Receiver<Work>>) {
    process::give_way();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((work, done)) = next else { return };
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
