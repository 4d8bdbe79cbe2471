//! `$INCLUDE`: files in a file.

use std::collections::HashMap;

use super::super::*;
use super::read_with;
use crate::limits;

/// Included files by path; a path in a list of none is missing.
struct Shelf(HashMap<&'static str, String>);

impl Includes for Shelf {
    fn open(&self, path: &str, _includer: &str) -> Result<Included, String> {
        let text = self.0.get(path).ok_or("no such file")?;
        Ok(Included { name: path.into(), octets: text.clone().into_bytes() })
    }
}

#[test]
fn included_files_read_like_text_in_place_and_leave_no_trace() {
    let shelf = Shelf(HashMap::from([
        ("sub.zone", "$TTL 9\n TXT same-owner\n@ TXT apex\n$ORIGIN x.\ny TXT z\n".to_owned()),
        ("odd name", "q TXT q\n".to_owned()),
    ]));
    let text = "$TTL 5\na TXT a\n$INCLUDE sub.zone sub\n TXT b\nc TXT c\n$include \"odd name\" ; no origin\n";
    let (records, said) = read_with(text.as_bytes(), &shelf);
    assert_eq!(said, Ok(vec![]));
    assert_eq!(
        records,
        [
            "a.example. 5 IN TXT \"a\"",
            "a.example. 9 IN TXT \"same-owner\"",
            "sub.example. 9 IN TXT \"apex\"",
            "y.x. 9 IN TXT \"z\"",
            "a.example. 5 IN TXT \"b\"",
            "c.example. 5 IN TXT \"c\"",
            "q.example. 5 IN TXT \"q\"",
        ]
    );
}

#[test]
fn a_mistake_in_an_included_file_tells_the_way_there() {
    let shelf = Shelf(HashMap::from([
        ("one", "\n$INCLUDE two\n".to_owned()),
        ("two", "; two\na 1 A x\n$INCLUDE gone\n$INCLUDE one\n".to_owned()),
    ]));
    let errors = read_with(b"$INCLUDE one\n", &shelf).1.unwrap_err();
    let shown: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert!(shown[0].starts_with("two:2:7: `x` is not an IPv4 address"), "{shown:?}");
    assert_eq!(
        shown[1..],
        ["two:3:10: cannot include `gone`: no such file", "two:4:10: one includes itself"]
    );
    for error in &errors {
        assert_eq!(error.notes, ["included from one:2", "included from a.zone:1"]);
    }
}

#[test]
fn inclusion_has_a_depth() {
    /// Every file includes the next.
    struct Endless;
    impl Includes for Endless {
        fn open(&self, path: &str, _includer: &str) -> Result<Included, String> {
            let next = path.parse::<usize>().unwrap() + 1;
            Ok(Included {
                name: path.into(),
                octets: format!("a 1 TXT {path}\n$INCLUDE {next}\n").into_bytes(),
            })
        }
    }
    let (records, said) = read_with(b"$INCLUDE 1\n", &Endless);
    assert_eq!(records.len(), limits::ZONEFILE_INCLUDES);
    let errors = said.unwrap_err();
    assert_eq!(errors[0].to_string(), "8:2:10: $INCLUDE is nested more than 8 deep");
    assert_eq!(errors[0].notes.len(), limits::ZONEFILE_INCLUDES);
}

#[test]
fn inclusions_are_counted() {
    let shelf = Shelf(HashMap::from([("empty", String::new())]));
    let text = "$INCLUDE empty\n".repeat(limits::ZONEFILE_FILES);
    let errors = read_with(text.as_bytes(), &shelf).1.unwrap_err();
    assert_eq!(errors.len(), 1);
    // The zone file itself is one of them.
    assert_eq!(errors[0].place.as_ref().unwrap().line, limits::ZONEFILE_FILES);
    assert_eq!(read_with(&text.as_bytes()[15..], &shelf).1, Ok(vec![]));
}
