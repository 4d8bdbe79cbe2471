//! What recursion found, as this client gets it: with IPv6 addresses made for it, without the addresses of this house.

use std::sync::Arc;

use super::here::Served;
use super::{Request, Snapshot};
use crate::cache::Security;
use crate::dns::{Answer, AnswerRrset, NameRef, Question, QuestionRef, Rcode, RrType};
use crate::observe::{RecursionFacts, Source, Step};
use crate::policy::{Nat64Prefix, dns64};
use crate::recursion::{Cached, Recursion, Resolved, Wants};
use crate::resolver::Budget;
use crate::wire::{Flags, Query};
use crate::zone::{Found, ZoneEntry, ZoneTable};

/// An answer that had to be looked for.
pub(super) struct Recursed {
    pub(super) answer: Answer<'static>,
    pub(super) source: Source,
    pub(super) security: Security,
    pub(super) facts: RecursionFacts,
}

impl Recursed {
    /// For a client that cannot be waited for any longer.
    pub(super) fn busy() -> Recursed {
        Recursed::of(Resolved::busy(), false)
    }

    fn of(resolved: Resolved, dnssec_ok: bool) -> Recursed {
        let answer = resolved.to_answer(dnssec_ok);
        let Resolved { source, security, facts, .. } = resolved;
        Recursed { answer, source, security, facts }
    }
}

/// Looks for the answer to a client's question.
pub(super) async fn recurse(recursion: &Arc<Recursion>, request: &Request, query: &Query<'_>) -> Recursed {
    let dnssec_ok = query.edns.is_some_and(|edns| edns.dnssec_ok);
    let wants = recursion.wants(dnssec_ok, query.header.flags.has(Flags::CD));
    let looking = Looking { recursion, snapshot: &request.snapshot, budget: recursion.budget(), wants };
    let question = query.question;
    let Some(prefix) = dns64_for(&request.snapshot, query) else { return looking.look(question).await };
    match prefix.reverse(question.name).filter(|_| question.rr_type == RrType::PTR) {
        Some(name) => looking.reverse(question, name).await,
        None => looking.look_for_ipv6(question, prefix).await,
    }
}

/// The prefix by which this client's question is answered with synthesised data, if it may be.
pub(super) fn dns64_for(snapshot: &Snapshot, query: &Query<'_>) -> Option<Nat64Prefix> {
    let prefix = snapshot.options.dns64?;
    let dnssec_ok = query.edns.is_some_and(|edns| edns.dnssec_ok);
    let is_reverse = query.question.rr_type == RrType::PTR && prefix.reverse(query.question.name).is_some();
    let serves = prefix.serves(query.question, dnssec_ok, query.header.flags.has(Flags::CD));
    (is_reverse || serves).then_some(prefix)
}

/// Whether the guard finds anything in an answer of the cache.
pub(super) fn is_guarded(snapshot: &Snapshot, cached: &Cached) -> bool {
    let guard = snapshot.options.rebinding.as_ref();
    guard.is_some_and(|guard| cached.answered().any(|rrset| guard.has_private(rrset.view())))
}

/// The answer to a question for this name as it may be shown; none when it may go as it is.
pub(super) fn guarded(
    snapshot: &Snapshot,
    asked: NameRef<'_>,
    answer: &Answer<'_>,
) -> Option<Answer<'static>> {
    let guard = snapshot.options.rebinding.as_ref()?;
    let stripped = guard.strip(answer)?;
    // What the operator set up may lead anywhere.
    let is_own = || {
        let is_configured = |recursion: &Arc<Recursion>| {
            recursion.upstreams().find(asked).is_some_and(|zone| !zone.apex.as_ref().is_root())
        };
        snapshot.recursion.as_ref().is_some_and(is_configured)
            || is_of_zone(&snapshot.zones, asked)
            || snapshot.options.overlays.has(asked)
            || snapshot
                .special_zones(QuestionRef {
                    name: asked,
                    rr_type: RrType::A,
                    class: crate::dns::RrClass::IN,
                })
                .is_some()
    };
    (guard.concerns(asked) && !is_own()).then_some(stripped)
}

