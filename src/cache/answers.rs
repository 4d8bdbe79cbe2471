//! Questions and what answered them: positive, through aliases, or negative (RFC 2308). One look for a hit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::cache::{Cache, Lookup, NotCached, lifetime};
use super::entry::{Security, remaining};
use super::rrsets::check_size;
use super::store::{Kept, Key, allocation, rrset_octets, shared};
use crate::clock::{Age, Now};
use crate::dns::{ExtendedError, NameRef, Question, QuestionRef, Rcode, RrType, Rrset, SharedRrset, Ttl};

/// What a question is answered with. It never changes, but for what is noted of its use; a newer answer is another value.
#[derive(Debug)]
pub struct CachedAnswer {
    /// What was asked. For an answer that denies the name, any type of it.
    pub question: Question,
    /// What sort of answer.
    pub kind: Kind,
    /// The answer section: aliases in the order they were followed, then what the last one leads to.
    pub answer: Box<[CachedRrset]>,
    /// The authority section. Of a negative answer the SOA RRset is among it.
    pub authority: Box<[CachedRrset]>,
    /// From this moment on it is not fresh: the first RRset of it to expire.
    pub expires: Age,
    /// When it was stored.
    pub stored: Age,
    /// What validation has said of the whole.
    pub security: Security,
    /// Why it is bogus, or insecure although it is signed.
    pub error: Option<Arc<ExtendedError>>,
    /// What is noted of its use.
    pub usage: AnswerUsage,
}

/// What is noted of the use of an answer. Relaxed throughout: whoever reads an old note does once more what was done.
#[derive(Debug, Default)]
pub struct AnswerUsage {
    is_hot: AtomicBool,
    is_refreshed: AtomicBool,
    quiet_until: AtomicU64,
}

/// What sort of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There is data of the type.
    Positive,
    /// The name exists, data of the type does not.
    NoData,
    /// The name, or the one the last alias leads to, does not exist.
    NxDomain,
}

/// An RRset of an answer.
#[derive(Debug, Clone)]
pub struct CachedRrset {
    /// The RRset, with the TTL it arrived with; [`CachedRrset::ttl`] is the one to write.
    pub rrset: SharedRrset,
    /// When it expires.
    pub expires: Age,
}

/// An answer to be stored.
#[derive(Debug, Clone)]
pub struct NewAnswer {
    /// What sort of answer.
    pub kind: Kind,
    /// The answer section, as in [`CachedAnswer::answer`].
    pub answer: Vec<SharedRrset>,
    /// The authority section, as in [`CachedAnswer::authority`].
    pub authority: Vec<SharedRrset>,
    /// What validation has said of the whole.
    pub security: Security,
    /// What it has said of the denial at its end alone; none when that is not to be kept for the name that aliases led to.
    pub denial: Option<Security>,
    /// Why it is bogus, or insecure although it is signed.
    pub error: Option<Arc<ExtendedError>>,
}

impl NewAnswer {
    /// An answer that was not validated yet.
    pub fn unchecked(kind: Kind, answer: Vec<SharedRrset>, authority: Vec<SharedRrset>) -> NewAnswer {
        let security = Security::Unchecked;
        NewAnswer { kind, answer, authority, security, denial: Some(security), error: None }
    }
}

impl CachedRrset {
    /// What is left of its TTL; see [`remaining`].
    pub fn ttl(&self, now: Now) -> Ttl {
        remaining(self.expires, now)
    }
}

impl CachedAnswer {
    /// The response code it is given with.
    pub fn rcode(&self) -> Rcode {
        match self.kind {
            Kind::Positive | Kind::NoData => Rcode::NOERROR,
            Kind::NxDomain => Rcode::NXDOMAIN,
        }
    }

    /// Whether an SOA RRset is among its authority section: what a denial needs for those who keep it.
    pub fn has_soa(&self) -> bool {
        self.authority.iter().any(|cached| cached.rrset.rr_type == RrType::SOA)
    }

    /// Whether it may still be used.
    pub fn is_fresh(&self, now: Now) -> bool {
        now.age < self.expires
    }

