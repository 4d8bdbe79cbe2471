//! The real binary on loopback, through its front door.

mod access_log;
mod answering;
mod broken_files;
mod cache;
mod chance;
mod changing_root;
mod check;
mod control;
mod dig;
mod dns;
mod doors;
mod editing;
mod explain;
mod faults;
mod forward;
mod fragments;
mod internet;
mod namespace;
mod namu;
mod peers;
mod query;
mod recursion;
mod relay;
mod reload;
mod resolv_conf;
mod rollover;
mod signed;
mod signed_internet;
mod signing;
#[path = "../support/signing.rs"]
mod signing_keys;
mod start;
mod transfer;
mod upstream_faults;
mod versions;
mod zone_fmt;
