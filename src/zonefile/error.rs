//! Mistakes in zone files: first at an offset of a file, then as diagnostics with line, column and excerpt.

use std::fmt::Write;

use super::lexer::Token;

pub(super) type Outcome<T> = Result<T, Box<Fault>>;

/// A mistake at some octets of the file being read. Boxed, since reading rarely fails and always returns.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: usize,
    pub length: usize,
    pub message: String,
    pub help: Option<String>,
}

impl Fault {
    pub fn new(at: usize, length: usize, message: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { at, length, message: message.into(), help: None })
    }

    /// About a whole token.
    pub fn of(token: &Token<'_>, message: impl Into<String>) -> Box<Fault> {
        Fault::new(token.at, token.length(), message)
    }

    /// With what to write instead.
    pub fn help(mut self: Box<Fault>, help: impl Into<String>) -> Box<Fault> {
        self.help = Some(help.into());
        self
    }
}

/// Octets of a file in a sentence: on one line, harmless to a terminal, not longer than a reader cares for.
pub(super) fn shown(octets: &[u8]) -> String {
    const MOST: usize = 40;
    let mut text = String::from("`");
    for character in String::from_utf8_lossy(&octets[..octets.len().min(4 * MOST)]).chars().take(MOST) {
        if character.is_control() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", character.escape_default());
        } else {
            text.push(character);
        }
    }
    if text.chars().count() > MOST {
        text.push('…');
    }
    text.push('`');
    text
}

/// `did you mean this?`
pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_octets_are_harmless_in_a_sentence() {
        assert_eq!(shown(b"AA"), "`AA`");
        assert_eq!(shown(b"\x1b[31m"), "`\\u{1b}[31m`");
        assert_eq!(shown(&[b'x'; 50]), format!("`{}…`", "x".repeat(40)));
        assert_eq!(shown(b"\xff"), "`\u{fffd}`");
    }
}