    /// Notes a hit; says whether with it the answer should be fetched anew: in the last tenth of its time, when it was
    /// asked for before. It says so once.
    pub fn is_due(&self, now: Now) -> bool {
        let AnswerUsage { is_hot, is_refreshed, .. } = &self.usage;
        if !is_hot.load(Ordering::Relaxed) {
            is_hot.store(true, Ordering::Relaxed);
            return false;
        }
        let (left, whole) = (self.expires.0.saturating_sub(now.age.0), self.expires.0 - self.stored.0);
        left < whole / 10
            && !is_refreshed.load(Ordering::Relaxed)
            && !is_refreshed.swap(true, Ordering::Relaxed)
    }

    /// Whether [`CachedAnswer::is_due`] said so.
    pub fn is_refreshed(&self) -> bool {
        self.usage.is_refreshed.load(Ordering::Relaxed)
    }

    /// Whether it could not be had anew a moment ago, so that it is given out stale without another try.
    pub fn is_quiet(&self, now: Now) -> bool {
        now.age.0 < self.usage.quiet_until.load(Ordering::Relaxed)
    }

    /// Gives it out stale without another try for a while.
    pub fn be_quiet(&self, time: Duration, now: Now) {
        self.usage.quiet_until.store(now.age.plus(time).0, Ordering::Relaxed);
    }

    /// Whether the very name that was asked for does not exist, so that this answers for all its types.
    pub(super) fn denies_name_asked(&self) -> bool {
        self.kind == Kind::NxDomain && self.answer.is_empty()
    }

    pub(super) fn octets(&self) -> usize {
        let sections = [&self.answer, &self.authority];
        let lists = sections.iter().filter(|section| !section.is_empty());
        let lists = lists.map(|section| allocation(size_of_val(&***section)));
        let rrsets = sections.into_iter().flatten().map(|cached| rrset_octets(&cached.rrset));
        shared::<CachedAnswer>()
            + allocation(16 + self.question.name.octets().len())
            + lists.sum::<usize>()
            + rrsets.sum::<usize>()
    }

    pub(super) fn key(&self) -> Key<'_> {
        match self.denies_name_asked() {
            true => Key::denied_name(self.question.name.as_ref(), self.question.class),
            false => Key::answer(self.question.as_ref()),
        }
    }
}

impl Cache {
    /// What is known about a question. A hit allocates nothing.
    pub fn lookup(&self, question: QuestionRef<'_>, now: Now) -> Lookup {
        let keys = [Key::answer(question), Key::denied_name(question.name, question.class)];
        let mut stale = None;
        for key in keys {
            match self.store().find(key) {
                Some(Kept::Answer(answer)) if answer.is_fresh(now) => return Lookup::Fresh(answer),
                // What failed validation must not come back when it is old (CVE-2026-46582).
                Some(kept) if kept.end(self.options().serve_stale) <= now.age => {}
                Some(Kept::Answer(answer)) => stale = stale.or(Some(answer)),
                _ => {}
            }
        }
        stale.map_or(Lookup::Miss, Lookup::Stale)
    }

