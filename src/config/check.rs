//! What the types of options cannot say: keys whose feature is not built, and values that refer to others.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;

use super::config::{Config, ZoneType};
use super::outline::{Content, Outline};
use super::resolving::Ipv6;
use super::source::{Mistakes, Stretch};
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::{Name, Ttl};
use crate::policy::acl::Who;
use crate::policy::{Acl, AclOptions};

/// What may be written where a feature is not built, or not wholly.
enum Accepts {
    /// Only values that say the feature is absent, or name the one behaviour there is.
    Only(&'static [&'static str]),
    /// Everything but the words of what is to come; a final `*` stands for any rest.
    AllBut(&'static [&'static str]),
}

use Accepts::{AllBut, Only};

const OFF: Accepts = Only(&["false"]);
const NONE: Accepts = Only(&["none"]);
const EMPTY: Accepts = Only(&["[]", "none", "[none]"]);
const NOTHING: Accepts = Only(&[]);

/// Keys before their feature: every key parses from the first release on, and none lies. A feature that gets built
/// loses its line here, and its `NotBuilt` field becomes the type it has. `type` stands before the other keys of
/// its item: when the type is not built, the item is one mistake, not one a key.
#[rustfmt::skip]
const NOT_BUILT: &[(&str, Accepts, &str)] = &[
    ("version",                         Only(&["1"]),       "a file format other than version 1 is"),
    ("include",                         EMPTY,              "`include` is"),
    ("server.user",                     NONE,               "changing to a `user` is"),
    ("server.minimal-responses",        Only(&["true"]),    "responses that are not minimal are"),
    ("listen[].transports[]",           AllBut(&["tls", "quic", "https", "https3"]), "encrypted transports are"),
    ("listen[].certificate",            NONE,               "encrypted transports are"),
    ("listen[].path",                   NONE,               "DNS over HTTPS is"),
    ("listen[].proxy-protocol",         EMPTY,              "the PROXY protocol is"),
    ("listen[].view",                   NONE,               "`views` are"),
    ("certificates",                    EMPTY,              "encrypted transports are"),
    ("acls[].tsig-key",                 NONE,               "TSIG is"),
    ("tsig-keys",                       EMPTY,              "TSIG is"),
    ("access.update",                   EMPTY,              "dynamic `update` is"),
    ("access.notify",                   EMPTY,              "taking NOTIFY is"),
    ("views",                           EMPTY,              "`views` are"),
    ("zones[].type",                    AllBut(&["secondary"]), "secondary zones are"),
    ("zones[].type",                    AllBut(&["mirror"]), "mirror zones are"),
    ("zones[].dnssec",                  NONE,               "`dnssec` policies are"),
    ("zones[].notify",                  EMPTY,              "sending NOTIFY is"),
    ("zones[].catalog",                 NONE,               "catalog zones are"),
    ("zones[].primaries",               EMPTY,              "secondary zones are"),
    ("zones[].zonemd",                  NONE,               "verifying ZONEMD is"),
    ("zones[].update",                  EMPTY,              "dynamic `update` is"),
    ("zones[].update-rules",            EMPTY,              "dynamic `update` is"),
    ("zones[].write-back",              OFF,                "writing zone files is"),
    ("zones[].refresh-min",             NOTHING,            "secondary zones are"),
    ("zones[].retry-min",               NOTHING,            "secondary zones are"),
    ("zones[].allow-notify",            EMPTY,              "taking NOTIFY is"),
    ("dnssec-policies",                 EMPTY,              "`dnssec` policies are"),
    ("resolver.ecs",                    NONE,               "EDNS client subnet is"),
    ("resolver.error-reporting",        OFF,                "error reporting (RFC 9567) is"),
    ("resolver.harden-glue",            Only(&["true"]),    "believing glue outside its zone is"),
    ("cache.shared",                    NONE,               "a shared cache is"),
    ("policy",                          EMPTY,              "`policy` is"),
    ("access-log[].output",             AllBut(&["journald", "syslog", "unix:*"]), "this output is"),
    ("access-log[].format",             Only(&["text"]),    "a format other than text is"),
    ("access-log[].rotate",             NONE,               "rotation is"),
    ("access-log[].messages",           EMPTY,              "dnstap is"),
    ("access-log[].only",               EMPTY,              "choosing requests is"),
    ("access-log[].ignore",             EMPTY,              "choosing requests is"),
    ("access-log[].anonymize",          NONE,               "anonymizing is"),
    ("access-log[].sample",             Only(&["1.0", "1"]), "sampling is"),
    ("log.output",                      Only(&["stderr"]),  "a log elsewhere than on stderr is"),
    ("api",                             Only(&["none", "{}"]), "the API is"),
];

