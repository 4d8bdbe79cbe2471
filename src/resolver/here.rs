//! What stands here: zones served by this server, as an argument of the resolver.

use std::sync::Arc;

use super::classify::End;
use super::delegation::Referral;
use super::resolve::{Leg, Origin, alias_target};
use super::{Failure, Task, Upstreams};
use crate::cache::Delegation;
use crate::clock::Age;
use crate::dns::{Name, NameRef, Question, QuestionRef, Rcode, RrType, Rrset, SharedRrset};
use crate::observe::Step;

/// What is known here without asking anybody. `service` implements it over what it serves.
pub trait Here: Send + Sync {
    /// What stands here about a question; none when others are to be asked. A zone whose apex has fewer labels than
    /// `least` has no say: somebody else was named for a name further down.
    fn answer(&self, question: QuestionRef<'_>, least: usize) -> Option<Said>;

    /// How many labels of a name are the apex of the zone here that it belongs to.
    fn depth(&self, name: NameRef<'_>) -> Option<usize>;
}

/// What a zone served here says.
#[derive(Debug, Clone)]
pub enum Said {
    /// An answer or a referral, as an authoritative server gives it.
    Answer {
        /// The response code.
        rcode: Rcode,
        /// Whether it is authoritative for those who ask this server.
        authoritative: bool,
        /// Aliases in the order they were followed, then data.
        answer: Vec<SharedRrset>,
        /// An SOA RRset, or the NS RRset of a zone cut.
        authority: Vec<SharedRrset>,
        /// With a referral: glue.
        additional: Vec<Rrset>,
    },
    /// The zone of this name could not be loaded.
    Unavailable(Name),
}

/// What a question comes to here.
pub(super) enum Local {
    /// To this part of the answer.
    Leg(Leg),
    /// To a zone that is delegated from here.
    Cut(Delegation),
}

/// Whether anything stands here about a question, so that nobody else is asked and the cache is not either.
pub fn stands_here(here: &dyn Here, upstreams: &Upstreams, question: QuestionRef<'_>) -> bool {
    said(here, upstreams, question).is_some()
}

fn said(here: &dyn Here, upstreams: &Upstreams, question: QuestionRef<'_>) -> Option<Said> {
    let upstream = upstreams.find_for(question);
    let least = upstream.map_or(0, |zone| zone.apex.as_ref().label_count());
    here.answer(question, least)
}

/// What stands here about a question, if anything does.
pub(super) fn look(question: &Question, task: &Task) -> Result<Option<Local>, Failure> {
    let Some(here) = task.here() else { return Ok(None) };
    let said = said(here, task.upstreams(), question.as_ref());
    let (rcode, authoritative, answer, authority, additional) = match said {
        None => return Ok(None),
        Some(Said::Unavailable(apex)) => return Err(Failure::NotLoaded(apex)),
        Some(Said::Answer { rcode, authoritative, answer, authority, additional }) => {
            (rcode, authoritative, answer, authority, additional)
        }
    };
    let cut = authority.first().filter(|rrset| rrset.rr_type == RrType::NS);
    if let Some(ns) = cut.filter(|_| answer.is_empty()) {
        // One that names no server is as good as one whose servers are silent.
        let Some(referral) = Referral::read(ns, &additional) else {
            return Err(Failure::NoAnswer { zone: ns.owner.clone(), tried: Arc::new([]), cause: None });
        };
        task.step(Step::Here(question.clone()));
        let Referral { apex, servers, .. } = referral;
        return Ok(Some(Local::Cut(Delegation { apex, servers, expires: Age(u64::MAX) })));
    }
    task.step(Step::Here(question.clone()));
    let has_soa = authority.iter().any(|rrset| rrset.rr_type == RrType::SOA);
    let is_alias = |rrset: &&SharedRrset| {
        rrset.rr_type == RrType::CNAME && !matches!(question.rr_type, RrType::CNAME | RrType::ANY)
    };
    let open = answer.last().filter(is_alias).filter(|_| !has_soa).and_then(|rrset| alias_target(rrset));
    let end = match (rcode, open) {
        (Rcode::YXDOMAIN, _) => End::Overlong,
        (Rcode::NXDOMAIN, _) => End::NxDomain,
        (_, Some(target)) => End::Alias(target),
        _ if has_soa || answer.is_empty() => End::NoData,
        _ => End::Data,
    };
    let aliases = answer.iter().filter(is_alias);
    let aliases = aliases.filter_map(|rrset| Some((rrset.owner.clone(), alias_target(rrset)?))).collect();
    let authority = if matches!(end, End::NoData | End::NxDomain) { authority } else { Vec::new() };
    let (question, origin) = (question.clone(), Origin::Here { authoritative });
    Ok(Some(Local::Leg(Leg { question, answer, authority, aliases, end, origin })))
}

/// Takes out of a scrubbed answer what others than the servers of `zone` were named for: what stands here, and what lies
/// in a forward or stub zone further down. The aliases that lead there are followed by asking those.
pub(super) fn leave_to_others(answer: &mut Vec<Rrset>, question: &Question, zone: NameRef<'_>, task: &Task) {
    let labels = zone.label_count();
    let is_elsewhere = |owner: NameRef<'_>| {
        let upstream = task.upstreams().find(owner).map(|zone| zone.apex.as_ref().label_count());
        let here = task.here().and_then(|here| here.depth(owner));
        upstream.max(here).is_some_and(|depth| depth > labels)
    };
    answer.retain(|rrset| rrset.owner == question.name || !is_elsewhere(rrset.owner.as_ref()));
}
