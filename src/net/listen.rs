//! Opening the doors: sockets bound here, or sockets that come from outside (systemd, an older process).
//!
//! Every worker has a socket of its own for each address, joined by SO_REUSEPORT. That option would also let a second
//! namu join silently and take half of the requests. So the first socket of an address is bound without it, which
//! fails while anyone else holds the address; only then is the option set on it, and the others join. A second namu
//! begins with such a bind too and is refused, whatever it does later.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::owner::{self, Owner};
use super::sys::socket::{ignore_path_mtu, is_family_missing, report_local_address};
use crate::limits;
use crate::observe::Transport;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port. Port 0 lets the kernel choose one, the same for all transports.
    pub address: SocketAddr,
    /// Which doors to open there.
    pub transports: Vec<Transport>,
}

/// Open doors: sockets that hold their address, served or not. A clone is the same sockets once more.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    pub(super) workers: usize,
    pub(super) datagrams: Vec<Door<UdpSocket>>,
    pub(super) streams: Vec<Door<TcpListener>>,
}

/// The sockets of one address.
#[derive(Debug)]
pub(super) struct Door<S> {
    pub address: SocketAddr,
    pub sockets: Sockets<S>,
}

impl<S> Clone for Door<S> {
    fn clone(&self) -> Door<S> {
        Door { address: self.address, sockets: self.sockets.clone() }
    }
}

/// How workers come to their socket.
#[derive(Debug)]
pub(super) enum Sockets<S> {
    /// One each.
    Own(Vec<Arc<S>>),
    /// All use the one that came from outside. It goes on living there, so nothing about it may be changed for good.
    Shared(Arc<S>),
}

impl<S> Clone for Sockets<S> {
    fn clone(&self) -> Sockets<S> {
        match self {
            Sockets::Own(sockets) => Sockets::Own(sockets.clone()),
            Sockets::Shared(socket) => Sockets::Shared(socket.clone()),
        }
    }
}

impl<S> Sockets<S> {
    /// The socket of a worker.
    pub(super) fn of(&self, worker: usize) -> Arc<S> {
        match self {
            Sockets::Own(sockets) => sockets[worker].clone(),
            Sockets::Shared(socket) => socket.clone(),
        }
    }
}

impl Doors {
    /// Opens doors for so many workers: all that can be opened, and an error for each that cannot. Whether to go on
    /// without those is for the caller to say.
    pub fn bind(listens: &[Listen], workers: usize) -> (Doors, Vec<BindError>) {
        let workers = workers.max(1);
        let mut doors = Doors { workers, ..Doors::default() };
        let mut errors = Vec::new();
        for listen in listens {
            if let Err(error) = doors.open(listen) {
                errors.push(error);
            }
        }
        (doors, errors)
    }

