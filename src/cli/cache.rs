//! `namu cache`: what a running server has learnt.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use super::control::{ask, connect, execute};
use super::print;
use super::running_args::{Cache, CacheOrder, Server};
use crate::daemon::{Command, Reply, replace_file, say};
use crate::limits;

pub(super) fn run(cache: &Cache) -> ExitCode {
    let server = &cache.server;
    let result = match &cache.order {
        CacheOrder::Stats { json } => ask(server, Command::CacheStats, *json),
        CacheOrder::Get { name, rr_type, json } => {
            ask(server, Command::CacheGet { name: name.clone(), rr_type: *rr_type }, *json)
        }
        CacheOrder::Flush { name, subtree, negative } => {
            let (subtree, negative) = (*subtree, *negative);
            ask(server, Command::CacheFlush { name: name.clone(), subtree, negative }, false)
        }
        CacheOrder::Dump { file } => dump(server, file.as_deref()),
        CacheOrder::Load { file } => load(server, file.as_deref()),
    };
    result.unwrap_or_else(|code| code)
}

fn failed(what: &str, file: Option<&Path>, error: &std::io::Error) -> ExitCode {
    let name = file.map_or("standard input".into(), |file| file.display().to_string());
    say(&format!("error: {name} {what}: {error}"));
    ExitCode::FAILURE
}

/// All pieces, to standard output or into a file.
fn dump(server: &Server, file: Option<&Path>) -> Result<ExitCode, ExitCode> {
    let mut client = connect(server)?;
    let (mut whole, mut from, mut is_first) = (String::new(), None, true);
    loop {
        let reply = execute(&mut client, Command::CacheDump { from })?;
        let Reply::CachePiece { head, text, next } = reply else {
            return Ok(super::control::show(reply, false));
        };
        let head = if std::mem::take(&mut is_first) { head } else { String::new() };
        match file {
            Some(_) => whole.extend([head, text]),
            None => [head, text].iter().for_each(|text| print(text)),
        }
        if next.is_none() {
            break;
        }
        from = next;
    }
    match file.map(|path| (path, replace_file(path, whole.as_bytes()))) {
        Some((path, Err(error))) => Err(failed("cannot be written", Some(path), &error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Whole entries at a time, from a file or standard input.
fn load(server: &Server, file: Option<&Path>) -> Result<ExitCode, ExitCode> {
    let unread = |error: std::io::Error| failed("cannot be read", file, &error);
    let input: Box<dyn Read> = match file {
        Some(path) => Box::new(std::fs::File::open(path).map_err(unread)?),
        None => Box::new(std::io::stdin()),
    };
    let mut lines = BufReader::new(input).lines();
    let head = lines.next().transpose().map_err(unread)?.unwrap_or_default();
    let mut client = connect(server)?;
    let (mut entries, mut entry, mut sum) = (String::new(), String::new(), (0, 0, 0));
    loop {
        let line = lines.next().transpose().map_err(unread)?;
        let is_entry_end = line.as_ref().is_none_or(|line| !line.starts_with(' '));
        if is_entry_end {
            if !entries.is_empty() && entries.len() + entry.len() > limits::CACHE_LOAD_PIECE || line.is_none()
            {
                let last = if line.is_none() { std::mem::take(&mut entry) } else { String::new() };
                let sent = std::mem::take(&mut entries) + &last;
                let reply = execute(&mut client, Command::CacheLoad { head: head.clone(), entries: sent })?;
                let Reply::CacheLoaded { taken, passed_over, malformed } = reply else {
                    return Ok(super::control::show(reply, false));
                };
                sum = (sum.0 + taken, sum.1 + passed_over, sum.2 + malformed);
            }
            entries.push_str(&std::mem::take(&mut entry));
        }
        let Some(line) = line else { break };
        entry.extend([&line, "\n"]);
        if entry.len() > limits::CACHE_LOAD_PIECE {
            say("error: an entry is longer than any of a cache");
            return Err(ExitCode::FAILURE);
        }
    }
    let (taken, passed_over, malformed) = sum;
    Ok(super::control::show(Reply::CacheLoaded { taken, passed_over, malformed }, false))
}
