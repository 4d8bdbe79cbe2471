//! Random trees of zones: how each is signed, what its parent says of its keys, and what is wrong with it.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use namu::clock::{Now, Unix};
use namu::dns::{Name, RrType};
use namu::dnssec::DigestType;
use namu::validator::{NegativeAnchor, TrustAnchors};
use namu::zone::Zone;
use proptest::prelude::*;

use crate::internet::{Internet, zone_of};
use crate::signed::{ds_of, spoil_rrset};
use crate::signed_zone::{ChainKind, SignedZone, Signing};

/// Signatures and negative trust anchors that end while the internet is looked at end so long after its beginning.
pub const ENDS: u64 = 4 * 3600;

/// How a zone is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Sound,
    Unsigned,
    Expired,
    Future,
    /// Its signatures end while it is looked at.
    Ending,
    /// By an algorithm nobody knows.
    Unknown,
}

/// How it proves what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    Nsec,
    Nsec3,
    Salted,
    /// With as many iterations as are checked.
    Dear,
    /// With one more.
    TooDear,
    OptOut,
}

/// What the zone above says of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Right,
    None,
    Wrong,
    /// By a digest nobody knows.
    Unknown,
}

/// How the one RRset is spoilt that may be, `bad A`.
pub const SPOILS: [&[&str]; 8] = [
    &[],
    &["ends", "-1h"],
    &["begins", "20d"],
    &["bent"],
    &["unsigned"],
    &["by-stranger"],
    &["number", "253"],
    &["changed", "192.0.2.99"],
];

/// One zone.
#[derive(Debug, Clone)]
pub struct ZonePlan {
    /// Its place in the tree: below one of those before it.
    pub parent: usize,
    /// Below a name that owns nothing.
    pub is_deep: bool,
    pub how: How,
    pub chain: Chain,
    pub told: Told,
    /// By its place in `SPOILS`.
    pub spoil: usize,
    /// Its parent's servers have it too.
    pub is_shared: bool,
    pub servers: usize,
    /// Where its aliases lead.
    pub targets: (usize, usize, usize),
}

/// Where trust begins, and where it does not. Zones by their place.
#[derive(Debug, Clone)]
pub struct AnchorPlan {
    pub has_root: bool,
    pub islands: Vec<usize>,
    /// And whether it ends.
    pub negative: Vec<(usize, bool)>,
}

/// The first is the root, which is sound, whatever is said of its place.
pub fn zone_plans() -> impl Strategy<Value = Vec<ZonePlan>> {
    use How::*;
    let hows = vec![
        Sound, Sound, Sound, Sound, Sound, Sound, Sound, Unsigned, Unsigned, Expired, Future, Ending, Unknown,
    ];
    let chains = vec![
        Chain::Nsec,
        Chain::Nsec,
        Chain::Nsec3,
        Chain::Salted,
        Chain::Dear,
        Chain::TooDear,
        Chain::OptOut,
        Chain::OptOut,
    ];
    let told = vec![
        Told::Right,
        Told::Right,
        Told::Right,
        Told::Right,
        Told::Right,
        Told::None,
        Told::None,
        Told::Wrong,
        Told::Unknown,
    ];
    let spoils = prop_oneof![2 => Just(0), 3 => 1..SPOILS.len()];
    let targets = (0..9usize, 0..9usize, 0..9usize);
    let signed = (prop::sample::select(hows), prop::sample::select(chains), prop::sample::select(told));
    let place = (0..9usize, any::<bool>(), prop::bool::weighted(0.25), 1..3usize);
    let zone = (place, signed, spoils, targets).prop_map(
        |((parent, is_deep, is_shared, servers), (how, chain, told), spoil, targets)| ZonePlan {
            parent,
            is_deep,
            how,
            chain,
            told,
            spoil,
            is_shared,
            servers,
            targets,
        },
    );
    prop::collection::vec(zone, 4..9).prop_map(|mut zones| {
        // Without keys of its own the root would be the end of all.
        zones[0].how = Sound;
        zones
    })
}

pub fn anchor_plans() -> impl Strategy<Value = AnchorPlan> {
    let islands = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(1..9usize, 1..3)];
    let negative =
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((1..9usize, any::<bool>()), 1..3)];
    (prop::bool::weighted(0.93), islands, negative).prop_map(|(has_root, islands, negative)| AnchorPlan {
        has_root,
        islands,
        negative,
    })
}

/// A zone of the tree.
pub struct Grown {
    pub plan: ZonePlan,
    pub apex: Name,
    pub parent: Option<usize>,
    pub made: Arc<Made>,
    /// Its hosts.
    pub hosts: Vec<String>,
}

/// A zone as it is served.
pub struct Made {
    pub signed: SignedZone,
    /// All its records; without signatures and chain when it is not signed.
    pub records: Vec<(Name, RrType, Vec<u8>)>,
    zone: Arc<Zone>,
    ds: String,
}

