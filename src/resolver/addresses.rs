//! Addresses of name servers that came without glue, looked for one at a time and not for ever (NXNSAttack).

use std::sync::Arc;

use super::choose::Candidates;
use super::delegation::addresses_of;
use super::{Limit, Task};
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
    let Some((name, rr_type)) = candidates.wanted.pop_front() else { return Ok(false) };
    candidates.sought += 1;
    match task.child(Question::new(name.clone(), rr_type)).await {
        Ok(resolution) => {
            if resolution.rcode == Rcode::NXDOMAIN {
                // There is no point in asking for the other type, and soon none in asking for further names.
                task.budget().child_denied()?;
                return Ok(true);
            }
            let found = resolution.answer.iter().flat_map(|rrset| addresses_of(rrset));
            let found: Vec<_> = found.take(limits::NAME_SERVER_ADDRESSES).collect();
            for address in &found {
                candidates.add(*address, delegation, task);
            }
            // The second family comes next when the name has none of the first, else behind the other names: for when
            // what was found does not help.
            let is_first = task.address_types().next() == Some(rr_type);
            match task.address_types().nth(1).filter(|_| is_first) {
                Some(other) if found.is_empty() => candidates.wanted.push_front((name, other)),
                Some(other) => candidates.wanted.push_back((name, other)),
                None => {}
            }
            Ok(true)
        }
        // The trouble of this name server alone; what all share and is spent, the next packet will tell.
        // The other type would be asked of the same servers, so it is not.
        Err(failure) => {
            if candidates.cause.is_none() || failure.is_of_asker() {
                candidates.cause = Some(Arc::new(failure));
            }
            Ok(true)
        }
    }
}
