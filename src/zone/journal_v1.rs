//! Journals on disk, format 1: versions of one zone, one record each, only ever appended. Octets in and out, no files.
//!
//! ```text
//! header:  magic "namu-jnl" (8), format (2), the apex in wire form and lower case, XXH3-64 of all before (8)
//! record:  octets of the payload (8), kind (1), cause (1), zero (2), time in nanoseconds since 1970 (8),
//!          serial before (4), serial (4), serial in the file (4), content hash (16), content hash of the file (16),
//!          RRsets added (4), removed (4), changed (4), with another TTL only (4),
//!          octets of the first part of the payload (8), XXH3-64 of all of the record before (8),
//!          payload: a delta's removed RRsets, then its added ones; a full version's RRsets; nothing for a mark,
//!          XXH3-64 of the payload (8)
//! ```
//! Numbers are big-endian; RRsets are as in `rrset_run`, the content hash as in [`ContentHash`]. Golden files under
//! `tests/golden` hold this format still.

use twox_hash::XxHash3_64;

use super::changeset::{Changeset, Summary};
use super::content_hash::ContentHash;
use super::journal::{Cause, Held, Version};
use super::rrset_run::RrsetRun;
use super::zone::Zone;
use crate::clock::Unix;
use crate::dns::{NameRef, Serial};

const MAGIC: &[u8; 8] = b"namu-jnl";
const FORMAT: u16 = 1;
const CHECKSUM: usize = 8;
/// Octets of a record before its payload, the checksum over them included.
const HEAD: usize = 96;

/// What a file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// A journal of this zone, its records from there on.
    Good { end: usize },
    /// The beginning of a header: the writer was stopped.
    Torn,
    /// A journal of a format this build does not know.
    Format(u16),
    /// Something else, or another zone's journal.
    Foreign,
}

/// The header of a new journal.
pub(super) fn write_header(apex: NameRef<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT.to_be_bytes());
    out.extend(apex.octets().iter().map(u8::to_ascii_lowercase));
    close(start, out);
}

/// Looks at the beginning of a file.
pub(super) fn read_header(octets: &[u8], apex: NameRef<'_>) -> Header {
    let mut expected = Vec::new();
    write_header(apex, &mut expected);
    if octets.starts_with(&expected) {
        return Header::Good { end: expected.len() };
    }
    // After a loss of power some file systems show zeros where nothing was written yet.
    if expected.starts_with(octets) || octets.iter().all(|octet| *octet == 0) {
        return Header::Torn;
    }
    match octets.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk()).copied().map(u16::from_be_bytes) {
        Some(format) if format != FORMAT => Header::Format(format),
        _ => Header::Foreign,
    }
}

/// Appends a record that holds the whole zone.
pub(super) fn write_full(version: &Version, zone: &Zone, out: &mut Vec<u8>) {
    let start = write_head(&Version { held: Held::Full, ..*version }, out);
    out.extend_from_slice(zone.to_run().octets());
    close_record(start, 0, out);
}

/// Appends a record that holds the changes to the version before it.
pub(super) fn write_delta(version: &Version, changes: &Changeset, out: &mut Vec<u8>) {
    let start = write_head(&Version { held: Held::Delta, ..*version }, out);
    out.extend_from_slice(changes.removed.octets());
    out.extend_from_slice(changes.added.octets());
    close_record(start, changes.removed.octets().len(), out);
}

/// Appends a record that holds nothing of the zone but its hash.
pub(super) fn write_mark(version: &Version, out: &mut Vec<u8>) {
    let start = write_head(&Version { held: Held::Mark, ..*version }, out);
    close_record(start, 0, out);
}

/// Writes what [`close_record`] will complete; returns where the record begins.
fn write_head(version: &Version, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&[version.held.code(), version.cause.code(), 0, 0]);
    out.extend_from_slice(&version.time.0.to_be_bytes());
    let Summary { added, removed, changed, retimed } = version.summary;
    for serial in [version.before, version.serial, version.file_serial] {
        out.extend_from_slice(&serial.0.to_be_bytes());
    }
    for hash in [version.hash, version.file_hash] {
        out.extend_from_slice(&hash.0.to_be_bytes());
    }
    for count in [added, removed, changed, retimed] {
        out.extend_from_slice(&count.to_be_bytes());
    }
    out.resize(start + HEAD, 0);
    start
}

