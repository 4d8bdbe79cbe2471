//! From what was resolved to whether it can be believed: trust anchors, chains of trust, proofs.
//!
//! Given: an answer with its task, trust anchors as records, the wall clock's reading. Must not know: sockets, clocks, files
//! (octets and text come in, text goes out; who reads and writes it is not asked).
//! RFC 4035 5 (validation), RFC 5155 8 (NSEC3), RFC 5011 (keeping trust anchors up to date), RFC 6840 (what was learnt),
//! RFC 7646 (negative trust anchors), RFC 9276 (NSEC3 iterations).

pub mod anchors;
pub mod options;
mod text;
pub mod tracking;
pub mod validate;

mod chain;
mod claim;
mod denial;
mod look;
mod positive;
mod walked;

#[cfg(test)]
mod tests;

pub use anchors::{Anchor, AnchorStore, Nearest, NegativeAnchor, TrustAnchors, UnfitAnchor};
pub use claim::would_prove_absence;
pub use options::{Mode, ValidationOptions};
pub use text::Damage;
pub use tracking::{Change, KeyState, Look, Tracking, ValidatedKeys};
pub use validate::{Validated, Validation, validate};
