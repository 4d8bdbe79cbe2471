//! The example zones and responses of RFC 4035 appendices A and B and of RFC 5155 appendices A and B. Signatures here say
//! nothing but which RRset they cover, and answers are minimal: without NS beside an answer, without glue for DO's sake.

use super::*;
use crate::dns::{Name, Ttl};
use crate::zone::NodeKind;

const RFC_4035: &str = r#"
$ORIGIN example.
$TTL 3600
@      SOA    ns1 bugs.x.w 1081539377 3600 300 3600000 3600
@      NS     ns1
@      NS     ns2
@      MX     1 xx
@      DNSKEY 256 3 5 AAAA
@      NSEC   a NS SOA MX RRSIG NSEC DNSKEY
a      NS     ns1.a
a      NS     ns2.a
a      DS     57855 5 1 b6dcd485719adca18e5f3d48a2331627fdd3636b
a      NSEC   ai NS DS RRSIG NSEC
ns1.a  A      192.0.2.5
ns2.a  A      192.0.2.6
ai     A      192.0.2.9
ai     HINFO  "KLH-10" "ITS"
ai     AAAA   2001:db8::f00:baa9
ai     NSEC   b A HINFO AAAA RRSIG NSEC
b      NS     ns1.b
b      NS     ns2.b
b      NSEC   ns1 NS RRSIG NSEC
ns1.b  A      192.0.2.7
ns2.b  A      192.0.2.8
ns1    A      192.0.2.1
ns1    NSEC   ns2 A RRSIG NSEC
ns2    A      192.0.2.2
ns2    NSEC   *.w A RRSIG NSEC
*.w    MX     1 ai
*.w    NSEC   x.w MX RRSIG NSEC
x.w    MX     1 xx
x.w    NSEC   x.y.w MX RRSIG NSEC
x.y.w  MX     1 xx
x.y.w  NSEC   xx MX RRSIG NSEC
xx     A      192.0.2.10
xx     HINFO  "KLH-10" "TOPS-20"
xx     AAAA   2001:db8::f00:baaa
xx     NSEC   @ A HINFO AAAA RRSIG NSEC
"#;

const RFC_5155: &str = r#"
$ORIGIN example.
$TTL 3600
@      SOA    ns1 bugs.x.w 1 3600 300 3600000 3600
@      NS     ns1
@      NS     ns2
@      MX     1 xx
@      DNSKEY 256 3 7 AAAA
@      NSEC3PARAM 1 0 12 aabbccdd
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG
2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127
2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG
2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 1 12 aabbccdd 35mthgpgcu1qg68fab165klnsnk3dpvl MX RRSIG
35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG
a      NS     ns1.a
a      NS     ns2.a
a      DS     58470 5 1 3079f1593ebad6dc121e202a8b766a6a4837206c
ns1.a  A      192.0.2.5
ns2.a  A      192.0.2.6
ai     A      192.0.2.9
ai     HINFO  "KLH-10" "ITS"
ai     AAAA   2001:db8::f00:baa9
b4um86eghhds6nea196smvmlo4ors995 NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG
c      NS     ns1.c
c      NS     ns2.c
ns1.c  A      192.0.2.7
ns2.c  A      192.0.2.8
gjeqe526plbf1g8mklp59enfd789njgi NSEC3 1 1 12 aabbccdd ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO A AAAA RRSIG
ji6neoaepv8b5o6k4ev33abha8ht9fgc NSEC3 1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h
k8udemvp1j2f7eg6jebps17vp3n8i58h NSEC3 1 1 12 aabbccdd kohar7mbb8dc2ce8a9qvl8hon4k53uhi
kohar7mbb8dc2ce8a9qvl8hon4k53uhi NSEC3 1 1 12 aabbccdd q04jkcevqvmu85r014c7dkba38o0ji5r A RRSIG
ns1    A      192.0.2.1
ns2    A      192.0.2.2
q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG
r53bq7cc2uvmubfu5ocmm6pers9tk9en NSEC3 1 1 12 aabbccdd t644ebqk9bibcna874givr6joj62mlhv MX RRSIG
t644ebqk9bibcna874givr6joj62mlhv NSEC3 1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom HINFO A AAAA RRSIG
*.w    MX     1 ai
x.w    MX     1 xx
x.y.w  MX     1 xx
xx     A      192.0.2.10
xx     HINFO  "KLH-10" "TOPS-20"
xx     AAAA   2001:db8::f00:baaa
"#;

