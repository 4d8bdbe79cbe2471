//! Explanations: how a question is answered now, or how one was that failed or took long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::command::{Refusal, Reply};
use super::explain_tree::{spoken_server, spoken_time, tree};
use super::report::{Explanation, Spent};
use crate::dns::{ErrorCode, ExtendedError, Name, Question, Rcode, RrType};
use crate::net::clock::Clock;
use crate::observe::{
    ExchangeResult, FlightRecorder, RecordId, RecursionFacts, Source, Spendings, Step, UpstreamExchange,
};
use crate::service::{Explained, Published, Snapshot, explain};
use crate::wire::names::Hops;
use crate::wire::{MessageView, SectionKind};
use crate::zonefile::write_rrset;

/// What explanations are made from.
#[derive(Clone)]
pub(super) struct Explainer {
    pub(super) published: Arc<Published>,
    pub(super) recorder: Arc<FlightRecorder>,
    pub(super) clock: Arc<Clock>,
    /// Where questions are asked from.
    pub(super) runtime: tokio::runtime::Handle,
}

/// What is known of one answer.
pub(crate) struct Told {
    pub question: Question,
    pub rcode: Rcode,
    pub source: Source,
    pub error: Option<ExtendedError>,
    pub took: Duration,
    pub steps: Arc<[Step]>,
    pub spent: Option<Spendings>,
    pub answer: Vec<String>,
    pub id: Option<RecordId>,
    pub time: Option<u64>,
}

impl Explainer {
    /// Answers a question now. Blocks the thread until that is done.
    pub(super) fn explain(&self, name: Name, rr_type: &str, fresh: bool) -> Result<Reply, Refusal> {
        let rr_type: RrType =
            rr_type.parse().map_err(|_| Refusal(format!("`{rr_type}` is not a type of records")))?;
        if rr_type.is_meta() && rr_type != RrType::ANY {
            return Err(Refusal(format!("{rr_type} is not a type that can be resolved")));
        }
        let question = Question::new(name, rr_type);
        let mut snapshot = self.published.load();
        if fresh && let Some(recursion) = &snapshot.recursion {
            let recursion = Some(recursion.fresh());
            snapshot = Arc::new(Snapshot { recursion, ..snapshot.copy() });
        }
        let began = self.clock.now();
        let (done, explained) = oneshot::channel();
        let work = explain(snapshot, question.clone(), began);
        self.runtime.spawn(async move {
            // Who asked may be gone meanwhile.
            let _ = done.send(work.await);
        });
        let ending = || Refusal("the server is ending".into());
        let explained = explained.blocking_recv().map_err(|_| ending())?.ok_or_else(ending)?;
        let took = self.clock.now().tick.since(began.tick);
        Ok(Reply::Explanation(Box::new(explanation(&Told::of(question, explained, took)))))
    }

    /// How a question was answered, from its record.
    pub(super) fn recorded(&self, id: &str) -> Result<Reply, Refusal> {
        let id: RecordId = id.parse().map_err(|error| Refusal(format!("`{id}`: {error}")))?;
        let record = self.recorder.find(id).ok_or_else(|| {
            Refusal(format!(
                "nothing is kept under {id}: newer failures took its place, or the server was started since"
            ))
        })?;
        let told = Told {
            question: record.question.clone(),
            rcode: record.rcode,
            source: Source::Recursion,
            error: record.error.clone(),
            took: record.took,
            steps: record.steps.clone(),
            spent: Some(record.spent),
            answer: Vec::new(),
            id: Some(id),
            time: Some(record.ended.seconds()),
        };
        Ok(Reply::Explanation(Box::new(explanation(&told))))
    }
}

