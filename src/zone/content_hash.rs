//! One number for what a zone says, whatever its serial: the same after a restart, on every machine, in every version.

use std::fmt;

use smallvec::SmallVec;
use twox_hash::XxHash3_128;

use super::merge::fold_into;
use super::zone::{Zone, serial_place};
use crate::dns::{Records, RrType, RrsetRef};

/// A hash of the content of a zone in canonical form, without the serial of its SOA. The order of records and the letter
/// case of names do not matter. It tells versions of one's own zones apart and withstands no forger.
///
/// It is the sum of the XXH3-128 of each RRset, so it needs no order among them. An RRset is hashed as: owner in
/// lower case, type (2), TTL (4), and twice, for records and for signatures, their number (4) and each as length (2) and
/// RDATA, names of RFC 4034 6.2 in lower case, sorted; the SOA's serial as 0. Numbers are big-endian. This is part of
/// the format of journals: it never changes, a successor gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHash(pub(super) u128);

impl ContentHash {
    /// Of everything in the zone.
    pub fn of(zone: &Zone) -> ContentHash {
        let mut scratch = Scratch::default();
        let rrsets = zone.nodes().flat_map(|node| node.rrsets());
        ContentHash(rrsets.fold(0, |sum: u128, rrset| sum.wrapping_add(scratch.hash(rrset))))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[derive(Default)]
struct Scratch {
    rrset: Vec<u8>,
    folded: Vec<u8>,
}

impl Scratch {
    fn hash(&mut self, rrset: RrsetRef<'_>) -> u128 {
        self.rrset.clear();
        self.rrset.extend(rrset.owner.octets().iter().map(u8::to_ascii_lowercase));
        self.rrset.extend_from_slice(&rrset.rr_type.0.to_be_bytes());
        self.rrset.extend_from_slice(&rrset.ttl.seconds().to_be_bytes());
        self.append(rrset.rr_type, rrset.records);
        self.append(RrType::RRSIG, rrset.signatures);
        XxHash3_128::oneshot(&self.rrset)
    }

    fn append(&mut self, rr_type: RrType, records: Records<'_>) {
        self.folded.clear();
        let mut places: SmallVec<[(usize, usize); 8]> = SmallVec::new();
        for rdata in records {
            let start = self.folded.len();
            fold_into(rr_type, rdata, &mut self.folded);
            if let Some(serial) = serial_place(rr_type, rdata) {
                self.folded[start..][serial].fill(0);
            }
            places.push((start, self.folded.len()));
        }
        let folded = &self.folded;
        places.sort_unstable_by_key(|(start, end)| &folded[*start..*end]);
        self.rrset.extend_from_slice(&(places.len() as u32).to_be_bytes());
        for (start, end) in places {
            self.rrset.extend_from_slice(&((end - start) as u16).to_be_bytes());
            self.rrset.extend_from_slice(&folded[start..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::zone;
    use super::*;

    #[test]
    fn the_hash_of_a_content_never_changes() {
        let hash = ContentHash::of(&zone(1, &["www A 192.0.2.1", "@ MX 10 mail", "mail AAAA 2001:db8::1"]));
        assert_eq!(hash.to_string(), "1d10888df7e65c22ea713f05c7b047a8");
    }

    #[test]
    fn serial_order_and_letter_case_do_not_matter() {
        let of = |serial, lines: &[&str]| ContentHash::of(&zone(serial, lines));
        let hash = of(1, &["www A 192.0.2.1", "www A 192.0.2.2", "@ MX 10 mail.example."]);
        assert_eq!(hash, of(9, &["@ MX 10 MAIL.example.", "WWW A 192.0.2.2", "www A 192.0.2.1"]));
    }

    #[test]
    fn whatever_a_client_could_see_matters() {
        let of = |lines: &[&str]| ContentHash::of(&zone(1, lines));
        let all = [
            of(&["www 60 A 192.0.2.1"]),
            of(&["www 61 A 192.0.2.1"]),
            of(&["www 60 A 192.0.2.2"]),
            of(&["www 60 A 192.0.2.1", "www 60 A 192.0.2.2"]),
            of(&["ww 60 A 192.0.2.1"]),
            of(&["www 60 TXT a"]),
            of(&["www 60 TXT A"]),
            of(&["www 60 TXT a b"]),
            of(&["www 60 TXT a", "www 60 TXT b"]),
            of(&[]),
        ];
        for (at, hash) in all.iter().enumerate() {
            assert!(!all[..at].contains(hash), "{at}");
        }
    }
}