/// A zone served alone, with a stand-in for a signature over all that is signed: not NS at a cut, not glue.
pub(super) fn signed(zone: &Zone) -> ZoneTable {
    let mut builder = ZoneBuilder::new(zone.apex().to_name());
    for node in zone.nodes() {
        for rrset in node.rrsets() {
            let push_all = |builder: &mut ZoneBuilder<()>, rr_type: RrType, rdata: &[u8]| {
                builder.push(rrset.owner, rr_type, Ttl::saturating(3600), rdata, ());
            };
            rrset.records.iter().for_each(|rdata| push_all(&mut builder, rrset.rr_type, rdata));
            let is_signed = match node.kind() {
                NodeKind::Occluded => false,
                NodeKind::Cut => rrset.rr_type != RrType::NS,
                _ => true,
            };
            if is_signed {
                push_all(
                    &mut builder,
                    RrType::RRSIG,
                    &[&rrset.rr_type.0.to_be_bytes()[..], &[0; 17]].concat(),
                );
            }
        }
    }
    let zone = builder.build().ok().unwrap().zone;
    ZoneTable::new().with(ZoneEntry::Loaded(zone.into()))
}

/// As [`asked`] with DO, but of each RRset only its owner and type, with a `+` when its signatures stand beside it.
pub(super) fn outline(zones: &ZoneTable, name: &str, rr_type: RrType) -> String {
    let name: Name = name.parse().unwrap();
    let question = QuestionRef { name: name.as_ref(), rr_type, class: RrClass::IN };
    let Verdict::Answer(answer) = answer(zones, question, true) else { panic!("{name} is not ours") };
    let mut text = format!("{}{}", answer.rcode, if answer.authoritative { " aa" } else { "" });
    let sections = [
        ("an", answer.answer.iter().collect::<Vec<_>>()),
        ("au", answer.authority.iter().collect()),
        ("ad", answer.additional.iter().collect()),
    ];
    for (word, rrsets) in sections.into_iter().filter(|(_, rrsets)| !rrsets.is_empty()) {
        let rrsets: Vec<String> = rrsets.into_iter().map(short).collect();
        text += &format!(" {word}[{}]", rrsets.join(", "));
    }
    text
}

fn short(rrset: &AnswerRrset<'_>) -> String {
    let set = rrset.rrset();
    let is_signed = rrset.with_signatures && !set.signatures.is_empty();
    let owner = set.owner.to_string();
    // A hash is known by its beginning.
    let owner = if set.rr_type == RrType::NSEC3 { owner[..4].to_owned() } else { owner };
    format!("{owner} {}{}", set.rr_type, if is_signed { "+" } else { "" })
}

fn assert_outlines(text: &str, rows: &[(&str, &str, RrType, &str)]) {
    let zones = signed(&zone("example.", text));
    for (case, name, rr_type, want) in rows {
        assert_eq!(outline(&zones, name, *rr_type), *want, "{case}: {name} {rr_type}");
    }
}

