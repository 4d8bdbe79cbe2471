//! Zone and configuration files of 64 KiB, each made to cost as much as it can in one place.

/// Octets of each.
const MOST: usize = 64 * 1024;
/// What comes before, so that records have an owner and a TTL.
const HEAD: &str = "$ORIGIN example.\n$TTL 300\n";

/// `text` over and over.
fn filled(text: &str) -> String {
    text.repeat(MOST / text.len())
}

/// `head` and then `text` over and over.
fn after(head: &str, text: &str) -> String {
    format!("{head}{}", text.repeat((MOST - head.len()) / text.len()))
}

/// `head`, and then as many texts made of numbers as fit.
fn counted(head: &str, text: impl Fn(usize) -> String) -> String {
    let mut all = head.to_owned();
    for number in 0.. {
        let next = text(number);
        if all.len() + next.len() > MOST {
            break;
        }
        all += &next;
    }
    all
}

/// Zone files, each with its name.
pub fn zones() -> Vec<(&'static str, String)> {
    let record = |line: &str| format!("{HEAD}@ {line} ");
    vec![
        ("a line of one word", filled("x")),
        ("a line of short words", filled("a ")),
        ("opening parentheses", filled("(")),
        ("closing parentheses", filled(")")),
        ("parentheses that open and close", filled("()")),
        ("a parenthesis and lines without end", after("@ TXT (", "\n")),
        ("quotation marks", filled("\"")),
        ("a string without end", after("@ TXT \"", "x")),
        ("backslashes", filled("\\")),
        ("escapes", after(&record("TXT"), "\\065")),
        ("comments", filled(";\n")),
        ("empty lines", filled("\n")),
        ("carriage returns", filled("\r")),
        ("octets 0", filled("\0")),
        ("directives", filled("$\n")),
        ("unknown directives", filled("$ORIGINAL x\n")),
        ("inclusions", filled("$INCLUDE x\n")),
        ("origins", after(HEAD, "$ORIGIN a\n")),
        ("one address, again and again", after(HEAD, "a A 192.0.2.1\n")),
        ("addresses of one owner", counted(HEAD, |n| format!("a A 10.0.{}.{}\n", n / 256, n % 256))),
        ("owners", counted(HEAD, |n| format!("a{n} A 192.0.2.1\n"))),
        ("deep owners", counted(HEAD, |n| format!("{}{n} A 192.0.2.1\n", "a.".repeat(120)))),
        ("classes", filled("IN ")),
        ("a TTL of many units", after("@ ", "1s")),
        ("a TTL of many digits", after("@ ", "9")),
        ("TTLs that are too long", after(HEAD, "@ 4294967295 A 192.0.2.1\n")),
        ("unknown types", filled("a XYZZY\n")),
        ("a type as long as the file", after("a ", "TYPE")),
        ("strings", after(&record("TXT"), "a ")),
        ("hexadecimal digits", after(&record("TYPE65280 \\# 32000"), "00")),
        ("hexadecimal words", after(&record("TYPE65280 \\# 20000"), "00 ")),
        ("base64", after(&record("DNSKEY 257 3 13"), "AAAA")),
        ("base64 words", after(&record("DNSKEY 257 3 13"), "AAAA ")),
        ("types", counted(&record("NSEC a"), |n| format!("TYPE{} ", 1000 + n))),
        ("SvcParams", counted(&record("SVCB 1 ."), |n| format!("key{} ", 1000 + n))),
        ("SvcParams backwards", counted(&record("SVCB 1 ."), |n| format!("key{} ", 60_000 - n))),
        (
            "mandatory SvcParams",
            counted(&record("SVCB 1 . mandatory=key1000"), |n| format!(",key{}", 1001 + n)),
        ),
        ("ALPN values", after(&record("SVCB 1 . alpn=h2"), ",h2")),
        ("address prefixes", after(&record("APL"), "1:10.0.0.0/8 ")),
        ("words of a location", after(&record("LOC"), "1 ")),
        ("octets that are no UTF-8, in a mistake", after("@ A ", "\u{fffd}")),
    ]
}

/// Configuration files, each with its name.
pub fn configs() -> Vec<(&'static str, String)> {
    vec![
        ("opening brackets", filled("[")),
        ("brackets that open and close", filled("[],")),
        ("opening braces", filled("{")),
        ("dashes", filled("- ")),
        ("lists in lists on lines of their own", counted("", |n| format!("{}-\n", " ".repeat(n)))),
        ("questions", filled("? ")),
        ("colons", filled(": ")),
        ("a line of one word", filled("x")),
        ("a line of words", filled("x ")),
        ("quotation marks", filled("'")),
        ("empty lines", filled("\n")),
        ("comments", filled("#\n")),
        ("keys", counted("", |n| format!("k{n}:\n"))),
        ("one key, again and again", filled("k:\n")),
        ("keys of a section", counted("cache:\n", |n| format!("  k{n}: 1\n"))),
        ("items", after("listen:\n", "- 1\n")),
        ("items of empty lists", after("listen: [", "[],")),
        ("a long value", after("log: {level: ", "x")),
        ("anchors", filled("- &a x\n")),
        ("aliases", after("a: &a x\nb:\n", "- *a\n")),
        ("tags", filled("- !a x\n")),
        ("traps", after("zones:\n", "- name: *.example\n")),
        ("tabs", filled("\t")),
        ("documents", filled("---\n")),
        ("escapes", after("log: {level: \"", "\\x41")),
        ("octets 0", filled("\0")),
    ]
}
