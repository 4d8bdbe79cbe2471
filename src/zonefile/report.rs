//! The diagnostics of one zone, collected while it is read.

use crate::diagnostic::Diagnostic;
use crate::limits;

use super::error::Fault;
use super::files::{Files, Mark};

/// Errors and warnings so far. Once there are too many errors it is full and the reading stops: a file of another kind
/// is not worth going through.
#[derive(Default)]
pub(super) struct Report {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    is_full: bool,
}

impl Report {
    /// `open` is where the parenthesis stands in which the error happened.
    pub fn error(&mut self, files: &Files, file: usize, fault: Fault, open: Option<usize>) {
        if self.errors.len() >= limits::ZONEFILE_ERRORS {
            self.is_full = true;
            return;
        }
        let mark = Files::mark(file, fault.at, fault.length);
        let place = files.place(mark);
        let mut diagnostic = Diagnostic::error(fault.message);
        diagnostic.help = fault.help;
        if let Some(open) = open {
            let opened = files.place(Files::mark(file, open, 1));
            // A mistake far below may only be the consequence of a parenthesis that was forgotten.
            if opened.line != place.line {
                diagnostic = diagnostic.note(format!(
                    "the parenthesis of line {}, column {} is still open",
                    opened.line, opened.column
                ));
            }
        }
        diagnostic.notes.extend(files.inclusions(mark));
        self.errors.push(diagnostic.at(place));
    }

    /// Whether there was one error more than are kept.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    pub fn warning(&mut self, files: &Files, mark: Mark, message: &str) {
        if self.warnings.len() < limits::ZONEFILE_ERRORS {
            let mut diagnostic = Diagnostic::warning(message);
            diagnostic.notes = files.inclusions(mark);
            self.warnings.push(diagnostic.at(files.place(mark)));
        }
    }

    /// Warnings of a good zone; of a bad one the errors and then the warnings.
    pub fn finish(mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let Some(last) = self.errors.last_mut() else {
            return Ok(self.warnings);
        };
        if self.is_full {
            last.notes.push("there are more errors below; reading stopped after this one".into());
        }
        self.errors.append(&mut self.warnings);
        Err(self.errors)
    }
}
