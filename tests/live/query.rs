//! `namu query` against running servers.

use std::net::UdpSocket;

use crate::namu::{Folder, Namu, run};

const MANY: u8 = 90;

fn served() -> (Folder, Namu) {
    let folder = Folder::new();
    let many: String = (0..MANY).map(|host| format!("big A 198.51.100.{host}\n")).collect();
    folder.write(
        "zones/home.test.zone",
        &format!(
            "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n\
             www A 192.0.2.2\nwww TXT \"a b\"\n@ MX 10 www\n{many}"
        ),
    );
    folder.write(
        "zones/2.0.192.in-addr.arpa.zone",
        "$ORIGIN 2.0.192.in-addr.arpa.\n$TTL 300\n@ SOA ns1.home.test. admin 7 3600 600 86400 60\n@ NS ns1.home.test.\n\
         2 PTR www.home.test.\n",
    );
    folder.write(
        "config.yaml",
        "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  enabled: false\naccess-log:\n  - output: access.log\n\
         zones:\n  - {name: home.test, type: primary, file: zones/home.test.zone}\n  \
         - {name: 2.0.192.in-addr.arpa, type: primary, file: zones/2.0.192.in-addr.arpa.zone}\n",
    );
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    (folder, namu)
}

/// Asks the running server of the folder, which is found without being named.
fn query(folder: &Folder, words: &str) -> (i32, String, String) {
    let words: Vec<_> = ["query"].into_iter().chain(words.split_whitespace()).collect();
    run(&folder.path, &words)
}

#[test]
fn the_running_server_is_asked_and_its_reply_is_shown_as_dig_shows_it() {
    let (folder, namu) = served();
    let (code, text, problems) = query(&folder, "www.home.test");
    assert_eq!((code, problems.as_str()), (0, ""), "{text}");
    let server = format!(";; SERVER: 127.0.0.1#{} (UDP)", namu.address().port());
    for line in [
        ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1",
        "; EDNS: version: 0, flags:; udp: 1232",
        ";www.home.test.\t\tIN\tA",
        "www.home.test.\t300\tIN\tA\t192.0.2.2",
        &server,
    ] {
        assert!(text.lines().any(|other| other == line), "`{line}` in\n{text}");
    }
    assert!(
        text.contains("opcode: QUERY, status: NOERROR, id: ") && text.contains(";; Query time: "),
        "{text}"
    );
}

#[test]
fn short_replies_are_bare_data() {
    let (folder, _namu) = served();
    for (words, want) in [
        ("www.home.test +short", "192.0.2.2\n"),
        ("home.test mx +short", "10 www.home.test.\n"),
        ("+short www.home.test TXT", "\"a b\"\n"),
        ("-x 192.0.2.2 +short", "www.home.test.\n"),
        ("+short nobody.home.test", ""),
        ("www.home.test +short +tcp", "192.0.2.2\n"),
    ] {
        assert_eq!(query(&folder, words), (0, want.into(), String::new()), "{words}");
    }
}

#[test]
fn a_truncated_reply_is_asked_for_over_tcp_unless_it_is_wanted() {
    let (folder, namu) = served();
    let (_, text, _) = query(&folder, "big.home.test +short");
    assert_eq!(text.lines().count(), usize::from(MANY));
    let (_, text, _) = query(&folder, "big.home.test");
    assert!(text.contains("was truncated, so it was asked again over TCP"), "{text}");
    assert!(text.contains("(TCP)"), "{text}");
    let (_, text, _) = query(&folder, "big.home.test +ignore");
    assert!(text.contains("flags: qr aa tc rd;") && text.contains("(UDP)"), "{text}");
    assert!(namu.stop().success());
    let log = folder.read("access.log");
    let of = |transport: &str| log.lines().filter(|line| line.contains(transport)).count();
    assert_eq!((of(" udp big.home.test."), of(" tcp big.home.test.")), (3, 2), "{log}");
}

#[test]
fn exit_codes_tell_replies_failures_usage_and_silence_apart() {
    let (folder, _namu) = served();
    for (words, want, part) in [
        ("nobody.home.test", 0, ""),
        ("nobody.home.test --fail", 1, ""),
        ("www.home.test --fail", 0, ""),
        ("www.home.test +tls", 2, "+tls is not built yet"),
        ("www.home.test +https", 2, "+https is not built yet"),
        ("www.home.test +quic", 2, "+quic is not built yet"),
        ("www.home.test +sing", 2, "not an option"),
    ] {
        let (code, _, problems) = query(&folder, words);
        assert_eq!(code, want, "{words}: {problems}");
        assert!(problems.contains(part), "{problems}");
    }
    // A socket that never answers, and a port where nobody is.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (code, _, problems) = query(&folder, &format!("a.test @127.0.0.1 -p {port} +time=1 +tries=1"));
    assert_eq!(code, 9);
    assert!(problems.contains("timeout"), "{problems}");
    drop(silent);
    let (code, _, problems) = query(&folder, &format!("a.test @127.0.0.1@{port} +tcp"));
    assert_eq!(code, 9);
    assert!(problems.contains("refused"), "{problems}");
}

#[test]
fn json_has_the_names_of_rfc_8427_and_the_extended_error() {
    let (folder, _namu) = served();
    let (_, text, _) = query(&folder, "home.test MX --json +norec +cd");
    let reply: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, want) in
        [("QR", 1), ("AA", 1), ("RD", 0), ("CD", 1), ("TC", 0), ("RCODE", 0), ("QTYPE", 15), ("ANCOUNT", 1)]
    {
        assert_eq!(reply[name], want, "{name} in {text}");
    }
    assert_eq!((&reply["QNAME"], &reply["QTYPEname"]), (&"home.test.".into(), &"MX".into()));
    let record = &reply["answerRRs"][0];
    assert_eq!((&record["NAME"], &record["rdataMX"]), (&"home.test.".into(), &"10 www.home.test.".into()));
    assert_eq!((&record["TTL"], &record["RDLENGTH"]), (&300.into(), &17.into()));
    assert_eq!(record["RDATAHEX"], "000A0377777704686F6D65047465737400");

    let (_, text, _) = query(&folder, "elsewhere.example --json");
    let reply: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&reply["RCODE"], &reply["EDE"][0]["CODE"]), (&5.into(), &20.into()));
    let (_, text, _) = query(&folder, "elsewhere.example");
    assert!(text.contains("; EDE: 20 (Not Authoritative): the name is in no zone served here"), "{text}");
}
