//! Which engine answers, and the order in which things apply to a query: one list, here.

use std::sync::Arc;

use super::{Packet, Snapshot, transfer, waiting};
use crate::authority::{self, Verdict};
use crate::clock::Now;
use crate::dns::{Answer, ErrorCode, ExtendedError, Rcode, RrClass, RrType};
use crate::observe::{Source, Transport};
use crate::policy::Cookie;
use crate::transfer::Place;
use crate::wire::{Flags, Query};

/// Where a query goes.
// As with the verdict of the authority: a box would be the one allocation of a hit.
#[allow(clippy::large_enum_variant)]
pub(super) enum Route<'a> {
    /// Answered, and by what.
    Answered(Answer<'a>, Source),
    /// A zone transfer, for which there is room.
    Transfer(Place),
    /// To the resolver, which has to ask others; there is room to wait.
    Recurse(waiting::Place),
}

/// The list: class, meta-types, transfers, who may ask, zones served here, special names, the cache, recursion.
pub(super) fn route<'a>(
    snapshot: &'a Arc<Snapshot>,
    query: &Query<'a>,
    packet: &Packet<'_>,
    now: Now,
) -> Route<'a> {
    let question = query.question;
    let client = packet.client.ip();
    let is_transfer = matches!(question.rr_type, RrType::AXFR | RrType::IXFR);
    match (question.class, question.rr_type) {
        // Meta-types that stand in the additional section only are no QTYPE (RFC 6895 3.1).
        (RrClass::IN, RrType::OPT | RrType::TSIG | RrType::TKEY) => {
            return Route::Answered(Answer::empty(Rcode::FORMERR), Source::Malformed);
        }
        // Who may have a zone is a list of its own.
        (RrClass::IN, _) if is_transfer => return transfer::route(snapshot, query, packet),
        (RrClass::IN | RrClass::CH, _) if !snapshot.access.query.admits(client) => {
            return refuse(ErrorCode::PROHIBITED, "queries from this address are not allowed");
        }
        (RrClass::IN, _) => {}
        (RrClass::CH, _) if !is_transfer => {
            let answer = snapshot.options.identity.answer(question);
            return answer.map_or_else(refuse_class, |answer| Route::Answered(answer, Source::Local));
        }
        _ => return refuse_class(),
    }
    let dnssec_ok = query.edns.is_some_and(|edns| edns.dnssec_ok);
    match authority::answer(&snapshot.zones, question, dnssec_ok) {
        Verdict::Answer(answer) => return Route::Answered(answer, Source::Authoritative),
        Verdict::ZoneUnavailable => return unavailable(),
        Verdict::NotOurs => {}
    }
    let Some(recursion) = &snapshot.recursion else {
        return refuse(ErrorCode::NOT_AUTHORITATIVE, "the name is in no zone served here");
    };
    let wants_recursion = query.header.flags.has(Flags::RD);
    let may_recurse = snapshot.access.recursion.admits(client);
    // RFC 6761 and others: for those we resolve for, these names never leave the house.
    let special = snapshot.options.special_names.as_ref().filter(|_| may_recurse);
    if let Some(zones) = special.and_then(|names| names.zones_for(question))
        && let Verdict::Answer(answer) = authority::answer(zones, question, dnssec_ok)
    {
        return Route::Answered(answer, Source::Local);
    }
    let cached = match may_recurse && wants_recursion {
        true => recursion.cached(question, now),
        false if snapshot.access.cache_only.admits(client) => recursion.only_cached(question, now),
        false => None,
    };
    if let Some(cached) = cached {
        return Route::Answered(cached.answer, cached.source);
    }
    match (wants_recursion, may_recurse) {
        (true, true) => wait(snapshot, query, packet, now),
        (true, false) => refuse(ErrorCode::PROHIBITED, "recursion for this address is not allowed"),
        (false, _) => refuse(ErrorCode::NOT_AUTHORITATIVE, "the name is in no zone served here"),
    }
}

/// A place to wait for the resolver. Without one, this client's network holds up enough already (CVE-2024-33655).
fn wait<'a>(snapshot: &Arc<Snapshot>, query: &Query<'_>, packet: &Packet<'_>, now: Now) -> Route<'a> {
    let client = packet.client.ip();
    let has_cookie = || {
        let secrets = snapshot.options.cookies.as_ref();
        secrets.is_some_and(|own| own.check(query.wishes.cookie, client, now.unix).0 == Cookie::Valid)
    };
    let is_proven = packet.transport != Transport::Udp || has_cookie();
    match snapshot.options.waiting.take(client, is_proven, now.tick) {
        Some(place) => Route::Recurse(place),
        None => {
            let error = ExtendedError::new(ErrorCode::OTHER, "too many questions of your network wait");
            Route::Answered(Answer::failure(Rcode::SERVFAIL, error), Source::Refused)
        }
    }
}

pub(super) fn unavailable<'a>() -> Route<'a> {
    let error = ExtendedError::new(ErrorCode::NOT_READY, "the zone could not be loaded");
    Route::Answered(Answer::failure(Rcode::SERVFAIL, error), Source::Authoritative)
}

fn refuse_class<'a>() -> Route<'a> {
    refuse(ErrorCode::NOT_SUPPORTED, "only class IN is served")
}

pub(super) fn refuse<'a>(code: ErrorCode, text: &'static str) -> Route<'a> {
    Route::Answered(Answer::failure(Rcode::REFUSED, ExtendedError::new(code, text)), Source::Refused)
}
