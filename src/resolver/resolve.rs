//! resolve: from a question to its answer, over as many zones and aliases as it takes.

use std::net::SocketAddr;
use std::sync::Arc;

use super::classify::End;
use super::forward;
use super::here::{self, Local};
use super::iterate::Iterated;
use super::known;
use super::{Failure, Task};
use crate::cache::{Cache, CachedAnswer, Credibility, Kind, Lookup, NewRrset, Proven, Security};
use crate::clock::Now;
use crate::dns::{ExtendedError, Name, NameRef, Question, Rcode, RrType, Rrset, SharedRrset, Ttl};
use crate::observe::Step;

/// The answer to a question. TTLs are those of the moment it was made.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The response code.
    pub rcode: Rcode,
    /// What sort of answer, none for one that is not remembered.
    pub kind: Option<Kind>,
    /// The answer begins in a zone served here (RFC 1034 4.3.2: AA speaks of the first owner).
    pub authoritative: bool,
    /// Aliases in the order they were followed, then data.
    pub answer: Vec<SharedRrset>,
    /// With a denial: its SOA RRset, if the server gave one. NSEC and NSEC3 RRsets, as far as they are needed to prove
    /// what was found.
    pub authority: Vec<SharedRrset>,
    /// RRsets that came from the network, each with the zone it came from.
    pub learnt: Vec<NewRrset>,
    /// The same by where it came from, for whoever validates it.
    pub legs: Vec<Leg>,
    /// With what is secure: what its proofs say of other names.
    pub proven: Vec<Proven>,
    /// It was made of what was proven before; nobody was asked.
    pub is_synthesised: bool,
    /// What validation has said.
    pub security: Security,
    /// What it has said of the denial at the end alone; none when that is not to be kept for the name that aliases led to.
    pub denial: Option<Security>,
    /// Why it is bogus, or insecure although it is signed.
    pub error: Option<Arc<ExtendedError>>,
}

/// Part of an answer: from one name over the aliases that one source knows.
#[derive(Debug, Clone)]
pub struct Leg {
    /// What was asked of the source.
    pub question: Question,
    /// Aliases in the order they were followed, then data.
    pub answer: Vec<SharedRrset>,
    /// As in [`Resolution::authority`].
    pub authority: Vec<SharedRrset>,
    /// Each alias: from, to.
    pub aliases: Vec<(Name, Name)>,
    /// Where it ends.
    pub end: End,
    /// The source.
    pub origin: Origin,
}

/// Where a leg came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From a server of this zone.
    Network {
        /// The apex of its zone.
        zone: Name,
        /// Which server it was.
        server: Option<SocketAddr>,
        /// It is a forwarder.
        is_forwarded: bool,
        /// AA was set.
        authoritative: bool,
    },
    /// From the cache, with what validation has said of it and why.
    Cache(Security, Option<Arc<ExtendedError>>),
    /// From a zone served here. It changes when the zone does, so no answer it is part of is remembered.
    Here {
        /// For those who ask this server.
        authoritative: bool,
    },
}

/// Answers the task's question.
pub async fn resolve(task: &Task) -> Result<Resolution, Failure> {
    let mut question = task.question.clone();
    let (mut answer, mut authority) = (Vec::<SharedRrset>::new(), Vec::<SharedRrset>::new());
    let (mut learnt, mut legs) = (Vec::new(), Vec::new());
    let mut passed: Vec<Name> = Vec::new();
    let (mut authoritative, mut is_remembered) = (None, true);
    loop {
        let leg = next_leg(&question, task).await?;
        // A DNAME that is passed twice stands in the answer once; no other name can come again.
        add_each_once(&mut answer, &leg.answer);
        add_each_once(&mut authority, &leg.authority);
        for (from, to) in &leg.aliases {
            task.budget().alias()?;
            task.step(Step::Alias(from.clone(), to.clone()));
            passed.push(from.clone());
            if passed.contains(to) {
                return Err(Failure::AliasLoop { name: to.clone(), aliases: answer.into() });
            }
        }
        authoritative.get_or_insert(leg.origin == Origin::Here { authoritative: true });
        is_remembered &= !matches!(leg.origin, Origin::Here { .. });
        learnt.extend(leg.learnt());
        let end = leg.end.clone();
        legs.push(leg);
        let (rcode, kind) = match end {
            End::Alias(target) => {
                if let Some(Leg { origin: Origin::Network { zone, .. }, .. }) = legs.last() {
                    task.was_said(target.clone(), zone.clone());
                }
                question.name = target;
                continue;
            }
            End::Data => (Rcode::NOERROR, Some(Kind::Positive)),
            End::NoData => (Rcode::NOERROR, Some(Kind::NoData)),
            End::NxDomain => (Rcode::NXDOMAIN, Some(Kind::NxDomain)),
            End::Overlong => (Rcode::YXDOMAIN, None),
        };
        task.step(Step::Found(question, rcode));
        let kind = kind.filter(|_| is_remembered);
        let authoritative = authoritative == Some(true);
        let (security, error) = (Security::Unchecked, None);
        return Ok(Resolution {
            rcode,
            kind,
            authoritative,
            answer,
            authority,
            learnt,
            legs,
            proven: Vec::new(),
            is_synthesised: false,
            security,
            denial: Some(security),
            error,
        });
    }
}

