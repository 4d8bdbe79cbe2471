//! The way to the house for everything that brings orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use super::cached;
use super::command::{Command, Cursor, Moment, Refusal, Reply, spoken};
use super::explain::Explainer;
use super::report::VersionStatus;
use super::versions::{HistoryError, Versions, When};
use crate::cache::Chosen;
use crate::clock::Unix;
use crate::dns::{Name, RrType, RrsetRef, Serial};
use crate::limits;
use crate::recursion::Recursion;
use crate::service::Published;
use crate::zone::{Change, Changeset, Held, Version, Zone, ZoneEntry};
use crate::zonefile::write_rrset;

/// An order on its way, and where its reply is waited for.
pub(super) struct Errand {
    pub(super) command: Command,
    pub(super) reply: oneshot::Sender<Result<Reply, Refusal>>,
}

/// Brings orders to the house. Cheap to clone; may outlive the house, which then refuses.
#[derive(Clone)]
pub struct Handle {
    errands: mpsc::Sender<Errand>,
    published: Arc<Published>,
    versions: Arc<Versions>,
    explainer: Explainer,
}

impl Handle {
    pub(super) fn new(
        errands: mpsc::Sender<Errand>,
        published: Arc<Published>,
        versions: Arc<Versions>,
        explainer: Explainer,
    ) -> Handle {
        Handle { errands, published, versions, explainer }
    }

    /// Has an order carried out and waits for its reply. Blocks the thread, so not for one that runs tasks.
    pub fn execute(&self, command: Command) -> Result<Reply, Refusal> {
        // What only reads the snapshot or the journals takes its time here, on the asker's thread, not on the house's.
        match command {
            Command::ZoneShow { zone, at, from } => return self.show(&zone, at, from),
            Command::ZoneHistory { zone } => return self.history(&zone),
            Command::ZoneDiff { zone, from, to } => return self.difference(&zone, from, to),
            Command::Explain { name, rr_type, fresh } => {
                return self.explainer.explain(name, &rr_type, fresh);
            }
            Command::ExplainRecorded { id } => return self.explainer.recorded(&id),
            Command::CacheGet { name, rr_type } => {
                let entries = |recursion: &Recursion| {
                    let rr_type = rr_type.map(|word| word.0);
                    cached::entries(recursion.cache(), &name, rr_type, recursion.now())
                };
                return self.recursion().map(|own| Reply::CacheEntries { entries: entries(&own) });
            }
            Command::CacheFlush { name, subtree, negative } => {
                let chosen = Chosen { name: name.as_ref().map(Name::as_ref), subtree, negative };
                return self.recursion().map(|own| cached::flush(own.cache(), chosen));
            }
            Command::CacheDump { from } => {
                return self.recursion().map(|own| cached::piece(&own, from));
            }
            Command::CacheLoad { head, entries } => {
                return cached::load(&*self.recursion()?, &head, &entries);
            }
            _ => {}
        }
        let (reply, answer) = oneshot::channel();
        let errand = Errand { command, reply };
        self.errands.try_send(errand).map_err(|error| match error {
            TrySendError::Full(_) => Refusal("too many orders at once; try again".into()),
            TrySendError::Closed(_) => Refusal("the server is ending".into()),
        })?;
        answer.blocking_recv().unwrap_or_else(|_| Err(Refusal("the server is ending".into())))
    }

    fn recursion(&self) -> Result<Arc<Recursion>, Refusal> {
        let recursion = self.published.load().recursion.clone();
        recursion.ok_or_else(|| Refusal("this server does not resolve, so it has no cache".into()))
    }

    fn show(&self, apex: &Name, at: Option<Moment>, from: Option<Cursor>) -> Result<Reply, Refusal> {
        let zone = self.version(apex, at)?;
        if from.is_some_and(|from| from.serial != zone.serial().0) {
            return Err(Refusal(format!("{} changed while it was shown; ask again", spoken(apex))));
        }
        let (text, next) = piece(&zone, from.map_or(0, |from| from.names), limits::CONTROL_PIECE);
        Ok(Reply::Records { text, next })
    }

    fn history(&self, apex: &Name) -> Result<Reply, Refusal> {
        let versions = self.versions.history(apex.as_ref()).map_err(|error| no_history(apex, &error))?;
        if versions.is_empty() && self.published.load().zones.get(apex.as_ref()).is_none() {
            return Err(not_served(apex));
        }
        let status = |version: Version| VersionStatus {
            serial: version.serial.0,
            time: version.time.seconds(),
            cause: version.cause.to_string(),
            summary: match version.before == version.serial {
                true => String::new(),
                false => version.summary.to_string(),
            },
            is_held: version.held != Held::Mark,
        };
        Ok(Reply::History { versions: versions.into_iter().map(status).collect() })
    }

