//! Numbers as Prometheus text (exposition format 0.0.4), under names that never change their meaning.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::counters::{Durations, Totals};
use super::event::{Source, Transport};
use crate::limits;

/// There is one view, and it has this name, so that queries hold when there are more.
const VIEW: &str = "view=\"default\"";

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
    /// Trust anchors, each zone and key tag once.
    pub trust_anchors: Vec<TrustAnchorNumbers>,
    /// Those of the cache, when there is one.
    pub cache: Option<CacheNumbers>,
    /// How many answers of servers validation found to be what; none when nothing is validated.
    pub validations: Vec<(&'static str, u64)>,
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
    /// Validated RRsets that deny names or make data of wildcards (RFC 8198).
    pub denials: u64,
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

/// A trust anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchorNumbers {
    /// Its zone.
    pub zone: String,
    /// Its key tag.
    pub key_tag: u16,
    /// How it is: one of the states of RFC 5011, or `configured` when its key was not seen yet.
    pub state: &'static str,
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
        if let Some(CacheNumbers { entries, octets, denials, evicted, prefetched, stale }) = self.cache {
            let name = "namu_cache_entries";
            head(
                out,
                name,
                "gauge",
                "Answers and RRsets in the cache, and what proves that others do not exist.",
            )?;
            writeln!(out, "{name}{{kind=\"answer\"}} {entries}")?;
            writeln!(out, "{name}{{kind=\"denial\"}} {denials}")?;
            single(out, "namu_cache_bytes", "gauge", "Memory of the cache.", octets)?;
            single(out, "namu_cache_evictions_total", "counter", "Entries that had to make room.", evicted)?;
            let help = "Answers fetched anew before they expired.";
            single(out, "namu_cache_prefetch_total", "counter", help, prefetched)?;
            single(out, "namu_cache_served_stale_total", "counter", "Responses that were stale.", stale)?;
            self.cache_hits(out)?;
        }
        if !self.validations.is_empty() {
            let name = "namu_dnssec_validations_total";
            head(
                out,
                name,
                "counter",
                "Answers of servers that were validated, keys and DS records among them.",
            )?;
            for (result, count) in &self.validations {
                writeln!(out, "{name}{{result=\"{result}\"}} {count}")?;
            }
        }
        let name = "namu_config_reloads_total";
        head(out, name, "counter", "Configurations read again.")?;
        writeln!(out, "{name}{{result=\"success\"}} {}", self.config_reloads.0)?;
        writeln!(out, "{name}{{result=\"failure\"}} {}", self.config_reloads.1)?;
        let name = "namu_config_last_reload_success_timestamp_seconds";
        single(out, name, "gauge", "When the configuration in force was taken up.", self.config_taken_up)?;
        self.trust_anchors(out)?;
        self.zones(out)
    }

    fn trust_anchors(&self, out: &mut String) -> fmt::Result {
        let name = "namu_trust_anchor_info";
        head(out, name, "gauge", "Keys that chains of trust begin with, and those that may come to be.")?;
        for TrustAnchorNumbers { zone, key_tag, state } in &self.trust_anchors {
            let zone = Label(zone);
            writeln!(out, "{name}{{zone=\"{zone}\",key_tag=\"{key_tag}\",state=\"{state}\"}} 1")?;
        }
        Ok(())
    }

    fn requests(&self, out: &mut String) -> fmt::Result {
        let totals = &self.totals;
        head(out, "namu_dns_requests_total", "counter", "Requests that were answered.")?;
        for (transport, family, qtype, count) in totals.requests() {
            let transport = transport.word();
            writeln!(
                out,
                "namu_dns_requests_total{{{VIEW},transport=\"{transport}\",family=\"{family}\",qtype=\"{qtype}\"}} {count}"
            )?;
        }
        head(out, "namu_dns_responses_total", "counter", "Responses by where they came from.")?;
        for (source, dnssec, rcode, count) in totals.responses() {
            let source = source.word();
            writeln!(
                out,
                "namu_dns_responses_total{{{VIEW},rcode=\"{rcode}\",source=\"{source}\",dnssec=\"{dnssec}\"}} {count}"
            )?;
        }
        self.durations(out)?;
        self.sizes(out)?;
        single(out, "namu_dns_truncated_total", "counter", "Responses with TC set.", totals.truncated)?;
        head(out, "namu_dns_dropped_total", "counter", "Requests that got no response.")?;
        for (reason, count) in totals.dropped() {
            writeln!(out, "namu_dns_dropped_total{{reason=\"{reason}\"}} {count}")?;
        }
        single(out, "namu_panics_total", "counter", "Requests that ended in a panic.", totals.panics)
    }

    fn durations(&self, out: &mut String) -> fmt::Result {
        let name = "namu_dns_request_duration_seconds";
        head(out, name, "histogram", "From the receipt of a request to its response.")?;
        for Durations { source, counts, seconds } in self.totals.durations() {
            let labels = format!("{VIEW},source=\"{}\"", source.word());
            let mut sum = 0;
            for (place, count) in counts.iter().enumerate() {
                sum += count;
                let most = limits::DURATIONS.get(place);
                let most = most.map_or("+Inf".into(), |most| (*most as f64 / 1e9).to_string());
                writeln!(out, "{name}_bucket{{{labels},le=\"{most}\"}} {sum}")?;
            }
            writeln!(out, "{name}_sum{{{labels}}} {seconds}\n{name}_count{{{labels}}} {sum}")?;
        }
        Ok(())
    }

    /// Sums and counts, which make an average.
    fn sizes(&self, out: &mut String) -> fmt::Result {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (transport, _, _, count) in self.totals.requests() {
            *counts.entry(transport.word()).or_default() += count;
        }
        type Part = fn((u64, u64)) -> u64;
        let sizes: [(&str, &str, Part); 2] = [
            ("namu_dns_request_bytes", "Octets of requests that were answered.", |(octets_in, _)| octets_in),
            ("namu_dns_response_bytes", "Octets of responses.", |(_, octets_out)| octets_out),
        ];
        for (name, help, of) in sizes {
            head(out, name, "summary", help)?;
            for (transport, word) in Transport::WORDS {
                let Some(count) = counts.get(word) else { continue };
                let sum = of(self.totals.octets(transport));
                writeln!(out, "{name}_sum{{transport=\"{word}\"}} {sum}")?;
                writeln!(out, "{name}_count{{transport=\"{word}\"}} {count}")?;
            }
        }
        Ok(())
    }

    /// A response tells by its source whether the cache had it.
    fn cache_hits(&self, out: &mut String) -> fmt::Result {
        let from = |source| self.totals.responses_from(source);
        let name = "namu_cache_hits_total";
        head(out, name, "counter", "Requests that were answered from the cache.")?;
        for (kind, source) in [
            ("answer", Source::Cache),
            ("negative", Source::NegativeCache),
            ("failure", Source::FailureCache),
            ("denial", Source::Synthesized),
        ] {
            writeln!(out, "{name}{{kind=\"{kind}\"}} {}", from(source))?;
        }
        let missed = "Requests for which others had to be asked.";
        single(out, "namu_cache_misses_total", "counter", missed, from(Source::Recursion))
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
    use std::time::Duration;

    use super::*;
    use crate::clock::Unix;
    use crate::dns::Rcode;
    use crate::observe::{Counters, DropReason, Event, Recorder};

    #[test]
    fn every_name_is_declared_once_and_labels_are_escaped() {
        let zone = ZoneNumbers { zone: "a\\\"b.test".into(), serial: Some(7), records: 3, load_errors: 1 };
        let mut recorder = Recorder::new(None);
        let (client, took) = ("192.0.2.7:53".parse().unwrap(), Duration::from_micros(60));
        let event = Event {
            source: Source::Cache,
            rcode: Rcode::NOERROR,
            question: None,
            flags: 0,
            octets: 45,
            security: None,
            extended_error: None,
            recursion: None,
            transfer: None,
        };
        recorder.record(&[0; 30], client, Transport::Udp, &event, Unix(0), took);
        recorder.dropped(DropReason::ClientLimit);
        let totals = Counters::sum([&recorder.counters()]);
        let cache = Some(CacheNumbers::default());
        let trust_anchors = vec![TrustAnchorNumbers { zone: ".".into(), key_tag: 20326, state: "valid" }];
        let numbers = Numbers {
            version: "1",
            totals,
            zones: vec![zone],
            trust_anchors,
            cache,
            validations: vec![("secure", 3), ("bogus", 0)],
            ..Numbers::default()
        };
        let text = numbers.text();
        let histogram = "namu_dns_request_duration_seconds";
        for line in [
            "namu_dns_requests_total{view=\"default\",transport=\"udp\",family=\"ipv4\",qtype=\"other\"} 1",
            "namu_dns_responses_total{view=\"default\",rcode=\"NOERROR\",source=\"cache\",dnssec=\"-\"} 1",
            "namu_dns_dropped_total{reason=\"rate_limit\"} 1",
            "namu_trust_anchor_info{zone=\".\",key_tag=\"20326\",state=\"valid\"} 1",
            "namu_dns_request_bytes_sum{transport=\"udp\"} 30",
            "namu_dns_response_bytes_sum{transport=\"udp\"} 45",
            "namu_dns_response_bytes_count{transport=\"udp\"} 1",
            "namu_cache_hits_total{kind=\"answer\"} 1",
            "namu_dnssec_validations_total{result=\"secure\"} 3",
            "namu_dnssec_validations_total{result=\"bogus\"} 0",
            &format!("{histogram}_bucket{{view=\"default\",source=\"cache\",le=\"0.00005\"}} 0"),
            &format!("{histogram}_bucket{{view=\"default\",source=\"cache\",le=\"0.0001\"}} 1"),
            &format!("{histogram}_bucket{{view=\"default\",source=\"cache\",le=\"10\"}} 1"),
            &format!("{histogram}_bucket{{view=\"default\",source=\"cache\",le=\"+Inf\"}} 1"),
            &format!("{histogram}_sum{{view=\"default\",source=\"cache\"}} 0.00006"),
            &format!("{histogram}_count{{view=\"default\",source=\"cache\"}} 1"),
        ] {
            assert!(text.lines().any(|other| other == line), "`{line}` in\n{text}");
        }
        assert!(text.contains("namu_zone_serial{zone=\"a\\\\\\\"b.test\"} 7\n"), "{text}");
        let mut declared: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let count = declared.len();
        declared.sort_unstable();
        declared.dedup();
        assert_eq!(declared.len(), count);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split([' ', '{']).next().unwrap();
            let is_declared = |name: &str, kinds: &[&str]| {
                kinds.iter().any(|kind| declared.contains(&format!("{name} {kind}").as_str()))
            };
            let is_part = ["_bucket", "_sum", "_count"].iter().any(|end| {
                name.strip_suffix(end).is_some_and(|name| is_declared(name, &["histogram", "summary"]))
            });
            assert!(is_part || is_declared(name, &["counter", "gauge"]), "{line}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
}
