//! What stands behind the doors of one thread: the service, and the notebook it is written down in.
//!
//! The house has one implementation, [`HouseDesk`]. The doors are written against the trait, so that their tests
//! bring a service that panics, waits or answers at length when told to.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::panics::Panics;
use crate::clock::{Now, Tick};
use crate::observe::{DropReason, Event, Recorder, Transport};
use crate::service::{self, Begin, Packet, Published, Replies};

/// What the doors of one thread bring their requests to.
pub(super) trait Desk: Send + 'static {
    /// A request that has to wait.
    type Request: Send + 'static;

    /// Takes a newer snapshot if there is one. Called after a receive and before the first `begin` of what came,
    /// and from time to time when nothing comes.
    fn refresh(&mut self);

    /// The first half of an answer.
    fn begin(&mut self, packet: &Packet<'_>, now: Now, out: &mut [u8]) -> Step<Self::Request>;

    /// SERVFAIL for a request that made the service panic.
    fn recover(&mut self, packet: &Packet<'_>, out: &mut [u8]) -> Option<(usize, Event)>;

    /// The second half of an answer.
    fn complete(request: Self::Request, replies: &mut dyn Replies) -> impl Future<Output = ()>;

    /// Writes down what was answered, after it was sent.
    fn record(&mut self, request: &[u8], of: Exchange, event: &Event, sent: Now);

    /// Counts a request that got no response.
    fn dropped(&mut self, reason: DropReason);

    /// Counts a request that made the service panic.
    fn panicked(&mut self);

    /// Whether lines of the log wait here.
    fn has_pending(&self) -> bool;

    /// Hands waiting lines on if they are old enough.
    fn hand_over(&mut self, now: Tick);
}

/// What became of a request in the first half.
pub(super) enum Step<R> {
    /// The response stands in the first `length` octets of the buffer.
    Answered { length: usize, event: Event },
    /// No response.
    Dropped(DropReason),
    /// No response either, but this is written down.
    Silent(Event),
    /// It has to wait.
    Waiting(R),
}

/// Whose request it was, through which door and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pub client: SocketAddr,
    pub transport: Transport,
    pub received: Now,
}

/// Begins a request; a panic costs this one request, which is answered SERVFAIL if it can be.
pub(super) fn begin<D: Desk>(
    desk: &mut D,
    packet: &Packet<'_>,
    now: Now,
    out: &mut [u8],
    panics: &Panics,
) -> Step<D::Request> {
    // Unwind safety: what the desk keeps between requests holds no lock, and a half-written response is not sent.
    match catch_unwind(AssertUnwindSafe(|| desk.begin(packet, now, out))) {
        Ok(step) => step,
        Err(_) => match recover(desk, packet, now, out, panics) {
            Some((length, event)) => Step::Answered { length, event },
            None => Step::Dropped(DropReason::TooShort),
        },
    }
}

/// What is left to say after a panic: it is counted and logged with the octets, and SERVFAIL is made.
pub(super) fn recover<D: Desk>(
    desk: &mut D,
    packet: &Packet<'_>,
    now: Now,
    out: &mut [u8],
    panics: &Panics,
) -> Option<(usize, Event)> {
    desk.panicked();
    panics.note(now.tick, packet);
    catch_unwind(AssertUnwindSafe(|| desk.recover(packet, out))).ok().flatten()
}

/// The house's own: `service`, and a recorder.
pub(super) struct HouseDesk {
    local: service::Local,
    snapshots: service::Reader,
    recorder: Recorder,
}

impl HouseDesk {
    /// The desk of one of so many workers.
    pub(super) fn new(published: &Arc<Published>, recorder: Recorder, workers: usize) -> HouseDesk {
        let local = service::Local::new(rand::random(), workers);
        HouseDesk { local, snapshots: published.reader(), recorder }
    }
}

impl Desk for HouseDesk {
    type Request = Box<service::Request>;

    fn refresh(&mut self) {
        self.snapshots.current();
    }

    fn begin(&mut self, packet: &Packet<'_>, now: Now, out: &mut [u8]) -> Step<Self::Request> {
        match service::begin(&mut self.local, packet, self.snapshots.current(), now, out) {
            Begin::Done { length, event } => Step::Answered { length, event },
            Begin::Drop(reason) => Step::Dropped(reason),
            Begin::Silent(event) => {
                self.recorder.dropped(DropReason::RateLimit);
                Step::Silent(event)
            }
            Begin::Continue(request) => Step::Waiting(request),
        }
    }

    fn recover(&mut self, packet: &Packet<'_>, out: &mut [u8]) -> Option<(usize, Event)> {
        service::recover(packet, self.snapshots.current(), out)
    }

    async fn complete(request: Self::Request, replies: &mut dyn Replies) {
        service::complete(*request, replies).await;
    }

    fn record(&mut self, request: &[u8], of: Exchange, event: &Event, sent: Now) {
        let took = sent.tick.since(of.received.tick);
        self.recorder.record(request, of.client, of.transport, event, of.received.unix, took);
    }

    fn dropped(&mut self, reason: DropReason) {
        self.recorder.dropped(reason);
    }

    fn panicked(&mut self) {
        self.recorder.panicked();
    }

    fn has_pending(&self) -> bool {
        self.recorder.has_pending()
    }

    fn hand_over(&mut self, now: Tick) {
        self.recorder.hand_over(now);
    }
}
