//! `namu zone fmt`: a zone file with its columns aligned.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args as Arguments;

use super::print;
use crate::daemon::{durable, parse_zone_text, read_zone_text, say_diagnostics};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::zonefile;

const EXAMPLES: &str = "\
Comments, directives, blank lines and the order of records stay. A file with mistakes is not touched.
Exit code 0: in good order now; 1: mistakes found, or with --check: not in good order.

Examples:
  namu zone fmt example.org.zone
  namu zone fmt --check zones/*.zone
  namu zone fmt - <example.org.zone";

/// Align the columns of zone files.
#[derive(Debug, PartialEq, Eq, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct ZoneFmt {
    /// The zone files; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 1
    #[arg(long)]
    pub check: bool,
    /// Write to standard output, not to the file
    #[arg(long, conflicts_with = "check")]
    pub stdout: bool,
}

pub(super) fn run(fmt: &ZoneFmt) -> ExitCode {
    let mut is_well = true;
    for file in &fmt.files {
        match format_file(fmt, file) {
            Ok(outcome) => is_well &= outcome,
            Err(diagnostics) => {
                say_diagnostics(&diagnostics);
                is_well = false;
            }
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Whether the file is as it was asked to be.
fn format_file(fmt: &ZoneFmt, file: &Path) -> Result<bool, Vec<Diagnostic>> {
    let is_input = file == Path::new("-");
    let text = if is_input { read_input()? } else { read_zone_text(file).map_err(|error| vec![*error])? };
    let meaning = meaning(file, text.clone())?;
    let formatted = zonefile::format(&text).filter(|formatted| {
        // Whatever the formatter did: what is served must stay what it was.
        self::meaning(file, formatted.clone()).is_ok_and(|formatted| formatted == meaning)
    });
    let Some(formatted) = formatted else {
        let message = format!("{}: formatting would change its records; it is left alone", file.display());
        return Err(vec![Diagnostic::error(message).help("this is a mistake in namu: please report it")]);
    };
    let is_same = formatted == text;
    match (fmt.check, is_input || fmt.stdout) {
        (true, _) => {
            if !is_same {
                print(&format!("{}\n", file.display()));
            }
            return Ok(is_same);
        }
        (false, true) => write_output(&formatted)?,
        (false, false) if is_same => {}
        (false, false) => durable::replace(file, &formatted).map_err(|error| {
            vec![Diagnostic::error(format!("{}: cannot be written: {error}", file.display()))]
        })?,
    }
    Ok(true)
}

/// A number that is another when the records of a file or their order are; or its mistakes.
fn meaning(file: &Path, text: Vec<u8>) -> Result<u64, Vec<Diagnostic>> {
    let mut hasher = DefaultHasher::new();
    parse_zone_text(file, text, &mut |record| {
        (record.owner.octets(), record.ttl.seconds(), record.rr_type, record.rdata).hash(&mut hasher);
    })?;
    Ok(hasher.finish())
}

fn read_input() -> Result<Vec<u8>, Vec<Diagnostic>> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().take(limits::ZONEFILE_OCTETS + 1).read_to_end(&mut text);
    read.map_err(|error| vec![Diagnostic::error(format!("standard input: {error}"))])?;
    Ok(text)
}

/// A reader that has seen enough, as `head` has, is no error; a full disk is.
fn write_output(octets: &[u8]) -> Result<(), Vec<Diagnostic>> {
    match std::io::stdout().lock().write_all(octets) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(vec![Diagnostic::error(format!("standard output: {error}"))])
        }
        _ => Ok(()),
    }
}
