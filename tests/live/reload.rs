//! Editing a zone while it is served.

use crate::dns::udp;
use crate::namu::{Folder, Namu};
use hickory_proto::rr::{RData, RecordType};
use std::net::SocketAddr;

fn zone(serial: u32) -> String {
    format!(
        "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin {serial} 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n"
    )
}

fn serial(server: SocketAddr) -> u32 {
    let reply = udp(server, "home.test.", RecordType::SOA);
    match &reply.answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("no SOA: {other}"),
    }
}

#[test]
fn the_first_query_after_a_reload_sees_the_new_zone() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    assert_eq!(serial(namu.address()), 1);
    for version in 2..6 {
        folder.write("zones/home.test.zone", &zone(version));
        namu.signal("HUP");
        namu.wait_for(&format!("serial {} -> {version}", version - 1));
        for _ in 0..8 {
            assert_eq!(serial(namu.address()), version);
        }
    }
}

#[test]
fn a_broken_edit_is_shown_and_the_old_zone_goes_on() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    folder.write("zones/home.test.zone", &zone(2).replace("www A", "www AAA"));
    namu.signal("HUP");
    namu.wait_for("www AAA 192.0.2.2");
    namu.wait_for("^^^");
    assert_eq!(serial(namu.address()), 1);
    folder.write("zones/home.test.zone", &zone(3));
    namu.signal("HUP");
    namu.wait_for("serial 1 -> 3");
    assert_eq!(serial(namu.address()), 3);
}

#[test]
fn zones_come_and_go_with_their_files() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    folder.write("zones/second.test.zone", &zone(9).replace("home", "second"));
    namu.signal("HUP");
    namu.wait_for("second.test");
    assert_eq!(udp(namu.address(), "www.second.test.", RecordType::A).answers.len(), 1);
}
