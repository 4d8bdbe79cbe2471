//! A signed zone whose proofs answer further questions (RFC 8198).

use super::*;
use crate::cache::Security;
use crate::clock::Unix;
use crate::dns::{Rcode, RrType, Rrset};
use crate::dnssec::testing::{KEY_SIGNING_KEY, SigningKey, rrsets, with_signatures};
use crate::dnssec::{Algorithm, DigestType};
use crate::resolver::{Strategy, UpstreamKind, UpstreamZone, Upstreams};
use crate::validator::{AnchorStore, NegativeAnchor, TrustAnchors, Validation, ValidationOptions};
use crate::wire::{Flags, Header};

const ZONE: &str = "$ORIGIN example.\n$TTL 300\n@ 900 SOA ns h 1 2 3 4 200\n@ NS ns\n@ NSEC b NS SOA RRSIG NSEC DNSKEY\n\
    b A 192.0.2.80\nb NSEC *.c A RRSIG NSEC\n*.c CNAME b\n*.c NSEC sub CNAME RRSIG NSEC\nsub NSEC *.w NS RRSIG NSEC\n\
    *.w TXT hello\n*.w NSEC @ TXT RRSIG NSEC\n";

/// What the servers of `example.` say: question, rcode, answer, authority. What has an arrow is made from a wildcard.
const SAYS: [(&str, Rcode, &str, &str); 8] = [
    ("example. DNSKEY", Rcode::NOERROR, "example. DNSKEY", ""),
    ("a.example. A", Rcode::NXDOMAIN, "", "example. SOA|example. NSEC"),
    ("b.example. A", Rcode::NOERROR, "b.example. A", ""),
    ("b.example. MX", Rcode::NOERROR, "", "example. SOA|b.example. NSEC"),
    ("x.c.example. A", Rcode::NOERROR, "*.c.example. CNAME>x.c.example.|b.example. A", "*.c.example. NSEC"),
    ("x.w.example. TXT", Rcode::NOERROR, "*.w.example. TXT>x.w.example.", "*.w.example. NSEC"),
    ("sub.example. DS", Rcode::NOERROR, "", "example. SOA|sub.example. NSEC"),
    ("z.example. A", Rcode::NXDOMAIN, "", "example. SOA|*.w.example. NSEC|example. NSEC"),
];

/// A world where `example.` is signed, and a recursion that trusts its key.
struct Signed {
    lab: Lab,
    anchors: TrustAnchors,
}

impl Signed {
    fn new() -> Signed {
        Signed::forged("")
    }

    /// The signature of this RRset is another's.
    fn forged(wrong: &str) -> Signed {
        let lab = Lab::new(&[], &[]);
        let key = SigningKey::with_flags(Algorithm::ECDSAP256SHA256, KEY_SIGNING_KEY);
        let apex = name("example.");
        let dnskey = [key.dnskey()].into_iter().collect();
        let dnskey = Rrset::new(
            apex.clone(),
            RrType::DNSKEY,
            crate::dns::Ttl::saturating(300),
            dnskey,
            Default::default(),
        );
        let mut signed: Vec<Rrset> = Vec::new();
        for rrset in rrsets(ZONE).into_iter().chain([dnskey]) {
            let mut signature = key.sign(rrset.view(), apex.as_ref(), 0, 100_000);
            if told(&rrset) == wrong {
                *signature.last_mut().unwrap() ^= 1;
            }
            signed.push(with_signatures(rrset.view(), &[signature]));
        }
        lab.world.host("192.0.2.2", move |seen| vec![(10, say(seen, &signed))]);
        let mut anchors = TrustAnchors::none();
        anchors.insert(apex.as_ref(), RrType::DS, &key.ds(apex.as_ref(), DigestType::SHA256)).unwrap();
        Signed { lab, anchors }.with(ValidationOptions::default())
    }

