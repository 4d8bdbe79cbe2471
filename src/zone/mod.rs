//! What we are authoritative for: zones as immutable versions, and the table that finds the zone of a name.
//!
//! Given: records one by one, each with a mark that says where it came from. Must not know: clients, files, sockets.
//! RFC 1034 4.2 and 4.3 (zones, cuts), RFC 2181 5 and 10 (RRsets, CNAME), RFC 4592 (wildcards, empty
//! non-terminals), RFC 6672 (DNAME), RFC 5155 7.2.8 (owners of NSEC3).
//!
//! [`ZoneBuilder`] takes records in any order, checks them and makes a [`Zone`]: a [`NameTree`] that has a SOA. The tree is
//! persistent. Its pages hold some 64 owner names each, in canonical order, as ready octets (`packed`, `page`); `order`
//! lists the pages, `index` finds the page of a name by hash, and `sequence` lets versions share what did not change.

mod builder;
mod bulk;
mod changeset;
mod check;
mod content_hash;
mod denial;
mod edit;
#[cfg(test)]
mod history_twin;
mod index;
pub mod journal;
mod journal_v1;
mod merge;
mod node;
mod order;
mod packed;
mod page;
mod rebuild;
mod rrset_run;
mod sequence;
mod table;
#[cfg(test)]
mod testing;
mod tree;
#[cfg(test)]
mod twin;
#[allow(clippy::module_inception)]
mod zone;

pub use builder::{Built, ZoneBuilder};
pub use changeset::{Change, Changeset, Mismatch, Summary};
pub use check::{Advice, Findings, Problem, ZoneError};
pub use content_hash::ContentHash;
pub use denial::DenialChain;
pub use journal::{Cause, Held, Journal, NotHeld, NotReadable, Version};
pub use node::{Node, NodeKind};
pub use table::{ZoneEntry, ZoneTable};
pub use tree::{Found, NameTree};
pub use zone::Zone;
