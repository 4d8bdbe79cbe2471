//! `namu explain` against a running server: a namu that serves the root, and one that resolves from it.

use std::net::{SocketAddr, UdpSocket};

use crate::dns::udp;
use crate::namu::{Folder, Namu, run};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

const ROOT: &str = "$ORIGIN .\n$TTL 300\n@ SOA server.root. admin 7 3600 600 86400 60\n@ NS server.root.\n\
                    server.root. A 127.0.0.1\nwww.far. A 192.0.2.9\nlost.far. NS ns.lost.far.\nns.lost.far. A 127.0.0.6\n";
const HOME: &str = "$ORIGIN home.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n";

struct Lab {
    folder: Folder,
    namu: Namu,
    _root: Namu,
    _root_folder: Folder,
}

fn lab() -> Lab {
    let root_folder = Folder::new();
    root_folder.write("root.zone", ROOT);
    root_folder.write(
        "config.yaml",
        "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  enabled: false\naccess-log: []\n\
         zones:\n  - {name: ., type: primary, file: root.zone}\n",
    );
    let root = Namu::start(&root_folder.path, &["run", "-c", "config.yaml"]);
    let folder = Folder::new();
    resolver(&folder, root.address().port(), "127.0.0.1");
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    Lab { folder, namu, _root: root, _root_folder: root_folder }
}

/// The configuration of a resolver with one root server.
fn resolver(folder: &Folder, port: u16, root: &str) {
    folder.write("hints.zone", &format!(". 3600000 NS server.root.\nserver.root. 3600000 A {root}\n"));
    folder.write("home.zone", HOME);
    folder.write(
        "config.yaml",
        &format!(
            "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  root-hints: hints.zone\n  upstream-port: {port}\n  \
             never-query: none\n  trust-anchors: none\n  ipv6: false\naccess-log:\n  - output: access.log\n\
             zones:\n  - {{name: home, type: primary, file: home.zone}}\n"
        ),
    );
}

fn explain(folder: &Folder, words: &str) -> (i32, String, String) {
    let words: Vec<_> = ["explain"].into_iter().chain(words.split_whitespace()).collect();
    run(&folder.path, &words)
}

fn assert_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
}

#[test]
fn the_path_is_told_from_the_root_to_the_answer_and_then_from_the_cache() {
    let Lab { folder, namu, .. } = &lab();
    let (code, text, problems) = explain(folder, "www.far");
    assert_eq!((code, problems.as_str()), (0, ""), "{text}");
    assert_parts(
        &text,
        &[
            "www.far. A: NOERROR, after ",
            "hint: ",
            "   www.far. 300 IN A 192.0.2.9",
            ". NS has to be known first",
            "zone ., 1 name server",
            " udp www.far. A: answered in ",
            "└─ www.far. A: NOERROR",
            " of 64 packets",
        ],
    );
    let (_, text, _) = explain(folder, "www.far");
    assert_parts(
        &text,
        &["says the cache from data", "www.far. A is in the cache for", "answer of the zone's own server"],
    );
    let (_, text, _) = explain(folder, "www.far --fresh");
    assert_parts(&text, &[" udp www.far. A: answered in "]);
    // A client is told what the explanation was.
    assert_eq!(udp(namu.address(), "www.far.", RecordType::A).answers.len(), 1);
    for (words, parts) in [
        ("www.home", &["NOERROR, says the zone home. served here", "serial 7"][..]),
        ("nobody.home", &["NXDOMAIN: there is no such name"]),
        ("localhost", &["special name"]),
        ("nobody.far AAAA", &["NXDOMAIN: there is no such name, after"]),
    ] {
        let (code, text, _) = explain(folder, words);
        assert_eq!(code, 0);
        assert_parts(&text, parts);
    }
}

