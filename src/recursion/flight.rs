//! A flight: a question resolved and committed. It is spawned, so it outlives whoever asked first, and nothing of its
//! answer reaches another client before the commit.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::{BoxFuture, Either, FutureExt, select};

use super::cached::{Checking, Wants, unsaid};
use super::coalesce::{Role, Table, Takeoff, Waiting};
use super::refresh::Refreshes;
use super::resolved::{told, with_id};
use super::synthesised::Begun;
use super::telling::Told;
use super::verdicts::Verdicts;
use super::{Cached, Resolved, cached};
use crate::cache::{Cache, CacheOptions, Lookup, NewAnswer, NewDelegation, Security};
use crate::clock::Now;
use crate::dns::{Name, NameRef, Question, QuestionRef, Rcode, Rrset};
use crate::limits;
use crate::observe::flight_recorder::Record;
use crate::observe::{FlightRecorder, RecordId, Step};
use crate::resolver::known;
use crate::resolver::{
    Aim, Budget, Failure, FlightId, Flights, Here, Landing, Limit, Resolution, Resolver, ResolverOptions,
    RootHints, Task, Upstreams, World, resolve, stands_here,
};
use crate::validator::{Mode, Validated, Validation, validate, would_prove_absence};

/// Recursion as `service` sees it: what is known at once, and what has to be found.
pub struct Recursion {
    pub(super) resolver: Arc<Resolver>,
    pub(super) validation: Option<Arc<Validation>>,
    pub(super) table: Arc<Table>,
    pub(super) refreshes: Refreshes,
    pub(super) told: Arc<Told>,
    pub(super) verdicts: Verdicts,
    recorder: Arc<FlightRecorder>,
}

impl Recursion {
    /// Recursion with nothing under way.
    pub fn new(
        cache: Arc<Cache>,
        world: Arc<dyn World>,
        hints: RootHints,
        options: ResolverOptions,
    ) -> Arc<Recursion> {
        Recursion::recorded(cache, world, hints, options, Arc::default())
    }

    /// As [`Recursion::new`]; what was done for questions that fail or take long is kept in `recorder`.
    pub fn recorded(
        cache: Arc<Cache>,
        world: Arc<dyn World>,
        hints: RootHints,
        options: ResolverOptions,
        recorder: Arc<FlightRecorder>,
    ) -> Arc<Recursion> {
        let resolver = Arc::new(Resolver { cache, world, hints, options });
        Recursion::of(resolver, None, recorder, Arc::default())
    }

    fn of(
        resolver: Arc<Resolver>,
        validation: Option<Arc<Validation>>,
        recorder: Arc<FlightRecorder>,
        told: Arc<Told>,
    ) -> Arc<Recursion> {
        let (table, refreshes, verdicts) = (Arc::default(), Refreshes::default(), Verdicts::default());
        Arc::new(Recursion { resolver, validation, table, refreshes, told, verdicts, recorder })
    }

    /// The same that validates what it finds, and asks servers for what that takes.
    pub fn validating(self: Arc<Recursion>, validation: Arc<Validation>) -> Arc<Recursion> {
        let options = ResolverOptions { dnssec: true, ..self.resolver.options.clone() };
        let resolver = Arc::new(Resolver { options, ..Resolver::clone(&self.resolver) });
        Recursion::of(resolver, Some(validation), self.recorder.clone(), self.told.clone())
    }

    /// What of validation concerns somebody who asks with or without these flags.
    pub fn wants(&self, dnssec_ok: bool, checking_disabled: bool) -> Wants {
        let checking = match &self.validation {
            Some(validation) if !checking_disabled => match validation.options.mode {
                Mode::Log => Checking::Log,
                Mode::Enforce => Checking::Enforce,
                Mode::None => Checking::None,
            },
            _ => Checking::None,
        };
        Wants { checking, dnssec_ok }
    }