/// Reports what asks for something not built, and takes it out.
pub(super) fn keys_before_their_feature(outline: &mut Outline, mistakes: &mut Mistakes<'_>) {
    for (path, accepts, what) in NOT_BUILT {
        for node in outline.find_all(path) {
            let written = spelling(outline, node);
            let (is_accepted, instead) = match (accepts, written.as_deref()) {
                // A key with nothing behind it asks for nothing.
                (_, Some("")) => continue,
                (Only(words), Some(written)) => (words.contains(&written), words.first()),
                (Only(words), None) => (false, words.first()),
                (AllBut(words), Some(written)) => (!words.iter().any(|word| matches(word, written)), None),
                (AllBut(_), None) => (true, None),
            };
            if is_accepted {
                continue;
            }
            mistakes.add(not_built(outline, node, written, what, instead), outline.value_stretch(node));
            let is_type = path.ends_with("].type");
            outline.prune(if is_type { outline.parent(node) } else { node });
            if mistakes.is_full() {
                return mistakes.cut();
            }
        }
    }
}

fn not_built(
    outline: &Outline,
    node: usize,
    written: Option<String>,
    what: &str,
    instead: Option<&&str>,
) -> Diagnostic {
    let key = outline.key(node);
    let is_switch = matches!(instead, Some(&"true" | &"false"));
    if let (true, Some(word @ ("yes" | "no" | "on" | "off"))) = (is_switch, written.as_deref()) {
        let message = format!("{}: expected true or false, found `{word}`", outline.path(node));
        return Diagnostic::error(message).help("write true or false");
    }
    let entry = match (key, written) {
        (Some(key), Some(value)) => format!("{key}: {value}"),
        (Some(key), None) => key.to_owned(),
        (None, value) => value.unwrap_or_default(),
    };
    let help = match (key, instead) {
        (Some(key), Some(instead)) => format!("remove `{entry}` or write `{key}: {instead}`"),
        _ => format!("remove `{entry}`"),
    };
    Diagnostic::error(format!("{what} not built yet")).help(help)
}

/// A value that fits into a word: a scalar, an empty list or map, a list of one.
fn spelling(outline: &Outline, node: usize) -> Option<String> {
    let brackets = match &outline.node(node).content {
        Content::Scalar(text, true) if matches!(&**text, "~" | "null") => return Some(String::new()),
        Content::Scalar(text, _) => return Some(text.to_string()),
        Content::List => ("[", "]"),
        Content::Map => ("{", "}"),
    };
    let mut children = outline.children(node);
    match (children.next(), children.next()) {
        (None, _) => Some(format!("{}{}", brackets.0, brackets.1)),
        (Some(only), None) => match &outline.node(only).content {
            Content::Scalar(text, _) if brackets.0 == "[" => Some(format!("[{text}]")),
            _ => None,
        },
        _ => None,
    }
}

fn matches(pattern: &str, written: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => written.starts_with(beginning),
        None => written == pattern,
    }
}

