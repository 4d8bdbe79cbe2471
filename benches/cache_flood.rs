//! A flood of unique large names through the cache (CVE-2023-2828), and a thousand hot names asked between them: how much
//! memory it takes beyond `cache.size`, and how many of the hot ones are still there when asked for.

use std::sync::Arc;

use namu::cache::{Cache, CacheOptions, Kind, Lookup, NewAnswer};
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::{Question, RecordsBuf, RrType, Rrset, Ttl};

const SIZE: u64 = 64 << 20;
const FLOOD: u32 = 1_000_000;
const HOT: u32 = 1000;
/// Names of the flood for each question for a hot name.
const BETWEEN: u32 = 4;
/// Octets of the text of each name of the flood: with its overhead just within what is kept.
const TEXT: usize = 7 * 1024;
const NOW: Now = Now { tick: Tick(0), age: Age(0), unix: Unix(0) };

fn main() {
    let cache = Cache::new(CacheOptions { size: SIZE, ..CacheOptions::default() });
    for _ in 0..3 {
        (0..HOT).for_each(|number| _ = is_hit(&cache, number));
    }
    let (before, mut most, mut asked, mut hits) = (resident_octets(), 0, 0u32, 0u32);
    for number in 0..FLOOD {
        let owner = format!("flood{number}.example.");
        store(&cache, &owner, RrType::TXT, text());
        if number % BETWEEN == 0 {
            asked += 1;
            hits += u32::from(is_hit(&cache, number / BETWEEN * 7 % HOT));
        }
        if number % 1000 == 0 {
            most = most.max(resident_octets().saturating_sub(before));
        }
    }
    let usage = cache.usage();
    assert!(usage.octets <= SIZE, "{usage:?}");
    let over = most as f64 / SIZE as f64 * 100.0 - 100.0;
    println!("row 11: {FLOOD} unique names of {TEXT} octets through a cache of {} MiB", SIZE >> 20);
    println!("resident growth {} MiB, {over:+.1} % of the size (at most +10 %)", most >> 20);
    let share = f64::from(hits) / f64::from(asked) * 100.0;
    println!("hits of {HOT} hot names {hits} of {asked}, {share:.2} % (at least 95 %)");
}

/// Asks for a hot name, and stores it when it is not there.
fn is_hit(cache: &Cache, number: u32) -> bool {
    let owner = format!("hot{number}.example.");
    let question = question(&owner, RrType::A);
    let is_hit = matches!(cache.lookup(question.as_ref(), NOW), Lookup::Fresh(_));
    if !is_hit {
        store(cache, &owner, RrType::A, [&number.to_be_bytes()[..]].into_iter().collect());
    }
    is_hit
}

fn text() -> RecordsBuf {
    let string = [&[250][..], &[b'x'; 250]].concat();
    [&string.repeat(TEXT / string.len())[..]].into_iter().collect()
}

fn store(cache: &Cache, owner: &str, rr_type: RrType, records: RecordsBuf) {
    let question = question(owner, rr_type);
    let ttl = Ttl::saturating(3600);
    let rrset = Arc::new(Rrset::new(question.name.clone(), rr_type, ttl, records, RecordsBuf::new()));
    let (answer, authority) = (vec![rrset], Vec::new());
    let new = NewAnswer::unchecked(Kind::Positive, answer, authority);
    cache.store_answer(question.as_ref(), new, NOW).expect("within the bounds and with a TTL");
}

fn question(owner: &str, rr_type: RrType) -> Question {
    Question::new(owner.parse().expect("a name"), rr_type)
}

fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: u64 = statm.split(' ').nth(1).expect("the second field").parse().expect("a number");
    pages * 4096
}
