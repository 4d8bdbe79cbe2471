//! The access log of a running server.

use crate::dns::{query, tcp, udp, udp_octets};
use crate::namu::{Folder, Namu, eventually};
use hickory_proto::rr::RecordType;

const ZONE: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n\
                    ns1 A 192.0.2.1\nwww A 192.0.2.2\n";
const CONFIG: &str = "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  enabled: false\nzones:\n  - name: home.test\n    type: primary\n    file: home.test.zone\naccess-log:\n  - output: access.log\n";

#[test]
fn each_request_has_one_line_with_its_facts() {
    let folder = Folder::new();
    folder.write("home.test.zone", ZONE);
    folder.write("config.yaml", CONFIG);
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    udp(namu.address(), "WWW.home.test.", RecordType::A);
    tcp(namu.address(), "nx.home.test.", RecordType::AAAA);
    udp(namu.address(), "example.com.", RecordType::MX);
    let mut malformed = query("www.home.test.", RecordType::A);
    malformed.push(0);
    udp_octets(namu.address(), &malformed).unwrap();
    let mut response = query("www.home.test.", RecordType::A);
    response[2] |= 0x80;
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&response, namu.address()).unwrap();
    eventually("four lines", || folder.read("access.log").lines().count() >= 4);
    assert!(namu.stop().success());
    let log = folder.read("access.log");
    let mut lines: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    // Workers hand their lines over in blocks of their own, so the order is that of time, not of lines.
    lines.sort();
    let facts: Vec<String> =
        lines.iter().map(|line| [&line[2..7], &line[9..12]].concat().join(" ")).collect();
    assert_eq!(
        facts,
        [
            "udp WWW.home.test. A NOERROR authoritative qr,aa,rd - -",
            "tcp nx.home.test. AAAA NXDOMAIN authoritative qr,aa,rd - -",
            "udp example.com. MX REFUSED refused qr,rd - 20",
            "udp www.home.test. A FORMERR malformed qr,rd - -",
        ]
    );
}

#[test]
fn a_log_moved_away_is_begun_anew_at_sighup() {
    let folder = Folder::new();
    folder.write("home.test.zone", ZONE);
    folder.write("config.yaml", CONFIG);
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    udp(namu.address(), "first.home.test.", RecordType::A);
    eventually("the first line", || folder.read("access.log").contains("first"));
    std::fs::rename(folder.path.join("access.log"), folder.path.join("access.log.1")).unwrap();
    namu.signal("HUP");
    eventually("a new file", || folder.path.join("access.log").exists());
    udp(namu.address(), "second.home.test.", RecordType::A);
    eventually("the second line", || folder.read("access.log").contains("second"));
    assert!(!folder.read("access.log.1").contains("second"));
}
