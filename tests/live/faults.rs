//! What can befall a process: no descriptors, clients that break off, an end under load, a log that takes nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use socket2::{Domain, SockRef, Socket, Type};

use crate::dns::{PATIENCE, Stream, query, receive, udp};
use crate::internet::hints;
use crate::namu::{Folder, Namu, command, eventually};

const CONFIG: &str = "server:\n  special-zones: none\nlisten:\n  - address: 127.0.0.1\n    port: 0\n\
                      zones:\n  - name: home.test\n    type: primary\n    file: home.zone\n";

fn zone(serial: u32) -> String {
    let mut zone = format!(
        "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin {serial} 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n\
         www A 192.0.2.2\n"
    );
    for host in 0..100 {
        zone += &format!("many A 198.51.100.{host}\n");
    }
    zone
}

/// A folder with a zone and a configuration that ends with `more`.
fn folder(more: &str) -> Folder {
    let folder = Folder::new();
    folder.write("home.zone", &zone(1));
    folder.write("config.yaml", &format!("{CONFIG}{more}"));
    folder
}

fn start(folder: &Folder) -> Namu {
    Namu::start(&folder.path, &["run", "-c", "config.yaml"])
}

/// Clients that ask one query after the other.
struct Load {
    is_over: Arc<AtomicBool>,
    /// The server has ended, so what was not answered never will be.
    is_alone: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Asked>>,
}

#[derive(Default)]
struct Asked {
    answered: usize,
    /// When the queries were sent that got no reply.
    lost: Vec<Instant>,
}

impl Load {
    fn start(server: SocketAddr) -> Load {
        let (is_over, is_alone) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let client = |_| {
            let (is_over, is_alone) = (is_over.clone(), is_alone.clone());
            thread::spawn(move || ask_on(server, &is_over, &is_alone))
        };
        let clients = (0..2).map(client).collect();
        Load { is_over, is_alone, clients }
    }

    /// As [`Load::end`], after the end of the server.
    fn end_alone(self) -> Asked {
        self.is_alone.store(true, Ordering::Relaxed);
        self.end()
    }

    fn end(self) -> Asked {
        self.is_over.store(true, Ordering::Relaxed);
        let mut sum = Asked::default();
        for client in self.clients {
            let Asked { answered, lost } = client.join().unwrap();
            sum.answered += answered;
            sum.lost.extend(lost);
        }
        sum
    }
}

/// Asks until it is over or a reply does not come.
fn ask_on(server: SocketAddr, is_over: &AtomicBool, is_alone: &AtomicBool) -> Asked {
    let has_server = || !is_alone.load(Ordering::Relaxed);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    let (request, mut reply) = (query("www.home.test.", RecordType::A), [0; 512]);
    let mut asked = Asked::default();
    while !is_over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        match socket.send(&request).and_then(|_| receive(&socket, &mut reply, PATIENCE, has_server)) {
            Ok(_) => asked.answered += 1,
            Err(_) => {
                asked.lost.push(sent);
                break;
            }
        }
    }
    asked
}

/// The requests an access log accounts for: a line each, or counted among those dropped while the disk stood still.
fn accounted(log: &str) -> usize {
    let dropped = |line: &str| line.strip_prefix("# dropped ")?.split(' ').next()?.parse::<usize>().ok();
    log.lines().map(|line| dropped(line).unwrap_or(1)).sum()
}

