//! Iteration (RFC 1034 5.3.3): from the nearest zone whose servers are known, down to the one that knows the name.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::choose::Candidates;
use super::classify::{End, Found, Verdict, classify};
use super::delegation::addresses_of;
use super::exchange::{Outcome, ask};
use super::failure::Tried;
use super::minimise::{Next, Progress};
use super::resolve::{aged, with_negative_ttl};
use super::round::{Heard, Round};
use super::scrub::keep_in_bailiwick;
use super::{Failure, Limit, NoReply, Task, addresses, here, prime};
use crate::cache::{CachedAnswer, CachedRrset, Delegation, Kind, Lookup, NewAnswer, Security};
use crate::clock::Age;
use crate::dns::{Name, Question, RrType, Rrset};
use crate::limits;
use crate::observe::{ExchangeResult, Step};

/// What was found, and the apex of the zone whose server said so.
pub struct Iterated {
    /// What the server knows of the name.
    pub found: Found,
    /// Its zone.
    pub zone: Name,
    /// A forwarder said so.
    pub is_forwarded: bool,
}

impl Iterated {
    /// What a server of the zone said of the name asked for.
    pub(super) fn of_zone(found: Found, zone: Name) -> Iterated {
        Iterated { found: found.of_name_asked(), zone, is_forwarded: false }
    }
}

/// Asks from zone to zone until one has something to say of the name, from the nearest zone that is known on.
pub async fn run(question: &Question, task: &Task) -> Result<Iterated, Failure> {
    let delegation = start(question, task).await?;
    run_from(delegation, question, task).await
}

/// As [`run`], from this zone on.
pub async fn run_from(
    mut delegation: Delegation,
    question: &Question,
    task: &Task,
) -> Result<Iterated, Failure> {
    let mut progress = Progress::new(task.options().minimisation);
    loop {
        let asked = match next_question(question, &delegation, &mut progress, task) {
            Todo::Ask(Next::Whole) => ask_zone(question, &delegation, Expected::Whole, task).await?,
            Todo::Ask(Next::Part(part)) => ask_part(&part, &delegation, &mut progress, task).await?,
            Todo::Believe(denial) => Asked::Said(Said::Found(denial)),
        };
        match asked {
            Asked::Said(Said::Found(found) | Said::FromCache(found)) => {
                return Ok(Iterated::of_zone(found, delegation.apex));
            }
            Asked::Said(Said::Below(below)) => {
                task.budget().referral()?;
                task.step(Step::Referral(below.apex.clone()));
                delegation = below;
            }
            Asked::Passed => {}
            Asked::Unclear => {
                progress.give_up();
                task.budget().stop_minimising();
            }
        }
    }
}

enum Todo {
    Ask(Next),
    /// A part of the name is known not to exist.
    Believe(Found),
}

/// What to ask the servers of a zone, as far as the budget lets us hide the rest. Parts that the cache knows lead no
/// further down are passed.
fn next_question(question: &Question, delegation: &Delegation, progress: &mut Progress, task: &Task) -> Todo {
    if task.is_said(&question.name, &delegation.apex) {
        return Todo::Ask(Next::Whole);
    }
    loop {
        let Next::Part(part) = progress.next_question(question, delegation.apex.as_ref()) else {
            return Todo::Ask(Next::Whole);
        };
        let known = match task.cache().lookup(part.as_ref(), task.now()) {
            Lookup::Fresh(known) if known.security != Security::Bogus => Some(known),
            Lookup::Fresh(_) | Lookup::Stale(_) | Lookup::Miss => None,
        };
        match known {
            Some(known) if known.kind == Kind::NxDomain => {
                let denial = denial(&known, task);
                // An alias of this name says nothing of those below it; and what is to be had anew is not believed again.
                let is_believed = known.answer.is_empty()
                    && !task.is_past_cache
                    && (!progress.is_relaxed() || task.is_proven_absent(&part.name, &denial));
                return if is_believed { Todo::Believe(denial) } else { Todo::Ask(Next::Whole) };
            }
            Some(_) => progress.passed(&part),
            None => {
                let is_client_s = task.depth == 0 && question.name == task.question.name;
                return match task.budget().minimised_step(is_client_s) {
                    true => Todo::Ask(Next::Part(part)),
                    false => Todo::Ask(Next::Whole),
                };
            }
        }
    }
}

