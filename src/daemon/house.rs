//! The running house: what is served, by whom, and the orders it takes. The daemon's one thread owns it, and nothing here
//! takes long: files are read by the loader.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::anchors::HouseAnchors;
use super::command::{Command, Refusal, Reply};
use super::handle::{Errand, not_served};
use super::loader::{Job, Loaded, Loader, Work};
use super::log_output::AccessLog;
use super::report::{Status, ZoneState, ZoneStatus};
use super::served_doors::{Means, ServedDoors};
use super::stamp::ContentMark;
use super::start::Order;
use super::talk::{LogControl, rendered};
use super::watch::{self, Settling, Watcher};
use super::zone_list::ZoneList;
use super::zone_set::Scope;
use super::{answering, cached, overlays, say_diagnostics, systemd};
use crate::cache::{Cache, Chosen};
use crate::clock::{Now, Tick};
use crate::config::Config;
use crate::dns::{Name, Serial};
use crate::limits;
use crate::net::clock::Clock;
use crate::observe::FlightRecorder;
use crate::observe::prometheus::{Numbers, ZoneNumbers};
use crate::service::Published;
use crate::validator::Look;
use crate::zone::Cause;

/// What the house is told. Everything that happens to it comes by one queue.
pub(super) enum Told {
    /// By a command.
    Errand(Errand),
    /// By the loader.
    Loaded(Box<Loaded>),
    /// By the watcher: something may be heard there.
    FilesChanged,
    /// By SIGHUP.
    Reload,
    /// By time: secrets of cookies are used for so long.
    ReplaceCookieSecret,
    /// By a look at a zone with trust anchors: what it brought.
    Looked(Name, Option<Look>),
    /// By SIGTERM or SIGINT.
    End,
    /// By the doors or a thread that is gone: end, to be started anew.
    Broken,
}

/// Everything that runs.
pub(super) struct House {
    pub(super) order: Order,
    pub(super) config: Config,
    /// Why the configuration that was read last is not in force.
    pub(super) config_problem: Option<String>,
    /// Configurations taken up and refused.
    pub(super) config_reloads: (u64, u64),
    pub(super) config_taken_up: Now,
    pub(super) started: Now,
    pub(super) clock: Arc<Clock>,
    pub(super) published: Arc<Published>,
    pub(super) cache: Arc<Cache>,
    pub(super) recorder: Arc<FlightRecorder>,
    pub(super) anchors: HouseAnchors,
    pub(super) doors: ServedDoors,
    pub(super) access_log: Option<AccessLog>,
    pub(super) log: LogControl,
    pub(super) loader: Loader,
    pub(super) watcher: Result<Watcher, String>,
    pub(super) settling: Settling,
    /// Of all overlays, those they include among them.
    pub(super) overlay_files: BTreeSet<PathBuf>,
    pub(super) zones: BTreeMap<Name, ZoneStatus>,
    /// What the loader does now.
    pub(super) reading: Option<Reading>,
    pub(super) waiting: VecDeque<Reading>,
    /// Files that changed while they were read, and when to try again.
    pub(super) again: Vec<(Tick, Reading)>,
    pub(super) told: mpsc::UnboundedSender<Told>,
    /// Set by [`Command::Stop`].
    pub(super) is_ending: bool,
}

/// One piece of work on zones, and who waits for what comes of it.
pub(super) struct Reading {
    pub(super) list: Option<ZoneList>,
    pub(super) work: Work,
    /// Taken up when the work had no problems: the zones it names were tried.
    pub(super) config: Option<Box<Config>>,
    pub(super) cause: Cause,
    pub(super) is_sure: bool,
    pub(super) tries: u32,
    /// Somebody asked for it: they are told also when there is nothing new.
    pub(super) is_asked: bool,
    pub(super) changes: Vec<String>,
    pub(super) problems: Vec<String>,
    /// Diagnostics with their lines.
    pub(super) details: Vec<String>,
    /// Warnings, for whoever waits.
    pub(super) warnings: Vec<String>,
    pub(super) unsettled: BTreeSet<Name>,
    pub(super) waiter: Option<oneshot::Sender<Result<Reply, Refusal>>>,
}

