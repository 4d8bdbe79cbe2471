//! Datagrams many at a time: recvmmsg, sendmmsg, and sendmsg for one that had to wait.
//!
//! Two invariants, which the SAFETY lines name:
//! - *fixed*: an allocation of a `Fixed` never moves and lives as long as the batch, so headers may point into it.
//! - *apart*: the kernel writes to it only during a call that takes `&mut Batch`, so no reference into it is alive.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::time::Duration;

use super::control_message::{Control, RawAddress};

/// Room for a number of datagrams and one response each, allocated once.
pub struct Batch {
    octets: Fixed<u8>,
    responses: Fixed<u8>,
    addresses: Fixed<RawAddress>,
    controls: Fixed<Control>,
    /// Point to `octets`, `addresses` and `controls` of their slot, for good.
    incoming: Fixed<libc::mmsghdr>,
    /// Point to `responses`, `addresses` and `controls` of the slot they answer; filled by [`Batch::reply`].
    outgoing: Fixed<libc::mmsghdr>,
    incoming_parts: Fixed<libc::iovec>,
    outgoing_parts: Fixed<libc::iovec>,
    request_size: usize,
    response_size: usize,
    received: usize,
    queued: usize,
}

// SAFETY: the raw pointers of a batch point into allocations it owns itself (fixed), so it may move between threads.
unsafe impl Send for Batch {}

/// Whether a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// For the first datagram, as long as the socket's receive timeout says.
    ForOne,
    /// Not at all.
    Never,
}

/// A datagram received.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Its octets; the kernel has cut what was longer than a slot.
    pub octets: &'a [u8],
    /// Who sent it.
    pub client: SocketAddr,
    /// The local address it came to, when the socket reports it.
    pub local: Option<IpAddr>,
}

impl Batch {
    /// Room for `capacity` datagrams of at most `request_size` octets, and for responses of `response_size`.
    pub fn new(capacity: usize, request_size: usize, response_size: usize) -> Batch {
        let mut batch = Batch {
            octets: Fixed::new(0, capacity * request_size),
            responses: Fixed::new(0, capacity * response_size),
            addresses: Fixed::new(RawAddress::EMPTY, capacity),
            controls: Fixed::new(Control::EMPTY, capacity),
            incoming: Fixed::new(EMPTY_HEADER, capacity),
            outgoing: Fixed::new(EMPTY_HEADER, capacity),
            incoming_parts: Fixed::new(EMPTY_PART, capacity),
            outgoing_parts: Fixed::new(EMPTY_PART, capacity),
            request_size,
            response_size,
            received: 0,
            queued: 0,
        };
        for slot in 0..capacity {
            let base = batch.octets.at(slot * request_size).cast();
            batch.incoming_parts[slot] = libc::iovec { iov_base: base, iov_len: request_size };
            let header = &mut batch.incoming[slot].msg_hdr;
            header.msg_name = batch.addresses.at(slot).cast();
            header.msg_iov = batch.incoming_parts.at(slot);
            header.msg_iovlen = 1;
            header.msg_control = batch.controls.at(slot).cast();
            batch.make_ready(slot);
        }
        batch
    }

    /// Takes what the kernel has, at most as many datagrams as there is room for; how many came.
    /// What was received before is gone.
    pub fn receive(&mut self, socket: &impl AsFd, wait: Wait) -> io::Result<usize> {
        for slot in 0..std::mem::take(&mut self.received) {
            self.make_ready(slot);
        }
        self.queued = 0;
        let flags = match wait {
            Wait::ForOne => libc::MSG_WAITFORONE,
            Wait::Never => libc::MSG_DONTWAIT,
        };
        let fd = socket.as_fd().as_raw_fd();
        let capacity = self.incoming.len() as u32;
        // SAFETY: every header points to room of the size it states (fixed, apart); no timeout is passed.
        let count =
            unsafe { libc::recvmmsg(fd, self.incoming.at(0), capacity, flags as _, std::ptr::null_mut()) };
        self.received = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(self.received)
    }

    /// One of the datagrams received, and room for its response. None for what has no address to answer to.
    pub fn datagram(&mut self, slot: usize) -> Option<(Datagram<'_>, &mut [u8])> {
        let message = self.incoming[..self.received].get(slot)?;
        let length = (message.msg_len as usize).min(self.request_size);
        let client = self.addresses[slot].socket_address(message.msg_hdr.msg_namelen as usize)?;
        let local = self.controls[slot].local_address(message.msg_hdr.msg_controllen as _);
        let start = slot * self.request_size;
        let datagram = Datagram { octets: &self.octets[start..start + length], client, local };
        let start = slot * self.response_size;
        Some((datagram, &mut self.responses[start..start + self.response_size]))
    }

