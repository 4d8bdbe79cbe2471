//! The house rules, read from the sources. A violation names its file, line and rule.

use std::fs;
use std::path::{Path, PathBuf};

use Imports::{Below, Only};

/// Which rooms a room may import.
#[derive(Clone, Copy)]
enum Imports {
    /// These, and from floor 1 on the nouns.
    Only(&'static [&'static str]),
    /// Every room on a lower floor.
    Below,
}

/// The rooms below this floor are the nouns, which every room from here on may import.
const FIRST_FLOOR: u32 = 10;

/// Every room: its floor, and what it may import. The types of events live in `observe`, where every room that has
/// something to tell may import them. The floors of validator and recursion stand between those of the engines
/// and of service.
const ROOMS: &[(&str, u32, Imports)] = &[
    ("dns", 0, Only(&[])),
    ("clock", 0, Only(&[])),
    ("limits", 0, Only(&[])),
    ("diagnostic", 0, Only(&[])),
    ("options", 5, Only(&["dns", "limits", "diagnostic"])),
    ("wire", 10, Only(&[])),
    ("zonefile", 10, Only(&[])),
    ("dnssec", 10, Only(&[])),
    ("zone", 20, Only(&["wire", "zonefile", "dnssec"])),
    ("cache", 20, Only(&["dnssec"])),
    ("observe", 20, Only(&[])),
    ("authority", 30, Only(&["dnssec", "zone", "observe"])),
    ("transfer", 30, Only(&["wire", "dnssec", "zone", "observe"])),
    ("update", 30, Only(&["wire", "zone", "observe"])),
    ("signer", 30, Only(&["dnssec", "zone", "observe"])),
    ("catalog", 30, Only(&["zone", "observe"])),
    ("policy", 30, Only(&["wire", "zone", "observe"])),
    ("resolver", 30, Only(&["wire", "cache", "observe"])),
    ("validator", 33, Only(&["dnssec", "cache", "resolver", "observe"])),
    ("recursion", 36, Only(&["cache", "resolver", "validator", "observe"])),
    ("service", 40, Below),
    ("net", 50, Below),
    ("config", 60, Below),
    ("daemon", 70, Below),
    ("control", 80, Only(&["daemon", "config", "observe"])),
    ("cli", 90, Only(&["daemon", "config", "observe", "control", "zonefile", "zone", "wire", "dnssec"])),
];

/// Where each package may be named: a room, or one file. Tests may name any.
const PACKAGES: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["diagnostic/mod.rs"]),
    ("aws_lc_rs", &["dnssec/"]),
    ("arc_swap", &["service/", "net/", "daemon/"]),
    ("bytes", &["resolver/", "recursion/", "service/", "net/"]),
    ("clap", &["cli/"]),
    ("futures_util", &["resolver/", "validator/", "recursion/", "service/", "net/", "daemon/"]),
    ("hickory_proto", &["dns/hickory.rs", "dnssec/", "wire/tsig.rs", "update/", "cli/query.rs"]),
    ("ipnet", &["options.rs", "policy/", "config/", "resolver/"]),
    ("libc", &["net/sys/"]),
    ("moka", &["cache/"]),
    ("notify", &["daemon/watch.rs"]),
    ("rand", &["net/"]),
    ("rsa", &["dnssec/small_rsa.rs"]),
    ("saphyr_parser", &["config/"]),
    ("sd_notify", &["net/", "daemon/"]),
    (
        "serde",
        &[
            "diagnostic/json.rs",
            "options.rs",
            "policy/",
            "config/",
            "control/",
            "daemon/command.rs",
            "daemon/report.rs",
            "cli/control.rs",
        ],
    ),
    ("serde_json", &["diagnostic/", "control/", "cli/"]),
    ("serde_yaml", &["config/file.rs"]),
    ("sha1", &["dnssec/nsec3.rs"]),
    ("siphasher", &["policy/"]),
    ("smallvec", &["dns/", "zone/"]),
    ("socket2", &["net/"]),
    ("strsim", &["diagnostic/mod.rs"]),
    ("tokio", &["recursion/", "service/", "net/", "daemon/", "control/", "cli/"]),
    ("tracing", &["net/", "daemon/", "control/", "cli/"]),
    ("twox_hash", &["zone/", "daemon/"]),
    ("tracing_subscriber", &["daemon/", "cli/"]),
];
/// Rooms without a runtime take from tokio its channels only.
const TOKIO_CHANNELS_ONLY: &[&str] = &["recursion/", "service/"];

