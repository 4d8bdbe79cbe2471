//! Trust anchors that follow their zone (RFC 5011): a key that a trusted one vouches for long enough is trusted too, and one
//! that revokes itself is not trusted any more.
//!
//! ```text
//!            seen             seen throughout the hold-down
//!   (Start) ------> AddPend ------------------------------> Valid <----> Missing
//!      ^               |                                      |  not seen   |
//!      |   not seen    |                     revokes itself   v             v
//!      +---------------+-----------------------------------> Revoked <------+ ----> Removed
//!                                                                  after a while
//! ```
//! A configured key is valid from the moment it is seen. The table is that of RFC 5011 4.1, and in one place stricter: a
//! pending key that revokes itself is not forgotten but revoked, so that it cannot begin anew (2.1).

use std::fmt;
use std::time::Duration;

use super::anchors::{Anchor, TrustAnchors};
use crate::clock::Unix;
use crate::dns::{Name, Ttl};
use crate::dnssec::{Dnskey, Ds};
use crate::limits;

/// What a look at the keys of a zone brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Its DNSKEY RRset, when a trust anchor that is not revoked validates it; none when it could not be had or is
    /// bogus.
    pub validated: Option<ValidatedKeys>,
    /// RDATA of the keys that have REVOKE set and signed the RRset. That is enough to revoke them, whether or not
    /// something validates the RRset (RFC 5011 2.1).
    pub revoked: Vec<Box<[u8]>>,
}

/// A DNSKEY RRset that was validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedKeys {
    /// RDATA of all its records.
    pub keys: Vec<Box<[u8]>>,
    /// RDATA of those of them that are trust anchors and signed it.
    pub signers: Vec<Box<[u8]>>,
    /// Its original TTL.
    pub ttl: Ttl,
    /// When the first of its signatures expires.
    pub expires: Unix,
}

/// The trust points that are followed, and what is known of their keys. All times are those of the wall clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tracking {
    pub(super) points: Vec<Point>,
}

/// In place of a time.
pub(super) const NEVER: u64 = u64::MAX;

/// One zone with configured trust anchors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) configured: Anchor,
    pub(super) keys: Vec<TrackedKey>,
    /// When to look at it next, in seconds; [`NEVER`] when it has no trust anchor left.
    pub(super) next: u64,
    /// The smaller of TTL and time to the expiry of signatures, at the last look that brought something; in seconds.
    pub(super) window: u64,
}

/// A key that was seen.
///
/// Invariant: its REVOKE flag is clear, so that a revoked key is found as the one it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TrackedKey {
    pub(super) rdata: Box<[u8]>,
    pub(super) state: KeyState,
    /// When it came to be in that state, in seconds.
    pub(super) since: u64,
    /// Of a pending key: when it may be trusted.
    pub(super) until: u64,
    /// Of a pending key: the tags of the trusted keys that had signed when it was seen first. Empty when that is not known.
    pub(super) by: Vec<u16>,
}

/// The states of RFC 5011 4.2. `Start` is that of keys that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Seen, and not yet trusted.
    AddPend,
    /// Trusted.
    Valid,
    /// Trusted, though its zone did not have it lately.
    Missing,
    /// Never trusted again.
    Revoked,
    /// The same, for so long that it is of no interest.
    Removed,
}

impl KeyState {
    /// All of them.
    pub(super) const ALL: [KeyState; 5] =
        [KeyState::AddPend, KeyState::Valid, KeyState::Missing, KeyState::Revoked, KeyState::Removed];

