//! Who holds a port: read from the kernel's socket tables and the file descriptors of processes, as far as we may.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::observe::Transport;

/// A process that holds a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its name, as `ps -o comm` shows it.
    pub name: String,
    /// Its number.
    pub pid: u32,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, pid {}", self.name, self.pid)
    }
}

/// Who holds the socket that is in the way of `address`. None when nobody does any more, or when it belongs to
/// another user and we may not look.
pub fn find(address: SocketAddr, transport: Transport) -> Option<Owner> {
    let tables = match transport {
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    let inode = tables.iter().find_map(|table| find_inode(&fs::read_to_string(table).ok()?, address))?;
    let wanted = format!("socket:[{inode}]");
    // Numbers only: /proc/self would be found first.
    let mut pids =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pid: u32 = pids.find(|pid| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd"));
        fds.is_ok_and(|fds| {
            fds.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == Path::new(&wanted)))
        })
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned();
    Some(Owner { name, pid })
}

/// The inode of the bound socket in one of the kernel's tables that keeps others from binding `address`.
fn find_inode(table: &str, address: SocketAddr) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local = parse_address(fields.nth(1)?)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        // 0A is a listener, 07 a datagram socket that is not connected; others share a port without harm.
        let is_in_the_way = local.port() == address.port()
            && matches!(state, "0A" | "07")
            && (local.ip() == address.ip() || local.ip().is_unspecified() || address.ip().is_unspecified());
        is_in_the_way.then_some(inode)
    })
}

/// `0100007F:0035`: each 32-bit word of the address in the byte order of the machine, the port as a number.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            Ipv6Addr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_socket_of_this_process_is_found() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        for (address, transport) in
            [(udp.local_addr().unwrap(), Transport::Udp), (tcp.local_addr().unwrap(), Transport::Tcp)]
        {
            let owner = find(address, transport).expect("our own socket");
            assert_eq!(owner.pid, std::process::id());
            assert!(owner.to_string().contains(", pid "));
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_socket_in_the_way_is_the_bound_one_that_covers_the_address() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             1: 0100007F:0035 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 11 1\n\
             2: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12 1\n\
             3: 00000000:0036 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 13 1\n\
             4: 00000000000000000000000001000000:0037 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 14 1\n\
             nonsense\n";
        for (address, inode) in [
            ("127.0.0.53:53", Some(12)),
            ("127.0.0.1:53", None),
            ("0.0.0.0:53", Some(12)),
            ("127.0.0.1:54", Some(13)),
            ("[::1]:55", Some(14)),
            ("[::2]:55", None),
        ] {
            assert_eq!(find_inode(table, address.parse().unwrap()), inode, "{address}");
        }
    }
}