/// Tables: one entry after another reads well at any length.
const LONG_FILES: &[&str] = &["dns/types.rs", "dns/rdata_table.rs", "limits.rs"];
const LINES_BEFORE_TESTS: usize = 500;
const CLOCK_READERS: &[&str] = &["net/clock.rs", "cli/"];
const UNSAFE_ROOM: &str = "net/sys/";

/// One file under `src/`.
struct Source {
    /// With slashes, relative to `src/`.
    path: String,
    text: String,
    tokens: Vec<Token>,
    /// The tokens outside `#[cfg(test)]`.
    code: Vec<Token>,
}

#[derive(Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let tokens = tokens(text);
        let code = if is_test(path) { Vec::new() } else { without_tests(&tokens) };
        Source { path: path.to_owned(), text: text.to_owned(), tokens, code }
    }

    fn violation(&self, line: usize, rule: impl std::fmt::Display) -> String {
        format!("src/{}:{line}: {rule}", self.path)
    }

    /// The room the file belongs to, none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        match self.path.as_str() {
            "lib.rs" | "main.rs" => None,
            path => path.split('/').next().map(|first| first.trim_end_matches(".rs")),
        }
    }

    /// How many `super::` lead from the file's module to the crate.
    fn depth(&self) -> usize {
        self.path.split('/').count() - usize::from(self.path.ends_with("mod.rs"))
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places
            .iter()
            .any(|place| self.path == *place || (place.ends_with('/') && self.path.starts_with(place)))
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Words and punctuation; comments are left out and literals stand as `""`. `::` is one token.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let at = |place: usize| characters.get(place).copied().unwrap_or('\0');
    let (mut found, mut line, mut here) = (Vec::new(), 1, 0);
    while here < characters.len() {
        let start = here;
        let token = match at(here) {
            '/' if at(here + 1) == '/' => {
                while here < characters.len() && at(here) != '\n' {
                    here += 1;
                }
                None
            }
            '/' if at(here + 1) == '*' => {
                here = end_of_comment(&characters, here);
                None
            }
            '"' => {
                here = end_of_string(&characters, here);
                Some("\"\"".to_owned())
            }
            '\'' if at(here + 1) == '\\' || at(here + 2) == '\'' => {
                // The second quote of '\'' is the one that is escaped.
                here += if at(here + 1) == '\\' { 3 } else { 2 };
                while at(here) != '\'' && here < characters.len() {
                    here += 1;
                }
                here += 1;
                Some("\"\"".to_owned())
            }
            'r' | 'b' | 'c' if raw_hashes(&characters, here).is_some() => {
                let (open, hashes) = raw_hashes(&characters, here).expect("the guard saw it");
                here = open + 1;
                let closes =
                    |place: usize| at(place) == '"' && (1..=hashes).all(|more| at(place + more) == '#');
                while here < characters.len() && !closes(here) {
                    here += 1;
                }
                here += 1 + hashes;
                Some("\"\"".to_owned())
            }
            character if is_word(character) => {
                while is_word(at(here)) {
                    here += 1;
                }
                Some(characters[start..here].iter().collect())
            }
            ':' if at(here + 1) == ':' => {
                here += 2;
                Some("::".to_owned())
            }
            character => {
                here += 1;
                (!character.is_whitespace()).then(|| character.to_string())
            }
        };
        if let Some(text) = token {
            found.push(Token { text, line });
        }
        let passed = &characters[start..here.min(characters.len())];
        line += passed.iter().filter(|character| **character == '\n').count();
    }
    found
}

