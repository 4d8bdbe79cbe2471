//! Octets of DNS messages to nouns and back; nothing is allocated on the way in.
//!
//! Given: the octets of one message. Must not know: zones, caches, sockets, clocks.
//! RFC 1035 section 4 (messages), RFC 3597 section 4 (which names may be compressed), RFC 6891 (EDNS),
//! RFC 8914 (extended errors), RFC 8945 (TSIG, as far as saying that no key is known), RFC 7766 8 (framing),
//! RFC 5001, 7314, 7873 and 9660 (what EDNS options carry), RFC 5936 2.2 (messages of a transfer).

pub mod compress;
pub mod framing;
mod groups;
pub mod header;
pub mod message;
pub mod names;
pub mod opt;
pub mod order;
pub mod query;
pub mod tsig;
pub mod writer;

pub use header::{Flags, HEADER_OCTETS, Header};
pub use message::{MessageView, RecordView, SectionKind};
pub use opt::{OptToWrite, RequestCookie, Wishes};
pub use order::{RecordOrder, SplitMix};
pub use query::{Problem, Query, Scan};
pub use writer::{ResponseHead, ResponseWriter, StreamedRecord, Written, write_query};

use std::fmt;

use crate::dns::NameError;

/// Why octets are not a DNS message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    /// The octets end before the record or field does.
    Truncated,
    /// A name is not one.
    Name(NameError),
    /// Octets follow the last record.
    TrailingOctets,
    /// RDATA does not have the format of its type.
    Rdata,
    /// OPT twice, not at the root, or outside the additional section (RFC 6891 6.1.1).
    Opt,
    /// More records than a message is worth reading for.
    TooManyRecords,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Truncated => f.write_str("the message is cut short"),
            WireError::Name(error) => error.fmt(f),
            WireError::TrailingOctets => f.write_str("octets follow the last record"),
            WireError::Rdata => f.write_str("RDATA does not have the format of its type"),
            WireError::Opt => f.write_str("the OPT record is misplaced"),
            WireError::TooManyRecords => f.write_str("the message has too many records"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<NameError> for WireError {
    fn from(error: NameError) -> WireError {
        WireError::Name(error)
    }
}

/// The two octets at `at` as a number.
fn u16_at(octets: &[u8], at: usize) -> Result<u16, WireError> {
    match octets.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(WireError::Truncated),
    }
}

/// The four octets at `at` as a number.
fn u32_at(octets: &[u8], at: usize) -> Result<u32, WireError> {
    Ok(u32::from(u16_at(octets, at)?) << 16 | u32::from(u16_at(octets, at + 2)?))
}
