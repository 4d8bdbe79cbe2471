//! Task: the work on one question, a client's or one of our own.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::classify::Found;
use super::{Budget, Failure, Here, Limit, Resolution, ResolverOptions, RootHints, Upstreams, World};
use crate::cache::{Cache, Credibility, NewAnswer, NewDelegation, Security};
use crate::clock::Now;
use crate::dns::{Name, NameRef, Question, RrType, Rrset, SharedRrset};
use crate::limits;
use crate::observe::{RecordId, RecursionFacts, Step};

/// What all tasks share.
#[derive(Clone)]
pub struct Resolver {
    /// What is known. Read here; of what is written, only the record of servers is ours.
    pub cache: Arc<Cache>,
    /// The outside.
    pub world: Arc<dyn World>,
    /// Where to begin.
    pub hints: RootHints,
    /// How.
    pub options: ResolverOptions,
}

/// What a task asks of those who run it. `recursion` implements it, so that a child is a flight as any other and only
/// `recursion` writes the cache.
pub trait Flights: Send + Sync {
    /// The answer to a question of our own, paid from the budget of `parent`.
    fn child(self: Arc<Self>, question: Question, aim: Aim, parent: &Task) -> BoxFuture<'static, Landing>;

    /// Delegations are shared at once, so that children need not ask for what their parent has just been told.
    fn learn(&self, delegation: NewDelegation);

    /// Whether what stands beside a denial proves that a name does not exist, if it is what it says it is.
    fn would_prove_absence(&self, name: NameRef<'_>, soa: &Rrset, proofs: &[Rrset]) -> bool;

    /// A flight is about to ask the servers of a zone; the error is [`Failure::CrowdedZone`].
    fn enter(&self, flight: FlightId, zone: &Name) -> Result<(), Failure>;
}

/// What a flight is for. Flights of one question and different aims are two: what servers say is had by one, and by a
/// second, which begins with the first, whether it is to be believed. So what validation needs, the addresses of servers
/// among it, never waits for validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aim {
    /// What servers say.
    Data,
    /// That, validated.
    Validated,
}

/// How a flight ended.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The answer, or why there is none.
    pub answered: Result<Arc<Resolution>, Failure>,
    /// What was done.
    pub steps: Arc<[Step]>,
    /// Where the flight recorder keeps that, when it does.
    pub id: Option<RecordId>,
}

/// Names a flight as long as it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlightId(pub u64);

/// The work on one question.
pub struct Task {
    /// What is to be answered: class IN, no meta type but ANY.
    pub question: Question,
    /// The flight it is done in.
    pub flight: FlightId,
    /// What for.
    pub aim: Aim,
    /// How many questions wait for it in a row: 0 for a client's own.
    pub depth: u32,
    /// Another flight of the same question does the rest, and tells of both.
    pub is_part: bool,
    /// Whether what the cache knows of the question is passed over: it is to be had anew.
    pub is_past_cache: bool,
    /// Servers to be asked only when nobody else is left: what they said did not stand validation.
    avoided: Arc<[SocketAddr]>,
    resolver: Arc<Resolver>,
    budget: Arc<Budget>,
    flights: Arc<dyn Flights>,
    here: Option<Arc<dyn Here>>,
    steps: Mutex<Vec<Step>>,
    passed: Mutex<Vec<(Question, NewAnswer)>>,
    /// Each name that the servers of a zone have said themselves, as the target of an alias.
    said: Mutex<Vec<(Name, Name)>>,
}

impl Task {
    /// The task of a client's question.
    pub fn new(
        question: Question,
        flight: FlightId,
        resolver: Arc<Resolver>,
        budget: Arc<Budget>,
        flights: Arc<dyn Flights>,
    ) -> Task {
        let (steps, passed, said, here) = (Mutex::default(), Mutex::default(), Mutex::default(), None);
        let (depth, is_past_cache, is_part) = (0, false, false);
        let (aim, avoided) = (Aim::Data, Arc::default());
        Task {
            question,
            flight,
            aim,
            depth,
            is_part,
            is_past_cache,
            avoided,
            resolver,
            budget,
            flights,
            here,
            steps,
            passed,
            said,
        }
    }