fn close_record(start: usize, first_part: usize, out: &mut Vec<u8>) {
    let payload = out.len() - start - HEAD;
    out[start..start + 8].copy_from_slice(&(payload as u64).to_be_bytes());
    out[start + HEAD - 16..start + HEAD - 8].copy_from_slice(&(first_part as u64).to_be_bytes());
    let checksum = XxHash3_64::oneshot(&out[start..start + HEAD - CHECKSUM]);
    out[start + HEAD - CHECKSUM..start + HEAD].copy_from_slice(&checksum.to_be_bytes());
    close(start + HEAD, out);
}

fn close(start: usize, out: &mut Vec<u8>) {
    let checksum = XxHash3_64::oneshot(&out[start..]);
    out.extend_from_slice(&checksum.to_be_bytes());
}

/// One record whose checksums are right.
#[derive(Clone, Copy)]
pub(super) struct RecordRef<'a> {
    pub(super) version: Version,
    first_part: &'a [u8],
    second_part: &'a [u8],
    /// The record itself, to be copied into another journal of the same zone.
    pub(super) octets: &'a [u8],
}

/// Why no record can be read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRecord {
    /// It ends early, or its checksum is wrong.
    Torn,
    /// It is whole, and of a kind this build does not know.
    Unknown,
}

/// Reads the record at the front of `octets`, which are not empty.
pub(super) fn read_record(octets: &[u8]) -> Result<RecordRef<'_>, NoRecord> {
    let (head, rest) = octets.split_at_checked(HEAD).ok_or(NoRecord::Torn)?;
    let (head, checksum) = head.split_at(HEAD - CHECKSUM);
    if XxHash3_64::oneshot(head).to_be_bytes() != checksum {
        return Err(NoRecord::Torn);
    }
    let mut fields = Fields(head);
    let payload = usize::try_from(fields.u64()).map_err(|_| NoRecord::Torn)?;
    let [kind, cause, zeros @ ..] = fields.take::<4>();
    let time = Unix(fields.u64());
    let [before, serial, file_serial] = [(); 3].map(|()| Serial(fields.u32()));
    let [hash, file_hash] = [(); 2].map(|()| ContentHash(u128::from_be_bytes(fields.take())));
    let [added, removed, changed, retimed] = [(); 4].map(|()| fields.u32());
    let first_part = usize::try_from(fields.u64()).map_err(|_| NoRecord::Torn)?;
    let (payload, rest) = rest.split_at_checked(payload).ok_or(NoRecord::Torn)?;
    let (checksum, behind) = rest.split_at_checked(CHECKSUM).ok_or(NoRecord::Torn)?;
    if XxHash3_64::oneshot(payload).to_be_bytes() != checksum {
        return Err(NoRecord::Torn);
    }
    let held = Held::from_code(kind).filter(|_| zeros == [0, 0]).ok_or(NoRecord::Unknown)?;
    let (first_part, second_part) = payload.split_at_checked(first_part).ok_or(NoRecord::Unknown)?;
    let summary = Summary { added, removed, changed, retimed };
    let cause = Cause::from_code(cause);
    let version = Version { serial, before, file_serial, time, cause, hash, file_hash, summary, held };
    Ok(RecordRef { version, first_part, second_part, octets: &octets[..octets.len() - behind.len()] })
}

impl RecordRef<'_> {
    /// The whole version that a full record holds; none when it holds no zone.
    pub(super) fn zone(&self, apex: NameRef<'_>) -> Option<Zone> {
        let run = RrsetRun::read(self.second_part, apex).filter(|_| self.first_part.is_empty())?;
        Zone::of_run(apex, &run)
    }

    /// The changes that a delta holds; none when they are no changes.
    pub(super) fn changes(&self, apex: NameRef<'_>) -> Option<Changeset> {
        Some(Changeset::of_runs(
            apex,
            (self.version.before, self.version.serial),
            RrsetRun::read(self.first_part, apex)?,
            RrsetRun::read(self.second_part, apex)?,
            self.version.summary,
        ))
    }
}

/// The numbers of a record's head, from left to right. The head has room for all of them.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the fields add up to the octets of a head");
        self.0 = rest;
        *field
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }
}
