//! Steps as a tree: what was done within a zone stands below the zone, what was done for a question of our own below that
//! question.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::explain_trust::trust;
use super::report::Branch;
use crate::dns::{Name, Question};
use crate::observe::{Choice, ExchangeResult, Step, UpstreamExchange, WhyStream};

/// The tree of steps.
pub(super) fn tree(steps: &[Step]) -> Vec<Branch> {
    let mut growing = Growing { levels: vec![Level::default()], how: HashMap::new() };
    for step in steps {
        growing.add(step);
    }
    growing.finish()
}

/// A tree up to the present step. The first level is the client's own question, each further one a question of our own.
struct Growing {
    levels: Vec<Level>,
    /// How the servers under way are asked.
    how: HashMap<SocketAddr, How>,
}

#[derive(Default)]
struct Level {
    /// The question of our own; none on the first level.
    child: Option<Branch>,
    /// It is validated, and ends with what came of that.
    is_link: bool,
    branches: Vec<Branch>,
    /// The zone whose servers are being asked.
    zone: Option<Branch>,
}

#[derive(Default)]
struct How {
    why: Option<Choice>,
    patience: Duration,
    stream: Option<WhyStream>,
    without_edns: bool,
}

impl Growing {
    fn add(&mut self, step: &Step) {
        match step {
            Step::LocalZone { apex, serial } => {
                let serial = serial.map_or(", of which no version could be loaded".into(), |serial| {
                    format!(", serial {serial}")
                });
                self.leave_zone_and_put(named(
                    "local-zone",
                    apex,
                    format!("zone {apex} is served here{serial}"),
                ));
            }
            Step::Here(question) => {
                let text = format!("{question}: a zone served here has something to say of it");
                self.leave_zone_and_put(asked("here", question, text));
            }
            Step::Upstream(apex) => {
                self.leave_zone();
                let text = format!("zone {apex}, the servers named in the configuration");
                self.levels.last_mut().expect("the first level stays").zone =
                    Some(named("upstream", apex, text));
            }
            Step::SecondHand(question) => {
                let text =
                    format!("{question}: nobody else helped, so what a server has from a cache is taken");
                self.put(asked("second-hand", question, text));
            }
            Step::Synthesised(question) => {
                let text = format!("{question}: made from what IPv4 has (DNS64)");
                self.leave_zone_and_put(asked("synthesised", question, text));
            }
            Step::SpecialName(apex) => {
                let text = format!("{apex} is a special name, answered here and never asked of others");
                self.leave_zone_and_put(named("special-name", apex, text));
            }
            Step::Known { question, age, ttl, credibility } => {
                let (age, ttl) = (age.as_secs(), ttl.seconds());
                let text =
                    format!("{question} is in the cache for {age} s, for {ttl} s more ({credibility})");
                let branch = asked("cache", question, text);
                let credibility = Some((*credibility).to_owned());
                self.leave_zone_and_put(Branch { age: Some(age), ttl: Some(ttl), credibility, ..branch });
            }
            Step::FailedBefore(question, error) => {
                let text = format!("{question} failed a moment ago: {}", error.text);
                self.leave_zone_and_put(asked("failed-before", question, text));
            }
            Step::Nearest(apex, ttl) => {
                let ttl = ttl.seconds();
                let text = format!("the servers of {apex} are in the cache for {ttl} s more");
                self.leave_zone_and_put(Branch { ttl: Some(ttl), ..named("nearest", apex, text) });
            }
            Step::Zone { apex, name_servers } => self.enter_zone(apex, *name_servers),
            Step::Chosen { server, why, patience } => {
                let how = How { why: Some(*why), patience: *patience, ..How::default() };
                self.how.insert(*server, how);
            }
            Step::Stream(server, why) => self.how.entry(*server).or_default().stream = Some(*why),
            Step::WithoutEdns(server) => self.how.entry(*server).or_default().without_edns = true,
            Step::Exchange { question, exchange } => {
                let how = self.how.remove(&exchange.server).unwrap_or_default();
                self.put(exchanged(question, exchange, &how));
            }
            Step::Referral(apex) => {
                self.put(named("referral", apex, format!("refers to the servers of {apex}")))
            }
            Step::Alias(from, to) => {
                self.leave_zone_and_put(named("alias", from, format!("{from} is an alias of {to}")));
            }
            Step::Child(question) => {
                let child = asked("child", question, format!("{question} has to be known first"));
                self.levels.push(Level { child: Some(child), ..Level::default() });
            }
            Step::Found(question, rcode) => {
                self.leave_zone_and_put(asked("found", question, format!("{question}: {rcode}")));
                if !self.levels.last().is_some_and(|level| level.is_link) {
                    self.leave_child("");
                }
            }
            Step::Link(question) => {
                let child = asked("link", question, format!("{question}, a link of the chain of trust"));
                self.levels.push(Level { child: Some(child), is_link: true, ..Level::default() });
            }
            Step::Judged(question, security, error) => {
                let why = error.as_ref().map_or_else(String::new, |error| format!(": {}", error.text));
                let text = format!("{question} is {security}{why}");
                let ede = error.as_ref().map(|error| error.code.0);
                let judged = asked("judged", question, text);
                self.leave_zone_and_put(Branch { result: Some((*security).into()), ede, ..judged });
                self.leave_child("");
            }
            Step::AskedAgain(question) => {
                let text = format!("{question} is asked for once more, of others if there are any");
                self.leave_zone_and_put(asked("asked-again", question, text));
            }
            Step::Anchor(..)
            | Step::Unanchored(..)
            | Step::Delegated { .. }
            | Step::Keys { .. }
            | Step::KnownKeys(_)
            | Step::Signature(_)
            | Step::Proof { .. } => {
                if let Some(branch) = trust(step) {
                    self.leave_zone_and_put(branch);
                }
            }
            Step::ChildFailed(_) => self.leave_child(", and was not found"),
            Step::Cycle(_) => {
                self.leave_child(", which waits for this very question: no name server can be first")
            }
        }
    }

