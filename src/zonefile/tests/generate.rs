//! `$GENERATE`: many records in a line.

use super::{errors, records};
use crate::limits;

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
