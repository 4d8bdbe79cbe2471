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

/// Asks `server`, which has `timeout` to reply to each datagram. EDNS is left out when the server cannot; over a stream go
/// a question whose reply was truncated and one that somebody seems to forge replies to. The error is one of the budget.
pub async fn ask(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    task: &Task,
) -> Result<Outcome, Limit> {
    // RFC 1034 4.3.1: RD clear, an authoritative server is asked for what it knows.
    ask_with(Flags::default(), question, server, timeout, task).await
}

/// As [`ask`], with these flags.
pub async fn ask_with(
    flags: Flags,
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    task: &Task,
) -> Result<Outcome, Limit> {
    let edns = task.cache().servers().server(server, task.now()).edns;
    if edns == EdnsAbility::Refused {
        return converse(question, server, timeout, (WithEdns::No, flags), task)
            .await
            .map(Conversed::outcome);
    }
    let first = converse(question, server, timeout, (WithEdns::Yes, flags), task).await?;
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
    let second = converse(question, server, timeout, (WithEdns::No, flags), task).await?;
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

/// The letter case of the name that is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// As the question has it; the reply may have it otherwise.
    Own,
    /// Drawn by lot, and to be repeated octet by octet ("0x20"): a bit for each letter that a forger has to guess.
    Random,
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

    fn has_reply(&self) -> bool {
        matches!(self.outcome, Outcome::Replied(..))
    }
}

/// One question, over a datagram first. A server that does not repeat the letter case is asked over a stream or, when it
/// has none, in the question's own; when it means it, that is remembered.
async fn converse(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    manner: (WithEdns, Flags),
    task: &Task,
) -> Result<Conversed, Limit> {
    let servers = task.cache().servers();
    if let Some(conversed) = over_stream_at_once(question, server, timeout, manner, task).await? {
        return Ok(conversed);
    }
    let is_random = task.options().case_randomization && !servers.server(server, task.now()).changes_case;
    let case = if is_random { Case::Random } else { Case::Own };
    let first = over_datagram(question, server, timeout, manner, case, task).await?;
    if !first.changed_case {
        return Ok(first.conversed);
    }
    let conversed = match first.conversed.has_reply() {
        true => first.conversed,
        false => over_datagram(question, server, timeout, manner, Case::Own, task).await?.conversed,
    };
    if conversed.has_reply() {
        servers.set_changes_case(server, task.now());
    }
    Ok(conversed)
}

struct OverDatagram {
    conversed: Conversed,
    /// Something came that was the reply but for the letter case.
    changed_case: bool,
}