impl House {
    /// Carries out an order, or begins to: some are answered when the loader is done.
    pub(super) fn execute(&mut self, errand: Errand) {
        let Errand { command, reply } = errand;
        let answer = match command {
            Command::Status => Ok(Reply::Status(Box::new(self.status()))),
            Command::Stats => Ok(Reply::Text { text: self.numbers().text() }),
            Command::Reload => return self.reload(Some(reply)),
            Command::Stop => {
                self.is_ending = true;
                Ok(Reply::done("the server ends"))
            }
            Command::LogLevel { level } => {
                self.log.set_level(level);
                Ok(Reply::done("the log level is changed until the next start"))
            }
            Command::ZoneList => Ok(Reply::Zones { zones: self.zones.values().cloned().collect() }),
            Command::ZoneStatus { zone } => match self.zones.get(&zone) {
                Some(status) => Ok(Reply::Zones { zones: vec![status.clone()] }),
                None => Err(not_served(&zone)),
            },
            Command::ZoneReload { zone: Some(zone), .. }
            | Command::ZoneRollback { zone, .. }
            | Command::ZoneEdited { zone, .. }
                if !self.zones.contains_key(&zone) =>
            {
                Err(not_served(&zone))
            }
            Command::ZoneReload { zone, yes } => {
                let scope = zone.map_or_else(Scope::all, |zone| Scope::zones([zone]));
                let reading = Reading::new(Work::Read(scope), Cause::Command).asked(Some(reply));
                return self.read(Reading { is_sure: yes, ..reading });
            }
            Command::ZoneRollback { zone, serial, write } => {
                let work = Work::RollBack(zone, Serial(serial), write);
                return self.read(Reading::new(work, Cause::Rollback).asked(Some(reply)));
            }
            Command::CacheStats => match &self.published.load().recursion {
                Some(own) => Ok(Reply::CacheStatus(cached::status(&self.cache, own, &self.doors.totals()))),
                None => Err(Refusal("this server does not resolve, so it has no cache".into())),
            },
            Command::ZoneEdited { zone, content } => {
                // It keeps its place in the queue: whatever looks at the file later knows of it.
                let reading = Reading::new(Work::Expect(zone, ContentMark(content)), Cause::Edit);
                return self.read(Reading { waiter: Some(reply), ..reading });
            }
            // Answered where it was asked, from the snapshot; see `Handle`.
            Command::ZoneShow { .. }
            | Command::ZoneHistory { .. }
            | Command::ZoneDiff { .. }
            | Command::Explain { .. }
            | Command::ExplainRecorded { .. }
            | Command::CacheGet { .. }
            | Command::CacheFlush { .. }
            | Command::CacheDump { .. }
            | Command::CacheLoad { .. } => Err(Refusal("this order does not come here".into())),
        };
        // Who asked may be gone meanwhile.
        let _ = reply.send(answer);
    }

    /// Has zone files read as soon as the loader is free. What is asked for twice is read once.
    pub(super) fn read(&mut self, reading: Reading) {
        match self.waiting.back_mut() {
            Some(last) if reading.can_join(last) => last.join(reading),
            _ => self.waiting.push_back(reading),
        }
        self.read_next();
    }

    fn read_next(&mut self) {
        if self.reading.is_some() {
            return;
        }
        let Some(mut reading) = self.waiting.pop_front() else { return };
        if reading.is_asked {
            systemd::reloading();
        }
        let job = Job {
            list: reading.list.take(),
            work: reading.work.clone(),
            cause: reading.cause,
            is_sure: reading.is_sure,
            // Who asks for it says that the file is as it should be.
            is_patient: reading.is_asked || reading.tries > 2,
        };
        if !self.loader.give(job) {
            let _ = self.told.send(Told::Broken);
        }
        self.reading = Some(reading);
    }

    /// Takes what the loader has read: publishes it, and says what changed.
    pub(super) fn take(&mut self, loaded: Loaded) {
        let before = self.published.load();
        self.published.publish(before.copy().with_zones(loaded.table));
        let Some(reading) = &mut self.reading else { return };
        say_diagnostics(&loaded.report.diagnostics);
        loaded.report.changes.iter().for_each(|change| tracing::info!("{change}"));
        loaded.report.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        if reading.waiter.is_some() {
            let (errors, warnings) = rendered(&loaded.report.diagnostics);
            reading.details.extend(errors);
            reading.warnings.extend(warnings);
        }
        reading.changes.extend(loaded.report.changes);
        reading.problems.extend(loaded.report.problems);
        reading.unsettled.extend(loaded.report.unsettled);
        if let Some(end) = loaded.end {
            self.zones = end.status;
            let folders = end.folders.into_iter().chain(overlays::folders(&self.overlay_files));
            watch::watch(&mut self.watcher, folders.collect());
            self.end_reading();
        }
    }