    fn difference(&self, apex: &Name, from: Option<Moment>, to: Option<Moment>) -> Result<Reply, Refusal> {
        let new = self.version(apex, to)?;
        let old = match from {
            Some(from) => self.version(apex, Some(from))?,
            None => self.version_before(apex, new.serial())?,
        };
        let changes = Changeset::between(&old, &new);
        let mut text = String::new();
        for change in changes.changes() {
            if text.len() >= limits::CONTROL_PIECE {
                text.push_str("...\n");
                break;
            }
            append_change(&mut text, &change);
        }
        let summary = (!changes.is_content_same()).then(|| changes.summary().to_string());
        Ok(Reply::Difference { text, summary, serials: (old.serial().0, new.serial().0) })
    }

    /// A version of a zone, the one that is served unless another is meant.
    fn version(&self, apex: &Name, at: Option<Moment>) -> Result<Arc<Zone>, Refusal> {
        let snapshot = self.published.load();
        let served = snapshot.zones.get(apex.as_ref());
        let when = match (at, served) {
            (None, Some(ZoneEntry::Loaded(zone))) => return Ok(Arc::clone(zone)),
            (None, Some(ZoneEntry::Unavailable(_))) => {
                return Err(Refusal(format!("no version of {} could be loaded", spoken(apex))));
            }
            (_, None) => return Err(not_served(apex)),
            (Some(Moment::Serial(serial)), _) => When::Serial(Serial(serial)),
            (Some(Moment::Time(seconds)), _) => When::Time(Unix(seconds.saturating_mul(1_000_000_000))),
        };
        let zone = self.versions.at(apex.as_ref(), when);
        zone.map(Arc::new).map_err(|error| no_history(apex, &error))
    }

    fn version_before(&self, apex: &Name, serial: Serial) -> Result<Arc<Zone>, Refusal> {
        let versions = self.versions.history(apex.as_ref()).map_err(|error| no_history(apex, &error))?;
        let is_it = |version: &&Version| version.serial == serial && version.before != serial;
        match versions.iter().rev().find(is_it) {
            Some(version) => self.version(apex, Some(Moment::Serial(version.before.0))),
            None => Err(Refusal(format!("no version of {} before {serial} is remembered", spoken(apex)))),
        }
    }
}

fn no_history(apex: &Name, error: &HistoryError) -> Refusal {
    Refusal(format!("{}: {error}", spoken(apex)))
}

/// One line for each record that went or came.
pub fn append_change(text: &mut String, change: &Change<'_>) {
    let lines_of = |rrset: Option<RrsetRef<'_>>| {
        let mut lines = String::new();
        if let Some(rrset) = rrset {
            append(&mut lines, rrset);
        }
        lines
    };
    let (old, new) = (lines_of(change.old), lines_of(change.new));
    for (sign, own, other) in [('-', &old, &new), ('+', &new, &old)] {
        let other: BTreeSet<&str> = other.lines().collect();
        for line in own.lines().filter(|line| !other.contains(line)) {
            text.push_str(&format!("{sign} {line}\n"));
        }
    }
}

pub(super) fn not_served(apex: &Name) -> Refusal {
    Refusal(format!("{} is not a zone of this server; `namu zone list` names those it has", spoken(apex)))
}

/// A whole zone as a zone file.
pub(super) fn zone_text(zone: &Zone) -> String {
    piece(zone, 0, usize::MAX).0
}

/// The records of a zone from a place on: so many octets and a little more, and where the next piece begins. The SOA
/// comes first, as every reader of zone files wants it.
fn piece(zone: &Zone, names: usize, octets: usize) -> (String, Option<Cursor>) {
    let mut text = String::new();
    if names == 0 {
        append(&mut text, zone.soa());
    }
    for (number, node) in zone.nodes().enumerate().skip(names) {
        if text.len() >= octets {
            return (text, Some(Cursor { serial: zone.serial().0, names: number }));
        }
        for rrset in node.rrsets() {
            if rrset.rr_type != RrType::SOA {
                append(&mut text, rrset);
            }
        }
    }
    (text, None)
}

fn append(text: &mut String, rrset: RrsetRef<'_>) {
    write_rrset(rrset, text).expect("a string takes all that is written to it");
}
