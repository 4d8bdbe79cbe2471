//! What validation costs at most, and what is found just at each bound (KeyTrap, CVE-2023-50387; NSEC3, CVE-2023-50868).

use namu::dns::{Name, RrType, Rrset};
use namu::dnssec::{Algorithm, DigestType, Dnskey};
use namu::limits;
use namu::recursion::Resolved;

use crate::internet::Internet;
use crate::lab::{
    Lab, address, beginning, example, forwarding, lab_saying, line_of_ds, message, resolve, short, spent,
    verified, why,
};
use crate::signed_zone::{ChainKind, SignedZone, Signing};
use crate::signing::{KEY_SIGNING_KEY, ZONE_KEY, rrset, with_signatures};
use crate::tamper::Message;

const RECORDS: &str = "www.example. 3600 A 192.0.2.80\nzz.example. 3600 A 192.0.2.87\n";

fn nsec() -> Signing {
    Signing::at(beginning())
}

fn nsec3(iterations: u16) -> Signing {
    Signing { chain: ChainKind::Nsec3 { iterations, salt: vec![], opt_out: false }, ..nsec() }
}

/// The RDATA of a key with this tag that nobody has the other half of. A tag is a sum, so any key can be given any tag.
fn colliding(tag: u16, algorithm: Algorithm, flags: u16, number: u16) -> Vec<u8> {
    let public_key: &[u8] = match algorithm {
        // RFC 3110: an exponent of three octets, and an odd modulus of 1024 bits.
        Algorithm::RSASHA256 => &[&[3, 1, 0, 1][..], &[0xf1; 128]].concat(),
        _ => &[0x77; 32],
    };
    let mut rdata = [&flags.to_be_bytes()[..], &[3, algorithm.0], public_key].concat();
    rdata[20..22].copy_from_slice(&number.to_be_bytes());
    rdata[30..32].fill(0);
    // A sum in ones' complement: what is missing is added, give or take a carry.
    let missing = |rdata: &[u8]| {
        let now = Dnskey::parse(rdata).unwrap().key_tag();
        if tag >= now { tag - now } else { tag.wrapping_sub(now).wrapping_sub(1) }
    };
    let missing = missing(&rdata);
    for carry in [0, 1, u16::MAX] {
        rdata[30..32].copy_from_slice(&missing.wrapping_add(carry).to_be_bytes());
        if Dnskey::parse(&rdata).unwrap().key_tag() == tag {
            return rdata;
        }
    }
    panic!("no key has the tag {tag}");
}

/// A zone whose key set is these keys in this order, signed by its own.
struct Keys {
    zone: SignedZone,
}

impl Keys {
    fn new() -> Keys {
        Keys { zone: example(RECORDS, nsec()) }
    }

    fn own(&self) -> [Vec<u8>; 2] {
        [self.zone.key_signing().dnskey.clone(), self.zone.zone_signing().dnskey.clone()]
    }

    /// The response with these keys.
    fn message(&self, keys: &[Vec<u8>], signatures_before: &[Vec<u8>]) -> Message {
        let records = keys.iter().map(Vec::as_slice).collect();
        let ttl = self.zone.rrset("example.", RrType::DNSKEY).ttl;
        let set = Rrset::new(self.zone.apex.clone(), RrType::DNSKEY, ttl, records, Default::default());
        let signature = self.zone.key_signing().sign(&set, self.zone.apex.as_ref(), self.zone.period());
        let signatures: Vec<Vec<u8>> = signatures_before.iter().cloned().chain([signature]).collect();
        message(0, &[&with_signatures(set.view(), &signatures)], &[])
    }

    /// Signatures of `www.example.` that are none, by a key with this tag.
    fn bad_signatures(&self, count: usize, tag: u16, algorithm: Algorithm) -> Vec<Vec<u8>> {
        let www = self.zone.rrset("www.example.", RrType::A);
        bad_signatures(&self.zone, www, count, tag, algorithm)
    }

    fn good_signature(&self) -> Vec<u8> {
        self.zone.rrset("www.example.", RrType::A).signatures().first().unwrap().to_vec()
    }

    /// The response to `www.example. A` with these signatures.
    fn www(&self, signatures: &[Vec<u8>]) -> Message {
        let www = self.zone.rrset("www.example.", RrType::A);
        message(0, &[&with_signatures(www.view(), signatures)], &[])
    }
}

