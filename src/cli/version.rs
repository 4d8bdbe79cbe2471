//! `namu version`.

use std::process::ExitCode;

use super::args::Version;
use super::print;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(version: &Version) -> ExitCode {
    match version.json {
        true => print(&format!("{{\"name\":\"namu\",\"version\":\"{VERSION}\"}}\n")),
        false => print(&format!("namu {VERSION}\n")),
    }
    ExitCode::SUCCESS
}
