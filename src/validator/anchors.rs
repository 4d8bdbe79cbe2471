//! Trust anchors: the keys chains of trust begin with, and names below which there is none (RFC 7646).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Unix;
use crate::dns::{Name, NameRef, RrType};
use crate::dnssec::{Dnskey, Ds};
use crate::limits;

/// Trust anchors and negative trust anchors. A change is another value.
///
/// Invariant: both lists are in canonical order of their apexes, each apex once in each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
    negative: Vec<NegativeAnchor>,
}

/// What is believed to be a key of a zone without being told by its parent. At least one of them is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The zone.
    pub apex: Name,
    /// Digests of keys: RDATA of DS records.
    pub ds: Vec<Box<[u8]>>,
    /// Keys: RDATA of DNSKEY records.
    pub keys: Vec<Box<[u8]>>,
}

/// A name at and below which nothing is validated (RFC 7646).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegativeAnchor {
    /// The name.
    pub apex: Name,
    /// When it ends; none when somebody has to remember to remove it.
    pub until: Option<Unix>,
}

/// What stands nearest above a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearest<'a> {
    /// A chain of trust begins here.
    Anchor(&'a Anchor),
    /// Nothing is validated at and below this name.
    Negative(&'a Name),
    /// Nothing: whether it is secure cannot be known.
    None,
}

impl TrustAnchors {
    /// None at all.
    pub fn none() -> TrustAnchors {
        TrustAnchors::default()
    }

    /// Those of the root zone that IANA publishes at <https://data.iana.org/root-anchors/root-anchors.xml>: the keys
    /// that were made in 2017 and 2024.
    pub fn builtin() -> TrustAnchors {
        let mut anchors = TrustAnchors::none();
        for (tag, digest) in ROOT_ANCHORS {
            let mut rdata = tag.to_be_bytes().to_vec();
            rdata.extend([RSASHA256, SHA256]);
            rdata.extend(digest.iter().flat_map(|half| half.to_be_bytes()));
            anchors.insert(NameRef::ROOT, RrType::DS, &rdata).expect("two of them fit");
        }
        anchors
    }

    /// Those of these zones that have any, in any order, each zone once.
    pub(super) fn of(anchors: impl Iterator<Item = Anchor>) -> TrustAnchors {
        let is_there = |anchor: &Anchor| !(anchor.ds.is_empty() && anchor.keys.is_empty());
        let mut anchors: Vec<Anchor> = anchors.filter(is_there).collect();
        anchors.sort_by(|a, b| a.apex.cmp(&b.apex));
        TrustAnchors { anchors, negative: Vec::new() }
    }

    /// Adds one record. One that is there already counts once.
    pub fn insert(&mut self, owner: NameRef<'_>, rr_type: RrType, rdata: &[u8]) -> Result<(), UnfitAnchor> {
        check(rr_type, rdata)?;
        let place = match self.place(owner) {
            Ok(place) => place,
            Err(_) if self.anchors.len() >= limits::TRUST_POINTS => return Err(UnfitAnchor::TooManyNames),
            Err(place) => {
                let anchor = Anchor { apex: owner.to_name(), ds: Vec::new(), keys: Vec::new() };
                self.anchors.insert(place, anchor);
                place
            }
        };
        let anchor = &mut self.anchors[place];
        let is_full = anchor.ds.len() + anchor.keys.len() >= limits::ANCHORS_PER_POINT;
        let records = if rr_type == RrType::DS { &mut anchor.ds } else { &mut anchor.keys };
        if records.iter().any(|known| **known == *rdata) {
            return Ok(());
        }
        if is_full {
            return Err(UnfitAnchor::TooManyRecords);
        }
        records.push(rdata.into());
        Ok(())
    }

    /// The same with these negative trust anchors in place of those it has. Of two for one name the one that ends later
    /// counts.
    pub fn with_negative(self, mut negative: Vec<NegativeAnchor>) -> TrustAnchors {
        let end = |anchor: &NegativeAnchor| anchor.until.map_or(u64::MAX, |until| until.0);
        negative.sort_by(|a, b| a.apex.cmp(&b.apex).then(end(b).cmp(&end(a))));
        negative.dedup_by(|later, first| later.apex == first.apex);
        TrustAnchors { negative, ..self }
    }

    /// Whether no chain of trust begins anywhere.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The trust anchors in canonical order of their apexes.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The negative trust anchors in canonical order, also those that have ended.
    pub fn negative(&self) -> &[NegativeAnchor] {
        &self.negative
    }

    /// What stands nearest at or above a name. At the same name the negative trust anchor wins: it is there because the
    /// other does not work (RFC 7646).
    pub fn nearest(&self, name: NameRef<'_>, now: Unix) -> Nearest<'_> {
        let at = |apex: NameRef<'_>| {
            let negative = self.negative.binary_search_by(|anchor| anchor.apex.as_ref().cmp(&apex)).ok();
            let negative = negative.map(|place| &self.negative[place]).filter(|anchor| anchor.holds(now));
            let anchor = || self.place(apex).ok().map(|place| Nearest::Anchor(&self.anchors[place]));
            negative.map(|anchor| Nearest::Negative(&anchor.apex)).or_else(anchor)
        };
        name.ancestors().find_map(at).unwrap_or(Nearest::None)
    }

    /// Whether a chain of trust begins below a name, as on an island below an insecure delegation.
    pub fn has_below(&self, name: NameRef<'_>) -> bool {
        // What is below a name follows it at once in canonical order.
        let after = self.anchors.partition_point(|anchor| anchor.apex.as_ref() <= name);
        self.anchors.get(after).is_some_and(|anchor| anchor.apex.as_ref().is_below(name))
    }

    fn place(&self, apex: NameRef<'_>) -> Result<usize, usize> {
        self.anchors.binary_search_by(|anchor| anchor.apex.as_ref().cmp(&apex))
    }
}

impl Anchor {
    /// Whether RDATA of a DNSKEY record is that of one of its keys.
    pub fn has(&self, dnskey: &[u8]) -> bool {
        let is_ds_of = |ds: &[u8]| {
            let both = Ds::parse(ds).zip(Dnskey::parse(dnskey));
            both.is_some_and(|(ds, key)| ds.is_of(self.apex.as_ref(), &key))
        };
        self.keys.iter().any(|key| **key == *dnskey) || self.ds.iter().any(|ds| is_ds_of(ds))
    }

    /// The tags of its keys.
    pub fn key_tags(&self) -> impl Iterator<Item = u16> {
        let of_ds = self.ds.iter().filter_map(|ds| Ds::parse(ds)).map(|ds| ds.key_tag);
        of_ds.chain(self.keys.iter().filter_map(|key| Dnskey::parse(key)).map(|key| key.key_tag()))
    }
}

impl NegativeAnchor {
    /// Whether it has not ended.
    pub fn holds(&self, now: Unix) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The algorithm of the keys of the root zone.
const RSASHA256: u8 = 8;
const SHA256: u8 = 2;

/// Key tag and digest, the digest as two numbers.
const ROOT_ANCHORS: [(u16, [u128; 2]); 2] = [
    (20326, [0xE06D44B80B8F1D39A95C0B0D7C65D084, 0x58E880409BBC683457104237C7F8EC8D]),
    (38696, [0x683D2D0ACB8C9B712A1948B27F741219, 0x298D0A450D612C483AF444A4C0FB2B16]),
];

/// Why a record cannot be a trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitAnchor {
    /// It is of another type.
    Type(RrType),
    /// Its RDATA is shorter than any of its type, or too long to be kept.
    Length(usize),
    /// A DNSKEY record without the bit that says it is a key of a zone (RFC 4034 2.1.1).
    NoZoneKey,
    /// A DNSKEY record that says of itself that it is not to be trusted (RFC 5011 2.1).
    Revoked,
    /// A DNSKEY record of another protocol than DNSSEC (RFC 4034 2.1.2).
    Protocol(u8),
    /// More for one name than are kept.
    TooManyRecords,
    /// More names than are kept.
    TooManyNames,
}

impl fmt::Display for UnfitAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnfitAnchor::Type(rr_type) => {
                write!(f, "{rr_type} records are no trust anchors; write DS or DNSKEY records")
            }
            UnfitAnchor::Length(octets) => {
                write!(f, "{octets} octets are no trust anchor; copy the record as its zone publishes it")
            }
            UnfitAnchor::NoZoneKey => {
                f.write_str("this is no key of a zone; write one with the flags 257 or 256")
            }
            UnfitAnchor::Revoked => f.write_str("this key is revoked; write the one that came after it"),
            UnfitAnchor::Protocol(number) => {
                write!(f, "the protocol of a key is 3, not {number}; write 3")
            }
            UnfitAnchor::TooManyRecords => {
                write!(f, "more than {} trust anchors for one name; write fewer", limits::ANCHORS_PER_POINT)
            }
            UnfitAnchor::TooManyNames => {
                write!(f, "trust anchors for more than {} names; write fewer", limits::TRUST_POINTS)
            }
        }
    }
}

