//! Root hints: where the first question goes.

use std::net::IpAddr;

use crate::cache::NameServer;

/// Names and addresses of root servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootHints {
    /// The servers. One without an address cannot be asked.
    pub servers: Box<[NameServer]>,
}

impl RootHints {
    /// Those of the root zone that IANA publishes.
    pub fn builtin() -> RootHints {
        let server = |(letter, ipv4, ipv6): &(char, [u8; 4], [u16; 8])| NameServer {
            name: format!("{letter}.root-servers.net.").parse().expect("a letter before a valid name"),
            addresses: [IpAddr::from(*ipv4), IpAddr::from(*ipv6)].into(),
        };
        RootHints { servers: ROOT_SERVERS.iter().map(server).collect() }
    }

    /// Whether a root server is at this address.
    pub fn has(&self, address: IpAddr) -> bool {
        self.servers.iter().any(|server| server.addresses.contains(&address))
    }
}

/// The letters and their addresses, from <https://www.internic.net/domain/named.root>. The latest change was that of
/// b.root-servers.net in November 2023.
#[rustfmt::skip]
const ROOT_SERVERS: [(char, [u8; 4], [u16; 8]); 13] = [
    ('a', [198, 41, 0, 4],     [0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30]),
    ('b', [170, 247, 170, 2],  [0x2801, 0x1b8, 0x10, 0, 0, 0, 0, 0xb]),
    ('c', [192, 33, 4, 12],    [0x2001, 0x500, 2, 0, 0, 0, 0, 0xc]),
    ('d', [199, 7, 91, 13],    [0x2001, 0x500, 0x2d, 0, 0, 0, 0, 0xd]),
    ('e', [192, 203, 230, 10], [0x2001, 0x500, 0xa8, 0, 0, 0, 0, 0xe]),
    ('f', [192, 5, 5, 241],    [0x2001, 0x500, 0x2f, 0, 0, 0, 0, 0xf]),
    ('g', [192, 112, 36, 4],   [0x2001, 0x500, 0x12, 0, 0, 0, 0, 0xd0d]),
    ('h', [198, 97, 190, 53],  [0x2001, 0x500, 1, 0, 0, 0, 0, 0x53]),
    ('i', [192, 36, 148, 17],  [0x2001, 0x7fe, 0, 0, 0, 0, 0, 0x53]),
    ('j', [192, 58, 128, 30],  [0x2001, 0x503, 0xc27, 0, 0, 0, 2, 0x30]),
    ('k', [193, 0, 14, 129],   [0x2001, 0x7fd, 0, 0, 0, 0, 0, 1]),
    ('l', [199, 7, 83, 42],    [0x2001, 0x500, 0x9f, 0, 0, 0, 0, 0x42]),
    ('m', [202, 12, 27, 33],   [0x2001, 0xdc3, 0, 0, 0, 0, 0, 0x35]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_letters_with_two_addresses_each() {
        let hints = RootHints::builtin();
        let names: Vec<_> = hints.servers.iter().map(|server| server.name.to_string()).collect();
        assert_eq!((names.len(), &*names[12]), (13, "m.root-servers.net."));
        for address in
            ["170.247.170.2", "2801:1b8:10::b", "199.7.83.42", "2001:503:ba3e::2:30", "2001:500:12::d0d"]
        {
            assert!(hints.has(address.parse().unwrap()), "{address}");
        }
        assert!(!hints.has("199.9.14.201".parse().unwrap()), "b moved away from there");
    }
}
