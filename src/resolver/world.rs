//! World: the one window of the engines. Octets, time and chance; everything cleverer is ours and is tested.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::clock::{Now, Tick};

/// Everything the engines may know of the outside.
pub trait World: Send + Sync {
    /// The time.
    fn now(&self) -> Now;

    /// 64 random bits that nobody outside can predict: message ids and choices come from here (RFC 5452 4.3).
    fn random(&self) -> u64;

    /// Sends a datagram from a fresh random port of a connected socket. Every datagram that comes back to that port
    /// is handed out, unread, until the flight is dropped.
    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight>;

    /// Sends one message over a stream and resolves to the octets of the one message that comes back. The length
    /// in front of each (RFC 7766 8) is the implementor's. Dropping the future ends the exchange.
    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>>;

    /// Resolves when the monotonic clock has reached `tick`.
    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()>;

    /// Runs a future to its end beside the one that asks.
    fn spawn(&self, flight: BoxFuture<'static, ()>);

    /// Does what takes long, such as verifying signatures, and resolves when it is done; or without doing it when too much
    /// waits already. Where nobody could be delayed by it, it is done at once.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}

/// A datagram on its way and what comes back for it.
pub trait DatagramFlight: Send {
    /// The next datagram. An error is final: nothing will come after it.
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>>;
}

/// Why there will be no reply. That nothing came in time is the engine's own finding and not among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// No route to the network or host.
    Unreachable,
    /// The host has nobody at that port.
    Refused,
    /// The stream ended before a whole message had come.
    Closed,
    /// No socket or port could be had on this machine.
    NoSocket,
}

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoReply::Unreachable => "unreachable",
            NoReply::Refused => "connection refused",
            NoReply::Closed => "stream closed",
            NoReply::NoSocket => "no socket to be had here",
        })
    }
}
