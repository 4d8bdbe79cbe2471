//! Hears from the system that files changed, and waits until they are quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::clock::Tick;
use crate::limits;

/// What was heard since the house looked last. Bounded: with too many paths the answer is "anywhere".
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) paths: BTreeSet<PathBuf>,
    /// Something changed that cannot be named: all is to be looked at.
    pub(super) is_anywhere: bool,
}

impl Heard {
    fn add(&mut self, event: Event) {
        self.is_anywhere |= event.need_rescan();
        for path in event.paths {
            // Folders that are put together by links (a mounted ConfigMap) change by one link for all files.
            self.is_anywhere |= path.symlink_metadata().is_ok_and(|about| about.is_symlink());
            if self.paths.len() < limits::WATCH_PATHS {
                self.paths.insert(path);
            } else {
                self.is_anywhere |= !self.paths.contains(&path);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.is_anywhere
    }
}

/// Watches folders. Files are watched by their folder, because editors put a new file in the place of the old.
pub(super) struct Watcher {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    heard: Arc<Mutex<Heard>>,
}

impl Watcher {
    /// A watcher of nothing yet. `wake` is called, from a thread of its own, when there is something to take.
    pub(super) fn new(wake: impl Fn() + Send + 'static) -> notify::Result<Watcher> {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ear = Arc::clone(&heard);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let mut heard = ear.lock().unwrap_or_else(PoisonError::into_inner);
            let was_empty = heard.is_empty();
            match event {
                Ok(event) if is_change(&event.kind) || event.need_rescan() => heard.add(event),
                Ok(_) => {}
                // Whatever was missed may have been anywhere.
                Err(_) => heard.is_anywhere = true,
            }
            if was_empty && !heard.is_empty() {
                drop(heard);
                wake();
            }
        })?;
        Ok(Watcher { watcher, folders: BTreeSet::new(), heard })
    }

    /// Watches these folders and no others. The error of the first that cannot be watched though it exists.
    pub(super) fn watch(&mut self, folders: BTreeSet<PathBuf>) -> Result<(), (PathBuf, notify::Error)> {
        for folder in self.folders.difference(&folders) {
            // Its folder may be gone, and the watch with it.
            let _ = self.watcher.unwatch(folder);
        }
        let mut watched: BTreeSet<PathBuf> = self.folders.intersection(&folders).cloned().collect();
        let mut failed = None;
        for folder in folders.difference(&self.folders).filter(|folder| folder.is_dir()) {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder.clone());
                }
                Err(error) => failed = failed.or(Some((folder.clone(), error))),
            }
        }
        self.folders = watched;
        failed.map_or(Ok(()), Err)
    }

    /// What was heard since the last call.
    pub(super) fn take(&self) -> Heard {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Has these folders watched from here on. A watcher that cannot is given up, with one line that says so.
pub(super) fn watch(watcher: &mut Result<Watcher, String>, folders: BTreeSet<PathBuf>) {
    let watched = watcher.as_mut().map_or(Ok(()), |watcher| watcher.watch(folders));
    if let Err((folder, error)) = watched {
        let why = format!("{}: {error}", folder.display());
        tracing::warn!("files are not watched, reload by SIGHUP or `namu zone reload`: {why}");
        *watcher = Err(why);
    }
}

/// Whether an event means that octets may be others now. That a file was opened or read does not: we do that ourselves.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Other => true,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => true,
    }
}

/// Changed files that are waited for until nothing is heard of them for a while.
///
/// Invariant: a file that goes on changing is let through [`limits::WATCH_PATIENCE`] after it was heard of first.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// When each was heard of first, and from when on it counts as quiet.
    files: BTreeMap<PathBuf, (Tick, Tick)>,
    anywhere: Option<Tick>,
}

impl Settling {
    pub(super) fn hear(&mut self, heard: Heard, now: Tick) {
        let exists = |path: &Path| path.exists();
        self.hear_with(heard, now, exists);
    }

