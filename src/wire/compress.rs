//! Names out: a suffix that was written before becomes a pointer to it (RFC 1035 4.1.4).

use crate::dns::NameRef;
use crate::dns::name::MAX_LABELS;
use crate::limits;

/// Pointers reach no further than fourteen bits.
const REACH: usize = 0x4000;

/// Lists of suffixes by hash; twice what a large response has.
const LISTS: usize = 256;
/// The end of a list. More suffixes than this are not remembered: 120 names have at most 127 labels each.
const END: u16 = u16::MAX;
const _: () = assert!(limits::COMPRESSION_NAMES * MAX_LABELS < END as usize);

/// Remembers where suffixes stand in the message being written. Kept from message to message, so that a
/// warm writer allocates nothing.
///
/// Invariants: each suffix is in the list of its hash, the latest first, so that the latest are also the first to be
/// forgotten; all lists together are `suffixes`.
#[derive(Debug)]
pub struct Compressor {
    /// The latest suffix of each list.
    lists: [u16; LISTS],
    suffixes: Vec<Suffix>,
    /// Those of the name at hand.
    labels: Vec<Label>,
    /// Where the name asked for stands: most names written are that one, and are not looked for among the suffixes.
    asked: Option<u16>,
    /// The suffixes of that name are among those remembered.
    knows_asked: bool,
    names: usize,
    /// Labels hashed for this message.
    hashed: usize,
    /// Two suffixes had one hash. By chance that happens once in millions of messages, by intent it could make each
    /// name be compared with very many: the rest of this message is not compressed.
    is_given_up: bool,
}

#[derive(Debug)]
struct Suffix {
    hash: u32,
    offset: u16,
    /// The one before it in its list.
    before: u16,
}

/// Where a label of a name starts, and the hash of the suffix from there.
#[derive(Debug, Clone, Copy)]
struct Label {
    start: u8,
    hash: u32,
}

impl Default for Compressor {
    fn default() -> Compressor {
        let (suffixes, labels) = (Vec::new(), Vec::with_capacity(MAX_LABELS));
        Compressor {
            lists: [END; LISTS],
            suffixes,
            labels,
            asked: None,
            knows_asked: false,
            names: 0,
            hashed: 0,
            is_given_up: false,
        }
    }
}

fn list_of(hash: u32) -> usize {
    hash as usize % LISTS
}

impl Compressor {
    /// Forgets everything: a new message begins.
    pub fn reset(&mut self) {
        self.forget_from(0);
        (self.asked, self.knows_asked) = (None, false);
        self.names = 0;
        self.hashed = 0;
        self.is_given_up = false;
    }

    /// Writes `name` behind the first `at` octets of `message` and returns where it ends; none when it does not fit.
    pub fn write(&mut self, name: NameRef<'_>, message: &mut [u8], at: usize) -> Option<usize> {
        if let Some(asked) = self.asked {
            // The root is shorter than a pointer.
            if !name.is_root() && begins_with(&message[usize::from(asked)..], name) {
                message.get_mut(at..at + 2)?.copy_from_slice(&(0xc000 | asked).to_be_bytes());
                return Some(at + 2);
            }
            if !self.knows_asked {
                self.learn_asked(&message[usize::from(asked)..], asked);
            }
        }
        self.read_labels(name);
        let known = (0..self.labels.len()).find_map(|label| {
            let Label { start, hash } = self.labels[label];
            let suffix = &name.octets()[usize::from(start)..];
            self.find(hash, suffix, message).map(|offset| (label, usize::from(start), offset))
        });
        let (literal_labels, literal_octets, pointer) = match known {
            Some((label, start, offset)) => (label, start, Some(offset)),
            None => (self.labels.len(), name.octet_count(), None),
        };
        let end = at + literal_octets + if pointer.is_some() { 2 } else { 0 };
        let room = message.get_mut(at..end)?;
        room[..literal_octets].copy_from_slice(&name.octets()[..literal_octets]);
        if let Some(offset) = pointer {
            room[literal_octets..].copy_from_slice(&(0xc000 | offset).to_be_bytes());
        }
        self.remember(literal_labels, at);
        Some(end)
    }

    /// A pointer to the name that was written at `at`, or where that points itself; none when it is out of reach, or the
    /// root, which is shorter than a pointer.
    pub fn pointer_to(message: &[u8], at: usize) -> Option<[u8; 2]> {
        match message.get(at..at + 2)? {
            [0, _] => None,
            [high @ 0xc0..=0xff, low] => Some([*high, *low]),
            _ => (at < REACH).then(|| (0xc000 | at as u16).to_be_bytes()),
        }
    }

