//! What an operator may look at and throw away.

use super::answers::Kind;
use super::cache::Cache;
use super::store::Kept;
use crate::dns::{NameRef, RrType};
use crate::limits;

/// What is known of a name: an answer or a single RRset.
pub use super::store::Kept as Known;

/// What is to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen<'n> {
    /// What concerns this name; none for all names.
    pub name: Option<NameRef<'n>>,
    /// What concerns the names below it, too.
    pub subtree: bool,
    /// Only denials and failures.
    pub negative: bool,
}

impl Chosen<'_> {
    fn has_name(&self, name: NameRef<'_>) -> bool {
        match self.name {
            None => true,
            Some(chosen) if self.subtree => name.is_at_or_below(chosen),
            Some(chosen) => name == chosen,
        }
    }

    /// An answer concerns the names on its way, too: an alias leads to what is to be forgotten.
    fn has(&self, kept: &Kept) -> bool {
        match kept {
            Kept::Answer(answer) if self.negative && answer.kind == Kind::Positive => false,
            Kept::Answer(answer) => {
                self.has_name(answer.question.name.as_ref())
                    || answer.answer.iter().any(|cached| self.has_name(cached.rrset.owner.as_ref()))
            }
            Kept::Rrset(entry) => !self.negative && self.has_name(entry.rrset.owner.as_ref()),
        }
    }
}

impl Cache {
    /// What is kept about a name, fresh or not, at most [`limits::CACHE_SHOWN`] of it. Goes through the whole cache.
    pub fn known(&self, name: NameRef<'_>, rr_type: Option<RrType>) -> Vec<Known> {
        let is_meant = |kept: &Kept| {
            let (of, own_type) = match kept {
                Kept::Answer(answer) if answer.denies_name_asked() => (&answer.question.name, rr_type),
                Kept::Answer(answer) => (&answer.question.name, Some(answer.question.rr_type)),
                Kept::Rrset(entry) => (&entry.rrset.owner, Some(entry.rrset.rr_type)),
            };
            of.as_ref() == name && (rr_type.is_none() || own_type == rr_type)
        };
        self.store().all(is_meant).take(limits::CACHE_SHOWN).collect()
    }

    /// Forgets what is chosen of answers, RRsets, failures and delegations; says how much that was. How servers behave is
    /// remembered on. Of the proofs of a zone any may speak of a name, so they go with the names they could deny.
    pub fn flush(&self, chosen: Chosen<'_>) -> usize {
        let has_name = |name: NameRef<'_>| chosen.has_name(name);
        let delegations = if chosen.negative { 0 } else { self.delegations().remove_all(has_name) };
        let nearest = chosen.name.and_then(|name| self.denials().nearest(name));
        let proves = |apex: NameRef<'_>| {
            has_name(apex) || nearest.as_ref().is_some_and(|zone| zone.apex.as_ref() == apex)
        };
        let denials = self.denials().remove_all(proves);
        // Delegations first: whoever asks meanwhile asks anew from further above.
        denials
            + delegations
            + self.store().remove_all(|kept| chosen.has(kept))
            + self.failures().remove_all(has_name)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::cache::tests::{address_rrset, cache, name, rrset, second};
    use crate::cache::{
        CacheOptions, Credibility, LearntFrom, Lookup, NewAnswer, NewDelegation, NewRrset, Security,
    };
    use crate::dns::{ErrorCode, ExtendedError, Question, Ttl};

    fn question(owner: &str) -> Question {
        Question::new(name(owner), RrType::A)
    }

    fn store(cache: &Cache, owner: &str, kind: Kind) {
        let soa = rrset("test.", RrType::SOA, 60, &[&[&[0, 0][..], &[0, 0, 0, 60].repeat(5)].concat()]);
        let (answer, authority) = match kind {
            Kind::Positive => (vec![address_rrset(owner, 60, &[1])], vec![]),
            _ => (vec![], vec![soa]),
        };
        let new = NewAnswer::unchecked(kind, answer, authority);
        cache.store_answer(question(owner).as_ref(), new, second(0)).unwrap();
    }

