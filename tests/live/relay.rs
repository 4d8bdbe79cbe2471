//! Name servers that are reached over roads on which datagrams are lost: a root server and two of one top-level domain,
//! each behind a relay in this process. Questions too large for a datagram are not asked here, so there is no other road.

use std::fmt::Write;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::internet::{hints, zone};
use crate::namu::{Folder, Namu, command};
use crate::peers::{Kind, Peer, Zone};

/// Ports tried before the machine is found to be too busy.
const PORTS: usize = 5;
/// The servers. Where their relays are is said by [`relay_of`].
const ROOT: Kind = Kind::Nsd;
const OF_TEST: [Kind; 2] = [Kind::Named, Kind::Knot];

/// The roads to all servers.
#[derive(Default)]
pub struct Roads {
    /// Of a hundred datagrams, in either direction, so many are lost.
    loss: AtomicU32,
    /// Datagrams on the way to servers, the lost ones among them.
    sent: AtomicU64,
    is_over: AtomicBool,
}

impl Roads {
    pub fn lose(&self, percent: u32) {
        self.loss.store(percent, Ordering::Relaxed);
    }

    /// How many datagrams went out to servers up to now.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn loses(&self, chance: &mut Chance) -> bool {
        chance.next() % 100 < u64::from(self.loss.load(Ordering::Relaxed))
    }

    fn is_open(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// Chance that is the same in each run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// The root and `test.`, where any name has an address, and the roads there.
pub struct Afar {
    pub folder: Folder,
    pub roads: Arc<Roads>,
    port: u16,
    peers: Vec<Peer>,
}

impl Afar {
    pub fn start() -> Afar {
        let folder = Folder::new();
        // What is free at the relays may be taken at the servers; then there are other ports.
        for attempt in 0..PORTS {
            let Ok(fronts) = fronts() else { continue };
            let port = fronts[0].1.local_addr().unwrap().port();
            let peers = [ROOT, OF_TEST[0], OF_TEST[1]].into_iter().map_while(|kind| {
                let place = folder.path.join(format!("{kind:?}-{attempt}"));
                let zone = if kind == ROOT { root_zone() } else { test_zone() };
                Peer::start(kind, &place, &[SocketAddr::from((kind.address(), port))], &[zone], &[])
            });
            let peers: Vec<_> = peers.collect();
            if peers.len() < fronts.len() {
                continue;
            }
            let roads = Arc::<Roads>::default();
            for (kind, front) in fronts {
                Relay::start(front, SocketAddr::from((kind.address(), port)), roads.clone());
            }
            return Afar { folder, roads, port, peers };
        }
        panic!("no server could be started; see {}", folder.path.display());
    }

    /// A namu that resolves there, logs to `access.log`, and is configured by `more` besides. It is started by what
    /// `prepare` makes of its command line.
    pub fn resolver(&self, more: &str, prepare: impl FnOnce(&mut Command)) -> Namu {
        self.folder.write("hints.zone", &hints(relay_of(ROOT)));
        self.folder.write(
            "config.yaml",
            &format!(
                "server:\n  special-zones: none\n  workers: 1\nlisten:\n  - address: 127.0.0.1\n    port: 0\n\
                 access-log:\n  - output: access.log\nresolver:\n  root-hints: hints.zone\n  upstream-port: {}\n  \
                 never-query: none\n  trust-anchors: none\n  ipv6: false\n{more}",
                self.port
            ),
        );
        let mut command = command(&self.folder.path, &["run", "-c", "config.yaml"]);
        prepare(&mut command);
        Namu::spawn(command)
    }
}

impl Drop for Afar {
    fn drop(&mut self) {
        self.roads.is_over.store(true, Ordering::Relaxed);
        // Before their folder.
        self.peers.clear();
    }
}

/// Where a server is asked: not at its own address.
fn relay_of(kind: Kind) -> Ipv4Addr {
    let [_, _, _, last] = kind.address().octets();
    Ipv4Addr::new(127, 0, 5, last)
}

/// A socket for each relay, all at one port.
fn fronts() -> io::Result<Vec<(Kind, UdpSocket)>> {
    let first = UdpSocket::bind((relay_of(ROOT), 0))?;
    let port = first.local_addr()?.port();
    let mut fronts = vec![(ROOT, first)];
    for kind in OF_TEST {
        fronts.push((kind, UdpSocket::bind((relay_of(kind), port))?));
    }
    Ok(fronts)
}

/// Carries datagrams between those who ask at `front` and the server at the other end of `back`, as long as the roads
/// are open. On the way a query has a number in the place of its id, by which the reply finds back.
struct Relay {
    front: UdpSocket,
    back: UdpSocket,
    roads: Arc<Roads>,
    /// By number.
    asked: Mutex<Vec<Option<Asker>>>,
}

/// Who asked, and the id of the query.
type Asker = (SocketAddr, [u8; 2]);

impl Relay {
    fn start(front: UdpSocket, server: SocketAddr, roads: Arc<Roads>) {
        let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        back.connect(server).unwrap();
        for socket in [&front, &back] {
            // How long it may take to see that all is over.
            socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        }
        let relay = Arc::new(Relay { front, back, roads, asked: Mutex::new(vec![None; 1 << 16]) });
        let other = relay.clone();
        thread::spawn(move || relay.carry_queries());
        thread::spawn(move || other.carry_replies());
    }

    fn carry_queries(&self) {
        let (mut octets, mut chance, mut number) = ([0; 4096], Chance(1), 0u16);
        while self.roads.is_open() {
            let Ok((length @ 12.., from)) = self.front.recv_from(&mut octets) else { continue };
            self.roads.sent.fetch_add(1, Ordering::Relaxed);
            if self.roads.loses(&mut chance) {
                continue;
            }
            number = number.wrapping_add(1);
            self.asked.lock().unwrap()[usize::from(number)] = Some((from, [octets[0], octets[1]]));
            octets[..2].copy_from_slice(&number.to_be_bytes());
            // A server that is gone has lost it too.
            let _ = self.back.send(&octets[..length]);
        }
    }

    fn carry_replies(&self) {
        let (mut octets, mut chance) = ([0; 4096], Chance(2));
        while self.roads.is_open() {
            let Ok(length @ 12..) = self.back.recv(&mut octets) else { continue };
            let number = usize::from(u16::from_be_bytes([octets[0], octets[1]]));
            let asked = self.asked.lock().unwrap()[number].take();
            let Some((from, id)) = asked.filter(|_| !self.roads.loses(&mut chance)) else { continue };
            octets[..2].copy_from_slice(&id);
            let _ = self.front.send_to(&octets[..length], from);
        }
    }
}

fn root_zone() -> Zone {
    let mut lines = format!("@ NS server.root.\nserver.root. A {}\n", relay_of(ROOT));
    for (number, kind) in OF_TEST.into_iter().enumerate() {
        writeln!(lines, "test. NS ns{number}.test.\nns{number}.test. A {}", relay_of(kind)).unwrap();
    }
    zone(".", &lines)
}

fn test_zone() -> Zone {
    let mut lines = "* A 192.0.2.1\n".to_string();
    for (number, kind) in OF_TEST.into_iter().enumerate() {
        writeln!(lines, "@ NS ns{number}\nns{number} A {}", relay_of(kind)).unwrap();
    }
    zone("test.", &lines)
}
