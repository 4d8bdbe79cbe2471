//! The servers of a play: an address answers with the first entry that agrees with what it is asked.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use namu::clock::{Now, Tick};
use namu::dns::Rcode;
use namu::resolver::{DatagramFlight, NoReply, World};
use namu::wire::{Flags, SplitMix};

use crate::clock::Time;
use crate::compare::first_difference;
use crate::message::Message;
use crate::parse::{Action, Adjust, Entry, Scenario};

/// The time from a query to its reply, short beside the two seconds that TTLs may differ by.
const ROUND_TRIP: Duration = Duration::from_millis(5);

/// All addresses of a play, and what was sent to them.
#[derive(Clone)]
pub struct Internet {
    pub time: Time,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    scenario: Arc<Scenario>,
    /// The addresses that any range names.
    addresses: BTreeSet<IpAddr>,
    /// Index into the steps.
    step: usize,
    /// The entries of ranges (range, entry) and of REPLY steps (step, 0) that were used.
    used: BTreeSet<(Place, usize)>,
    unexpected: Vec<String>,
    ladder: Vec<String>,
    chance: SplitMix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Range(usize),
    Step(usize),
}

/// What comes back.
enum Outcome {
    Reply(Vec<u8>),
    Silence,
    Refused,
}

impl Internet {
    /// The servers of a play, before its first step.
    pub fn new(scenario: Arc<Scenario>, time: Time) -> Internet {
        let addresses = scenario.ranges.iter().flat_map(|range| range.addresses.iter().copied()).collect();
        let inner = Inner {
            scenario,
            addresses,
            step: 0,
            used: BTreeSet::new(),
            unexpected: Vec::new(),
            ladder: Vec::new(),
            chance: SplitMix::new(1),
        };
        Internet { time, inner: Arc::new(Mutex::new(inner)) }
    }

    /// The client goes on to the step at `index`.
    pub fn enter(&self, index: usize) {
        let mut inner = self.lock();
        inner.step = index;
        let number = inner.scenario.steps[index].number;
        inner.ladder.push(format!("step {number}"));
    }

    /// Everything sent to servers so far, a line each.
    pub fn ladder(&self) -> String {
        self.lock().ladder.join("\n    ")
    }

    /// What went wrong at the servers: queries without an entry, and mandatory entries that were not used.
    pub fn complaints(&self) -> Vec<String> {
        let inner = self.lock();
        let mut complaints: Vec<_> =
            inner.unexpected.iter().map(|query| format!("no entry for {query}")).collect();
        for (at, range) in inner.scenario.ranges.iter().enumerate() {
            for (number, entry) in range.entries.iter().enumerate() {
                if entry.is_mandatory && !inner.used.contains(&(Place::Range(at), number)) {
                    complaints.push(format!("a mandatory entry was not used: {}", entry.message));
                }
            }
        }
        complaints
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl World for Internet {
    fn now(&self) -> Now {
        self.time.now()
    }

    fn random(&self) -> u64 {
        self.lock().chance.draw()
    }

    fn datagram(&self, to: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        let outcome = self.lock().exchange(to, octets, "");
        let arrives = self.time.now().tick.plus(ROUND_TRIP);
        Box::new(Flight { time: self.time.clone(), arrives, outcome: Some(outcome) })
    }

    fn stream(&self, to: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        let outcome = self.lock().exchange(to, octets, " over TCP");
        let arrives = self.time.now().tick.plus(2 * ROUND_TRIP);
        let mut flight = Flight { time: self.time.clone(), arrives, outcome: Some(outcome) };
        Box::pin(async move { flight.receive().await })
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        self.time.sleep_until(tick)
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.time.spawn(flight);
    }
}

/// What is on its way back.
struct Flight {
    time: Time,
    arrives: Tick,
    outcome: Option<Outcome>,
}

impl DatagramFlight for Flight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        Box::pin(async {
            match self.outcome.take() {
                None | Some(Outcome::Silence) => std::future::pending().await,
                Some(Outcome::Refused) => Err(NoReply::Refused),
                Some(Outcome::Reply(octets)) => {
                    self.time.sleep_until(self.arrives).await;
                    Ok(octets.into())
                }
            }
        })
    }
}

