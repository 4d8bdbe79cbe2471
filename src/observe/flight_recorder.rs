//! The flight recorder: what was done for questions that failed or took long, until newer ones need the room.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::step::{Spendings, Step};
use crate::clock::Unix;
use crate::dns::{ExtendedError, Question, Rcode};
use crate::limits;

/// Names a record, in the access log, in extended errors and in `namu explain --id`. It is used again when all
/// others have been, long after the record is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordId(pub u16);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRecordId;

impl fmt::Display for NoRecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has four hexadecimal digits, as `7f3a`")
    }
}

impl std::error::Error for NoRecordId {}

impl FromStr for RecordId {
    type Err = NoRecordId;

    fn from_str(text: &str) -> Result<RecordId, NoRecordId> {
        let is_id = text.len() == 4 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        is_id.then(|| u16::from_str_radix(text, 16).ok().map(RecordId)).flatten().ok_or(NoRecordId)
    }
}

/// What is kept of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was asked.
    pub question: Question,
    /// The response code.
    pub rcode: Rcode,
    /// Why it failed; none when it was only slow.
    pub error: Option<ExtendedError>,
    /// When its end was written down.
    pub ended: Unix,
    /// How long it took.
    pub took: Duration,
    /// What was done.
    pub steps: Arc<[Step]>,
    /// What it cost.
    pub spent: Spendings,
}

impl Record {
    fn octets(&self) -> usize {
        size_of::<(RecordId, Arc<Record>)>()
            + size_of::<Record>()
            + self.question.name.octets().len()
            + self.error.as_ref().map_or(0, |error| error.text.len())
            + self.steps.iter().map(Step::octets).sum::<usize>()
    }
}

/// The records, the oldest first. By default it keeps none.
///
/// Invariant: `octets` is what all records take together, at most `most`.
#[derive(Debug, Default)]
pub struct FlightRecorder {
    ring: Mutex<Ring>,
    most: usize,
}

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<(RecordId, Arc<Record>)>,
    octets: usize,
    next: u16,
}

impl FlightRecorder {
    /// Keeps up to [`limits::FLIGHT_RECORDER_OCTETS`]. `first` is the first id: another one after each start keeps an
    /// id of an old log from naming a new record.
    pub fn new(first: u16) -> FlightRecorder {
        let ring = Ring { next: first, ..Ring::default() };
        FlightRecorder { ring: Mutex::new(ring), most: limits::FLIGHT_RECORDER_OCTETS }
    }

    /// Whether it keeps anything.
    pub fn is_on(&self) -> bool {
        self.most > 0
    }

    /// Keeps a record in the place of the oldest ones; none when it is larger than all the room.
    pub fn keep(&self, record: Record) -> Option<RecordId> {
        let octets = record.octets();
        if octets > self.most {
            return None;
        }
        let mut ring = self.ring();
        while ring.octets + octets > self.most {
            let (_, oldest) = ring.records.pop_front()?;
            ring.octets -= oldest.octets();
        }
        let id = RecordId(ring.next);
        ring.next = ring.next.wrapping_add(1);
        ring.octets += octets;
        ring.records.push_back((id, Arc::new(record)));
        Some(id)
    }

    /// The record of that id, if it is still there.
    pub fn find(&self, id: RecordId) -> Option<Arc<Record>> {
        let ring = self.ring();
        ring.records.iter().rev().find(|(known, _)| *known == id).map(|(_, record)| Arc::clone(record))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RrType};
    use crate::observe::step::Spending;

    fn record(steps: usize) -> Record {
        let name: Name = "www.example.".parse().unwrap();
        let spending = Spending { what: "packets", spent: 0, most: 0 };
        Record {
            question: Question::new(name.clone(), RrType::A),
            rcode: Rcode::SERVFAIL,
            error: None,
            ended: Unix(0),
            took: Duration::ZERO,
            steps: vec![Step::Referral(name); steps].into(),
            spent: [spending; 10],
        }
    }

    #[test]
    fn at_its_bound_the_oldest_records_go() {
        let recorder = FlightRecorder::new(0xfffe);
        let each = record(20).octets();
        let room = limits::FLIGHT_RECORDER_OCTETS / each;
        let ids: Vec<_> = (0..room + 3).map(|_| recorder.keep(record(20)).unwrap()).collect();
        assert_eq!((ids[0].0, ids[1].0, ids[2].0), (0xfffe, 0xffff, 0), "ids go round");
        let kept: Vec<_> = ids.iter().map(|id| recorder.find(*id).is_some()).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), room);
        assert_eq!(kept[..4], [false, false, false, true], "the oldest three went");
        let ring = recorder.ring();
        assert_eq!(ring.octets, ring.records.iter().map(|(_, record)| record.octets()).sum::<usize>());
        assert!(ring.octets <= limits::FLIGHT_RECORDER_OCTETS);
    }

    #[test]
    fn a_record_larger_than_all_the_room_is_not_kept_and_displaces_nobody() {
        let recorder = FlightRecorder::new(1);
        let small = recorder.keep(record(1)).unwrap();
        let too_many = limits::FLIGHT_RECORDER_OCTETS / size_of::<Step>() + 1;
        assert_eq!(recorder.keep(record(too_many)), None);
        assert!(recorder.find(small).is_some());
        let longest = record(limits::TRACE_STEPS);
        assert!(recorder.keep(longest).is_some(), "the longest trace there can be has room");
    }

    #[test]
    fn ids_are_unique_among_the_records_that_can_be_there() {
        assert!(limits::FLIGHT_RECORDER_OCTETS / record(0).octets() < usize::from(u16::MAX));
    }

    #[test]
    fn by_default_nothing_is_kept() {
        let recorder = FlightRecorder::default();
        assert!(!recorder.is_on());
        assert_eq!(recorder.keep(record(0)), None);
    }

    #[test]
    fn ids_are_four_hexadecimal_digits() {
        assert_eq!(RecordId(0x7f).to_string(), "007f");
        for (text, want) in [("7f3a", Some(0x7f3a)), ("7F3A", Some(0x7f3a)), ("0000", Some(0))] {
            assert_eq!(text.parse().ok(), want.map(RecordId), "{text}");
        }
        for text in ["", "7f3", "7f3a0", "+f3a", "wxyz", "7f3\u{e9}"] {
            assert_eq!(text.parse::<RecordId>(), Err(NoRecordId), "{text}");
        }
    }
}
