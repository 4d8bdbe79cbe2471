//! What an operator asks of the cache, and the cache on disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use twox_hash::XxHash3_64;

use super::command::{Refusal, Reply};
use super::durable;
use super::report::{CacheEntry, CacheStatus};
use crate::cache::dump::{self, Head};
use crate::cache::{Cache, CachedRrset, Chosen, DumpPlace, Known, Loaded};
use crate::clock::{Age, Now, Unix};
use crate::dns::{ErrorCode, Name, Question, RrType, Rrset};
use crate::limits;
use crate::observe::prometheus::CacheNumbers;
use crate::observe::{Source, Totals};
use crate::recursion::Recursion;
use crate::resolver::{UpstreamKind, UpstreamZone};
use crate::validator::{TrustAnchors, ValidationOptions};
use crate::zonefile::write_rrset;

/// The name in the state directory. The number is that of the format.
const FILE: &str = "cache-1.txt";

/// The cache in numbers, for those who collect them.
pub(super) fn numbers(cache: &Cache, recursion: &Recursion, totals: &Totals) -> CacheNumbers {
    let usage = cache.usage();
    CacheNumbers {
        entries: usage.entries,
        octets: usage.octets,
        denials: usage.denials,
        evicted: usage.evicted,
        prefetched: recursion.prefetched(),
        stale: responses(totals, &[Source::Stale]),
    }
}

/// The same for people.
pub(super) fn status(cache: &Cache, recursion: &Recursion, totals: &Totals) -> CacheStatus {
    let CacheNumbers { entries, octets, denials, evicted, prefetched, stale } =
        numbers(cache, recursion, totals);
    CacheStatus {
        entries,
        octets,
        denials,
        size: cache.options().size,
        evicted,
        hits: responses(
            totals,
            &[Source::Cache, Source::NegativeCache, Source::FailureCache, Source::Synthesized],
        ),
        misses: responses(totals, &[Source::Recursion, Source::Forward]),
        stale,
        prefetched,
        under_way: recursion.under_way(),
    }
}

fn responses(totals: &Totals, sources: &[Source]) -> u64 {
    sources.iter().map(|source| totals.responses_from(*source)).sum()
}

/// What is known of a name, the answers first.
pub(super) fn entries(cache: &Cache, name: &Name, rr_type: Option<RrType>, now: Now) -> Vec<CacheEntry> {
    let mut entries: Vec<CacheEntry> =
        cache.known(name.as_ref(), rr_type).iter().map(|known| entry(known, now)).collect();
    let asked = [RrType::A, RrType::AAAA].into_iter().filter(|own| rr_type.is_none_or(|meant| meant == *own));
    let asked = asked.chain(rr_type.filter(|own| ![RrType::A, RrType::AAAA].contains(own)));
    for rr_type in asked {
        let question = Question::new(name.clone(), rr_type);
        if let Some(error) = cache.failure(question.as_ref(), now) {
            let code =
                if error.code == ErrorCode::OTHER { String::new() } else { format!("{} ", error.code) };
            entries.push(CacheEntry {
                is: "failure".into(),
                kind: format!("{code}{}", error.text),
                ..CacheEntry::of(name, rr_type)
            });
        }
    }
    let delegation = cache.closest_delegation(name.as_ref(), now).filter(|known| known.apex == *name);
    if let Some(delegation) = delegation.filter(|_| rr_type.is_none_or(|meant| meant == RrType::NS)) {
        let servers = delegation.servers.iter().map(|server| {
            let addresses: Vec<_> = server.addresses.iter().map(ToString::to_string).collect();
            format!("{} {}", server.name, addresses.join(" ")).trim_end().to_owned()
        });
        entries.push(CacheEntry {
            is: "delegation".into(),
            ttl: left(delegation.expires, now),
            records: servers.collect(),
            ..CacheEntry::of(name, RrType::NS)
        });
    }
    entries.sort_by(|a, b| (&a.is, &a.rr_type).cmp(&(&b.is, &b.rr_type)));
    entries
}

impl CacheEntry {
    fn of(name: &Name, rr_type: RrType) -> CacheEntry {
        CacheEntry {
            is: String::new(),
            name: name.to_string(),
            rr_type: rr_type.to_string(),
            kind: String::new(),
            security: "-".into(),
            why: None,
            ttl: 0,
            records: Vec::new(),
        }
    }
}

