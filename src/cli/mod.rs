//! What a person types.
//!
//! Given: the words of the command line. Must not know: running state, except through the daemon's handle.

pub mod args;
mod cache;
mod check;
mod control;
mod edit;
pub mod explain;
pub mod query;
mod query_reply;
pub mod running_args;
mod version;
mod zone;
mod zone_fmt;

pub use args::{Args, Command};

use std::process::ExitCode;

use clap::Parser;

use crate::daemon::{self, Order};

/// Does what the command line asks; the exit code is one of INTERFACE 1.4.
pub fn run() -> ExitCode {
    match Args::parse().command {
        None => {
            print(&Args::short_help());
            ExitCode::SUCCESS
        }
        Some(Command::Run(run)) => {
            let order = Order {
                config_file: run.config,
                zone_files: run.zone_files,
                port: run.port,
                listen: run.listen,
            };
            ExitCode::from(daemon::run(&order, &crate::control::open) as u8)
        }
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Ctl(ctl)) => control::run(&ctl),
        Some(Command::Zone(zone)) => zone::run(&zone),
        Some(Command::Cache(cache)) => cache::run(&cache),
        Some(Command::Query(query)) => query::run(&query),
        Some(Command::Explain(explain)) => explain::run(&explain),
        Some(Command::Version(version)) => version::run(&version),
    }
}

/// Writes data to standard output. A reader that has seen enough, as `head` has, is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = write!(std::io::stdout().lock(), "{text}");
}
