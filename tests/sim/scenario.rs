//! Stories in text: an internet, what is asked of the resolver, and what must come of it.
//!
//! ```text
//! zone example.org              the lines up to `end` are a zone file; $ORIGIN and $TTL 3600 stand before them
//! end
//! host ns1 192.0.2.53 example.org sub.example.org     an address that serves zones; those serving `.` are the root hints
//! fault ns1 drops 2             see faults.rs; `none` heals
//! option ipv6 false             ipv4, ipv6, priming, case-randomization, qname-minimization, max-upstream-queries; of the cache max-ttl, max-negative-ttl,
//!                               serve-stale
//! upstream forward example.org 192.0.2.1 192.0.2.2     or stub; `fallback`, `ordered`, `parallel` may stand behind
//! serve example.org             a zone this server serves itself; `hidden-from clients|resolver`; `serve-broken example.org`
//! overlay example.org           the lines up to `end` are laid over resolution, with `over-zone` behind over a zone
//! option dns64-prefix 64:ff9b::/96      and private-networks, private-exceptions
//! signed example.org nsec3 opt-out     see signed.rs; zones below are signed before those above, and `anchor .` trusts the keys of a zone
//! spoil example.org www A ends -1h      changes one RRset of a signed zone; `host` then serves it so
//! negative-anchor example.org for 1h
//! ask www.example.org A         or several at the same instant: ask a.example A & b.example A; behind a lone one `norec`, `cd`,
//!                               `do`, `ad`, `from 198.51.100.1`. With `serve`, `overlay`, `anchor` and their like it goes through the whole server
//! want NOERROR                  of each answer; NODATA is NOERROR with no answer section
//! answer www.example.org A 192.0.2.80      all records of the answer section, in any order
//! authority org NS ns1.org      all records of the authority section
//! want aa | no aa | source cache | ede 22 | exchanges <= 3 | exchanges == 3 | time <= 800ms | ttl <= 60
//! want ad | no ad | security bogus | no ede | ede-says key ksk:example.org | proofs | no proofs | verified <= 6
//! later 1h
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use namu::cache::{Cache, CacheOptions, NameServer};
use namu::clock::Now;
use namu::dns::{Answer, Question, RrType, Ttl};
use namu::observe::{Event, Source};
use namu::policy::Ground;
use namu::recursion::{Recursion, Wants};
use namu::resolver::{
    Minimisation, ResolverOptions, RootHints, Strategy, UpstreamKind, UpstreamZone, Upstreams, World,
};
use namu::service::Snapshot;
use namu::wire::Flags;

use crate::front_door::{self, Manner, Served};
use crate::internet::Internet;
use crate::signed::Signed;
use crate::told::{has_proofs, records, records_of, told, verified};

/// What came back for one question.
pub struct Reply {
    pub answer: Answer<'static>,
    pub source: Source,
    pub authoritative: bool,
    /// What the server wrote down of it, when it came through the whole server.
    pub event: Option<Event>,
}

/// A resolver on an internet.
pub struct Stage {
    pub internet: Internet,
    pub recursion: Arc<Recursion>,
    /// The whole server, when a scenario says anything of it.
    pub snapshot: Option<Arc<Snapshot>>,
}

impl Stage {
    /// A resolver with an empty cache whose hints are these root servers.
    pub fn new(
        internet: Internet,
        hints: Vec<(String, IpAddr)>,
        options: ResolverOptions,
        cache: CacheOptions,
    ) -> Stage {
        let server = |(name, address): (String, IpAddr)| NameServer {
            name: name.parse().expect("hosts have names"),
            addresses: [address].into(),
        };
        let hints = RootHints { servers: hints.into_iter().map(server).collect() };
        let world: Arc<dyn World> = Arc::new(internet.clone());
        let cache = Arc::new(Cache::new(cache));
        Stage { internet, recursion: Recursion::new(cache, world, hints, options), snapshot: None }
    }

