//! The journal of one zone on disk: opened once, mended when its tail is torn, appended to, kept within its room.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::durable::{self, Appended};
use super::state::State;
use super::versions::{HistoryError, Prepared};
use crate::config::JournalSize;
use crate::diagnostic::Diagnostic;
use crate::dns::NameRef;
use crate::limits;
use crate::zone::{Held, Journal, Version, Zone, journal};

/// What is remembered of a zone.
#[derive(Debug, Default)]
pub(super) struct Memory {
    disk: Disk,
    /// The version published last. One that could not be written counts as a mark.
    pub(super) last: Option<Version>,
    /// Whether it was said that the history does not fit.
    is_room_told: bool,
}

/// The journal as far as it is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Disk {
    /// Not looked at yet, or not to be relied on any more.
    #[default]
    Unread,
    /// There is none.
    Absent,
    /// It ends there, with the version published last if it is current.
    Whole { octets: u64, is_current: bool },
    /// It is somebody else's, and stays as it is.
    Foreign,
}

impl Memory {
    /// Reads the journal unless that was done. Says what was wrong with it.
    pub(super) fn open(&mut self, state: &State, apex: NameRef<'_>) -> Vec<Diagnostic> {
        if self.disk != Disk::Unread {
            return Vec::new();
        }
        let path = state.journal(apex);
        let octets = match durable::read(&path, limits::JOURNAL_READ_OCTETS) {
            Ok(Some(octets)) => octets,
            Ok(None) => {
                self.disk = Disk::Absent;
                return Vec::new();
            }
            Err(error) => {
                self.disk = Disk::Foreign;
                return vec![not_kept(apex, &path, &error.to_string())];
            }
        };
        let journal = match Journal::read(&octets, apex) {
            Ok(journal) => journal,
            Err(why) => {
                self.disk = Disk::Foreign;
                return vec![not_kept(apex, &path, &why.to_string())];
            }
        };
        let good = journal.good_octets() as u64;
        let on_disk = journal.versions().next_back().copied();
        self.last = self.last.or(on_disk);
        self.disk = match on_disk {
            Some(_) => Disk::Whole { octets: good, is_current: self.last == on_disk },
            None => Disk::Absent,
        };
        if good == octets.len() as u64 {
            return Vec::new();
        }
        let torn = octets.len() as u64 - good;
        // Where that fails nothing can be appended either, and that is said.
        let _ = durable::cut(&path, good);
        let kept = match on_disk {
            Some(last) => format!("all versions up to serial {} are there", last.serial),
            None => "no version was in it".into(),
        };
        vec![Diagnostic::warning(format!(
            "{}: its last {torn} octets were not written to their end and are cut off; {kept}",
            path.display()
        ))]
    }

