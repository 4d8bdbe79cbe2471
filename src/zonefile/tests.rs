//! The room through its doors: zones in, records out, and back.

use std::collections::HashMap;
use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::dns::rdata_table::{Field, TABLE, fixed_octets};
use crate::dns::{Name, NameRef, RrClass, RrType, Ttl, rdata as wire};
use crate::limits;

/// Included files by path; a path in a list of none is missing.
struct Shelf(HashMap<&'static str, String>);

impl Includes for Shelf {
    fn open(&self, path: &str, _includer: &str) -> Result<Included, String> {
        let text = self.0.get(path).ok_or("no such file")?;
        Ok(Included { name: path.into(), octets: text.clone().into_bytes() })
    }
}

type Outcome = (Vec<String>, Result<Vec<Diagnostic>, Vec<Diagnostic>>);

/// The records of a zone `example.` as people read them, without line ends, and what the parser says.
fn read_with(octets: &[u8], includes: &dyn Includes) -> Outcome {
    let mut files = Files::new("a.zone", octets.to_vec());
    let origin: Name = "example.".parse().unwrap();
    let mut records = Vec::new();
    let said = parse(&mut files, origin.as_ref(), includes, &mut |record| {
        wire::check(record.rr_type, record.rdata).unwrap();
        let Record { owner, ttl, rr_type, rdata, .. } = record;
        let line = format!("{owner} {ttl} IN {rr_type} {:#}", RdataText { rr_type, rdata });
        records.push(line.trim_end().to_owned());
    });
    (records, said)
}

fn read(text: &str) -> Outcome {
    read_with(text.as_bytes(), &NoIncludes)
}

/// The records of a text that is expected to be good.
fn records(text: &str) -> Vec<String> {
    let (records, said) = read(text);
    assert_eq!(said, Ok(vec![]), "{text}");
    records
}

/// The errors of a text, each on one line.
fn errors(text: &str) -> Vec<String> {
    read(text).1.expect_err(text).iter().map(|error| error.to_string()).collect()
}

#[test]
fn records_inherit_what_they_leave_out() {
    for (name, text, want) in [
        (
            "owner",
            "a 1 A 192.0.2.1\n  A 192.0.2.2",
            "a.example. 1 IN A 192.0.2.1|a.example. 1 IN A 192.0.2.2",
        ),
        (
            "owner after $ORIGIN",
            "a 1 TXT a\n$ORIGIN b.\n TXT b",
            "a.example. 1 IN TXT \"a\"|a.example. 1 IN TXT \"b\"",
        ),
        ("$TTL", "$TTL 1h\na 9 TXT a\nb TXT b", "a.example. 9 IN TXT \"a\"|b.example. 3600 IN TXT \"b\""),
        ("last TTL", "a 9 TXT a\nb TXT b", "a.example. 9 IN TXT \"a\"|b.example. 9 IN TXT \"b\""),
        (
            "$TTL after a TTL",
            "a 9 TXT a\n$ttl 5\nb TXT b",
            "a.example. 9 IN TXT \"a\"|b.example. 5 IN TXT \"b\"",
        ),
        (
            "SOA minimum",
            "@ SOA . . 1 2 3 4 300\na A 192.0.2.1",
            "example. 300 IN SOA . . 1 2 3 4 300|a.example. 300 IN A 192.0.2.1",
        ),
        (
            "SOA's own TTL",
            "@ 77 SOA . . 1 2 3 4 300\na A 192.0.2.1",
            "example. 77 IN SOA . . 1 2 3 4 300|a.example. 77 IN A 192.0.2.1",
        ),
        (
            "relative $ORIGIN",
            "$ORIGIN b\n@ 1 TXT a\nc TXT b",
            "b.example. 1 IN TXT \"a\"|c.b.example. 1 IN TXT \"b\"",
        ),
    ] {
        assert_eq!(records(text).join("|"), want, "{name}");
    }
}

#[test]
fn the_parts_of_a_record_are_found_however_they_are_laid_out() {
    for (text, want) in [
        ("a 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.1"),
        ("a in 60 a 192.0.2.1\r\n", "a.example. 60 IN A 192.0.2.1"),
        ("a CLASS1 1h TYPE1 192.0.2.1 ; comment", "a.example. 3600 IN A 192.0.2.1"),
        ("A 1 A 192.0.2.1", "A.example. 1 IN A 192.0.2.1"),
        ("60 1 A 192.0.2.1", "60.example. 1 IN A 192.0.2.1"),
        ("a ( 60 ; one\n IN\r\n A ) 192.0.2.1", "a.example. 60 IN A 192.0.2.1"),
        ("a 1 TXT (\"a\"\"b\"c)", "a.example. 1 IN TXT \"a\" \"b\" \"c\""),
        ("a 1 TXT a\\;b \";(\" \\\"", "a.example. 1 IN TXT \"a;b\" \";(\" \"\\\"\""),
        ("a 1 TXT \"\\\"\\\\\\000\\255\\065\" \\104i", "a.example. 1 IN TXT \"\\\"\\\\\\000\\255A\" \"hi\""),
        ("a 1 TXT \u{e9}", "a.example. 1 IN TXT \"\\195\\169\""),
        ("\u{feff}a 1 TXT x", "a.example. 1 IN TXT \"x\""),
        ("\"a\" 1 NS \"b\"", "a.example. 1 IN NS b.example."),
        ("\\@ 1 NS @", "\\@.example. 1 IN NS example."),
        ("\\$x 1 NS a\\.b", "\\$x.example. 1 IN NS a\\.b.example."),
        ("\n\n  ; nothing\n  \n@ 1 NS .", "example. 1 IN NS ."),
    ] {
        assert_eq!(records(text), [want], "{text}");
    }
}

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

#[test]
fn mistakes_have_a_place_a_sentence_and_a_remedy() {
    for (text, want) in [
        ("www 1 IN AA 10.0.0.1", "a.zone:1:10: unknown RR type `AA`; did you mean `A` or `AAAA`?"),
        ("a 1 CNAM b", "a.zone:1:5: unknown RR type `CNAM`; did you mean `CNAME`?"),
        (
            "a 1x A 192.0.2.1",
            "a.zone:1:3: unknown RR type `1x`; a TTL is a number of seconds or has the units w, d, h, m, s, such as 1h30m",
        ),
        (
            "é 1 A 192.0.2.256 ; comment",
            "a.zone:1:7: `192.0.2.256` is not an IPv4 address; write four numbers from 0 to 255 without leading zeros, such as 192.0.2.1",
        ),
        (
            "\n\na 1 MX mail\n",
            "a.zone:3:8: `mail` is not a number from 0 to 65535; MX data are: a number from 0 to 65535, a name",
        ),
        (
            "a 1 MX 10\n",
            "a.zone:1:10: the MX record ends where a name is expected; MX data are: a number from 0 to 65535, a name",
        ),
        (
            "a 1 A 192.0.2.1 x",
            "a.zone:1:17: `x` after the end of the A data; remove it; A data are: an IPv4 address",
        ),
        ("a 1 CH A 192.0.2.1", "a.zone:1:5: class CH; only IN is served"),
        ("a 1 ANY \\# 0", "a.zone:1:5: ANY is a meta-type; no zone can have records of it"),
        (
            "a 1 TYPE999 x",
            "a.zone:1:13: the data of TYPE999 can only be written in the generic form; write \\# LENGTH HEX, such as \\# 4 C0000201",
        ),
        (
            "a 1 TYPE999 \\# 3 C0",
            "a.zone:1:16: 3 octets are announced, but there are 1; write 1, or correct the data",
        ),
        (
            "a 1 A \\# 3 c00002",
            "a.zone:1:7: the RDATA ends where an IPv4 address is expected; the octets must be those of a valid A record",
        ),
        ("a 1 DS 1 13 2 00", "a.zone:1:8: the digest has 1 octets, but its algorithm makes 32"),
        ("a..b 1 A 192.0.2.1", "a.zone:1:1: `a..b` is not a name: the name has an empty label"),
        (
            "a A 192.0.2.1",
            "a.zone:1:1: no TTL: neither here nor in any line above; begin the file with a default, such as $TTL 1h",
        ),
        (
            " 1 A 192.0.2.1\n A 192.0.2.2",
            "a.zone:1:2: the first record has no owner name; begin the line with a name, or with @ for the origin",
        ),
        ("a", "a.zone:1:2: the record ends before its type; a record is: owner TTL class type data"),
        ("$TLT 60", "a.zone:1:1: unknown directive `$TLT`; did you mean `$TTL`?"),
        (
            " $TTL 60",
            "a.zone:1:2: `$TTL` does not begin its line; remove the blanks before it; a name that begins so is written \\$",
        ),
        (
            "$TTL 60 x",
            "a.zone:1:9: `x` after the end of the directive; remove it, or make it a comment with `;`",
        ),
        (
            "$GENERATE 3-1 a$ 1 A 192.0.2.$",
            "a.zone:1:11: `3-1` is not a range; write start-stop or start-stop/step, such as 1-254, the start not above the stop",
        ),
        (
            "$GENERATE 1-3 a$",
            "a.zone:1:17: the record ends before its type; a record is: owner TTL class type data",
        ),
        (
            "$GENERATE 1-3 a..$ 1 A 192.0.2.$",
            "a.zone:1:15: for the number 1, in `a..1`: `a..1` is not a name: the name has an empty label",
        ),
        (
            "$GENERATE 254-300 a$ 1 A 192.0.2.$",
            "a.zone:1:25: for the number 256, in `192.0.2.256`: `192.0.2.256` is not an IPv4 address; write four numbers from 0 to 255 without leading zeros, such as 192.0.2.1",
        ),
        (
            "$GENERATE 1-3 a${0,1,q} 1 A 192.0.2.$",
            "a.zone:1:16: `${0,1,q}` is not a number's format; write $, or ${offset}, ${offset,width} or ${offset,width,base} with one of d, o, x, X, n and N for the base; $$ for the sign itself",
        ),
        ("$GENERATE 1-3 a$ CH A 192.0.2.$", "a.zone:1:18: class CH; only IN is served"),
        (
            "$GENERATE 1-3 a$ 1 A 192.0.2.$ x",
            "a.zone:1:21: for the number 1, in `192.0.2.1 x`: `x` after the end of the A data; remove it; A data are: an IPv4 address",
        ),
        (
            "$GENERATE 1-3 a$ A 192.0.2.$",
            "a.zone:1:15: for the number 1, in `a1`: no TTL: neither here nor in any line above; begin the file with a default, such as $TTL 1h",
        ),
        (
            "a 1 TXT \"x",
            "a.zone:1:9: this quotation mark has no partner on its line; write `\"` where the string ends; a string may not go on in the next line",
        ),
        (
            "a 1 TXT k=\"x\"",
            "a.zone:1:11: a quotation mark in the middle of a word; put the whole word in quotes, or write \\\" for the mark itself",
        ),
        ("a 1 TXT ( x", "a.zone:1:9: this parenthesis is never closed; write `)` where the record ends"),
        (
            "a 1 TXT x )",
            "a.zone:1:11: this parenthesis was never opened; remove it, or write \\) for the sign itself",
        ),
        (
            "a 1 TXT x\0",
            "a.zone:1:10: a control character (octet 0); remove it, or write \\000 if it is meant",
        ),
        (
            "a 1 TXT \\",
            "a.zone:1:9: a backslash at the end of the line; write \\\\ for the backslash itself; parentheses continue a record on the next line",
        ),
        (
            "a 1 TXT a\\256",
            "a.zone:1:10: an escape is neither \\DDD (000 to 255) nor a backslash and one character; write \\\\ for the backslash itself",
        ),
        ("a 1 LOC 91 N 4 E 0", "a.zone:1:9: `91` where a latitude (52 22 23.000 N) is expected"),
        ("a 1 KEY 512 255 1", "a.zone:1:9: the RDATA ends where base64 data is expected"),
        (
            "$ORIGIN \"b\"",
            "a.zone:1:9: `b` in quotes; no server reads that; write the name without quotation marks",
        ),
        ("a 1 WKS 10.0.0.1 tcp gone", "a.zone:1:22: unknown service `gone`; write the number of its port"),
        ("a 1 NXT b CAA", "a.zone:1:11: `CAA` is no RR type from 1 to 127; NXT knows no others; NSEC does"),
        ("a 1 NSAP 47", "a.zone:1:10: `47` is not an NSAP address; write 0x and pairs of hexadecimal digits"),
        (
            "a 1 ATMA +",
            "a.zone:1:10: `+` is not an ATM address; write + and a number, or pairs of hexadecimal digits",
        ),
        ("a 1 A6 129 b", "a.zone:1:8: `129` is not a prefix length from 0 to 128"),
        (
            "a 1 A6 64 2001:: b",
            "a.zone:1:11: `2001::` has bits among the first 64; those come from the prefix name: leave them zero",
        ),
        (
            "a 1 AMTRELAY 10 0 4 .",
            "a.zone:1:19: relay type `4`; it may be 0 (none), 1 (IPv4), 2 (IPv6) or 3 (name)",
        ),
        (
            "a 1 AMTRELAY 10 2 0 .",
            "a.zone:1:17: `2` is not 0 or 1; 1 when a gateway may leave out the discovery message",
        ),
        (
            "a 1 IPN 1.2.3",
            "a.zone:1:9: `1.2.3` is not a number from 0 to 18446744073709551615; IPN data are: a number from 0 to 18446744073709551615",
        ),
        ("a 1 HIP 2 0g AAAA", "a.zone:1:12: `g` is not part of hexadecimal data"),
        ("a 1 SVCB 1 . pvd=1", "a.zone:1:14: `pvd` takes no value"),
        ("a 1 SVCB 1 . prot=443", "a.zone:1:14: unknown SvcParam key `prot`; did you mean `port`?"),
        ("a 1 SVCB 1 . port=443 port=444", "a.zone:1:23: `port` is there twice"),
        ("a 1 SVCB 1 . alpn=", "a.zone:1:14: `alpn` needs a value"),
        (
            "a 1 SVCB 1 . mandatory=port alpn=h2",
            "a.zone:1:14: `mandatory` must name each key once and only keys that are there, not so `port`",
        ),
    ] {
        assert_eq!(errors(text), [want], "{text}");
    }
    let text = format!("a 1 TXT {}", "x".repeat(256));
    assert_eq!(errors(&text)[0].split("; ").last(), Some("split it in two: \"..\" \"..\""));
    assert_eq!(records(&text[..text.len() - 1]).len(), 1);
}

#[test]
fn all_mistakes_are_found_and_the_records_between_them() {
    let (records, said) = read(
        "a 1 A 1\nb 1 A 192.0.2.1\nc 1 TXT ( x\n \"y )\n ) z\nd 1 A 192.0.2.2\ne 1 TXT x)\nf 1 A 192.0.2.3\n",
    );
    assert_eq!(
        records,
        ["b.example. 1 IN A 192.0.2.1", "d.example. 1 IN A 192.0.2.2", "f.example. 1 IN A 192.0.2.3"]
    );
    let lines: Vec<usize> =
        said.unwrap_err().iter().map(|error| error.place.as_ref().unwrap().line).collect();
    assert_eq!(lines, [1, 4, 7]);
}

#[test]
fn an_open_parenthesis_is_remembered_where_its_harm_shows() {
    let (_, said) = read("@ 1 SOA a b ( 1 2 3 4 5\n@ 1 NS a\n");
    let errors = said.unwrap_err();
    assert!(errors[0].message.starts_with("`@` after the end of the SOA data"), "{errors:?}");
    assert_eq!(errors[0].notes, ["the parenthesis of line 1, column 13 is still open"]);
    assert_eq!(errors.len(), 1);
}

#[test]
fn reading_stops_after_too_many_errors_and_says_so() {
    let bad = |count: usize| read(&"a 1 A x\n".repeat(count)).1.unwrap_err();
    let exactly = bad(limits::ZONEFILE_ERRORS);
    assert_eq!(exactly.len(), limits::ZONEFILE_ERRORS);
    assert!(exactly.iter().all(|error| error.notes.is_empty()));
    let more = bad(limits::ZONEFILE_ERRORS + 9);
    assert_eq!(more.len(), limits::ZONEFILE_ERRORS);
    assert_eq!(more.last().unwrap().notes, ["there are more errors below; reading stopped after this one"]);
}

#[test]
fn a_ttl_beyond_its_range_is_taken_as_zero_with_a_warning() {
    let (records, said) = read("a 2147483647 A 192.0.2.1\nb 2147483648 A 192.0.2.1");
    assert_eq!(records, ["a.example. 2147483647 IN A 192.0.2.1", "b.example. 0 IN A 192.0.2.1"]);
    let warnings = said.unwrap();
    assert_eq!(warnings[0].place.as_ref().unwrap().line, 2);
    assert_eq!(warnings.len(), 1);
    assert_eq!(errors("a 4294967296 A 192.0.2.1"), ["a.zone:1:3: a TTL of more than 2147483647 seconds"]);
}

#[test]
fn included_files_read_like_text_in_place_and_leave_no_trace() {
    let shelf = Shelf(HashMap::from([
        ("sub.zone", "$TTL 9\n TXT same-owner\n@ TXT apex\n$ORIGIN x.\ny TXT z\n".to_owned()),
        ("odd name", "q TXT q\n".to_owned()),
    ]));
    let text = "$TTL 5\na TXT a\n$INCLUDE sub.zone sub\n TXT b\nc TXT c\n$include \"odd name\" ; no origin\n";
    let (records, said) = read_with(text.as_bytes(), &shelf);
    assert_eq!(said, Ok(vec![]));
    assert_eq!(
        records,
        [
            "a.example. 5 IN TXT \"a\"",
            "a.example. 9 IN TXT \"same-owner\"",
            "sub.example. 9 IN TXT \"apex\"",
            "y.x. 9 IN TXT \"z\"",
            "a.example. 5 IN TXT \"b\"",
            "c.example. 5 IN TXT \"c\"",
            "q.example. 5 IN TXT \"q\"",
        ]
    );
}

#[test]
fn a_mistake_in_an_included_file_tells_the_way_there() {
    let shelf = Shelf(HashMap::from([
        ("one", "\n$INCLUDE two\n".to_owned()),
        ("two", "; two\na 1 A x\n$INCLUDE gone\n$INCLUDE one\n".to_owned()),
    ]));
    let errors = read_with(b"$INCLUDE one\n", &shelf).1.unwrap_err();
    let shown: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert!(shown[0].starts_with("two:2:7: `x` is not an IPv4 address"), "{shown:?}");
    assert_eq!(
        shown[1..],
        ["two:3:10: cannot include `gone`: no such file", "two:4:10: one includes itself"]
    );
    for error in &errors {
        assert_eq!(error.notes, ["included from one:2", "included from a.zone:1"]);
    }
}

#[test]
fn generated_records_are_those_of_each_number() {
    for (text, want) in [
        (
            "$GENERATE 1-5/2 a$ 60 IN A 192.0.2.$",
            "a1.example. 60 IN A 192.0.2.1|a3.example. 60 IN A 192.0.2.3|a5.example. 60 IN A 192.0.2.5",
        ),
        (
            "a 1 TXT x\n$generate 0-0 b$ MX 10 m${1,2} ; comment\n TXT y",
            "a.example. 1 IN TXT \"x\"|b0.example. 1 IN MX 10 m01.example.|a.example. 1 IN TXT \"y\"",
        ),
        ("$GENERATE 1-1 @ 1 MX \"10 m$\"", "example. 1 IN MX 10 m1.example."),
        ("$GENERATE 1-1 $.2 1 ( TXT \"a $\"\n b\\$ )", "1.2.example. 1 IN TXT \"a 1\" \"b$\""),
        (
            "$GENERATE 443-443 \\$$$ 1 SVCB 1 . alpn=\"h2\" port=$",
            "\\$\\$.example. 1 IN SVCB 1 . alpn=\"h2\" port=443",
        ),
        (
            "$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.\n$GENERATE 16-16 ${0,3,n} 1 PTR h$.",
            "0.1.8.b.d.0.1.0.0.2.ip6.arpa. 1 IN PTR h16.",
        ),
    ] {
        assert_eq!(records(text).join("|"), want, "{text}");
    }
}

#[test]
fn generation_has_a_bound_for_the_whole_zone() {
    let line = "$GENERATE 1-32768 a$ 1 TXT $\n";
    assert_eq!(records(&line.repeat(2)).len() as u64, limits::ZONEFILE_GENERATED);
    assert_eq!(
        errors(&format!("{}$GENERATE 7-7 b 1 TXT x", line.repeat(2))),
        ["a.zone:3:11: more than 65536 records by $GENERATE in this zone"]
    );
    assert_eq!(errors("$GENERATE 0-2147483647 a$ 1 TXT $").len(), 1);
}

#[test]
fn inclusion_has_a_depth() {
    /// Every file includes the next.
    struct Endless;
    impl Includes for Endless {
        fn open(&self, path: &str, _includer: &str) -> Result<Included, String> {
            let next = path.parse::<usize>().unwrap() + 1;
            Ok(Included {
                name: path.into(),
                octets: format!("a 1 TXT {path}\n$INCLUDE {next}\n").into_bytes(),
            })
        }
    }
    let (records, said) = read_with(b"$INCLUDE 1\n", &Endless);
    assert_eq!(records.len(), limits::ZONEFILE_INCLUDES);
    let errors = said.unwrap_err();
    assert_eq!(errors[0].to_string(), "8:2:10: $INCLUDE is nested more than 8 deep");
    assert_eq!(errors[0].notes.len(), limits::ZONEFILE_INCLUDES);
}

#[test]
fn inclusions_are_counted() {
    let shelf = Shelf(HashMap::from([("empty", String::new())]));
    let text = "$INCLUDE empty\n".repeat(limits::ZONEFILE_FILES);
    let errors = read_with(text.as_bytes(), &shelf).1.unwrap_err();
    assert_eq!(errors.len(), 1);
    // The zone file itself is one of them.
    assert_eq!(errors[0].place.as_ref().unwrap().line, limits::ZONEFILE_FILES);
    assert_eq!(read_with(&text.as_bytes()[15..], &shelf).1, Ok(vec![]));
}

#[test]
fn a_mark_shows_its_record_later() {
    let mut files = Files::new("a.zone", b"\n  \na 1 A 192.0.2.1\n  TXT x\n".to_vec());
    let mut marks = Vec::new();
    parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| marks.push(record.mark)).unwrap();
    let first = files.place(marks[0]);
    assert_eq!(
        (first.line, first.column, first.length, first.source_line.as_str()),
        (3, 1, 5, "a 1 A 192.0.2.1")
    );
    let second = files.place(marks[1]);
    assert_eq!((second.line, second.column, second.length), (4, 3, 3));
}

