//! Forwarding (RFC 1034 4.3.1's recursive service, asked of others) and stub zones: the servers an operator named are
//! asked in place of those the tree names.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{FutureExt, select_all};

use super::choose::by_lot;
use super::classify::{Found, Verdict, classify};
use super::exchange::{Outcome, ask_with};
use super::failure::Tried;
use super::iterate::{self, Iterated, Said};
use super::reply::Reply;
use super::round::{Heard, Round};
use super::scrub::Scrubbed;
use super::upstreams::{Strategy, UpstreamKind, UpstreamZone};
use super::{Failure, Task, here};
use crate::cache::{Delegation, servers::RoundTrip};
use crate::clock::Age;
use crate::dns::{Question, RrType};
use crate::limits;
use crate::observe::{Choice, ExchangeResult, Step};
use crate::wire::Flags;

/// Asks whoever is to be asked: the servers of a zone delegated from here, those of a forward or stub zone, else from
/// zone to zone. QNAME minimisation and what else belongs to iteration stays out of forwarding.
pub async fn ask_around(
    question: &Question,
    cut: Option<Delegation>,
    task: &Task,
) -> Result<Iterated, Failure> {
    if let Some(cut) = cut {
        return iterate::run_from(nearest(cut, question, task), question, task).await;
    }
    let Some(zone) = task.upstreams().find_for(question.as_ref()) else {
        return iterate::run(question, task).await;
    };
    let asked = match zone.kind {
        UpstreamKind::Forward => forward(question, zone, task).await,
        UpstreamKind::Stub => stub(question, zone, task).await,
    };
    match asked {
        Err(Failure::NoUpstream { .. }) if zone.fallback => iterate::run(question, task).await,
        asked => asked,
    }
}

async fn forward(question: &Question, zone: &UpstreamZone, task: &Task) -> Result<Iterated, Failure> {
    let understand = |outcome: Outcome| {
        let result = outcome.result();
        let Outcome::Replied(reply, _) = outcome else { return Err(result) };
        match understand_forwarder(reply, question, zone, task) {
            Verdict::Found(found) => Ok((found, result)),
            Verdict::Referral(_) | Verdict::FromCache(_) | Verdict::Lame => Err(ExchangeResult::Lame),
            Verdict::Junk => Err(ExchangeResult::Malformed),
            Verdict::Failed(rcode) => Err(ExchangeResult::Failed(rcode)),
        }
    };
    task.enter(&zone.apex)?;
    let found = UpstreamRound::new(zone, task).run(question, Flags::RD, understand).await?;
    Ok(Iterated { found, zone: zone.apex.clone(), is_forwarded: true })
}

/// What a forwarder's reply means. Of the answer section only what lies in the zone it was named for is looked at, and
/// of that only the chain from the question on. Of the rest of the reply nothing but the SOA and the proofs of a denial: no
/// delegation ever comes from a forwarder, nor glue (MaginotDNS).
fn understand_forwarder(mut reply: Reply, question: &Question, zone: &UpstreamZone, task: &Task) -> Verdict {
    let has = |rr_type| reply.authority.iter().any(|rrset| rrset.rr_type == rr_type);
    // RD was not heard: a referral, whatever RA says.
    if reply.answer.is_empty() && has(RrType::NS) && !has(RrType::SOA) {
        return Verdict::Lame;
    }
    let apex = zone.apex.as_ref();
    reply.answer.retain(|rrset| rrset.owner.as_ref().is_at_or_below(apex));
    here::leave_to_others(&mut reply.answer, question, apex, task);
    reply.authority.retain(|rrset| rrset.rr_type == RrType::SOA || rrset.rr_type.is_proof());
    reply.additional.clear();
    // A resolver answers from its cache, and without an SOA when it has none; not all of them set RA.
    let is_answer = reply.authoritative || reply.recursive || !reply.authority.is_empty();
    (reply.authoritative, reply.recursive) = (is_answer, false);
    match classify(Scrubbed { reply, named_others: false }, question, apex) {
        Verdict::Found(found) => Verdict::Found(Found { authoritative: false, ..found }),
        other => other,
    }
}

