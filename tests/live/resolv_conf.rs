//! The name server of a machine: `/etc/resolv.conf` points here, and programs find their names. And the first start
//! on a machine that has no internet.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::dig;
use crate::internet::hints;
use crate::namespace::Namespace;
use crate::namu::{Folder, Namu, eventually, program, skipped};
use crate::peers::{Kind, Peer, Zone};

const LOCAL: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n\
                     ns1 A 192.0.2.1\nwww A 192.0.2.2\n";
const ELSEWHERE: &str = "$ORIGIN .\n$TTL 300\n@ SOA server.root. admin 7 3600 600 86400 60\n@ NS server.root.\n\
                         server.root. A 127.0.0.2\nwww.far.net. A 198.51.100.7\nwww.far.net. AAAA 2001:db8::7\n";

fn namu_in(namespace: &Namespace, folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = namespace.command(false, &PathBuf::from(env!("CARGO_BIN_EXE_namu")));
    command.args(arguments).current_dir(&folder.path);
    command
}

#[test]
fn programs_find_local_and_other_names() {
    let folder = Folder::new();
    let resolv_conf = folder.write("resolv.conf", "nameserver 127.0.0.1\noptions edns0 trust-ad\n");
    let switch = folder.write("nsswitch.conf", "hosts: files dns\n");
    let mounts = [(resolv_conf.as_path(), "/etc/resolv.conf"), (switch.as_path(), "/etc/nsswitch.conf")];
    let Some(namespace) = Namespace::enter(&mounts) else { return };

    let at = SocketAddr::from((Kind::Nsd.address(), 53));
    let zones = [Zone { name: ".".into(), text: ELSEWHERE.into() }];
    let _elsewhere =
        Peer::start(Kind::Nsd, &folder.path.join("elsewhere"), &[at], &zones, &namespace.prefix(false));
    eventually("a root server", || namespace.has_datagram_socket([127, 0, 0, 2], 53));

    folder.write("home.zone", LOCAL);
    folder.write("hints.zone", &hints(Kind::Nsd.address()));
    folder.write(
        "config.yaml",
        "server:\n  special-zones: none\nlisten:\n  - address: 127.0.0.1\nresolver:\n  root-hints: hints.zone\n  never-query: none\n  trust-anchors: none\n\
         cache:\n  failure-ttl: 1s\naccess-log:\n  - output: access.log\n\
         zones:\n  - name: home.test\n    type: primary\n    file: home.zone\n",
    );
    let namu = Namu::spawn(namu_in(&namespace, &folder, &["run", "-c", "config.yaml"]));
    assert_eq!(namu.address().port(), 53, "as `nameserver` has no other");

    let getent = |name: &str| {
        let mut command = namespace.command(true, &program("getent").expect("part of the C library"));
        let output = command.args(["ahosts", name]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(getent("www.home.test").contains("192.0.2.2"));
    // The root server has opened its socket, its zone may come later.
    eventually("a name of elsewhere is found", || {
        let found = getent("www.far.net");
        found.contains("198.51.100.7") && found.contains("2001:db8::7")
    });
    assert_eq!(getent("nobody.far.net"), "");
    assert!(namu.stop().success());
    let log = folder.read("access.log");
    for part in ["udp www.home.test. A NOERROR authoritative", "udp www.far.net. AAAA NOERROR recursion"] {
        assert!(log.contains(part), "`{part}` in\n{log}");
    }
}

#[test]
fn the_first_start_without_internet_says_what_is_missing() {
    let Some(dig) = program("dig") else {
        return skipped("dig is not installed, and this test can ask from nowhere else");
    };
    let Some(namespace) = Namespace::enter(&[]) else { return };
    let folder = Folder::new();
    folder.write("zones/home.test.zone", LOCAL);
    let namu = Namu::spawn(namu_in(&namespace, &folder, &["run", "--port", "5300"]));
    let ask = |words: &str| dig::read(&dig::run(namespace.command(false, &dig), namu.address(), words));

    for _ in 0..2 {
        let reply = ask("www.example.com. A");
        assert_eq!(reply.status, "SERVFAIL");
        let (code, text) = reply.error.expect("an extended error");
        // RFC 8914 4.24: Network Error.
        assert_eq!(code, 23, "{text}");
        assert!(text.contains("no name server of . gave a usable answer"), "{text}");
        assert!(text.contains(" unreachable") && !text.contains("timeout"), "{text}");
    }
    let reply = ask("www.home.test. A");
    assert_eq!(reply.answers, [("www.home.test.".to_owned(), 300, "A 192.0.2.2".to_owned())]);
    assert!(namu.stop().success());
}
