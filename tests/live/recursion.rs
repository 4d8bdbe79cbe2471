//! Recursion over a real internet of real servers, asked by a real client, and what the access log tells of it.

use std::collections::HashMap;

use namu::observe::access_log_parse::{OwnedRecord, parse};
use namu::observe::{ExchangeResult, Source};

use crate::dig::{Reply, dig};
use crate::internet::{Internet, MANY, Parts, has_ipv6};
use crate::namu::{Folder, Namu};
use crate::peers::Kind;

/// What is asked, what comes back without its TTLs, and the lines of the access log.
type Row = (&'static str, &'static str, &'static [&'static str]);

const STORY: &[Row] = &[
    // From the root, then from the cache.
    (
        "www.home.test. A",
        "NOERROR qr rd ra: www.home.test. A 192.0.2.1",
        &["udp NOERROR recursion: root tld domain"],
    ),
    ("www.home.test. A", "NOERROR qr rd ra: www.home.test. A 192.0.2.1", &["udp NOERROR cache:"]),
    ("WWW.home.test. A +tcp", "NOERROR qr rd ra: WWW.home.test. A 192.0.2.1", &["tcp NOERROR cache:"]),
    (
        "a.wild.home.test. A",
        "NOERROR qr rd ra: a.wild.home.test. A 192.0.2.9",
        &["udp NOERROR recursion: domain"],
    ),
    // What does not exist.
    ("nobody.home.test. A", "NXDOMAIN qr rd ra:", &["udp NXDOMAIN recursion: domain"]),
    ("nobody.home.test. A", "NXDOMAIN qr rd ra:", &["udp NXDOMAIN negative-cache:"]),
    ("nobody.home.test. AAAA", "NXDOMAIN qr rd ra:", &["udp NXDOMAIN negative-cache:"]),
    ("www.home.test. AAAA", "NOERROR qr rd ra:", &["udp NOERROR recursion: domain"]),
    ("www.home.test. AAAA", "NOERROR qr rd ra:", &["udp NOERROR negative-cache:"]),
    // Aliases.
    (
        "alias.home.test. A",
        "NOERROR qr rd ra: alias.home.test. CNAME www.far.net., www.far.net. A 192.0.2.2",
        &["udp NOERROR recursion: domain root tld domain"],
    ),
    (
        "mail.old.home.test. A",
        "NOERROR qr rd ra: old.home.test. DNAME far.net., mail.old.home.test. CNAME mail.far.net., \
         mail.far.net. A 192.0.2.3",
        &["udp NOERROR recursion: domain"],
    ),
    (
        "www.old.home.test. A",
        "NOERROR qr rd ra: old.home.test. DNAME far.net., www.old.home.test. CNAME www.far.net., \
         www.far.net. A 192.0.2.2",
        &["udp NOERROR recursion: domain"],
    ),
    // Too much for a datagram, upstream as well as to the client.
    ("big.home.test. A", "big", &["udp NOERROR recursion: domain", "tcp NOERROR cache:"]),
    // Delegations with something missing.
    (
        "www.bare.test. A",
        "NOERROR qr rd ra: www.bare.test. A 192.0.2.4",
        &["udp NOERROR recursion: tld domain"],
    ),
    (
        "www.lame.test. A",
        "NOERROR qr rd ra: www.lame.test. A 192.0.2.4",
        &["udp NOERROR recursion: tld root/lame tld domain"],
    ),
    (
        "www.half.test. A",
        "NOERROR qr rd ra: www.half.test. A 192.0.2.4",
        &["udp NOERROR recursion: tld nobody/unreachable tld domain"],
    ),
    (
        "www.dead.test. A",
        "SERVFAIL qr rd ra: error 23 no name server of dead.test. gave a usable answer: {nobody} connection refused",
        &["udp SERVFAIL recursion 23: tld nobody/unreachable"],
    ),
    (
        "www.dead.test. A",
        "SERVFAIL qr rd ra: error 23 no name server of dead.test. gave a usable answer: {nobody} connection refused",
        &["udp SERVFAIL failure-cache 23:"],
    ),
    // Who may ask for what.
    ("www.here.test. A", "NOERROR qr aa rd ra: www.here.test. A 192.0.2.99", &["udp NOERROR authoritative:"]),
    (
        "www.here.test. A from=127.0.0.9",
        "NOERROR qr aa rd: www.here.test. A 192.0.2.99",
        &["udp NOERROR authoritative:"],
    ),
    (
        "www.home.test. A from=127.0.0.9",
        "REFUSED qr rd: error 18 recursion for this address is not allowed",
        &["udp REFUSED refused 18:"],
    ),
    (
        "www.home.test. A +norec",
        "REFUSED qr ra: error 20 the name is in no zone served here",
        &["udp REFUSED refused 20:"],
    ),
    (
        "www.home.test. A +norec from=127.0.0.8",
        "NOERROR qr: www.home.test. A 192.0.2.1",
        &["udp NOERROR cache:"],
    ),
    (
        "other.home.test. A from=127.0.0.8",
        "REFUSED qr rd: error 18 recursion for this address is not allowed",
        &["udp REFUSED refused 18:"],
    ),
];