    /// As it stands in metrics and in the file.
    pub fn word(self) -> &'static str {
        match self {
            KeyState::AddPend => "addpend",
            KeyState::Valid => "valid",
            KeyState::Missing => "missing",
            KeyState::Revoked => "revoked",
            KeyState::Removed => "removed",
        }
    }

    fn is_trusted(self) -> bool {
        matches!(self, KeyState::Valid | KeyState::Missing)
    }

    fn is_over(self) -> bool {
        matches!(self, KeyState::Revoked | KeyState::Removed)
    }
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The zone.
    pub apex: Name,
    /// The tag it has while it is not revoked.
    pub key_tag: u16,
    /// Its state before; none when it was not known.
    pub before: Option<KeyState>,
    /// Its state now; none when it is forgotten.
    pub after: Option<KeyState>,
    /// Of a key that is new: how long it has to be there.
    pub hold_down: Duration,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trust anchor {}: key {} ", self.apex, self.key_tag)?;
        let what = match (self.before, self.after) {
            (None, Some(KeyState::Valid)) => "is there as configured",
            (_, Some(KeyState::AddPend)) => {
                let days = self.hold_down.as_secs().div_ceil(86_400);
                return write!(f, "is new; it is trusted when it has been there for {days} days");
            }
            (Some(KeyState::AddPend), Some(KeyState::Valid)) => {
                "has been there for long enough: it is trusted"
            }
            (_, Some(KeyState::Valid)) => "is there again",
            (_, Some(KeyState::Missing)) => "is not there any more; it stays trusted",
            (_, Some(KeyState::Revoked)) => "revoked itself: it is not trusted any more",
            (_, Some(KeyState::Removed)) => "was revoked long ago: it is not followed any more",
            (_, None) => {
                "is forgotten before it was trusted: it went away, or all keys that vouched for it are revoked"
            }
        };
        f.write_str(what)
    }
}

impl Tracking {
    /// Follows the configured trust anchors, of which nothing is known yet.
    pub fn new(configured: &TrustAnchors, now: Unix) -> Tracking {
        let point =
            |configured: Anchor| Point { configured, keys: Vec::new(), next: now.seconds(), window: 0 };
        Tracking { points: configured.anchors().iter().cloned().map(point).collect() }
    }

    /// Follows the configured trust anchors with what `saved` knows of them. What is configured counts: of a zone whose
    /// trust anchors are not those `saved` began with, nothing is taken but which of them are revoked. The second value
    /// names those zones, and those that are not configured any more.
    pub fn resume(saved: Tracking, configured: &TrustAnchors, now: Unix) -> (Tracking, Vec<Name>) {
        let mut tracking = Tracking::new(configured, now);
        let mut dropped = Vec::new();
        for point in saved.points {
            match tracking.points.iter_mut().find(|own| own.configured.apex == point.configured.apex) {
                Some(own) if is_same(&own.configured, &point.configured) => *own = point,
                own => {
                    dropped.push(point.configured.apex);
                    if let Some(own) = own {
                        own.take_revoked(point.keys);
                    }
                }
            }
        }
        (tracking, dropped)
    }

    /// Takes what a look at a zone brought; a look that brought nothing is taken too. Returns what changed.
    pub fn take(&mut self, apex: &Name, look: &Look, now: Unix) -> Vec<Change> {
        let Some(point) = self.points.iter_mut().find(|point| point.configured.apex == *apex) else {
            return Vec::new();
        };
        let (before, now) = (point.keys.clone(), now.seconds());
        point.revoke(&look.revoked, now);
        point.forget_those_vouched_for_by_revoked();
        let mut changes = point.changes_since(&before);
        let before = point.keys.clone();
        if let Some(validated) = &look.validated {
            point.compare(validated, now);
        }
        point.end_remove_hold_down(now);
        point.plan(look.validated.as_ref(), now);
        changes.extend(point.changes_since(&before));
        changes
    }

    /// The trust anchors to use: those configured and those learnt, without the revoked ones. A zone all of whose trust
    /// anchors are revoked has none, as if it had never been configured (RFC 5011 5).
    pub fn anchors(&self) -> TrustAnchors {
        TrustAnchors::of(self.points.iter().map(|point| point.anchor()))
    }

    /// A look at a zone begins. Unless it brings something, the next is after the time for a retry.
    pub fn begin(&mut self, apex: &Name, now: Unix) {
        let now = now.seconds();
        if let Some(point) = self.points.iter_mut().find(|point| point.configured.apex == *apex) {
            point.next = now.saturating_add(wait(point.window / 10, limits::ANCHOR_RETRY_MOST));
        }
    }

    /// The zones to look at now.
    pub fn due(&self, now: Unix) -> impl Iterator<Item = &Name> {
        let due = move |point: &&Point| point.wait(now.seconds()).is_zero();
        self.points.iter().filter(due).map(|point| &point.configured.apex)
    }

