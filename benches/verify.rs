//! Verifying signatures: each algorithm, the canonical form alone, and a large RRset.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use namu::dns::{Name, RecordsBuf, RrType, Rrset, Ttl};
use namu::dnssec::{Algorithm, Canonical, DigestType, Dnskey, Ds, Rrsig, verify};

#[path = "../tests/support/signing.rs"]
mod signing;
use signing::{KEY_SIGNING_KEY, SigningKey, ZONE_KEY};

/// That many addresses of one name, in no order.
fn addresses(count: u32) -> Rrset {
    let owner: Name = "www.example.com.".parse().unwrap();
    let rdata: Vec<[u8; 4]> =
        (0..count).map(|number| number.wrapping_mul(0x9e37_79b1).to_be_bytes()).collect();
    let records: RecordsBuf = rdata.iter().map(<[u8; 4]>::as_slice).collect();
    Rrset::new(owner, RrType::A, Ttl::saturating(3_600), records, RecordsBuf::new())
}

fn signature(key: &SigningKey, rrset: &Rrset) -> Vec<u8> {
    let signer: Name = "example.com.".parse().unwrap();
    key.sign(rrset.view(), signer.as_ref(), 0, 1)
}

fn algorithms(criterion: &mut Criterion) {
    let rrset = addresses(2);
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(1));
    for (algorithm, bits) in [
        (Algorithm::RSASHA1, 512),
        (Algorithm::RSASHA256, 512),
        (Algorithm::RSASHA1, 1024),
        (Algorithm::RSASHA256, 1024),
        (Algorithm::RSASHA256, 2048),
        (Algorithm::RSASHA512, 2048),
    ] {
        let key = SigningKey::rsa(algorithm, ZONE_KEY, bits);
        one(&mut group, &format!("{algorithm} of {bits} bits"), &key, &rrset);
    }
    for algorithm in [Algorithm::ECDSAP256SHA256, Algorithm::ECDSAP384SHA384, Algorithm::ED25519] {
        one(&mut group, &algorithm.to_string(), &SigningKey::new(algorithm), &rrset);
    }
    one(&mut group, "ED25519, 100 records", &SigningKey::new(Algorithm::ED25519), &addresses(100));
    group.finish();
}

type Group<'g> = criterion::BenchmarkGroup<'g, criterion::measurement::WallTime>;

fn one(group: &mut Group<'_>, name: &str, key: &SigningKey, rrset: &Rrset) {
    let rdata = signature(key, rrset);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let rrsig = Rrsig::parse(&rdata).unwrap();
            verify(rrset.view(), &rrsig, &key.key()).unwrap();
        })
    });
}

fn canonical(criterion: &mut Criterion) {
    let key = SigningKey::new(Algorithm::ED25519);
    let mut group = criterion.benchmark_group("canonical form");
    for count in [2, 100, 4_000] {
        let rrset = addresses(count);
        let rdata = signature(&key, &rrset);
        let rrsig = Rrsig::parse(&rdata).unwrap();
        group.bench_function(format!("{count} records, sorted"), |bencher| {
            bencher.iter(|| Canonical::of(rrset.view()))
        });
        let sorted = Canonical::of(rrset.view());
        group.bench_function(format!("{count} records, octets to sign"), |bencher| {
            bencher.iter(|| sorted.signed_octets(&rrsig).unwrap())
        });
    }
    group.finish();
}

fn delegations(criterion: &mut Criterion) {
    let key = SigningKey::rsa(Algorithm::RSASHA256, KEY_SIGNING_KEY, 2048);
    let owner: Name = "example.com.".parse().unwrap();
    let mut group = criterion.benchmark_group("delegation");
    for digest_type in [DigestType::SHA1, DigestType::SHA256, DigestType::SHA384] {
        let rdata = key.ds(owner.as_ref(), digest_type);
        group.bench_function(digest_type.to_string(), |bencher| {
            bencher.iter(|| {
                let key = Dnskey::parse(key.dnskey()).unwrap();
                assert!(Ds::parse(&rdata).unwrap().is_of(owner.as_ref(), &key));
            })
        });
    }
    group.finish();
}

criterion_group!(benches, algorithms, canonical, delegations);
criterion_main!(benches);
