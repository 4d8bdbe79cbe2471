//! What a good file says, and what it leaves out.

use std::path::Path;

use super::super::*;
use super::{GOOD, check, mistakes, read};
use crate::dns::Ttl;
use crate::observe::Transport;
use crate::options::{Bytes, Duration};
use crate::policy::{Access, RateLimit};
use crate::service::Version;
use crate::{limits, options};

#[test]
fn every_built_option_is_read() {
    let config = read(GOOD).expect("GOOD is good");
    assert_eq!(config.resolve(Path::new("com.zone")), Path::new("zones/com.zone"));
    assert_eq!(config.resolve(&config.zones[1].file), Path::new("/root.zone"));
    assert_eq!(config.state_directory(Some("/run/state".as_ref())), Path::new("/var/lib/state"));
    assert_eq!(config.server.workers, Workers::Count(2.try_into().unwrap()));
    assert_eq!(config.server.udp_payload_size.octets(), 1400);
    assert_eq!(config.upstream_payload_size().octets(), 512);
    assert_eq!(config.server.rrset_order, RrsetOrder::Fixed);
    assert!(!config.server.extended_errors);
    assert_eq!(config.server.identity, ServerName(Some("ns1.example.net".into())));
    assert_eq!(config.server.version_bind, VersionBind(Version::Text("a server".into())));
    assert!(!config.server.cookies);
    assert_eq!(config.server.cookie_secret_file.as_deref(), Some(Path::new("cookies")));
    assert_eq!(config.server.special_zones, SpecialZones::None);
    assert_eq!(config.rate_limit.responses.0, Some(RateLimit { per_second: 50, slip: 1 }));
    assert_eq!((&config.access.transfer[..], &config.zones[0].transfer), (&["lan".to_string()][..], &None));
    assert_eq!(config.zones[1].transfer, Some(vec!["none".into()]));
    assert_eq!(config.listen[0], ListenOptions::new([192, 0, 2, 53].into(), 53));
    assert_eq!((config.listen[1].port, &config.listen[1].transports[..]), (0, &[Transport::Tcp][..]));
    let access = Access::compile(&config.access, &config.acls).expect("checked");
    assert!(access.recursion.admits([10, 1, 1, 1].into()));
    assert!(!access.cache_only.admits([127, 0, 0, 1].into()));
    assert_eq!(config.zones[0], ZoneOptions::primary("example.com".parse().unwrap(), "com.zone".into()));
    assert!(config.zones[1].name.as_ref().is_root());
    assert_eq!(config.zones[0].serial, SerialPolicy::Increment);
    assert_eq!(config.zones[0].journal, JournalSize::AtMost(Bytes(limits::JOURNAL_OCTETS)));
    assert_eq!(config.zones[1].serial, SerialPolicy::Date);
    assert_eq!(config.zones[1].journal, JournalSize::AtMost(Bytes(1 << 30)));
    let resolver = &config.resolver;
    assert_eq!(resolver.root_hints, RootHints::File("hints".into()));
    assert_eq!((resolver.enabled, resolver.priming, resolver.ipv6), (true, false, Ipv6::Yes));
    let hiding = (resolver.qname_minimization, resolver.case_randomization);
    assert_eq!(hiding, (QnameMinimization::None, false));
    let anchors = (resolver.validation, &resolver.trust_anchors, resolver.dnssec_sha1);
    assert_eq!(anchors, (Validation::Log, &TrustAnchors::File("keys".into()), DnssecSha1::Validate));
    let switches =
        (resolver.trust_anchor_tracking, resolver.trust_anchor_signaling, resolver.aggressive_nsec);
    assert_eq!(switches, (false, false, false));
    assert_eq!(config.negative_anchors().len(), 1);
    assert_eq!(resolver.outgoing_addresses, [options::Address([192, 0, 2, 1].into())]);
    assert_eq!(resolver.never_query.networks(), ["192.0.2.0/24".parse().unwrap()]);
    assert_eq!(resolver.query_timeout, Duration(std::time::Duration::from_millis(1800)));
    assert_eq!((resolver.upstream_port.get(), resolver.max_upstream_queries.get()), (5353, 10));
    assert_eq!(config.cache.size, Bytes(1 << 30));
    assert_eq!(
        (config.cache.max_ttl, config.cache.failure_ttl),
        (Ttl::saturating(172_800), Ttl::saturating(300))
    );
    let outputs: Vec<&Output> = config.access_log.iter().map(|entry| &entry.output).collect();
    assert_eq!(outputs, [&Output::File("log/access.log".into()), &Output::Stderr]);
    assert_eq!((config.log.level, config.log.format), (LogLevel::Debug, LogFormat::Plain));
}

