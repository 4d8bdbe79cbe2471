//! Answers at their end: fetched anew before it when they are asked for much, given out behind it when they cannot be
//! had anew (RFC 8767). Both are flights that nobody has to wait for to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{Either, FutureExt, select};

use super::cached::Wants;
use super::coalesce::Role;
use super::flight::{Recursion, fly};
use super::{Resolved, cached};
use crate::cache::{CachedAnswer, Security};
use crate::clock::Now;
use crate::dns::Question;
use crate::limits;
use crate::observe::RecursionFacts;
use crate::resolver::{Aim, Budget, Failure, Here, facts, known};

/// Why a stale answer is given while its servers are still being asked.
const TOO_SLOW: &str = "expired, and its name servers take long to answer";

/// Flights for answers about to expire.
#[derive(Debug, Default)]
pub(super) struct Refreshes {
    /// Each flight under way holds one more of it.
    under_way: Arc<()>,
    begun: AtomicU64,
}

impl Recursion {
    /// Answers from the cache, and has the answer fetched anew by a flight that nobody waits for, unless one is under way
    /// or there are enough of them.
    pub(super) fn prefetch(
        self: &Arc<Recursion>,
        question: Question,
        here: Option<Arc<dyn Here>>,
        known: &Arc<CachedAnswer>,
        wants: Wants,
    ) -> Resolved {
        // Whoever asked: what was validated is to be had anew for those who want it so.
        let aim = if known.security == Security::Unchecked { wants.aim() } else { Aim::Validated };
        let is_room = Arc::strong_count(&self.refreshes.under_way) <= limits::PREFETCHES;
        if is_room && let Ok(Role::Lead(takeoff, _)) = self.table.lead_or_follow(&question, aim, None) {
            let task = self.task(&question, takeoff.id, &self.budget(), here).past_cache().aiming(aim);
            let (place, flight) = (self.refreshes.under_way.clone(), fly(self.clone(), takeoff, task));
            self.refreshes.begun.fetch_add(1, Ordering::Relaxed);
            self.resolver.world.spawn(flight.map(|()| drop(place)).boxed());
        }
        let now = self.now();
        Resolved::from_cached(
            cached::from_answer(known.clone(), wants, now),
            self.facts_of_known(&question, known, now),
        )
    }

    /// How many answers were fetched anew before they expired.
    pub fn prefetched(&self) -> u64 {
        self.refreshes.begun.load(Ordering::Relaxed)
    }

    /// Has the question resolved; gives the stale answer when that fails or takes too long. The flight goes on.
    pub(super) async fn resolve_or_stale(
        self: &Arc<Recursion>,
        question: Question,
        here: Option<Arc<dyn Here>>,
        budget: &Arc<Budget>,
        known: &Arc<CachedAnswer>,
        wants: Wants,
    ) -> Resolved {
        let (options, began) = (self.cache().options(), self.now());
        let patience = options.stale_answer_timeout;
        let resolved = Box::pin(self.resolve_anew(&question, here, budget, wants));
        let timer = self.resolver.world.sleep_until(began.tick.plus(patience));
        let (why, facts) = match select(resolved, timer).await {
            // What is bogus now must not be answered from before it was (CVE-2026-46582).
            Either::Left((resolved @ Resolved { failure: Some(Failure::Bogus(_)), .. }, _)) => {
                return resolved;
            }
            Either::Left((Resolved { failure: Some(_), extended_error: Some(error), facts, .. }, _)) => {
                (error.text, facts)
            }
            Either::Left((resolved, _)) => return resolved,
            Either::Right(_) => (TOO_SLOW.into(), self.facts_of_known(&question, known, began)),
        };
        let now = self.now();
        if !patience.is_zero() {
            known.be_quiet(limits::STALE_QUIET, now);
        }
        Resolved::from_cached(cached::stale(options, known.clone(), why, wants, now), facts)
    }

    pub(super) fn facts_of_known(
        &self,
        question: &Question,
        known: &CachedAnswer,
        now: Now,
    ) -> RecursionFacts {
        facts(&Arc::from([known::of_answer(self.cache(), question, known, now)]))
    }
}
