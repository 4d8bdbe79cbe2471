//! `namu query`: one question to one server, in the words of dig.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args as Arguments;

use super::{print, query_reply};
use crate::control::Client;
use crate::daemon::{Command, Reply, say};
use crate::dns::{Name, Question, Rcode, RrClass, RrType};
use crate::limits;
use crate::wire::{Flags, Header, MessageView, framing, write_query};

pub(super) const EXAMPLES: &str = "\
Options of dig, each also with `no`: +dnssec +tcp +short +recurse +cd +ad +edns +ignore; +bufsize=N +time=N +tries=N.
Without @SERVER the running server is asked, else the first of /etc/resolv.conf. Exit code 0: a reply; 9: none.

Examples:
  namu query example.com MX @192.0.2.53 +dnssec
  namu query -x 192.0.2.25 +short
  namu query --fail localhost -p 5300";

/// The exit code when no reply came, as dig has it.
const NO_REPLY: u8 = 9;
const USAGE: u8 = 2;
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Ask a server a question.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Query {
    /// NAME, TYPE, CLASS, @SERVER and +OPTION, in any order
    #[arg(value_name = "NAME [TYPE] [@SERVER] [+OPTION]", required_unless_present = "reverse")]
    pub words: Vec<String>,
    /// The port of the server
    #[arg(short, long, value_name = "N")]
    pub port: Option<u16>,
    /// The name of an address
    #[arg(short = 'x', value_name = "ADDR")]
    pub reverse: Option<IpAddr>,
    /// As a JSON object (RFC 8427)
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 unless the reply is NOERROR
    #[arg(long)]
    pub fail: bool,
}

/// A question and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    question: Question,
    server: Option<String>,
    flags: Flags,
    edns: bool,
    dnssec: bool,
    payload: u16,
    tcp: bool,
    /// A truncated reply will do.
    ignore: bool,
    pub(super) short: bool,
    time: Duration,
    tries: u32,
}

/// A reply and the way it came.
pub(super) struct Replied {
    pub(super) octets: Vec<u8>,
    pub(super) server: SocketAddr,
    pub(super) transport: &'static str,
    pub(super) took: Duration,
    /// The datagram before it was truncated.
    pub(super) was_truncated: bool,
}

pub(super) fn run(query: &Query) -> ExitCode {
    let asking = match Asking::of(query) {
        Ok(asking) => asking,
        Err(problem) => {
            say(&format!("error: {problem}"));
            return ExitCode::from(USAGE);
        }
    };
    let server = match server(&asking, query.port) {
        Ok(server) => server,
        Err(problem) => {
            say(&format!("error: {problem}"));
            return ExitCode::from(NO_REPLY);
        }
    };
    let replied = match asking.ask(server) {
        Ok(replied) => replied,
        Err(problem) => {
            say(&format!("no reply from {server}: {problem}"));
            return ExitCode::from(NO_REPLY);
        }
    };
    let message = match MessageView::parse(&replied.octets) {
        Ok(message) => message,
        Err(problem) => {
            say(&format!("the reply from {server} is no DNS message: {problem}"));
            return ExitCode::from(NO_REPLY);
        }
    };
    let text = match (query.json, asking.short) {
        (true, _) => query_reply::json(&message, &replied),
        (false, true) => query_reply::short(&message),
        (false, false) => query_reply::text(&message, &replied),
    };
    print(&text);
    ExitCode::from(u8::from(query.fail && message.rcode() != Rcode::NOERROR))
}

/// A type as it is typed, in any case.
pub(super) fn type_of(text: &str) -> Result<RrType, String> {
    RrType::from_str(text).map_err(|_| format!("`{text}` is not a type of records"))
}

impl Asking {
    fn of(query: &Query) -> Result<Asking, String> {
        let mut asking = Asking {
            question: Question::new(Name::root(), RrType::A),
            server: None,
            // RFC 6840 5.7: whoever sets AD wants to see it.
            flags: Flags(Flags::RD.0 | Flags::AD.0),
            edns: true,
            dnssec: false,
            payload: limits::UDP_PAYLOAD,
            tcp: false,
            ignore: false,
            short: false,
            time: limits::QUERY_COMMAND_TIMEOUT,
            tries: limits::QUERY_COMMAND_TRIES,
        };
        let mut plain = Vec::new();
        for word in &query.words {
            match (word.strip_prefix('@'), word.strip_prefix('+')) {
                (Some(server), _) if !server.is_empty() => asking.server = Some(server.to_owned()),
                (_, Some(option)) => asking.set(option)?,
                _ => plain.push(word.as_str()),
            }
        }
        asking.question = question(&plain, query.reverse)?;
        Ok(asking)
    }

