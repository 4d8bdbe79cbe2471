//! The zones that are served, and the one gate every new version goes through.
//!
//! Whatever makes files be looked at (a start, the watcher, a signal, an order), a version is read, checked, compared with
//! the one that is served and doubted, in this order, and only then taken. Belongs to one thread at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf, absolute};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::command::{Refusal, spoken};
use super::difference::Extent;
use super::durable;
use super::handle::{not_served, zone_text};
use super::report::{ZoneState, ZoneStatus};
use super::stamp::{ContentMark, Doubt, SeenFile, SeenFiles, Stamp};
use super::versions::{Prepared, Versions, When};
use super::zone_file::{ReadZone, read_zone, read_zone_text};
use super::zone_list::{ListedZone, ZoneList};
use crate::clock::Unix;
use crate::diagnostic::{Diagnostic, Severity};
use crate::dns::{Name, Serial};
use crate::limits;
use crate::zone::{Cause, Zone, ZoneEntry, ZoneTable};

/// Which zones to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// All, and whether zones came or went.
    pub(super) all: bool,
    /// These.
    pub(super) zones: BTreeSet<Name>,
    /// Those with one of these files.
    pub(super) files: BTreeSet<PathBuf>,
}

impl Scope {
    pub(super) fn all() -> Scope {
        Scope { all: true, ..Scope::default() }
    }

    pub(super) fn zones(zones: impl IntoIterator<Item = Name>) -> Scope {
        Scope { zones: zones.into_iter().collect(), ..Scope::default() }
    }

    /// What one of the two means.
    pub(super) fn join(&mut self, other: Scope) {
        self.all |= other.all;
        self.zones.extend(other.zones);
        self.files.extend(other.files);
    }
}

/// On which terms files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// What made them be looked at.
    pub(super) cause: Cause,
    pub(super) now: Unix,
    /// Versions that lose too much, or look cut off, are taken: the operator said so.
    pub(super) is_sure: bool,
    /// Files that got shorter are taken though they may still grow: somebody asked, or waited for long enough.
    pub(super) is_patient: bool,
}

/// What a load or reload came to.
#[derive(Default)]
pub(super) struct LoadReport {
    /// Errors and warnings of the files that were read.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What became of each zone that is new, changed, gone or kept in spite of its file.
    pub(super) changes: Vec<String>,
    /// Zones whose file is not what is served, and why.
    pub(super) problems: Vec<String>,
    /// Zones that are not any more what an earlier run published last.
    pub(super) since_last_run: Vec<String>,
    /// Zones whose files changed while they were read.
    pub(super) unsettled: BTreeSet<Name>,
}

/// The zones and their latest good versions.
pub(super) struct ZoneSet {
    pub(super) list: ZoneList,
    pub(super) table: ZoneTable,
    zones: BTreeMap<Name, Known>,
    versions: Arc<Versions>,
}

/// What is known of a zone's files.
struct Known {
    listed: ListedZone,
    /// The files of the version that is served; empty when there is none.
    accepted: SeenFiles,
    /// The files as they were read last, when they were not accepted.
    rejected: Option<SeenFiles>,
    /// What an edit announced to put into the zone file; until a version is accepted.
    edited: Option<ContentMark>,
    state: ZoneState,
    problem: Option<String>,
    load_errors: u64,
}

/// What reading a zone came to.
enum Outcome {
    Unchanged,
    Same(SeenFiles),
    Unsettled,
    Bad {
        files: SeenFiles,
        diagnostics: Vec<Diagnostic>,
    },
    Held {
        files: SeenFiles,
        why: String,
    },
    /// Written down already.
    Good {
        files: SeenFiles,
        prepared: Box<Prepared>,
        warnings: Vec<Diagnostic>,
    },
}

impl ZoneSet {
    /// Nothing loaded yet.
    pub(super) fn new(list: ZoneList, versions: Arc<Versions>) -> ZoneSet {
        ZoneSet { list, table: ZoneTable::new(), zones: BTreeMap::new(), versions }
    }

