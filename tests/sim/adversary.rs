//! What somebody on the path can make of records that are genuine: none of it is to be called secure, none that is signed
//! insecure, and none is to be told to those who asked something else.

use std::sync::Arc;

use namu::cache::{Cache, CacheOptions, Security};
use namu::dns::{Name, QuestionRef, RrType, Rrset, Ttl};
use namu::dnssec::DigestType;
use namu::limits;
use namu::observe::Step;

use crate::lab::{
    Lab, address, beginning, example, forwarding, lab_saying, line_of_ds, message, moved, question, resolve,
    short,
};
use crate::signed_zone::{ChainKind, SignedZone, Signing, line};
use crate::signing::{rrset, with_signatures};
use crate::tamper::Message;

const SUB: &str = "sub.example. 3600 SOA ns.example. h.example. 1 3600 600 86400 60\nsub.example. 3600 NS ns.example.\n\
    *.sub.example. 3600 A 192.0.2.83\nhost.sub.example. 3600 A 192.0.2.84\n";

fn nsec() -> Signing {
    Signing::at(beginning())
}

fn nsec3_salted(salt: &[u8]) -> Signing {
    Signing { chain: ChainKind::Nsec3 { iterations: 0, salt: salt.to_vec(), opt_out: false }, ..nsec() }
}

fn nsec3() -> Signing {
    nsec3_salted(&[])
}

fn get(zone: &SignedZone, owner: &str, rr_type: RrType) -> Rrset {
    zone.rrset(owner, rr_type).clone()
}

fn all_of(zone: &SignedZone, rr_type: RrType) -> Vec<Rrset> {
    zone.rrsets.iter().filter(|rrset| rrset.rr_type == rr_type).cloned().collect()
}

/// `sub.example.`, signed so, below `example.`, whose names are hashed; one host serves both.
fn with_zone_below(below: Signing) -> (Lab, SignedZone) {
    let sub = SignedZone::new("sub.example.", SUB, below);
    let records = format!("sub.example. 3600 NS ns.example.\n{}", line_of_ds(&sub));
    let lab = Lab::new(example(&records, nsec3()));
    lab.internet.serve("ns", address("192.0.2.53"), "sub.example.", &sub.text()).unwrap();
    (lab, sub)
}

fn is_bogus(case: &str, lab: &Lab, asked: &str, lie: Message) {
    lab.say(asked, lie);
    for time in ["first", "second"] {
        let told = lab.ask(asked);
        assert!(told.starts_with("bogus SERVFAIL"), "{case}, {time}: {told}");
    }
}

/// RFC 5155 8.8 and RFC 4035 5.3.4: that a wildcard may answer for a name, the zone of the wildcard has to prove. No hash of
/// the zone above is that of a name below the cut, so its spans hold them all.
#[test]
fn the_zone_above_does_not_prove_that_a_wildcard_may_answer() {
    for below in [nsec(), nsec3_salted(&[7])] {
        let (lab, sub) = with_zone_below(below);
        assert_eq!(lab.ask("other.sub.example. A"), "secure NOERROR");
        let wild = moved(&get(&sub, "*.sub.example.", RrType::A), "host.sub.example.");
        let above = all_of(&lab.example, RrType::NSEC3);
        let lie = message(0, &[&wild], &above.iter().collect::<Vec<_>>());
        is_bogus("iterating", &lab, "host.sub.example. A", lie);
    }
}

#[test]
fn a_forwarder_does_not_prove_it_with_the_zone_above_either() {
    let (lab, sub) = with_zone_below(nsec());
    let forwarder = address("192.0.2.1");
    for zone in [&lab.root, &lab.example, &sub] {
        lab.internet.serve("forwarder", forwarder, &zone.apex.to_string(), &zone.text()).unwrap();
    }
    let wild = moved(&get(&sub, "*.sub.example.", RrType::A), "host.sub.example.");
    let above = all_of(&lab.example, RrType::NSEC3);
    let lie = message(0, &[&wild], &above.iter().collect::<Vec<_>>());
    lab.say_as("forwarder", "host.sub.example. A", lie);
    let recursion = forwarding(&lab.internet, &lab.root, forwarder);
    assert_eq!(
        short(&resolve(&lab.internet, recursion.clone(), "x.sub.example. A", false)),
        "secure NOERROR"
    );
    let told = short(&resolve(&lab.internet, recursion, "host.sub.example. A", false));
    assert!(told.starts_with("bogus"), "{told}");
}

