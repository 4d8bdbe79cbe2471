//! The command line of what is asked of a running server, declared once.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as Arguments, Subcommand, ValueEnum};

use super::zone_fmt::ZoneFmt;
use crate::config::LogLevel;
use crate::daemon::command::{Moment, TypeWord};
use crate::dns::Name;
use crate::observe::access_log::date_of;

pub(super) const CTL_EXAMPLES: &str = "\
Exit code 0: done; 1: not, or not wholly; 5: no server is reachable.

Examples:
  namu ctl status
  namu ctl stats | grep namu_zone_serial
  namu ctl reload                           the configuration and what changed of the zone files
  namu ctl log-level debug
  namu ctl --socket /run/namu/control.sock stop";

pub(super) const ZONE_EXAMPLES: &str = "\
Examples:
  namu zone reload example.org --yes        also a version that was held back
  namu zone show example.org --at 2026-11-21T12:00:00Z
  namu zone rollback example.org 41
  namu zone edit example.org                $EDITOR, check, difference, reload";

pub(super) const CACHE_EXAMPLES: &str = "\
Examples:
  namu cache get www.example.org            answers, RRsets, failures, with their time left
  namu cache flush example.org --subtree    the name and all names below it
  namu cache flush --negative               what does not exist or could not be resolved
  namu cache dump cache.txt
  namu cache load cache.txt";

/// Which running server is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Arguments)]
pub struct Server {
    /// Its control socket [default: where servers of this user and of the system have theirs]
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "config")]
    pub socket: Option<PathBuf>,
    /// Its configuration, which names the control socket
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// Ask or tell a running server.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = CTL_EXAMPLES, disable_help_subcommand = true)]
pub struct Ctl {
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// What to do.
    #[command(subcommand)]
    pub order: CtlOrder,
}

/// What a running server can be asked and told.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CtlOrder {
    /// How it is: addresses, zones, what is wrong
    Status {
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Its counters in Prometheus text
    Stats,
    /// Take up the configuration and what changed of the zone files
    Reload,
    /// End it after the answers under way
    Stop,
    /// Say more or less on standard error until the next start
    LogLevel {
        /// The least important that is said
        level: Level,
    },
}

/// Levels as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> LogLevel {
        match level {
            Level::Error => LogLevel::Error,
            Level::Warn => LogLevel::Warn,
            Level::Info => LogLevel::Info,
            Level::Debug => LogLevel::Debug,
            Level::Trace => LogLevel::Trace,
        }
    }
}

/// The zones of a running server.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = ZONE_EXAMPLES, disable_help_subcommand = true)]
pub struct Zone {
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// What to do.
    #[command(subcommand)]
    pub order: ZoneOrder,
}

/// A serial or a time as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When(pub Moment);

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        let refused = || format!("`{text}` is neither a serial nor a time such as 2026-11-21T12:00:00Z");
        if text.bytes().all(|octet| octet.is_ascii_digit()) {
            return text.parse().map(|serial| When(Moment::Serial(serial))).map_err(|_| refused());
        }
        seconds_of(text).map(|seconds| When(Moment::Time(seconds))).ok_or_else(refused)
    }
}

/// Seconds since 1970 of a time in UTC (RFC 3339), to the day, the minute or the second.
fn seconds_of(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00Z"));
    let numbers = |text: &str, sign| -> Option<Vec<u64>> {
        text.split(sign).map(|number| number.parse().ok()).collect()
    };
    let [year, month, day] = numbers(date, '-')?[..] else { return None };
    let (hour, minute, second) = match numbers(time.strip_suffix('Z').unwrap_or(time), ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if !(1970..2500).contains(&year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // The year begins at or after this day, and a search from there is short.
    let first = (year - 1970) * 365;
    let wanted = (year as u32, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let days = (first..first + 366 + (year - 1970) / 4 + 1).find(|day| date_of(*day) == wanted)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// What can be done with zones.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ZoneOrder {
    /// All zones, and how what is served stands to their files
    List {
        /// As JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// The records that are served, as a zone file
    Show {
        /// The zone
        zone: Name,
        /// An old version: its serial, or a time such as 2026-11-21T12:00:00Z
        #[arg(long, value_name = "SERIAL|TIME")]
        at: Option<When>,
    },
    /// Read what changed of the zone files, or of one
    Reload {
        /// Only this zone
        zone: Option<Name>,
        /// Take versions that were held back because they lose too much or look cut off
        #[arg(long)]
        yes: bool,
    },
    /// The versions that are remembered, with time and cause
    History {
        /// The zone
        zone: Name,
        /// As JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// What is different between two versions; exit code 1 when something is
    Diff {
        /// The zone
        zone: Name,
        /// The old version [default: the one before the new one]
        #[arg(value_name = "A")]
        from: Option<When>,
        /// The new version [default: the one that is served]
        #[arg(value_name = "B")]
        to: Option<When>,
    },
    /// Publish the content of an old version under a new serial
    Rollback {
        /// The zone
        zone: Name,
        /// The serial of the old version
        serial: u32,
        /// Put its records into the zone file too, without comments [default: the file stays as it is]
        #[arg(long)]
        write: bool,
    },
    /// Align the columns of zone files; comments and order stay
    Fmt(ZoneFmt),
    /// Edit a zone file: check, show the difference, then put it in place and reload
    Edit {
        /// A zone of the running server, or the path of a zone file
        zone: String,
        /// Put it in place without asking
        #[arg(long)]
        yes: bool,
    },
}

/// What a running server has learnt.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = CACHE_EXAMPLES, disable_help_subcommand = true)]
pub struct Cache {
    /// Which server.
    #[command(flatten)]
    pub server: Server,
    /// What to do.
    #[command(subcommand)]
    pub order: CacheOrder,
}

/// What can be done with the cache.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum CacheOrder {
    /// How full it is, and what came of it
    Stats {
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// What it knows of a name, fresh or not
    Get {
        /// The name
        name: Name,
        /// Only this type
        #[arg(value_name = "TYPE")]
        rr_type: Option<TypeWord>,
        /// As JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Forget everything, or what concerns a name
    Flush {
        /// The name
        name: Option<Name>,
        /// The names below it, too
        #[arg(long, requires = "name")]
        subtree: bool,
        /// Only what does not exist or could not be resolved
        #[arg(long)]
        negative: bool,
    },
    /// Write what is fresh as text
    Dump {
        /// Where to [default: standard output]
        file: Option<PathBuf>,
    },
    /// Take up such a text, but nothing that has expired meanwhile
    Load {
        /// Where from [default: standard input]
        file: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_by_serial_or_time() {
        for (text, want) in [
            ("0", Some(Moment::Serial(0))),
            ("2026112101", Some(Moment::Serial(2_026_112_101))),
            ("4294967295", Some(Moment::Serial(u32::MAX))),
            ("4294967296", None),
            ("1970-01-01", Some(Moment::Time(0))),
            ("2026-11-21T12:00:00Z", Some(Moment::Time(1_795_262_400))),
            ("2026-11-21T12:00", Some(Moment::Time(1_795_262_400))),
            ("2000-02-29T00:00:01Z", Some(Moment::Time(951_782_401))),
            ("2100-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("yesterday", None),
            ("2026-11-21T", None),
        ] {
            assert_eq!(text.parse().ok(), want.map(When), "{text}");
        }
    }
}