impl Inner {
    fn exchange(&mut self, to: SocketAddr, octets: &[u8], transport: &str) -> Outcome {
        let query = Message::read(octets).expect("the resolver sends well-formed queries");
        let question = query.question.as_ref().map(ToString::to_string).unwrap_or_default();
        let told = format!("{question} to {}{transport}", to.ip());
        let scenario = Arc::clone(&self.scenario);
        // The answers of REPLY steps come from wherever they are asked for.
        let is_anywhere = scenario.steps.iter().any(|step| matches!(step.action, Action::Reply(_)));
        if !self.addresses.contains(&to.ip()) && !is_anywhere {
            self.ladder.push(format!("  {told}: nobody is there"));
            return Outcome::Refused;
        }
        let found = self.find(&scenario, to.ip(), &query);
        let Some((place, number, entry)) = found else {
            self.ladder.push(format!("  {told}: no entry"));
            self.unexpected.push(format!("{told} at step {}", scenario.steps[self.step].number));
            return Outcome::Reply(answered(
                &Message { rcode: Rcode::SERVFAIL, ..Message::default() },
                &query,
            ));
        };
        self.used.insert((place, number));
        if entry.adjusts.contains(&Adjust::DoNotAnswer) {
            self.ladder.push(format!("  {told}: silence"));
            return Outcome::Silence;
        }
        self.ladder.push(format!("  {told}: {}", entry.message));
        Outcome::Reply(adjusted(entry, &query))
    }

    /// The entry of the range in force, else of a REPLY step that comes before the client's next query.
    fn find<'s>(
        &self,
        scenario: &'s Scenario,
        address: IpAddr,
        query: &Message,
    ) -> Option<(Place, usize, &'s Entry)> {
        let step = scenario.steps[self.step].number;
        let agrees = |entry: &Entry| first_difference(&entry.matches, &entry.message, query).is_none();
        let range = scenario.ranges.iter().position(|range| {
            let is_there = range.addresses.is_empty() || range.addresses.contains(&address);
            is_there && (range.from..=range.to).contains(&step)
        });
        if let Some(at) = range {
            let entries = &scenario.ranges[at].entries;
            let number = entries.iter().position(agrees)?;
            return Some((Place::Range(at), number, &entries[number]));
        }
        let next = scenario.steps.iter().enumerate().skip(self.step + 1);
        let before_next_query = next.take_while(|(_, step)| !matches!(step.action, Action::Query(_)));
        let mut replies = before_next_query.filter_map(|(at, step)| match &step.action {
            Action::Reply(entry) => Some((at, entry)),
            _ => None,
        });
        let (at, entry) =
            replies.find(|(at, entry)| agrees(entry) && !self.used.contains(&(Place::Step(*at), 0)))?;
        Some((Place::Step(at), 0, entry))
    }
}

/// The octets of an entry as the answer to a query.
fn adjusted(entry: &Entry, query: &Message) -> Vec<u8> {
    let has = |adjust| entry.adjusts.contains(&adjust);
    if let Some(raw) = &entry.raw {
        let mut raw = raw.clone();
        if has(Adjust::RawId) && raw.len() >= 2 {
            raw[..2].copy_from_slice(&query.id.to_be_bytes());
        }
        return raw;
    }
    let mut reply = entry.message.clone();
    if has(Adjust::CopyId) {
        reply.id = query.id;
        if let (Some(own), Some(asked)) = (&mut reply.question, &query.question)
            && own.name == asked.name
        {
            own.name = asked.name.clone();
        }
    }
    if has(Adjust::CopyQuery) {
        reply.question = query.question.clone();
    }
    reply.edns = query.edns.as_ref().map(|asked| {
        let own = entry.message.edns.clone().unwrap_or_default();
        crate::message::Edns { dnssec_ok: asked.dnssec_ok, ..own }
    });
    reply.octets()
}

/// A message without an entry, as the answer to a query.
fn answered(message: &Message, query: &Message) -> Vec<u8> {
    let (id, question, edns) = (query.id, query.question.clone(), query.edns.clone());
    Message { id, question, edns, flags: Flags::QR, ..message.clone() }.octets()
}