#[test]
fn a_line_that_is_shown_commands_no_terminal() {
    let (_, said) = read("a 1 A x\u{9b}2J\u{1b}[2J\ty\n");
    let line = said.unwrap_err()[0].place.clone().unwrap().source_line;
    assert_eq!(line, "a 1 A x\u{fffd}2J\u{fffd}[2J\ty");
}

#[test]
fn a_gigantic_line_is_shown_in_part() {
    for words in [10, 10_000] {
        let text = format!("a 1 TXT {}\\999 {}", "x ".repeat(words), "y ".repeat(9_000));
        let errors = read(&text).1.unwrap_err();
        let place = errors[0].place.as_ref().unwrap();
        assert_eq!(place.column, 9 + 2 * words);
        assert!(place.source_line.len() < 10 * limits::ZONEFILE_EXCERPT, "{}", place.source_line.len());
        assert!(errors[0].render(false).contains("\\"));
    }
}

/// Octets that the format of a field allows.
fn field(field: Field) -> BoxedStrategy<Vec<u8>> {
    let octets = |range| prop::collection::vec(any::<u8>(), range);
    let counted = |octets: Vec<u8>| [&[octets.len() as u8], &octets[..]].concat();
    match field {
        Field::CompressibleName | Field::FoldedName | Field::PlainName => name().boxed(),
        Field::Text | Field::Salt => octets(0..256usize).prop_map(counted).boxed(),
        Field::HashedName => octets(1..256usize).prop_map(counted).boxed(),
        Field::Texts => prop::collection::vec(octets(0..256usize).prop_map(counted), 1..4)
            .prop_map(|v| v.concat())
            .boxed(),
        Field::OptionalText => prop::option::of(octets(0..256usize).prop_map(counted))
            .prop_map(Option::unwrap_or_default)
            .boxed(),
        Field::LongText => octets(0..600usize).boxed(),
        Field::CaaTag => "[a-zA-Z0-9]{1,255}".prop_map(move |tag| counted(tag.into_bytes())).boxed(),
        Field::Hex | Field::Base64 | Field::Nsap => octets(1..600usize).boxed(),
        Field::OptionalBase64 | Field::DashedBase64 => octets(0..600usize).boxed(),
        Field::AtmAddress => prop_oneof![
            octets(1..20usize).prop_map(|address| [&[0], &address[..]].concat()),
            "[0-9]{1,15}".prop_map(|digits| [&[1], digits.as_bytes()].concat()),
        ]
        .boxed(),
        Field::Services => (any::<u8>(), octets(0..8193usize))
            .prop_map(|(protocol, ports)| [vec![protocol], without_zeros(ports)].concat())
            .boxed(),
        Field::LowTypes => octets(0..17usize)
            .prop_map(|mut bits| {
                bits.iter_mut().take(1).for_each(|first| *first &= 0x7f);
                without_zeros(bits)
            })
            .boxed(),
        Field::Relay => (any::<bool>(), 0..4u8, name(), octets(16..17usize))
            .prop_map(|(optional, kind, name, address)| {
                [&[u8::from(optional) << 7 | kind], gateway(kind, &address, &name)].concat()
            })
            .boxed(),
        Field::HostIdentity => {
            (any::<u8>(), octets(1..256usize), octets(1..600usize), prop::collection::vec(name(), 0..3))
                .prop_map(|(algorithm, tag, key, servers)| {
                    let length = (key.len() as u16).to_be_bytes();
                    [&[tag.len() as u8, algorithm], &length[..], &tag, &key, &servers.concat()].concat()
                })
                .boxed()
        }
        Field::SplitAddress => (0..=128u8, any::<u128>(), name())
            .prop_map(|(length, address, name)| {
                let suffix = address & u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
                let name = if length == 0 { &[][..] } else { &name };
                [&[length], &suffix.to_be_bytes()[usize::from(length / 8)..], name].concat()
            })
            .boxed(),
        Field::Types => prop::collection::btree_set(any::<u16>(), 0..20).prop_map(bitmap).boxed(),
        Field::Location => {
            (0..10u8, 0..10u8, -324_000_000..=324_000_000i64, -648_000_000..=648_000_000i64, any::<u32>())
                .prop_map(|(base, exponent, latitude, longitude, altitude)| {
                    let size = if base == 0 { 0 } else { base << 4 | exponent };
                    let angle = |angle: i64| ((1i64 << 31) + angle) as u32;
                    let words = [angle(latitude), angle(longitude), altitude].map(u32::to_be_bytes);
                    [&[0, size, 0x90, 0x09 + 0x10][..], &words.concat()].concat()
                })
                .boxed()
        }
        Field::SvcParams => {
            prop::collection::btree_map(0..20u16, octets(1..40usize), 0..8).prop_map(svc_params).boxed()
        }
        Field::Prefixes => prop::collection::vec((any::<bool>(), 0..=32u8, octets(0..5usize)), 0..4)
            .prop_map(|list| {
                let prefix = |(negated, length, mut address): (bool, u8, Vec<u8>)| {
                    while address.last() == Some(&0) {
                        address.pop();
                    }
                    let family = 1 + u8::from(length % 2 == 0);
                    [&[0, family, length, u8::from(negated) << 7 | address.len() as u8], &address[..]]
                        .concat()
                };
                list.into_iter().flat_map(prefix).collect()
            })
            .boxed(),
        Field::Gateway => (any::<u8>(), 0..4u8, name(), octets(16..17usize), octets(0..50usize))
            .prop_map(|(algorithm, kind, name, address, key)| {
                [&[kind, algorithm], gateway(kind, &address, &name), &key].concat()
            })
            .boxed(),
        fixed => {
            let size = fixed_octets(fixed).unwrap();
            octets(size..size + 1).boxed()
        }
    }
}