const OVER_IPV6: &[Row] = &[(
    "www.six.test. A",
    "NOERROR qr rd ra: www.six.test. A 192.0.2.6",
    &["udp NOERROR recursion: tld domain-ipv6"],
)];

/// Told when the server of domains is gone.
const AFTER_THE_LOSS: &[Row] = &[
    (
        "new.home.test. A",
        "SERVFAIL qr rd ra: error 23 no name server of home.test. gave a usable answer: {domain} connection refused",
        &["udp SERVFAIL recursion 23: domain/unreachable"],
    ),
    (
        "new.home.test. A",
        "SERVFAIL qr rd ra: error 23 no name server of home.test. gave a usable answer: {domain} connection refused",
        &["udp SERVFAIL failure-cache 23:"],
    ),
    ("www.home.test. A", "NOERROR qr rd ra: www.home.test. A 192.0.2.1", &["udp NOERROR cache:"]),
];

/// Ends a line that tells of a timeout.
const LATE: &str = " ...";

const WHO: &str = "access:\n  recursion: [127.0.0.1/32]\n  cache-only: [127.0.0.8/32]\n\
                   zones:\n  - name: here.test\n    type: primary\n    file: here.zone\n";

#[test]
fn named_as_root_nsd_as_tld_knot_as_domain() {
    tell(Parts { root: Kind::Named, tld: Kind::Nsd, domain: Kind::Knot });
}

#[test]
fn nsd_as_root_knot_as_tld_named_as_domain() {
    tell(Parts { root: Kind::Nsd, tld: Kind::Knot, domain: Kind::Named });
}

#[test]
fn knot_as_root_named_as_tld_nsd_as_domain() {
    tell(Parts { root: Kind::Knot, tld: Kind::Named, domain: Kind::Nsd });
}

fn tell(parts: Parts) {
    let mut internet = Internet::start(parts);
    internet.folder.write(
        "here.zone",
        "$ORIGIN here.test.\n$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.98\nwww A 192.0.2.99\n",
    );
    let namu = internet.resolver(WHO);
    let mut story: Vec<&Row> = STORY.iter().collect();
    match has_ipv6() {
        true => story.extend(OVER_IPV6),
        false => crate::namu::skipped("this machine has no ::1 for a server"),
    }
    let mut ttls = HashMap::new();
    for row in &story {
        ask(row, &namu, &internet, &mut ttls);
    }
    internet.lose_domain();
    for row in AFTER_THE_LOSS {
        ask(row, &namu, &internet, &mut ttls);
        story.push(row);
    }
    assert!(namu.stop().success());
    let want: Vec<String> = story
        .iter()
        .flat_map(|(asked, _, lines)| lines.iter().map(|line| wanted_line(asked, line)))
        .collect();
    let mut log = log(&internet);
    for (line, want) in log.iter_mut().zip(&want) {
        let beginning = line.strip_suffix(LATE).filter(|beginning| want.starts_with(beginning));
        if beginning.is_some() {
            *line = want.clone();
        }
    }
    assert_eq!(log, want);
}