async fn over_datagram(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    manner: (WithEdns, Flags),
    case: Case,
    task: &Task,
) -> Result<OverDatagram, Limit> {
    task.budget().packet(task.now())?;
    let query = Query::new(question, manner, case, task);
    let began = task.now().tick;
    let end = began.plus(timeout).min(task.budget().deadline);
    let mut flight = task.world().datagram(server, &query.octets);
    let (mut was_bare_error, mut changed_case, mut is_suspicious) = (false, false, false);
    for _ in 0..=limits::STRAY_DATAGRAMS {
        let octets = match before(flight.receive(), end, task).await {
            None => {
                task.budget().time(task.now())?;
                let conversed = Conversed { outcome: Outcome::Silent, was_bare_error, spoke_edns: false };
                return Ok(OverDatagram { conversed, changed_case });
            }
            Some(Err(no_reply)) => {
                let conversed = Conversed::without_reply(Outcome::NoReply(no_reply));
                return Ok(OverDatagram { conversed, changed_case });
            }
            Some(Ok(octets)) => octets,
        };
        task.budget().received(octets.len())?;
        match query.matches(&octets) {
            // RFC 5452 9.1: what does not match is not there; the true reply may still be under way.
            Match::Stray => {}
            Match::BareError => was_bare_error = true,
            near @ (Match::NearMiss | Match::OtherCase) => {
                changed_case |= near == Match::OtherCase;
                // Somebody is guessing, or the server is odd. A stream is not guessed into. Where there is none, a
                // datagram that matches in everything still counts.
                if !std::mem::replace(&mut is_suspicious, true) {
                    let conversed = over_stream(question, server, manner, task).await?;
                    // Nonsense over a stream is the server's own: there is nothing better to wait for.
                    let is_odd = matches!(conversed.outcome, Outcome::Malformed);
                    if conversed.has_reply() || changed_case || is_odd {
                        return Ok(OverDatagram { conversed, changed_case });
                    }
                }
            }
            Match::Truncated => {
                drop(flight);
                task.cache().servers().replied(server, task.now().tick.since(began), task.now());
                task.step(Step::Stream(server, WhyStream::Truncated));
                let conversed = over_stream(question, server, manner, task).await?;
                return Ok(OverDatagram { conversed, changed_case: false });
            }
            Match::Reply => {
                let round_trip = task.now().tick.since(began);
                task.cache().servers().replied(server, round_trip, task.now());
                let conversed = query.read(octets, round_trip);
                return Ok(OverDatagram { conversed, changed_case: false });
            }
        }
    }
    drop(flight);
    task.step(Step::Stream(server, WhyStream::Guessed));
    let conversed = over_stream(question, server, manner, task).await?;
    Ok(OverDatagram { conversed, changed_case })
}

/// Over a stream with no datagram before, where that is how the server replies, or may reply. None when it has none.
async fn over_stream_at_once(
    question: &Question,
    server: SocketAddr,
    timeout: Duration,
    manner: (WithEdns, Flags),
    task: &Task,
) -> Result<Option<Conversed>, Limit> {
    let (servers, began) = (task.cache().servers(), task.now());
    let known = servers.server(server, began);
    // A stream takes a round trip more.
    let (why, patience) = match known.is_stream_only(began) {
        true => (WhyStream::NoDatagrams, limits::STREAM_TIMEOUT),
        false if known.may_be_stream_only(began) => (WhyStream::Silent, timeout * 2),
        false => return Ok(None),
    };
    let asked = Box::pin(over_stream(question, server, manner, task));
    let conversed = match before(asked, began.tick.plus(patience), task).await {
        Some(conversed) => conversed?,
        None => Conversed::without_reply(Outcome::Silent),
    };
    match conversed.outcome {
        Outcome::Replied(_, round_trip) => servers.replied_over_stream_only(server, round_trip, task.now()),
        _ => servers.forget_stream_only(server, task.now()),
    }
    if let Outcome::NoReply(_) = conversed.outcome {
        return Ok(None);
    }
    task.step(Step::Stream(server, why));
    Ok(Some(conversed))
}

async fn over_stream(
    question: &Question,
    server: SocketAddr,
    manner: (WithEdns, Flags),
    task: &Task,
) -> Result<Conversed, Limit> {
    task.budget().packet(task.now())?;
    let query = Query::new(question, manner, Case::Own, task);
    let began = task.now().tick;
    let end = began.plus(limits::STREAM_TIMEOUT).min(task.budget().deadline);
    let octets = match before(task.world().stream(server, &query.octets), end, task).await {
        None => {
            task.budget().time(task.now())?;
            return Ok(Conversed::without_reply(Outcome::Silent));
        }
        Some(Err(no_reply)) => return Ok(Conversed::without_reply(Outcome::NoReply(no_reply))),
        Some(Ok(octets)) => octets,
    };
    task.budget().received(octets.len())?;
    Ok(match query.matches(&octets) {
        Match::Reply => query.read(octets, task.now().tick.since(began)),
        _ => Conversed::without_reply(Outcome::Malformed),
    })
}

/// A query under way.
struct Query<'q> {
    question: &'q Question,
    id: u16,
    case: Case,
    octets: Vec<u8>,
}