fn end_of_comment(characters: &[char], start: usize) -> usize {
    let (mut depth, mut here) = (0, start);
    while here < characters.len() {
        match (characters[here], characters.get(here + 1)) {
            ('/', Some('*')) => (depth, here) = (depth + 1, here + 2),
            ('*', Some('/')) => (depth, here) = (depth - 1, here + 2),
            _ => here += 1,
        }
        if depth == 0 {
            break;
        }
    }
    here
}

fn end_of_string(characters: &[char], start: usize) -> usize {
    let mut here = start + 1;
    while here < characters.len() && characters[here] != '"' {
        here += if characters[here] == '\\' { 2 } else { 1 };
    }
    here + 1
}

/// `r"`, `r#"`, `br##"`: where the quote stands and how many `#` come before it.
fn raw_hashes(characters: &[char], start: usize) -> Option<(usize, usize)> {
    let mut here = start + usize::from(matches!(characters[start], 'b' | 'c'));
    if characters.get(here) != Some(&'r') {
        return None;
    }
    here += 1;
    let hashes = characters[here..].iter().take_while(|character| **character == '#').count();
    (characters.get(here + hashes) == Some(&'"')).then_some((here + hashes, hashes))
}

fn starts_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut code, mut here) = (Vec::new(), 0);
    while here < tokens.len() {
        if starts_with(&tokens[here..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            here = end_of_item(tokens, here + 7);
        } else {
            code.push(tokens[here].clone());
            here += 1;
        }
    }
    code
}

/// Behind the `;` or the closing brace of the item that begins here.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(token.text.as_str(), ";" | "}") {
            return place + 1;
        }
    }
    tokens.len()
}

/// The rooms that the code names, by `crate::room`, `crate::{room, ..}` or as many `super::` as lead there.
fn rooms_named(source: &Source) -> Vec<Token> {
    let (code, mut rooms) = (&source.code, Vec::new());
    for (place, token) in code.iter().enumerate() {
        let is_path_start = place == 0 || code[place - 1].text != "::" || token.text == "crate";
        let behind = match token.text.as_str() {
            "crate" => place + 1,
            "super" if is_path_start => {
                let supers = 1 + code[place + 1..]
                    .chunks(2)
                    .take_while(|pair| starts_with(pair, &["::", "super"]))
                    .count();
                if supers < source.depth() {
                    continue;
                }
                place + 2 * supers - 1
            }
            _ => continue,
        };
        match code.get(behind..) {
            Some(rest) if starts_with(rest, &["::", "{"]) => rooms.extend(group_heads(&rest[2..])),
            Some(rest) if starts_with(rest, &["::"]) => rooms.extend(rest.get(1).cloned()),
            _ => {}
        }
    }
    rooms
}

