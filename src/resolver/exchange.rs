//! An exchange: one question to one server, and the reply that is really its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};

use super::reply::Reply;
use super::{Limit, NoReply, Task};
use crate::cache::EdnsAbility;
use crate::clock::Tick;
use crate::dns::{NameRef, Opcode, Question, QuestionRef, Rcode, RrClass, RrType};
use crate::limits;
use crate::observe::{ExchangeResult, Step, WhyStream};
use crate::wire::{Flags, HEADER_OCTETS, Header, MessageView, write_query};

/// What came of an exchange.
#[derive(Debug)]
pub enum Outcome {
    /// A well-formed reply to this question, after this time.
    Replied(Reply, Duration),
    /// Nothing in time.
    Silent,
    /// The network or the server's host says no.
    NoReply(NoReply),
    /// A reply to this question that is no DNS message.
    Malformed,
}

/// Asks `server`, which has `timeout` to reply to each datagram. EDNS is left out when the server cannot, and a
/// truncated reply is fetched over a stream. The error is one of the budget.
pub async fn ask(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    task: &Task,
) -> Result<Outcome, Limit> {
    let edns = task.cache().servers().server(server, task.now()).edns;
    if edns == EdnsAbility::Refused {
        return converse(question, server, timeout, WithEdns::No, task).await.map(Conversed::outcome);
    }
    let first = converse(question, server, timeout, WithEdns::Yes, task).await?;
    let wants_plain = match &first.outcome {
        // RFC 6891 7: FORMERR from those who know no OPT record; NOTIMP and BADVERS are seen as well.
        Outcome::Replied(reply, _) => matches!(reply.rcode, Rcode::FORMERR | Rcode::NOTIMP | Rcode::BADVERS),
        Outcome::Silent => first.was_bare_error,
        _ => false,
    };
    if !wants_plain {
        if first.spoke_edns {
            task.cache().servers().set_edns(server, EdnsAbility::Spoken, task.now());
        }
        return Ok(first.outcome);
    }
    task.step(Step::WithoutEdns(server));
    let second = converse(question, server, timeout, WithEdns::No, task).await?;
    let now_well = |reply: &Reply| !matches!(reply.rcode, Rcode::FORMERR | Rcode::NOTIMP | Rcode::BADVERS);
    let is_proof = matches!(&second.outcome, Outcome::Replied(reply, _) if now_well(reply));
    // Only an error that repeated the question counts: anything less could be forged to rob us of EDNS (CVE-2026-52690).
    if is_proof && !first.was_bare_error && edns == EdnsAbility::Unknown {
        task.cache().servers().set_edns(server, EdnsAbility::Refused, task.now());
    }
    Ok(second.outcome)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WithEdns {
    Yes,
    No,
}

struct Conversed {
    outcome: Outcome,
    /// The only thing that came was an error without the question.
    was_bare_error: bool,
    /// The reply had an OPT record.
    spoke_edns: bool,
}

impl Conversed {
    fn outcome(self) -> Outcome {
        self.outcome
    }

    fn without_reply(outcome: Outcome) -> Conversed {
        Conversed { outcome, was_bare_error: false, spoke_edns: false }
    }
}

/// One question, over a datagram first.
async fn converse(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    edns: WithEdns,
    task: &Task,
) -> Result<Conversed, Limit> {
    task.budget().packet(task.now())?;
    let (id, query) = write(question, edns, task);
    let began = task.now().tick;
    let end = began.plus(timeout).min(task.budget().deadline);
    let mut flight = task.world().datagram(server, &query);
    let mut was_bare_error = false;
    for _ in 0..=limits::STRAY_DATAGRAMS {
        let octets = match before(flight.receive(), end, task).await {
            None => {
                task.budget().time(task.now())?;
                let outcome = Outcome::Silent;
                return Ok(Conversed { outcome, was_bare_error, spoke_edns: false });
            }
            Some(Err(no_reply)) => return Ok(Conversed::without_reply(Outcome::NoReply(no_reply))),
            Some(Ok(octets)) => octets,
        };
        task.budget().received(octets.len())?;
        match Match::of(&octets, id, question.as_ref()) {
            // RFC 5452 9.1: what does not match is not there; the true reply may still be under way.
            Match::Stray => {}
            Match::BareError => was_bare_error = true,
            Match::Truncated => {
                drop(flight);
                task.cache().servers().replied(server, task.now().tick.since(began), task.now());
                task.step(Step::Stream(server, WhyStream::Truncated));
                return over_stream(question, server, edns, task).await;
            }
            Match::Reply => {
                let round_trip = task.now().tick.since(began);
                task.cache().servers().replied(server, round_trip, task.now());
                return Ok(read(&octets, round_trip));
            }
        }
    }
    // Somebody is guessing. A stream is not guessed into.
    drop(flight);
    task.step(Step::Stream(server, WhyStream::Guessed));
    over_stream(question, server, edns, task).await
}

async fn over_stream(
    question: &Question,
    server: SocketAddr,
    edns: WithEdns,
    task: &Task,
) -> Result<Conversed, Limit> {
    task.budget().packet(task.now())?;
    let (id, query) = write(question, edns, task);
    let began = task.now().tick;
    let end = began.plus(limits::STREAM_TIMEOUT).min(task.budget().deadline);
    let octets = match before(task.world().stream(server, &query), end, task).await {
        None => {
            task.budget().time(task.now())?;
            return Ok(Conversed::without_reply(Outcome::Silent));
        }
        Some(Err(no_reply)) => return Ok(Conversed::without_reply(Outcome::NoReply(no_reply))),
        Some(Ok(octets)) => octets,
    };
    task.budget().received(octets.len())?;
    Ok(match Match::of(&octets, id, question.as_ref()) {
        Match::Reply => read(&octets, task.now().tick.since(began)),
        _ => Conversed::without_reply(Outcome::Malformed),
    })
}

/// A fresh id for every query, and the query.
fn write(question: &Question, edns: WithEdns, task: &Task) -> (u16, Vec<u8>) {
    let id = task.random() as u16;
    let opt = (edns == WithEdns::Yes).then_some((task.options().edns_payload_size, false));
    let mut query = Vec::with_capacity(64);
    // RFC 1034 4.3.1: RD clear, an authoritative server is asked for what it knows.
    write_query(question, id, Flags::default(), opt, &mut query);
    (id, query)
}

/// The future's value if it has one before `end`. The future is polled first, so that a reply on the stroke counts.
async fn before<T>(future: impl Future<Output = T> + Unpin, end: Tick, task: &Task) -> Option<T> {
    match select(future, task.world().sleep_until(end)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

fn read(octets: &Bytes, round_trip: Duration) -> Conversed {
    let Ok(message) = MessageView::parse(octets) else {
        return Conversed::without_reply(Outcome::Malformed);
    };
    match Reply::read(&message) {
        Err(_) => Conversed::without_reply(Outcome::Malformed),
        Ok(reply) => Conversed {
            outcome: Outcome::Replied(reply, round_trip),
            was_bare_error: false,
            spoke_edns: message.opt().is_some(),
        },
    }
}

/// Whether octets are the reply to a query.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    /// It is, whatever it says.
    Reply,
    /// It is, and says that it is not all.
    Truncated,
    /// FORMERR or NOTIMP without the question: a server that could not read it, or a forger who did not know it.
    BareError,
    /// It is not.
    Stray,
}

impl Match {
    fn of(octets: &[u8], id: u16, question: QuestionRef<'_>) -> Match {
        let Some(header) = Header::read(octets) else { return Match::Stray };
        let flags = header.flags;
        if header.id != id || !flags.has(Flags::QR) || flags.opcode() != Opcode::QUERY {
            return Match::Stray;
        }
        match header.counts[0] {
            0 if matches!(flags.rcode(), Rcode::FORMERR | Rcode::NOTIMP) => Match::BareError,
            1 if repeats(&octets[HEADER_OCTETS..], question) => match flags.has(Flags::TC) {
                true => Match::Truncated,
                false => Match::Reply,
            },
            _ => Match::Stray,
        }
    }
}

/// Whether a question section is the one sent, the letter case of the name aside (RFC 5452 9.1).
fn repeats(octets: &[u8], question: QuestionRef<'_>) -> bool {
    let Ok((name, rest)) = NameRef::split_from(octets) else { return false };
    match rest {
        [a, b, c, d, ..] => {
            let (rr_type, class) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
            QuestionRef { name, rr_type: RrType(rr_type), class: RrClass(class) } == question
        }
        _ => false,
    }
}

impl Outcome {
    /// In the words of the access log, for what is not a usable reply.
    pub fn result(&self) -> ExchangeResult {
        match self {
            Outcome::Replied(_, round_trip) => ExchangeResult::Answered(*round_trip),
            Outcome::Silent => ExchangeResult::Timeout,
            Outcome::NoReply(_) => ExchangeResult::Unreachable,
            Outcome::Malformed => ExchangeResult::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::testing::question;

    #[test]
    fn only_the_reply_to_the_query_matches() {
        let asked = question("www.example. A");
        let reply = |id: u16, flags: u16, count: u16, question: &[u8]| {
            let header = Header { id, flags: Flags(flags), counts: [count, 0, 0, 0] };
            [&header.octets(), question].concat()
        };
        let own = b"\x03www\x07example\0\0\x01\0\x01";
        for (what, octets, want) in [
            ("reply", reply(7, 0x8000, 1, own), Match::Reply),
            ("other case", reply(7, 0x8000, 1, b"\x03WWW\x07example\0\0\x01\0\x01"), Match::Reply),
            ("truncated", reply(7, 0x8200, 1, own), Match::Truncated),
            ("wrong id", reply(8, 0x8000, 1, own), Match::Stray),
            ("a query", reply(7, 0, 1, own), Match::Stray),
            ("other opcode", reply(7, 0xa800, 1, own), Match::Stray),
            ("other name", reply(7, 0x8000, 1, b"\x03wwx\x07example\0\0\x01\0\x01"), Match::Stray),
            ("other type", reply(7, 0x8000, 1, b"\x03www\x07example\0\0\x1c\0\x01"), Match::Stray),
            ("other class", reply(7, 0x8000, 1, b"\x03www\x07example\0\0\x01\0\x03"), Match::Stray),
            ("cut question", reply(7, 0x8000, 1, &own[..14]), Match::Stray),
            ("two questions", reply(7, 0x8000, 2, own), Match::Stray),
            ("no question", reply(7, 0x8000, 0, b""), Match::Stray),
            ("FORMERR without question", reply(7, 0x8001, 0, b""), Match::BareError),
            ("SERVFAIL without question", reply(7, 0x8002, 0, b""), Match::Stray),
            ("short", reply(7, 0x8000, 1, own)[..11].to_vec(), Match::Stray),
        ] {
            assert_eq!(Match::of(&octets, 7, asked.as_ref()), want, "{what}");
        }
    }
}