    /// How long there is nothing to look at; none when there never is.
    pub fn wait(&self, now: Unix) -> Option<Duration> {
        let waits = self.points.iter().map(|point| point.wait(now.seconds()));
        waits.min().filter(|wait| *wait != Duration::MAX)
    }

    /// The zones that have none of the configured keys any more, each with the tags of those that are trusted instead.
    pub fn rolled_over(&self) -> impl Iterator<Item = (&Name, Vec<u16>)> {
        self.points.iter().filter_map(|point| {
            let (configured, learnt): (Vec<_>, Vec<_>) =
                point.keys.iter().partition(|key| point.is_configured(&key.rdata));
            let is_gone = configured.iter().all(|key| key.state != KeyState::Valid);
            let learnt = learnt.into_iter().filter(|key| key.state.is_trusted());
            let learnt: Vec<u16> = learnt.map(|key| key_tag(&key.rdata)).collect();
            (is_gone && !learnt.is_empty()).then_some((&point.configured.apex, learnt))
        })
    }

    /// Zone, key tag and state of every key that is known.
    pub fn keys(&self) -> impl Iterator<Item = (&Name, u16, KeyState)> {
        let keys = self.points.iter().flat_map(|point| point.keys.iter().map(move |key| (point, key)));
        keys.map(|(point, key)| (&point.configured.apex, key_tag(&key.rdata), key.state))
    }
}

impl Point {
    /// RFC 5011 4.2: a revoked key is no trust anchor ever again, though it be configured anew.
    fn take_revoked(&mut self, known: Vec<TrackedKey>) {
        let revoked = known.into_iter().filter(|key| key.state.is_over());
        let revoked: Vec<TrackedKey> = revoked.filter(|key| self.is_configured(&key.rdata)).collect();
        self.keys.extend(revoked);
    }

    /// Every key known here that revokes itself is not trusted from now on. Others would only take room.
    fn revoke(&mut self, revoked: &[Box<[u8]>], now: u64) {
        for rdata in revoked.iter().filter(|rdata| is_revoked(rdata)) {
            let rdata = without_revoke(rdata);
            match self.keys.iter().position(|key| key.rdata == rdata) {
                Some(place) if self.keys[place].state.is_over() => {}
                Some(place) => self.keys[place].enter(KeyState::Revoked, now),
                None if self.is_configured(&rdata) => {
                    self.keys.push(TrackedKey::new(rdata, KeyState::Revoked, now));
                }
                None => {}
            }
        }
    }

    /// RFC 5011 2.2: the time of a pending key ends when all keys that validated it at first are revoked. If others vouch
    /// for it, it begins anew.
    fn forget_those_vouched_for_by_revoked(&mut self) {
        let is_over = |tag: &u16| {
            // Who makes a key may choose its tag, also that of the key that vouches for it.
            let is_of_tag = |key: &&TrackedKey| key.state != KeyState::AddPend && key_tag(&key.rdata) == *tag;
            let mut of_tag = self.keys.iter().filter(is_of_tag).peekable();
            of_tag.peek().is_some() && of_tag.all(|key| key.state.is_over())
        };
        let is_lost = |key: &TrackedKey| {
            key.state == KeyState::AddPend && !key.by.is_empty() && key.by.iter().all(is_over)
        };
        let lost: Vec<bool> = self.keys.iter().map(is_lost).collect();
        let mut lost = lost.into_iter();
        self.keys.retain(|_| !lost.next().unwrap_or(false));
    }

