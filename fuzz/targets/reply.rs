//! Replies of hostile servers, through the whole resolver: whatever they say, the question has an end within its bounds.
//!
//! The input is a list of replies, each led by its length (two octets); every query out is answered with the next one,
//! under the id and question that were asked unless the top bit of the length says to leave the octets as they are.
#![no_main]

#[path = "../../tests/sim/clock.rs"]
#[allow(dead_code)]
mod clock;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clock::Time;
use futures_util::future::BoxFuture;
use libfuzzer_sys::fuzz_target;
use namu::cache::{Cache, CacheOptions};
use namu::clock::{Now, Tick};
use namu::dns::{Question, RrType};
use namu::limits;
use namu::recursion::Recursion;
use namu::resolver::{DatagramFlight, NoReply, ResolverOptions, RootHints, World};

struct Hostile {
    time: Time,
    state: Mutex<State>,
}

struct State {
    replies: Vec<u8>,
    chance: u64,
    sent: u32,
}

impl State {
    /// The next reply of the list, made to look like one to this query.
    fn next(&mut self, query: &[u8]) -> Option<Bytes> {
        self.sent += 1;
        let (length, rest) = self.replies.split_first_chunk::<2>()?;
        let length = u16::from_be_bytes(*length);
        let octets = usize::from(length & 0x7fff).min(rest.len());
        let mut reply = rest[..octets].to_vec();
        self.replies = rest[octets..].to_vec();
        if length & 0x8000 == 0 {
            // Id; QR set; the question, when the query's fits where the reply's should be.
            let question = query.len().saturating_sub(11).min(reply.len());
            reply.iter_mut().zip(query).take(2).for_each(|(to, from)| *to = *from);
            reply.iter_mut().skip(2).take(1).for_each(|flags| *flags |= 0x80);
            let asked = query.iter().skip(12);
            reply.iter_mut().take(question).skip(12).zip(asked).for_each(|(to, from)| *to = *from);
        }
        Some(reply.into())
    }
}

impl World for Hostile {
    fn now(&self) -> Now {
        self.time.now()
    }

    fn random(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.chance =
            state.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.chance
    }

    fn datagram(&self, _: SocketAddr, octets: &[u8]) -> Box<dyn DatagramFlight> {
        Box::new(Flight(self.state.lock().unwrap().next(octets)))
    }

    fn stream(&self, _: SocketAddr, octets: &[u8]) -> BoxFuture<'static, Result<Bytes, NoReply>> {
        let reply = self.state.lock().unwrap().next(octets).ok_or(NoReply::Closed);
        Box::pin(async move { reply })
    }

    fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        self.time.sleep_until(tick)
    }

    fn spawn(&self, flight: BoxFuture<'static, ()>) {
        self.time.spawn(flight);
    }
}

struct Flight(Option<Bytes>);

impl DatagramFlight for Flight {
    fn receive(&mut self) -> BoxFuture<'_, Result<Bytes, NoReply>> {
        let reply = self.0.take();
        Box::pin(async move {
            match reply {
                Some(octets) => Ok(octets),
                None => std::future::pending().await,
            }
        })
    }
}

fuzz_target!(|octets: &[u8]| {
    let time = Time::default();
    let state = State { replies: octets.to_vec(), chance: 1, sent: 0 };
    let world = Arc::new(Hostile { time: time.clone(), state: Mutex::new(state) });
    let cache = Arc::new(Cache::new(CacheOptions::default()));
    let recursion = Recursion::new(cache, world.clone(), RootHints::builtin(), ResolverOptions::default());
    let name = "www.example.org.".parse().expect("a name");
    let question = Question { name, rr_type: RrType::A, class: namu::dns::RrClass::IN };
    let resolved = time.run(async move { recursion.resolve(question).await });
    let _ = resolved.to_answer(true);
    let sent = world.state.lock().unwrap().sent;
    assert!(sent <= limits::UPSTREAM_PACKETS, "{sent} messages for one question");
});
