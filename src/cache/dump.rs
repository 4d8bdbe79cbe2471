//! The cache as text, to be read by people and taken up again: octets in and out, files are others' affair.
//!
//! ```text
//! namu-cache 1 1795262400 from=89abcdef01234567             format, the wall clock in seconds since 1970, and from whom
//! answer www.example.org. IN A positive unchecked           a question, what sort of answer, what validation said
//!  answer www.example.org. IN A 3600 212                    an RRset: the TTL it arrived with, and what is left of it
//!   c0000250                                                its records in hexadecimal, `sig` before signatures
//! rrset ns1.example.org. IN A answer-auth unchecked example.org.       how far it is believed, and whose word it is
//!  answer ns1.example.org. IN A 3600 212
//!   c0000235
//! ```
//! What is not fresh and what failed validation is left out, on the way out and on the way in.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::answers::{AnswerUsage, CachedAnswer, CachedRrset, Kind};
use super::cache::{Cache, lifetime};
use super::entry::{Credibility, Entry, Security};
use super::rrsets::check_size;
use super::store::{Kept, Place};
use crate::clock::{Age, Now};
use crate::dns::rdata;
use crate::dns::{Name, Question, RecordsBuf, RrClass, RrType, Rrset, Ttl};

/// How the first line begins.
const FORMAT: &str = "namu-cache 1";
const KINDS: [(Kind, &str); 3] =
    [(Kind::Positive, "positive"), (Kind::NoData, "nodata"), (Kind::NxDomain, "nxdomain")];
const SECURITIES: [(Security, &str); 4] = [
    (Security::Unchecked, "unchecked"),
    (Security::Indeterminate, "indeterminate"),
    (Security::Insecure, "insecure"),
    (Security::Secure, "secure"),
];
const CREDIBILITIES: [(Credibility, &str); 6] = [
    (Credibility::Additional, "additional"),
    (Credibility::AuthorityNonAuth, "authority-non-auth"),
    (Credibility::Forwarded, "forwarded"),
    (Credibility::AnswerNonAuth, "answer-non-auth"),
    (Credibility::AuthorityAuth, "authority-auth"),
    (Credibility::AnswerAuth, "answer-auth"),
];
const SECTIONS: [&str; 2] = ["answer", "authority"];

/// Where a piece of the text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpPlace(Place);

impl DumpPlace {
    /// As numbers, to be told to others.
    pub fn numbers(self) -> (usize, u64) {
        self.0.numbers()
    }

    /// From such numbers; none when they are of no place.
    pub fn from_numbers(numbers: (usize, u64)) -> Option<DumpPlace> {
        Place::from_numbers(numbers).map(DumpPlace)
    }
}

/// What came of taking up a piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Entries taken up.
    pub taken: usize,
    /// Entries that had expired meanwhile, or for which something better was there.
    pub passed_over: usize,
    /// Entries that make no sense; they were left out.
    pub malformed: usize,
}

/// What the first line of the text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The wall clock when it was written, in seconds since 1970.
    pub written: u64,
    /// A number for the servers it was learnt from; none when it does not say.
    pub from: Option<u64>,
}

/// The first line of the text; `from` is a number for the servers it was learnt from.
pub fn head(from: u64, now: Now) -> String {
    format!("{FORMAT} {} from={from:016x}\n", now.unix.seconds())
}

/// What the first line says; none when it is not one of this format.
pub fn read_head(line: &str) -> Option<Head> {
    let words = line.strip_prefix(FORMAT)?.strip_prefix(' ')?.trim_end();
    match words.split_once(" from=") {
        None => Some(Head { written: words.parse().ok()?, from: None }),
        Some((written, from)) => {
            Some(Head { written: written.parse().ok()?, from: Some(u64::from_str_radix(from, 16).ok()?) })
        }
    }
}

fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words.iter().find(|(known, _)| known == value).map_or("bogus", |(_, word)| word)
}

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        word(&KINDS, &self)
    }
}

impl Security {
    /// Its word.
    pub fn word(self) -> &'static str {
        word(&SECURITIES, &self)
    }
}

impl Credibility {
    /// Its word.
    pub fn word(self) -> &'static str {
        word(&CREDIBILITIES, &self)
    }
}

