//! What becomes of an answer that was sent to a client's network too often.

use super::begin::Local;
use super::{Packet, Snapshot};
use crate::clock::Now;
use crate::dns::{Answer, QuestionRef};
use crate::observe::{Source, Transport};
use crate::policy::{Cookie, Told, Verdict};

/// How a response goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outgo {
    /// As it is.
    Whole,
    /// Without records and with TC set: a true client comes back over TCP.
    Truncated,
    /// As BADCOOKIE: a true client comes back with the cookie it finds there (RFC 7873 5.2.3).
    BadCookie,
    /// Not at all.
    Silent,
}

/// Counts the answer, when it is one that is counted: over UDP, where a source address proves nothing, unless a cookie does
/// prove it. What recursion found is for those who may recurse, and is not counted; nor is what goes to this machine, whose
/// addresses nobody outside can pretend to have.
pub(super) fn outgo(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &Snapshot,
    counted: (&Answer<'_>, Source, Option<QuestionRef<'_>>),
    cookie: Cookie,
    now: Now,
) -> Outgo {
    let (answer, source, question) = counted;
    let is_counted = match source {
        Source::Authoritative | Source::Malformed | Source::Refused => true,
        // Special names are for those who may recurse too; a mail server asks for many private addresses.
        Source::Local => !snapshot.access.recursion.admits(packet.client.ip()),
        _ => false,
    };
    let Some(limit) = snapshot.options.rate_limit else { return Outgo::Whole };
    let is_proven = packet.transport != Transport::Udp || cookie == Cookie::Valid;
    if is_proven || !is_counted || packet.client.ip().to_canonical().is_loopback() {
        return Outgo::Whole;
    }
    let limit = limit.shared_by(local.workers);
    match local.limiter.take(limit, packet.client.ip(), Told::of(answer, question), now.tick) {
        Verdict::Send => Outgo::Whole,
        Verdict::Slip if cookie != Cookie::Absent => Outgo::BadCookie,
        Verdict::Slip => Outgo::Truncated,
        Verdict::Drop => Outgo::Silent,
    }
}
