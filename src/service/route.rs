//! Which engine answers, and the order in which things apply to a query: one list, here.

use std::sync::Arc;

use super::recurse::{dns64_for, guarded, is_guarded, is_of_zone};
use super::{Packet, Snapshot, transfer, waiting};
use crate::authority::{self, Verdict};
use crate::cache::Security;
use crate::clock::Now;
use crate::dns::{Answer, ErrorCode, ExtendedError, NameRef, QuestionRef, Rcode, RrClass, RrType};
use crate::observe::{Source, Transport};
use crate::policy::{Cookie, Ground};
use crate::recursion::{Cached, Recursion};
use crate::transfer::Place;
use crate::wire::{Flags, Query};
use crate::zone::ZoneTable;

/// Where a query goes.
// As with the verdict of the authority: a box would be the one allocation of a hit.
#[allow(clippy::large_enum_variant)]
pub(super) enum Route<'a> {
    /// Answered, and by what.
    Answered(Answer<'a>, Source),
    /// The same, with what validation has said.
    Judged(Answer<'a>, Source, Security),
    /// Answered by the cache.
    Cached(Cached),
    /// A zone transfer, for which there is room.
    Transfer(Place),
    /// To the resolver, which has to ask others; there is room to wait.
    Recurse(waiting::Place),
}

/// The list: class, meta-types, transfers, who may ask, overlays, zones served here, special names, the cache, recursion.
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
    let asker = Asker::of(snapshot, query, client);
    if let Some(route) = here(snapshot, query, packet, &asker, now) {
        return route;
    }
    let Some(recursion) = &snapshot.recursion else {
        return refuse(ErrorCode::NOT_AUTHORITATIVE, "the name is in no zone served here");
    };
    let prefix = asker.recurses.then(|| dns64_for(snapshot, query)).flatten();
    if prefix.is_some() && question.rr_type == RrType::PTR {
        return wait(snapshot, query, packet, now);
    }
    // RFC 6761 and others: for those we resolve for, these names never leave the house.
    if asker.may_recurse
        && let Some(zones) = special(snapshot, question)
        && let Verdict::Answer(answer) = authority::answer(zones, question, asker.dnssec_ok)
    {
        return match prefix.is_some_and(|prefix| prefix.is_wanting(&answer)) {
            true => wait(snapshot, query, packet, now),
            false => Route::Answered(answer, Source::Local),
        };
    }
    // What the resolver finds in a zone that clients do not see is not in the cache.
    let is_for_resolver = snapshot.options.visibility.hides_from_clients()
        && is_of_zone(snapshot.zones_for_resolver(), question.name);
    let wants = recursion.wants(asker.dnssec_ok, asker.checking_disabled);
    let may_see_cache = asker.recurses || snapshot.access.cache_only.admits(client);
    let cached = match asker.recurses {
        _ if is_for_resolver => None,
        true => recursion.cached(question, wants, now),
        false if may_see_cache => recursion.only_cached(question, wants, now),
        false => None,
    };
    if let Some(cached) = cached {
        if let Some(answer) = recursion.sentinel(question, wants, cached.security) {
            return Route::Judged(answer, cached.source, cached.security);
        }
        if prefix.is_some_and(|prefix| prefix.is_wanting(&cached.to_answer())) {
            return wait(snapshot, query, packet, now);
        }
        return match is_guarded(snapshot, &cached) {
            true => match guarded(snapshot, question.name, &cached.to_answer()) {
                Some(answer) => Route::Judged(answer, cached.source, cached.security),
                None => Route::Cached(cached),
            },
            false => Route::Cached(cached),
        };
    }
    let is_root_ns = question.name.is_root() && question.rr_type == RrType::NS;
    match (asker.wants_recursion, asker.may_recurse) {
        (true, true) => wait(snapshot, query, packet, now),
        (true, false) => refuse(ErrorCode::PROHIBITED, "recursion for this address is not allowed"),
        // RFC 1034 4.3.1: without recursion the best that is known is where to ask. Where the root is, is no secret.
        (false, may_recurse) if may_see_cache || is_root_ns && may_recurse => {
            Route::Answered(recursion.referral(question, now), Source::Cache)
        }
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

/// What the one who asks may have.
struct Asker {
    dnssec_ok: bool,
    checking_disabled: bool,
    wants_recursion: bool,
    may_recurse: bool,
    /// Both.
    recurses: bool,
}

impl Asker {
    fn of(snapshot: &Snapshot, query: &Query<'_>, client: std::net::IpAddr) -> Asker {
        let wants_recursion = query.header.flags.has(Flags::RD);
        let may_recurse = snapshot.recursion.is_some() && snapshot.access.recursion.admits(client);
        let recurses = wants_recursion && may_recurse;
        let dnssec_ok = query.edns.is_some_and(|edns| edns.dnssec_ok);
        let checking_disabled = query.header.flags.has(Flags::CD);
        Asker { dnssec_ok, checking_disabled, wants_recursion, may_recurse, recurses }
    }
}

/// From overlays and zones; none when the name is not in any that the client sees.
fn here<'a>(
    snapshot: &'a Arc<Snapshot>,
    query: &Query<'a>,
    packet: &Packet<'_>,
    asker: &Asker,
    now: Now,
) -> Option<Route<'a>> {
    let question = query.question;
    if let Some((mut answer, ground)) = snapshot.options.overlays.answer(question, asker.may_recurse) {
        let source = if ground == Ground::Zone { Source::Authoritative } else { Source::Local };
        answer.authoritative = ground == Ground::Zone;
        let is_alias = answer.answer.iter().all(|rrset| rrset.rrset().rr_type == RrType::CNAME);
        let is_whole = !is_alias || matches!(question.rr_type, RrType::CNAME | RrType::ANY);
        return Some(match asker.recurses && !is_whole {
            true => wait(snapshot, query, packet, now),
            false => Route::Answered(answer, source),
        });
    }
    let zones = snapshot.zones_for_clients();
    if asker.recurses && is_for_upstream(snapshot, question) {
        return None;
    }
    match authority::answer(zones, question, asker.dnssec_ok) {
        Verdict::Answer(answer) if asker.recurses && is_open(snapshot, question, &answer) => {
            // An alias is never remembered with what it leads to, but a failure is.
            let known = |recursion: &Arc<Recursion>| {
                let wants = recursion.wants(asker.dnssec_ok, asker.checking_disabled);
                recursion.only_cached(question, wants, now)
            };
            let failed = snapshot.recursion.as_ref().and_then(known);
            let failed = failed.filter(|cached| cached.source == Source::FailureCache);
            Some(match failed {
                Some(cached) => Route::Cached(cached),
                None => wait(snapshot, query, packet, now),
            })
        }
        Verdict::Answer(answer) => Some(Route::Answered(answer, Source::Authoritative)),
        Verdict::ZoneUnavailable => Some(unavailable()),
        Verdict::NotOurs => None,
    }
}

