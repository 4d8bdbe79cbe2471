//! Questions over real sockets, read by hickory-proto.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

/// Longest any test waits for a reply. Far more than a busy machine stalls: only a query that is lost lets it pass.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A query with RD and EDNS.
pub fn query(name: &str, rr_type: RecordType) -> Vec<u8> {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rr_type));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.edns = Some(edns);
    message.to_vec().unwrap()
}

/// Asks over UDP; none when nothing comes back in time.
pub fn udp_octets(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    ask(server, request, PATIENCE)
}

/// Asks once a server that may not be there yet.
pub fn try_udp(server: SocketAddr, name: &str, rr_type: RecordType) -> Option<Message> {
    let reply = ask(server, &query(name, rr_type), Duration::from_millis(100))?;
    Message::from_vec(&reply).ok()
}

fn ask(server: SocketAddr, request: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.connect(server).unwrap();
    socket.send(request).ok()?;
    let mut reply = vec![0; 65_535];
    let octets = receive(&socket, &mut reply, patience, || true).ok()?;
    reply.truncate(octets);
    Some(reply)
}

/// Waits for a datagram while it may still come. A signal to the test, or a clock that leaps while the machine stands
/// still, ends no wait.
pub fn receive(
    socket: &UdpSocket,
    octets: &mut [u8],
    patience: Duration,
    may_come: impl Fn() -> bool,
) -> io::Result<usize> {
    let slice = Duration::from_millis(500).min(patience);
    socket.set_read_timeout(Some(slice))?;
    let (start, mut slices) = (Instant::now(), 0);
    loop {
        match socket.recv(octets) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                slices += 1;
                if (slice * slices >= patience && start.elapsed() >= patience) || !may_come() {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
}

/// Asks over UDP.
pub fn udp(server: SocketAddr, name: &str, rr_type: RecordType) -> Message {
    let reply = udp_octets(server, &query(name, rr_type)).expect("a reply");
    Message::from_vec(&reply).unwrap()
}

/// A stream on which messages go both ways.
pub struct Stream {
    stream: TcpStream,
}

impl Stream {
    pub fn open(server: SocketAddr) -> Stream {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Stream { stream }
    }

    /// Sends messages, `piece` octets a segment.
    pub fn send(&mut self, messages: &[Vec<u8>], piece: usize) {
        let mut octets = Vec::new();
        for message in messages {
            octets.extend((message.len() as u16).to_be_bytes());
            octets.extend(message);
        }
        for piece in octets.chunks(piece) {
            self.stream.write_all(piece).unwrap();
        }
    }

    /// Sends the beginning of a message.
    pub fn send_part(&mut self, message: &[u8], octets: usize) {
        let length = (message.len() as u16).to_be_bytes();
        self.stream.write_all(&[&length, &message[..octets]].concat()).unwrap();
    }

    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// No more from this side.
    pub fn close_write(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    pub fn receive(&mut self) -> Option<Message> {
        let mut length = [0; 2];
        self.stream.read_exact(&mut length).ok()?;
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        self.stream.read_exact(&mut reply).ok()?;
        Some(Message::from_vec(&reply).unwrap())
    }
}

/// Asks over TCP.
pub fn tcp(server: SocketAddr, name: &str, rr_type: RecordType) -> Message {
    let mut stream = Stream::open(server);
    stream.send(&[query(name, rr_type)], usize::MAX);
    stream.receive().expect("a reply")
}

/// The answer section, a record a line.
pub fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.to_string()).collect()
}
