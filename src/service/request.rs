//! A request, borrowed as it came through a door or owned by one that waits, and where its responses go.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use super::{Snapshot, waiting};
use crate::clock::Now;
use crate::observe::{Event, Transport};
use crate::transfer;

/// A request as it came through a door.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// The octets of the message, without the length of a stream.
    pub octets: &'a [u8],
    /// Who sent it.
    pub client: SocketAddr,
    /// The address and port it was sent to.
    pub local: SocketAddr,
    /// The door.
    pub transport: Transport,
}

/// A query that has to wait. It keeps the snapshot it began with, so its answer mixes no two versions.
#[derive(Debug)]
pub struct Request {
    /// The octets of the message.
    pub octets: Box<[u8]>,
    /// Who sent it.
    pub client: SocketAddr,
    /// The address and port it was sent to, and so the source of the response.
    pub local: SocketAddr,
    /// The door.
    pub transport: Transport,
    /// When it came.
    pub received: Now,
    pub(super) snapshot: Arc<Snapshot>,
    /// The right to a zone transfer, when that is what was asked for.
    pub(super) transfer: Option<transfer::Place>,
    /// The right to wait for recursion.
    pub(super) place: Option<waiting::Place>,
}

impl Request {
    /// The borrowed form.
    pub fn packet(&self) -> Packet<'_> {
        Packet { octets: &self.octets, client: self.client, local: self.local, transport: self.transport }
    }
}

/// Where the messages of one response go, in order: one for an answer, many for a transfer.
pub trait Replies: Send {
    /// Sends one message; the event, with the last one, is what to write down once it is sent. False when
    /// the client is gone and no further message is of use.
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

    /// What to write down of a response that does not reach its end.
    fn give_up(&mut self, event: Event);
}