async fn stub(question: &Question, zone: &UpstreamZone, task: &Task) -> Result<Iterated, Failure> {
    let apex = Delegation { apex: zone.apex.clone(), servers: [].into(), expires: Age(u64::MAX) };
    let nearest = nearest(apex.clone(), question, task);
    if nearest.apex != apex.apex {
        return iterate::run_from(nearest, question, task).await;
    }
    let understand = |outcome| match iterate::understand(outcome, question, &apex, task)? {
        (Said::FromCache(_), result) => Err(result),
        said => Ok(said),
    };
    task.enter(&zone.apex)?;
    match UpstreamRound::new(zone, task).run(question, Flags::default(), understand).await? {
        Said::Found(found) | Said::FromCache(found) => Ok(Iterated::of_zone(found, apex.apex)),
        Said::Below(below) => {
            task.budget().referral()?;
            task.step(Step::Referral(below.apex.clone()));
            iterate::run_from(below, question, task).await
        }
    }
}

/// A delegation that is known further down than `top`, else `top`.
fn nearest(top: Delegation, question: &Question, task: &Task) -> Delegation {
    // RFC 4035 2.6: as where iteration begins.
    let place = question.rr_type.place(question.name.as_ref());
    let known = task.cache().closest_delegation(place, task.now());
    match known.filter(|known| known.apex.as_ref().is_below(top.apex.as_ref())) {
        Some(known) => (*known).clone(),
        None => top,
    }
}

/// One server while one question is asked.
#[derive(Debug)]
struct Upstream {
    server: SocketAddr,
    tries: u32,
    /// It is of no use for this question.
    is_out: bool,
    /// It stayed silent lately.
    is_backed_off: bool,
    /// Measured, or drawn by lot for one never met, so that it is met some day.
    expected: Duration,
    round_trip: Option<RoundTrip>,
}

/// A round of the servers of a forward or stub zone.
struct UpstreamRound<'t> {
    zone: &'t UpstreamZone,
    task: &'t Task,
    round: Round<'t>,
    upstreams: Vec<Upstream>,
}

