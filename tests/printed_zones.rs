//! What namu prints, other servers read: a zone with every type is given to the checkers that are installed here.

use std::path::PathBuf;
use std::process::Command;

use namu::dns::rdata_table::{TABLE, is_known_everywhere};
use namu::dns::{Name, RrClass, RrType};
use namu::zonefile::{Files, NoIncludes, parse, write_record};

/// One record of every type that has a format, some with more than one form, and a few without.
const RECORDS: &[&str] = &[
    "A 192.0.2.1",
    "NS ns",
    "MD b",
    "MF b",
    "CNAME b",
    "MB b",
    "MG b",
    "MR b",
    "NULL \\# 2 00ff",
    "WKS 10.0.0.1 tcp 21 smtp 65535",
    "PTR b",
    "HINFO \"\" \"a b\"",
    "MINFO b c",
    "MX 0 .",
    "TXT \"\" \"\\000\\\"\\\\\\255;\" \"é\"",
    "RP b c",
    "AFSDB 1 b",
    "X25 311061700956",
    "ISDN 150862028003217",
    "ISDN 150862028003217 004",
    "RT 10 b",
    "NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00",
    "NSAP-PTR b",
    "SIG NXT 1 3 3600 20300101000000 20200101000000 2143 foo AAAA",
    "KEY 512 255 1 AQMF",
    "PX 10 b c",
    "GPOS -32.6882 116.8652 10.0",
    "AAAA ::ffff:192.0.2.1",
    "LOC 52 22 23 N 4 53 32 E -2m 0m 10000m 10m",
    "LOC 90 S 180 W -100000m 90000000m 0m 0m",
    "NXT b A MX NXT",
    "EID 1289ab",
    "NIMLOC 1289ab",
    "SRV 0 0 443 .",
    "ATMA +61200000000",
    "ATMA 39.246f.00",
    "NAPTR 1 2 s SIP+D2U \"!^.*$!sip:info@example.com!\" .",
    "KX 10 b",
    "CERT PKIX 1 RSASHA256 AAAA",
    "CERT 65535 65535 255 AAAA",
    "A6 0 2001:db8::1",
    "A6 64 ::1 b",
    "A6 128 b",
    "DNAME b",
    "SINK 1 0 2 AAAA",
    "APL",
    "APL 1:192.168.32.0/21 !2:2001:db8::/32",
    "DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "SSHFP 1 1 00112233445566778899aabbccddeeff00112233",
    "IPSECKEY 10 0 2 . AAAA",
    "IPSECKEY 10 1 2 192.0.2.1 AAAA",
    "IPSECKEY 10 2 2 2001:db8::1 AAAA",
    "IPSECKEY 10 3 2 b AAAA",
    "RRSIG WKS 13 3 1 20300101000000 20200101000000 1 @ AAAA",
    "NSEC b A WKS NSEC CAA AMTRELAY TYPE65534",
    "DNSKEY 256 3 13 AAAA",
    "DHCID AAAA",
    "NSEC3 1 1 0 aabb 2vptu5timamqttgl4luu9kg21e0aor3s A HIP",
    "NSEC3PARAM 1 0 0 -",
    "TLSA 3 1 1 00",
    "SMIMEA 3 0 0 00",
    "HIP 2 200100107b1a74df365639cc39f1d578 AwEA",
    "HIP 2 200100107b1a74df365639cc39f1d578 AwEA rvs b",
    "NINFO a b",
    "RKEY 0 1 2 AAAA",
    "TALINK . b",
    "CDS 0 0 0 00",
    "CDNSKEY 0 3 0 AA==",
    "OPENPGPKEY AAAA",
    "CSYNC 66 3 A NS AAAA",
    "ZONEMD 2018031500 1 240 001122334455667788990011",
    "SVCB 0 b",
    "SVCB 1 . mandatory=alpn,ohttp alpn=\"h2,f\\\\\\\\oo\\\\,bar\" no-default-alpn port=1 ipv4hint=192.0.2.1 ech=AAAA \
     ipv6hint=::1 dohpath=/dns-query{?dns} ohttp tls-supported-groups=29,23 docpath=a,b pvd key65000=\"\\000x\"",
    "HTTPS 1 . alpn=h3",
    "DSYNC CDS NOTIFY 5359 b",
    "HHIT AAAA",
    "BRID AAAA",
    "SPF \"v=spf1 -all\"",
    "UINFO \\# 1 00",
    "UID \\# 1 00",
    "GID \\# 1 00",
    "UNSPEC \\# 1 00",
    "NID 10 14:4fff:ff20:ee64",
    "L32 10 192.0.2.1",
    "L64 10 2001:db8:1140:1000",
    "LP 10 b",
    "EUI48 00-00-5e-00-53-2a",
    "EUI64 00-00-5e-ef-10-00-00-2a",
    "URI 10 1 \"ftp://ftp.example/a\\\"b\"",
    "CAA 128 issue \"ca.example; account=1\"",
    "AVC \"app-name:x\"",
    "DOA 0 1 2 \"\" AAAA",
    "DOA 0 1 2 text/html -",
    "AMTRELAY 10 0 0 .",
    "AMTRELAY 10 1 1 192.0.2.1",
    "AMTRELAY 10 1 2 2001:db8::15",
    "AMTRELAY 10 0 3 b",
    "RESINFO qnamemin exterr=15-17",
    "WALLET ETH 0x0",
    "CLA TCP-v4-v6",
    "IPN 974848",
    "TA 1 5 1 00112233445566778899aabbccddeeff00112233",
    "DLV 1 5 1 00112233445566778899aabbccddeeff00112233",
    "TYPE65280 \\# 3 c0ffee",
    "TYPE65280 \\# 0",
];

