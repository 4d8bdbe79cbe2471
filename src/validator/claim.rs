//! Claims: what stands beside a denial, taken at its word. For those who choose what to ask next: what is to be believed says
//! [`validate()`](super::validate()) alone.

use crate::dns::{NameRef, Rrset};
use crate::dnssec::denial::check_nxdomain;
use crate::dnssec::{Denial, Evidence, Hashes};
use crate::limits;

/// Whether the signed NSEC or NSEC3 RRsets beside a signed SOA RRset prove that a name does not exist, provided that their
/// signatures are good. Then they prove the same of every name below it (RFC 8020 2): its closest encloser and its next
/// closer name are the same. An empty non-terminal has no such proof, whoever denies it; nor has a name that an opt-out span
/// may hide. Proofs that need more hashes than [`limits::DENIAL_BLOCKS_AT_ONCE`] allows count for nothing here.
pub fn would_prove_absence(name: NameRef<'_>, soa: &Rrset, proofs: &[Rrset]) -> bool {
    let signed = proofs.iter().filter(|rrset| rrset.is_signed());
    let evidence = Evidence::new(soa.owner.as_ref(), signed.map(|rrset| rrset.view()));
    let mut hashes = Hashes::within(limits::DENIAL_BLOCKS_AT_ONCE);
    soa.is_signed() && check_nxdomain(&evidence, name, &mut hashes) == Denial::Proven
}
