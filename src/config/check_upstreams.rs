//! What has to fit together for those who are asked in place of the tree, and for overlays.

use super::check::{Check, shown};
use super::config::{ZoneOptions, ZoneType};
use super::forwarding::{ResolverMode, Server};
use crate::diagnostic::nearest;
use crate::limits;

impl Check<'_, '_> {
    /// Keys of one type of zone written at another, and those it cannot do without.
    pub(super) fn kind_of_zone(&mut self, entry: usize, zone: &ZoneOptions) {
        let (word, asks_others) = match zone.zone_type {
            ZoneType::Primary => ("primary", false),
            ZoneType::Overlay => ("overlay", false),
            ZoneType::Forward => ("forward", true),
            ZoneType::Stub => ("stub", true),
        };
        let misplaced: &[&str] = match zone.zone_type {
            ZoneType::Primary => &["servers", "fallback", "base"],
            ZoneType::Overlay => &[
                "servers",
                "fallback",
                "transfer",
                "serial",
                "journal",
                "max-removed",
                "for-clients",
                "for-resolver",
                "trust-anchor",
            ],
            ZoneType::Forward | ZoneType::Stub => &[
                "file",
                "transfer",
                "serial",
                "journal",
                "max-removed",
                "base",
                "for-clients",
                "for-resolver",
            ],
        };
        for key in misplaced {
            if self.outline.child(entry, key).is_some() {
                let message = format!("`{key}` does not belong to a zone of `type: {word}`");
                self.report_at(entry, key, &message, "remove it, or write another type");
            }
        }
        if asks_others {
            self.require(entry, "servers", "[192.0.2.1]");
            if zone.servers.is_empty() && self.outline.child(entry, "servers").is_some() {
                let message = format!("{word} zone `{}` has no server", shown(&zone.name));
                self.missing(entry, "servers", &message, "write at least one address");
            }
            self.number_of_servers(entry, "servers", &zone.servers);
        }
        if let Some(base) = &zone.base.0 {
            let is_above = zone.name.as_ref().is_at_or_below(base.as_ref());
            if !self.primaries.contains(base) {
                if self.mistakes.is_full() {
                    return self.mistakes.cut();
                }
                let names: Vec<String> = self.config.primaries().map(|zone| shown(&zone.name)).collect();
                let help = match nearest(&shown(base), names.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => {
                        "name a zone of `type: primary`, or remove `base` to lay it over what is resolved"
                            .into()
                    }
                };
                self.report_at(entry, "base", &format!("zone `{}` is not defined", shown(base)), &help);
            } else if !is_above {
                let message = format!("`{}` is not in the zone `{}`", shown(&zone.name), shown(base));
                self.report_at(entry, "base", &message, "name the zone the overlay lies in");
            }
        }
    }

    /// `mode: forward` and its servers need each other.
    pub(super) fn upstreams(&mut self, section: usize) {
        let resolver = &self.config.resolver;
        match (resolver.mode, resolver.upstreams.is_empty()) {
            (ResolverMode::Forward, true) => {
                self.missing(
                    section,
                    "upstreams",
                    "`mode: forward` has no upstream",
                    "add `upstreams: [192.0.2.1]`",
                );
            }
            (ResolverMode::Recursive, false) => {
                let message = "`upstreams` are not asked with `mode: recursive`";
                self.report_at(section, "upstreams", message, "write `mode: forward`, or remove `upstreams`");
            }
            _ => self.number_of_servers(section, "upstreams", &resolver.upstreams),
        }
    }

    fn number_of_servers(&mut self, entry: usize, key: &str, servers: &[Server]) {
        if servers.len() > limits::FORWARD_SERVERS {
            let message = format!("{} servers are too many", servers.len());
            self.report_at(entry, key, &message, &format!("write at most {}", limits::FORWARD_SERVERS));
        }
    }
}
