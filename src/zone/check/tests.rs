use super::*;
use crate::dns::Name;
use crate::limits::ZONEFILE_ERRORS;
use crate::zone::ZoneBuilder;
use crate::zonefile::{self, Files, Mark, NoIncludes};

/// 2026-11-21 00:00:00 UTC.
const NOW: u64 = 1_795_219_200;

/// A proper beginning of three lines.
const HEAD: &str = "@ 1h SOA ns1 hostmaster 7 2h 15m 2w 5m\n@ NS ns1\nns1 A 192.0.2.1\n";
/// The first line of the text that follows.
const FIRST: usize = 4;

fn findings(apex: &str, text: &str) -> (Files, Findings<Mark>) {
    let apex: Name = apex.parse().unwrap();
    let mut files = Files::new("zone", text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex.clone());
    let parsed = zonefile::parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    });
    assert!(parsed.is_ok(), "{text}: {parsed:?}");
    (files, builder.check(NOW))
}

/// What is found in `text`, as `code line:column`, and ` and line:column` of the other record.
fn found(apex: &str, text: &str) -> Vec<String> {
    let (files, findings) = findings(apex, text);
    let place = |mark: Mark| {
        let place = files.place(mark);
        format!("{}:{}", place.line, place.column)
    };
    let show = |finding: &ZoneError<Mark>| {
        let other = finding.other.map_or(String::new(), |other| format!(" and {}", place(other)));
        format!("{} {}{other}", finding.problem.code(), finding.mark.map_or("-".into(), place))
    };
    findings.found.iter().map(show).collect()
}

/// Lines below a proper beginning of example.org., and what is found in them; lines count from 1 at the first of them.
fn check(cases: &[(&str, &[&str])]) {
    for (lines, expected) in cases {
        let text = format!("{HEAD}{}{lines}", "\n".repeat(LEAD));
        assert_eq!(found("example.org.", &text), *expected, "{lines}");
    }
}

/// Empty lines, so that the lines of the cases count from 11.
const LEAD: usize = 11 - FIRST;

#[test]
fn a_proper_zone_has_no_findings() {
    check(&[
        ("", &[]),
        ("@ MX 0 .\n_x._tcp SRV 0 0 0 .\n@ HTTPS 1 . alpn=h2", &[]),
        ("@ MX 10 mail.example.net.\n@ NS ns.example.net.\nwww CNAME www.example.com.", &[]),
        ("*.apps A 192.0.2.1\n@ MX 10 anything.apps\nx CNAME y.apps", &[]),
        (
            "sub NS ns.sub\nsub NS ns1\nsub DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nns.sub A 192.0.2.1",
            &[],
        ),
        // Glue of another delegation's server.
        ("a NS ns.b\nb NS ns.b\nns.b A 192.0.2.1", &[]),
        // A target in another zone may have anything.
        ("sub NS ns1\n@ MX 10 mail.sub\nx CNAME sub", &[]),
        ("host_1 A 192.0.2.1\n\\@home TXT x\nMy\\ Printer._ipp._tcp SRV 0 0 631 ns1", &[]),
        ("@ HTTPS 0 svc\nsvc HTTPS 1 ns1", &[]),
        ("a CNAME b\nb CNAME ns1", &[]),
        ("org.example A 192.0.2.1\nexample.com A 192.0.2.1\nx CNAME example.com", &[]),
    ]);
}

#[test]
fn names_that_want_a_final_dot() {
    check(&[
        ("www.example.org A 192.0.2.1", &["missing-final-dot 11:1"]),
        ("www CNAME ns1.example.org", &["missing-final-dot 11:1"]),
        ("@ NS ns1.example.net", &["missing-final-dot 11:1"]),
        ("@ MX 10 mail.Example.ORG", &["missing-final-dot 11:1"]),
        ("@ MX 10 192.0.2.7", &["address-for-a-name 11:1"]),
        ("@ MX 10 mail.sub", &["target-missing 11:1"]),
        // It exists, so it was meant.
        ("@ MX 10 mail.net\nmail.net A 192.0.2.1", &[]),
    ]);
}

#[test]
fn names_nobody_asks_for() {
    check(&[
        ("a.*.b TXT x", &["no-wildcard 11:1"]),
        ("*x TXT x", &["no-wildcard 11:1"]),
        ("* NS ns1", &["wildcard-trap 11:1"]),
        ("a\\032b A 192.0.2.1", &["odd-host-name 11:1"]),
        ("b\u{fc}ro A 192.0.2.1", &["odd-host-name 11:1"]),
        ("srv SRV 0 0 1 ns1", &["no-service-label 11:1"]),
        (
            "@ TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            &["no-service-label 11:1"],
        ),
    ]);
}