    /// An option in the words of dig, without its plus.
    fn set(&mut self, option: &str) -> Result<(), String> {
        let (word, value) = match option.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (option, None),
        };
        let (word, on) = match word.strip_prefix("no") {
            Some(word) => (word, false),
            None => (word, true),
        };
        let number = || {
            let number = value.and_then(|value| value.parse::<u32>().ok());
            number.filter(|number| *number > 0).ok_or(format!("+{word} needs a number, as in +{word}=3"))
        };
        let mut flag = |flag: Flags| self.flags = Flags(self.flags.0 & !flag.0).set_if(flag, on);
        match word {
            "rec" | "recurse" | "rdflag" => flag(Flags::RD),
            "cd" | "cdflag" => flag(Flags::CD),
            "ad" | "adflag" => flag(Flags::AD),
            "dnssec" | "do" => (self.dnssec, self.edns) = (on, self.edns || on),
            "tcp" | "vc" => self.tcp = on,
            "short" => self.short = on,
            "ignore" => self.ignore = on,
            "edns" => (self.edns, self.dnssec) = (on, self.dnssec && on),
            "bufsize" => self.payload = number()?.try_into().map_err(|_| "+bufsize ends at 65535")?,
            "time" | "timeout" => self.time = Duration::from_secs(number()?.into()),
            "tries" => self.tries = number()?,
            "tls" | "https" | "quic" if on => {
                return Err(format!("+{word} is not built yet: questions go over UDP and TCP"));
            }
            _ => {
                return Err(format!("+{option} is not an option; `namu query --help` names those there are"));
            }
        }
        Ok(())
    }

    fn ask(&self, server: SocketAddr) -> Result<Replied, String> {
        // Nobody has to guess the id of a tool's own question, but it costs nothing that nobody can.
        let id = RandomState::new().build_hasher().finish() as u16;
        let mut octets = Vec::new();
        let opt = self.edns.then_some((self.payload, self.dnssec));
        write_query(&self.question, id, self.flags, opt, &mut octets);
        let spoken = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timeout".to_owned(),
            io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => error.to_string(),
        };
        if self.tcp {
            return self.ask_stream(server, &octets, false).map_err(spoken);
        }
        let replied = self.ask_datagram(server, &octets).map_err(spoken)?;
        let is_truncated = Header::read(&replied.octets).is_some_and(|header| header.flags.has(Flags::TC));
        match is_truncated && !self.ignore {
            true => self.ask_stream(server, &octets, true).map_err(spoken),
            false => Ok(replied),
        }
    }

    fn ask_datagram(&self, server: SocketAddr, query: &[u8]) -> io::Result<Replied> {
        let any =
            if server.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(server)?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for _ in 0..self.tries {
            let began = Instant::now();
            socket.send(query)?;
            loop {
                let left = self.time.saturating_sub(began.elapsed());
                if left.is_zero() {
                    break;
                }
                socket.set_read_timeout(Some(left))?;
                match socket.recv(&mut buffer) {
                    Ok(length) if self.is_reply(&buffer[..length], query) => {
                        let octets = buffer[..length].to_vec();
                        let (took, was_truncated) = (began.elapsed(), false);
                        return Ok(Replied { octets, server, transport: "udp", took, was_truncated });
                    }
                    // Somebody else's: the true one may still come.
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        last = error;
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(last)
    }

    fn ask_stream(&self, server: SocketAddr, query: &[u8], was_truncated: bool) -> io::Result<Replied> {
        let began = Instant::now();
        let mut stream = TcpStream::connect_timeout(&server, self.time)?;
        stream.set_read_timeout(Some(self.time))?;
        stream.set_write_timeout(Some(self.time))?;
        let frame = framing::frame(query).ok_or(io::ErrorKind::InvalidInput)?;
        stream.write_all(&frame)?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut octets)?;
        if !self.is_reply(&octets, query) {
            return Err(io::Error::other("what came is no reply to the question"));
        }
        Ok(Replied { octets, server, transport: "tcp", took: began.elapsed(), was_truncated })
    }

    /// A response with our id that repeats our question, or has none, as errors may.
    fn is_reply(&self, octets: &[u8], query: &[u8]) -> bool {
        let Some(header) = Header::read(octets) else { return false };
        let question = MessageView::parse(octets).map(|message| message.question());
        octets[..2] == query[..2]
            && header.flags.has(Flags::QR)
            && question.is_ok_and(|question| question.is_none_or(|asked| asked == self.question.as_ref()))
    }
}

/// The question of plain words: a name, and a type and a class, each in any place.
fn question(words: &[&str], reverse: Option<IpAddr>) -> Result<Question, String> {
    let is_name = |word: &&str| RrType::from_str(word).is_err() && RrClass::from_str(word).is_err();
    // A host may be called `mx`: where nothing else is a name, the first word is.
    let place = match reverse {
        Some(_) => None,
        None => Some(words.iter().position(is_name).unwrap_or(0)),
    };
    let (mut rr_type, mut class) = (None, None);
    for (_, word) in words.iter().enumerate().filter(|(at, _)| Some(*at) != place) {
        match (RrType::from_str(word), RrClass::from_str(word)) {
            (Ok(of_word), _) if rr_type.is_none() => rr_type = Some(of_word),
            (_, Ok(of_word)) if class.is_none() => class = Some(of_word),
            _ => return Err(format!("`{word}` is neither a type nor a class, and one name is enough")),
        }
    }
    let (name, default) = match (reverse, place) {
        (Some(address), _) => (reverse_name(address), RrType::PTR),
        (None, place) => {
            let word = place.and_then(|place| words.get(place)).ok_or("a name is missing")?;
            (name_of(word)?, RrType::A)
        }
    };
    let rr_type = rr_type.unwrap_or(default);
    if matches!(rr_type, RrType::AXFR | RrType::IXFR | RrType::OPT) {
        return Err(format!("{rr_type} is more than one question and one reply"));
    }
    Ok(Question { class: class.unwrap_or(RrClass::IN), ..Question::new(name, rr_type) })
}

fn name_of(word: &str) -> Result<Name, String> {
    word.parse().map_err(|error| format!("`{word}` is not a name: {error}"))
}

/// Where the name of an address stands (RFC 1035 3.5, RFC 3596 2.5).
pub(super) fn reverse_name(address: IpAddr) -> Name {
    let text = match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let octets = address.octets();
            let nibbles = octets.iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            format!("{}ip6.arpa.", nibbles.collect::<String>())
        }
    };
    text.parse().expect("digits and dots make a name")
}

