//! Scrubbing: of a reply only what its server can speak for stays (RFC 2181 5.4.1, RFC 5452 6).

use super::reply::Reply;
use crate::dns::{NameRef, RrType, Rrset};

/// A reply without foreign data.
#[derive(Debug, Clone)]
pub struct Scrubbed {
    /// What stays.
    pub reply: Reply,
    /// The authority section had an SOA or NS RRset of a zone that is not at or below the one asked: the server speaks
    /// for other zones, and so perhaps not for this one.
    pub named_others: bool,
}

/// Keeps what a server of `zone` can speak for: names at or below its apex.
///
/// - Answer: what lies outside would be believed from any server an alias passes through (Kaminsky's attack).
/// - Authority: the NS and SOA RRsets of other zones are how delegations are taken over (CVE-2025-40778).
/// - Additional: addresses only. Whose addresses they may be is for the referral to say.
pub fn keep_in_bailiwick(mut reply: Reply, zone: NameRef<'_>) -> Scrubbed {
    let is_in_bailiwick = |rrset: &Rrset| rrset.owner.as_ref().is_at_or_below(zone);
    let is_cut = |rrset: &Rrset| matches!(rrset.rr_type, RrType::NS | RrType::SOA);
    let named_others = reply.authority.iter().any(|rrset| is_cut(rrset) && !is_in_bailiwick(rrset));
    reply.answer.retain(is_in_bailiwick);
    reply.authority.retain(is_in_bailiwick);
    let is_address = |rrset: &Rrset| matches!(rrset.rr_type, RrType::A | RrType::AAAA);
    reply.additional.retain(|rrset| is_address(rrset) && is_in_bailiwick(rrset));
    Scrubbed { reply, named_others }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::testing::reply;

    #[test]
    fn only_names_below_the_zone_stay() {
        let dirty = reply(
            "aa",
            "www.example.org. CNAME www.victim.net. | www.victim.net. A 192.0.2.66",
            "example.org. NS ns.victim.net. | victim.net. NS ns.example.org. | org. NS ns.example.org.",
            "ns.example.org. A 192.0.2.1 | ns.victim.net. A 192.0.2.66 | ns.example.org. TXT x",
        );
        let scrubbed = keep_in_bailiwick(dirty, "example.org.".parse::<crate::dns::Name>().unwrap().as_ref());
        let owners = |rrsets: &[Rrset]| {
            let owners: Vec<_> =
                rrsets.iter().map(|rrset| format!("{} {}", rrset.owner, rrset.rr_type)).collect();
            owners.join(", ")
        };
        assert_eq!(owners(&scrubbed.reply.answer), "www.example.org. CNAME");
        assert_eq!(owners(&scrubbed.reply.authority), "example.org. NS");
        assert_eq!(owners(&scrubbed.reply.additional), "ns.example.org. A");
        assert!(scrubbed.named_others);
    }
}