#[test]
fn targets_of_no_use() {
    check(&[
        ("@ MX 10 a\na CNAME ns1", &["target-is-alias 11:1 and 12:1"]),
        ("_x._tcp SRV 0 0 1 a\na CNAME ns1", &["target-is-alias 11:1 and 12:1"]),
        ("@ MX 10 a\na TXT x", &["target-without-address 11:1"]),
        ("@ MX 10 a\nb.a A 192.0.2.1", &["target-without-address 11:1"]),
        ("@ NS gone", &["target-missing 11:1"]),
        ("@ HTTPS 1 gone alpn=h2", &["target-missing 11:1"]),
        ("@ HTTPS 0 ns1\n@ HTTPS 1 . alpn=h2", &["mixed-modes 12:1 and 11:1"]),
        ("a CNAME gone", &["target-missing 11:1"]),
        ("a CNAME b\nb CNAME a", &["alias-loop 11:1", "alias-loop 12:1"]),
        ("a CNAME a", &["alias-loop 11:1"]),
        ("a CNAME b\nb CNAME c\nc CNAME b", &["alias-loop 12:1", "alias-loop 13:1"]),
    ]);
}

#[test]
fn what_delegations_lack_and_hide() {
    let ds = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    check(&[
        ("sub NS ns.sub", &["missing-glue 11:1"]),
        ("sub NS ns.sub\nns.sub TXT x", &["missing-glue 11:1", "hidden-by-delegation 12:1 and 11:1"]),
        ("sub NS ns1\nx.sub TXT x", &["hidden-by-delegation 12:1 and 11:1"]),
        ("sub NS ns1\nx.sub A 192.0.2.1", &["glue-of-nobody 12:1 and 11:1"]),
        ("sub NS ns1\nsub MX 10 ns1", &["hidden-by-delegation 12:1 and 11:1"]),
        ("sub NS ns1\nx.sub NS ns1", &["hidden-by-delegation 12:1 and 11:1"]),
        (&format!("a DS 1 13 2 {ds}"), &["ds-without-ns 11:1"]),
        (&format!("@ DS 1 13 2 {ds}"), &["ds-at-apex 11:1"]),
        (&format!("a CDS 1 13 2 {ds}"), &["below-apex 11:1"]),
    ]);
}

#[test]
fn records_among_themselves() {
    check(&[
        ("a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.1", &["duplicate-record 13:1 and 11:1"]),
        ("a 60 A 192.0.2.1\na 61 A 192.0.2.2", &["ttls-differ 12:1 and 11:1"]),
        ("a CNAME ns1\na TXT x", &["cname-beside-data 11:1 and 12:1"]),
    ]);
}

#[test]
fn mail_that_is_not_delivered() {
    check(&[
        ("@ TXT \"v=spf1 mx -all\"\n@ TXT \"v=spf1 -all\"", &["two-spf 12:1 and 11:1"]),
        ("@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf1 -all\"", &["duplicate-record 12:1 and 11:1"]),
        ("@ TXT \"v=spf1 mx\" \" -all\"\n@ TXT verification=1", &[]),
        ("@ TXT \"v=spf1; mx -all\"", &["broken-spf 11:1"]),
        ("@ TXT \"v=spf1 ip4:2001:db8::1 -all\"", &["broken-spf 11:1"]),
        ("@ SPF \"v=spf1 -all\"", &["spf-type 11:1"]),
        ("@ SPF \"v=spf1 -all\"\n@ TXT \"v=spf1 -all\"", &[]),
        ("_dmarc TXT \"v=DMARC1; p=none\"\n_dmarc TXT \"v=DMARC1; p=reject\"", &["two-dmarc 12:1 and 11:1"]),
        ("_dmarc TXT \"v=DMARC1;p=Reject;sp=none;rua=mailto:a@example.net\"", &[]),
        ("_dmarc TXT \"v=DMARC1; p=deny\"", &["broken-dmarc 11:1"]),
        ("_dmarc TXT \"v=dmarc1; p=none\"", &["broken-dmarc 11:1"]),
        ("@ TXT \"v=DMARC1; p=none\"", &["dmarc-elsewhere 11:1"]),
        ("other.net._report._dmarc TXT \"v=DMARC1\"", &[]),
    ]);
}

