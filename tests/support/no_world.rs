//! A world that nobody may send anything into. Part of the library's own tests too, which is why it names the library from
//! outside.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use namu::clock::{Age, Now, Tick, Unix};
use namu::resolver::{DatagramFlight, NoReply, World};

/// Time stands still in it.
pub const NOW: Now = Now { tick: Tick(0), age: Age(0), unix: Unix(1_700_000_000_000_000_000) };

pub struct NoWorld;

impl World for NoWorld {
    fn now(&self) -> Now {
        NOW
    }

    fn random(&self) -> u64 {
        0
    }

    fn datagram(&self, _: SocketAddr, _: &[u8]) -> Box<dyn DatagramFlight> {
        panic!("a packet went out")
    }

    fn stream(&self, _: SocketAddr, _: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        panic!("a connection went out")
    }

    fn sleep_until(&self, _: Tick) -> BoxFuture<'static, ()> {
        panic!("something waited")
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) {
        panic!("something was looked up")
    }
}