    /// The same that knows nothing yet and shares no flight, to see what the servers say now. It leaves no trace in
    /// the cache.
    pub fn fresh(&self) -> Arc<Recursion> {
        let options = CacheOptions { size: limits::FRESH_CACHE_OCTETS, ..CacheOptions::default() };
        let cache = Arc::new(Cache::new(options));
        let resolver = Arc::new(Resolver { cache, ..Resolver::clone(&self.resolver) });
        Recursion::of(resolver, self.validation.clone(), self.recorder.clone(), self.told.clone())
    }

    /// What the cache can answer at once for somebody who may have it resolved otherwise.
    pub fn cached(&self, question: QuestionRef<'_>, wants: Wants, now: Now) -> Option<Cached> {
        let made = || self.synthesised_at_once(question, wants, now);
        cached::cached(self.cache(), question, wants, false, made, now)
    }

    /// What the cache can answer for somebody who may have nothing resolved, or nothing anew.
    pub fn only_cached(&self, question: QuestionRef<'_>, wants: Wants, now: Now) -> Option<Cached> {
        let made = || self.synthesised_at_once(question, wants, now);
        cached::cached(self.cache(), question, wants, true, made, now)
    }

    /// What is to be told of an answer that [`Recursion::cached`] or [`Recursion::only_cached`] gives.
    pub fn known(&self, question: &Question, now: Now) -> Option<Step> {
        let cache = &self.resolver.cache;
        match cache.lookup(question.as_ref(), now) {
            Lookup::Fresh(found) | Lookup::Stale(found) => {
                Some(known::of_answer(cache, question, &found, now))
            }
            Lookup::Miss => self.proven(question, now).or_else(|| {
                let error = cache.failure(question.as_ref(), now)?;
                Some(Step::FailedBefore(question.clone(), error))
            }),
        }
    }

    /// As [`Recursion::resolve_with`], with nothing served here.
    pub async fn resolve(self: &Arc<Recursion>, question: Question) -> Resolved {
        self.resolve_with(question, None, self.wants(false, false)).await
    }

    /// Answers a client's question: class IN, no meta type but ANY. `here` is looked at before anybody is asked. It takes
    /// the time a client query may take at most, and less when the cache has a stale answer. Giving up the future does not
    /// end the flight.
    pub async fn resolve_with(
        self: &Arc<Recursion>,
        question: Question,
        here: Option<Arc<dyn Here>>,
        wants: Wants,
    ) -> Resolved {
        self.resolve_within(question, here, &self.budget(), wants).await
    }

    /// What a client's query that begins now may cost.
    pub fn budget(&self) -> Arc<Budget> {
        Arc::new(Budget::new(&self.resolver.options, self.now()))
    }

    /// As [`Recursion::resolve_with`], paid from what is left for the client's query.
    pub async fn resolve_within(
        self: &Arc<Recursion>,
        question: Question,
        here: Option<Arc<dyn Here>>,
        budget: &Arc<Budget>,
        wants: Wants,
    ) -> Resolved {
        // The cache may know it from before it stood here.
        let stands_here =
            || here.as_deref().is_some_and(|here| stands_here(here, self.upstreams(), question.as_ref()));
        let now = self.now();
        match cached::lookup(self.cache(), question.as_ref(), wants.checking, now) {
            Lookup::Fresh(known) if known.is_refreshed() && !stands_here() => {
                self.prefetch(question, here, &known, wants)
            }
            Lookup::Stale(known) if !stands_here() => match self.only_cached(question.as_ref(), wants, now) {
                Some(stale) => Resolved::from_cached(stale, self.facts_of_known(&question, &known, now)),
                None => self.resolve_or_stale(question, here, budget, &known, wants).await,
            },
            _ => self.resolve_anew(&question, here, budget, wants).await,
        }
    }