/// RFC 5155 8.3: the closest encloser of a name below a cut is none of the zone above.
#[test]
fn the_hashes_of_the_zone_above_deny_nothing_below_a_cut() {
    for (asked, rcode) in [("host.sub.example. A", 3), ("host.sub.example. AAAA", 0), ("sub.example. A", 0)] {
        let (lab, _) = with_zone_below(nsec());
        let soa = get(&lab.example, "example.", RrType::SOA);
        let above = all_of(&lab.example, RrType::NSEC3);
        let all: Vec<&Rrset> = [&soa].into_iter().chain(&above).collect();
        is_bogus("of the zone above", &lab, asked, message(rcode, &[], &all));
    }
}

/// RFC 5155 8.9, RFC 6840 4.4: neither the zone itself nor the one two above says that a zone has no keys.
#[test]
fn a_ds_record_is_not_denied_by_the_zone_itself_or_the_root() {
    for of_root in [false, true] {
        let (lab, sub) = with_zone_below(nsec3());
        let zone = if of_root { &lab.root } else { &sub };
        let mut proofs = vec![get(zone, &zone.apex.to_string(), RrType::SOA)];
        proofs.extend(all_of(zone, RrType::NSEC3).into_iter().chain(all_of(zone, RrType::NSEC)).take(9));
        let denial = message(0, &[], &proofs.iter().collect::<Vec<_>>());
        let forged = message(0, &[&rrset("host.sub.example. 3600 A 203.0.113.66\n")], &[]);
        lab.internet.tamper(
            "ns",
            Arc::new(move |question: QuestionRef<'_>, said: &mut Message| match question.rr_type {
                RrType::DS => *said = denial.clone(),
                RrType::A if question.name.label_count() == 3 => *said = forged.clone(),
                _ => {}
            }),
        );
        for asked in ["sub.example. DS", "host.sub.example. A"] {
            assert_eq!(lab.resolve(asked).rcode.0, 2, "{asked}, {of_root}");
        }
    }
}

/// RFC 5155 8.2: hashes made in different ways say nothing together.
#[test]
fn two_sets_of_parameters_in_one_answer_prove_nothing() {
    let zone = example("www.example. 3600 A 192.0.2.80\n", nsec3());
    let other = example("zz.example. 3600 A 192.0.2.80\n", nsec3_salted(&[1]));
    let soa = get(&zone, "example.", RrType::SOA);
    let proofs: Vec<Rrset> =
        [&zone, &other].into_iter().flat_map(|zone| all_of(zone, RrType::NSEC3)).take(9).collect();
    let all: Vec<&Rrset> = [&soa].into_iter().chain(&proofs).collect();
    is_bogus("mixed", &Lab::new(zone), "www.example. AAAA", message(0, &[], &all));
}

/// RFC 5155 8.1 and 8.2: records with an unknown hash algorithm or flags are as if they were not there.
#[test]
fn nsec3_of_unknown_hash_or_flags_prove_nothing() {
    for (place, octet) in [(0, 2), (1, 2), (1, 0x80)] {
        let mut zone = example("www.example. 3600 A 192.0.2.80\n", nsec3());
        let owners: Vec<String> =
            all_of(&zone, RrType::NSEC3).iter().map(|one| one.owner.to_string()).collect();
        let key = zone.keys.pop().unwrap();
        for owner in &owners {
            zone.change(owner, RrType::NSEC3, |_, old| {
                let mut rdata = old.records().first().unwrap().to_vec();
                rdata[place] = octet;
                let records = [&rdata[..]].into_iter().collect();
                Rrset::new(old.owner.clone(), old.rr_type, old.ttl, records, Default::default())
            });
            zone.sign_again(owner, RrType::NSEC3, &key, |_| {});
        }
        zone.keys.push(key);
        let mut said = vec![get(&zone, "example.", RrType::SOA)];
        said.extend(all_of(&zone, RrType::NSEC3));
        let denial = message(0, &[], &said.iter().collect::<Vec<_>>());
        is_bogus("unknown", &Lab::new(zone), "www.example. AAAA", denial);
    }
}

