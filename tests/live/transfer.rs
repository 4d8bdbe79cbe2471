//! Zone transfers of a running server, as other implementations ask for them.

use std::process::Command;

use crate::dns::{Stream, query, udp};
use crate::namu::{Folder, Namu, eventually};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

const HOSTS: usize = 2000;
/// SOA, NS and its address, the hosts, and the SOA again.
const RECORDS: usize = HOSTS + 4;

fn start(folder: &Folder) -> Namu {
    start_with(folder, HOSTS)
}

fn start_with(folder: &Folder, hosts: usize) -> Namu {
    let mut zone =
        "$ORIGIN big.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
            .to_string();
    for host in 0..hosts {
        zone += &format!("h{host} TXT \"host number {host}\"\n");
    }
    folder.write("big.zone", &zone);
    let config = "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  enabled: false\n\
        access:\n  transfer: [loopback]\nzones:\n\
        \x20 - {name: big.test, type: primary, file: big.zone}\n\
        \x20 - {name: kept.test, type: primary, file: big.zone, transfer: []}\n\
        access-log:\n  - output: access.log\n";
    folder.write(
        "config.yaml",
        &config
            .replace("kept.test, type: primary, file: big.zone", "kept.test, type: primary, file: kept.zone"),
    );
    folder.write("kept.zone", &zone.replace("big.test", "kept.test"));
    Namu::start(&folder.path, &["run", "-c", "config.yaml"])
}

#[test]
fn a_transfer_and_other_answers_share_a_connection_that_outlives_it() {
    let folder = Folder::new();
    let namu = start(&folder);
    let mut stream = Stream::open(namu.address());
    stream.send(&[query("big.test.", RecordType::AXFR), query("h7.big.test.", RecordType::TXT)], usize::MAX);
    let (mut records, mut answers, mut octets) = (Vec::new(), 0, 0);
    while records.len() < RECORDS {
        let message = stream.receive().expect("the rest of the zone");
        match message.answers.first() {
            Some(first) if message.answers.len() == 1 && first.record_type() == RecordType::TXT => {
                answers += 1
            }
            _ => {
                octets += 1;
                records.extend(message.answers);
            }
        }
    }
    assert!(octets > 2, "many records a message, more than one message");
    assert_eq!(records.len(), RECORDS);
    assert_eq!(records[0], records[RECORDS - 1]);
    assert_eq!(records[0].record_type(), RecordType::SOA);
    stream.send(&[query("h8.big.test.", RecordType::TXT)], usize::MAX);
    while answers < 2 {
        let message = stream.receive().expect("the connection goes on");
        assert_eq!(message.answers[0].record_type(), RecordType::TXT);
        answers += 1;
    }
    eventually("its line", || folder.read("access.log").contains(" AXFR "));
    let log = folder.read("access.log");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(" AXFR ")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    let columns: Vec<&str> = lines[0].split(' ').collect();
    assert_eq!(columns[2..7].join(" "), "tcp big.test. AXFR NOERROR authoritative");
    assert!(columns[8].parse::<usize>().unwrap() > HOSTS * 20, "all octets: {}", lines[0]);
    assert_eq!(columns[12..], ["serial=7"]);
}

#[test]
fn a_transfer_the_client_leaves_has_a_line_that_says_so() {
    let folder = Folder::new();
    let namu = start_with(&folder, 200_000);
    let mut stream = Stream::open(namu.address());
    stream.send(&[query("big.test.", RecordType::AXFR)], usize::MAX);
    stream.receive().expect("the first message");
    drop(stream);
    eventually("its line", || folder.read("access.log").contains(" serial=7 transfer=aborted"));
    let log = folder.read("access.log");
    assert_eq!(log.lines().filter(|line| line.contains(" AXFR ")).count(), 1, "{log}");
}

#[test]
fn who_may_not_and_who_asks_over_udp_is_refused() {
    let folder = Folder::new();
    let namu = start(&folder);
    let refused = |message: hickory_proto::op::Message| {
        assert_eq!(message.metadata.response_code, ResponseCode::Refused);
        assert!(message.answers.is_empty());
    };
    refused(udp(namu.address(), "big.test.", RecordType::AXFR));
    refused(crate::dns::tcp(namu.address(), "kept.test.", RecordType::AXFR));
    let message = crate::dns::tcp(namu.address(), "h1.big.test.", RecordType::AXFR);
    assert_eq!(message.metadata.response_code, ResponseCode::NotAuth);
}

#[test]
fn other_implementations_read_the_whole_zone() {
    let folder = Folder::new();
    let namu = start(&folder);
    let (address, port) = (namu.address().ip().to_string(), namu.address().port().to_string());
    let at = format!("@{address}");
    let rows: [(&str, Vec<&str>); 3] = [
        ("dig", vec!["+onesoa", "+noall", "+answer", &at, "-p", &port, "big.test", "AXFR"]),
        ("kdig", vec!["+noall", "+answer", &at, "-p", &port, "big.test", "AXFR"]),
        ("drill", vec!["-t", "-p", &port, &at, "big.test", "AXFR"]),
    ];
    for (tool, arguments) in rows {
        let Ok(output) = Command::new(tool).args(&arguments).output() else {
            eprintln!("{tool} is not installed: not compared");
            continue;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let hosts = text.lines().filter(|line| line.contains("host number")).count();
        assert_eq!(hosts, HOSTS, "{tool}: {text}");
    }
}
