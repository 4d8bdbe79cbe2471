//! One datagram to one server, from a port nobody can guess, and what comes back to it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::UdpSocket;

use super::upstream::no_reply;
use crate::limits;
use crate::resolver::{DatagramFlight, NoReply};

/// The lowest port queries leave from: below are those of services.
const LOWEST_PORT: u16 = 1024;

/// A query under way. The socket is connected, so the kernel keeps out what another address sends.
pub(super) struct UdpFlight {
    socket: Result<UdpSocket, NoReply>,
}

impl UdpFlight {
    pub(super) fn start(from: IpAddr, to: SocketAddr, octets: &[u8]) -> UdpFlight {
        let sent = open(from, to).and_then(|socket| {
            socket.send(octets)?;
            UdpSocket::from_std(socket)
        });
        UdpFlight { socket: sent.map_err(|error| no_reply(&error)) }
    }
}

impl DatagramFlight for UdpFlight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        async move {
            let socket = self.socket.as_ref().map_err(|no_reply| *no_reply)?;
            let mut reply = vec![0; limits::UPSTREAM_DATAGRAM];
            let octets = socket.recv(&mut reply).await.map_err(|error| no_reply(&error))?;
            reply.truncate(octets);
            Ok(reply.into())
        }
        .boxed()
    }
}

/// A socket connected to the server, on a port drawn from all that are not services'. The kernel's own choice would
/// be from less than half of them (RFC 5452 section 9.2 asks for the whole range).
fn open(from: IpAddr, to: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let mut bound = None;
    for _ in 0..limits::UPSTREAM_PORT_DRAWS {
        let port = rand::random_range(LOWEST_PORT..=u16::MAX);
        match std::net::UdpSocket::bind((from, port)) {
            Ok(socket) => {
                bound = Some(socket);
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(error),
        }
    }
    let socket = match bound {
        Some(socket) => socket,
        None => std::net::UdpSocket::bind((from, 0))?,
    };
    socket.connect(to)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
