//! An answer becomes the octets of a response, and the event that tells of it. Both halves end here.

use std::sync::Arc;

use super::begin::{Begin, Local};
use super::limit::{self, Outgo};
use super::{Packet, RrsetOrder, Snapshot};
use crate::authority;
use crate::clock::Now;
use crate::dns::{Answer, Edns, Opcode, QuestionRef, Rcode, RrType};
use crate::observe::{Event, QuestionPlace, RecursionFacts, Source, Transport};
use crate::policy::Cookie;
use crate::recursion::told_id;
use crate::wire::query::Unusual;
use crate::wire::tsig::TsigRecord;
use crate::wire::{
    Flags, HEADER_OCTETS, Header, OptToWrite, Problem, Query, RecordOrder, ResponseHead, Wishes,
};
use crate::zone::ZoneEntry;
use crate::{cache, observe};

/// Octets of a response over UDP to a client without EDNS (RFC 1035 4.2.1).
const PLAIN_UDP_OCTETS: usize = 512;

/// What a response repeats of its request or tells because the request asked for it.
pub(super) struct Echo<'r> {
    header: Header,
    question: Option<QuestionRef<'r>>,
    edns: Option<Edns>,
    wishes: Wishes<'r>,
    pub(super) cookie: Cookie,
    cookie_to_send: Option<[u8; 24]>,
    expire: Option<u32>,
    zone_version: Option<(u8, u32)>,
}

impl<'r> Echo<'r> {
    /// Of a query.
    pub(super) fn of(packet: &Packet<'_>, snapshot: &Snapshot, query: &Query<'r>, now: Now) -> Echo<'r> {
        Echo::without_cookie(query).with_cookie(packet, snapshot, now)
    }

    /// Of a query whose cookie is not looked at.
    pub(super) fn without_cookie(query: &Query<'r>) -> Echo<'r> {
        Echo::new(query.header, Some(query.question), query.edns, query.wishes)
    }

    fn new(
        header: Header,
        question: Option<QuestionRef<'r>>,
        edns: Option<Edns>,
        wishes: Wishes<'r>,
    ) -> Echo<'r> {
        let (cookie, cookie_to_send) = (Cookie::Absent, None);
        Echo { header, question, edns, wishes, cookie, cookie_to_send, expire: None, zone_version: None }
    }

    fn with_cookie(self, packet: &Packet<'_>, snapshot: &Snapshot, now: Now) -> Echo<'r> {
        let Some(secrets) = &snapshot.options.cookies else { return self };
        let (cookie, cookie_to_send) = secrets.check(self.wishes.cookie, packet.client.ip(), now.unix);
        Echo { cookie, cookie_to_send, ..self }
    }

    /// Adds what was asked about the zone that answers.
    pub(super) fn tell_of_zone(&mut self, snapshot: &Snapshot, query: &Query<'_>) {
        if !self.wishes.expire && !self.wishes.zone_version {
            return;
        }
        let question = query.question;
        let Some(ZoneEntry::Loaded(zone)) = authority::zone_for(snapshot.zones_for_clients(), question)
        else {
            return;
        };
        if self.wishes.zone_version {
            self.zone_version = Some((zone.apex().label_count() as u8, zone.serial().0));
        }
        // RFC 7314 section 2: in answers to SOA, AXFR and IXFR; of a primary it is the SOA's own field.
        let is_about_zone = matches!(question.rr_type, RrType::SOA | RrType::AXFR | RrType::IXFR);
        if self.wishes.expire && is_about_zone && zone.apex() == question.name {
            self.expire = Some(zone.expire());
        }
    }
}

