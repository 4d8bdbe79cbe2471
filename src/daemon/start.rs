//! From arguments to a running house, and from signals to its end.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};

use super::anchors::{self, HouseAnchors};
use super::banner::{self, Banner};
use super::explain::Explainer;
use super::handle::{Errand, Handle};
use super::house::{House, Reading, Told};
use super::loader::{End, Loader, Work};
use super::log_output::AccessLog;
use super::served_doors::{Means, ServedDoors};
use super::state::State;
use super::talk::LogControl;
use super::versions::Versions;
use super::watch::{self, Settling, Watcher};
use super::zone_list::ZoneList;
use super::zone_set::{Scope, Terms, ZoneSet};
use super::{answering, cached, listening, overlays, recursion, say, say_diagnostics, systemd, talk};
use crate::config::{Config, ControlSocket};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::net::clock::Clock;
use crate::net::sys::process;
use crate::observe::FlightRecorder;
use crate::options::AddressPort;
use crate::recursion::Recursion;
use crate::service::{Published, Snapshot};
use crate::zone::{Cause, ZoneTable};

/// What `run` was asked for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The configuration; without one nothing is read from anywhere.
    pub config_file: Option<PathBuf>,
    /// Zone files to serve instead of `zones/*.zone`.
    pub zone_files: Vec<PathBuf>,
    /// The port of every listener that names none.
    pub port: Option<u16>,
    /// Addresses to listen on and nowhere else.
    pub listen: Vec<AddressPort>,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// As it was asked to.
    Good = 0,
    /// Something broke; a supervisor should start it anew.
    Broken = 1,
    /// The configuration is invalid.
    Config = 3,
    /// An address cannot be listened on.
    Bind = 4,
}

/// A way by which commands arrive, opened by a floor above. Dropping `guard` closes it.
pub struct ControlDoor {
    /// Closes the way when it is dropped.
    pub guard: Box<dyn Send>,
    /// Where it is, for the operator.
    pub place: String,
}

/// Opens the way for commands at the socket of a configuration; none when it asks for none. The error is a sentence.
pub type OpenControl<'o> = dyn Fn(&Config, Handle) -> Result<Option<ControlDoor>, String> + 'o;

/// Runs the server until it is told to end.
pub fn run(order: &Order, open_control: &OpenControl<'_>) -> Exit {
    let config = match order.config_file.as_deref().map(Config::read) {
        None => Config::default(),
        Some(Ok(config)) => config,
        Some(Err(diagnostics)) => {
            say_diagnostics(&diagnostics);
            return Exit::Config;
        }
    };
    process::use_one_arena();
    process::raise_open_files_limit();
    let log = talk::start_log(&config.log);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return broken("the signals cannot be watched", &error),
    };
    LocalSet::new().block_on(&runtime, async {
        let (told, queue) = mpsc::unbounded_channel();
        // From here on a signal ends or reloads the house instead of the process.
        if let Err(error) = watch_signals(&told) {
            return broken("the signals cannot be watched", &error);
        }
        match open_house(order, config, log, &told, open_control) {
            Ok((house, control)) => live(house, control, queue).await,
            Err(exit) => exit,
        }
    })
}

fn broken(what: &str, error: &io::Error) -> Exit {
    say(&format!("error: {what}: {error}"));
    Exit::Broken
}