    fn full() -> Cache {
        let cache = cache();
        store(&cache, "a.test.", Kind::Positive);
        store(&cache, "x.a.test.", Kind::Positive);
        store(&cache, "no.a.test.", Kind::NxDomain);
        store(&cache, "b.test.", Kind::Positive);
        let cname = rrset("alias.test.", RrType::CNAME, 60, &[name("a.test.").octets()]);
        let answer = vec![cname, address_rrset("a.test.", 60, &[1])];
        let (kind, authority, security) = (Kind::Positive, vec![], Security::Unchecked);
        let new = NewAnswer { security, ..NewAnswer::unchecked(kind, answer, authority) };
        cache.store_answer(question("alias.test.").as_ref(), new, second(0)).unwrap();
        let rrset = address_rrset("a.test.", 60, &[1]);
        let (credibility, source_zone) = (Credibility::AnswerAuth, name("test."));
        let new = NewRrset { rrset, credibility, source_zone, security };
        cache.store_rrset(new, second(0)).unwrap();
        let error = ExtendedError::new(ErrorCode::OTHER, "no");
        cache.store_failure(question("broken.a.test.").as_ref(), error, second(0));
        let (servers, ttl, learnt_from) = (Box::default(), Ttl::saturating(60), LearntFrom::ROOT);
        let delegation = NewDelegation { apex: name("a.test."), servers, ttl, learnt_from };
        cache.store_delegation(delegation, second(0)).unwrap();
        cache
    }

    #[test]
    fn what_is_chosen_is_forgotten_and_nothing_else() {
        let a = name("a.test.");
        let all = Chosen { name: None, subtree: false, negative: false };
        let of_a = Chosen { name: Some(a.as_ref()), ..all };
        for (chosen, count, left) in [
            // The answer, the RRset, the delegation, and the answer that leads there.
            (of_a, 4, "x.a no.a b broken"),
            (Chosen { subtree: true, ..of_a }, 7, "b"),
            (Chosen { subtree: true, negative: true, ..of_a }, 2, "a x.a b alias"),
            (Chosen { negative: true, ..all }, 2, "a x.a b alias"),
            (all, 8, ""),
        ] {
            let cache = full();
            assert_eq!(cache.flush(chosen), count, "{chosen:?}");
            let is_known = |owner: &&str| {
                let question = question(&format!("{owner}.test."));
                matches!(cache.lookup(question.as_ref(), second(1)), Lookup::Fresh(_))
            };
            let mut found: Vec<_> = ["a", "x.a", "no.a", "b", "alias"].into_iter().filter(is_known).collect();
            found.extend(cache.failure(question("broken.a.test.").as_ref(), second(1)).map(|_| "broken"));
            assert_eq!(found.join(" "), left, "{chosen:?}");
        }
        let cache = full();
        cache.flush(all);
        assert_eq!(cache.usage().entries, 0);
    }

    #[test]
    fn what_is_known_of_a_name_is_found_by_type() {
        let cache = full();
        let count = |owner: &str, rr_type| cache.known(name(owner).as_ref(), rr_type).len();
        assert_eq!(count("A.test.", None), 2);
        assert_eq!(count("a.test.", Some(RrType::A)), 2);
        assert_eq!(count("a.test.", Some(RrType::TXT)), 0);
        assert_eq!(count("no.a.test.", Some(RrType::TXT)), 1, "a denied name has no type");
        assert_eq!(count("test.", None), 0);
    }

    #[test]
    fn other_options_leave_the_content_as_it_is() {
        let cache = full();
        let options = CacheOptions { prefetch: false, ..*cache.options() };
        for options in [options, CacheOptions { size: 2 << 20, ..options }] {
            let other = cache.with_options(options);
            assert!(matches!(other.lookup(question("b.test.").as_ref(), second(1)), Lookup::Fresh(_)));
            assert!(other.failure(question("broken.a.test.").as_ref(), second(1)).is_some());
            assert!(other.closest_delegation(name("www.a.test.").as_ref(), second(1)).is_some());
            assert_eq!(other.usage().entries, cache.usage().entries);
        }
    }

    #[test]
    fn what_nobody_may_be_given_any_more_is_freed_by_later_stores() {
        for (serve_stale, left) in [(Duration::ZERO, 1), (Duration::from_secs(86_400), 101)] {
            let cache = Cache::new(CacheOptions { serve_stale, ..*cache().options() });
            (0..100).for_each(|at| store(&cache, &format!("a{at}.test."), Kind::Positive));
            for _ in 0..256 * limits::CACHE_SWEEP_STORES {
                let new = address_rrset("later.test.", 60, &[1]);
                let new = NewAnswer::unchecked(Kind::Positive, vec![new], vec![]);
                cache.store_answer(question("later.test.").as_ref(), new, second(100)).unwrap();
            }
            assert_eq!(cache.usage().entries, left);
        }
    }
}
