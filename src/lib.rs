//! namu: an authoritative and recursive DNS server.
//!
//! One group of modules a floor; a room imports only from floors below it. `tests/tidy.rs` is the wall.

// Tests take in files that integration tests share, which name the library from outside.
#[cfg(test)]
extern crate self as namu;

// Floor 0: the nouns.
pub mod clock;
pub mod diagnostic;
pub mod dns;
pub mod limits;
pub mod options;

// Floor 1: octets and text to nouns and back.
pub mod dnssec;
pub mod wire;
pub mod zonefile;

// Floor 2: what is served, learnt and written down.
pub mod cache;
pub mod observe;
pub mod zone;

// Floor 3: the engines, and who may use them.
pub mod authority;
pub mod policy;
pub mod resolver;
pub mod transfer;

// Floor 3b: what can be believed.
pub mod validator;

// Floor 3c: one question, from flight to cache.
pub mod recursion;

// Floor 4: one request in, one response out.
pub mod service;

// Floor 5: doors and roads.
pub mod net;

// Floor 6: the operator's file.
pub mod config;

// Floor 7: the housekeeper.
pub mod daemon;

// Floor 8: ways to reach a running house.
pub mod control;

// Floor 9: what a person types.
pub mod cli;
