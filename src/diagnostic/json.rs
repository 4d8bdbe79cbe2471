//! Diagnostics for scripts.

use serde::Serialize;

use super::{Diagnostic, Place, Severity};

#[derive(Serialize)]
struct Document<'d> {
    files: usize,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Entry<'d>>,
}

#[derive(Serialize)]
struct Entry<'d> {
    severity: &'static str,
    code: Option<&'static str>,
    message: &'d str,
    #[serde(flatten)]
    place: Option<Spot<'d>>,
    help: Option<&'d str>,
    notes: &'d [String],
    related: Option<Related<'d>>,
}

#[derive(Serialize)]
struct Related<'d> {
    message: &'static str,
    #[serde(flatten)]
    place: Spot<'d>,
}

/// Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Spot<'d> {
    file: &'d str,
    line: usize,
    column: usize,
    length: usize,
    source: &'d str,
}

impl<'d> From<&'d Place> for Spot<'d> {
    fn from(place: &'d Place) -> Spot<'d> {
        let Place { file, line, column, length, source_line } = place;
        Spot { file, line: *line, column: *column, length: *length, source: source_line }
    }
}

/// One JSON document of all that was found in so many files. The keys are a promise to scripts.
pub fn json(files: usize, diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|found| found.severity == severity).count();
    let document = Document {
        files,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        diagnostics: diagnostics.iter().map(entry).collect(),
    };
    serde_json::to_string_pretty(&document).expect("keys are strings and nothing fails to serialize")
}

fn entry(diagnostic: &Diagnostic) -> Entry<'_> {
    Entry {
        severity: diagnostic.severity.word(),
        code: diagnostic.code,
        message: &diagnostic.message,
        place: diagnostic.place.as_ref().map(Spot::from),
        help: diagnostic.help.as_deref(),
        notes: &diagnostic.notes,
        related: diagnostic.related.as_ref().map(|(message, place)| Related { message, place: place.into() }),
    }
}
