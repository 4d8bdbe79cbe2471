//! UDP and TCP, with every kind of client.

use std::net::{SocketAddr, UdpSocket};

use crate::dns::{PATIENCE, Stream, query, tcp, udp, udp_octets};
use crate::namu::{Folder, Namu};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;

fn zone() -> String {
    let mut zone =
        "$ORIGIN big.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
            .to_string();
    for host in 0..100 {
        zone += &format!("many A 198.51.100.{host}\nh{host} A 192.0.2.{host}\n");
    }
    zone
}

fn start(folder: &Folder, arguments: &[&str]) -> Namu {
    folder.write("zones/big.test.zone", &zone());
    Namu::start(&folder.path, &[&["run", "--port", "0"], arguments].concat())
}

#[test]
fn what_is_too_long_for_udp_is_truncated_and_whole_over_tcp() {
    let folder = Folder::new();
    let namu = start(&folder, &[]);
    let reply = udp(namu.address(), "many.big.test.", RecordType::A);
    assert!(reply.metadata.truncation && reply.answers.is_empty());
    let reply = tcp(namu.address(), "many.big.test.", RecordType::A);
    assert!(!reply.metadata.truncation);
    assert_eq!(reply.answers.len(), 100);
}

#[test]
fn a_stream_takes_pipelined_queries_octet_by_octet_and_a_closed_write_side() {
    let folder = Folder::new();
    let namu = start(&folder, &[]);
    let queries: Vec<Vec<u8>> =
        (0..12).map(|host| query(&format!("h{host}.big.test."), RecordType::A)).collect();
    for piece in [1, 7, usize::MAX] {
        let mut stream = Stream::open(namu.address());
        stream.send(&queries, piece);
        stream.close_write();
        let mut names: Vec<String> =
            (0..12).map(|_| stream.receive().unwrap().answers[0].name.to_string()).collect();
        names.sort();
        let mut wanted: Vec<String> = (0..12).map(|host| format!("h{host}.big.test.")).collect();
        wanted.sort();
        assert_eq!(names, wanted);
        assert!(stream.receive().is_none(), "then the server closes too");
    }
}

#[test]
fn the_answer_comes_from_the_address_that_was_asked() {
    let folder = Folder::new();
    let namu = start(&folder, &["--listen", "0.0.0.0"]);
    let port = namu.listening[0].port();
    for last in 1..4 {
        let server = SocketAddr::from(([127, 0, 0, last], port));
        // A connected socket hears nothing from any other address.
        assert_eq!(udp(server, "h1.big.test.", RecordType::A).answers.len(), 1, "{server}");
    }
}

#[test]
fn silence_and_error_codes_are_given_where_they_are_due() {
    let folder = Folder::new();
    let namu = start(&folder, &[]);
    let good = query("h1.big.test.", RecordType::A);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.clone();
        change(&mut octets);
        octets
    };
    // Codes as numbers: 16 has two names, BADVERS and BADSIG.
    let rows: [(&str, Vec<u8>, u16); 5] = [
        ("opcode 3", with(&|o| o[2] = 0x18), 4),
        (
            "no question",
            good[..12].iter().copied().enumerate().map(|(at, o)| if at > 3 { 0 } else { o }).collect(),
            1,
        ),
        ("octets behind", with(&|o| o.push(0)), 1),
        (
            "EDNS version 1",
            with(&|o| {
                let at = o.len() - 5;
                o[at] = 1
            }),
            16,
        ),
        (
            "class CH",
            with(&|o| {
                let at = o.len() - 12;
                o[at] = 3
            }),
            5,
        ),
    ];
    for (what, octets, want) in rows {
        let reply = Message::from_vec(&udp_octets(namu.address(), &octets).expect(what)).unwrap();
        assert_eq!(u16::from(reply.metadata.response_code), want, "{what}");
    }
    // What gets no reply is asked before something that does, so that silence need not be waited for.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(namu.address()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(&with(&|o| o[2] |= 0x80)).unwrap();
    socket.send(&good[..11]).unwrap();
    socket.send(&with(&|o| o[1] = 99)).unwrap();
    let mut reply = [0; 512];
    socket.recv(&mut reply).unwrap();
    assert_eq!(reply[1], 99, "the response and the short packet were passed over");
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_costs_one_query() {
    let folder = Folder::new();
    folder.write("zones/big.test.zone", &zone());
    let mut command = crate::namu::command(&folder.path, &["run", "--port", "0"]);
    command.env("NAMU_TEST_PANIC_ON", "h7.big.test");
    let namu = Namu::spawn(command);
    // Two panics: a third within ten seconds ends the process, to be started anew by its supervisor.
    for ask in [udp, tcp] {
        let reply = ask(namu.address(), "h7.big.test.", RecordType::A);
        assert_eq!(reply.metadata.response_code, ResponseCode::ServFail);
        assert_eq!(ask(namu.address(), "h8.big.test.", RecordType::A).answers.len(), 1);
    }
}
