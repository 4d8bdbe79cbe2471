//! What the server says to its operator, on standard error.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::{LogFormat, LogLevel, LogOptions};
use crate::diagnostic::{Diagnostic, Severity};

/// Says a line or several. A closed standard error is no reason to stop.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Shows diagnostics with their source lines, in colour on a terminal.
pub fn say_diagnostics(diagnostics: &[Diagnostic]) {
    let colour = has_colour();
    for diagnostic in diagnostics {
        say(&diagnostic.render(colour));
    }
}

/// Errors and warnings as text for one who is not at this terminal.
pub(super) fn rendered(diagnostics: &[Diagnostic]) -> (Vec<String>, Vec<String>) {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    let render = |diagnostics: Vec<&Diagnostic>| diagnostics.iter().map(|each| each.render(false)).collect();
    (render(errors), render(warnings))
}

/// Whether standard error is a terminal whose owner did not ask for plain text (no-color.org).
fn has_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !refused
}

/// How much is said from here on can be changed with this.
pub(super) struct LogControl {
    level: reload::Handle<LevelFilter, Registry>,
}

impl LogControl {
    /// Says what is at least as important as `level`.
    pub(super) fn set_level(&self, level: LogLevel) {
        // It fails only when there is no log any more.
        let _ = self.level.reload(filter(level));
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Sends what `tracing` is told to standard error from here on.
pub(super) fn start_log(options: &LogOptions) -> LogControl {
    let (filter, level) = reload::Layer::new(filter(options.level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(options.format == LogFormat::Auto && has_colour())
        .with_target(false);
    // A second start in one process, as in a test, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    LogControl { level }
}
