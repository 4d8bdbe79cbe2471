//! One mistake in a file an operator wrote: where it is, what is wrong, what to write instead.
//!
//! Given: places and sentences from the rooms that read files. Must not know: what the files mean, or who reads the text.
//! SARIF 2.1.0 (OASIS) for code hosts and editors, JSON for scripts, text for people.

mod json;
mod sarif;

pub use json::json;
pub use sarif::sarif;

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad it is. Only errors keep a file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the file is used.
    Warning,
    /// The file is not used.
    Error,
}

impl Severity {
    /// As it stands in text, JSON and SARIF.
    fn word(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as the operator named it.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// How many characters of the line are meant, at least 1.
    pub length: usize,
    /// The line itself, without its end.
    pub source_line: String,
}

/// A mistake, for the eyes of an operator. `Display` is one line, `file:line:column: message; help`;
/// [`Diagnostic::render`] shows the source line with a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a sentence part without a final dot.
    pub message: String,
    /// Where, unless it concerns no line of any file.
    pub place: Option<Place>,
    /// What to write instead.
    pub help: Option<String>,
    /// Further facts: where something was first defined, which file included this one.
    pub notes: Vec<String>,
    /// The name of its kind for programs, in kebab-case; it stays when the sentence changes. None when no rule of its own
    /// is broken: the file cannot be read.
    pub code: Option<&'static str>,
    /// Another place that has to do with it, and how.
    pub related: Option<(&'static str, Place)>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            help: None,
            notes: Vec::new(),
            code: None,
            related: None,
        }
    }

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    /// With its place.
    pub fn at(self, place: Place) -> Diagnostic {
        Diagnostic { place: Some(place), ..self }
    }

    /// With what to write instead.
    pub fn help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// With one more fact.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// With the name of its kind.
    pub fn code(self, code: &'static str) -> Diagnostic {
        Diagnostic { code: Some(code), ..self }
    }

    /// With another place and what it has to do with it.
    pub fn related(self, why: &'static str, place: Place) -> Diagnostic {
        Diagnostic { related: Some((why, place)), ..self }
    }

    /// Several lines: the message, the place, the source line with a caret, help and notes. `colour` for terminals.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let mut group: Group<'_> = match &self.place {
            None => level.primary_title(&self.message).elements(Vec::<annotate_snippets::Message<'_>>::new()),
            Some(place) => level.primary_title(&self.message).element(
                Snippet::source(place.source_line.as_str())
                    .line_start(place.line)
                    .path(place.file.as_ref())
                    .annotation(AnnotationKind::Primary.span(place.octet_span())),
            ),
        };
        if let Some((why, place)) = &self.related {
            group = group.element(
                Snippet::source(place.source_line.as_str())
                    .line_start(place.line)
                    .path(place.file.as_ref())
                    .annotation(AnnotationKind::Context.span(place.octet_span()).label(*why)),
            );
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl Place {
    /// The octets of the source line that are meant.
    fn octet_span(&self) -> std::ops::Range<usize> {
        let offset_of = |characters: usize| {
            self.source_line.char_indices().nth(characters).map_or(self.source_line.len(), |(at, _)| at)
        };
        let start = offset_of(self.column.saturating_sub(1));
        start..offset_of((self.column.saturating_sub(1)).saturating_add(self.length.max(1))).max(start)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{}: ", place.file, place.line, place.column)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// The known word nearest to `word`, if any is near enough to be what was meant.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let lower = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_line_caret_and_help() {
        let diagnostic = Diagnostic::error("unknown RR type `AA`")
            .at(Place {
                file: "home.zone".into(),
                line: 5,
                column: 8,
                length: 2,
                source_line: "www IN AA 10.0.0.1".into(),
            })
            .help("did you mean A or AAAA?");
        assert_eq!(diagnostic.to_string(), "home.zone:5:8: unknown RR type `AA`; did you mean A or AAAA?");
        let text = diagnostic.render(false);
        for part in
            ["error: unknown RR type `AA`", "home.zone:5:8", "www IN AA 10.0.0.1", "^^", "help: did you"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_place_past_the_end_of_its_line_does_no_harm() {
        let place = Place { file: "x".into(), line: 1, column: 9, length: 3, source_line: "é".into() };
        assert!(Diagnostic::warning("odd").at(place).render(false).contains("odd"));
        assert!(Diagnostic::error("no place").help("do it").render(false).contains("do it"));
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("serve-stael", ["serve-stale", "size"]), Some("serve-stale"));
        assert_eq!(nearest("MX", ["TXT"]), None);
        assert_eq!(nearest("completely", ["different"]), None);
    }
}
