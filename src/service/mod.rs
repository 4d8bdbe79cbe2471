//! One request in, one response out: the only room that sees authority, resolver, validator and policy together.
//!
//! Given: octets of a request, a snapshot of what is served, the time. Must not know: sockets, files,
//! configuration text. RFC 1035, 6891, 7766, 8906 (what every request deserves), 8914, 4892 and 5001 (identity).
//! RFC 7873 (cookies), 7314, 9660 (of the zone), 5936, 1995 (transfers).

mod begin;
mod complete;
mod explain;
mod finish;
mod here;
mod identity;
mod limit;
mod recurse;
mod request;
mod route;
mod snapshot;
#[cfg(test)]
mod tests;
mod transfer;
mod visibility;
mod waiting;

pub use begin::{Begin, Local, begin, recover};
pub use complete::complete;
pub use explain::{Explained, explain};
pub use identity::{Identity, Version};
pub use request::{Packet, Replies, Request};
pub use snapshot::{Published, Reader, RrsetOrder, ServeOptions, Snapshot};
pub use visibility::Visibility;
pub use waiting::Waiting;