/// RFC 6672 5.3.1: what a DNAME makes is below it. A CNAME at the same name is data, and has to be signed.
#[test]
fn an_alias_beside_a_dname_is_not_made_of_it() {
    let zone = example("d.example. 3600 DNAME www.example.\nwww.example. 3600 A 192.0.2.80\n", nsec());
    let dname = get(&zone, "d.example.", RrType::DNAME);
    let forged = rrset("d.example. 3600 CNAME evil.example.\n");
    is_bogus("ANY", &Lab::new(zone), "d.example. ANY", message(0, &[&dname, &forged], &[]));
}

/// RFC 4035 5.2: a zone's keys are those that the zone above has a DS record for. Whoever may have a record of this type in a
/// zone does not sign for it.
#[test]
fn a_key_that_is_data_of_a_zone_signs_nothing() {
    let own = SignedZone::new("www.example.", "www.example. 3600 SOA ns.example. h. 1 2 3 4 60\n", nsec());
    let key = line(&own.apex, RrType::DNSKEY, &own.zone_signing().dnskey);
    let zone = example(&format!("www.example. 3600 A 192.0.2.80\n{key}"), nsec());
    let forged = rrset("www.example. 3600 A 203.0.113.66\n");
    let signature = own.zone_signing().sign(&forged, own.apex.as_ref(), own.period());
    let forged = with_signatures(forged.view(), &[signature]);
    let lab = lab_saying(zone, vec![("www.example. A", message(0, &[&forged], &[]))]);
    assert_eq!(lab.ask("www.example. DNSKEY"), "secure NOERROR");
    for _ in 0..2 {
        assert_eq!(lab.ask("www.example. A"), "bogus SERVFAIL 6");
    }
}

/// RFC 4035 5.3.4 excepts no type.
#[test]
fn a_key_made_from_a_wildcard_needs_proof() {
    let own = SignedZone::new("*.wild.example.", "*.wild.example. 3600 SOA ns. h. 1 2 3 4 60\n", nsec());
    let key = line(&own.apex, RrType::DNSKEY, &own.zone_signing().dnskey);
    let zone = example(&format!("{key}host.wild.example. 3600 A 192.0.2.80\n"), nsec());
    let wild = moved(&get(&zone, "*.wild.example.", RrType::DNSKEY), "host.wild.example.");
    let lab = Lab::new(zone);
    lab.say("host.wild.example. DNSKEY", message(0, &[&wild], &[]));
    assert_eq!(lab.ask("host.wild.example. DNSKEY"), "bogus SERVFAIL 12");
    // Meanwhile it is known what there is at that name.
    assert!(lab.resolve("host.wild.example. DNSKEY").answer.is_empty());
    assert_eq!(lab.ask("other.wild.example. DNSKEY"), "secure NOERROR");
}

/// RFC 4035 5.2: only a zone none of whose DS records is of use counts as unsigned, in whatever order a server says them.
#[test]
fn a_zone_is_not_unsigned_because_its_ds_record_stands_last() {
    let zone = example("www.example. 3600 A 192.0.2.80\n", nsec());
    let good = zone.key_signing().ds(&zone.apex, DigestType::SHA256);
    let unknown = |number: u16| [&number.to_be_bytes()[..], &[253], &good[3..]].concat();
    let all: Vec<Vec<u8>> = (0..limits::DS_READ as u16).map(unknown).chain([good.clone()]).collect();
    let lab = Lab::with_ds(zone, &all);
    let ds = lab.root.rrset("example.", RrType::DS);
    let records = all.iter().map(Vec::as_slice).collect();
    let sorted = Rrset::new(ds.owner.clone(), RrType::DS, ds.ttl, records, Default::default());
    let signatures: Vec<Vec<u8>> = ds.signatures().iter().map(<[u8]>::to_vec).collect();
    let sorted = with_signatures(sorted.view(), &signatures);
    lab.say_as("root", "example. DS", message(0, &[&sorted], &[]));
    assert_eq!(lab.ask("example. DS"), "secure NOERROR");
    let told = lab.ask("www.example. A");
    assert!(told.starts_with("bogus"), "{told}");
}