/// Reports what does not fit together. What is missing is only missed where nothing was taken out.
pub(super) fn references(config: &Config, outline: &Outline, mistakes: &mut Mistakes<'_>) {
    let acls = config.acls.iter().map(|acl| (acl.name.as_str(), acl)).collect();
    let primaries = config.primaries().map(|zone| &zone.name).collect();
    let mut check = Check { config, outline, mistakes, acls, primaries };
    check.listeners();
    check.acls();
    check.access();
    check.zones();
    check.resolver();
    check.cache();
    for entry in check.items("access-log") {
        check.require(entry, "output", "stdout");
    }
}

pub(super) struct Check<'a, 's> {
    pub(super) config: &'a Config,
    pub(super) outline: &'a Outline,
    pub(super) mistakes: &'a mut Mistakes<'s>,
    acls: HashMap<&'a str, &'a AclOptions>,
    pub(super) primaries: HashSet<&'a Name>,
}

impl Check<'_, '_> {
    fn listeners(&mut self) {
        let mut seen = HashMap::new();
        for (entry, listen) in self.items("listen").into_iter().zip(&self.config.listen) {
            self.require(entry, "address", "127.0.0.1");
            if listen.transports.is_empty() {
                self.missing(entry, "transports", "no transport", "write transports: [udp, tcp]");
            }
            for transport in &listen.transports {
                let (address, port) = (listen.address.0, listen.port);
                // Every listener on port 0 gets a port of its own.
                if port != 0 && self.outline.child(entry, "address").is_some() {
                    let message = format!("{address} port {port} is listened on twice over {transport}");
                    self.once(&mut seen, (address, port, *transport), entry, "address", &message);
                }
            }
        }
        let written = self.outline.find(["listen"]).filter(|_| self.config.listen.is_empty());
        if let Some(list) = written.filter(|list| !self.outline.node(*list).is_incomplete) {
            let error = Diagnostic::error("no address to listen on").help("add `- address: 127.0.0.1`");
            self.mistakes.add(error, self.outline.key_stretch(list));
        }
    }

    fn acls(&mut self) {
        let mut seen = HashMap::new();
        for (entry, acl) in self.items("acls").into_iter().zip(&self.config.acls) {
            self.require(entry, "name", "lan");
            if acl.name.is_empty() {
                continue;
            }
            if Who::read(&acl.name) != Who::Named(&acl.name) {
                let message = format!("an acl cannot be called `{}`", acl.name);
                self.report_at(entry, "name", &message, "that word has a meaning already; choose another");
            }
            let message = format!("acl `{}` is defined twice", acl.name);
            self.once(&mut seen, acl.name.as_str(), entry, "name", &message);
        }
    }

    fn access(&mut self) {
        let access = &self.config.access;
        for (key, words) in [
            ("query", &access.query),
            ("recursion", &access.recursion),
            ("cache-only", &access.cache_only),
            ("transfer", &access.transfer),
        ] {
            if let Some(list) = self.outline.find(["access", key]) {
                self.defined_acls(list, words);
            }
        }
        if let (Some(list), Some(limit)) =
            (self.outline.find(["rate-limit", "clients", "exempt"]), &self.config.rate_limit.clients.0)
        {
            self.defined_acls(list, &limit.exempt);
        }
        if let Some(list) = self.outline.find(["access", "recursion"]) {
            self.open_resolver(list);
        }
    }

    /// Reports the words of a list that name no ACL.
    fn defined_acls(&mut self, list: usize, words: &[String]) {
        if self.outline.find(["acls"]).is_some_and(|acls| self.outline.node(acls).is_incomplete) {
            return;
        }
        let outline = self.outline;
        for (item, word) in outline.items(list).zip(words) {
            if let Who::Named(name) = Who::read(word) {
                self.defined_acl(item, name);
            }
        }
    }

    fn defined_acl(&mut self, item: usize, name: &str) {
        if self.acls.contains_key(name) || self.mistakes.is_full() {
            return;
        }
        let defined = || self.config.acls.iter().map(|acl| acl.name.as_str());
        let help = match nearest(name, defined().chain(Who::WORDS)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("defined: {}", defined().chain(Who::WORDS).collect::<Vec<_>>().join(", ")),
        };
        let error = Diagnostic::error(format!("acl `{name}` is not defined"));
        self.mistakes.add(error.help(help), self.outline.value_stretch(item));
    }

