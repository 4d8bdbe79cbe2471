//! Where the access log goes.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::clock::Tick;
use crate::config::{Config, Output};
use crate::limits;
use crate::net::clock::Clock;
use crate::observe::{Complaint, Counters, LogOutside, LogSender, LogWriter};

/// The thread that writes the access log, and the way to it.
pub(super) struct AccessLog {
    pub(super) sender: LogSender,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
    /// What the output refused.
    pub(super) counters: Arc<Counters>,
    target: Arc<Mutex<Target>>,
}

impl AccessLog {
    /// Opens the output of the configuration, if it has one, and starts its thread.
    pub(super) fn start(config: &Config, clock: &Arc<Clock>) -> io::Result<Option<AccessLog>> {
        let Some(target) = Target::of(config) else { return Ok(None) };
        let target = Arc::new(Mutex::new(target));
        let outside = Outside { target: Arc::clone(&target), clock: Arc::clone(clock) };
        let (sender, writer) = LogWriter::new(outside)?;
        let counters = writer.counters();
        let (alive, ended) = channel();
        let body = move || {
            writer.run();
            drop(alive);
        };
        thread::Builder::new().name("access-log".into()).spawn(body)?;
        Ok(Some(AccessLog { sender, ended, counters, target }))
    }

    /// Whether the output of a configuration can be had, for [`AccessLog::switch`].
    pub(super) fn check(config: &Config) -> io::Result<()> {
        Target::of(config).map_or(Ok(()), |target| target.open().map(drop))
    }

    /// From here on lines go where this configuration says, and a file that was renamed is made anew.
    pub(super) fn switch(&self, config: &Config) {
        if let Some(target) = Target::of(config) {
            *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
        }
        self.sender.reopen();
    }

    /// Returns when all that was handed over is written. The workers' own senders must be gone. An output that takes
    /// nothing, as a pipe whose reader has stopped, is not waited for: the process could not be ended.
    pub(super) fn finish(self) {
        drop(self.sender);
        let _ = self.ended.recv_timeout(limits::ACCESS_LOG_FINISH);
    }
}

enum Target {
    Stdout,
    Stderr,
    File(PathBuf),
}

impl Target {
    fn of(config: &Config) -> Option<Target> {
        config.access_log.first().map(|options| match &options.output {
            Output::Stdout => Target::Stdout,
            Output::Stderr => Target::Stderr,
            Output::File(path) => Target::File(config.resolve(path)),
        })
    }

    fn open(&self) -> io::Result<File> {
        // Standard streams as plain files: blocks are large already, another buffer would only hold them back.
        match self {
            Target::Stdout => Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
            Target::Stderr => Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?)),
            // Opened for both ends, a named pipe does not wait for its reader, who may come later or go and come back.
            Target::File(path) if is_named_pipe(path) => {
                OpenOptions::new().read(true).append(true).open(path)
            }
            Target::File(path) => OpenOptions::new().append(true).create(true).open(path),
        }
    }
}

struct Outside {
    target: Arc<Mutex<Target>>,
    clock: Arc<Clock>,
}

impl LogOutside for Outside {
    fn open(&mut self) -> io::Result<Box<dyn Write + Send>> {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(target.open()?))
    }

    fn now(&self) -> Tick {
        self.clock.now().tick
    }

    fn complain(&mut self, complaint: &Complaint) {
        tracing::warn!("access log: {}; {} lines lost", complaint.error, complaint.lines);
    }
}

fn is_named_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}
