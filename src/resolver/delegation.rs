//! Delegations as they are read from referrals (RFC 1034 4.2.1), and the root's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::cache::{Cache, Delegation, Kind, LearntFrom, Lookup, NameServer, NewAnswer, NewDelegation};
use crate::clock::{Age, Now};
use crate::dns::{Name, NameRef, Question, RrType, Rrset, Ttl};
use crate::limits;

use super::reply::proofs_in;

/// The servers of a zone as its parent names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// The apex of the zone.
    pub apex: Name,
    /// Its name servers, with glue.
    pub servers: Box<[NameServer]>,
    /// The smallest TTL of the NS RRset and the glue, and of a DS RRset beside them.
    pub ttl: Ttl,
    /// It ends at this moment at the latest.
    pub latest: Age,
    /// The NS RRset has more records, or they have more glue, than any honest zone needs.
    pub is_too_many: bool,
    /// The DS RRset beside it, or the NSEC or NSEC3 RRsets that prove that there is none (RFC 4035 3.1.4).
    pub security: Vec<Rrset>,
}

impl Referral {
    /// Reads an NS RRset, with the addresses that stand beside it. Of addresses only those of its own name servers
    /// are used. None when not one record holds a name.
    ///
    /// `additional` is scrubbed: its names are at or below the zone whose server referred us.
    pub fn read(ns: &Rrset, additional: &[Rrset]) -> Option<Referral> {
        let mut ttl = ns.ttl;
        let mut servers: Vec<NameServer> = Vec::new();
        let mut without_glue: Vec<NameServer> = Vec::new();
        // By name, so that many name servers times many addresses costs no more than their sum.
        let mut glue: BTreeMap<NameRef<'_>, Vec<&Rrset>> = BTreeMap::new();
        for rrset in additional {
            glue.entry(rrset.owner.as_ref()).or_default().push(rrset);
        }
        for name in ns.records().iter().filter_map(|rdata| NameRef::from_wire(rdata).ok()) {
            let mut addresses = Vec::new();
            for rrset in glue.get(&name).into_iter().flatten() {
                ttl = ttl.min(rrset.ttl);
                addresses.extend(addresses_of(rrset));
            }
            addresses.truncate(limits::NAME_SERVER_ADDRESSES);
            let list = if addresses.is_empty() { &mut without_glue } else { &mut servers };
            if list.len() < limits::NAME_SERVERS {
                list.push(NameServer { name: name.to_name(), addresses: addresses.into() });
            }
            if servers.len() >= limits::NAME_SERVERS {
                break;
            }
        }
        let has_too_many_servers = ns.records().iter().nth(limits::NAME_SERVERS).is_some();
        let mut glue = glue.values().flatten().flat_map(|rrset| addresses_of(rrset));
        let is_too_many = has_too_many_servers || glue.nth(limits::UPSTREAM_ADDRESSES).is_some();
        if has_too_many_servers {
            without_glue.truncate(limits::NAME_SERVERS_OF_TOO_MANY);
        }
        // Servers with glue can be asked at once; the bound leaves out the others first.
        servers.extend(without_glue);
        servers.truncate(limits::NAME_SERVERS);
        let (apex, servers, security) = (ns.owner.clone(), servers.into(), Vec::new());
        let referral = Referral { apex, servers, ttl, latest: Age(u64::MAX), is_too_many, security };
        (!referral.servers.is_empty()).then_some(referral)
    }

    /// With what the authority section says of the keys of the zone.
    pub fn with_security(mut self, authority: &[Rrset]) -> Referral {
        let is_ds = |rrset: &&Rrset| rrset.rr_type == RrType::DS && rrset.owner == self.apex;
        self.security = match authority.iter().find(is_ds) {
            Some(ds) => vec![ds.clone()],
            None => proofs_in(authority),
        };
        self
    }

