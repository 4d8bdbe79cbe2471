//! The grammar of SPF records, as far as a zone file alone can tell (RFC 7208).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnostic::nearest;
use crate::limits::SPF_LOOKUPS;

/// Whether text is an SPF record (RFC 7208 4.5).
pub(super) fn is_spf(text: &[u8]) -> bool {
    let version = b"v=spf1";
    text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
        && matches!(text.get(version.len()), None | Some(b' '))
}

/// Why text that means to be an SPF record is none.
pub(super) fn is_no_spf(text: &[u8]) -> Option<&'static str> {
    let starts = |start: &[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    if is_spf(text) {
        None
    } else if starts(b"v=spf") {
        Some("its version is not `v=spf1` and a space")
    } else if starts(b"spf1 ") || starts(b"v spf1 ") || starts(b"v:spf1 ") || starts(b" v=spf1") {
        Some("it does not begin with `v=spf1`")
    } else {
        None
    }
}

/// What is wrong with an SPF record, and what to write instead.
pub(super) struct Mistake {
    pub why: String,
    pub help: String,
}

fn mistake(why: impl Into<String>, help: impl Into<String>) -> Option<Mistake> {
    Some(Mistake { why: why.into(), help: help.into() })
}

/// The first mistake of an SPF record.
pub(super) fn check(record: &[u8]) -> Option<Mistake> {
    let Ok(record) =
        std::str::from_utf8(record).map_err(drop).and_then(|text| text.is_ascii().then_some(text).ok_or(()))
    else {
        return mistake("is not ASCII", "write domains as A-labels, which begin with `xn--`");
    };
    let mut lookups = 0;
    let mut all: Option<&str> = None;
    for term in record.split(' ').skip(1).filter(|term| !term.is_empty()) {
        let (name, argument) = split(term);
        if let Some('=') = argument.chars().next() {
            lookups += usize::from(name.eq_ignore_ascii_case("redirect"));
            continue;
        }
        if let Some(all) = all {
            return mistake(
                format!("goes on after `{all}`, and receivers stop reading there"),
                format!("move `{}` before `{all}`", shown(term)),
            );
        }
        if let Some(mistake) = check_mechanism(term, name, argument) {
            return Some(mistake);
        }
        let name = name.to_ascii_lowercase();
        lookups += usize::from(["include", "a", "mx", "ptr", "exists"].contains(&name.as_str()));
        if name == "all" {
            all = Some(term);
        }
    }
    if lookups > SPF_LOOKUPS {
        return mistake(
            format!("asks for {lookups} lookups, and receivers stop at {SPF_LOOKUPS}"),
            "replace some by `ip4:` and `ip6:` (RFC 7208 4.6.4)",
        );
    }
    match all {
        Some("all" | "+all") => mistake("lets everybody send mail", "end it with `~all` or `-all`"),
        _ => None,
    }
}

/// A term without its qualifier as its name and what follows, `:`, `/` or `=` included.
fn split(term: &str) -> (&str, &str) {
    let term = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
    term.split_at(term.find([':', '/', '=']).unwrap_or(term.len()))
}

const MECHANISMS: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];

fn check_mechanism(term: &str, name: &str, argument: &str) -> Option<Mistake> {
    let lower = name.to_ascii_lowercase();
    let value = argument.strip_prefix(':');
    match lower.as_str() {
        "all" if argument.is_empty() => None,
        "all" => mistake(format!("has `{}`", shown(term)), "write `all` without anything behind it"),
        "a" | "mx" | "ptr" => None,
        "include" | "exists" if value.is_none_or(str::is_empty) => mistake(
            format!("has `{}` without a domain", shown(term)),
            format!("write `{lower}:` and a domain, without a space between"),
        ),
        "include" | "exists" => None,
        "ip4" if !value.is_some_and(|value| is_network::<Ipv4Addr>(value, 32)) => mistake(
            format!("has `{}`, which is no IPv4 address or network", shown(term)),
            "write such as `ip4:192.0.2.1` or `ip4:192.0.2.0/24`",
        ),
        "ip6" if !value.is_some_and(|value| is_network::<Ipv6Addr>(value, 128)) => mistake(
            format!("has `{}`, which is no IPv6 address or network", shown(term)),
            "write such as `ip6:2001:db8::1` or `ip6:2001:db8::/32`",
        ),
        "ip4" | "ip6" => None,
        _ => mistake(format!("has the unknown term `{}`", shown(term)), instead_of(term, &lower)),
    }
}

