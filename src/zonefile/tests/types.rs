//! Every type in its own text, and in the text for servers that do not know it.

use super::super::*;
use super::records;
use crate::dns::{Name, RrClass};

#[test]
fn every_type_has_its_text() {
    for (text, want) in [
        ("AAAA ::ffff:192.0.2.1", "AAAA ::ffff:192.0.2.1"),
        ("SOA a b 1 2h 3m 4 1d", "SOA a.example. b.example. 1 7200 180 4 86400"),
        ("TYPE1 \\# 4 C0 00 02 01", "A 192.0.2.1"),
        ("TYPE999 \\# 3 ( 0aB0 \n c1 )", "TYPE999 \\# 3 0ab0c1"),
        ("TYPE999 \\# 0", "TYPE999 \\# 0"),
        ("NULL \\# 1 00", "NULL \\# 1 00"),
        ("CAA 0 issue ca.example", "CAA 0 issue \"ca.example\""),
        ("URI 10 1 \"\"", "URI 10 1 \"\""),
        ("NAPTR 1 2 s SIP+D2U !^.*$!x! .", "NAPTR 1 2 \"s\" \"SIP+D2U\" \"!^.*$!x!\" ."),
        ("CERT PKIX 1 RSASHA256 AA AA", "CERT 1 1 8 AAAA"),
        (
            "DS 1 ecdsap256sha256 1 00112233445566778899 aabbccddeeff00112233",
            "DS 1 13 1 00112233445566778899aabbccddeeff00112233",
        ),
        ("CDS 0 0 0 00", "CDS 0 0 0 00"),
        ("CDNSKEY 0 3 0 AA==", "CDNSKEY 0 3 0 AA=="),
        (
            "RRSIG A 13 3 1 1893456000 20200101000000 1 @ AAAA",
            "RRSIG A 13 3 1 20300101000000 20200101000000 1 example. AAAA",
        ),
        ("NSEC b TYPE65535 A RRSIG A", "NSEC b.example. A RRSIG TYPE65535"),
        (
            "NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A",
            "NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A",
        ),
        ("NSEC3PARAM 1 0 0 AABB", "NSEC3PARAM 1 0 0 aabb"),
        ("APL 1:192.168.32.0/21 !2:2001:db8::/32", "APL 1:192.168.32.0/21 !2:2001:db8::/32"),
        ("IPSECKEY 10 3 2 gw AAAA", "IPSECKEY 10 3 2 gw.example. AAAA"),
        ("IPSECKEY 10 0 0 .", "IPSECKEY 10 0 0 ."),
        ("EUI48 00-00-5E-00-53-2a", "EUI48 00-00-5e-00-53-2a"),
        ("NID 10 14:4fff:ff20:ee64", "NID 10 0014:4fff:ff20:ee64"),
        ("SVCB 0 b", "SVCB 0 b.example."),
        (
            "HTTPS 1 . port=443 mandatory=port,alpn alpn=h2,h3 ipv6hint=::1 ipv4hint=192.0.2.1,192.0.2.2",
            "HTTPS 1 . mandatory=alpn,port alpn=\"h2,h3\" port=443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=::1",
        ),
        ("SVCB 1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "SVCB 1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\""),
        ("SVCB 1 . alpn=f\\\\\\092oo\\092,bar,h2", "SVCB 1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\""),
        (
            "SVCB 1 . key65000=\"a\\000b\" key3=\\001\\187 ohttp",
            "SVCB 1 . port=443 ohttp key65000=\"a\\000b\"",
        ),
        (
            "SVCB 1 . alpn=h2 dohpath=/dns-query{?dns} no-default-alpn ech=AAAA",
            "SVCB 1 . alpn=\"h2\" no-default-alpn ech=AAAA dohpath=\"/dns-query{?dns}\"",
        ),
        (
            "SVCB 1 . pvd docpath=dns,a\\\\,b tls-supported-groups=29,23",
            "SVCB 1 . tls-supported-groups=29,23 docpath=\"dns,a\\\\,b\" pvd",
        ),
        ("SVCB 1 . docpath", "SVCB 1 . docpath"),
        ("MD b", "MD b.example."),
        ("WKS 10.0.0.1 tcp smtp 21 FTP", "WKS 10.0.0.1 6 21 25"),
        ("WKS 10.0.0.1 17", "WKS 10.0.0.1 17"),
        ("ISDN 150862028003217", "ISDN \"150862028003217\""),
        ("ISDN 150862028003217 004", "ISDN \"150862028003217\" \"004\""),
        ("NSAP 0x47.0005.80.005a00", "NSAP 0x47000580005a00"),
        ("NSAP-PTR b", "NSAP-PTR b.example."),
        (
            "SIG NXT 1 3 3600 20300101000000 20200101000000 2143 foo AAAA",
            "SIG NXT 1 3 3600 20300101000000 20200101000000 2143 foo.example. AAAA",
        ),
        ("KEY 512 255 RSAMD5 AQMF", "KEY 512 255 1 AQMF"),
        ("KEY 49152 3 5", "KEY 49152 3 5"),
        ("NXT b MX A NXT", "NXT b.example. A MX NXT"),
        ("EID 12 89 AB", "EID 1289ab"),
        ("NIMLOC 1289AB", "NIMLOC 1289ab"),
        ("ATMA +61.200.000.000", "ATMA +61200000000"),
        ("ATMA 39.246f.00", "ATMA 39246f00"),
        ("A6 0 2001:db8::1", "A6 0 2001:db8::1"),
        ("A6 64 ::1 b", "A6 64 ::1 b.example."),
        ("A6 128 b", "A6 128 b.example."),
        ("SINK 1 0 2", "SINK 1 0 2"),
        ("SINK 1 0 2 AA AA", "SINK 1 0 2 AAAA"),
        ("HIP 2 200100107B1A AwEA rvs a.b.", "HIP 2 200100107b1a AwEA rvs.example. a.b."),
        ("RKEY 0 1 2 AAAA", "RKEY 0 1 2 AAAA"),
        ("TALINK . b", "TALINK . b.example."),
        ("DSYNC CDS NOTIFY 5359 b", "DSYNC CDS NOTIFY 5359 b.example."),
        ("DSYNC CSYNC 200 5359 .", "DSYNC CSYNC 200 5359 ."),
        ("HHIT AAAA", "HHIT AAAA"),
        ("DOA 0 1 2 \"\" AA AA", "DOA 0 1 2 \"\" AAAA"),
        ("DOA 0 1 2 text/html -", "DOA 0 1 2 \"text/html\" -"),
        ("AMTRELAY 10 0 0 .", "AMTRELAY 10 0 0 ."),
        ("AMTRELAY 10 1 1 192.0.2.1", "AMTRELAY 10 1 1 192.0.2.1"),
        ("AMTRELAY 10 1 2 2001:db8::15", "AMTRELAY 10 1 2 2001:db8::15"),
        ("AMTRELAY 10 0 3 b", "AMTRELAY 10 0 3 b.example."),
        ("CLA TCP-v4-v6 x", "CLA \"TCP-v4-v6\" \"x\""),
        ("IPN 974848", "IPN 974848"),
        ("IPN 1.2", "IPN 4294967298"),
        ("UINFO \\# 1 00", "UINFO \\# 1 00"),
    ] {
        assert_eq!(records(&format!("@ 1 {text}")), [format!("example. 1 IN {want}")], "{text}");
    }
}

