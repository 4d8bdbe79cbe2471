//! One signal that everybody hears: leave, by then.

use std::io::{self, PipeReader, PipeWriter};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::clock::Tick;

/// The signal. Threads look at the flag between batches, epoll wakes by the pipe, tasks await the deadline.
pub(super) struct Stop {
    is_set: AtomicBool,
    deadline: watch::Sender<Option<Tick>>,
    writer: Mutex<Option<PipeWriter>>,
    reader: PipeReader,
}

impl Stop {
    pub(super) fn new() -> io::Result<Stop> {
        let (reader, writer) = io::pipe()?;
        let (is_set, deadline) = (AtomicBool::new(false), watch::Sender::new(None));
        Ok(Stop { is_set, deadline, writer: Mutex::new(Some(writer)), reader })
    }

    /// Everybody is to finish what is begun, and to be gone by `deadline`.
    pub(super) fn set(&self, deadline: Tick) {
        self.deadline.send_replace(Some(deadline));
        self.is_set.store(true, Ordering::Release);
        // A pipe whose writer is gone can be read, for all who wait for it.
        self.writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    }

    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Can be read once the signal is set.
    pub(super) fn pipe(&self) -> &PipeReader {
        &self.reader
    }

    /// Waits for the signal; when to be gone.
    pub(super) async fn wait(&self) -> Tick {
        let mut deadline = self.deadline.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail; and then there is a deadline.
        let deadline = deadline.wait_for(Option::is_some).await;
        deadline.ok().and_then(|deadline| *deadline).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn all_three_ways_to_hear_the_signal_agree() {
        let stop = Stop::new().unwrap();
        assert!(!stop.is_set());
        assert!(stop.wait().now_or_never().is_none());
        stop.set(Tick(7));
        assert!(stop.is_set());
        assert_eq!(stop.wait().now_or_never(), Some(Tick(7)));
        assert_eq!(stop.pipe().read(&mut [0]).unwrap(), 0);
    }
}
