//! What is different between two configurations, and which of it a running server can take up.

use super::config::{Config, ListenOptions, LogLevel, ZoneOptions, ZoneType};
use crate::dns::Name;

/// The way from one configuration to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Listeners only the new one has.
    pub listeners_added: Vec<ListenOptions>,
    /// Listeners only the old one has.
    pub listeners_removed: Vec<ListenOptions>,
    /// Zones only the new one has.
    pub zones_added: Vec<Name>,
    /// Zones only the old one has.
    pub zones_removed: Vec<Name>,
    /// Zones with other options.
    pub zones_changed: Vec<Name>,
    /// Who may do what.
    pub access: bool,
    /// How responses are written.
    pub responses: bool,
    /// Which overlays there are. Their files are read anew at each reload.
    pub overlays: bool,
    /// How names are resolved.
    pub resolver: bool,
    /// How often somebody is answered.
    pub rate_limit: bool,
    /// Options of the cache, which keeps what it holds.
    pub cache: bool,
    /// Who is asked in place of the tree, or what is believed: the cache starts empty.
    pub forgets: bool,
    /// Where requests are written down.
    pub access_log: bool,
    /// How much the server says of itself.
    pub log_level: Option<LogLevel>,
    /// Keys whose new value waits for the next start.
    pub next_start: Vec<&'static str>,
}

impl Plan {
    /// The way from `old` to `new`.
    pub fn between(old: &Config, new: &Config) -> Plan {
        let only_in = |these: &[ListenOptions], those: &[ListenOptions]| {
            these.iter().filter(|listen| !those.contains(listen)).cloned().collect()
        };
        let payload = |config: &Config| config.upstream_payload_size();
        let responses = |config: &Config| {
            (config.server.udp_payload_size, config.server.rrset_order, config.server.extended_errors)
        };
        fn overlays(config: &Config) -> impl Iterator<Item = (&ZoneOptions, std::path::PathBuf)> {
            config.overlays().map(|zone| (zone, config.resolve(&zone.file)))
        }
        let mut plan = Plan {
            listeners_added: only_in(&new.listen, &old.listen),
            listeners_removed: only_in(&old.listen, &new.listen),
            access: (&old.access, &old.acls) != (&new.access, &new.acls),
            responses: responses(old) != responses(new),
            overlays: !overlays(old).eq(overlays(new)),
            // The hints are a file of its own, which may have changed under the same name.
            rate_limit: old.rate_limit != new.rate_limit,
            resolver: old.resolver != new.resolver
                || payload(old) != payload(new)
                || old.upstreams() != new.upstreams()
                || old.negative_anchors() != new.negative_anchors(),
            cache: old.cache != new.cache,
            // What was learnt of other servers is not what the new ones would say, and what was judged by other trust
            // anchors would be judged otherwise.
            forgets: old.upstreams() != new.upstreams() || belief(old) != belief(new),
            access_log: old.access_log != new.access_log,
            log_level: (old.log.level != new.log.level).then_some(new.log.level),
            next_start: next_start(old, new),
            ..Plan::default()
        };
        plan.compare_zones(old, new);
        plan
    }

    fn compare_zones(&mut self, old: &Config, new: &Config) {
        let by_name = |config: &Config| -> std::collections::BTreeMap<Name, usize> {
            let zones = config.zones.iter().enumerate();
            let primaries = zones.filter(|(_, zone)| zone.zone_type == ZoneType::Primary);
            primaries.map(|(place, zone)| (zone.name.clone(), place)).collect()
        };
        let (olds, news) = (by_name(old), by_name(new));
        for (name, place) in &news {
            let zone = &new.zones[*place];
            match olds.get(name).map(|place| &old.zones[*place]) {
                None => self.zones_added.push(name.clone()),
                Some(before) if before != zone || old.resolve(&before.file) != new.resolve(&zone.file) => {
                    self.zones_changed.push(name.clone());
                }
                Some(_) => {}
            }
        }
        self.zones_removed = olds.into_keys().filter(|name| !news.contains_key(name)).collect();
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        *self == Plan::default()
    }

    /// Whether the list of zones or how they are taken is different.
    pub fn concerns_zones(&self) -> bool {
        !(self.zones_added.is_empty() && self.zones_removed.is_empty() && self.zones_changed.is_empty())
    }

    /// Whether listeners come or go.
    pub fn concerns_listeners(&self) -> bool {
        !(self.listeners_added.is_empty() && self.listeners_removed.is_empty())
    }