    /// With what it knows, other options and the anchors there are.
    fn with(self, options: ValidationOptions) -> Signed {
        // What is told of trust anchors takes packets and time of its own.
        let options = ValidationOptions { signaling: false, ..options };
        let anchors = Arc::new(AnchorStore::new(self.anchors.clone()));
        let recursion = self.lab.recursion.validating(Arc::new(Validation { options, anchors }));
        Signed { lab: Lab { recursion, ..self.lab }, ..self }
    }

    fn ask(&self, asked: &str) -> String {
        let wants = self.lab.recursion.wants(true, false);
        let recursion = &self.lab.recursion;
        let resolved = self.lab.world.run(recursion.resolve_with(question(asked), None, wants));
        format!("{} {:?} {}", resolved.rcode, resolved.security, resolved.source.word())
    }

    /// What is known at once: rcode, security, source, TTL, and what stands in the sections.
    fn at_once(&self, asked: &str, wants: Wants) -> String {
        let now = self.lab.world.now();
        let Some(cached) = self.lab.recursion.cached(question(asked).as_ref(), wants, now) else {
            return "-".into();
        };
        let (security, source, answer) = (cached.security, cached.source.word(), cached.to_answer());
        assert_eq!(answer.authentic, security == Security::Secure);
        let all = || answer.answer.iter().chain(answer.authority.iter());
        let ttl = all().map(|rrset| rrset.ttl.seconds()).max().unwrap_or_default();
        let sets = all().map(|rrset| format!(" {} {}", rrset.rrset().owner, rrset.rrset().rr_type));
        format!("{} {security:?} {source} {ttl}{}", answer.rcode, sets.collect::<String>())
    }

    fn denials(&self) -> u64 {
        self.lab.recursion.cache().usage().denials
    }

    fn wants(&self, dnssec_ok: bool, checking_disabled: bool) -> Wants {
        self.lab.recursion.wants(dnssec_ok, checking_disabled)
    }
}

fn told(rrset: &Rrset) -> String {
    format!("{} {}", rrset.owner, rrset.rr_type)
}

fn say(seen: &Seen, signed: &[Rrset]) -> Vec<u8> {
    let row = SAYS.iter().find(|(of, ..)| {
        let (owner, rr_type) = of.split_once(' ').unwrap();
        seen.question.name == name(owner) && seen.question.rr_type.to_string() == rr_type
    });
    let (_, rcode, answer, authority) = row.unwrap_or(&("", Rcode::REFUSED, "", ""));
    let (mut body, mut counts) = (Vec::new(), [1, 0, 0, 0]);
    body.extend(seen.question.name.octets());
    body.extend(seen.question.rr_type.0.to_be_bytes());
    body.extend(1u16.to_be_bytes());
    for (place, section) in [(1, answer), (2, authority)] {
        for wanted in section.split('|').filter(|wanted| !wanted.is_empty()) {
            let (source, owner) = wanted.split_once('>').unwrap_or((wanted, ""));
            let rrset = signed.iter().find(|rrset| told(rrset) == source).unwrap();
            let owner = if owner.is_empty() { rrset.owner.clone() } else { name(owner) };
            let records = rrset.records().iter().map(|rdata| (rrset.rr_type, rdata));
            let signatures = rrset.signatures().iter().map(|rdata| (RrType::RRSIG, rdata));
            for (rr_type, rdata) in records.chain(signatures) {
                counts[place] += 1;
                body.extend(owner.octets());
                body.extend(rr_type.0.to_be_bytes());
                body.extend(1u16.to_be_bytes());
                body.extend(rrset.ttl.seconds().to_be_bytes());
                body.extend((rdata.len() as u16).to_be_bytes());
                body.extend(rdata);
            }
        }
    }
    counts[3] = 1;
    body.extend(b"\0\0\x29\x04\xd0\0\0\x80\0\0\0");
    let flags = Flags(Flags::QR.0 | Flags::AA.0 | rcode.0);
    [&Header { id: seen.id, flags, counts }.octets()[..], &body].concat()
}

