//! Any octets that the format of a type allows.

use proptest::prelude::*;

use crate::dns::RrType;
use crate::dns::rdata_table::{Field, TABLE, fixed_octets};

/// A type and octets of its format; sometimes a type without one.
pub(super) fn typed_rdata() -> impl Strategy<Value = (RrType, Vec<u8>)> {
    let opaque = (1000..1100u16, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(number, rdata)| (RrType(number), rdata));
    let formatted = prop::sample::select(TABLE).prop_flat_map(|format| {
        let fields: Vec<_> = format.fields.iter().map(|of| field(*of)).collect();
        fields.prop_map(move |fields| (format.rr_type, fields.concat()))
    });
    prop_oneof![1 => opaque, 30 => formatted]
}

/// Octets that the format of a field allows.
fn field(field: Field) -> BoxedStrategy<Vec<u8>> {
    let octets = |range| prop::collection::vec(any::<u8>(), range);
    let counted = |octets: Vec<u8>| [&[octets.len() as u8], &octets[..]].concat();
    match field {
        Field::CompressibleName | Field::FoldedName | Field::PlainName => name().boxed(),
        Field::Text | Field::Salt => octets(0..256usize).prop_map(counted).boxed(),
        Field::HashedName => octets(1..256usize).prop_map(counted).boxed(),
        Field::Texts => prop::collection::vec(octets(0..256usize).prop_map(counted), 1..4)
            .prop_map(|v| v.concat())
            .boxed(),
        Field::OptionalText => prop::option::of(octets(0..256usize).prop_map(counted))
            .prop_map(Option::unwrap_or_default)
            .boxed(),
        Field::LongText => octets(0..600usize).boxed(),
        Field::CaaTag => "[a-zA-Z0-9]{1,255}".prop_map(move |tag| counted(tag.into_bytes())).boxed(),
        Field::Hex | Field::Base64 | Field::Nsap => octets(1..600usize).boxed(),
        Field::OptionalBase64 | Field::DashedBase64 => octets(0..600usize).boxed(),
        Field::AtmAddress => prop_oneof![
            octets(1..20usize).prop_map(|address| [&[0], &address[..]].concat()),
            "[0-9]{1,15}".prop_map(|digits| [&[1], digits.as_bytes()].concat()),
        ]
        .boxed(),
        Field::Services => (any::<u8>(), octets(0..8193usize))
            .prop_map(|(protocol, ports)| [vec![protocol], without_zeros(ports)].concat())
            .boxed(),
        Field::LowTypes => octets(0..17usize)
            .prop_map(|mut bits| {
                bits.iter_mut().take(1).for_each(|first| *first &= 0x7f);
                without_zeros(bits)
            })
            .boxed(),
        Field::Relay => (any::<bool>(), 0..4u8, name(), octets(16..17usize))
            .prop_map(|(optional, kind, name, address)| {
                [&[u8::from(optional) << 7 | kind], gateway(kind, &address, &name)].concat()
            })
            .boxed(),
        Field::HostIdentity => {
            (any::<u8>(), octets(1..256usize), octets(1..600usize), prop::collection::vec(name(), 0..3))
                .prop_map(|(algorithm, tag, key, servers)| {
                    let length = (key.len() as u16).to_be_bytes();
                    [&[tag.len() as u8, algorithm], &length[..], &tag, &key, &servers.concat()].concat()
                })
                .boxed()
        }
        Field::SplitAddress => (0..=128u8, any::<u128>(), name())
            .prop_map(|(length, address, name)| {
                let suffix = address & u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
                let name = if length == 0 { &[][..] } else { &name };
                [&[length], &suffix.to_be_bytes()[usize::from(length / 8)..], name].concat()
            })
            .boxed(),
        Field::Types => prop::collection::btree_set(any::<u16>(), 0..20).prop_map(bitmap).boxed(),
        Field::Location => {
            (0..10u8, 0..10u8, -324_000_000..=324_000_000i64, -648_000_000..=648_000_000i64, any::<u32>())
                .prop_map(|(base, exponent, latitude, longitude, altitude)| {
                    let size = if base == 0 { 0 } else { base << 4 | exponent };
                    let angle = |angle: i64| ((1i64 << 31) + angle) as u32;
                    let words = [angle(latitude), angle(longitude), altitude].map(u32::to_be_bytes);
                    [&[0, size, 0x90, 0x09 + 0x10][..], &words.concat()].concat()
                })
                .boxed()
        }
        Field::SvcParams => {
            prop::collection::btree_map(0..20u16, octets(1..40usize), 0..8).prop_map(svc_params).boxed()
        }
        Field::Prefixes => prop::collection::vec((any::<bool>(), 0..=32u8, octets(0..5usize)), 0..4)
            .prop_map(|list| {
                let prefix = |(negated, length, mut address): (bool, u8, Vec<u8>)| {
                    while address.last() == Some(&0) {
                        address.pop();
                    }
                    let family = 1 + u8::from(length % 2 == 0);
                    [&[0, family, length, u8::from(negated) << 7 | address.len() as u8], &address[..]]
                        .concat()
                };
                list.into_iter().flat_map(prefix).collect()
            })
            .boxed(),
        Field::Gateway => (any::<u8>(), 0..4u8, name(), octets(16..17usize), octets(0..50usize))
            .prop_map(|(algorithm, kind, name, address, key)| {
                [&[kind, algorithm], gateway(kind, &address, &name), &key].concat()
            })
            .boxed(),
        fixed => {
            let size = fixed_octets(fixed).unwrap();
            octets(size..size + 1).boxed()
        }
    }
}

