//! Everything an operator can ask of a running house, declared once: the control socket and the command line are two
//! spellings of [`Command`] and [`Reply`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::report::{CacheEntry, CacheStatus, Explanation, Status, VersionStatus, ZoneStatus};
use crate::config::LogLevel;
use crate::dns::{Name, RrType};
#[cfg(doc)]
use crate::limits;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// How the house is: [`Reply::Status`]. Answered while files are being read, too.
    Status,
    /// The counters under the names of the manual, in Prometheus text: [`Reply::Text`].
    Stats,
    /// Reads the configuration again, if there is one, and what changed of the zone files; opens the access log
    /// anew: [`Reply::Done`].
    Reload,
    /// Ends the process after the answers under way: [`Reply::Done`].
    Stop,
    /// Says more or less on standard error until the next start or a changed `log.level`: [`Reply::Done`].
    LogLevel {
        /// The least important that is said.
        level: LogLevel,
    },
    /// All zones by name: [`Reply::Zones`].
    ZoneList,
    /// One zone and where it comes from: [`Reply::Zones`] with one element.
    ZoneStatus {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
    },
    /// Records of a zone in zone file format, as many as one reply may carry: [`Reply::Records`].
    ZoneShow {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
        /// An old version; none for the one that is served.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Moment>,
        /// Where the reply before this one ended; none for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Cursor>,
    },
    /// Reads what changed of the zone files, or of one zone: [`Reply::Done`].
    ZoneReload {
        /// Only this zone.
        #[serde(default, serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
        zone: Option<Name>,
        /// Publishes versions that were held back because they lose too much or look cut off.
        #[serde(default)]
        yes: bool,
    },
    /// The versions of a zone that are remembered: [`Reply::History`].
    ZoneHistory {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
    },
    /// What is different between two versions of a zone: [`Reply::Difference`].
    ZoneDiff {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
        /// The old version; none for the one before the new one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Moment>,
        /// The new version; none for the one that is served.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Moment>,
    },
    /// Publishes the content of an old version under a new serial: [`Reply::Done`].
    ZoneRollback {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
        /// The serial of the old version.
        serial: u32,
        /// Puts the records into the zone file too; without, it stays as it is.
        #[serde(default)]
        write: bool,
    },
    /// Announces what an edit is about to put into a zone file, so that the history names the edit whoever sees the file
    /// first: [`Reply::Done`].
    ZoneEdited {
        /// Its apex.
        #[serde(serialize_with = "as_text")]
        zone: Name,
        /// The [`super::ContentMark`] of the file as it will be.
        content: u64,
    },
    /// Answers a question as for a client of this machine and tells how: [`Reply::Explanation`].
    Explain {
        /// The name.
        #[serde(serialize_with = "as_text")]
        name: Name,
        /// The mnemonic of the type, as `AAAA`.
        rr_type: String,
        /// Asks the servers even when the cache knows.
        #[serde(default)]
        fresh: bool,
    },
    /// Tells how a question was answered that failed or took long: [`Reply::Explanation`].
    ExplainRecorded {
        /// What stands behind `id=` in the access log.
        id: String,
    },
    /// How full the cache is and what came of it: [`Reply::CacheStatus`].
    CacheStats,
    /// What the cache knows of a name: [`Reply::CacheEntries`].
    CacheGet {
        /// The name.
        #[serde(serialize_with = "as_text")]
        name: Name,
        /// Only this type.
        #[serde(default, serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
        rr_type: Option<TypeWord>,
    },
    /// Has the cache forget: [`Reply::Done`].
    CacheFlush {
        /// What concerns this name; none for everything.
        #[serde(default, serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        /// The names below it, too.
        #[serde(default)]
        subtree: bool,
        /// Only denials and failures.
        #[serde(default)]
        negative: bool,
    },
    /// The cache as text, as much as one reply may carry: [`Reply::CachePiece`].
    CacheDump {
        /// Where the reply before this one ended; none for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(usize, u64)>,
    },
    /// Takes up entries of such a text, of at most [`limits::CACHE_LOAD_PIECE`] octets: [`Reply::CacheLoaded`].
    CacheLoad {
        /// The first line of the text.
        head: String,
        /// Whole entries.
        entries: String,
    },
}

/// A type of records as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeWord(pub RrType);

impl fmt::Display for TypeWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for TypeWord {
    type Err = String;

    fn from_str(text: &str) -> Result<TypeWord, String> {
        text.parse().map(TypeWord).map_err(|_| format!("`{text}` is no type of records"))
    }
}