/// Who follows the keys of the root asks past the cache (RFC 5011 2.3). A forger who answers that takes nothing away from those
/// who ask for what is known and good.
#[test]
fn what_is_bogus_does_not_take_the_place_of_what_is_secure() {
    let lab = Lab::new(example("www.example. 3600 A 192.0.2.80\n", nsec()));
    assert_eq!(lab.ask("www.example. A"), "secure NOERROR");
    let unsigned = with_signatures(lab.root.rrset(".", RrType::DNSKEY).view(), &[]);
    lab.say_as("root", ". DNSKEY", message(0, &[&unsigned], &[]));
    let look = lab.recursion.clone().look_at_keys(Name::root());
    let look = lab.internet.time.run(look);
    assert!(look.is_some_and(|look| look.validated.is_none()), "a forged answer shows no good keys");
    for asked in [". DNSKEY", "www.example. A", "nothing. A"] {
        assert_eq!(lab.resolve(asked).security, Security::Secure, "{asked}");
    }
}

/// RFC 4035 5.2: the key that signs the keys is the one that the zone above names. One that signs data may not make others.
#[test]
fn keys_told_beside_other_data_are_no_keys() {
    let mut stolen = example("", nsec());
    let own = SignedZone::new(
        "example.",
        "example. 3600 SOA ns. h. 1 2 3 4 60\n",
        Signing { generation: 66, ..nsec() },
    );
    stolen.add_to_keys(&own.zone_signing().dnskey);
    stolen.change("example.", RrType::DNSKEY, |_, old| {
        let mut new = old.clone();
        new.ttl = Ttl::saturating(80_000);
        new
    });
    let key = stolen.keys.pop().unwrap();
    stolen.sign_again("example.", RrType::DNSKEY, &key, |_| {});
    stolen.keys.push(key);
    let keys = get(&stolen, "example.", RrType::DNSKEY);
    let forged = rrset("www.example. 3600 A 203.0.113.66\n");
    let signature = own.zone_signing().sign(&forged, own.apex.as_ref(), own.period());
    let forged = with_signatures(forged.view(), &[signature]);
    let zone = example("www.example. 3600 A 192.0.2.80\n", nsec());
    let said =
        vec![("example. ANY", message(0, &[&keys], &[])), ("www.example. A", message(0, &[&forged], &[]))];
    let lab = lab_saying(zone, said);
    assert_eq!(lab.ask("example. ANY"), "secure NOERROR");
    lab.internet.time.pass(std::time::Duration::from_secs(3700));
    let told = lab.ask("www.example. A");
    assert!(told.starts_with("bogus"), "{told}");
}

/// Nobody is told what another was who wants no checking (RFC 4035 3.2.2 and 4.7), nor does he fail because that one did.
#[test]
fn who_checks_himself_is_not_told_that_we_could_not() {
    let lab = Lab::new(example("www.example. 0 A 192.0.2.80\n", nsec()));
    lab.internet.tamper(
        "ns",
        Arc::new(|question: QuestionRef<'_>, said: &mut Message| {
            if question.rr_type == RrType::DNSKEY {
                (said.rcode, said.records) = (2, vec![]);
            }
        }),
    );
    assert_eq!(lab.ask("www.example. A"), "indeterminate SERVFAIL 5");
    let found = resolve(&lab.internet, lab.recursion.clone(), "www.example. A", true);
    assert_eq!((found.rcode.0, found.answer.len()), (0, 1));
}

/// RFC 4035 5.4: a proof is one by its own signature, not by that of a record of the same name and type in the answer.
#[test]
fn an_nsec_that_was_asked_for_vouches_for_no_other() {
    let records = "*.wild.example. 3600 A 192.0.2.83\nhost.wild.example. 3600 A 192.0.2.84\n";
    for rr_type in ["ANY", "NSEC"] {
        let zone = example(records, nsec());
        let expanded = |rr_type| moved(&get(&zone, "*.wild.example.", rr_type), "host.wild.example.");
        let answer = match rr_type {
            "ANY" => vec![expanded(RrType::NSEC), expanded(RrType::A)],
            _ => vec![expanded(RrType::NSEC)],
        };
        let own = get(&zone, "*.wild.example.", RrType::NSEC);
        let types = &own.records().first().unwrap()["\x04host\x04wild\x07example\0".len()..];
        let rdata = [b"\x02zz\x04wild\x07example\0", types].concat();
        let forged = Rrset::new(
            own.owner.clone(),
            own.rr_type,
            own.ttl,
            [&rdata[..]].into_iter().collect(),
            Default::default(),
        );
        let signatures: Vec<Vec<u8>> = own.signatures().iter().map(<[u8]>::to_vec).collect();
        let forged = with_signatures(forged.view(), &signatures);
        let lie = message(0, &answer.iter().collect::<Vec<_>>(), &[&forged]);
        is_bogus(rr_type, &Lab::new(zone), &format!("host.wild.example. {rr_type}"), lie);
    }
}