#[test]
fn authorities_that_may_issue() {
    check(&[
        (
            "@ CAA 0 issue \"ca.example.net; account=1\"\n@ CAA 128 issuewild \";\"\n@ CAA 0 iodef \"mailto:a@b\"",
            &[],
        ),
        ("@ CAA 0 tbs \"unknown\"", &[]),
        ("@ CAA 1 issue \"ca.example.net\"", &["caa-flags 11:1"]),
        ("@ CAA 0 isue \"ca.example.net\"", &["caa-tag 11:1"]),
        ("@ CAA 128 tbs \"unknown\"", &["caa-tag 11:1"]),
        ("@ CAA 0 issue \"https://ca.example.net\"", &["caa-value 11:1"]),
        ("@ CAA 0 iodef \"security@example.net\"", &["caa-value 11:1"]),
    ]);
}

#[test]
fn the_numbers_and_the_mailbox_of_the_soa() {
    let soa = |soa: &str| found("example.org.", &format!("@ 2d SOA {soa}\n@ NS ns1\nns1 A 192.0.2.1\n"));
    for (text, expected) in [
        ("ns1 hostmaster 1 2h 15m 2w 1d", &[][..]),
        ("ns1 hostmaster 0 2h 15m 2w 1d", &["serial-zero 1:1"]),
        ("ns1 hostmaster 1 2h 3h 2w 1d", &["soa-timers 1:1"]),
        ("ns1 hostmaster 1 2h 15m 2h 1d", &["soa-timers 1:1"]),
        ("ns1 hostmaster 1 2h 15m 2w 3d", &["long-negative-ttl 1:1"]),
        ("ns1 hostmaster@example.org 1 2h 15m 2w 1d", &["mailbox-with-at 1:1"]),
        ("ns1 hostmaster.example.org 1 2h 15m 2w 1d", &["missing-final-dot 1:1"]),
        ("ns1 john.doe 1 2h 15m 2w 1d", &["mailbox-domain-missing 1:1"]),
        ("ns1 john\\.doe 1 2h 15m 2w 1d", &[]),
        ("ns1 hostmaster.example.net. 1 2h 15m 2w 1d", &[]),
        ("ns1.example.org hostmaster 1 2h 15m 2w 1d", &["missing-final-dot 1:1"]),
        ("primary.example.net. hostmaster 1 2h 15m 2w 1d", &[]),
    ] {
        assert_eq!(soa(text), expected, "{text}");
    }
}

#[test]
fn a_digest_is_of_this_serial() {
    let digest = "00112233445566778899aabbccddeeff".repeat(3);
    check(&[
        (&format!("@ TYPE63 \\# 54 00000007 0101 {digest}"), &[]),
        (&format!("@ TYPE63 \\# 54 00000006 0101 {digest}"), &["zonemd-serial 11:1"]),
    ]);
}

#[test]
fn mailboxes_are_written_as_they_were_meant() {
    for (written, meant) in [
        ("hostmaster@example.org", "hostmaster.example.org."),
        ("hostmaster@example.net.", "hostmaster.example.net."),
        ("john.doe@example.org.", "john\\.doe.example.org."),
        ("john.doe", "john\\.doe.example.org."),
    ] {
        let (_, findings) =
            findings("example.org.", &format!("@ 1h SOA . {written} 1 2h 15m 2w 5m\n@ NS ns.example."));
        let help = findings.found[0].problem.help();
        assert!(help.ends_with(&format!("`{meant}`")), "{written}: {help}");
    }
}

