//! The records of a zone that came with an answer, as far as they can prove something.

use super::super::nsec::{Nsec, TypeBitmap};
use super::super::nsec3::{Nsec3, OwnerHash};
use crate::dns::{NameRef, RrType, RrsetRef};
use crate::limits;

/// Validated NSEC or NSEC3 RRsets of one zone.
///
/// What stands in here was checked:
/// - owners and next names are in the zone, and those of NSEC3 right below its apex, with a hash as first label;
/// - an NSEC's next name comes after its owner, unless it is the apex;
/// - all NSEC3 have the same parameters;
/// - no owner name was made of a wildcard, as far as its signatures tell.
pub struct Evidence<'a> {
    pub(super) apex: NameRef<'a>,
    pub(super) nsecs: Vec<NsecSpan<'a>>,
    pub(super) nsec3s: Vec<Nsec3Span<'a>>,
    pub(super) hashing: Hashing<'a>,
}

/// An NSEC record with its owner: nothing exists between that and the next name, empty non-terminals apart.
pub(super) struct NsecSpan<'a> {
    pub(super) owner: NameRef<'a>,
    pub(super) next: NameRef<'a>,
    pub(super) types: TypeBitmap<'a>,
}

/// An NSEC3 record with its owner: no name of the chain has a hash between the two.
pub(super) struct Nsec3Span<'a> {
    pub(super) owner: OwnerHash,
    pub(super) next: OwnerHash,
    pub(super) opt_out: bool,
    pub(super) types: TypeBitmap<'a>,
}

/// The parameters of all NSEC3 records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing<'a> {
    /// There is no such record.
    None,
    With {
        iterations: u16,
        salt: &'a [u8],
    },
    /// They differ.
    Mixed,
}

impl<'a> Evidence<'a> {
    /// Takes the NSEC and NSEC3 RRsets whose signatures by the keys of the zone `apex` are good; ignores what cannot prove
    /// anything, and what is more than [`limits::DENIAL_RRSETS`].
    pub fn new(apex: NameRef<'a>, rrsets: impl IntoIterator<Item = RrsetRef<'a>>) -> Evidence<'a> {
        let mut evidence = Evidence { apex, nsecs: Vec::new(), nsec3s: Vec::new(), hashing: Hashing::None };
        for rrset in rrsets.into_iter().take(limits::DENIAL_RRSETS) {
            // RFC 4034 4 and RFC 5155 7.1: a name has one record in a chain.
            let mut records = rrset.records.iter();
            let (Some(rdata), None) = (records.next(), records.next()) else { continue };
            if is_of_wildcard(rrset, apex) {
                continue;
            }
            match rrset.rr_type {
                RrType::NSEC => evidence.push_nsec(rrset.owner, rdata),
                RrType::NSEC3 => evidence.push_nsec3(rrset.owner, rdata),
                _ => None,
            };
        }
        evidence
    }

    fn push_nsec(&mut self, owner: NameRef<'a>, rdata: &'a [u8]) -> Option<()> {
        let Nsec { next, types } = Nsec::read(rdata)?;
        let is_in_zone = owner.is_at_or_below(self.apex) && next.is_at_or_below(self.apex);
        let is_in_order = next == self.apex || owner < next;
        (is_in_zone && is_in_order).then(|| self.nsecs.push(NsecSpan { owner, next, types }))
    }

    fn push_nsec3(&mut self, owner: NameRef<'a>, rdata: &'a [u8]) -> Option<()> {
        let Nsec3 { opt_out, iterations, salt, next, types } = Nsec3::read(rdata)?;
        (owner.parent()? == self.apex).then_some(())?;
        let owner = OwnerHash::from_label(owner.first_label()?)?;
        let hashing = Hashing::With { iterations, salt };
        self.hashing = match self.hashing {
            Hashing::None => hashing,
            known if known == hashing => known,
            _ => Hashing::Mixed,
        };
        self.nsec3s.push(Nsec3Span { owner, next, opt_out, types });
        Some(())
    }
}

impl NsecSpan<'_> {
    /// Whether a name lies between the owner and the next name.
    pub(super) fn covers(&self, name: NameRef<'_>, apex: NameRef<'_>) -> bool {
        // RFC 4034 4.1.1: the last NSEC leads back to the apex.
        self.owner < name && (name < self.next || self.next == apex)
    }

    /// The longest ancestor of a name in the span that this record shows to exist (RFC 4035 5.4): owner and next name exist,
    /// and so do the names above them.
    pub(super) fn closest_encloser<'n>(&self, name: NameRef<'n>) -> NameRef<'n> {
        name.trim_to(name.common_labels(self.owner).max(name.common_labels(self.next)))
    }
}

impl Nsec3Span<'_> {
    /// Whether a hash lies between that of the owner and the next one.
    pub(super) fn covers(&self, hash: OwnerHash) -> bool {
        if self.owner < self.next {
            self.owner < hash && hash < self.next
        } else {
            // RFC 5155 3.1.7: the last leads back to the first; a chain of one record to itself.
            self.owner < hash || hash < self.next
        }
    }
}

/// Whether no signature of an RRset is of this zone and of the owner as it stands: then the owner was made of a wildcard, and
/// says nothing of what is around it (RFC 4035 5.3.4). One without signatures was checked where they were.
fn is_of_wildcard(rrset: RrsetRef<'_>, apex: NameRef<'_>) -> bool {
    // RFC 4034 3.1.3: the asterisk is not counted.
    let labels = rrset.owner.label_count() - usize::from(rrset.owner.is_wildcard());
    let is_of_owner = |rdata: &[u8]| {
        let signer = rdata.get(18..).and_then(|rest| NameRef::split_from(rest).ok());
        rdata.get(3).is_some_and(|count| usize::from(*count) == labels)
            && signer.is_some_and(|(signer, _)| signer == apex)
    };
    !rrset.signatures.is_empty() && !rrset.signatures.iter().any(is_of_owner)
}
