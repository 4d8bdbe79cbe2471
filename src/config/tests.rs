//! Tables of good and bad files: what is said of each, and where.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::dns::Ttl;
use crate::observe::Transport;
use crate::options::{Bytes, Duration};
use crate::policy::{Access, RateLimit};
use crate::service::Version;
use crate::{limits, options};

fn read(text: &str) -> Result<Config, Vec<Diagnostic>> {
    Config::parse("config.yaml", text.into())
}

/// `line:column message; help`, a line for each mistake.
fn mistakes(text: &str) -> String {
    let mistakes = read(text).err().unwrap_or_default();
    let lines: Vec<String> = mistakes
        .iter()
        .map(|mistake| mistake.to_string().trim_start_matches("config.yaml:").replacen(": ", " ", 1))
        .collect();
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(mistakes(text), expected.join("\n"), "in\n{text}");
}

/// Everything this build can be told, with another value than the default where there is one.
const GOOD: &str = "
version: 1
server:
  directory: zones
  state: /var/lib/state
  workers: 2
  udp-payload-size: 1400
  minimal-responses: true
  rrset-order: fixed
  extended-errors: false
  identity: ns1.example.net
  version-bind: a server
  cookies: false
  cookie-secret-file: cookies
  special-zones: none
listen:
  - address: 192.0.2.53
  - address: '::'
    port: 0
    transports: [tcp]
acls:
  - name: lan
    networks: [10.0.0.0/8, 192.0.2.1, fd00::/8]
access:
  query: [any]
  recursion: [loopback, lan]
  cache-only: [none]
  transfer: [lan]
  open-resolver: false
zones:
  - {name: example.com, type: primary, file: com.zone, dnssec: none, for-clients: true}
  - name: .
    type: primary
    file: /root.zone
    transfer: [none]
    serial: date
    journal: 1GiB
resolver:
  enabled: true
  mode: recursive
  root-hints: hints
  priming: false
  ipv4: true
  ipv6: true
  outgoing-addresses: [192.0.2.1]
  upstream-port: 5353
  never-query: [192.0.2.0/24]
  edns-payload-size: 512
  query-timeout: 1800ms
  max-upstream-queries: 10
  qname-minimization: none
  validation: log
  trust-anchors: keys
  trust-anchor-tracking: false
  trust-anchor-signaling: false
  negative-trust-anchors: [legacy.example]
  dnssec-sha1: validate
  aggressive-nsec: false
  case-randomization: false
  harden-glue: true
cache:
  size: 1GiB
  min-ttl: 1s
  max-ttl: 2d
  max-negative-ttl: 10m
  failure-ttl: 5m
  serve-stale: none
  stale-answer-timeout: 0ms
  stale-answer-ttl: 10s
  prefetch: false
  persist: true
access-log:
  - output: log/access.log
    format: text
  - output: stderr
log:
  level: debug
  format: plain
  output: stderr
views:
policy: []
rate-limit:
  responses: {per-second: 50, slip: 1}
  clients: none
