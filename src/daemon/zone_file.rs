//! A zone file on disk becomes a zone, or a list of what is wrong with it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::stamp::{SeenFile, Stamp};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::dns::{Name, NameRef, Ttl};
use crate::limits;
use crate::zone::{Findings, Zone, ZoneBuilder, ZoneError};
use crate::zonefile::{self, Files, Included, Includes, Mark, Record};

/// What came of reading a zone file.
#[derive(Debug)]
pub struct ReadZone {
    /// The zone, none when there are errors.
    pub zone: Option<Zone>,
    /// Errors and warnings, in the order they were found.
    pub diagnostics: Vec<Diagnostic>,
    /// The files as they were when they were read, the zone file first; those included behind an error are missing.
    pub(super) files: Vec<SeenFile>,
}

/// Reads the zone `apex` from a file and those it includes.
pub fn read_zone(apex: &Name, path: &Path) -> ReadZone {
    let mut builder = ZoneBuilder::new(apex.clone());
    let (disk, files) = match open(path) {
        Ok(opened) => opened,
        Err(unreadable) => return ReadZone { zone: None, diagnostics: vec![*unreadable], files: Vec::new() },
    };
    let parsed = parse_files(&disk, files, apex, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    });
    let seen = disk.seen.take();
    let (files, mut diagnostics) = match parsed {
        Ok(parsed) => parsed,
        Err(errors) => return ReadZone { zone: None, diagnostics: errors, files: seen },
    };
    let (zone, findings) = match builder.build() {
        Ok(built) => (Some(built.zone), built.warnings),
        Err(errors) => (None, errors),
    };
    diagnostics.extend(findings.iter().map(|finding| explain(finding, &files)));
    ReadZone { zone, diagnostics, files: seen }
}

/// Checks the zone `apex` in a file and those it includes more thoroughly than reading asks: all errors, also those of
/// records beside others that cannot be read, and all warnings, in the order of the lines. Expiry of signatures is judged at
/// `unix_seconds`.
pub fn check_zone(apex: &Name, path: &Path, unix_seconds: u64) -> Vec<Diagnostic> {
    let mut builder = ZoneBuilder::new(apex.clone());
    let (disk, mut files) = match open(path) {
        Ok(opened) => opened,
        Err(unreadable) => return vec![*unreadable],
    };
    let parsed = zonefile::parse(&mut files, apex.as_ref(), &disk, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    });
    let is_whole = parsed.is_ok();
    let (Ok(mut diagnostics) | Err(mut diagnostics)) = parsed;
    let Findings { found, more } = builder.check(unix_seconds);
    // What is missing may stand in a line that could not be read.
    let found: Vec<_> = found.iter().filter(|finding| is_whole || !finding.problem.is_absence()).collect();
    for (at, finding) in found.iter().enumerate() {
        let (code, mut diagnostic) = (finding.problem.code(), explain(finding, &files));
        let is_last = !found[at + 1..].iter().any(|other| other.problem.code() == code);
        if let (true, Some(count)) = (is_last, more.get(code)) {
            diagnostic = diagnostic.note(format!("{count} more of this kind are not shown"));
        }
        diagnostics.push(diagnostic);
    }
    // The zone file, then those it includes.
    let name = path.display().to_string();
    let order = |place: &Place| (*place.file != *name, place.file.clone(), place.line, place.column);
    diagnostics.sort_by_cached_key(|diagnostic| diagnostic.place.as_ref().map(order));
    diagnostics
}

