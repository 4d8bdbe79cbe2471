//! A zone: one immutable version of it.

use super::changeset::Change;
use super::denial::DenialChain;
use super::node::Node;
use super::rebuild::rebuild;
use super::rrset_run::RrsetRun;
use super::tree::{Found, NameTree};
use crate::dns::{NameRef, RecordsBuf, RrType, Rrset, RrsetRef, Serial, Ttl};
use crate::dnssec::ChainKind;

/// One immutable version of a zone: a tree with a SOA at its apex.
pub struct Zone {
    tree: NameTree,
    soa: Rrset,
    numbers: SoaNumbers,
    chain: Option<ChainKind>,
}

impl Zone {
    /// The zone of a tree; none when there is no readable SOA at its apex.
    pub fn new(tree: NameTree) -> Option<Zone> {
        let soa = tree.apex_node().rrset(RrType::SOA)?.to_rrset();
        let numbers = SoaNumbers::read(soa.records().first()?)?;
        let chain = DenialChain::kind_of(&tree);
        Some(Zone { tree, soa, numbers, chain })
    }

    /// The zone of all RRsets in a run; none when no readable SOA of the apex is among them.
    pub(super) fn of_run(apex: NameRef<'_>, run: &RrsetRun) -> Option<Zone> {
        let all = || run.iter().map(|rrset| Change { old: None, new: Some(rrset) });
        Zone::new(rebuild(apex, None, all))
    }

    /// All its RRsets.
    pub(super) fn to_run(&self) -> RrsetRun {
        let run = |tree: &NameTree| {
            let mut run = RrsetRun::default();
            tree.own_nodes().flat_map(Node::rrsets).for_each(|rrset| run.push(rrset));
            run
        };
        let nsec3 = self.tree.nsec3.as_deref().map(run).unwrap_or_default();
        run(&self.tree).merged(nsec3)
    }

    /// The name of the zone.
    pub fn apex(&self) -> NameRef<'_> {
        self.tree.apex()
    }

    /// The node of the apex.
    pub fn apex_node(&self) -> Node<'_> {
        self.tree.apex_node()
    }

    /// The SOA.
    pub fn soa(&self) -> RrsetRef<'_> {
        self.soa.view()
    }

    /// The SOA's serial.
    pub fn serial(&self) -> Serial {
        self.numbers.serial
    }

    /// The same content under another serial. Signatures of the SOA stay, and are not true of it any more.
    pub fn with_serial(&self, serial: Serial) -> Zone {
        let mut rdata = self.soa.records().first().expect("a zone was made of its SOA").to_vec();
        let place = serial_place(RrType::SOA, &rdata).expect("a zone was made of a readable SOA");
        rdata[place].copy_from_slice(&serial.0.to_be_bytes());
        let records: RecordsBuf = [&rdata[..]].into_iter().collect();
        let soa = RrsetRef { records: records.as_records(), ..self.soa.view() };
        let others = self.tree.rrsets_at(self.apex());
        let apex = others.map(|rrset| if rrset.rr_type == RrType::SOA { soa } else { rrset });
        let tree = self.tree.clone().with(self.apex(), apex);
        Zone::new(tree).expect("the SOA differs in its serial only")
    }

    /// How long a negative answer may be kept: the lesser of the SOA's own TTL and its last field (RFC 2308 section 3).
    pub fn negative_ttl(&self) -> Ttl {
        self.soa.ttl.min(self.numbers.minimum)
    }

    /// Seconds a secondary may serve this version without news (RFC 1035 3.3.13).
    pub fn expire(&self) -> u32 {
        self.numbers.expire
    }

    /// The node of a name at or below the apex, or the closest there is. Letter case does not matter. Names that only own
    /// NSEC3 records do not exist (RFC 5155 7.2.8).
    pub fn find(&self, name: NameRef<'_>) -> Found<'_> {
        self.tree.find(name)
    }

    /// What proves that something is not there; none when the zone is not signed.
    pub fn denial_chain(&self) -> Option<DenialChain<'_>> {
        self.chain.map(|kind| DenialChain::new(&self.tree, kind))
    }

    /// All nodes in canonical order, the apex first; after them, in that order too, those of NSEC3
    /// RRsets: an owner that has other data as well comes twice.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.tree.nodes()
    }

    /// How many records there are, RRSIGs counted too.
    pub fn record_count(&self) -> usize {
        self.tree.record_count()
    }

    /// How many RRsets there are; signatures belong to those they cover.
    pub fn rrset_count(&self) -> usize {
        self.tree.rrset_count()
    }

    /// The names, to make the next version of.
    pub fn tree(&self) -> &NameTree {
        &self.tree
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zone")
            .field("apex", &self.apex())
            .field("serial", &self.serial())
            .finish_non_exhaustive()
    }
}

/// Where the serial stands in the RDATA of a SOA; none for other types and for what is no SOA.
pub(super) fn serial_place(rr_type: RrType, rdata: &[u8]) -> Option<std::ops::Range<usize>> {
    if rr_type != RrType::SOA {
        return None;
    }
    SoaNumbers::read(rdata)?;
    let numbers = rdata.len() - 20;
    Some(numbers..numbers + 4)
}

/// Some of the numbers of a SOA (RFC 1035 3.3.13).
#[derive(Clone, Copy)]
pub(super) struct SoaNumbers {
    serial: Serial,
    expire: u32,
    minimum: Ttl,
}

impl SoaNumbers {
    pub(super) fn read(rdata: &[u8]) -> Option<SoaNumbers> {
        let (_, rest) = NameRef::split_from(rdata).ok()?;
        let (_, rest) = NameRef::split_from(rest).ok()?;
        let numbers: &[u8; 20] = rest.try_into().ok()?;
        let number =
            |at: usize| numbers[at..at + 4].iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
        let minimum = Ttl::saturating(number(16).into());
        Some(SoaNumbers { serial: Serial(number(0)), expire: number(12), minimum })
    }
}