fn add_each_once(all: &mut Vec<SharedRrset>, more: &[SharedRrset]) {
    for rrset in more {
        let is_there = |known: &SharedRrset| known.owner == rrset.owner && known.rr_type == rrset.rr_type;
        if !all.iter().any(is_there) {
            all.push(rrset.clone());
        }
    }
}

impl Resolution {
    /// The answer made of what is proven of a zone, and what its alias leads to when it ends at one.
    pub fn synthesised(
        made: &CachedAnswer,
        rest: Option<&Resolution>,
        question: &Question,
        now: Now,
    ) -> Resolution {
        let mut leg = Leg::from_cached(made, question, now);
        let Some(rest) = rest else {
            return Resolution {
                rcode: made.rcode(),
                kind: Some(made.kind),
                authoritative: false,
                answer: leg.answer.clone(),
                authority: leg.authority.clone(),
                learnt: Vec::new(),
                legs: vec![leg],
                proven: Vec::new(),
                is_synthesised: true,
                security: made.security,
                denial: Some(made.security),
                error: None,
            };
        };
        if let Some((_, target)) = leg.aliases.last() {
            leg.end = End::Alias(target.clone());
        }
        let mut whole = Resolution { authoritative: false, ..rest.clone() };
        whole.answer = leg.answer.clone();
        whole.authority = leg.authority.clone();
        add_each_once(&mut whole.answer, &rest.answer);
        add_each_once(&mut whole.authority, &rest.authority);
        whole.legs.insert(0, leg);
        whole
    }
}

/// From a zone served here, else from the cache, else from the network.
async fn next_leg(question: &Question, task: &Task) -> Result<Leg, Failure> {
    let cut = match here::look(question, task)? {
        Some(Local::Leg(leg)) => return Ok(leg),
        Some(Local::Cut(cut)) => Some(cut),
        None => None,
    };
    if !task.is_past_cache
        && let Some((leg, step)) = from_cache(question, task)
    {
        task.step(step);
        return Ok(leg);
    }
    // RFC 9520 3.2: neither a client's question nor one on the way to it is tried again so soon.
    // What did not stand validation is nevertheless what servers say.
    let failure = task.cache().failure(question.as_ref(), task.now());
    if let Some(error) = failure.filter(|error| !error.code.is_of_validation()) {
        task.step(Step::FailedBefore(question.clone(), error.clone()));
        return Err(Failure::Cached(error));
    }
    let iterated = forward::ask_around(question, cut, task).await?;
    Ok(Leg::from_network(question, iterated, task.cache()))
}

/// What the cache knows of a question, or of an alias at its name.
fn from_cache(question: &Question, task: &Task) -> Option<(Leg, Step)> {
    if let Lookup::Fresh(cached) = task.cache().lookup(question.as_ref(), task.now())
        // A denial without SOA came with a referral: enough to validate by, not to answer with.
        && (task.depth > 0 || cached.kind == Kind::Positive || cached.has_soa())
    {
        let step = known::of_answer(task.cache(), question, &cached, task.now());
        return Some((Leg::from_cached(&cached, question, task.now()), step));
    }
    if question.rr_type == RrType::ANY {
        return None;
    }
    let name = question.name.as_ref();
    let leg = |(rrset, security): (SharedRrset, Security), aliases, end| {
        let step = known::of_rrset(task.cache(), question, &rrset, task.now());
        let (question, answer, authority) = (question.clone(), vec![rrset], vec![]);
        (Leg { question, answer, authority, aliases, end, origin: Origin::Cache(security, None) }, step)
    };
    if let Some(data) = task.known(name, question.rr_type) {
        return Some(leg(data, vec![], End::Data));
    }
    // RFC 4035 2.5: beside an alias stand its proof and its signatures.
    let may_be_beside = matches!(question.rr_type, RrType::NSEC | RrType::RRSIG);
    let alias = task.known(name, RrType::CNAME).filter(|_| !may_be_beside)?;
    let target = alias_target(&alias.0)?;
    Some(leg(alias, vec![(question.name.clone(), target.clone())], End::Alias(target)))
}

