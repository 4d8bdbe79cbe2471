//! `namu zone`: the zones of a running server.

use std::process::ExitCode;

use super::control::{ask, connect, execute};
use super::running_args::{Server, When, Zone, ZoneOrder};
use super::{edit, print, zone_fmt};
use crate::daemon::command::Moment;
use crate::daemon::{Command, Reply};
use crate::dns::Name;

pub(super) fn run(zone: &Zone) -> ExitCode {
    let server = &zone.server;
    let result = match &zone.order {
        ZoneOrder::List { json } => ask(server, Command::ZoneList, *json),
        ZoneOrder::Show { zone, at } => show(server, zone, at.map(|when| when.0)),
        ZoneOrder::History { zone, json } => ask(server, Command::ZoneHistory { zone: zone.clone() }, *json),
        ZoneOrder::Diff { zone, from, to } => {
            let moment = |when: &Option<When>| when.map(|when| when.0);
            ask(server, Command::ZoneDiff { zone: zone.clone(), from: moment(from), to: moment(to) }, false)
        }
        ZoneOrder::Rollback { zone, serial, write } => {
            ask(server, Command::ZoneRollback { zone: zone.clone(), serial: *serial, write: *write }, false)
        }
        ZoneOrder::Reload { zone, yes } => {
            ask(server, Command::ZoneReload { zone: zone.clone(), yes: *yes }, false)
        }
        ZoneOrder::Fmt(fmt) => Ok(zone_fmt::run(fmt)),
        ZoneOrder::Edit { zone, yes } => edit::run(server, zone, *yes),
    };
    result.unwrap_or_else(|code| code)
}

/// All pieces of a zone.
fn show(server: &Server, zone: &Name, at: Option<Moment>) -> Result<ExitCode, ExitCode> {
    let mut client = connect(server)?;
    let mut from = None;
    loop {
        let reply = execute(&mut client, Command::ZoneShow { zone: zone.clone(), at, from })?;
        let Reply::Records { text, next } = reply else { return Ok(super::control::show(reply, false)) };
        print(&text);
        if next.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
        from = next;
    }
}