fn bad_signatures(
    zone: &SignedZone,
    rrset: &Rrset,
    count: usize,
    tag: u16,
    algorithm: Algorithm,
) -> Vec<Vec<u8>> {
    let good = zone.zone_signing().sign(rrset, zone.apex.as_ref(), zone.period());
    let octets = if algorithm == Algorithm::RSASHA256 { 128 } else { 64 };
    let head = good.len() - 64;
    (0..count)
        .map(|number| {
            let mut bad = [&good[..head], &vec![0x33; octets]].concat();
            bad[2] = algorithm.0;
            bad[16..18].copy_from_slice(&tag.to_be_bytes());
            bad[head..head + 2].copy_from_slice(&(number as u16).to_be_bytes());
            bad
        })
        .collect()
}

const MOST: u64 = limits::VERIFICATIONS as u64;

#[test]
fn ninety_keys_of_one_tag_with_ninety_signatures_cost_no_more_than_sixteen() {
    let keys = Keys::new();
    let tag = 4242;
    let of_rsa = |count: u16, flags| {
        (0..count).map(move |number| colliding(tag, Algorithm::RSASHA256, flags, number)).collect::<Vec<_>>()
    };
    let trap: Vec<Vec<u8>> = keys.own().into_iter().chain(of_rsa(90, ZONE_KEY)).collect();
    let signatures = keys.bad_signatures(90, tag, Algorithm::RSASHA256);
    // On the data, with keys that are trusted.
    let said = vec![("example. DNSKEY", keys.message(&trap, &[])), ("www.example. A", keys.www(&signatures))];
    let lab = lab_saying(keys.zone, said);
    for time in ["first", "second", "third"] {
        let resolved = lab.resolve("www.example. A");
        assert!(verified(&resolved) <= MOST, "{time}: {}", verified(&resolved));
        assert_eq!(short(&resolved).split(' ').next(), Some("bogus"), "{time}");
    }
    assert!(lab.ask("zz.example. A") == "secure NOERROR", "the rest of the zone is as good as it was");

    // On the keys themselves.
    let keys = Keys::new();
    let own = keys.zone.key_signing().tag();
    let set = rrset("example. 3600 DNSKEY 256 3 15 AAAA\n");
    let many = (0..90).map(|number| colliding(own, Algorithm::ED25519, KEY_SIGNING_KEY, number));
    let trap: Vec<Vec<u8>> = many.chain(keys.own()).collect();
    let signatures = bad_signatures(&keys.zone, &set, 90, own, Algorithm::ED25519);
    let said = vec![("example. DNSKEY", keys.message(&trap, &signatures))];
    let lab = lab_saying(keys.zone, said);
    let resolved = lab.resolve("www.example. A");
    assert!(verified(&resolved) <= MOST, "{}", verified(&resolved));
    assert_eq!(short(&resolved).split(' ').nth(1), Some("SERVFAIL"));
}

#[test]
fn a_chain_of_aliases_with_many_signatures_each_ends_with_the_budget() {
    let mut zone = {
        let aliases = (0..6).map(|at| format!("a{at}.example. 3600 CNAME a{}.example.\n", at + 1));
        example(&format!("{}a6.example. 3600 A 192.0.2.1\n", aliases.collect::<String>()), nsec())
    };
    let tag = zone.zone_signing().tag();
    for at in 0..6 {
        let owner = format!("a{at}.example.");
        let alias = zone.rrset(&owner, RrType::CNAME).clone();
        let good = alias.signatures().first().unwrap().to_vec();
        let bad = bad_signatures(&zone, &alias, limits::SIGNATURES_PER_RRSET - 1, tag, Algorithm::ED25519);
        zone.set_signatures(&owner, RrType::CNAME, &[bad, vec![good]].concat());
    }
    let all: Vec<&Rrset> = zone.rrsets.iter().filter(|set| set.rr_type == RrType::CNAME).collect();
    let last = zone.rrset("a6.example.", RrType::A);
    let answer: Vec<&Rrset> = all.into_iter().chain([last]).collect();
    let said = vec![("a0.example. A", message(0, &answer, &[]))];
    let lab = lab_saying(zone, said);
    for time in ["first", "second"] {
        let resolved = lab.resolve("a0.example. A");
        assert_eq!(short(&resolved).split(' ').nth(1), Some("SERVFAIL"), "{time}");
        assert!(verified(&resolved) <= MOST, "{time}");
    }
}