    /// The same, ending when the DS RRset does that came with it. So the parent is asked for both at once, and not for the
    /// DS RRset alone, which some parents answer wrongly and which would cost as much. With a DS RRset that may hardly be
    /// kept it lasts for the question under way: see [`limits::DELEGATION_WITH_DS_LEAST`].
    pub fn ending_with_ds(mut self, cache: &Cache, now: Now) -> Referral {
        let Some(ds) = self.security.iter().find(|rrset| rrset.rr_type == RrType::DS) else { return self };
        let least = Ttl::saturating(limits::DELEGATION_WITH_DS_LEAST.as_secs());
        self.ttl = self.ttl.min(cache.clamp(ds.ttl).max(least));
        // One that is validated stays, and what came now does not take its place.
        let question = Question::new(self.apex.clone(), RrType::DS);
        match cache.lookup(question.as_ref(), now) {
            Lookup::Fresh(known) if known.kind == Kind::Positive && known.security.is_good() => {
                self.latest = self.latest.min(known.expires);
            }
            _ => {}
        }
        self
    }

    /// What that answers the question for the DS RRset with, if anything.
    pub fn ds(&mut self) -> Option<(Question, NewAnswer)> {
        let rrsets: Vec<_> = std::mem::take(&mut self.security).into_iter().map(Arc::new).collect();
        let (answer, authority) = match rrsets.first()?.rr_type {
            RrType::DS => (rrsets, vec![]),
            _ => (vec![], rrsets),
        };
        let kind = if answer.is_empty() { Kind::NoData } else { Kind::Positive };
        let question = Question::new(self.apex.clone(), RrType::DS);
        Some((question, NewAnswer::unchecked(kind, answer, authority)))
    }

    /// As it is stored, learnt from servers of `parent`.
    pub fn to_store(&self, parent: &Delegation) -> NewDelegation {
        let learnt_from = LearntFrom::Parent { expires: self.latest_below(parent) };
        let Referral { apex, servers, ttl, .. } = self.clone();
        NewDelegation { apex, servers, ttl, learnt_from }
    }

    /// As it is used for the question under way, learnt from servers of `parent`.
    pub fn into_delegation(self, parent: &Delegation, now: Now) -> Delegation {
        let expires = now.age.plus(std::time::Duration::from_secs(self.ttl.seconds().into()));
        let expires = expires.min(self.latest_below(parent));
        Delegation { apex: self.apex, servers: self.servers, expires }
    }

    fn latest_below(&self, parent: &Delegation) -> Age {
        // The root has no parent whose word could end.
        if parent.apex.as_ref().is_root() { self.latest } else { self.latest.min(parent.expires) }
    }
}

