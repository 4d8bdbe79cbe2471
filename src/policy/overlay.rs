//! Overlays: a few names laid over a zone or over what is resolved. A name and type that stands there wins; for all else the
//! overlay is not there.

use std::fmt;

use crate::dns::{Answer, AnswerRrset, Name, NameRef, QuestionRef, Rcode, RrType, RrsetRef, Ttl};
use crate::zone::{Found, Node, Zone, ZoneBuilder, ZoneEntry, ZoneError, ZoneTable};

/// The overlays of a configuration.
#[derive(Clone, Default)]
pub struct Overlays {
    /// Over what is resolved: for those who may recurse.
    over_resolution: ZoneTable,
    /// Over zones served here: for those who may ask.
    over_zones: ZoneTable,
    has_any: bool,
}

/// What an overlay is laid over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// What is resolved: the data of others, so that an answer from the overlay is not authoritative.
    Resolution,
    /// A zone served here.
    Zone,
}

/// Collects the records of one overlay, each with a mark by which mistakes say where it stands.
pub struct OverlayBuilder<M> {
    apex: Name,
    /// Records without a mark are our own.
    builder: ZoneBuilder<Option<M>>,
    dnames: Vec<OverlayError<M>>,
}

/// What cannot stand in an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverlayError<M> {
    /// A DNAME: an overlay replaces names one by one.
    Dname {
        /// Its owner.
        owner: Name,
        /// Its mark.
        mark: M,
    },
    /// What can stand in no zone.
    Zone(ZoneError<M>),
}

impl<M> fmt::Display for OverlayError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OverlayError::Dname { owner, .. } => write!(f, "DNAME at {owner} in an overlay"),
            OverlayError::Zone(error) => error.fmt(f),
        }
    }
}

impl<M: Copy> OverlayBuilder<M> {
    /// An overlay over the names at and below `apex`.
    pub fn new(apex: Name) -> OverlayBuilder<M> {
        let mut builder = ZoneBuilder::new(apex.clone());
        // A zone needs them, an overlay does not; they are never found.
        let soa = [apex.octets(), apex.octets(), &[0; 20]].concat();
        builder.push(apex.as_ref(), RrType::SOA, Ttl::ZERO, &soa, None);
        builder.push(apex.as_ref(), RrType::NS, Ttl::ZERO, apex.octets(), None);
        OverlayBuilder { apex, builder, dnames: Vec::new() }
    }

    /// Adds a record. SOA and NS at the apex, which a zone file has, are those of the zone below and left out.
    pub fn push(&mut self, owner: NameRef<'_>, rr_type: RrType, ttl: Ttl, rdata: &[u8], mark: M) {
        let is_apex = owner == self.apex.as_ref();
        match rr_type {
            RrType::SOA | RrType::NS if is_apex => {}
            RrType::DNAME => self.dnames.push(OverlayError::Dname { owner: owner.to_name(), mark }),
            _ => self.builder.push(owner, rr_type, ttl, rdata, Some(mark)),
        }
    }

    /// The overlay as a zone, or what is wrong with it.
    pub fn build(self) -> Result<Zone, Vec<OverlayError<M>>> {
        if !self.dnames.is_empty() {
            return Err(self.dnames);
        }
        let of_file = |ZoneError { problem, owner, mark, other }: ZoneError<Option<M>>| {
            OverlayError::Zone(ZoneError { problem, owner, mark: mark.flatten(), other: other.flatten() })
        };
        let built = self.builder.build();
        built.map(|built| built.zone).map_err(|errors| errors.into_iter().map(of_file).collect())
    }
}

impl Overlays {
    /// With one more; of two with one apex and ground the last counts.
    pub fn add(&mut self, zone: Zone, ground: Ground) {
        let table = match ground {
            Ground::Resolution => &mut self.over_resolution,
            Ground::Zone => &mut self.over_zones,
        };
        *table = table.with(ZoneEntry::Loaded(zone.into()));
        self.has_any = true;
    }

    /// What stands in an overlay for a question; an alias ends the answer and is to be followed from the top. Of overlays
    /// over resolution only when `may_recurse` says so.
    pub fn answer<'a>(
        &'a self,
        question: QuestionRef<'a>,
        may_recurse: bool,
    ) -> Option<(Answer<'a>, Ground)> {
        if !self.has_any {
            return None;
        }
        let over_zone = look(&self.over_zones, question).map(|answer| (answer, Ground::Zone));
        over_zone.or_else(|| {
            let found = may_recurse.then(|| look(&self.over_resolution, question)).flatten();
            found.map(|answer| (answer, Ground::Resolution))
        })
    }

    /// Whether an overlay has anything at a name.
    pub fn has(&self, name: NameRef<'_>) -> bool {
        let has = |table: &ZoneTable| {
            zones_above(table, name)
                .any(|zone| node(zone, name).is_some_and(|node| data(zone, node).next().is_some()))
        };
        self.has_any && (has(&self.over_zones) || has(&self.over_resolution))
    }
}

impl fmt::Debug for Overlays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlays").field("has_any", &self.has_any).finish_non_exhaustive()
    }
}

/// The overlays with an apex at or above a name, the nearest first.
fn zones_above<'a>(table: &'a ZoneTable, name: NameRef<'a>) -> impl Iterator<Item = &'a Zone> {
    let above = move |entry: &&'a ZoneEntry| {
        name.trim_to(entry.apex().label_count()).parent().and_then(|name| table.find(name))
    };
    std::iter::successors(table.find(name), above).filter_map(|entry| match entry {
        ZoneEntry::Loaded(zone) => Some(&**zone),
        ZoneEntry::Unavailable(_) => None,
    })
}