#[test]
fn random_names_in_a_signed_zone_cost_no_packets_once_the_spans_are_known() {
    let signed = Signed::new();
    let plain = signed.wants(false, false);
    assert_eq!(signed.at_once("a0.example. A", plain), "-");
    assert_eq!(signed.ask("a.example. A"), "NXDOMAIN Secure recursion");
    signed.lab.sent();
    let entries = signed.lab.recursion.cache().usage().entries;
    for number in 0..1000 {
        let asked = format!("a{number}.example. AAAA");
        assert_eq!(signed.at_once(&asked, plain), "NXDOMAIN Secure synthesized 200 example. SOA", "{asked}");
        let below = format!("{number}.aa.example. A");
        assert_eq!(signed.at_once(&below, plain), "NXDOMAIN Secure synthesized 200 example. SOA");
    }
    let proofs = signed.at_once("a7.example. TXT", signed.wants(true, false));
    assert_eq!(proofs, "NXDOMAIN Secure synthesized 200 example. SOA example. NSEC");
    assert_eq!(signed.lab.recursion.cache().usage().entries, entries, "they take no room");
    assert!(signed.lab.sent().is_empty());
    // Whoever validates for himself is told what servers say.
    assert_eq!(signed.at_once("a7.example. TXT", signed.wants(true, true)), "-");
    // Outside the span nothing is known.
    assert_eq!(signed.at_once("z1.example. A", plain), "-");
    // TTLs age, and end.
    signed.lab.later(150);
    let aged = signed.at_once("a1.example. A", plain);
    assert!(
        aged.starts_with("NXDOMAIN Secure synthesized 49 ")
            || aged.starts_with("NXDOMAIN Secure synthesized 50 "),
        "{aged}"
    );
    signed.lab.later(60);
    assert_eq!(signed.at_once("a1.example. A", plain), "-");
}

#[test]
fn a_type_that_is_denied_is_denied_with_all_that_are_missing_there() {
    let signed = Signed::new();
    signed.ask("b.example. MX");
    signed.lab.sent();
    let plain = signed.wants(false, false);
    assert_eq!(signed.at_once("b.example. AAAA", plain), "NOERROR Secure synthesized 200 example. SOA");
    assert_eq!(signed.at_once("b.example. A", plain), "-");
    // Of a delegation only what the zone itself knows.
    signed.ask("sub.example. DS");
    assert_eq!(signed.at_once("sub.example. A", plain), "-");
    assert_eq!(signed.at_once("www.sub.example. A", plain), "-");
    // A name may have had it said of it, or not: what a client asks is what is remembered.
    assert!(signed.at_once("sub.example. DS", plain).starts_with("NOERROR Secure negative-cache"));
}

#[test]
fn wildcards_make_further_answers() {
    let signed = Signed::new();
    let proofs = signed.wants(true, false);
    assert_eq!(signed.ask("x.w.example. TXT"), "NOERROR Secure recursion");
    assert_eq!(signed.ask("x.c.example. A"), "NOERROR Secure recursion");
    signed.lab.sent();
    let made = "NOERROR Secure synthesized 299 y.z.w.example. TXT *.w.example. NSEC";
    assert_eq!(signed.at_once("y.z.w.example. TXT", proofs), made);
    // The signature is that of the wildcard, so that others can verify it.
    let now = signed.lab.world.now();
    let cached = signed.lab.recursion.cached(question("y.w.example. TXT").as_ref(), proofs, now).unwrap();
    let made = cached.to_answer().answer.iter().next().unwrap().rrset().to_rrset();
    assert!(made.is_expanded_wildcard());
    // An alias leads on, to what is known; that takes a flight, and nobody is asked.
    assert_eq!(signed.at_once("y.c.example. A", proofs), "-");
    let wants = signed.wants(true, false);
    let recursion = &signed.lab.recursion;
    let resolved = signed.lab.world.run(recursion.resolve_with(question("y.c.example. A"), None, wants));
    assert_eq!(short(&resolved), "NOERROR y.c.example. CNAME b.example., b.example. A 192.0.2.80");
    assert_eq!((resolved.security, signed.lab.sent().len()), (Security::Secure, 0));
    assert!(resolved.authority.iter().any(|rrset| rrset.rr_type == RrType::NSEC));
}

