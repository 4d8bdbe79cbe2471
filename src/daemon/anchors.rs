//! The trust anchors of the house: those of the configuration, followed to what their zones made of them (RFC 5011), and
//! what is known of that kept over restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::command::spoken;
use super::durable;
use super::zone_file::read_records_without_ttl;
use crate::clock::{Now, Tick, Unix};
use crate::config::{self, Config, DnssecSha1, Validation};
use crate::diagnostic::Diagnostic;
use crate::dns::Name;
use crate::dnssec::Accepted;
use crate::limits;
use crate::observe::prometheus::TrustAnchorNumbers;
use crate::service::Published;
use crate::validator::{
    Anchor, AnchorStore, Change, KeyState, Look, Mode, Nearest, NegativeAnchor, Tracking, TrustAnchors,
    UnfitAnchor, ValidationOptions,
};

/// The name in the state directory. The number of the format stands in the file.
const FILE: &str = "trust-anchors";

/// What is said when a look brings nothing that could be trusted, for one reason or the other.
const UNREACHABLE: &str = "no name server gives the keys of the zone; they are asked for again";
const UNTRUSTED: &str = "the keys of the zone are signed by none that is trusted here; if this lasts, the configured trust anchors \
                         are out of date or somebody forges answers";

/// Asks a zone for its keys, past the cache; nothing when there was no reply of use.
pub(super) type Eyes = Arc<dyn Fn(Name) -> BoxFuture<'static, Option<Look>> + Send + Sync>;

/// The trust anchors of the house.
pub(super) struct HouseAnchors {
    /// Those in force, for who validates.
    pub(super) store: Arc<AnchorStore>,
    configured: TrustAnchors,
    followed: Option<Followed>,
    eyes: Option<Eyes>,
    file: PathBuf,
    /// The state that is in the file, as far as is known.
    written: Option<String>,
    /// Whether it was said that the file cannot be written.
    is_lost: bool,
    /// The zones of which it was said that their keys are not seen.
    unseen: BTreeSet<Name>,
    /// When it was looked last which negative trust anchors had ended.
    ends_seen: Unix,
    first_look: Tick,
}

/// Trust anchors and what follows them.
struct Followed {
    tracking: Tracking,
    eyes: Eyes,
}

/// Those of the recursion that is in force when they look. Nothing is before anything is published.
pub(super) fn eyes(seat: &Arc<OnceLock<Arc<Published>>>) -> Eyes {
    let seat = Arc::clone(seat);
    Arc::new(move |apex| {
        let recursion = seat.get().and_then(|published| published.load().recursion.clone());
        async move { recursion?.look_at_keys(apex).await }.boxed()
    })
}

impl HouseAnchors {
    /// None yet; see [`HouseAnchors::configure`].
    pub(super) fn new(state: &Path, eyes: Option<Eyes>, now: Now) -> HouseAnchors {
        HouseAnchors {
            store: Arc::default(),
            configured: TrustAnchors::none(),
            followed: None,
            eyes,
            file: state.join(FILE),
            written: None,
            is_lost: false,
            unseen: BTreeSet::new(),
            ends_seen: now.unix,
            first_look: now.tick.plus(limits::ANCHOR_FIRST_LOOK),
        }
    }

    /// Puts the trust anchors that [`read`] read in force, with what is known of them.
    pub(super) fn configure(&mut self, config: &Config, configured: TrustAnchors, now: Unix) {
        let ended = configured.negative().iter().filter(|anchor| !anchor.holds(now));
        ended.for_each(|anchor| {
            tracing::warn!("the negative trust anchor {} has ended; it can be removed", anchor.apex);
        });
        let options = &config.resolver;
        let is_followed = options.enabled && options.trust_anchor_tracking && !configured.is_empty();
        self.followed = match (self.eyes.clone().filter(|_| is_followed), self.followed.take()) {
            (None, _) => None,
            (Some(eyes), before) => {
                let known = before.map(|followed| followed.tracking).or_else(|| self.read_state());
                let (tracking, dropped) = Tracking::resume(known.unwrap_or_default(), &configured, now);
                for apex in dropped {
                    tracing::info!(
                        "trust anchor {apex}: configured otherwise; what was known of it is dropped, but for what is revoked"
                    );
                }
                Some(Followed { tracking, eyes })
            }
        };
        self.unseen.retain(|apex| configured.anchors().iter().any(|anchor| anchor.apex == *apex));
        self.configured = configured;
        self.ends_seen = now;
        self.publish();
        self.tell_of_deleted(now);
        self.tell_of_rolled_over();
    }

    /// The negative trust anchors that have ended since this was asked last: what was learnt there without validation is not
    /// to be given out any more.
    pub(super) fn ended(&mut self, now: Unix) -> Vec<Name> {
        let since = std::mem::replace(&mut self.ends_seen, now);
        let has_ended = |anchor: &&NegativeAnchor| anchor.holds(since) && !anchor.holds(now);
        let ended = self.configured.negative().iter().filter(has_ended);
        ended.map(|anchor| anchor.apex.clone()).collect()
    }

