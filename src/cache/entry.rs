//! One RRset as it is remembered: until when, how far it is believed, and where it came from.

use super::store::Key;
use crate::clock::{Age, Now};
use crate::dns::{Name, SharedRrset, Ttl};

/// How far data is believed by the place it was found in, least first (RFC 2181 5.4.1). The ranks above these, zone
/// files and transfers, never enter the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credibility {
    /// The additional section of any response.
    Additional,
    /// The authority section of a response without AA: the NS RRset of a referral; and the glue beside it.
    AuthorityNonAuth,
    /// What a forwarder said: good enough for the question it was asked, and for nothing that is built on it. Above all
    /// no address of a name server comes from here (MaginotDNS).
    Forwarded,
    /// The answer section of a response without AA, and what follows an alias in one with AA.
    AnswerNonAuth,
    /// The authority section of a response with AA.
    AuthorityAuth,
    /// The answer section of a response with AA.
    AnswerAuth,
}

/// What validation has said about data (RFC 4035 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// Not validated yet. Never given to a client that leaves checking to us while validation is on.
    Unchecked,
    /// There is no trust anchor to begin from.
    Indeterminate,
    /// Proven to lie below an unsigned delegation, or signed in ways nobody here can verify.
    Insecure,
    /// Validated from a trust anchor.
    Secure,
    /// Validation failed.
    Bogus,
}

impl Security {
    /// Whether validation has had its say, and nothing against it.
    pub fn is_good(self) -> bool {
        matches!(self, Security::Secure | Security::Insecure | Security::Indeterminate)
    }
}

/// An RRset on the shelf. It never changes; newer data is another entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The RRset, with the TTL it arrived with; [`Entry::ttl`] is the one to use.
    pub rrset: SharedRrset,
    /// From this moment on it is not fresh.
    pub expires: Age,
    /// How far it is believed.
    pub credibility: Credibility,
    /// The apex of the zone whose server said it.
    pub source_zone: Name,
    /// What validation has said.
    pub security: Security,
}

impl Entry {
    /// Whether it may still be used.
    pub fn is_fresh(&self, now: Now) -> bool {
        now.age < self.expires
    }

    /// What is left of its TTL; see [`remaining`].
    pub fn ttl(&self, now: Now) -> Ttl {
        remaining(self.expires, now)
    }

    pub(super) fn key(&self) -> Key<'_> {
        Key::rrset(self.rrset.owner.as_ref(), self.rrset.rr_type, self.rrset.class)
    }
}

/// Whole seconds from now to `expires`, rounded down: nobody downstream keeps data longer than we do, and in its last
/// second data is given out with TTL 0. Zero when `expires` is past.
pub fn remaining(expires: Age, now: Now) -> Ttl {
    Ttl::saturating(expires.since(now.age).as_secs())
}
