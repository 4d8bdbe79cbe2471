//! What a later build will be told.

use super::{check, mistakes};

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