/// Opens the doors, loads the zones, and serves.
fn open_house(
    order: &Order,
    config: Config,
    log: LogControl,
    told: &mpsc::UnboundedSender<Told>,
    open_control: &OpenControl<'_>,
) -> Result<(House, Option<ControlDoor>), Exit> {
    let clock = Arc::new(Clock::start());
    let started = clock.now();
    let opened = listening::open(order, &config).map_err(|errors| {
        errors.iter().for_each(|error| say(&format!("error: {error}")));
        Exit::Bind
    })?;
    let access_log = AccessLog::start(&config, &clock)
        .map_err(|error| broken("the access log cannot be opened", &error))?;
    let state = config.state_directory(std::env::var_os("STATE_DIRECTORY").as_deref());
    let versions = Arc::new(Versions::new(State::new(state.clone())));
    let list = ZoneList::of(&config, order.config_file.is_some(), &order.zone_files);
    let mut zones = ZoneSet::new(list, Arc::clone(&versions));
    let (mut problems, mut since_last_run) = (Vec::new(), Vec::new());
    let terms = Terms { cause: Cause::Start, now: started.unix, is_sure: false, is_patient: false };
    zones.load(&Scope::all(), terms, &mut |_, report| {
        say_diagnostics(&report.diagnostics);
        problems.extend(report.problems);
        since_last_run.extend(report.since_last_run);
    });

    let cache = recursion::new_cache(&config);
    let configured = anchors::read(&config).map_err(|diagnostics| {
        say_diagnostics(&diagnostics);
        Exit::Config
    })?;
    let seat = Arc::new(OnceLock::new());
    let mut anchors = HouseAnchors::new(&state, Some(anchors::eyes(&seat)), started);
    anchors.configure(&config, configured, started.unix);
    // Another first id after each start; the low bits of the seconds are as good as any.
    let recorder = Arc::new(FlightRecorder::new(started.unix.seconds() as u16));
    let recursion =
        recursion::start(&config, &cache, &clock, &recorder, &anchors.store).map_err(|diagnostics| {
            say_diagnostics(&diagnostics);
            Exit::Config
        })?;
    if let Some(own) = recursion.as_ref().filter(|_| config.cache.persist) {
        match cached::take_up(own, &state) {
            Ok(said) => said.into_iter().for_each(|said| tracing::info!("{said}")),
            Err(error) => {
                tracing::warn!("the cache saved in {} is not wholly taken up: {error}", state.display());
            }
        }
    }
    let first = snapshot(&config, zones.table.clone(), recursion).map_err(|problem| {
        say(&format!("error: {problem}"));
        Exit::Config
    })?;
    let published = Published::new(first);
    let _ = seat.set(Arc::clone(&published));
    let (remarks, served_zones) = (opened.remarks, zones.served_zones());
    let sender = access_log.as_ref().map(|log| log.sender.clone());
    let means = Means { published: Arc::clone(&published), clock: Arc::clone(&clock), log: sender };
    let doors = ServedDoors::open(opened.doors, &means)
        .map_err(|error| broken("the doors cannot be served", &error))?;
    let End { status, folders } = End::of(&zones);
    let mut watcher = start_watcher(told);
    let overlay_files = overlays::files(&config);
    watch::watch(&mut watcher, folders.into_iter().chain(overlays::folders(&overlay_files)).collect());
    // Edits between the reading and the watching were seen by nobody.
    let touched = zones.touched();
    let loader =
        start_loader(zones, &clock, told).map_err(|error| broken("zones cannot be loaded", &error))?;
    let mut house = House {
        order: order.clone(),
        config,
        config_problem: None,
        config_reloads: (0, 0),
        config_taken_up: started,
        started,
        clock,
        published,
        cache,
        recorder,
        anchors,
        doors,
        access_log,
        log,
        loader,
        watcher,
        settling: Settling::default(),
        overlay_files,
        zones: status,
        reading: None,
        waiting: VecDeque::new(),
        again: Vec::new(),
        told: told.clone(),
        is_ending: false,
    };
    house.hear_of_failure();
    if touched != Scope::default() {
        house.read(Reading::new(Work::Read(touched), Cause::Watch));
    }
    let control = start_control(&house, versions, open_control)?;
    greet(&house, remarks, &served_zones, control.as_ref());
    tell_since_last_run(&since_last_run);
    problems.iter().for_each(|problem| tracing::warn!("{problem}"));
    let took = house.clock.now().tick.since(started.tick);
    let addresses = banner::ready_addresses(house.doors.running().addresses());
    say(&format!("ready in {:.2} s on {addresses}", took.as_secs_f64()));
    systemd::ready();
    Ok((house, control))
}

fn start_loader(
    zones: ZoneSet,
    clock: &Arc<Clock>,
    told: &mpsc::UnboundedSender<Told>,
) -> io::Result<Loader> {
    let tell = told.clone();
    Loader::start(zones, Arc::clone(clock), move |told| {
        let _ = tell.send(told);
    })
}

fn start_watcher(told: &mpsc::UnboundedSender<Told>) -> Result<Watcher, String> {
    let wake = told.clone();
    let watcher = Watcher::new(move || {
        let _ = wake.send(Told::FilesChanged);
    });
    watcher.map_err(|error| {
        tracing::warn!("files are not watched, reload by SIGHUP or `namu zone reload`: {error}");
        error.to_string()
    })
}

