//! What one worker writes down: counters, and lines that leave for the log in blocks. Nothing here waits, locks
//! or, once the buffers are warm, allocates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::access_log::{self, LogRecord};
use super::counters::Counters;
use super::event::{DropReason, Event, Transport};
use super::log_writer::{Block, LogSender};
use crate::clock::{Tick, Unix};
use crate::limits;

/// The notebook of one worker. Belongs to one thread; each worker has its own.
#[derive(Debug)]
pub struct Recorder {
    counters: Arc<Counters>,
    lines: Option<Lines>,
}

impl Recorder {
    /// A recorder that counts, and writes lines where `log` leads when there is a log.
    pub fn new(log: Option<LogSender>) -> Recorder {
        Recorder { counters: Counters::new(), lines: log.map(Lines::new) }
    }

    /// The counters of this worker, to be summed with those of the others.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Writes down one request that was answered, refused or found malformed, after its response was sent.
    pub fn record(
        &mut self,
        request: &[u8],
        client: SocketAddr,
        transport: Transport,
        event: &Event,
        received: Unix,
        took: Duration,
    ) {
        self.counters.request(transport, client.ip(), event, request.len());
        self.counters.response(transport, event, took);
        if let Some(lines) = &mut self.lines {
            lines.add(&LogRecord::of(event, request, client, transport, received, took), &self.counters);
        }
    }

    /// Counts a request that gets neither response nor line.
    pub fn dropped(&mut self, reason: DropReason) {
        self.counters.drop_of(reason);
    }

    /// Counts a request that ended in a panic.
    pub fn panicked(&mut self) {
        self.counters.panic();
    }

    /// Whether something waits for [`Recorder::hand_over`]: a worker with nothing to do must not sleep longer
    /// than [`limits::ACCESS_LOG_DELAY`] while this is so.
    pub fn has_pending(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.count > 0)
    }

    /// Sends the lines on when the oldest has waited [`limits::ACCESS_LOG_DELAY`] since the first call that saw
    /// it. To be called after each batch. A full block has left already.
    pub fn hand_over(&mut self, now: Tick) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.count > 0) {
            let since = *lines.waiting_since.get_or_insert(now);
            if now.since(since) >= limits::ACCESS_LOG_DELAY {
                lines.send(&self.counters);
            }
        }
    }

    /// Sends what there is, without waiting: before a worker ends.
    pub fn flush(&mut self) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.count > 0 || lines.missed > 0) {
            lines.send(&self.counters);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.flush();
    }
}

/// A block being filled.
///
/// Invariants: `text` has [`limits::ACCESS_LOG_BLOCK`] octets, of which the first `filled` are `count` whole lines;
/// lines that could not be sent are in `missed` until a block gets through that says so.
#[derive(Debug)]
struct Lines {
    log: LogSender,
    text: Vec<u8>,
    filled: usize,
    count: u64,
    missed: u64,
    waiting_since: Option<Tick>,
    /// Emptied buffers come back here from the writer.
    home: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
}

impl Lines {
    fn new(log: LogSender) -> Lines {
        let (home, spare) = sync_channel(limits::ACCESS_LOG_SPARES);
        let text = vec![0; limits::ACCESS_LOG_BLOCK];
        Lines { log, text, filled: 0, count: 0, missed: 0, waiting_since: None, home, spare }
    }

    fn add(&mut self, record: &LogRecord<'_>, counters: &Counters) {
        if self.text.len() - self.filled < limits::ACCESS_LOG_LINE {
            self.send(counters);
        }
        let room =
            self.text[self.filled..].first_chunk_mut().expect("a block has room for a line, or is sent");
        self.filled += access_log::format(record, room);
        self.count += 1;
    }

    /// Sends the block, or drops its lines and remembers how many when the writer is behind.
    fn send(&mut self, counters: &Counters) {
        let block = Block {
            buffer: std::mem::take(&mut self.text),
            filled: self.filled,
            lines: self.count,
            missed: self.missed,
            home: self.home.clone(),
        };
        match self.log.try_send(block) {
            Ok(()) => {
                self.missed = 0;
                let spare = self.spare.try_recv();
                self.text = spare.unwrap_or_else(|_| vec![0; limits::ACCESS_LOG_BLOCK]);
            }
            Err(block) => {
                counters.log_lines_dropped(self.count);
                self.missed += self.count;
                self.text = block.buffer;
            }
        }
        self.filled = 0;
        self.count = 0;
        self.waiting_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Rcode, RrClass, RrType};
    use crate::observe::access_log_parse::parse;
    use crate::observe::event::{QuestionPlace, Source};
    use crate::observe::log_writer::tests::{Disk, drain, writer};

