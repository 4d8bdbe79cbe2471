//! The history of a zone: its versions as a journal holds them, and the journal that holds one more.

use std::fmt;

use super::changeset::{Changeset, Summary};
use super::content_hash::ContentHash;
use super::journal_v1::{self, Header, NoRecord, RecordRef};
use super::zone::Zone;
use crate::clock::Unix;
use crate::dns::{Name, NameRef, Serial};

/// One accepted version of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The serial it was published with.
    pub serial: Serial,
    /// The serial published before it; its own for the first.
    pub before: Serial,
    /// The serial its zone file had, which may have been lower.
    pub file_serial: Serial,
    /// When it was accepted.
    pub time: Unix,
    /// What made the server look.
    pub cause: Cause,
    /// Of its content.
    pub hash: ContentHash,
    /// Of the content of its zone file then. It is another one when the version was not made from the file.
    pub file_hash: ContentHash,
    /// How it differs from the version before.
    pub summary: Summary,
    /// How much of it the journal holds.
    pub held: Held,
}

/// What brought a version about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The server was started.
    Start,
    /// SIGHUP.
    Signal,
    /// The file was seen to change.
    Watch,
    /// An operator asked for a reload.
    Command,
    /// An operator edited the zone.
    Edit,
    /// An operator took an old version back.
    Rollback,
    /// Something that came after this build.
    Other(u8),
}

impl Cause {
    /// Every cause with its word, in the order of their codes.
    const WORDS: [(Cause, &'static str); 6] = [
        (Cause::Start, "start"),
        (Cause::Signal, "signal"),
        (Cause::Watch, "watch"),
        (Cause::Command, "command"),
        (Cause::Edit, "edit"),
        (Cause::Rollback, "rollback"),
    ];

    pub(super) fn code(self) -> u8 {
        match self {
            Cause::Start => 0,
            Cause::Signal => 1,
            Cause::Watch => 2,
            Cause::Command => 3,
            Cause::Edit => 4,
            Cause::Rollback => 5,
            Cause::Other(code) => code,
        }
    }

    pub(super) fn from_code(code: u8) -> Cause {
        Cause::WORDS.get(usize::from(code)).map_or(Cause::Other(code), |(cause, _)| *cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Cause::WORDS.get(usize::from(self.code())).map_or("other", |(_, word)| word))
    }
}

/// How much of a version a journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// All of it.
    Full,
    /// What changed since the version before.
    Delta,
    /// Its serial and hash only.
    Mark,
}

impl Held {
    pub(super) fn code(self) -> u8 {
        match self {
            Held::Full => 1,
            Held::Delta => 2,
            Held::Mark => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Held> {
        [Held::Full, Held::Delta, Held::Mark].into_iter().find(|held| held.code() == code)
    }
}

/// A journal as it was read.
pub struct Journal<'a> {
    apex: Name,
    records: Vec<RecordRef<'a>>,
    good_octets: usize,
}

/// Why octets are not a journal to go on with. They are to be left as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReadable {
    /// Of this format, which is newer than this build.
    Format(u16),
    /// Of this format, with a record that is newer than this build.
    Record,
    /// No journal of this zone.
    Foreign,
}

/// Why a version cannot be had from a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// Only its serial and hash were kept.
    Mark,
    /// A record on the way to it does not hold what it should.
    Damaged,
}

