//! The thread that reads zone files, so that neither answers nor orders wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::command::Refusal;
use super::house::Told;
use super::report::ZoneStatus;
use super::stamp::ContentMark;
use super::zone_file::read_zone;
use super::zone_list::ZoneList;
use super::zone_set::{LoadReport, Scope, Terms, ZoneSet};
use crate::dns::{Name, Serial};
use crate::net::clock::Clock;
use crate::zone::{Cause, ZoneTable};

/// What to do next.
pub(super) struct Job {
    /// Another list of zones from here on.
    pub(super) list: Option<ZoneList>,
    pub(super) work: Work,
    pub(super) cause: Cause,
    pub(super) is_sure: bool,
    pub(super) is_patient: bool,
}

/// What is done with zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// Files are looked at.
    Read(Scope),
    /// Files that are to be zones are read and forgotten again, to know what is wrong with them.
    Try(Vec<(Name, PathBuf)>),
    /// An old version is taken back; in the file too, when that is wanted.
    RollBack(Name, Serial, bool),
    /// What an edit will put into a zone file is remembered.
    Expect(Name, ContentMark),
}

/// What became of a job, or of a part of it.
pub(super) struct Loaded {
    pub(super) table: ZoneTable,
    pub(super) report: LoadReport,
    /// Of the last part only.
    pub(super) end: Option<End>,
}

/// How things are after a job.
pub(super) struct End {
    pub(super) status: BTreeMap<Name, ZoneStatus>,
    pub(super) folders: BTreeSet<PathBuf>,
}

impl End {
    pub(super) fn of(zones: &ZoneSet) -> End {
        End { status: zones.status(), folders: zones.folders() }
    }
}

/// The thread. Jobs are done one after the other; `tell` is called with the parts of each, the last with its end.
pub(super) struct Loader {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

impl Loader {
    pub(super) fn start(
        zones: ZoneSet,
        clock: Arc<Clock>,
        tell: impl Fn(Told) + Send + 'static,
    ) -> io::Result<Loader> {
        let (jobs, queue) = channel();
        let body = move || {
            let loaded = |loaded| tell(Told::Loaded(Box::new(loaded)));
            // Unwind safety: the zones that were being changed are gone with the thread; what is published is whole.
            if catch_unwind(AssertUnwindSafe(|| work(zones, &clock, &queue, &loaded))).is_err() {
                tell(Told::Broken);
            }
        };
        let thread = thread::Builder::new().name("loader".into()).spawn(body)?;
        Ok(Loader { jobs, thread })
    }

    /// Whether the thread is there to do it.
    pub(super) fn give(&self, job: Job) -> bool {
        self.jobs.send(job).is_ok()
    }

    /// Ends after the job at hand, whose end nobody waits for.
    pub(super) fn finish(self) {
        drop(self.jobs);
        drop(self.thread);
    }
}

fn work(mut zones: ZoneSet, clock: &Clock, queue: &Receiver<Job>, tell: &dyn Fn(Loaded)) {
    for job in queue {
        if let Some(list) = job.list {
            zones.list = list;
        }
        let now = clock.now().unix;
        let publish = |zones: &ZoneSet, report| {
            tell(Loaded { table: zones.table.clone(), report, end: None });
        };
        match job.work {
            Work::Read(scope) => {
                let Job { cause, is_sure, is_patient, .. } = job;
                zones.load(&scope, Terms { cause, now, is_sure, is_patient }, &mut { publish });
            }
            Work::Try(files) => {
                let mut report = LoadReport::default();
                for (apex, file) in files {
                    let read = read_zone(&apex, &file);
                    if read.zone.is_none() {
                        report.problems.push(format!("zone {apex}: {} has errors", file.display()));
                        report.diagnostics.extend(read.diagnostics);
                    }
                }
                publish(&zones, report);
            }
            Work::RollBack(apex, to, is_written) => {
                let refused = |Refusal(why)| LoadReport { problems: vec![why], ..LoadReport::default() };
                let report = zones.roll_back(&apex, to, is_written, now).unwrap_or_else(refused);
                publish(&zones, report);
            }
            Work::Expect(apex, content) => zones.expect(&apex, content),
        }
        let end = Some(End::of(&zones));
        tell(Loaded { table: zones.table.clone(), report: LoadReport::default(), end });
    }
}
