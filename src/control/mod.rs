//! Ways to reach a running house: commands in, replies out.
//!
//! Given: a handle of the house. Must not know: what a command does; zones, caches, doors.
//!
//! The way is a Unix socket. Who may connect is said by its mode and its folder, so nothing on it is encrypted and nobody
//! signs in. Both sides speak one JSON object a line; see [`protocol`].

pub mod client;
pub mod place;
pub mod protocol;
mod socket;

pub use client::{Client, Unreachable};
pub use socket::open;