    /// Recursion for everyone makes this server a weapon of others (RFC 5358), so it is said twice.
    fn open_resolver(&mut self, list: usize) {
        let config = self.config;
        let is_reachable = config.listen.iter().any(|listen| !listen.address.0.to_canonical().is_loopback());
        let is_meant = config.access.open_resolver
            || self.outline.find(["access"]).is_some_and(|access| self.is_incomplete_beside(access, list));
        let words = &config.access.recursion;
        let opens_together = || Acl::compile(words, &config.acls).is_ok_and(|acl| acl.is_everyone());
        if !config.resolver.enabled || !is_reachable || is_meant || !opens_together() {
            return;
        }
        let opens_alone = |word: &str| match Who::read(word) {
            Who::Any => true,
            Who::Loopback | Who::Nobody => false,
            Who::Network(network) => Acl::of([network]).is_everyone(),
            Who::Named(name) => {
                let acl = self.acls.get(name);
                acl.is_some_and(|acl| Acl::of(acl.networks.iter().copied()).is_everyone())
            }
        };
        let opening = self.outline.items(list).zip(words).find(|(_, word)| opens_alone(word));
        let at = opening.map_or(list, |(item, _)| item);
        let error = Diagnostic::error("recursion for everyone on an address others can reach")
            .help("name who may recurse, or write `open-resolver: true` under `access`");
        self.mistakes.add(error, self.outline.value_stretch(at));
    }

    /// Whether something in `section` was taken out elsewhere than in `list`.
    fn is_incomplete_beside(&self, section: usize, list: usize) -> bool {
        self.outline.node(section).is_incomplete && !self.outline.node(list).is_incomplete
    }

    fn zones(&mut self) {
        let mut seen = HashMap::new();
        for (entry, zone) in self.items("zones").into_iter().zip(&self.config.zones) {
            self.require(entry, "name", "example.org");
            self.require(entry, "type", "primary");
            let is_named = self.outline.child(entry, "name").is_some();
            match zone.zone_type {
                ZoneType::Primary if is_named && zone.file.as_os_str().is_empty() => {
                    let message = format!("primary zone `{}` has no file", shown(&zone.name));
                    let stem = if zone.name.as_ref().is_root() { "root".into() } else { shown(&zone.name) };
                    self.missing(entry, "file", &message, &format!("add `file: {stem}.zone`"));
                }
                ZoneType::Primary | ZoneType::Overlay => self.require(entry, "file", "example.org.zone"),
                ZoneType::Forward | ZoneType::Stub => {}
            }
            self.kind_of_zone(entry, zone);
            if let (Some(words), Some(list)) = (&zone.transfer, self.outline.child(entry, "transfer")) {
                self.defined_acls(list, words);
            }
            if is_named {
                let message = format!("zone `{}` is defined twice", shown(&zone.name));
                // An overlay lies over a zone of the same name.
                let which = (&zone.name, zone.zone_type == ZoneType::Overlay);
                self.once(&mut seen, which, entry, "name", &message);
            }
        }
    }

    fn resolver(&mut self) {
        let resolver = &self.config.resolver;
        let Some(section) = self.outline.find(["resolver"]) else { return };
        self.upstreams(section);
        self.trust_anchors(section);
        self.negative_trust_anchors(section);
        if !resolver.ipv4 && resolver.ipv6 == Ipv6::No {
            self.report_at(
                section,
                "ipv6",
                "neither IPv4 nor IPv6 is left to resolve with",
                "allow one of them",
            );
        }
        if resolver.query_timeout.0.is_zero() {
            self.report_at(section, "query-timeout", "no time to resolve in", "write a time such as 5s");
        }
        let Some(list) = self.outline.child(section, "outgoing-addresses") else { return };
        for (item, address) in self.outline.items(list).zip(&resolver.outgoing_addresses) {
            let (family, is_used) = match address.0 {
                IpAddr::V4(_) => ("ipv4", resolver.ipv4),
                IpAddr::V6(_) => ("ipv6", resolver.ipv6 != Ipv6::No),
            };
            if !is_used {
                let error = Diagnostic::error(format!("{} cannot be used: `{family}` is false", address.0));
                let help = format!("remove the address or `{family}: false`");
                self.mistakes.add(error.help(help), self.outline.value_stretch(item));
            }
        }
    }