    /// Stores what answered a question, in the place of what was known about it.
    pub fn store_answer(&self, question: QuestionRef<'_>, new: NewAnswer, now: Now) -> Result<(), NotCached> {
        check_size(new.answer.iter().chain(&new.authority))?;
        if new.security == Security::Unchecked && self.is_validated(question, now)
            || new.security == Security::Bogus && self.is_secure(question, now)
        {
            return Err(NotCached::LessCredible);
        }
        if new.kind == Kind::Positive && new.answer.is_empty() {
            return Err(NotCached::Empty);
        }
        let negative_ttl = match new.kind {
            Kind::Positive => None,
            Kind::NoData | Kind::NxDomain if new.security == Security::Bogus => None,
            Kind::NoData | Kind::NxDomain => Some(self.negative_ttl_of(&new.authority, question)?),
        };
        let until = |ttl| now.age.plus(lifetime(ttl));
        let keep = |rrset: SharedRrset, most: Option<Ttl>| {
            let ttl = match new.security {
                // Its TTL is as little to be believed as the rest.
                Security::Bogus => Ttl::saturating(self.options().failure_ttl.as_secs()),
                security => self.clamp_of(security, rrset.ttl),
            };
            CachedRrset { rrset, expires: until(most.map_or(ttl, |most| ttl.min(most))) }
        };
        let answer: Box<[_]> = new.answer.into_iter().map(|rrset| keep(rrset, None)).collect();
        // The authority section of a negative answer lives as long as the denial, its SOA exactly so (RFC 2308 5).
        let authority: Box<[_]> = new.authority.into_iter().map(|rrset| keep(rrset, negative_ttl)).collect();
        let longest = until(match new.security {
            Security::Bogus => Ttl::saturating(self.options().failure_ttl.as_secs()),
            _ => negative_ttl.unwrap_or(self.options().max_ttl),
        });
        let expires = answer.iter().chain(&authority).map(|cached| cached.expires).fold(longest, Ord::min);
        if expires <= now.age {
            return Err(NotCached::ZeroTtl);
        }
        let question = question.to_question();
        let answer = CachedAnswer {
            question,
            kind: new.kind,
            answer,
            authority,
            expires,
            stored: now.age,
            security: new.security,
            error: new.error,
            usage: AnswerUsage::default(),
        };
        let denial = new.denial.and_then(|security| answer.denied_alias_target(security));
        // As above: where an alias leads, others have asked.
        let is_less = |denial: &CachedAnswer| {
            denial.security == Security::Unchecked && self.is_validated(denial.question.as_ref(), now)
        };
        if let Some(denial) = denial.filter(|denial| !is_less(denial)) {
            self.put_answer(denial);
        }
        self.put_answer(answer);
        self.sweep(now);
        Ok(())
    }

    /// The newest word wins: a name that has data, or an alias, is not denied any more; and a question whose name is denied
    /// has no other answer.
    pub(super) fn put_answer(&self, answer: CachedAnswer) {
        match answer.denies_name_asked() {
            true => self.store().remove(Key::answer(answer.question.as_ref())),
            false => {
                let (name, class) = (answer.question.name.as_ref(), answer.question.class);
                self.store().remove(Key::denied_name(name, class));
            }
        }
        self.put(answer);
    }

    fn put(&self, answer: CachedAnswer) {
        let answer = Arc::new(answer);
        self.store().put(answer.key(), Kept::Answer(answer.clone()), |_| false);
    }

    /// Forgets what is known of a question, of an alias at its name, or of names above it that do not exist, and nobody has
    /// validated.
    pub fn forget_unchecked(&self, question: QuestionRef<'_>) {
        let QuestionRef { name, rr_type, class } = question;
        let of_rrsets = [rr_type, RrType::CNAME].map(|rr_type| Key::rrset(name, rr_type, class));
        let of_parts = name.ancestors().map(|part| Key::denied_name(part, class));
        let all = [Key::answer(question)].into_iter().chain(of_rrsets).chain(of_parts);
        all.for_each(|key| self.forget_if_unchecked(key));
    }

    fn forget_if_unchecked(&self, key: Key<'_>) {
        let security = match self.store().find(key) {
            Some(Kept::Answer(answer)) => answer.security,
            Some(Kept::Rrset(entry)) => entry.security,
            _ => return,
        };
        if security == Security::Unchecked {
            self.store().remove(key);
        }
    }

    /// How long a denial may be kept: the smaller of the SOA's TTL and its MINIMUM (RFC 2308 5), within our own limits.
    /// Without an SOA it is not kept, but for what a referral proves of a DS RRset.
    fn negative_ttl_of(
        &self,
        authority: &[SharedRrset],
        question: QuestionRef<'_>,
    ) -> Result<Ttl, NotCached> {
        match authority.iter().find(|rrset| rrset.rr_type == RrType::SOA) {
            Some(soa) => self.negative_ttl(soa).ok_or(NotCached::NoSoa),
            None if question.rr_type != RrType::DS => Err(NotCached::NoSoa),
            None => {
                let shortest = authority.iter().map(|rrset| rrset.ttl).min().ok_or(NotCached::NoSoa)?;
                Ok(self.clamp(shortest).min(self.options().max_negative_ttl))
            }
        }
    }

    /// Whether a fresh answer is known that validation has found good. What nobody has validated yet, and a client may
    /// have asked for that wants no checking, does not take its place.
    fn is_validated(&self, question: QuestionRef<'_>, now: Now) -> bool {
        matches!(self.lookup(question, now), Lookup::Fresh(known) if known.security.is_good())
    }

