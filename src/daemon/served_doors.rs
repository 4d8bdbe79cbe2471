//! The doors that are served, and how they change while they are.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use super::listening::{self, Opening};
use crate::net::clock::Clock;
use crate::net::{self, Bounds, Doors, Listen, Running};
use crate::observe::{Counters, LogSender, Recorder, Totals};
use crate::service::Published;

/// How long answers under way may take when doors close.
const DRAIN: Duration = Duration::from_secs(2);

/// What all doors are served with.
pub(super) struct Means {
    pub(super) published: Arc<Published>,
    pub(super) clock: Arc<Clock>,
    pub(super) log: Option<LogSender>,
}

/// Doors and the threads that serve them.
///
/// A change makes new threads over the old sockets that stay and the new ones, and only then lets the old threads go: both
/// answer for a moment, and no socket is ever without a thread.
pub(super) struct ServedDoors {
    openings: Vec<Opening>,
    running: Running,
    ledger: Arc<Mutex<Ledger>>,
    leaving: Vec<JoinHandle<()>>,
}

/// What workers count, and what those counted that have ended.
#[derive(Default)]
struct Ledger {
    workers: Vec<Arc<Counters>>,
    ended: Totals,
}

impl Ledger {
    fn end(&mut self, ended: &[Arc<Counters>]) {
        self.workers.retain(|worker| !ended.iter().any(|other| Arc::ptr_eq(worker, other)));
        self.ended = std::mem::take(&mut self.ended).plus(&Counters::sum(ended));
    }
}

impl ServedDoors {
    pub(super) fn open(openings: Vec<Opening>, means: &Means) -> io::Result<ServedDoors> {
        let (running, workers) = serve(&openings, means)?;
        let ledger = Arc::new(Mutex::new(Ledger { workers, ..Ledger::default() }));
        Ok(ServedDoors { openings, running, ledger, leaving: Vec::new() })
    }

    /// Whether the doors come from `listen` of a configuration.
    pub(super) fn are_configured(&self) -> bool {
        self.openings.iter().all(|opening| opening.listen.is_some())
    }

    /// Opens the doors of these entries that are not open yet: all or none. They are not served yet.
    pub(super) fn prepare(&self, listens: &[Listen], workers: usize) -> Result<Vec<Opening>, Vec<String>> {
        let is_new = |listen: &&Listen| self.opening(listen).is_none();
        let new: Vec<Listen> = listens.iter().filter(is_new).cloned().collect();
        Ok(listening::open_each(&new, workers)?.doors)
    }

    /// Serves the doors of these entries, some of which were prepared, and closes all others. On an error all is as before.
    pub(super) fn change(
        &mut self,
        listens: Option<&[Listen]>,
        prepared: Vec<Opening>,
        means: &Means,
    ) -> io::Result<()> {
        let stays = |opening: &&Opening| match (listens, &opening.listen) {
            (Some(listens), Some(listen)) => listens.contains(listen),
            _ => true,
        };
        let same =
            |opening: &Opening| Opening { listen: opening.listen.clone(), doors: opening.doors.clone() };
        let openings: Vec<Opening> = self.openings.iter().filter(stays).map(same).chain(prepared).collect();
        let (running, workers) = serve(&openings, means)?;
        self.openings = openings;
        let old = std::mem::replace(&mut self.running, running);
        let ledger = Arc::clone(&self.ledger);
        let ended = {
            let mut ledger = lock(&ledger);
            let ended = ledger.workers.clone();
            ledger.workers.extend(workers);
            ended
        };
        self.leaving.retain(|thread| !thread.is_finished());
        let leave = move || {
            old.leave(DRAIN);
            lock(&ledger).end(&ended);
        };
        self.leaving.push(thread::Builder::new().name("leaving".into()).spawn(leave)?);
        Ok(())
    }

    /// What the workers counted since the start.
    pub(super) fn totals(&self) -> Totals {
        let ledger = lock(&self.ledger);
        Counters::sum(&ledger.workers).plus(&ledger.ended)
    }

    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    pub(super) fn failed(&self) -> watch::Receiver<bool> {
        self.running.failed()
    }

    /// Closes the doors and answers what was received.
    pub(super) fn close(self) {
        self.running.stop(DRAIN);
        for thread in self.leaving {
            let _ = thread.join();
        }
    }

    fn opening(&self, listen: &Listen) -> Option<&Opening> {
        self.openings.iter().find(|opening| opening.listen.as_ref() == Some(listen))
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(openings: &[Opening], means: &Means) -> io::Result<(Running, Vec<Arc<Counters>>)> {
    let counters = Mutex::new(Vec::new());
    let make_recorder = || {
        let recorder = Recorder::new(means.log.clone());
        lock(&counters).push(recorder.counters());
        recorder
    };
    let doors = Doors::join(openings.iter().map(|opening| &opening.doors));
    let running =
        net::serve(doors, &means.published, &make_recorder, Arc::clone(&means.clock), Bounds::default())?;
    Ok((running, counters.into_inner().unwrap_or_else(PoisonError::into_inner)))
}
