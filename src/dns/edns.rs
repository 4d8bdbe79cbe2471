//! Extension mechanisms (RFC 6891) and extended errors (RFC 8914).

use std::borrow::Cow;
use std::fmt;

/// What the OPT record of a message says, without its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns {
    /// Largest UDP payload the sender takes. Below 512 counts as 512 (RFC 6891 6.2.3).
    pub udp_payload_size: u16,
    /// Only version 0 exists.
    pub version: u8,
    /// The DO bit (RFC 3225): send DNSSEC records.
    pub dnssec_ok: bool,
}

/// Codes of EDNS options (IANA registry).
#[allow(missing_docs)]
pub mod option {
    pub const NSID: u16 = 3;
    pub const EXPIRE: u16 = 9;
    pub const COOKIE: u16 = 10;
    pub const EXTENDED_ERROR: u16 = 15;
    pub const ZONEVERSION: u16 = 19;
}

/// INFO-CODE of an extended error (RFC 8914 section 4 and the IANA registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u16);

#[allow(missing_docs)]
impl ErrorCode {
    pub const OTHER: ErrorCode = ErrorCode(0);
    pub const UNSUPPORTED_DNSKEY_ALGORITHM: ErrorCode = ErrorCode(1);
    pub const UNSUPPORTED_DS_DIGEST_TYPE: ErrorCode = ErrorCode(2);
    pub const STALE_ANSWER: ErrorCode = ErrorCode(3);
    pub const DNSSEC_INDETERMINATE: ErrorCode = ErrorCode(5);
    pub const DNSSEC_BOGUS: ErrorCode = ErrorCode(6);
    pub const SIGNATURE_EXPIRED: ErrorCode = ErrorCode(7);
    pub const SIGNATURE_NOT_YET_VALID: ErrorCode = ErrorCode(8);
    pub const DNSKEY_MISSING: ErrorCode = ErrorCode(9);
    pub const RRSIGS_MISSING: ErrorCode = ErrorCode(10);
    pub const NO_ZONE_KEY_BIT_SET: ErrorCode = ErrorCode(11);
    pub const NSEC_MISSING: ErrorCode = ErrorCode(12);
    pub const CACHED_ERROR: ErrorCode = ErrorCode(13);
    pub const NOT_READY: ErrorCode = ErrorCode(14);
    pub const BLOCKED: ErrorCode = ErrorCode(15);
    pub const PROHIBITED: ErrorCode = ErrorCode(18);
    pub const STALE_NXDOMAIN_ANSWER: ErrorCode = ErrorCode(19);
    pub const NOT_AUTHORITATIVE: ErrorCode = ErrorCode(20);
    pub const NOT_SUPPORTED: ErrorCode = ErrorCode(21);
    pub const NO_REACHABLE_AUTHORITY: ErrorCode = ErrorCode(22);
    pub const NETWORK_ERROR: ErrorCode = ErrorCode(23);
    pub const INVALID_DATA: ErrorCode = ErrorCode(24);
    pub const UNSUPPORTED_NSEC3_ITERATIONS: ErrorCode = ErrorCode(27);
    pub const NEGATIVE_TRUST_ANCHOR: ErrorCode = ErrorCode(33);
}

impl ErrorCode {
    /// Whether it tells of DNSSEC validation.
    pub fn is_of_validation(self) -> bool {
        matches!(self.0, 1 | 2 | 5..=12 | 27)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An extended error: a code and a text for the person who reads `dig`'s output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedError {
    /// INFO-CODE.
    pub code: ErrorCode,
    /// EXTRA-TEXT, often empty.
    pub text: Cow<'static, str>,
}

impl ExtendedError {
    /// An error with a fixed text.
    pub const fn new(code: ErrorCode, text: &'static str) -> ExtendedError {
        ExtendedError { code, text: Cow::Borrowed(text) }
    }
}
