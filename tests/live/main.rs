//! The real binary on loopback, through its front door.

mod access_log;
mod answering;
mod broken_files;
mod check;
mod control;
mod dig;
mod dns;
mod doors;
mod editing;
mod explain;
mod faults;
mod forward;
mod internet;
mod namespace;
mod namu;
mod peers;
mod query;
mod recursion;
mod relay;
mod reload;
mod resolv_conf;
mod start;
mod transfer;
mod upstream_faults;
mod versions;
mod zone_fmt;
