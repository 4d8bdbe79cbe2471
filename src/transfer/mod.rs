//! Zone transfers as message machines: which messages, in which order, and how many at once.
//!
//! Given: one version of a zone, the head of a response, the address of a peer. Must not know: sockets, timers, who may
//! transfer. RFC 5936 (AXFR), RFC 1995 (IXFR, as far as a server without history answers it).

mod incremental;
mod outgoing;
mod quota;

pub use incremental::serial_of_client;
pub use outgoing::{Outgoing, Progress};
pub use quota::{Place, Quota};