    /// Whether these are other trust anchors than those that are configured.
    pub(super) fn differ_from(&self, configured: &TrustAnchors) -> bool {
        self.configured != *configured
    }

    /// When there is something to look at; none when there never is. At most the least time between two looks: the wall
    /// clock may be set, which no timer notices.
    pub(super) fn wait(&self, now: Now) -> Option<Duration> {
        let look = self.followed.as_ref().and_then(|followed| followed.tracking.wait(now.unix));
        let look = look.map(|wait| wait.max(self.first_look.since(now.tick)));
        let ends = self.configured.negative().iter().filter(|anchor| anchor.holds(now.unix));
        let ends = ends.filter_map(|anchor| Some(Duration::from_nanos(anchor.until?.0 - now.unix.0)));
        look.into_iter().chain(ends).min().map(|wait| wait.min(limits::ANCHOR_LOOK_LEAST))
    }

    /// The looks that are due. Each is to be given to [`HouseAnchors::take`] when it is done.
    pub(super) fn looks(&mut self, now: Now) -> Vec<(Name, BoxFuture<'static, Option<Look>>)> {
        let Some(Followed { tracking, eyes }) = &mut self.followed else { return Vec::new() };
        if !self.first_look.since(now.tick).is_zero() {
            return Vec::new();
        }
        let due: Vec<Name> = tracking.due(now.unix).cloned().collect();
        due.iter().for_each(|apex| tracking.begin(apex, now.unix));
        due.into_iter().map(|apex| (apex.clone(), eyes(apex))).collect()
    }

    /// Takes what a look brought: puts it in force, says what changed, and writes it down.
    pub(super) fn take(&mut self, apex: &Name, look: Option<Look>, now: Unix) {
        let Some(Followed { tracking, .. }) = &mut self.followed else { return };
        let unseen = match &look {
            Some(Look { validated: Some(_), .. }) => None,
            Some(_) => Some(UNTRUSTED),
            None => Some(UNREACHABLE),
        };
        let changes = tracking.take(apex, &look.unwrap_or_default(), now);
        changes.iter().for_each(tell);
        self.publish();
        self.tell_of_unseen(apex, unseen);
        if !changes.is_empty() {
            self.tell_of_deleted(now);
            self.tell_of_rolled_over();
        }
        self.write_state();
    }

    /// Every trust anchor with its zone, its key tag and its state, for those who collect numbers.
    pub(super) fn numbers(&self) -> Vec<TrustAnchorNumbers> {
        let mut states: BTreeMap<(&Name, u16), &'static str> = BTreeMap::new();
        for anchor in self.configured.anchors() {
            states.extend(anchor.key_tags().map(|tag| ((&anchor.apex, tag), "configured")));
        }
        let tracking = self.followed.as_ref().map(|followed| &followed.tracking);
        for (apex, tag, state) in tracking.into_iter().flat_map(Tracking::keys) {
            states.insert((apex, tag), state.word());
        }
        let numbers = states.into_iter().map(|((apex, key_tag), state)| TrustAnchorNumbers {
            zone: spoken(apex),
            key_tag,
            state,
        });
        numbers.collect()
    }

    fn publish(&self) {
        let anchors = match &self.followed {
            None => self.configured.clone(),
            Some(Followed { tracking, .. }) => {
                let negative = self.configured.negative().to_vec();
                tracking.anchors().with_negative(negative)
            }
        };
        if *self.store.current() != anchors {
            self.store.publish(anchors);
        }
    }

    /// Whoever loses the state then validates nothing any more.
    fn tell_of_rolled_over(&self) {
        let tracking = self.followed.as_ref().map(|followed| &followed.tracking);
        for (apex, tags) in tracking.into_iter().flat_map(Tracking::rolled_over) {
            let tags = tags.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            tracing::warn!(
                "trust anchor {apex}: the zone has none of the configured keys any more; that {tags} is trusted stands in {} \
                 alone: configure it",
                self.file.display()
            );
        }
    }

    /// Once, until they are seen again. Of a zone that has no trust anchors any more something else is said.
    fn tell_of_unseen(&mut self, apex: &Name, why: Option<&str>) {
        let is_known = self.unseen.contains(apex);
        match why {
            None if is_known => {
                self.unseen.remove(apex);
                tracing::info!("trust anchor {apex}: the keys of the zone are seen again");
            }
            Some(why) if !is_known && self.stands(apex) => {
                self.unseen.insert(apex.clone());
                tracing::warn!("trust anchor {apex}: {why}");
            }
            _ => {}
        }
    }