/// The addresses of an A or AAAA RRset, none of any other.
pub fn addresses_of(rrset: &Rrset) -> impl Iterator<Item = IpAddr> + '_ {
    let rr_type = rrset.rr_type;
    rrset.records().iter().filter_map(move |rdata| match rr_type {
        RrType::A => <[u8; 4]>::try_from(rdata).ok().map(|octets| Ipv4Addr::from(octets).into()),
        RrType::AAAA => <[u8; 16]>::try_from(rdata).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::{CacheOptions, Security};
    use crate::clock::{Tick, Unix};
    use crate::resolver::testing::{records, reply};

    fn read(authority: &str, additional: &str) -> Referral {
        let reply = reply("", "", authority, additional);
        Referral::read(&reply.authority[0], &reply.additional).unwrap()
    }

    #[test]
    fn glue_belongs_to_the_name_servers_named() {
        let referral = read(
            "example. 300 NS ns1.example. | example. 300 NS ns2.test.",
            "ns1.example. 60 A 192.0.2.1 | ns1.example. 90 AAAA 2001:db8::1 | www.example. 5 A 192.0.2.66",
        );
        assert_eq!(referral.ttl.seconds(), 60);
        let addresses: Vec<_> = referral.servers.iter().map(|server| server.addresses.len()).collect();
        assert_eq!(addresses, [2, 0]);
    }

    /// When a delegation ends that came at 1000 s with NS and DS RRsets of these TTLs.
    fn end(ns: u32, ds: Option<u32>, known: Option<(u32, Security)>) -> u64 {
        let cache = Cache::new(CacheOptions { max_ttl: Ttl::from_wire(5000), ..CacheOptions::default() });
        let second =
            |seconds| Now { tick: Tick(0), age: Age(0).plus(Duration::from_secs(seconds)), unix: Unix(0) };
        let ds_of = |ttl| records(&format!("example. {ttl} DS x")).remove(0);
        if let Some((ttl, security)) = known {
            let answer = NewAnswer::unchecked(Kind::Positive, vec![Arc::new(ds_of(ttl))], vec![]);
            let question = Question::new("example.".parse().unwrap(), RrType::DS);
            cache.store_answer(question.as_ref(), NewAnswer { security, ..answer }, second(990)).unwrap();
        }
        let authority: Vec<_> = ds.map(ds_of).into_iter().collect();
        let referral = read(&format!("example. {ns} NS ns.example."), "").with_security(&authority);
        let referral = referral.ending_with_ds(&cache, second(1000));
        let (apex, expires) = ("test.".parse().unwrap(), second(9000).age);
        let parent = Delegation { apex, servers: [].into(), expires };
        let stored = referral.to_store(&parent);
        let LearntFrom::Parent { expires: latest } = stored.learnt_from else { panic!("a parent said so") };
        let expires = referral.into_delegation(&parent, second(1000)).expires;
        let kept = second(1000).age.plus(Duration::from_secs(stored.ttl.seconds().into())).min(latest);
        assert_eq!(kept, expires, "what is kept, and what is used");
        expires.0 / 1_000_000_000
    }

    #[test]
    fn a_delegation_lives_no_longer_than_the_ds_rrset_beside_it() {
        use Security::*;
        for (what, ns, ds, known, want) in [
            ("no DS", 300, None, None, 1300),
            ("no DS, though one is known", 300, None, Some((60, Secure)), 1300),
            ("a shorter DS", 300, Some(60), None, 1060),
            ("a longer DS", 300, Some(900), None, 1300),
            ("a DS longer than anything is kept", 9000, Some(9000), None, 6000),
            ("a DS of the moment", 300, Some(0), None, 1005),
            ("the last DS that is too short", 300, Some(5), None, 1005),
            ("the first that is not", 300, Some(6), None, 1006),
            ("a DS and a delegation of the moment", 0, Some(0), None, 1000),
            ("one that is validated and stays", 300, Some(60), Some((30, Secure)), 1020),
            ("one that is validated and longer", 300, Some(60), Some((900, Secure)), 1060),
            ("one whose place it takes", 300, Some(60), Some((30, Unchecked)), 1060),
            ("one that has ended", 300, Some(60), Some((5, Secure)), 1060),
            ("the parent's own end", 9000, None, None, 9000),
        ] {
            assert_eq!(end(ns, ds, known), want, "{what}");
        }
    }

    #[test]
    fn a_delegation_keeps_so_many_servers_and_addresses_those_with_glue_first() {
        let ns: Vec<_> = (0..800).map(|at| format!("example. NS ns{at}.example.")).collect();
        let glue: Vec<_> = (1..=20).map(|last| format!("ns799.example. A 192.0.2.{last}")).collect();
        let referral = read(&ns.join(" | "), &glue.join(" | "));
        assert_eq!(referral.servers.len(), 1 + limits::NAME_SERVERS_OF_TOO_MANY);
        assert_eq!(read(&ns[..13].join(" | "), "").servers.len(), limits::NAME_SERVERS);
        let all_glued: Vec<_> = (0..20).map(|at| format!("ns{at}.example. A 192.0.2.{at}")).collect();
        assert_eq!(read(&ns.join(" | "), &all_glued.join(" | ")).servers.len(), limits::NAME_SERVERS);
        assert_eq!(referral.servers[0].name, "ns799.example.".parse().unwrap());
        assert_eq!(referral.servers[0].addresses.len(), limits::NAME_SERVER_ADDRESSES);
    }
}