    fn hear_with(&mut self, heard: Heard, now: Tick, exists: impl Fn(&Path) -> bool) {
        if heard.is_anywhere {
            self.anywhere.get_or_insert(now.plus(limits::SHRUNK_QUIET));
        }
        for path in heard.paths {
            // What vanished may be on its way back under its name.
            let quiet = if exists(&path) { limits::WATCH_QUIET } else { limits::SHRUNK_QUIET };
            let (_, until) = self.files.entry(path).or_insert((now, now));
            *until = now.plus(quiet);
        }
    }

    /// When to ask again; none while nothing is waited for.
    pub(super) fn next(&self) -> Option<Tick> {
        self.files.values().map(|times| due(*times)).chain(self.anywhere).min()
    }

    /// The files that are quiet now, and whether all is to be looked at.
    pub(super) fn quiet(&mut self, now: Tick) -> (BTreeSet<PathBuf>, bool) {
        let is_anywhere = self.anywhere.is_some_and(|due| due <= now);
        if is_anywhere {
            self.anywhere = None;
        }
        let mut quiet = BTreeSet::new();
        self.files.retain(|path, times| {
            let is_waiting = due(*times) > now;
            if !is_waiting {
                quiet.insert(path.clone());
            }
            is_waiting
        });
        (quiet, is_anywhere)
    }
}

fn due((first, until): (Tick, Tick)) -> Tick {
    until.min(first.plus(limits::WATCH_PATIENCE))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn heard(path: &str) -> Heard {
        Heard { paths: [path.into()].into(), is_anywhere: false }
    }

    fn tick(milliseconds: u64) -> Tick {
        Tick(0).plus(Duration::from_millis(milliseconds))
    }

    fn quiet_at(settling: &mut Settling, milliseconds: u64) -> Vec<String> {
        let (paths, _) = settling.quiet(tick(milliseconds));
        paths.into_iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_file_is_read_when_it_has_been_quiet_and_one_that_never_is_after_all() {
        let mut settling = Settling::default();
        assert_eq!(settling.next(), None);
        settling.hear_with(heard("a"), tick(0), |_| true);
        settling.hear_with(heard("b"), tick(0), |_| false);
        settling.hear_with(heard("a"), tick(60), |_| true);
        assert_eq!(settling.next(), Some(tick(160)));
        assert!(quiet_at(&mut settling, 159).is_empty());
        assert_eq!(quiet_at(&mut settling, 160), ["a"]);
        assert_eq!(quiet_at(&mut settling, 1000), ["b"]);
        for time in (2000..2000 + limits::WATCH_PATIENCE.as_millis() as u64).step_by(50) {
            settling.hear_with(heard("c"), tick(time), |_| true);
            assert!(quiet_at(&mut settling, time).is_empty(), "{time}");
        }
        assert_eq!(quiet_at(&mut settling, 2000 + limits::WATCH_PATIENCE.as_millis() as u64), ["c"]);
        assert_eq!(settling.next(), None);
    }

    #[test]
    fn more_files_than_are_kept_apart_mean_all() {
        let mut heard = Heard::default();
        for number in 0..=limits::WATCH_PATHS {
            assert!(!heard.is_anywhere);
            heard.add(Event::new(EventKind::Any).add_path(format!("/no/such/{number}").into()));
        }
        assert!(heard.is_anywhere);
        assert_eq!(heard.paths.len(), limits::WATCH_PATHS);
        let mut settling = Settling::default();
        settling.hear(Heard { is_anywhere: true, ..Heard::default() }, tick(0));
        assert!(!settling.quiet(tick(999)).1);
        assert!(settling.quiet(tick(1000)).1);
    }

    #[test]
    fn reading_a_file_is_no_change_of_it() {
        assert!(!is_change(&EventKind::Access(AccessKind::Read)));
        assert!(!is_change(&EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(&EventKind::Access(AccessKind::Close(AccessMode::Write))));
    }
}
