//! Commands for a running server.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use crate::dns::{answers, tcp, udp};
use crate::namu::{Folder, Namu, eventually, run};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

const ZONE: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n\
                    ns1 A 192.0.2.1\nwww A 192.0.2.2\n";

fn served() -> (Folder, Namu) {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", ZONE);
    let namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    (folder, namu)
}

/// A port nobody listens on now.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(port: u16, rest: &str) -> String {
    format!(
        "listen:\n  - address: 127.0.0.1\n    port: {port}\nresolver:\n  enabled: false\naccess-log: []\n\
         control:\n  socket: control.sock\nzones:\n  - name: home.test\n    type: primary\n    file: home.zone\n{rest}"
    )
}

fn configured(port: u16) -> (Folder, Namu) {
    let folder = Folder::new();
    folder.write("home.zone", ZONE);
    folder.write("config.yaml", &config(port, ""));
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    (folder, namu)
}

#[test]
fn status_stats_and_lists_tell_what_is_so() {
    let (folder, namu) = served();
    udp(namu.address(), "www.home.test.", RecordType::A);
    let (code, status, _) = run(&folder.path, &["ctl", "status"]);
    assert_eq!(code, 0);
    for part in ["namu ", "pid ", "1 served, 4 records", &namu.address().to_string()] {
        assert!(status.contains(part), "`{part}` in\n{status}");
    }
    let (_, stats, _) = run(&folder.path, &["ctl", "stats"]);
    for line in [
        "namu_dns_requests_total{view=\"default\",transport=\"udp\",family=\"ipv4\",qtype=\"A\"} 1",
        "namu_dns_responses_total{view=\"default\",rcode=\"NOERROR\",source=\"authoritative\",dnssec=\"-\"} 1",
        "namu_zone_serial{zone=\"home.test\"} 7",
        "namu_zone_load_errors_total{zone=\"home.test\"} 0",
        "namu_trust_anchor_info{zone=\".\",key_tag=\"20326\",state=\"configured\"} 1",
        "namu_trust_anchor_info{zone=\".\",key_tag=\"38696\",state=\"configured\"} 1",
    ] {
        assert!(stats.lines().any(|other| other == line), "`{line}` in\n{stats}");
    }
    let (_, list, _) = run(&folder.path, &["zone", "list", "--json"]);
    assert_eq!(list.lines().count(), 1);
    assert!(list.contains("\"zone\":\"home.test\"") && list.contains("\"serial\":7"), "{list}");
    let (_, text, _) = run(&folder.path, &["zone", "show", "home.test"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.starts_with("home.test. 300 IN SOA "), "{text}");
    folder.write("shown.zone", &text);
    assert_eq!(run(&folder.path, &["check", "zone", "home.test", "shown.zone"]).0, 0);
    let (code, _, talk) = run(&folder.path, &["zone", "show", "other.test"]);
    assert!(code == 1 && talk.contains("other.test is not a zone of this server"), "{talk}");
}

#[test]
fn a_zone_larger_than_one_reply_is_shown_whole() {
    let folder = Folder::new();
    let hosts: String = (0..30_000).map(|host| format!("host{host} A 192.0.2.7\n")).collect();
    folder.write("zones/home.test.zone", &format!("{ZONE}{hosts}"));
    let _namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let (code, text, _) = run(&folder.path, &["zone", "show", "home.test"]);
    assert_eq!((code, text.lines().count()), (0, 30_004));
    assert!(text.len() > 1 << 20);
}

#[test]
fn the_socket_is_for_owner_and_group_and_goes_with_the_server() {
    let (folder, namu) = served();
    let socket = folder.path.join("control.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o660);
    let (code, said, _) = run(&folder.path, &["ctl", "stop"]);
    assert_eq!((code, said.trim()), (0, "the server ends"));
    eventually("the socket is removed", || !socket.exists());
    let (code, _, talk) = run(&folder.path, &["ctl", "status"]);
    assert!(code == 5 && talk.contains("no server is running"), "{code} {talk}");
    drop(namu);
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_live_one_is_an_error() {
    let folder = Folder::new();
    folder.write("home.zone", ZONE);
    folder.write("config.yaml", &config(0, ""));
    drop(UnixListener::bind(folder.path.join("control.sock")).unwrap());
    let _namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    assert_eq!(run(&folder.path, &["ctl", "-c", "config.yaml", "status"]).0, 0);
    let (code, _, talk) = run(&folder.path, &["run", "-c", "config.yaml"]);
    assert_eq!(code, 4, "{talk}");
    assert!(talk.contains("control.sock is in use by a running server"), "{talk}");
    assert_eq!(run(&folder.path, &["ctl", "status"]).0, 0);
}

#[test]
fn whatever_comes_over_the_socket_the_server_goes_on() {
    let (folder, namu) = served();
    let path = folder.path.join("control.sock");
    let long = "x".repeat(100_000);
    for line in
        ["", "{}", "[]", "GET / HTTP/1.1", "{\"namu\":2,\"order\":{\"do\":\"status\"}}", "\u{0}", &long]
    {
        let mut stream = UnixStream::connect(&path).unwrap();
        // The server may have closed already when the line is too long.
        let _ = stream.write_all(format!("{line}\n").as_bytes());
        let mut reply = String::new();
        let read = BufReader::new(&stream).read_line(&mut reply).unwrap_or(0);
        assert!(read == 0 || reply.contains("\"refusal\""), "{line:?}: {reply}");
    }
    let idle: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(&path).unwrap()).collect();
    drop(idle);
    eventually("there is a place again", || run(&folder.path, &["ctl", "status"]).0 == 0);
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
}

#[test]
fn listeners_come_and_go_and_those_that_stay_lose_nothing() {
    let (first, second) = (free_port(), free_port());
    let (folder, mut namu) = configured(first);
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let both = config(first, "")
        .replace("resolver:", &format!("  - address: 127.0.0.1\n    port: {second}\nresolver:"));
    folder.write("config.yaml", &both);
    let (code, said, talk) = run(&folder.path, &["ctl", "reload"]);
    assert_eq!(code, 0, "{said}{talk}");
    assert!(said.contains(&format!("127.0.0.1 port {second} is new")), "{said}");
    for port in [first, second] {
        assert_eq!(udp(at(port), "www.home.test.", RecordType::A).answers.len(), 1);
        assert_eq!(answers(&tcp(at(port), "www.home.test.", RecordType::A)).len(), 1);
    }
    folder.write("config.yaml", &config(second, ""));
    let (code, said, _) = run(&folder.path, &["ctl", "reload"]);
    assert!(code == 0 && said.contains(&format!("127.0.0.1 port {first} is gone")), "{said}");
    assert_eq!(udp(at(second), "www.home.test.", RecordType::A).answers.len(), 1);
    eventually("the old address is free", || UdpSocket::bind(at(first)).is_ok());
    namu.signal("HUP");
    namu.wait_for("reloaded");
    assert_eq!(udp(at(second), "www.home.test.", RecordType::A).answers.len(), 1);
}

#[test]
fn a_configuration_is_taken_up_whole_or_not_at_all() {
    let (port, held) = (free_port(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let (folder, namu) = configured(port);
    let held = held.local_addr().unwrap().port();
    let refused = config(port, "access:\n  query: [none]\n")
        .replace("resolver:", &format!("  - address: 127.0.0.1\n    port: {held}\nresolver:"));
    folder.write("config.yaml", &refused);
    let (code, said, talk) = run(&folder.path, &["ctl", "reload"]);
    assert!(code == 1 && said.is_empty() && talk.contains("in use"), "{said}{talk}");
    let reply = udp(namu.address(), "www.home.test.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::NoError);
    let (_, status, _) = run(&folder.path, &["ctl", "status"]);
    assert!(status.contains("is not in force"), "{status}");

    folder.write("config.yaml", &config(port, "acess:\n  query: [none]\n"));
    let (code, _, talk) = run(&folder.path, &["ctl", "reload"]);
    assert!(code == 1 && talk.contains("did you mean `access`"), "{talk}");

    folder.write("config.yaml", &config(port, "access:\n  query: [none]\nserver:\n  workers: 7\n"));
    let (code, said, _) = run(&folder.path, &["ctl", "reload"]);
    assert_eq!(code, 0);
    for part in ["access: changed", "server.workers: changed; takes effect at the next start"] {
        assert!(said.contains(part), "{said}");
    }
    let reply = udp(namu.address(), "www.home.test.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::Refused);
    let (_, stats, _) = run(&folder.path, &["ctl", "stats"]);
    assert!(stats.contains("namu_config_reloads_total{result=\"success\"} 1"), "{stats}");
    assert!(stats.contains("namu_config_reloads_total{result=\"failure\"} 2"), "{stats}");
}

#[test]
fn zones_and_the_access_log_follow_the_configuration() {
    let port = free_port();
    let (folder, namu) = configured(port);
    folder.write("other.zone", &ZONE.replace("home", "other"));
    let more = config(port, "  - name: other.test\n    type: primary\n    file: other.zone\n");
    folder.write("config.yaml", &more.replace("access-log: []", "access-log:\n  - output: access.log"));
    let (code, said, talk) = run(&folder.path, &["ctl", "reload"]);
    assert!(code == 0 && said.contains("zone other.test.: serial 7"), "{said}{talk}");
    assert_eq!(udp(namu.address(), "www.other.test.", RecordType::A).answers.len(), 1);
    // For a moment the threads without a log still answer some.
    eventually("the log is written", || {
        udp(namu.address(), "www.other.test.", RecordType::A);
        folder.read("access.log").contains("www.other.test.")
    });
    let moved = config(port, "").replace("access-log: []", "access-log:\n  - output: second.log");
    folder.write("config.yaml", &moved);
    let (_, said, _) = run(&folder.path, &["ctl", "reload"]);
    assert!(said.contains("zone other.test.: no longer served"), "{said}");
    let code = udp(namu.address(), "www.other.test.", RecordType::A).metadata.response_code;
    assert_eq!(code, ResponseCode::Refused);
    eventually("the other log is written", || {
        udp(namu.address(), "www.home.test.", RecordType::A);
        folder.read("second.log").contains("www.home.test.")
    });
}

#[test]
fn the_log_level_can_be_changed_while_it_runs() {
    let (folder, mut namu) = served();
    assert_eq!(run(&folder.path, &["ctl", "log-level", "error"]).0, 0);
    run(&folder.path, &["zone", "reload"]);
    assert_eq!(run(&folder.path, &["ctl", "log-level", "info"]).0, 0);
    folder.write("zones/home.test.zone", &ZONE.replace("admin 7", "admin 8"));
    namu.wait_for("serial 7 -> 8");
    assert!(!namu.heard().contains("reloaded"), "{}", namu.heard());
    assert_eq!(run(&folder.path, &["ctl", "log-level", "loud"]).0, 2);
}
