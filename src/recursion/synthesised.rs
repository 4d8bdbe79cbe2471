//! Answers that need no server, for they follow from what is proven of a zone (RFC 8198).

use std::net::SocketAddr;
use std::sync::Arc;

use super::cached::{Checking, Wants, from_answer};
use super::{Cached, Recursion};
use crate::cache::entry::remaining;
use crate::cache::{CachedAnswer, Terms};
use crate::clock::Now;
use crate::dns::{NameRef, Question, QuestionRef};
use crate::observe::Step;
use crate::resolver::{Failure, Here, Resolution, Task};
use crate::validator::{Nearest, Validation};

/// What a flight begins with instead of asking.
pub(super) enum Begun {
    /// All of it.
    Whole(Arc<Resolution>),
    /// An alias, and the question it leads to.
    Alias(Arc<CachedAnswer>, Question),
}

impl Recursion {
    /// Whether what is proven of a zone answers further questions.
    pub(super) fn is_aggressive(&self) -> bool {
        self.validation.as_ref().is_some_and(|validation| validation.options.aggressive)
    }

    /// For a client whose question is not in the cache. Those who check for themselves get what servers say.
    pub(super) fn synthesised_at_once(
        &self,
        question: QuestionRef<'_>,
        wants: Wants,
        now: Now,
    ) -> Option<Cached> {
        if wants.checking == Checking::None {
            return None;
        }
        let made = self.synthesise(question, Terms::AT_ONCE, None, now).filter(|made| !made.is_open())?;
        Some(from_answer(made, wants, now).synthesised())
    }

    /// What is to be told of that.
    pub(super) fn proven(&self, question: &Question, now: Now) -> Option<Step> {
        let made = self.synthesise(question.as_ref(), Terms::AT_ONCE, None, now)?;
        (!made.is_open()).then(|| step(question, &made, now))
    }

    /// For a flight that would validate what servers say.
    pub(super) fn synthesised_in_flight(&self, task: &Task) -> Option<Begun> {
        if task.is_past_cache {
            return None;
        }
        let terms = if task.depth == 0 { Terms::IN_FLIGHT } else { Terms::FOR_OURSELVES };
        let (question, now) = (&task.question, task.now());
        let made = self.synthesise(question.as_ref(), terms, task.here(), now)?;
        let target = made.answer.last().filter(|_| made.is_open());
        let target = target.and_then(|cached| NameRef::from_wire(cached.rrset.records().first()?).ok());
        task.step(step(question, &made, now));
        Some(match target.map(NameRef::to_name) {
            Some(name) => Begun::Alias(made, Question { name, ..question.clone() }),
            None => {
                task.step(Step::Judged(question.clone(), made.security.word(), None));
                Begun::Whole(Arc::new(Resolution::synthesised(&made, None, question, now)))
            }
        })
    }

    /// What servers say of the task's question, or of the one it was found to lead to.
    pub(super) async fn found(
        self: &Arc<Recursion>,
        begun: Option<&Begun>,
        task: &Task,
        avoided: Option<Arc<[SocketAddr]>>,
    ) -> Result<Arc<Resolution>, Failure> {
        let Some(Begun::Alias(made, target)) = begun else {
            return self.data(&task.question, task, avoided).await;
        };
        task.budget().alias()?;
        task.step(Step::Alias(task.question.name.clone(), target.name.clone()));
        let rest = self.data(target, task, avoided).await?;
        Ok(Arc::new(Resolution::synthesised(made, Some(&rest), &task.question, task.now())))
    }

    fn synthesise(
        &self,
        question: QuestionRef<'_>,
        terms: Terms,
        here: Option<&dyn Here>,
        now: Now,
    ) -> Option<Arc<CachedAnswer>> {
        let validation = self.validation.as_ref().filter(|validation| validation.options.aggressive)?;
        let may_speak = |apex: NameRef<'_>| self.may_speak(apex, question.name, validation, here, now);
        self.cache().synthesise(question, terms, may_speak, now)
    }

    /// Whether a zone with proofs speaks of a name: it has a chain of trust still, and nobody else was named for the name.
    fn may_speak(
        &self,
        apex: NameRef<'_>,
        name: NameRef<'_>,
        validation: &Validation,
        here: Option<&dyn Here>,
        now: Now,
    ) -> bool {
        let anchors = validation.anchors.current();
        // RFC 7646 2: at and below a negative trust anchor nothing is validated; and an anchor further down is the word of
        // another zone.
        let has_chain = matches!(anchors.nearest(name, now.unix),
            Nearest::Anchor(anchor) if apex.is_at_or_below(anchor.apex.as_ref()));
        let is_named = |other: NameRef<'_>| other.is_below(apex);
        let is_upstream = || self.upstreams().find(name).is_some_and(|zone| is_named(zone.apex.as_ref()));
        let is_here =
            || here.and_then(|here| here.depth(name)).is_some_and(|depth| depth > apex.label_count());
        has_chain && !is_upstream() && !is_here()
    }
}

fn step(question: &Question, made: &CachedAnswer, now: Now) -> Step {
    Step::Known {
        question: question.clone(),
        age: Default::default(),
        ttl: remaining(made.expires, now),
        credibility: "follows from what the zone has proven of other names",
    }
}