fn gateway<'a>(kind: u8, address: &'a [u8], name: &'a [u8]) -> &'a [u8] {
    match kind {
        0 => &[],
        1 => &address[..4],
        2 => address,
        _ => name,
    }
}

fn without_zeros(mut octets: Vec<u8>) -> Vec<u8> {
    octets.truncate(octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1));
    octets
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..6).prop_map(|labels| {
        let mut octets: Vec<u8> =
            labels.iter().flat_map(|label| [&[label.len() as u8], &label[..]].concat()).collect();
        octets.push(0);
        octets
    })
}

fn bitmap(types: std::collections::BTreeSet<u16>) -> Vec<u8> {
    let mut windows: std::collections::BTreeMap<u8, Vec<u8>> = Default::default();
    for rr_type in types {
        let [window, bit] = rr_type.to_be_bytes();
        let bits = windows.entry(window).or_default();
        bits.resize(usize::from(bit / 8) + 1, 0);
        bits[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    windows.iter().flat_map(|(window, bits)| [&[*window, bits.len() as u8], &bits[..]].concat()).collect()
}

/// Values of the form that each known key asks for, made from any octets.
fn svc_params(mut list: std::collections::BTreeMap<u16, Vec<u8>>) -> Vec<u8> {
    let keys: Vec<u8> = list.keys().filter(|key| **key > 0).flat_map(|key| key.to_be_bytes()).collect();
    if keys.is_empty() {
        list.remove(&0);
    }
    let mut octets = Vec::new();
    for (key, any) in list {
        let value = match key {
            0 => keys.clone(),
            1 => [&[any.len() as u8], &any[..], &[1, any[0]]].concat(),
            2 | 8 | 11 => vec![],
            3 => any.repeat(2)[..2].to_vec(),
            9 => any.repeat(2),
            10 if any.len() == 1 => vec![],
            10 => [&[any.len() as u8], &any[..]].concat(),
            4 => any.repeat(4)[..4 * any.len()].to_vec(),
            6 => any.repeat(16),
            7 => any.iter().map(|octet| octet & 0x7f).collect(),
            _ => any,
        };
        octets.extend_from_slice(&key.to_be_bytes());
        octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
        octets.extend_from_slice(&value);
    }
    octets
}

/// A type and octets of its format; sometimes a type without one.
fn typed_rdata() -> impl Strategy<Value = (RrType, Vec<u8>)> {
    let opaque = (1000..1100u16, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(number, rdata)| (RrType(number), rdata));
    let formatted = prop::sample::select(TABLE).prop_flat_map(|format| {
        let fields: Vec<_> = format.fields.iter().map(|of| field(*of)).collect();
        fields.prop_map(move |fields| (format.rr_type, fields.concat()))
    });
    prop_oneof![1 => opaque, 30 => formatted]
}

/// What a record reads back as that was printed for servers and for people.
fn printed_and_read(
    owner: NameRef<'_>,
    ttl: Ttl,
    rr_type: RrType,
    rdata: &[u8],
) -> Result<(), TestCaseError> {
    let mut text = String::new();
    write_record(owner, ttl, RrClass::IN, rr_type, rdata, &mut text).unwrap();
    writeln!(text, "{owner} {ttl} {rr_type} {:#}", RdataText { rr_type, rdata }).unwrap();
    prop_assert!(
        text.ends_with('\n') && text.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\n')),
        "{}",
        text
    );
    let mut seen = 0;
    let mut files = Files::new("printed", text.clone().into_bytes());
    let said = parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
        seen += 1;
        assert_eq!(record.owner.octets(), owner.octets(), "{text}");
        assert_eq!((record.ttl, record.rr_type), (ttl, rr_type));
        assert_eq!(record.rdata, rdata, "{text}");
    });
    prop_assert_eq!(said, Ok(vec![]), "{}", text);
    prop_assert_eq!(seen, 2);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_as_the_same_octets((rr_type, rdata) in typed_rdata(), owner in name(), ttl in 0..=0x7fff_ffffu64) {
        prop_assert_eq!(wire::check(rr_type, &rdata), Ok(()));
        // What makes no sense is for the wire, not for zone files.
        prop_assume!(wire::check_sense(rr_type, &rdata).is_ok());
        printed_and_read(NameRef::from_wire(&owner).unwrap(), Ttl::saturating(ttl), rr_type, &rdata)?;
    }

    #[test]
    fn octets_that_pass_the_check_have_a_text_and_others_the_generic_form(
        (rr_type, mut rdata) in typed_rdata(),
        at: prop::sample::Index,
        octet: u8,
        cut: prop::sample::Index,
    ) {
        if !rdata.is_empty() {
            let at = at.index(rdata.len());
            rdata[at] = octet;
            rdata.truncate(cut.index(4 * rdata.len()));
        }
        let text = RdataText { rr_type, rdata: &rdata }.to_string();
        match wire::check(rr_type, &rdata) {
            Ok(()) if wire::check_sense(rr_type, &rdata).is_ok() => {
                printed_and_read(NameRef::ROOT, Ttl::ZERO, rr_type, &rdata)?;
            }
            Ok(()) => {}
            Err(_) => prop_assert!(text.starts_with("\\# "), "{}", text),
        }
    }

    #[test]
    fn arbitrary_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let (_, said) = read_with(&octets, &NoIncludes);
        let _ = said.map_err(|errors| errors.iter().map(|error| error.render(false).len()).sum::<usize>());
        guess_origin(&octets);
    }

    #[test]
    fn mutated_zones_do_no_harm(
        list in prop::collection::vec(typed_rdata(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\"\\();\n\r\t $@=,.:-0aZ\0\xff"[..])), 1..10),
    ) {
        let mut text = String::from("$ORIGIN a.\n$TTL 1h\n$INCLUDE x\n");
        for (rr_type, rdata) in list {
            write_record(NameRef::ROOT, Ttl::ZERO, RrClass::IN, rr_type, &rdata, &mut text).unwrap();
        }
        let mut octets = text.into_bytes();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        // `read_with` checks all that comes out.
        let (_, said) = read_with(&octets, &NoIncludes);
        // Most are refused, for the include at least; a change may have made a comment of it.
        for error in said.err().into_iter().flatten() {
            prop_assert!(!error.render(false).is_empty());
        }
    }
}