#[test]
fn what_not_every_server_knows_is_written_for_servers_in_numbers() {
    for (text, want) in [
        ("A 192.0.2.1", "A 192.0.2.1"),
        ("AMTRELAY 10 0 0 .", "TYPE260 \\# 2 0a00"),
        ("NULL \\# 1 00", "TYPE10 \\# 1 00"),
        ("NSEC b A WKS CAA", "NSEC b.example. A TYPE11 CAA"),
        ("RRSIG WKS 13 3 1 1 1 1 . AAAA", "RRSIG TYPE11 13 3 1 19700101000001 19700101000001 1 . AAAA"),
        (
            "SVCB 1 . mandatory=ohttp,alpn alpn=h2 ohttp dohpath=/q tls-supported-groups=29",
            "SVCB 1 . mandatory=alpn,key8 alpn=\"h2\" key7=\"/q\" key8 key9=\"\\000\\029\"",
        ),
    ] {
        let mut files = Files::new("a.zone", format!("@ 1 {text}").into_bytes());
        let origin: Name = "example.".parse().unwrap();
        let mut line = String::new();
        parse(&mut files, origin.as_ref(), &NoIncludes, &mut |record| {
            let Record { owner, ttl, rr_type, rdata, .. } = record;
            write_record(owner, ttl, RrClass::IN, rr_type, rdata, &mut line).unwrap();
        })
        .unwrap();
        assert_eq!(line.trim_end(), format!("example. 1 IN {want}"));
    }
}