impl Query<'_> {
    /// A query with a fresh id, and a fresh letter case if that is drawn by lot.
    fn new<'q>(
        question: &'q Question,
        (edns, flags): (WithEdns, Flags),
        case: Case,
        task: &Task,
    ) -> Query<'q> {
        let id = task.random() as u16;
        let with_dnssec = task.options().dnssec;
        let opt = (edns == WithEdns::Yes).then_some((task.options().edns_payload_size, with_dnssec));
        // RFC 6840 5.9: whoever validates himself wants all there is, whatever another thinks of it.
        let flags = flags.set_if(Flags::CD, with_dnssec && opt.is_some());
        let mut octets = Vec::with_capacity(64);
        write_query(question, id, flags, opt, &mut octets);
        if case == Case::Random {
            let name = HEADER_OCTETS..HEADER_OCTETS + question.name.octets().len();
            draw_case(&mut octets[name], || task.random());
        }
        Query { question, id, case, octets }
    }

    fn matches(&self, octets: &[u8]) -> Match {
        match Match::of(octets, self.id, self.question.as_ref()) {
            Match::Reply | Match::Truncated
                if self.case == Case::Random && self.name() != self.name_in(octets) =>
            {
                Match::OtherCase
            }
            other => other,
        }
    }

    /// The name as it was asked.
    fn name(&self) -> &[u8] {
        self.name_in(&self.octets)
    }

    fn name_in<'o>(&self, octets: &'o [u8]) -> &'o [u8] {
        octets.get(HEADER_OCTETS..HEADER_OCTETS + self.question.name.octets().len()).unwrap_or_default()
    }

    /// Reads what matches as the reply, as if the question had been asked in its own letter case: what is read is kept
    /// and shown.
    fn read(&self, mut octets: Bytes, round_trip: Duration) -> Conversed {
        if self.case == Case::Random {
            octets = self.in_own_case(&octets);
        }
        let Ok(message) = MessageView::parse(&octets) else {
            return Conversed::without_reply(Outcome::Malformed);
        };
        let Ok(mut reply) = Reply::read(&message) else {
            return Conversed::without_reply(Outcome::Malformed);
        };
        if self.case == Case::Random {
            take_owners_from(self.question.name.as_ref(), &mut reply);
        }
        let spoke_edns = message.opt().is_some();
        Conversed { outcome: Outcome::Replied(reply, round_trip), was_bare_error: false, spoke_edns }
    }

    /// With the question as it would have been. Compressed names point at it.
    fn in_own_case(&self, octets: &[u8]) -> Bytes {
        let own = self.question.name.octets();
        let mut octets = octets.to_vec();
        octets[HEADER_OCTETS..HEADER_OCTETS + own.len()].copy_from_slice(own);
        octets.into()
    }
}

/// Changes the case of the letters by lot. Octets that count those of a label are no letters: a label has at most 63.
fn draw_case(name: &mut [u8], mut random: impl FnMut() -> u64) {
    for part in name.chunks_mut(u64::BITS as usize) {
        let mut bits = random();
        for octet in part.iter_mut().filter(|octet| octet.is_ascii_alphabetic()) {
            // In ASCII the cases of a letter differ by 0x20.
            *octet ^= ((bits & 1) as u8) << 5;
            bits >>= 1;
        }
    }
}