/// RFC 4035 5.3.3: what an operator sets as the least TTL does not keep what is secure beyond the end of its signature.
#[test]
fn what_is_secure_ends_with_its_signature_whatever_the_least_ttl() {
    let signing = Signing { expiration: beginning() as u32 + 100, ..nsec() };
    let records = "www.example. 60 A 192.0.2.80\nzz.example. 3600 A 192.0.2.81\n";
    let lab = Lab::new(example(records, signing));
    let options = CacheOptions { min_ttl: Ttl::saturating(3600), ..CacheOptions::default() };
    let recursion = lab.with_cache(Arc::new(Cache::new(options)));
    let ask = |asked: &str| resolve(&lab.internet, recursion.clone(), asked, false);
    for (asked, most) in [("www.example. A", 60), ("zz.example. A", 100), ("nothing.example. A", 100)] {
        let told = ask(asked);
        let ttls = told.answer.iter().chain(&told.authority).map(|rrset| rrset.ttl.seconds());
        assert!(told.security == Security::Secure && ttls.max() <= Some(most), "{asked}");
    }
    lab.internet.time.pass(std::time::Duration::from_secs(401));
    for asked in ["www.example. A", "zz.example. A", "nothing.example. A"] {
        assert_eq!(ask(asked).security, Security::Bogus, "{asked}");
    }
}

/// BOUNDS: a walk down to a name costs a proof at each label, and records of all types of the name share it.
#[test]
fn an_answer_of_many_types_is_one_walk_down() {
    let count = |types: u16| {
        let records = "sub.example. 3600 NS ns.example.\n";
        let lab = Lab::new(example(records, nsec3()));
        let line = |number: u16| format!("a.b.sub.example. 3600 TYPE{} \\# 1 00\n", 65_300 + number);
        let all: Vec<Rrset> = (0..types).map(|number| rrset(&line(number))).collect();
        lab.say("a.b.sub.example. ANY", message(0, &all.iter().collect::<Vec<_>>(), &[]));
        let resolved = lab.resolve("a.b.sub.example. ANY");
        assert_eq!((resolved.security, resolved.answer.len()), (Security::Insecure, usize::from(types)));
        resolved.facts.steps.iter().filter(|step| matches!(step, Step::Delegated { .. })).count()
    };
    assert_eq!(count(60), count(1));
}