/// Who is asked: the one that is named, else the running server, else the one of this machine.
fn server(asking: &Asking, port: Option<u16>) -> Result<SocketAddr, String> {
    if let Some(server) = &asking.server {
        return named_server(server, port);
    }
    let running = running_server().map(|server| SocketAddr::new(server.ip(), port.unwrap_or(server.port())));
    if let Some(server) = running {
        return Ok(server);
    }
    let text = std::fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    let address = first_of_resolv_conf(&text);
    let none = || format!("no server is running here and {RESOLV_CONF} names none; write @SERVER");
    address.map(|address| SocketAddr::new(address, port.unwrap_or(53))).ok_or_else(none)
}

/// `ADDR`, `ADDR@PORT` as in configurations, or the name of a host.
fn named_server(server: &str, port: Option<u16>) -> Result<SocketAddr, String> {
    let (host, own_port) = match server.rsplit_once('@') {
        Some((host, own)) => (host, Some(own.parse().map_err(|_| format!("`{own}` is not a port"))?)),
        None => (server, None),
    };
    let port = port.or(own_port).unwrap_or(53);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let found = std::net::ToSocketAddrs::to_socket_addrs(&(host, port));
    let mut found = found.map_err(|error| format!("the server {host} is not found: {error}"))?;
    found.next().ok_or_else(|| format!("the server {host} has no address"))
}