impl<'t> UpstreamRound<'t> {
    fn new(zone: &'t UpstreamZone, task: &'t Task) -> UpstreamRound<'t> {
        let (servers, now) = (task.cache().servers(), task.now());
        let upstream = |server: &SocketAddr| {
            let known = servers.server(*server, now);
            let expected = known.round_trip.map_or_else(|| by_lot(task.random()), |known| known.smoothed);
            Upstream {
                server: *server,
                tries: 0,
                is_out: false,
                is_backed_off: known.is_backed_off(now),
                expected,
                round_trip: known.round_trip,
            }
        };
        let upstreams = zone.servers.iter().map(upstream).collect();
        task.step(Step::Upstream(zone.apex.clone()));
        UpstreamRound { zone, task, round: Round::new(&zone.apex, task), upstreams }
    }

    /// Asks one server after the other, or several at once, until one has something to say that `understand` takes.
    async fn run<T>(
        mut self,
        question: &Question,
        flags: Flags,
        understand: impl Fn(Outcome) -> Result<(T, ExchangeResult), ExchangeResult>,
    ) -> Result<T, Failure> {
        let task = self.task;
        loop {
            let wave = self.next_wave()?;
            let ask = |(server, timeout): (SocketAddr, Duration)| {
                ask_with(flags, question, server, timeout, task).map(move |outcome| (server, outcome)).boxed()
            };
            // Polled in their order, so that a run is repeatable. Those that lose are given up with the wave.
            let mut asked: Vec<_> = wave.into_iter().map(ask).collect();
            while !asked.is_empty() {
                let ((server, outcome), _, others) = select_all(asked).await;
                asked = others;
                let Heard { said, tried } = self.round.hear(question, server, outcome, &understand)?;
                match said {
                    Some(said) => return Ok(said),
                    None => self.failed(tried),
                }
            }
        }
    }

    /// Whom to ask next, and how long to wait for each. The error is that nobody is left.
    fn next_wave(&mut self) -> Result<Vec<(SocketAddr, Duration)>, Failure> {
        // With somebody else to turn to, servers that were silent just now are let be.
        let Round { silent_tries, bad_replies, .. } = self.round;
        let is_hopeless = self.zone.fallback && self.upstreams.iter().all(|upstream| upstream.is_backed_off);
        let patience =
            if self.zone.fallback { limits::FORWARD_TRIES_BEFORE_FALLBACK } else { limits::FORWARD_TRIES };
        if is_hopeless || silent_tries >= patience || bad_replies >= limits::FORWARD_BAD_REPLIES {
            return Err(self.failure());
        }
        let is_ordered = self.zone.strategy == Strategy::Ordered;
        let mut places: Vec<usize> =
            (0..self.upstreams.len()).filter(|place| !self.upstreams[*place].is_out).collect();
        places.sort_by_key(|place| {
            let upstream = &self.upstreams[*place];
            let expected = if is_ordered { Duration::ZERO } else { upstream.expected };
            (upstream.tries, upstream.is_backed_off, expected)
        });
        let in_use = places.len();
        let untried = places.iter().filter(|place| self.upstreams[**place].tries == 0).count();
        places.truncate(if self.zone.strategy == Strategy::Parallel { limits::FORWARD_AT_ONCE } else { 1 });
        let mut wave = Vec::new();
        for place in places {
            let upstream = &self.upstreams[place];
            self.task.budget().address(upstream.server.ip())?;
            wave.push((upstream.server, upstream.timeout(untried > 1)));
        }
        for (server, patience) in &wave {
            let why = self.why(*server, wave.len(), in_use);
            self.task.step(Step::Chosen { server: *server, why, patience: *patience });
        }
        if wave.is_empty() { Err(self.failure()) } else { Ok(wave) }
    }

    /// Why it is asked, with so many at once of those in use.
    fn why(&self, server: SocketAddr, at_once: usize, in_use: usize) -> Choice {
        let Some(upstream) = self.upstreams.iter().find(|upstream| upstream.server == server) else {
            return Choice::Only;
        };
        match (self.zone.strategy, upstream.round_trip) {
            _ if upstream.tries > 0 => Choice::Again(upstream.tries),
            _ if upstream.is_backed_off => Choice::LastResort,
            _ if in_use == 1 => Choice::Only,
            (Strategy::Parallel, _) => Choice::Parallel(at_once),
            (Strategy::Ordered, _) => Choice::Ordered(in_use),
            (Strategy::Fastest, Some(_)) => Choice::Fastest(in_use, upstream.expected),
            (Strategy::Fastest, None) => Choice::Untried(in_use),
        }
    }

    fn failed(&mut self, tried: Tried) {
        if let Some(upstream) = self.upstreams.iter_mut().find(|upstream| upstream.server == tried.server) {
            upstream.tries += 1;
            upstream.is_out = tried.result != ExchangeResult::Timeout;
        }
        self.round.count(tried.result);
        self.round.failed(tried);
    }

    fn failure(&mut self) -> Failure {
        Failure::NoUpstream { zone: self.zone.apex.clone(), tried: self.round.take_tried() }
    }
}

impl Upstream {
    /// How long to wait for its reply. What it has in its cache comes at once, what it has to look for does not: so it
    /// has more time than its measured replies took, and still more when nobody else is left to ask.
    fn timeout(&self, are_there_others: bool) -> Duration {
        let measured = self.round_trip.map_or(Duration::ZERO, |known| known.smoothed + known.variation * 4);
        let least = if are_there_others { limits::UNKNOWN_ROUND_TRIP } else { limits::FORWARD_TIMEOUT };
        let (_, longest) = limits::REPLY_TIMEOUT;
        measured.max(least).saturating_mul(1 << self.tries.min(8)).min(longest)
    }
}
