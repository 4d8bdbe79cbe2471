//! The one thread that writes the access log. It may be as slow as its disk: in front of it stands a bounded
//! channel that never makes a worker wait.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::counters::Counters;
use crate::clock::Tick;
use crate::limits;

/// What the writer needs of the world outside this room.
pub trait LogOutside {
    /// Opens the output, at the start and after each [`LogSender::reopen`]. A file is opened to append, so that
    /// a rotation that truncates does no harm.
    fn open(&mut self) -> io::Result<Box<dyn Write + Send>>;
    /// The monotonic clock.
    fn now(&self) -> Tick;
    /// Tells the operator, at most once in [`limits::ACCESS_LOG_COMPLAINT`], that lines are being lost.
    fn complain(&mut self, complaint: &Complaint);
}

/// Why lines do not reach the output.
#[derive(Debug)]
pub struct Complaint {
    /// The latest error.
    pub error: io::Error,
    /// Lines lost since the last complaint.
    pub lines: u64,
}

/// Lines on their way to the writer.
#[derive(Debug)]
pub(super) struct Block {
    /// A whole buffer, so that it need not be cleared when it comes home.
    pub buffer: Vec<u8>,
    /// How much of it is text.
    pub filled: usize,
    /// Lines in it.
    pub lines: u64,
    /// Lines dropped before these.
    pub missed: u64,
    /// Where the buffer goes when it is written.
    pub home: SyncSender<Vec<u8>>,
}

#[derive(Debug)]
enum Message {
    Block(Block),
    /// Look at the `reopen` flag.
    Wake,
}

/// The way to the writer. A clone for each worker; the writer ends when the last one is gone.
#[derive(Debug, Clone)]
pub struct LogSender {
    messages: SyncSender<Message>,
    reopen: Arc<AtomicBool>,
}

impl LogSender {
    /// Has the writer open its output anew before it writes anything more: the file was renamed. Does not wait.
    pub fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
        // When the channel is full the writer is at work and looks at the flag before its next block.
        let _ = self.messages.try_send(Message::Wake);
    }

    /// Gives the block back when the channel is full or the writer is gone.
    pub(super) fn try_send(&self, block: Block) -> Result<(), Block> {
        match self.messages.try_send(Message::Block(block)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => match message {
                Message::Block(block) => Err(block),
                Message::Wake => unreachable!("a block was sent and a block comes back"),
            },
        }
    }
}

/// Writes what the workers' recorders send.
pub struct LogWriter<O> {
    messages: Receiver<Message>,
    reopen: Arc<AtomicBool>,
    outside: O,
    output: Box<dyn Write + Send>,
    counters: Arc<Counters>,
    unfinished: Unfinished,
    /// Lines lost that the log does not tell of yet.
    missed: u64,
    /// Lines lost since the last complaint.
    unreported: u64,
    complained: Option<Tick>,
}

/// What the output did not take of a line: a full disk may cut anywhere, and what comes next must not be glued
/// to a beginning.
enum Unfinished {
    Nothing,
    Record(Vec<u8>),
    /// A marker, and how many lines it speaks of.
    Marker(Vec<u8>, u64),
}

impl Unfinished {
    fn of(rest: &[u8], marker: Option<u64>) -> Unfinished {
        match marker {
            _ if rest.is_empty() => Unfinished::Nothing,
            None => Unfinished::Record(rest.to_vec()),
            Some(lines) => Unfinished::Marker(rest.to_vec(), lines),
        }
    }
}

impl<O: LogOutside> LogWriter<O> {
    /// Opens the output; an error means there is no log.
    pub fn new(mut outside: O) -> io::Result<(LogSender, LogWriter<O>)> {
        let output = outside.open()?;
        let (sender, messages) = sync_channel(limits::ACCESS_LOG_BLOCKS);
        let reopen = Arc::new(AtomicBool::new(false));
        let writer = LogWriter {
            messages,
            reopen: Arc::clone(&reopen),
            outside,
            output,
            counters: Counters::new(),
            unfinished: Unfinished::Nothing,
            missed: 0,
            unreported: 0,
            complained: None,
        };
        Ok((LogSender { messages: sender, reopen }, writer))
    }

    /// The lines the output refused, to be summed with the workers' counters.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Writes until every [`LogSender`] is gone and every block written.
    pub fn run(mut self) {
        while let Ok(message) = self.messages.recv() {
            self.take(message);
        }
    }

    fn take(&mut self, message: Message) {
        if self.reopen.swap(false, Ordering::Acquire) {
            self.open_anew();
        }
        if let Message::Block(block) = message {
            self.write(&block);
            // A worker that has enough spares, or is gone, does not need this one.
            let _ = block.home.try_send(block.buffer);
        }
    }