/// What becomes of `www.example. A` with so many things before the good one, at a bound and one behind it.
fn at_the_bound(what: &str, bound: usize, lab: impl Fn(usize) -> Lab) {
    let is_secure = |before: usize| lab(before).ask("www.example. A") == "secure NOERROR";
    assert!(is_secure(bound - 1), "{what}: the {bound}th is still looked at");
    let told = lab(bound).ask("www.example. A");
    assert!(told.starts_with("bogus SERVFAIL"), "{what}: {bound} before it are too many: {told}");
}

#[test]
fn no_more_signatures_are_read() {
    at_the_bound("SIGNATURES_READ", limits::SIGNATURES_READ, |before| {
        let keys = Keys::new();
        let unknown = keys.bad_signatures(before, 1, Algorithm(253));
        let www = keys.www(&[unknown, vec![keys.good_signature()]].concat());
        lab_saying(keys.zone, vec![("www.example. A", www)])
    });
}

#[test]
fn no_more_signatures_of_an_rrset_are_verified() {
    at_the_bound("SIGNATURES_PER_RRSET", limits::SIGNATURES_PER_RRSET, |before| {
        let keys = Keys::new();
        let bad = keys.bad_signatures(before, keys.zone.zone_signing().tag(), Algorithm::ED25519);
        let www = keys.www(&[bad, vec![keys.good_signature()]].concat());
        lab_saying(keys.zone, vec![("www.example. A", www)])
    });
}

#[test]
fn no_more_keys_of_one_tag_are_tried() {
    at_the_bound("KEYS_OF_ONE_TAG", limits::KEYS_OF_ONE_TAG, |before| {
        let keys = Keys::new();
        let tag = keys.zone.zone_signing().tag();
        let junk = (0..before as u16).map(|number| colliding(tag, Algorithm::ED25519, ZONE_KEY, number));
        let all: Vec<Vec<u8>> = junk.chain(keys.own()).collect();
        let said = vec![("example. DNSKEY", keys.message(&all, &[]))];
        lab_saying(keys.zone, said)
    });
}

#[test]
fn no_more_keys_are_read() {
    // The key that signs the keys comes first, and counts.
    at_the_bound("KEYS_READ", limits::KEYS_READ, |before| {
        let keys = Keys::new();
        let [first, last] = keys.own();
        let junk =
            (1..before as u16).map(|number| colliding(9000 + number, Algorithm::ED25519, ZONE_KEY, number));
        let all: Vec<Vec<u8>> = [first].into_iter().chain(junk).chain([last]).collect();
        let said = vec![("example. DNSKEY", keys.message(&all, &[]))];
        lab_saying(keys.zone, said)
    });
}

#[test]
fn no_more_keys_are_digested() {
    at_the_bound("DS_DIGESTS", limits::DS_DIGESTS, |before| {
        let keys = Keys::new();
        let tag = keys.zone.key_signing().tag();
        let junk =
            (0..before as u16).map(|number| colliding(tag, Algorithm::ED25519, KEY_SIGNING_KEY, number));
        let all: Vec<Vec<u8>> = junk.chain(keys.own()).collect();
        let said = vec![("example. DNSKEY", keys.message(&all, &[]))];
        lab_saying(keys.zone, said)
    });
}

#[test]
fn no_more_ds_records_are_read() {
    at_the_bound("DS_READ", limits::DS_READ, |before| {
        let zone = example(RECORDS, nsec());
        let good = zone.key_signing().ds(&zone.apex, DigestType::SHA256);
        let junk = (0..before as u16).map(|number| [&number.to_be_bytes()[..], &good[2..]].concat());
        let all: Vec<Vec<u8>> = junk.chain([good.clone()]).collect();
        let lab = Lab::with_ds(zone, &all);
        // A server may sort them, so they are said in this order.
        let records = all.iter().map(Vec::as_slice).collect();
        let ds = lab.root.rrset("example.", RrType::DS);
        let unsigned = Rrset::new(ds.owner.clone(), RrType::DS, ds.ttl, records, Default::default());
        let signatures: Vec<Vec<u8>> = ds.signatures().iter().map(<[u8]>::to_vec).collect();
        let ds = with_signatures(unsigned.view(), &signatures);
        let tamper = move |_: namu::dns::QuestionRef<'_>, message: &mut Message| {
            let is_ds = |record: &crate::tamper::Record| record.rr_type == RrType::DS;
            let Some(section) = message.records.iter().find(|record| is_ds(record)).map(|ds| ds.section)
            else {
                return;
            };
            let covered = RrType::DS.0.to_be_bytes();
            message.records.retain(|record| {
                !is_ds(record) && (record.rr_type != RrType::RRSIG || !record.rdata.starts_with(&covered))
            });
            message.push(section, ds.view());
        };
        lab.internet.tamper("root", std::sync::Arc::new(tamper));
        lab
    });
}