    /// What is there and what is not.
    fn compare(&mut self, validated: &ValidatedKeys, now: u64) {
        let hold_down = limits::ADD_HOLD_DOWN.as_secs().max(validated.ttl.seconds().into());
        let is_there = |key: &TrackedKey| validated.keys.contains(&key.rdata);
        // RFC 5011 2.2: a pending key that is not there once begins anew.
        self.keys.retain(|key| key.state != KeyState::AddPend || is_there(key));
        for key in &mut self.keys {
            match (key.state, is_there(key)) {
                // The clock was set back: how long the key has been there is not known.
                (KeyState::AddPend, true) if now < key.since => key.hold(now, hold_down),
                // RFC 5011 2.2: not when the time is over, but when the key is seen after it.
                (KeyState::AddPend, true) if key.until <= now => key.enter(KeyState::Valid, now),
                (KeyState::Missing, true) => key.enter(KeyState::Valid, now),
                (KeyState::Valid, false) => key.enter(KeyState::Missing, now),
                _ => {}
            }
        }
        let mut strangers = Vec::new();
        for rdata in &validated.keys {
            if is_acceptable(rdata) && !self.keys.iter().any(|key| key.rdata == *rdata) {
                match self.is_configured(rdata) {
                    true => self.keys.push(TrackedKey::new(rdata.clone(), KeyState::Valid, now)),
                    false => strangers.push(rdata),
                }
            }
        }
        let by = self.trusted_of(&validated.signers);
        strangers.into_iter().for_each(|rdata| self.meet(rdata, now, hold_down, &by));
    }

    /// A key that is not configured is seen for the first time.
    fn meet(&mut self, rdata: &[u8], now: u64, hold_down: u64, by: &[u16]) {
        let is_known = self.keys.iter().any(|key| *key.rdata == *rdata);
        // RFC 5011 3: only keys with the SEP bit may become trust anchors.
        if !is_known && Dnskey::parse(rdata).is_some_and(|key| key.is_sep()) && self.make_room() {
            let mut key = TrackedKey::new(rdata.into(), KeyState::AddPend, now);
            key.hold(now, hold_down);
            key.by = by.to_vec();
            self.keys.push(key);
        }
    }

    /// The tags of those of these keys that are trusted.
    fn trusted_of(&self, signers: &[Box<[u8]>]) -> Vec<u16> {
        let trusted = self.keys.iter().filter(|key| key.state.is_trusted() && signers.contains(&key.rdata));
        trusted.map(|key| key_tag(&key.rdata)).collect()
    }

    /// Whether one more key can be followed. Those that are of no interest any more make room, but for the configured
    /// ones, which would be trusted again if they were forgotten.
    fn make_room(&mut self) -> bool {
        let is_learnt = |key: &TrackedKey| !self.is_configured(&key.rdata);
        let is_full = self.keys.iter().filter(|key| is_learnt(key)).count() >= limits::TRACKED_KEYS;
        let removed = |key: &TrackedKey| key.state == KeyState::Removed && is_learnt(key);
        match self.keys.iter().position(removed) {
            _ if !is_full => true,
            Some(place) => {
                self.keys.remove(place);
                true
            }
            None => false,
        }
    }

    fn end_remove_hold_down(&mut self, now: u64) {
        let hold_down = limits::REMOVE_HOLD_DOWN.as_secs();
        let is_over = |key: &&mut TrackedKey| {
            key.state == KeyState::Revoked && now.saturating_sub(key.since) >= hold_down
        };
        self.keys.iter_mut().filter(is_over).for_each(|key| key.enter(KeyState::Removed, now));
    }

    /// RFC 5011 2.3: half of the time that what was seen is good for, a tenth when nothing was seen.
    fn plan(&mut self, validated: Option<&ValidatedKeys>, now: u64) {
        let wait = match validated {
            Some(validated) => {
                let signed = validated.expires.seconds().saturating_sub(now);
                self.window = signed.min(validated.ttl.seconds().into());
                wait(self.window / 2, limits::ANCHOR_LOOK_MOST)
            }
            None => wait(self.window / 10, limits::ANCHOR_RETRY_MOST),
        };
        let anchor = self.anchor();
        let is_deleted = anchor.ds.is_empty() && anchor.keys.is_empty();
        self.next = if is_deleted { NEVER } else { now.saturating_add(wait) };
    }

    fn wait(&self, now: u64) -> Duration {
        match self.next.saturating_sub(now) {
            _ if self.next == NEVER => Duration::MAX,
            // The clock was set back.
            wait if wait > limits::ANCHOR_LOOK_MOST.as_secs() => Duration::ZERO,
            wait => Duration::from_secs(wait),
        }
    }