/// The first word of each member of a `{..}` whose brace was passed.
fn group_heads(tokens: &[Token]) -> Vec<Token> {
    let (mut heads, mut depth, mut is_head) = (Vec::new(), 0, true);
    for token in tokens {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," if depth == 0 => is_head = true,
            _ if is_head && depth == 0 => {
                heads.push(token.clone());
                is_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn check_imports(source: &Source) -> Vec<String> {
    let entry = |name: &str| ROOMS.iter().find(|(room, ..)| *room == name);
    let Some(room) = source.room() else {
        let foreign =
            source.code.windows(3).filter(|w| starts_with(w, &["namu", "::"]) && w[2].text != "cli");
        return foreign.map(|w| source.violation(w[0].line, "the binary knows the room cli only")).collect();
    };
    let Some((_, floor, imports)) = entry(room) else {
        return vec![source.violation(1, format!("room {room} has no entry in ROOMS"))];
    };
    let forbidden = rooms_named(source).into_iter().filter(|named| {
        let Some((other, other_floor, _)) = entry(&named.text).filter(|(other, ..)| *other != room) else {
            return false;
        };
        let is_listed = match imports {
            Only(rooms) => rooms.contains(other) || (*floor >= FIRST_FLOOR && *other_floor < FIRST_FLOOR),
            Below => true,
        };
        !(is_listed && other_floor < floor)
    });
    forbidden
        .map(|named| source.violation(named.line, format!("{room} may not import {}", named.text)))
        .collect()
}

fn check_packages(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (place, token) in source.code.iter().enumerate() {
        let Some((package, places)) = PACKAGES.iter().find(|(package, _)| *package == token.text) else {
            continue;
        };
        let before = place.checked_sub(1).map_or("", |before| source.code[before].text.as_str());
        let rest = &source.code[place + 1..];
        let is_path = starts_with(rest, &["::"]) || (before == "use" && !starts_with(rest, &["::"]));
        if !is_path || matches!(before, "::" | ".") {
            continue;
        }
        if !source.is_in(places) {
            found.push(
                source.violation(token.line, format!("{package} may be named only in {}", places.join(", "))),
            );
        } else if *package == "tokio"
            && source.is_in(TOKIO_CHANNELS_ONLY)
            && !starts_with(rest, &["::", "sync"])
        {
            found.push(source.violation(token.line, "only tokio::sync may be named here"));
        }
    }
    found
}

/// Whether a file holds nothing but tests.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs") || path.contains("/tests/")
}

/// RFC 8914: SERVFAIL without a reason helps nobody. Whoever makes one says why, in these files and in no other.
const MAKERS_OF_SERVFAIL: &[&str] = &[
    "recursion/cached.rs",
    "recursion/flight.rs",
    "recursion/resolved.rs",
    "recursion/sentinel.rs",
    "service/begin.rs",
    "service/route.rs",
    "service/transfer.rs",
    "daemon/explain.rs",
];

fn check_servfail(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (place, _) in
        source.code.windows(3).enumerate().filter(|(_, w)| starts_with(w, &["Rcode", "::", "SERVFAIL"]))
    {
        let line = source.code[place].line;
        let before = &source.code[place.saturating_sub(2)..place];
        if starts_with(before, &["empty", "("]) {
            found.push(source.violation(line, "SERVFAIL without an extended error"));
        } else if !source.is_in(MAKERS_OF_SERVFAIL) {
            found.push(
                source.violation(line, "SERVFAIL is made here: look whether it says why, and add the file"),
            );
        }
    }
    found
}

fn check_card(source: &Source) -> Vec<String> {
    if !source.path.ends_with("/mod.rs") || is_test(&source.path) {
        return Vec::new();
    }
    let card: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let card = card.join("\n");
    let missing = ["//! ", "Given:", "Must not know:"].into_iter().filter(|part| !card.contains(part));
    missing.map(|part| source.violation(1, format!("the room card lacks `{}`", part.trim()))).collect()
}

fn check_length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if lines <= LINES_BEFORE_TESTS || source.is_in(LONG_FILES) || is_test(&source.path) {
        return Vec::new();
    }
    vec![source.violation(
        lines,
        format!("{lines} lines before the tests, more than {LINES_BEFORE_TESTS}: two subjects?"),
    )]
}

fn check_unsafe(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for token in source.tokens.iter().filter(|token| token.text == "unsafe") {
        if !source.is_in(&[UNSAFE_ROOM]) {
            found.push(source.violation(token.line, "unsafe outside net/sys"));
        } else if !has_reason(&lines[..token.line - 1]) {
            found.push(source.violation(token.line, "unsafe without a `SAFETY:` above it"));
        }
    }
    found
}

/// Whether the comment above names the reason: going up over the statement's own lines, comments and attributes.
fn has_reason(lines_above: &[&str]) -> bool {
    for line in lines_above.iter().rev().map(|line| line.trim()) {
        if line.starts_with("//") {
            if line.contains("SAFETY:") || line.contains("# Safety") {
                return true;
            }
        } else if line.is_empty() || line.ends_with([';', '{', '}']) {
            return false;
        }
    }
    false
}

fn check_clocks(source: &Source) -> Vec<String> {
    if source.is_in(CLOCK_READERS) {
        return Vec::new();
    }
    let reads = |window: &&[Token]| {
        starts_with(window, &["Instant", "::", "now"])
            || starts_with(window, &["SystemTime", "::", "now"])
            || starts_with(window, &[".", "elapsed", "("])
    };
    source
        .code
        .windows(3)
        .filter(reads)
        .map(|w| source.violation(w[0].line, "a clock is read here"))
        .collect()
}

/// Of any text in the repository: what is not finished, and what belongs to one machine.
fn check_text(path: &str, text: &str) -> Vec<String> {
    let unfinished = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
    ];
    let machine = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/")];
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in unfinished.iter().filter(|word| line.contains(**word)) {
            found.push(format!("{path}:{}: `{word}`: finish it or take it out", number + 1));
        }
        for word in machine.iter().filter(|word| line.contains(**word)) {
            found.push(format!("{path}:{}: `{word}`: a path of one machine", number + 1));
        }
    }
    found
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