#[test]
fn reverse_zones() {
    let check = |apex: &str, lines: &str, expected: &[&str]| {
        let head = "@ 1h SOA ns.example.net. hostmaster.example.net. 7 2h 15m 2w 5m\n@ NS ns.example.net.\n";
        assert_eq!(found(apex, &format!("{head}{lines}")), expected, "{apex} {lines}");
    };
    let v4 = "2.0.192.in-addr.arpa.";
    check(v4, "1 PTR host.example.org.\n* PTR any.example.org.", &[]);
    check(v4, "1 PTR host.example.org", &["missing-final-dot 3:1"]);
    check(v4, "1.2.0.192 PTR host.example.org.", &["reverse-name 3:1"]);
    check(v4, "256 PTR host.example.org.", &["reverse-name 3:1"]);
    check(v4, "01 PTR host.example.org.", &["reverse-name 3:1"]);
    check(v4, "1.0/25 PTR host.example.org.\n1.64 PTR host.example.org.", &[]);
    check(v4, "1 CNAME 1.0/25\n0/25 NS ns.example.net.", &[]);
    check(v4, "b._dns-sd._udp PTR @", &[]);
    let v6 = "8.b.d.0.1.0.0.2.ip6.arpa.";
    let host = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0";
    check(v6, &format!("{host} PTR host.example.org."), &[]);
    check(v6, &format!("{} PTR host.example.org.", &host[2..]), &["reverse-name 3:1"]);
    check(v6, &format!("0.{host} PTR host.example.org."), &["reverse-name 3:1"]);
    check(v6, &format!("1{} PTR host.example.org.", &host[..host.len() - 2]), &["reverse-name 3:1"]);
}

/// An RRSIG as text; `from` and `to` count days from [`NOW`].
fn rrsig(covered: &str, from: i64, to: i64, signer: &str) -> String {
    let at = |days: i64| NOW as i64 + days * 86_400;
    format!("RRSIG {covered} 13 2 3600 {} {} 1 {signer} AAAA", at(to), at(from))
}

#[test]
fn signatures_that_validate_nothing() {
    check(&[
        (&format!("ns1 {}", rrsig("A", -10, 10, "@")), &[]),
        (&format!("ns1 {}", rrsig("A", -10, 3, "@")), &[]),
        (&format!("ns1 {}", rrsig("A", -10, 2, "@")), &["signatures-expire-soon 11:1"]),
        (&format!("ns1 {}", rrsig("A", -10, -1, "@")), &["signatures-expired 11:1"]),
        (&format!("ns1 {}", rrsig("A", 1, 10, "@")), &["signatures-not-yet-valid 11:1"]),
        (&format!("ns1 {}", rrsig("TXT", -10, 10, "@")), &["signature-of-nothing 11:1"]),
        (&format!("ns1 {}", rrsig("A", -10, 10, "org.")), &["foreign-signature 11:1"]),
        (&format!("@ {}", rrsig("SOA", -10, 10, "@")), &["unsigned 2:1", "unsigned 3:1"]),
        ("@ NSEC3PARAM 1 0 0 -", &["nsec3param-without-nsec3 11:1"]),
        ("abcd NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", &["nsec3-without-nsec3param 11:1"]),
        (
            "@ NSEC3PARAM 1 0 5 aabb\nabcd NSEC3 1 0 5 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
            &["nsec3-iterations 11:1", "nsec3-salt 11:1"],
        ),
    ]);
}

#[test]
fn the_signature_that_expired_first_speaks_for_all() {
    let lines = format!("a {}\nb {}\n", rrsig("A", -10, -1, "@"), rrsig("A", -10, -5, "@"));
    let (_, findings) = findings("example.org.", &format!("{HEAD}a A 192.0.2.1\nb A 192.0.2.1\n{lines}"));
    let [expired] = findings.found.as_slice() else { panic!("{findings:?}") };
    assert_eq!(expired.to_string(), "2 of 2 signatures have expired, the first of them at b.example.org.");
}

#[test]
fn of_each_kind_some_are_shown_and_the_others_counted() {
    let lines: String = (0..ZONEFILE_ERRORS + 3).map(|number| format!("h{number} CNAME gone\n")).collect();
    let (_, findings) =
        findings("example.org.", &format!("{HEAD}{lines}@ MX 10 gone2\n@ CAA 1 issue \";\"\n"));
    let count = |code| findings.found.iter().filter(|found| found.problem.code() == code).count();
    assert_eq!((count("target-missing"), count("caa-flags")), (ZONEFILE_ERRORS, 1));
    assert_eq!(findings.more, [("target-missing", 4)].into());
}

#[test]
fn a_zone_that_cannot_be_served_is_looked_through_all_the_same() {
    assert_eq!(
        found(
            "example.org.",
            "a 60 CNAME b\na 60 CNAME c\nb 60 A 192.0.2.1\nb 61 A 192.0.2.2\nc A 192.0.2.1\n"
        ),
        ["two-cnames 2:1 and 1:1", "no-soa -", "ttls-differ 4:1 and 3:1"]
    );
    assert_eq!(found("example.org.", ""), ["no-soa -"]);
}
