//! What a run of random internets has reached: each outcome, each kind of fault and each bound, counted from what any client
//! of `recursion` can see.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use namu::dns::{Question, Rcode};
use namu::limits;
use namu::observe::{Choice, ExchangeResult, Step, WhyStream};
use namu::recursion::Resolved;
use namu::resolver::{Failure, Limit};

use crate::faults::Faults;
use crate::traps::Truth;

/// The variants of `Verdict` and `End` of the resolver's `classify`.
const OUTCOMES: [&str; 11] = [
    "FromCache",
    "Found",
    "Referral",
    "Lame",
    "Junk",
    "Failed",
    "Data",
    "Alias",
    "NoData",
    "NxDomain",
    "Overlong",
];

/// Bounds of `limits.rs` that the resolver and recursion obey, and that a random internet can reach.
const BOUNDS: [&str; 42] = [
    "UPSTREAM_PACKETS",
    "UPSTREAM_OCTETS",
    "QUERY_TIMEOUT",
    "CHILD_DEPTH",
    "CHILDREN",
    "CHILDREN_NXDOMAIN",
    "CHILDREN_PER_DELEGATION",
    "ALIASES",
    "REFERRALS",
    "NAME_SERVERS",
    "NAME_SERVER_ADDRESSES",
    "NAME_SERVERS_OF_TOO_MANY",
    "UPSTREAM_ADDRESSES",
    "TRIES_PER_DELEGATION",
    "TRIES_PER_DELEGATION_OF_CHILD",
    "TRIES_PER_DELEGATION_OF_WARY_CHILD",
    "TRIES_PER_SILENT_DELEGATION",
    "TRIES_PER_SILENT_DELEGATION_OF_CHILD",
    "TRIES_PER_KNOWN_DELEGATION",
    "TRIES_PER_KNOWN_DELEGATION_OF_CHILD",
    "BAD_REPLIES_PER_DELEGATION",
    "STRAY_DATAGRAMS",
    "UNKNOWN_ROUND_TRIP",
    "REPLY_TIMEOUT.0",
    "REPLY_TIMEOUT.1",
    "STREAM_TIMEOUT",
    "TRACE_EXCHANGES",
    "FOLLOWERS",
    "CACHE_RRSET_RECORDS",
    "CACHE_ENTRY_OCTETS",
    "MINIMISED_STEPS",
    "MINIMISED_STEPS_OF_OTHERS",
    "MINIMISED_SINGLE_LABELS",
    "FORWARD_TRIES",
    "FORWARD_TRIES_BEFORE_FALLBACK",
    "FORWARD_BAD_REPLIES",
    "FORWARD_AT_ONCE",
    "UDP_PAYLOAD",
    "SLOW_QUERY",
    "SERVER_BACK_OFF",
    "SERVER_SILENT_TRIES",
    "CACHE_FAILURE_TTL",
];

/// The others, each with the reason why no random internet shows it. All have tests of their own beside the code.
const OUT_OF_SIGHT: [(&str, &str); 19] = [
    (
        "TRIES_PER_WARY_DELEGATION",
        "no delegation of these internets is both made up and silent to its client",
    ),
    ("FLIGHTS", "16384 questions at the same instant"),
    ("FOLLOWER_RESTARTS", "nobody is told how often a question began again"),
    (
        "LANDING_GRACE",
        "shows only where a flight that ends at the deadline has more to say than the one who waits",
    ),
    ("TRACE_STEPS", "64 packets take fewer steps than are kept"),
    ("DELEGATION_WITH_DS_LEAST", "no zone of these internets is signed"),
    ("QUERY_TIMEOUT_SHARE_OF_ANSWER", "part of QUERY_TIMEOUT, which is counted"),
    ("TRIES_BEFORE_OTHER_GLUE", "glue of other delegations looks like any other among the steps"),
    ("ZONE_FLIGHTS", "two hundred questions at the same instant"),
    ("PREFETCHES", "as many answers about to expire at the same instant"),
    ("STALE_QUIET", "these internets keep nothing stale"),
    ("FORWARD_TIMEOUT", "the time a forwarder has is not among the steps"),
    ("PROOF_RRSETS", "these internets are not signed"),
    ("KEY_QUESTIONS", "these internets are not signed"),
    ("CHAIN_DEPTH", "these internets are not signed; see validation_bounds"),
    ("VERIFICATIONS", "these internets are not signed"),
    ("ANCHORS_PER_POINT", "these internets are not signed"),
    ("TRUST_POINTS", "these internets are not signed"),
    ("ANCHORS_TOLD_EVERY", "these internets are not signed"),
];