    /// By a flight, one that is under way or a new one.
    pub(super) async fn resolve_anew(
        self: &Arc<Recursion>,
        question: &Question,
        here: Option<Arc<dyn Here>>,
        budget: &Arc<Budget>,
        wants: Wants,
    ) -> Resolved {
        let aim = wants.aim();
        let task = |id| self.task(question, id, budget, here.clone()).aiming(aim);
        let mut landing = self.lead_or_follow(question, aim, None, budget, task).await;
        let spent = budget.spendings(self.now());
        if landing.id.is_none() {
            landing.id = self.keep(question, &landing.answered, &landing.steps, budget);
        }
        Resolved::new(landing, wants, Some(spent))
    }

    /// The task of a client's question.
    pub(super) fn task(
        self: &Arc<Recursion>,
        question: &Question,
        id: FlightId,
        budget: &Arc<Budget>,
        here: Option<Arc<dyn Here>>,
    ) -> Task {
        Task::new(question.clone(), id, self.resolver.clone(), budget.clone(), self.clone()).with_here(here)
    }

    /// How answers are validated; none when they are not.
    pub fn validation(&self) -> Option<&Validation> {
        self.validation.as_deref()
    }

    /// The forward and stub zones.
    pub fn upstreams(&self) -> &Upstreams {
        &self.resolver.options.upstreams
    }

    /// What is known.
    pub fn cache(&self) -> &Arc<Cache> {
        &self.resolver.cache
    }

    /// The time as recursion sees it.
    pub fn now(&self) -> Now {
        self.resolver.world.now()
    }

    /// Where the tree begins.
    pub fn hints(&self) -> &RootHints {
        &self.resolver.hints
    }

    /// How many questions are under way.
    pub fn under_way(&self) -> usize {
        self.table.under_way()
    }

    /// Flies the question with the task made by `task`, or waits for the flight that is under way.
    pub(super) async fn lead_or_follow(
        self: &Arc<Recursion>,
        question: &Question,
        aim: Aim,
        waiter: Option<FlightId>,
        budget: &Budget,
        task: impl Fn(FlightId) -> Task,
    ) -> Landing {
        let mut restarts = 0;
        loop {
            let waiting = match self.table.lead_or_follow(question, aim, waiter) {
                Err(failure) => return landing(failure),
                Ok(Role::Lead(takeoff, waiting)) => {
                    let task = task(takeoff.id);
                    self.resolver.world.spawn(fly(self.clone(), takeoff, task));
                    return self.wait(waiting, budget).await;
                }
                Ok(Role::Follow(waiting)) => waiting,
            };
            let landed = self.wait(waiting, budget).await;
            match &landed.answered {
                // The leader had spent its budget, or was waited for by those it needed. That is not ours to suffer:
                // the first follower to come here leads, the others follow it.
                Err(failure) if failure.is_of_asker() && restarts < limits::FOLLOWER_RESTARTS => {
                    restarts += 1
                }
                _ => return landed,
            }
            if let Err(limit) = budget.time(self.now()) {
                return landing(limit.into());
            }
        }
    }

    /// What servers say of the task's question, and whether it is to be believed. What does not stand validation is asked
    /// for once more, of others if there are any, before that is believed.
    async fn resolve_and_validate(self: &Arc<Recursion>, task: &Task) -> Result<Arc<Resolution>, Failure> {
        let Some(validation) = &self.validation else { return self.data(&task.question, task, None).await };
        let begun = self.synthesised_in_flight(task);
        let found = match &begun {
            Some(Begun::Whole(found)) => return Ok(found.clone()),
            begun => self.found(begun.as_ref(), task, None).await?,
        };
        let Validated { resolution, suspects } = match validate(&found, validation, task).await {
            Ok(validated) => validated,
            Err(failure) if validation.options.mode == Mode::Log => {
                return Ok(indeterminate(&found, &failure));
            }
            Err(failure) => return Err(failure),
        };
        let Some(suspects) = suspects.filter(|_| resolution.security == Security::Bogus) else {
            return Ok(Arc::new(resolution));
        };
        task.step(Step::AskedAgain(task.question.clone()));
        let found = self.found(begun.as_ref(), task, Some(suspects)).await;
        let Ok(found) = found else { return Ok(Arc::new(resolution)) };
        match validate(&found, validation, task).await {
            Ok(second) if second.resolution.security != Security::Bogus => Ok(Arc::new(second.resolution)),
            _ => Ok(Arc::new(resolution)),
        }
    }