/// The zones that were made so far, by all that decides what is in them. Many internets have the same.
#[derive(Default)]
pub struct Catalogue {
    made: HashMap<String, Arc<Made>>,
}

/// A tree, served.
pub struct Tree {
    pub zones: Vec<Grown>,
    pub anchors: Vec<Name>,
    pub negative: Vec<NegativeAnchor>,
    pub began: u64,
    /// The lies that have changed anything.
    pub lied: Mutex<BTreeSet<&'static str>>,
}

impl Tree {
    pub fn grow(
        plans: &[ZonePlan],
        anchors: &AnchorPlan,
        internet: &Internet,
        known: &mut Catalogue,
        now: Now,
    ) -> Tree {
        let places = Places::of(plans);
        let mut made: Vec<Option<Arc<Made>>> = plans.iter().map(|_| None).collect();
        for at in (0..plans.len()).rev() {
            let mut text = places.text(at, plans);
            for child in (at + 1..plans.len()).filter(|child| places.parents[*child] == Some(at)) {
                text += &places.delegation(child);
                text += &made[child].as_ref().expect("children come first").ds;
            }
            made[at] = Some(known.make(&places.apexes[at], text, &plans[at], now));
        }
        let mut zones: Vec<Grown> = Vec::new();
        for (at, made) in made.into_iter().enumerate() {
            let (made, apex) = (made.expect("each was made"), places.apexes[at].parse().unwrap());
            let servers = &places.servers[at];
            let hosts = servers.iter().map(|address| format!("host {address}")).collect::<Vec<_>>();
            for (host, address) in hosts.iter().zip(servers) {
                internet.serve_zone(host, *address, made.zone.clone());
            }
            zones.push(Grown { plan: plans[at].clone(), apex, parent: places.parents[at], made, hosts });
        }
        let began = now.unix.seconds();
        let place = |at: usize| zones[at % zones.len()].apex.clone();
        let islands = anchors.islands.iter().map(|at| place(*at));
        let root = (anchors.has_root || anchors.islands.is_empty()).then(Name::root);
        let until = |ends: bool| ends.then(|| Unix::of_seconds(began + ENDS));
        let negative = anchors
            .negative
            .iter()
            .map(|(at, ends)| NegativeAnchor { apex: place(*at), until: until(*ends) });
        let (anchors, negative) = (root.into_iter().chain(islands).collect(), negative.collect());
        let mut tree = Tree { zones, anchors, negative, began, lied: Mutex::default() };
        // Of two at the same name one counts.
        tree.negative.sort_by_key(|negative| (negative.apex.to_string(), negative.until.is_some()));
        tree.negative.dedup_by_key(|negative| negative.apex.clone());
        tree
    }

    pub fn trust_anchors(&self) -> TrustAnchors {
        let mut anchors = TrustAnchors::none();
        for apex in &self.anchors {
            let zone = self.zones.iter().find(|zone| zone.apex == *apex).expect("anchors are for zones");
            let ds = zone.made.signed.key_signing().ds(apex, DigestType::SHA256);
            anchors.insert(apex.as_ref(), RrType::DS, &ds).unwrap();
        }
        anchors.with_negative(self.negative.clone())
    }

    /// The zone a name is in.
    pub fn zone_of(&self, name: &Name) -> usize {
        let above = self
            .zones
            .iter()
            .enumerate()
            .filter(|(_, zone)| name.as_ref().is_at_or_below(zone.apex.as_ref()));
        above.max_by_key(|(_, zone)| zone.apex.as_ref().label_count()).expect("the root is above all").0
    }
}

/// Who is below whom, and who has it.
struct Places {
    apexes: Vec<String>,
    parents: Vec<Option<usize>>,
    servers: Vec<Vec<IpAddr>>,
}

impl Places {
    fn of(plans: &[ZonePlan]) -> Places {
        let mut places =
            Places { apexes: vec![".".into()], parents: vec![None], servers: vec![vec![lab_root()]] };
        for (at, plan) in plans.iter().enumerate().skip(1) {
            let mut parent = plan.parent % at;
            // Not deeper than four zones.
            while places.depth(parent) >= 3 {
                parent = places.parents[parent].expect("the root is not that deep");
            }
            let label = if plan.is_deep { format!("z{at}.e{at}") } else { format!("z{at}") };
            places.apexes.push(format!("{label}{}", suffix(&places.apexes[parent])));
            places.parents.push(Some(parent));
            let own = |number| IpAddr::from(Ipv4Addr::new(198, 51, at as u8, 1 + number as u8));
            places.servers.push(match plan.is_shared {
                true => places.servers[parent].clone(),
                false => (0..plan.servers).map(own).collect(),
            });
        }
        places
    }

    fn depth(&self, at: usize) -> usize {
        self.parents[at].map_or(0, |parent| 1 + self.depth(parent))
    }