impl std::error::Error for UnfitAnchor {}

/// The protocol number of DNSSEC (RFC 4034 2.1.2).
const DNSSEC: u8 = 3;

fn check(rr_type: RrType, rdata: &[u8]) -> Result<(), UnfitAnchor> {
    match (rr_type, rdata) {
        (RrType::DS | RrType::DNSKEY, _) if rdata.len() > limits::TRUST_ANCHOR_OCTETS => {
            Err(UnfitAnchor::Length(rdata.len()))
        }
        (RrType::DS, [_, _, _, _, _, ..]) => Ok(()),
        (RrType::DNSKEY, [_, _, _, _, _, ..]) => match Dnskey::parse(rdata) {
            Some(key) if key.protocol != DNSSEC => Err(UnfitAnchor::Protocol(key.protocol)),
            Some(key) if !key.is_zone_key() => Err(UnfitAnchor::NoZoneKey),
            Some(key) if key.is_revoked() => Err(UnfitAnchor::Revoked),
            _ => Ok(()),
        },
        (RrType::DS | RrType::DNSKEY, _) => Err(UnfitAnchor::Length(rdata.len())),
        _ => Err(UnfitAnchor::Type(rr_type)),
    }
}

/// The trust anchors in force, shared by who uses them and who keeps them up to date.
#[derive(Debug, Default)]
pub struct AnchorStore {
    current: RwLock<Arc<TrustAnchors>>,
}

