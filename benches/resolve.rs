//! What a question costs that has to be resolved, with the flight recorder off and on, over a server in memory that answers at
//! once. The good path must pay nothing for the recorder; a failure pays for being kept.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use criterion::Criterion;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use namu::cache::{Cache, CacheOptions, NameServer};
use namu::clock::{Age, Now, Tick, Unix};
use namu::dns::{Name, Question, Rcode, RrType};
use namu::observe::FlightRecorder;
use namu::recursion::Recursion;
use namu::resolver::{DatagramFlight, NoReply, ResolverOptions, RootHints, World};

/// One root server: it has an address for every name, but REFUSED for those that begin with `b`.
#[derive(Default)]
struct OneServer {
    draws: AtomicU64,
}

struct Answered(Option<Bytes>);

impl DatagramFlight for Answered {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        match self.0.take() {
            Some(octets) => std::future::ready(Ok(octets)).boxed(),
            None => std::future::pending().boxed(),
        }
    }
}

impl World for OneServer {
    fn now(&self) -> Now {
        Now { tick: Tick(0), age: Age(0), unix: Unix(0) }
    }

    fn random(&self) -> u64 {
        self.draws.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    fn datagram(&self, _to: SocketAddr, query: &[u8]) -> Box<dyn DatagramFlight> {
        let mut reply = query.to_vec();
        // The question ends before the OPT record of eleven octets, which is left out.
        reply.truncate(query.len() - 11);
        let is_bad = reply[13] == b'b';
        reply[2..12].copy_from_slice(&[
            0x84,
            if is_bad { 5 } else { 0 },
            0,
            1,
            0,
            u8::from(!is_bad),
            0,
            0,
            0,
            0,
        ]);
        if !is_bad {
            reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]);
        }
        Box::new(Answered(Some(reply.into())))
    }

    fn stream(&self, _to: SocketAddr, _octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        std::future::ready(Err(NoReply::Refused)).boxed()
    }

    fn sleep_until(&self, _tick: Tick) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        tokio::spawn(flight);
    }
}

fn recursion(recorder: FlightRecorder) -> Arc<Recursion> {
    let root: Name = "server.root.".parse().expect("a name");
    let server = NameServer { name: root, addresses: ["192.0.2.53".parse().expect("an address")].into() };
    let hints = RootHints { servers: [server].into() };
    let options = ResolverOptions { priming: false, ..ResolverOptions::default() };
    let cache = Arc::new(Cache::new(CacheOptions { size: 16 << 20, ..CacheOptions::default() }));
    Recursion::recorded(cache, Arc::new(OneServer::default()), hints, options, Arc::new(recorder))
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for (path, first, rcode) in [("good", "g", Rcode::NOERROR), ("failing", "b", Rcode::SERVFAIL)] {
        for (switch, recorder) in [("off", FlightRecorder::default()), ("on", FlightRecorder::new(1))] {
            let recursion = recursion(recorder);
            let mut number = 0;
            criterion.bench_function(&format!("resolve, {path}, recorder {switch}"), |bencher| {
                bencher.iter(|| {
                    number += 1;
                    let name = format!("{first}{number}.example.").parse().expect("a name");
                    let resolved = runtime.block_on(recursion.resolve(Question::new(name, RrType::A)));
                    assert_eq!(resolved.rcode, rcode);
                });
            });
        }
    }
}