    /// Tells that the question stands, uncompressed, at `at`.
    pub fn note_asked(&mut self, at: u16) {
        self.asked = Some(at);
    }

    /// Remembers its suffixes, now that another name may end like it.
    fn learn_asked(&mut self, from_asked: &[u8], at: u16) {
        self.knows_asked = true;
        if let Ok((name, _)) = NameRef::split_from(from_asked) {
            self.read_labels(name);
            self.remember(self.labels.len(), at.into());
        }
    }

    /// Notes the labels of the name, and the hash of the suffix from each; none once the message has had its share of them,
    /// so that the name is written in full.
    fn read_labels(&mut self, name: NameRef<'_>) {
        let octets = name.octets();
        self.labels.clear();
        if self.is_given_up || self.hashed >= limits::COMPRESSION_LABELS {
            return;
        }
        let mut end = 0;
        while octets[end] != 0 {
            self.labels.push(Label { start: end as u8, hash: 0 });
            end += 1 + usize::from(octets[end]);
        }
        self.hashed += self.labels.len();
        // Root first: each suffix's hash continues that of its parent.
        let mut state = 0;
        for label in self.labels.iter_mut().rev() {
            let start = usize::from(label.start);
            state = hash_label(state, &octets[start..end]);
            label.hash = (state >> 32) as u32;
            end = start;
        }
    }

    /// Remembers the suffixes from the first so many labels of the name at hand, which stands at `at`.
    fn remember(&mut self, labels: usize, at: usize) {
        if labels == 0 || self.names >= limits::COMPRESSION_NAMES {
            return;
        }
        self.names += 1;
        for Label { start, hash } in &self.labels[..labels] {
            let offset = at + usize::from(*start);
            if offset < REACH {
                let list = &mut self.lists[list_of(*hash)];
                self.suffixes.push(Suffix { hash: *hash, offset: offset as u16, before: *list });
                *list = (self.suffixes.len() - 1) as u16;
            }
        }
    }

    /// Forgets what was remembered of the message from `at` on: it is taken back.
    pub fn forget_from(&mut self, at: usize) {
        while let Some(suffix) = self.suffixes.pop_if(|suffix| usize::from(suffix.offset) >= at) {
            self.lists[list_of(suffix.hash)] = suffix.before;
        }
    }

    /// Where the suffix stands, if it is among the latest of its list.
    fn find(&mut self, hash: u32, suffix: &[u8], message: &[u8]) -> Option<u16> {
        let mut at = self.lists[list_of(hash)];
        for _ in 0..limits::COMPRESSION_STEPS {
            let known = self.suffixes.get(usize::from(at)).filter(|_| !self.is_given_up)?;
            if known.hash == hash {
                let is_it = stands_at(suffix, message, usize::from(known.offset));
                self.is_given_up = !is_it;
                return is_it.then_some(known.offset);
            }
            at = known.before;
        }
        None
    }
}

