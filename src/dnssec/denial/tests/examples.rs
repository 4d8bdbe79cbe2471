//! The examples of RFC 4035 appendix B and of RFC 5155 appendix B.

use super::*;

const RFC_4035: &str = "
@      NSEC a NS SOA MX RRSIG NSEC DNSKEY
a      NSEC ai NS DS RRSIG NSEC
ai     NSEC b A HINFO AAAA RRSIG NSEC
b      NSEC ns1 NS RRSIG NSEC
ns1    NSEC ns2 A RRSIG NSEC
ns2    NSEC *.w A RRSIG NSEC
*.w    NSEC x.w MX RRSIG NSEC
x.w    NSEC x.y.w MX RRSIG NSEC
x.y.w  NSEC xx MX RRSIG NSEC
xx     NSEC @ A HINFO AAAA RRSIG NSEC
";

const RFC_5155: &str = "
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG
2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG
2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 1 12 aabbccdd 35mthgpgcu1qg68fab165klnsnk3dpvl MX RRSIG
35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG
b4um86eghhds6nea196smvmlo4ors995 NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG
gjeqe526plbf1g8mklp59enfd789njgi NSEC3 1 1 12 aabbccdd ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO A AAAA RRSIG
ji6neoaepv8b5o6k4ev33abha8ht9fgc NSEC3 1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h
k8udemvp1j2f7eg6jebps17vp3n8i58h NSEC3 1 1 12 aabbccdd kohar7mbb8dc2ce8a9qvl8hon4k53uhi
kohar7mbb8dc2ce8a9qvl8hon4k53uhi NSEC3 1 1 12 aabbccdd q04jkcevqvmu85r014c7dkba38o0ji5r A RRSIG
q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG
r53bq7cc2uvmubfu5ocmm6pers9tk9en NSEC3 1 1 12 aabbccdd t644ebqk9bibcna874givr6joj62mlhv MX RRSIG
t644ebqk9bibcna874givr6joj62mlhv NSEC3 1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom HINFO A AAAA RRSIG
";

/// Case, claim, name, the first labels of the owners of the records that came, what is found.
type Row = (&'static str, Claim, &'static str, &'static str, &'static str);

fn is_proof(found: &str) -> bool {
    !found.starts_with("Unproven")
}

/// Each proof holds, and without one of its records it does not.
fn assert_rows(lines: &str, rows: &[Row]) {
    let (apex, all) = (name("example."), records(lines));
    for (case, claim, asked, owners, want) in rows {
        let is_of = |rrset: &Rrset, owner: &str| rrset.owner.to_string().starts_with(&format!("{owner}."));
        let came: Vec<Rrset> = owners
            .split_whitespace()
            .map(|owner| all.iter().find(|rrset| is_of(rrset, owner)).unwrap().clone())
            .collect();
        let mut hashes = Hashes::new();
        let got = found(&evidence(&apex, &came), claim, asked, &mut hashes);
        assert_eq!(got, *want, "{case}");
        assert!(hashes.count() <= 4, "{case}: {hashes:?}");
        for gone in (0..came.len()).filter(|_| is_proof(want)) {
            let mut rest = came.clone();
            rest.remove(gone);
            let got = found(&evidence(&apex, &rest), claim, asked, &mut Hashes::new());
            assert!(!is_proof(&got), "{case} without its record {gone}: {got}");
        }
    }
}

