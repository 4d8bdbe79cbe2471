//! A new configuration for a running house: taken up whole, or not at all.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::anchors;
use super::command::{Refusal, Reply};
use super::house::{House, Reading, Told};
use super::listening;
use super::loader::Work;
use super::log_output::AccessLog;
use super::served_doors::Means;
use super::start::snapshot;
use super::talk::rendered;
use super::zone_list::ZoneList;
use super::zone_set::Scope;
use super::{overlays, recursion, say_diagnostics};
use crate::config::{Config, Plan, ZoneOptions};
use crate::dns::Name;
use crate::zone::Cause;

/// Who waits for what comes of it, if anybody does.
type Waiter = Option<oneshot::Sender<Result<Reply, Refusal>>>;

fn cause_of(waiter: &Waiter) -> Cause {
    if waiter.is_some() { Cause::Command } else { Cause::Signal }
}

impl House {
    /// Reads the configuration again, if there is one, and then what changed of the zone files; opens the access log
    /// anew. A configuration that cannot be taken up changes nothing.
    pub(super) fn reload(&mut self, waiter: Waiter) {
        let Some(file) = self.order.config_file.clone() else {
            return self.read_all(Vec::new(), None, waiter);
        };
        let new = match Config::read(&file) {
            Ok(new) => new,
            Err(diagnostics) => {
                say_diagnostics(&diagnostics);
                return self.refuse(rendered(&diagnostics).0, waiter);
            }
        };
        let plan = Plan::between(&self.config, &new);
        let is_other = |zone: &&ZoneOptions| {
            plan.zones_added.contains(&zone.name) || plan.zones_changed.contains(&zone.name)
        };
        let other = new.primaries().filter(is_other);
        let files: Vec<(Name, PathBuf)> =
            other.map(|zone| (zone.name.clone(), new.resolve(&zone.file))).collect();
        if files.is_empty() {
            return self.take_up_and_read(new, waiter);
        }
        // A configuration with a zone that would not load is as bad as one with a mistake of its own.
        let reading = Reading::new(Work::Try(files), cause_of(&waiter)).asked(waiter);
        self.read(Reading { config: Some(Box::new(new)), ..reading });
    }

    /// The zones of a new configuration were tried.
    pub(super) fn end_try(&mut self, new: Config, reading: Reading) {
        match reading.problems.is_empty() {
            true => self.take_up_and_read(new, reading.waiter),
            false => {
                let problems = [reading.problems, reading.details].concat();
                self.refuse(problems, reading.waiter);
            }
        }
    }

    fn take_up_and_read(&mut self, new: Config, waiter: Waiter) {
        match self.take_up(new) {
            Err(problems) => self.refuse(problems, waiter),
            Ok(plan) => {
                let changes = plan.changes();
                changes.iter().for_each(|change| tracing::info!("{change}"));
                let list = || ZoneList::of(&self.config, true, &self.order.zone_files);
                let list = plan.concerns_zones().then(list);
                self.read_all(changes, list, waiter);
            }
        }
    }

    fn read_all(&mut self, changes: Vec<String>, list: Option<ZoneList>, waiter: Waiter) {
        if let Some(log) = &self.access_log {
            log.switch(&self.config);
        }
        let reading = Reading::new(Work::Read(Scope::all()), cause_of(&waiter)).asked(waiter);
        self.read(Reading { changes, list, ..reading });
    }

    fn refuse(&mut self, problems: Vec<String>, waiter: Waiter) {
        self.config_reloads.1 += 1;
        let first = problems.first().and_then(|problem| problem.lines().next()).unwrap_or_default();
        self.config_problem = Some(first.to_owned());
        tracing::warn!("the configuration has errors; nothing was changed: {first}");
        if let Some(waiter) = waiter {
            let _ = waiter.send(Ok(Reply::Done { changes: Vec::new(), warnings: Vec::new(), problems }));
        }
    }

    /// Everything that can fail comes first and changes nothing; then everything is put in force.
    fn take_up(&mut self, new: Config) -> Result<Plan, Vec<String>> {
        let mut plan = Plan::between(&self.config, &new);
        let anchors = anchors::read(&new).map_err(|diagnostics| rendered(&diagnostics).0)?;
        // Their file may have changed under the same name.
        plan.forgets |= self.anchors.differ_from(&anchors);
        let are_configured = self.doors.are_configured();
        if plan.concerns_listeners() && !are_configured {
            plan.listeners_added.clear();
            plan.listeners_removed.clear();
            plan.next_start.push("listen");
        }
        let cache = match (plan.forgets, plan.cache) {
            (true, _) => recursion::new_cache(&new),
            (false, true) => recursion::changed_cache(&self.cache, &new),
            (false, false) => Arc::clone(&self.cache),
        };
        let before = self.published.load();
        let recursion = match plan.resolver || plan.cache || plan.forgets {
            true => recursion::start(&new, &cache, &self.clock, &self.recorder, &self.anchors.store)
                .map_err(|diagnostics| rendered(&diagnostics).0)?,
            false => before.recursion.clone(),
        };
        let mut snapshot =
            snapshot(&new, before.zones.clone(), recursion).map_err(|problem| vec![problem])?;
        snapshot.options.waiting = before.options.waiting.clone();
        // Transfers under way go on to count, and cookies given out go on to be good.
        snapshot.options.transfers = before.options.transfers.clone();
        if let (Some(_), Some(drawn), None) =
            (&snapshot.options.cookies, &before.options.cookies, &new.server.cookie_secret_file)
        {
            snapshot.options.cookies = Some(drawn.clone());
        }
        let log_problem = |error: std::io::Error| vec![format!("the access log cannot be opened: {error}")];
        if plan.access_log {
            AccessLog::check(&new).map_err(log_problem)?;
        }
        let listens = are_configured.then(|| listening::configured(&self.order, &new));
        let prepared = match &listens {
            Some(listens) => self.doors.prepare(listens, listening::workers(&self.config))?,
            None => Vec::new(),
        };
        // Threads have a way to the log or none for all their life.
        let has_other_log = self.access_log.is_some() == new.access_log.is_empty();
        let other_log = match has_other_log {
            true => AccessLog::start(&new, &self.clock).map_err(log_problem)?,
            false => None,
        };
        if plan.concerns_listeners() || has_other_log {
            let means = match has_other_log {
                true => Means { log: other_log.as_ref().map(|log| log.sender.clone()), ..self.means() },
                false => self.means(),
            };
            let threads = |error| vec![format!("the doors cannot be served: {error}")];
            self.doors.change(listens.as_deref(), prepared, &means).map_err(threads)?;
            self.hear_of_failure();
        }
        if has_other_log {
            // The old one ends by itself with the last thread that writes to it.
            self.access_log = other_log;
        }
        self.anchors.configure(&new, anchors, self.clock.now().unix);
        self.published.publish(snapshot);
        self.cache = cache;
        if let Some(level) = plan.log_level {
            self.log.set_level(level);
        }
        self.config = new;
        self.overlay_files = overlays::files(&self.config);
        self.config_problem = None;
        self.config_reloads.0 += 1;
        self.config_taken_up = self.clock.now();
        Ok(plan)
    }

    /// Has the house end when the doors that are served now fail.
    pub(super) fn hear_of_failure(&self) {
        let (mut failed, told) = (self.doors.failed(), self.told.clone());
        tokio::task::spawn_local(async move {
            if failed.wait_for(|failed| *failed).await.is_ok() {
                let _ = told.send(Told::Broken);
            }
        });
    }
}
