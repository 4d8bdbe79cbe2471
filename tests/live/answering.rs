//! What a running server says of itself, to whom, and how often.

use std::process::Command;

use crate::dns::{query, udp, udp_octets};
use crate::namu::{Folder, Namu, eventually};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;

const ZONE: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n\
                    ns1 A 192.0.2.1\nwww A 192.0.2.2\n";

fn start(folder: &Folder, server: &str) -> Namu {
    folder.write("home.test.zone", ZONE);
    let config = format!(
        "server: {{{server}}}\nlisten:\n  - address: 127.0.0.1\n    port: 0\nzones:\n  - name: home.test\n    type: primary\n    file: home.test.zone\naccess-log:\n  - output: access.log\n"
    );
    folder.write("config.yaml", &config);
    Namu::start(&folder.path, &["run", "-c", "config.yaml"])
}

/// The COOKIE option of the response to a query with this one; of both sides the octets from the client's part on.
fn cookie(namu: &Namu, ours: &[u8]) -> Vec<u8> {
    let mut request = query("www.home.test.", RecordType::A);
    let at = request.len() - 2;
    request[at..].copy_from_slice(&(4 + ours.len() as u16).to_be_bytes());
    request.extend([0, 10, 0, ours.len() as u8]);
    request.extend(ours);
    let response = udp_octets(namu.address(), &request).expect("a response");
    let at =
        response.windows(12).position(|octets| octets[..4] == [0, 10, 0, 24] && octets[4..] == ours[..8]);
    response[at.expect("a cookie") + 4..].get(..24).expect("24 octets").to_vec()
}

#[test]
fn servers_that_share_a_secret_know_each_others_cookies() {
    let (one, two) = (Folder::new(), Folder::new());
    let secret = "000102030405060708090a0b0c0d0e0f\n";
    one.write("secrets", secret);
    two.write("secrets", &format!("# the one in use\n{secret}"));
    let server = "cookie-secret-file: secrets";
    let (namu, mut other) = (start(&one, server), start(&two, server));
    let learnt = cookie(&namu, b"12345678");
    assert_eq!(cookie(&other, &learnt), learnt, "known, and so given back as it is");
    // The other one is told of a new secret: cookies of the old one are known and replaced.
    two.write("secrets", &format!("ffffffffffffffffffffffffffffffff\n{secret}"));
    other.signal("HUP");
    eventually("the new secret", || cookie(&other, &learnt) != learnt);
    two.write("secrets", "not a secret\n");
    other.signal("HUP");
    other.wait_for("line 1 is not a secret");
    assert_ne!(cookie(&other, &learnt), learnt, "a bad file changes nothing");
}

#[test]
fn a_cookie_of_ours_is_one_to_other_implementations() {
    let folder = Folder::new();
    let namu = start(&folder, "");
    let (at, port) = (format!("@{}", namu.address().ip()), namu.address().port().to_string());
    let arguments = ["+cookie=0123456789abcdef", &at, "-p", &port, "www.home.test", "A"];
    let Ok(output) = Command::new("dig").args(arguments).output() else {
        return eprintln!("dig is not installed: not compared");
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("; COOKIE: 0123456789abcdef01000000") && text.contains("(good)"), "{text}");
}

#[test]
fn names_of_this_house_are_answered_without_a_packet_out() {
    let folder = Folder::new();
    let namu = start(&folder, "");
    let reply = udp(namu.address(), "a.localhost.", RecordType::A);
    assert_eq!(reply.answers[0].to_string(), "a.localhost. 10800 IN A 127.0.0.1");
    for name in ["example.onion.", "nas.home.arpa.", "1.2.168.192.in-addr.arpa.", "other.test."] {
        let reply = udp(namu.address(), name, RecordType::PTR);
        assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain, "{name}");
    }
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1, "the zone wins");
    eventually("a line", || folder.read("access.log").contains(" a.localhost. A NOERROR local "));
}

#[test]
fn this_machine_is_answered_as_often_as_it_asks() {
    // One at a time, so that no buffer of a socket overflows; five times as many as a stranger gets in a second.
    const ASKED: usize = 1000;
    let folder = Folder::new();
    let namu = start(&folder, "cookies: false");
    let request = query("www.home.test.", RecordType::A);
    for _ in 0..ASKED {
        let reply = Message::from_vec(&crate::dns::udp_octets(namu.address(), &request).unwrap()).unwrap();
        assert_eq!(reply.answers.len(), 1);
        assert!(!reply.metadata.truncation);
    }
}