";

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
fn a_mistake_is_shown_with_line_caret_and_suggestion() {
    let text = "cache:\n  failure-ttl: 5s\n  serve-stael: 1d   # RFC 8767\n";
    let shown = read(text).expect_err("misspelt")[0].render(false);
    for part in [
        "error: cache: unknown field `serve-stael`",
        "--> config.yaml:3:3",
        "3 |   serve-stael: 1d   # RFC 8767",
        "  |   ^^^^^^^^^^^",
        "= help: did you mean `serve-stale`?",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
}

#[test]
fn keys_are_pointed_at_when_misspelt_and_values_when_bad() {
    check("chache:\n  size: 1GiB\n", "1:1 unknown field `chache`; did you mean `cache`?");
    check(
        "zones:\n- name: a\n  type: primary\n  fiel: b\n",
        "4:3 zones[0]: unknown field `fiel`; did you mean `file`?",
    );
    check(
        "cache:\n  max-ttl: 1x\n",
        "2:12 cache.max-ttl: `1x` has an unknown unit; write one of ms, s, m, h, d, w",
    );
    check(
        "cache:\n  size: 256\n",
        "2:9 cache.size: `256` has no unit; write a unit behind it: B, KiB, MiB, GiB, TiB",
    );
    check("cache:\n  size:\n", "2:3 cache.size: expected an amount of memory such as 256MiB, found nothing");
    check("cache: [1]\n", "1:1 cache: expected the options of `cache`, found a list");
    check("- a\n", "1:1 expected a map of options, such as `listen:`, found a list");
    check("hello\n", "1:1 expected a map of options, such as `listen:`, found `hello`");
    check("access: {query: any}", "1:17 access.query: expected a list, found `any`");
    check("log: {level: inf}", "1:14 log.level: unknown value `inf`; did you mean `info`?");
    check("log: {level: [info]}", "1:7 log.level: expected a word, found a list");
    check(
        "resolver:\n  enabled: yes\n",
        "2:12 resolver.enabled: expected true or false, found `yes`; write true or false",
    );
    check(
        "cache: {prefetch: off}",
        "1:19 cache.prefetch: expected true or false, found `off`; write true or false",
    );
    check(
        "listen: [{address: '::2', port: 65536}]",
        "1:33 listen[0].port: expected a number from 0 to 65535, found `65536`",
    );
    check(
        "resolver: {upstream-port: 0}",
        "1:27 resolver.upstream-port: expected a number from 1 to 65535, found `0`",
    );
    check(
        "server: {workers: 1025}",
        "1:19 server.workers: `1025` is not a number of workers; write auto, or a number from 1 to 1024",
    );
    check("server: {workers: 1024}", "");
    check(
        "zones: [{name: a..b, type: primary, file: f}]",
        "1:16 zones[0].name: `a..b` is not a domain name: the name has an empty label; write a name such as example.org",
    );
    check(
        "access-log: [{output: none}]",
        "1:23 access-log[0].output: an output is needed; write stdout, stderr or a file, or `access-log: []` for no log",
    );
    check(
        "\u{e9}: 1\n",
        "1:1 unknown field `\u{e9}`; known here: server, listen, acls, access, zones, resolver, cache, rate-limit, access-log, log, version, include, certificates, tsig-keys, views, dnssec-policies, policy, api, control",
    );
}

#[test]
fn all_mistakes_come_in_one_run_and_in_order() {
    check(
        "
server: {worker: 2, extended-errors: on}
listen:
  - adress: 127.0.0.1
  - 10.0.0.1
  - address: 127.0.0.1
    transports: [udp, tpc]
acls:
  - name: lan
    networks: [nowhere, 10.0.0.1/8]
zones:
  - name: one.example
    type: primray
  - name: two.example
    type: primary
  - name: Two.example.
    type: primary
    file: two
cache:
  size: lots
  size: 1GiB
  shared: far
",
        "
        2:10 server: unknown field `worker`; did you mean `workers`?
        2:38 server.extended-errors: expected true or false, found `on`; write true or false
        4:5 listen[0]: unknown field `adress`; did you mean `address`?
        5:5 listen[1]: expected a map such as `address: 127.0.0.1`, found `10.0.0.1`
        7:23 listen[2].transports[1]: unknown value `tpc`; did you mean `tcp`?
        10:16 acls[0].networks[0]: `nowhere` is not a network; write an address or a prefix, such as 10.0.0.0/8
        10:25 acls[0].networks[1]: `10.0.0.1/8` has bits set behind its prefix; write 10.0.0.0/8, or 10.0.0.1/32 for the one address
        13:11 zones[0].type: unknown value `primray`; did you mean `primary`?
        14:5 primary zone `two.example` has no file; add `file: two.example.zone`
        16:11 zone `Two.example` is defined twice; first defined on line 14
        20:9 cache.size: `lots` is not an amount of memory; write a number with its unit, such as 256MiB
        21:3 `size` is written twice; first on line 20
        22:11 a shared cache is not built yet; remove `shared: far` or write `shared: none`
        ",
    );
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

#[test]
fn references_are_checked() {
    check(
        "acls: [{name: lan}, {name: lan}, {name: any}, {networks: [10.0.0.1]}]\n",
        "
        1:28 acl `lan` is defined twice; first defined on line 1
        1:41 an acl cannot be called `any`; that word has a meaning already; choose another
        1:47 acls[3] has no `name`; add `name: lan`
        ",
    );
    check(
        "acls: [{name: lan}]\naccess:\n  query: [lna, 192.0.2.1]\n  cache-only: [elsewhere]\n",
        "
        3:11 acl `lna` is not defined; did you mean `lan`?
        4:16 acl `elsewhere` is not defined; defined: lan, any, loopback, none
        ",
    );
    check(
        "access: {transfer: [lna]}\nzones: [{name: a, type: primary, file: f, transfer: [any, lnb]}]\n",
        "
        1:21 acl `lna` is not defined; defined: any, loopback, none
        2:59 acl `lnb` is not defined; defined: any, loopback, none
        ",
    );
    // What is missing may be what was misspelt.
    check(
        "acls: [{nmae: lan}]\naccess: {query: [lan]}\n",
        "1:9 acls[0]: unknown field `nmae`; did you mean `name`?",
    );
    check(
        "zones: [{name: a, type: primary, flie: f}]",
        "1:34 zones[0]: unknown field `flie`; did you mean `file`?",
    );
    check(
        "zones:\n  - file: f\n  - {}\n",
        "
        2:5 zones[0] has no `name`; add `name: example.org`
        2:5 zones[0] has no `type`; add `type: primary`
        3:5 zones[1] has no `name`; add `name: example.org`
        3:5 zones[1] has no `type`; add `type: primary`
        3:5 zones[1] has no `file`; add `file: example.org.zone`
        ",
    );
    check("zones: [{name: ., type: primary}]", "1:9 primary zone `.` has no file; add `file: root.zone`");
    check("listen: []", "1:1 no address to listen on; add `- address: 127.0.0.1`");
    check("listen: [{address: '::1', transports: []}]", "1:27 no transport; write transports: [udp, tcp]");
    check("listen:\n  - port: 53\n", "2:5 listen[0] has no `address`; add `address: 127.0.0.1`");
    check(
        "listen:\n  - address: ::1\n  - address: ::1\n    transports: [tcp]\n",
        "3:14 ::1 port 53 is listened on twice over tcp; first defined on line 2",
    );
    check("listen: [{address: '::1', port: 0}, {address: '::1', port: 0}]", "");
    check("listen: [{address: '::1', transports: [udp]}, {address: '::1', transports: [tcp]}]", "");
    check("access-log: [{format: text}]", "1:14 access-log[0] has no `output`; add `output: stdout`");
}

#[test]
fn recursion_for_everyone_is_said_twice() {
    let open = "2:22 recursion for everyone on an address others can reach; name who may recurse, or write `open-resolver: true` under `access`";
    check("listen: [{address: 0.0.0.0}]\naccess: {recursion: [any]}", open);
    check("listen: [{address: 0.0.0.0}]\naccess: {recursion: [0.0.0.0/0, none]}", open);
    check(
        "listen: [{address: 0.0.0.0}]\naccess: {recursion: [0.0.0.0/1, 128.0.0.0/1]}",
        &open.replace("2:22", "2:10"),
    );
    check("listen: [{address: 0.0.0.0}]\naccess: {recursion: [any], open-resolver: true}", "");
    check("listen: [{address: 127.0.0.1}]\naccess: {recursion: [any]}", "");
    check("listen: [{address: 0.0.0.0}]\naccess: {recursion: [any]}\nresolver: {enabled: false}", "");
    check("listen: [{address: 0.0.0.0}]\naccess: {recursion: [loopback, 10.0.0.0/8]}", "");
}

#[test]
fn numbers_have_to_make_sense_together() {
    check(
        "resolver:\n  ipv6: false\n  outgoing-addresses:\n    - 192.0.2.1\n    - ::2\n",
        "5:7 ::2 cannot be used: `ipv6` is false; remove the address or `ipv6: false`",
    );
    check(
        "resolver: {ipv4: false, ipv6: false}",
        "1:31 neither IPv4 nor IPv6 is left to resolve with; allow one of them",
    );
    check("resolver: {query-timeout: 0s}", "1:27 no time to resolve in; write a time such as 5s");
    check(
        "cache: {min-ttl: 2d}",
        "1:18 min-ttl (172800s) is more than max-ttl (86400s); write a lower min-ttl or a higher max-ttl",
    );
    check(
        "cache: {failure-ttl: 0s}",
        "1:22 failures cannot be remembered for 0s; write a time from 1s to 5m (RFC 9520)",
    );
    check(
        "cache: {stale-answer-ttl: 0s}",
        "1:27 stale answers of no time at all would be asked for again at once; write a time such as 30s",
    );
    check("cache: {serve-stale: 0s, persist: true, prefetch: true, stale-answer-timeout: 0ms}", "");
    check(
        "cache: {failure-ttl: 301s}",
        "1:22 failures cannot be remembered for 301s; write a time from 1s to 5m (RFC 9520)",
    );
}

#[test]
fn one_mistake_for_each_thing_not_built() {
    check(
        "
include: [more/*.yaml]
server: {user: namu}
listen:
  - address: 0.0.0.0
    transports: [tls, udp]
zones:
  - name: a.example
    type: primary
    file: a
    dnssec: default
    notify: [198.51.100.2]
  - name: b.example
    type: secondary
    primaries:
      - address: 198.51.100.1
    zonemd: verify
  - name: a.example
    type: mirror
    primaries: [root-servers]
views:
  - name: internal
    clients: [lan]
dnssec-policies:
  - name: default
    keys: csk
resolver: {ecs: forward, error-reporting: true, mode: recursive}
cache: {size: 1MiB}
access-log:
  - output: unix:///run/tap.sock
  - output: stdout
    rotate: {size: 1MiB}
",
        "
        2:1 `include` is not built yet; remove `include: [more/*.yaml]` or write `include: []`
        3:16 changing to a `user` is not built yet; remove `user: namu` or write `user: none`
        6:18 encrypted transports are not built yet; remove `tls`
        11:13 `dnssec` policies are not built yet; remove `dnssec: default` or write `dnssec: none`
        12:5 sending NOTIFY is not built yet; remove `notify: [198.51.100.2]` or write `notify: []`
        14:11 secondary zones are not built yet; remove `type: secondary`
        19:11 mirror zones are not built yet; remove `type: mirror`
        21:1 `views` are not built yet; remove `views` or write `views: []`
        24:1 `dnssec` policies are not built yet; remove `dnssec-policies` or write `dnssec-policies: []`
        27:17 EDNS client subnet is not built yet; remove `ecs: forward` or write `ecs: none`
        27:43 error reporting (RFC 9567) is not built yet; remove `error-reporting: true` or write `error-reporting: false`
        30:13 this output is not built yet; remove `output: unix:///run/tap.sock`
        32:5 rotation is not built yet; remove `rotate` or write `rotate: none`
        ",
    );
}

#[test]
fn every_key_not_built_is_known_and_takes_its_absent_values() {
    for (path, accepted) in check::absent_values() {
        for value in accepted.iter().copied().chain([""]) {
            let said = mistakes(&with_key(path, value));
            assert_eq!(said, "", "{path}: {value}");
        }
        let said = mistakes(&with_key(path, "{some: thing}"));
        assert!(said.contains("not built yet"), "{path}: {said}");
    }
}

/// A file with `value` at a path such as `zones[].dnssec`.
fn with_key(path: &str, value: &str) -> String {
    let others = match path.split_once("[].") {
        Some(("listen", _)) => "address: ::1,",
        Some(("acls", _)) => "name: lan,",
        Some(("zones", _)) => "name: a, type: primary, file: f,",
        Some(("access-log", _)) => "output: stdout,",
        _ => "",
    };
    match (path.split_once("[]."), path.split_once('.')) {
        (Some((list, key)), _) => {
            format!("{list}:\n  - {{{others} {key}: {value}}}\n").replace("::1", "'::1'")
        }
        (None, Some((section, key))) => format!("{section}:\n  {key}: {value}\n"),
        (None, None) => format!("{path}: {value}\n"),
    }
}

#[test]
fn traps_have_their_own_words_and_the_rest_is_read_on() {
    check(
        "
listen:
  - address: [::1]:53
acls:
  - name: lan
    networks: [127.0.0.1, ::1]
  - name: more
    networks: [
      fd00::,
      ::2
    ]
zones:
  - name: *.example
    type: primary
    file: a
cache: {siez: 1GiB}
",
        "
        3:14 `[::1]:53` is a list to YAML, and address and port are two keys; write `address: ::1` and `port: 53` on lines of their own
        6:27 `::1` cannot stand in brackets; write a list in block form, a line `- ::1` for each item, or write it in quotes: '::1'
        9:7 `fd00::` cannot stand in brackets; write a list in block form, a line `- fd00::` for each item, or write it in quotes: 'fd00::'
        10:7 `::2` cannot stand in brackets; write a list in block form, a line `- ::2` for each item, or write it in quotes: '::2'
        13:11 `*.example` begins an alias in YAML; write it in quotes: '*.example'
        16:9 cache: unknown field `siez`; did you mean `size`?
        ",
    );
    check("cache:\n\tsize: 1GiB\n", "2:1 a tab in the indentation; indent with spaces");
    check(
        "listen: [{address: 127.0.0.1:53}]",
        "1:20 listen[0].address: `127.0.0.1:53` is an address with a port; write `address: 127.0.0.1` and `port:` as two keys",
    );
}

#[test]
fn what_has_no_place_in_the_file_ends_quickly() {
    let deep = limits::CONFIG_DEPTH;
    let nested = |depth| format!("views: {}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(!mistakes(&nested(deep)).contains("nested"));
    assert!(mistakes(&nested(deep + 1)).contains("nested more than 16 deep"));
    assert!(mistakes(&"- ".repeat(100_000)).contains("nested more than"));
    let bomb: String = (1..40).fold("a0: &a0 [x, x]\n".into(), |text, n| {
        let before = n - 1;
        format!("{text}a{n}: &a{n} [*a{before}, *a{before}]\n")
    });
    assert!(mistakes(&bomb).contains("anchors (`&name`) cannot be used"), "{}", mistakes(&bomb));
    check("server: &s {workers: 1}", "1:9 anchors (`&name`) cannot be used in this file");
    check("log: {level: !x info}", "1:14 tags (`!name`) cannot be used in this file");
    check("---\nlog:\n---\nlog:\n", "3:1 a second document (`---`) cannot be used in this file");
}

#[test]
fn what_is_said_has_an_end_too() {
    let is_noted = |found: &[Diagnostic]| found.last().is_some_and(|last| last.notes.len() == 1);
    let keys = |count: usize| (0..count).map(|n| format!("key{n}: 1\n")).collect::<String>();
    let found = read(&keys(limits::CONFIG_ERRORS - 1)).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (limits::CONFIG_ERRORS - 1, false));
    let found = read(&keys(500)).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (limits::CONFIG_ERRORS, true));

    // A file as long as all further readings together is read once, and once more.
    let long = keys(5) + &"#".repeat(limits::CONFIG_REREAD_OCTETS);
    let found = read(&long).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (1, true));

    let wide = format!("log: {}", "x".repeat(100_000));
    let found = read(&wide).expect_err("no options");
    assert_eq!(found[0].message.len(), limits::CONFIG_SHOWN);
    assert_eq!(found[0].place.as_ref().map(|place| place.source_line.len()), Some(limits::CONFIG_SHOWN));
    let found = read(&"\u{feff}".repeat(10_000)).expect_err("no options");
    assert!(found.iter().all(|mistake| mistake.message.chars().count() <= limits::CONFIG_SHOWN), "{found:?}");
    assert_eq!(mistakes("log: \"\\e[2J\"\n").matches('\u{1b}').count(), 0);
}

#[test]
fn octets_that_are_no_text_are_pointed_at() {
    let found = Config::parse("c", b"a: 1\nb: \xff\n".to_vec()).expect_err("not UTF-8");
    assert_eq!(found[0].to_string(), "c:2:4: octet 0xff is not UTF-8; save the file as UTF-8");
}

#[test]
fn only_a_regular_file_of_some_size_is_read() {
    let folder = std::env::temp_dir().join(format!("namu-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for this test");
    let said = |path: &Path| Config::read(path).expect_err("refused")[0].to_string();
    assert!(said(&folder).ends_with("it is not a regular file"));
    assert!(said(Path::new("/dev/zero")).ends_with("it is not a regular file"));
    assert!(said(&folder.join("missing")).starts_with("cannot read the configuration"));

    let path = folder.join("config.yaml");
    std::fs::File::create(&path)
        .and_then(|file| file.set_len(limits::CONFIG_OCTETS + 1))
        .expect("a sparse file");
    assert!(said(&path).ends_with("it has more than 16 MiB"));
    std::fs::write(&path, "server: {directory: data}").expect("a small file");
    assert_eq!(Config::read(&path).expect("good").server.directory, folder.join("data"));
    std::fs::write(&path, "").expect("an empty file");
    assert_eq!(Config::read(&path).expect("good").resolve(Path::new("z")), folder.join("z"));
    std::fs::remove_dir_all(&folder).expect("our own folder");
}

#[test]
fn mutated_files_are_read_or_refused() {
    let mut refused = 0;
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..200 {
        let mut octets = GOOD.as_bytes().to_vec();
        for _ in 0..1 + random(3) {
            let at = random(octets.len());
            match random(4) {
                0 => octets[at] = b":-[]{}#&*!|>'\"%@` \n\t0az\xc3"[random(24)],
                1 => drop(octets.remove(at)),
                2 => octets.truncate(at.max(1)),
                _ => {
                    let line: Vec<u8> =
                        octets[at..].iter().copied().take_while(|octet| *octet != b'\n').collect();
                    octets.splice(at..at, line);
                }
            }
        }
        if let Err(mistakes) = Config::parse("m", octets) {
            assert!(!mistakes.is_empty());
            mistakes.iter().for_each(|mistake| drop(mistake.render(false)));
            refused += 1;
        }
    }
    assert!((50..200).contains(&refused), "{refused} of 200 refused");
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_fail(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Config::parse("p", octets);
    }

    #[test]
    fn no_yaml_makes_the_reader_fail(
        text in r#"([ \n\t\-:,\[\]{}#&*!|>'"%@`?~0-9a]|\n  |: |- |zones|cache|size|[\u{80}-\u{3000}]){0,120}"#
    ) {
        if let Err(mistakes) = Config::parse("p", text.into()) {
            prop_assert!(!mistakes.is_empty() && mistakes.len() <= limits::CONFIG_ERRORS);
            mistakes.iter().for_each(|mistake| drop(mistake.render(false)));
        }
    }
}
