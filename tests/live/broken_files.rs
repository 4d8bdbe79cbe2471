//! Files that are wrong, half-written or changing all the time, under a server that has to go on.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::dns::{PATIENCE, receive, udp};
use crate::namu::{Folder, Namu, run};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

const ZONE: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n\
                    www A 192.0.2.2\n";

fn serial(server: SocketAddr) -> u32 {
    match &udp(server, "home.test.", RecordType::SOA).answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("no SOA: {other}"),
    }
}

/// A generator without state elsewhere, so that a failure can be had again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn a_file_cut_anywhere_changes_nothing() {
    let folder = Folder::new();
    let hosts: String = (0..60).map(|host| format!("host{host} A 192.0.2.{host}\n")).collect();
    let old = format!("{ZONE}{hosts}");
    folder.write("zones/home.test.zone", &old);
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let new = old.replace("admin 1", "admin 2");
    for cut in (100..new.len()).step_by(100) {
        // Written in place, as a copy that is under way: no reader knows how much is to come.
        folder.write("zones/home.test.zone", &new[..cut]);
        namu.signal("HUP");
        let reply = udp(namu.address(), "host59.home.test.", RecordType::A);
        assert_eq!((reply.answers.len(), serial(namu.address())), (1, 1), "cut at {cut}");
        folder.write("zones/home.test.zone", &old);
    }
    assert_eq!(serial(namu.address()), 1);
    folder.write("zones/home.test.zone", &new);
    namu.signal("HUP");
    namu.wait_for("serial 1 -> 2");
    assert_eq!(serial(namu.address()), 2);
}

#[test]
fn two_hundred_broken_configurations_change_nothing() {
    let folder = Folder::new();
    folder.write("home.zone", ZONE);
    let good = "listen:\n  - address: 127.0.0.1\n    port: 0\ncontrol:\n  socket: control.sock\nresolver:\n  \
                enabled: false\naccess-log: []\naccess:\n  query: [any]\nzones:\n  - name: home.test\n    type: primary\n    \
                file: home.zone\n";
    folder.write("config.yaml", good);
    let mut namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for round in 0..200 {
        let mut octets = good.as_bytes().to_vec();
        for _ in 0..1 + chance.below(4) {
            let place = chance.below(octets.len());
            match chance.below(3) {
                0 => octets[place] = chance.below(256) as u8,
                1 => drop(octets.remove(place)),
                _ => octets.insert(place, b" \n:-[]{}#'\"&*!|>%@`0aZ\xff\0"[chance.below(24)]),
            }
        }
        fs::write(folder.path.join("config.yaml"), &octets).unwrap();
        // Whether it is good is for `check` to say: what it refuses must change nothing.
        let is_good = run(&folder.path, &["check", "config.yaml"]).0 == 0;
        if is_good {
            continue;
        }
        namu.signal("HUP");
        namu.wait_for("nothing was changed");
        let reply = udp(namu.address(), "www.home.test.", RecordType::A);
        assert_eq!(reply.metadata.response_code, ResponseCode::NoError, "round {round}");
    }
    folder.write("config.yaml", good);
    let (code, said, talk) = run(&folder.path, &["ctl", "--socket", "control.sock", "reload"]);
    assert!(code == 0 && said.trim() == "nothing changed", "{said}{talk}");
}

/// How many zones, and how often they are reloaded.
const ZONES: usize = 1000;
const RELOADS: usize = 50;

fn numbered(zone: usize, serial: u32) -> String {
    format!(
        "$ORIGIN z{zone}.test.\n$TTL 300\n@ SOA ns1 admin {serial} 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n\
         alias CNAME v{serial}\nv{serial} A 192.0.2.1\n"
    )
}

/// One answer in which serial and data stand side by side: an alias to a name without the type, and the SOA that says so.
fn ask_both(socket: &UdpSocket, zone: usize, id: u16) -> Option<(u32, String)> {
    let name: Name = format!("alias.z{zone}.test.").parse().unwrap();
    let mut query = Message::new(id, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(name, RecordType::AAAA));
    socket.send(&query.to_vec().unwrap()).unwrap();
    let mut octets = [0; 4096];
    let length = receive(socket, &mut octets, PATIENCE, || true).ok()?;
    let reply = Message::from_vec(&octets[..length]).unwrap();
    let (mut serial, mut text) = (None, String::new());
    for record in reply.answers.iter().chain(&reply.authorities) {
        match &record.data {
            RData::SOA(soa) => serial = Some(soa.serial),
            RData::CNAME(target) => text = target.to_string(),
            _ => {}
        }
    }
    Some((serial.unwrap_or(0), text))
}

#[test]
fn reloads_under_load_lose_no_query_and_mix_no_versions() {
    let folder = Folder::new();
    for zone in 0..ZONES {
        folder.write(&format!("zones/z{zone}.test.zone"), &numbered(zone, 1));
    }
    let namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let (address, is_over) = (namu.address(), AtomicBool::new(false));
    let (asked, mixed, lost) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..2 {
            let (is_over, asked, mixed, lost) = (&is_over, &asked, &mixed, &lost);
            scope.spawn(move || {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(address).unwrap();
                let mut id = client;
                while !is_over.load(Ordering::Relaxed) {
                    id += 2;
                    asked.fetch_add(1, Ordering::Relaxed);
                    match ask_both(&socket, usize::from(id) % ZONES, id) {
                        None => drop(lost.fetch_add(1, Ordering::Relaxed)),
                        Some((serial, text)) if serial != 0 && !text.is_empty() => {
                            let is_one = text.starts_with(&format!("v{serial}."));
                            mixed.fetch_add(u64::from(!is_one), Ordering::Relaxed);
                        }
                        Some(other) => panic!("no SOA and CNAME together: {other:?}"),
                    }
                    id %= 60_000;
                }
            });
        }
        for round in 0..RELOADS {
            let serial = round as u32 + 2;
            for zone in (round % 20..ZONES).step_by(20) {
                folder.write(&format!("zones/z{zone}.test.zone"), &numbered(zone, serial));
            }
            let (code, said, talk) = run(&folder.path, &["zone", "reload"]);
            assert_eq!(code, 0, "{said}{talk}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(asked.into_inner() > 0);
    assert_eq!((lost.into_inner(), mixed.into_inner()), (0, 0));
    let (_, stats, _) = run(&folder.path, &["ctl", "stats"]);
    assert!(stats.contains("namu_zone_serial{zone=\"z9.test\"} "), "{stats}");
    for round in RELOADS - 20..RELOADS {
        let line = format!("namu_zone_serial{{zone=\"z{}.test\"}} {}", round % 20, round + 2);
        assert!(stats.lines().any(|other| other == line), "{line}");
    }
}