#[test]
fn no_more_zones_are_asked_for_the_signatures_of_an_rrset() {
    let deep = "a.b.c.example. 3600 A 192.0.2.1\n";
    let answer = |wrong: &[&str]| {
        let zone = example(deep, nsec());
        let set = zone.rrset("a.b.c.example.", RrType::A).clone();
        let good = set.signatures().first().unwrap().to_vec();
        let wrong = wrong.iter().map(|signer| {
            let signer: Name = signer.parse().unwrap();
            zone.zone_signing().sign(&set, signer.as_ref(), zone.period())
        });
        let signatures: Vec<Vec<u8>> = wrong.chain([good]).collect();
        let said = vec![("a.b.c.example. A", message(0, &[&with_signatures(set.view(), &signatures)], &[]))];
        lab_saying(zone, said).ask("a.b.c.example. A")
    };
    assert_eq!(limits::SIGNERS_PER_RRSET, 2);
    assert_eq!(answer(&["b.c.example."]), "secure NOERROR");
    assert!(answer(&["b.c.example.", "c.example."]).starts_with("bogus"));
}

#[test]
fn no_more_proofs_are_read() {
    let ask = |before: usize| {
        let zone = example(RECORDS, nsec3(0));
        let junk: Vec<Rrset> = (0..before)
            .map(|number| {
                let name = format!("{number:0>32}.example.");
                rrset(&format!("{name} 60 NSEC3 1 0 0 - 00000000000000000000000000000000 A\n"))
            })
            .collect();
        let genuine = zone.rrsets.iter().filter(|set| set.rr_type == RrType::NSEC3);
        let genuine: Vec<&Rrset> = genuine.collect();
        let own = zone.rrset("example.", RrType::SOA);
        let all: Vec<&Rrset> = [own].into_iter().chain(&junk).chain(genuine.iter().copied()).collect();
        let (count, said) = (genuine.len(), vec![("nothing.example. A", message(3, &[], &all))]);
        let lab = lab_saying(zone, said);
        let resolved = lab.resolve("nothing.example. A");
        assert!(verified(&resolved) <= MOST);
        (count, short(&resolved))
    };
    let (genuine, _) = ask(0);
    assert_eq!(ask(limits::PROOF_RRSETS - genuine).1, "secure NXDOMAIN");
    for before in [limits::PROOF_RRSETS, 200] {
        assert!(ask(before).1.starts_with("bogus SERVFAIL"), "{before}");
    }
}

#[test]
fn two_hundred_signed_proofs_cost_no_more_than_sixteen() {
    let names: String = (0..200).map(|at| format!("n{at}.example. 3600 A 192.0.2.1\n")).collect();
    let zone = example(&names, nsec3(0));
    let all: Vec<&Rrset> = zone.rrsets.iter().filter(|set| set.rr_type == RrType::NSEC3).collect();
    let soa = zone.rrset("example.", RrType::SOA);
    let all: Vec<&Rrset> = [soa].into_iter().chain(all).collect();
    let said = vec![("nothing.example. A", message(3, &[], &all))];
    let lab = lab_saying(zone, said);
    for time in ["first", "second"] {
        let resolved = lab.resolve("nothing.example. A");
        assert!(verified(&resolved) <= MOST, "{time}: {}", verified(&resolved));
        assert_ne!(short(&resolved), "secure NXDOMAIN", "{time}");
    }
}

