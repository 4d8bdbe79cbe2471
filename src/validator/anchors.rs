//! Trust anchors: the keys chains of trust begin with, and names below which there is none (RFC 7646).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Unix;
use crate::dns::{Name, NameRef, RrType};
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
    /// The tags of its keys.
    pub fn key_tags(&self) -> impl Iterator<Item = u16> {
        let of_ds = |ds: &Box<[u8]>| ds.first_chunk().map_or(0, |tag| u16::from_be_bytes(*tag));
        self.ds.iter().map(of_ds).chain(self.keys.iter().map(|key| key_tag(key)))
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
    /// The digest of a DS record has another length than its type says.
    Digest {
        /// The type of the digest.
        kind: u8,
        /// Its octets.
        octets: usize,
    },
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
            UnfitAnchor::Digest { kind, octets } => {
                let wanted = digest_octets(*kind).unwrap_or_default();
                write!(f, "a digest of type {kind} has {wanted} octets, not {octets}; copy the whole record")
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

fn check(rr_type: RrType, rdata: &[u8]) -> Result<(), UnfitAnchor> {
    match (rr_type, rdata) {
        (RrType::DS | RrType::DNSKEY, _) if rdata.len() > limits::TRUST_ANCHOR_OCTETS => {
            Err(UnfitAnchor::Length(rdata.len()))
        }
        (RrType::DS, [_, _, _, kind, digest @ ..]) => match digest_octets(*kind) {
            Some(octets) if octets != digest.len() => {
                Err(UnfitAnchor::Digest { kind: *kind, octets: digest.len() })
            }
            _ => Ok(()),
        },
        (RrType::DNSKEY, [_, _, protocol, _, _, ..]) => match Flags::of(rdata) {
            flags if !flags.is_zone_key() => Err(UnfitAnchor::NoZoneKey),
            flags if flags.is_revoked() => Err(UnfitAnchor::Revoked),
            _ if *protocol != DNSSEC => Err(UnfitAnchor::Protocol(*protocol)),
            _ => Ok(()),
        },
        (RrType::DS | RrType::DNSKEY, _) => Err(UnfitAnchor::Length(rdata.len())),
        _ => Err(UnfitAnchor::Type(rr_type)),
    }
}

/// Octets of the digests of DS records (RFC 4034 5.1.4, RFC 4509, RFC 6605); none where the type is not known.
fn digest_octets(kind: u8) -> Option<usize> {
    match kind {
        1 => Some(20),
        SHA256 => Some(32),
        4 => Some(48),
        _ => None,
    }
}

/// The protocol number of DNSSEC (RFC 4034 2.1.2).
pub(super) const DNSSEC: u8 = 3;

/// The flags of a DNSKEY record.
#[derive(Clone, Copy)]
pub(super) struct Flags(u16);

impl Flags {
    const ZONE: u16 = 0x0100;
    pub(super) const REVOKE: u16 = 0x0080;
    const SEP: u16 = 0x0001;

    /// Those of RDATA; of what is too short, none.
    pub(super) fn of(dnskey: &[u8]) -> Flags {
        Flags(dnskey.first_chunk().map_or(0, |flags| u16::from_be_bytes(*flags)))
    }

    pub(super) fn is_zone_key(self) -> bool {
        self.0 & Flags::ZONE != 0
    }

    pub(super) fn is_revoked(self) -> bool {
        self.0 & Flags::REVOKE != 0
    }

    pub(super) fn is_entry_point(self) -> bool {
        self.0 & Flags::SEP != 0
    }
}

/// The key tag of DNSKEY RDATA (RFC 4034 appendix B).
pub(super) fn key_tag(dnskey: &[u8]) -> u16 {
    if let ([_, _, _, 1, ..], [.., high, low, _]) = (dnskey, dnskey) {
        // RFC 4034 B.1: RSA/MD5.
        return u16::from_be_bytes([*high, *low]);
    }
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    let sum = dnskey.chunks(2).map(word).fold(0u32, u32::wrapping_add);
    (sum.wrapping_add(sum >> 16) & 0xffff) as u16
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
            (RrType::DS, ds(1)[..35].to_vec(), Err(UnfitAnchor::Digest { kind: 2, octets: 31 })),
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
    fn key_tags_are_sums_and_differ_by_128_when_a_key_is_revoked() {
        // RFC 4034 5.4: the key of dskey.example.com, whose tag is 60485.
        let key = [&[1, 0, 3, 5][..], &DSKEY_EXAMPLE_COM].concat();
        assert_eq!(key_tag(&key), 60485);
        let revoked = [&[1, 0x80, 3, 5][..], &DSKEY_EXAMPLE_COM].concat();
        assert_eq!(key_tag(&revoked), 60485 + 128);
        assert_eq!(key_tag(&[1, 0, 3, 1, 9, 8, 0x12, 0x34, 7]), 0x1234);
        assert_eq!((key_tag(&[]), key_tag(&[1])), (0, 256));
    }

    #[rustfmt::skip]
    const DSKEY_EXAMPLE_COM: [u8; 130] = [
        0x01, 0x03, 0x9e, 0x8a, 0x24, 0x74, 0x18, 0xe3, 0x18, 0x90, 0x3b, 0x21, 0x5a, 0x84, 0x8a, 0xcf,
        0xd5, 0xf3, 0x7f, 0x02, 0x6b, 0xd4, 0x06, 0x2d, 0xb2, 0x6c, 0x77, 0x4c, 0x69, 0x09, 0x68, 0xd5,
        0xd5, 0x6d, 0xf8, 0xbf, 0xda, 0x91, 0xe6, 0xf3, 0x6d, 0x9a, 0x27, 0x98, 0x88, 0xf4, 0x13, 0x33,
        0x35, 0x7c, 0x5e, 0x60, 0x29, 0x99, 0x0d, 0x10, 0xfd, 0xf5, 0x66, 0x30, 0x62, 0xa5, 0x12, 0x76,
        0x33, 0x26, 0x98, 0x0a, 0x61, 0x5d, 0xdb, 0xf1, 0x7a, 0x05, 0xdd, 0xfc, 0xce, 0x7e, 0x5f, 0xb3,
        0xab, 0xcc, 0xa0, 0x5a, 0x31, 0xb0, 0x95, 0x74, 0x52, 0xd4, 0x52, 0x1e, 0x83, 0x87, 0x07, 0x89,
        0x06, 0x31, 0x15, 0xbf, 0x97, 0xf6, 0xc3, 0x08, 0xcc, 0xf5, 0x7c, 0xdc, 0x9c, 0xe7, 0xfe, 0x10,
        0xf6, 0xed, 0x1b, 0xd0, 0xcc, 0x06, 0x60, 0x03, 0x8c, 0x50, 0xdc, 0xdb, 0x0f, 0xeb, 0x96, 0x3c,
        0x2f, 0x17,
    ];

    #[test]
    fn what_is_published_is_what_is_read_next() {
        let store = AnchorStore::new(TrustAnchors::builtin());
        let before = store.current();
        store.publish(TrustAnchors::none());
        assert!(store.current().is_empty() && !before.is_empty());
    }
}
