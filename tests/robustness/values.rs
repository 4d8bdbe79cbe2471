//! Names, RDATA and records to be made by chance, all of them valid.

use std::collections::{BTreeMap, BTreeSet};

use namu::dns::rdata_table::{Field, Format, TABLE, fixed_octets};
use namu::dns::{Name, NameBuf, RrType, Ttl};
use proptest::prelude::*;

/// A name below `suffix` of labels from a small alphabet, so that names meet, or of any octets.
pub fn name_below(suffix: &'static str) -> impl Strategy<Value = Name> {
    let label = prop_oneof![
        8 => prop::sample::select(&["a", "b", "B", "www", "*", "x-1"][..]).prop_map(|label| label.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..=12),
        1 => Just(vec![b'l'; 63]),
    ];
    prop::collection::vec(label, 0..4).prop_map(move |labels| {
        let suffix: Name = suffix.parse().unwrap();
        let mut name = NameBuf::new();
        labels.iter().for_each(|label| name.push_label(label).unwrap());
        name.finish_with(suffix.as_ref()).map_or(suffix.clone(), |name| name.to_name())
    })
}

/// A name somewhere.
pub fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        name_below("example."),
        name_below("Example."),
        name_below("elsewhere.test."),
        name_below(".")
    ]
}

/// A TTL that means what it says (RFC 2181 section 8).
pub fn ttl() -> impl Strategy<Value = Ttl> {
    prop_oneof![Just(0), 1..100u32, Just(Ttl::MAX.seconds())].prop_map(Ttl::from_wire)
}

/// A type that has a format, or one that has none.
pub fn rr_type() -> impl Strategy<Value = RrType> {
    let known: Vec<RrType> = usual().iter().map(|format| format.rr_type).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => Just(RrType(65_280))]
}

/// RDATA of a type, names in it uncompressed.
pub fn rdata(rr_type: RrType) -> BoxedStrategy<Vec<u8>> {
    match TABLE.iter().find(|format| format.rr_type == rr_type) {
        None => octets(1..40).boxed(),
        Some(format) => {
            let fields: Vec<_> = format.fields.iter().map(|field| octets_of(*field)).collect();
            fields.prop_map(|fields| with_unknown_digest(format, fields.concat())).boxed()
        }
    }
}

/// RDATA of some type with a few octets changed.
pub fn changed_rdata() -> impl Strategy<Value = (RrType, Vec<u8>)> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3u8);
    let rdata =
        prop::sample::select(usual()).prop_flat_map(|format| (Just(format.rr_type), rdata(format.rr_type)));
    (rdata, prop::collection::vec(change, 0..3)).prop_map(|((rr_type, mut octets), changes)| {
        for (at, octet, how) in changes {
            let at = at.index(octets.len() + 1);
            match how {
                0 => octets.insert(at, octet),
                1 if at < octets.len() => drop(octets.remove(at)),
                _ => octets.iter_mut().skip(at).take(1).for_each(|old| *old = octet),
            }
        }
        (rr_type, octets)
    })
}

/// A digest made by an algorithm nobody knows may have any length.
fn with_unknown_digest(format: &Format, mut rdata: Vec<u8>) -> Vec<u8> {
    match format.rr_type {
        RrType::DS | RrType::CDS | RrType::DLV | RrType::TA => rdata[3] = 200,
        RrType::SSHFP => rdata[1] = 200,
        RrType::ZONEMD => rdata[5] = 200,
        _ => {}
    }
    rdata
}

fn octets(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), count)
}

fn counted(octets: Vec<u8>) -> Vec<u8> {
    [&[octets.len() as u8][..], &octets].concat()
}