    fn put(&mut self, branch: Branch) {
        let level = self.levels.last_mut().expect("the first level stays");
        match &mut level.zone {
            Some(zone) => zone.below.push(branch),
            None => level.branches.push(branch),
        }
    }

    fn enter_zone(&mut self, apex: &Name, name_servers: usize) {
        self.leave_zone();
        let plural = if name_servers == 1 { "" } else { "s" };
        let text = format!("zone {apex}, {name_servers} name server{plural}");
        self.levels.last_mut().expect("the first level stays").zone = Some(named("zone", apex, text));
    }

    fn leave_zone(&mut self) {
        let level = self.levels.last_mut().expect("the first level stays");
        level.branches.extend(level.zone.take());
    }

    fn leave_zone_and_put(&mut self, branch: Branch) {
        self.leave_zone();
        self.put(branch);
    }

    /// The question of our own is done; on the first level there is none to leave.
    fn leave_child(&mut self, how: &str) {
        self.leave_zone();
        if self.levels.len() > 1
            && let Some(Level { child: Some(mut child), branches, .. }) = self.levels.pop()
        {
            child.text.push_str(how);
            child.below = branches;
            self.put(child);
        }
    }

    /// What has no end, for the steps were too many or ended with the query, ends here.
    fn finish(mut self) -> Vec<Branch> {
        while self.levels.len() > 1 {
            self.leave_child("");
        }
        self.leave_zone();
        self.levels.pop().map(|level| level.branches).unwrap_or_default()
    }
}

pub(super) fn named(step: &str, name: &Name, text: String) -> Branch {
    Branch { step: step.into(), text, name: Some(name.to_string()), ..Branch::default() }
}

fn asked(step: &str, question: &Question, text: String) -> Branch {
    Branch { rr_type: Some(question.rr_type.to_string()), ..named(step, &question.name, text) }
}

fn exchanged(question: &Question, exchange: &UpstreamExchange, how: &How) -> Branch {
    let transport = if how.stream.is_some() { "tcp" } else { "udp" };
    let (result, rtt) = result_of(exchange.result);
    let server = spoken_server(exchange.server);
    let mut text = format!("{server} {transport} {question}: ");
    match (rtt, exchange.result) {
        (Some(rtt), _) => text.push_str(&format!("answered in {}", spoken_time(rtt))),
        (None, ExchangeResult::Timeout) if !how.patience.is_zero() => {
            text.push_str(&format!("timeout after {}", spoken_time(how.patience)));
        }
        _ => text.push_str(&result),
    }
    match how.stream {
        Some(WhyStream::Truncated) => text.push_str(", over TCP since the datagram was truncated"),
        Some(WhyStream::Guessed) => text.push_str(", over TCP since somebody sent forged datagrams"),
        Some(WhyStream::Silent) => text.push_str(", over TCP since it was silent over UDP"),
        Some(WhyStream::NoDatagrams) => text.push_str(", over TCP since it is known to be silent over UDP"),
        None => {}
    }
    if how.without_edns {
        text.push_str(", without EDNS since it seems to know none");
    }
    let why = how.why.map(reason);
    if let Some(why) = &why {
        text.push_str(&format!(" ({why})"));
    }
    Branch {
        server: Some(exchange.server.to_string()),
        transport: Some(transport.into()),
        result: Some(result),
        rtt_us: rtt.map(|rtt| rtt.as_micros() as u64),
        why,
        ..asked("exchange", question, text)
    }
}

/// In one word, and the time it took to answer.
pub(super) fn result_of(result: ExchangeResult) -> (String, Option<Duration>) {
    match result {
        ExchangeResult::Answered(rtt) => ("answered".into(), Some(rtt)),
        ExchangeResult::Lame => ("lame".into(), None),
        ExchangeResult::Timeout => ("timeout".into(), None),
        ExchangeResult::Unreachable => ("unreachable".into(), None),
        ExchangeResult::Malformed => ("malformed".into(), None),
        ExchangeResult::Failed(rcode) => (rcode.to_string(), None),
    }
}

fn reason(choice: Choice) -> String {
    match choice {
        Choice::Only => "the only one".into(),
        Choice::Fastest(of, expected) => format!("fastest of {of}, about {}", spoken_time(expected)),
        Choice::Untried(of) => format!("never met, by lot among {of}"),
        Choice::Again(1) => "again, for all were silent once".into(),
        Choice::Again(tries) => format!("again, for all were silent {tries} times"),
        Choice::Ordered(of) => format!("first of {of} in the configured order"),
        Choice::Parallel(at_once) => format!("one of {at_once} asked at once"),
        Choice::LastResort => "silent or lame lately, but nobody else is left".into(),
    }
}

/// The port says something only when it is not the usual one.
pub(super) fn spoken_server(server: SocketAddr) -> String {
    match server.port() {
        53 => server.ip().to_string(),
        _ => server.to_string(),
    }
}

/// In the unit that leaves some digits.
pub(super) fn spoken_time(time: Duration) -> String {
    match time {
        time if time < Duration::from_millis(1) => format!("{} us", time.as_micros()),
        time if time < Duration::from_secs(10) => format!("{} ms", time.as_millis()),
        time => format!("{} s", time.as_secs()),
    }
}
