//! What is said of each mistake, where, and how much is shown of it.

use super::super::*;
use super::{errors, read, records};
use crate::dns::NameRef;
use crate::limits;

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
