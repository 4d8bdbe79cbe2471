//! Delegations: which servers a zone has, and until when its parent stands by that.

use std::net::IpAddr;
use std::sync::Arc;

use super::cache::NotCached;
use super::table::Table;
use crate::clock::{Age, Now};
use crate::dns::{Name, NameRef, Ttl};
use crate::limits;

/// The servers of a zone, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The apex of the zone.
    pub apex: Name,
    /// Its name servers.
    pub servers: Box<[NameServer]>,
    /// From this moment on the parent must be asked again.
    pub expires: Age,
}

impl Delegation {
    /// The addresses that came with it for a name server.
    pub fn glue_of(&self, name: &Name) -> &[IpAddr] {
        self.servers.iter().find(|server| server.name == *name).map_or(&[], |server| &server.addresses)
    }
}

/// A name server of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer {
    /// Its name, from the NS record.
    pub name: Name,
    /// Its addresses, as far as glue gave them. They live as long as the delegation, not longer.
    pub addresses: Box<[IpAddr]>,
}

/// A delegation to be stored.
#[derive(Debug, Clone)]
pub struct NewDelegation {
    /// The apex of the zone.
    pub apex: Name,
    /// Its name servers.
    pub servers: Box<[NameServer]>,
    /// The smallest TTL of its NS and glue RRsets, and of the DS RRset that came with them.
    pub ttl: Ttl,
    /// Who says so.
    pub learnt_from: LearntFrom,
}

/// Which side of the zone cut a delegation was learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearntFrom {
    /// A referral by servers that were themselves found through a delegation that expires at this moment; for a
    /// referral by the root servers and for priming that is [`LearntFrom::ROOT`].
    Parent {
        /// When the delegation to the parent expires.
        expires: Age,
    },
    /// The NS RRset at the zone's own apex.
    Apex,
}

impl LearntFrom {
    /// From the root servers, whose own addresses need no delegation.
    pub const ROOT: LearntFrom = LearntFrom::Parent { expires: Age(u64::MAX) };
}

/// The shelf of delegations.
pub(super) struct Delegations {
    table: Table<Name, Arc<Delegation>>,
}

impl Delegations {
    pub(super) fn new() -> Delegations {
        Delegations {
            table: Table::new(
                limits::CACHE_DELEGATIONS,
                limits::CACHE_DELEGATIONS_OCTETS,
                |_, delegation| octets(delegation),
            ),
        }
    }

    /// Stores a delegation with a TTL that is already clamped.
    ///
    /// A zone that its parent has taken away must die when the parent's word does (ghost domains, CVE-2012-1033), and
    /// so must everything below it (phoenix domains, CVE-2022-30698): a referral never outlives the delegation it was
    /// reached through, and the zone's own NS RRset changes the servers but never moves the expiry back.
    pub(super) fn put(&self, new: NewDelegation, now: Now) -> Result<(), NotCached> {
        let expires = now.age.plus(super::cache::lifetime(new.ttl));
        let delegation = Delegation { apex: new.apex, servers: new.servers, expires };
        if octets(&delegation) > self.table.entry_octets() {
            return Err(NotCached::TooLarge);
        }
        let mut outcome = Err(NotCached::NoParent);
        self.table.update(delegation.apex.clone(), |old| {
            let latest = match new.learnt_from {
                LearntFrom::Parent { expires } => expires,
                LearntFrom::Apex => old?.expires,
            };
            let expires = expires.min(latest);
            if expires <= now.age {
                outcome = Err(NotCached::Expired);
                return None;
            }
            outcome = Ok(());
            Some(Arc::new(Delegation { expires, ..delegation }))
        });
        outcome
    }

