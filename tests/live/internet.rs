//! An internet on loopback: a root server, one of two top-level domains and one of the domains below them, each by
//! someone else, and a namu that resolves from that root.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::namu::{Folder, Namu};
use crate::peers::{Kind, Peer, Zone};

/// Where nobody listens.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
/// Ports tried before the machine is found to be too busy.
const PORTS: usize = 5;
/// Addresses of the RRset that fits into no datagram; more would not be cached.
pub const MANY: u8 = 90;

/// Who plays which part.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    pub root: Kind,
    pub tld: Kind,
    pub domain: Kind,
}

pub struct Internet {
    pub folder: Folder,
    /// The port of all servers.
    pub port: u16,
    pub parts: Parts,
    root: Option<Peer>,
    tld: Option<Peer>,
    domain: Option<Peer>,
}

impl Internet {
    pub fn start(parts: Parts) -> Internet {
        let folder = Folder::new();
        // Between finding a port free and opening it another may take it; then there are others.
        for attempt in 0..PORTS {
            let port = free_port();
            let place = |part: &str| folder.path.join(format!("{part}-{attempt}"));
            let at = |kind: Kind| SocketAddr::from((kind.address(), port));
            let start = |part: &str, at: &[SocketAddr], kind, zones: &[Zone]| {
                Peer::start(kind, &place(part), at, zones, &[])
            };
            let ipv6 = has_ipv6().then(|| SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
            let of_domain: Vec<_> = [at(parts.domain)].into_iter().chain(ipv6).collect();
            let root = start("root", &[at(parts.root)], parts.root, &root_zones(parts));
            let tld = root.is_some().then(|| start("tld", &[at(parts.tld)], parts.tld, &tld_zones(parts)));
            let tld = tld.flatten();
            let domain =
                tld.is_some().then(|| start("domain", &of_domain, parts.domain, &domain_zones(parts)));
            let domain = domain.flatten();
            if domain.is_some() {
                return Internet { folder, port, parts, root, tld, domain };
            }
        }
        panic!("no server could be started; see {}", folder.path.display());
    }

    /// A namu that resolves here, logs to `access.log`, and is configured by `more` besides.
    pub fn resolver(&self, more: &str) -> Namu {
        let Internet { folder, port, parts, .. } = self;
        folder.write("hints.zone", &hints(parts.root.address()));
        folder.write(
            "config.yaml",
            &format!(
                "server:\n  special-zones: none\nlisten:\n  - address: 127.0.0.1\n    port: 0\naccess-log:\n  - output: access.log\nresolver:\n  \
                 root-hints: hints.zone\n  upstream-port: {port}\n  never-query: none\n  trust-anchors: none\n  ipv6: {}\n{more}",
                has_ipv6()
            ),
        );
        Namu::start(&folder.path, &["run", "-c", "config.yaml"])
    }

    /// The name of a server's part.
    pub fn part_at(&self, server: SocketAddr) -> &'static str {
        assert_eq!(server.port(), self.port);
        match server.ip() {
            IpAddr::V6(_) => "domain-ipv6",
            IpAddr::V4(NOBODY) => "nobody",
            address if address == self.parts.root.address() => "root",
            address if address == self.parts.tld.address() => "tld",
            address if address == self.parts.domain.address() => "domain",
            stranger => panic!("who is {stranger}?"),
        }
    }

    /// From here on there is no server of domains.
    pub fn lose_domain(&mut self) {
        self.domain = None;
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        // Before their folder.
        (self.root, self.tld, self.domain) = (None, None, None);
    }
}

/// Root hints with one server.
pub fn hints(root: Ipv4Addr) -> String {
    format!(". 3600000 NS server.root.\nserver.root. 3600000 A {root}\n")
}

/// Whether this machine has ::1.
pub fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// A port that is free over UDP and TCP at all addresses of servers, and where nobody is.
fn free_port() -> u16 {
    let kinds = Kind::ALL.map(|kind| IpAddr::from(kind.address()));
    let ipv6 = has_ipv6().then_some(IpAddr::from(Ipv6Addr::LOCALHOST));
    let addresses: Vec<_> = kinds.into_iter().chain(ipv6).chain([IpAddr::from(NOBODY)]).collect();
    loop {
        let chosen = TcpListener::bind((addresses[0], 0)).unwrap();
        let port = chosen.local_addr().unwrap().port();
        let is_free = |address: &IpAddr| UdpSocket::bind((*address, port)).is_ok();
        let is_free_too = |address: &IpAddr| TcpListener::bind((*address, port)).is_ok();
        if addresses.iter().all(is_free) && addresses[1..].iter().all(is_free_too) {
            return port;
        }
    }
}

/// A zone with a start of authority and these lines, whose TTLs are 300.
pub fn zone(name: &str, lines: &str) -> Zone {
    let soa = "@ 300 SOA server.root. admin 7 3600 600 86400 60\n";
    Zone { name: name.into(), text: format!("$ORIGIN {name}\n$TTL 300\n{soa}{lines}") }
}

fn root_zones(parts: Parts) -> Vec<Zone> {
    let (root, tld) = (parts.root.address(), parts.tld.address());
    let lines = format!(
        "@ NS server.root.\nserver.root. A {root}\ntest. NS server.test.\nserver.test. A {tld}\n\
         net. NS server.net.\nserver.net. A {tld}\n"
    );
    vec![zone(".", &lines)]
}

fn tld_zones(parts: Parts) -> Vec<Zone> {
    let (root, tld, domain) = (parts.root.address(), parts.tld.address(), parts.domain.address());
    // The second server of `lame` and `half` has no glue, so it is looked for when the first has been of no use.
    let test = format!(
        "@ NS server\nserver A {tld}\nhome NS ns.home\nns.home A {domain}\nbare NS ns.bare.net.\n\
         lame NS bad.lame\nlame NS ns.lame.net.\nbad.lame A {root}\nhalf NS dead.half\nhalf NS ns.half.net.\n\
         dead.half A {NOBODY}\ndead NS ns.dead\nns.dead A {NOBODY}\nsix NS ns.six\nns.six AAAA ::1\n"
    );
    let mut net = format!("@ NS server\nserver A {tld}\n");
    for child in ["far", "bare", "lame", "half"] {
        writeln!(net, "{child} NS glue.{child}\nglue.{child} A {domain}").unwrap();
    }
    vec![zone("test.", &test), zone("net.", &net)]
}

fn domain_zones(parts: Parts) -> Vec<Zone> {
    let domain = parts.domain.address();
    let mut home = format!(
        "@ NS ns\nns A {domain}\nwww A 192.0.2.1\nalias CNAME www.far.net.\nold DNAME far.net.\n*.wild A 192.0.2.9\n"
    );
    for host in 0..MANY {
        writeln!(home, "big A 198.51.100.{host}").unwrap();
    }
    let mut zones = vec![zone("home.test.", &home)];
    for name in ["far", "bare", "lame", "half"] {
        let lines = format!("@ NS glue\nglue A {domain}\nns A {domain}\nwww A 192.0.2.2\nmail A 192.0.2.3\n");
        zones.push(zone(&format!("{name}.net."), &lines));
    }
    for (name, servers) in
        [("bare", "@ NS ns.bare.net."), ("lame", "@ NS ns.lame.net."), ("half", "@ NS ns.half.net.")]
    {
        zones.push(zone(&format!("{name}.test."), &format!("{servers}\nwww A 192.0.2.4\n")));
    }
    zones.push(zone("six.test.", "@ NS ns\nns AAAA ::1\nwww A 192.0.2.6\n"));
    zones
}