    /// Queues the first `length` octets of a slot's response, back to where its request came from, sent from
    /// `source` when that is given. Once a slot.
    pub fn reply(&mut self, slot: usize, length: usize, source: Option<IpAddr>) {
        let at = self.queued;
        self.queued += 1;
        let base = self.responses.at(slot * self.response_size).cast();
        self.outgoing_parts[at] = libc::iovec { iov_base: base, iov_len: length.min(self.response_size) };
        let header = &mut self.outgoing[at].msg_hdr;
        header.msg_name = self.addresses.at(slot).cast();
        header.msg_namelen = self.incoming[slot].msg_hdr.msg_namelen;
        header.msg_iov = self.outgoing_parts.at(at);
        header.msg_iovlen = 1;
        header.msg_control = self.controls.at(slot).cast();
        header.msg_controllen = source.map_or(0, |source| self.controls[slot].send_from(source)) as _;
    }

    /// Sends what is queued; how many responses could not be sent. Waits at most `at_most` for a full send buffer
    /// to empty, then gives up the rest; any other error costs the response it is about.
    pub fn send(&mut self, socket: &impl AsFd, at_most: Duration) -> usize {
        let (mut at, mut unsent, mut has_waited) = (0, 0, false);
        let total = std::mem::take(&mut self.queued);
        while at < total {
            let fd = socket.as_fd().as_raw_fd();
            let rest = (total - at) as u32;
            // SAFETY: the headers from `at` on were filled by `reply` and point to their slots (fixed, apart).
            let count = unsafe { libc::sendmmsg(fd, self.outgoing.at(at), rest, libc::MSG_DONTWAIT as _) };
            if let Ok(count @ 1..) = usize::try_from(count) {
                at += count;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock if !has_waited => {
                    has_waited = true;
                    wait_for_room(socket, at_most);
                }
                io::ErrorKind::WouldBlock => return unsent + total - at,
                _ => {
                    at += 1;
                    unsent += 1;
                }
            }
        }
        unsent
    }

    /// Sets back what the kernel wrote into a header: it reads the sizes of the room there next time.
    fn make_ready(&mut self, slot: usize) {
        let header = &mut self.incoming[slot].msg_hdr;
        header.msg_namelen = size_of::<RawAddress>() as _;
        header.msg_controllen = size_of::<Control>() as _;
    }
}

