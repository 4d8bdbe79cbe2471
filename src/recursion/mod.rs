//! One question, from flight to cache.
//!
//! Given: questions, the cache, the window to the world. Must not know: clients, sockets, clocks. It is the only writer
//! of the cache. RFC 2308 (negative answers), RFC 5452 5 (one question under way at a time), RFC 8767
//! (stale answers), RFC 9520 (failures), RFC 8198 (answers made of proofs), RFC 8509 and RFC 8145 (what the world may know
//! of trust anchors).

pub mod cached;
pub mod coalesce;
pub mod flight;
mod keys;
mod referral;
pub mod refresh;
pub mod resolved;
mod sentinel;
mod synthesised;
mod telling;
#[cfg(test)]
pub(crate) mod testing;
mod verdicts;

#[cfg(test)]
mod tests;

pub use cached::{Cached, Checking, Wants};
pub use flight::Recursion;
pub use resolved::{Resolved, told_id};
