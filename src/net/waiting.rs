//! Datagrams whose answer has to wait: from the worker to its core's runtime, and back to the client.

use std::future::Future;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::core::{Alive, Core};
use super::desk::{self, Desk, Exchange};
use super::sys::batch::send_one;
use crate::observe::Event;
use crate::service::{Packet, Replies};

/// A request on its way to the runtime of its core.
pub(super) struct Waiting<R> {
    pub request: R,
    pub origin: Origin,
    /// Given back when the answer is complete: what bounds the queue, which itself has no bound.
    pub place: OwnedSemaphorePermit,
}

/// Where a datagram came from, and all that is needed to answer it later.
pub(super) struct Origin {
    pub octets: Box<[u8]>,
    pub exchange: Exchange,
    pub local: SocketAddr,
    pub socket: Arc<UdpSocket>,
    /// The client as the socket knows it: one of IPv4 may be written as IPv6.
    pub client: SocketAddr,
    /// The address to answer from, when the socket does not say it itself.
    pub source: Option<IpAddr>,
}

/// The worker's end of the queue.
pub(super) struct Queue<R> {
    pub places: Arc<Semaphore>,
    pub sender: mpsc::UnboundedSender<Waiting<R>>,
}

impl<R> Queue<R> {
    /// Puts a request into the queue; false when it is full.
    pub(super) fn push(&self, request: R, origin: impl FnOnce() -> Origin) -> bool {
        let Ok(place) = self.places.clone().try_acquire_owned() else { return false };
        self.sender.send(Waiting { request, origin: origin(), place }).is_ok()
    }
}

/// Completes one request.
pub(super) async fn answer<D: Desk>(core: Arc<Core<D>>, waiting: Waiting<D::Request>, _alive: Alive) {
    let Waiting { request, origin, place: _place } = waiting;
    let mut replies = DatagramReplies { core, origin };
    // Unwind safety: after a panic only `core` and `origin` are used, which `complete` cannot leave half changed.
    if AssertUnwindSafe(D::complete(request, &mut replies)).catch_unwind().await.is_err() {
        replies.recover();
    }
}

struct DatagramReplies<D> {
    core: Arc<Core<D>>,
    origin: Origin,
}

impl<D: Desk> Replies for DatagramReplies<D> {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        self.send_now(&octets, event);
        // Nobody can say of a datagram that its client is gone.
        Box::pin(std::future::ready(true))
    }

    fn give_up(&mut self, event: Event) {
        self.record(&event);
    }
}

impl<D: Desk> DatagramReplies<D> {
    fn send_now(&self, octets: &[u8], event: Option<Event>) {
        let Origin { socket, client, source, .. } = &self.origin;
        let shared = &self.core.shared;
        if send_one(socket, octets, *client, *source).is_err() {
            shared.unsent.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(event) = event {
            self.record(&event);
        }
    }

    fn record(&self, event: &Event) {
        let sent = self.core.shared.clock.now();
        self.core.bench().desk.record(&self.origin.octets, self.origin.exchange, event, sent);
        self.core.noted();
    }

    fn recover(&self) {
        let Origin { exchange, local, octets, .. } = &self.origin;
        let packet = Packet { octets, client: exchange.client, local: *local, transport: exchange.transport };
        let now = self.core.shared.clock.now();
        let mut out = vec![0; octets.len().max(512)];
        let panics = &self.core.shared.panics;
        let recovered = desk::recover(&mut self.core.bench().desk, &packet, now, &mut out, panics);
        if let Some((length, event)) = recovered {
            self.send_now(&out[..length], Some(event));
        }
    }
}