#[test]
fn versions_of_zones_are_numbered_and_kept_as_asked() {
    let zone = |rest: &str| format!("zones: [{{name: a.example, type: primary, file: a, {rest}}}]");
    for (written, want) in [
        ("journal: true", JournalSize::default()),
        ("journal: false", JournalSize::Off),
        ("journal: none", JournalSize::Off),
        ("journal: 64KiB", JournalSize::AtMost(Bytes(64 << 10))),
    ] {
        assert_eq!(read(&zone(written)).unwrap().zones[0].journal, want, "{written}");
    }
    for (written, want) in [
        ("serial: keep", SerialPolicy::Keep),
        ("serial: increment", SerialPolicy::Increment),
        ("serial: unixtime", SerialPolicy::Unixtime),
    ] {
        assert_eq!(read(&zone(written)).unwrap().zones[0].serial, want, "{written}");
    }
    assert!(mistakes(&zone("journal: 64")).contains("has no unit"), "{}", mistakes(&zone("journal: 64")));
    assert!(mistakes(&zone("serial: plus")).contains("increment"), "{}", mistakes(&zone("serial: plus")));
}

#[test]
fn what_is_not_written_has_its_default() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "cache:\n",
        "server:\n  # directory: x\nacls:\n",
        "{}",
        "\u{feff}cache:\n",
    ] {
        assert_eq!(read(text).as_ref(), Ok(&Config::default()), "{text:?}");
    }
    let minimal = "listen:\n  - address: 127.0.0.1\n  - address: ::1\nzones:\n  - name: lab.test\n    type: primary\n    file: lab.zone\n";
    let config = read(minimal).expect("minimal");
    assert_eq!(config.listen, Config::default().listen);
    assert_eq!(config.access_log, [AccessLogOptions::default()]);
    assert_eq!(config.state_directory(None), Path::new("state"));
    assert_eq!(config.state_directory(Some("/var/lib/namu:/second".as_ref())), Path::new("/var/lib/namu"));
    assert!(read("access-log: []").expect("no log").access_log.is_empty());
    assert_eq!(read("resolver: {never-query: none}").expect("none").resolver.never_query.networks(), []);
}

#[test]
fn rate_limits_are_numbers_or_none() {
    let limit = |text: &str| read(text).expect("good").rate_limit.responses.0;
    let usual = Some(RateLimit { per_second: 200, slip: 2 });
    for (text, want) in [
        ("", usual),
        ("rate-limit:", usual),
        ("rate-limit: {}", usual),
        ("rate-limit: {responses: {}}", usual),
        ("rate-limit: {responses: {slip: 0}}", Some(RateLimit { per_second: 200, slip: 0 })),
        ("rate-limit: none", None),
        ("rate-limit: {responses: none}", None),
        ("rate-limit: {responses: {per-second: 0}}", None),
        ("rate-limit: {responses: {per-second: none, slip: 7}}", None),
    ] {
        assert_eq!(limit(text), want, "{text}");
    }
    let clients = |text: &str| read(text).expect("good").rate_limit.clients.0;
    for text in ["", "rate-limit: none", "rate-limit: {clients: none}", "rate-limit: {responses: {}}"] {
        assert_eq!(clients(text), None, "{text}");
    }
    let usual = super::answering::ClientLimitOptions::default();
    assert_eq!(clients("rate-limit: {clients: {}}"), Some(usual.clone()));
    let text = "acls: [{name: lan, networks: [10.0.0.0/8]}]\nrate-limit: {clients: {queries-per-second: 5, burst: 9, \
                ipv4-prefix: 32, ipv6-prefix: 1, exempt: [loopback, lan, 192.0.2.0/24]}}";
    let written = clients(text).unwrap();
    assert_eq!((written.queries_per_second.0, written.burst.0), (5, 9));
    assert_eq!((written.ipv4_prefix.0, written.ipv6_prefix.0), (32, 1));
    assert_eq!(written.exempt, ["loopback", "lan", "192.0.2.0/24"]);
    check(
        "rate-limit:\n  clients:\n    burst: 0\n    ipv4-prefix: 33\n    exempt: [lann]\n",
        "
        3:12 rate-limit.clients.burst: `0` is not a number of requests; write one from 1 to 1000000
        4:18 rate-limit.clients.ipv4-prefix: `33` is not a prefix length; write a number from 1 to 32
        5:14 acl `lann` is not defined; defined: any, loopback, none
        ",
    );
    check(
        "rate-limit:\n  responses:\n    per-secnd: 3\n",
        "3:5 rate-limit.responses: unknown field `per-secnd`; did you mean `per-second`?",
    );
    check(
        "rate-limit:\n  responses:\n    per-second: -1\n",
        "3:17 rate-limit.responses.per-second: `-1` is not a number of responses; write 0 for no limit, or a number up to 1000000",
    );
    check("rate-limit: off\n", "1:13 rate-limit: unknown value `off`; known here: none");
    check(
        "rate-limit: [1]\n",
        "1:1 rate-limit: expected `none` or the options of `rate-limit`, found a list",
    );
}

#[test]
fn a_name_for_the_server_has_an_end() {
    let long = "x".repeat(limits::IDENTITY + 1);
    check(
        &format!("server: {{identity: {long}}}"),
        "1:20 server.identity: the identity has 129 octets; write a name of at most 128",
    );
    assert_eq!(read("server: {identity: none}").expect("none").server.identity, ServerName(None));
    assert_eq!(
        read("server: {version-bind: full}").expect("full").server.version_bind,
        VersionBind(Version::Full)
    );
}
