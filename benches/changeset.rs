//! Two versions of a zone of a million records: how long their difference takes, and the hash of one.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use namu::dns::{Name, NameBuf, RrType, Serial, Ttl};
use namu::zone::{Changeset, ContentHash, Zone, ZoneBuilder};

const OWNERS: u32 = 500_000;
const SOA: &[u8] = b"\0\0\0\0\0\x07\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";

/// A and TXT at each owner; one owner in a thousand differs between versions.
fn zone(version: u32) -> Zone {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(apex.clone());
    builder.push(apex.as_ref(), RrType::SOA, Ttl::ZERO, SOA, ());
    for owner in 0..OWNERS {
        let mut name = NameBuf::new();
        name.push_label(format!("host-{owner}").as_bytes()).unwrap();
        let name = name.finish_with(apex.as_ref()).unwrap();
        let address = if owner % 1000 == 0 { owner + version } else { owner };
        builder.push(name, RrType::A, Ttl::MAX, &address.to_be_bytes(), ());
        builder.push(name, RrType::TXT, Ttl::MAX, b"\x0ba text of it", ());
    }
    builder.build().ok().unwrap().zone
}

fn versions(criterion: &mut Criterion) {
    let (old, new) = (zone(1), zone(2).with_serial(Serial(8)));
    let mut group = criterion.benchmark_group("a million records");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("difference, loaded apart", |bencher| {
        bencher.iter(|| Changeset::between(&old, &new))
    });
    let changes = Changeset::between(&old, &new);
    group.bench_function("changes applied", |bencher| bencher.iter(|| changes.apply(&old)));
    let applied = changes.apply(&old).unwrap();
    group.bench_function("difference, pages shared", |bencher| {
        bencher.iter(|| Changeset::between(&old, &applied))
    });
    group.bench_function("content hash", |bencher| bencher.iter(|| ContentHash::of(&old)));
    group.finish();
}

criterion_group!(benches, versions);
criterion_main!(benches);