#[test]
fn responses_are_those_of_rfc_4035_appendix_b() {
    assert_outlines(
        RFC_4035,
        &[
            (
                "B.1 answer",
                "x.w.example.",
                RrType::MX,
                "NOERROR aa an[x.w.example. MX+] ad[xx.example. A+, xx.example. AAAA+]",
            ),
            (
                "B.2 name error",
                "ml.example.",
                RrType::A,
                "NXDOMAIN aa au[example. SOA+, b.example. NSEC+, example. NSEC+]",
            ),
            ("B.3 no data", "ns1.example.", RrType::MX, "NOERROR aa au[example. SOA+, ns1.example. NSEC+]"),
            (
                "B.4 signed delegation",
                "mc.a.example.",
                RrType::MX,
                "NOERROR au[a.example. NS, a.example. DS+] ad[ns1.a.example. A, ns2.a.example. A]",
            ),
            (
                "B.5 unsigned delegation",
                "mc.b.example.",
                RrType::MX,
                "NOERROR au[b.example. NS, b.example. NSEC+] ad[ns1.b.example. A, ns2.b.example. A]",
            ),
            (
                "B.6 wildcard",
                "a.z.w.example.",
                RrType::MX,
                "NOERROR aa an[a.z.w.example. MX+] au[x.y.w.example. NSEC+] ad[ai.example. A+, ai.example. AAAA+]",
            ),
            (
                "B.7 wildcard no data",
                "a.z.w.example.",
                RrType::AAAA,
                "NOERROR aa au[example. SOA+, x.y.w.example. NSEC+, *.w.example. NSEC+]",
            ),
            (
                "B.8 DS asked of the child",
                "example.",
                RrType::DS,
                "NOERROR aa au[example. SOA+, example. NSEC+]",
            ),
            (
                "DS of an unsigned delegation",
                "b.example.",
                RrType::DS,
                "NOERROR aa au[example. SOA+, b.example. NSEC+]",
            ),
            (
                "empty non-terminal",
                "y.w.example.",
                RrType::A,
                "NOERROR aa au[example. SOA+, x.w.example. NSEC+]",
            ),
            (
                "behind glue",
                "bb.example.",
                RrType::A,
                "NXDOMAIN aa au[example. SOA+, b.example. NSEC+, example. NSEC+]",
            ),
            ("one record for both", "0.example.", RrType::A, "NXDOMAIN aa au[example. SOA+, example. NSEC+]"),
            ("the chain itself", "ns2.example.", RrType::NSEC, "NOERROR aa an[ns2.example. NSEC+]"),
        ],
    );
}

#[test]
fn responses_are_those_of_rfc_5155_appendix_b() {
    assert_outlines(
        RFC_5155,
        &[
            (
                "B.1 name error",
                "a.c.x.w.example.",
                RrType::A,
                "NXDOMAIN aa au[example. SOA+, b4um NSEC3+, 0p9m NSEC3+, 35mt NSEC3+]",
            ),
            ("B.2 no data", "ns1.example.", RrType::MX, "NOERROR aa au[example. SOA+, 2t7b NSEC3+]"),
            (
                "B.2.1 empty non-terminal",
                "y.w.example.",
                RrType::A,
                "NOERROR aa au[example. SOA+, ji6n NSEC3+]",
            ),
            (
                "B.3 opt-out delegation",
                "mc.c.example.",
                RrType::MX,
                "NOERROR au[c.example. NS, 0p9m NSEC3+, 35mt NSEC3+] ad[ns1.c.example. A, ns2.c.example. A]",
            ),
            (
                "B.4 wildcard",
                "a.z.w.example.",
                RrType::MX,
                "NOERROR aa an[a.z.w.example. MX+] au[q04j NSEC3+] ad[ai.example. A+, ai.example. AAAA+]",
            ),
            (
                "B.5 wildcard no data",
                "a.z.w.example.",
                RrType::AAAA,
                "NOERROR aa au[example. SOA+, k8ud NSEC3+, q04j NSEC3+, r53b NSEC3+]",
            ),
            (
                "B.6 DS asked of the child",
                "example.",
                RrType::DS,
                "NOERROR aa au[example. SOA+, 0p9m NSEC3+]",
            ),
            (
                "DS of an opt-out delegation",
                "c.example.",
                RrType::DS,
                "NOERROR aa au[example. SOA+, 0p9m NSEC3+, 35mt NSEC3+]",
            ),
            (
                "signed delegation",
                "mc.a.example.",
                RrType::MX,
                "NOERROR au[a.example. NS, a.example. DS+] ad[ns1.a.example. A, ns2.a.example. A]",
            ),
            // RFC 5155 7.2.8: what only owns NSEC3 does not exist, nor does NSEC anywhere.
            (
                "an NSEC3 owner",
                "35mthgpgcu1qg68fab165klnsnk3dpvl.example.",
                RrType::NSEC3,
                "NXDOMAIN aa au[example. SOA+, 0p9m NSEC3+, gjeq NSEC3+]",
            ),
            (
                "an NSEC3 owner with an address",
                "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.",
                RrType::A,
                "NOERROR aa an[2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A+]",
            ),
            (
                "the NSEC3 beside it",
                "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.",
                RrType::NSEC3,
                "NOERROR aa au[example. SOA+, koha NSEC3+]",
            ),
            ("NSEC", "ns1.example.", RrType::NSEC, "NOERROR aa au[example. SOA+, 2t7b NSEC3+]"),
        ],
    );
}