/// Reads the records of a file in zone file format and those it includes. Returns the files, for the marks of the
/// records, and warnings; or errors, and then what `sink` got is not to be used.
pub(super) fn read_records(
    origin: &Name,
    path: &Path,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<(Files, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (disk, files) = open(path).map_err(|unreadable| vec![*unreadable])?;
    parse_files(&disk, files, origin, sink)
}

/// The files that a file in zone file format is read with, itself first; those included behind an error are missing.
pub(super) fn files_of(origin: &Name, path: &Path) -> Vec<PathBuf> {
    let Ok((disk, files)) = open(path) else { return vec![path.into()] };
    // What is wrong with it is said where its records are read.
    let _ = parse_files(&disk, files, origin, &mut |_| {});
    disk.seen.take().into_iter().map(|seen| seen.path).collect()
}

/// As [`read_records`], for records whose TTL means nothing and may be missing.
pub(super) fn read_records_without_ttl(
    origin: &Name,
    path: &Path,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<Files, Vec<Diagnostic>> {
    let (disk, mut files) = open(path).map_err(|unreadable| vec![*unreadable])?;
    zonefile::parse_with_ttl(&mut files, origin.as_ref(), Ttl::ZERO, &disk, sink)?;
    Ok(files)
}

fn parse_files(
    disk: &Disk,
    mut files: Files,
    origin: &Name,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<(Files, Vec<Diagnostic>), Vec<Diagnostic>> {
    let warnings = zonefile::parse(&mut files, origin.as_ref(), disk, sink)?;
    Ok((files, warnings))
}

/// The zone file itself, and what opens those it includes.
fn open(path: &Path) -> Result<(Disk, Files), Box<Diagnostic>> {
    let disk = Disk::new();
    let octets = disk.read(path)?;
    Ok((disk, Files::new(&path.display().to_string(), octets)))
}

/// The octets of a zone file.
pub fn read_zone_text(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    Disk::new().read(path)
}

/// Reads text in zone file format as if it stood in that file, and the files it includes. The records go to `sink`, under
/// the origin that the text tells of, else the root. Returns warnings, or errors.
pub fn parse_zone_text(
    path: &Path,
    octets: Vec<u8>,
    sink: &mut dyn FnMut(Record<'_>),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let origin = zonefile::guess_origin(&octets).unwrap_or(NameRef::ROOT.to_name());
    let mut files = Files::new(&path.display().to_string(), octets);
    zonefile::parse(&mut files, origin.as_ref(), &Disk::new(), sink)
}

/// The name of the zone in a file nobody named one for: what the text says, else what the file is called.
pub fn guess_apex(path: &Path) -> Result<Name, Box<Diagnostic>> {
    let octets = read_zone_text(path)?;
    if let Some(name) = zonefile::guess_origin(&octets) {
        return Ok(name);
    }
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = file_name.strip_suffix(".zone").unwrap_or(&file_name);
    let unnamed = |error| {
        Diagnostic::error(format!("{}: the name of its zone is unknown: {error}", path.display()))
            .help("begin the file with `$ORIGIN` and the name of the zone")
    };
    Ok(stem.parse().map_err(unnamed)?)
}

/// A finding of the zone's own checks, with the line it concerns.
pub(super) fn explain(finding: &ZoneError<Mark>, files: &Files) -> Diagnostic {
    let message = finding.to_string();
    let problem = &finding.problem;
    let diagnostic = match problem.severity() {
        Severity::Error => Diagnostic::error(message),
        Severity::Warning => Diagnostic::warning(message),
    };
    let mark = finding.mark.unwrap_or(files.beginning());
    let mut diagnostic = diagnostic.code(problem.code()).help(problem.help()).at(files.place(mark));
    if let Some(other) = finding.other {
        diagnostic = diagnostic.related("the other record", files.place(other));
    }
    diagnostic.notes.extend(files.inclusions(mark));
    diagnostic
}

/// Opens regular files, and no more of them than a zone may have. Remembers how they were.
struct Disk {
    /// Octets left to included files.
    octets_left: Cell<u64>,
    seen: RefCell<Vec<SeenFile>>,
}

impl Disk {
    fn new() -> Disk {
        Disk { octets_left: Cell::new(limits::ZONEFILE_INCLUDED_OCTETS), seen: RefCell::default() }
    }

    /// The zone file itself.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
        let most = limits::ZONEFILE_OCTETS;
        let too_long = || format!("a zone file may have {} MiB", most >> 20);
        let unreadable = |why| Diagnostic::error(format!("{}: {why}", path.display()));
        Ok(self.read_at_most(&Cell::new(most), path, too_long).map_err(unreadable)?)
    }

    /// Reads a file and takes its octets from `left`.
    fn read_at_most(
        &self,
        left: &Cell<u64>,
        path: &Path,
        too_long: impl Fn() -> String,
    ) -> Result<Vec<u8>, String> {
        let about = std::fs::metadata(path).map_err(|error| describe(&error))?;
        // A device or a pipe has no end, or none in sight.
        if !about.is_file() {
            let what = if about.is_dir() { "is a directory, not a file" } else { "is not a regular file" };
            return Err(what.into());
        }
        // Said before anything is read; the length may be another by then, so the octets are counted as well.
        if about.len() > left.get() {
            return Err(too_long());
        }
        let mut octets = Vec::new();
        let file = File::open(path).map_err(|error| describe(&error))?;
        let before = file.metadata().map(|about| Stamp::of(&about));
        let read =
            file.take(left.get() + 1).read_to_end(&mut octets).map_err(|error| describe(&error))? as u64;
        left.set(left.get().checked_sub(read).ok_or_else(too_long)?);
        // Asked by its path: what was read may have been renamed away meanwhile.
        let after = std::fs::metadata(path).map(|about| Stamp::of(&about));
        let stamp = match (before, after) {
            (Ok(before), Ok(after)) if before == after && before.length == read => Some(before),
            _ => None,
        };
        self.seen.borrow_mut().push(SeenFile::new(path, stamp, &octets));
        Ok(octets)
    }
}

impl Includes for Disk {
    fn open(&self, path: &str, includer: &str) -> Result<Included, String> {
        let beside = Path::new(includer).parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let path = beside.join(path);
        let most = limits::ZONEFILE_INCLUDED_OCTETS;
        let octets = self.read_at_most(&self.octets_left, &path, || {
            format!("included files may have {} MiB in all", most >> 20)
        })?;
        Ok(Included { name: path.display().to_string(), octets })
    }
}

/// An error of the system as a sentence part.
fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "no such file".into(),
        ErrorKind::PermissionDenied => "may not be read by this user".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_the_bound_and_not_beyond() {
        let path = std::env::temp_dir().join(format!("namu-zone-file-{}", std::process::id()));
        std::fs::write(&path, "12345").unwrap();
        let left = Cell::new(12);
        for after in [7, 2] {
            assert_eq!(Disk::new().read_at_most(&left, &path, || unreachable!()), Ok(b"12345".to_vec()));
            assert_eq!(left.get(), after);
        }
        assert_eq!(Disk::new().read_at_most(&left, &path, || "too long".into()), Err("too long".into()));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        for (path, why) in
            [("/dev/zero", "not a regular file"), ("/", "a directory"), ("/no/such", "no such file")]
        {
            let read = read_zone(&"example.".parse().unwrap(), Path::new(path));
            assert!(read.zone.is_none());
            assert!(read.diagnostics[0].message.contains(why), "{:?}", read.diagnostics);
        }
    }
}
