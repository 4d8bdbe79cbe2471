//! Questions to a small set of zones, each with the answer the RFCs ask for.

mod chains;
mod signed;

use super::{Verdict, answer};
use crate::dns::{AnswerRrset, Name, QuestionRef, RrClass, RrType};
use crate::zone::{Zone, ZoneBuilder, ZoneEntry, ZoneTable};
use crate::zonefile::{Files, NoIncludes, parse, write_record};

const EXAMPLE: &str = r#"
$ORIGIN example.
$TTL 3600
@           SOA   ns1 hostmaster 1 7200 900 1209600 300
@           NS    ns1
@           NS    ns.other.test.
@           MX    10 mail
@           DNSKEY 257 3 13 AAAA
ns1         A     192.0.2.1
ns1         AAAA  2001:db8::1
mail        A     192.0.2.2
mail        RRSIG A 13 2 3600 20300101000000 20200101000000 1 example. AAAA
a.b.c       A     192.0.2.3
*.w         TXT   "wild"
*.w         MX    5 mail
sub.*.w     A     192.0.2.4
exist.w     A     192.0.2.5
*.wc        CNAME mail
*.wn        CNAME nope
x.ent       A     192.0.2.6
y.*.star    A     192.0.2.44
*.wd        A     192.0.2.7
del.wd      NS    ns.del.wd
ns.del.wd   A     192.0.2.8
del         NS    ns.del
del         NS    ns1
ns.del      A     192.0.2.9
occluded.del A    192.0.2.10
sib         NS    ns.del
sec         NS    ns.sec
sec         DS    1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
sec         RRSIG DS 13 2 3600 20300101000000 20200101000000 1 example. AAAA
ns.sec      A     192.0.2.11
uns         NS    ns.sec
uns         DS    1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
dn          DNAME target.test.
dni         DNAME c
dnlong      DNAME ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt.uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu.vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv.test.
dn          TXT   "at the DNAME"
c1          CNAME c2
c2          CNAME c3
c3          CNAME mail
cx          CNAME nope
cw          CNAME any.w
cout        CNAME www.target.test.
cacross     CNAME www.child.example.
cd          CNAME host.del
cdn         CNAME q.dni
cent        CNAME b.c
loop1       CNAME loop2
loop2       CNAME loop1
self        CNAME self
child       NS    ns.child
ns.child    A     192.0.2.20
srv         SRV   0 0 53 mail
"#;

const CHILD: &str = r#"
$ORIGIN child.example.
$TTL 60
@    SOA  ns hostmaster 1 7200 900 1209600 30
@    NS   ns
ns   A    192.0.2.20
www  A    192.0.2.21
"#;

fn zones() -> ZoneTable {
    let mut table = ZoneTable::new();
    for (apex, text) in [("example.", EXAMPLE), ("child.example.", CHILD)] {
        table = table.with(ZoneEntry::Loaded(zone(apex, text).into()));
    }
    table.with(ZoneEntry::Unavailable("broken.test.".parse().unwrap()))
}

fn zone(apex: &str, text: &str) -> Zone {
    let apex: Name = apex.parse().unwrap();
    let mut files = Files::new("zone", text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex.clone());
    parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    })
    .unwrap();
    builder.build().unwrap_or_else(|errors| panic!("{errors:?}")).zone
}

/// `NOERROR aa an[owner TTL TYPE rdata; ...] au[...] ad[...]`, sections without records left out.
fn asked(zones: &ZoneTable, name: &str, rr_type: RrType, dnssec_ok: bool) -> String {
    let name: Name = name.parse().unwrap();
    let question = QuestionRef { name: name.as_ref(), rr_type, class: RrClass::IN };
    let answer = match answer(zones, question, dnssec_ok) {
        Verdict::NotOurs => return "not ours".into(),
        Verdict::ZoneUnavailable => return "unavailable".into(),
        Verdict::Answer(answer) => answer,
    };
    let mut text = format!("{}{}", answer.rcode, if answer.authoritative { " aa" } else { "" });
    let sections = [
        (" an", answer.answer.iter().collect::<Vec<_>>()),
        (" au", answer.authority.iter().collect()),
        (" ad", answer.additional.iter().collect()),
    ];
    for (word, rrsets) in sections {
        let records: Vec<String> = rrsets.into_iter().flat_map(records_of).collect();
        if !records.is_empty() {
            text += &format!("{word}[{}]", records.join("; "));
        }
    }
    text
}