fn gateway<'a>(kind: u8, address: &'a [u8], name: &'a [u8]) -> &'a [u8] {
    match kind {
        0 => &[],
        1 => &address[..4],
        2 => address,
        _ => name,
    }
}

fn without_zeros(mut octets: Vec<u8>) -> Vec<u8> {
    octets.truncate(octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1));
    octets
}

pub(super) fn name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..6).prop_map(|labels| {
        let mut octets: Vec<u8> =
            labels.iter().flat_map(|label| [&[label.len() as u8], &label[..]].concat()).collect();
        octets.push(0);
        octets
    })
}

fn bitmap(types: std::collections::BTreeSet<u16>) -> Vec<u8> {
    let mut windows: std::collections::BTreeMap<u8, Vec<u8>> = Default::default();
    for rr_type in types {
        let [window, bit] = rr_type.to_be_bytes();
        let bits = windows.entry(window).or_default();
        bits.resize(usize::from(bit / 8) + 1, 0);
        bits[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    windows.iter().flat_map(|(window, bits)| [&[*window, bits.len() as u8], &bits[..]].concat()).collect()
}

/// Values of the form that each known key asks for, made from any octets.
fn svc_params(mut list: std::collections::BTreeMap<u16, Vec<u8>>) -> Vec<u8> {
    let keys: Vec<u8> = list.keys().filter(|key| **key > 0).flat_map(|key| key.to_be_bytes()).collect();
    if keys.is_empty() {
        list.remove(&0);
    }
    let mut octets = Vec::new();
    for (key, any) in list {
        let value = match key {
            0 => keys.clone(),
            1 => [&[any.len() as u8], &any[..], &[1, any[0]]].concat(),
            2 | 8 | 11 => vec![],
            3 => any.repeat(2)[..2].to_vec(),
            9 => any.repeat(2),
            10 if any.len() == 1 => vec![],
            10 => [&[any.len() as u8], &any[..]].concat(),
            4 => any.repeat(4)[..4 * any.len()].to_vec(),
            6 => any.repeat(16),
            7 => any.iter().map(|octet| octet & 0x7f).collect(),
            _ => any,
        };
        octets.extend_from_slice(&key.to_be_bytes());
        octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
        octets.extend_from_slice(&value);
    }
    octets
}
