//! The operator's file: YAML in, typed options or all its mistakes out.
//!
//! Given: the octets of a file. Must not know: running state, sockets, clocks; what the options do.
//! A file is read in four steps, each in a file of its own: `outline` (where everything stands), `check` (keys
//! before their feature), `file` (serde_yaml fills the tree of `config`), `check` again (names that refer to others).

pub mod answering;
pub mod check;
mod check_upstreams;
#[allow(clippy::module_inception)]
pub mod config;
pub mod control;
pub mod file;
mod forwarding;
mod outline;
pub mod plan;
pub mod resolving;
mod source;
#[cfg(test)]
mod tests;
mod traps;
pub mod validating;
pub mod versions;

pub use answering::{RateLimitOptions, ResponseLimit, ServerName, SpecialZones, VersionBind};
pub use config::{
    AccessLogOptions, Config, ListenOptions, LogFormat, LogLevel, LogOptions, Output, RrsetOrder,
    ServerOptions, Workers, ZoneOptions, ZoneType,
};
pub use control::{ControlOptions, ControlSocket};
pub use forwarding::{Base, Dns64Prefix, PrivateNetworks, ResolverMode, Server, UpstreamStrategy};
pub use plan::Plan;
pub use resolving::{CacheOptions, Ipv6, NeverQuery, QnameMinimization, ResolverOptions, RootHints};
pub use validating::{
    DnssecSha1, NegativeTrustAnchor, NegativeTrustAnchors, TrustAnchors, Validation, ZoneTrustAnchor,
};
pub use versions::{JournalSize, MaxRemoved, SerialPolicy};
