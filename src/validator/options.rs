//! Options of validation.

use crate::dnssec::Accepted;

/// Options of validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationOptions {
    /// What becomes of what does not validate.
    pub mode: Mode,
    /// Which algorithms and digests count; what has no others is insecure.
    pub accepted: Accepted,
    /// Whether validated NSEC and NSEC3 records answer further questions (RFC 8198).
    pub aggressive: bool,
    /// Whether zones with trust anchors are told which ones are in use (RFC 8145).
    pub signaling: bool,
}

impl Default for ValidationOptions {
    fn default() -> ValidationOptions {
        ValidationOptions {
            mode: Mode::Enforce,
            accepted: Accepted { sha1: false },
            aggressive: true,
            signaling: true,
        }
    }
}

/// What becomes of what does not validate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is validated.
    None,
    /// It is written down and given out.
    Log,
    /// It is not given out.
    Enforce,
}
