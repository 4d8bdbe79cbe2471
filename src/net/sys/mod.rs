//! The system calls no package offers in the shape we need: the only room with `unsafe`.
//!
//! Given: sockets and octets. Must not know: DNS. RFC 3542 (control messages).

#![allow(unsafe_code)]

pub mod batch;
pub mod control_message;
pub mod poll;
pub mod process;
pub mod socket;
