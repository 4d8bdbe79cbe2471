//! The valid inputs under `tests/corpus`, and what becomes of them when octets are changed.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// The messages of a folder: `queries` or `replies`.
pub fn messages(folder: &str) -> Vec<(String, Vec<u8>)> {
    files(folder)
        .into_iter()
        .map(|(name, octets)| (name, from_hex(&String::from_utf8(octets).unwrap())))
        .collect()
}

/// The texts of a folder: `zones` or `configs`.
pub fn texts(folder: &str) -> Vec<(String, Vec<u8>)> {
    files(folder)
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, Vec<u8>)> = paths
        .map(|path| (path.file_name().unwrap().to_string_lossy().into(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Hexadecimal digits and `"text"`; the rest of a line behind `#` is a comment.
fn from_hex(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for word in text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            Some(text) => octets.extend_from_slice(text.as_bytes()),
            None => octets.extend((0..word.len()).step_by(2).map(|at| {
                u8::from_str_radix(&word[at..at + 2], 16)
                    .unwrap_or_else(|_| panic!("{word} is not hexadecimal"))
            })),
        }
    }
    octets
}

/// One of the inputs with up to `most` changes.
pub fn mutated(inputs: Vec<(String, Vec<u8>)>, most: usize) -> impl Strategy<Value = Vec<u8>> {
    let inputs: Vec<Vec<u8>> = inputs.into_iter().map(|(_, octets)| octets).collect();
    (prop::sample::select(inputs), prop::collection::vec(change(), 1..=most)).prop_map(
        |(mut octets, changes)| {
            changes.into_iter().for_each(|change| change.apply(&mut octets));
            octets
        },
    )
}

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    Duplicate(Index, usize),
    /// Two octets that mean most where a count, a length, a type or a pointer stands.
    Number(Index, u16),
    Truncate(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    const NUMBERS: &[u16] = &[0, 1, 2, 41, 46, 250, 251, 255, 0x7fff, 0x8000, 0xc000, 0xc00c, 0xc00d, 0xffff];
    prop_oneof![
        4 => (at(), 1..=255u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, octets)| Change::Insert(at, octets)),
        2 => (at(), 1..8usize).prop_map(|(at, count)| Change::Delete(at, count)),
        2 => (at(), 1..40usize).prop_map(|(at, count)| Change::Duplicate(at, count)),
        3 => (at(), prop::sample::select(NUMBERS)).prop_map(|(at, number)| Change::Number(at, number)),
        1 => at().prop_map(Change::Truncate),
    ]
}

impl Change {
    fn apply(self, octets: &mut Vec<u8>) {
        let place = |at: Index| at.index(octets.len() + 1);
        match self {
            Change::Flip(at, bits) => {
                let at = place(at);
                octets.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= bits);
            }
            Change::Insert(at, new) => {
                let at = place(at);
                octets.splice(at..at, new);
            }
            Change::Delete(at, count) => {
                let at = place(at);
                octets.drain(at..(at + count).min(octets.len()));
            }
            Change::Duplicate(at, count) => {
                let at = place(at);
                let twice = octets[at..(at + count).min(octets.len())].to_vec();
                octets.splice(at..at, twice);
            }
            Change::Number(at, number) => {
                let at = place(at);
                let pairs = octets.iter_mut().skip(at).zip(number.to_be_bytes());
                pairs.for_each(|(octet, new)| *octet = new);
            }
            Change::Truncate(at) => octets.truncate(place(at)),
        }
    }
}
