//! Numbers as Prometheus text (exposition format 0.0.4), under names that never change their meaning.

use std::fmt::{self, Write};

use super::counters::Totals;

/// All that is told.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// Of namu.
    pub version: &'static str,
    /// Seconds since 1970 at the start.
    pub started: u64,
    /// What the workers counted.
    pub totals: Totals,
    /// TCP connections open now.
    pub connections: usize,
    /// Connections closed at once because all places were taken.
    pub refused_connections: u64,
    /// Zones by name.
    pub zones: Vec<ZoneNumbers>,
    /// Those of the cache, when there is one.
    pub cache: Option<CacheNumbers>,
    /// Configurations taken up, and those that were not.
    pub config_reloads: (u64, u64),
    /// Seconds since 1970 when the configuration in force was taken up.
    pub config_taken_up: u64,
}

/// The numbers of the cache.
#[derive(Debug, Clone, Copy, Default)]
pub struct CacheNumbers {
    /// Answers and RRsets in it.
    pub entries: u64,
    /// Octets they take.
    pub octets: u64,
    /// Entries that had to make room.
    pub evicted: u64,
    /// Answers fetched anew before they expired.
    pub prefetched: u64,
    /// Responses that were stale.
    pub stale: u64,
}

/// The numbers of one zone.
#[derive(Debug, Clone, Default)]
pub struct ZoneNumbers {
    /// Its apex.
    pub zone: String,
    /// The serial that is served.
    pub serial: Option<u32>,
    /// Records that are served.
    pub records: usize,
    /// Versions of its file that were not taken.
    pub load_errors: u64,
}

impl Numbers {
    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a string takes all that is written to it");
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        head(out, "namu_build_info", "gauge", "What is running.")?;
        writeln!(out, "namu_build_info{{version=\"{}\"}} 1", self.version)?;
        single(out, "namu_start_time_seconds", "gauge", "When it was started.", self.started)?;
        self.requests(out)?;
        head(out, "namu_connections", "gauge", "Connections open now.")?;
        writeln!(out, "namu_connections{{transport=\"tcp\"}} {}", self.connections)?;
        let refused = "Connections closed at once because all places were taken.";
        single(out, "namu_connections_refused_total", "counter", refused, self.refused_connections)?;
        let dropped = "Lines that did not reach the access log.";
        single(out, "namu_access_log_dropped_total", "counter", dropped, self.totals.log_lines_dropped)?;
        if let Some(CacheNumbers { entries, octets, evicted, prefetched, stale }) = self.cache {
            single(out, "namu_cache_entries", "gauge", "Answers and RRsets in the cache.", entries)?;
            single(out, "namu_cache_bytes", "gauge", "Memory of the cache.", octets)?;
            single(out, "namu_cache_evictions_total", "counter", "Entries that had to make room.", evicted)?;
            let help = "Answers fetched anew before they expired.";
            single(out, "namu_cache_prefetch_total", "counter", help, prefetched)?;
            single(out, "namu_cache_served_stale_total", "counter", "Responses that were stale.", stale)?;
        }
        let name = "namu_config_reloads_total";
        head(out, name, "counter", "Configurations read again.")?;
        writeln!(out, "{name}{{result=\"success\"}} {}", self.config_reloads.0)?;
        writeln!(out, "{name}{{result=\"failure\"}} {}", self.config_reloads.1)?;
        let name = "namu_config_last_reload_success_timestamp_seconds";
        single(out, name, "gauge", "When the configuration in force was taken up.", self.config_taken_up)?;
        self.zones(out)
    }

    fn requests(&self, out: &mut String) -> fmt::Result {
        head(out, "namu_dns_requests_total", "counter", "Requests that were answered.")?;
        for (transport, qtype, count) in self.totals.requests() {
            let transport = transport.word();
            writeln!(out, "namu_dns_requests_total{{transport=\"{transport}\",qtype=\"{qtype}\"}} {count}")?;
        }
        head(out, "namu_dns_responses_total", "counter", "Responses by where they came from.")?;
        for (source, rcode, count) in self.totals.responses() {
            let source = source.word();
            writeln!(out, "namu_dns_responses_total{{rcode=\"{rcode}\",source=\"{source}\"}} {count}")?;
        }
        head(out, "namu_dns_dropped_total", "counter", "Requests that got no response.")?;
        for (reason, count) in self.totals.dropped() {
            let reason = reason.word();
            writeln!(out, "namu_dns_dropped_total{{reason=\"{reason}\"}} {count}")?;
        }
        single(out, "namu_panics_total", "counter", "Requests that ended in a panic.", self.totals.panics)
    }

    fn zones(&self, out: &mut String) -> fmt::Result {
        head(out, "namu_zone_serial", "gauge", "The serial that is served.")?;
        for zone in &self.zones {
            if let Some(serial) = zone.serial {
                writeln!(out, "namu_zone_serial{{zone=\"{}\"}} {serial}", Label(&zone.zone))?;
            }
        }
        head(out, "namu_zone_records", "gauge", "Records that are served.")?;
        for zone in &self.zones {
            writeln!(out, "namu_zone_records{{zone=\"{}\"}} {}", Label(&zone.zone), zone.records)?;
        }
        head(out, "namu_zone_load_errors_total", "counter", "Versions of zone files that were not taken.")?;
        for zone in &self.zones {
            let (name, count) = (Label(&zone.zone), zone.load_errors);
            writeln!(out, "namu_zone_load_errors_total{{zone=\"{name}\"}} {count}")?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn single(out: &mut String, name: &str, kind: &str, help: &str, value: u64) -> fmt::Result {
    head(out, name, kind, help)?;
    writeln!(out, "{name} {value}")
}

/// A label value: backslash, quote and line end are escaped.
struct Label<'l>(&'l str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_declared_once_and_labels_are_escaped() {
        let zone = ZoneNumbers { zone: "a\\\"b.test".into(), serial: Some(7), records: 3, load_errors: 1 };
        let numbers = Numbers {
            version: "1",
            zones: vec![zone],
            cache: Some(CacheNumbers::default()),
            ..Numbers::default()
        };
        let text = numbers.text();
        assert!(text.contains("namu_zone_serial{zone=\"a\\\\\\\"b.test\"} 7\n"), "{text}");
        let mut declared: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let count = declared.len();
        declared.sort_unstable();
        declared.dedup();
        assert_eq!(declared.len(), count);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split([' ', '{']).next().unwrap();
            assert!(declared.iter().any(|declared| declared.starts_with(&format!("{name} "))), "{line}");
            assert!(line.rsplit(' ').next().unwrap().parse::<u64>().is_ok(), "{line}");
        }
    }
}