fn records_of(rrset: &AnswerRrset<'_>) -> Vec<String> {
    let set = rrset.rrset();
    let line = |rr_type: RrType, rdata: &[u8]| {
        let mut text = String::new();
        write_record(set.owner, set.ttl, set.class, rr_type, rdata, &mut text).unwrap();
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "IN").collect();
        words.join(" ")
    };
    let mut lines: Vec<String> = set.records.iter().map(|rdata| line(set.rr_type, rdata)).collect();
    if rrset.with_signatures {
        lines.extend(set.signatures.iter().map(|_| "RRSIG".to_string()));
    }
    lines
}

const SOA: &str = "au[example. 300 SOA ns1.example. hostmaster.example. 1 7200 900 1209600 300]";
const REFERRAL: &str = "NOERROR au[del.example. 3600 NS ns.del.example.; del.example. 3600 NS ns1.example.] \
                        ad[ns.del.example. 3600 A 192.0.2.9; ns1.example. 3600 A 192.0.2.1; ns1.example. 3600 AAAA 2001:db8::1]";

#[test]
fn questions_have_the_answers_of_the_rfcs() {
    let zones = zones();
    let nodata = format!("NOERROR aa {SOA}");
    let nxdomain = format!("NXDOMAIN aa {SOA}");
    let mail = "mail.example. 3600 A 192.0.2.2";
    let rows: Vec<(&str, RrType, String)> = vec![
        ("mail.example.", RrType::A, format!("NOERROR aa an[{mail}]")),
        ("MAIL.Example.", RrType::A, format!("NOERROR aa an[{mail}]")),
        ("mail.example.", RrType::MX, nodata.clone()),
        ("nx.example.", RrType::A, nxdomain.clone()),
        // Empty non-terminals exist, and so block wildcards.
        ("b.c.example.", RrType::A, nodata.clone()),
        ("z.ent.example.", RrType::A, nxdomain.clone()),
        ("x.mail.example.", RrType::A, nxdomain.clone()),
        // RFC 4592.
        ("any.w.example.", RrType::TXT, "NOERROR aa an[any.w.example. 3600 TXT \"wild\"]".into()),
        ("p.q.w.example.", RrType::TXT, "NOERROR aa an[p.q.w.example. 3600 TXT \"wild\"]".into()),
        ("any.w.example.", RrType::A, nodata.clone()),
        ("exist.w.example.", RrType::TXT, nodata.clone()),
        ("x.exist.w.example.", RrType::TXT, nxdomain.clone()),
        ("*.w.example.", RrType::TXT, "NOERROR aa an[*.w.example. 3600 TXT \"wild\"]".into()),
        ("sub.*.w.example.", RrType::A, "NOERROR aa an[sub.*.w.example. 3600 A 192.0.2.4]".into()),
        ("other.*.w.example.", RrType::TXT, nxdomain.clone()),
        ("foo.star.example.", RrType::A, nodata.clone()),
        ("any.wc.example.", RrType::A, format!("NOERROR aa an[any.wc.example. 3600 CNAME mail.example.; {mail}]")),
        ("any.wn.example.", RrType::A, format!("NXDOMAIN aa an[any.wn.example. 3600 CNAME nope.example.] {SOA}")),
        // A delegation comes before a wildcard.
        ("host.del.wd.example.", RrType::A, "NOERROR au[del.wd.example. 3600 NS ns.del.wd.example.] ad[ns.del.wd.example. 3600 A 192.0.2.8]".into()),
        // Aliases.
        ("c1.example.", RrType::A, format!("NOERROR aa an[c1.example. 3600 CNAME c2.example.; c2.example. 3600 CNAME c3.example.; c3.example. 3600 CNAME mail.example.; {mail}]")),
        ("c1.example.", RrType::CNAME, "NOERROR aa an[c1.example. 3600 CNAME c2.example.]".into()),
        ("cx.example.", RrType::A, format!("NXDOMAIN aa an[cx.example. 3600 CNAME nope.example.] {SOA}")),
        ("c3.example.", RrType::TXT, format!("NOERROR aa an[c3.example. 3600 CNAME mail.example.] {SOA}")),
        ("cw.example.", RrType::TXT, "NOERROR aa an[cw.example. 3600 CNAME any.w.example.; any.w.example. 3600 TXT \"wild\"]".into()),
        ("cout.example.", RrType::A, "NOERROR aa an[cout.example. 3600 CNAME www.target.test.]".into()),
        ("cent.example.", RrType::A, format!("NOERROR aa an[cent.example. 3600 CNAME b.c.example.] {SOA}")),
        ("cd.example.", RrType::A, REFERRAL.replace("NOERROR", "NOERROR aa an[cd.example. 3600 CNAME host.del.example.]")),
        ("cacross.example.", RrType::A, "NOERROR aa an[cacross.example. 3600 CNAME www.child.example.; www.child.example. 60 A 192.0.2.21]".into()),
        ("loop1.example.", RrType::A, "NOERROR aa an[loop1.example. 3600 CNAME loop2.example.; loop2.example. 3600 CNAME loop1.example.]".into()),
        ("self.example.", RrType::A, "NOERROR aa an[self.example. 3600 CNAME self.example.]".into()),
        // RFC 6672.
        ("CaSe.dn.example.", RrType::A, "NOERROR aa an[dn.example. 3600 DNAME target.test.; CaSe.dn.example. 3600 CNAME CaSe.target.test.]".into()),
        ("dn.example.", RrType::TXT, "NOERROR aa an[dn.example. 3600 TXT \"at the DNAME\"]".into()),
        ("dn.example.", RrType::A, nodata.clone()),
        ("dn.example.", RrType::DNAME, "NOERROR aa an[dn.example. 3600 DNAME target.test.]".into()),
        ("x.dn.example.", RrType::CNAME, "NOERROR aa an[dn.example. 3600 DNAME target.test.; x.dn.example. 3600 CNAME x.target.test.]".into()),
        ("a.b.dni.example.", RrType::A, "NOERROR aa an[dni.example. 3600 DNAME c.example.; a.b.dni.example. 3600 CNAME a.b.c.example.; a.b.c.example. 3600 A 192.0.2.3]".into()),
        ("cdn.example.", RrType::A, format!("NXDOMAIN aa an[cdn.example. 3600 CNAME q.dni.example.; dni.example. 3600 DNAME c.example.; q.dni.example. 3600 CNAME q.c.example.] {SOA}")),
        // Zone cuts.
        ("host.del.example.", RrType::A, REFERRAL.into()),
        ("del.example.", RrType::NS, REFERRAL.into()),
        ("del.example.", RrType::SOA, REFERRAL.into()),
        ("del.example.", RrType::ANY, REFERRAL.into()),
        ("ns.del.example.", RrType::A, REFERRAL.into()),
        ("occluded.del.example.", RrType::A, REFERRAL.into()),
        ("x.sib.example.", RrType::A, "NOERROR au[sib.example. 3600 NS ns.del.example.] ad[ns.del.example. 3600 A 192.0.2.9]".into()),
        ("sec.example.", RrType::DS, "NOERROR aa an[sec.example. 3600 DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff]".into()),
        ("del.example.", RrType::DS, nodata.clone()),
        ("x.sec.example.", RrType::DS, "NOERROR au[sec.example. 3600 NS ns.sec.example.] ad[ns.sec.example. 3600 A 192.0.2.11]".into()),
        ("example.", RrType::DS, nodata.clone()),
        // The child is served here too: its names are its own, its DS is the parent's.
        ("www.child.example.", RrType::A, "NOERROR aa an[www.child.example. 60 A 192.0.2.21]".into()),
        ("child.example.", RrType::DS, nodata.clone()),
        ("nx.child.example.", RrType::A, "NXDOMAIN aa au[child.example. 30 SOA ns.child.example. hostmaster.child.example. 1 7200 900 1209600 30]".into()),
        // Additional data.
        ("example.", RrType::MX, format!("NOERROR aa an[example. 3600 MX 10 mail.example.] ad[{mail}]")),
        ("srv.example.", RrType::SRV, format!("NOERROR aa an[srv.example. 3600 SRV 0 0 53 mail.example.] ad[{mail}]")),
        ("example.", RrType::NS, "NOERROR aa an[example. 3600 NS ns1.example.; example. 3600 NS ns.other.test.] ad[ns1.example. 3600 A 192.0.2.1; ns1.example. 3600 AAAA 2001:db8::1]".into()),
        // RFC 8482: one RRset is enough.
        ("c1.example.", RrType::ANY, "NOERROR aa an[c1.example. 3600 CNAME c2.example.]".into()),
        ("nx.example.", RrType::ANY, nxdomain.clone()),
        ("b.c.example.", RrType::ANY, nodata.clone()),
        // Elsewhere.
        ("other.test.", RrType::A, "not ours".into()),
        ("test.", RrType::A, "not ours".into()),
        (".", RrType::NS, "not ours".into()),
        ("www.broken.test.", RrType::A, "unavailable".into()),
    ];
    for (name, rr_type, want) in rows {
        assert_eq!(asked(&zones, name, rr_type, false), want, "{name} {rr_type}");
    }
}

