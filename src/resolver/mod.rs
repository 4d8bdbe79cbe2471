//! From the root to the answer: iterative resolution over the `World` window.
//!
//! Given: a question, a task with its budget, what the cache knows, what stands here (`Here`), who was named in place of
//! the tree (`Upstreams`). Must not know: sockets, clocks, chance (they come
//! through `World`), how zones are kept, validation; it reads the cache and writes nothing but a server's own record.
//! RFC 1034 5.3.3 (the algorithm), RFC 2181 5.4 (what to believe), RFC 2308 (negative answers), RFC 5452 (matching
//! replies), RFC 6672 (DNAME), RFC 6891 (EDNS), RFC 8020 (NXDOMAIN), RFC 9156 (QNAME minimisation),
//! RFC 9520 (failures), RFC 9609 (priming).

pub mod budget;
pub mod failure;
pub mod here;
pub mod known;
pub mod options;
pub mod resolve;
pub mod root_hints;
pub mod task;
pub mod upstreams;
pub mod world;

mod addresses;
mod alias;
mod choose;
mod classify;
mod delegation;
mod exchange;
mod forward;
mod iterate;
mod minimise;
mod prime;
mod reply;
mod round;
mod scrub;

#[cfg(test)]
pub(crate) mod testing;

pub use budget::{Budget, Limit};
pub use classify::End;
pub use failure::{Failure, Tried};
pub use here::{Here, Said, stands_here};
pub use options::{Minimisation, NeverQuery, ResolverOptions};
pub use resolve::{Leg, Origin, Resolution, resolve};
pub use root_hints::RootHints;
pub use task::{Aim, FlightId, Flights, Landing, Resolver, Task, facts};
pub use upstreams::{Strategy, UpstreamKind, UpstreamZone, Upstreams};
pub use world::{DatagramFlight, NoReply, World};