    const REQUEST: &[u8] = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01";

    fn event() -> Event {
        Event {
            source: Source::Authoritative,
            rcode: Rcode::NOERROR,
            question: Some(QuestionPlace { name_octets: 13, rr_type: RrType::A, class: RrClass::IN }),
            flags: 0x8400,
            octets: 45,
            security: None,
            extended_error: None,
            recursion: None,
            transfer: None,
        }
    }

    fn record(recorder: &mut Recorder, count: usize) {
        let client = "192.0.2.7:53211".parse().unwrap();
        for _ in 0..count {
            recorder.record(REQUEST, client, Transport::Udp, &event(), Unix(0), Duration::ZERO);
        }
    }

    fn lines_lost(recorder: &Recorder) -> u64 {
        Counters::sum([&recorder.counters()]).log_lines_dropped
    }

    #[test]
    fn a_line_leaves_when_it_has_waited_long_enough() {
        let disk = Disk::default();
        let (sender, writer) = writer(&disk);
        let mut recorder = Recorder::new(Some(sender));
        assert!(!recorder.has_pending());
        record(&mut recorder, 1);
        assert!(recorder.has_pending());
        let start = Tick(7);
        recorder.hand_over(start);
        recorder.hand_over(start.plus(limits::ACCESS_LOG_DELAY - Duration::from_nanos(1)));
        assert!(recorder.has_pending());
        recorder.hand_over(start.plus(limits::ACCESS_LOG_DELAY));
        assert!(!recorder.has_pending());
        record(&mut recorder, 1);
        recorder.hand_over(start.plus(limits::ACCESS_LOG_DELAY * 9));
        assert!(recorder.has_pending(), "a new line waits from when it was first seen");
        drop(recorder);
        writer.run();
        let lines = disk.lines();
        assert_eq!(lines.len(), 2, "the rest leaves with the recorder");
        assert_eq!(parse(&lines[0]).unwrap().question.unwrap().to_string(), "www.example. A");
    }

    #[test]
    fn a_full_channel_drops_blocks_counts_their_lines_and_never_waits() {
        let disk = Disk::default();
        let (sender, mut writer) = writer(&disk);
        let mut recorder = Recorder::new(Some(sender));
        // Nobody reads: if anything waited here, the test would not end.
        let recorded = 2 * limits::ACCESS_LOG_BLOCKS * limits::ACCESS_LOG_BLOCK / 80;
        record(&mut recorder, recorded);
        let lost = lines_lost(&recorder);
        assert!(lost > 0);
        assert_eq!(disk.lines().len(), 0);
        drain(&mut writer);
        let before = disk.lines();
        assert!(before.iter().all(|line| parse(line).is_ok()));
        drop(recorder);
        writer.run();
        let lines = disk.lines();
        assert_eq!(lines[before.len()], format!("# dropped {lost}"), "the next block begins with it");
        assert_eq!(lines.len() as u64, recorded as u64 - lost + 1);
    }

    #[test]
    fn buffers_stay_what_they_are_and_lines_whole() {
        let disk = Disk::default();
        let (sender, writer) = writer(&disk);
        let mut recorder = Recorder::new(Some(sender));
        for _ in 0..10_000 {
            record(&mut recorder, 1);
            let lines = recorder.lines.as_ref().unwrap();
            assert_eq!(lines.text.len(), limits::ACCESS_LOG_BLOCK);
        }
        drop(recorder);
        writer.run();
        assert_eq!(disk.lines().iter().filter(|line| parse(line).is_ok()).count(), 10_000);
    }

    #[test]
    fn without_a_log_requests_are_counted_all_the_same() {
        let mut recorder = Recorder::new(None);
        record(&mut recorder, 3);
        recorder.dropped(DropReason::IsResponse);
        recorder.panicked();
        assert!(!recorder.has_pending());
        let totals = Counters::sum([&recorder.counters()]);
        assert_eq!(totals.requests().collect::<Vec<_>>(), [(Transport::Udp, "ipv4", "A", 3)]);
        assert_eq!(totals.responses().collect::<Vec<_>>(), [(Source::Authoritative, "-", "NOERROR", 3)]);
        assert_eq!(totals.dropped(), [("malformed", 1)]);
        assert_eq!(totals.octets(Transport::Udp), (3 * REQUEST.len() as u64, 135));
        assert_eq!(totals.panics, 1);
    }
}