/// Writes the response, unless the answer was given too often.
pub(super) fn respond(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &Arc<Snapshot>,
    echo: &Echo<'_>,
    answered: (&Answer<'_>, Source),
    now: Now,
    out: &mut [u8],
) -> Begin {
    let (answer, source) = answered;
    let counted = (answer, source, echo.question);
    let (answer, truncated) = match limit::outgo(local, packet, snapshot, counted, echo.cookie, now) {
        Outgo::Whole => {
            let (length, event) = write(local, packet, snapshot, echo, answered, out);
            return Begin::Done { length, event };
        }
        Outgo::Silent => return Begin::Silent(event(Source::Dropped, answer.rcode, echo.question)),
        Outgo::BadCookie => (Answer::empty(Rcode::BADCOOKIE), false),
        Outgo::Truncated => {
            (Answer { authoritative: answer.authoritative, ..Answer::empty(answer.rcode) }, true)
        }
    };
    let mut head = head(local, packet, snapshot, echo);
    head.flags = head.flags.set_if(Flags::TC, truncated);
    let written = local.writer.write(head, &answer, out);
    let mut event = event(Source::Dropped, answer.rcode, echo.question);
    (event.flags, event.octets) = (written.flags.0, written.octets as u32);
    Begin::Done { length: written.octets, event }
}

/// Writes the response into `out`; returns its octets and what to write down.
pub(super) fn write(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &Arc<Snapshot>,
    echo: &Echo<'_>,
    (answer, source): (&Answer<'_>, Source),
    out: &mut [u8],
) -> (usize, Event) {
    let head = head(local, packet, snapshot, echo);
    let written = local.writer.write(head, answer, out);
    let mut event = event(source, answer.rcode, echo.question);
    (event.flags, event.octets) = (written.flags.0, written.octets as u32);
    event.extended_error = answer.extended_error.as_ref().map(|error| error.code);
    if source == Source::FailureCache {
        let id = answer.extended_error.as_ref().and_then(told_id);
        event.recursion = id.map(|id| Box::new(RecursionFacts { id: Some(id), ..RecursionFacts::default() }));
    }
    (written.octets, event)
}

/// Answers a request that is no query: the code it deserves, and nothing else (RFC 8906 3.1).
pub(super) fn unusual(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &Arc<Snapshot>,
    unusual: &Unusual<'_>,
    now: Now,
    out: &mut [u8],
) -> Begin {
    let Unusual { header, question, edns, wishes, problem } = *unusual;
    let echo = Echo::new(header, question, edns, wishes).with_cookie(packet, snapshot, now);
    let source = match problem {
        Problem::Malformed | Problem::EdnsVersion => Source::Malformed,
        Problem::CookieOnly => Source::Local,
        Problem::Opcode(_) | Problem::UnknownKey(_) => Source::Refused,
    };
    let answer = Answer::empty(rcode_of(problem, echo.cookie));
    match (problem, respond(local, packet, snapshot, &echo, (&answer, source), now, out)) {
        (Problem::UnknownKey(at), Begin::Done { length, mut event }) => {
            let limit = limit(packet, snapshot, unusual.edns).min(out.len());
            let (length, flags) = append_bad_key(packet, at, length, Flags(event.flags), &mut out[..limit]);
            (event.octets, event.flags) = (length as u32, flags.0);
            Begin::Done { length, event }
        }
        (_, begun) => begun,
    }
}

/// The response code a problem deserves.
fn rcode_of(problem: Problem, cookie: Cookie) -> Rcode {
    match problem {
        Problem::Malformed => Rcode::FORMERR,
        // RFC 7873 5.4; to a server without cookies it is a query without a question.
        Problem::CookieOnly => match cookie {
            Cookie::Absent => Rcode::FORMERR,
            Cookie::Invalid => Rcode::BADCOOKIE,
            Cookie::ClientOnly | Cookie::Valid => Rcode::NOERROR,
        },
        // RFC 2136 3.3 and RFC 1996 3.11 as peers read them: nobody may update here, and no zone has a primary elsewhere.
        Problem::Opcode(Opcode::UPDATE) => Rcode::REFUSED,
        Problem::Opcode(Opcode::NOTIFY) => Rcode::NOTAUTH,
        Problem::Opcode(_) => Rcode::NOTIMP,
        Problem::EdnsVersion => Rcode::BADVERS,
        // RFC 8945 5.2.1.
        Problem::UnknownKey(_) => Rcode::NOTAUTH,
    }
}

/// The head of the response to a request.
pub(super) fn head<'h>(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &'h Snapshot,
    echo: &Echo<'h>,
) -> ResponseHead<'h> {
    let options = &snapshot.options;
    // RA says what this client may have, not what the server could do (RFC 1035 4.1.1).
    let recursion = snapshot.recursion.is_some() && snapshot.access.recursion.admits(packet.client.ip());
    let echoed = Flags(Flags::RD.0 | Flags::CD.0 | 0x7800);
    // RFC 6840 5.7: who sets AD, or DO, understands AD.
    let knows_ad = echo.header.flags.has(Flags::AD) || echo.edns.is_some_and(|edns| edns.dnssec_ok);
    ResponseHead {
        id: echo.header.id,
        flags: echo.header.flags.only(echoed).set_if(Flags::RA, recursion).set_if(Flags::AD, knows_ad),
        question: echo.question,
        opt: echo.edns.map(|edns| OptToWrite {
            udp_payload_size: options.udp_payload_size,
            dnssec_ok: edns.dnssec_ok,
            nsid: options.identity.nsid().filter(|_| echo.wishes.nsid),
            cookie: echo.cookie_to_send,
            expire: echo.expire,
            zone_version: echo.zone_version,
            extended_error: None,
        }),
        extended_errors: options.extended_errors,
        limit: limit(packet, snapshot, echo.edns),
        order: order(local, options.rrset_order),
    }
}