impl<'a> Journal<'a> {
    /// Reads a journal of the zone `apex`. What follows the last whole record is left out; see [`Journal::good_octets`].
    pub fn read(octets: &'a [u8], apex: NameRef<'_>) -> Result<Journal<'a>, NotReadable> {
        let mut journal = Journal { apex: apex.to_name(), records: Vec::new(), good_octets: 0 };
        match journal_v1::read_header(octets, apex) {
            Header::Good { end } => journal.good_octets = end,
            Header::Torn => return Ok(journal),
            Header::Format(format) => return Err(NotReadable::Format(format)),
            Header::Foreign => return Err(NotReadable::Foreign),
        }
        while journal.good_octets < octets.len() {
            match journal_v1::read_record(&octets[journal.good_octets..]) {
                Ok(record) => {
                    journal.good_octets += record.octets.len();
                    journal.records.push(record);
                }
                Err(NoRecord::Torn) => break,
                Err(NoRecord::Unknown) => return Err(NotReadable::Record),
            }
        }
        Ok(journal)
    }

    /// Where the last whole record ends. What follows was not written to its end and was never acknowledged.
    pub fn good_octets(&self) -> usize {
        self.good_octets
    }

    /// All versions, the oldest first.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> + ExactSizeIterator {
        self.records.iter().map(|record| &record.version)
    }

    /// The place of the latest version that satisfies `is_wanted`.
    pub fn latest(&self, is_wanted: impl Fn(&Version) -> bool) -> Option<usize> {
        self.records.iter().rposition(|record| is_wanted(&record.version))
    }

    /// The version at a place below the number of versions, as it was published.
    pub fn zone(&self, at: usize) -> Result<Zone, NotHeld> {
        let base = self.records[..=at].iter().rposition(|record| record.version.held != Held::Delta);
        let base = base.ok_or(NotHeld::Damaged)?;
        let full = &self.records[base];
        if full.version.held == Held::Mark {
            return Err(NotHeld::Mark);
        }
        let mut zone = full.zone(self.apex.as_ref()).ok_or(NotHeld::Damaged)?;
        for delta in &self.records[base + 1..=at] {
            let changes = delta.changes(self.apex.as_ref()).ok_or(NotHeld::Damaged)?;
            zone = changes.apply(&zone).map_err(|_| NotHeld::Damaged)?;
        }
        let version = &self.records[at].version;
        let is_it = zone.serial() == version.serial && ContentHash::of(&zone) == version.hash;
        if is_it { Ok(zone) } else { Err(NotHeld::Damaged) }
    }

    /// A journal of the latest versions, the oldest of them in full, in at most `octets`; at least of the last version,
    /// if it is held. The octets a version has in full are taken to be about `full_octets`.
    pub fn shortened(&self, octets: usize, full_octets: usize) -> Result<Vec<u8>, NotHeld> {
        let last = self.records.len().checked_sub(1).ok_or(NotHeld::Damaged)?;
        let (mut base, mut sum) = (last, full_octets);
        while base > 0 && self.records[base].version.held == Held::Delta {
            sum += self.records[base].octets.len();
            if sum > octets {
                break;
            }
            base -= 1;
        }
        loop {
            let shortened = self.beginning_at(base)?;
            if shortened.len() <= octets || base == last {
                return Ok(shortened);
            }
            // The oldest versions were larger than the estimate.
            base += (last - base).div_ceil(2);
        }
    }

    fn beginning_at(&self, base: usize) -> Result<Vec<u8>, NotHeld> {
        let mut out = Vec::new();
        journal_v1::write_header(self.apex.as_ref(), &mut out);
        journal_v1::write_full(&self.records[base].version, &self.zone(base)?, &mut out);
        self.records[base + 1..].iter().for_each(|record| out.extend_from_slice(record.octets));
        Ok(out)
    }
}

/// The octets of a new journal that begins with a whole version.
pub fn new_with_full(version: &Version, zone: &Zone) -> Vec<u8> {
    let mut out = Vec::new();
    journal_v1::write_header(zone.apex(), &mut out);
    journal_v1::write_full(version, zone, &mut out);
    out
}

/// The octets of a new journal that knows no more of a version than its serial and hash.
pub fn new_with_mark(version: &Version, apex: NameRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    journal_v1::write_header(apex, &mut out);
    journal_v1::write_mark(version, &mut out);
    out
}

/// The octets to append for a version, to a journal whose last version is held and the one the changes begin at.
pub fn delta(version: &Version, changes: &Changeset) -> Vec<u8> {
    let mut out = Vec::new();
    journal_v1::write_delta(version, changes, &mut out);
    out
}

/// The octets to append for a version that does not build on the one before.
pub fn full(version: &Version, zone: &Zone) -> Vec<u8> {
    let mut out = Vec::new();
    journal_v1::write_full(version, zone, &mut out);
    out
}

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotReadable::Format(format) => {
                write!(f, "is of format {format}, which this version does not know")
            }
            NotReadable::Record => f.write_str("was written by a newer version"),
            NotReadable::Foreign => f.write_str("is not a journal of this zone"),
        }
    }
}

impl std::error::Error for NotReadable {}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotHeld::Mark => f.write_str("only its serial was kept"),
            NotHeld::Damaged => f.write_str("its journal is damaged"),
        }
    }
}

impl std::error::Error for NotHeld {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twox_hash::XxHash3_64;

    use super::super::testing::{listing, zone};
    use super::*;

    /// The format as it was first written. What reads it now must read it for ever.
    const GOLDEN: &[u8] = include_bytes!("../../tests/golden/journal_v1.journal");

    fn apex() -> Name {
        "example.".parse().unwrap()
    }

    fn contents() -> [Zone; 4] {
        [
            zone(1, &["www A 192.0.2.1"]),
            zone(2, &["www A 192.0.2.1", "www A 192.0.2.2", "@ MX 10 mail", "mail A 192.0.2.3"]),
            zone(3, &["www 30 A 192.0.2.1", "www A 192.0.2.2", "@ MX 10 mail"]),
            zone(4, &["www A 192.0.2.1"]),
        ]
    }