    fn cache(&mut self) {
        let cache = &self.config.cache;
        let Some(section) = self.outline.find(["cache"]) else { return };
        if cache.min_ttl > cache.max_ttl {
            let message = format!("min-ttl ({}s) is more than max-ttl ({}s)", cache.min_ttl, cache.max_ttl);
            self.report_at(section, "min-ttl", &message, "write a lower min-ttl or a higher max-ttl");
        }
        // RFC 9520 3.2.
        if !(Ttl::saturating(1)..=Ttl::saturating(300)).contains(&cache.failure_ttl) {
            let message = format!("failures cannot be remembered for {}s", cache.failure_ttl);
            self.report_at(section, "failure-ttl", &message, "write a time from 1s to 5m (RFC 9520)");
        }
        // RFC 8767 4.
        if cache.stale_answer_ttl.seconds() == 0 {
            let message = "stale answers of no time at all would be asked for again at once";
            self.report_at(section, "stale-answer-ttl", message, "write a time such as 30s");
        }
    }

    /// The items of a list at the root.
    fn items(&self, key: &str) -> Vec<usize> {
        self.outline.find([key]).map_or(Vec::new(), |list| self.outline.items(list).collect())
    }

    /// Reports an item without a key it cannot do without.
    pub(super) fn require(&mut self, entry: usize, key: &str, example: &str) {
        let is_written = self.outline.child(entry, key).is_some_and(
            |value| !matches!(&self.outline.node(value).content, Content::Scalar(text, _) if text.is_empty()),
        );
        if !is_written && !self.mistakes.is_full() {
            let message = format!("{} has no `{key}`", self.outline.path(entry));
            self.missing(entry, key, &message, &format!("add `{key}: {example}`"));
        }
    }

    pub(super) fn missing(&mut self, entry: usize, key: &str, message: &str, help: &str) {
        if !self.outline.node(entry).is_incomplete {
            self.report_at(entry, key, message, help);
        }
    }

    /// Reports a second appearance of `value`.
    fn once<V: Hash + Eq>(
        &mut self,
        seen: &mut HashMap<V, usize>,
        value: V,
        entry: usize,
        key: &str,
        message: &str,
    ) {
        let line = self.stretch(entry, key).line;
        if let Some(first) = seen.get(&value) {
            self.report_at(entry, key, message, &format!("first defined on line {first}"));
        } else {
            seen.insert(value, line);
        }
    }

    pub(super) fn report_at(&mut self, entry: usize, key: &str, message: &str, help: &str) {
        self.mistakes.add(Diagnostic::error(message).help(help), self.stretch(entry, key));
    }

    /// Reports an item of a list.
    pub(super) fn report_item(&mut self, item: usize, message: &str, help: &str) {
        self.mistakes.add(Diagnostic::error(message).help(help), self.outline.value_stretch(item));
    }

    /// Where the value of a key stands, or its section or item when the key is not written.
    fn stretch(&self, entry: usize, key: &str) -> Stretch {
        match self.outline.child(entry, key) {
            Some(value) => self.outline.value_stretch(value),
            None => self.outline.key_stretch(entry),
        }
    }
}

/// A name as operators write it: without the final dot.
pub(super) fn shown(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => text,
    }
}

/// The keys that take only values which say a feature is absent, and those values.
#[cfg(test)]
pub(super) fn absent_values() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    NOT_BUILT.iter().filter_map(|(path, accepts, _)| match accepts {
        Only(words) => Some((*path, *words)),
        AllBut(_) => None,
    })
}
