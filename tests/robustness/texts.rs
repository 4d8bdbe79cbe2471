//! Texts as an operator may write them: read, or refused with places that can be shown.

use namu::config::Config;
use namu::diagnostic::Diagnostic;
use namu::dns::{NameRef, rdata};
use namu::limits::{CONFIG_ERRORS, CONFIG_SHOWN, ZONEFILE_ERRORS};
use namu::zonefile::{Files, NoIncludes, guess_origin, parse};
use proptest::prelude::*;

use crate::corpus;

/// Reads a zone file; how many records there are, or how many errors.
fn read_zone(octets: &[u8]) -> Result<usize, usize> {
    guess_origin(octets);
    let mut files = Files::new("zone", octets.to_vec());
    let mut records = Vec::new();
    let read = parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
        assert_eq!(rdata::check(record.rr_type, record.rdata), Ok(()));
        assert!(!record.rr_type.is_meta());
        records.push(record.mark);
    });
    records.iter().for_each(|mark| assert!(files.place(*mark).line > 0));
    match read {
        Ok(warnings) => {
            assert!(warnings.len() <= ZONEFILE_ERRORS);
            shown(&warnings);
            Ok(records.len())
        }
        Err(mistakes) => {
            assert!((1..=2 * ZONEFILE_ERRORS).contains(&mistakes.len()));
            shown(&mistakes);
            Err(mistakes.len())
        }
    }
}

/// Reads a configuration; whether there was no mistake.
fn read_config(octets: &[u8]) -> bool {
    match Config::parse("config", octets.to_vec()) {
        Ok(_) => true,
        Err(mistakes) => {
            assert!((1..=CONFIG_ERRORS).contains(&mistakes.len()));
            for mistake in &mistakes {
                let length = mistake.message.chars().count();
                assert!(length <= CONFIG_SHOWN, "a message of {length} characters");
            }
            shown(&mistakes);
            false
        }
    }
}

/// What is said of a mistake reaches a terminal, and must not be able to command it.
fn shown(mistakes: &[Diagnostic]) {
    for mistake in mistakes {
        let line = mistake.to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        let page = mistake.render(false);
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
    }
}

#[test]
fn the_texts_of_the_corpus_are_what_they_say() {
    for (name, octets) in corpus::texts("zones") {
        assert!(read_zone(&octets).is_ok_and(|records| records > 5), "{name}");
    }
    for (name, octets) in corpus::texts("configs") {
        assert_eq!(read_config(&octets), name != "wrong.yaml", "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_are_a_zone_file_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_zone(&octets);
    }

    #[test]
    fn changed_zone_files_are_read_or_refused(octets in corpus::mutated(corpus::texts("zones"), 6)) {
        let _ = read_zone(&octets);
    }

    #[test]
    fn lines_of_what_zone_files_are_made_of_are_read_or_refused(text in zone_words()) {
        let _ = read_zone(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_are_a_configuration_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        read_config(&octets);
    }

    #[test]
    fn changed_configurations_are_read_or_refused(octets in corpus::mutated(corpus::texts("configs"), 4)) {
        read_config(&octets);
    }
}

fn zone_words() -> impl Strategy<Value = String> {
    let words = [
        "$ORIGIN",
        "$TTL",
        "$INCLUDE",
        "@",
        "a",
        "a.b.",
        "example.",
        "*",
        "\\",
        "\\046",
        "\\#",
        "(",
        ")",
        "\"",
        ";",
        "\n",
        "\n",
        "\n ",
        "IN",
        "CH",
        "60",
        "1h",
        "A",
        "192.0.2.1",
        "AAAA",
        "::1",
        "NS",
        "MX",
        "10",
        "TXT",
        "\"x y\"",
        "SOA",
        "RRSIG",
        "NSEC",
        "TYPE65280",
        "2",
        "0001",
        "SVCB",
        "1",
        "alpn=h2",
        "key9=\"",
        "LOC",
        "52",
        "N",
        "APL",
        "1:0.0.0.0/0",
        "DS",
        "AAAA==",
        "CLASS1",
        "\u{e9}",
        "\t",
        "\r",
    ];
    let word = (prop::sample::select(words.to_vec()), prop::sample::select(vec![" ", " ", "\t", ""]));
    prop::collection::vec(word, 0..60)
        .prop_map(|words| words.into_iter().flat_map(|(word, blank)| [word, blank]).collect())
}