    /// Looks at zones and takes what is good. After each batch `publish` is called with what is different since the last
    /// call. A zone whose files are not good stays as it was; one that never was good is unavailable, and its names are
    /// SERVFAIL rather than somebody else's.
    pub(super) fn load(
        &mut self,
        scope: &Scope,
        terms: Terms,
        publish: &mut dyn FnMut(&ZoneSet, LoadReport),
    ) {
        let mut report = LoadReport::default();
        let wanted = self.wanted(scope, &mut report);
        for batch in wanted.chunks(limits::RELOAD_BATCH) {
            for (apex, outcome) in self.examine_all(batch, terms) {
                self.take(apex, outcome, &mut report);
            }
            publish(self, std::mem::take(&mut report));
        }
        publish(self, report);
    }

    fn wanted(&mut self, scope: &Scope, report: &mut LoadReport) -> Vec<Name> {
        if scope.all || scope.files.iter().any(|file| self.may_be_zone_of_folder(file)) {
            let listed = self.look_at_list(report);
            if scope.all {
                return listed;
            }
        }
        let has_file = |known: &Known| known.paths().any(|path| scope.files.contains(&path));
        let is_wanted = |(apex, known): &(&Name, &Known)| scope.zones.contains(*apex) || has_file(known);
        self.zones.iter().filter(is_wanted).map(|(apex, _)| apex.clone()).collect()
    }

    /// Reads the list anew; zones that are not in it any more go. All zones that are listed.
    fn look_at_list(&mut self, report: &mut LoadReport) -> Vec<Name> {
        let listing = self.list.zones();
        // A file whose zone could not even be named may be that of a zone served now: then nothing goes.
        if listing.diagnostics.is_empty() {
            let gone: Vec<Name> =
                self.zones.keys().filter(|apex| !listing.zones.contains_key(apex)).cloned().collect();
            for apex in gone {
                self.zones.remove(&apex);
                self.table = self.table.without(apex.as_ref());
                report.changes.push(format!("zone {apex}: no longer served"));
            }
        }
        report.problems.extend(listing.diagnostics.iter().map(Diagnostic::to_string));
        report.diagnostics.extend(listing.diagnostics);
        let listed: Vec<Name> = listing.zones.keys().cloned().collect();
        for (apex, listed) in listing.zones {
            match self.zones.get_mut(&apex) {
                Some(known) if known.listed.file == listed.file => known.listed = listed,
                Some(known) => {
                    // Another file is another history; the version that is served stays until the new one is good.
                    (known.listed, known.accepted, known.rejected) = (listed, SeenFiles::default(), None);
                }
                None => {
                    self.zones.insert(apex, Known::new(listed));
                }
            }
        }
        listed
    }

    /// Whether a file that is known or not stands in the folder whose files are zones.
    fn may_be_zone_of_folder(&self, file: &Path) -> bool {
        let Some(folder) = self.list.folder() else { return false };
        file.extension().is_some_and(|extension| extension == "zone")
            && file.parent() == absolute(folder).ok().as_deref()
    }