/// How often each was reached, by name.
#[derive(Default)]
pub struct Reached {
    pub outcomes: BTreeMap<&'static str, usize>,
    pub faults: BTreeMap<&'static str, usize>,
    pub bounds: BTreeMap<&'static str, usize>,
}

/// The time at the servers of one zone, for one question.
struct Stay {
    depth: usize,
    name_servers: usize,
    is_forward: bool,
    is_last_resort: bool,
    timeouts: u32,
    bad_replies: u32,
    children: usize,
}

impl Reached {
    pub fn bound(&mut self, name: &'static str) {
        assert!(BOUNDS.contains(&name), "{name} has no place in the table");
        *self.bounds.entry(name).or_default() += 1;
    }

    fn outcome(&mut self, name: &'static str) {
        *self.outcomes.entry(name).or_default() += 1;
    }

    pub fn faults_met(&mut self, met: BTreeMap<&'static str, usize>) {
        met.into_iter().for_each(|(kind, count)| *self.faults.entry(kind).or_default() += count);
    }

    /// Everything that can be seen of one question.
    pub fn question(&mut self, question: &Question, resolved: &Resolved, truth: &Truth, took: Duration) {
        let steps = &resolved.facts.steps[..];
        self.walk(steps, truth);
        self.end(resolved);
        let mut limits = BTreeSet::new();
        resolved.failure.iter().for_each(|failure| limits_of(failure, &mut limits));
        limits.into_iter().for_each(|limit| self.bound(limit));
        for spending in resolved.facts.spent.iter().flatten() {
            if spending.what == "addresses" && spending.spent == spending.most {
                self.bound("UPSTREAM_ADDRESSES");
            }
        }
        if resolved.facts.tries as usize > limits::TRACE_EXCHANGES {
            assert_eq!(resolved.facts.exchanges.len(), limits::TRACE_EXCHANGES);
            self.bound("TRACE_EXCHANGES");
        }
        if took >= limits::SLOW_QUERY {
            self.bound("SLOW_QUERY");
        }
        self.minimised(question, steps);
    }

    fn minimised(&mut self, question: &Question, steps: &[Step]) {
        let asked = steps.iter().filter_map(|step| match step {
            Step::Exchange { question, exchange } if is_answer(&exchange.result) => Some(question),
            _ => None,
        });
        let is_part = |asked: &&Question| question.name.as_ref().is_below(asked.name.as_ref());
        let labels: Vec<_> = asked.filter(is_part).map(|part| part.name.as_ref().label_count()).collect();
        assert!(labels.len() <= limits::MINIMISED_STEPS as usize, "{labels:?}");
        // With the last question, which is for the whole name.
        if labels.len() + 1 >= limits::MINIMISED_STEPS as usize {
            self.bound("MINIMISED_STEPS");
        }
        if labels.windows(2).any(|pair| pair[1] > pair[0] + 1) {
            self.bound("MINIMISED_SINGLE_LABELS");
        }
        // After the first alias the names are not the client's.
        let first_alias = steps.iter().position(|step| matches!(step, Step::Alias(..)));
        if let Some((at, Step::Alias(_, target))) = first_alias.map(|at| (at, &steps[at])) {
            let parts = steps[at..].iter().filter(|step| match step {
                Step::Exchange { question, .. } => target.as_ref().is_below(question.name.as_ref()),
                _ => false,
            });
            if parts.count() >= limits::MINIMISED_STEPS_OF_OTHERS as usize {
                self.bound("MINIMISED_STEPS_OF_OTHERS");
            }
        }
    }