/// RFC 4035 5.2: what a forwarder says of the DS record of a signed zone, made of genuine records, does not make it unsigned.
#[test]
fn no_answer_to_the_question_for_ds_makes_a_signed_zone_unsigned() {
    let opt_out = ChainKind::Nsec3 { iterations: 0, salt: vec![], opt_out: true };
    for above in [nsec(), nsec3(), Signing { chain: opt_out, ..nsec() }] {
        let sub = SignedZone::new("sub.example.", SUB, nsec3());
        let records = format!(
            "sub.example. 3600 NS ns.example.\n{}plain.example. 3600 NS ns.example.\nwww.example. 3600 A 192.0.2.80\n\
             *.example. 3600 CNAME www.example.\n",
            line_of_ds(&sub)
        );
        let lab = Lab::new(example(&records, above));
        let zones = [&lab.root, &lab.example, &sub];
        let proofs = |zone: &SignedZone| {
            let all = [RrType::SOA, RrType::NSEC, RrType::NSEC3].map(|rr_type| all_of(zone, rr_type));
            all.concat().into_iter().take(10).collect::<Vec<_>>()
        };
        let wild = moved(&get(&lab.example, "*.example.", RrType::CNAME), "sub.example.");
        let unsigned = with_signatures(wild.view(), &[]);
        let of_others: Vec<Rrset> = zones.iter().flat_map(|zone| proofs(zone)).collect();
        let mut said: Vec<(String, Message)> = vec![
            ("an alias".into(), message(0, &[&unsigned], &[])),
            ("a wildcard".into(), message(0, &[&wild], &[])),
            ("a wildcard with proofs".into(), message(0, &[&wild], &of_others.iter().collect::<Vec<_>>())),
            ("nothing".into(), message(0, &[], &[])),
        ];
        for zone in zones {
            for rcode in [0, 3] {
                let proofs = proofs(zone);
                let all: Vec<&Rrset> = proofs.iter().collect();
                said.push((format!("{rcode} by {}", zone.apex), message(rcode, &[], &all)));
                // Without the record of the zone itself.
                let own = |rrset: &Rrset| rrset.owner.to_string().starts_with("sub.");
                let others: Vec<&Rrset> = proofs.iter().filter(|rrset| !own(rrset)).collect();
                said.push((format!("{rcode} by others of {}", zone.apex), message(rcode, &[], &others)));
            }
        }
        for (case, said) in said {
            let forwarder = address("192.0.2.1");
            for zone in zones {
                let (apex, text) = (zone.apex.to_string(), zone.text());
                lab.internet.serve("forwarder", forwarder, &apex, &text).unwrap();
            }
            let forged = message(0, &[&rrset("host.sub.example. 3600 A 203.0.113.66\n")], &[]);
            let lies = [("sub.example. DS", said), ("host.sub.example. A", forged)];
            let lies = lies.map(|(asked, said)| (question(asked), said));
            let tamper = move |asked: QuestionRef<'_>, message: &mut Message| {
                let lie = lies.iter().find(|(question, _)| question.as_ref() == asked);
                lie.into_iter().for_each(|(_, said)| *message = said.clone());
            };
            lab.internet.tamper("forwarder", Arc::new(tamper));
            let recursion = forwarding(&lab.internet, &lab.root, forwarder);
            for time in ["first", "second"] {
                let told = resolve(&lab.internet, recursion.clone(), "host.sub.example. A", false);
                let chain = &lab.example.signing.chain;
                assert_eq!(told.rcode.0, 2, "{case}, {time}, {chain:?}: {}", short(&told));
            }
        }
    }
}

/// RFC 4035 5.4, RFC 5155 8.4 and 8.5: nor is a name of it denied by what other zones, or other names, have proven.
#[test]
fn no_genuine_records_deny_what_there_is() {
    for (above, below) in [(nsec(), nsec3()), (nsec3(), nsec()), (nsec3(), nsec3_salted(&[9]))] {
        let sub = SignedZone::new("sub.example.", SUB, below);
        let records = format!("sub.example. 3600 NS ns.example.\n{}", line_of_ds(&sub));
        let lab = Lab::new(example(&records, above));
        let zones = [&lab.root, &lab.example, &sub];
        let forwarder = address("192.0.2.1");
        for zone in zones {
            lab.internet.serve("forwarder", forwarder, &zone.apex.to_string(), &zone.text()).unwrap();
        }
        let all: Vec<Rrset> = zones
            .iter()
            .flat_map(|zone| {
                [RrType::SOA, RrType::NSEC, RrType::NSEC3].map(|rr_type| all_of(zone, rr_type)).concat()
            })
            .collect();
        for asked in ["host.sub.example. A", "anything.sub.example. A", "sub.example. NS", "sub.example. DS"]
        {
            for rcode in [0, 3] {
                // Each SOA with each of the proofs, and with all of them.
                for soa in all.iter().filter(|rrset| rrset.rr_type == RrType::SOA) {
                    let proofs: Vec<&Rrset> = all.iter().filter(|rrset| rrset.rr_type.is_proof()).collect();
                    let alone = proofs.iter().map(|proof| vec![soa, *proof]);
                    let whole =
                        std::iter::once([vec![soa], proofs.iter().take(10).copied().collect()].concat());
                    for said in alone.chain(whole) {
                        lab.say_as("forwarder", asked, message(rcode, &[], &said));
                        let recursion = forwarding(&lab.internet, &lab.root, forwarder);
                        let told = short(&resolve(&lab.internet, recursion, asked, false));
                        assert!(told.starts_with("bogus"), "{asked} {rcode} {said:?}: {told}");
                    }
                }
            }
        }
    }
}