/// What is forged stays no longer than the memory of the failure, whatever TTL it has, and whoever asked for it.
#[test]
fn what_was_too_dear_to_be_validated_or_led_nowhere_is_had_anew() {
    let with_bad = |rrset: &Rrset| {
        let good = rrset.signatures().first().unwrap().to_vec();
        let bad = (1..8).map(|number| [&good[..good.len() - 1], &[good[good.len() - 1] ^ number]].concat());
        with_signatures(rrset.view(), &bad.chain([good.clone()]).collect::<Vec<_>>())
    };
    let zone = || example(RECORDS, nsec());
    let dear = [("example.", RrType::SOA), ("example.", RrType::NSEC), ("ns.example.", RrType::NSEC)];
    let dear = dear.map(|(owner, rr_type)| with_bad(zone().rrset(owner, rr_type)));
    let dear = message(3, &[], &dear.each_ref());
    let looped = message(0, &[&rrset("www.example. 3600 CNAME www.example.\n")], &[]);
    let of_part = dear.clone();
    for (first, asked, lie, failure, truth) in [
        (
            "nothing.example. A",
            "a.nothing.example. A",
            of_part,
            "indeterminate SERVFAIL 5",
            "secure NXDOMAIN",
        ),
        ("nothing.example. A", "nothing.example. A", dear, "indeterminate SERVFAIL 5", "secure NXDOMAIN"),
        ("www.example. CNAME", "www.example. A", looped, "unchecked SERVFAIL", "secure NOERROR"),
    ] {
        let lab = Lab::new(zone());
        lab.say(first, lie);
        lab.resolve_unchecked(first);
        lab.internet.heal();
        let told = lab.ask(asked);
        assert!(told.starts_with(failure), "{asked}: {told}");
        lab.internet.time.pass(std::time::Duration::from_secs(6));
        assert_eq!(lab.ask(asked), truth, "{asked}");
    }
}

#[test]
fn iterations_beyond_the_bound_are_insecure_and_say_so() {
    let deep: String = format!("{}example.", "a.".repeat(110));
    for (iterations, want) in
        [(50, "secure NXDOMAIN"), (51, "insecure"), (150, "insecure"), (2500, "insecure")]
    {
        let zone = example(RECORDS, nsec3(iterations));
        // Servers do not serve so many, so all of the chain is said.
        let soa = zone.rrset("example.", RrType::SOA);
        let chain = zone.rrsets.iter().filter(|set| set.rr_type == RrType::NSEC3);
        let all: Vec<&Rrset> = [soa].into_iter().chain(chain).collect();
        let denial = message(3, &[], &all);
        let deep: &'static str = Box::leak(format!("{deep} A").into_boxed_str());
        let of_part = ("a.example. A", denial.clone());
        let said = vec![("nothing.example. A", denial.clone()), of_part, (deep, denial)];
        let lab = lab_saying(example(RECORDS, nsec()), said);
        for asked in ["nothing.example. A", deep, "nothing.example. A"] {
            let told = lab.ask(asked);
            assert!(told.starts_with(want), "{iterations}, {asked}: {told}");
            if iterations > limits::NSEC3_ITERATIONS_CHECKED {
                assert_eq!(told, "insecure NXDOMAIN 27", "{iterations}, {asked}");
            }
        }
    }
}

#[test]
fn a_clock_may_be_wrong_by_five_minutes_to_the_second() {
    let now = beginning() as u32;
    let skew = limits::CLOCK_SKEW;
    let ask = |inception: u32, expiration: u32| {
        let mut zone = example(RECORDS, nsec());
        let www = zone.rrset("www.example.", RrType::A).clone();
        let signature = zone.zone_signing().sign(&www, zone.apex.as_ref(), (inception, expiration));
        zone.set_signatures("www.example.", RrType::A, &[signature]);
        Lab::new(zone).ask("www.example. A")
    };
    assert_eq!(ask(now - 3600, now - skew), "secure NOERROR");
    assert_eq!(ask(now - 3600, now - skew - 1), "bogus SERVFAIL 7");
    assert_eq!(ask(now + skew, now + 3600), "secure NOERROR");
    assert_eq!(ask(now + skew + 1, now + 3600), "bogus SERVFAIL 8");
    assert_eq!(ask(now + 60, now - 60), "bogus SERVFAIL 7", "a period that ends before it begins");
}