    /// Its name servers and their addresses, as the zone and its parent have them.
    fn delegation(&self, at: usize) -> String {
        let apex = &self.apexes[at];
        let record = |(number, address): (usize, &IpAddr)| {
            format!("{apex} 3600 NS ns{number}{0}\nns{number}{0} 3600 A {address}\n", suffix(apex))
        };
        self.servers[at].iter().enumerate().map(record).collect()
    }

    fn text(&self, at: usize, plans: &[ZonePlan]) -> String {
        let (apex, plan) = (&self.apexes[at], &plans[at]);
        let target = |to: usize| &self.apexes[to % plans.len()];
        let (first, second, third) = plan.targets;
        let body = format!(
            "@ SOA ns0~ h~ 1 3600 600 86400 600\nwww~ A 192.0.2.{at}\nwww~ TXT x\nalias~ CNAME www{0}\n\
             gone~ CNAME nx{1}\nwildly~ CNAME a.wild{0}\nd~ DNAME {2}\n*.wild~ A 192.0.2.1{at}\n\
             host.wild~ A 192.0.2.2{at}\nx.host.wild~ A 192.0.2.3{at}\n*.walias~ CNAME www{1}\nb.ent~ A 192.0.2.4{at}\n\
             bad~ A 192.0.2.5{at}\nonly~ TXT y\nzz~ A 192.0.2.6{at}\n",
            suffix(target(first)),
            suffix(target(second)),
            target(third),
        );
        let line = |line: &str| {
            let (owner, rest) = line.split_once(' ').unwrap();
            let owner = if owner == "@" { apex.clone() } else { owner.replace('~', &suffix(apex)) };
            format!("{owner} 3600 {}\n", rest.replace('~', &suffix(apex)))
        };
        body.lines().map(line).collect::<String>() + &self.delegation(at)
    }
}

/// What stands behind a label below a zone.
pub fn suffix(apex: &str) -> String {
    if apex == "." { ".".into() } else { format!(".{apex}") }
}

fn lab_root() -> IpAddr {
    Ipv4Addr::new(198, 41, 0, 4).into()
}

impl Catalogue {
    fn make(&mut self, apex: &str, text: String, plan: &ZonePlan, now: Now) -> Arc<Made> {
        let key = format!("{text}{:?}{:?}{:?}{}", plan.how, plan.chain, plan.told, plan.spoil);
        let make = || Arc::new(Made::new(apex, &text, plan, now));
        self.made.entry(key).or_insert_with(make).clone()
    }
}

impl Made {
    fn new(apex: &str, text: &str, plan: &ZonePlan, now: Now) -> Made {
        let how = plan.how;
        let mut signing = Signing::at(now.unix.seconds());
        signing.chain = match plan.chain {
            Chain::Nsec => ChainKind::Nsec,
            Chain::Nsec3 => nsec3(0, &[], false),
            Chain::Salted => nsec3(5, b"salt", false),
            Chain::Dear => nsec3(namu::limits::NSEC3_ITERATIONS_CHECKED, &[], false),
            Chain::TooDear => nsec3(namu::limits::NSEC3_ITERATIONS_CHECKED + 1, &[], false),
            Chain::OptOut => nsec3(0, &[], true),
        };
        let seconds = now.unix.seconds() as u32;
        match how {
            How::Sound | How::Unsigned => {}
            How::Expired => (signing.inception, signing.expiration) = (seconds - 7200, seconds - 3600),
            How::Future => signing.inception = seconds + 20 * 86_400,
            How::Ending => signing.expiration = seconds + ENDS as u32,
            How::Unknown => signing.number = Some(253),
        }
        let mut signed = SignedZone::new(apex, text, signing);
        let words = SPOILS[plan.spoil];
        if how != How::Unsigned && !words.is_empty() {
            spoil_rrset(&mut signed, (&format!("bad{}", suffix(apex)), RrType::A), words, now).unwrap();
        }
        let ds = match plan.told {
            Told::Right => "sha256",
            Told::None => "none",
            Told::Wrong => "wrong",
            Told::Unknown => "77",
        };
        let ds = ds_of(&signed, ds).unwrap();
        let is_signed = how != How::Unsigned;
        let text = if is_signed { signed.text() } else { text.to_string() };
        let rrsets = if is_signed { signed.rrsets.clone() } else { crate::signing::rrsets(&text) };
        let records = rrsets.iter().flat_map(|rrset| {
            let record = |rdata: &[u8]| (rrset.owner.clone(), rrset.rr_type, rdata.to_vec());
            rrset.records().iter().map(record).collect::<Vec<_>>()
        });
        let zone = zone_of(apex, &text).unwrap().into();
        Made { records: records.collect(), zone, ds, signed }
    }
}

fn nsec3(iterations: u16, salt: &[u8], opt_out: bool) -> ChainKind {
    ChainKind::Nsec3 { iterations, salt: salt.to_vec(), opt_out }
}
