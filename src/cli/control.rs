//! `namu ctl`, and what all commands for a running server share.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use super::print;
use super::running_args::{Ctl, CtlOrder, Server};
use crate::config::Config;
use crate::control::{Client, place};
use crate::daemon::report::{CacheEntry, CacheStatus, Status, VersionStatus, ZoneState, ZoneStatus};
use crate::daemon::{Command, Reply, say, say_diagnostics};
use crate::observe::access_log::date_of;

/// The exit code when something was not done, or not wholly.
const NOT_DONE: u8 = 1;
/// The exit code when no server is reachable.
const UNREACHABLE: u8 = 5;

pub(super) fn run(ctl: &Ctl) -> ExitCode {
    let (command, as_json) = match &ctl.order {
        CtlOrder::Status { json } => (Command::Status, *json),
        CtlOrder::Stats => (Command::Stats, false),
        CtlOrder::Reload => (Command::Reload, false),
        CtlOrder::Stop => (Command::Stop, false),
        CtlOrder::LogLevel { level } => (Command::LogLevel { level: (*level).into() }, false),
    };
    ask(&ctl.server, command, as_json).unwrap_or_else(|code| code)
}

/// Has one command carried out and shows what came of it.
pub(super) fn ask(server: &Server, command: Command, as_json: bool) -> Result<ExitCode, ExitCode> {
    let mut client = connect(server)?;
    Ok(show(execute(&mut client, command)?, as_json))
}

/// A connection to the server that is meant; without one the sentence was said and the exit code is given.
pub(super) fn connect(server: &Server) -> Result<Client, ExitCode> {
    let path = match &server.config {
        None => server.socket.clone(),
        Some(file) => socket_of(file)?,
    };
    Client::connect(path.as_deref()).map_err(|unreachable| {
        say(&format!("error: {unreachable}"));
        ExitCode::from(UNREACHABLE)
    })
}

fn socket_of(file: &std::path::Path) -> Result<Option<PathBuf>, ExitCode> {
    let config = Config::read(file).map_err(|diagnostics| {
        say_diagnostics(&diagnostics);
        ExitCode::from(3)
    })?;
    place::of_server(&config).map_err(|problem| {
        say(&format!("error: {problem}"));
        ExitCode::from(UNREACHABLE)
    })
}

/// The reply to a command; without one the sentence was said and the exit code is given.
pub(super) fn execute(client: &mut Client, command: Command) -> Result<Reply, ExitCode> {
    match client.execute(command) {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(refusal)) => {
            say(&format!("error: {refusal}"));
            Err(ExitCode::from(NOT_DONE))
        }
        Err(unreachable) => {
            say(&format!("error: {unreachable}"));
            Err(ExitCode::from(UNREACHABLE))
        }
    }
}

/// Data to standard output, problems to standard error.
pub(super) fn show(reply: Reply, as_json: bool) -> ExitCode {
    match reply {
        Reply::Done { changes, warnings, problems } => {
            if changes.is_empty() && problems.is_empty() {
                print("nothing changed\n");
            }
            changes.iter().for_each(|change| print(&format!("{change}\n")));
            warnings.iter().for_each(|warning| say(warning));
            problems.iter().for_each(|problem| say(problem));
            if !problems.is_empty() {
                return ExitCode::from(NOT_DONE);
            }
        }
        Reply::Status(status) if as_json => print_json(&*status),
        Reply::Status(status) => print(&status_text(&status, has_colour())),
        Reply::Zones { zones } if as_json => zones.iter().for_each(print_json),
        Reply::Zones { zones } => print(&zones_text(&zones, has_colour())),
        Reply::History { versions } if as_json => versions.iter().for_each(print_json),
        Reply::History { versions } => print(&history_text(&versions)),
        Reply::Difference { text, summary, serials: (from, to) } => {
            print(&text);
            match summary {
                None => print(&format!("{from} and {to} have the same content\n")),
                Some(summary) => {
                    print(&format!("{from} -> {to}: {summary}\n"));
                    return ExitCode::from(NOT_DONE);
                }
            }
        }
        Reply::Explanation(explanation) if as_json => print_json(&*explanation),
        Reply::Explanation(explanation) => print(&super::explain::text(&explanation)),
        Reply::CacheStatus(status) if as_json => print_json(&status),
        Reply::CacheStatus(status) => print(&cache_text(&status)),
        Reply::CacheEntries { entries } if as_json => entries.iter().for_each(print_json),
        Reply::CacheEntries { entries } => print(&entries_text(&entries)),
        Reply::CachePiece { text, .. } => print(&text),
        Reply::CacheLoaded { taken, passed_over, malformed } => {
            print(&format!("{taken} entries taken up, {passed_over} passed over\n"));
            if malformed > 0 {
                say(&format!("error: {malformed} entries make no sense and were left out"));
                return ExitCode::from(NOT_DONE);
            }
        }
        Reply::Text { text } | Reply::Records { text, .. } => print(&text),
    }
    ExitCode::SUCCESS
}

fn print_json(value: &impl serde::Serialize) {
    // Plain structs of text and numbers have no value that JSON lacks.
    if let Ok(text) = serde_json::to_string(value) {
        print(&format!("{text}\n"));
    }
}