    /// What is trusted here.
    fn anchor(&self) -> Anchor {
        let Anchor { apex, ds, keys } = &self.configured;
        let over = || self.keys.iter().filter(|key| key.state.is_over());
        let is_good_ds = |ds: &[u8]| !over().any(|key| is_ds_of(apex, ds, &key.rdata));
        let is_good_key = |rdata: &[u8]| !over().any(|key| *key.rdata == *rdata);
        let is_learnt = |key: &&TrackedKey| key.state.is_trusted() && !self.is_configured(&key.rdata);
        let learnt = self.keys.iter().filter(is_learnt).map(|key| &key.rdata);
        Anchor {
            apex: apex.clone(),
            ds: ds.iter().filter(|ds| is_good_ds(ds)).cloned().collect(),
            keys: keys.iter().filter(|key| is_good_key(key)).chain(learnt).cloned().collect(),
        }
    }

    fn is_configured(&self, rdata: &[u8]) -> bool {
        self.configured.has(rdata)
    }

    fn changes_since(&self, before: &[TrackedKey]) -> Vec<Change> {
        let state = |keys: &[TrackedKey], rdata: &[u8]| {
            keys.iter().find(|key| *key.rdata == *rdata).map(|key| key.state)
        };
        let gone = before.iter().filter(|key| state(&self.keys, &key.rdata).is_none());
        let changes = self.keys.iter().chain(gone).map(|key| Change {
            apex: self.configured.apex.clone(),
            key_tag: key_tag(&key.rdata),
            before: state(before, &key.rdata),
            after: state(&self.keys, &key.rdata),
            hold_down: Duration::from_secs(key.until.saturating_sub(key.since)),
        });
        changes.filter(|change| change.before != change.after).collect()
    }
}

impl TrackedKey {
    fn new(rdata: Box<[u8]>, state: KeyState, now: u64) -> TrackedKey {
        TrackedKey { rdata, state, since: now, until: 0, by: Vec::new() }
    }

    fn enter(&mut self, state: KeyState, now: u64) {
        (self.state, self.since, self.until) = (state, now, 0);
        self.by.clear();
    }

    fn hold(&mut self, now: u64, hold_down: u64) {
        (self.since, self.until) = (now, now.saturating_add(hold_down));
    }
}

fn wait(seconds: u64, most: Duration) -> u64 {
    seconds.min(most.as_secs()).max(limits::ANCHOR_LOOK_LEAST.as_secs())
}

/// The tag of a key that is followed.
pub(super) fn key_tag(rdata: &[u8]) -> u16 {
    Dnskey::parse(rdata).map_or(0, |key| key.key_tag())
}

/// Whether a key that is there can be a trust anchor at all.
pub(super) fn is_acceptable(rdata: &[u8]) -> bool {
    let has_length = (5..=limits::TRUST_ANCHOR_OCTETS).contains(&rdata.len());
    has_length && Dnskey::parse(rdata).is_some_and(|key| key.is_zone_key() && !key.is_revoked())
}

fn is_revoked(rdata: &[u8]) -> bool {
    Dnskey::parse(rdata).is_some_and(|key| key.is_revoked())
}

/// The key as it was before it was revoked: the bit is the eighth (RFC 5011 7).
fn without_revoke(rdata: &[u8]) -> Box<[u8]> {
    let mut rdata: Box<[u8]> = rdata.into();
    if let Some(octet) = rdata.get_mut(1) {
        *octet &= 0x7f;
    }
    rdata
}

fn is_ds_of(apex: &Name, ds: &[u8], dnskey: &[u8]) -> bool {
    let both = Ds::parse(ds).zip(Dnskey::parse(dnskey));
    both.is_some_and(|(ds, key)| ds.is_of(apex.as_ref(), &key))
}

/// Whether two anchors are the same, in whatever order their records stand.
fn is_same(one: &Anchor, other: &Anchor) -> bool {
    let holds = |these: &[Box<[u8]>], those: &[Box<[u8]>]| {
        these.len() == those.len() && these.iter().all(|rdata| those.contains(rdata))
    };
    holds(&one.ds, &other.ds) && holds(&one.keys, &other.keys)
}