    /// Hands the journal to `read`. It is not mended here.
    pub(super) fn read<R>(
        &self,
        state: &State,
        apex: NameRef<'_>,
        read: impl FnOnce(&Journal<'_>) -> Result<R, HistoryError>,
    ) -> Result<R, HistoryError> {
        let octets = durable::read(&state.journal(apex), limits::JOURNAL_READ_OCTETS);
        let octets = octets.map_err(HistoryError::Disk)?.ok_or(HistoryError::Unknown)?;
        read(&Journal::read(&octets, apex).map_err(HistoryError::NotReadable)?)
    }

    /// The version published last, from the journal; none when it does not hold it.
    pub(super) fn last_zone(
        &self,
        state: &State,
        apex: NameRef<'_>,
        remarks: &mut Vec<Diagnostic>,
    ) -> Option<Arc<Zone>> {
        let last = self.last.filter(|last| last.held != Held::Mark)?;
        let zone = self.read(state, apex, |journal| {
            let at = journal.latest(|version| *version == last).ok_or(HistoryError::Unknown)?;
            journal.zone(at).map_err(HistoryError::NotHeld)
        });
        match zone {
            Ok(zone) => Some(Arc::new(zone)),
            Err(error) => {
                let serial = last.serial;
                remarks.push(Diagnostic::warning(format!(
                    "zone {apex}: serial {serial} cannot be had from the journal: {error}"
                )));
                None
            }
        }
    }

    /// Remembers a version that is not on the disk.
    pub(super) fn keep_in_mind(&mut self, version: &Version) {
        self.last = Some(Version { held: Held::Mark, ..*version });
        if let Disk::Whole { is_current, .. } = &mut self.disk {
            *is_current = false;
        }
    }

    /// Writes a version to the disk, and remembers it when it is there.
    pub(super) fn write(
        &mut self,
        state: &State,
        prepared: &Prepared,
        version: &Version,
        remarks: &mut Vec<Diagnostic>,
    ) -> io::Result<()> {
        if self.disk == Disk::Foreign {
            self.keep_in_mind(version);
            return Ok(());
        }
        let path = state.journal(prepared.zone.apex());
        durable::make_folder(&state.journals())?;
        let limit = match prepared.journal {
            JournalSize::Off => return self.replace_with_mark(&path, prepared, version),
            JournalSize::AtMost(limit) => limit.0.min(limits::JOURNAL_READ_OCTETS),
        };
        if self.append(&path, prepared, version, limit)? {
            return Ok(());
        }
        if prepared.old.is_none() && prepared.zone.record_count() > limits::JOURNAL_EAGER_RECORDS {
            return self.replace_with_mark(&path, prepared, version);
        }
        if let Some((octets, held)) = self.anew(&path, prepared, version, limit)? {
            return self.replace(&path, &octets, &Version { held, ..*version });
        }
        if !std::mem::replace(&mut self.is_room_told, true) {
            let apex = prepared.zone.apex();
            let message = format!("zone {apex}: {limit} octets are too little to keep its history in");
            remarks.push(Diagnostic::warning(message).help("give it more, such as `journal: 1GiB`"));
        }
        self.replace_with_mark(&path, prepared, version)
    }

    /// Appends the version, when there is a journal with room for it. Says whether it did.
    fn append(
        &mut self,
        path: &Path,
        prepared: &Prepared,
        version: &Version,
        limit: u64,
    ) -> io::Result<bool> {
        let Disk::Whole { octets: end, is_current } = self.disk else { return Ok(false) };
        let last_is_mark = self.last.is_none_or(|last| last.held == Held::Mark);
        if is_current && last_is_mark {
            // A new journal can begin with all of the version before this one.
            return Ok(false);
        }
        let (record, held) = match &prepared.changes {
            Some(changes) if is_current => (journal::delta(version, changes), Held::Delta),
            _ => (journal::full(version, &prepared.zone), Held::Full),
        };
        let octets = end + record.len() as u64;
        if octets > limit {
            return Ok(false);
        }
        match durable::append(path, end, &record)? {
            Appended::Written => {
                self.disk = Disk::Whole { octets, is_current: true };
                self.last = Some(Version { held, ..*version });
                Ok(true)
            }
            Appended::Moved => {
                self.disk = Disk::Unread;
                Err(io::Error::other("another process writes to the journals"))
            }
        }
    }

    /// A journal that ends with the version, and how it holds it: with as much of the history as there is room for. None
    /// when there is not even room for the version itself.
    fn anew(
        &self,
        path: &Path,
        prepared: &Prepared,
        version: &Version,
        limit: u64,
    ) -> io::Result<Option<(Vec<u8>, Held)>> {
        let fits = |octets: &Vec<u8>| octets.len() as u64 <= limit;
        let (Some(old), Some(changes), Some(last)) = (&prepared.old, &prepared.changes, &self.last) else {
            let octets = journal::new_with_full(version, &prepared.zone);
            return Ok(Some((octets, Held::Full)).filter(|(octets, _)| fits(octets)));
        };
        let base = journal::new_with_full(last, old);
        let delta = journal::delta(version, changes);
        // A quarter is left free, so that it is not shortened each time.
        let room = (limit / 4 * 3).saturating_sub(delta.len() as u64) as usize;
        let shortened = match self.disk {
            Disk::Whole { is_current: true, .. } if last.held != Held::Mark => {
                let octets = durable::read(path, limits::JOURNAL_READ_OCTETS)?.unwrap_or_default();
                let journal = Journal::read(&octets, prepared.zone.apex());
                journal.ok().and_then(|journal| journal.shortened(room, base.len()).ok())
            }
            _ => None,
        };
        let candidates = [shortened, Some(base)].into_iter().flatten();
        let mut whole = candidates.map(|mut octets| {
            octets.extend_from_slice(&delta);
            octets
        });
        Ok(whole.find(fits).map(|octets| (octets, Held::Delta)))
    }

    fn replace_with_mark(&mut self, path: &Path, prepared: &Prepared, version: &Version) -> io::Result<()> {
        let octets = journal::new_with_mark(version, prepared.zone.apex());
        self.replace(path, &octets, &Version { held: Held::Mark, ..*version })
    }

    fn replace(&mut self, path: &Path, octets: &[u8], version: &Version) -> io::Result<()> {
        match self.last {
            Some(_) => durable::replace(path, octets)?,
            // A first version is what its file says, serial and all, so nothing is lost with it; and a first start
            // with ten thousand zones need not wait for the disk as often.
            None => durable::place(path, octets)?,
        }
        self.disk = Disk::Whole { octets: octets.len() as u64, is_current: true };
        self.last = Some(*version);
        Ok(())
    }
}

fn not_kept(apex: NameRef<'_>, path: &Path, why: &str) -> Diagnostic {
    let path = path.display();
    Diagnostic::warning(format!("zone {apex}: no history is kept: {path} {why}"))
        .help("it is left as it is; move it away to begin a new one")
}