impl Leg {
    /// TTLs are within the limits of the cache from here on: who asks first is told no more than who asks second.
    fn from_network(question: &Question, iterated: Iterated, cache: &Cache) -> Leg {
        let Iterated { found, zone, is_forwarded } = iterated;
        let within_limits = |mut rrset: Rrset| {
            rrset.ttl = cache.clamp(rrset.ttl);
            Arc::new(rrset)
        };
        let answer: Vec<SharedRrset> = found.rrsets.into_iter().map(within_limits).collect();
        let soa = found.soa.into_iter().map(|soa| with_negative_ttl(soa, cache));
        // RFC 4035 3.1.3.3: beside data they prove that it was rightly made from a wildcard, and else nothing.
        let is_proven = matches!(found.end, End::NoData | End::NxDomain)
            || answer.iter().any(|rrset| rrset.is_expanded_wildcard());
        let proofs = found.proofs.into_iter().filter(|_| is_proven).map(within_limits);
        Leg {
            question: question.clone(),
            authority: soa.chain(proofs).collect(),
            answer,
            aliases: found.aliases,
            end: found.end,
            origin: Origin::Network {
                zone,
                server: found.server,
                is_forwarded,
                authoritative: found.authoritative,
            },
        }
    }

    /// RRsets that came from the network, to be kept by themselves.
    fn learnt(&self) -> Vec<NewRrset> {
        let Origin::Network { zone, is_forwarded, authoritative, .. } = &self.origin else { return vec![] };
        let first = self.answer.first().map(|rrset| &rrset.owner);
        let mut learnt = Vec::new();
        let mut is_behind_dname = false;
        for rrset in &self.answer {
            // What was made from a DNAME or a wildcard is not proven without what it was made from. Lone RRSIG records of
            // one owner cover several types; the shelf would take one for all.
            let is_made = std::mem::replace(&mut is_behind_dname, rrset.rr_type == RrType::DNAME)
                && !rrset.is_signed()
                || rrset.is_expanded_wildcard();
            // And keys are those of a zone only where they answer the question for them (RFC 4035 5.2).
            if matches!(rrset.rr_type, RrType::RRSIG | RrType::DNSKEY) || is_made {
                continue;
            }
            // RFC 2181 5.4.1: what follows an alias is believed less than the answer itself.
            let is_of_name_asked = *authoritative && first == Some(&rrset.owner);
            let credibility = match is_of_name_asked {
                _ if *is_forwarded => Credibility::Forwarded,
                true => Credibility::AnswerAuth,
                false => Credibility::AnswerNonAuth,
            };
            let (rrset, source_zone, security) = (rrset.clone(), zone.clone(), Security::Unchecked);
            learnt.push(NewRrset { rrset, credibility, source_zone, security });
        }
        learnt
    }

    fn from_cached(cached: &CachedAnswer, question: &Question, now: Now) -> Leg {
        let all = |rrsets: &[crate::cache::CachedRrset]| -> Vec<_> {
            rrsets.iter().map(|cached| aged(&cached.rrset, cached.ttl(now))).collect()
        };
        let answer = all(&cached.answer);
        // Who asks for CNAME is answered with one, but for that which was made from a DNAME (RFC 6672 3.2).
        let is_sought = matches!(question.rr_type, RrType::CNAME | RrType::ANY);
        let mut is_behind_dname = false;
        let is_alias = |rrset: &&SharedRrset| {
            let is_made = std::mem::replace(&mut is_behind_dname, rrset.rr_type == RrType::DNAME);
            rrset.rr_type == RrType::CNAME && (is_made || !is_sought)
        };
        let aliases = answer.iter().filter(is_alias);
        let aliases = aliases.filter_map(|rrset| Some((rrset.owner.clone(), alias_target(rrset)?))).collect();
        let end = match cached.kind {
            Kind::Positive => End::Data,
            Kind::NoData => End::NoData,
            Kind::NxDomain => End::NxDomain,
        };
        let origin = Origin::Cache(cached.security, cached.error.clone());
        let (question, authority) = (question.clone(), all(&cached.authority));
        Leg { question, answer, authority, aliases, end, origin }
    }
}

/// The SOA of a denial says how long it holds: no longer than its MINIMUM (RFC 2308 5).
pub(super) fn with_negative_ttl(mut soa: Rrset, cache: &Cache) -> SharedRrset {
    soa.ttl = cache.negative_ttl(&soa).unwrap_or(Ttl::ZERO);
    Arc::new(soa)
}

pub(super) fn alias_target(rrset: &Rrset) -> Option<Name> {
    NameRef::from_wire(rrset.records().first()?).ok().map(NameRef::to_name)
}

/// The RRset with the TTL it has left: what is stored again must not begin to live anew.
pub(super) fn aged(rrset: &SharedRrset, ttl: Ttl) -> SharedRrset {
    if rrset.ttl == ttl {
        return rrset.clone();
    }
    let mut aged = Rrset::clone(rrset);
    aged.ttl = ttl;
    Arc::new(aged)
}
