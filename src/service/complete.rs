//! The second half of an answer that had to wait.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};

use super::begin::Local;
use super::finish::{self, Echo};
use super::recurse::{self, Recursed};
use super::waiting::Place;
use super::{Replies, Request, transfer};
use crate::recursion::Recursion;
use crate::wire::{Query, Scan};

/// Makes what a request waits for and sends it: the answer to its question, or a zone.
///
/// It continues where [`super::begin`] left off: the same octets, the same snapshot; what was decided there
/// is not decided again.
pub async fn complete(mut request: Request, replies: &mut dyn Replies) {
    let place = request.place.take();
    let packet = request.packet();
    let Scan::Query(query) = Query::scan(packet.octets) else { return };
    if request.transfer.is_some() {
        return transfer::send(&request, &query, replies).await;
    }
    let snapshot = &request.snapshot;
    let Some(recursion) = snapshot.recursion.as_ref() else { return };
    let found = recursed(recursion, &request, &query, place).await;
    let echo = Echo::of(&packet, snapshot, &query, request.received);
    let mut out = vec![0; usize::from(u16::MAX)];
    let answered = (&found.answer, found.source);
    let (length, mut event) =
        finish::write(&mut Local::default(), &packet, snapshot, &echo, answered, &mut out);
    event.security = finish::word_of(found.security);
    event.recursion = Some(Box::new(found.facts));
    out.truncate(length);
    out.shrink_to_fit();
    replies.send(out, Some(event)).await;
}

/// The answer of the resolver, unless a newer question needs the place before it is there. The flight goes on.
async fn recursed(
    recursion: &Arc<Recursion>,
    request: &Request,
    query: &Query<'_>,
    place: Option<Place>,
) -> Recursed {
    let recursed = pin!(recurse::recurse(recursion, request, query));
    let Some(mut place) = place else { return recursed.await };
    match select(recursed, pin!(place.pushed_out())).await {
        Either::Left((recursed, _)) => recursed,
        Either::Right(_) => Recursed::busy(),
    }
}
