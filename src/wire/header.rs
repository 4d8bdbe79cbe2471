//! The twelve octets every message begins with (RFC 1035 4.1.1).

use std::fmt;

use super::u16_at;
use crate::dns::{Opcode, Rcode};

/// Octets of a header.
pub const HEADER_OCTETS: usize = 12;

/// The second pair of octets: QR, opcode, the flag bits and the lower bits of the response code.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

#[allow(missing_docs)]
impl Flags {
    pub const QR: Flags = Flags(0x8000);
    pub const AA: Flags = Flags(0x0400);
    pub const TC: Flags = Flags(0x0200);
    pub const RD: Flags = Flags(0x0100);
    pub const RA: Flags = Flags(0x0080);
    pub const AD: Flags = Flags(0x0020);
    pub const CD: Flags = Flags(0x0010);
}

impl Flags {
    /// Whether all bits of `flags` are set.
    pub const fn has(self, flags: Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// With the bits of `flags` set when `condition` holds.
    #[must_use]
    pub const fn set_if(self, flags: Flags, condition: bool) -> Flags {
        if condition { Flags(self.0 | flags.0) } else { self }
    }

    /// Only the bits that are in `flags` too.
    #[must_use]
    pub const fn only(self, flags: Flags) -> Flags {
        Flags(self.0 & flags.0)
    }

    /// Without these bits.
    #[must_use]
    pub const fn without(self, flags: Flags) -> Flags {
        Flags(self.0 & !flags.0)
    }

    /// The opcode.
    pub const fn opcode(self) -> Opcode {
        Opcode((self.0 >> 11) as u8 & 0x0f)
    }

    /// The four bits of the response code that stand in the header.
    pub const fn rcode(self) -> Rcode {
        Rcode(self.0 & 0x0f)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// The header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The message id.
    pub id: u16,
    /// QR, opcode, flags, response code.
    pub flags: Flags,
    /// QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT: as claimed, nothing is allocated by them.
    pub counts: [u16; 4],
}

impl Header {
    /// Reads a header; none when there are not twelve octets.
    pub fn read(octets: &[u8]) -> Option<Header> {
        let word = |at| u16_at(octets, at).ok();
        Some(Header {
            id: word(0)?,
            flags: Flags(word(2)?),
            counts: [word(4)?, word(6)?, word(8)?, word(10)?],
        })
    }

    /// The twelve octets.
    pub fn octets(self) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        let words = [self.id, self.flags.0].into_iter().chain(self.counts);
        for (place, word) in octets.chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        let header = Header { id: 0x1234, flags: Flags(0x8583), counts: [1, 2, 3, 4] };
        assert_eq!(Header::read(&header.octets()), Some(header));
        assert_eq!(Header::read(&header.octets()[..11]), None);
        assert_eq!(header.flags.rcode(), Rcode::NXDOMAIN);
        assert!(header.flags.has(Flags::AA) && !header.flags.has(Flags::TC));
        assert_eq!(Flags(0x2800).opcode(), Opcode::UPDATE);
    }
}