fn octets_of(field: Field) -> BoxedStrategy<Vec<u8>> {
    match field {
        Field::Location => location().boxed(),
        field if fixed_octets(field).is_some() => {
            let count = fixed_octets(field).unwrap();
            prop_oneof![octets(count..count + 1), Just(vec![0; count]), Just(vec![255; count])].boxed()
        }
        Field::CompressibleName | Field::FoldedName | Field::PlainName => {
            name().prop_map(|name| name.octets().to_vec()).boxed()
        }
        Field::Text | Field::Salt => octets(0..20).prop_map(counted).boxed(),
        Field::HashedName => octets(1..20).prop_map(counted).boxed(),
        Field::Texts => {
            let strings = prop::collection::vec(octets(0..20).prop_map(counted), 1..4);
            strings.prop_map(|strings| strings.concat()).boxed()
        }
        Field::LongText => octets(0..30).boxed(),
        Field::CaaTag => "[a-zA-Z0-9]{1,9}".prop_map(|tag| counted(tag.into_bytes())).boxed(),
        Field::Types => prop::collection::btree_set(any::<u16>(), 0..6).prop_map(bitmap).boxed(),
        Field::SvcParams => svc_params().boxed(),
        Field::Prefixes => prop::collection::vec(prefix(), 0..4).prop_map(|list| list.concat()).boxed(),
        Field::Gateway => gateway().boxed(),
        _ => octets(1..30).boxed(),
    }
}

fn bitmap(types: BTreeSet<u16>) -> Vec<u8> {
    let mut windows: BTreeMap<u8, [u8; 32]> = BTreeMap::new();
    for number in types {
        let [window, bit] = number.to_be_bytes();
        windows.entry(window).or_default()[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    let octets = windows.into_iter().flat_map(|(window, bits)| {
        let length = 1 + bits.iter().rposition(|octet| *octet != 0).unwrap();
        [&[window, length as u8][..], &bits[..length]].concat()
    });
    octets.collect()
}

fn location() -> impl Strategy<Value = Vec<u8>> {
    let size = (1..10u8, 0..10u8).prop_map(|(digit, power)| digit << 4 | power);
    let angle =
        |most: u32| (0..=most * 3_600_000 * 2).prop_map(move |angle| (1 << 31) - most * 3_600_000 + angle);
    (size.clone(), size.clone(), size, angle(90), angle(180), any::<u32>()).prop_map(
        |(size, horizontal, vertical, latitude, longitude, altitude)| {
            let angles = [latitude, longitude, altitude].map(u32::to_be_bytes).concat();
            [&[0, size, horizontal, vertical][..], &angles].concat()
        },
    )
}

fn svc_params() -> impl Strategy<Value = Vec<u8>> {
    let alpn = prop::collection::vec(octets(1..8).prop_map(counted), 1..3).prop_map(|ids| ids.concat());
    let known = (
        prop::option::of(alpn),
        prop::option::of(octets(2..3)),
        prop::option::of(octets(4..5)),
        prop::option::of(octets(16..17)),
    );
    let unknown = prop::collection::btree_map(1000..u16::MAX, octets(0..10), 0..3);
    (known, unknown, any::<bool>()).prop_map(|((alpn, port, ipv4, ipv6), unknown, mandatory)| {
        let mut params: BTreeMap<u16, Vec<u8>> = unknown;
        let known = [(1, alpn), (3, port), (4, ipv4), (6, ipv6)];
        params.extend(known.into_iter().filter_map(|(key, value)| Some((key, value?))));
        if let (true, Some((key, _))) = (mandatory, params.first_key_value()) {
            params.insert(0, key.to_be_bytes().to_vec());
        }
        let octets = params.into_iter().flat_map(|(key, value)| {
            [&key.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), &value].concat()
        });
        octets.collect()
    })
}

fn prefix() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), any::<bool>(), octets(16..17), any::<u8>()).prop_map(
        |(is_v6, negated, mut address, length)| {
            let (family, most) = if is_v6 { (2, 16) } else { (1, 4) };
            address.truncate(usize::from(length) % (most + 1));
            while address.last() == Some(&0) {
                address.pop();
            }
            let flags = u8::from(negated) << 7 | address.len() as u8;
            [&[0, family, length % (8 * most as u8 + 1), flags][..], &address].concat()
        },
    )
}

fn gateway() -> impl Strategy<Value = Vec<u8>> {
    let gateway = prop_oneof![
        Just((0, vec![])),
        octets(4..5).prop_map(|address| (1, address)),
        octets(16..17).prop_map(|address| (2, address)),
        name().prop_map(|name| (3, name.octets().to_vec())),
    ];
    (gateway, any::<u8>(), octets(0..30))
        .prop_map(|((kind, gateway), algorithm, key)| [&[kind, algorithm][..], &gateway, &key].concat())
}

/// The formats every server knows. Those of the rare types have generators of their own beside their texts.
pub fn usual() -> Vec<Format> {
    TABLE.iter().filter(|format| format.everywhere).copied().collect()
}
