//! What a forger would have to guess (RFC 5452 4): ids and source ports of upstream queries, over all threads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;

use hickory_proto::rr::RecordType;

use crate::dns::{PATIENCE, query, receive};
use crate::faults::answer;
use crate::internet::hints;
use crate::namu::{Folder, Namu};

const QUESTIONS: usize = 6000;
const CLIENTS: usize = 4;
/// Questions of one client under way at once.
const AT_ONCE: usize = 20;

#[test]
fn ids_and_source_ports_are_drawn_evenly_from_all_there_are() {
    // The only name server there is, in the hands of this test.
    let root = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = root.local_addr().unwrap().port();
    let folder = Folder::new();
    folder.write("hints.zone", &hints(Ipv4Addr::LOCALHOST));
    folder.write(
        "config.yaml",
        &format!(
            "listen: [{{address: 127.0.0.1, port: 0}}]\naccess-log: []\nserver:\n  special-zones: none\nresolver:\n  root-hints: hints.zone\n  \
             upstream-port: {port}\n  never-query: none\n  trust-anchors: none\n  priming: false\n  qname-minimization: none\n"
        ),
    );
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let server = namu.address();
    let seen = thread::scope(|scope| {
        let seen = scope.spawn(|| serve(&root));
        let clients: Vec<_> =
            (0..CLIENTS).map(|client| scope.spawn(move || ask_all(server, client))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        root.send_to(b"over", root.local_addr().unwrap()).unwrap();
        seen.join().unwrap()
    });
    assert!(namu.stop().success());
    // One query for each question, more only where the machine stood still.
    assert!(seen.len() >= QUESTIONS, "{} queries", seen.len());
    let ports: BTreeSet<u16> = seen.iter().map(|(port, _)| *port).collect();
    assert!(ports.len() * 100 >= seen.len() * 90, "{} ports in {} queries", ports.len(), seen.len());
    assert!(ports.first() >= Some(&1024));
    let share = |value: u16, least: u32| (u32::from(value) - least) * 64 / (65_536 - least);
    are_even("ports", seen.iter().map(|(port, _)| share(*port, 1024)));
    are_even("ids", seen.iter().map(|(_, id)| share(*id, 0)));
}

/// Answers everything, and notes where it came from and under which id.
fn serve(root: &UdpSocket) -> Vec<(u16, u16)> {
    let (mut octets, mut seen) = ([0; 512], Vec::new());
    loop {
        let (length, from) = root.recv_from(&mut octets).unwrap();
        if &octets[..length] == b"over" {
            return seen;
        }
        seen.push((from.port(), u16::from_be_bytes([octets[0], octets[1]])));
        root.send_to(&answer(&octets[..length]), from).unwrap();
    }
}

fn ask_all(server: SocketAddr, client: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    let names: Vec<_> = (client..QUESTIONS).step_by(CLIENTS).collect();
    let mut octets = [0; 512];
    for group in names.chunks(AT_ONCE) {
        for number in group {
            socket.send(&query(&format!("n{number}.test."), RecordType::A)).unwrap();
        }
        for _ in group {
            receive(&socket, &mut octets, PATIENCE, || true).expect("a reply");
        }
    }
}

/// The chi-square test over 64 equal parts; a true draw passes all but once in a thousand million times.
fn are_even(what: &str, parts: impl Iterator<Item = u32>) {
    let mut counts = BTreeMap::<u32, f64>::new();
    parts.for_each(|part| *counts.entry(part).or_default() += 1.0);
    let expected = counts.values().sum::<f64>() / 64.0;
    let missing = (64 - counts.len()) as f64 * expected;
    let distance: f64 = counts.values().map(|count| (count - expected).powi(2) / expected).sum();
    assert!(distance + missing < 160.0, "{what}: {distance} {counts:?}");
}
