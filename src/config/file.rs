//! From the octets of a file to its options or to all its mistakes. The only place that names serde_yaml.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::IgnoredAny;

use super::check;
use super::config::Config;
use super::outline::{Outline, ROOT, SyntaxError};
use super::source::{Mistakes, Source, Stretch};
use super::traps;
use crate::diagnostic::{Diagnostic, nearest};
use crate::limits;

impl Config {
    /// Reads a file. Its mistakes come all at once, in the order of the file.
    pub fn read(path: &Path) -> Result<Config, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let octets = read_regular_file(path).map_err(|why| {
            vec![Diagnostic::error(format!("cannot read the configuration `{name}`: {why}"))]
        })?;
        let mut config = Config::parse(&name, octets)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.server.directory = folder.join(&config.server.directory);
        Ok(config)
    }

    /// Reads the octets of a file called `name`; `server.directory` stays as it is written.
    pub fn parse(name: &str, octets: Vec<u8>) -> Result<Config, Vec<Diagnostic>> {
        let source = match String::from_utf8(octets) {
            Ok(text) => Source::new(name, text),
            Err(error) => return Err(not_utf8(name, &error)),
        };
        let mut mistakes = Mistakes::new(&source);
        let Some(mut outline) = read_outline(&mut mistakes) else { return Err(mistakes.into_sorted()) };
        check::keys_before_their_feature(&mut outline, &mut mistakes);
        let config = read_options(&mut outline, &mut mistakes);
        if let Some(config) = &config {
            check::references(config, &outline, &mut mistakes);
        }
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(mistakes.into_sorted()),
        }
    }
}

fn read_regular_file(path: &Path) -> Result<Vec<u8>, String> {
    let sentence = |error: std::io::Error| error.to_string();
    // Asked before opening: to open a fifo waits for its writer.
    let is_regular = std::fs::metadata(path).map_err(sentence)?.is_file();
    if !is_regular {
        return Err("it is not a regular file".into());
    }
    let mut octets = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limits::CONFIG_OCTETS + 1).read_to_end(&mut octets))
        .map_err(sentence)?;
    if octets.len() as u64 > limits::CONFIG_OCTETS {
        return Err(format!("it has more than {} MiB", limits::CONFIG_OCTETS >> 20));
    }
    Ok(octets)
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Vec<Diagnostic> {
    let good = error.utf8_error().valid_up_to();
    let octet = error.as_bytes()[good];
    let source = Source::new(name, String::from_utf8_lossy(error.as_bytes()).into_owned());
    // Up to the bad octet both texts are the same.
    let (line, column) = source.position(good);
    let mut mistakes = Mistakes::new(&source);
    let error = Diagnostic::error(format!("octet 0x{octet:02x} is not UTF-8")).help("save the file as UTF-8");
    mistakes.add(error, Stretch { line, column, length: 1 });
    mistakes.into_sorted()
}

/// Where everything stands, when the text is YAML to both readers; traps on the way are reported and painted over.
fn read_outline(mistakes: &mut Mistakes<'_>) -> Option<Outline> {
    let mut painted = Vec::new();
    let mut text = mistakes.source.text.clone();
    for _ in 0..readings(&text) {
        let mut duplicates = Mistakes::new(mistakes.source);
        let read = Outline::read(&text, &mut duplicates);
        let error = match read.and_then(|outline| libyaml_reads(&text).map(|()| outline)) {
            Ok(mut outline) => {
                painted.into_iter().for_each(|stretch| outline.prune_at(stretch));
                mistakes.append(duplicates);
                return Some(outline);
            }
            Err(error) => error,
        };
        // An error is noticed on the line of its cause or at the beginning of the next.
        let lines = [error.line, error.line.saturating_sub(1)];
        let current = Source::new("", text);
        let Some(trap) = lines.iter().find_map(|line| traps::find(*line, current.line(*line))) else {
            let at = Stretch { line: error.line, column: error.column, length: 1 };
            mistakes.add(Diagnostic::error(error.message), at);
            return None;
        };
        mistakes.add(trap.diagnostic, trap.stretch);
        if !trap.is_paintable {
            return None;
        }
        text = current.painted(trap.stretch);
        painted.push(trap.stretch);
    }
    mistakes.cut();
    None
}

