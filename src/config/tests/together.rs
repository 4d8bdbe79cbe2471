//! What is right by itself and wrong beside the rest.

use super::check;

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