fn entry(known: &Known, now: Now) -> CacheEntry {
    match known {
        Known::Answer(answer) => {
            let rrsets = answer.answer.iter().chain(&answer.authority);
            CacheEntry {
                is: "answer".into(),
                kind: answer.kind.word().into(),
                security: answer.security.word().into(),
                why: answer.error.as_ref().map(|error| format!("{} {}", error.code, error.text)),
                ttl: left(answer.expires, now),
                records: rrsets.flat_map(|cached| lines(cached, now)).collect(),
                ..CacheEntry::of(&answer.question.name, answer.question.rr_type)
            }
        }
        Known::Rrset(entry) => {
            let cached = CachedRrset { rrset: Arc::clone(&entry.rrset), expires: entry.expires };
            CacheEntry {
                is: "rrset".into(),
                kind: entry.credibility.word().into(),
                security: entry.security.word().into(),
                ttl: left(entry.expires, now),
                records: lines(&cached, now),
                ..CacheEntry::of(&entry.rrset.owner, entry.rrset.rr_type)
            }
        }
    }
}

fn left(expires: Age, now: Now) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds(expires.since(now.age)) - seconds(now.age.since(expires))
}

fn lines(cached: &CachedRrset, now: Now) -> Vec<String> {
    let mut rrset = Rrset::clone(&cached.rrset);
    rrset.ttl = cached.ttl(now);
    let mut text = String::new();
    write_rrset(rrset.view(), &mut text).expect("a string takes all that is written to it");
    text.lines().map(str::to_owned).collect()
}

pub(super) fn flush(cache: &Cache, chosen: Chosen<'_>) -> Reply {
    let changes = match cache.flush(chosen) {
        0 => Vec::new(),
        1 => vec!["1 entry is forgotten".into()],
        count => vec![format!("{count} entries are forgotten")],
    };
    Reply::Done { changes, problems: Vec::new(), warnings: Vec::new() }
}

pub(super) fn piece(own: &Recursion, from: Option<(usize, u64)>) -> Reply {
    let (from, now) = (from.and_then(DumpPlace::from_numbers), own.now());
    let (text, next) = own.cache().dump(from, limits::CACHE_DUMP_PIECE, now);
    Reply::CachePiece { head: dump::head(servers_of(own), now), text, next: next.map(DumpPlace::numbers) }
}

pub(super) fn load(own: &Recursion, head: &str, entries: &str) -> Result<Reply, Refusal> {
    let head = dump::read_head(head).ok_or_else(|| Refusal("this is no saved cache of version 1".into()))?;
    if !is_of(own, &head) {
        return Err(Refusal(format!(
            "this cache was learnt from {OTHERS}; it is taken up all the same when its first line does not say `from=`"
        )));
    }
    let Loaded { taken, passed_over, malformed } = own.cache().load(entries, head.written, own.now());
    Ok(Reply::CacheLoaded { taken, passed_over, malformed })
}

/// Of whom a cache is that does not fit.
const OTHERS: &str = "other servers than those configured now, or judged otherwise (forward and stub zones, root hints, trust \
                      anchors)";

/// Whether what was saved was learnt from those who are asked now. What others said is not what these would say.
fn is_of(own: &Recursion, head: &Head) -> bool {
    head.from.is_none_or(|from| from == servers_of(own))
}

/// A number for the servers from which everything is learnt, the same for as long as those are the same.
fn servers_of(own: &Recursion) -> u64 {
    let mut text = String::new();
    for UpstreamZone { apex, kind, servers, fallback, .. } in own.upstreams().zones() {
        let kind = if *kind == UpstreamKind::Forward { "forward" } else { "stub" };
        let mut servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        servers.sort();
        let apex = apex.to_string().to_lowercase();
        text.push_str(&format!("{kind} {apex} {} {fallback}\n", servers.join(" ")));
    }
    let hints = own.hints().servers.iter().flat_map(|server| server.addresses.iter());
    let mut hints: Vec<String> = hints.map(ToString::to_string).collect();
    hints.sort();
    let now = own.now().unix;
    let validation = own.validation().map(|own| trust(&own.options, &own.anchors.current(), now));
    XxHash3_64::oneshot((text + &hints.join(" ") + &validation.unwrap_or_default()).as_bytes())
}

