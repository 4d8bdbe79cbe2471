//! What validation costs where nobody hits a bound: chains of zones, bogus zones, denials with a foreign SOA.

use namu::dns::{RrType, Rrset};
use namu::dnssec::DigestType;
use namu::limits;

use crate::lab::{Lab, address, beginning, example, lab_saying, line_of_ds, message, moved, short, verified};
use crate::signed_zone::{ChainKind, SignedZone, Signing};
use crate::signing::with_signatures;

const RECORDS: &str = "www.example. 3600 A 192.0.2.80\nzz.example. 3600 A 192.0.2.87\n";
const MOST: u64 = limits::VERIFICATIONS as u64;

fn nsec() -> Signing {
    Signing::at(beginning())
}

fn nsec3() -> Signing {
    Signing { chain: ChainKind::Nsec3 { iterations: 0, salt: vec![], opt_out: false }, ..nsec() }
}

/// `count` zones, each below the one before, all of them on one host.
fn nested(count: usize) -> (Lab, String) {
    let names: Vec<String> = (1..=count)
        .map(|depth| (0..depth).rev().map(|at| format!("z{at}.")).collect::<String>() + "example.")
        .collect();
    let mut below: Option<SignedZone> = None;
    let mut zones: Vec<SignedZone> = Vec::new();
    for apex in names.iter().rev() {
        let cut = below.as_ref().map_or(String::new(), |child| {
            let ds = line_of_ds(child);
            format!("{apex} 3600 NS ns.{apex}\n", apex = child.apex)
                + &format!("ns.{} 3600 A 192.0.2.53\n{ds}", child.apex)
        });
        let own = format!(
            "{apex} 3600 SOA ns h 1 2 3 4 60\n{apex} 3600 NS ns.{apex}\nns.{apex} 3600 A 192.0.2.53\nwww.{apex} 3600 A 192.0.2.80\n"
        );
        zones.extend(below.replace(SignedZone::new(apex, &format!("{own}{cut}"), nsec())));
    }
    let top = below.unwrap();
    let ds = line_of_ds(&top);
    let cut = format!("{apex} 3600 NS ns.{apex}\nns.{apex} 3600 A 192.0.2.53\n{ds}", apex = top.apex);
    let deepest = names.last().unwrap().clone();
    zones.push(top);
    let lab = Lab::new(example(&cut, nsec()));
    for zone in &zones {
        let apex = zone.apex.to_string();
        lab.internet.serve("ns", address("192.0.2.53"), apex.trim_end_matches('.'), &zone.text()).unwrap();
    }
    (lab, format!("www.{deepest} A"))
}

#[test]
fn a_chain_of_seven_zones_is_validated_in_one_go_and_one_of_eight_in_two() {
    // The root's keys, a DS and a key set for each zone, and the data.
    let (lab, asked) = nested(6);
    let resolved = lab.resolve(&asked);
    assert_eq!(short(&resolved), "secure NOERROR");
    assert_eq!(verified(&resolved), MOST);
    let (lab, asked) = nested(7);
    let resolved = lab.resolve(&asked);
    // RFC 8914 4.6: "validation ended in the Indeterminate state".
    assert_eq!(short(&resolved), "indeterminate SERVFAIL 5");
    assert_eq!(verified(&resolved), MOST);
    // What was validated is known: the next question goes on from there.
    lab.internet.time.pass(std::time::Duration::from_secs(60));
    assert_eq!(lab.ask(&asked), "secure NOERROR");
}

