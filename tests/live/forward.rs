//! One namu that asks another, on loopback: forward and stub zones, everything forwarded, overlays, and what happens
//! when the other is gone.

use std::net::SocketAddr;

use namu::observe::Source;
use namu::observe::access_log_parse::parse;

use crate::dig::{Reply, dig};
use crate::namu::{Folder, Namu};

const ZONE: &str = "$ORIGIN far.test.\n$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\n\
                    own A 127.0.0.9\nnear CNAME www.near.test.\nbig TXT \"";

/// A namu with the zone far.test, which resolves nothing.
fn far(folder: &Folder) -> Namu {
    let big = "x".repeat(250);
    folder.write("far.zone", &format!("{ZONE}{}\"\n", [big.as_str(); 8].join("\" \"")));
    folder.write(
        "far.yaml",
        "server:\n  state: far-state\nlisten:\n  - address: 127.0.0.1\n    port: 0\naccess-log: []\ncontrol:\n  \
         socket: far.sock\nresolver:\n  enabled: false\nzones:\n  - {name: far.test, type: primary, file: far.zone}\n",
    );
    Namu::start(&folder.path, &["run", "-c", "far.yaml"])
}

/// A namu that asks it, configured by `more` besides.
fn near(folder: &Folder, more: &str) -> Namu {
    folder.write("near.zone", "$ORIGIN near.test.\n$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.2\nwww A 192.0.2.3\nout CNAME www.far.test.\n");
    folder.write("hints.zone", ". 3600000 NS server.root.\nserver.root. 3600000 A 127.0.0.4\n");
    folder.write(
        "near.yaml",
        &format!("server:\n  special-zones: none\nlisten:\n  - address: 127.0.0.1\n    port: 0\naccess-log:\n  - output: access.log\n{more}"),
    );
    Namu::start(&folder.path, &["run", "-c", "near.yaml"])
}

fn answers(reply: &Reply) -> String {
    let answers: Vec<_> = reply.answers.iter().map(|(owner, _, data)| format!(" {owner} {data}")).collect();
    format!("{} {}:{}", reply.status, reply.flags.join(" "), answers.join(","))
}

fn at(server: SocketAddr) -> String {
    format!("{}@{}", server.ip(), server.port())
}

/// Nobody is at the root of this test; a closed port says so at once.
const NOWHERE: &str = "resolver:\n  root-hints: hints.zone\n  upstream-port: 1\n  trust-anchors: none\n";

#[test]
fn forward_and_stub_zones_are_asked_of_the_servers_named() {
    for kind in ["forward", "stub"] {
        let folder = Folder::new();
        let far = far(&folder);
        let zones = format!(
            "{NOWHERE}zones:\n  - {{name: near.test, type: primary, file: near.zone}}\n  - name: far.test\n    \
             type: {kind}\n    servers: ['{}']\n",
            at(far.address())
        );
        let namu = near(&folder, &zones);
        for (asked, want) in [
            ("www.far.test. A", "NOERROR qr rd ra: www.far.test. A 192.0.2.1"),
            ("www.far.test. A", "NOERROR qr rd ra: www.far.test. A 192.0.2.1"),
            ("nobody.far.test. A", "NXDOMAIN qr rd ra:"),
            // Names of the operator's own zones may have any address.
            ("own.far.test. A", "NOERROR qr rd ra: own.far.test. A 127.0.0.9"),
            (
                "near.far.test. A",
                "NOERROR qr rd ra: near.far.test. CNAME www.near.test., www.near.test. A 192.0.2.3",
            ),
            (
                "out.near.test. A",
                "NOERROR qr aa rd ra: out.near.test. CNAME www.far.test., www.far.test. A 192.0.2.1",
            ),
        ] {
            assert_eq!(answers(&dig(namu.address(), asked)), want, "{kind}: {asked}");
        }
        // Over TCP when it does not fit.
        let big = dig(namu.address(), "big.far.test. TXT +tcp");
        assert_eq!((big.status.as_str(), big.answers.len()), ("NOERROR", 1), "{kind}: {big:?}");
        // Elsewhere there is nobody.
        assert_eq!(dig(namu.address(), "www.elsewhere.example. A").status, "SERVFAIL");
        assert!(namu.stop().success() && far.stop().success());
        let log = folder.read("access.log");
        let first = log.lines().map(|line| parse(line).unwrap()).min_by_key(|record| record.time).unwrap();
        assert_eq!(first.source, Source::Forward, "{log}");
    }
}

