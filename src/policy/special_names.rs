//! Names that mean nothing to the servers of the internet, answered here so that no packet about them leaves.
//!
//! They are ordinary zones, made at the start, and answered as such. What the operator serves wins over them.

use crate::dns::{Name, QuestionRef, RrType, Ttl};
use crate::zone::{Zone, ZoneBuilder, ZoneEntry, ZoneTable};

/// The time answers about them may be kept: RFC 6303 section 3 gives its empty zones three hours.
const TTL: u32 = 10_800;

/// How a special name stands in the public tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    /// It is not there: the parent proves that, and nobody needs to ask.
    Nothing,
    /// It is delegated without signatures. Validators behind us need the parent's word for that, so its DS is resolved
    /// (RFC 8375 section 4).
    Delegates,
}

/// Names without records of their own (RFC 6303 section 3): the apex has a SOA and an NS, what is below does not exist.
const EMPTY: &[(&str, Parent)] = &[
    ("test.", Parent::Nothing),              // RFC 6761 6.2
    ("invalid.", Parent::Nothing),           // RFC 6761 6.4
    ("local.", Parent::Nothing),             // RFC 6762 22.1: multicast DNS has its own way
    ("onion.", Parent::Nothing),             // RFC 7686 2
    ("alt.", Parent::Nothing),               // RFC 9476 2
    ("home.arpa.", Parent::Delegates),       // RFC 8375 4
    ("service.arpa.", Parent::Delegates),    // RFC 9665 10
    ("resolver.arpa.", Parent::Delegates),   // RFC 9462 6.4: no designated resolver to tell of
    ("0.in-addr.arpa.", Parent::Delegates),  // RFC 6303 4.2 from here on
    ("10.in-addr.arpa.", Parent::Delegates), // RFC 6303 4.1
    ("127.in-addr.arpa.", Parent::Delegates),
    ("254.169.in-addr.arpa.", Parent::Delegates),
    ("168.192.in-addr.arpa.", Parent::Delegates), // RFC 6303 4.1
    ("2.0.192.in-addr.arpa.", Parent::Delegates),
    ("100.51.198.in-addr.arpa.", Parent::Delegates),
    ("113.0.203.in-addr.arpa.", Parent::Delegates),
    ("255.255.255.255.in-addr.arpa.", Parent::Delegates),
    ("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", Parent::Delegates), // 4.3
    ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", Parent::Delegates),
    ("d.f.ip6.arpa.", Parent::Delegates),   // 4.4
    ("8.e.f.ip6.arpa.", Parent::Delegates), // 4.5
    ("9.e.f.ip6.arpa.", Parent::Delegates),
    ("a.e.f.ip6.arpa.", Parent::Delegates),
    ("b.e.f.ip6.arpa.", Parent::Delegates),
    ("8.b.d.0.1.0.0.2.ip6.arpa.", Parent::Delegates), // 4.6
];

const LOOPBACK: [(RrType, &[u8]); 2] =
    [(RrType::A, &[127, 0, 0, 1]), (RrType::AAAA, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])];

/// The special names and what is said about them.
#[derive(Clone)]
pub struct SpecialNames {
    zones: ZoneTable,
    /// Those whose DS the parent has to deny.
    delegated: ZoneTable,
}

impl SpecialNames {
    /// Those of the RFCs.
    pub fn builtin() -> SpecialNames {
        let mut names = SpecialNames { zones: ZoneTable::new(), delegated: ZoneTable::new() };
        for (apex, parent) in EMPTY {
            names.add(apex, *parent, &[]);
        }
        // RFC 6303 4.1 and RFC 7793: private and shared networks that end inside an octet.
        for (octets, network) in [(16..32, 172), (64..128, 100)] {
            for octet in octets {
                names.add(&format!("{octet}.{network}.in-addr.arpa."), Parent::Delegates, &[]);
            }
        }
        // RFC 6761 6.3: this machine, at the name and at all names below it.
        let localhost = ["localhost.", "*.localhost."];
        let everywhere = localhost.map(|owner| LOOPBACK.map(|(rr_type, rdata)| (owner, rr_type, rdata)));
        names.add(localhost[0], Parent::Nothing, everywhere.as_flattened());
        // RFC 8880 7.1: both addresses are well known, and finding them both is how a NAT64 is noticed.
        let well_known: [(&str, RrType, &[u8]); 2] = [
            ("ipv4only.arpa.", RrType::A, &[192, 0, 0, 170]),
            ("ipv4only.arpa.", RrType::A, &[192, 0, 0, 171]),
        ];
        names.add("ipv4only.arpa.", Parent::Delegates, &well_known);
        for apex in ["170.0.0.192.in-addr.arpa.", "171.0.0.192.in-addr.arpa."] {
            names.add(apex, Parent::Delegates, &[(apex, RrType::PTR, b"\x08ipv4only\x04arpa\0")]);
        }
        names
    }

