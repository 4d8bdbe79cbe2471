//! Who sits on the path to a host of a random signed internet and changes what it says, with all that the zones have signed at
//! hand, but not their keys.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use namu::dns::{Name, QuestionRef, RrType, Rrset};

use crate::internet::FORGED_ADDRESS;
use crate::random_signed_tree::{Grown, Tree, suffix};
use crate::signed_zone::{SignedZone, Signing};
use crate::signing::rrset;
use crate::tamper::{Message, Record, Tamper};

/// What a liar does.
pub const LIES: [(&str, Lie); 20] = [
    ("strips signatures", |_, _, said| said.records.retain(|record| record.rr_type != RrType::RRSIG)),
    ("strips proofs", |_, _, said| said.records.retain(|record| !is_proof(record))),
    ("forges addresses", forge_addresses),
    ("answers unsigned", answer_unsigned),
    ("denies the name bare", |_, _, said| deny_bare(3, said)),
    ("denies the type bare", |_, _, said| deny_bare(0, said)),
    ("denies the name with proofs", |liar, asked, said| deny(3, liar, asked, said)),
    ("denies the type with proofs", |liar, asked, said| deny(0, liar, asked, said)),
    ("denies keys told", deny_ds),
    ("expands a wildcard", expand),
    ("has keys of its own", with_own_keys),
    ("bends signatures", bend),
    ("gives another's data", give_others),
    ("makes an alias", make_alias),
    ("leads on", lead_on),
    ("leads to nothing", lead_to_nothing),
    ("delegates", delegate),
    ("swaps proofs", swap_proofs),
    ("prolongs", |_, _, said| said.records.iter_mut().for_each(|record| record.ttl = 604_800)),
    ("adds bad signatures", add_bad_signatures),
];

/// One way to lie.
pub type Lie = fn(&Liar<'_>, QuestionRef<'_>, &mut Message);

/// A liar and what it knows of the zone that is asked about.
pub struct Liar<'t> {
    zone: &'t Grown,
    tree: &'t Tree,
    /// Decides all; for the same question it is the same.
    chance: u64,
}

/// A liar who lies so, by the place in `LIES`, to about so many questions of a hundred.
pub fn liar(lie: usize, percent: u64, seed: u64, tree: Arc<Tree>) -> Tamper {
    let (name, lie) = LIES[lie];
    Arc::new(move |asked, said: &mut Message| {
        let mut hasher = DefaultHasher::new();
        (seed, asked.name.octets().to_ascii_lowercase(), asked.rr_type.0).hash(&mut hasher);
        let chance = hasher.finish();
        if chance % 100 >= percent {
            return;
        }
        let mut at = tree.zone_of(&asked.name.to_name());
        if let (RrType::DS, Some(parent)) = (asked.rr_type, tree.zones[at].parent) {
            at = parent;
        }
        let truth = said.clone();
        lie(&Liar { zone: &tree.zones[at], tree: &tree, chance: chance / 100 }, asked, said);
        if *said != truth {
            tree.lied.lock().unwrap().insert(name);
        }
    })
}

impl Liar<'_> {
    fn rrsets(&self) -> &[Rrset] {
        &self.zone.made.signed.rrsets
    }

    /// The SOA RRset and some of what the zone has to deny with.
    fn proofs(&self) -> Vec<&Rrset> {
        let all: Vec<&Rrset> = self.rrsets().iter().filter(|rrset| rrset.rr_type.is_proof()).collect();
        let soa = self.rrsets().iter().filter(|rrset| rrset.rr_type == RrType::SOA);
        let first = self.chance as usize % all.len().max(1);
        soa.chain(all.iter().copied().cycle().skip(first).take(all.len().min(8))).collect()
    }

    fn own(&self, label: &str, rr_type: RrType) -> Option<&Rrset> {
        let owner: Name = format!("{label}{}", suffix(&self.zone.apex.to_string())).parse().unwrap();
        self.rrsets().iter().find(|rrset| rrset.owner == owner && rrset.rr_type == rr_type)
    }
}

fn is_proof(record: &Record) -> bool {
    let covered = || u16::from_be_bytes([record.rdata[0], record.rdata[1]]);
    record.rr_type.is_proof() || record.rr_type == RrType::RRSIG && RrType(covered()).is_proof()
}

fn answer_with(rrsets: &[&Rrset], owner: Option<&Name>, said: &mut Message) {
    (said.rcode, said.authoritative) = (0, true);
    said.records.clear();
    for rrset in rrsets {
        let mut moved = Rrset::clone(rrset);
        moved.owner = owner.unwrap_or(&rrset.owner).clone();
        said.push(1, moved.view());
    }
}

fn forge_addresses(_: &Liar<'_>, _: QuestionRef<'_>, said: &mut Message) {
    let addresses =
        said.records.iter_mut().filter(|record| record.rr_type == RrType::A && record.section == 1);
    addresses.for_each(|record| record.rdata = FORGED_ADDRESS.to_vec());
}

fn answer_unsigned(_: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    if asked.rr_type == RrType::A {
        answer_with(&[&forged(&asked.name.to_name())], None, said);
    }
}

fn forged(owner: &Name) -> Rrset {
    rrset(&format!("{owner} 3600 A 203.0.113.66\n"))
}

fn deny_bare(rcode: u16, said: &mut Message) {
    (said.rcode, said.authoritative) = (rcode, true);
    said.records.retain(|record| record.section == 2 && record.rr_type == RrType::SOA);
}

fn deny(rcode: u16, liar: &Liar<'_>, _: QuestionRef<'_>, said: &mut Message) {
    (said.rcode, said.authoritative) = (rcode, true);
    said.records.clear();
    liar.proofs().iter().for_each(|rrset| said.push(2, rrset.view()));
}