/// RFC 8020 2: what is known of a name that does not exist holds for those below it.
fn denial(known: &CachedAnswer, task: &Task) -> Found {
    let own = |cached: &CachedRrset| Rrset::clone(&aged(&cached.rrset, cached.ttl(task.now())));
    let is_soa = |cached: &&CachedRrset| cached.rrset.rr_type == RrType::SOA;
    Found {
        rrsets: vec![],
        aliases: vec![],
        end: End::NxDomain,
        soa: known.authority.iter().find(is_soa).map(own),
        proofs: known.authority.iter().filter(|cached| !is_soa(cached)).map(own).collect(),
        authoritative: true,
        server: None,
    }
}

/// Asks for a part of the name, of type A.
async fn ask_part(
    part: &Question,
    delegation: &Delegation,
    progress: &mut Progress,
    task: &Task,
) -> Result<Asked, Failure> {
    progress.asked();
    let expected = if progress.is_relaxed() { Expected::RelaxedPart } else { Expected::Part };
    let found = match ask_zone(part, delegation, expected, task).await? {
        Asked::Said(Said::Found(found) | Said::FromCache(found)) => found,
        other => return Ok(other),
    };
    // An alias of this name says nothing of those below it.
    if found.aliases.is_empty() {
        remember_denial(part, &found, task);
        // RFC 8020 2: nothing is below a name that does not exist. Servers exist that say so of empty non-terminals; these
        // have no proof of it.
        if found.end == End::NxDomain {
            let is_believed = expected == Expected::Part || task.is_proven_absent(&part.name, &found);
            return Ok(if is_believed { Asked::Said(Said::Found(found)) } else { Asked::Unclear });
        }
    }
    progress.passed(part);
    Ok(Asked::Passed)
}

fn remember_denial(part: &Question, found: &Found, task: &Task) {
    let kind = match found.end {
        End::NoData => Kind::NoData,
        End::NxDomain => Kind::NxDomain,
        _ => return,
    };
    if let Some(soa) = &found.soa {
        let mut authority = vec![with_negative_ttl(soa.clone(), task.cache())];
        authority.extend(found.proofs.iter().cloned().map(Arc::new));
        task.pass(part.clone(), NewAnswer::unchecked(kind, vec![], authority));
    }
}

/// The nearest zone above the name whose servers are known, or the root's.
async fn start(question: &Question, task: &Task) -> Result<Delegation, Failure> {
    // RFC 4035 2.6: DS stands at the parent's side, so the zone of that name itself is not the one to ask.
    let place = question.rr_type.place(question.name.as_ref());
    match task.cache().closest_delegation(place, task.now()) {
        Some(delegation) => {
            let ttl = crate::cache::entry::remaining(delegation.expires, task.now());
            task.step(Step::Nearest(delegation.apex.clone(), ttl));
            Ok((*delegation).clone())
        }
        None => prime::root(question, task).await,
    }
}

/// What the server of a zone said.
pub(super) enum Said {
    Found(Found),
    /// Out of somebody's cache: for when no other server of the zone says anything.
    FromCache(Found),
    Below(Delegation),
}

impl Said {
    /// Notes who said it.
    pub(super) fn by(mut self, server: SocketAddr) -> Said {
        if let Said::Found(found) | Said::FromCache(found) = &mut self {
            found.server = Some(server);
        }
        self
    }
}

/// What came of asking the servers of a zone, for a question or a part of its name.
enum Asked {
    Said(Said),
    /// The part leads no further down.
    Passed,
    /// A reply to a part that shows that the whole is to be asked.
    Unclear,
}

/// What is asked of a zone, and so what may be wrong with the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The question itself.
    Whole,
    /// A part of its name.
    Part,
    /// A part of its name; when the first server to reply does not understand, the whole is asked instead.
    RelaxedPart,
    /// An address that the zone has as glue, or knows by chance. No address of its own servers is looked up for that.
    Glue,
}

