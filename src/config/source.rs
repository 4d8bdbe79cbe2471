//! The text of a file with its lines, and the mistakes found in it.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::limits;

/// A stretch of one line. Line and column count from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    pub line: usize,
    pub column: usize,
    pub length: usize,
}

/// A file's name and text.
#[derive(Clone)]
pub(super) struct Source {
    name: Arc<str>,
    pub text: String,
    line_starts: Vec<usize>,
}

impl Source {
    pub fn new(name: &str, text: String) -> Source {
        let octets = text.as_bytes();
        let is_break = |at: usize| match octets[at] {
            b'\n' => true,
            b'\r' => octets.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let starts = (0..octets.len()).filter(|at| is_break(*at)).map(|at| at + 1);
        let line_starts = std::iter::once(0).chain(starts).collect();
        Source { name: name.into(), text, line_starts }
    }

    /// A line without its end; empty when there is none of that number.
    pub fn line(&self, line: usize) -> &str {
        self.text[self.line_span(line)].trim_end_matches(['\n', '\r'])
    }

    /// The octets of a line with its end.
    fn line_span(&self, line: usize) -> std::ops::Range<usize> {
        let start_of = |index: usize| self.line_starts.get(index).copied().unwrap_or(self.text.len());
        start_of(line.saturating_sub(1))..start_of(line)
    }

    /// The line and column of an octet.
    pub fn position(&self, octet: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= octet);
        let before = self.text.get(self.line_span(line).start..octet).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// Paints the stretch over, so that the rest can be read on. No other character gets another line or column.
    pub fn paint(&mut self, stretch: Stretch) {
        let span = self.line_span(stretch.line);
        let line = &self.text[span.clone()];
        let after = |text: &str, count| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
        let start = after(line, stretch.column - 1);
        let length = after(&line[start..], stretch.length);
        let painted = "_".repeat(line[start..start + length].chars().count());
        let start = span.start + start;
        self.text.replace_range(start..start + length, &painted);
        for line_start in self.line_starts.iter_mut().skip(stretch.line) {
            *line_start -= length - painted.len();
        }
    }

    /// For a diagnostic.
    fn place(&self, stretch: Stretch) -> Place {
        Place {
            file: self.name.clone(),
            line: stretch.line,
            column: stretch.column,
            length: stretch.length.max(1),
            source_line: shown(self.line(stretch.line)),
        }
    }
}

/// The beginning of a text, without control characters that a terminal would obey.
fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(limits::CONFIG_SHOWN).map(visible).collect()
}

/// The mistakes of one file, at most [`limits::CONFIG_ERRORS`].
pub(super) struct Mistakes<'s> {
    pub source: &'s Source,
    found: Vec<Diagnostic>,
    is_cut: bool,
}

impl<'s> Mistakes<'s> {
    pub fn new(source: &'s Source) -> Mistakes<'s> {
        Mistakes { source, found: Vec::new(), is_cut: false }
    }

    pub fn add(&mut self, diagnostic: Diagnostic, stretch: Stretch) {
        if self.is_full() {
            return self.cut();
        }
        let diagnostic = Diagnostic {
            message: shown(&diagnostic.message),
            help: diagnostic.help.as_deref().map(shown),
            ..diagnostic.at(self.source.place(stretch))
        };
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// Says that there may be more mistakes than were looked for.
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Takes over those found by another reading.
    pub fn append(&mut self, others: Mistakes<'_>) {
        self.found.extend(others.found);
        self.is_cut |= others.is_cut;
    }

    /// A mistake of the file as a whole.
    pub fn add_without_place(&mut self, diagnostic: Diagnostic) {
        self.found.push(Diagnostic { message: shown(&diagnostic.message), ..diagnostic });
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether mistakes were found that are not shown.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub fn is_full(&self) -> bool {
        self.found.len() >= limits::CONFIG_ERRORS
    }

    /// In the order of the file.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|mistake| mistake.place.as_ref().map(|place| (place.line, place.column)));
        if let (true, Some(last)) = (self.is_cut, self.found.last_mut()) {
            last.notes.push("there are more mistakes than are shown; mend these first".to_owned());
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_painted_over_moves_no_other_character() {
        let mut source = Source::new("c", "a: \u{e9}\u{20ac}x\r\nb: ::1\n\u{1f980}\n".into());
        source.paint(Stretch { line: 1, column: 4, length: 2 });
        source.paint(Stretch { line: 2, column: 4, length: 3 });
        source.paint(Stretch { line: 3, column: 1, length: 1 });
        assert_eq!(source.text, "a: __x\r\nb: ___\n_\n");
        assert_eq!([1, 2, 3, 4, 9].map(|line| source.line(line)), ["a: __x", "b: ___", "_", "", ""]);
        source.paint(Stretch { line: 9, column: 7, length: 1 });
        source.paint(Stretch { line: 3, column: 2, length: 9 });
        assert_eq!(source.text, "a: __x\r\nb: ___\n__");
    }
}
