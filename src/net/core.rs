//! The second thread of a core: a runtime that owns the core's streams and the requests that wait.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::Runtime;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{LocalSet, spawn_local};

use super::admission::Admission;
use super::bounds::Bounds;
use super::clock::Clock;
use super::desk::Desk;
use super::panics::Panics;
use super::stop::Stop;
use super::waiting::{self, Waiting};
use super::{listen, tcp};
use crate::clock::Tick;
use crate::limits;

/// What all threads of the doors share.
pub(super) struct Shared {
    pub clock: Arc<Clock>,
    pub bounds: Bounds,
    pub stop: Stop,
    pub panics: Panics,
    pub admission: Arc<Admission>,
    pub unsent: AtomicU64,
    pub refused: AtomicU64,
}

/// What the tasks of one core share.
pub(super) struct Core<D> {
    pub shared: Arc<Shared>,
    bench: Mutex<Bench<D>>,
    has_noted: Notify,
    places: Arc<Semaphore>,
}

/// The desk of a core's tasks, and buffers for one message each way. Locked for the time of one `begin`, never
/// across an await; other threads never want it.
pub(super) struct Bench<D> {
    pub desk: D,
    pub input: Box<[u8]>,
    pub output: Box<[u8]>,
}

/// Held by every task that must have ended before its core may.
pub(super) type Alive = mpsc::Sender<std::convert::Infallible>;

impl<D: Desk> Core<D> {
    /// A core where so many requests may wait at once.
    pub(super) fn new(desk: D, places: Arc<Semaphore>, shared: Arc<Shared>) -> Core<D> {
        let input = vec![0; limits::TCP_READ].into();
        let output = vec![0; usize::from(u16::MAX)].into();
        Core { shared, bench: Mutex::new(Bench { desk, input, output }), has_noted: Notify::new(), places }
    }

    pub(super) fn bench(&self) -> MutexGuard<'_, Bench<D>> {
        // A panic of the service is caught inside; one of ours leaves the buffers in any state, which is a valid one.
        self.bench.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A place for a request that has to wait, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Something was written down: the log has to be handed on in time.
    pub(super) fn noted(&self) {
        self.has_noted.notify_one();
    }

    /// Runs the core until the stop signal, then until its tasks have ended or the deadline has come.
    pub(super) fn run(
        self: Arc<Self>,
        runtime: &Runtime,
        streams: Vec<Stream>,
        queue: mpsc::UnboundedReceiver<Waiting<D::Request>>,
    ) {
        let core = self.clone();
        LocalSet::new().block_on(runtime, self.serve(streams, queue));
        core.bench().desk.hand_over(Tick(u64::MAX));
    }

    async fn serve(
        self: Arc<Self>,
        streams: Vec<Stream>,
        mut queue: mpsc::UnboundedReceiver<Waiting<D::Request>>,
    ) {
        let (alive, mut ended) = mpsc::channel(1);
        spawn_local(self.clone().keep_house());
        for stream in streams {
            spawn_local(tcp::accept(self.clone(), stream, alive.clone()));
        }
        // Ends when the core's datagram worker does: at the stop signal, when it has answered what was queued.
        while let Some(waiting) = queue.recv().await {
            spawn_local(waiting::answer(self.clone(), waiting, alive.clone()));
        }
        let deadline = self.shared.stop.wait().await;
        drop(alive);
        let rest = deadline.since(self.shared.clock.now().tick);
        let _ = tokio::time::timeout(rest, ended.recv()).await;
    }

    /// Hands the log on soon after something was written, and lets go of an old snapshot when nothing happens.
    async fn keep_house(self: Arc<Self>) {
        loop {
            if tokio::time::timeout(limits::DOOR_IDLE, self.has_noted.notified()).await.is_ok() {
                tokio::time::sleep(limits::ACCESS_LOG_DELAY).await;
            }
            let now = self.shared.clock.now().tick;
            let desk = &mut self.bench().desk;
            desk.refresh();
            if desk.has_pending() {
                desk.hand_over(now);
            }
            if desk.has_pending() {
                self.noted();
            }
        }
    }
}

/// A listener of one core.
pub(super) struct Stream {
    pub listener: TcpListener,
    /// Others outside may go on with it, so connections not accepted yet are left to them.
    pub is_shared: bool,
}

impl Stream {
    /// The listeners of a worker.
    pub(super) fn of_worker(doors: &listen::Doors, worker: usize) -> io::Result<Vec<Stream>> {
        let stream = |door: &listen::Door<TcpListener>| {
            let is_shared = matches!(door.sockets, listen::Sockets::Shared(_));
            Ok(Stream { listener: door.sockets.of(worker).try_clone()?, is_shared })
        };
        doors.streams.iter().map(stream).collect()
    }
}