    /// All of these doors, to be served together. They are for the same number of workers.
    pub fn join<'d>(doors: impl IntoIterator<Item = &'d Doors>) -> Doors {
        let mut all = Doors::default();
        for doors in doors {
            debug_assert!(all.workers == 0 || all.workers == doors.workers);
            all.workers = doors.workers;
            all.datagrams.extend(doors.datagrams.iter().cloned());
            all.streams.extend(doors.streams.iter().cloned());
        }
        all
    }

    /// Takes sockets from outside. What they are is asked of the kernel: datagram sockets, and streams that listen.
    pub fn inherit(fds: Vec<OwnedFd>, workers: usize) -> Result<Doors, InheritError> {
        let mut doors = Doors { workers: workers.max(1), ..Doors::default() };
        for (number, fd) in fds.into_iter().enumerate() {
            doors.take(fd.into()).map_err(|error| InheritError { number, error })?;
        }
        Ok(doors)
    }

    /// The addresses of all doors, with the port the kernel chose.
    pub fn addresses(&self) -> Vec<(SocketAddr, Transport)> {
        let datagrams = self.datagrams.iter().map(|door| (door.address, Transport::Udp));
        datagrams.chain(self.streams.iter().map(|door| (door.address, Transport::Tcp))).collect()
    }

    /// One address, all of its transports or none.
    fn open(&mut self, listen: &Listen) -> Result<(), BindError> {
        let tries = if listen.address.port() == 0 { limits::PORT_TRIES } else { 1 };
        let mut result = self.try_open(listen);
        for _ in 1..tries {
            // The kernel chose a port for the first transport that another process has for the second.
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => result = self.try_open(listen),
                _ => break,
            }
        }
        result
    }

    fn try_open(&mut self, listen: &Listen) -> Result<(), BindError> {
        let mut address = listen.address;
        let (mut datagrams, mut streams) = (Vec::new(), Vec::new());
        for transport in &listen.transports {
            let error = |error| BindError::new(address, *transport, error);
            let sockets = bind_group(address, *transport, self.workers).map_err(error)?;
            address = local_address(&sockets[0]).map_err(error)?;
            match transport {
                Transport::Udp => datagrams.push(Door { address, sockets: own(sockets) }),
                Transport::Tcp => streams.push(Door { address, sockets: own(sockets) }),
            }
        }
        self.datagrams.append(&mut datagrams);
        self.streams.append(&mut streams);
        Ok(())
    }

    fn take(&mut self, socket: Socket) -> io::Result<()> {
        let unfit = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let address = local_address(&socket).map_err(|_| unfit("not an IPv4 or IPv6 socket"))?;
        match socket.r#type()? {
            Type::DGRAM => {
                prepare_datagrams(&socket, address)?;
                self.datagrams.push(Door { address, sockets: Sockets::Shared(Arc::new(socket.into())) });
            }
            Type::STREAM if socket.is_listener()? => {
                prepare_stream(&socket)?;
                self.streams.push(Door { address, sockets: Sockets::Shared(Arc::new(socket.into())) });
            }
            _ => return Err(unfit("neither a datagram socket nor a stream that listens")),
        }
        Ok(())
    }
}

fn own<S: From<Socket>>(sockets: Vec<Socket>) -> Sockets<S> {
    Sockets::Own(sockets.into_iter().map(|socket| Arc::new(socket.into())).collect())
}

/// One socket a worker, all on the same address.
fn bind_group(address: SocketAddr, transport: Transport, workers: usize) -> io::Result<Vec<Socket>> {
    let first = new_socket(address, transport)?;
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let address = local_address(&first)?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        let socket = new_socket(address, transport)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        sockets.push(socket);
    }
    for socket in &sockets {
        match transport {
            Transport::Udp => prepare_datagrams(socket, address)?,
            Transport::Tcp => {
                socket.listen(limits::TCP_BACKLOG)?;
                prepare_stream(socket)?;
            }
        }
    }
    Ok(sockets)
}

fn new_socket(address: SocketAddr, transport: Transport) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // So that 0.0.0.0 and :: can be bound side by side, and a client has the address it says it has.
        socket.set_only_v6(true)?;
    }
    if transport == Transport::Tcp {
        // Connections of the last run that wait out their time (TIME-WAIT) must not keep the next from starting.
        // A listener still keeps others away.
        socket.set_reuse_address(true)?;
    }
    Ok(socket)
}

fn prepare_datagrams(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    let v6 = address.is_ipv6();
    if address.ip().is_unspecified() {
        report_local_address(socket, v6)?;
    }
    // These three are for speed and against fragments; a kernel that does not know them serves all the same.
    let _ = ignore_path_mtu(socket, v6);
    let _ = socket.set_recv_buffer_size(limits::UDP_SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(limits::UDP_SOCKET_BUFFER);
    Ok(())
}

/// What is set on a listener is inherited by its connections.
fn prepare_stream(socket: &Socket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    // Responses are gathered here, so the kernel has nothing to wait for.
    socket.set_tcp_nodelay(true)?;
    // A client that never reads holds so many octets in the kernel, not a send buffer of megabytes.
    let _ = socket.set_tcp_notsent_lowat(limits::TCP_OUTPUT as u32);
    Ok(())
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput.into())
}

