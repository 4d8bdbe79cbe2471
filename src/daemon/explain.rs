//! Explanations: how a question is answered now, or how one was that failed or took long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::command::{Refusal, Reply};
use super::explain_tree::{result_of, spoken_server, spoken_time, tree};
use super::explain_trust;
use super::report::{Explanation, Spent};
use crate::dns::{ErrorCode, ExtendedError, Name, Question, Rcode, RrType};
use crate::net::clock::Clock;
use crate::observe::{
    ExchangeResult, FlightRecorder, RecordId, RecursionFacts, Security, Source, Spendings, Step,
    UpstreamExchange,
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
    pub security: Option<Security>,
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
            security: judged(&record.steps),
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
        let (rcode, source, security) = (event.rcode, event.source, event.security);
        Told { question, rcode, source, error, security, took, steps, spent, answer, id, time: None }
    }

    fn exchanges(&self) -> impl Iterator<Item = UpstreamExchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange { exchange, .. } => Some(*exchange),
            _ => None,
        })
    }
}

/// What validation said of the question itself: its last word.
fn judged(steps: &[Step]) -> Option<Security> {
    let word = steps.iter().rev().find_map(|step| match step {
        Step::Judged(_, word, _) => Some(*word),
        _ => None,
    })?;
    Security::WORDS.iter().find(|(_, known)| *known == word).map(|(security, _)| *security)
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
        dnssec: told.security.map(|security| security.word().into()),
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
    let security = told.security.map_or_else(String::new, |security| format!(" ({})", security.word()));
    let what = match (*rcode, told.answer.is_empty(), &told.error) {
        (_, _, Some(error)) if !error.text.is_empty() => format!("{rcode}{security}: {}", error.text),
        (Rcode::NOERROR, true, _) if told.time.is_none() => {
            format!("NOERROR{security}: there is no such data")
        }
        (Rcode::NXDOMAIN, ..) => format!("NXDOMAIN{security}: there is no such name"),
        _ => format!("{rcode}{security}"),
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
        (Some(Step::FailedBefore(question, error)), Source::FailureCache) => of_former(question, error),
        _ if told.error.as_ref().is_some_and(|error| error.code == ErrorCode::BLOCKED) => {
            format!(
                "if such addresses are meant, add {} to `resolver.private-exceptions`",
                told.question.name
            )
        }
        _ if let Some(hint) = of_validation(told) => hint,
        (Some(Step::Known { question, .. }), Source::Cache | Source::NegativeCache) => {
            let chain = if told.security.is_some() { " and shows the chain of trust" } else { "" };
            format!("`namu explain --fresh {question}` asks the servers again{chain}")
        }
        _ if told.rcode == Rcode::SERVFAIL => of_failure(told),
        _ => of_answer(told),
    }
}

/// For an answer that is bogus, or insecure although it is signed.
fn of_validation(told: &Told) -> Option<String> {
    let Told { question, error, steps, .. } = told;
    let error = error.as_ref()?;
    if told.security == Some(Security::Secure) {
        // RFC 8509: such names are there to fail.
        let is_sentinel = told.rcode == Rcode::SERVFAIL && error.code == ErrorCode::DNSSEC_BOGUS;
        return is_sentinel
            .then(|| "nothing is wrong: the name is a test of the trust anchors of this server".into());
    }
    let hint = explain_trust::hint(error.code, question, steps)?;
    let record = error.text.rsplit_once("; id=").filter(|_| told.time.is_none());
    let record = record.filter(|_| told.exchanges().next().is_none());
    let record = record
        .map_or_else(String::new, |(_, id)| format!("; `namu explain --id {id}` tells how that was found"));
    Some(hint + &record)
}