    /// Whether a zone has trust anchors that are in force.
    fn stands(&self, apex: &Name) -> bool {
        self.store.current().anchors().iter().any(|anchor| anchor.apex == *apex)
    }

    /// RFC 5011 5: what is to be believed of a zone whose trust anchors are all revoked is said by those above it.
    fn tell_of_deleted(&self, now: Unix) {
        let current = self.store.current();
        for Anchor { apex, .. } in
            self.configured.anchors().iter().filter(|anchor| !self.stands(&anchor.apex))
        {
            let above = match current.nearest(apex.as_ref(), now) {
                Nearest::Anchor(above) => format!("those of {} take their place", above.apex),
                _ => "nothing at and below it is validated any more".into(),
            };
            tracing::error!("all trust anchors of {apex} are revoked: {above}; configure new ones");
        }
    }

    fn read_state(&mut self) -> Option<Tracking> {
        let file = self.file.display();
        let octets = match durable::read(&self.file, limits::TRUST_ANCHOR_STATE) {
            Ok(octets) => octets?,
            Err(error) => {
                tracing::warn!("{file}: {error}; the configured trust anchors are begun with");
                return None;
            }
        };
        let text = String::from_utf8_lossy(&octets);
        match Tracking::read(&text) {
            Ok(tracking) => {
                self.written = Some(text.into_owned());
                Some(tracking)
            }
            Err(damage) => {
                tracing::warn!("{file}: {damage}; the configured trust anchors are begun with");
                None
            }
        }
    }

    /// On this thread: a few kilobytes, once an hour at most.
    fn write_state(&mut self) {
        let Some(followed) = &self.followed else { return };
        let text = followed.tracking.text();
        if self.written.as_ref() == Some(&text) {
            return;
        }
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let written =
            durable::make_folder(folder).and_then(|()| durable::replace(&self.file, text.as_bytes()));
        match written {
            Ok(()) => (self.written, self.is_lost) = (Some(text), false),
            Err(error) if !self.is_lost => {
                self.is_lost = true;
                let file = self.file.display();
                tracing::warn!("{file}: {error}; what is learnt of trust anchors is lost at the next stop");
            }
            Err(_) => {}
        }
    }
}

/// RFC 5011 4.2 calls a trusted key that is missing abnormal, and one that is revoked is not to be missed either.
fn tell(change: &Change) {
    match change.after {
        Some(KeyState::Missing | KeyState::Revoked) => tracing::warn!("{change}"),
        _ => tracing::info!("{change}"),
    }
}

/// The trust anchors of a configuration; none when nothing is validated.
pub(super) fn read(config: &Config) -> Result<TrustAnchors, Vec<Diagnostic>> {
    if !config.validates() {
        return Ok(TrustAnchors::none());
    }
    let anchors = match &config.resolver.trust_anchors {
        config::TrustAnchors::Builtin => TrustAnchors::builtin(),
        config::TrustAnchors::None => TrustAnchors::none(),
        config::TrustAnchors::File(path) => read_file(&config.resolve(path))?,
    };
    Ok(anchors.with_negative(config.negative_anchors()))
}

/// DS and DNSKEY records in zone file format, of any names.
fn read_file(path: &Path) -> Result<TrustAnchors, Vec<Diagnostic>> {
    let (mut anchors, mut unfit) = (TrustAnchors::none(), Vec::new());
    let files = read_records_without_ttl(&Name::root(), path, &mut |record| {
        if let Err(why) = anchors.insert(record.owner, record.rr_type, record.rdata)
            && unfit.len() < limits::ZONEFILE_ERRORS
        {
            unfit.push((why, record.mark));
        }
    })?;
    if !unfit.is_empty() {
        let diagnostic = |(why, mark): (UnfitAnchor, _)| {
            let sentence = why.to_string();
            let (message, help) = sentence.split_once("; ").unwrap_or((&sentence, ""));
            Diagnostic::error(message).help(help).at(files.place(mark))
        };
        return Err(unfit.into_iter().map(diagnostic).collect());
    }
    if anchors.is_empty() {
        let message = format!("{}: no DS and no DNSKEY record", path.display());
        let help = "write trust anchors there, or `trust-anchors: none` for no validation";
        return Err(vec![Diagnostic::error(message).help(help)]);
    }
    Ok(anchors)
}

/// How answers are validated with this configuration.
pub(super) fn options(config: &Config) -> ValidationOptions {
    let resolver = &config.resolver;
    ValidationOptions {
        mode: match resolver.validation {
            _ if !config.validates() => Mode::None,
            Validation::None => Mode::None,
            Validation::Log => Mode::Log,
            Validation::Enforce => Mode::Enforce,
        },
        accepted: Accepted { sha1: resolver.dnssec_sha1 == DnssecSha1::Validate },
        aggressive: resolver.aggressive_nsec,
        signaling: resolver.trust_anchor_signaling,
    }
}