/// Whether one of these zones speaks of a name, and not only of who does.
pub(super) fn is_of_zone(zones: &ZoneTable, name: NameRef<'_>) -> bool {
    let Some(ZoneEntry::Loaded(zone)) = zones.find(name) else { return false };
    let (Found::Exact(node) | Found::Below { closest_encloser: node }) = zone.find(name);
    node.cut().is_none()
}

struct Looking<'r> {
    recursion: &'r Arc<Recursion>,
    snapshot: &'r Arc<Snapshot>,
    /// Of the client's query, however many questions it takes.
    budget: Arc<Budget>,
    wants: Wants,
}

impl Looking<'_> {
    async fn look(&self, question: QuestionRef<'_>) -> Recursed {
        let here = Arc::new(Served(Arc::clone(self.snapshot)));
        let (asked, wants) = (question, self.wants);
        let question = question.to_question();
        let resolved = self.recursion.resolve_within(question, Some(here), &self.budget, wants).await;
        let found = Recursed::of(resolved, wants.dnssec_ok);
        let answer = self.recursion.sentinel(asked, wants, found.security);
        let answer = answer.or_else(|| guarded(self.snapshot, asked.name, &found.answer));
        Recursed { answer: answer.unwrap_or(found.answer), ..found }
    }

    /// RFC 6147 5.1: AAAA, and when there is none of use, A.
    async fn look_for_ipv6(&self, question: QuestionRef<'_>, prefix: Nat64Prefix) -> Recursed {
        let aaaa = self.look(question).await;
        // RFC 6147 5.5: nothing is made in place of what is bogus.
        if !prefix.is_wanting(&aaaa.answer) || aaaa.security == Security::Bogus {
            return aaaa;
        }
        self.budget.pass_on();
        let a = self.look(QuestionRef { rr_type: RrType::A, ..question }).await;
        if a.security == Security::Bogus && a.answer.rcode != Rcode::NOERROR {
            return Recursed { facts: joined(aaaa.facts, a.facts, &[]), ..a };
        }
        // Where others were asked, they count, for whichever of the two it was.
        let source = if a.facts.tries == 0 && aaaa.facts.tries > 0 { aaaa.source } else { a.source };
        let made = [Step::Synthesised(question.to_question())];
        match prefix.synthesise(&aaaa.answer, &a.answer) {
            Some(answer) => {
                let facts = joined(aaaa.facts, a.facts, &made);
                // RFC 6147 5.5: what is made from secure data, because there is provably nothing better, may be called so.
                let is_secure = (aaaa.security, a.security) == (Security::Secure, Security::Secure);
                let security = if is_secure { Security::Secure } else { Security::Unchecked };
                Recursed { answer: Answer { authentic: is_secure, ..answer }, source, security, facts }
            }
            None => Recursed { facts: joined(aaaa.facts, a.facts, &[]), ..aaaa },
        }
    }

    /// RFC 6147 5.3.1: the name is an alias of that of the IPv4 address.
    async fn reverse(&self, question: QuestionRef<'_>, name: crate::dns::Name) -> Recursed {
        let alias = dns64::alias(question.name, &name);
        let found = self.look(Question::new(name, RrType::PTR).as_ref()).await;
        if !matches!(found.answer.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return found;
        }
        let sets: Vec<AnswerRrset<'static>> =
            std::iter::once(alias).chain(found.answer.answer.iter().cloned()).collect();
        let answer = Answer { answer: sets.into_iter().collect(), authoritative: false, ..found.answer };
        let made = [Step::Synthesised(question.to_question())];
        Recursed { answer, facts: joined(found.facts, RecursionFacts::default(), &made), ..found }
    }
}

/// What was done for two questions, and then. Both were paid from one budget, of which the second saw the end.
fn joined(mut first: RecursionFacts, second: RecursionFacts, then: &[Step]) -> RecursionFacts {
    let room = crate::limits::TRACE_EXCHANGES.saturating_sub(first.exchanges.len());
    first.exchanges.extend(second.exchanges.into_iter().take(room));
    first.tries += second.tries;
    first.steps = first.steps.iter().chain(second.steps.iter()).chain(then).cloned().collect();
    first.spent = second.spent.or(first.spent);
    first.id = first.id.or(second.id);
    first
}