    /// Several at a time; the results in the order of the names.
    fn examine_all(&self, batch: &[Name], terms: Terms) -> Vec<(Name, Outcome)> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let readers = thread::available_parallelism().map_or(1, usize::from).min(batch.len());
        thread::scope(|scope| {
            for _ in 0..readers {
                scope.spawn(|| {
                    while let Some(apex) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = self.examine(apex, terms);
                        let mut done = done.lock().expect("no reader panics while it holds the lock");
                        done.insert(apex.clone(), outcome);
                    }
                });
            }
        });
        done.into_inner().expect("no reader panics while it holds the lock").into_iter().collect()
    }

    /// The gate: read, check, doubt, compare, number, write down. Only the last cannot be taken back.
    fn examine(&self, apex: &Name, terms: Terms) -> Outcome {
        let known = &self.zones[apex];
        let served = self.served(apex);
        let is_good = known.state == ZoneState::Served;
        if is_good && known.accepted.are_untouched() {
            return Outcome::Unchanged;
        }
        let ReadZone { zone, diagnostics, files } = read_zone(apex, &known.listed.file);
        let files = SeenFiles::new(files, terms.now);
        if served.is_some() && zone.is_some() && known.accepted.have_same_content(&files) {
            return Outcome::Same(files);
        }
        let is_of_no_version = || files.files.iter().any(|file| file.stamp.is_none());
        match known.accepted.doubt(&files, terms.now) {
            Some(Doubt::Changing) if !terms.is_patient || is_of_no_version() => return Outcome::Unsettled,
            Some(Doubt::CutOff) if !terms.is_sure && served.is_some() => {
                let why = "the file ends in the middle of a line, and did not before: it looks half-written";
                return Outcome::Held { files, why: why.into() };
            }
            _ => {}
        }
        let Some(zone) = zone else { return Outcome::Bad { files, diagnostics } };
        self.number(known, zone, served, terms, files, diagnostics)
    }

    fn number(
        &self,
        known: &Known,
        zone: Zone,
        served: Option<&Arc<Zone>>,
        terms: Terms,
        files: SeenFiles,
        mut warnings: Vec<Diagnostic>,
    ) -> Outcome {
        let ListedZone { versions, max_removed, .. } = known.listed;
        let is_edit = known.edited.is_some_and(|edited| files.begin_with(edited));
        let cause = if is_edit { Cause::Edit } else { terms.cause };
        let mut prepared = self.versions.prepare(zone, served, versions, cause, terms.now);
        if let (Some(changes), Some(served), false) = (&prepared.changes, served, terms.is_sure) {
            let (lost, records) = (Extent::of(changes, served).records_lost, served.record_count());
            if max_removed.is_exceeded(lost, records) {
                let why =
                    format!("it loses {lost} of {records} records, more than `max-removed: {max_removed}`");
                return Outcome::Held { files, why };
            }
        }
        warnings.append(&mut prepared.remarks);
        warnings.extend(self.versions.commit(&prepared));
        Outcome::Good { files, prepared: Box::new(prepared), warnings }
    }

    /// Remembers what an edit is about to put into the file of a zone.
    pub(super) fn expect(&mut self, apex: &Name, content: ContentMark) {
        if let Some(known) = self.zones.get_mut(apex) {
            known.edited = Some(content);
        }
    }

    /// Takes an old version back: its content under a new serial. The file gets it too when that is wanted; else it stays
    /// as it is, and counts again once it is changed.
    pub(super) fn roll_back(
        &mut self,
        apex: &Name,
        to: Serial,
        is_written: bool,
        now: Unix,
    ) -> Result<LoadReport, Refusal> {
        let served = match (self.zones.get(apex), self.served(apex)) {
            (None, _) => return Err(not_served(apex)),
            (_, None) => return Err(Refusal(format!("no version of {} is served", spoken(apex)))),
            (Some(_), Some(served)) => Arc::clone(served),
        };
        let known = self.zones.get_mut(apex).expect("it was found a moment ago");
        let mut prepared = self
            .versions
            .roll_back(&served, to, known.listed.versions, now)
            .map_err(|error| Refusal(format!("{}: {error}", spoken(apex))))?;
        let mut report = LoadReport { changes: vec![prepared.to_string()], ..LoadReport::default() };
        let file = known.listed.file.display().to_string();
        if is_written {
            // Before the version is written down: a crash between the two leaves a file that says the same.
            let files = known.write_file(&prepared.zone, now).map_err(|why| {
                Refusal(format!("{file}: {why}; nothing was taken back, which works without `--write`"))
            })?;
            if known.accepted.files.len() > 1 {
                report.changes.push(format!("{file} includes no other files any more"));
            }
            known.accept(files);
            prepared.tell_file_is_same();
            report.changes.push(format!("{file} is written anew, without its comments"));
        } else {
            report.changes.push(format!(
                "{file} still says what was published before, and is published again when it changes next; take the \
                 same back there, or let `--write` do it"
            ));
        }
        report.diagnostics.extend(prepared.remarks.iter().cloned().chain(self.versions.commit(&prepared)));
        self.table = self.table.with(ZoneEntry::Loaded(prepared.zone));
        Ok(report)
    }

    fn take(&mut self, apex: Name, outcome: Outcome, report: &mut LoadReport) {
        let is_kept_out = matches!(outcome, Outcome::Held { .. } | Outcome::Bad { .. });
        let served = match self.served(&apex) {
            Some(zone) => Some(zone.serial()),
            None if is_kept_out => self.serve_last_version(&apex),
            None => None,
        };
        let known = self.zones.get_mut(&apex).expect("only zones of the list are looked at");
        match outcome {
            Outcome::Unchanged => {}
            Outcome::Same(files) => {
                if known.state != ZoneState::Served {
                    report.changes.push(format!("zone {apex}: its file is again what is served"));
                }
                known.accept(files);
            }
            Outcome::Unsettled => {
                report.unsettled.insert(apex);
            }
            Outcome::Good { files, prepared, warnings } => {
                known.accept(files);
                report.diagnostics.extend(warnings);
                if served.is_none() && prepared.before.is_some() && prepared.is_new() {
                    report.since_last_run.push(prepared.to_string());
                }
                if served.is_none() || prepared.is_new() {
                    report.changes.push(prepared.to_string());
                }
                self.table = self.table.with(ZoneEntry::Loaded(prepared.zone));
            }
            Outcome::Held { files, why } => {
                let serial = served.map_or(String::new(), |serial| format!("; serial {serial} stays"));
                let order = format!("namu zone reload {} --yes", spoken(&apex));
                report.problems.push(format!("zone {apex}: held back: {why}{serial}; `{order}` takes it"));
                known.reject(files, ZoneState::Held, why);
            }
            Outcome::Bad { files, diagnostics } => {
                let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
                let first = diagnostics.iter().find(is_error).map_or(String::new(), Diagnostic::to_string);
                let state = match served {
                    Some(serial) => {
                        report
                            .problems
                            .push(format!("zone {apex}: its file has errors; serial {serial} stays"));
                        ZoneState::Kept
                    }
                    None => {
                        report
                            .problems
                            .push(format!("zone {apex}: its file has errors; its names are SERVFAIL"));
                        self.table = self.table.with(ZoneEntry::Unavailable(apex));
                        ZoneState::Unavailable
                    }
                };
                known.reject(files, state, first);
                report.diagnostics.extend(diagnostics);
            }
        }
    }

    /// A start with a file that cannot be served goes on with what was published last. Its serial, if there is such a
    /// version.
    fn serve_last_version(&mut self, apex: &Name) -> Option<Serial> {
        let zone = self.versions.at(apex.as_ref(), When::Time(Unix(u64::MAX))).ok()?;
        let serial = zone.serial();
        self.table = self.table.with(ZoneEntry::Loaded(zone.into()));
        Some(serial)
    }

    fn served(&self, apex: &Name) -> Option<&Arc<Zone>> {
        match self.table.get(apex.as_ref()) {
            Some(ZoneEntry::Loaded(zone)) => Some(zone),
            _ => None,
        }
    }

    /// How every zone is, by name.
    pub(super) fn status(&self) -> BTreeMap<Name, ZoneStatus> {
        let status = |(apex, known): (&Name, &Known)| {
            let served = self.served(apex);
            let status = ZoneStatus {
                zone: spoken(apex),
                file: absolute(&known.listed.file)
                    .unwrap_or_else(|_| known.listed.file.clone())
                    .display()
                    .to_string(),
                state: known.state,
                serial: served.map(|zone| zone.serial().0),
                records: served.map_or(0, |zone| zone.record_count()),
                problem: known.problem.clone(),
                load_errors: known.load_errors,
            };
            (apex.clone(), status)
        };
        self.zones.iter().map(status).collect()
    }

    /// The folders where a change may concern a zone.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let of_files = self.zones.values().flat_map(Known::paths);
        let mut folders: BTreeSet<PathBuf> =
            of_files.filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
        folders.extend(self.list.folder().and_then(|folder| absolute(folder).ok()));
        folders
    }

    /// The zones with a file that is not any more as it was read.
    pub(super) fn touched(&self) -> Scope {
        let seen = |known: &Known| known.rejected.as_ref().unwrap_or(&known.accepted).were_touched();
        Scope::zones(self.zones.iter().filter(|(_, known)| seen(known)).map(|(apex, _)| apex.clone()))
    }

    /// Apex and record count of each zone that is served, by name.
    pub(super) fn served_zones(&self) -> Vec<(String, usize)> {
        let record_count = |apex| Some((spoken(apex), self.served(apex)?.record_count()));
        self.zones.keys().filter_map(record_count).collect()
    }
}