    /// The zones to answer a question from; none when it is not ours to answer.
    pub fn zones_for(&self, question: QuestionRef<'_>) -> Option<&ZoneTable> {
        self.zones.find(question.name)?;
        let is_of_parent = question.rr_type.is_parental() && self.delegated.get(question.name).is_some();
        (!is_of_parent).then_some(&self.zones)
    }

    fn add(&mut self, apex: &str, parent: Parent, records: &[(&str, RrType, &[u8])]) {
        let zone = ZoneEntry::Loaded(zone(&name(apex), records).into());
        if parent == Parent::Delegates {
            self.delegated = self.delegated.with(zone.clone());
        }
        self.zones = self.zones.with(zone);
    }
}

impl std::fmt::Debug for SpecialNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpecialNames").field("zones", &self.zones.iter().count()).finish_non_exhaustive()
    }
}

/// A zone with the SOA and NS of RFC 6303 section 3, and perhaps more.
fn zone(apex: &Name, records: &[(&str, RrType, &[u8])]) -> Zone {
    let ttl = Ttl::saturating(TTL.into());
    let mut soa = apex.octets().to_vec();
    soa.extend(b"\x06nobody\x07invalid\0");
    for number in [1, 3600, 1200, 604_800, TTL] {
        soa.extend(u32::to_be_bytes(number));
    }
    let mut builder = ZoneBuilder::new(apex.clone());
    builder.push(apex.as_ref(), RrType::SOA, ttl, &soa, ());
    builder.push(apex.as_ref(), RrType::NS, ttl, apex.octets(), ());
    for (owner, rr_type, rdata) in records {
        builder.push(name(owner).as_ref(), *rr_type, ttl, rdata, ());
    }
    let built = builder.build();
    built.unwrap_or_else(|errors| unreachable!("a test builds all of them: {errors:?}")).zone
}

fn name(text: &str) -> Name {
    text.parse().expect("the names of this file are read by a test")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RrClass;

    fn apex_for(names: &SpecialNames, asked: &str, rr_type: RrType) -> String {
        let asked = name(asked);
        let question = QuestionRef { name: asked.as_ref(), rr_type, class: RrClass::IN };
        let zones = names.zones_for(question);
        zones.map_or("-".into(), |zones| zones.find(asked.as_ref()).unwrap().apex().to_string())
    }

    #[test]
    fn names_are_ours_by_the_rfcs_and_no_others() {
        let names = SpecialNames::builtin();
        for (asked, want) in [
            ("localhost.", "localhost."),
            ("a.b.LOCALHOST.", "localhost."),
            ("x.invalid.", "invalid."),
            ("host.test.", "test."),
            ("printer.local.", "local."),
            ("example.onion.", "onion."),
            ("a.alt.", "alt."),
            ("nas.home.arpa.", "home.arpa."),
            ("default.service.arpa.", "service.arpa."),
            ("_dns.resolver.arpa.", "resolver.arpa."),
            ("ipv4only.arpa.", "ipv4only.arpa."),
            ("170.0.0.192.in-addr.arpa.", "170.0.0.192.in-addr.arpa."),
            ("169.0.0.192.in-addr.arpa.", "-"),
            ("1.2.3.10.in-addr.arpa.", "10.in-addr.arpa."),
            ("1.1.16.172.in-addr.arpa.", "16.172.in-addr.arpa."),
            ("1.1.31.172.in-addr.arpa.", "31.172.in-addr.arpa."),
            ("1.1.32.172.in-addr.arpa.", "-"),
            ("1.1.15.172.in-addr.arpa.", "-"),
            ("1.1.64.100.in-addr.arpa.", "64.100.in-addr.arpa."),
            ("1.1.128.100.in-addr.arpa.", "-"),
            ("1.1.168.192.in-addr.arpa.", "168.192.in-addr.arpa."),
            ("8.8.8.8.in-addr.arpa.", "-"),
            ("4.3.2.1.c.f.ip6.arpa.", "-"),
            ("1.d.f.ip6.arpa.", "d.f.ip6.arpa."),
            ("example.", "-"),
            ("example.com.", "-"),
            ("arpa.", "-"),
            (".", "-"),
        ] {
            assert_eq!(apex_for(&names, asked, RrType::A), want, "{asked}");
        }
    }

    #[test]
    fn the_ds_of_what_is_delegated_is_the_parents_to_deny() {
        let names = SpecialNames::builtin();
        for (asked, want) in [
            ("home.arpa.", "-"),
            ("10.in-addr.arpa.", "-"),
            ("nas.home.arpa.", "home.arpa."),
            ("onion.", "onion."),
            ("localhost.", "localhost."),
        ] {
            assert_eq!(apex_for(&names, asked, RrType::DS), want, "{asked}");
        }
    }
}