/// Sends one datagram, from `source` when that is given, without waiting.
pub fn send_one(
    socket: &impl AsFd,
    octets: &[u8],
    client: SocketAddr,
    source: Option<IpAddr>,
) -> io::Result<()> {
    let client = socket2::SockAddr::from(client);
    let mut part = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
    let mut control = Control::EMPTY;
    let mut header = EMPTY_HEADER.msg_hdr;
    header.msg_name = client.as_ptr().cast_mut().cast();
    header.msg_namelen = client.len();
    header.msg_iov = &mut part;
    header.msg_iovlen = 1;
    header.msg_controllen = source.map_or(0, |source| control.send_from(source)) as _;
    header.msg_control = (&raw mut control).cast();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the header points to the address, the part and the control message above, which live during the
    // call, and states their sizes; sendmsg only reads them.
    let result = unsafe { libc::sendmsg(fd, &header, libc::MSG_DONTWAIT) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn wait_for_room(socket: &impl AsFd, at_most: Duration) {
    let mut fd = libc::pollfd { fd: socket.as_fd().as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one `pollfd` is there to be read and written.
    unsafe { libc::poll(&mut fd, 1, i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX)) };
}

const EMPTY_PART: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
// SAFETY: a header of zeros is a valid value: null pointers with lengths of zero.
const EMPTY_HEADER: libc::mmsghdr = unsafe { std::mem::zeroed() };

/// A boxed slice that raw pointers may point into while it is used: it keeps none of the claims of a `Box` to be
/// the only way to its octets. See *fixed* and *apart* above.
struct Fixed<T>(NonNull<[T]>);

impl<T: Copy> Fixed<T> {
    fn new(value: T, length: usize) -> Fixed<T> {
        Fixed(NonNull::from(Box::leak(vec![value; length].into_boxed_slice())))
    }

    /// A pointer to the element at `index`, which must exist.
    fn at(&self, index: usize) -> *mut T {
        assert!(index < self.0.len());
        // SAFETY: `index` is within the allocation.
        unsafe { self.0.cast::<T>().as_ptr().add(index) }
    }
}

impl<T> Deref for Fixed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the allocation is ours and initialised; nobody writes to it meanwhile (apart).
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Fixed<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `&mut self` makes this the only reference.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Fixed<T> {
    fn drop(&mut self) {
        // SAFETY: the allocation came from a `Box` and is given back once.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::net::sys::socket::report_local_address;

    const SOON: Duration = Duration::from_secs(60);

    fn pair(server: &str) -> (UdpSocket, UdpSocket) {
        let server = UdpSocket::bind(server).unwrap();
        server.set_read_timeout(Some(SOON)).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        (server, client)
    }

    #[test]
    fn datagrams_come_in_batches_and_their_replies_go_back_in_one() {
        let (server, client) = pair("127.0.0.1:0");
        let mut batch = Batch::new(4, 16, 32);
        for round in 0..3_u8 {
            for number in 0..6_u8 {
                client.send_to(&[round, number], server.local_addr().unwrap()).unwrap();
            }
            let mut seen = 0;
            while seen < 6 {
                let count = batch.receive(&server, Wait::ForOne).unwrap();
                assert!(count <= 4, "no more than there is room for");
                for slot in 0..count {
                    let (datagram, out) = batch.datagram(slot).unwrap();
                    assert_eq!(datagram.octets, [round, seen]);
                    assert_eq!(datagram.client, client.local_addr().unwrap());
                    assert_eq!(datagram.local, None);
                    out[..3].copy_from_slice(&[round, seen, 0xff]);
                    batch.reply(slot, 3, None);
                    seen += 1;
                }
                assert_eq!(batch.send(&server, SOON), 0);
            }
            let mut octets = [0; 64];
            for number in 0..6 {
                let length = client.recv(&mut octets).unwrap();
                assert_eq!(octets[..length], [round, number, 0xff]);
            }
        }
    }

    #[test]
    fn a_wildcard_socket_reports_the_address_asked_and_answers_from_it() {
        let (server, client) = pair("0.0.0.0:0");
        report_local_address(&server, false).unwrap();
        let asked = SocketAddr::from(([127, 0, 0, 2], server.local_addr().unwrap().port()));
        let mut batch = Batch::new(2, 16, 16);
        let mut octets = [0; 16];
        client.send_to(b"x", asked).unwrap();
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
        let (datagram, _) = batch.datagram(0).unwrap();
        let source = datagram.local;
        assert_eq!(source, Some(asked.ip()));
        batch.reply(0, 5, source);
        assert_eq!(batch.send(&server, SOON), 0);
        assert_eq!(client.recv_from(&mut octets).unwrap(), (5, asked));
        send_one(&server, b"later", client.local_addr().unwrap(), source).unwrap();
        assert_eq!(client.recv_from(&mut octets).unwrap(), (5, asked));
    }

    #[test]
    fn a_long_datagram_is_cut_to_its_slot() {
        let (server, client) = pair("127.0.0.1:0");
        let mut batch = Batch::new(2, 16, 16);
        client.send_to(&[7; 100], server.local_addr().unwrap()).unwrap();
        client.send_to(&[8; 3], server.local_addr().unwrap()).unwrap();
        let mut lengths = Vec::new();
        while lengths.len() < 2 {
            for slot in 0..batch.receive(&server, Wait::ForOne).unwrap() {
                lengths.push(batch.datagram(slot).unwrap().0.octets.len());
            }
        }
        assert_eq!(lengths, [16, 3]);
    }

    #[test]
    fn a_response_that_cannot_be_sent_costs_only_itself() {
        let (server, client) = pair("127.0.0.1:0");
        let mut batch = Batch::new(3, 16, 16);
        for number in 0..3 {
            client.send_to(&[number], server.local_addr().unwrap()).unwrap();
        }
        let mut received = 0;
        while received < 3 {
            let count = batch.receive(&server, Wait::ForOne).unwrap();
            for slot in 0..count {
                // An address of documentation is none of this machine, so the kernel refuses to send from it.
                let source = (received == 1).then(|| IpAddr::from([203, 0, 113, 77]));
                batch.reply(slot, 1, source);
                received += 1;
            }
            let unsent = batch.send(&server, SOON);
            assert_eq!(unsent, usize::from(received - count < 2 && received >= 2));
        }
        let mut octets = [0; 16];
        assert_eq!((client.recv(&mut octets).unwrap(), client.recv(&mut octets).unwrap()), (1, 1));
    }

    #[test]
    fn without_a_datagram_nothing_comes_and_nothing_waits() {
        let (server, _client) = pair("127.0.0.1:0");
        let mut batch = Batch::new(2, 16, 16);
        let error = batch.receive(&server, Wait::Never).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(batch.datagram(0).is_none());
    }
}
