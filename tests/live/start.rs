//! How the server starts, what it says, and how it ends.

use std::net::UdpSocket;

use crate::dns::{answers, tcp, udp};
use crate::namu::{Folder, Namu, run};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

const ZONE: &str = "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n\
                    ns1 A 192.0.2.1\nwww A 192.0.2.2\n";

#[test]
fn zones_of_the_folder_are_served_without_any_configuration() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", ZONE);
    let namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let reply = udp(namu.address(), "www.home.test.", RecordType::A);
    assert_eq!(answers(&reply), ["www.home.test. 300 IN A 192.0.2.2"]);
    assert!(reply.metadata.authoritative);
    for address in namu.listening.clone() {
        assert_eq!(answers(&tcp(address, "www.home.test.", RecordType::A)).len(), 1, "{address}");
    }
    assert!(namu.stop().success());
}

#[test]
fn zone_files_on_the_command_line_are_served() {
    let folder = Folder::new();
    let file = folder.write("a.zone", ZONE);
    let namu = Namu::start(&folder.path, &["run", "--port", "0", file.to_str().unwrap()]);
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
}

#[test]
fn the_banner_says_only_what_is_so() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", ZONE);
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let banner = namu.heard();
    for part in ["namu ", "no config file", "listening", "home.test", "DNSSEC on", "ready in"] {
        assert!(banner.contains(part), "`{part}` in\n{banner}");
    }
    assert!(!banner.contains("dashboard"), "{banner}");
}

#[test]
fn an_address_in_use_is_an_error_with_a_configuration() {
    let folder = Folder::new();
    let holder = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let config = format!("listen:\n  - address: 127.0.0.1\n    port: {port}\n");
    folder.write("config.yaml", &config);
    let (code, _, talk) = run(&folder.path, &["run", "-c", "config.yaml"]);
    assert_eq!(code, 4, "{talk}");
    for part in [format!("127.0.0.1:{port}"), "in use".into(), std::process::id().to_string()] {
        assert!(talk.contains(&part), "`{part}` in\n{talk}");
    }
}

#[test]
fn a_bad_configuration_is_shown_with_its_line() {
    let folder = Folder::new();
    folder.write("config.yaml", "cache:\n  serve-stael: none\nresolver:\n  enabledd: true\n");
    let (code, _, talk) = run(&folder.path, &["run", "-c", "config.yaml"]);
    assert_eq!(code, 3, "{talk}");
    for part in ["config.yaml:2:3", "did you mean `serve-stale`", "config.yaml:4:3", "did you mean `enabled`"]
    {
        assert!(talk.contains(part), "`{part}` in\n{talk}");
    }
}

#[test]
fn trust_anchors_that_are_none_end_the_start_with_their_line() {
    let folder = Folder::new();
    folder.write("config.yaml", "resolver:\n  trust-anchors: keys\n");
    folder.write("keys", "; of the root\n. DNSKEY 385 3 8 AAAA\n. NS a.test.\n");
    let (code, _, talk) = run(&folder.path, &["run", "-c", "config.yaml", "--port", "0"]);
    assert_eq!(code, 3, "{talk}");
    for part in ["keys:2:1", "this key is revoked", "keys:3:1", "NS records are no trust anchors"] {
        assert!(talk.contains(part), "`{part}` in\n{talk}");
    }
}

#[test]
fn a_broken_zone_does_not_stop_the_others_and_is_servfail() {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", ZONE);
    folder.write("zones/bad.test.zone", &ZONE.replace("home", "bad").replace("www A", "www AA"));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    assert_eq!(udp(namu.address(), "www.home.test.", RecordType::A).answers.len(), 1);
    let code = udp(namu.address(), "www.bad.test.", RecordType::A).metadata.response_code;
    assert_eq!(code, ResponseCode::ServFail);
    let talk = namu.heard();
    for part in ["bad.test.zone:6:5", "www AA 192.0.2.2", "^^"] {
        assert!(talk.contains(part), "`{part}` in\n{talk}");
    }
}

#[test]
fn check_shows_every_error_and_says_so_with_its_exit_code() {
    let folder = Folder::new();
    folder.write("good.zone", ZONE);
    folder.write(
        "bad.zone",
        "$ORIGIN bad.test.\n@ 60 SOA ns1 admin 1 2 3 4 5\n@ 60 NS ns1\nx 60 AA 1\ny 60 A 1.2.3\n",
    );
    assert_eq!(run(&folder.path, &["check", "good.zone"]).0, 0);
    let (code, out, talk) = run(&folder.path, &["check", "good.zone", "bad.zone"]);
    assert_eq!(code, 1, "{out}{talk}");
    for part in ["bad.zone:4:6", "bad.zone:5:8"] {
        assert!(out.contains(part) || talk.contains(part), "`{part}` in\n{out}{talk}");
    }
    assert_eq!(run(&folder.path, &["check", "zone", "home.test", "good.zone"]).0, 0);
    assert_eq!(run(&folder.path, &["check", "no-such.zone"]).0, 1);
    assert_eq!(run(&folder.path, &["--no-such-flag"]).0, 2);
    assert!(run(&folder.path, &["version"]).1.starts_with("namu "));
}

#[test]
fn systemd_passes_sockets_and_hears_ready() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixDatagram;

    let folder = Folder::new();
    folder.write("zones/home.test.zone", ZONE);
    let notify_path = folder.path.join("notify");
    let notify = UnixDatagram::bind(&notify_path).unwrap();
    notify.set_read_timeout(Some(std::time::Duration::from_secs(90))).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    // Standard input is the one descriptor that passes through `Command` as it is; the shell puts it where
    // systemd puts passed sockets, at descriptor 3, and becomes the server.
    let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" run";
    let mut command = std::process::Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_namu")]).current_dir(&folder.path);
    command.env("RUNTIME_DIRECTORY", &folder.path);
    command.env("NOTIFY_SOCKET", &notify_path).stdin(OwnedFd::from(socket));
    let namu = Namu::spawn(command);
    let mut message = [0; 512];
    let octets = notify.recv(&mut message).unwrap();
    assert!(String::from_utf8_lossy(&message[..octets]).contains("READY=1"));
    assert_eq!(udp(server, "www.home.test.", RecordType::A).answers.len(), 1);
    assert!(namu.stop().success());
}