fn ask((asked, want, _): &Row, namu: &Namu, internet: &Internet, ttls: &mut HashMap<String, u32>) {
    let reply = dig(namu.address(), asked);
    for (owner, ttl, data) in &reply.answers {
        // Data that was cached once ages and never grows younger.
        let before = ttls.insert(format!("{} {data}", owner.to_lowercase()), *ttl).unwrap_or(300);
        assert!(*ttl <= before, "{asked}: {reply:?}");
    }
    if *want == "big" {
        assert_eq!((reply.status.as_str(), reply.answers.len()), ("NOERROR", usize::from(MANY)), "{asked}");
        return;
    }
    let port = internet.port;
    let domain = format!("{}:{port}", internet.parts.domain.address());
    let want =
        want.replace("{domain}", &domain).replace("{nobody}", &format!("{}:{port}", crate::internet::NOBODY));
    assert_eq!(told(&reply), want, "{asked}");
}

fn told(reply: &Reply) -> String {
    let answers: Vec<_> = reply.answers.iter().map(|(owner, _, data)| format!(" {owner} {data}")).collect();
    // Which id a record of the flight recorder has is not known before.
    let without_id = |text: &str| text.split("; id=").next().unwrap_or_default().to_owned();
    let error = reply.error.iter().map(|(code, text)| format!(" error {code} {}", without_id(text)));
    format!("{} {}:{}{}", reply.status, reply.flags.join(" "), answers.join(","), error.collect::<String>())
}

/// `TRANSPORT RCODE SOURCE [EDE]: SERVER...`, with the question in front.
fn wanted_line(asked: &str, line: &str) -> String {
    let question: Vec<_> = asked.split(' ').take(2).collect();
    format!("{} {line}", question.join(" "))
}

/// The access log in the order of time, each line as [`wanted_line`] writes it.
fn log(internet: &Internet) -> Vec<String> {
    let text = internet.folder.read("access.log");
    let mut records: Vec<OwnedRecord> =
        text.lines().map(|line| parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    records.sort_by_key(|record| record.time);
    records.iter().map(|record| line_of(record, internet)).collect()
}

fn line_of(record: &OwnedRecord, internet: &Internet) -> String {
    let question = record.question.as_ref().unwrap();
    let error = record.extended_error.map(|code| format!(" {}", code.0)).unwrap_or_default();
    let mut line = format!(
        "{} {} {} {} {}{error}:",
        question.name,
        question.rr_type,
        record.transport,
        record.rcode,
        record.source.word()
    );
    let Some(facts) = &record.recursion else {
        assert_ne!(record.source, Source::Recursion, "{line}");
        return line;
    };
    assert!(facts.tries as usize >= facts.exchanges.len(), "{facts:?}");
    let mut before = String::new();
    for exchange in &facts.exchanges {
        let part = internet.part_at(exchange.server);
        let server = match exchange.result {
            ExchangeResult::Answered(_) => part.to_owned(),
            ExchangeResult::Lame => format!("{part}/lame"),
            ExchangeResult::Unreachable => format!("{part}/unreachable"),
            // A busy machine is late with a reply at times. Another server may be asked then, which is right.
            ExchangeResult::Timeout => return format!("{line}{LATE}"),
            other => panic!("{other:?} in {line}"),
        };
        // Asked twice in a row counts once.
        if server != before {
            line += &format!(" {server}");
            before = server;
        }
    }
    line
}

#[test]
fn without_a_resolver_other_names_are_refused() {
    let folder = Folder::new();
    folder
        .write("config.yaml", "listen:\n  - address: 127.0.0.1\n    port: 0\nresolver:\n  enabled: false\n");
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    for asked in ["www.home.test. A", "www.home.test. A +tcp"] {
        let want = "REFUSED qr rd: error 20 the name is in no zone served here";
        assert_eq!(told(&dig(namu.address(), asked)), want, "{asked}");
    }
}