    fn end_reading(&mut self) {
        let Some(mut reading) = self.reading.take() else { return };
        if let Some(config) = reading.config.take() {
            self.end_try(*config, reading);
            return self.read_next();
        }
        let unsettled = std::mem::take(&mut reading.unsettled);
        if !unsettled.is_empty() && reading.tries < limits::RELOAD_TRIES {
            reading.work = Work::Read(Scope::zones(unsettled));
            reading.tries += 1;
            self.again.push((self.clock.now().tick.plus(limits::SHRUNK_QUIET), reading));
        } else {
            let still =
                |zone: &Name| format!("zone {zone}: its file goes on changing; it is read when it is quiet");
            reading.problems.extend(unsettled.iter().map(still));
            self.tell(reading);
        }
        if self.waiting.is_empty() {
            systemd::ready();
        }
        self.read_next();
    }

    fn tell(&self, reading: Reading) {
        if reading.is_asked {
            match reading.problems.len() {
                0 => tracing::info!("reloaded"),
                failed => tracing::warn!("reloaded; {failed} files have errors"),
            }
        }
        if let Some(waiter) = reading.waiter {
            let Reading { changes, warnings, details, problems, .. } = reading;
            let problems = [details, problems].concat();
            let _ = waiter.send(Ok(Reply::Done { changes, warnings, problems }));
        }
    }

    /// Something was heard of files.
    pub(super) fn hear(&mut self) {
        if let Ok(watcher) = &self.watcher {
            self.settling.hear(watcher.take(), self.clock.now().tick);
        }
    }

    /// When [`House::on_time`] has something to do next; none while there is nothing to wait for.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let again = self.again.iter().map(|(due, _)| *due).min();
        let now = self.clock.now();
        let due = self.settling.next().into_iter().chain(again).min();
        due.map(|due| due.since(now.tick)).into_iter().chain(self.anchors.wait(now)).min()
    }

    /// Reads what has been quiet for long enough.
    pub(super) fn on_time(&mut self) {
        let now = self.clock.now().tick;
        let (files, all) = self.settling.quiet(now);
        if all || !files.is_empty() {
            self.hear_of_overlays(&files, all);
            let scope = Scope { all, files, ..Scope::default() };
            self.read(Reading::new(Work::Read(scope), Cause::Watch));
        }
        let (due, later) = std::mem::take(&mut self.again).into_iter().partition(|(due, _)| *due <= now);
        self.again = later;
        let due: Vec<(Tick, Reading)> = due;
        due.into_iter().for_each(|(_, reading)| self.read(reading));
        self.end_negative_anchors();
        self.look_at_anchors();
    }

    /// Forgets what was not validated because of negative trust anchors that have ended.
    fn end_negative_anchors(&mut self) {
        let now = self.clock.now().unix;
        for apex in self.anchors.ended(now) {
            tracing::info!(
                "the negative trust anchor {apex} has ended: names there are validated from here on"
            );
            if let Some(recursion) = &self.published.load().recursion {
                let below = Chosen { name: Some(apex.as_ref()), subtree: true, negative: false };
                let _ = recursion.cache().flush(below);
            }
        }
    }

    /// Asks the zones with trust anchors that are due for their keys; their replies come by the queue.
    fn look_at_anchors(&mut self) {
        for (apex, look) in self.anchors.looks(self.clock.now()) {
            let told = self.told.clone();
            tokio::task::spawn_local(async move {
                let _ = told.send(Told::Looked(apex, look.await));
            });
        }
    }

    /// Takes what a look at a zone with trust anchors brought.
    pub(super) fn take_look(&mut self, apex: &Name, look: Option<Look>) {
        self.anchors.take(apex, look, self.clock.now().unix);
    }

    fn status(&self) -> Status {
        let now = self.clock.now();
        let listening = self.doors.running().addresses().iter();
        let is_served = |zone: &&ZoneStatus| zone.serial.is_some();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            uptime_seconds: now.tick.since(self.started.tick).as_secs(),
            config: self.order.config_file.as_deref().map(|file: &Path| file.display().to_string()),
            config_problem: self.config_problem.clone(),
            listening: listening
                .map(|(address, transport)| format!("{address} {}", transport.word()))
                .collect(),
            zones: self.zones.values().filter(is_served).count(),
            records: self.zones.values().map(|zone| zone.records).sum(),
            troubled: self.zones.values().filter(|zone| zone.state != ZoneState::Served).cloned().collect(),
            is_loading: self.reading.is_some(),
            unwatched: self.watcher.as_ref().err().cloned(),
            requests: self.doors.totals().requests().map(|(.., count)| count).sum(),
            connections: self.doors.running().open_connections(),
        }
    }

    fn numbers(&self) -> Numbers {
        let zone = |zone: &ZoneStatus| ZoneNumbers {
            zone: zone.zone.clone(),
            serial: zone.serial,
            records: zone.records,
            load_errors: zone.load_errors,
        };
        let mut totals = self.doors.totals();
        let recursion = self.published.load().recursion.clone();
        let cache = recursion.as_ref().map(|own| cached::numbers(&self.cache, own, &totals));
        let validates = recursion.as_ref().filter(|own| own.validates());
        let validations = validates.map_or_else(Vec::new, |own| own.validations().into());
        if let Some(log) = &self.access_log {
            totals = totals.plus(&crate::observe::Counters::sum([&log.counters]));
        }
        Numbers {
            version: env!("CARGO_PKG_VERSION"),
            started: self.started.unix.seconds(),
            totals,
            connections: self.doors.running().open_connections(),
            refused_connections: self.doors.running().refused_connections(),
            zones: self.zones.values().map(zone).collect(),
            cache,
            trust_anchors: self.anchors.numbers(),
            validations,
            config_reloads: self.config_reloads,
            config_taken_up: self.config_taken_up.unix.seconds(),
        }
    }

    /// What doors are served with.
    pub(super) fn means(&self) -> Means {
        Means {
            published: Arc::clone(&self.published),
            clock: Arc::clone(&self.clock),
            log: self.access_log.as_ref().map(|log| log.sender.clone()),
        }
    }

    /// Publishes new secrets of cookies: those of the file, or one drawn now. Cookies made with the one before stay good.
    pub(super) fn replace_cookie_secrets(&self) {
        let before = self.published.load();
        let Some(current) = &before.options.cookies else { return };
        match answering::next_secrets(&self.config, current) {
            Ok(secrets) => {
                let mut next = before.copy();
                next.options.cookies = Some(secrets);
                self.published.publish(next);
            }
            Err(diagnostic) => say_diagnostics(&[*diagnostic]),
        }
    }

    /// Closes the doors, answers what was received, and writes the log to its end.
    pub(super) fn close(self) {
        systemd::stopping();
        self.doors.close();
        self.loader.finish();
        if let Some(own) = self.published.load().recursion.as_ref().filter(|_| self.config.cache.persist) {
            let state = self.config.state_directory(std::env::var_os("STATE_DIRECTORY").as_deref());
            if let Err(error) = cached::save(own, &state) {
                tracing::warn!("the cache could not be saved in {}: {error}", state.display());
            }
        }
        if let Some(log) = self.access_log {
            log.finish();
        }
    }
}

