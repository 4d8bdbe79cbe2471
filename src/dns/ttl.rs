//! Time to live of an RRset in seconds (RFC 2181 section 8).

use std::fmt;

/// Seconds an RRset may be kept, 0 to 2^31 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ttl(u32);

impl Ttl {
    /// The longest TTL, 2^31 - 1 seconds.
    pub const MAX: Ttl = Ttl(0x7fff_ffff);
    /// For one use only.
    pub const ZERO: Ttl = Ttl(0);

    /// A TTL that arrived in a message: one with the top bit set counts as zero (RFC 2181 section 8).
    pub const fn from_wire(seconds: u32) -> Ttl {
        if seconds > Ttl::MAX.0 { Ttl(0) } else { Ttl(seconds) }
    }

    /// A TTL of `seconds`, at most [`Ttl::MAX`].
    pub const fn saturating(seconds: u64) -> Ttl {
        if seconds > Ttl::MAX.0 as u64 { Ttl::MAX } else { Ttl(seconds as u32) }
    }

    /// In seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