#[test]
fn a_dname_whose_result_is_too_long_is_yxdomain() {
    let zones = zones();
    let name = format!("{}.{}.dnlong.example.", "p".repeat(63), "r".repeat(20));
    let text = asked(&zones, &name, RrType::A, false);
    assert!(text.starts_with("YXDOMAIN aa an[dnlong.example. 3600 DNAME ttt"), "{text}");
    assert!(!text.contains("CNAME"), "{text}");
}

#[test]
fn signatures_come_when_they_are_asked_for() {
    let zones = zones();
    assert_eq!(
        asked(&zones, "mail.example.", RrType::A, true),
        "NOERROR aa an[mail.example. 3600 A 192.0.2.2; RRSIG]"
    );
    assert!(asked(&zones, "sec.example.", RrType::A, true).contains("DS 1 13 2"), "the referral carries DS");
    assert!(!asked(&zones, "sec.example.", RrType::A, false).contains("DS"), "only when it is asked for");
    assert!(!asked(&zones, "uns.example.", RrType::A, true).contains("DS"), "and only when it is signed");
    let signatures = asked(&zones, "mail.example.", RrType::RRSIG, false);
    assert!(signatures.starts_with("NOERROR aa an[mail.example. 3600 RRSIG A 13 2"), "{signatures}");
}

#[test]
fn a_chain_longer_than_its_bound_ends_where_it_is() {
    let links = crate::limits::LOCAL_ALIASES + 5;
    let mut text = "$ORIGIN long.\n$TTL 1\n@ SOA a a 1 1 1 1 1\n@ NS a\na A 192.0.2.1\n".to_string();
    for link in 0..links {
        text += &format!("c{link} CNAME c{}\n", link + 1);
    }
    let zones = ZoneTable::new().with(ZoneEntry::Loaded(zone("long.", &text).into()));
    let answer = asked(&zones, "c0.long.", RrType::A, false);
    assert_eq!(answer.matches("CNAME").count(), crate::limits::LOCAL_ALIASES + 1);
    assert!(answer.starts_with("NOERROR aa"));
}