/// Asks the servers of one zone, one after the other, until one has something to say.
async fn ask_zone(
    question: &Question,
    delegation: &Delegation,
    expected: Expected,
    task: &Task,
) -> Result<Asked, Failure> {
    task.enter(&delegation.apex)?;
    let (apex, name_servers) = (delegation.apex.clone(), delegation.servers.len());
    task.step(Step::Zone { apex, name_servers });
    let mut servers = DelegationRound::new(delegation, task);
    if expected == Expected::Glue {
        servers.candidates.seek_no_more();
    }
    loop {
        let heard = match servers.next().await {
            Ok((server, timeout)) => {
                let outcome = ask(question, server, timeout, task).await;
                let understand = |outcome| understand(outcome, question, delegation, task);
                servers.round.hear(question, server, outcome, understand)
            }
            Err(failure) => Err(failure),
        };
        let Heard { said, tried } = match heard {
            Ok(heard) => heard,
            Err(failure) => return servers.end(question, failure),
        };
        match said.map(|said| said.by(tried.server)) {
            Some(Said::FromCache(found)) => drop(servers.last_resort.get_or_insert(found)),
            Some(said) => return Ok(Asked::Said(said)),
            None => {}
        }
        if expected == Expected::RelaxedPart && has_replied(tried.result) {
            return Ok(Asked::Unclear);
        }
        servers.failed(tried);
    }
}

/// What a zone knows of a name server of the zone below.
pub(super) enum Known {
    Addresses(Vec<IpAddr>),
    Alias(Name),
}

/// The addresses that the servers of the zone above `delegation` know for a name server of it: as glue they did not send,
/// or because they serve both zones (RFC 1034 4.2.1). None where the operator has named whom to ask.
pub(super) fn ask_parent<'a>(
    question: &'a Question,
    delegation: &'a Delegation,
    task: &'a Task,
) -> BoxFuture<'a, Result<Known, Failure>> {
    async move {
        let above = Question::new(delegation.apex.clone(), RrType::DS);
        if delegation.expires == Age(u64::MAX) || task.upstreams().find_for(above.as_ref()).is_some() {
            return Ok(Known::Addresses(vec![]));
        }
        let parent = start(&above, task).await?;
        Ok(match ask_zone(question, &parent, Expected::Glue, task).await? {
            Asked::Said(Said::Found(Found { end: End::Alias(target), .. })) => Known::Alias(target),
            Asked::Said(Said::Found(found) | Said::FromCache(found)) => {
                Known::Addresses(found.rrsets.iter().flat_map(addresses_of).collect())
            }
            Asked::Said(Said::Below(below)) => Known::Addresses(below.glue_of(&question.name).to_vec()),
            Asked::Passed | Asked::Unclear => Known::Addresses(vec![]),
        })
    }
    .boxed()
}

/// Whether a server said something, though of no use.
fn has_replied(result: ExchangeResult) -> bool {
    !matches!(result, ExchangeResult::Timeout | ExchangeResult::Unreachable)
}

/// A round of the servers of a delegation.
struct DelegationRound<'t> {
    delegation: &'t Delegation,
    task: &'t Task,
    round: Round<'t>,
    candidates: Candidates,
    limit: Option<Limit>,
    /// What a server said that has it from somebody's cache.
    last_resort: Option<Found>,
    /// The glue of other delegations is among the candidates.
    has_other_glue: bool,
}