/// Opens the way for commands. Where none was asked for by name, a server without it is better than none.
fn start_control(
    house: &House,
    versions: Arc<Versions>,
    open_control: &OpenControl<'_>,
) -> Result<Option<ControlDoor>, Exit> {
    let (sender, mut errands) = mpsc::channel::<Errand>(limits::CONTROL_ORDERS);
    let told = house.told.clone();
    spawn_local(async move {
        while let Some(errand) = errands.recv().await {
            if told.send(Told::Errand(errand)).is_err() {
                break;
            }
        }
    });
    let explainer = Explainer {
        published: Arc::clone(&house.published),
        recorder: Arc::clone(&house.recorder),
        clock: Arc::clone(&house.clock),
        runtime: tokio::runtime::Handle::current(),
    };
    let handle = Handle::new(sender, Arc::clone(&house.published), versions, explainer);
    open_control(&house.config, handle).or_else(|problem| match &house.config.control.socket {
        ControlSocket::At(_) => {
            say(&format!("error: {problem}"));
            Err(Exit::Bind)
        }
        _ => {
            tracing::warn!("no commands are taken: {problem}");
            Ok(None)
        }
    })
}

fn greet(house: &House, mut remarks: Vec<String>, zones: &[(String, usize)], control: Option<&ControlDoor>) {
    let config_file = house.order.config_file.as_deref().map(Path::to_string_lossy);
    if let Some(control) = control {
        remarks.push(format!("commands by {}", control.place));
    }
    let banner = Banner {
        config: &house.config,
        config_file: config_file.as_deref(),
        addresses: house.doors.running().addresses(),
        remarks: &remarks,
        zones,
    };
    say(&banner.text());
}

/// What changed while nobody watched, a line each; of very many zones the number.
fn tell_since_last_run(changes: &[String]) {
    let told = changes.len().min(limits::START_CHANGES);
    changes[..told].iter().for_each(|change| tracing::info!("since the last run: {change}"));
    if changes.len() > told {
        tracing::info!("since the last run: {} more zones changed", changes.len() - told);
    }
}

/// What is served with this configuration; or a sentence why it cannot be.
pub(super) fn snapshot(
    config: &Config,
    zones: ZoneTable,
    recursion: Option<Arc<Recursion>>,
) -> Result<Snapshot, String> {
    let sentence = |diagnostic: Box<Diagnostic>| diagnostic.to_string();
    let snapshot = Snapshot {
        zones: ZoneTable::new(),
        access: answering::access(config).map_err(sentence)?,
        options: answering::serve_options(config).map_err(sentence)?,
        recursion,
        #[cfg(debug_assertions)]
        panic_on: std::env::var("NAMU_TEST_PANIC_ON").ok().and_then(|name| name.parse().ok()),
    };
    Ok(snapshot.with_zones(zones))
}

/// Has the house told of the signals the server answers, and of what is done from time to time.
fn watch_signals(told: &mpsc::UnboundedSender<Told>) -> io::Result<()> {
    let kinds: [(SignalKind, fn() -> Told); 3] = [
        (SignalKind::terminate(), || Told::End),
        (SignalKind::interrupt(), || Told::End),
        (SignalKind::hangup(), || Told::Reload),
    ];
    for (kind, meaning) in kinds {
        let mut signals: Signal = signal(kind)?;
        let told = told.clone();
        spawn_local(async move { while signals.recv().await.is_some() && told.send(meaning()).is_ok() {} });
    }
    let told = told.clone();
    spawn_local(async move {
        let mut secret_is_old = tokio::time::interval(limits::COOKIE_SECRET_LIFE);
        secret_is_old.reset();
        loop {
            secret_is_old.tick().await;
            if told.send(Told::ReplaceCookieSecret).is_err() {
                break;
            }
        }
    });
    Ok(())
}

async fn live(
    mut house: House,
    control: Option<ControlDoor>,
    mut queue: mpsc::UnboundedReceiver<Told>,
) -> Exit {
    let exit = loop {
        let told = match house.next_due() {
            None => queue.recv().await,
            Some(wait) => match tokio::time::timeout(wait, queue.recv()).await {
                Ok(told) => told,
                Err(_) => {
                    house.on_time();
                    continue;
                }
            },
        };
        match told {
            Some(Told::Errand(errand)) => house.execute(errand),
            Some(Told::Loaded(loaded)) => house.take(*loaded),
            Some(Told::FilesChanged) => house.hear(),
            Some(Told::Reload) => house.reload(None),
            Some(Told::ReplaceCookieSecret) => house.replace_cookie_secrets(),
            Some(Told::Looked(apex, look)) => house.take_look(&apex, look),
            Some(Told::End) | None => break Exit::Good,
            Some(Told::Broken) => {
                tracing::error!("a part of the server is lost; ending, to be started anew");
                break Exit::Broken;
            }
        }
        if house.is_ending {
            break Exit::Good;
        }
    };
    drop(control);
    house.close();
    exit
}
