//! The state directory: where what must survive a restart has its place.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_128;

use crate::dns::NameRef;

/// Octets of the readable part of a file name. File systems take 255 in all.
const READABLE: usize = 180;

/// The state directory. It need not exist; it is made when something is first written.
#[derive(Debug, Clone)]
pub(super) struct State {
    folder: PathBuf,
}

impl State {
    pub(super) fn new(folder: PathBuf) -> State {
        State { folder }
    }

    /// The directory itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the journals.
    pub(super) fn journals(&self) -> PathBuf {
        self.folder.join("zones")
    }

    /// The journal of a zone.
    pub(super) fn journal(&self, apex: NameRef<'_>) -> PathBuf {
        self.journals().join(format!("{}.journal", file_stem(apex)))
    }
}

/// A zone's name as a file name: in lower case, without the final dot, the root as `@`. Octets that a file system or
/// shell may take for something else are `%XX`. What would be too long ends in a hash of the name.
fn file_stem(apex: NameRef<'_>) -> String {
    let mut stem = String::new();
    for label in apex.labels() {
        if !stem.is_empty() {
            stem.push('.');
        }
        for octet in label.iter().map(u8::to_ascii_lowercase) {
            match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => stem.push(octet.into()),
                _ => write!(stem, "%{octet:02X}").expect("a String takes all that is written"),
            }
        }
    }
    if stem.is_empty() {
        return "@".into();
    }
    if stem.len() > READABLE {
        let hash = XxHash3_128::oneshot(&apex.octets().to_ascii_lowercase());
        stem.truncate(READABLE);
        write!(stem, "~{hash:032x}").expect("a String takes all that is written");
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn every_zone_has_a_file_of_its_own() {
        let long = |end: &str| format!("{}.{}.{}.{end}.", "a".repeat(63), "b".repeat(63), "c".repeat(63));
        let stem = |name: &str| file_stem(name.parse::<Name>().unwrap().as_ref());
        for (name, want) in [
            (".", "@"),
            ("Example.ORG.", "example.org"),
            ("a\\.b.example.", "a%2Eb.example"),
            ("..%2f.", ""),
            ("0/25.2.0.192.in-addr.arpa.", "0%2F25.2.0.192.in-addr.arpa"),
            ("\\@.", "%40"),
            ("_tcp.x-y.", "_tcp.x-y"),
        ] {
            if !want.is_empty() {
                assert_eq!(stem(name), want);
            }
        }
        let (one, other) = (stem(&long("d")), stem(&long("e")));
        assert!(one != other && one.len() < 240 && one.starts_with("aaa"), "{one}");
    }
}