impl Cache {
    /// The entries from a place on, none for the beginning, as text without its first line: some octets more than
    /// `octets`, and where it goes on, if it does.
    pub fn dump(&self, from: Option<DumpPlace>, octets: usize, now: Now) -> (String, Option<DumpPlace>) {
        let mut text = String::new();
        let mut shard = Some(from.map_or(Place::default(), |from| from.0));
        while let Some(place) = shard {
            for (behind, kept) in self.store().all_from(place) {
                write_entry(&kept, now, &mut text);
                if text.len() >= octets {
                    return (text, Some(DumpPlace(behind)));
                }
            }
            shard = place.next_shard();
        }
        (text, None)
    }

    /// Takes up whole entries of a text that was written when the wall clock showed `written`, in seconds since 1970.
    /// Nothing lives longer than it would have, and what is here and believed more or ends later stays.
    pub fn load(&self, text: &str, written: u64, now: Now) -> Loaded {
        let passed = Duration::from_secs(now.unix.seconds().saturating_sub(written));
        let mut loaded = Loaded::default();
        let mut lines = text.lines().filter(|line| !line.is_empty()).peekable();
        while let Some(first) = lines.next() {
            let mut body = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                body.push(line);
            }
            let is_taken = read_entry(first, &body, passed, now).map(|kept| self.take(kept, now));
            *match is_taken {
                None => &mut loaded.malformed,
                Some(true) => &mut loaded.taken,
                Some(false) => &mut loaded.passed_over,
            } += 1;
        }
        loaded
    }

    fn take(&self, kept: Kept, now: Now) -> bool {
        let latest = now.age.plus(lifetime(self.options().max_ttl));
        let is_wanted = |expires: Age| now.age < expires && expires <= latest;
        match kept {
            Kept::Rrset(entry) => {
                let known =
                    self.rrset(entry.rrset.owner.as_ref(), entry.rrset.rr_type, entry.credibility, now);
                let is_better = known.is_none_or(|known| known.expires < entry.expires);
                is_better && is_wanted(entry.expires) && self.put_rrset(entry, now).is_ok()
            }
            Kept::Answer(answer) => {
                let is_known = match self.lookup(answer.question.as_ref(), now) {
                    super::Lookup::Fresh(known) => known.expires >= answer.expires,
                    _ => false,
                };
                let is_taken = !is_known && is_wanted(answer.expires);
                if is_taken && let Some(answer) = Arc::into_inner(answer) {
                    self.put_answer(answer);
                }
                is_taken
            }
        }
    }
}

fn write_entry(kept: &Kept, now: Now, text: &mut String) {
    let written = match kept {
        Kept::Answer(answer) if answer.is_fresh(now) && answer.security != Security::Bogus => {
            write_answer(answer, now, text)
        }
        Kept::Rrset(entry) if entry.is_fresh(now) && entry.security != Security::Bogus => {
            let Entry { rrset, credibility, source_zone, security, expires } = &**entry;
            let (credibility, security) = (credibility.word(), security.word());
            let head = format_args!("{} {} {}", rrset.owner, rrset.class, rrset.rr_type);
            writeln!(text, "rrset {head} {credibility} {security} {source_zone}")
                .and_then(|()| write_rrset(SECTIONS[0], rrset, expires.since(now.age), text))
        }
        _ => Ok(()),
    };
    written.expect("a String takes all that is written");
}

fn write_answer(answer: &CachedAnswer, now: Now, text: &mut String) -> std::fmt::Result {
    let Question { name, class, rr_type } = &answer.question;
    writeln!(text, "answer {name} {class} {rr_type} {} {}", answer.kind.word(), answer.security.word())?;
    for (section, rrsets) in SECTIONS.into_iter().zip([&answer.answer, &answer.authority]) {
        for cached in rrsets {
            write_rrset(section, &cached.rrset, cached.expires.since(now.age), text)?;
        }
    }
    Ok(())
}

fn write_rrset(section: &str, rrset: &Rrset, left: Duration, text: &mut String) -> std::fmt::Result {
    let Rrset { owner, class, rr_type, ttl, .. } = rrset;
    writeln!(text, " {section} {owner} {class} {rr_type} {ttl} {}", left.as_secs())?;
    for (mark, records) in [("", rrset.records()), ("sig ", rrset.signatures())] {
        for rdata in records {
            write!(text, "  {mark}")?;
            rdata.iter().try_for_each(|octet| write!(text, "{octet:02x}"))?;
            // RDATA without octets has a line all the same.
            writeln!(text, "{}", if rdata.is_empty() { "-" } else { "" })?;
        }
    }
    Ok(())
}