    /// One line for each thing that is different, for the operator.
    pub fn changes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let at = |listen: &ListenOptions| format!("{} port {}", listen.address.0, listen.port);
        lines.extend(self.listeners_added.iter().map(|listen| format!("listen: {} is new", at(listen))));
        lines.extend(self.listeners_removed.iter().map(|listen| format!("listen: {} is gone", at(listen))));
        let changed = [
            (self.access, "access: changed"),
            (self.responses, "server: how responses are written changed"),
            (self.rate_limit, "rate-limit: changed"),
            (self.overlays, "zones: the overlays changed"),
            (self.resolver, "resolver: changed"),
            (self.cache && !self.forgets, "cache: changed"),
            (self.forgets, "cache: changed; it starts empty"),
            (self.access_log, "access-log: changed"),
        ];
        lines.extend(changed.iter().filter(|(is_changed, _)| *is_changed).map(|(_, line)| line.to_string()));
        if self.log_level.is_some() {
            lines.push("log.level: changed".into());
        }
        lines.extend(self.zones_changed.iter().map(|name| format!("zone {name}: its options changed")));
        lines.extend(
            self.next_start.iter().map(|key| format!("{key}: changed; takes effect at the next start")),
        );
        lines
    }
}

/// What decides whether an answer is believed.
fn belief(config: &Config) -> impl PartialEq {
    let resolver = &config.resolver;
    let anchors = (resolver.trust_anchors.clone(), config.negative_anchors());
    (resolver.validation, anchors, resolver.dnssec_sha1)
}

/// Keys whose change a running server cannot take up: threads, folders and sockets that everything else stands on.
fn next_start(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        (old.server.workers != new.server.workers, "server.workers"),
        (old.state_directory(None) != new.state_directory(None), "server.state"),
        (old.log.format != new.log.format, "log.format"),
        (old.control != new.control, "control.socket"),
    ];
    changed.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("c.yaml", text.as_bytes().to_vec()).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    const BASE: &str = "listen:\n  - address: 127.0.0.1\n    port: 5301\nzones:\n  - {name: a.test, type: primary, \
                        file: a.zone}\n  - {name: b.test, type: primary, file: b.zone}\n";

    #[test]
    fn every_change_is_told_and_nothing_else() {
        for (new, lines) in [
            (BASE.to_string(), vec![]),
            (
                BASE.replace("5301", "5302"),
                vec!["listen: 127.0.0.1 port 5302 is new", "listen: 127.0.0.1 port 5301 is gone"],
            ),
            (BASE.replace("file: b.zone", "file: c.zone"), vec!["zone b.test.: its options changed"]),
            (
                BASE.replace("file: b.zone", "file: b.zone, max-removed: 20%"),
                vec!["zone b.test.: its options changed"],
            ),
            (format!("{BASE}access:\n  recursion: [none]\n"), vec!["access: changed"]),
            (format!("{BASE}access-log: []\n"), vec!["access-log: changed"]),
            (format!("{BASE}log:\n  level: debug\n"), vec!["log.level: changed"]),
            (format!("{BASE}cache:\n  size: 1MiB\n"), vec!["cache: changed"]),
            (format!("{BASE}resolver:\n  enabled: false\n"), vec!["resolver: changed"]),
            (
                format!("{BASE}  - {{name: c.test, type: stub, servers: [192.0.2.1]}}\n"),
                vec!["resolver: changed", "cache: changed; it starts empty"],
            ),
            (
                format!(
                    "{BASE}  - {{name: c.test, type: stub, servers: [192.0.2.1]}}\ncache:\n  size: 1MiB\n"
                ),
                vec!["resolver: changed", "cache: changed; it starts empty"],
            ),
            (
                format!("{BASE}resolver:\n  negative-trust-anchors: [legacy.example]\n"),
                vec!["resolver: changed", "cache: changed; it starts empty"],
            ),
            (format!("{BASE}resolver:\n  trust-anchor-tracking: false\n"), vec!["resolver: changed"]),
            (
                format!("{BASE}  - {{name: c.test, type: overlay, file: c.zone}}\n"),
                vec!["zones: the overlays changed"],
            ),
            (
                format!("{BASE}server:\n  rrset-order: fixed\n"),
                vec!["server: how responses are written changed"],
            ),
            (
                format!("{BASE}server:\n  workers: 3\n"),
                vec!["server.workers: changed; takes effect at the next start"],
            ),
            (
                format!("{BASE}control:\n  socket: /run/x\n"),
                vec!["control.socket: changed; takes effect at the next start"],
            ),
        ] {
            let plan = Plan::between(&config(BASE), &config(&new));
            assert_eq!(plan.changes(), lines, "{new}");
        }
    }

    #[test]
    fn zones_are_compared_by_name_not_by_place() {
        let new = BASE.replace("a.test", "x.test").replace("b.test", "a.test").replace("b.zone", "a.zone");
        let plan = Plan::between(&config(BASE), &config(&new));
        let names =
            |names: &[&str]| names.iter().map(|name| name.parse::<Name>().unwrap()).collect::<Vec<_>>();
        assert_eq!(plan.zones_added, names(&["x.test"]));
        assert_eq!(plan.zones_removed, names(&["b.test"]));
        assert_eq!(plan.zones_changed, names(&[]));
    }
}