fn relative(path: &Path, folder: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap().components();
    parts.map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/")
}

fn sources() -> Vec<Source> {
    let folder = repository().join("src");
    let paths =
        files_under(&folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    paths.map(|path| Source::new(&relative(&path, &folder), &fs::read_to_string(&path).unwrap())).collect()
}

fn assert_all(check: fn(&Source) -> Vec<String>) {
    let found: Vec<String> = sources().iter().flat_map(check).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn rooms_import_only_what_their_cards_allow() {
    assert_all(check_imports);
}

#[test]
fn packages_are_named_only_where_they_belong() {
    assert_all(check_packages);
}

#[test]
fn every_package_has_a_place() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    for line in section.lines() {
        if let Some((name, _)) = line.split_once([' ', '=', '.']) {
            let name = name.replace('-', "_");
            assert!(PACKAGES.iter().any(|(package, _)| *package == name), "{name} is not in PACKAGES");
        }
    }
}

#[test]
fn every_room_has_a_card() {
    assert_all(check_card);
}

#[test]
fn files_are_short() {
    assert_all(check_length);
}

#[test]
fn unsafe_stays_in_its_room_and_gives_reasons() {
    assert_all(check_unsafe);
}

#[test]
fn every_servfail_says_why() {
    assert_all(check_servfail);
}

#[test]
fn clocks_are_read_in_one_place() {
    assert_all(check_clocks);
}

#[test]
fn nothing_is_unfinished_and_nothing_names_one_machine() {
    let mut found = Vec::new();
    let top = fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = top.filter(|path| path.is_file()).collect();
    for folder in ["src", "tests", "benches", "zones", "systemd", ".ci"] {
        paths.extend(files_under(&repository().join(folder)));
    }
    for path in paths {
        // What is no text holds none of these words.
        if let Ok(text) = fs::read_to_string(&path) {
            found.extend(check_text(&relative(&path, repository()), &text));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The lines a check complains of in a planted file.
fn lines(check: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<usize> {
    let found = check(&Source::new(path, text));
    found.iter().map(|violation| violation.split(':').nth(1).unwrap().parse().unwrap()).collect()
}

#[test]
fn the_checks_find_what_is_planted() {
    type Planted = (fn(&Source) -> Vec<String>, &'static str, &'static str, &'static [usize]);
    let planted: &[Planted] = &[
        (check_imports, "wire/x.rs", "use crate::dns::Name;\nuse crate::zone::Zone;", &[2]),
        (
            check_imports,
            "zone/x.rs",
            "use crate::{\n    dns::{Name, Rrset},\n    cache::Cache,\n    wire,\n};",
            &[3],
        ),
        (check_imports, "zone/x.rs", "fn f() -> super::super::service::Begin {}", &[1]),
        (check_imports, "zone/mod.rs", "use super::{limits,\n net};", &[2]),
        (check_imports, "zone/x.rs", "use super::node::Node; use super::cache::Mine;", &[]),
        (check_imports, "dns/x.rs", "use crate::limits::UDP_BATCH;", &[1]),
        (check_imports, "options.rs", "use crate::dns::Ttl; use super::limits;\nuse crate::wire;", &[2]),
        (
            check_imports,
            "recursion/x.rs",
            "use crate::validator; use crate::resolver; use crate::service;",
            &[1],
        ),
        (check_imports, "validator/x.rs", "use crate::recursion;", &[1]),
        (check_imports, "net/udp.rs", "use crate::service::begin; use crate::config::Config;", &[1]),
        (check_imports, "cli/run.rs", "use crate::daemon; use crate::net;", &[1]),
        (check_imports, "main.rs", "fn main() {\n namu::net::serve();\n namu::cli::run() }", &[2]),
        (check_imports, "cellar/mod.rs", "", &[1]),
        (
            check_imports,
            "wire/x.rs",
            "// crate::zone\n/* crate::zone /* */ crate::zone */ const A: &str = \"crate::zone\";",
            &[],
        ),
        (
            check_imports,
            "wire/x.rs",
            "const A: &str = r#\"\" \"#; const B: char = '\"';\nuse crate::zone::Zone;",
            &[2],
        ),
        (
            check_imports,
            "wire/x.rs",
            "#[cfg(test)]\nmod tests { use crate::zone::Zone; }\nuse crate::zone;",
            &[3],
        ),
        (
            check_imports,
            "wire/x.rs",
            "#[cfg(test)]\nuse crate::zone::Zone;\nfn f<'a>(x: &'a u8) {}\nuse crate::zone;",
            &[4],
        ),
        (check_packages, "cache/x.rs", "use moka::sync::Cache;\nuse tokio::sync::mpsc;", &[2]),
        (check_packages, "service/x.rs", "use tokio::sync::mpsc;\nuse tokio::net::UdpSocket;", &[2]),
        (
            check_packages,
            "config/check.rs",
            "fn f() { serde_yaml::from_str(); let bytes = 1; x.bytes(); }",
            &[1],
        ),
        (
            check_packages,
            "wire/writer.rs",
            "use hickory_proto;\n#[cfg(test)]\nmod tests { use hickory_proto::op; }",
            &[1],
        ),
        (check_packages, "net/socket.rs", "use libc::recvmmsg;", &[1]),
        (check_card, "wire/mod.rs", "//! Octets.\n//!\n//! Given: octets. Must not know: zones.", &[]),
        (check_card, "wire/mod.rs", "//! Octets.\n//!\n//! Given: octets.", &[1]),
        (check_card, "net/sys/mod.rs", "pub mod batch;", &[1, 1, 1]),
        (check_unsafe, "net/sys/batch.rs", "// SAFETY: it is.\nlet a =\n    unsafe { f() };", &[]),
        (
            check_unsafe,
            "net/sys/batch.rs",
            "// SAFETY: it is.\nlet a = unsafe { f() };\nlet b = unsafe { f() };",
            &[3],
        ),
        (check_unsafe, "net/udp.rs", "#![allow(unsafe_code)]\n// SAFETY: it is.\nunsafe { f() }", &[3]),
        (check_clocks, "net/clock.rs", "Instant::now()", &[]),
        (check_servfail, "service/route.rs", "Answer::empty(Rcode::SERVFAIL)", &[1]),
        (check_servfail, "service/route.rs", "Answer::failure(Rcode::SERVFAIL, error)", &[]),
        (check_servfail, "net/x.rs", "\nlet rcode = Rcode::SERVFAIL;", &[2]),
        (
            check_clocks,
            "net/udp.rs",
            "std::time::Instant::now();\nSystemTime::now();\nstart.elapsed();",
            &[1, 2, 3],
        ),
    ];
    for (check, path, text, want) in planted {
        assert_eq!(lines(*check, path, text), *want, "{path}: {text}");
    }
    let long = "x\n".repeat(LINES_BEFORE_TESTS + 1);
    assert_eq!(lines(check_length, "wire/x.rs", &long), [LINES_BEFORE_TESTS + 1]);
    assert_eq!(lines(check_length, "dns/types.rs", &long), []);
    let short = format!("{}#[cfg(test)]\n{long}", "x\n".repeat(LINES_BEFORE_TESTS));
    assert_eq!(lines(check_length, "wire/x.rs", &short), []);
    let text = concat!("fine\n// TO", "DO later\n#[ig", "nore]\nto", "do!()\n/ho", "me/someone/x\n");
    assert_eq!(check_text("README.md", text).len(), 4);
}
