//! What we have learnt: answers, RRsets, delegations, failures, and how servers behave.
//!
//! Given: values and `Now`. Must not know: who asks, how things are fetched; no clock is read here.
//! RFC 1034 5.3.3, RFC 2181 5.4.1 (credibility) and 8 (TTL), RFC 2308 (negative answers), RFC 8767 (stale
//! answers), RFC 9520 (failures), RFC 8198 (what denials say of other names).

pub mod answers;
pub mod delegations;
pub mod denials;
pub mod dump;
pub mod entry;
pub mod failures;
pub mod inspect;
pub mod rrsets;
pub mod servers;
pub mod synthesis;

// The file is named after its one type, as everywhere.
#[allow(clippy::module_inception)]
mod cache;
mod store;
mod table;
mod window;

pub use answers::{CachedAnswer, CachedRrset, Kind, NewAnswer};
pub use cache::{Cache, CacheOptions, Lookup, NotCached, Usage};
pub use delegations::{Delegation, LearntFrom, NameServer, NewDelegation};
pub use denials::Proven;
pub use dump::{DumpPlace, Loaded};
pub use entry::{Credibility, Entry, Security, remaining};
pub use inspect::{Chosen, Known};
pub use rrsets::NewRrset;
pub use servers::{EdnsAbility, Server, Servers};
pub use synthesis::Terms;