fn look<'a>(table: &'a ZoneTable, question: QuestionRef<'a>) -> Option<Answer<'a>> {
    zones_above(table, question.name).find_map(|zone| {
        let node = node(zone, question.name)?;
        let mut answer = Answer::empty(Rcode::NOERROR);
        let is_asked =
            |rrset: &RrsetRef<'_>| question.rr_type == RrType::ANY || rrset.rr_type == question.rr_type;
        for rrset in data(zone, node).filter(is_asked) {
            answer.answer.push(AnswerRrset::borrowed(rrset).with_owner(question.name));
        }
        if answer.answer.is_empty() {
            let cname = node.rrset(RrType::CNAME)?;
            answer.answer.push(AnswerRrset::borrowed(cname).with_owner(question.name));
        }
        Some(answer)
    })
}

/// The name itself, else the wildcard that makes it.
fn node<'a>(zone: &'a Zone, name: NameRef<'_>) -> Option<Node<'a>> {
    match zone.find(name) {
        Found::Exact(node) => Some(node),
        Found::Below { closest_encloser } => closest_encloser.wildcard(),
    }
}

/// What the operator wrote at a node.
fn data<'a>(zone: &'a Zone, node: Node<'a>) -> impl Iterator<Item = RrsetRef<'a>> {
    let is_apex = node.owner() == zone.apex();
    node.rrsets().filter(move |rrset| !(is_apex && matches!(rrset.rr_type, RrType::SOA | RrType::NS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RrClass;

    fn overlays() -> Overlays {
        let mut overlays = Overlays::default();
        let zone = |apex: &str, records: &[(&str, RrType, &[u8])]| {
            let mut builder = OverlayBuilder::new(apex.parse().unwrap());
            for (owner, rr_type, rdata) in records {
                let owner: Name = owner.parse().unwrap();
                builder.push(owner.as_ref(), *rr_type, Ttl::saturating(60), rdata, ());
            }
            builder.build().unwrap()
        };
        let address: &[u8] = &[192, 0, 2, 1];
        let outer = zone(
            "example.",
            &[
                ("example.", RrType::NS, b"\x02ns\0"),
                ("www.example.", RrType::A, address),
                ("www.example.", RrType::TXT, b"\x01x"),
                ("*.ads.example.", RrType::A, address),
                ("alias.example.", RrType::CNAME, b"\x03www\x04test\0"),
                ("in.inner.example.", RrType::A, address),
                ("also.inner.example.", RrType::A, address),
            ],
        );
        overlays.add(outer, Ground::Resolution);
        overlays
            .add(zone("inner.example.", &[("in.inner.example.", RrType::TXT, b"\x01y")]), Ground::Resolution);
        overlays.add(zone("served.example.", &[("a.served.example.", RrType::A, address)]), Ground::Zone);
        overlays
    }

    fn found(asked: &str, rr_type: RrType, may_recurse: bool) -> String {
        let (overlays, name) = (overlays(), asked.parse::<Name>().unwrap());
        let question = QuestionRef { name: name.as_ref(), rr_type, class: RrClass::IN };
        let Some((answer, ground)) = overlays.answer(question, may_recurse) else { return "-".into() };
        let sets = answer.answer.iter().map(|set| format!("{} {}", set.rrset().owner, set.rrset().rr_type));
        format!("{ground:?}: {}", sets.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn name_and_type_found_there_win_and_all_else_falls_through() {
        for (asked, rr_type, want) in [
            ("www.example.", RrType::A, "Resolution: www.example. A"),
            ("WWW.example.", RrType::A, "Resolution: WWW.example. A"),
            ("www.example.", RrType::AAAA, "-"),
            ("www.example.", RrType::ANY, "Resolution: www.example. A, www.example. TXT"),
            ("other.example.", RrType::A, "-"),
            ("example.", RrType::SOA, "-"),
            ("example.", RrType::NS, "-"),
            ("example.", RrType::ANY, "-"),
            ("x.ads.example.", RrType::A, "Resolution: x.ads.example. A"),
            ("x.ads.example.", RrType::TXT, "-"),
            ("ads.example.", RrType::A, "-"),
            ("alias.example.", RrType::AAAA, "Resolution: alias.example. CNAME"),
            ("in.inner.example.", RrType::TXT, "Resolution: in.inner.example. TXT"),
            ("in.inner.example.", RrType::A, "Resolution: in.inner.example. A"),
            ("also.inner.example.", RrType::A, "Resolution: also.inner.example. A"),
            ("a.served.example.", RrType::A, "Zone: a.served.example. A"),
            ("test.", RrType::A, "-"),
            (".", RrType::NS, "-"),
        ] {
            assert_eq!(found(asked, rr_type, true), want, "{asked} {rr_type}");
        }
        assert_eq!(found("www.example.", RrType::A, false), "-");
        assert_eq!(found("a.served.example.", RrType::A, false), "Zone: a.served.example. A");
    }

    #[test]
    fn a_dname_is_refused() {
        let mut builder = OverlayBuilder::new("example.".parse().unwrap());
        let owner: Name = "d.example.".parse().unwrap();
        builder.push(owner.as_ref(), RrType::DNAME, Ttl::ZERO, b"\x04test\0", 7);
        assert_eq!(builder.build().err(), Some(vec![OverlayError::Dname { owner, mark: 7 }]));
    }
}