    /// Whether a fresh answer is known that is proven. It holds for its time; what is bogus, and was asked for before that was
    /// over, takes nothing of it away.
    fn is_secure(&self, question: QuestionRef<'_>, now: Now) -> bool {
        matches!(self.lookup(question, now), Lookup::Fresh(known) if known.security == Security::Secure)
    }

    /// How long a denial that carries this SOA RRset holds here; none when its RDATA is not that of a SOA.
    pub fn negative_ttl(&self, soa: &Rrset) -> Option<Ttl> {
        let minimum = soa.records().first()?.last_chunk::<4>()?;
        let minimum = Ttl::from_wire(u32::from_be_bytes(*minimum));
        Some(self.clamp(soa.ttl.min(minimum)).min(self.options().max_negative_ttl))
    }
}

impl CachedAnswer {
    /// When aliases lead to a name that does not exist: the denial of that name, which is as good as this. The aliases may be
    /// better or worse.
    fn denied_alias_target(&self, security: Security) -> Option<CachedAnswer> {
        if self.kind != Kind::NxDomain {
            return None;
        }
        let alias = self.answer.iter().rfind(|cached| cached.rrset.rr_type == RrType::CNAME)?;
        let target = NameRef::from_wire(alias.rrset.records().first()?).ok()?;
        Some(CachedAnswer {
            question: Question { name: target.to_name(), ..self.question.clone() },
            kind: Kind::NxDomain,
            answer: Box::default(),
            authority: self.authority.clone(),
            expires: self.authority.iter().map(|cached| cached.expires).min()?,
            stored: self.stored,
            security,
            error: self.error.clone().filter(|_| security == self.security),
            usage: AnswerUsage::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::cache::CacheOptions;
    use crate::cache::cache::tests::{address_rrset, cache, name, rrset, second, txt_rrset};
    use crate::clock::{Ageing, Tick, Unix};
    use crate::dns::RrClass;
    use crate::limits;

    fn question(owner: &str, rr_type: RrType) -> Question {
        Question::new(name(owner), rr_type)
    }

    fn soa(ttl: u32, minimum: u32) -> SharedRrset {
        let numbers = [1, 2, 3, 4, minimum].map(u32::to_be_bytes).concat();
        rrset("example.", RrType::SOA, ttl, &[&[&[0, 0], &numbers[..]].concat()])
    }

    fn alias(owner: &str, ttl: u32, target: &str) -> SharedRrset {
        rrset(owner, RrType::CNAME, ttl, &[name(target).octets()])
    }

    fn positive(answer: Vec<SharedRrset>) -> NewAnswer {
        NewAnswer::unchecked(Kind::Positive, answer, Vec::new())
    }

    fn negative(kind: Kind, ttl: u32, minimum: u32) -> NewAnswer {
        NewAnswer { kind, authority: vec![soa(ttl, minimum)], ..positive(Vec::new()) }
    }

    /// In short: rcode, what it is, and the TTLs of the answer and authority sections.
    fn look(cache: &Cache, owner: &str, rr_type: RrType, at: u64) -> String {
        let show = |how: &str, answer: &CachedAnswer| {
            let ttls = |section: &[CachedRrset]| -> Vec<u32> {
                section.iter().map(|cached| cached.ttl(second(at)).seconds()).collect()
            };
            format!("{how} {:?} {:?} {:?}", answer.kind, ttls(&answer.answer), ttls(&answer.authority))
        };
        match cache.lookup(question(owner, rr_type).as_ref(), second(at)) {
            Lookup::Fresh(answer) => show("fresh", &answer),
            Lookup::Stale(answer) => show("stale", &answer),
            Lookup::Miss => "miss".into(),
        }
    }

    fn store(cache: &Cache, owner: &str, new: NewAnswer, at: u64) -> Result<(), NotCached> {
        cache.store_answer(question(owner, RrType::A).as_ref(), new, second(at))
    }

    #[test]
    fn a_positive_answer_ages_and_is_stale_from_its_expiry_on() {
        let cache = cache();
        store(&cache, "www.example.", positive(vec![address_rrset("www.example.", 60, &[1])]), 100).unwrap();
        for (owner, rr_type, at, want) in [
            ("www.example.", RrType::A, 100, "fresh Positive [60] []"),
            ("WWW.example.", RrType::A, 159, "fresh Positive [1] []"),
            ("www.example.", RrType::A, 160, "stale Positive [0] []"),
            ("www.example.", RrType::AAAA, 100, "miss"),
            ("example.", RrType::A, 100, "miss"),
        ] {
            assert_eq!(look(&cache, owner, rr_type, at), want, "{owner} {rr_type} {at}");
        }
        let chaos = Question { class: RrClass::CH, ..question("www.example.", RrType::A) };
        assert!(matches!(cache.lookup(chaos.as_ref(), second(100)), Lookup::Miss));
    }

    #[test]
    fn a_bogus_answer_is_never_stale() {
        let cache = cache();
        let new = positive(vec![address_rrset("www.example.", 60, &[1])]);
        store(&cache, "www.example.", NewAnswer { security: Security::Bogus, ..new }, 0).unwrap();
        // RFC 4035 4.7: "Since RRsets that fail to validate do not have trustworthy TTLs, the implementation MUST assign a
        // TTL. This TTL SHOULD be small". It is that of failures.
        assert_eq!(look(&cache, "www.example.", RrType::A, 4), "fresh Positive [1] []");
        assert_eq!(look(&cache, "www.example.", RrType::A, 5), "miss");
    }

    #[test]
    fn an_alias_chain_expires_with_its_first_rrset() {
        let cache = cache();
        let chain = vec![alias("a.example.", 300, "b.example."), address_rrset("b.example.", 20, &[1])];
        store(&cache, "a.example.", positive(chain), 0).unwrap();
        assert_eq!(look(&cache, "a.example.", RrType::A, 19), "fresh Positive [281, 1] []");
        assert_eq!(look(&cache, "a.example.", RrType::A, 20), "stale Positive [280, 0] []");
    }

    #[test]
    fn a_denial_lives_for_the_smaller_of_soa_ttl_and_minimum_within_an_hour() {
        for (ttl, minimum, want) in [(300, 60, 60), (60, 300, 60), (90_000, 90_000, 3600)] {
            let cache = cache();
            store(&cache, "no.example.", negative(Kind::NoData, ttl, minimum), 0).unwrap();
            let fresh = format!("fresh NoData [] [{want}]");
            assert_eq!(look(&cache, "no.example.", RrType::A, 0), fresh);
            assert_eq!(look(&cache, "no.example.", RrType::A, want - 1), "fresh NoData [] [1]");
            assert_eq!(look(&cache, "no.example.", RrType::A, want), "stale NoData [] [0]");
            assert_eq!(look(&cache, "no.example.", RrType::AAAA, 0), "miss", "NODATA is of one type");
        }
    }

    #[test]
    fn nxdomain_holds_for_all_types_until_the_name_is_seen() {
        let cache = cache();
        store(&cache, "no.example.", positive(vec![address_rrset("no.example.", 60, &[1])]), 0).unwrap();
        store(&cache, "no.example.", negative(Kind::NxDomain, 300, 300), 1).unwrap();
        for rr_type in [RrType::A, RrType::AAAA, RrType::TXT] {
            assert_eq!(look(&cache, "no.example.", rr_type, 2), "fresh NxDomain [] [299]", "{rr_type}");
        }
        assert_eq!(look(&cache, "x.no.example.", RrType::A, 2), "miss");
        store(&cache, "no.example.", positive(vec![address_rrset("no.example.", 60, &[1])]), 3).unwrap();
        assert_eq!(look(&cache, "no.example.", RrType::A, 3), "fresh Positive [60] []");
        assert_eq!(look(&cache, "no.example.", RrType::TXT, 3), "miss");
    }

    #[test]
    fn nxdomain_behind_an_alias_denies_the_target_not_the_alias() {
        let cache = cache();
        let new = NewAnswer {
            answer: vec![alias("a.example.", 50, "b.example."), alias("b.example.", 40, "no.example.")],
            ..negative(Kind::NxDomain, 300, 300)
        };
        store(&cache, "a.example.", new, 0).unwrap();
        assert_eq!(look(&cache, "a.example.", RrType::A, 0), "fresh NxDomain [50, 40] [300]");
        assert_eq!(look(&cache, "a.example.", RrType::TXT, 0), "miss");
        assert_eq!(look(&cache, "no.example.", RrType::TXT, 299), "fresh NxDomain [] [1]");
        assert_eq!(look(&cache, "b.example.", RrType::A, 0), "miss");
        let Lookup::Fresh(answer) = cache.lookup(question("a.example.", RrType::A).as_ref(), second(0))
        else {
            panic!("stored above")
        };
        assert_eq!(answer.rcode(), Rcode::NXDOMAIN);
    }

    #[test]
    fn what_is_not_kept_says_why() {
        let cache = cache();
        let many: Vec<u8> = (0..=100).collect();
        let half = || txt_rrset("www.example.", 60, limits::CACHE_ENTRY_OCTETS / 2);
        let no_soa = NewAnswer { authority: Vec::new(), ..negative(Kind::NxDomain, 1, 1) };
        for (new, want) in [
            (positive(vec![address_rrset("www.example.", 0, &[1])]), NotCached::ZeroTtl),
            (
                positive(vec![alias("www.example.", 0, "b."), address_rrset("b.", 9, &[1])]),
                NotCached::ZeroTtl,
            ),
            (positive(vec![address_rrset("www.example.", 60, &many)]), NotCached::TooManyRecords),
            (positive(vec![half(), half()]), NotCached::TooLarge),
            (positive(Vec::new()), NotCached::Empty),
            (negative(Kind::NoData, 0, 300), NotCached::ZeroTtl),
            (negative(Kind::NoData, 300, 0), NotCached::ZeroTtl),
            (no_soa, NotCached::NoSoa),
        ] {
            assert_eq!(store(&cache, "www.example.", new, 0), Err(want));
            assert_eq!(look(&cache, "www.example.", RrType::A, 0), "miss", "{want:?}");
        }
        store(&cache, "www.example.", positive(vec![address_rrset("www.example.", 60, &many[..100])]), 0)
            .unwrap();
    }

    #[test]
    fn ttls_are_kept_within_the_options() {
        let minutes = |n: u64| Ttl::saturating(60 * n);
        let options =
            CacheOptions { size: 1 << 20, min_ttl: minutes(1), max_ttl: minutes(10), ..Default::default() };
        let cache = Cache::new(options);
        for (ttl, want) in [(0, 60), (59, 60), (61, 61), (600, 600), (601, 600)] {
            store(&cache, "www.example.", positive(vec![address_rrset("www.example.", ttl, &[1])]), 0)
                .unwrap();
            assert_eq!(look(&cache, "www.example.", RrType::A, 0), format!("fresh Positive [{want}] []"));
        }
    }

    #[test]
    fn a_clock_set_back_changes_nothing_and_one_set_forward_expires() {
        let cache = cache();
        let ageing = Ageing::start(Tick(0), Unix(second(10_000).age.0));
        let at = |tick, unix| ageing.now(Tick(second(tick).age.0), Unix(second(unix).age.0));
        let asked = question("www.example.", RrType::A);
        let new = positive(vec![address_rrset("www.example.", 60, &[1])]);
        cache.store_answer(asked.as_ref(), new, at(0, 10_000)).unwrap();
        let ttl = |now| match cache.lookup(asked.as_ref(), now) {
            Lookup::Fresh(answer) => answer.answer[0].ttl(now).seconds(),
            _ => 0,
        };
        assert_eq!(ttl(at(10, 10_010)), 50);
        assert_eq!(ttl(at(11, 1)), 49, "set back");
        assert_eq!(ttl(at(12, 10_030)), 30, "set forward past where it was");
        assert_eq!(ttl(at(13, 5)), 29, "and back");
        assert_eq!(ttl(at(14, 90_000)), 0, "a day ahead");
    }

    /// What happens to the cache and its twin.
    #[derive(Debug, Clone)]
    enum Step {
        Store { owner: u8, rr_type: RrType, kind: Kind, ttl: u32 },
        Wait { milliseconds: u64 },
    }

    /// The slow obvious twin: everything ever stored, the newest last, searched from the end.
    #[derive(Default)]
    struct Twin {
        stored: Vec<(u8, RrType, Kind, u32, u64)>,
    }

    impl Twin {
        /// Kind and TTL of what answers now; times are in milliseconds.
        fn lookup(&self, owner: u8, rr_type: RrType, now: u64) -> Option<(Kind, u32)> {
            let of_name = || self.stored.iter().rev().filter(|stored| stored.0 == owner);
            let denial = of_name().next().is_some_and(|newest| newest.2 == Kind::NxDomain);
            // A denial hides what is known of its own type; other types live on beside it, until the name is seen again.
            let own = of_name().find(|stored| stored.1 == rr_type).filter(|own| own.2 != Kind::NxDomain);
            let denied = of_name().next().filter(|_| denial);
            let left = |stored: &&(u8, RrType, Kind, u32, u64)| {
                let expires = stored.4 + u64::from(stored.3) * 1000;
                (now < expires).then(|| (stored.2, ((expires - now) / 1000) as u32))
            };
            own.as_ref().and_then(left).or(denied.as_ref().and_then(left))
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        let rr_type = prop_oneof![Just(RrType::A), Just(RrType::AAAA)];
        let kind = prop_oneof![3 => Just(Kind::Positive), 1 => Just(Kind::NoData), 1 => Just(Kind::NxDomain)];
        let store = (0..3u8, rr_type, kind, 0..20u32);
        let store = store.prop_map(|(owner, rr_type, kind, ttl)| Step::Store { owner, rr_type, kind, ttl });
        prop_oneof![store, (0..9000u64).prop_map(|milliseconds| Step::Wait { milliseconds })]
    }

    fn take(cache: &Cache, twin: &mut Twin, step: Step, at: &mut u64) {
        let (owner, rr_type, kind, ttl) = match step {
            Step::Wait { milliseconds } => return *at += milliseconds,
            Step::Store { owner, rr_type, kind, ttl } => (owner, rr_type, kind, ttl),
        };
        let owner_name = format!("n{owner}.example.");
        let new = match kind {
            Kind::Positive => positive(vec![rrset(&owner_name, rr_type, ttl, &[&[1]])]),
            _ => negative(kind, ttl, ttl),
        };
        let outcome = cache.store_answer(question(&owner_name, rr_type).as_ref(), new, millisecond(*at));
        assert_eq!(outcome.is_ok(), ttl > 0);
        if ttl > 0 {
            twin.stored.push((owner, rr_type, kind, ttl, *at));
        }
    }

    fn millisecond(at: u64) -> Now {
        Now { age: Age(at * 1_000_000), ..second(0) }
    }

    proptest! {
        #[test]
        fn the_cache_answers_as_its_slow_twin(steps in prop::collection::vec(step(), 1..40)) {
            let (cache, mut twin, mut at) = (cache(), Twin::default(), 0);
            let mut last: BTreeMap<(u8, u16), (Kind, u32)> = BTreeMap::new();
            for step in steps {
                let is_store = matches!(step, Step::Store { .. });
                take(&cache, &mut twin, step, &mut at);
                for (owner, rr_type) in (0..3).flat_map(|owner| [(owner, RrType::A), (owner, RrType::AAAA)]) {
                    let now = millisecond(at);
                    let asked = question(&format!("n{owner}.example."), rr_type);
                    let found = match cache.lookup(asked.as_ref(), now) {
                        Lookup::Fresh(answer) => {
                            let ttl = answer.answer.iter().chain(&answer.authority).map(|c| c.ttl(now)).min();
                            Some((answer.kind, ttl.unwrap().seconds()))
                        }
                        _ => None,
                    };
                    prop_assert_eq!(found, twin.lookup(owner, rr_type, at), "{} at {}", asked, at);
                    let before = last.remove(&(owner, rr_type.0));
                    if let (Some((kind, ttl)), false) = (found, is_store) {
                        let grew = before.is_none_or(|before| before.0 == kind && before.1 < ttl);
                        prop_assert!(!grew, "a TTL grew, or an answer came back, without a store");
                    }
                    last.extend(found.map(|found| ((owner, rr_type.0), found)));
                }
            }
        }
    }
}
