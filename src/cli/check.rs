//! `namu check`: every mistake of all files at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{Check, Format};
use super::print;
use crate::config::Config;
use crate::daemon::{check_resolver_files, check_zone, guess_apex, read_overlay, zone_files_in};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::dns::Name;

/// The folder that is looked at when no path is named, as `namu run` does.
const ZONE_FOLDER: &str = "zones";

pub(super) fn run(check: &Check) -> ExitCode {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut findings = Findings { now, files: 0, diagnostics: Vec::new() };
    match check.one_zone() {
        Some(Ok((origin, file))) => findings.check_zone(&origin, &file),
        Some(Err(why)) => findings.add(vec![Diagnostic::error(format!("the origin is not a name: {why}"))]),
        None if check.paths.is_empty() => {
            zone_files_in(Path::new(ZONE_FOLDER)).iter().for_each(|path| findings.check_path(path));
        }
        None => check.paths.iter().for_each(|path| findings.check_path(path)),
    }
    print(&findings.text(check.format));
    // Only errors keep a file from being used, unless the operator wants more.
    let is_good = |found: &Diagnostic| found.severity == Severity::Warning && !check.strict;
    if findings.diagnostics.iter().all(is_good) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

struct Findings {
    /// Unix seconds; signatures expire.
    now: u64,
    files: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Findings {
    fn check_path(&mut self, path: &Path) {
        match path.extension() {
            Some(extension) if extension == "yaml" || extension == "yml" => self.check_config(path),
            _ => match guess_apex(path) {
                Ok(apex) => self.check_zone(&apex, path),
                Err(diagnostic) => self.add(vec![*diagnostic]),
            },
        }
    }

    /// A configuration and the files it names.
    fn check_config(&mut self, path: &Path) {
        match Config::read(path) {
            Err(diagnostics) => self.add(diagnostics),
            Ok(config) => {
                self.add(check_resolver_files(&config));
                let zones: Vec<(Name, PathBuf)> =
                    config.primaries().map(|zone| (zone.name.clone(), config.resolve(&zone.file))).collect();
                zones.iter().for_each(|(apex, file)| self.check_zone(apex, file));
                for zone in config.overlays() {
                    let read = read_overlay(&zone.name, &config.resolve(&zone.file));
                    self.add(read.err().unwrap_or_default());
                }
            }
        }
    }

    fn check_zone(&mut self, apex: &Name, file: &Path) {
        self.add(check_zone(apex, file, self.now));
    }

    fn add(&mut self, diagnostics: Vec<Diagnostic>) {
        self.files += 1;
        self.diagnostics.extend(diagnostics);
    }

    fn text(&self, format: Format) -> String {
        match format {
            Format::Json => diagnostic::json(self.files, &self.diagnostics) + "\n",
            Format::Sarif => diagnostic::sarif(&self.diagnostics) + "\n",
            Format::Text => self.for_people(),
        }
    }

    fn for_people(&self) -> String {
        let colour =
            std::io::IsTerminal::is_terminal(&std::io::stdout()) && std::env::var_os("NO_COLOR").is_none();
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text += &diagnostic.render(colour);
            text.push('\n');
        }
        let plural =
            |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let (files, errors, warnings) =
            (plural(self.files, "file"), plural(errors, "error"), plural(warnings, "warning"));
        text + &format!("{files}: {errors}, {warnings}\n")
    }
}
