//! Serial numbers of zones and their arithmetic (RFC 1982).

use std::cmp::Ordering;
use std::fmt;

/// The serial of a SOA record. Some pairs have no order: those 2^31 apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// The serial `count` versions later. `count` is below 2^31.
    pub fn plus(self, count: u32) -> Serial {
        debug_assert!(count < 0x8000_0000, "RFC 1982 3.1 defines no larger addition");
        Serial(self.0.wrapping_add(count))
    }

    /// Whether this serial comes after `other` (RFC 1982 3.2).
    pub fn is_after(self, other: Serial) -> bool {
        self.partial_cmp(&other) == Some(Ordering::Greater)
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Serial) -> Option<Ordering> {
        match self.0.wrapping_sub(other.0) {
            0 => Some(Ordering::Equal),
            0x8000_0000 => None,
            1..=0x7fff_ffff => Some(Ordering::Greater),
            _ => Some(Ordering::Less),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_wrap_around() {
        assert!(Serial(1).is_after(Serial(0)));
        assert!(Serial(0).is_after(Serial(0xffff_ffff)));
        assert!(!Serial(0).is_after(Serial(0x8000_0000)) && !Serial(0x8000_0000).is_after(Serial(0)));
        assert_eq!(Serial(0xffff_ffff).plus(2), Serial(1));
    }
}
