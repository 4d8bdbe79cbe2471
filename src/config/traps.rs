//! Lines that look right and are not YAML to libyaml, each with a message of its own.

use std::net::Ipv6Addr;

use super::source::Stretch;
use crate::diagnostic::Diagnostic;
use crate::options::Network;

/// A known trap in the line that could not be read.
pub(super) struct Trap {
    pub stretch: Stretch,
    pub diagnostic: Diagnostic,
    /// Whether the rest of the file can be read once the stretch is painted over.
    pub is_paintable: bool,
}

/// The first trap of a line, if there is one.
pub(super) fn find(line: usize, text: &str) -> Option<Trap> {
    let indentation = text.len() - text.trim_start().len();
    if let Some(tab) = text[..indentation].find('\t') {
        let diagnostic = Diagnostic::error("a tab in the indentation").help("indent with spaces");
        let stretch = Stretch { line, column: tab + 1, length: 1 };
        return Some(Trap { stretch, diagnostic, is_paintable: false });
    }
    words(text).find_map(|(start, word)| {
        let (length, diagnostic) = trap_at(word, &text[start..])?;
        let column = text[..start].chars().count() + 1;
        Some(Trap { stretch: Stretch { line, column, length }, diagnostic, is_paintable: true })
    })
}

/// The unquoted words of a line, by offset; a bracket is a word of its own, a comment ends the line.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_between = |c: char| c.is_whitespace() || ",[]{}".contains(c);
    let mut at = 0;
    let stretches = std::iter::from_fn(move || {
        let (start, rest) = (at, &text[at..]);
        let first = rest.chars().next()?;
        let length = match first {
            '#' if start == 0 || text[..start].ends_with(char::is_whitespace) => return None,
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if is_between(first) => first.len_utf8(),
            _ => rest.find(is_between).unwrap_or(rest.len()),
        };
        at += length;
        Some((start, &rest[..length]))
    });
    stretches.filter(|(_, word)| !word.starts_with(|c: char| c.is_whitespace() || c == '"' || c == '\''))
}

/// How many characters of `rest`, which begins with `word`, are a trap.
fn trap_at(word: &str, rest: &str) -> Option<(usize, Diagnostic)> {
    let whole =
        |message: String, help: String| Some((word.chars().count(), Diagnostic::error(message).help(help)));
    // No further than an address can go: a line of brackets would be searched to its end for each of them.
    let in_brackets = rest.strip_prefix('[').and_then(|inside| {
        let end = inside.find(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.')?;
        Some((&inside[..end], inside[end..].strip_prefix("]:")?))
    });
    if let Some((address, tail)) = in_brackets.filter(|(address, _)| address.parse::<Ipv6Addr>().is_ok()) {
        let port = tail.split([' ', '\t', ',']).next().unwrap_or(tail);
        let message = format!("`[{address}]:{port}` is a list to YAML, and address and port are two keys");
        let help = format!("write `address: {address}` and `port: {port}` on lines of their own");
        let length = address.len() + "[]:".len() + port.chars().count();
        return Some((length, Diagnostic::error(message).help(help)));
    }
    if word.starts_with('*') {
        return whole(format!("`{word}` begins an alias in YAML"), format!("write it in quotes: '{word}'"));
    }
    if word.starts_with(['@', '`', '%']) {
        return whole(
            format!("a plain value cannot begin like `{word}`"),
            format!("write it in quotes: '{word}'"),
        );
    }
    if (word.starts_with(':') || word.ends_with(':')) && word.parse::<Network>().is_ok() {
        return whole(
            format!("`{word}` cannot stand in brackets"),
            format!(
                "write a list in block form, a line `- {word}` for each item, or write it in quotes: '{word}'"
            ),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_are_found_where_they_begin() {
        for (line, column, length, says) in [
            ("  networks: [127.0.0.1, ::1]", 25, 3, "block form"),
            ("  networks: [::1]", 14, 3, "block form"),
            ("  2001:db8::,", 3, 10, "block form"),
            ("  - address: [::1]:53   # here", 14, 8, "two keys"),
            ("  - name: *.example", 11, 9, "quotes: '*.example'"),
            ("  file: @here", 9, 5, "quotes: '@here'"),
            ("\tname: x", 1, 1, "spaces"),
        ] {
            let trap = find(7, line).expect(line);
            assert_eq!(trap.stretch, Stretch { line: 7, column, length }, "{line}");
            assert!(trap.diagnostic.to_string().contains(says), "{}", trap.diagnostic);
        }
    }

    #[test]
    fn what_is_quoted_or_said_in_a_comment_is_no_trap() {
        for line in ["a: '*.example'", "a: \"::1\"", "a: b # *.example", "- fd00::1", "key: value", "", "'"] {
            assert!(find(1, line).is_none(), "{line}");
        }
    }
}