/// The future's value if it has one before `end`. The future is polled first, so that a reply on the stroke counts.
async fn before<T>(future: impl Future<Output = T> + Unpin, end: Tick, task: &Task) -> Option<T> {
    match select(future, task.world().sleep_until(end)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// Writes owners that are the name asked, or above it, in its letter case. Most servers point at the question to say them;
/// those that copy it instead would make the case we drew visible.
fn take_owners_from(name: NameRef<'_>, reply: &mut Reply) {
    for rrset in [&mut reply.answer, &mut reply.authority, &mut reply.additional].into_iter().flatten() {
        let owner = rrset.owner.as_ref();
        if name.is_at_or_below(owner) {
            rrset.owner = name.trim_to(owner.label_count()).to_name();
        }
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
    /// It is, but for the letter case of the name.
    OtherCase,
    /// It could be a forger's guess: another id, another question.
    NearMiss,
    /// It is no reply at all.
    Stray,
}

impl Match {
    /// Without regard to the letter case of the name.
    fn of(octets: &[u8], id: u16, question: QuestionRef<'_>) -> Match {
        let Some(header) = Header::read(octets) else { return Match::Stray };
        let flags = header.flags;
        if !flags.has(Flags::QR) || flags.opcode() != Opcode::QUERY {
            return Match::Stray;
        }
        if header.id != id {
            return Match::NearMiss;
        }
        match header.counts[0] {
            0 if matches!(flags.rcode(), Rcode::FORMERR | Rcode::NOTIMP) => Match::BareError,
            1 if repeats(&octets[HEADER_OCTETS..], question) => match flags.has(Flags::TC) {
                true => Match::Truncated,
                false => Match::Reply,
            },
            _ => Match::NearMiss,
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
            ("wrong id", reply(8, 0x8000, 1, own), Match::NearMiss),
            ("a query", reply(7, 0, 1, own), Match::Stray),
            ("other opcode", reply(7, 0xa800, 1, own), Match::Stray),
            ("other name", reply(7, 0x8000, 1, b"\x03wwx\x07example\0\0\x01\0\x01"), Match::NearMiss),
            ("other type", reply(7, 0x8000, 1, b"\x03www\x07example\0\0\x1c\0\x01"), Match::NearMiss),
            ("other class", reply(7, 0x8000, 1, b"\x03www\x07example\0\0\x01\0\x03"), Match::NearMiss),
            ("cut question", reply(7, 0x8000, 1, &own[..14]), Match::NearMiss),
            ("two questions", reply(7, 0x8000, 2, own), Match::NearMiss),
            ("no question", reply(7, 0x8000, 0, b""), Match::NearMiss),
            ("FORMERR without question", reply(7, 0x8001, 0, b""), Match::BareError),
            ("SERVFAIL without question", reply(7, 0x8002, 0, b""), Match::NearMiss),
            ("short", reply(7, 0x8000, 1, own)[..11].to_vec(), Match::Stray),
        ] {
            assert_eq!(Match::of(&octets, 7, asked.as_ref()), want, "{what}");
        }
    }

    #[test]
    fn a_name_asked_in_random_case_is_repeated_octet_by_octet() {
        let asked = question("www.example. A");
        let case = Case::Random;
        let mut query = Query { question: &asked, id: 7, case, octets: Vec::new() };
        write_query(&asked, 7, Flags::default(), None, &mut query.octets);
        let name = query.octets[12] + 1;
        draw_case(&mut query.octets[12..12 + 13], || 0b1011);
        assert_eq!((name, &query.octets[12..12 + 13]), (4, &b"\x03WWw\x07Example\0"[..]));
        let mut reply = query.octets.clone();
        reply[2] |= 0x80;
        assert_eq!(query.matches(&reply), Match::Reply);
        assert_eq!(&query.in_own_case(&reply)[12..25], b"\x03www\x07example\0");
        reply[13] = b'w';
        assert_eq!(query.matches(&reply), Match::OtherCase);
        reply[2] |= 0x02;
        assert_eq!(query.matches(&reply), Match::OtherCase, "truncated");
        reply[0] ^= 1;
        assert_eq!(query.matches(&reply), Match::NearMiss);
        query.case = Case::Own;
        reply[0] ^= 1;
        assert_eq!(query.matches(&reply), Match::Truncated);
    }

    #[test]
    fn only_letters_change_their_case() {
        let mut name = *b"\x3f-azAZ09_@[`{\x00\xff";
        draw_case(&mut name, || u64::MAX);
        assert_eq!(&name, b"\x3f-AZaz09_@[`{\x00\xff");
    }
}