/// An entry from its lines; none when they make no sense.
fn read_entry(first: &str, body: &[&str], passed: Duration, now: Now) -> Option<Kept> {
    let mut sections = read_rrsets(body, passed, now)?;
    let words: Vec<&str> = first.split(' ').collect();
    match words[..] {
        ["answer", name, class, rr_type, kind, security] => {
            let (kind, security) = (meant(&KINDS, kind)?, meant(&SECURITIES, security)?);
            let question = Question {
                name: name.parse().ok()?,
                rr_type: rr_type.parse().ok()?,
                class: class_of(class)?,
            };
            let [answer, authority] = sections;
            let is_whole = match kind {
                Kind::Positive => !answer.is_empty(),
                // What a referral proves of a DS RRset comes without.
                _ if question.rr_type == RrType::DS => !authority.is_empty(),
                _ => authority.iter().any(|cached| cached.rrset.rr_type == RrType::SOA),
            };
            let expires = answer.iter().chain(&authority).map(|cached| cached.expires).min()?;
            let (answer, authority) = (answer.into(), authority.into());
            let (stored, usage) = (now.age, AnswerUsage::default());
            let error = None;
            let answer =
                CachedAnswer { question, kind, answer, authority, expires, stored, security, error, usage };
            is_whole.then(|| Kept::Answer(Arc::new(answer)))
        }
        ["rrset", _, _, _, credibility, security, source_zone] => {
            let cached = sections[0].pop().filter(|_| sections.iter().all(Vec::is_empty))?;
            let CachedRrset { rrset, expires } = cached;
            Some(Kept::Rrset(Arc::new(Entry {
                rrset,
                expires,
                credibility: meant(&CREDIBILITIES, credibility)?,
                source_zone: source_zone.parse().ok()?,
                security: meant(&SECURITIES, security)?,
            })))
        }
        _ => None,
    }
}

fn read_rrsets(body: &[&str], passed: Duration, now: Now) -> Option<[Vec<CachedRrset>; 2]> {
    let mut sections = [Vec::new(), Vec::new()];
    let mut lines = body.iter().peekable();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.strip_prefix(' ')?.split(' ').collect();
        let [section, owner, class, rr_type, ttl, left] = words[..] else { return None };
        let (owner, rr_type): (Name, RrType) = (owner.parse().ok()?, rr_type.parse().ok()?);
        let (mut records, mut signatures) = (RecordsBuf::new(), RecordsBuf::new());
        while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
            let line = &line[2..];
            match line.strip_prefix("sig ") {
                Some(hex) => push(&mut signatures, RrType::RRSIG, hex)?,
                None => push(&mut records, rr_type, line)?,
            }
        }
        let mut rrset = Rrset::new(owner, rr_type, Ttl::saturating(ttl.parse().ok()?), records, signatures);
        rrset.class = class_of(class)?;
        let left = Duration::from_secs(left.parse().ok()?).saturating_sub(passed);
        let cached = CachedRrset { rrset: Arc::new(rrset), expires: now.age.plus(left) };
        sections[SECTIONS.iter().position(|known| *known == section)?].push(cached);
    }
    check_size(sections.iter().flatten().map(|cached| &cached.rrset)).ok()?;
    let is_empty = |cached: &CachedRrset| cached.rrset.records().is_empty();
    (!sections.iter().flatten().any(is_empty)).then_some(sections)
}

/// Only RDATA that the wire could have brought: what is in the cache is not checked again.
fn push(records: &mut RecordsBuf, rr_type: RrType, hex: &str) -> Option<()> {
    let digits = hex.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|nibble| nibble as u8);
    let octets: Option<Vec<u8>> = match digits {
        b"-" => Some(Vec::new()),
        digits if digits.is_empty() || !digits.len().is_multiple_of(2) => None,
        digits => digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect(),
    };
    let octets = octets.filter(|octets| rdata::check(rr_type, octets).is_ok())?;
    records.push(&octets).then_some(())
}

fn class_of(word: &str) -> Option<RrClass> {
    word.parse().ok().filter(|class| *class == RrClass::IN)
}

