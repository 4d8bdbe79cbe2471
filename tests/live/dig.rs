//! Questions as people ask them: with `dig` where it is installed, else with hickory-proto.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_proto::serialize::binary::BinDecodable;

use crate::dns::{PATIENCE, Stream};
use crate::namu::program;

/// A response, as far as tests look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The response code.
    pub status: String,
    /// Header flags, in the order of dig.
    pub flags: Vec<String>,
    /// The answer section: owner, TTL, then type and data with a blank between them.
    pub answers: Vec<(String, u32, String)>,
    /// The extended error: INFO-CODE and text.
    pub error: Option<(u16, String)>,
}

/// Asks what `words` say: a name, a type, then any of `+tcp`, `+norec`, `from=ADDRESS`.
pub fn dig(server: SocketAddr, words: &str) -> Reply {
    match program("dig") {
        Some(dig) => read(&run(Command::new(dig), server, words)),
        None => ask(server, words),
    }
}

/// What dig prints, when started by `command`.
pub fn run(mut command: Command, server: SocketAddr, words: &str) -> String {
    command.args([format!("@{}", server.ip()), "-p".into(), server.port().to_string()]);
    // A .digrc could change what is asked.
    command.args(["-r", "+tries=1", "+time=10", "+nosplit", "+nocrypto"]);
    for word in words.split(' ') {
        match word.strip_prefix("from=") {
            Some(address) => command.args(["-b", address]),
            None => command.arg(word),
        };
    }
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The response in what dig prints.
pub fn read(text: &str) -> Reply {
    let mut reply = Reply::default();
    let mut is_answer = false;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix(";; ->>HEADER<<- ") {
            // After a truncated response dig asks again, over TCP, and prints only that.
            reply.status = between(header, "status: ", ",").into();
        } else if let Some(flags) = line.strip_prefix(";; flags: ") {
            let flags = flags.split(';').next().unwrap_or_default();
            reply.flags = flags.split(' ').map(str::to_owned).collect();
        } else if let Some(error) = line.strip_prefix("; EDE: ") {
            let code = error.split(' ').next().and_then(|code| code.parse().ok());
            let text = error.split_once("): (").map_or("", |(_, text)| text.trim_end_matches(')'));
            reply.error = code.map(|code| (code, text.into()));
        } else if line.is_empty() || line.starts_with(';') {
            is_answer = line == ";; ANSWER SECTION:";
        } else if is_answer {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [owner, ttl, _class, rest @ ..] = &columns[..] else { panic!("no record: {line}") };
            reply.answers.push((owner.to_string(), ttl.parse().unwrap(), rest.join(" ")));
        }
    }
    assert!(!reply.status.is_empty(), "no response:\n{text}");
    reply
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

/// As dig asks.
fn ask(server: SocketAddr, words: &str) -> Reply {
    let mut words = words.split(' ');
    let name = Name::from_ascii(words.next().unwrap()).unwrap();
    let rr_type: RecordType = words.next().unwrap().parse().unwrap();
    let mut message = Message::new(2047, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, rr_type));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.edns = Some(edns);
    let (mut over_tcp, mut from) = (false, IpAddr::from([127, 0, 0, 1]));
    for word in words {
        match word.strip_prefix("from=") {
            Some(address) => from = address.parse().unwrap(),
            None if word == "+tcp" => over_tcp = true,
            None if word == "+norec" => message.metadata.recursion_desired = false,
            None => panic!("what is {word}?"),
        }
    }
    let request = message.to_vec().unwrap();
    let reply = (!over_tcp).then(|| datagram(server, from, &request)).filter(|r| !r.metadata.truncation);
    let reply = reply.unwrap_or_else(|| {
        let mut stream = Stream::open(server);
        stream.send(&[request], usize::MAX);
        stream.receive().expect("a reply")
    });
    of_message(&reply)
}

fn datagram(server: SocketAddr, from: IpAddr, request: &[u8]) -> Message {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(request).unwrap();
    let mut reply = vec![0; 65_535];
    let octets = socket.recv(&mut reply).expect("a reply");
    Message::from_vec(&reply[..octets]).unwrap()
}

fn of_message(message: &Message) -> Reply {
    let metadata = &message.metadata;
    let status = match u16::from(metadata.response_code) {
        0 => "NOERROR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        5 => "REFUSED",
        other => panic!("a rare response code: {other}"),
    };
    let flags = [
        ("qr", true),
        ("aa", metadata.authoritative),
        ("tc", metadata.truncation),
        ("rd", metadata.recursion_desired),
        ("ra", metadata.recursion_available),
        ("ad", metadata.authentic_data),
    ];
    let answers = message.answers.iter().map(|record| {
        let data = match &record.data {
            // hickory-proto knows DNAME by its number only.
            RData::Unknown { code, rdata } if u16::from(*code) == 39 => {
                format!("DNAME {}", Name::from_bytes(&rdata.anything).unwrap())
            }
            data => format!("{} {data}", record.record_type()),
        };
        (record.name.to_string(), record.ttl, data)
    });
    let error = message.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Unknown(15)) {
        Some(EdnsOption::Unknown(_, octets)) => {
            let code = u16::from_be_bytes([octets[0], octets[1]]);
            Some((code, String::from_utf8_lossy(&octets[2..]).into_owned()))
        }
        _ => None,
    });
    Reply {
        status: status.into(),
        flags: flags.iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word.to_string()).collect(),
        answers: answers.collect(),
        error,
    }
}