impl Told {
    fn of(question: Question, explained: Explained, took: Duration) -> Told {
        let Explained { event, steps, octets } = explained;
        let facts = event.recursion.map(|facts| *facts).unwrap_or_default();
        let RecursionFacts { spent, id, .. } = facts;
        // What we wrote ourselves can be read.
        let message = MessageView::parse(&octets).ok();
        let error = message.and_then(|message| message.opt()?.extended_error());
        let error = error.map(|(code, text)| ExtendedError {
            code,
            text: String::from_utf8_lossy(text).into_owned().into(),
        });
        let answer = message.map(|message| answer_of(&message)).unwrap_or_default();
        let (rcode, source) = (event.rcode, event.source);
        Told { question, rcode, source, error, took, steps, spent, answer, id, time: None }
    }

    fn exchanges(&self) -> impl Iterator<Item = UpstreamExchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange { exchange, .. } => Some(*exchange),
            _ => None,
        })
    }
}

fn answer_of(message: &MessageView<'_>) -> Vec<String> {
    let rrsets = message.rrsets(SectionKind::Answer, &mut Hops::of_message()).unwrap_or_default();
    let mut text = String::new();
    for rrset in &rrsets {
        write_rrset(rrset.view(), &mut text).expect("a string takes all that is written to it");
    }
    text.lines().map(str::to_owned).collect()
}

/// All that is told.
pub(crate) fn explanation(told: &Told) -> Explanation {
    let spent = told.spent.iter().flatten();
    Explanation {
        name: told.question.name.to_string(),
        rr_type: told.question.rr_type.to_string(),
        rcode: told.rcode.to_string(),
        source: told.source.word().into(),
        duration_us: told.took.as_micros() as u64,
        id: told.id.map(|id| id.to_string()),
        time: told.time,
        verdict: verdict(told),
        hint: hint(told),
        ede: told.error.as_ref().map(|error| error.code.0),
        answer: told.answer.clone(),
        steps: tree(&told.steps),
        budget: spent.map(|of| Spent { what: of.what.into(), spent: of.spent, most: of.most }).collect(),
    }
}

/// What came of it, in one line.
fn verdict(told: &Told) -> String {
    let Told { rcode, took, .. } = told;
    let what = match (*rcode, told.answer.is_empty(), &told.error) {
        (_, _, Some(error)) if !error.text.is_empty() => format!("{rcode}: {}", error.text),
        (Rcode::NOERROR, true, _) if told.time.is_none() => "NOERROR: there is no such data".into(),
        (Rcode::NXDOMAIN, ..) => "NXDOMAIN: there is no such name".into(),
        _ => rcode.to_string(),
    };
    let tries = told.exchanges().count();
    let plural = if tries == 1 { "" } else { "s" };
    match told.steps.first() {
        Some(Step::LocalZone { apex, .. }) => format!("{what}, says the zone {apex} served here"),
        Some(Step::SpecialName(apex)) => format!("{what}, as is set for the special name {apex}"),
        Some(Step::Known { age, .. }) if tries == 0 => {
            format!("{what}, says the cache from data {} s old", age.as_secs())
        }
        Some(Step::FailedBefore(..)) if tries == 0 => format!("{what} (it failed a moment ago)"),
        _ if told.source == Source::Refused => what,
        _ => format!("{what}, after {tries} exchange{plural} and {}", spoken_time(*took)),
    }
}

/// What to do about it, in one line.
fn hint(told: &Told) -> String {
    match (told.steps.first(), told.source) {
        (_, Source::Refused) => {
            "see `access` and `resolver.enabled` in the configuration; it was asked as a client at 127.0.0.1"
                .into()
        }
        (Some(Step::LocalZone { apex, serial: None }), _) => {
            format!("mend the file of {apex}: `namu zone list` names it and its mistakes")
        }
        (Some(Step::LocalZone { apex, .. }), _) => {
            format!("to change that, edit the zone: `namu zone edit {apex}`")
        }
        (Some(Step::SpecialName(_)), _) => {
            "to change that, serve a zone of that name, or set `server.special-zones: none`".into()
        }
        (Some(Step::FailedBefore(question, _)), Source::FailureCache) => {
            let record = told.error.as_ref().and_then(|error| error.text.rsplit_once("; id="));
            let record = record.map(|(_, id)| format!("`namu explain --id {id}` tells what was tried; "));
            let record = record.unwrap_or_default();
            format!(
                "{record}`namu explain --fresh {question}` tries again, and clients do after `cache.failure-ttl`"
            )
        }
        (Some(Step::Known { question, .. }), Source::Cache | Source::NegativeCache) => {
            format!("`namu explain --fresh {question}` asks the servers again")
        }
        _ if told.rcode == Rcode::SERVFAIL => of_failure(told),
        _ => of_answer(told),
    }
}