fn instead_of(term: &str, name: &str) -> String {
    let bare = term.trim_start_matches(['+', '-', '~', '?']);
    if is_network::<Ipv4Addr>(bare, 32) {
        return format!("did you mean `ip4:{bare}`?");
    }
    if is_network::<Ipv6Addr>(bare, 128) {
        return format!("did you mean `ip6:{bare}`?");
    }
    match nearest(name, MECHANISMS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the terms are {} and modifiers with `=`", MECHANISMS.join(", ")),
    }
}

fn is_network<A: std::str::FromStr>(text: &str, bits: u8) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<A>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= bits)
}

/// A term as it may stand in a sentence.
fn shown(term: &str) -> String {
    term.chars().take(60).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_records_are_left_alone() {
        for record in [
            "v=spf1",
            "v=spf1 -all",
            "v=spf1 mx a:mail.example.org/24//64 ~all",
            "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_spf.example.net ?all",
            "v=spf1 redirect=_spf.example.org",
            "V=SPF1 exists:%{i}._spf.%{d} -all exp=why.example.org",
            "v=spf1  a   -all ",
            "v=spf1 -all unknown=modifier",
        ] {
            assert!(is_spf(record.as_bytes()) && is_no_spf(record.as_bytes()).is_none(), "{record}");
            assert!(check(record.as_bytes()).is_none(), "{record}");
        }
    }

    #[test]
    fn mistakes_are_named_with_a_remedy() {
        let many = format!("v=spf1 {}-all", "include:a.example ".repeat(11));
        for (record, why, help) in [
            ("v=spf1 ip4:192.0.2.256 -all", "no IPv4 address", "ip4:192.0.2.1"),
            ("v=spf1 ip4:192.0.2.0/33 -all", "no IPv4 address", "ip4:192.0.2.1"),
            ("v=spf1 ip6:192.0.2.1 -all", "no IPv6 address", "ip6:2001:db8::1"),
            ("v=spf1 192.0.2.1 -all", "unknown term `192.0.2.1`", "did you mean `ip4:192.0.2.1`?"),
            ("v=spf1 2001:db8::1 -all", "unknown term", "did you mean `ip6:2001:db8::1`?"),
            ("v=spf1 ip:192.0.2.1 -all", "unknown term `ip:192.0.2.1`", "did you mean `ip"),
            ("v=spf1 inclde:a.example -all", "unknown term", "did you mean `include`?"),
            ("v=spf1 include: a.example -all", "without a domain", "without a space"),
            ("v=spf1 -all include:a.example", "goes on after `-all`", "move `include:a.example`"),
            ("v=spf1 +all", "everybody", "~all"),
            (many.as_str(), "11 lookups", "ip4:"),
        ] {
            let found = check(record.as_bytes()).unwrap_or_else(|| panic!("{record} passed"));
            assert!(
                found.why.contains(why) && found.help.contains(help),
                "{record}: {}; {}",
                found.why,
                found.help
            );
        }
        for (text, is_odd) in [
            ("v=spf1;-all", true),
            ("v=spf2 -all", true),
            ("spf1 -all", true),
            ("spf2.0/pra -all", false),
            ("google-site-verification=v=spf1", false),
        ] {
            assert_eq!(is_no_spf(text.as_bytes()).is_some(), is_odd, "{text}");
        }
    }
}