/// RFC 4035 5.2: whether there is nothing at the name an alias leads to is for the zone of that name to prove, when it is signed.
/// That the alias is signed, by a zone above, says nothing of it.
#[test]
fn an_alias_into_an_unsigned_zone_below_needs_no_proof_there() {
    let records = "plain.example. 3600 NS ns.example.\nwww.example. 3600 A 192.0.2.80\n\
                   to.example. 3600 CNAME www.plain.example.\ninto.example. 3600 CNAME nothing.plain.example.\n\
                   other.example. 3600 CNAME www.example.\n*.wild.example. 3600 CNAME www.plain.example.\n";
    let lab = Lab::new(example(records, nsec()));
    let forwarder = address("192.0.2.1");
    for zone in [&lab.root, &lab.example] {
        lab.internet.serve("forwarder", forwarder, &zone.apex.to_string(), &zone.text()).unwrap();
    }
    let plain = "plain.example. 3600 SOA ns.example. h.example. 1 3600 600 86400 60\n\
                 plain.example. 3600 NS ns.example.\nwww.plain.example. 3600 A 192.0.2.81\n";
    lab.internet.serve("forwarder", forwarder, "plain.example.", plain).unwrap();
    let recursion = forwarding(&lab.internet, &lab.root, forwarder);
    for (asked, want) in [
        ("to.example. A", "insecure NOERROR"),
        ("to.example. AAAA", "insecure NOERROR"),
        ("into.example. A", "insecure NXDOMAIN"),
        ("x.wild.example. A", "insecure NOERROR"),
        ("x.wild.example. AAAA", "insecure NOERROR"),
        ("other.example. AAAA", "secure NOERROR"),
    ] {
        assert_eq!(short(&resolve(&lab.internet, recursion.clone(), asked, false)), want, "{asked}");
    }
    // And in the signed zone it does need one.
    let soa = get(&lab.example, "example.", RrType::SOA);
    let alias = get(&lab.example, "other.example.", RrType::CNAME);
    for authority in [vec![], vec![&soa]] {
        lab.say_as("forwarder", "other.example. MX", message(0, &[&alias], &authority));
        let told = short(&resolve(&lab.internet, recursion.clone(), "other.example. MX", false));
        assert_ne!(told, "insecure NOERROR");
    }
}

/// RFC 5155 8.8: an opt-out span beside a wildcard may hide an unsigned zone. An alias made of the wildcard does not take that
/// zone away for as long as the alias lives.
#[test]
fn a_wildcard_takes_no_unsigned_zone_away() {
    let chain = ChainKind::Nsec3 { iterations: 0, salt: vec![], opt_out: true };
    let records = "plain.example. 3600 NS ns.example.\nwww.example. 3600 A 192.0.2.80\n*.example. 3600 CNAME www.example.\n";
    let lab = Lab::new(example(records, Signing { chain, ..nsec() }));
    let plain = "plain.example. 3600 SOA ns.example. h.example. 1 3600 600 86400 60\n\
                 plain.example. 3600 NS ns.example.\nwww.plain.example. 3600 A 192.0.2.81\n";
    lab.internet.serve("ns", address("192.0.2.53"), "plain.example.", plain).unwrap();
    let alias = moved(&get(&lab.example, "*.example.", RrType::CNAME), "plain.example.");
    let spans = all_of(&lab.example, RrType::NSEC3);
    lab.say("plain.example. DS", message(0, &[&alias], &spans.iter().collect::<Vec<_>>()));
    assert_eq!(lab.ask("www.plain.example. A"), "insecure NOERROR");
}

/// RFC 4035 5.2: where an alias made from a wildcard leads does not make its own name unsigned either.
#[test]
fn no_downgrade_at_an_alias_made_from_a_wildcard() {
    let records = "plain.example. 3600 NS ns.example.\nwww.example. 3600 A 192.0.2.80\n\
                   *.wild.example. 3600 CNAME www.plain.example.\n";
    for signing in [nsec(), nsec3()] {
        let lab = Lab::new(example(records, signing));
        let plain = "plain.example. 3600 SOA ns.example. h.example. 1 3600 600 86400 60\n\
                     plain.example. 3600 NS ns.example.\nwww.plain.example. 3600 A 192.0.2.81\n";
        lab.internet.serve("ns", address("192.0.2.53"), "plain.example.", plain).unwrap();
        assert_eq!(lab.ask("a.wild.example. A"), "insecure NOERROR");
        let forged = rrset("x.wild.example. 3600 A 203.0.113.66\n");
        is_bogus("unsigned", &lab, "x.wild.example. A", message(0, &[&forged], &[]));
    }
}
