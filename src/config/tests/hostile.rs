//! Files that mean harm, and files of chance: refused, quickly and in few words.

use std::path::Path;

use proptest::prelude::*;

use super::super::*;
use super::{GOOD, check, mistakes, read};
use crate::diagnostic::Diagnostic;
use crate::limits;

#[test]
fn what_has_no_place_in_the_file_ends_quickly() {
    let deep = limits::CONFIG_DEPTH;
    let nested = |depth| format!("views: {}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(!mistakes(&nested(deep)).contains("nested"));
    assert!(mistakes(&nested(deep + 1)).contains("nested more than 16 deep"));
    assert!(mistakes(&"- ".repeat(100_000)).contains("nested more than"));
    let bomb: String = (1..40).fold("a0: &a0 [x, x]\n".into(), |text, n| {
        let before = n - 1;
        format!("{text}a{n}: &a{n} [*a{before}, *a{before}]\n")
    });
    assert!(mistakes(&bomb).contains("anchors (`&name`) cannot be used"), "{}", mistakes(&bomb));
    check("server: &s {workers: 1}", "1:9 anchors (`&name`) cannot be used in this file");
    check("log: {level: !x info}", "1:14 tags (`!name`) cannot be used in this file");
    check("---\nlog:\n---\nlog:\n", "3:1 a second document (`---`) cannot be used in this file");
}

#[test]
fn what_is_said_has_an_end_too() {
    let is_noted = |found: &[Diagnostic]| found.last().is_some_and(|last| last.notes.len() == 1);
    let keys = |count: usize| (0..count).map(|n| format!("key{n}: 1\n")).collect::<String>();
    let found = read(&keys(limits::CONFIG_ERRORS - 1)).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (limits::CONFIG_ERRORS - 1, false));
    let found = read(&keys(500)).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (limits::CONFIG_ERRORS, true));

    // A file as long as all further readings together is read once, and once more.
    let long = keys(5) + &"#".repeat(limits::CONFIG_REREAD_OCTETS);
    let found = read(&long).expect_err("unknown keys");
    assert_eq!((found.len(), is_noted(&found)), (1, true));

    let wide = format!("log: {}", "x".repeat(100_000));
    let found = read(&wide).expect_err("no options");
    assert_eq!(found[0].message.len(), limits::CONFIG_SHOWN);
    assert_eq!(found[0].place.as_ref().map(|place| place.source_line.len()), Some(limits::CONFIG_SHOWN));
    let found = read(&"\u{feff}".repeat(10_000)).expect_err("no options");
    assert!(found.iter().all(|mistake| mistake.message.chars().count() <= limits::CONFIG_SHOWN), "{found:?}");
    assert_eq!(mistakes("log: \"\\e[2J\"\n").matches('\u{1b}').count(), 0);
}

#[test]
fn octets_that_are_no_text_are_pointed_at() {
    let found = Config::parse("c", b"a: 1\nb: \xff\n".to_vec()).expect_err("not UTF-8");
    assert_eq!(found[0].to_string(), "c:2:4: octet 0xff is not UTF-8; save the file as UTF-8");
}

#[test]
fn only_a_regular_file_of_some_size_is_read() {
    let folder = std::env::temp_dir().join(format!("namu-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for this test");
    let said = |path: &Path| Config::read(path).expect_err("refused")[0].to_string();
    assert!(said(&folder).ends_with("it is not a regular file"));
    assert!(said(Path::new("/dev/zero")).ends_with("it is not a regular file"));
    assert!(said(&folder.join("missing")).starts_with("cannot read the configuration"));

    let path = folder.join("config.yaml");
    std::fs::File::create(&path)
        .and_then(|file| file.set_len(limits::CONFIG_OCTETS + 1))
        .expect("a sparse file");
    assert!(said(&path).ends_with("it has more than 16 MiB"));
    std::fs::write(&path, "server: {directory: data}").expect("a small file");
    assert_eq!(Config::read(&path).expect("good").server.directory, folder.join("data"));
    std::fs::write(&path, "").expect("an empty file");
    assert_eq!(Config::read(&path).expect("good").resolve(Path::new("z")), folder.join("z"));
    std::fs::remove_dir_all(&folder).expect("our own folder");
}

#[test]
fn mutated_files_are_read_or_refused() {
    let mut refused = 0;
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..200 {
        let mut octets = GOOD.as_bytes().to_vec();
        for _ in 0..1 + random(3) {
            let at = random(octets.len());
            match random(4) {
                0 => octets[at] = b":-[]{}#&*!|>'\"%@` \n\t0az\xc3"[random(24)],
                1 => drop(octets.remove(at)),
                2 => octets.truncate(at.max(1)),
                _ => {
                    let line: Vec<u8> =
                        octets[at..].iter().copied().take_while(|octet| *octet != b'\n').collect();
                    octets.splice(at..at, line);
                }
            }
        }
        if let Err(mistakes) = Config::parse("m", octets) {
            assert!(!mistakes.is_empty());
            mistakes.iter().for_each(|mistake| drop(mistake.render(false)));
            refused += 1;
        }
    }
    assert!((50..200).contains(&refused), "{refused} of 200 refused");
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_fail(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Config::parse("p", octets);
    }

    #[test]
    fn no_yaml_makes_the_reader_fail(
        text in r#"([ \n\t\-:,\[\]{}#&*!|>'"%@`?~0-9a]|\n  |: |- |zones|cache|size|[\u{80}-\u{3000}]){0,120}"#
    ) {
        if let Err(mistakes) = Config::parse("p", text.into()) {
            prop_assert!(!mistakes.is_empty() && mistakes.len() <= limits::CONFIG_ERRORS);
            mistakes.iter().for_each(|mistake| drop(mistake.render(false)));
        }
    }
}