    fn walk(&mut self, steps: &[Step], truth: &Truth) {
        let (mut depth, mut stays) = (0, Vec::<Stay>::new());
        let new = |depth, name_servers, is_forward| Stay {
            depth,
            name_servers,
            is_forward,
            is_last_resort: false,
            timeouts: 0,
            bad_replies: 0,
            children: 0,
        };
        for (at, step) in steps.iter().enumerate() {
            let is_here = |stay: &&mut Stay| stay.depth == depth;
            match step {
                Step::Zone { apex, name_servers } => {
                    if let Some(stay) = stays.pop_if(|stay| stay.depth == depth)
                        && stay.is_forward
                    {
                        self.left(&stay, true);
                    }
                    match *name_servers {
                        _ if !truth.wide.contains(apex) => {}
                        limits::NAME_SERVERS => self.bound("NAME_SERVERS"),
                        limits::NAME_SERVERS_OF_TOO_MANY => self.bound("NAME_SERVERS_OF_TOO_MANY"),
                        more => panic!("{more} name servers of {apex} were kept"),
                    }
                    stays.push(new(depth, *name_servers, false));
                }
                Step::Upstream(_) => stays.push(new(depth, 0, true)),
                Step::Chosen { why, patience, .. } => {
                    self.patience(*patience, *why);
                    if let Some(stay) = stays.last_mut().filter(is_here) {
                        stay.is_last_resort |= *why == Choice::LastResort && stay.timeouts == 0;
                    }
                }
                Step::Exchange { exchange, .. } => {
                    self.exchange(
                        exchange.result,
                        steps.get(at + 1),
                        truth.contradicting.contains(&exchange.server.ip()),
                    );
                    if let (Some(Step::Stream(server, _)), ExchangeResult::Timeout) =
                        (steps.get(at.wrapping_sub(1)), exchange.result)
                        && *server == exchange.server
                    {
                        self.bound("STREAM_TIMEOUT");
                    }
                    match (exchange.result, stays.last_mut().filter(is_here)) {
                        (ExchangeResult::Answered(_), _) => _ = stays.pop_if(|stay| stay.depth == depth),
                        (ExchangeResult::Timeout, Some(stay)) => stay.timeouts += 1,
                        (_, Some(stay)) => stay.bad_replies += 1,
                        (_, None) => {}
                    }
                }
                Step::Stream(_, WhyStream::Guessed) => self.bound("STRAY_DATAGRAMS"),
                Step::Stream(_, WhyStream::Truncated) => self.bound("UDP_PAYLOAD"),
                Step::Stream(_, WhyStream::Silent | WhyStream::NoDatagrams) => {}
                Step::FailedBefore(..) => self.bound("CACHE_FAILURE_TTL"),
                Step::Child(_) => {
                    if let Some(stay) = stays.last_mut().filter(is_here) {
                        stay.children += 1;
                    }
                    depth += 1;
                }
                Step::Found(..) | Step::ChildFailed(_) | Step::Cycle(_) => {
                    while let Some(stay) = stays.pop_if(|stay| stay.depth >= depth) {
                        self.left(&stay, false);
                    }
                    depth = depth.saturating_sub(1);
                }
                Step::Alias(..) => {
                    if matches!(
                        steps.get(at + 1),
                        Some(
                            Step::Nearest(..)
                                | Step::Zone { .. }
                                | Step::Known { .. }
                                | Step::FailedBefore(..)
                        )
                    ) {
                        self.outcome("Alias");
                    }
                }
                Step::SecondHand(_) => self.outcome("FromCache"),
                Step::LocalZone { .. }
                | Step::Synthesised(_)
                | Step::SpecialName(_)
                | Step::Here(_)
                | Step::Known { .. } => {}
                // These internets are not signed.
                Step::Link(_) | Step::Judged(..) | Step::AskedAgain(_) | Step::Delegated { .. } => {}
                Step::Anchor(..) | Step::Unanchored(..) | Step::Keys { .. } | Step::KnownKeys(_) => {}
                Step::Signature(_) | Step::Proof { .. } => {}
                Step::Nearest(..) | Step::WithoutEdns(_) | Step::Referral(_) => {}
            }
        }
        while let Some(stay) = stays.pop() {
            self.left(&stay, false);
        }
    }