/// A checker, its options before the name of the zone, and types it refuses in any form.
struct Checker {
    program: &'static str,
    options: &'static [&'static str],
    refuses: &'static [RrType],
}

const CHECKERS: &[Checker] = &[
    // BIND calls MD and MF obsolete and means it.
    Checker {
        program: "named-checkzone",
        options: &["-k", "ignore", "-i", "none"],
        refuses: &[RrType::MD, RrType::MF],
    },
    Checker { program: "kzonecheck", options: &["-o"], refuses: &[] },
    Checker { program: "nsd-checkzone", options: &[], refuses: &[] },
];

/// The lines of the zone, each with its type, printed from what was read of [`RECORDS`].
fn printed_zone() -> Vec<(RrType, String)> {
    let mut text = String::from("$TTL 3600\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n");
    for (number, record) in RECORDS.iter().enumerate() {
        // A name each: some may not stand beside others.
        text.push_str(&format!("r{number} {record}\n"));
    }
    text.push_str("\\000\\200\\@\\$\\(\\;\\\"\\\\\\. A 192.0.2.1\n*.w A 192.0.2.1\n");
    let mut lines = Vec::new();
    let origin: Name = "example.".parse().unwrap();
    let mut files = Files::new("every type", text.into_bytes());
    let said = parse(&mut files, origin.as_ref(), &NoIncludes, &mut |record| {
        let mut line = String::new();
        write_record(record.owner, record.ttl, RrClass::IN, record.rr_type, record.rdata, &mut line).unwrap();
        lines.push((record.rr_type, line));
    });
    assert_eq!(said, Ok(vec![]));
    lines
}

#[test]
fn every_type_with_a_format_is_printed() {
    let lines = printed_zone();
    for format in TABLE {
        assert!(lines.iter().any(|(rr_type, _)| *rr_type == format.rr_type), "{}", format.rr_type);
    }
    for (rr_type, line) in lines {
        let by_name = rr_type.mnemonic().is_some_and(|mnemonic| line.contains(&format!(" IN {mnemonic} ")));
        assert_eq!(by_name, is_known_everywhere(rr_type), "{line}");
    }
}

#[test]
fn other_servers_read_what_is_printed() {
    let lines = printed_zone();
    for checker in CHECKERS {
        let zone: String = lines
            .iter()
            .filter(|(rr_type, _)| !checker.refuses.contains(rr_type))
            .map(|(_, line)| line.as_str())
            .collect();
        match checker.complaint(&zone) {
            None => println!("skipped: {} is not installed", checker.program),
            Some(complaint) => assert_eq!(complaint, "", "{}\n{zone}", checker.program),
        }
        // The judge does judge.
        let complaint = checker.complaint(&format!("{zone}bad.example. 1 IN A 192.0.2.256\n"));
        assert_ne!(complaint.as_deref(), Some(""), "{}", checker.program);
    }
}

impl Checker {
    /// What it says of a zone it refuses, empty for one it accepts; none when it is not installed.
    fn complaint(&self, zone: &str) -> Option<String> {
        let name = format!("namu-printed-{}-{}", std::process::id(), self.program);
        let path: PathBuf = std::env::temp_dir().join(name);
        std::fs::write(&path, zone).unwrap();
        // Where it is in most people's path, and where only the superuser looks.
        let run =
            [self.program.to_owned(), format!("/usr/sbin/{}", self.program)].iter().find_map(|program| {
                Command::new(program).args(self.options).arg("example").arg(&path).output().ok()
            });
        let _ = std::fs::remove_file(&path);
        let output = run?;
        let said = [output.stdout, output.stderr].concat();
        Some(if output.status.success() {
            String::new()
        } else {
            format!("refused: {}", String::from_utf8_lossy(&said))
        })
    }
}