    /// The old output stays when the new one cannot be opened: better there than nowhere.
    fn open_anew(&mut self) {
        match self.outside.open() {
            Ok(output) => {
                self.output = output;
                // Its beginning is in the old output.
                match std::mem::replace(&mut self.unfinished, Unfinished::Nothing) {
                    Unfinished::Nothing => {}
                    Unfinished::Record(_) => self.lose(1),
                    Unfinished::Marker(_, lines) => self.missed += lines,
                }
            }
            Err(error) => self.complain(error),
        }
    }

    fn write(&mut self, block: &Block) {
        self.missed += block.missed;
        if let Err(error) = self.catch_up() {
            self.lose(block.lines);
            return self.complain(error);
        }
        if let Err((error, rest)) = write_some(&mut *self.output, &block.buffer[..block.filled]) {
            // The line that was cut is finished later; the lines behind it are lost.
            let cut = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1);
            self.unfinished = Unfinished::of(&rest[..cut], None);
            self.lose(rest[cut..].iter().filter(|octet| **octet == b'\n').count() as u64);
            self.complain(error);
        }
    }

    /// What has to stand in the output before the next line: the rest of a line that was cut, the marker.
    fn catch_up(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.unfinished, Unfinished::Nothing) {
            Unfinished::Nothing => {}
            Unfinished::Record(text) => self.write_or_keep(&text, None)?,
            Unfinished::Marker(text, lines) => self.write_or_keep(&text, Some(lines))?,
        }
        match std::mem::take(&mut self.missed) {
            0 => Ok(()),
            missed => self.write_or_keep(format!("# dropped {missed}\n").as_bytes(), Some(missed)),
        }
    }

    fn write_or_keep(&mut self, text: &[u8], marker: Option<u64>) -> io::Result<()> {
        write_some(&mut *self.output, text).map_err(|(error, rest)| {
            self.unfinished = Unfinished::of(rest, marker);
            error
        })
    }

    fn lose(&mut self, lines: u64) {
        self.counters.log_lines_dropped(lines);
        self.missed += lines;
        self.unreported += lines;
    }

    fn complain(&mut self, error: io::Error) {
        let now = self.outside.now();
        if self.complained.is_some_and(|last| now.since(last) < limits::ACCESS_LOG_COMPLAINT) {
            return;
        }
        self.complained = Some(now);
        self.outside.complain(&Complaint { error, lines: std::mem::take(&mut self.unreported) });
    }
}