    /// What did not stand validation, was too dear for it or led nowhere before it is had anew the next time: else everybody
    /// would fail by it until its TTL ends, and that may be of a forger's choosing.
    fn forget_unchecked(&self, task: &Task) {
        let question = task.question.as_ref();
        self.cache().forget_unchecked(question);
        for step in task.steps() {
            if let Step::Alias(_, name) = step {
                self.cache().forget_unchecked(QuestionRef { name: name.as_ref(), ..question });
            }
        }
    }

    /// What servers say of a question, that of the task or one it leads to.
    pub(super) fn data<'f>(
        self: &'f Arc<Recursion>,
        question: &'f Question,
        task: &'f Task,
        avoided: Option<Arc<[SocketAddr]>>,
    ) -> BoxFuture<'f, Result<Arc<Resolution>, Failure>> {
        let (waiter, budget, make) =
            (Some(task.flight), task.budget(), task.part_maker(question.clone(), avoided));
        let landing = self.lead_or_follow(question, Aim::Data, waiter, budget, make);
        landing
            .map(|landing| {
                task.absorb(&landing.steps);
                landing.answered
            })
            .boxed()
    }

    /// Waits for a flight, at most until the deadline of the one who waits, and a moment longer for the flight that ends
    /// at the same deadline and has more to say.
    async fn wait(&self, waiting: Waiting, budget: &Budget) -> Landing {
        let end = budget.deadline.plus(limits::LANDING_GRACE);
        let landed = Box::pin(waiting.landing());
        match select(landed, self.resolver.world.sleep_until(end)).await {
            Either::Left((landing, _)) => landing,
            Either::Right(_) => landing(Limit::Time(budget.timeout).into()),
        }
    }

    /// What others may see from now on. The only place where answers enter the cache.
    fn commit(&self, task: &Task, answered: &Result<Arc<Resolution>, Failure>, id: Option<RecordId>) {
        let (cache, now) = (&self.resolver.cache, self.now());
        let question = task.question.as_ref();
        for (part, answer) in task.take_passed() {
            let _ = cache.store_answer(part.as_ref(), answer, now);
        }
        match answered {
            Ok(resolution) => {
                if self.is_aggressive() && resolution.security == Security::Secure {
                    cache.store_proven(&resolution.proven, now);
                }
                // What the cache does not keep, for its TTL or size, was answered all the same.
                for rrset in &resolution.learnt {
                    let _ = cache.store_rrset(rrset.clone(), now);
                }
                if let Some(kind) = resolution.kind {
                    let (answer, authority) = (resolution.answer.clone(), resolution.authority.clone());
                    let (security, denial, error) =
                        (resolution.security, resolution.denial, resolution.error.clone());
                    let error = error.map(|error| Arc::new(with_id(&error, id)));
                    let new = NewAnswer { kind, answer, authority, security, denial, error: error.clone() };
                    let stored = cache.store_answer(question, new, now);
                    // What is too large to be kept must not be validated again and again either.
                    if let (Err(_), Security::Bogus) = (stored, security) {
                        let error = error.as_deref().cloned().unwrap_or_else(|| (*unsaid()).clone());
                        cache.store_failure(question, error, now);
                    }
                }
            }
            // Already remembered, and not to be prolonged by asking.
            Err(Failure::Cached(_)) => {}
            // The asker of a child, or of a second question, may have spent its budget before; a client's was whole, so
            // its question is too dear.
            Err(failure) if failure.is_of_asker() && (task.depth > 0 || task.budget().is_passed_on()) => {}
            Err(Failure::Busy | Failure::CrowdedZone(_) | Failure::Abandoned) => {}
            Err(failure) => {
                cache.store_failure(question, told(failure, id), now);
                if let Lookup::Stale(known) = cache.lookup(question, now) {
                    known.be_quiet(limits::STALE_QUIET, now);
                }
            }
        }
    }

    /// Keeps what was done, if anything was, when it failed or took long.
    fn keep(
        &self,
        question: &Question,
        answered: &Result<Arc<Resolution>, Failure>,
        steps: &Arc<[Step]>,
        budget: &Budget,
    ) -> Option<RecordId> {
        let now = self.now();
        let took = budget.spent_time(now);
        let error = match answered {
            Ok(resolution) if resolution.security == Security::Bogus => {
                Some(resolution.error.as_deref().cloned().unwrap_or_else(|| (*unsaid()).clone()))
            }
            Ok(_) if took < limits::SLOW_QUERY => return None,
            // Where its steps are is in its text.
            Err(Failure::Cached(_)) => return None,
            Ok(_) => None,
            Err(failure) => Some(failure.extended_error()),
        };
        if steps.is_empty() || !self.recorder.is_on() {
            return None;
        }
        self.recorder.keep(Record {
            question: question.clone(),
            rcode: answered.as_ref().map_or(Rcode::SERVFAIL, |resolution| resolution.rcode),
            error,
            ended: now.unix,
            took,
            steps: steps.clone(),
            spent: budget.spendings(now),
        })
    }
}

