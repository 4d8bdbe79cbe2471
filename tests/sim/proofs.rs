//! Proofs that prove nothing: the records are genuine, each was signed by its zone, and together they say what is not so.

use std::sync::Arc;

use namu::cache::{Cache, CacheOptions};
use namu::dns::{RrType, Rrset};
use namu::dnssec::{DigestType, Rrsig};
use namu::validator::TrustAnchors;

use crate::lab::{Lab, beginning, example, message, moved, trusting};
use crate::signed_zone::{ChainKind, SignedZone, Signing};
use crate::signing::{rrset, with_signatures};
use crate::tamper::Message;

const RECORDS: &str = "www.example. 3600 A 192.0.2.80\nalias.example. 3600 CNAME www.example.\n\
    *.wild.example. 3600 A 192.0.2.83\nhost.wild.example. 3600 A 192.0.2.84\nx.host.wild.example. 3600 A 192.0.2.85\n\
    *.walias.example. 3600 CNAME www.example.\nhost.walias.example. 3600 A 192.0.2.86\n\
    d.example. 3600 DNAME www.example.\nsub.example. 3600 NS ns.sub.example.\nns.sub.example. 3600 A 192.0.2.53\n\
    zz.example. 3600 A 192.0.2.87\n";

fn nsec3() -> Signing {
    let chain = ChainKind::Nsec3 { iterations: 0, salt: vec![], opt_out: false };
    Signing { chain, ..Signing::at(beginning()) }
}

fn nsec() -> Signing {
    Signing::at(beginning())
}

/// Says it; the first answer and the second must be no better than insecure, and what is true of another name stays so.
fn is_refused(case: &str, mut lab: Lab, asked: &str, lie: Message) {
    let (host, names_are_hidden) = if asked.ends_with("DS") { ("root", true) } else { ("ns", false) };
    lab.say_as(host, asked, lie);
    for time in ["first", "second"] {
        let told = lab.ask(asked);
        assert!(told.starts_with("bogus") || told.starts_with("insecure"), "{case}, {time}: {told}");
    }
    if names_are_hidden {
        return;
    }
    // What was said is used for nothing else.
    for (other, want) in [("zz.example. A", "secure NOERROR"), ("nothing.example. A", "secure NXDOMAIN")] {
        assert_eq!(lab.ask(other), want, "{case}, {other}");
    }
    // And the other way about: what is known already does not make the lie better.
    lab.afresh();
    assert_eq!(lab.ask("zz.example. A"), "secure NOERROR", "{case}");
    let told = lab.ask(asked);
    assert!(told.starts_with("bogus") || told.starts_with("insecure"), "{case}, warm: {told}");
}

fn zone(signing: Signing) -> SignedZone {
    example(RECORDS, signing)
}

fn get(zone: &SignedZone, owner: &str, rr_type: RrType) -> Rrset {
    zone.rrset(owner, rr_type).clone()
}

#[test]
fn a_wildcard_does_not_answer_for_a_name_that_exists() {
    let zone = zone(nsec());
    let wild = moved(&get(&zone, "*.wild.example.", RrType::A), "host.wild.example.");
    is_refused("without proof", Lab::new(zone), "host.wild.example. A", message(0, &[&wild], &[]));

    let zone = self::zone(nsec());
    let own = get(&zone, "host.wild.example.", RrType::NSEC);
    is_refused("with its own NSEC", Lab::new(zone), "host.wild.example. A", message(0, &[&wild2()], &[&own]));

    let zone = self::zone(nsec());
    let before = get(&zone, "*.wild.example.", RrType::NSEC);
    let lie = message(0, &[&wild2()], &[&before]);
    is_refused("with the NSEC before it", Lab::new(zone), "host.wild.example. A", lie);
}

fn wild2() -> Rrset {
    moved(&get(&zone(nsec()), "*.wild.example.", RrType::A), "host.wild.example.")
}