    /// The same with this aim.
    pub fn aiming(self, aim: Aim) -> Task {
        Task { aim, ..self }
    }

    /// With zones served here, which are looked at before anybody is asked.
    pub fn with_here(self, here: Option<Arc<dyn Here>>) -> Task {
        Task { here, ..self }
    }

    /// The same, passing over what the cache knows.
    pub fn past_cache(self) -> Task {
        Task { is_past_cache: true, ..self }
    }

    /// The same, asking these servers only when nobody else is left.
    pub fn avoiding(self, avoided: Arc<[SocketAddr]>) -> Task {
        Task { avoided, ..self }
    }

    pub(super) fn avoids(&self, server: SocketAddr) -> bool {
        self.avoided.contains(&server)
    }

    /// Makes the task of a question this one waits for, paid from the same budget, once its flight is known.
    pub fn child_maker(&self, question: Question, aim: Aim) -> impl Fn(FlightId) -> Task + Send + use<> {
        let make = self.maker(question, aim);
        let depth = self.depth + 1;
        move |flight| Task { depth, ..make(flight) }
    }

    /// Makes the task that finds out what servers say of the question of this one, or of the one it leads to. `avoided` are
    /// those of whom that is known and did not stand validation.
    pub fn part_maker(
        &self,
        question: Question,
        avoided: Option<Arc<[SocketAddr]>>,
    ) -> impl Fn(FlightId) -> Task + Send + use<> {
        let make = self.maker(question, Aim::Data);
        let (depth, is_past_cache) = (self.depth, self.is_past_cache || avoided.is_some());
        let avoided = avoided.unwrap_or_default();
        move |flight| {
            let avoided = avoided.clone();
            Task { depth, is_part: true, is_past_cache, avoided, ..make(flight) }
        }
    }

    fn maker(&self, question: Question, aim: Aim) -> impl Fn(FlightId) -> Task + Send + use<> {
        let (resolver, budget, flights) = (self.resolver.clone(), self.budget.clone(), self.flights.clone());
        let here = self.here.clone();
        move |flight| {
            let (resolver, budget, flights) = (resolver.clone(), budget.clone(), flights.clone());
            let task = Task::new(question.clone(), flight, resolver, budget, flights);
            task.with_here(here.clone()).aiming(aim)
        }
    }

    /// Asks a question that has to be answered first.
    pub async fn child(&self, question: Question) -> Result<Arc<Resolution>, Failure> {
        if self.depth >= limits::CHILD_DEPTH {
            return Err(Limit::Depth(limits::CHILD_DEPTH).into());
        }
        self.budget.child()?;
        self.ask(question, Aim::Data).await
    }

    /// Asks for keys, or for what the zone above says of them. The answer is validated, which is not to say that it is
    /// good.
    pub async fn child_validated(&self, question: Question) -> Result<Arc<Resolution>, Failure> {
        if self.depth >= limits::CHAIN_DEPTH {
            return Err(Limit::ChainDepth(limits::CHAIN_DEPTH).into());
        }
        self.budget.key_question()?;
        self.ask(question, Aim::Validated).await
    }

    async fn ask(&self, question: Question, aim: Aim) -> Result<Arc<Resolution>, Failure> {
        self.step(match aim {
            Aim::Data => Step::Child(question.clone()),
            Aim::Validated => Step::Link(question.clone()),
        });
        let Landing { answered, steps, .. } = self.flights.clone().child(question.clone(), aim, self).await;
        self.absorb(&steps);
        match &answered {
            Ok(_) => {}
            Err(Failure::Cycle(ring)) => self.step(Step::Cycle(ring.clone())),
            Err(_) => self.step(Step::ChildFailed(question)),
        }
        answered
    }

    /// Passes on what was learnt of a zone's servers.
    pub fn learn(&self, delegation: NewDelegation) {
        self.flights.learn(delegation);
    }

    /// Says which zone's servers are asked from here on, and whether there is room for one more at them.
    pub fn enter(&self, zone: &Name) -> Result<(), Failure> {
        self.flights.enter(self.flight, zone)
    }