/// For an answer that had to be found.
fn of_answer(told: &Told) -> String {
    let lost = told.exchanges().find(|exchange| exchange.result == ExchangeResult::Timeout);
    let useless = told.exchanges().find(|exchange| !is_answered(exchange));
    let answered = |exchange: UpstreamExchange| match exchange.result {
        ExchangeResult::Answered(time) => Some((time, exchange.server)),
        _ => None,
    };
    let slowest = told.exchanges().filter_map(answered).max();
    match (lost.or(useless), slowest) {
        (Some(lost), _) if lost.result == ExchangeResult::Timeout => {
            format!("most of the time was spent waiting for {}, which was silent", spoken_server(lost.server))
        }
        (Some(useless), _) => {
            let server = spoken_server(useless.server);
            format!("{server} was of no use ({}), others answered", result_of(useless.result).0)
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

/// For a failure of a moment ago.
fn of_former(question: &Question, error: &ExtendedError) -> String {
    let record = error.text.rsplit_once("; id=");
    let record = record.map(|(_, id)| format!("`namu explain --id {id}` tells what was tried; "));
    let record = record.unwrap_or_default();
    format!("{record}`namu explain --fresh {question}` tries again, and clients do after `cache.failure-ttl`")
}

fn is_answered(exchange: &UpstreamExchange) -> bool {
    matches!(exchange.result, ExchangeResult::Answered(_))
}

fn has_not_replied(exchange: &UpstreamExchange) -> bool {
    matches!(exchange.result, ExchangeResult::Timeout | ExchangeResult::Unreachable)
}

/// For a failure: who can mend it. What counts is how it ended at the servers of the zone asked last.
fn of_failure(told: &Told) -> String {
    if told.error.as_ref().is_some_and(|error| error.code == ErrorCode::INVALID_DATA) {
        return "the aliases lead in a ring; the owner of one of those names has to mend it".into();
    }
    let own = own_steps(&told.steps);
    let end = own.iter().rev().find_map(|step| match step {
        Step::Exchange { question, exchange } => Some(End::Server(question, *exchange)),
        Step::FailedBefore(question, error) => Some(End::Former(question, error)),
        Step::Cycle(_) => Some(End::Cycle),
        Step::ChildFailed(question) if matches!(question.rr_type, RrType::DNSKEY | RrType::DS) => {
            Some(End::NoLink(question))
        }
        Step::ChildFailed(_) | Step::Zone { .. } | Step::Upstream(_) => Some(End::NoAddress),
        _ => None,
    });
    let zone = own.iter().rev().find_map(|step| match step {
        Step::Zone { apex, .. } => Some((apex, of_server as OfServer)),
        Step::Upstream(apex) => Some((apex, of_upstream as OfServer)),
        _ => None,
    });
    match (end, zone) {
        (Some(End::Former(question, error)), _) => of_former(question, error),
        (Some(End::Server(question, exchange)), Some((zone, of))) => of(told, zone, question, exchange),
        (Some(End::Cycle), Some((zone, _))) => {
            format!("the name servers of {zone} need themselves to be found; their owners have to add glue")
        }
        (Some(End::NoLink(link)), _) => format!(
            "{link} could not be had, without which nothing below it can be validated; `namu explain --fresh {link}` tells why"
        ),
        (Some(End::NoAddress), Some((zone, _))) => format!(
            "no address of the name servers of {zone} can be found; its owner has to mend the delegation"
        ),
        _ => "the log of the server may tell more".into(),
    }
}

/// How a failure ended.
enum End<'s> {
    Server(&'s Question, UpstreamExchange),
    Former(&'s Question, &'s ExtendedError),
    Cycle,
    NoAddress,
    /// A link of the chain of trust was not answered.
    NoLink(&'s Question),
}

/// What to do about this exchange, the last one with the servers of a zone.
type OfServer = fn(&Told, &Name, &Question, UpstreamExchange) -> String;

/// With a server that was found.
fn of_server(told: &Told, zone: &Name, asked: &Question, exchange: UpstreamExchange) -> String {
    let server = spoken_server(exchange.server);
    let ask = ask_yourself(asked, exchange);
    match exchange.result {
        // Above are the servers of the root and of top-level domains, which are many and never all down.
        ExchangeResult::Timeout | ExchangeResult::Unreachable
            if zone.as_ref().label_count() <= 1
                && told.exchanges().all(|exchange| has_not_replied(&exchange)) =>
        {
            "not one server answered: is this machine on the internet, and does a firewall stop port 53?"
                .into()
        }
        ExchangeResult::Timeout | ExchangeResult::Unreachable => {
            let others =
                if told.exchanges().any(|other| is_answered(&other)) { "others answer, so " } else { "" };
            format!("{others}the servers of {zone} are down or do not talk to us; {ask}")
        }
        ExchangeResult::Failed(rcode) => {
            format!("{server} answers {rcode} for {zone}; its owner has to mend zone or delegation; {ask}")
        }
        ExchangeResult::Lame => format!(
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

/// With a server that the operator named.
fn of_upstream(told: &Told, zone: &Name, asked: &Question, exchange: UpstreamExchange) -> String {
    let server = spoken_server(exchange.server);
    let ask = ask_yourself(asked, exchange);
    match exchange.result {
        ExchangeResult::Timeout | ExchangeResult::Unreachable => {
            format!(
                "the servers that the configuration names for {zone} are down or do not talk to us; {ask}"
            )
        }
        ExchangeResult::Failed(rcode) => format!(
            "{server}, which the configuration names for {zone}, answers {rcode}: does it serve the name, and this machine? {ask}"
        ),
        _ => of_server(told, zone, asked, exchange),
    }
}

fn ask_yourself(asked: &Question, UpstreamExchange { server, .. }: UpstreamExchange) -> String {
    format!("ask yourself: `namu query {asked} @{} -p {}`", server.ip(), server.port())
}

/// The steps that were not done for questions of our own; of those remain how they ended.
fn own_steps(steps: &[Step]) -> Vec<&Step> {
    // What we are within: whether each is a link of the chain of trust, which ends with what came of its validation.
    let (mut within, mut own) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Child(_) => within.push(false),
            Step::Link(_) => within.push(true),
            Step::Found(..) if within.last() == Some(&false) => _ = within.pop(),
            Step::Judged(..) if within.last() == Some(&true) => _ = within.pop(),
            Step::ChildFailed(_) | Step::Cycle(_) => _ = within.pop(),
            _ => {}
        }
        if within.is_empty() {
            own.push(step);
        }
    }
    own
}
