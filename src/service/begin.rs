//! The first half of every answer: no waiting, and for what is answered here no allocation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::finish::{self, Echo};
use super::route::{self, Route};
use super::{Packet, Request, Snapshot};
use crate::cache::Security;
use crate::clock::Now;
use crate::dns::{Answer, ErrorCode, ExtendedError, Rcode};
use crate::observe::{DropReason, Event, Source};
use crate::policy::{ClientLimiter, RateLimiter};
use crate::wire::{Query, ResponseWriter, Scan, SplitMix};

/// What became of a request in the first half.
#[derive(Debug)]
pub enum Begin {
    /// The response stands in the first `length` octets of the buffer.
    Done {
        /// Octets of the response.
        length: usize,
        /// What to write down, once it is sent.
        event: Event,
    },
    /// No response, and nothing to write down.
    Drop(DropReason),
    /// No response, for the answer was given too often; this is to be written down.
    Silent(Event),
    /// The answer has to wait for others: hand this to [`super::complete`].
    Continue(Box<Request>),
}

impl Begin {
    /// Notes what validation has said of the answer.
    fn with_security(mut self, security: Security) -> Begin {
        if let Begin::Done { event, .. } | Begin::Silent(event) = &mut self {
            event.security = finish::word_of(security);
        }
        self
    }
}

/// What one worker keeps from request to request, so that a warm one allocates nothing.
#[derive(Debug, Default)]
pub struct Local {
    pub(super) writer: ResponseWriter,
    pub(super) rotation: usize,
    pub(super) random: SplitMix,
    pub(super) limiter: RateLimiter,
    clients: ClientLimiter,
    pub(super) workers: usize,
}

impl Local {
    /// For one of so many workers. `chance` was drawn for it alone; nobody outside may guess it.
    pub fn new(chance: [u64; 3], workers: usize) -> Local {
        let [seed, key, second_key] = chance;
        Local {
            random: SplitMix::new(seed),
            limiter: RateLimiter::new((key, second_key)),
            clients: ClientLimiter::new((key, second_key)),
            workers,
            ..Local::default()
        }
    }
}

/// Takes a request as far as it goes without waiting, and writes the response into `out`.
///
/// `out` has room for 512 octets at least; a response over a stream is as long as `out` allows.
pub fn begin(
    local: &mut Local,
    packet: &Packet<'_>,
    snapshot: &Arc<Snapshot>,
    now: Now,
    out: &mut [u8],
) -> Begin {
    if packet.client.port() == 0 {
        return Begin::Drop(DropReason::PortZero);
    }
    if let Some(limit) = &snapshot.options.client_limit
        && !local.clients.admits(limit, local.workers, packet.client.ip(), now.tick)
    {
        return Begin::Drop(DropReason::ClientLimit);
    }
    let query = match Query::scan(packet.octets) {
        Scan::Query(query) => query,
        Scan::Unusual(unusual) => {
            return finish::unusual(local, packet, snapshot, &unusual, now, out);
        }
        Scan::TooShort => return Begin::Drop(DropReason::TooShort),
        Scan::Response => return Begin::Drop(DropReason::IsResponse),
    };
    #[cfg(debug_assertions)]
    if snapshot.panic_on.as_ref().is_some_and(|name| name.as_ref() == query.question.name) {
        panic!("asked to panic");
    }
    let routed = route::route(snapshot, &query, packet, now);
    // By reference: an answer is large, and moving it costs more than most of the steps that made it.
    let made;
    let answered = match &routed {
        Route::Answered(answer, source) => Some((answer, *source, Security::Unchecked)),
        Route::Judged(answer, source, security) => Some((answer, *source, *security)),
        Route::Cached(cached) => {
            made = cached.to_answer();
            Some((&made, cached.source, cached.security))
        }
        Route::Transfer(_) | Route::Recurse(_) => None,
    };
    if let Some((answer, source, security)) = answered {
        let mut echo = Echo::of(packet, snapshot, &query, now);
        if source == Source::Authoritative {
            echo.tell_of_zone(snapshot, &query);
        }
        let begun = finish::respond(local, packet, snapshot, &echo, (answer, source), now, out);
        return begun.with_security(security);
    }
    let (transfer, place) = match routed {
        Route::Transfer(place) => (Some(place), None),
        Route::Recurse(place) => (None, Some(place)),
        Route::Answered(..) | Route::Judged(..) | Route::Cached(_) => (None, None),
    };
    Begin::Continue(Box::new(Request {
        octets: packet.octets.into(),
        client: packet.client,
        local: packet.local,
        transport: packet.transport,
        received: now,
        snapshot: Arc::clone(snapshot),
        transfer,
        place,
    }))
}

/// The response to a request on which [`begin`] panicked: SERVFAIL, if as much can be read of it.
pub fn recover(packet: &Packet<'_>, snapshot: &Arc<Snapshot>, out: &mut [u8]) -> Option<(usize, Event)> {
    let attempt = || match Query::scan(packet.octets) {
        Scan::Query(query) => {
            let error = ExtendedError::new(
                ErrorCode::OTHER,
                "this question met a mistake of the server; its log tells",
            );
            let answer = Answer::failure(Rcode::SERVFAIL, error);
            // What the panic left in the worker's own writer is not relied on.
            let (local, echo) = (&mut Local::default(), Echo::without_cookie(&query));
            Some(finish::write(local, packet, snapshot, &echo, (&answer, Source::Dropped), out))
        }
        _ => None,
    };
    catch_unwind(AssertUnwindSafe(attempt)).ok().flatten()
}
