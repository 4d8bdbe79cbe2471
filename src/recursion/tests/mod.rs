//! Recursion against a world in memory.

mod attacks;
mod bounds;
mod cache_growth;
mod forgers;
mod forward;
mod limits;
mod loss;
mod minimised;
mod refresh;
mod servers;
mod synthesised;
mod walks;

use std::sync::Arc;
use std::time::Duration;

use super::{Recursion, Resolved};
use crate::cache::{Cache, CacheOptions, NameServer};
use crate::dns::{Name, NameRef};
use crate::observe::{FlightRecorder, Source};
use crate::recursion::Wants;
use crate::resolver::testing::{Dice, Outside, Seen, TestWorld, question, with_other_id};
use crate::resolver::{Minimisation, ResolverOptions, RootHints};

/// A world with a root server at 192.0.2.1 that knows `example.`, served at 192.0.2.2, and a recursion in it.
struct Lab {
    world: Arc<TestWorld>,
    recursion: Arc<Recursion>,
    recorder: Arc<FlightRecorder>,
}

const ROOT_NS: [&str; 5] = [". NS", "aa", ". NS ns.root.", "", "ns.root. A 192.0.2.1"];
const EXAMPLE_NS: [&str; 5] = ["*.example. *", "", "", "example. NS ns.example.", "ns.example. A 192.0.2.2"];
const SOA: &str = "example. 900 SOA ns.example. h.example. 1 2 3 4 60";

impl Lab {
    fn new(root: &[[&str; 5]], example: &[[&str; 5]]) -> Lab {
        let minimisation = Minimisation::None;
        Lab::with(
            ResolverOptions { priming: false, minimisation, ..ResolverOptions::default() },
            root,
            example,
        )
    }

    /// With a flight recorder.
    fn recorded(root: &[[&str; 5]], example: &[[&str; 5]]) -> Lab {
        let options = ResolverOptions { priming: false, ..ResolverOptions::default() };
        Lab::with_recorder(options, root, example, FlightRecorder::new(1))
    }

    fn with(options: ResolverOptions, root: &[[&str; 5]], example: &[[&str; 5]]) -> Lab {
        Lab::with_recorder(options, root, example, FlightRecorder::default())
    }

    fn with_recorder(
        options: ResolverOptions,
        root: &[[&str; 5]],
        example: &[[&str; 5]],
        recorder: FlightRecorder,
    ) -> Lab {
        let world = Arc::new(TestWorld::default());
        world.server("192.0.2.1", &[root, &[ROOT_NS, EXAMPLE_NS]].concat());
        if !example.is_empty() {
            world.server("192.0.2.2", example);
        }
        let cache = Arc::new(Cache::new(CacheOptions::default()));
        let outside = Arc::new(Outside(world.clone()));
        let recorder = Arc::new(recorder);
        let hints = hints(&["192.0.2.1"]);
        let recursion = Recursion::recorded(cache, outside, hints, options, recorder.clone());
        Lab { world, recursion, recorder }
    }

    /// The same world with another cache.
    fn with_cache(self, options: CacheOptions) -> Lab {
        let resolver = &self.recursion.resolver;
        let (world, hints) = (resolver.world.clone(), resolver.hints.clone());
        let cache = Arc::new(Cache::new(options));
        let recursion = Recursion::new(cache, world, hints, resolver.options.clone());
        Lab { recursion, ..self }
    }

    /// The same world, and nothing known of it but these addresses of a root server.
    fn afresh(self, options: ResolverOptions, root: &[&str]) -> Lab {
        let cache = Arc::new(Cache::new(CacheOptions::default()));
        let recursion = Recursion::new(cache, Arc::new(Outside(self.world.clone())), hints(root), options);
        Lab { recursion, ..self }
    }

    fn resolve(&self, asked: &str) -> Resolved {
        self.world.run(self.recursion.resolve(question(asked)))
    }

    /// In short: `NOERROR a. CNAME b., b. A 192.0.2.1` with TTLs left out, or `SERVFAIL 22 text`.
    fn ask(&self, asked: &str) -> String {
        short(&self.resolve(asked))
    }

    fn sent(&self) -> Vec<String> {
        self.world.take_sent()
    }

    /// A hit, in short, with its TTL and source.
    fn hit(&self, asked: &str) -> Option<(u32, Source)> {
        let cached = self.recursion.cached(question(asked).as_ref(), Wants::DATA, self.world.now())?;
        let answer = cached.to_answer();
        let first = answer.answer.iter().chain(answer.authority.iter()).next();
        Some((first.map_or(0, |rrset| rrset.ttl.seconds()), cached.source))
    }

    fn later(&self, seconds: u64) {
        self.world.later(Duration::from_secs(seconds));
    }
}

fn hints(addresses: &[&str]) -> RootHints {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let server = NameServer { name: name("hint.root."), addresses };
    RootHints { servers: [server].into() }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn short(resolved: &Resolved) -> String {
    let rrsets: Vec<_> = resolved
        .answer
        .iter()
        .map(|rrset| {
            let rdata = rrset.records().first().unwrap_or_default();
            let rdata = match (rdata, NameRef::from_wire(rdata)) {
                ([a, b, c, d], Err(_)) => format!("{a}.{b}.{c}.{d}"),
                (_, Ok(name)) => name.to_string(),
                _ => format!("({} octets)", rdata.len()),
            };
            format!("{} {} {rdata}", rrset.owner, rrset.rr_type)
        })
        .collect();
    let error = resolved.to_answer(false).extended_error;
    let error = error.map_or(String::new(), |error| format!(" {} {}", error.code, error.text));
    let space = if rrsets.is_empty() { "" } else { " " };
    format!("{}{space}{}{error}", resolved.rcode, rrsets.join(", "))
}

const FOUND: &str = "NOERROR a.example. A 192.0.2.80";