/// The first UDP address of the server that commands reach without being told where.
fn running_server() -> Option<SocketAddr> {
    let Ok(Ok(Reply::Status(status))) = Client::connect(None).ok()?.execute(Command::Status) else {
        return None;
    };
    let address = |line: &String| -> Option<SocketAddr> { line.strip_suffix(" udp")?.parse().ok() };
    let listening = status.listening.iter().find_map(address)?;
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Some(SocketAddr::new(ip, listening.port()))
}

fn first_of_resolv_conf(text: &str) -> Option<IpAddr> {
    let address = |line: &str| -> Option<IpAddr> {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
    };
    text.lines().find_map(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(words: &str) -> Result<Asking, String> {
        let words = words.split_whitespace().map(str::to_owned).collect();
        Asking::of(&Query { words, port: None, reverse: None, json: false, fail: false })
    }

    #[test]
    fn words_come_in_any_order() {
        for (words, want) in [
            ("www.example.com", "www.example.com. A"),
            ("www.example.com AAAA", "www.example.com. AAAA"),
            ("mx example.com", "example.com. MX"),
            ("mx", "mx. A"),
            ("a ns", "a. NS"),
            ("TYPE65 example.com", "example.com. HTTPS"),
            ("version.bind CH TXT", "version.bind. CH/TXT"),
            ("@192.0.2.1 +short example.com any", "example.com. ANY"),
            (".", ". A"),
        ] {
            let asked = asking(words).map(|asking| asking.question.to_string());
            assert_eq!(asked.as_deref(), Ok(want), "{words}");
        }
        for (words, part) in [
            ("+short", "a name is missing"),
            ("a.example b.example", "one name is enough"),
            ("a..example", "not a name"),
            ("example.com AXFR", "more than one question"),
            ("example.com +tls", "+tls is not built yet"),
            ("example.com +https", "+https is not built yet"),
            ("example.com +quic", "+quic is not built yet"),
            ("example.com +dance", "+dance is not an option"),
            ("example.com +time", "+time needs a number"),
            ("example.com +tries=0", "+tries needs a number"),
        ] {
            let problem = asking(words).unwrap_err();
            assert!(problem.contains(part), "{words}: {problem}");
        }
    }

    #[test]
    fn options_are_those_of_dig() {
        let plain = asking("a.example").unwrap();
        assert_eq!((plain.flags.0, plain.edns, plain.dnssec, plain.tcp), (0x0120, true, false, false));
        let other =
            asking("a.example +norecurse +cd +noad +dnssec +tcp +time=2 +tries=1 +bufsize=512").unwrap();
        assert_eq!((other.flags.0, other.edns, other.dnssec, other.tcp), (0x0010, true, true, true));
        assert_eq!((other.time, other.tries, other.payload), (Duration::from_secs(2), 1, 512));
        assert!(!asking("a.example +dnssec +noedns").unwrap().dnssec);
        assert!(asking("a.example +norec +rec").unwrap().flags.has(Flags::RD));
    }

    #[test]
    fn addresses_have_names() {
        let name = |text: &str| reverse_name(text.parse().unwrap()).to_string();
        assert_eq!(name("192.0.2.25"), "25.2.0.192.in-addr.arpa.");
        let ipv6 = format!("{}{}ip6.arpa.", "1.".to_owned() + &"0.".repeat(23), "8.b.d.0.1.0.0.2.");
        assert_eq!(name("2001:db8::1"), ipv6);
    }

    #[test]
    fn servers_are_named_as_in_dig_and_in_configurations() {
        for (server, port, want) in [
            ("192.0.2.1", None, "192.0.2.1:53"),
            ("192.0.2.1", Some(5300), "192.0.2.1:5300"),
            ("192.0.2.1@5300", None, "192.0.2.1:5300"),
            ("::1", None, "[::1]:53"),
            ("[::1]@54", None, "[::1]:54"),
        ] {
            assert_eq!(named_server(server, port), Ok(want.parse().unwrap()), "{server}");
        }
        let text = "# nameserver 192.0.2.9\nsearch a.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n";
        assert_eq!(first_of_resolv_conf(text), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(first_of_resolv_conf(""), None);
    }
}
