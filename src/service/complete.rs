//! The second half of an answer that had to wait.

use super::begin::Local;
use super::finish::{self, Echo};
use super::recurse::recurse;
use super::{Replies, Request, transfer};
use crate::wire::{Query, Scan};

/// Makes what a request waits for and sends it: the answer to its question, or a zone.
///
/// It continues where [`super::begin`] left off: the same octets, the same snapshot; what was decided there
/// is not decided again.
pub async fn complete(request: Request, replies: &mut dyn Replies) {
    let packet = request.packet();
    let Scan::Query(query) = Query::scan(packet.octets) else { return };
    if request.transfer.is_some() {
        return transfer::send(&request, &query, replies).await;
    }
    let snapshot = &request.snapshot;
    let Some(recursion) = snapshot.recursion.as_ref() else { return };
    let found = recurse(recursion, &request, &query).await;
    let echo = Echo::of(&packet, snapshot, &query, request.received);
    let mut out = vec![0; usize::from(u16::MAX)];
    let answered = (&found.answer, found.source);
    let (length, mut event) =
        finish::write(&mut Local::default(), &packet, snapshot, &echo, answered, &mut out);
    event.recursion = Some(Box::new(found.facts));
    out.truncate(length);
    out.shrink_to_fit();
    replies.send(out, Some(event)).await;
}
