//! Control messages that say which local address a datagram came to, and socket addresses as the kernel writes them.
//!
//! Both are read and written as octets at the places the kernel's ABI gives them, so nothing here is unsafe.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A buffer for the control messages of one datagram: room for ours and for a few others that a socket from
/// outside may have switched on.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Control(pub [u8; 128]);

impl Control {
    /// An empty buffer.
    pub const EMPTY: Control = Control([0; 128]);

    /// The local address among the first `length` octets, if it is there.
    pub fn local_address(&self, length: usize) -> Option<IpAddr> {
        let mut rest = self.0.get(..length)?;
        loop {
            let size = usize::from_ne_bytes(octets(rest, 0)?);
            let (level, kind) = (i32::from_ne_bytes(octets(rest, 8)?), i32::from_ne_bytes(octets(rest, 12)?));
            let data = rest.get(HEADER..size)?;
            match (level, kind) {
                // in_pktinfo: interface, the local address to answer from, the destination address.
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => return octets(data, 4).map(|at: [u8; 4]| at.into()),
                // in6_pktinfo: address, interface.
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    return octets(data, 0).map(|at: [u8; 16]| at.into());
                }
                _ => rest = rest.get(size.checked_next_multiple_of(ALIGN)?..)?,
            }
        }
    }

    /// Makes this the one control message that has a datagram sent from `address`; the octets it takes.
    /// The interface stays open, so that routing chooses it.
    pub fn send_from(&mut self, address: IpAddr) -> usize {
        let (level, kind, mut data, size) = match address {
            IpAddr::V4(address) => {
                let mut data = [0; 20];
                data[4..8].copy_from_slice(&address.octets());
                (libc::IPPROTO_IP, libc::IP_PKTINFO, data, 12)
            }
            IpAddr::V6(address) => {
                let mut data = [0; 20];
                data[..16].copy_from_slice(&address.octets());
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, data, 20)
            }
        };
        let data = &mut data[..size];
        self.0[..8].copy_from_slice(&(HEADER + size).to_ne_bytes());
        self.0[8..12].copy_from_slice(&level.to_ne_bytes());
        self.0[12..16].copy_from_slice(&kind.to_ne_bytes());
        self.0[HEADER..HEADER + size].copy_from_slice(data);
        (HEADER + size).next_multiple_of(ALIGN)
    }
}

/// `struct cmsghdr`: length (a word), level, type.
const HEADER: usize = 16;
const ALIGN: usize = size_of::<usize>();
const _: () = assert!(size_of::<usize>() == 8, "control messages are laid out for 64-bit kernels");

/// A socket address as the kernel writes it; room for both families.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct RawAddress(pub [u8; 28]);

impl RawAddress {
    /// No address yet.
    pub const EMPTY: RawAddress = RawAddress([0; 28]);

    /// The address among the first `length` octets; none for another family.
    pub fn socket_address(&self, length: usize) -> Option<SocketAddr> {
        let raw = self.0.get(..length)?;
        let family = i32::from(u16::from_ne_bytes(octets(raw, 0)?));
        let port = u16::from_be_bytes(octets(raw, 2)?);
        match family {
            libc::AF_INET => {
                let ip = Ipv4Addr::from(octets::<4>(raw, 4)?);
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 => {
                let flow = u32::from_ne_bytes(octets(raw, 4)?);
                let ip = Ipv6Addr::from(octets::<16>(raw, 8)?);
                let scope = u32::from_ne_bytes(octets(raw, 24)?);
                Some(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            _ => None,
        }
    }
}

/// `N` octets at `at`.
fn octets<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_to_send_from_reads_back_as_the_local_address() {
        for text in ["192.0.2.1", "127.0.0.2", "::1", "2001:db8::53", "::ffff:192.0.2.1"] {
            let address: IpAddr = text.parse().unwrap();
            let mut control = Control([0xaa; 128]);
            let length = control.send_from(address);
            assert_eq!(control.local_address(length), Some(address));
            assert_eq!(control.local_address(length - 8 - 4), None, "cut short");
        }
    }

    #[test]
    fn other_control_messages_are_passed_over() {
        let mut other = Control::EMPTY;
        other.0[..8].copy_from_slice(&17_usize.to_ne_bytes());
        other.0[8..12].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        let mut ours = Control::EMPTY;
        let length = ours.send_from(IpAddr::from([10, 0, 0, 1]));
        other.0[24..24 + length].copy_from_slice(&ours.0[..length]);
        assert_eq!(other.local_address(24 + length), Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!(other.local_address(24), None);
    }

    proptest! {
        #[test]
        fn no_octets_make_the_walks_panic_or_loop(
            control: [[u8; 32]; 4], sizes in prop::collection::vec(0_usize..40, 4), length in 0_usize..200,
            address: [u8; 28],
        ) {
            let mut octets = Control(control.as_flattened().try_into().unwrap());
            octets.local_address(length);
            for (at, size) in sizes.into_iter().enumerate() {
                octets.0[at * 32..at * 32 + 8].copy_from_slice(&size.to_ne_bytes());
            }
            octets.local_address(length);
            RawAddress(address).socket_address(length);
        }
    }
}
