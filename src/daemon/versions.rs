//! The versions of zones: which serial one is published with, what is remembered of it, and the way back to it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::history::Memory;
use super::serials::{Numbering, SerialRemark, next, number};
use super::state::State;
use crate::clock::Unix;
use crate::config::{JournalSize, SerialPolicy, ZoneOptions};
use crate::diagnostic::Diagnostic;
use crate::dns::{Name, NameRef, RrType, Serial};
use crate::zone::{
    Cause, Changeset, ContentHash, Held, Journal, NotHeld, NotReadable, Summary, Version, Zone,
};

/// Why the serial of a zone is obeyed whatever the policy.
const SEALED: &str = "its SOA is signed or digested, so its serial cannot be changed here";

/// What an operator decides about the versions of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionOptions {
    /// Which serial is published when the file's did not move.
    pub serial: SerialPolicy,
    /// How much history is kept.
    pub journal: JournalSize,
}

impl VersionOptions {
    /// Those of a zone of the configuration.
    pub fn of(zone: &ZoneOptions) -> VersionOptions {
        VersionOptions { serial: zone.serial, journal: zone.journal }
    }
}

impl Default for VersionOptions {
    fn default() -> VersionOptions {
        VersionOptions { serial: SerialPolicy::Increment, journal: JournalSize::default() }
    }
}

/// The memory of all zones: what was published last, and the journals on disk. Zones are prepared and committed in any
/// number of threads, each zone in one at a time.
pub struct Versions {
    state: State,
    zones: Mutex<HashMap<Name, Arc<Mutex<Memory>>>>,
    /// Whether it was said that nothing can be written.
    is_told: AtomicBool,
}

/// A version that may be published: look at it, then [`Versions::commit`] it, or drop it and nothing has happened.
#[derive(Debug)]
pub struct Prepared {
    /// What to publish: the one served so far when nothing differs.
    pub zone: Arc<Zone>,
    /// The serial published before, here or by an earlier run; none for a zone never seen.
    pub before: Option<Serial>,
    /// What leads from the version published before to this one. None when that is not known any more.
    pub changes: Option<Changeset>,
    /// What the operator should know.
    pub remarks: Vec<Diagnostic>,
    /// What is to be remembered; none when there is nothing new.
    pub(super) version: Option<Version>,
    /// The version the changes begin at.
    pub(super) old: Option<Arc<Zone>>,
    pub(super) journal: JournalSize,
}

/// Which version of a zone is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The latest with this serial.
    Serial(Serial),
    /// The one that was published at this time.
    Time(Unix),
}

/// Why there is no old version to be had.
#[derive(Debug)]
pub enum HistoryError {
    /// The journal cannot be read.
    Disk(io::Error),
    /// There is a journal, but it is not to be read.
    NotReadable(NotReadable),
    /// No such version is known.
    Unknown,
    /// The version is known, its content is not.
    NotHeld(NotHeld),
}

impl Versions {
    /// Nothing read yet. The directory is made when something is first written.
    pub(super) fn new(state: State) -> Versions {
        Versions { state, zones: Mutex::default(), is_told: AtomicBool::new(false) }
    }

    /// Numbers what was read from a zone file. `served` is the version being served, if there is one.
    pub fn prepare(
        &self,
        read: Zone,
        served: Option<&Arc<Zone>>,
        options: VersionOptions,
        cause: Cause,
        now: Unix,
    ) -> Prepared {
        let memory = self.memory(read.apex());
        let mut memory = lock(&memory);
        let mut remarks = memory.open(&self.state, read.apex());
        let Some(last) = memory.last else {
            let hash = ContentHash::of(&read);
            return Prepared::first(read, hash, options, cause, now, remarks);
        };
        let to_read = served.map(|served| Changeset::between(served, &read));
        let is_as_served =
            to_read.as_ref().is_some_and(Changeset::is_content_same) && last.hash == last.file_hash;
        let file_hash = if is_as_served { last.hash } else { ContentHash::of(&read) };
        let file = read.serial();
        let old = |remarks: &mut Vec<Diagnostic>| {
            served.cloned().or_else(|| memory.last_zone(&self.state, read.apex(), remarks))
        };
        // A version that was not made from the file stays until the file changes.
        let is_held_back =
            last.hash != last.file_hash && file_hash == last.file_hash && file == last.file_serial;
        if is_held_back && let Some(old) = old(&mut remarks) {
            let (apex, cause, serial) = (read.apex(), last.cause, last.serial);
            remarks.push(Diagnostic::warning(format!(
                "zone {apex}: its file is as it was before the {cause} to serial {serial}, which stays"
            )));
            return Prepared::unchanged(old, serial, options, remarks);
        }
        let numbering = Numbering {
            policy: options.serial,
            published: last.serial,
            file_before: last.file_serial,
            file,
            is_changed: file_hash != last.hash,
            is_sealed: is_sealed(&read),
            now,
        };
        let (serial, remark) = number(&numbering);
        remarks.extend(remark.map(|remark| explain(remark, &read, serial, &numbering)));
        if !numbering.is_changed && serial == last.serial {
            let is_identical = to_read.is_some_and(|changes| changes.is_same_to_the_letter());
            let zone = match served.filter(|_| is_identical) {
                Some(served) => Arc::clone(served),
                None => Arc::new(with_serial(read, serial)),
            };
            return Prepared::unchanged(zone, last.serial, options, remarks);
        }
        let old = old(&mut remarks);
        let zone = Arc::new(with_serial(read, serial));
        let changes = old.as_deref().map(|old| match to_read {
            Some(changes) => changes.toward(old, &zone),
            None => Changeset::between(old, &zone),
        });
        let summary = changes.as_ref().map_or(Summary::default(), Changeset::summary);
        let (before, hash, held) = (last.serial, file_hash, Held::Delta);
        let version =
            Version { serial, before, file_serial: file, time: now, cause, hash, file_hash, summary, held };
        let journal = options.journal;
        Prepared { zone, before: Some(before), changes, remarks, version: Some(version), old, journal }
    }