/// The most octets of a response through this door to a client that takes so many.
fn limit(packet: &Packet<'_>, snapshot: &Snapshot, edns: Option<Edns>) -> usize {
    match (packet.transport, edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, None) => PLAIN_UDP_OCTETS,
        (Transport::Udp, Some(edns)) => {
            let offered = snapshot.options.udp_payload_size.max(PLAIN_UDP_OCTETS as u16);
            usize::from(edns.udp_payload_size.min(offered))
        }
    }
}

fn order(local: &mut Local, wanted: RrsetOrder) -> RecordOrder {
    match wanted {
        RrsetOrder::Fixed => RecordOrder::Fixed,
        RrsetOrder::Rotate => {
            local.rotation = local.rotation.wrapping_add(1);
            RecordOrder::Rotated(local.rotation)
        }
        RrsetOrder::Random => RecordOrder::Shuffled(local.random.draw()),
    }
}

/// What validation has said, in the words of the notebook; nothing when it was not asked.
pub(super) fn word_of(security: cache::Security) -> Option<observe::Security> {
    match security {
        cache::Security::Unchecked => None,
        cache::Security::Indeterminate => Some(observe::Security::Indeterminate),
        cache::Security::Insecure => Some(observe::Security::Insecure),
        cache::Security::Secure => Some(observe::Security::Secure),
        cache::Security::Bogus => Some(observe::Security::Bogus),
    }
}

/// An event as far as it is known before anything is written.
pub(super) fn event(source: Source, rcode: Rcode, question: Option<QuestionRef<'_>>) -> Event {
    Event {
        source,
        rcode,
        question: question.map(|question| QuestionPlace {
            name_octets: question.name.octet_count() as u8,
            rr_type: question.rr_type,
            class: question.class,
        }),
        flags: 0,
        octets: 0,
        security: None,
        extended_error: None,
        recursion: None,
        transfer: None,
    }
}

/// RFC 8945 5.2.1: the response to a request signed with an unknown key has a TSIG record of its own, which says so.
/// `out` is no longer than the response may be.
fn append_bad_key(
    packet: &Packet<'_>,
    at: usize,
    length: usize,
    flags: Flags,
    out: &mut [u8],
) -> (usize, Flags) {
    let mut record = Vec::new();
    match TsigRecord::read(packet.octets, at) {
        Ok(tsig) => tsig.write_bad_key(&mut record),
        Err(_) => return (length, flags),
    }
    let end = length + record.len();
    let Some(room) = out.get_mut(length..end) else {
        // RFC 8945 5.3: what has no room for its TSIG record is truncated.
        let flags = flags.set_if(Flags::TC, true);
        out[2..4].copy_from_slice(&flags.0.to_be_bytes());
        return (length, flags);
    };
    room.copy_from_slice(&record);
    let additional = 1 + u16::from_be_bytes([out[10], out[11]]);
    out[10..HEADER_OCTETS].copy_from_slice(&additional.to_be_bytes());
    (end, flags)
}