/// For an answer that had to be found.
fn of_answer(told: &Told) -> String {
    let lost = told.exchanges().find(|exchange| exchange.result == ExchangeResult::Timeout);
    let answered = |exchange: UpstreamExchange| match exchange.result {
        ExchangeResult::Answered(time) => Some((time, exchange.server)),
        _ => None,
    };
    let slowest = told.exchanges().filter_map(answered).max();
    match (lost, slowest) {
        (Some(lost), _) => {
            format!("most of the time was spent waiting for {}, which was silent", spoken_server(lost.server))
        }
        (None, Some((time, server))) => {
            format!(
                "nothing is wrong; the slowest server was {} with {}",
                spoken_server(server),
                spoken_time(time)
            )
        }
        (None, None) => "nothing is wrong".into(),
    }
}

/// For a failure: who can mend it. What counts is how it ended at the servers of the zone asked last.
fn of_failure(told: &Told) -> String {
    if told.error.as_ref().is_some_and(|error| error.code == ErrorCode::INVALID_DATA) {
        return "the aliases lead in a ring; the owner of one of those names has to mend it".into();
    }
    let answers = |exchange: UpstreamExchange| matches!(exchange.result, ExchangeResult::Answered(_));
    if told.exchanges().next().is_some() && !told.exchanges().any(answers) {
        return "not one server answered: is this machine on the internet, and does a firewall stop port 53?"
            .into();
    }
    let own = own_steps(&told.steps);
    let ends = |step: &&&Step| {
        matches!(step, Step::Exchange { .. } | Step::Cycle(_) | Step::ChildFailed(_) | Step::Zone { .. })
    };
    let zone = own.iter().rev().find_map(|step| match step {
        Step::Zone { apex, .. } => Some(apex),
        _ => None,
    });
    let Some(zone) = zone else { return "the log of the server may tell more".into() };
    match own.iter().rev().find(ends) {
        Some(Step::Exchange { exchange, .. }) => of_server(told, zone, *exchange),
        Some(Step::Cycle(_)) => {
            format!("the name servers of {zone} need themselves to be found; their owners have to add glue")
        }
        _ => format!(
            "no address of the name servers of {zone} can be found; its owner has to mend the delegation"
        ),
    }
}

/// For a failure at this server of a zone.
fn of_server(told: &Told, zone: &Name, exchange: UpstreamExchange) -> String {
    let server = spoken_server(exchange.server);
    match exchange.result {
        ExchangeResult::Timeout | ExchangeResult::Unreachable => format!(
            "others answer, so the servers of {zone} are down or do not talk to us; ask yourself: \
             `namu query {} @{} -p {}`",
            told.question,
            exchange.server.ip(),
            exchange.server.port()
        ),
        ExchangeResult::Lame | ExchangeResult::Failed(_) => format!(
            "the servers of {zone} do not serve it as its parent says; its owner has to mend zone or delegation"
        ),
        ExchangeResult::Malformed => {
            format!("the server {server} of {zone} sends nonsense; its operator has to mend it")
        }
        ExchangeResult::Answered(_) => {
            format!("{server} answered, but the question costs more than one may; see what was spent below")
        }
    }
}

/// The steps that were not done for questions of our own; of those remain how they ended.
fn own_steps(steps: &[Step]) -> Vec<&Step> {
    let (mut depth, mut own) = (0u32, Vec::new());
    for step in steps {
        match step {
            Step::Child(_) => depth += 1,
            Step::Found(..) | Step::ChildFailed(_) | Step::Cycle(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            own.push(step);
        }
    }
    own
}