impl AnchorStore {
    /// With these in force.
    pub fn new(anchors: TrustAnchors) -> AnchorStore {
        AnchorStore { current: RwLock::new(Arc::new(anchors)) }
    }

    /// Those in force now. Whoever validates takes them once and stays with them.
    pub fn current(&self) -> Arc<TrustAnchors> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in force. What was begun with the old ones ends with them.
    pub fn publish(&self, anchors: TrustAnchors) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(anchors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn ds(tag: u16) -> Vec<u8> {
        [&tag.to_be_bytes()[..], &[8, 2], &[7; 32]].concat()
    }

    fn anchors(apexes: &[&str]) -> TrustAnchors {
        let mut anchors = TrustAnchors::none();
        for apex in apexes {
            anchors.insert(name(apex).as_ref(), RrType::DS, &ds(1)).unwrap();
        }
        anchors
    }

    fn negative(apex: &str, until: Option<u64>) -> NegativeAnchor {
        NegativeAnchor { apex: name(apex), until: until.map(Unix::of_seconds) }
    }

    #[test]
    fn the_keys_of_the_root_are_built_in() {
        let builtin = TrustAnchors::builtin();
        let [root] = builtin.anchors() else { panic!("one zone") };
        assert!(root.apex.as_ref().is_root() && root.keys.is_empty());
        let heads: Vec<_> = root.ds.iter().map(|ds| (&ds[..6], ds[35], ds.len())).collect();
        let want: [(&[u8], u8, usize); 2] =
            [(&[79, 102, 8, 2, 0xE0, 0x6D], 0x8D, 36), (&[0x97, 0x28, 8, 2, 0x68, 0x3D], 0x16, 36)];
        assert_eq!(heads, want);
    }

    #[test]
    fn the_nearest_anchor_above_a_name_counts_unless_a_negative_one_is_as_near() {
        let anchors = anchors(&[".", "example.", "a.b.example.", "test."]).with_negative(vec![
            negative("b.example.", None),
            negative("test.", Some(1000)),
            negative("Old.test.", Some(500)),
            negative("x.old.test.", Some(2000)),
        ]);
        for (asked, at, want) in [
            (".", 0, "."),
            ("org.", 0, "."),
            ("exampl.", 0, "."),
            ("EXAMPLE.", 0, "example."),
            ("www.example.", 0, "example."),
            ("b.example.", 0, "not b.example."),
            ("c.b.example.", 0, "not b.example."),
            ("a.b.example.", 0, "a.b.example."),
            ("x.A.b.example.", 0, "a.b.example."),
            ("test.", 999, "not test."),
            ("test.", 1000, "test."),
            ("old.test.", 499, "not Old.test."),
            ("www.old.test.", 500, "not test."),
            ("www.old.test.", 1000, "test."),
            ("x.old.test.", 1999, "not x.old.test."),
        ] {
            let found = match anchors.nearest(name(asked).as_ref(), Unix::of_seconds(at)) {
                Nearest::Anchor(anchor) => anchor.apex.to_string(),
                Nearest::Negative(apex) => format!("not {apex}"),
                Nearest::None => "-".into(),
            };
            assert_eq!(found, want, "{asked} at {at}");
        }
        assert_eq!(TrustAnchors::none().nearest(NameRef::ROOT, Unix(0)), Nearest::None);
    }

    #[test]
    fn anchors_below_a_name_are_seen() {
        let anchors = anchors(&["a.b.example.", "test."]);
        for (asked, want) in [
            (".", true),
            ("example.", true),
            ("B.example.", true),
            ("a.b.example.", false),
            ("c.example.", false),
            ("test.", false),
            ("zzz.", false),
        ] {
            assert_eq!(anchors.has_below(name(asked).as_ref()), want, "{asked}");
        }
        assert!(!TrustAnchors::none().has_below(NameRef::ROOT));
    }

    #[test]
    fn of_two_ends_of_one_negative_anchor_the_later_counts() {
        let both = |first, second| {
            let list = vec![negative("a.test.", first), negative("A.test.", second)];
            TrustAnchors::none().with_negative(list).negative()[0].until.map(Unix::seconds)
        };
        assert_eq!(both(Some(5), Some(7)), Some(7));
        assert_eq!(both(Some(7), Some(5)), Some(7));
        assert_eq!(both(Some(7), None), None);
    }

    #[test]
    fn what_cannot_be_an_anchor_is_told_apart() {
        let key = |flags: u16, protocol| [&flags.to_be_bytes()[..], &[protocol, 8, 1, 2, 3]].concat();
        let long = [&key(257, 3)[..], &[0; limits::TRUST_ANCHOR_OCTETS]].concat();
        for (rr_type, rdata, want) in [
            (RrType::DS, ds(1), Ok(())),
            (RrType::DNSKEY, key(257, 3), Ok(())),
            (RrType::DNSKEY, key(256, 3), Ok(())),
            (RrType::A, vec![192, 0, 2, 1], Err(UnfitAnchor::Type(RrType::A))),
            (RrType::DS, vec![0, 1, 8], Err(UnfitAnchor::Length(3))),
            (RrType::DS, ds(1)[..4].to_vec(), Err(UnfitAnchor::Length(4))),
            (RrType::DS, vec![0, 1, 8, 99, 1], Ok(())),
            (RrType::DNSKEY, key(257, 3)[..4].to_vec(), Err(UnfitAnchor::Length(4))),
            (RrType::DNSKEY, long.clone(), Err(UnfitAnchor::Length(long.len()))),
            (RrType::DNSKEY, key(1, 3), Err(UnfitAnchor::NoZoneKey)),
            (RrType::DNSKEY, key(257 + 128, 3), Err(UnfitAnchor::Revoked)),
            (RrType::DNSKEY, key(257, 4), Err(UnfitAnchor::Protocol(4))),
        ] {
            let mut anchors = TrustAnchors::none();
            assert_eq!(anchors.insert(NameRef::ROOT, rr_type, &rdata), want, "{rr_type} {rdata:?}");
            assert_eq!(anchors.is_empty(), want.is_err(), "{rr_type} {rdata:?}");
        }
    }

    #[test]
    fn there_is_an_end_of_anchors() {
        let mut anchors = TrustAnchors::none();
        for tag in 0..limits::ANCHORS_PER_POINT as u16 {
            assert_eq!(anchors.insert(NameRef::ROOT, RrType::DS, &ds(tag)), Ok(()));
        }
        assert_eq!(anchors.insert(NameRef::ROOT, RrType::DS, &ds(0)), Ok(()), "it is there already");
        let more = anchors.insert(NameRef::ROOT, RrType::DS, &ds(999));
        assert_eq!(more, Err(UnfitAnchor::TooManyRecords));
        for number in 1..limits::TRUST_POINTS {
            assert_eq!(anchors.insert(name(&format!("n{number}.")).as_ref(), RrType::DS, &ds(0)), Ok(()));
        }
        let more = anchors.insert(name("more.").as_ref(), RrType::DS, &ds(0));
        assert_eq!(more, Err(UnfitAnchor::TooManyNames));
    }

    #[test]
    fn what_is_published_is_what_is_read_next() {
        let store = AnchorStore::new(TrustAnchors::builtin());
        let before = store.current();
        store.publish(TrustAnchors::none());
        assert!(store.current().is_empty() && !before.is_empty());
    }
}