/// Goes on with the hash of a suffix by the label before it, its length included, eight octets at a time. Letters of both
/// cases count as one; so do a few other octets, which does no harm.
fn hash_label(state: u64, label: &[u8]) -> u64 {
    const BOTH_CASES: u64 = u64::from_be_bytes([b' '; 8]);
    // The golden ratio: spreads what differs in any bit over the upper half (Knuth's multiplicative hashing).
    let stir = |state: u64, word: u64| {
        let state = (state ^ (word | BOTH_CASES)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^ state >> 32
    };
    let (words, rest) = label.as_chunks::<8>();
    let state = words.iter().fold(state, |state, word| stir(state, u64::from_be_bytes(*word)));
    stir(state, rest.iter().fold(0, |word, octet| word << 8 | u64::from(*octet)))
}

/// Whether these octets begin with the name, uncompressed. No name is the beginning of another.
fn begins_with(octets: &[u8], name: NameRef<'_>) -> bool {
    octets.get(..name.octet_count()).is_some_and(|octets| octets.eq_ignore_ascii_case(name.octets()))
}

/// Whether `suffix` stands at `at`. The message is of our own writing: its pointers lead backwards to names.
fn stands_at(mut suffix: &[u8], message: &[u8], mut at: usize) -> bool {
    loop {
        let length = usize::from(message[at]);
        if length >= 0xc0 {
            at = (length & 0x3f) << 8 | usize::from(message[at + 1]);
            continue;
        }
        let label = &message[at..at + 1 + length];
        match suffix.split_at_checked(1 + length) {
            Some((ours, rest)) if ours.eq_ignore_ascii_case(label) => suffix = rest,
            _ => return false,
        }
        if length == 0 {
            return true;
        }
        at += 1 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, NameBuf};
    use crate::wire::names::{Hops, read_name};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn write_all(names: &[Name]) -> (Vec<u8>, Vec<usize>) {
        let (mut compressor, mut message) = (Compressor::default(), vec![0; 65_535]);
        let (mut at, mut places) = (12, vec![]);
        for name in names {
            places.push(at);
            at = compressor.write(name.as_ref(), &mut message, at).unwrap();
        }
        message.truncate(at);
        (message, places)
    }

    #[test]
    fn suffixes_become_pointers() {
        let names = ["www.example.org.", "mail.EXAMPLE.org.", "www.example.org.", ".", "org."];
        let (message, places) = write_all(&names.map(|name| name.parse().unwrap()));
        assert_eq!(&message[places[1]..places[2]], b"\x04mail\xc0\x10");
        assert_eq!(&message[places[2]..places[3]], b"\xc0\x0c");
        assert_eq!(&message[places[3]..places[4]], b"\0");
        assert_eq!(&message[places[4]..], b"\xc0\x18");
    }

    #[test]
    fn the_name_asked_for_is_pointed_at_and_shortens_others_when_there_are_any() {
        let asked: Name = "WWW.example.org.".parse().unwrap();
        let mut message = vec![0; 100];
        message[12..29].copy_from_slice(asked.octets());
        let mut compressor = Compressor::default();
        compressor.note_asked(12);
        let mut at = 33;
        for (text, want) in [
            ("www.EXAMPLE.org.", b"\xc0\x0c".as_slice()),
            (".", b"\0"),
            ("mail.example.org.", b"\x04mail\xc0\x10"),
            ("www.example.org.", b"\xc0\x0c"),
            ("ww.example.org.", b"\x02ww\xc0\x10"),
            ("org.", b"\xc0\x18"),
        ] {
            let name: Name = text.parse().unwrap();
            let end = compressor.write(name.as_ref(), &mut message, at).unwrap();
            assert_eq!(&message[at..end], want, "{text}");
            at = end;
        }
        assert_eq!(compressor.write(asked.as_ref(), &mut message[..at + 1], at), None, "no room");
    }

    #[test]
    fn a_name_that_does_not_fit_is_not_written() {
        let name: Name = "www.example.org.".parse().unwrap();
        assert_eq!(Compressor::default().write(name.as_ref(), &mut [0; 28], 12), None);
        assert_eq!(Compressor::default().write(name.as_ref(), &mut [0; 29], 12), Some(29));
    }

    #[test]
    fn names_beyond_the_bound_are_written_but_not_remembered() {
        let mut names: Vec<Name> =
            (0..limits::COMPRESSION_NAMES).map(|n| format!("n{n}.example.").parse().unwrap()).collect();
        names.extend(["late.".parse().unwrap(), "late.".parse().unwrap()]);
        let (message, places) = write_all(&names);
        assert_eq!(&message[places[names.len() - 1]..], b"\x04late\0");
    }

    /// BOUNDS on compression out (CVE-2024-8508): what is remembered, and so what is searched, does not grow with the message.
    #[test]
    fn of_thousands_of_names_the_first_are_remembered_and_no_more_are_searched_for() {
        let (mut compressor, mut message) = (Compressor::default(), vec![0; 65_535]);
        let mut end = 12;
        for number in 0..4000 {
            let name: Name = format!("n{number}.m{number}.").parse().unwrap();
            end = compressor.write(name.as_ref(), &mut message, end).unwrap();
        }
        assert_eq!(
            (compressor.names, compressor.suffixes.len()),
            (limits::COMPRESSION_NAMES, 2 * limits::COMPRESSION_NAMES)
        );
        let kept = (compressor.suffixes.capacity(), compressor.labels.capacity());
        // The longest names there are, in a second message: as many names, of as many labels as a name can have.
        compressor.reset();
        let mut end = 12;
        for number in 0..250 {
            let name: Name = format!("{}{number}.", "a.".repeat(119)).parse().unwrap();
            end = compressor.write(name.as_ref(), &mut message, end).unwrap();
        }
        assert_eq!(compressor.names, limits::COMPRESSION_NAMES);
        assert!(compressor.suffixes.len() <= limits::COMPRESSION_NAMES * MAX_LABELS);
        assert!(kept.0 <= compressor.suffixes.capacity() && kept.1 == compressor.labels.capacity());
    }

    #[test]
    fn so_many_labels_of_a_message_are_hashed_and_names_behind_them_stand_in_full() {
        let name: Name = "a.".repeat(120).parse().unwrap();
        let (mut compressor, mut message) = (Compressor::default(), vec![0; 65_535]);
        let mut end = compressor.write(name.as_ref(), &mut message, 12).unwrap();
        let pointers = limits::COMPRESSION_LABELS.div_ceil(120) - 1;
        for _ in 0..pointers {
            let before = end;
            end = compressor.write(name.as_ref(), &mut message, before).unwrap();
            assert_eq!(end, before + 2);
        }
        assert_eq!(compressor.write(name.as_ref(), &mut message, end), Some(end + name.octets().len()));
        compressor.reset();
        let end = compressor.write(name.as_ref(), &mut message, 12).unwrap();
        assert_eq!(
            compressor.write(name.as_ref(), &mut message, end),
            Some(end + 2),
            "a message is not the next"
        );
    }

    fn hash_of(name: &Name) -> u32 {
        let mut compressor = Compressor::default();
        compressor.read_labels(name.as_ref());
        compressor.labels[0].hash
    }

    /// Names of one label whose hashes `key` finds alike, `count` of them.
    fn names_alike(count: usize, key: impl Fn(u32) -> u32) -> Vec<Name> {
        let mut found: HashMap<u32, Vec<Name>> = HashMap::new();
        for number in 0.. {
            let name: Name = format!("n{number}.").parse().unwrap();
            let alike = found.entry(key(hash_of(&name))).or_default();
            alike.push(name);
            if alike.len() == count {
                return alike.clone();
            }
        }
        unreachable!("there are more numbers than hashes")
    }

    #[test]
    fn names_with_one_hash_end_the_compression_of_a_message_and_only_of_that() {
        let alike = names_alike(2, |hash| hash);
        let names: Vec<Name> = [0, 1, 0].iter().map(|at| alike[*at].clone()).collect();
        let (mut compressor, mut message) = (Compressor::default(), [0; 512]);
        for _ in 0..2 {
            compressor.reset();
            let ends = names.iter().scan(12, |at, name| {
                *at = compressor.write(name.as_ref(), &mut message, *at).unwrap();
                Some(*at)
            });
            let octets: usize = names.iter().map(|name| name.octets().len()).sum();
            assert_eq!(ends.last(), Some(12 + octets), "all are written in full");
            compressor.reset();
            let end = compressor.write(names[0].as_ref(), &mut message, 12).unwrap();
            assert_eq!(compressor.write(names[0].as_ref(), &mut message, end), Some(end + 2));
        }
    }

    #[test]
    fn a_list_is_searched_no_further_than_its_bound() {
        let names = names_alike(limits::COMPRESSION_STEPS + 1, |hash| list_of(hash) as u32);
        let (mut compressor, mut message) = (Compressor::default(), [0; 512]);
        let end =
            names.iter().fold(12, |at, name| compressor.write(name.as_ref(), &mut message, at).unwrap());
        assert_eq!(compressor.write(names[1].as_ref(), &mut message, end), Some(end + 2));
        assert_eq!(compressor.find_again(&names[0], &message), None);
    }

    impl Compressor {
        fn find_again(&mut self, name: &Name, message: &[u8]) -> Option<u16> {
            self.find(hash_of(name), name.octets(), message)
        }
    }

    #[test]
    fn what_is_taken_back_is_forgotten_and_nothing_else() {
        let names = ["a.example.", "b.a.example.", "c.example."].map(|name| name.parse::<Name>().unwrap());
        let (mut compressor, mut message) = (Compressor::default(), [0; 512]);
        let end = compressor.write(names[0].as_ref(), &mut message, 12).unwrap();
        let later = compressor.write(names[1].as_ref(), &mut message, end).unwrap();
        compressor.write(names[2].as_ref(), &mut message, later).unwrap();
        compressor.forget_from(end);
        assert_eq!(compressor.find_again(&names[0], &message), Some(12));
        assert_eq!(compressor.find_again(&names[1], &message), None);
        assert_eq!(compressor.find_again(&names[2], &message), None);
        compressor.reset();
        assert_eq!(compressor.find_again(&names[0], &message), None);
        assert!(compressor.lists.iter().all(|list| *list == END));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            names in prop::collection::vec(prop::collection::vec("[abAB\u{1}]{1,3}", 0..5), 0..40)
        ) {
            let names: Vec<Name> = names.iter().map(|labels| {
                let mut buf = NameBuf::new();
                for label in labels {
                    buf.push_label(label.as_bytes()).unwrap();
                }
                buf.finish().unwrap().to_name()
            }).collect();
            let (message, places) = write_all(&names);
            let mut buf = NameBuf::new();
            for (name, at) in names.iter().zip(places) {
                read_name(&message, at, &mut Hops::of_message(), &mut buf).unwrap();
                prop_assert_eq!(buf.as_name().unwrap(), name.as_ref());
            }
        }
    }
}
