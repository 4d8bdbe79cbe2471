//! How a record may be laid out, and what it takes from the lines above.

use super::{errors, read, records};

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
fn a_ttl_beyond_its_range_is_taken_as_zero_with_a_warning() {
    let (records, said) = read("a 2147483647 A 192.0.2.1\nb 2147483648 A 192.0.2.1");
    assert_eq!(records, ["a.example. 2147483647 IN A 192.0.2.1", "b.example. 0 IN A 192.0.2.1"]);
    let warnings = said.unwrap();
    assert_eq!(warnings[0].place.as_ref().unwrap().line, 2);
    assert_eq!(warnings.len(), 1);
    assert_eq!(errors("a 4294967296 A 192.0.2.1"), ["a.zone:1:3: a TTL of more than 2147483647 seconds"]);
}