#[test]
fn everything_is_forwarded_and_the_loss_of_the_upstream_is_told() {
    let folder = Folder::new();
    let far = far(&folder);
    let upstream = at(far.address());
    let namu = near(
        &folder,
        &format!("resolver:\n  trust-anchors: none\n  mode: forward\n  upstreams: ['{upstream}']\n"),
    );
    assert_eq!(
        answers(&dig(namu.address(), "www.far.test. A")),
        "NOERROR qr rd ra: www.far.test. A 192.0.2.1"
    );
    assert_eq!(dig(namu.address(), "www.elsewhere.example. A").status, "SERVFAIL", "it refuses");
    let gone = far.address();
    assert!(far.stop().success());
    let reply = dig(namu.address(), "new.far.test. A");
    let why = format!("no server named for . gave a usable answer: {gone} connection refused");
    let error =
        reply.error.map(|(code, text)| (code, text.split("; id=").next().unwrap_or_default().to_owned()));
    assert_eq!((reply.status.as_str(), error), ("SERVFAIL", Some((23, why))));
    assert_eq!(
        answers(&dig(namu.address(), "www.far.test. A")),
        "NOERROR qr rd ra: www.far.test. A 192.0.2.1"
    );
    assert!(namu.stop().success());
}

#[test]
fn an_overlay_is_laid_over_what_is_forwarded_and_read_anew_on_reload() {
    let folder = Folder::new();
    let far = far(&folder);
    folder.write("over.zone", "$TTL 60\nwww.far.test. A 10.0.0.1\n");
    let more = format!(
        "resolver:\n  trust-anchors: none\n  mode: forward\n  upstreams: ['{}']\nzones:\n  - {{name: far.test, type: overlay, file: over.zone}}\n",
        at(far.address())
    );
    let mut namu = near(&folder, &more);
    let address = namu.address();
    let ask = |asked| answers(&dig(address, asked));
    assert_eq!(ask("www.far.test. A"), "NOERROR qr rd ra: www.far.test. A 10.0.0.1");
    assert_eq!(ask("own.far.test. A"), "NOERROR qr rd ra:", "a public name with an address of this machine");
    folder.write("over.zone", "$TTL 60\nwww.far.test. A 10.0.0.2\nown.far.test. A 10.0.0.3\n");
    let reload = || {
        let output =
            crate::namu::command(&folder.path, &["ctl", "reload", "-c", "near.yaml"]).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let said = reload();
    assert_eq!(ask("www.far.test. A"), "NOERROR qr rd ra: www.far.test. A 10.0.0.2", "{said}");
    assert_eq!(ask("own.far.test. A"), "NOERROR qr rd ra: own.far.test. A 10.0.0.3");
    // One that cannot be read changes nothing, and it is said.
    folder.write("over.zone", "www.far.test. 60 AA 10.0.0.4\n");
    let said = reload();
    assert!(said.contains("over.zone"), "{said}");
    assert_eq!(ask("www.far.test. A"), "NOERROR qr rd ra: www.far.test. A 10.0.0.2");
    // A file that is saved is taken over without a word.
    folder.write("over.zone", "$TTL 60\nwww.far.test. A 10.0.0.5\n");
    namu.wait_for("the overlays were read anew");
    while ask("www.far.test. A") != "NOERROR qr rd ra: www.far.test. A 10.0.0.5" {
        namu.wait_for("the overlays were read anew");
    }
    // So is one that it includes, from the moment it does, wherever that lies.
    std::fs::create_dir(folder.path.join("parts")).unwrap();
    folder.write("parts/own.zone", "own.far.test. A 10.0.0.6\n");
    folder.write("over.zone", "$TTL 60\nwww.far.test. A 10.0.0.5\n$INCLUDE parts/own.zone\n");
    while ask("own.far.test. A") != "NOERROR qr rd ra: own.far.test. A 10.0.0.6" {
        namu.wait_for("the overlays were read anew");
    }
    reload();
    folder.write("parts/own.zone", "own.far.test. A 10.0.0.7\n");
    while ask("own.far.test. A") != "NOERROR qr rd ra: own.far.test. A 10.0.0.7" {
        namu.wait_for("the overlays were read anew");
    }
    assert!(namu.stop().success() && far.stop().success());
}