    /// A zone whose servers did not help was left.
    fn left(&mut self, stay: &Stay, for_iteration: bool) {
        let tries = match (stay.depth, stay.is_last_resort, stay.timeouts) {
            _ if stay.is_forward => match stay.timeouts {
                limits::FORWARD_TRIES => Some("FORWARD_TRIES"),
                limits::FORWARD_TRIES_BEFORE_FALLBACK if for_iteration => {
                    Some("FORWARD_TRIES_BEFORE_FALLBACK")
                }
                _ => None,
            },
            (0, true, limits::TRIES_PER_SILENT_DELEGATION) => Some("TRIES_PER_SILENT_DELEGATION"),
            (0, false, limits::TRIES_PER_KNOWN_DELEGATION) => Some("TRIES_PER_KNOWN_DELEGATION"),
            (0, false, limits::TRIES_PER_DELEGATION) => Some("TRIES_PER_DELEGATION"),
            (1.., true, limits::TRIES_PER_SILENT_DELEGATION_OF_CHILD) => {
                Some("TRIES_PER_SILENT_DELEGATION_OF_CHILD")
            }
            (1.., false, limits::TRIES_PER_KNOWN_DELEGATION_OF_CHILD) => {
                Some("TRIES_PER_KNOWN_DELEGATION_OF_CHILD")
            }
            (1.., false, limits::TRIES_PER_DELEGATION_OF_CHILD) => Some("TRIES_PER_DELEGATION_OF_CHILD"),
            (1.., false, limits::TRIES_PER_DELEGATION_OF_WARY_CHILD) => {
                Some("TRIES_PER_DELEGATION_OF_WARY_CHILD")
            }
            _ => None,
        };
        tries.into_iter().for_each(|name| self.bound(name));
        if stay.is_last_resort {
            self.bound("SERVER_BACK_OFF");
            self.bound("SERVER_SILENT_TRIES");
        }
        match stay.bad_replies {
            limits::FORWARD_BAD_REPLIES if stay.is_forward => self.bound("FORWARD_BAD_REPLIES"),
            limits::BAD_REPLIES_PER_DELEGATION if !stay.is_forward => {
                self.bound("BAD_REPLIES_PER_DELEGATION")
            }
            _ => {}
        }
        if stay.children == limits::CHILDREN_PER_DELEGATION && stay.name_servers > stay.children {
            self.bound("CHILDREN_PER_DELEGATION");
        }
    }

    fn patience(&mut self, patience: Duration, why: Choice) {
        let (shortest, longest) = limits::REPLY_TIMEOUT;
        match why {
            Choice::Untried(_) if patience == limits::UNKNOWN_ROUND_TRIP => self.bound("UNKNOWN_ROUND_TRIP"),
            _ if patience == shortest => self.bound("REPLY_TIMEOUT.0"),
            _ if patience == longest => self.bound("REPLY_TIMEOUT.1"),
            _ => {}
        }
    }

    fn exchange(&mut self, result: ExchangeResult, next: Option<&Step>, contradicts: bool) {
        match (result, next) {
            (ExchangeResult::Answered(_), Some(Step::Referral(_))) => self.outcome("Referral"),
            (ExchangeResult::Answered(_), _) => self.outcome("Found"),
            (ExchangeResult::Lame, _) => self.outcome("Lame"),
            (ExchangeResult::Failed(_), _) => self.outcome("Failed"),
            (ExchangeResult::Malformed, _) if contradicts => self.outcome("Junk"),
            (ExchangeResult::Malformed | ExchangeResult::Timeout | ExchangeResult::Unreachable, _) => {}
        }
    }

    /// Where an answer that a server gave just now ends.
    fn end(&mut self, resolved: &Resolved) {
        let is_from_server = resolved.facts.tries > 0 && resolved.failure.is_none();
        let last = resolved.answer.last().map(|rrset| rrset.rr_type);
        let is_data = last.is_some_and(|last| last != namu::dns::RrType::CNAME);
        match resolved.rcode {
            _ if !is_from_server => {}
            Rcode::NXDOMAIN => self.outcome("NxDomain"),
            Rcode::YXDOMAIN => self.outcome("Overlong"),
            _ if is_data => self.outcome("Data"),
            _ => self.outcome("NoData"),
        }
    }