    /// Asks one question through the whole server.
    fn ask_at_the_door(
        &self,
        snapshot: &Arc<Snapshot>,
        questions: &[Question],
        manner: &Manner,
    ) -> Vec<Reply> {
        let ask = |question: &Question| {
            let asked =
                front_door::ask(self.internet.clone(), snapshot.clone(), question.clone(), manner.clone());
            async move {
                let (answer, event) = asked.await;
                let (source, authoritative) = (event.source, answer.authoritative);
                Reply { answer, source, authoritative, event: Some(event) }
            }
        };
        self.internet.time.run(futures_util::future::join_all(questions.iter().map(ask)))
    }

    /// Asks questions at the same instant, as clients would: first the cache, then whoever has to be asked.
    pub fn ask(&self, questions: &[Question]) -> Vec<Reply> {
        let ask = |question: &Question| {
            let (recursion, question, time) =
                (self.recursion.clone(), question.clone(), self.internet.time.clone());
            async move {
                if let Some(cached) = recursion.cached(question.as_ref(), Wants::DATA, time.now()) {
                    let (answer, source) = (cached.to_answer(), cached.source);
                    return Reply { answer, source, authoritative: false, event: None };
                }
                let resolved = recursion.resolve(question).await;
                let (source, authoritative) = (resolved.source, resolved.authoritative);
                Reply { answer: resolved.to_answer(false), source, authoritative, event: None }
            }
        };
        self.internet.time.run(futures_util::future::join_all(questions.iter().map(ask)))
    }
}

/// Tells a scenario; the error says which line was not so, with the exchanges since the last question.
pub fn tell(text: &str) -> Result<(), String> {
    let mut teller = Teller::default();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let told = match words.as_slice() {
            [] => Ok(()),
            ["zone", apex] => {
                let zone: Vec<&str> =
                    lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "end").collect();
                teller.signed.forget(apex);
                teller.zones.insert(apex.to_string(), zone.join("\n"));
                Ok(())
            }
            ["overlay", apex, ground @ ..] => {
                let text: Vec<&str> =
                    lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "end").collect();
                let ground = if ground.is_empty() { Ground::Resolution } else { Ground::Zone };
                let text = format!("$ORIGIN {apex}.\n$TTL 3600\n{}\n", text.join("\n"));
                teller.served.overlay(apex, &text, ground)
            }
            words => teller.act(words),
        };
        told.map_err(|why| format!("line {}: {line}\n  {why}\n{}", number + 1, teller.ladder()))?;
    }
    if teller.wants == 0 { Err("nothing was wanted".into()) } else { Ok(()) }
}

struct Teller {
    internet: Internet,
    zones: BTreeMap<String, String>,
    hints: Vec<(String, IpAddr)>,
    options: ResolverOptions,
    cache: CacheOptions,
    upstreams: Vec<UpstreamZone>,
    served: Served,
    signed: Signed,
    stage: Option<Stage>,
    replies: Vec<Reply>,
    /// Exchanges and time when the last question was asked.
    asked: (usize, Option<Now>),
    wants: usize,
}

impl Default for Teller {
    fn default() -> Teller {
        Teller {
            internet: Internet::new(1),
            zones: BTreeMap::new(),
            hints: Vec::new(),
            options: ResolverOptions::default(),
            cache: CacheOptions::default(),
            upstreams: Vec::new(),
            served: Served::default(),
            signed: Signed::default(),
            stage: None,
            replies: Vec::new(),
            asked: (0, None),
            wants: 0,
        }
    }
}

impl Teller {
    fn ladder(&self) -> String {
        self.internet.ladder(self.asked.0)
    }