/// What validation could not judge, for those who are given it all the same. It stays as unchecked as it is in the cache.
fn indeterminate(found: &Resolution, failure: &Failure) -> Arc<Resolution> {
    let (security, error) = (Security::Indeterminate, Some(Arc::new(failure.extended_error())));
    Arc::new(Resolution { security, error, kind: None, learnt: Vec::new(), ..found.clone() })
}

/// From takeoff to landing.
pub(super) fn fly(recursion: Arc<Recursion>, takeoff: Takeoff, task: Task) -> BoxFuture<'static, ()> {
    fly_and_land(recursion, takeoff, task).boxed()
}

async fn fly_and_land(recursion: Arc<Recursion>, takeoff: Takeoff, task: Task) {
    let answered = match task.aim {
        Aim::Data => resolve(&task).await.map(Arc::new),
        Aim::Validated => {
            let answered = recursion.resolve_and_validate(&task).await;
            if answered.as_ref().map_or(true, |found| found.security == Security::Bogus) {
                recursion.forget_unchecked(&task);
            }
            answered
        }
    };
    let steps = task.steps().into();
    // What was done for a child is among the steps of its client's question.
    let id = match task.depth == 0 && !task.is_part {
        true => recursion.keep(&task.question, &answered, &steps, task.budget()),
        false => None,
    };
    recursion.commit(&task, &answered, id);
    recursion.count_verdict(&task, &answered);
    recursion.tell_anchors(&task, &answered);
    takeoff.land(Landing { answered, steps, id });
}

fn landing(failure: Failure) -> Landing {
    Landing { answered: Err(failure), steps: Arc::new([]), id: None }
}

impl Flights for Recursion {
    fn child(self: Arc<Self>, question: Question, aim: Aim, parent: &Task) -> BoxFuture<'static, Landing> {
        let (waiter, budget) = (parent.flight, parent.budget().clone());
        let task = parent.child_maker(question.clone(), aim);
        async move { self.lead_or_follow(&question, aim, Some(waiter), &budget, task).await }.boxed()
    }

    fn would_prove_absence(&self, name: NameRef<'_>, soa: &Rrset, proofs: &[Rrset]) -> bool {
        would_prove_absence(name, soa, proofs)
    }

    fn enter(&self, flight: FlightId, zone: &Name) -> Result<(), Failure> {
        self.table.enter(flight, zone)
    }

    fn learn(&self, delegation: NewDelegation) {
        let now = self.now();
        let _ = self.resolver.cache.store_delegation(delegation, now);
    }
}