    /// Forgets the delegations of zones that are `meant`; says how many those were.
    pub(super) fn remove_all(&self, meant: impl Fn(NameRef<'_>) -> bool) -> usize {
        self.table.remove_all(|apex| meant(apex.as_ref()))
    }

    /// The fresh delegation of the nearest zone at or above `name`.
    pub(super) fn closest(&self, name: NameRef<'_>, now: Now) -> Option<Arc<Delegation>> {
        name.ancestors().find_map(|apex| {
            let fresh =
                |delegation: &Arc<Delegation>| (now.age < delegation.expires).then(|| delegation.clone());
            self.table.find(apex, |other| other.as_ref() == apex, fresh)?
        })
    }
}

/// Octets of memory, roughly: names count with the words their allocation costs.
fn octets(delegation: &Delegation) -> usize {
    let servers = delegation.servers.iter().map(|server| {
        size_of::<NameServer>() + 32 + server.name.octets().len() + size_of_val(&*server.addresses)
    });
    size_of::<Delegation>() + 64 + delegation.apex.octets().len() + servers.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{name, second};

    fn servers(count: usize) -> Box<[NameServer]> {
        let server = |at| NameServer {
            name: name(&format!("ns{at}.example.")),
            addresses: [IpAddr::from([192, 0, 2, at as u8])].into(),
        };
        (0..count).map(server).collect()
    }

    fn new(apex: &str, ttl: u32, learnt_from: LearntFrom) -> NewDelegation {
        NewDelegation { apex: name(apex), servers: servers(2), ttl: Ttl::from_wire(ttl), learnt_from }
    }

    fn closest(delegations: &Delegations, of: &str, at: u64) -> Option<String> {
        delegations.closest(name(of).as_ref(), second(at)).map(|delegation| delegation.apex.to_string())
    }

    #[test]
    fn the_nearest_fresh_zone_above_is_found() {
        let delegations = Delegations::new();
        delegations.put(new(".", 1000, LearntFrom::ROOT), second(0)).unwrap();
        delegations.put(new("org.", 100, LearntFrom::ROOT), second(0)).unwrap();
        let org = LearntFrom::Parent { expires: second(100).age };
        delegations.put(new("example.org.", 50, org), second(0)).unwrap();
        for (of, at, want) in [
            ("www.Example.org.", 0, "example.org."),
            ("example.org.", 49, "example.org."),
            ("example.org.", 50, "org."),
            ("org.", 0, "org."),
            ("www.example.org.", 100, "."),
            ("net.", 0, "."),
        ] {
            assert_eq!(closest(&delegations, of, at).as_deref(), Some(want), "{of} {at}");
        }
        assert_eq!(closest(&delegations, "net.", 1000), None);
    }

    #[test]
    fn a_zone_cannot_extend_its_own_delegation() {
        let delegations = Delegations::new();
        delegations.put(new("ghost.org.", 100, LearntFrom::ROOT), second(0)).unwrap();
        let mut apex = new("ghost.org.", 86_400, LearntFrom::Apex);
        apex.servers = servers(3);
        delegations.put(apex, second(99)).unwrap();
        let found = delegations.closest(name("ghost.org.").as_ref(), second(99)).unwrap();
        assert_eq!(
            (found.servers.len(), found.expires),
            (3, second(100).age),
            "its servers, the parent's time"
        );
        assert_eq!(closest(&delegations, "ghost.org.", 100), None);
        let late = delegations.put(new("ghost.org.", 86_400, LearntFrom::Apex), second(100));
        assert_eq!(late, Err(NotCached::Expired));
        assert_eq!(
            delegations.put(new("other.org.", 60, LearntFrom::Apex), second(0)),
            Err(NotCached::NoParent)
        );
        delegations.put(new("ghost.org.", 100, LearntFrom::ROOT), second(150)).unwrap();
        assert_eq!(closest(&delegations, "ghost.org.", 249).as_deref(), Some("ghost.org."), "the parent may");
    }

    #[test]
    fn a_zone_may_shorten_its_delegation_but_not_lengthen_it_again() {
        let delegations = Delegations::new();
        delegations.put(new("a.org.", 100, LearntFrom::ROOT), second(0)).unwrap();
        delegations.put(new("a.org.", 10, LearntFrom::Apex), second(0)).unwrap();
        assert_eq!(closest(&delegations, "a.org.", 10), None);
        assert_eq!(delegations.put(new("a.org.", 90, LearntFrom::Apex), second(10)), Err(NotCached::Expired));
    }

    #[test]
    fn what_is_below_a_revoked_zone_dies_with_it() {
        let delegations = Delegations::new();
        delegations.put(new("phoenix.org.", 100, LearntFrom::ROOT), second(0)).unwrap();
        let parent = LearntFrom::Parent { expires: second(100).age };
        delegations.put(new("sub.phoenix.org.", 86_400, parent), second(90)).unwrap();
        assert_eq!(closest(&delegations, "x.sub.phoenix.org.", 99).as_deref(), Some("sub.phoenix.org."));
        assert_eq!(closest(&delegations, "x.sub.phoenix.org.", 100), None);
    }

    #[test]
    fn a_delegation_made_to_be_large_is_not_kept() {
        let delegations = Delegations::new();
        let mut large = new("large.org.", 100, LearntFrom::ROOT);
        large.servers = servers(200);
        assert_eq!(delegations.put(large, second(0)), Err(NotCached::TooLarge));
        assert_eq!(closest(&delegations, "large.org.", 0), None);
    }
}