#[test]
fn without_do_a_signed_zone_answers_as_an_unsigned_one() {
    for text in [RFC_4035, RFC_5155] {
        let zones = signed(&zone("example.", text));
        for (name, rr_type) in [
            ("ml.example.", RrType::A),
            ("mc.a.example.", RrType::A),
            ("a.z.w.example.", RrType::AAAA),
            ("x.w.example.", RrType::MX),
        ] {
            let text = asked(&zones, name, rr_type, false);
            assert!(!["NSEC", "RRSIG", "DS"].iter().any(|word| text.contains(word)), "{text}");
        }
    }
}

#[test]
fn a_chain_of_aliases_says_each_proof_once() {
    let text = r#"
$ORIGIN example.
$TTL 3600
@      SOA   ns1 a 1 3600 300 3600000 3600
@      NS    ns1
@      NSEC  c NS SOA RRSIG NSEC
c      CNAME c.w
c      NSEC  dn CNAME RRSIG NSEC
dn     DNAME w
dn     NSEC  ns1 DNAME RRSIG NSEC
ns1    A     192.0.2.1
ns1    NSEC  *.w A RRSIG NSEC
*.w    CNAME d.w.w
*.w    NSEC  *.w.w CNAME RRSIG NSEC
*.w.w  CNAME e.e
*.w.w  NSEC  @ CNAME RRSIG NSEC
"#;
    let zones = signed(&zone("example.", text));
    assert_eq!(
        outline(&zones, "c.example.", RrType::A),
        "NXDOMAIN aa an[c.example. CNAME+, c.w.example. CNAME+, d.w.w.example. CNAME+] \
         au[*.w.example. NSEC+, *.w.w.example. NSEC+, example. SOA+, dn.example. NSEC+, example. NSEC+]"
    );
    assert_eq!(
        outline(&zones, "x.dn.example.", RrType::CNAME),
        "NOERROR aa an[dn.example. DNAME+, x.dn.example. CNAME]",
        "a DNAME needs no proof, and what is made of it has no signature"
    );
}

#[test]
fn a_chain_with_a_gap_gives_what_it_has() {
    let text =
        RFC_4035.lines().filter(|line| !line.starts_with("b      NSEC") && !line.starts_with("@      NSEC"));
    let zones = signed(&zone("example.", &text.collect::<Vec<_>>().join("\n")));
    assert_eq!(outline(&zones, "ml.example.", RrType::A), "NXDOMAIN aa au[example. SOA+]");
    let text = RFC_5155.replace(
        "q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbccdd",
        "q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbcc00",
    );
    let zones = signed(&zone("example.", &text));
    assert_eq!(
        outline(&zones, "ns2.example.", RrType::TXT),
        "NOERROR aa au[example. SOA+, 0p9m NSEC3+, koha NSEC3+]",
        "a record with other parameters is of another chain"
    );
}