/// Whether a forward or stub zone is nearer to the name than any zone served here.
fn is_for_upstream(snapshot: &Snapshot, question: QuestionRef<'_>) -> bool {
    let upstream = snapshot.recursion.as_ref().and_then(|recursion| recursion.upstreams().find_for(question));
    upstream.is_some_and(|upstream| {
        let entry = authority::zone_for(snapshot.zones_for_clients(), question);
        entry.is_none_or(|entry| entry.apex().label_count() < upstream.apex.as_ref().label_count())
    })
}

/// Whether the answer of a zone ends where the resolver goes on: with a referral, or an alias of a name that is in no
/// zone here.
fn is_open(snapshot: &Snapshot, question: QuestionRef<'_>, answer: &Answer<'_>) -> bool {
    let is_referral = answer.authority.iter().next().is_some_and(|rrset| rrset.rrset().rr_type == RrType::NS);
    let leads_away = || {
        let last = answer.answer.iter().last()?.rrset();
        let is_alias =
            last.rr_type == RrType::CNAME && !matches!(question.rr_type, RrType::CNAME | RrType::ANY);
        let has_soa = answer.authority.iter().any(|rrset| rrset.rrset().rr_type == RrType::SOA);
        let target = NameRef::from_wire(last.records.first()?).ok()?;
        Some(is_alias && !has_soa && snapshot.zones_for_clients().find(target).is_none())
    };
    (is_referral || leads_away() == Some(true))
        && authority::zone_for(snapshot.zones_for_resolver(), question).is_some()
}

/// The zones of special names to answer a question from. What the operator set up for a name comes before them: a forward
/// or stub zone, or a zone that only the resolver sees.
pub(super) fn special<'a>(snapshot: &'a Snapshot, question: QuestionRef<'_>) -> Option<&'a ZoneTable> {
    let zones = snapshot.special_zones(question)?;
    let labels = zones.find(question.name)?.apex().label_count();
    let upstream = snapshot.recursion.as_ref().and_then(|recursion| recursion.upstreams().find_for(question));
    let is_upstreams = upstream.is_some_and(|zone| zone.apex.as_ref().label_count() >= labels);
    let served = snapshot.zones_for_resolver().find(question.name);
    let is_served = served.is_some_and(|entry| entry.apex().label_count() >= labels);
    (!is_upstreams && !is_served).then_some(zones)
}

pub(super) fn unavailable<'a>() -> Route<'a> {
    let error =
        ExtendedError::new(ErrorCode::NOT_READY, "the zone could not be loaded; `namu zone list` says why");
    Route::Answered(Answer::failure(Rcode::SERVFAIL, error), Source::Authoritative)
}

fn refuse_class<'a>() -> Route<'a> {
    refuse(ErrorCode::NOT_SUPPORTED, "only class IN is served")
}

pub(super) fn refuse<'a>(code: ErrorCode, text: &'static str) -> Route<'a> {
    Route::Answered(Answer::failure(Rcode::REFUSED, ExtendedError::new(code, text)), Source::Refused)
}
