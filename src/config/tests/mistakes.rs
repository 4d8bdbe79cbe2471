//! What is said of a mistake, and where it is pointed at.

use super::{check, read};

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
