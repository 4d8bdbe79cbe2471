//! Doors and roads: sockets, threads and clocks.
//!
//! Given: addresses or open sockets, what is published, a notebook for each thread. Must not know: configuration text,
//! commands, how any answer is made. RFC 1035 4.2, 7766, 9715.
//!
//! A core has two threads: a worker that answers datagrams in batches (`udp`), and a runtime that owns the core's
//! streams and the requests that wait (`core`). Both bring octets to a `desk` and carry octets back.

mod admission;
mod bounds;
pub mod chance;
pub mod clock;
mod connection;
mod core;
mod desk;
pub mod listen;
pub mod owner;
mod panics;
mod stop;
pub mod sys;
mod tcp;
mod udp;
mod upstream;
mod upstream_udp;
mod waiting;
mod work_bench;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

use self::admission::Admission;
pub use self::bounds::Bounds;
use self::clock::Clock;
use self::core::{Core, Shared, Stream};
use self::desk::{Desk, HouseDesk};
pub use self::listen::{BindError, Doors, InheritError, Listen};
use self::panics::Panics;
use self::stop::Stop;
use self::udp::Worker;
pub use self::upstream::{Outgoing, Upstream};
use self::waiting::Queue;
use crate::observe::{Recorder, Transport};
use crate::service::Published;

/// Serves the doors with what is published, two threads a worker, each with a recorder of its own.
pub fn serve(
    doors: Doors,
    published: &Arc<Published>,
    make_recorder: &dyn Fn() -> Recorder,
    clock: Arc<Clock>,
    bounds: Bounds,
) -> io::Result<Running> {
    let workers = doors.workers;
    serve_desks(doors, &mut || HouseDesk::new(published, make_recorder(), workers), clock, bounds)
}

fn serve_desks<D: Desk>(
    doors: Doors,
    make_desk: &mut dyn FnMut() -> D,
    clock: Arc<Clock>,
    bounds: Bounds,
) -> io::Result<Running> {
    let shared = Arc::new(Shared {
        clock,
        admission: Arc::new(Admission::new(bounds.connections)),
        bounds,
        stop: Stop::new()?,
        panics: Panics::new(),
        unsent: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let addresses = doors.addresses();
    // From here on an error ends the threads already started, when `running` is dropped.
    let mut running = Running { shared, threads: Vec::new(), blocking_sockets: Vec::new(), addresses };
    for worker in 0..doors.workers {
        running.start_core(&doors, worker, make_desk)?;
    }
    Ok(running)
}

/// Doors that are served. Dropped without [`Running::stop`] they close at once.
pub struct Running {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Sockets in whose receive a worker sleeps.
    blocking_sockets: Vec<Arc<UdpSocket>>,
    addresses: Vec<(SocketAddr, Transport)>,
}

impl Running {
    /// The addresses of all doors.
    pub fn addresses(&self) -> &[(SocketAddr, Transport)] {
        &self.addresses
    }

    /// Becomes true when the process should end with an error, to be started anew by its supervisor: three panics
    /// within ten seconds, or a thread of the doors that is gone. What can be served is served until then.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.shared.panics.failed()
    }

    /// Responses the kernel would not send, since the start.
    pub fn unsent(&self) -> u64 {
        self.shared.unsent.load(Ordering::Relaxed)
    }

    /// Connections closed at once because all places were taken, since the start.
    pub fn refused_connections(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.shared.admission.open()
    }

    /// Closes the doors: what was received is answered, as far as that takes no longer than `drain`. Returns when
    /// all threads have ended.
    pub fn stop(mut self, drain: Duration) {
        self.end(drain);
    }

    /// As [`Running::stop`] for sockets that others serve from here on: they stay open. Takes up to
    /// [`limits::DOOR_IDLE`](crate::limits::DOOR_IDLE) longer, since nobody wakes a worker that sleeps in a receive.
    pub fn leave(mut self, drain: Duration) {
        self.blocking_sockets.clear();
        self.end(drain);
    }

    fn start_core<D: Desk>(
        &mut self,
        doors: &Doors,
        worker: usize,
        make_desk: &mut dyn FnMut() -> D,
    ) -> io::Result<()> {
        let shared = &self.shared;
        let places = Arc::new(Semaphore::new((shared.bounds.waiting / doors.workers).max(1)));
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Queue { places: places.clone(), sender };
        let datagrams = Worker::new(doors, worker, make_desk(), queue, shared.clone())?;
        let streams = Stream::of_worker(doors, worker)?;
        let core = Arc::new(Core::new(make_desk(), places, shared.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        self.spawn(format!("core-{worker}"), move || core.run(&runtime, streams, receiver))?;
        if let Some(datagrams) = datagrams {
            self.blocking_sockets.extend(datagrams.blocking_socket());
            self.spawn(format!("udp-{worker}"), move || datagrams.run())?;
        }
        Ok(())
    }

    fn spawn(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let shared = self.shared.clone();
        let guarded = move || {
            // Unwind safety: what a lost thread leaves behind is not used again, the process is to end.
            if catch_unwind(AssertUnwindSafe(body)).is_err() {
                tracing::error!("thread {} is lost", thread::current().name().unwrap_or_default());
                shared.panics.fail();
            }
        };
        self.threads.push(thread::Builder::new().name(name).spawn(guarded)?);
        Ok(())
    }

    fn end(&mut self, drain: Duration) {
        self.shared.stop.set(self.shared.clock.now().tick.plus(drain));
        for socket in self.blocking_sockets.drain(..) {
            listen::end_receive(&socket);
        }
        for thread in self.threads.drain(..) {
            // A panic of the thread was caught and reported inside.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}