    fn act(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["host", name, address, zones @ ..] => self.host(name, address, zones),
            ["fault", host, fault @ ..] => self.internet.fault(host, fault),
            ["option", name, value] => self.option(name, value),
            ["upstream", kind, apex, rest @ ..] => self.upstream(kind, apex, rest),
            ["serve-broken", apex] => self.served.broken(apex),
            ["serve", apex, hidden @ ..] => {
                let text = self.text_of(apex)?;
                self.served.zone(apex, &text, hidden)
            }
            ["signed", apex, how @ ..] => {
                let text = self.unsigned_text_of(apex)?;
                let below = |name: &str| self.parent_of(name) == Some(*apex);
                let children: Vec<String> = self.zones.keys().filter(|name| below(name)).cloned().collect();
                self.signed.sign(apex, &text, &children, how, self.internet.now())
            }
            ["spoil", apex, owner, rr_type, how @ ..] => {
                self.signed.spoil(apex, owner, rr_type, how, self.internet.now())
            }
            ["anchor", apex, form @ ..] => {
                self.served.is_used = true;
                self.signed.anchor(apex, form)
            }
            ["negative-anchor", apex, until @ ..] => {
                let until = match until {
                    [] => None,
                    ["for", time] => Some(duration(time)?),
                    _ => return Err("until when?".into()),
                };
                self.signed.negative_anchor(apex, until, self.internet.now())
            }
            ["later", time] => {
                self.internet.time.pass(duration(time)?);
                Ok(())
            }
            ["ask", questions @ ..] => self.ask(questions),
            ["want", wanted @ ..] => {
                self.wants += 1;
                self.want(wanted)
            }
            ["authority", records @ ..] => {
                self.wants += 1;
                self.records(&records.join(" "), |answer| records_of(answer.authority.iter()))
            }
            ["answer", records @ ..] => {
                self.wants += 1;
                self.answer(&records.join(" "))
            }
            _ => Err("no such line in the language of scenarios".into()),
        }
    }

    fn host(&mut self, name: &str, address: &str, zones: &[&str]) -> Result<(), String> {
        let address: IpAddr = address.parse().map_err(|error| format!("{address}: {error}"))?;
        for apex in zones {
            let text = self.text_of(apex)?;
            self.internet.serve(name, address, apex, &text)?;
            if *apex == "." {
                self.hints.push((format!("{name}.root-servers.test."), address));
            }
        }
        Ok(())
    }

    /// The zone of the story that delegates a zone.
    fn parent_of(&self, name: &str) -> Option<&str> {
        let is_above =
            |zone: &&String| *zone != name && (*zone == "." || name.ends_with(&format!(".{zone}")));
        let length = |zone: &&String| if *zone == "." { 0 } else { zone.len() };
        self.zones.keys().filter(is_above).max_by_key(length).map(String::as_str)
    }

    fn text_of(&self, apex: &str) -> Result<String, String> {
        self.signed.text_of(apex).map_or_else(|| self.unsigned_text_of(apex), Ok)
    }

    fn unsigned_text_of(&self, apex: &str) -> Result<String, String> {
        let zone = self.zones.get(apex).ok_or_else(|| format!("no zone {apex}"))?;
        Ok(format!("$ORIGIN {apex}{}\n$TTL 3600\n{zone}\n", if apex == "." { "" } else { "." }))
    }

    fn upstream(&mut self, kind: &str, apex: &str, rest: &[&str]) -> Result<(), String> {
        let kind = match kind {
            "forward" => UpstreamKind::Forward,
            "stub" => UpstreamKind::Stub,
            _ => return Err(format!("unknown kind {kind}")),
        };
        let apex = apex.parse().map_err(|error| format!("{apex}: {error}"))?;
        let (servers, strategy, fallback) = (Vec::new(), Strategy::Fastest, false);
        let mut zone = UpstreamZone { apex, kind, servers, strategy, fallback };
        for word in rest {
            match *word {
                "fallback" => zone.fallback = true,
                "ordered" => zone.strategy = Strategy::Ordered,
                "parallel" => zone.strategy = Strategy::Parallel,
                address => {
                    let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
                    zone.servers.push(std::net::SocketAddr::new(address, 53));
                }
            }
        }
        self.upstreams.push(zone);
        self.options.upstreams = Upstreams::new(self.upstreams.clone());
        Ok(())
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), String> {
        if self.served.option(name, value)? || self.signed.option(name, value)? {
            return Ok(());
        }
        let truth = || value.parse::<bool>().map_err(|error| format!("{value}: {error}"));
        match name {
            "ipv4" => self.options.ipv4 = truth()?,
            "ipv6" => self.options.ipv6 = truth()?,
            "priming" => self.options.priming = truth()?,
            "case-randomization" => self.options.case_randomization = truth()?,
            "qname-minimization" => {
                self.options.minimisation = match value {
                    "none" => Minimisation::None,
                    "relaxed" => Minimisation::Relaxed,
                    "strict" => Minimisation::Strict,
                    _ => return Err(format!("{value}: neither none, relaxed nor strict")),
                }
            }
            "max-upstream-queries" => {
                self.options.max_upstream_queries =
                    value.parse().map_err(|error| format!("{value}: {error}"))?;
            }
            "max-ttl" => self.cache.max_ttl = ttl(value)?,
            "serve-stale" => self.cache.serve_stale = duration(value)?,
            "max-negative-ttl" => self.cache.max_negative_ttl = ttl(value)?,
            _ => return Err(format!("unknown option {name}")),
        }
        Ok(())
    }

    fn ask(&mut self, words: &[&str]) -> Result<(), String> {
        let (words, manner) = manner_of(words)?;
        let mut questions = Vec::new();
        for question in words.split(|word| *word == "&") {
            let [name, rr_type] = question else { return Err("ask NAME TYPE".into()) };
            let name = name.parse().map_err(|error| format!("{name}: {error}"))?;
            let rr_type: RrType = rr_type.parse().map_err(|error| format!("{rr_type}: {error}"))?;
            questions.push(Question::new(name, rr_type));
        }
        self.asked = (self.internet.exchanges(), Some(self.internet.now()));
        let (internet, hints, options, cache) = (&self.internet, &self.hints, &self.options, self.cache);
        let new = || Stage::new(internet.clone(), hints.clone(), options.clone(), cache);
        let stage = self.stage.get_or_insert_with(|| self.signed.validating(new()));
        if self.served.is_used && stage.snapshot.is_none() {
            stage.snapshot = Some(self.served.snapshot(stage.recursion.clone()));
        }
        self.replies = match &stage.snapshot {
            Some(snapshot) => stage.ask_at_the_door(snapshot, &questions, &manner),
            None => stage.ask(&questions),
        };
        Ok(())
    }

    fn want(&self, words: &[&str]) -> Result<(), String> {
        let first = self.replies.first().ok_or("nothing was asked")?;
        let each = |hold: &dyn Fn(&Reply) -> bool| {
            let told: Vec<String> = self.replies.iter().map(told).collect();
            if self.replies.iter().all(hold) { Ok(()) } else { Err(format!("got {}", told.join(" & "))) }
        };
        match words {
            ["aa"] => each(&|reply| reply.authoritative),
            ["no", "aa"] => each(&|reply| !reply.authoritative),
            ["ad"] => each(&|reply| reply.answer.authentic),
            ["no", "ad"] => each(&|reply| !reply.answer.authentic),
            ["no", "ede"] => each(&|reply| reply.answer.extended_error.is_none()),
            ["ede-says", words @ ..] => {
                let wanted = self.signed.with_tags(words)?;
                let error = |reply: &Reply| reply.answer.extended_error.clone();
                each(&|reply| error(reply).is_some_and(|error| error.text.contains(&wanted)))
            }
            ["proofs"] => each(&|reply| has_proofs(&reply.answer)),
            ["no", "proofs"] => each(&|reply| !has_proofs(&reply.answer)),
            ["security", word] => each(&|reply| {
                let event = reply.event.as_ref().expect("asked through the whole server");
                event.security.map_or("none", |security| security.word()) == *word
            }),
            ["verified", "<=", count] => {
                let count: u64 = count.parse().map_err(|error| format!("{count}: {error}"))?;
                let made = verified(first);
                if made <= count { Ok(()) } else { Err(format!("{made} signatures verified")) }
            }
            ["source", word] => each(&|reply| reply.source.word() == *word),
            ["ede", code] => each(&|reply| {
                let code_of = |error: &namu::dns::ExtendedError| error.code.to_string();
                reply.answer.extended_error.as_ref().map(code_of).as_deref() == Some(*code)
            }),
            ["exchanges", than @ ("<=" | "=="), count] => {
                let count: usize = count.parse().map_err(|error| format!("{count}: {error}"))?;
                let made = self.internet.exchanges() - self.asked.0;
                let is_so = made == count || *than == "<=" && made < count;
                if is_so { Ok(()) } else { Err(format!("{made} exchanges")) }
            }
            ["time", "<=", time] => {
                let began = self.asked.1.expect("something was asked");
                let took = self.internet.now().tick.since(began.tick);
                if took <= duration(time)? { Ok(()) } else { Err(format!("took {took:?}")) }
            }
            ["ttl", "<=", seconds] => {
                let seconds: u32 = seconds.parse().map_err(|error| format!("{seconds}: {error}"))?;
                let sets = first.answer.answer.iter().chain(first.answer.authority.iter());
                let ttl = sets.map(|set| set.ttl.seconds()).max().ok_or("no RRset")?;
                if ttl <= seconds { Ok(()) } else { Err(format!("TTL {ttl}")) }
            }
            ["NODATA"] => {
                each(&|reply| reply.answer.rcode.to_string() == "NOERROR" && reply.answer.answer.is_empty())
            }
            [rcode] => each(&|reply| reply.answer.rcode.to_string() == *rcode),
            _ => Err("no such wish".into()),
        }
    }

    fn answer(&self, wanted: &str) -> Result<(), String> {
        self.records(wanted, records)
    }

    fn records(&self, wanted: &str, of: impl Fn(&Answer<'_>) -> Vec<String>) -> Result<(), String> {
        let first = self.replies.first().ok_or("nothing was asked")?;
        let mut wanted: Vec<String> = wanted.split(" ; ").map(str::to_string).collect();
        let mut got = of(&first.answer);
        wanted.sort();
        got.sort();
        if got == wanted { Ok(()) } else { Err(format!("got {}", got.join(" ; "))) }
    }
}