#[test]
fn a_wildcard_does_not_answer_below_a_nearer_name() {
    let zone = zone(nsec());
    let wild = moved(&get(&zone, "*.wild.example.", RrType::A), "y.host.wild.example.");
    // It covers the name, and shows that `host.wild` exists.
    let cover = get(&zone, "x.host.wild.example.", RrType::NSEC);
    is_refused("NSEC", Lab::new(zone), "y.host.wild.example. A", message(0, &[&wild], &[&cover]));

    let zone = self::zone(nsec3());
    let wild = moved(&get(&zone, "*.wild.example.", RrType::A), "y.host.wild.example.");
    let all: Vec<Rrset> =
        zone.rrsets.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3).cloned().collect();
    let all: Vec<&Rrset> = all.iter().take(9).collect();
    is_refused("NSEC3", Lab::new(zone), "y.host.wild.example. A", message(0, &[&wild], &all));
}

#[test]
fn an_nsec_made_from_a_wildcard_proves_nothing() {
    let zone = zone(nsec());
    let soa = get(&zone, "example.", RrType::SOA);
    let expanded = moved(&get(&zone, "*.wild.example.", RrType::NSEC), "a.wild.example.");
    let lie = message(3, &[], &[&soa, &expanded]);
    is_refused("NXDOMAIN", Lab::new(zone), "b.wild.example. A", lie);
    let zone = self::zone(nsec());
    let expanded = moved(&get(&zone, "*.wild.example.", RrType::NSEC), "host.wild.example.");
    let lie = message(0, &[], &[&soa, &expanded]);
    is_refused("NODATA", Lab::new(zone), "host.wild.example. AAAA", lie);
}

#[test]
fn an_nsec_whose_next_name_is_out_of_its_zone_proves_nothing() {
    let mut zone = zone(nsec());
    zone.change("zz.example.", RrType::NSEC, |zone, old| {
        let types = &old.records().first().unwrap()[zone.apex.octets().len()..];
        let rdata = [b"\x03zzz\x04evil\0", types].concat();
        let records = [&rdata[..]].into_iter().collect();
        Rrset::new(old.owner.clone(), old.rr_type, old.ttl, records, Default::default())
    });
    let key =
        zone.zone_signing().sign(zone.rrset("zz.example.", RrType::NSEC), zone.apex.as_ref(), zone.period());
    zone.set_signatures("zz.example.", RrType::NSEC, &[key]);
    let (soa, last) = (get(&zone, "example.", RrType::SOA), get(&zone, "zz.example.", RrType::NSEC));
    let own = get(&zone, "example.", RrType::NSEC);
    let lab = Lab::new(zone);
    lab.say("zzz.example. A", message(3, &[], &[&soa, &last, &own]));
    for _ in 0..2 {
        assert_eq!(lab.ask("zzz.example. A"), "bogus SERVFAIL 12");
    }
}

#[test]
fn the_parents_nsec_at_a_cut_says_nothing_of_the_child() {
    let lab = Lab::new(zone(nsec()));
    let soa = get(&lab.example, "example.", RrType::SOA);
    let at_cut = get(&lab.root, "example.", RrType::NSEC);
    is_refused("NXDOMAIN", lab, "www.example. A", message(3, &[], &[&soa, &at_cut]));
    let lab = Lab::new(zone(nsec()));
    is_refused("NODATA", lab, "example. A", message(0, &[], &[&soa, &at_cut]));
}

#[test]
fn the_childs_own_record_does_not_deny_its_ds() {
    for signing in [nsec(), nsec3()] {
        let zone = zone(signing);
        let soa = get(&zone, "example.", RrType::SOA);
        let proofs: Vec<Rrset> = zone
            .rrsets
            .iter()
            .filter(|rrset| matches!(rrset.rr_type, RrType::NSEC | RrType::NSEC3))
            .take(9)
            .cloned()
            .collect();
        let all: Vec<&Rrset> = [&soa].into_iter().chain(&proofs).collect();
        is_refused("of the child", Lab::new(zone), "example. DS", message(0, &[], &all));
    }
}

#[test]
fn a_missing_ds_is_not_made_of_a_name_that_is_no_cut() {
    // `sub` has no DS, so it is insecure; a proof that it is no delegation at all must not make it part of the zone.
    let zone = zone(nsec3());
    let soa = get(&zone, "example.", RrType::SOA);
    let proofs: Vec<Rrset> =
        zone.rrsets.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3).take(9).cloned().collect();
    let all: Vec<&Rrset> = [&soa].into_iter().chain(&proofs).collect();
    let forged = rrset("www.example. 3600 A 203.0.113.66\n");
    is_refused("unsigned data", Lab::new(zone), "www.example. A", message(0, &[&forged], &all));
}

