//! What is said on the control socket: one JSON object a line each way, `{"namu":1,"order":{..}}` and `{"namu":1,"reply":{..}}`
//! or `{"namu":1,"refusal":".."}`. A connection may bring several orders, one after the other.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::daemon::{Command, Refusal, Reply};

/// The version both sides have to speak.
pub const VERSION: u32 = 1;

/// An order as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    namu: u32,
    order: Command,
}

/// A reply as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    namu: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Reply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
}

/// The version alone, to name the one that is not understood.
#[derive(Deserialize)]
struct VersionOnly {
    namu: u32,
}

/// A command as a line.
pub fn write_order(command: Command, out: &mut impl Write) -> io::Result<()> {
    write_line(&Order { namu: VERSION, order: command }, out)
}

/// The command of a line; the error is for the one who wrote it.
pub fn read_order(line: &[u8]) -> Result<Command, Refusal> {
    match serde_json::from_slice::<Order>(line) {
        Ok(Order { namu: VERSION, order }) => Ok(order),
        Ok(Order { namu, .. }) => Err(other_version(namu)),
        Err(error) => Err(match serde_json::from_slice::<VersionOnly>(line) {
            Ok(VersionOnly { namu }) if namu != VERSION => other_version(namu),
            _ => Refusal(format!("not an order: {error}")),
        }),
    }
}

fn other_version(namu: u32) -> Refusal {
    Refusal(format!("this server speaks version {VERSION} of the control protocol, not {namu}"))
}

/// What came of a command, as a line.
pub fn write_answer(answer: Result<Reply, Refusal>, out: &mut impl Write) -> io::Result<()> {
    let (reply, refusal) = match answer {
        Ok(reply) => (Some(reply), None),
        Err(refusal) => (None, Some(refusal)),
    };
    write_line(&Answer { namu: VERSION, reply, refusal }, out)
}

/// What came of a command, from its line.
pub fn read_answer(line: &[u8]) -> io::Result<Result<Reply, Refusal>> {
    let answer: Answer = serde_json::from_slice(line)?;
    match answer {
        Answer { namu: VERSION, reply: Some(reply), .. } => Ok(Ok(reply)),
        Answer { namu: VERSION, refusal: Some(refusal), .. } => Ok(Err(refusal)),
        Answer { namu, .. } => Err(io::Error::other(format!("a reply of version {namu} is not understood"))),
    }
}

fn write_line(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// The next line without its end; none when the other side has closed. A longer one than `most` octets is an error.
pub fn read_line(from: &mut impl BufRead, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(most + 1).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() as u64 >= most => {
            Err(io::Error::other(format!("a line of more than {most} octets")))
        }
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_understand_each_other_and_name_a_version_they_do_not() {
        let mut line = Vec::new();
        write_order(Command::Stats, &mut line).unwrap();
        assert_eq!(line, b"{\"namu\":1,\"order\":{\"do\":\"stats\"}}\n");
        assert_eq!(read_order(&line), Ok(Command::Stats));
        for answer in [Ok(Reply::Text { text: "a\nb".into() }), Err(Refusal("no".into()))] {
            let mut line = Vec::new();
            write_answer(answer.clone(), &mut line).unwrap();
            assert_eq!(line.iter().filter(|octet| **octet == b'\n').count(), 1);
            assert_eq!(read_answer(&line).unwrap(), answer);
        }
        for (line, part) in [
            (&br#"{"namu":2,"order":{"do":"tomorrow"}}"#[..], "version 1 of the control protocol, not 2"),
            (br#"{"namu":1,"order":{"do":"tomorrow"}}"#, "not an order"),
            (b"GET / HTTP/1.1", "not an order"),
            (b"\xff", "not an order"),
            (b"", "not an order"),
        ] {
            let refusal = read_order(line).unwrap_err().0;
            assert!(refusal.contains(part), "{refusal}");
        }
        assert!(read_answer(br#"{"namu":2}"#).is_err());
    }

    #[test]
    fn a_line_has_an_end_and_a_bound() {
        let read = |text: &str| {
            let line = read_line(&mut text.as_bytes(), 5);
            line.map_err(|error| error.kind()).map(|line| line.map(|line| line.len()))
        };
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("\n"), Ok(Some(0)));
        assert_eq!(read("12345\n"), Ok(Some(5)));
        assert_eq!(read("123456\n"), Err(io::ErrorKind::Other));
        assert_eq!(read("1234"), Err(io::ErrorKind::UnexpectedEof));
    }
}