/// How often a text may be read in search of further mistakes.
fn readings(text: &str) -> usize {
    (1 + limits::CONFIG_REREAD_OCTETS / text.len().max(1)).min(limits::CONFIG_ERRORS)
}

fn libyaml_reads(text: &str) -> Result<(), SyntaxError> {
    serde_yaml::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        // Behind the first place libyaml names a second, where the list or map begins.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        SyntaxError { line, column, message }
    })
}

/// The options. serde stops at the first mistake; so it is taken out and what is left is read again.
fn read_options(outline: &mut Outline, mistakes: &mut Mistakes<'_>) -> Option<Config> {
    let text = &mistakes.source.text;
    let mut first_error = None;
    if mistakes.is_empty() {
        match serde_yaml::from_str(text) {
            Ok(config) => return Some(config),
            Err(error) => first_error = Some(error),
        }
    }
    for _ in 0..readings(text) {
        let (text, lines) = outline.print();
        let error = match serde_yaml::from_str(&text) {
            Ok(config) => {
                if let (true, Some(error)) = (mistakes.is_empty(), first_error) {
                    mistakes.add_without_place(Diagnostic::error(error.to_string()));
                }
                return Some(config);
            }
            Err(error) => error,
        };
        let line = error.location().map_or(0, |at| at.line().saturating_sub(1));
        let (node, is_key) = lines.get(line).copied().unwrap_or((ROOT, false));
        let (diagnostic, is_key) = explain(&error, outline, node, is_key);
        let stretch = if is_key { outline.key_stretch(node) } else { outline.value_stretch(node) };
        mistakes.add(diagnostic, stretch);
        outline.prune(node);
    }
    mistakes.cut();
    None
}

/// serde's message in an operator's words, and whether it is about the key.
fn explain(error: &serde_yaml::Error, outline: &Outline, node: usize, is_key: bool) -> (Diagnostic, bool) {
    let message = without_place(error);
    // The path serde gives counts what was taken out; ours does not.
    let message = match message.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`', '"']) => rest,
        _ => &message,
    };
    let is_key = is_key && message.starts_with("unknown field");
    let path = outline.path(if is_key { outline.parent(node) } else { node });
    let in_place = |message: &str| match path.is_empty() {
        true => Diagnostic::error(message),
        false => Diagnostic::error(format!("{path}: {message}")),
    };
    let diagnostic = if let Some((unknown, known)) = unknown_word(message) {
        let word = unknown.split('`').nth(1).unwrap_or_default();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        in_place(&unknown.replace("unknown variant", "unknown value")).help(
            match nearest(word, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", known.join(", ")),
            },
        )
    } else if let Some((found, expected)) = invalid_type(message) {
        let help =
            matches!(found.as_str(), "`yes`" | "`no`" | "`on`" | "`off`") && expected == "true or false";
        let diagnostic = in_place(&format!("expected {expected}, found {found}"));
        if help { diagnostic.help("write true or false") } else { diagnostic }
    } else {
        match message.rsplit_once("; ") {
            Some((message, help)) => in_place(message).help(help),
            None => in_place(message),
        }
    };
    (diagnostic, is_key)
}

/// Splits serde's "unknown field `x`, expected one of ..".
fn unknown_word(message: &str) -> Option<(&str, &str)> {
    let is_unknown = message.starts_with("unknown field `") || message.starts_with("unknown variant `");
    message.split_once(", expected ").filter(|_| is_unknown)
}

/// Takes serde's "invalid type: a, expected b" apart and says both in an operator's words.
fn invalid_type(message: &str) -> Option<(String, String)> {
    let rest = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.split_once(", expected ")?;
    let found = match found {
        "unit value" => "nothing".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        _ => match found.split_once(['"', '`']) {
            Some((_, quoted)) => format!("`{}`", &quoted[..quoted.len().saturating_sub(1)]),
            None => found.to_owned(),
        },
    };
    let expected = match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a string" | "path string" => "a word",
        "u16" => "a number from 0 to 65535",
        "a nonzero u16" => "a number from 1 to 65535",
        // An enum of words, where libyaml would take a tagged value too.
        "a YAML tag starting with '!'" => "a word",
        other => other,
    };
    Some((found, expected.to_owned()))
}

/// The message without " at line 3 column 4", which is said with the place.
fn without_place(error: &serde_yaml::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}