impl Known {
    fn new(listed: ListedZone) -> Known {
        Known {
            listed,
            accepted: SeenFiles::default(),
            rejected: None,
            edited: None,
            state: ZoneState::Unavailable,
            problem: None,
            load_errors: 0,
        }
    }

    fn accept(&mut self, files: SeenFiles) {
        (self.accepted, self.rejected, self.edited) = (files, None, None);
        (self.state, self.problem) = (ZoneState::Served, None);
    }

    fn reject(&mut self, files: SeenFiles, state: ZoneState, problem: String) {
        self.rejected = Some(files);
        (self.state, self.problem) = (state, Some(problem));
        self.load_errors += 1;
    }

    /// Puts a version into the zone file, unless that has something nobody has read yet. How it is then.
    fn write_file(&self, zone: &Zone, now: Unix) -> Result<SeenFiles, String> {
        let path = &self.listed.file;
        let text = zone_text(zone);
        if text.len() as u64 > limits::ZONEFILE_OCTETS {
            return Err("the zone is too large for a zone file".into());
        }
        if path.exists() {
            let octets = read_zone_text(path).map_err(|unreadable| unreadable.message)?;
            let mark = ContentMark::of(&octets);
            let is_known = |files: &SeenFiles| files.begin_with(mark);
            if !is_known(&self.accepted) && !self.rejected.as_ref().is_some_and(is_known) {
                return Err("it was changed meanwhile".into());
            }
        }
        durable::replace(path, text.as_bytes()).map_err(|error| error.to_string())?;
        let seen = SeenFile::new(path, Stamp::at(path), text.as_bytes());
        Ok(SeenFiles::new(vec![seen], now))
    }