fn deny_ds(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    if asked.rr_type == RrType::DS {
        return deny(0, liar, asked, said);
    }
    let is_of_ds = |record: &Record| {
        let covered = || u16::from_be_bytes([record.rdata[0], record.rdata[1]]);
        record.rr_type == RrType::DS || record.rr_type == RrType::RRSIG && covered() == RrType::DS.0
    };
    if said.records.iter().any(is_of_ds) {
        said.records.retain(|record| !is_of_ds(record));
        liar.proofs().iter().skip(1).for_each(|rrset| said.push(2, rrset.view()));
    }
}

fn expand(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    let label = if liar.chance.is_multiple_of(2) { "*.wild" } else { "*.walias" };
    let rr_type = if liar.chance.is_multiple_of(2) { RrType::A } else { RrType::CNAME };
    if let Some(wild) = liar.own(label, rr_type) {
        answer_with(&[wild], Some(&asked.name.to_name()), said);
        liar.proofs().iter().skip(1).for_each(|rrset| said.push(2, rrset.view()));
    }
}

fn with_own_keys(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    let honest = &liar.zone.made.signed.signing;
    let signing = Signing { generation: 66, ..honest.clone() };
    let text = format!("{} 3600 A 203.0.113.66\n", asked.name);
    let apex = liar.zone.apex.to_string();
    let soa = format!("{apex} 3600 SOA ns. h. 1 3600 600 86400 60\n{apex} 3600 NS ns.evil.test.\n");
    match asked.rr_type {
        RrType::DNSKEY => {
            let own = SignedZone::new(&apex, &soa, signing);
            answer_with(&[own.rrset(&apex, RrType::DNSKEY)], None, said);
        }
        RrType::A if asked.name != liar.zone.apex.as_ref() => {
            let own = SignedZone::new(&apex, &format!("{soa}{text}"), signing);
            answer_with(&[own.rrset(&asked.name.to_string(), RrType::A)], None, said);
        }
        _ => {}
    }
}

/// Otherwise than a zone's own owner did, or they would be good again.
fn bend(_: &Liar<'_>, _: QuestionRef<'_>, said: &mut Message) {
    let signatures = said.records.iter_mut().filter(|record| record.rr_type == RrType::RRSIG);
    signatures.for_each(|record| *record.rdata.last_mut().unwrap() ^= 0x20);
}

fn give_others(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    let label = ["www", "zz", "host.wild"][liar.chance as usize % 3];
    if let (RrType::A, Some(other)) = (asked.rr_type, liar.own(label, RrType::A)) {
        answer_with(&[other], Some(&asked.name.to_name()), said);
    }
}

fn make_alias(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    let zones = &liar.tree.zones;
    let target = suffix(&zones[liar.chance as usize % zones.len()].apex.to_string());
    if asked.name.label_count() > 0 && !matches!(asked.rr_type, RrType::DS | RrType::DNSKEY) {
        answer_with(&[&rrset(&format!("{} 3600 CNAME www{target}\n", asked.name))], None, said);
    }
}

/// An alias for a name of any zone, and data for that.
fn lead_on(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    make_alias(liar, asked, said);
    let target = said.records.iter().find(|record| record.rr_type == RrType::CNAME);
    if let Some(target) = target.and_then(|alias| Name::from_wire(&alias.rdata).ok()) {
        said.push(1, forged(&target).view());
    }
}

/// An alias for a name of any zone, and what that zone has to deny with.
fn lead_to_nothing(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    make_alias(liar, asked, said);
    let zones = &liar.tree.zones;
    let zone = &zones[liar.chance as usize % zones.len()];
    said.rcode = if liar.chance.is_multiple_of(2) { 0 } else { 3 };
    Liar { zone, ..*liar }.proofs().iter().for_each(|rrset| said.push(2, rrset.view()));
}

/// What is asked for is said to be another zone, unsigned, which this host has too.
fn delegate(liar: &Liar<'_>, asked: QuestionRef<'_>, said: &mut Message) {
    let apex = liar.zone.apex.as_ref();
    if matches!(asked.rr_type, RrType::DS | RrType::DNSKEY) {
        return deny_ds(liar, asked, said);
    }
    let made_up = asked.name.trim_to(apex.label_count() + 1);
    if liar.chance.is_multiple_of(3) || !made_up.is_below(apex) {
        return answer_unsigned(liar, asked, said);
    }
    (said.rcode, said.authoritative) = (0, false);
    said.records.clear();
    let address = liar.zone.hosts[0].trim_start_matches("host ");
    said.push(2, rrset(&format!("{made_up} 3600 NS ns.{made_up}\n")).view());
    liar.proofs().iter().skip(1).take(4).for_each(|rrset| said.push(2, rrset.view()));
    said.push(3, rrset(&format!("ns.{made_up} 3600 A {address}\n")).view());
}

fn swap_proofs(liar: &Liar<'_>, _: QuestionRef<'_>, said: &mut Message) {
    if said.records.iter().any(is_proof) {
        said.records.retain(|record| !is_proof(record));
        liar.proofs().iter().skip(1).for_each(|rrset| said.push(2, rrset.view()));
    }
}

/// Before each good signature stand as many that fit but for their last octet.
fn add_bad_signatures(liar: &Liar<'_>, _: QuestionRef<'_>, said: &mut Message) {
    let mut records = Vec::new();
    for record in said.records.drain(..) {
        if record.rr_type == RrType::RRSIG {
            for number in 0..1 + liar.chance % 12 {
                let mut bad = record.clone();
                *bad.rdata.last_mut().unwrap() ^= 0x10 + number as u8;
                records.push(bad);
            }
        }
        records.push(record);
    }
    said.records = records;
}