#[test]
fn nothing_is_made_below_a_negative_trust_anchor_or_without_one_above() {
    let ask = |signed: &Signed| {
        let wants = signed.wants(false, false);
        ["aa.example. A", "www.aa.example. A", "ab.example. A"]
            .map(|asked| signed.at_once(asked, wants) != "-")
    };
    let signed = Signed::new();
    signed.ask("a.example. A");
    assert_eq!(ask(&signed), [true; 3]);
    let negative = |until| vec![NegativeAnchor { apex: name("aa.example."), until }];
    let Signed { lab, anchors } = signed;
    for (until, want) in [
        (None, [false, false, true]),
        (Some(Unix::of_seconds(1_000_000)), [false, false, true]),
        (Some(Unix(0)), [true; 3]),
    ] {
        let recursion = lab.recursion.clone();
        let lab = Lab { world: lab.world.clone(), recursion, recorder: lab.recorder.clone() };
        let signed = Signed { lab, anchors: anchors.clone().with_negative(negative(until)) };
        assert_eq!(ask(&signed.with(ValidationOptions::default())), want, "{until:?}");
    }
    let gone = Signed { lab, anchors: TrustAnchors::none() }.with(ValidationOptions::default());
    assert_eq!(ask(&gone), [false; 3]);
}

#[test]
fn only_what_is_secure_is_kept_and_only_where_it_is_wanted() {
    let signed = Signed::forged("example. NSEC");
    assert!(signed.ask("a.example. A").starts_with("SERVFAIL Bogus"));
    assert_eq!(signed.denials(), 0);
    assert!(signed.ask("z.example. A").starts_with("SERVFAIL Bogus"), "one of two proofs is good");
    assert_eq!(signed.denials(), 0);
    let indeterminate = Signed { anchors: TrustAnchors::none(), ..Signed::new() };
    let indeterminate = indeterminate.with(ValidationOptions::default());
    assert!(indeterminate.ask("a.example. A").starts_with("NXDOMAIN Indeterminate"));
    assert_eq!(indeterminate.denials(), 0);
    let off = Signed::new().with(ValidationOptions { aggressive: false, ..ValidationOptions::default() });
    assert!(off.ask("a.example. A").starts_with("NXDOMAIN Secure"));
    assert_eq!(off.denials(), 0);
    let signed = Signed::new();
    signed.ask("a.example. A");
    assert_eq!(signed.denials(), 2);
    let off = signed.with(ValidationOptions { aggressive: false, ..ValidationOptions::default() });
    assert_eq!(off.at_once("aa.example. A", off.wants(false, false)), "-");
}

#[test]
fn names_for_which_others_were_named_are_asked_of_them() {
    let signed = Signed::new();
    signed.ask("a.example. A");
    let resolver = &signed.lab.recursion.resolver;
    let zone = UpstreamZone {
        apex: name("aa.example."),
        kind: UpstreamKind::Stub,
        servers: vec!["192.0.2.9:53".parse().unwrap()],
        strategy: Strategy::Ordered,
        fallback: false,
    };
    let options = ResolverOptions { upstreams: Upstreams::new(vec![zone]), ..resolver.options.clone() };
    let (cache, world, hints) = (resolver.cache.clone(), resolver.world.clone(), resolver.hints.clone());
    let recursion = Recursion::new(cache, world, hints, options);
    let Signed { lab, anchors } = signed;
    let signed = Signed { lab: Lab { recursion, ..lab }, anchors }.with(ValidationOptions::default());
    let plain = signed.wants(false, false);
    for (asked, want) in [("aa.example. A", false), ("x.aa.example. A", false), ("ab.example. A", true)] {
        assert_eq!(signed.at_once(asked, plain) != "-", want, "{asked}");
    }
}