#[test]
fn the_answers_of_rfc_4035_appendix_b_are_proven() {
    let (mx, aaaa, a, ds) = (RrType::MX, RrType::AAAA, RrType::A, RrType::DS);
    assert_rows(
        RFC_4035,
        &[
            ("B.2 name error", Claim::NxDomain, "ml.example.", "b example", "Proven"),
            ("B.3 no data", Claim::NoData(mx), "ns1.example.", "ns1", "Proven"),
            ("B.4 signed delegation", Claim::NoDs, "a.example.", "a", "Unproven(NoType)"),
            ("B.5 unsigned delegation", Claim::NoDs, "b.example.", "b", "InsecureDelegation"),
            ("B.6 wildcard", Claim::Wildcard("w.example."), "a.z.w.example.", "x.y.w", "Proven"),
            ("B.7 wildcard no data", Claim::NoData(aaaa), "a.z.w.example.", "x.y.w *.w", "Proven"),
            ("B.8 DS from the child", Claim::NoData(ds), "example.", "example", "Unproven(ParentSide)"),
            ("empty non-terminal", Claim::NoData(a), "y.w.example.", "x.w", "Proven"),
            ("behind the last", Claim::NxDomain, "zz.example.", "xx example", "Proven"),
            ("no cut at a host", Claim::NoDs, "ns1.example.", "ns1", "NotACut"),
            ("no cut where nothing is", Claim::NoDs, "ml.example.", "b", "NotACut"),
            ("no cut at an empty non-terminal", Claim::NoDs, "y.w.example.", "x.w", "NotACut"),
        ],
    );
}

#[test]
fn the_answers_of_rfc_5155_appendix_b_are_insecure_where_opt_out_hides_something() {
    let (mx, a, ds) = (RrType::MX, RrType::A, RrType::DS);
    assert_rows(
        RFC_5155,
        &[
            (
                "B.1 name error",
                Claim::NxDomain,
                "a.c.x.w.example.",
                "b4um86eghhds6nea196smvmlo4ors995 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 35mthgpgcu1qg68fab165klnsnk3dpvl",
                "OptOut",
            ),
            ("B.2 no data", Claim::NoData(mx), "ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr", "Proven"),
            (
                "B.2.1 empty non-terminal",
                Claim::NoData(a),
                "y.w.example.",
                "ji6neoaepv8b5o6k4ev33abha8ht9fgc",
                "Proven",
            ),
            (
                "B.3 opt-out delegation",
                Claim::NoDs,
                "c.example.",
                "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 35mthgpgcu1qg68fab165klnsnk3dpvl",
                "OptOut",
            ),
            (
                "B.3 asked",
                Claim::NoData(ds),
                "c.example.",
                "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 35mthgpgcu1qg68fab165klnsnk3dpvl",
                "OptOut",
            ),
            (
                "B.4 wildcard",
                Claim::Wildcard("w.example."),
                "a.z.w.example.",
                "q04jkcevqvmu85r014c7dkba38o0ji5r",
                "OptOut",
            ),
            (
                "B.5 wildcard no data",
                Claim::NoData(RrType::AAAA),
                "a.z.w.example.",
                "k8udemvp1j2f7eg6jebps17vp3n8i58h q04jkcevqvmu85r014c7dkba38o0ji5r",
                "OptOut",
            ),
            (
                "B.6 DS from the child",
                Claim::NoData(ds),
                "example.",
                "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
                "Unproven(ParentSide)",
            ),
        ],
    );
}

#[test]
fn the_answers_of_rfc_5155_appendix_b_are_proven_without_opt_out() {
    assert_rows(
        &RFC_5155.replace("NSEC3 1 1", "NSEC3 1 0"),
        &[
            (
                "B.1 name error",
                Claim::NxDomain,
                "a.c.x.w.example.",
                "b4um86eghhds6nea196smvmlo4ors995 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 35mthgpgcu1qg68fab165klnsnk3dpvl",
                "Proven",
            ),
            (
                "B.3 no delegation",
                Claim::NoDs,
                "c.example.",
                "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 35mthgpgcu1qg68fab165klnsnk3dpvl",
                "NotACut",
            ),
            (
                "B.4 wildcard",
                Claim::Wildcard("w.example."),
                "a.z.w.example.",
                "q04jkcevqvmu85r014c7dkba38o0ji5r",
                "Proven",
            ),
            (
                "B.5 wildcard no data",
                Claim::NoData(RrType::AAAA),
                "a.z.w.example.",
                "k8udemvp1j2f7eg6jebps17vp3n8i58h q04jkcevqvmu85r014c7dkba38o0ji5r r53bq7cc2uvmubfu5ocmm6pers9tk9en",
                "Proven",
            ),
        ],
    );
}