impl Reading {
    pub(super) fn new(work: Work, cause: Cause) -> Reading {
        Reading {
            list: None,
            work,
            config: None,
            cause,
            is_sure: false,
            tries: 0,
            is_asked: false,
            changes: Vec::new(),
            problems: Vec::new(),
            details: Vec::new(),
            warnings: Vec::new(),
            unsettled: BTreeSet::new(),
            waiter: None,
        }
    }

    /// Somebody asked for it, and may wait.
    pub(super) fn asked(self, waiter: Option<oneshot::Sender<Result<Reply, Refusal>>>) -> Reading {
        Reading { is_asked: true, waiter, ..self }
    }

    /// Whether one look can do for both. A word for one zone must not count for another.
    fn can_join(&self, other: &Reading) -> bool {
        let is_plain = |reading: &Reading| !reading.is_sure && reading.tries == 0 && reading.waiter.is_none();
        let are_reads = matches!((&self.work, &other.work), (Work::Read(_), Work::Read(_)));
        is_plain(self) && is_plain(other) && are_reads
    }

    fn join(&mut self, other: Reading) {
        self.list = other.list.or(self.list.take());
        if let (Work::Read(scope), Work::Read(more)) = (&mut self.work, other.work) {
            scope.join(more);
        }
        if other.is_asked && !self.is_asked {
            (self.cause, self.is_asked) = (other.cause, true);
        }
        self.changes.extend(other.changes);
        self.problems.extend(other.problems);
    }
}

impl Reply {
    /// One thing was done.
    fn done(change: &str) -> Reply {
        Reply::Done { changes: vec![change.into()], warnings: Vec::new(), problems: Vec::new() }
    }
}