    /// Whether a denial proves, at its word, that a name does not exist.
    pub(super) fn is_proven_absent(&self, name: &Name, denial: &Found) -> bool {
        let prove = |soa| self.flights.would_prove_absence(name.as_ref(), soa, &denial.proofs);
        denial.soa.as_ref().is_some_and(prove)
    }

    /// Notes that the servers of a zone have said a name.
    pub(super) fn was_said(&self, name: Name, zone: Name) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push((name, zone));
    }

    /// Whether they have, so that there is no point in hiding it from them.
    pub(super) fn is_said(&self, name: &Name, zone: &Name) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().any(|(known, by)| known == name && by == zone)
    }

    /// Passes on, when the flight lands, what a server said of a part of the name.
    pub(super) fn pass(&self, part: Question, answer: NewAnswer) {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push((part, answer));
    }

    /// What servers said of parts of the name on the way (RFC 9156 3: it is to be remembered).
    pub fn take_passed(&self) -> Vec<(Question, NewAnswer)> {
        std::mem::take(&mut *self.passed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what was done.
    pub fn step(&self, step: Step) {
        self.absorb(std::slice::from_ref(&step));
    }

    /// Takes over what was done by a flight that belongs to this one.
    pub fn absorb(&self, steps: &[Step]) {
        let mut kept = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let room = limits::TRACE_STEPS.saturating_sub(kept.len());
        kept.extend_from_slice(&steps[..steps.len().min(room)]);
    }

    /// What was done so far.
    pub fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn known_rrset(&self, name: NameRef<'_>, rr_type: RrType) -> Option<SharedRrset> {
        Some(self.known(name, rr_type)?.0)
    }

    /// The same with what validation has said of it.
    pub(super) fn known(&self, name: NameRef<'_>, rr_type: RrType) -> Option<(SharedRrset, Security)> {
        // Glue and additional data are believed for the delegation they came with and nothing else.
        let entry = self.cache().rrset(name, rr_type, Credibility::AnswerNonAuth, self.now())?;
        Some((super::resolve::aged(&entry.rrset, entry.ttl(self.now())), entry.security))
    }

    /// The address types worth looking for.
    pub(super) fn address_types(&self) -> impl Iterator<Item = RrType> + use<> {
        let ResolverOptions { ipv4, ipv6, .. } = self.resolver.options;
        [ipv4.then_some(RrType::A), ipv6.then_some(RrType::AAAA)].into_iter().flatten()
    }

    /// Whether a server may be asked at this address.
    pub(super) fn may_ask(&self, address: IpAddr) -> bool {
        let options = &self.resolver.options;
        self.has_family(address)
            && (self.resolver.hints.has(address) || !options.never_query.forbids(address))
    }

    /// Whether servers are asked over the protocol of this address.
    pub(super) fn has_family(&self, address: IpAddr) -> bool {
        let options = &self.resolver.options;
        if address.is_ipv4() { options.ipv4 } else { options.ipv6 }
    }

    /// What is served here.
    pub fn here(&self) -> Option<&dyn Here> {
        self.here.as_deref()
    }

    pub(super) fn upstreams(&self) -> &Upstreams {
        &self.resolver.options.upstreams
    }

    pub(super) fn hints(&self) -> &RootHints {
        &self.resolver.hints
    }

    pub(super) fn options(&self) -> &ResolverOptions {
        &self.resolver.options
    }

    /// What is known.
    pub fn cache(&self) -> &Cache {
        &self.resolver.cache
    }

    /// The outside.
    pub fn world(&self) -> &dyn World {
        &*self.resolver.world
    }

    /// The budget it is paid from.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The time.
    pub fn now(&self) -> Now {
        self.resolver.world.now()
    }

    pub(super) fn random(&self) -> u64 {
        self.resolver.world.random()
    }
}

/// What the access log shows of the steps.
pub fn facts(steps: &Arc<[Step]>) -> RecursionFacts {
    let exchanges = || {
        steps.iter().filter_map(|step| match step {
            Step::Exchange { exchange, .. } => Some(*exchange),
            _ => None,
        })
    };
    let tries = exchanges().count() as u32;
    let exchanges = exchanges().take(limits::TRACE_EXCHANGES).collect();
    RecursionFacts { exchanges, tries, steps: steps.clone(), ..RecursionFacts::default() }
}