    /// Writes down a prepared version and returns when it is on the disk. A disk that cannot be written is no reason not to
    /// publish: it is said once, and the version is remembered until this process ends.
    pub fn commit(&self, prepared: &Prepared) -> Vec<Diagnostic> {
        let Some(version) = &prepared.version else { return Vec::new() };
        let apex = prepared.zone.apex();
        let memory = self.memory(apex);
        let mut memory = lock(&memory);
        let mut remarks = memory.open(&self.state, apex);
        match memory.write(&self.state, prepared, version, &mut remarks) {
            Ok(()) => self.is_told.store(false, Ordering::Relaxed),
            Err(error) => {
                memory.keep_in_mind(version);
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    let folder = self.state.folder().display();
                    remarks.push(
                        Diagnostic::warning(format!(
                            "{folder}: {error}; serials and history are not kept beyond this run"
                        ))
                        .help("let this user write there, or name another place with `server.state`"),
                    );
                }
            }
        }
        remarks
    }

    /// The versions of a zone that are known, the oldest first.
    pub fn history(&self, apex: NameRef<'_>) -> Result<Vec<Version>, HistoryError> {
        let versions = |journal: &Journal<'_>| Ok(journal.versions().copied().collect());
        match lock(&self.memory(apex)).read(&self.state, apex, versions) {
            Err(HistoryError::Unknown) => Ok(Vec::new()),
            versions => versions,
        }
    }

    /// An old version of a zone, as it was published.
    pub fn at(&self, apex: NameRef<'_>, when: When) -> Result<Zone, HistoryError> {
        lock(&self.memory(apex)).read(&self.state, apex, |journal| {
            let at = journal.latest(|version| match when {
                When::Serial(serial) => version.serial == serial,
                When::Time(time) => version.time <= time,
            });
            journal.zone(at.ok_or(HistoryError::Unknown)?).map_err(HistoryError::NotHeld)
        })
    }

    /// Takes an old version back: its content under a new serial, or under its own where the SOA is signed or digested. The
    /// zone file counts again once it is changed; see `Prepared::tell_file_is_same`.
    pub fn roll_back(
        &self,
        served: &Arc<Zone>,
        to: Serial,
        options: VersionOptions,
        now: Unix,
    ) -> Result<Prepared, HistoryError> {
        let content = self.at(served.apex(), When::Serial(to))?;
        let memory = self.memory(served.apex());
        let mut memory = lock(&memory);
        let mut remarks = memory.open(&self.state, served.apex());
        let last = memory.last.ok_or(HistoryError::Unknown)?;
        let is_sealed = is_sealed(&content);
        let serial = if is_sealed { to } else { next(options.serial, last.serial, now) };
        if is_sealed && !serial.is_after(last.serial) {
            remarks.push(behind(served.apex(), serial, last.serial, SEALED).help(
                "once it is known what was wrong, publish a version that is signed under a later serial",
            ));
        }
        let hash = ContentHash::of(&content);
        let zone = Arc::new(with_serial(content, serial));
        let changes = Changeset::between(served, &zone);
        let version = Version {
            serial,
            before: last.serial,
            time: now,
            cause: Cause::Rollback,
            hash,
            summary: changes.summary(),
            held: Held::Delta,
            ..last
        };
        Ok(Prepared {
            zone,
            before: Some(last.serial),
            changes: Some(changes),
            remarks,
            version: Some(version),
            old: Some(Arc::clone(served)),
            journal: options.journal,
        })
    }

    fn memory(&self, apex: NameRef<'_>) -> Arc<Mutex<Memory>> {
        let mut zones = lock(&self.zones);
        Arc::clone(zones.entry(apex.to_name()).or_default())
    }
}

