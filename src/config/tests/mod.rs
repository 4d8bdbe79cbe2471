//! Tables of good and bad files: what is said of each, and where.

mod hostile;
mod mistakes;
mod not_built;
mod together;
mod values;

use super::*;
use crate::diagnostic::Diagnostic;

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
