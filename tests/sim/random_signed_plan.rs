//! What happens on random signed internets: what they are like, what is wrong on the way, and what is asked.

use namu::dns::{Question, RrType};
use proptest::prelude::*;

use crate::random_signed_liars::LIES;
use crate::random_signed_tree::{AnchorPlan, Tree, ZonePlan, anchor_plans, suffix, zone_plans};

/// What may be wrong with a host, apart from lies.
pub const FAULTS: [&[&str]; 12] = [
    &["loss", "30"],
    &["drops", "2"],
    &["delay", "700"],
    &["duplicates"],
    &["truncates"],
    &["wrong-id"],
    &["wrong-question"],
    &["poisons"],
    &["lies"],
    &["strays"],
    &["silent"],
    &["swells"],
];

/// Names to ask for, each below the apex of a zone; `@` is the apex, and `^` what the parent calls an empty non-terminal above it.
const NAMES: [&str; 28] = [
    "@",
    "^",
    "www",
    "www",
    "alias",
    "gone",
    "wildly",
    "www.d",
    "nx.d",
    "d",
    "a.wild",
    "b.wild",
    "c.b.wild",
    "wild",
    "host.wild",
    "y.host.wild",
    "a.walias",
    "b.walias",
    "b.ent",
    "ent",
    "nx.ent",
    "bad",
    "bad",
    "only",
    "nx",
    "a.nx",
    "zzz",
    "*.wild",
];

const TYPES: [RrType; 14] = [
    RrType::A,
    RrType::A,
    RrType::A,
    RrType::A,
    RrType::A,
    RrType::TXT,
    RrType::AAAA,
    RrType::DS,
    RrType::DNSKEY,
    RrType::NS,
    RrType::CNAME,
    RrType::ANY,
    RrType::NSEC,
    RrType::SOA,
];

/// A random internet and what happens on it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub zones: Vec<ZonePlan>,
    pub anchors: AnchorPlan,
    pub trouble: Trouble,
    pub acts: Vec<Act>,
}

/// What is wrong on the way.
#[derive(Debug, Clone)]
pub enum Trouble {
    None,
    /// Of hosts of zones, by its place in `FAULTS`.
    Faults(Vec<(usize, usize)>),
    /// Of hosts of zones, by its place in `LIES`, and of so many questions of a hundred.
    Lies(Vec<(usize, usize, u64)>),
}

#[derive(Debug, Clone)]
pub enum Act {
    /// At the same instant.
    Ask(Vec<Asked>),
    /// One after the other.
    Walk(Vec<Asked>),
    Later(u64),
    /// Past the end of all that ends, and of all that is kept.
    End,
}

/// A question, and how it is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub zone: usize,
    pub name: usize,
    pub rr_type: usize,
    pub dnssec_ok: bool,
    pub checking_disabled: bool,
}

pub fn plans() -> impl Strategy<Value = Plan> {
    let faults = prop::collection::vec((0..9usize, 0..FAULTS.len()), 1..6).prop_map(Trouble::Faults);
    let percent = prop::sample::select(vec![100u64, 100, 50]);
    let lies = prop::collection::vec((0..9usize, 0..LIES.len(), percent), 1..4).prop_map(Trouble::Lies);
    let trouble = prop_oneof![4 => Just(Trouble::None), 2 => faults, 4 => lies];
    let asked = (0..9usize, 0..NAMES.len(), 0..TYPES.len(), any::<bool>(), prop::bool::weighted(0.12));
    let asked = asked.prop_map(|(zone, name, rr_type, dnssec_ok, checking_disabled)| Asked {
        zone,
        name,
        rr_type,
        dnssec_ok,
        checking_disabled,
    });
    let walked = asked.clone();
    let ask =
        prop_oneof![6 => prop::collection::vec(asked.clone(), 1..2), 1 => prop::collection::vec(asked, 2..4)];
    // Names of one zone, so that what is proven of some answers for others.
    let walk = (0..9usize, prop::collection::vec(walked, 4..9)).prop_map(|(zone, asked)| {
        Act::Walk(asked.into_iter().map(|asked| Asked { zone, ..asked }).collect())
    });
    let later = (1..600u64).prop_map(Act::Later);
    let act = prop_oneof![14 => ask.prop_map(Act::Ask), 2 => walk, 3 => later];
    let acts = (prop::collection::vec(act.clone(), 6..16), any::<bool>(), prop::collection::vec(act, 2..6));
    let acts = acts.prop_map(|(mut first, ends, then)| {
        if ends {
            first.push(Act::End);
            first.extend(then);
        }
        first
    });
    (any::<u64>(), zone_plans(), anchor_plans(), trouble, acts)
        .prop_map(|(seed, zones, anchors, trouble, acts)| Plan { seed, zones, anchors, trouble, acts })
}

impl Asked {
    /// In a tree.
    pub fn question(&self, tree: &Tree) -> Question {
        let zone = &tree.zones[self.zone % tree.zones.len()];
        let apex = zone.apex.to_string();
        let name = match NAMES[self.name] {
            "@" => apex,
            "^" => zone.apex.as_ref().parent().map_or(apex, |parent| parent.to_string()),
            label => format!("{label}{}", suffix(&apex)),
        };
        let rr_type = match (TYPES[self.rr_type], NAMES[self.name]) {
            // Which of many there are is the servers' choice; where it is clear what may come, any will do.
            (RrType::NSEC, name) if !matches!(name, "@" | "www" | "only" | "bad") => RrType::AAAA,
            (RrType::ANY, name) if !matches!(name, "@" | "www" | "ent" | "nx") => RrType::A,
            (rr_type, _) => rr_type,
        };
        Question::new(name.parse().unwrap(), rr_type)
    }
}