    fn version(zone: &Zone, summary: Summary) -> Version {
        let (serial, hash) = (zone.serial(), ContentHash::of(zone));
        Version {
            serial,
            before: Serial(serial.0.max(2) - 1),
            file_serial: Serial(1),
            time: Unix(1_795_219_200_000_000_000 + u64::from(serial.0)),
            cause: Cause::from_code(serial.0 as u8 - 1),
            hash,
            file_hash: hash,
            summary,
            held: Held::Full,
        }
    }

    /// The first in full, the others as deltas; and where each record ends.
    fn written() -> (Vec<u8>, Vec<usize>) {
        let zones = contents();
        let mut octets = new_with_full(&version(&zones[0], Summary::default()), &zones[0]);
        let mut ends = vec![octets.len()];
        for pair in zones.windows(2) {
            let changes = Changeset::between(&pair[0], &pair[1]);
            octets.extend(delta(&version(&pair[1], changes.summary()), &changes));
            ends.push(octets.len());
        }
        (octets, ends)
    }

    fn read(octets: &[u8]) -> Journal<'_> {
        Journal::read(octets, apex().as_ref()).unwrap()
    }

    #[test]
    fn the_format_on_disk_stays() {
        let (octets, _) = written();
        assert_eq!(octets, GOLDEN);
        let journal = read(GOLDEN);
        for (at, content) in contents().iter().enumerate() {
            assert_eq!(listing(&journal.zone(at).unwrap()), listing(content));
        }
        let told: Vec<String> = journal
            .versions()
            .map(|v| format!("{} -> {} {} {:?} {}", v.before, v.serial, v.cause, v.held, v.summary))
            .collect();
        assert_eq!(
            told,
            [
                "1 -> 1 start Full no RRset changed",
                "1 -> 2 signal Delta +2 RRsets, 1 changed",
                "2 -> 3 watch Delta -1 RRset, 1 TTL",
                "3 -> 4 command Delta -1 RRset, 1 changed",
            ]
        );
    }

    #[test]
    fn a_writer_stopped_at_any_octet_leaves_all_that_was_acknowledged() {
        let (octets, ends) = written();
        for length in 0..=octets.len() {
            let journal = read(&octets[..length]);
            let whole = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(journal.versions().len(), whole, "{length} octets");
            let good = if whole == 0 { journal.good_octets() } else { ends[whole - 1] };
            assert_eq!(journal.good_octets(), good);
            // With the tail cut, what follows is appended as if nothing had been.
            if let Some(at) = whole.checked_sub(1) {
                assert_eq!(listing(&journal.zone(at).unwrap()), listing(&contents()[at]));
                let mended = [&octets[..good], &octets[good..]].concat();
                assert_eq!(read(&mended).versions().len(), 4);
            }
        }
    }

    #[test]
    fn any_octet_that_changed_is_found() {
        let (octets, ends) = written();
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 0x10;
            let whole = ends.iter().filter(|end| **end <= at).count();
            match Journal::read(&changed, apex().as_ref()) {
                Ok(journal) => assert_eq!(journal.versions().len(), whole, "octet {at}"),
                Err(why) => assert!(at < 27 && whole == 0, "octet {at}: {why}"),
            }
        }
    }

    #[test]
    fn zeros_are_what_a_loss_of_power_leaves_and_no_foreign_file() {
        assert_eq!((read(&[0; 64]).versions().len(), read(&[0; 64]).good_octets()), (0, 0));
    }

    /// Closes a head that was changed, as a newer build might write it.
    fn with_head(record: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let mut octets = record.to_vec();
        change(&mut octets[..88]);
        let checksum = XxHash3_64::oneshot(&octets[..88]);
        octets[88..96].copy_from_slice(&checksum.to_be_bytes());
        octets
    }

    #[test]
    fn what_a_newer_build_wrote_is_left_alone() {
        let (octets, ends) = written();
        let mut newer = octets.clone();
        newer[9] = 2;
        assert_eq!(Journal::read(&newer, apex().as_ref()).err(), Some(NotReadable::Format(2)));
        let record =
            |change: fn(&mut [u8])| [&octets[..ends[2]], &with_head(&octets[ends[2]..], change)].concat();
        let unknown_kind = record(|head| head[8] = 9);
        assert_eq!(Journal::read(&unknown_kind, apex().as_ref()).err(), Some(NotReadable::Record));
        let new_field = record(|head| head[11] = 1);
        assert_eq!(Journal::read(&new_field, apex().as_ref()).err(), Some(NotReadable::Record));
        // A cause is only told, so an unknown one hinders nothing.
        let unknown_cause = record(|head| head[9] = 77);
        let journal = read(&unknown_cause);
        assert_eq!(journal.versions().next_back().unwrap().cause, Cause::Other(77));
        assert!(journal.zone(3).is_ok());
        for (octets, what) in
            [(&b"$ORIGIN example."[..], "a zone file"), (b"namu-jnl\0\x01\x01x\0 else", "another zone's")]
        {
            assert_eq!(Journal::read(octets, apex().as_ref()).err(), Some(NotReadable::Foreign), "{what}");
        }
    }

    #[test]
    fn a_delta_that_does_not_fit_is_damage_and_not_a_wrong_zone() {
        let (octets, ends) = written();
        let without_second = [&octets[..ends[0]], &octets[ends[1]..]].concat();
        let journal = read(&without_second);
        assert_eq!(journal.zone(1).err(), Some(NotHeld::Damaged));
        assert!(journal.zone(0).is_ok());
        let other_hash = [&octets[..ends[2]], &with_head(&octets[ends[2]..], |head| head[40] ^= 1)].concat();
        assert_eq!(read(&other_hash).zone(3).err(), Some(NotHeld::Damaged));
    }

    #[test]
    fn a_mark_knows_serial_and_hash_only() {
        let zones = contents();
        let mut octets = new_with_mark(&version(&zones[0], Summary::default()), zones[0].apex());
        let journal = read(&octets);
        assert_eq!(journal.versions().next().unwrap().hash, ContentHash::of(&zones[0]));
        assert_eq!(journal.zone(0).err(), Some(NotHeld::Mark));
        octets.extend(full(&version(&zones[1], Summary::default()), &zones[1]));
        assert_eq!(listing(&read(&octets).zone(1).unwrap()), listing(&zones[1]));
    }

    #[test]
    fn a_shortened_journal_holds_the_latest_versions_within_its_room() {
        let (octets, _) = written();
        let journal = read(&octets);
        let mut held = Vec::new();
        for room in (0..octets.len() + 100).step_by(10) {
            let shortened = journal.shortened(room, 200).unwrap();
            let shorter = read(&shortened);
            let count = shorter.versions().len();
            assert!(count == 1 || shortened.len() <= room, "{room}");
            for at in 0..count {
                assert_eq!(listing(&shorter.zone(at).unwrap()), listing(&contents()[4 - count + at]));
            }
            held.push(count);
        }
        assert_eq!((held.first(), held.last()), (Some(&1), Some(&4)));
        assert!(held.contains(&2) && held.contains(&3), "{held:?}");
    }

    #[test]
    fn versions_are_found_by_serial_and_time() {
        let (octets, _) = written();
        let journal = read(&octets);
        assert_eq!(journal.latest(|version| version.serial == Serial(3)), Some(2));
        assert_eq!(journal.latest(|version| version.serial == Serial(9)), None);
        let second = journal.versions().nth(1).unwrap().time;
        assert_eq!(journal.latest(|version| version.time <= second), Some(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_octets_make_the_reader_panic(
            random in proptest::collection::vec(any::<u8>(), 0..400),
            payload in any::<bool>(),
            at in any::<proptest::sample::Index>(),
        ) {
            let _ = Journal::read(&random, apex().as_ref());
            // Behind right checksums, so that the RRsets are looked at too.
            let (octets, ends) = written();
            let record = &octets[ends[0]..ends[1]];
            let (head, old) = (&record[..96], &record[96..record.len() - 8]);
            let mut new = if payload { random.clone() } else { old.to_vec() };
            if let (false, Some(octet)) = (payload, random.first()) {
                let at = at.index(new.len());
                new[at] = *octet;
            }
            let head = with_head(head, |head| {
                head[..8].copy_from_slice(&(new.len() as u64).to_be_bytes());
                if payload {
                    head[80..88].copy_from_slice(&(at.index(new.len() + 2) as u64).to_be_bytes());
                }
            });
            let checksum = XxHash3_64::oneshot(&new).to_be_bytes();
            let forged = [&octets[..ends[0]], &head, &new[..], &checksum].concat();
            if let Ok(journal) = Journal::read(&forged, apex().as_ref()) {
                for at in 0..journal.versions().len() {
                    if let Ok(zone) = journal.zone(at) {
                        prop_assert_eq!(&ContentHash::of(&zone), &journal.versions().nth(at).unwrap().hash);
                    }
                }
            }
        }
    }
}