/// Has a blocking receive on this socket end after so long.
pub(super) fn set_receive_timeout(socket: &UdpSocket, timeout: std::time::Duration) -> io::Result<()> {
    SockRef::from(socket).set_read_timeout(Some(timeout))
}

/// Wakes the thread that sleeps in a receive on this socket, and all later ones; what the kernel has queued can still
/// be taken. For good, so only for a socket that is ours alone.
pub(super) fn end_receive(socket: &UdpSocket) {
    // Linux says ENOTCONN of a socket without a peer, and wakes who sleeps on it all the same.
    let _ = SockRef::from(socket).shutdown(std::net::Shutdown::Read);
}

/// An address that cannot be listened on: which, why, who has it, and what to do about it.
#[derive(Debug)]
pub struct BindError {
    /// The address and port.
    pub address: SocketAddr,
    /// The door.
    pub transport: Transport,
    /// What the kernel said.
    pub error: io::Error,
    /// The process that holds the address, if that is the cause and we may see it.
    pub owner: Option<Owner>,
}

impl BindError {
    fn new(address: SocketAddr, transport: Transport, error: io::Error) -> BindError {
        let is_held = error.kind() == io::ErrorKind::AddrInUse;
        let owner = is_held.then(|| owner::find(address, transport)).flatten();
        BindError { address, transport, error, owner }
    }

    /// The kind of the kernel's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }

    /// Whether this machine does not have the address, or its whole family.
    pub fn is_address_absent(&self) -> bool {
        self.kind() == io::ErrorKind::AddrNotAvailable || is_family_missing(&self.error)
    }

