//! The root's servers: from hints that may be old, by asking one of them for the present list (RFC 9609).

use crate::cache::{Delegation, LearntFrom, NewDelegation};
use crate::clock::Age;
use crate::dns::{Name, Question, RrType};

use super::delegation::Referral;
use super::reply::Reply;
use super::{Failure, Task};

/// The delegation of the root when none is cached: the hints for the priming query itself, for all else what that
/// query learns. When it fails the hints will do (RFC 9609 3.3 asks for no more than trying).
pub async fn root(question: &Question, task: &Task) -> Result<Delegation, Failure> {
    if is_priming(question) || !task.options().priming {
        return Ok(from_hints(task));
    }
    // Its failure is no reason to give up; what it has learnt is in the cache.
    let _ = task.child(Question::new(Name::root(), RrType::NS)).await;
    let learnt = task.cache().closest_delegation(Name::root().as_ref(), task.now());
    Ok(learnt.map_or_else(|| from_hints(task), |delegation| (*delegation).clone()))
}

/// Whether this is the priming query (RFC 9609 3).
pub fn is_priming(question: &Question) -> bool {
    question.name.as_ref().is_root() && question.rr_type == RrType::NS
}

/// The root's delegation in the reply to a priming query: its NS RRset stands in the answer section.
pub fn read(reply: &Reply) -> Option<NewDelegation> {
    let is_root_ns =
        |rrset: &&crate::dns::Rrset| rrset.rr_type == RrType::NS && rrset.owner.as_ref().is_root();
    let ns = reply.answer.iter().find(is_root_ns)?;
    let Referral { apex, servers, .. } = Referral::read(ns, &reply.additional)?;
    // As long as the answer to this query, so that neither is there without the other.
    let ttl = ns.ttl;
    // Names without addresses would leave nothing to ask: then the hints are better.
    let has_address = servers.iter().any(|server| !server.addresses.is_empty());
    has_address.then_some(NewDelegation { apex, servers, ttl, learnt_from: LearntFrom::ROOT })
}

fn from_hints(task: &Task) -> Delegation {
    Delegation { apex: Name::root(), servers: task.hints().servers.clone(), expires: Age(u64::MAX) }
}