/// The question, and how it is asked.
fn manner_of<'w, 'a>(words: &'w [&'a str]) -> Result<(&'w [&'a str], Manner), String> {
    let mut manner = Manner::default();
    if words.len() <= 2 || words[2] == "&" {
        return Ok((words, manner));
    }
    let mut rest = words[2..].iter();
    while let Some(word) = rest.next() {
        match *word {
            "norec" => manner.flags = Flags(manner.flags.0 & !Flags::RD.0),
            "cd" => manner.flags = Flags(manner.flags.0 | Flags::CD.0),
            "ad" => manner.flags = Flags(manner.flags.0 | Flags::AD.0),
            "do" => manner.dnssec_ok = true,
            "from" => {
                let address = rest.next().ok_or("from whom?")?;
                manner.client = address.parse().map_err(|error| format!("{address}: {error}"))?;
            }
            other => return Err(format!("asked how? {other}")),
        }
    }
    Ok((&words[..2], manner))
}

fn ttl(text: &str) -> Result<Ttl, String> {
    duration(text).map(|time| Ttl::saturating(time.as_secs()))
}

/// `800ms`, `90s`, `61m`, `1h`, `30d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|error| format!("{text}: {error}"))?;
    Ok(match &text[digits.len()..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(60 * number),
        "h" => Duration::from_secs(3600 * number),
        "d" => Duration::from_secs(86_400 * number),
        unit => return Err(format!("unknown unit `{unit}`")),
    })
}
