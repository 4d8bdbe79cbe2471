//! Options of sockets and limits of the process that `socket2` and std have no word for.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Has every datagram carry the local address it came to; `v6` for a socket of that family.
pub fn report_local_address(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    match v6 {
        false => set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        true => set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
    }
}

/// Never learns a path MTU from ICMP and never sets "don't fragment" on what is sent: a forged ICMP message can
/// then not make us send fragments (RFC 9715).
pub fn ignore_path_mtu(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    match v6 {
        false => set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT),
        true => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT),
    }
}

fn set(socket: &impl AsFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    let length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the kernel reads `length` octets of `value`, which are there.
    let result = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How many descriptors the process may have open (the soft limit).
pub fn open_files_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit`, which is there.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    // POSIX promises at least 20; a kernel that does not say is taken for the usual soft limit.
    if result < 0 { 1024 } else { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) }
}

/// Whether this machine has no such address family at all.
pub fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn options_are_taken_by_sockets_of_their_family() {
        for (address, v6) in [("127.0.0.1:0", false), ("[::1]:0", true)] {
            let Ok(socket) = UdpSocket::bind(address) else { continue };
            report_local_address(&socket, v6).unwrap();
            ignore_path_mtu(&socket, v6).unwrap();
        }
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(ignore_path_mtu(&file, false).is_err(), "not a socket");
    }

    fn option(socket: &impl AsFd, level: i32, name: i32) -> i32 {
        let (mut value, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
        let fd = socket.as_fd().as_raw_fd();
        // SAFETY: the descriptor is open, and the kernel writes at most `length` octets of `value`, which are there.
        let result = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
        assert_eq!((result, length as usize), (0, size_of::<i32>()));
        value
    }

    /// What the kernel holds, not what was asked of it: with `IP_PMTUDISC_OMIT` no ICMP message makes fragments of responses.
    #[test]
    fn a_socket_that_ignores_the_path_mtu_says_so_when_asked() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let of = |socket| option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER);
        assert_ne!(of(&socket), libc::IP_PMTUDISC_OMIT);
        ignore_path_mtu(&socket, false).unwrap();
        assert_eq!(of(&socket), libc::IP_PMTUDISC_OMIT);
        let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
        ignore_path_mtu(&socket, true).unwrap();
        assert_eq!(option(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER), libc::IPV6_PMTUDISC_OMIT);
    }

    #[test]
    fn a_process_may_open_files() {
        assert!(open_files_limit() >= 20);
    }
}