/// Writes all of `text`, or gives back what was not written.
fn write_some<'t>(output: &mut dyn Write, text: &'t [u8]) -> Result<(), (io::Error, &'t [u8])> {
    let mut rest = text;
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => return Err((io::ErrorKind::WriteZero.into(), rest)),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((error, rest)),
        }
    }
    output.flush().map_err(|error| (error, rest))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A disk with room for so many octets and no more, and what was said about it.
    #[derive(Debug, Clone, Default)]
    pub struct Disk(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        /// The content of each file opened.
        files: Vec<Vec<u8>>,
        room: Option<usize>,
        cannot_open: bool,
        now: Tick,
        complaints: Vec<u64>,
    }

    impl Disk {
        /// The lines of all files together.
        pub fn lines(&self) -> Vec<String> {
            let text: Vec<u8> = self.0.lock().unwrap().files.concat();
            String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
        }

        fn files(&self) -> Vec<String> {
            let state = self.0.lock().unwrap();
            state.files.iter().map(|file| String::from_utf8(file.clone()).unwrap()).collect()
        }

        fn set(&self, change: impl FnOnce(&mut State)) {
            change(&mut self.0.lock().unwrap());
        }
    }

    struct File {
        disk: Disk,
        place: usize,
    }

    impl Write for File {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let mut state = self.disk.0.lock().unwrap();
            let count = text.len().min(state.room.unwrap_or(usize::MAX));
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.room = state.room.map(|room| room - count);
            state.files[self.place].extend_from_slice(&text[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogOutside for Disk {
        fn open(&mut self) -> io::Result<Box<dyn Write + Send>> {
            let mut state = self.0.lock().unwrap();
            if state.cannot_open {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            state.files.push(Vec::new());
            Ok(Box::new(File { disk: self.clone(), place: state.files.len() - 1 }))
        }

        fn now(&self) -> Tick {
            self.0.lock().unwrap().now
        }

        fn complain(&mut self, complaint: &Complaint) {
            self.0.lock().unwrap().complaints.push(complaint.lines);
        }
    }

    /// A writer that writes to `disk`, and the way to it.
    pub fn writer(disk: &Disk) -> (LogSender, LogWriter<Disk>) {
        LogWriter::new(disk.clone()).unwrap()
    }

    /// Writes what is in the channel now.
    pub fn drain(writer: &mut LogWriter<Disk>) {
        while let Ok(message) = writer.messages.try_recv() {
            writer.take(message);
        }
    }

    fn block(text: &str) -> Block {
        let lines = text.lines().count() as u64;
        Block { buffer: text.into(), filled: text.len(), lines, missed: 0, home: sync_channel(1).0 }
    }

    #[test]
    fn a_full_disk_costs_lines_and_never_cuts_one() {
        // Wherever the disk is full, what is in the file afterwards is whole lines and a true count.
        for room in 0..40 {
            let disk = Disk::default();
            let (_sender, mut writer) = writer(&disk);
            disk.set(|state| state.room = Some(room));
            writer.write(&block("one 1\ntwo 22\nthree 333\n"));
            writer.write(&block("four 4444\nfive 55555\n"));
            let lost = Counters::sum([&writer.counters()]).log_lines_dropped;
            disk.set(|state| state.room = None);
            writer.write(&block("six 666666\n"));
            let text = disk.lines().join("\n");
            let marked: u64 = disk
                .lines()
                .iter()
                .filter_map(|line| line.strip_prefix("# dropped ")?.parse::<u64>().ok())
                .sum();
            assert_eq!(marked, lost, "{room}: {text}");
            let records: Vec<_> = disk.lines().into_iter().filter(|line| !line.starts_with('#')).collect();
            assert_eq!(records.len() as u64 + lost, 6, "{room}: {text}");
            let known = ["one 1", "two 22", "three 333", "four 4444", "five 55555", "six 666666"];
            assert!(records.iter().all(|line| known.contains(&line.as_str())), "{room}: {text}");
            assert_eq!(records.last().unwrap(), "six 666666");
        }
    }

    #[test]
    fn complaints_come_once_a_minute_and_count() {
        let disk = Disk::default();
        let (_sender, mut writer) = writer(&disk);
        disk.set(|state| state.room = Some(0));
        for second in [0, 1, 59, 60, 61, 200] {
            disk.set(|state| state.now = Tick(second * 1_000_000_000));
            writer.write(&block("a\nb\n"));
        }
        // The first line of the first block is kept to be written before anything else.
        disk.set(|state| assert_eq!(state.complaints, [1, 6, 4]));
    }

    #[test]
    fn reopening_splits_the_log_between_two_lines() {
        let disk = Disk::default();
        let (sender, writer) = writer(&disk);
        sender.try_send(block("before\n")).unwrap();
        let writer = std::thread::spawn(move || writer.run());
        while disk.lines().is_empty() {
            std::thread::yield_now();
        }
        sender.reopen();
        sender.try_send(block("after\n")).unwrap();
        drop(sender);
        writer.join().unwrap();
        assert_eq!(disk.files(), ["before\n", "after\n"]);
    }

    #[test]
    fn reopening_reaches_a_writer_that_is_behind() {
        let disk = Disk::default();
        let (sender, writer) = writer(&disk);
        while sender.try_send(block("x\n")).is_ok() {}
        sender.reopen();
        drop(sender);
        writer.run();
        assert_eq!(disk.files(), ["".into(), "x\n".repeat(limits::ACCESS_LOG_BLOCKS)]);
    }

    #[test]
    fn what_cannot_be_reopened_stays_open() {
        let disk = Disk::default();
        let (sender, writer) = writer(&disk);
        disk.set(|state| state.cannot_open = true);
        sender.reopen();
        sender.try_send(block("here\n")).unwrap();
        drop(sender);
        writer.run();
        assert_eq!(disk.files(), ["here\n"]);
        disk.set(|state| assert_eq!(state.complaints, [0]));
        assert!(LogWriter::new(disk).is_err(), "a log that never was is an error at the start");
    }

    #[test]
    fn a_line_or_marker_cut_by_a_full_disk_is_not_finished_in_another_file() {
        let disk = Disk::default();
        let (_sender, mut writer) = writer(&disk);
        disk.set(|state| state.room = Some(3));
        writer.write(&block("one 1\ntwo 22\n"));
        disk.set(|state| state.room = Some(5));
        writer.open_anew();
        writer.write(&block("three\n"));
        disk.set(|state| state.room = None);
        writer.open_anew();
        writer.write(&block("four\n"));
        assert_eq!(disk.files(), ["one", "# dro", "# dropped 3\nfour\n"]);
        assert_eq!(Counters::sum([&writer.counters()]).log_lines_dropped, 3);
    }
}