    /// What to do about it, as a sentence part; empty when we do not know.
    pub fn remedy(&self) -> String {
        let port = self.address.port();
        match (self.kind(), &self.owner) {
            (io::ErrorKind::AddrInUse, Some(owner)) if owner.name.starts_with("systemd-resolve") => format!(
                "set `DNSStubListener=no` under `[Resolve]` in /etc/systemd/resolved.conf.d/namu.conf and run \
                 `systemctl restart systemd-resolved`, or listen on another address than {}",
                self.address.ip()
            ),
            (io::ErrorKind::AddrInUse, Some(owner)) => {
                format!("stop it (`kill {}`), or listen on another address or port", owner.pid)
            }
            (io::ErrorKind::AddrInUse, None) => format!(
                "see who holds it with `sudo ss -lnp{} sport = :{port}`, or listen on another address or port",
                match self.transport {
                    Transport::Udp => 'u',
                    Transport::Tcp => 't',
                },
            ),
            (io::ErrorKind::PermissionDenied, _) => format!(
                "ports below 1024 need a privilege: `sudo setcap cap_net_bind_service=+ep` on the namu binary, or \
                 `sudo sysctl net.ipv4.ip_unprivileged_port_start={port}`, or start it as the systemd unit namu.service"
            ),
            (io::ErrorKind::AddrNotAvailable, _) => {
                "no interface of this machine has that address; `ip address` lists those it has".into()
            }
            _ => String::new(),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        write!(f, "cannot listen on {} ({transport}): ", self.address)?;
        match self.kind() {
            io::ErrorKind::AddrInUse => f.write_str("the address is in use")?,
            io::ErrorKind::PermissionDenied => f.write_str("permission denied")?,
            io::ErrorKind::AddrNotAvailable => f.write_str("the address is not of this machine")?,
            _ => self.error.fmt(f)?,
        }
        if let Some(owner) = &self.owner {
            write!(f, ", held by {owner}")?;
        }
        match self.remedy() {
            remedy if remedy.is_empty() => Ok(()),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A descriptor from outside that is no door.
#[derive(Debug)]
pub struct InheritError {
    /// Which of the descriptors, counted from 0.
    pub number: usize,
    /// Why not.
    pub error: io::Error,
}

impl fmt::Display for InheritError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "passed socket {}: {}", self.number, self.error)
    }
}

impl std::error::Error for InheritError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Transport; 2] = [Transport::Udp, Transport::Tcp];

    fn listen(address: &str) -> Listen {
        Listen { address: address.parse().unwrap(), transports: BOTH.into() }
    }

    #[test]
    fn the_kernel_chooses_one_port_for_both_transports() {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let (doors, errors) = Doors::bind(&[listen(address)], 3);
            if errors.iter().any(|error| error.kind() == io::ErrorKind::AddrNotAvailable) {
                continue; // a machine without IPv6
            }
            assert!(errors.is_empty(), "{errors:?}");
            let [(udp, Transport::Udp), (tcp, Transport::Tcp)] = doors.addresses()[..] else {
                panic!("{:?}", doors.addresses())
            };
            assert_eq!(udp, tcp);
            assert_ne!(udp.port(), 0);
            for worker in 0..3 {
                let socket = doors.datagrams[0].sockets.of(worker);
                assert_eq!(socket.local_addr().unwrap(), udp);
                assert_eq!(doors.streams[0].sockets.of(worker).local_addr().unwrap(), tcp);
            }
        }
    }

    #[test]
    fn a_second_namu_does_not_join_and_is_told_who_holds_the_address() {
        for workers in [1, 2] {
            let (doors, _) = Doors::bind(&[listen("127.0.0.1:0")], workers);
            let taken = doors.addresses()[0].0;
            for transport in BOTH {
                let second = Listen { address: taken, transports: vec![transport] };
                let (other, errors) = Doors::bind(&[second], 2);
                assert!(other.addresses().is_empty());
                let [error] = &errors[..] else { panic!("{errors:?}") };
                assert_eq!((error.kind(), error.transport), (io::ErrorKind::AddrInUse, transport));
                assert_eq!(error.owner.as_ref().map(|owner| owner.pid), Some(std::process::id()));
                let text = error.to_string();
                assert!(text.contains("held by") && text.contains("stop it"), "{text}");
            }
        }
    }

    #[test]
    fn an_address_of_another_machine_is_an_error_and_the_other_doors_open() {
        let (doors, errors) = Doors::bind(&[listen("203.0.113.1:0"), listen("127.0.0.1:0")], 1);
        assert_eq!(doors.addresses().len(), 2);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].kind(), io::ErrorKind::AddrNotAvailable);
        assert!(errors[0].to_string().starts_with("cannot listen on 203.0.113.1:0 (UDP): "));
    }

    #[test]
    fn every_cause_an_operator_can_settle_has_a_remedy() {
        let owner = |name: &str| Some(Owner { name: name.into(), pid: 512 });
        for (kind, owner, part) in [
            (io::ErrorKind::PermissionDenied, None, "ip_unprivileged_port_start=53"),
            (io::ErrorKind::AddrInUse, owner("systemd-resolve"), "DNSStubListener=no"),
            (io::ErrorKind::AddrInUse, owner("named"), "held by named, pid 512; stop it (`kill 512`)"),
            (io::ErrorKind::AddrInUse, None, "ss -lnpu sport = :53"),
            (io::ErrorKind::AddrNotAvailable, None, "`ip address`"),
        ] {
            let address = "127.0.0.1:53".parse().unwrap();
            let error = BindError { address, transport: Transport::Udp, error: kind.into(), owner };
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn sockets_from_outside_are_told_apart() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [(udp.local_addr().unwrap(), BOTH[0]), (tcp.local_addr().unwrap(), BOTH[1])];
        let doors = Doors::inherit(vec![tcp.into(), udp.into()], 2).unwrap();
        assert_eq!(doors.addresses(), addresses);

        let connected = std::net::TcpStream::connect(addresses[1].0).unwrap();
        let local = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        for (fd, part) in [
            (connected.into(), "neither a datagram"),
            (local.into(), "not an IPv4"),
            (OwnedFd::from(file), "not an IPv4"),
        ] {
            let error = Doors::inherit(vec![fd], 1).unwrap_err().to_string();
            assert!(error.starts_with("passed socket 0: ") && error.contains(part), "{error}");
        }
    }
}