    /// Everything there is was reached at least ten times.
    pub fn assert_all(&self) {
        let mut missed = Vec::new();
        let mut told = String::new();
        let mut check = |kind: &str, name: &str, counts: &BTreeMap<&'static str, usize>| {
            let count = counts.get(name).copied().unwrap_or(0);
            told += &format!("{kind} {name}: {count}\n");
            if count < 10 {
                missed.push(format!("{kind} {name}: {count}"));
            }
        };
        OUTCOMES.iter().for_each(|name| check("outcome", name, &self.outcomes));
        for (kind, _) in Faults::default().kinds() {
            check("fault", kind, &self.faults);
        }
        BOUNDS.iter().for_each(|name| check("bound", name, &self.bounds));
        println!("{told}");
        assert!(missed.is_empty(), "reached too rarely: {missed:#?}");
    }
}

fn is_answer(result: &ExchangeResult) -> bool {
    matches!(result, ExchangeResult::Answered(_))
}

/// The bounds a failure names, those of its causes included.
fn limits_of(failure: &Failure, into: &mut BTreeSet<&'static str>) {
    let limit = match failure {
        Failure::CutShort { limit, .. } | Failure::Limit(limit) => limit,
        Failure::NoAnswer { cause: Some(cause), .. } => return limits_of(cause, into),
        Failure::Busy => {
            into.insert("FOLLOWERS");
            return;
        }
        _ => return,
    };
    into.insert(match limit {
        Limit::Packets(_) => "UPSTREAM_PACKETS",
        Limit::Octets(_) => "UPSTREAM_OCTETS",
        Limit::Children(_) => "CHILDREN",
        Limit::DeniedChildren(_) => "CHILDREN_NXDOMAIN",
        Limit::KeyQuestions(_) => "KEY_QUESTIONS",
        Limit::ChainDepth(_) => "CHAIN_DEPTH",
        Limit::Verifications(_) => "VERIFICATIONS",
        Limit::Depth(_) => "CHILD_DEPTH",
        Limit::Aliases(_) => "ALIASES",
        Limit::Referrals(_) => "REFERRALS",
        Limit::Addresses(_) => "UPSTREAM_ADDRESSES",
        Limit::Time(_) => "QUERY_TIMEOUT",
    });
}

fn source(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn every_bound_that_the_resolver_obeys_stands_in_a_table() {
    let mut used = BTreeSet::new();
    for room in ["src/resolver", "src/recursion"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(room)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.ends_with("testing.rs") {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for piece in text.split("limits::").skip(1) {
                let name =
                    piece.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_').next();
                used.extend(name.filter(|name| !name.is_empty()).map(str::to_string));
            }
        }
    }
    // These bound no question, but memory and configuration.
    for name in ["FRESH_CACHE_OCTETS", "FORWARD_SERVERS"] {
        used.remove(name);
    }
    let stands = |name: &String| {
        BOUNDS.iter().any(|bound| bound.split('.').next() == Some(name))
            || OUT_OF_SIGHT.iter().any(|(bound, _)| bound == name)
    };
    let missing: Vec<_> = used.iter().filter(|name| !stands(name)).collect();
    assert!(missing.is_empty(), "neither reached nor out of sight: {missing:?}");
    assert!(used.len() > 30, "{used:?}");
    let limits = source("src/limits.rs");
    for name in
        BOUNDS.iter().map(|bound| bound.split('.').next().unwrap()).chain(OUT_OF_SIGHT.map(|(name, _)| name))
    {
        assert!(limits.contains(&format!("pub const {name}:")), "{name} is no bound any more");
    }
}

#[test]
fn every_outcome_of_classify_stands_in_the_table() {
    let text = source("src/resolver/classify.rs");
    let mut variants = BTreeSet::new();
    for kind in ["pub enum Verdict {", "pub enum End {"] {
        let body = text.split(kind).nth(1).unwrap().split("\n}").next().unwrap();
        let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        variants.extend(lines.map(|line| line.split(['(', ',']).next().unwrap().to_string()));
    }
    assert_eq!(variants, OUTCOMES.iter().map(ToString::to_string).collect());
}
