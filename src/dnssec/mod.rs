//! The mathematics of DNSSEC: what proves that something is not there.
//!
//! Given: names, RRsets and a zone's chain of NSEC or NSEC3 records. Must not know: whether we answer or validate, what
//! time it is, how a zone is kept.
//! RFC 4035 3.1.3 (NSEC), RFC 5155 (NSEC3), RFC 6840 4 (what they may prove), RFC 9276 (NSEC3 parameters).

pub mod denial;
pub mod nsec;
pub mod nsec3;

pub use denial::{Chain, ChainKind, Proof};
pub use nsec3::{Nsec3Params, OwnerHash};