#[test]
fn a_bogus_zone_costs_no_more_packets_than_twice_an_unsigned_one() {
    // Thirteen name servers in the zone itself, all of them at the same host, and nothing that validates.
    let servers: String = (0..13)
        .map(|at| format!("example. 3600 NS ns{at}.example.\nns{at}.example. 3600 A 192.0.2.{}\n", 60 + at))
        .collect();
    let text = format!("{servers}{RECORDS}alias.example. 3600 CNAME www.example.\n");
    let packets = |spoil: fn(&mut SignedZone), is_signed: bool| {
        let mut zone = example(&text, nsec());
        spoil(&mut zone);
        let ds = zone.key_signing().ds(&zone.apex, DigestType::SHA256);
        let lab = Lab::with_ds(zone, if is_signed { std::slice::from_ref(&ds) } else { &[] });
        for at in 0..13 {
            let address = address(&format!("192.0.2.{}", 60 + at));
            lab.internet.serve("ns", address, "example", &lab.example.text()).unwrap();
        }
        let resolved = lab.resolve("alias.example. A");
        let sent = lab.internet.exchanges();
        if is_signed {
            assert!(short(&resolved).starts_with("bogus"), "{:?}", resolved.extended_error);
        } else {
            assert_eq!(short(&resolved), "insecure NOERROR");
        }
        sent
    };
    let unsigned = packets(|_| {}, false);
    let spoils: [fn(&mut SignedZone); 4] = [
        |zone| zone.set_signatures("www.example.", RrType::A, &[]),
        |zone| zone.set_signatures("alias.example.", RrType::CNAME, &[]),
        |zone| zone.set_signatures("example.", RrType::DNSKEY, &[]),
        |zone| {
            let key =
                zone.zone_signing().sign(zone.rrset("www.example.", RrType::A), zone.apex.as_ref(), (1, 2));
            zone.set_signatures("www.example.", RrType::A, &[key]);
        },
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        let bogus = packets(spoil, true);
        assert!(bogus <= 2 * unsigned.max(4) && bogus <= 32, "{number}: {bogus} for {unsigned}");
    }
}

#[test]
fn a_denial_with_the_soa_of_another_zone_is_over_at_once() {
    let zone = example(RECORDS, nsec3());
    let foreign = example(RECORDS, nsec3());
    let foreign: Vec<Rrset> = foreign
        .rrsets
        .iter()
        .filter(|set| matches!(set.rr_type, RrType::NSEC3 | RrType::SOA))
        .map(|set| {
            let label = set.owner.as_ref().first_label().unwrap();
            let label = std::str::from_utf8(label).unwrap();
            moved(set, &if set.rr_type == RrType::SOA { "other.".into() } else { format!("{label}.other.") })
        })
        .collect();
    let all: Vec<&Rrset> = foreign.iter().collect();
    // In the zone, but not above the name.
    let soa = moved(zone.rrset("example.", RrType::SOA), "zz.example.");
    let genuine: Vec<&Rrset> = zone.rrsets.iter().filter(|set| set.rr_type == RrType::NSEC3).collect();
    let below: Vec<&Rrset> = [&soa].into_iter().chain(genuine).collect();
    let said = vec![
        ("n1.example. A", message(3, &[], &all)),
        ("n2.example. A", message(3, &[], &below)),
        ("n3.example. A", message(0, &[], &below)),
    ];
    let lab = lab_saying(example(RECORDS, nsec3()), said);
    for asked in ["n1.example. A", "n2.example. A", "n3.example. A"] {
        for time in ["first", "second"] {
            let before = lab.internet.exchanges();
            let resolved = lab.resolve(asked);
            let told = short(&resolved);
            assert!(told.contains("SERVFAIL") || told == "secure NXDOMAIN", "{asked} {time}: {told}");
            assert!(verified(&resolved) <= 8 && lab.internet.exchanges() - before <= 12, "{asked} {time}");
        }
    }
}

#[test]
fn a_proof_that_comes_again_is_not_verified_again_unless_its_signature_is_another() {
    let zone = example(RECORDS, nsec());
    let (soa, of_zz) = (zone.rrset("example.", RrType::SOA), zone.rrset("zz.example.", RrType::NSEC));
    let signature = zone.zone_signing().sign(soa, zone.apex.as_ref(), (1, 2));
    let expired = with_signatures(soa.view(), &[signature]);
    for (again, want) in [(soa.clone(), ("secure NOERROR", 1)), (expired, ("bogus SERVFAIL 7", 0))] {
        let denial = message(0, &[], &[&again, of_zz]);
        let lab = lab_saying(example(RECORDS, nsec()), vec![("zz.example. TXT", denial)]);
        // The keys of the root, a DS, the keys of the zone, its SOA and a proof.
        let first = lab.resolve("www.example. TXT");
        assert_eq!((short(&first).as_str(), verified(&first)), ("secure NOERROR", 5));
        let second = lab.resolve("zz.example. TXT");
        assert_eq!((short(&second).as_str(), verified(&second)), want);
    }
}