/// By what answers are judged: what was secure by one trust anchor is not so by another, and what was not validated below a
/// negative one may be bogus when that has ended.
fn trust(options: &ValidationOptions, anchors: &TrustAnchors, now: Unix) -> String {
    let ended = anchors.negative().iter().filter(|anchor| !anchor.holds(now)).count();
    format!("{options:?} {anchors:?} {ended}")
}

fn file_in(state: &Path) -> PathBuf {
    state.join(FILE)
}

/// Saves the cache in the state directory: whole, or the file that was there stays.
pub(super) fn save(own: &Recursion, state: &Path) -> io::Result<()> {
    let (cache, now) = (own.cache(), own.now());
    durable::make_folder(state)?;
    durable::replace_with(&file_in(state), &mut |file| {
        file.write_all(dump::head(servers_of(own), now).as_bytes())?;
        let mut from = None;
        loop {
            let (text, next) = cache.dump(from, limits::CACHE_DUMP_PIECE, now);
            file.write_all(text.as_bytes())?;
            match next {
                None => return Ok(()),
                next => from = next,
            }
        }
    })
}

/// Takes up what was saved; none when nothing was. What no longer fits, for its age or its format, is left out, and all of
/// it when it was learnt from others. Returns what is to be said of it.
pub(super) fn take_up(own: &Recursion, state: &Path) -> io::Result<Option<String>> {
    let file = match File::open(file_in(state)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => BufReader::new(file?),
    };
    read(own, file).map(Some)
}

fn read(own: &Recursion, mut file: impl BufRead) -> io::Result<String> {
    let no_cache = || io::Error::other("it is no saved cache of version 1");
    let head = bounded_line(&mut file)?.ok_or_else(no_cache)?;
    let head = dump::read_head(&head).ok_or_else(no_cache)?;
    if !is_of(own, &head) {
        return Ok(format!("the saved cache is not taken up: it was learnt from {OTHERS}"));
    }
    let (mut taken_up, mut entries, mut octets) = (0, String::new(), 0);
    loop {
        let line = bounded_line(&mut file)?;
        let is_entry_end = line.as_ref().is_none_or(|line| !line.starts_with(' '));
        if is_entry_end && (line.is_none() || entries.len() >= limits::CACHE_DUMP_PIECE) {
            taken_up += own.cache().load(&entries, head.written, own.now()).taken;
            entries.clear();
        }
        let said = || Ok(format!("{taken_up} entries of the saved cache are taken up"));
        let Some(line) = line else { return said() };
        octets += line.len() as u64;
        // No entry of ours is that long: the lines of one that is are not worth their memory.
        if octets > limits::CACHE_DUMP_OCTETS || entries.len() > 2 * limits::CACHE_DUMP_PIECE {
            return said();
        }
        entries.push_str(&line);
    }
}

/// A line with its end, if it is one of ours: text, and not too long.
fn bounded_line(file: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    io::Read::take(file, limits::CACHE_DUMP_LINE as u64).read_line(&mut line)?;
    match line.ends_with('\n') {
        true => Ok(Some(line)),
        false if line.is_empty() => Ok(None),
        false => Err(io::Error::other("a line is cut off or too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validator::{Mode, NegativeAnchor};

    #[test]
    fn a_cache_is_judged_otherwise_by_other_anchors_and_when_a_negative_one_has_ended() {
        let (options, noon) = (ValidationOptions::default(), Unix::of_seconds(1_000));
        let negative = |until: u64| {
            let apex = "legacy.example.".parse().unwrap();
            let anchor = NegativeAnchor { apex, until: Some(Unix::of_seconds(until)) };
            TrustAnchors::none().with_negative(vec![anchor])
        };
        let before = trust(&options, &negative(2_000), noon);
        assert_eq!(before, trust(&options, &negative(2_000), Unix::of_seconds(1_999)));
        for other in [
            trust(&options, &negative(2_000), Unix::of_seconds(2_000)),
            trust(&options, &negative(3_000), noon),
            trust(&options, &TrustAnchors::none(), noon),
            trust(&ValidationOptions { mode: Mode::Log, ..options.clone() }, &negative(2_000), noon),
        ] {
            assert_ne!(before, other);
        }
    }
}
