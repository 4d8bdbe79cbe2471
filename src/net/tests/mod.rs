//! The doors, end to end over loopback, before a service that does what the request says.

mod tcp;
mod udp;

use std::sync::atomic::AtomicUsize;
use std::sync::{Condvar, Mutex};

use super::desk::{Desk, Exchange, Step};
use super::*;
use crate::clock::{Now, Tick};
use crate::dns::Rcode;
use crate::observe::{DropReason, Event, Source};
use crate::service::{Packet, Replies};

/// Longest a test waits for a fact; it fails then.
const SOON: Duration = Duration::from_secs(60);

/// What the test and the desks of all threads share.
struct World {
    /// The snapshot: every response ends with the number its desk took last.
    serial: AtomicU64,
    refreshes: AtomicUsize,
    /// Requests in their second half.
    waiting: AtomicUsize,
    /// Those requests end when this is true.
    gate: watch::Sender<bool>,
    notes: Mutex<Notes>,
    noted: Condvar,
}

#[derive(Default)]
struct Notes {
    recorded: Vec<Recorded>,
    dropped: Vec<DropReason>,
    panicked: usize,
}

#[derive(Debug, Clone)]
struct Recorded {
    request: Vec<u8>,
    of: Exchange,
    sent: Now,
}

impl World {
    fn note(&self, write: impl FnOnce(&mut Notes)) {
        write(&mut self.notes.lock().unwrap());
        self.noted.notify_all();
    }

    /// Waits until the notes say so.
    fn wait_until<T>(&self, look: impl Fn(&Notes) -> Option<T>) -> T {
        let notes = self.notes.lock().unwrap();
        let (notes, timeout) =
            self.noted.wait_timeout_while(notes, SOON, |notes| look(notes).is_none()).unwrap();
        assert!(!timeout.timed_out(), "never noted");
        look(&notes).unwrap()
    }

    fn recorded(&self, count: usize) -> Vec<Recorded> {
        self.wait_until(|notes| (notes.recorded.len() >= count).then(|| notes.recorded.clone()))
    }

    fn open_the_gate(&self) {
        self.gate.send_replace(true);
    }
}

/// A desk that takes orders from behind the header of a request: see [`request`].
struct TestDesk {
    world: Arc<World>,
    serial: u64,
}

struct TestRequest {
    world: Arc<World>,
    octets: Vec<u8>,
}

impl Desk for TestDesk {
    type Request = TestRequest;

    fn refresh(&mut self) {
        self.serial = self.world.serial.load(Ordering::SeqCst);
        self.world.note(|_| {
            self.world.refreshes.fetch_add(1, Ordering::SeqCst);
        });
    }

    fn begin(&mut self, packet: &Packet<'_>, _: Now, out: &mut [u8]) -> Step<TestRequest> {
        let octets = packet.octets;
        match octets.get(12..16).unwrap_or_default() {
            b"echo" => {
                let mut response = response(octets, Rcode(0));
                response.extend(self.serial.to_be_bytes());
                out[..response.len()].copy_from_slice(&response);
                Step::Answered { length: response.len(), event: event(&response, Rcode(0)) }
            }
            b"huge" => {
                out.fill(0xaa);
                out[..12].copy_from_slice(&octets[..12]);
                Step::Answered { length: out.len(), event: event(out, Rcode(0)) }
            }
            b"wait" | b"many" | b"hurt" | b"pour" => {
                self.world.note(|_| {
                    self.world.waiting.fetch_add(1, Ordering::SeqCst);
                });
                Step::Waiting(TestRequest { world: self.world.clone(), octets: octets.into() })
            }
            b"boom" => panic!("the request says so"),
            _ => Step::Dropped(DropReason::TooShort),
        }
    }

    fn recover(&mut self, packet: &Packet<'_>, out: &mut [u8]) -> Option<(usize, Event)> {
        let response = response(packet.octets, Rcode(2));
        out[..response.len()].copy_from_slice(&response);
        Some((response.len(), event(&response, Rcode(2))))
    }