fn has_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn red(text: &str, has_colour: bool) -> String {
    if has_colour { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
}

fn status_text(status: &Status, has_colour: bool) -> String {
    let Status { version, pid, zones, records, requests, connections, .. } = status;
    let mut text = format!("namu {version} · pid {pid} · up {}\n", spoken_time(status.uptime_seconds));
    let mut line = |word: &str, fact: &str| text.push_str(&format!("  {word:<11} {fact}\n"));
    line("config", status.config.as_deref().unwrap_or("none: safe defaults"));
    if let Some(problem) = &status.config_problem {
        line("", &red(&format!("the file has errors and is not in force: {problem}"), has_colour));
    }
    line("listening", &status.listening.join(", "));
    let loading = if status.is_loading { " · files are being read" } else { "" };
    line("zones", &format!("{zones} served, {records} records{loading}"));
    for zone in &status.troubled {
        line("", &red(&trouble(zone), has_colour));
    }
    if let Some(why) = &status.unwatched {
        line("", &red(&format!("files are not watched: {why}"), has_colour));
    }
    line("requests", &format!("{requests} · {connections} connections open"));
    text
}

/// What is wrong with a zone, in one line.
fn trouble(zone: &ZoneStatus) -> String {
    let problem = zone.problem.as_deref().unwrap_or("its file could not be read");
    let serial = zone.serial.unwrap_or_default();
    match zone.state {
        ZoneState::Served => String::new(),
        ZoneState::Kept => format!("{}: serial {serial} stays: {problem}", zone.zone),
        ZoneState::Held => format!("{}: held back, serial {serial} stays: {problem}", zone.zone),
        ZoneState::Unavailable => format!("{}: SERVFAIL: {problem}", zone.zone),
    }
}

fn zones_text(zones: &[ZoneStatus], has_colour: bool) -> String {
    let width = zones.iter().map(|zone| zone.zone.len()).max().unwrap_or(0);
    let line = |zone: &ZoneStatus| {
        let serial = zone.serial.map_or("-".into(), |serial| serial.to_string());
        let text =
            format!("{:<width$}  {serial:>10}  {:>8} records  {}\n", zone.zone, zone.records, zone.file);
        match zone.state {
            ZoneState::Served => text,
            _ => format!("{text}{}\n", red(&format!("  {}", trouble(zone)), has_colour)),
        }
    };
    zones.iter().map(line).collect()
}

fn history_text(versions: &[VersionStatus]) -> String {
    let line = |version: &VersionStatus| {
        let lost = if version.is_held { "" } else { "  (its content is not kept)" };
        let VersionStatus { serial, cause, summary, .. } = version;
        format!("{serial:>10}  {}  {cause:<8}  {summary}{lost}\n", utc(version.time))
    };
    versions.iter().map(line).collect()
}

fn cache_text(status: &CacheStatus) -> String {
    let CacheStatus { entries, octets, size, denials, evicted, hits, misses, stale, prefetched, under_way } =
        status;
    let percent = |part: u64, whole: u64| (100 * part).checked_div(whole).unwrap_or(0);
    format!(
        "entries     {entries}\nmemory      {octets} of {size} octets ({} %)\nproofs      {denials}\nevicted     {evicted}\n\
         hits        {hits} ({} %)\nmisses      {misses}\nstale       {stale}\nprefetched  {prefetched}\n\
         under way   {under_way}\n",
        percent(*octets, *size),
        percent(*hits, hits + misses + stale),
    )
}

fn entries_text(entries: &[CacheEntry]) -> String {
    if entries.is_empty() {
        return "nothing is known\n".into();
    }
    let entry = |entry: &CacheEntry| {
        let CacheEntry { is, name, rr_type, kind, security, why, ttl, records } = entry;
        let time = match ttl {
            0 => String::new(),
            1.. => format!(", {} left", spoken_time(ttl.unsigned_abs())),
            _ => format!(", stale for {}", spoken_time(ttl.unsigned_abs())),
        };
        let security = if security == "-" { String::new() } else { format!(", {security}") };
        let kind = if kind.is_empty() { String::new() } else { format!(": {kind}") };
        let records: String = records.iter().map(|record| format!("  {record}\n")).collect();
        let why = why.as_ref().map_or_else(String::new, |why| format!("  ({why})\n"));
        format!("{is} {name} {rr_type}{kind}{security}{time}\n{why}{records}")
    };
    entries.iter().map(entry).collect()
}

/// A time of RFC 3339 in UTC.
fn utc(seconds: u64) -> String {
    let (year, month, day) = date_of(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `3d 4h`, `5m 6s`: the two largest units.
fn spoken_time(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (length, unit) in units {
        if rest >= length || (unit == "s" && words.is_empty()) {
            words.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    words.truncate(2);
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_two_largest_units() {
        for (seconds, want) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (3661, "1h 1m"), (90_061, "1d 1h"), (86_400, "1d")]
        {
            assert_eq!(spoken_time(seconds), want);
        }
    }

    #[test]
    fn what_is_wrong_is_red_on_a_terminal_and_plain_elsewhere() {
        let zone = ZoneStatus {
            zone: "a.test".into(),
            file: "a.zone".into(),
            state: ZoneState::Kept,
            serial: Some(7),
            records: 3,
            problem: Some("a.zone:1:1: no".into()),
            load_errors: 1,
        };
        let status = Status { zones: 1, troubled: vec![zone], ..Status::default() };
        let line = "a.test: serial 7 stays: a.zone:1:1: no";
        assert!(status_text(&status, true).contains(&format!("\x1b[31m{line}\x1b[0m")));
        let plain = status_text(&status, false);
        assert!(plain.contains(line) && !plain.contains('\x1b'), "{plain}");
    }
}
