//! Addresses of name servers that came without glue, looked for one at a time and not for ever (NXNSAttack).

use std::net::IpAddr;
use std::sync::Arc;

use super::choose::Candidates;
use super::delegation::addresses_of;
use super::iterate::{self, Known};
use super::{Failure, Limit, Task};
use crate::cache::Delegation;
use crate::dns::{Question, Rcode};
use crate::limits;

/// Looks for the addresses of the next name server. Says whether there was one to look for; what it found is among
/// the candidates. The error is one that ends the whole query.
pub async fn find_more(
    candidates: &mut Candidates,
    delegation: &Delegation,
    task: &Task,
) -> Result<bool, Limit> {
    if candidates.sought >= limits::CHILDREN_PER_DELEGATION {
        return Ok(false);
    }
    let (wanted, is_orphan) = match candidates.wanted.pop_front() {
        Some(wanted) => (wanted, false),
        None => match candidates.orphans.pop_front() {
            Some(wanted) => (wanted, true),
            None => return Ok(false),
        },
    };
    let (name, rr_type) = wanted;
    candidates.sought += 1;
    let question = Question::new(name.clone(), rr_type);
    let sought = match is_orphan {
        false => of_child(question, task).await?,
        true => of_parent(&question, delegation, task).await,
    };
    match sought {
        Ok(None) => {}
        Ok(Some(found)) => {
            for address in found.iter().take(limits::NAME_SERVER_ADDRESSES) {
                candidates.add(*address, delegation, task);
            }
            // The second family comes next when the name has none of the first, else behind the other names: for when
            // what was found does not help.
            let is_first = task.address_types().next() == Some(rr_type) && !is_orphan;
            match task.address_types().nth(1).filter(|_| is_first) {
                Some(other) if found.is_empty() => candidates.wanted.push_front((name, other)),
                Some(other) => candidates.wanted.push_back((name, other)),
                None => {}
            }
        }
        // The trouble of this name server alone; what all share and is spent, the next packet will tell.
        // The other type would be asked of the same servers, so it is not.
        Err(failure) => {
            if candidates.cause.is_none() || failure.is_of_asker() {
                candidates.cause = Some(Arc::new(failure));
            }
        }
    }
    Ok(true)
}

/// None for a name that does not exist: there is no point in asking for the other type, and soon none in asking for
/// further names.
async fn of_child(question: Question, task: &Task) -> Result<Result<Option<Vec<IpAddr>>, Failure>, Limit> {
    Ok(match task.child(question).await {
        Ok(resolution) if resolution.rcode == Rcode::NXDOMAIN => {
            task.budget().child_denied()?;
            Ok(None)
        }
        Ok(resolution) => Ok(Some(resolution.answer.iter().flat_map(|rrset| addresses_of(rrset)).collect())),
        Err(failure) => Err(failure),
    })
}

async fn of_parent(
    question: &Question,
    delegation: &Delegation,
    task: &Task,
) -> Result<Option<Vec<IpAddr>>, Failure> {
    let mut question = question.clone();
    // RFC 2181 10.3 forbids aliases here, to those who write the zone. One is followed.
    for _ in 0..2 {
        task.budget().child()?;
        match iterate::ask_parent(&question, delegation, task).await? {
            Known::Addresses(found) => return Ok(Some(found)),
            Known::Alias(target) => question.name = target,
        }
    }
    Ok(Some(vec![]))
}