impl<'de> Deserialize<'de> for TypeWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TypeWord, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// Which version of a zone is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Moment {
    /// The latest with this serial.
    Serial(u32),
    /// The one that was published at this time, in seconds since 1970.
    Time(u64),
}

/// Where a piece of a zone ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The version the piece was of: pieces of two versions make no zone.
    pub serial: u32,
    /// Owner names already told.
    pub names: usize,
}

/// What came of an order that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Reply {
    /// What changed, one line each. `problems` is what could not be done; then what it concerns is as before.
    Done {
        /// What is different now.
        changes: Vec<String>,
        /// What is done all the same and should be known.
        #[serde(default)]
        warnings: Vec<String>,
        /// Mistakes, with file, line and what to write instead.
        problems: Vec<String>,
    },
    /// How the house is.
    Status(Box<Status>),
    /// Zones by name.
    Zones {
        /// One each.
        zones: Vec<ZoneStatus>,
    },
    /// Versions of a zone, the oldest first.
    History {
        /// One each.
        versions: Vec<VersionStatus>,
    },
    /// The difference between two versions of a zone.
    Difference {
        /// Records that went with `-` before them, records that came with `+`; cut when there are very many.
        text: String,
        /// In numbers; none when nothing differs.
        summary: Option<String>,
        /// The serials of both versions.
        serials: (u32, u32),
    },
    /// Text for a file or another program.
    Text {
        /// Whole lines.
        text: String,
    },
    /// How a question was answered.
    Explanation(Box<Explanation>),
    /// How full the cache is.
    CacheStatus(CacheStatus),
    /// What the cache knows of a name.
    CacheEntries {
        /// One each.
        entries: Vec<CacheEntry>,
    },
    /// A piece of the cache as text.
    CachePiece {
        /// The first line of the whole.
        head: String,
        /// Whole entries.
        text: String,
        /// Where the next piece begins; none after the last.
        next: Option<(usize, u64)>,
    },
    /// What came of taking up a piece.
    CacheLoaded {
        /// Entries taken up.
        taken: usize,
        /// Entries that had expired meanwhile, or for which something better was there.
        passed_over: usize,
        /// Entries that make no sense.
        malformed: usize,
    },
    /// A piece of a zone.
    Records {
        /// Records, whole lines.
        text: String,
        /// Where the next piece begins; none after the last.
        next: Option<Cursor>,
    },
}

/// Why an order was not carried out, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn as_text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_optional_text<S: Serializer>(
    value: &Option<impl fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// A name as people write it in files and commands; only the root needs its dot.
pub fn spoken(apex: &Name) -> String {
    match apex.to_string() {
        root if root == "." => root,
        name => name.trim_end_matches('.').to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_replies_survive_the_way_through_json() {
        let zone: Name = "example.org".parse().unwrap();
        for (command, text) in [
            (Command::Status, r#"{"do":"status"}"#),
            (Command::LogLevel { level: LogLevel::Debug }, r#"{"do":"log-level","level":"debug"}"#),
            (
                Command::ZoneReload { zone: Some(zone.clone()), yes: true },
                r#"{"do":"zone-reload","zone":"example.org.","yes":true}"#,
            ),
            (Command::ZoneReload { zone: None, yes: false }, r#"{"do":"zone-reload","yes":false}"#),
            (
                Command::ZoneShow { zone, at: None, from: Some(Cursor { serial: 7, names: 3 }) },
                r#"{"do":"zone-show","zone":"example.org.","from":{"serial":7,"names":3}}"#,
            ),
            (Command::CacheStats, r#"{"do":"cache-stats"}"#),
            (
                Command::CacheGet { name: "a.test.".parse().unwrap(), rr_type: "MX".parse().ok() },
                r#"{"do":"cache-get","name":"a.test.","rr-type":"MX"}"#,
            ),
            (
                Command::CacheFlush { name: None, subtree: false, negative: true },
                r#"{"do":"cache-flush","subtree":false,"negative":true}"#,
            ),
            (
                Command::CacheDump { from: Some((7, u64::MAX)) },
                r#"{"do":"cache-dump","from":[7,18446744073709551615]}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
            assert_eq!(serde_json::from_str::<Command>(text).unwrap(), command);
        }
        let reply = Reply::Status(Box::new(Status { zones: 3, ..Status::default() }));
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply);
    }

    #[test]
    fn an_order_nobody_knows_is_an_error() {
        for text in [
            r#"{"do":"dance"}"#,
            r#"{"do":"zone-status","zone":"a..b"}"#,
            r#"{"do":"zone-status"}"#,
            r#"{"do":"zone-reload","zones":"example.org"}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
        }
    }
}