impl<'t> DelegationRound<'t> {
    fn new(delegation: &'t Delegation, task: &'t Task) -> DelegationRound<'t> {
        let candidates = Candidates::of(delegation, task);
        let round = Round::new(&delegation.apex, task);
        let (limit, last_resort, has_other_glue) = (None, None, false);
        DelegationRound { delegation, task, round, candidates, limit, last_resort, has_other_glue }
    }

    /// The server to ask and the time it has. Name servers without an address are looked up once all others have been
    /// tried, before any is tried again.
    async fn next(&mut self) -> Result<(SocketAddr, Duration), Failure> {
        loop {
            if self.candidates.are_all_tried() {
                match addresses::find_more(&mut self.candidates, self.delegation, self.task).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(limit) => return Err(self.round.cut_short(limit, None)),
                }
            }
            let Round { silent_tries, bad_replies, .. } = self.round;
            let has_patience =
                silent_tries < self.patience() && bad_replies < limits::BAD_REPLIES_PER_DELEGATION;
            let chosen = self.candidates.choose(self.task.random()).filter(|_| has_patience);
            let is_last_resort_due = chosen.is_none() || silent_tries >= limits::TRIES_BEFORE_OTHER_GLUE;
            if is_last_resort_due && !std::mem::replace(&mut self.has_other_glue, true) {
                self.candidates.add_other_glue(self.delegation, self.task);
                continue;
            }
            let Some(candidate) = chosen else { return Err(self.failure()) };
            let (server, timeout) = (candidate.server, candidate.timeout());
            let why = self.candidates.why(candidate);
            match self.task.budget().address(server.ip()) {
                Ok(()) => {
                    self.task.step(Step::Chosen { server, why, patience: timeout });
                    return Ok((server, timeout));
                }
                Err(limit) => {
                    self.limit = Some(limit);
                    self.candidates.rule_out(server);
                }
            }
        }
    }

    fn failed(&mut self, tried: Tried) {
        let Tried { server, result, no_reply } = tried;
        match result {
            ExchangeResult::Timeout => self.candidates.tried(server),
            _ => self.candidates.rule_out(server),
        }
        if result == ExchangeResult::Lame {
            self.task.cache().servers().set_lame(server, &self.delegation.apex, self.task.now());
        }
        match no_reply {
            // Nothing was sent: that costs time, not packets.
            Some(NoReply::Unreachable | NoReply::NoSocket) => {
                self.task.budget().release_address(server.ip());
            }
            _ => self.round.count(result),
        }
        self.round.failed(tried);
    }

    /// How many silent tries the servers of this zone are worth.
    fn patience(&self) -> u32 {
        let (is_silent, is_known) = (self.candidates.are_all_last_resort(), self.candidates.is_any_known());
        match (self.task.depth, is_silent) {
            (0, true) => limits::TRIES_PER_SILENT_DELEGATION,
            (0, false) if self.task.budget().is_wary() => limits::TRIES_PER_WARY_DELEGATION,
            (0, false) if is_known => limits::TRIES_PER_KNOWN_DELEGATION,
            (0, false) => limits::TRIES_PER_DELEGATION,
            (_, true) => limits::TRIES_PER_SILENT_DELEGATION_OF_CHILD,
            (_, false) if self.task.budget().is_wary() => limits::TRIES_PER_DELEGATION_OF_WARY_CHILD,
            (_, false) if is_known => limits::TRIES_PER_KNOWN_DELEGATION_OF_CHILD,
            (_, false) => limits::TRIES_PER_DELEGATION_OF_CHILD,
        }
    }

    /// The last resort if there is one, else the failure.
    fn end(self, question: &Question, failure: Failure) -> Result<Asked, Failure> {
        let Some(found) = self.last_resort else { return Err(failure) };
        self.task.step(Step::SecondHand(question.clone()));
        Ok(Asked::Said(Said::FromCache(found)))
    }

    fn failure(&mut self) -> Failure {
        match self.limit {
            Some(limit) if self.round.is_fresh() => self.round.cut_short(limit, None),
            _ => Failure::NoAnswer {
                zone: self.delegation.apex.clone(),
                tried: self.round.take_tried(),
                cause: self.candidates.cause.take(),
            },
        }
    }
}

/// What an outcome means for the question; the error is what to write down of a server that did not help.
pub(super) fn understand(
    outcome: Outcome,
    question: &Question,
    delegation: &Delegation,
    task: &Task,
) -> Result<(Said, ExchangeResult), ExchangeResult> {
    let result = outcome.result();
    let Outcome::Replied(reply, _) = outcome else { return Err(result) };
    let zone = delegation.apex.as_ref();
    let priming = prime::is_priming(question).then(|| prime::read(&reply)).flatten();
    let mut scrubbed = keep_in_bailiwick(reply, zone);
    here::leave_to_others(&mut scrubbed.reply.answer, question, zone, task);
    match classify(scrubbed, question, zone) {
        Verdict::Found(found) => {
            if let Some(root) = priming.filter(|_| found.end == End::Data) {
                task.learn(root);
            }
            Ok((Said::Found(found), result))
        }
        Verdict::Referral(referral) => {
            let mut referral = referral.ending_with_ds(task.cache(), task.now());
            if referral.is_too_many {
                task.budget().become_wary();
            }
            if task.options().dnssec
                && let Some((question, ds)) = referral.ds()
            {
                task.pass(question, ds);
            }
            task.learn(referral.to_store(delegation));
            Ok((Said::Below(referral.into_delegation(delegation, task.now())), result))
        }
        Verdict::FromCache(found) => Ok((Said::FromCache(found), ExchangeResult::Lame)),
        Verdict::Lame => Err(ExchangeResult::Lame),
        Verdict::Junk => Err(ExchangeResult::Malformed),
        Verdict::Failed(rcode) => Err(ExchangeResult::Failed(rcode)),
    }
}