#[test]
fn the_nsec3_of_another_zone_proves_nothing() {
    let zone = zone(nsec3());
    let sub = SignedZone::new(
        "sub.example.",
        "sub.example. 3600 SOA ns h 1 2 3 4 60\nsub.example. 3600 NS ns.sub.example.\n",
        nsec3(),
    );
    let soa = get(&zone, "example.", RrType::SOA);
    let foreign: Vec<&Rrset> = sub.rrsets.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3).collect();
    let all: Vec<&Rrset> = [&soa].into_iter().chain(foreign.iter().copied()).collect();
    is_refused("NXDOMAIN", Lab::new(zone), "www.example. A", message(3, &[], &all));
    // Under the name of this zone, with the signature of that.
    let renamed: Vec<Rrset> = foreign
        .iter()
        .map(|rrset| {
            let label = rrset.owner.as_ref().first_label().unwrap();
            moved(rrset, &format!("{}.example.", std::str::from_utf8(label).unwrap()))
        })
        .collect();
    let all: Vec<&Rrset> = [&soa].into_iter().chain(&renamed).collect();
    is_refused("renamed", Lab::new(self::zone(nsec3())), "www.example. A", message(3, &[], &all));
}

#[test]
fn a_key_beside_the_trusted_one_is_not_trusted() {
    // RUSTSEC-2025-0006: the zone's keys are there, and one of an attacker's that signed them all.
    let mut forged = example(RECORDS, Signing { generation: 66, ..nsec() });
    let honest = zone(nsec());
    honest.keys.iter().for_each(|key| forged.add_to_keys(&key.dnskey));
    let keys = forged.rrset("example.", RrType::DNSKEY);
    let signature = forged.key_signing().sign(keys, forged.apex.as_ref(), forged.period());
    forged.set_signatures("example.", RrType::DNSKEY, &[signature]);
    let ds = honest.key_signing().ds(&honest.apex, DigestType::SHA256);
    let lab = Lab::with_ds(forged, &[ds]);
    for asked in ["example. DNSKEY", "www.example. A", "nothing.example. A", "www.example. A"] {
        assert_eq!(lab.ask(asked).split(' ').next(), Some("bogus"), "{asked}");
    }
}

#[test]
fn an_alias_made_from_a_wildcard_needs_proof() {
    for asked in ["host.walias.example. A", "y.walias.example. A"] {
        let zone = zone(nsec());
        let owner = asked.split(' ').next().unwrap();
        let alias = moved(&get(&zone, "*.walias.example.", RrType::CNAME), owner);
        let target = get(&zone, "www.example.", RrType::A);
        is_refused("alone", Lab::new(zone), asked, message(0, &[&alias, &target], &[]));
        let zone = self::zone(nsec());
        is_refused("without target", Lab::new(zone), asked, message(0, &[&alias], &[]));
    }
}

#[test]
fn an_alias_made_from_a_wildcard_needs_proof_where_it_leads_to_a_denial() {
    for signing in [nsec(), nsec3()] {
        for asked in ["host.walias.example. MX", "y.walias.example. MX"] {
            let zone = zone(signing.clone());
            let owner = asked.split(' ').next().unwrap();
            let alias = moved(&get(&zone, "*.walias.example.", RrType::CNAME), owner);
            let lab = Lab::new(zone);
            lab.say(asked, message(0, &[&alias], &[]));
            // Somebody who wants no checking leaves alias and denial, which is true of the target, as one answer.
            lab.resolve_unchecked(asked);
            for time in ["first", "second"] {
                let told = lab.ask(asked);
                assert!(told.starts_with("bogus"), "{asked}, {time}: {told}");
            }
        }
    }
}

#[test]
fn a_name_a_wildcard_answers_for_is_not_denied() {
    let zone = zone(nsec());
    let soa = get(&zone, "example.", RrType::SOA);
    let cover = get(&zone, "x.host.wild.example.", RrType::NSEC);
    let own = get(&zone, "example.", RrType::NSEC);
    is_refused("NXDOMAIN", Lab::new(zone), "z.wild.example. A", message(3, &[], &[&soa, &cover, &own]));
    // RFC 8020: an empty non-terminal exists.
    let zone = self::zone(nsec());
    let before = get(&zone, "alias.example.", RrType::NSEC);
    let others: Vec<Rrset> =
        zone.rrsets.iter().filter(|rrset| rrset.rr_type == RrType::NSEC).take(9).cloned().collect();
    let all: Vec<&Rrset> = [&soa, &before].into_iter().chain(&others).collect();
    is_refused("empty non-terminal", Lab::new(zone), "wild.example. A", message(3, &[], &all));
}

