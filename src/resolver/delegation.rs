//! Delegations as they are read from referrals (RFC 1034 4.2.1), and the root's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::cache::{Delegation, Kind, LearntFrom, NameServer, NewAnswer, NewDelegation};
use crate::clock::Now;
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
    /// The smallest TTL of the NS RRset and the glue.
    pub ttl: Ttl,
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
        let referral = Referral { apex, servers, ttl, is_too_many, security };
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
        // The root has no parent whose word could end.
        let learnt_from = match parent.apex.as_ref().is_root() {
            true => LearntFrom::ROOT,
            false => LearntFrom::Parent { expires: parent.expires },
        };
        let Referral { apex, servers, ttl, .. } = self.clone();
        NewDelegation { apex, servers, ttl, learnt_from }
    }

    /// As it is used for the question under way, learnt from servers of `parent`.
    pub fn into_delegation(self, parent: &Delegation, now: Now) -> Delegation {
        let expires = now.age.plus(std::time::Duration::from_secs(self.ttl.seconds().into()));
        let latest = if parent.apex.as_ref().is_root() { expires } else { parent.expires };
        Delegation { apex: self.apex, servers: self.servers, expires: expires.min(latest) }
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
    use super::*;
    use crate::resolver::testing::reply;

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
