//! The algorithm of RFC 1034 4.3.2 for a server without recursion: zones and a question give an [`Answer`].
//!
//! Given: the zones of a snapshot, a question, whether DNSSEC records are wanted. Must not know: clients,
//! caches, sockets, octets of messages. RFC 1034, 2308 (negative answers), 4592 (wildcards), 6672 (DNAME),
//! 8482 (ANY), 9471 (glue), 4035 3.1 and 5155 7.2 (signed zones).
//!
//! [`Answer`]: crate::dns::Answer

mod additional;
mod alias;
mod answer;
mod any;
mod negative;
mod referral;
mod wildcard;

pub use answer::{Verdict, answer, zone_for};

#[cfg(test)]
mod tests;
