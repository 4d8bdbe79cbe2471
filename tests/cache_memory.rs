//! `cache.size` is what the cache takes of the process's memory. A binary of its own, so that nothing else grows.

use std::sync::Arc;

use namu::cache::{Cache, CacheOptions, Credibility, Kind, Lookup, NewAnswer, NewRrset, Security};
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::{Name, Question, RecordsBuf, RrType, Rrset, SharedRrset, Ttl};

const SIZE: u64 = 32 << 20;

#[test]
fn a_flood_of_unique_names_takes_the_memory_it_may_take_and_no_more() {
    let now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };
    let cache = Cache::new(CacheOptions { size: SIZE, ..CacheOptions::default() });
    let before = resident_octets();
    let mut most = 0;
    for number in 0..60_000 {
        flood(&cache, number, now);
        if number % 1000 == 0 {
            most = most.max(resident_octets() - before);
        }
    }
    let usage = cache.usage();
    println!("resident growth {most} for {} octets, {usage:?}", SIZE);
    assert!(usage.entries < 60_000, "the flood was larger than the cache");
    assert!(usage.octets <= SIZE);
    assert!(most <= SIZE + SIZE / 5, "more than it may: {most}");
    assert!(most >= SIZE - SIZE / 5, "much less than it may, so the accounting is wrong: {most}");
    let last = question(59_999);
    assert!(matches!(cache.lookup(last.as_ref(), now), Lookup::Fresh(_)), "what was just stored is there");
}

/// Half answers, half single RRsets.
fn flood(cache: &Cache, number: u32, now: Now) {
    let question = question(number);
    let rrset = address(&question.name, number);
    if number.is_multiple_of(2) {
        let security = Security::Unchecked;
        let source_zone = Name::root();
        let new = NewRrset { rrset, credibility: Credibility::AnswerAuth, source_zone, security };
        cache.store_rrset(new, now).expect("small and with a TTL");
    } else {
        let (answer, authority) = (vec![rrset], Vec::new());
        let new = NewAnswer::unchecked(Kind::Positive, answer, authority);
        cache.store_answer(question.as_ref(), new, now).expect("small and with a TTL");
    }
}

fn question(number: u32) -> Question {
    Question::new(format!("host-{number}.example.net.").parse().expect("a name"), RrType::A)
}

fn address(owner: &Name, number: u32) -> SharedRrset {
    let records: RecordsBuf = [&number.to_be_bytes()[..]].into_iter().collect();
    Arc::new(Rrset::new(owner.clone(), RrType::A, Ttl::saturating(3600), records, RecordsBuf::new()))
}

fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: u64 = statm.split(' ').nth(1).expect("the second field").parse().expect("a number");
    pages * 4096
}