    /// All files that matter, those of a rejected version too: it may be mended in any of them.
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let seen = self.accepted.files.iter().chain(self.rejected.iter().flat_map(|seen| &seen.files));
        let paths = seen.map(|file| &file.path).chain([&self.listed.file]);
        paths.map(|path| absolute(path).unwrap_or_else(|_| path.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::state::State;
    use super::*;
    use crate::config::Config;

    const ZONES: usize = 40;
    /// So late that the stamps of all files are believed.
    const TERMS: Terms =
        Terms { cause: Cause::Command, now: Unix(u64::MAX), is_sure: false, is_patient: false };

    fn text(last: u8) -> String {
        format!("$TTL 60\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nwww A 192.0.2.{last}\n")
    }

    #[test]
    fn a_reload_reads_the_files_of_the_zone_it_is_about_and_of_no_other() {
        let folder = std::env::temp_dir().join(format!("namu-zone-set-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let files: Vec<PathBuf> = (0..ZONES).map(|n| folder.join(format!("z{n}.test.zone"))).collect();
        files.iter().for_each(|file| fs::write(file, text(1)).unwrap());
        // What the zones of the list are called is read first, with a list that is not looked at again.
        let list = ZoneList::of(&Config::default(), false, &files);
        let versions = Arc::new(Versions::new(State::new(folder.join("state"))));
        let mut zones = ZoneSet::new(list, versions);
        let mut reload = |scope: &Scope| {
            let mut said = (Vec::new(), Vec::new());
            zones.load(scope, TERMS, &mut |_, report| {
                said.0.extend(report.changes);
                said.1.extend(report.problems);
            });
            // How many files another look at all zones would read.
            let all: Vec<Name> = zones.zones.keys().cloned().collect();
            let looks = zones.examine_all(&all, TERMS);
            let read = looks.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Unchanged)).count();
            let errors: u64 = zones.status().values().map(|status| status.load_errors).sum();
            (said, read, errors)
        };
        let ((changes, problems), read, errors) = reload(&Scope::all());
        assert_eq!((changes.len(), problems.len(), read, errors), (ZONES, 0, 0, 0));
        // All files become rubbish but one: who reads another one will say so.
        files.iter().for_each(|file| fs::write(file, "rubbish").unwrap());
        fs::write(&files[7], text(2)).unwrap();
        let edited: Name = "z7.test.".parse().unwrap();
        for (scope, changes) in [
            (
                Scope::zones([edited.clone()]),
                vec!["zone z7.test.: serial 1 -> 2, 1 RRset changed".to_owned()],
            ),
            (Scope { files: [files[7].clone()].into(), ..Scope::default() }, Vec::new()),
        ] {
            assert_eq!(reload(&scope), ((changes, Vec::new()), ZONES - 1, 0), "{scope:?}");
        }
        let ((_, problems), _, errors) = reload(&Scope::all());
        assert_eq!((problems.len(), errors), (ZONES - 1, ZONES as u64 - 1));
        // A look at all zones reads what was touched.
        files.iter().for_each(|file| fs::write(file, text(3)).unwrap());
        assert_eq!(reload(&Scope::all()).1, 0);
        fs::write(&files[9], text(4)).unwrap();
        assert_eq!(reload(&Scope::default()).1, 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
