//! What the server says when it starts: only what is so.

use std::net::SocketAddr;

use super::anchors;
use super::command::spoken;
use crate::config::{Config, ResolverMode, RootHints, Server, TrustAnchors, ZoneOptions, ZoneType};
use crate::dns::Name;
use crate::observe::Transport;
use crate::validator::Mode;

/// Zones named one by one; of more only the number is told.
const ZONES_NAMED: usize = 6;

/// The facts of a start.
pub(super) struct Banner<'b> {
    pub(super) config: &'b Config,
    pub(super) config_file: Option<&'b str>,
    pub(super) addresses: &'b [(SocketAddr, Transport)],
    pub(super) remarks: &'b [String],
    /// Apex and record count.
    pub(super) zones: &'b [(String, usize)],
}

impl Banner<'_> {
    /// The lines before the one that says ready.
    pub(super) fn text(&self) -> String {
        let source = match self.config_file {
            Some(file) => format!("configuration {file}"),
            None => "no config file: using safe defaults".into(),
        };
        let mut text = format!("namu {} · {source}\n", env!("CARGO_PKG_VERSION"));
        self.line(&mut text, "listening", &listening(self.addresses));
        for remark in self.remarks {
            self.line(&mut text, "", remark);
        }
        self.line(&mut text, "zones", &self.zones());
        if let Some(zones) = self.zones_of_others() {
            self.line(&mut text, "", &zones);
        }
        self.line(&mut text, "resolving", &resolving(self.config));
        if let Some(example) = self.example() {
            self.line(&mut text, "try", &example);
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn line(&self, text: &mut String, word: &str, fact: &str) {
        text.push_str(&format!("  {word:<11} {fact}\n"));
    }

    fn zones(&self) -> String {
        match self.zones.len() {
            0 => "none".into(),
            count if count > ZONES_NAMED => {
                let records: usize = self.zones.iter().map(|(_, records)| records).sum();
                format!("{count} zones, {records} records")
            }
            _ => {
                let zone = |(apex, records): &(String, usize)| format!("{apex} ({records} records)");
                self.zones.iter().map(zone).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Zones that are asked of others, and what is laid over zones.
    fn zones_of_others(&self) -> Option<String> {
        let word = |zone: &ZoneOptions| match zone.zone_type {
            ZoneType::Primary => None,
            ZoneType::Forward => Some("forward"),
            ZoneType::Stub => Some("stub"),
            ZoneType::Overlay => Some("overlay"),
        };
        let zones = self.config.zones.iter().filter_map(|zone| Some((&zone.name, word(zone)?)));
        let zones: Vec<String> = zones.map(|(name, word)| format!("{} ({word})", spoken(name))).collect();
        match zones.len() {
            0 => None,
            count if count > ZONES_NAMED => Some(format!("{count} forward, stub and overlay zones")),
            _ => Some(zones.join(", ")),
        }
    }

    /// A question that works here.
    fn example(&self) -> Option<String> {
        let (address, _) = self.addresses.first()?;
        let (apex, _) = self.zones.first()?;
        let address_text = match address.ip() {
            ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_string(),
            ip if ip.is_unspecified() => "::1".to_string(),
            ip => ip.to_string(),
        };
        let port = match address.port() {
            53 => String::new(),
            port => format!(" -p {port}"),
        };
        let apex = apex.parse::<Name>().ok()?;
        Some(format!("dig @{address_text}{port} {apex} SOA"))
    }
}

/// For whom, whether validated, and where resolution and chains of trust begin.
fn resolving(config: &Config) -> String {
    let Config { access, resolver, .. } = config;
    if !resolver.enabled {
        return "nothing: names outside the zones are refused".into();
    }
    let whom = match access.recursion == ["loopback"] {
        true => "for this machine only",
        false => "for the clients of access.recursion",
    };
    let mode = anchors::options(config).mode;
    let dnssec = match mode {
        Mode::None => "DNSSEC off",
        Mode::Log => "DNSSEC on, failures are only logged",
        Mode::Enforce => "DNSSEC on",
    };
    let how = match (resolver.mode, &resolver.root_hints) {
        (ResolverMode::Forward, _) => {
            let servers: Vec<_> = resolver.upstreams.iter().map(|Server(server)| *server).collect();
            format!("by asking {}", join(&servers))
        }
        (ResolverMode::Recursive, RootHints::Builtin) => "root hints built in".to_string(),
        (ResolverMode::Recursive, RootHints::File(path)) => format!("root hints from {}", path.display()),
    };
    let trust = match &resolver.trust_anchors {
        _ if mode == Mode::None => return format!("{whom} · {dnssec} · {how}"),
        TrustAnchors::File(path) => format!("trust anchors from {}", path.display()),
        _ => "trust anchor built in".into(),
    };
    match how.strip_suffix(" built in").zip(trust.strip_suffix(" built in")) {
        Some((hints, anchors)) => format!("{whom} · {dnssec} · {hints} and {anchors} built in"),
        None => format!("{whom} · {dnssec} · {how} · {trust}"),
    }
}

/// `127.0.0.1:5300 and [::1]:5300, UDP and TCP`; transports apart where they differ.
fn listening(addresses: &[(SocketAddr, Transport)]) -> String {
    let of = |transport| addresses_of(addresses, transport);
    match (of(Transport::Udp), of(Transport::Tcp)) {
        (udp, tcp) if udp == tcp => format!("{}, UDP and TCP", join(&udp)),
        (udp, tcp) if tcp.is_empty() => format!("{}, UDP", join(&udp)),
        (udp, tcp) if udp.is_empty() => format!("{}, TCP", join(&tcp)),
        (udp, tcp) => format!("{}, UDP; {}, TCP", join(&udp), join(&tcp)),
    }
}

fn addresses_of(addresses: &[(SocketAddr, Transport)], wanted: Transport) -> Vec<SocketAddr> {
    addresses.iter().filter(|(_, transport)| *transport == wanted).map(|(address, _)| *address).collect()
}

/// All addresses, each once, for the line that says ready.
pub(super) fn ready_addresses(addresses: &[(SocketAddr, Transport)]) -> String {
    let mut each: Vec<SocketAddr> = Vec::new();
    for (address, _) in addresses {
        if !each.contains(address) {
            each.push(*address);
        }
    }
    join(&each)
}

fn join(addresses: &[SocketAddr]) -> String {
    let words: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "nothing".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_whether_answers_are_validated_and_by_what() {
        for (options, want) in [
            ("", "DNSSEC on · root hints and trust anchor built in"),
            ("validation: log", "DNSSEC on, failures are only logged · root hints and trust anchor built in"),
            ("validation: none", "DNSSEC off · root hints built in"),
            ("trust-anchors: none", "DNSSEC off · root hints built in"),
            ("trust-anchors: keys", "DNSSEC on · root hints built in · trust anchors from keys"),
            ("root-hints: h", "DNSSEC on · root hints from h · trust anchor built in"),
            (
                "mode: forward, upstreams: [192.0.2.1]",
                "DNSSEC on · by asking 192.0.2.1:53 · trust anchor built in",
            ),
        ] {
            let text = format!("resolver: {{{options}}}");
            let config = Config::parse("c", text.into()).unwrap_or_else(|errors| panic!("{errors:?}"));
            assert_eq!(resolving(&config), format!("for this machine only · {want}"), "{options}");
        }
    }

    #[test]
    fn addresses_are_told_as_one_would_say_them() {
        let at = |text: &str, transport| (text.parse::<SocketAddr>().unwrap(), transport);
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        for (addresses, want) in [
            (vec![at("127.0.0.1:53", udp), at("127.0.0.1:53", tcp)], "127.0.0.1:53, UDP and TCP"),
            (
                vec![
                    at("127.0.0.1:53", udp),
                    at("[::1]:53", udp),
                    at("127.0.0.1:53", tcp),
                    at("[::1]:53", tcp),
                ],
                "127.0.0.1:53 and [::1]:53, UDP and TCP",
            ),
            (vec![at("192.0.2.1:53", udp)], "192.0.2.1:53, UDP"),
            (vec![at("192.0.2.1:53", udp), at("192.0.2.2:53", tcp)], "192.0.2.1:53, UDP; 192.0.2.2:53, TCP"),
        ] {
            assert_eq!(listening(&addresses), want);
        }
    }
}
