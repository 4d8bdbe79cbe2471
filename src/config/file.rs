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
    let mut current = mistakes.source.clone();
    // What the outline's reader has gone through once it goes through again with a word painted over: only libyaml, which
    // stops at its first error, is asked about further words.
    let mut is_outlined = false;
    for _ in 0..readings(&current.text) {
        let mut duplicates = Mistakes::new(mistakes.source);
        let mut outline = || Outline::read(&current.text, &mut duplicates);
        let read = match is_outlined {
            true => libyaml_reads(&current.text).and_then(|()| outline()),
            false => outline().and_then(|outline| {
                is_outlined = true;
                libyaml_reads(&current.text).map(|()| outline)
            }),
        };
        let error = match read {
            Ok(mut outline) => {
                painted.into_iter().for_each(|stretch| outline.prune_at(stretch));
                mistakes.append(duplicates);
                return Some(outline);
            }
            Err(error) => error,
        };
        // An error is noticed on the line of its cause or at the beginning of the next.
        let lines = [error.line, error.line.saturating_sub(1)];
        let Some(trap) = lines.iter().find_map(|line| traps::find(*line, current.line(*line))) else {
            let at = Stretch { line: error.line, column: error.column, length: 1 };
            mistakes.add(Diagnostic::error(error.message), at);
            return None;
        };
        mistakes.add(trap.diagnostic, trap.stretch);
        if !trap.is_paintable {
            return None;
        }
        current.paint(trap.stretch);
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

/// The options, and whatever keeps the file from being them.
fn read_options(outline: &mut Outline, mistakes: &mut Mistakes<'_>) -> Option<Config> {
    let mut first_error = None;
    if mistakes.is_empty() {
        match read_text(&mistakes.source.text) {
            Ok(config) => return Some(config),
            Err(error) => first_error = Some(error),
        }
    }
    let config = read_pieces(outline, mistakes, limits::CONFIG_PIECE_OCTETS, &mut read_text)?;
    if let (true, Some(error)) = (mistakes.is_empty(), first_error) {
        mistakes.add_without_place(Diagnostic::error(error.to_string()));
    }
    Some(config)
}

fn read_text(text: &str) -> Result<Config, serde_yaml::Error> {
    serde_yaml::from_str(text)
}

/// What the options are once every mistake is taken out. `read` stops at the first mistake; so it is taken out, and what
/// follows is read on: by pieces, for a reader of YAML goes through all that it is given before serde sees the first key.
fn read_pieces(
    outline: &mut Outline,
    mistakes: &mut Mistakes<'_>,
    piece_octets: usize,
    read: &mut dyn FnMut(&str) -> Result<Config, serde_yaml::Error>,
) -> Option<Config> {
    let (mut from, mut octets) = (ROOT, piece_octets);
    let mut readings_left = readings(&mistakes.source.text);
    while readings_left > 0 && !mistakes.is_cut() {
        let piece = outline.print(from, octets);
        let error = match (read(&piece.text), piece.next) {
            (Ok(config), None) if from == ROOT => return Some(config),
            (Ok(_), Some(next)) => {
                from = next;
                continue;
            }
            (Ok(_), None) => {
                // No piece has a mistake any more: all of them together are the options.
                (from, octets) = (ROOT, usize::MAX);
                continue;
            }
            (Err(error), _) => error,
        };
        let line = error.location().map_or(0, |at| at.line().saturating_sub(1));
        let (node, is_key) = piece.lines.get(line).copied().unwrap_or((ROOT, false));
        let (diagnostic, is_key) = explain(&error, outline, node, is_key);
        let stretch = if is_key { outline.key_stretch(node) } else { outline.value_stretch(node) };
        mistakes.add(diagnostic, stretch);
        outline.prune(node);
        readings_left -= 1;
        from = if octets == usize::MAX { ROOT } else { node };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said when so many octets are read at once, the options if they can be, and how many octets were read.
    fn read_by(piece_octets: usize, text: &str) -> (Vec<Diagnostic>, Option<Config>, usize) {
        let source = Source::new("c.yaml", text.into());
        let mut mistakes = Mistakes::new(&source);
        let mut outline = read_outline(&mut mistakes).expect(text);
        let mut octets = 0;
        let mut read = |text: &str| {
            octets += text.len();
            read_text(text)
        };
        let config = read_pieces(&mut outline, &mut mistakes, piece_octets, &mut read);
        (mistakes.into_sorted(), config, octets)
    }

    #[test]
    fn the_same_is_said_however_long_the_pieces_are() {
        let sections = [
            "server: {worker: 1, workers: many, identity: [x, {y: z}], udp-payload-size: {}}\n",
            "listen: [{adress: 127.0.0.1}, 10.0.0.1, {address: 127.0.0.1, transports: [udp, tpc, [tcp]]}, []]\n",
            "acls: [{name: lan, networks: [nowhere, 10.0.0.1/8, {}, 10.0.0.0/8, []]}, {name: []}, {}]\n",
            "zones: [{name: a..b, type: primray, file: f, fiel: f}, {type: stub, servers: [192.0.2.1@0, x]}]\n",
            "resolver: {never-query: [x], trust-anchors: [], negative-trust-anchors: [a..b], ipv6: perhaps}\n",
            "rate-limit: {responses: {per-second: -1, slip: 99999}, clients: {burst: 0, exempt: lan, x: {y: z}}}\n",
            "cache: lots\nlog: [{level: inf}]\naccess-log: {output: none}\nwhat: {is: [this]}\n",
            "access: {query: [any], recursion: any}\nviews: {a: [b]}\npolicy: []\ncontrol: {}\n",
        ];
        for text in sections.iter().map(|text| text.to_string()).chain([sections.concat(), "x".into()]) {
            let (whole, config, _) = read_by(usize::MAX, &text);
            assert!(!whole.is_empty() || text.starts_with("access"), "{text}");
            for piece_octets in [0, 1, 10, 40, 100, 300, limits::CONFIG_PIECE_OCTETS] {
                let by_pieces = read_by(piece_octets, &text);
                assert_eq!(
                    (by_pieces.0, by_pieces.1),
                    (whole.clone(), config.clone()),
                    "{piece_octets}: {text}"
                );
            }
        }
    }

    #[test]
    fn what_is_read_again_for_a_mistake_does_not_grow_with_the_file() {
        let bad = "- {name: a.example, type: primray, file: a}\n";
        let good = "- {name: a.example, type: primary, file: a}\n";
        let read = |mistakes: usize, length: usize| {
            let between = good.repeat(length / mistakes);
            let text = format!("zones:\n{}", format!("{bad}{between}").repeat(mistakes));
            let (said, _, octets) = read_by(limits::CONFIG_PIECE_OCTETS, &text);
            assert_eq!(said.len(), mistakes);
            octets
        };
        for length in [500, 2000] {
            let (one, many) = (read(1, length), read(50, length));
            // A piece ends behind the line that makes it too long.
            assert!(many < one + 50 * (limits::CONFIG_PIECE_OCTETS + 100), "{one} {many} of {length}");
        }
    }
}
