//! May this client do that, how often, and which names concern nobody else.
//!
//! Given: addresses of clients, cookies, answers, the operator's lists, the time, secrets and keys drawn outside.
//! Must not know: how answers are found; no sockets, files or configuration text. RFC 4291 2.5.5.2 (mapped addresses),
//! RFC 7873 and 9018 (cookies), RFC 6052 and 6147 (DNS64), RFC 6303, 6761, 6762, 7686, 7793, 8375, 8880, 9462, 9476, 9665 (special names).

mod accounts;
pub mod acl;
mod client_limit;
mod client_network;
mod cookie;
pub mod dns64;
mod overlay;
mod rate_limit;
mod rebinding;
mod special_names;

pub use acl::{Access, AccessError, AccessOptions, Acl, AclOptions, TransferAccess};
pub use client_limit::{ClientLimit, ClientLimiter};
pub use client_network::ClientNetwork;
pub use cookie::{Cookie, CookieSecret, CookieSecrets};
pub use dns64::Nat64Prefix;
pub use overlay::{Ground, OverlayBuilder, OverlayError, Overlays};
pub use rate_limit::{RateLimit, RateLimiter, Told, Verdict};
pub use rebinding::RebindingGuard;
pub use special_names::SpecialNames;