    async fn complete(request: TestRequest, replies: &mut dyn Replies) {
        let TestRequest { world, octets } = request;
        let _ = world.gate.subscribe().wait_for(|is_open| *is_open).await;
        let response = response(&octets, Rcode(0));
        match &octets[12..16] {
            b"many" => {
                for _ in 0..99 {
                    replies.send(response.clone(), None).await;
                }
            }
            b"pour" => {
                let mut long = response.clone();
                long.resize(16 * 1024, 0);
                while replies.send(long.clone(), None).await {}
                return world.note(|_| _ = world.waiting.fetch_sub(1, Ordering::SeqCst));
            }
            b"hurt" => panic!("the request says so"),
            _ => {}
        }
        let event = event(&response, Rcode(0));
        replies.send(response, Some(event)).await;
    }

    fn record(&mut self, request: &[u8], of: Exchange, _: &Event, sent: Now) {
        let recorded = Recorded { request: request.into(), of, sent };
        self.world.note(|notes| notes.recorded.push(recorded));
    }

    fn dropped(&mut self, reason: DropReason) {
        self.world.note(|notes| notes.dropped.push(reason));
    }

    fn panicked(&mut self) {
        self.world.note(|notes| notes.panicked += 1);
    }

    fn has_pending(&self) -> bool {
        false
    }

    fn hand_over(&mut self, _: Tick) {}
}

/// A request with an order: `echo`; `huge`, answered with all octets there is room for; `wait` for the gate, then as
/// `echo`; `many`, a hundred messages after the gate; `pour`, messages after the gate until the client is gone; `hurt`, a panic after the gate; `boom`, a panic at once; anything
/// else is dropped.
fn request(id: u16, order: &str) -> Vec<u8> {
    let mut octets = vec![0; 12];
    octets[..2].copy_from_slice(&id.to_be_bytes());
    octets.extend(order.as_bytes());
    octets
}

fn response(request: &[u8], rcode: Rcode) -> Vec<u8> {
    let mut octets = request[..16].to_vec();
    octets[2] |= 0x80;
    octets[3] = rcode.0 as u8;
    octets
}

fn id(message: &[u8]) -> u16 {
    u16::from_be_bytes([message[0], message[1]])
}

fn event(response: &[u8], rcode: Rcode) -> Event {
    Event {
        source: Source::Local,
        rcode,
        question: None,
        flags: 0,
        octets: response.len() as u32,
        security: None,
        extended_error: None,
        recursion: None,
        transfer: None,
    }
}

/// Doors that are served, and the world behind them.
struct House {
    running: Running,
    world: Arc<World>,
}

impl House {
    /// One address with a port of the kernel's choice for both transports.
    fn at(address: &str, workers: usize, bounds: Bounds) -> House {
        let address = SocketAddr::new(address.parse().unwrap(), 0);
        let listen = Listen { address, transports: vec![Transport::Udp, Transport::Tcp] };
        let (doors, errors) = Doors::bind(&[listen], workers);
        assert!(errors.is_empty(), "{errors:?}");
        House::behind(doors, bounds)
    }

    fn behind(doors: Doors, bounds: Bounds) -> House {
        let world = Arc::new(World {
            serial: AtomicU64::new(1),
            refreshes: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            gate: watch::Sender::new(false),
            notes: Mutex::default(),
            noted: Condvar::new(),
        });
        let mut make_desk = || TestDesk { world: world.clone(), serial: 0 };
        let running = serve_desks(doors, &mut make_desk, Arc::new(Clock::start()), bounds).unwrap();
        House { running, world }
    }

    fn address(&self) -> SocketAddr {
        self.running.addresses()[0].0
    }
}

/// A client's socket on an address of this machine.
fn client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut octets = vec![0; 65536];
    let (length, from) = socket.recv_from(&mut octets).expect("a response");
    octets.truncate(length);
    (octets, from)
}

fn ask(socket: &UdpSocket, to: SocketAddr, octets: &[u8]) -> Vec<u8> {
    socket.send_to(octets, to).unwrap();
    let (octets, from) = receive(socket);
    assert_eq!(from, to, "the address asked answers");
    octets
}