impl Prepared {
    fn first(
        zone: Zone,
        hash: ContentHash,
        options: VersionOptions,
        cause: Cause,
        now: Unix,
        remarks: Vec<Diagnostic>,
    ) -> Prepared {
        let serial = zone.serial();
        let version = Version {
            serial,
            before: serial,
            file_serial: serial,
            time: now,
            cause,
            hash,
            file_hash: hash,
            summary: Summary::default(),
            held: Held::Full,
        };
        Prepared {
            zone: Arc::new(zone),
            before: None,
            changes: None,
            remarks,
            version: Some(version),
            old: None,
            journal: options.journal,
        }
    }

    fn unchanged(
        zone: Arc<Zone>,
        serial: Serial,
        options: VersionOptions,
        remarks: Vec<Diagnostic>,
    ) -> Prepared {
        Prepared {
            zone,
            before: Some(serial),
            changes: None,
            remarks,
            version: None,
            old: None,
            journal: options.journal,
        }
    }

    /// The zone file says what this version does, serial and all.
    pub(super) fn tell_file_is_same(&mut self) {
        if let Some(version) = &mut self.version {
            (version.file_hash, version.file_serial) = (version.hash, version.serial);
        }
    }

    /// Whether there is anything to publish under a serial that was not published yet, or an old one again.
    pub fn is_new(&self) -> bool {
        self.version.is_some()
    }
}

/// `zone X: serial 41 -> 42, +3 -1 RRsets`
impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (apex, serial) = (self.zone.apex(), self.zone.serial());
        match (self.before, &self.changes) {
            (Some(before), Some(changes)) => {
                write!(f, "zone {apex}: serial {before} -> {serial}, {}", changes.summary())
            }
            (Some(before), None) if before != serial => {
                write!(f, "zone {apex}: serial {before} -> {serial}, {} records", self.zone.record_count())
            }
            _ => write!(f, "zone {apex}: serial {serial}, {} records", self.zone.record_count()),
        }
    }
}

/// Whether somebody else vouched for the SOA as it is: another serial would make a signature (RFC 4034 3.1.8.1) or a digest
/// of the zone (RFC 8976 3.3.1) false.
fn is_sealed(zone: &Zone) -> bool {
    !zone.soa().signatures.is_empty() || zone.apex_node().rrset(RrType::ZONEMD).is_some()
}

fn with_serial(zone: Zone, serial: Serial) -> Zone {
    if zone.serial() == serial { zone } else { zone.with_serial(serial) }
}

fn explain(remark: SerialRemark, read: &Zone, serial: Serial, numbering: &Numbering) -> Diagnostic {
    let (apex, file, published) = (read.apex(), numbering.file, numbering.published);
    let why_obeyed = match numbering.is_sealed {
        true => SEALED,
        false => "`serial: keep` obeys the file",
    };
    let help = "raise the serial in the file";
    match remark {
        SerialRemark::Unnoticed => Diagnostic::warning(format!(
            "zone {apex}: its content changed under serial {file}; other servers will not notice: {why_obeyed}"
        ))
        .help(help),
        SerialRemark::Behind => behind(apex, file, published, why_obeyed).help(help),
        SerialRemark::WentBack => Diagnostic::warning(format!(
            "zone {apex}: the serial in its file went from {} back to {file}, which other servers would not take \
             after {published}; {serial} is published",
            numbering.file_before
        ))
        .help(format!("write a serial after {serial}, or leave it: it is counted on")),
    }
}

fn behind(apex: NameRef<'_>, serial: Serial, published: Serial, why_obeyed: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "zone {apex}: serial {serial} is not after {published}, which was published; other servers will not take \
         it: {why_obeyed}"
    ))
}

/// The lock's value. What was half done by a thread that panicked is found out by reading the disk again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::Disk(error) => write!(f, "the journal cannot be read: {error}"),
            HistoryError::NotReadable(why) => write!(f, "the journal {why}"),
            HistoryError::Unknown => f.write_str("no such version is known"),
            HistoryError::NotHeld(why) => write!(f, "that version cannot be had: {why}"),
        }
    }
}

impl std::error::Error for HistoryError {}
