//! Upstreams: the servers an operator named for a zone, instead of those its parent names.

use std::net::SocketAddr;

use crate::dns::{Name, NameRef, QuestionRef};

/// The forward and stub zones, found by the longest apex at or above a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstreams {
    /// In the order of their apexes, each once.
    zones: Vec<UpstreamZone>,
}

/// A zone whose servers the operator named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamZone {
    /// Its apex; the root's is that of all names nobody else was named for.
    pub apex: Name,
    /// What its servers are.
    pub kind: UpstreamKind,
    /// The servers. They are asked wherever they are.
    pub servers: Vec<SocketAddr>,
    /// Which of them is asked first.
    pub strategy: Strategy,
    /// When all of them fail, the question is resolved from the root.
    pub fallback: bool,
}

/// What the servers of an upstream zone are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamKind {
    /// Resolvers, asked with RD set for whatever lies at or below the apex.
    Forward,
    /// Authoritative servers of the apex, asked with RD clear; what they delegate is followed.
    Stub,
}

/// In which order the servers of an upstream zone are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The one that answered fastest so far.
    #[default]
    Fastest,
    /// As they were named.
    Ordered,
    /// Several at once; the first good answer counts.
    Parallel,
}

impl Upstreams {
    /// From zones in any order; of two with one apex the first counts. Zones without a server are left out.
    pub fn new(mut zones: Vec<UpstreamZone>) -> Upstreams {
        zones.retain(|zone| !zone.servers.is_empty());
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        zones.dedup_by(|later, first| later.apex == first.apex);
        Upstreams { zones }
    }

    /// All of them, in the order of their apexes.
    pub fn zones(&self) -> &[UpstreamZone] {
        &self.zones
    }

    /// The zone with the longest apex at or above a name.
    pub fn find(&self, name: NameRef<'_>) -> Option<&UpstreamZone> {
        if self.zones.is_empty() {
            return None;
        }
        name.ancestors().find_map(|apex| {
            let place = self.zones.binary_search_by(|zone| zone.apex.as_ref().cmp(&apex)).ok()?;
            self.zones.get(place)
        })
    }

    /// The zone whose servers a question goes to. DS at the apex of a stub zone is its parent's (RFC 4035 2.6);
    /// a forwarder knows that by itself.
    pub fn find_for(&self, question: QuestionRef<'_>) -> Option<&UpstreamZone> {
        let zone = self.find(question.name)?;
        let is_of_parent = zone.kind == UpstreamKind::Stub
            && question.rr_type.is_parental()
            && zone.apex.as_ref() == question.name;
        match question.name.parent().filter(|_| is_of_parent) {
            Some(above) => self.find(above),
            None => Some(zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::testing::question;

    fn zone(apex: &str, kind: UpstreamKind) -> UpstreamZone {
        let servers = vec![SocketAddr::from(([192, 0, 2, 1], 53))];
        let apex = apex.parse().unwrap();
        UpstreamZone { apex, kind, servers, strategy: Strategy::Fastest, fallback: false }
    }

    #[test]
    fn the_longest_apex_is_found() {
        let zones = [
            ("example.", UpstreamKind::Stub),
            ("a.example.", UpstreamKind::Forward),
            ("b.A.example.", UpstreamKind::Stub),
        ];
        let upstreams = Upstreams::new(zones.map(|(apex, kind)| zone(apex, kind)).into());
        for (asked, want) in [
            ("example. A", "example."),
            ("example. DS", "-"),
            ("www.EXAMPLE. A", "example."),
            ("a.example. DS", "a.example."),
            ("x.a.example. A", "a.example."),
            ("b.a.example. DS", "a.example."),
            ("x.b.a.example. DS", "b.A.example."),
            ("test. A", "-"),
            (". NS", "-"),
        ] {
            let found = upstreams.find_for(question(asked).as_ref());
            assert_eq!(found.map_or("-".into(), |zone| zone.apex.to_string()), want, "{asked}");
        }
        let root = Upstreams::new(vec![zone(".", UpstreamKind::Forward)]);
        assert!(root.find_for(question("test. A").as_ref()).is_some());
        assert!(Upstreams::default().find_for(question("test. A").as_ref()).is_none());
    }
}