#[test]
fn a_failure_is_explained_afterwards_by_the_id_of_log_and_extended_error() {
    let Lab { folder, namu, _root, _root_folder } = lab();
    let reply = udp(namu.address(), "www.lost.far.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::ServFail);
    let (_, text, _) = run(&folder.path, &["query", "www.lost.far"]);
    let (_, of_error) = text.split_once("; id=").unwrap_or_else(|| panic!("an id in\n{text}"));
    let id = &of_error[..4];
    let (code, text, problems) = explain(&folder, &format!("--id {id}"));
    assert_eq!((code, problems.as_str()), (0, ""));
    let first = "www.lost.far. A: SERVFAIL: no name server of lost.far. gave a usable answer: 127.0.0.6:";
    assert_parts(
        &text,
        &[first, "hint: others answer", "refers to the servers of lost.far.", ": unreachable (the only one)"],
    );

    let (code, json, _) = explain(&folder, &format!("--id {id} --json"));
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &told["rcode"], &told["id"]), (0, &"SERVFAIL".into(), &id.into()));
    assert!(told["steps"].as_array().unwrap().iter().any(|step| step["name"] == "lost.far."), "{json}");

    for (words, code, part) in [
        ("--id 7g3a", 1, "four hexadecimal digits"),
        ("www.far NOSUCH", 2, "not a type"),
        ("www.far AXFR", 1, "not a type that can be resolved"),
        ("--id 7f3a --fresh", 2, "cannot be used"),
    ] {
        let (was, _, problems) = explain(&folder, words);
        assert_eq!(was, code, "{words}: {problems}");
        assert!(problems.contains(part), "{problems}");
    }
    assert!(namu.stop().success());
    let log = folder.read("access.log");
    let line =
        log.lines().find(|line| line.contains(" SERVFAIL recursion ")).unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.ends_with(&format!(" id={id}")) && line.contains(" up=") && line.contains(" tries="),
        "{line}"
    );
}

#[test]
fn what_the_operator_set_up_is_told_at_the_start_and_in_explanations() {
    let Lab { folder, namu, _root, .. } = lab();
    assert!(namu.stop().success());
    let config =
        folder.read("config.yaml").replace("resolver:\n", "resolver:\n  dns64-prefix: 64:ff9b::/96\n");
    folder.write("over.zone", "$TTL 60\nnew.far. CNAME www.lost.far.\n");
    folder.write(
        "config.yaml",
        &format!(
            "{config}  - {{name: far, type: overlay, file: over.zone}}\n  - name: away\n    type: forward\n    \
             servers: ['127.0.0.6@{}']\n",
            _root.address().port()
        ),
    );
    let mut namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    assert_parts(
        &namu.heard(),
        &["home (4 records)", "far (overlay), away (forward)", "root hints from hints.zone"],
    );
    for (words, parts) in [
        (
            "www.far AAAA",
            &[
                "   www.far. 60 IN AAAA 64:ff9b::c000:209\n",
                "udp www.far. AAAA: answered in",
                "udp www.far. A: answered in",
                "└─ www.far. AAAA: made from what IPv4 has (DNS64)",
            ][..],
        ),
        ("www.lost.far", &["the servers of lost.far. are down or do not talk to us"]),
        ("new.far", &["hint: `namu explain --id ", "`namu explain --fresh www.lost.far. A` tries again"]),
        ("-x 192.0.2.9", &["9.2.0.192.in-addr.arpa. PTR: "]),
        ("x.away", &["hint: the servers that the configuration names for away. are down"]),
    ] {
        let (code, text, _) = explain(&folder, words);
        assert_eq!(code, 0);
        assert_parts(&text, parts);
    }
}

#[test]
fn without_a_server_there_is_nothing_to_explain() {
    let (code, _, problems) = explain(&Folder::new(), "www.far --socket none.sock");
    assert_eq!(code, 5, "{problems}");
}

#[test]
fn without_internet_the_hint_says_so() {
    let folder = Folder::new();
    let nobody: SocketAddr = UdpSocket::bind("127.0.0.6:0").unwrap().local_addr().unwrap();
    resolver(&folder, nobody.port(), "127.0.0.6");
    let _namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let (_, text, _) = explain(&folder, "www.far");
    assert_parts(
        &text,
        &[
            "www.far. A: SERVFAIL: no name server of . gave a usable answer",
            "is this machine on the internet",
        ],
    );
    let (_, text, _) = explain(&folder, "www.far");
    assert_parts(&text, &["it failed a moment ago", "namu explain --id "]);
}
