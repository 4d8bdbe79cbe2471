//! Options that say which versions of a zone are published and kept.

use serde::{Deserialize, Deserializer};

use crate::limits;
use crate::options::{Bytes, from_text};

/// Which serial is published when the content of a zone changed and the serial in its file is not later than the one
/// published before. A later one is always taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SerialPolicy {
    /// That of the file: other servers do not notice.
    Keep,
    /// The next number.
    Increment,
    /// Seconds since 1970, if that is later.
    Unixtime,
    /// YYYYMMDDnn in UTC, if that is later.
    Date,
}

/// How much room the versions of a zone have: `true`, `false` or an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalSize {
    /// No versions are kept; serial and hash of the last one are.
    Off,
    /// At most so much.
    AtMost(Bytes),
}

impl Default for JournalSize {
    fn default() -> JournalSize {
        JournalSize::AtMost(Bytes(limits::JOURNAL_OCTETS))
    }
}

impl<'de> Deserialize<'de> for JournalSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JournalSize, D::Error> {
        from_text(deserializer, "true, false or an amount such as 64MiB", |text| match text {
            "true" => Ok(JournalSize::default()),
            "false" | "none" => Ok(JournalSize::Off),
            _ => text.parse().map(JournalSize::AtMost),
        })
    }
}

/// A share of the records of a zone; `none` puts no limit to what a version may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxRemoved(Option<u8>);

impl MaxRemoved {
    /// No limit.
    pub const NONE: MaxRemoved = MaxRemoved(None);

    /// Whether losing `lost` of `records` is more than that share.
    pub fn is_exceeded(self, lost: usize, records: usize) -> bool {
        self.0.is_some_and(|percent| lost as u128 * 100 > records as u128 * u128::from(percent))
    }
}

impl std::fmt::Display for MaxRemoved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(percent) => write!(f, "{percent}%"),
            None => f.write_str("none"),
        }
    }
}

impl<'de> Deserialize<'de> for MaxRemoved {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MaxRemoved, D::Error> {
        from_text(deserializer, "a share such as 20%, or none", |text| {
            let percent = || text.strip_suffix('%')?.parse().ok().filter(|percent| *percent <= 100);
            match percent() {
                _ if text == "none" => Ok(MaxRemoved::NONE),
                Some(percent) => Ok(MaxRemoved(Some(percent))),
                None => Err(format!("`{text}` is not a share; write 20%, or none")),
            }
        })
    }
}