#[test]
fn an_alias_and_a_dname_are_not_denied() {
    // RFC 6840 4.1 and 4.3.
    let zone = zone(nsec());
    let soa = get(&zone, "example.", RrType::SOA);
    let (alias, apex) = (get(&zone, "alias.example.", RrType::NSEC), get(&zone, "example.", RrType::NSEC));
    is_refused("CNAME", Lab::new(zone), "alias.example. MX", message(0, &[], &[&soa, &alias]));
    let zone = self::zone(nsec());
    let dname = get(&zone, "d.example.", RrType::NSEC);
    is_refused("DNAME", Lab::new(zone), "x.d.example. A", message(3, &[], &[&soa, &dname, &apex]));
}

#[test]
fn a_signature_by_a_zone_that_is_not_above_proves_nothing() {
    let zone = zone(nsec());
    let www = get(&zone, "www.example.", RrType::A);
    let other = SignedZone::new("zz.example.", "zz.example. 3600 SOA ns h 1 2 3 4 60\n", nsec());
    for (case, signer) in [("beside", "zz.example."), ("below", "x.www.example."), ("itself", "www.example.")]
    {
        let signer: namu::dns::Name = signer.parse().unwrap();
        let fields = other.zone_signing().fields(&www, signer.as_ref(), other.period());
        let fields = Rrsig { signer: signer.as_ref(), ..fields };
        let signature = other.zone_signing().sign_as(&www, &fields);
        let lie = message(0, &[&with_signatures(www.view(), &[signature])], &[]);
        is_refused(case, Lab::new(self::zone(nsec())), "www.example. A", lie);
    }
}

#[test]
fn a_signature_by_a_zone_above_the_trust_anchor_proves_nothing() {
    // The root is signed and nobody trusts its keys: what it says is no excuse for what is below the anchor.
    let mut lab = Lab::new(zone(nsec()));
    let mut anchors = TrustAnchors::none();
    let ds = lab.example.key_signing().ds(&lab.example.apex, DigestType::SHA256);
    anchors.insert(lab.example.apex.as_ref(), RrType::DS, &ds).unwrap();
    lab.recursion = trusting(&lab.internet, anchors, Arc::new(Cache::new(CacheOptions::default())));
    let root = namu::dns::Name::root();
    let by_root = |rrset: &Rrset| {
        let signature = lab.root.zone_signing().sign(rrset, root.as_ref(), lab.root.period());
        with_signatures(rrset.view(), &[signature])
    };
    let forged = by_root(&rrset("www.example. 3600 A 203.0.113.66\n"));
    let (soa, nsec) = (get(&lab.root, ".", RrType::SOA), get(&lab.root, "example.", RrType::NSEC));
    for (asked, lie) in
        [("www.example. A", message(0, &[&forged], &[])), ("zz.example. A", message(3, &[], &[&soa, &nsec]))]
    {
        lab.say(asked, lie);
        for time in ["first", "second"] {
            let told = lab.ask(asked);
            assert!(told.contains("SERVFAIL"), "{asked}, {time}: {told}");
        }
    }
}

#[test]
fn an_opt_out_span_hides_unsigned_delegations_only() {
    let chain = ChainKind::Nsec3 { iterations: 0, salt: vec![], opt_out: true };
    let zone = zone(Signing { chain, ..nsec() });
    let soa = get(&zone, "example.", RrType::SOA);
    let all: Vec<Rrset> =
        zone.rrsets.iter().filter(|rrset| rrset.rr_type == RrType::NSEC3).take(9).cloned().collect();
    let all: Vec<&Rrset> = [&soa].into_iter().chain(&all).collect();
    // The name has an NSEC3 of its own, so that no span covers it.
    is_refused("NXDOMAIN", Lab::new(self::zone(nsec())), "www.example. A", message(3, &[], &all));
    let lab = Lab::new(zone);
    assert_eq!(lab.ask("nothing.example. A"), "insecure NXDOMAIN");
    assert_eq!(lab.ask("www.example. AAAA"), "secure NOERROR");
}