#[test]
fn a_long_name_without_signature_costs_no_more_questions_than_there_are() {
    let name = format!("{}example.", "a.".repeat(118));
    let zone = example(&format!("{name} 3600 A 192.0.2.1\n"), nsec());
    let asked: &'static str = Box::leak(format!("{name} A").into_boxed_str());
    let unsigned = rrset(&format!("{name} 3600 A 192.0.2.1\n"));
    let lab = lab_saying(zone, vec![(asked, message(0, &[&unsigned], &[]))]);
    for time in ["first", "second", "third"] {
        let before = lab.internet.exchanges();
        let resolved = lab.resolve(asked);
        assert_eq!(short(&resolved).split(' ').nth(1), Some("SERVFAIL"), "{time}");
        assert!(verified(&resolved) <= MOST, "{time}");
        assert!(spent(&resolved, "questions for keys") <= limits::KEY_QUESTIONS.into(), "{time}");
        assert!(lab.internet.exchanges() - before <= limits::UPSTREAM_PACKETS as usize, "{time}");
    }
}

#[test]
fn one_query_asks_for_keys_so_many_times_and_then_says_that_it_cannot_judge() {
    // Each label could be a zone cut, so each is asked about before the name is called forged.
    let unsigned_below = |labels: usize| {
        let name = format!("{}example.", "a.".repeat(labels));
        let zone = example(&format!("{name} 3600 A 192.0.2.1\n"), nsec());
        let asked: &'static str = Box::leak(format!("{name} A").into_boxed_str());
        let unsigned = rrset(&format!("{name} 3600 A 192.0.2.1\n"));
        lab_saying(zone, vec![(asked, message(0, &[&unsigned], &[]))]).resolve(asked)
    };
    let most = u64::from(limits::KEY_QUESTIONS);
    let labels = (1..).find(|labels| spent(&unsigned_below(*labels), "questions for keys") == most).unwrap();
    let (at, beyond) = (unsigned_below(labels), unsigned_below(labels + 1));
    assert_eq!(short(&at), "bogus SERVFAIL 10");
    assert_eq!(short(&beyond), "indeterminate SERVFAIL 5");
    assert!(why(&beyond).contains("gave up after 32 questions for keys"), "{}", why(&beyond));
}

#[test]
fn so_many_zones_may_wait_for_the_one_above_behind_a_forwarder() {
    // Two signatures a zone, those of the root's keys and of the data.
    let verified_whole = (limits::VERIFICATIONS as usize - 2) / 2;
    assert_eq!(short(&behind_a_forwarder(verified_whole)), "secure NOERROR");
    // Nobody tells of zone cuts there: what is said of a zone waits for what is said of the one above, and that of the
    // first for the keys of the root. Only then anything can be verified.
    let most = limits::CHAIN_DEPTH as usize - 1;
    for (zones, limit) in
        [(most, "16 signatures verified"), (most + 1, "14 questions for keys that need each other")]
    {
        let beyond = behind_a_forwarder(zones);
        assert_eq!(short(&beyond), "indeterminate SERVFAIL 5");
        assert!(why(&beyond).ends_with(limit), "{}", why(&beyond));
    }
}

/// What comes of a question for a name so many signed zones below the root, at a forwarder that knows them all.
fn behind_a_forwarder(zones: usize) -> Resolved {
    let internet = Internet::new(1);
    let forwarder = address("192.0.2.1");
    // Of the zone below the one that is made: its delegation, with DS.
    let mut below = String::new();
    let mut root = None;
    for apex in (0..=zones).rev().map(|depth| format!("{}.", vec!["z"; depth].join("."))) {
        let records = format!(
            "{apex} 3600 SOA ns.root. h.root. 1 3600 600 86400 60\n{apex} 3600 NS ns.root.\n\
             www.{apex} 3600 A 192.0.2.80\n{below}"
        );
        let zone = SignedZone::new(&apex, &records.replace("www..", "www."), nsec());
        below = format!("{apex} 3600 NS ns.root.\n{}", line_of_ds(&zone));
        internet.serve("forwarder", forwarder, &apex, &zone.text()).unwrap();
        root = Some(zone);
    }
    let recursion = forwarding(&internet, &root.expect("made last"), forwarder);
    resolve(&internet, recursion, &format!("www.{}. A", vec!["z"; zones].join(".")), false)
}