fn meant<T: Copy>(words: &[(T, &str)], word: &str) -> Option<T> {
    words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{address_rrset, cache, name, rrset};
    use crate::cache::{CacheOptions, Lookup, NewAnswer, NewRrset};
    use crate::clock::{Tick, Unix};

    /// Seconds of age and of the wall clock.
    fn at(age: u64, unix: u64) -> Now {
        let nanoseconds = |seconds: u64| seconds * 1_000_000_000;
        Now { tick: Tick(0), age: Age(nanoseconds(age)), unix: Unix(nanoseconds(unix)) }
    }

    fn question(owner: &str) -> Question {
        Question::new(name(owner), RrType::A)
    }

    fn store(cache: &Cache, owner: &str, ttl: u32, security: Security) {
        let answer = vec![address_rrset(owner, ttl, &[1, 2])];
        let new = NewAnswer { security, ..NewAnswer::unchecked(Kind::Positive, answer, vec![]) };
        cache.store_answer(question(owner).as_ref(), new, at(1000, 5000)).unwrap();
    }

    fn full() -> Cache {
        let cache = cache();
        store(&cache, "www.Example.", 300, Security::Secure);
        store(&cache, "a\\032b\\010c.example.", 300, Security::Unchecked);
        store(&cache, "short.example.", 20, Security::Unchecked);
        store(&cache, "bogus.example.", 300, Security::Bogus);
        let soa = [&[0, 0][..], &[0, 0, 0, 60].repeat(5)].concat();
        let authority = vec![rrset("example.", RrType::SOA, 600, &[&soa])];
        let (kind, answer, security) = (Kind::NxDomain, vec![], Security::Insecure);
        let new = NewAnswer { security, ..NewAnswer::unchecked(kind, answer, authority) };
        cache.store_answer(question("no.example.").as_ref(), new, at(1000, 5000)).unwrap();
        let (rrset, credibility) = (address_rrset("ns.example.", 300, &[7]), Credibility::AnswerNonAuth);
        let new = NewRrset { rrset, credibility, source_zone: name("example."), security };
        cache.store_rrset(new, at(1000, 5000)).unwrap();
        cache
    }

    fn whole(cache: &Cache, octets: usize, now: Now) -> Vec<String> {
        let (mut pieces, mut from) = (Vec::new(), None);
        loop {
            let (piece, next) = cache.dump(from, octets, now);
            pieces.push(piece);
            match next {
                None => return pieces,
                next => from = next,
            }
        }
    }

    /// Kind, security and what is left of the TTL.
    fn look(cache: &Cache, owner: &str, now: Now) -> Option<(Kind, Security, u32)> {
        match cache.lookup(question(owner).as_ref(), now) {
            Lookup::Fresh(answer) => {
                let first = answer.answer.iter().chain(&answer.authority).next()?;
                Some((answer.kind, answer.security, first.ttl(now).seconds()))
            }
            _ => None,
        }
    }

    #[test]
    fn every_credibility_comes_back_as_it_was() {
        use Credibility::*;
        for credibility in [Additional, AuthorityNonAuth, Forwarded, AnswerNonAuth, AuthorityAuth, AnswerAuth]
        {
            let (cache, other) = (cache(), self::cache());
            let rrset = address_rrset("a.example.", 300, &[1]);
            let (source_zone, security) = (name("example."), Security::Unchecked);
            let new = NewRrset { rrset, credibility, source_zone, security };
            cache.store_rrset(new, at(1000, 5000)).unwrap();
            let (text, _) = cache.dump(None, 1 << 20, at(1000, 5000));
            assert_eq!(other.load(&text, 5000, at(0, 5000)).taken, 1, "{text}");
            let same = other.rrset(name("a.example.").as_ref(), RrType::A, credibility, at(0, 5000));
            assert_eq!(same.map(|entry| entry.credibility), Some(credibility));
        }
    }

    #[test]
    fn what_was_saved_is_back_with_the_ages_it_has_meanwhile() {
        let cache = full();
        for octets in [1, 200, 1 << 20] {
            let pieces = whole(&cache, octets, at(1010, 5010));
            assert!(octets > 1 || pieces.len() > 3, "{}", pieces.len());
            let Head { written, from } = read_head(&head(0xfeed, at(1010, 5010))).unwrap();
            assert_eq!(from, Some(0xfeed));
            // Another process: the age begins anew, the wall clock has gone on for 30 seconds.
            let (other, now) = (self::cache(), at(7, 5040));
            let loaded = pieces.iter().map(|piece| other.load(piece, written, now));
            let sum = loaded.fold((0, 0, 0), |sum, loaded| {
                (sum.0 + loaded.taken, sum.1 + loaded.passed_over, sum.2 + loaded.malformed)
            });
            assert_eq!(sum, (4, 1, 0), "the short one has expired, the bogus one was never written");
            let positive = |security| Some((Kind::Positive, security, 260));
            assert_eq!(look(&other, "www.example.", now), positive(Security::Secure));
            assert_eq!(look(&other, "a\\032b\\010c.example.", now), positive(Security::Unchecked));
            assert_eq!(look(&other, "no.example.", now), Some((Kind::NxDomain, Security::Insecure, 20)));
            assert_eq!(look(&other, "short.example.", now), None);
            assert_eq!(look(&other, "bogus.example.", now), None);
            let ns = other.rrset(name("ns.example.").as_ref(), RrType::A, Credibility::AnswerNonAuth, now);
            assert_eq!(
                ns.map(|entry| (entry.ttl(now).seconds(), entry.source_zone.clone())),
                Some((260, name("example.")))
            );
        }
    }

    #[test]
    fn a_clock_set_back_makes_nothing_older_or_younger() {
        let text = whole(&full(), 1 << 20, at(1000, 5000)).concat();
        let other = cache();
        other.load(&text, 5000, at(0, 10));
        assert_eq!(look(&other, "www.example.", at(0, 10)), Some((Kind::Positive, Security::Secure, 300)));
    }

    #[test]
    fn what_is_here_and_better_stays_and_limits_hold() {
        let (text, now) = (whole(&full(), 1 << 20, at(1000, 5000)).concat(), at(1000, 5000));
        let same = full();
        assert_eq!(same.load(&text, 5000, now).taken, 0);
        let limited = Cache::new(CacheOptions { max_ttl: Ttl::saturating(100), ..CacheOptions::default() });
        assert_eq!(limited.load(&text, 5000, now).passed_over, 3, "longer than anything may live");
        assert_eq!(look(&limited, "www.example.", now), None);
    }

    #[test]
    fn what_makes_no_sense_is_left_out_and_counted() {
        let good = " answer a. IN A 60 60\n  c0000201\n";
        let answer = "answer a. IN A positive unchecked\n";
        let long = format!("  {}\n", "00".repeat(9000));
        for text in [
            "nonsense".to_string(),
            answer.into(),
            format!("answer a. IN A bogus unchecked\n{good}"),
            format!("answer a. IN A positive bogus\n{good}"),
            format!("answer a. CH A positive unchecked\n{good}"),
            format!("answer a..b IN A positive unchecked\n{good}"),
            format!("answer a. IN A nxdomain unchecked\n{good}"),
            format!("{answer} answer a. IN A 60 60\n"),
            format!("{answer} answer a. IN A 60 60\n  c00002\n"),
            format!("{answer} answer a. IN A 60 60\n  c0000201ff\n"),
            format!("{answer} answer a. IN A 60 60\n  c000020\n"),
            format!("{answer} answer a. IN A 60 60\n  c00002\u{e9}0\n"),
            format!("{answer} answer a. IN A 60 -1\n  c0000201\n"),
            format!("{answer} answer a. IN A 60\n  c0000201\n"),
            format!("{answer} additional a. IN A 60 60\n  c0000201\n"),
            format!("{answer} answer a. IN TXT 60 60\n{long}"),
            format!("rrset a. IN A answer-auth unchecked\n{good}"),
            format!("rrset a. IN A answer-auth unchecked .\n{good}{good}"),
            format!(" {good}"),
        ] {
            let cache = cache();
            let loaded = cache.load(&text, 5000, at(0, 5000));
            assert_eq!((loaded.taken, loaded.passed_over), (0, 0), "{text}");
            assert!(loaded.malformed > 0 && cache.usage().entries == 0, "{text}");
        }
        let loaded = cache().load(&format!("{answer}{good}"), 5000, at(0, 5000));
        assert_eq!((loaded.taken, loaded.malformed), (1, 0));
        assert_eq!(read_head("namu-cache 1 5000\n"), Some(Head { written: 5000, from: None }));
        for line in ["namu-cache 1 from=1", "namu-cache 1 5000 from=", "namu-cache 1 5000 from=x 1"] {
            assert_eq!(read_head(line), None, "{line}");
        }
        for line in ["", "namu-cache 2 5000", "namu-cache 1", "namu-cache 1 then", "namu-cache 15000"] {
            assert_eq!(read_head(line), None, "{line}");
        }
    }
}
