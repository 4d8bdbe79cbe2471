//! The mathematics of DNSSEC: whose signature covers an RRset, and what proves that something is not there.
//!
//! Given: names, RRsets and a zone's chain of NSEC or NSEC3 records. Must not know: whether we answer or validate, what
//! time it is, how a zone is kept.
//! RFC 4034 (keys, signatures, canonical form), RFC 4035 5.3 (verifying), RFC 3110, 5702, 6605 and 8080 (algorithms),
//! RFC 4035 3.1.3 (NSEC), RFC 5155 (NSEC3), RFC 6840 4 (what they may prove), RFC 9276 (NSEC3 parameters).

pub mod algorithms;
pub mod canonical;
pub mod denial;
pub mod keys;
pub mod nsec;
pub mod nsec3;
pub mod rrsig;
mod small_rsa;
#[cfg(test)]
#[path = "../../tests/support/signing.rs"]
pub(crate) mod testing;
pub mod verify;

pub use algorithms::{Accepted, Algorithm, DigestType};
pub use canonical::Canonical;
pub use denial::{Chain, ChainKind, Denial, Evidence, Hashes, Missing, NoDs, Proof};
pub use keys::{Dnskey, Ds, digest};
pub use nsec::{Nsec, TypeBitmap};
pub use nsec3::{Nsec3Params, OwnerHash};
pub use rrsig::{Period, Rrsig};
pub use verify::{Unverified, verify};