/// A connection from an address whose prefix no other connection has.
fn connect_from(prefix: u8, server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::from((Ipv4Addr::new(127, 1, prefix, 1), 0));
    socket.bind(&from.into()).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// Whether a question over a connection of its own is answered.
fn is_answered_over_tcp(server: SocketAddr) -> bool {
    let mut stream = Stream::open(server);
    stream.send(&[query("www.home.test.", RecordType::A)], usize::MAX);
    stream.receive().is_some()
}

#[test]
fn datagrams_are_answered_when_connections_have_taken_every_descriptor() {
    let folder = folder("");
    let namu = start(&folder);
    assert!(is_answered_over_tcp(namu.address()));
    let at_rest = namu.descriptors();
    let plenty = namu.open_files_limit();
    // Nothing new can be opened from here on, as if connections had taken all there are.
    namu.limit_open_files(1);
    let held: Vec<TcpStream> = (0..100).map(|prefix| connect_from(prefix, namu.address())).collect();
    for _ in 0..100 {
        assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    }
    assert!(namu.descriptors() <= at_rest, "no connection can have been accepted");
    drop(held);
    namu.limit_open_files(plenty);
    eventually("streams are served again", || is_answered_over_tcp(namu.address()));
    eventually("all descriptors are given back", || namu.descriptors() <= at_rest);
    assert!(namu.stop().success());
}

#[test]
fn connections_broken_off_leave_nothing_behind() {
    let folder = folder("");
    let namu = start(&folder);
    assert!(is_answered_over_tcp(namu.address()));
    let at_rest = namu.descriptors();
    let request = query("many.home.test.", RecordType::A);
    for number in 0..200 {
        let mut stream = Stream::open(namu.address());
        // In the middle of a request, after one, and with replies under way.
        match number % 3 {
            0 => stream.send_part(&request, 9),
            1 => stream.send(std::slice::from_ref(&request), usize::MAX),
            _ => stream.send(&vec![request.clone(); 20], usize::MAX),
        }
        // Without lingering, closing resets the connection.
        SockRef::from(stream.socket()).set_linger(Some(Duration::ZERO)).unwrap();
    }
    assert!(is_answered_over_tcp(namu.address()));
    eventually("their descriptors are given back", || namu.descriptors() <= at_rest);
    assert!(namu.stop().success());
}

#[test]
fn the_end_under_load_answers_all_that_was_asked_before() {
    let folder = folder("access-log:\n  - output: access.log\n");
    let namu = start(&folder);
    let load = Load::start(namu.address());
    eventually("queries are logged", || folder.read("access.log").lines().count() > 100);
    let mut stream = Stream::open(namu.address());
    stream.send(&[query("many.home.test.", RecordType::A)], usize::MAX);
    let told = Instant::now();
    assert!(namu.stop().success());
    assert!(stream.receive().is_some(), "connected and asked in time");
    let Asked { answered, lost } = load.end_alone();
    assert!(lost.iter().all(|sent| *sent >= told), "{lost:?} before {told:?}");
    assert_eq!(accounted(&folder.read("access.log")), answered + 1, "a line each");
}

#[test]
fn the_end_waits_for_a_name_server_that_is_about_to_answer() {
    // The only name server there is, in the hands of this test.
    let root = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = root.local_addr().unwrap().port();
    let folder = folder(&format!(
        "resolver:\n  root-hints: hints.zone\n  upstream-port: {port}\n  never-query: none\n  trust-anchors: none\n  priming: false\n  \
         qname-minimization: none\n"
    ));
    folder.write("hints.zone", &hints(Ipv4Addr::LOCALHOST));
    let namu = start(&folder);
    let server = namu.address();
    let client = thread::spawn(move || udp(server, "www.far.test.", RecordType::A));
    let mut octets = [0; 512];
    let (length, from) = root.recv_from(&mut octets).unwrap();
    namu.signal("TERM");
    root.send_to(&answer(&octets[..length]), from).unwrap();
    // A busy machine is late with that at times, and then it is asked again.
    root.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while !client.is_finished() {
        if let Ok((length, from)) = root.recv_from(&mut octets) {
            root.send_to(&answer(&octets[..length]), from).unwrap();
        }
    }
    let reply = client.join().unwrap();
    assert_eq!(reply.answers.len(), 1, "{reply}");
    assert!(namu.ended().success());
}

/// The response of an authoritative server to a query for an address.
pub fn answer(octets: &[u8]) -> Vec<u8> {
    let asked = Message::from_vec(octets).unwrap();
    let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = true;
    message.metadata.response_code = ResponseCode::NoError;
    let question = asked.queries[0].clone();
    let name = question.name().clone();
    message.add_query(question);
    message.add_answer(Record::from_rdata(name, 300, RData::A(A::new(192, 0, 2, 7))));
    message.to_vec().unwrap()
}

#[test]
fn twenty_reloads_under_load_lose_nothing() {
    let folder = folder("access-log:\n  - output: access.log\n");
    let mut namu = start(&folder);
    let load = Load::start(namu.address());
    eventually("queries are logged", || folder.read("access.log").lines().count() > 100);
    for serial in 2..=21 {
        // A file is replaced whole; one that is read while it is written would be half a zone.
        let new = folder.write("home.zone.new", &zone(serial));
        std::fs::rename(new, folder.path.join("home.zone")).unwrap();
        namu.signal("HUP");
    }
    namu.wait_for("-> 21");
    let Asked { answered, lost } = load.end();
    assert!(namu.stop().success());
    assert!(lost.is_empty(), "{} of {answered}", lost.len());
    assert_eq!(accounted(&folder.read("access.log")), answered, "a line each");
}

#[test]
fn queries_are_answered_when_the_disk_of_the_log_is_full() {
    let folder = folder("access-log:\n  - output: /dev/full\n");
    let mut namu = start(&folder);
    for _ in 0..100 {
        assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    }
    let complaint = namu.wait_for("access log");
    assert!(complaint.contains("No space left") && complaint.contains("lost"), "{complaint}");
    let complaints = namu.heard().matches("access log").count();
    assert_eq!(complaints, 1, "one is enough: {}", namu.heard());
    assert!(namu.stop().success());
}

#[test]
fn queries_are_answered_when_the_reader_of_the_log_is_gone() {
    let folder = folder("access-log:\n  - output: stdout\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut namu = Namu::spawn_writing(command(&folder.path, &["run", "-c", "config.yaml"]), writer);
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    let complaint = namu.wait_for("access log");
    assert!(complaint.contains("Broken pipe"), "{complaint}");
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    assert!(namu.stop().success());
}

#[test]
fn a_reader_of_the_log_that_stops_stops_nobody() {
    let folder = folder("access-log:\n  - output: stdout\n");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let namu = Namu::spawn_writing(command(&folder.path, &["run", "-c", "config.yaml"]), writer);
    // Several times what a pipe holds, so the writer of the log stands still.
    for _ in 0..4000 {
        assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    }
    assert!(namu.stop().success());
    let mut log = String::new();
    reader.read_to_string(&mut log).unwrap();
    assert!(log.len() > 4096 && log.lines().count() < 4000, "{} octets were written", log.len());
}

#[test]
fn a_log_into_a_named_pipe_does_not_wait_for_its_reader() {
    let folder = folder("access-log:\n  - output: pipe\n");
    let pipe = folder.path.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let namu = start(&folder);
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    let mut line = String::new();
    BufReader::new(File::open(&pipe).unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("udp www.home.test. A NOERROR authoritative"), "{line}");
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    assert!(namu.stop().success());
}
