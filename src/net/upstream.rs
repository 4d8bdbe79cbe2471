//! The road to other servers: [`World`] over real sockets, clocks and chance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::clock::Clock;
use super::upstream_udp::UdpFlight;
use super::work_bench::WorkBench;
use crate::clock::{Now, Tick};
use crate::resolver::{DatagramFlight, NoReply, World};
use crate::wire::framing;

/// The real world. Sockets, timers and flights belong to the runtime of the core that asks, so its
/// methods are called on one.
#[derive(Debug)]
pub struct Upstream {
    clock: Arc<Clock>,
    outgoing: Outgoing,
    bench: WorkBench,
}

/// Source addresses of queries; none of a family leaves the choice to the kernel.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    ipv4: Vec<Ipv4Addr>,
    ipv6: Vec<Ipv6Addr>,
}

impl Outgoing {
    /// Sorts addresses by family.
    pub fn new(addresses: &[IpAddr]) -> Outgoing {
        let mut outgoing = Outgoing::default();
        for address in addresses {
            match address {
                IpAddr::V4(address) => outgoing.ipv4.push(*address),
                IpAddr::V6(address) => outgoing.ipv6.push(*address),
            }
        }
        outgoing
    }

    /// The source for a query to `to`, port open.
    pub(super) fn towards(&self, to: SocketAddr) -> IpAddr {
        let pick = |count: usize| rand::random_range(0..count);
        match to {
            SocketAddr::V4(_) if self.ipv4.is_empty() => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V4(_) => self.ipv4[pick(self.ipv4.len())].into(),
            SocketAddr::V6(_) if self.ipv6.is_empty() => Ipv6Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => self.ipv6[pick(self.ipv6.len())].into(),
        }
    }
}

impl Upstream {
    /// A window on the network for engines that run on tokio's runtimes.
    pub fn new(clock: Arc<Clock>, outgoing: Outgoing) -> Upstream {
        Upstream { clock, outgoing, bench: WorkBench::default() }
    }
}

impl World for Upstream {
    fn now(&self) -> Now {
        self.clock.now()
    }

    fn random(&self) -> u64 {
        // The thread's generator is a cryptographic one, seeded by the kernel.
        rand::random()
    }

    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        Box::new(UdpFlight::start(self.outgoing.towards(to), to, octets))
    }

    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        exchange(self.outgoing.towards(to), to, framing::frame(octets)).boxed()
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        tokio::time::sleep(tick.since(self.clock.now().tick)).boxed()
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        tokio::spawn(flight);
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        self.bench.put(work)
    }
}

/// One message out and one back over a connection of its own.
async fn exchange(from: IpAddr, to: SocketAddr, frame: Option<Vec<u8>>) -> Result<Bytes, NoReply> {
    let frame = frame.ok_or(NoReply::NoSocket)?;
    let mut stream = connect(from, to).await.map_err(|error| no_reply(&error))?;
    let closed = |_| NoReply::Closed;
    stream.write_all(&frame).await.map_err(closed)?;
    let length = stream.read_u16().await.map_err(closed)?;
    let mut reply = vec![0; usize::from(length)];
    stream.read_exact(&mut reply).await.map_err(closed)?;
    Ok(reply.into())
}

async fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !from.is_unspecified() {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What an error of a socket means for the exchange.
pub(super) fn no_reply(error: &std::io::Error) -> NoReply {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => NoReply::Refused,
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => NoReply::Closed,
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable => {
            NoReply::Unreachable
        }
        // Descriptors, memory, or a firewall of this machine.
        _ => NoReply::NoSocket,
    }
}
