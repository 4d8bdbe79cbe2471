//! How long it takes from the text of a zone to the zone: 100,000 records of A, AAAA, NS, MX and TXT.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};

#[path = "../tests/served/mod.rs"]
#[expect(dead_code, reason = "the zone alone, nobody is served")]
mod served;

const RECORDS: usize = 100_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for (bench, text) in [
        ("zone load, in the order of a file that lists hosts", hosts()),
        ("zone load, all records of one owner", one_owner()),
    ] {
        let records = served::zone("example.", &text).record_count();
        println!("{bench}: {records} records, {} octets", text.len());
        let mut group = criterion.benchmark_group("zone load");
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function(bench, |bencher| {
            bencher.iter(|| black_box(served::zone("example.", black_box(&text))));
        });
        group.finish();
    }
    criterion.final_summary();
}

const APEX: &str = "$TTL 1h\n@ SOA ns1 admin 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";

fn hosts() -> String {
    let mut text = APEX.to_owned();
    for number in 0..(RECORDS - 3) / 5 {
        let (high, low) = (number >> 8, number & 255);
        let written = write!(
            text,
            "host{number} A 10.0.{high}.{low}\n    AAAA 2001:db8::{high:x}:{low:x}\n    \
             MX 10 mail.host{number}\n    TXT \"host number {number}\" \"of many\"\nchild{number} NS ns.elsewhere.\n"
        );
        written.expect("strings take all");
    }
    text
}

/// Hostile rather than true to life: what is quadratic in the records of an owner would show.
fn one_owner() -> String {
    let mut text = APEX.to_owned();
    for number in 0..RECORDS - 3 {
        let (high, middle, low) = (number >> 16, number >> 8 & 255, number & 255);
        writeln!(text, "host A 10.{high}.{middle}.{low}").expect("strings take all");
    }
    text
}
