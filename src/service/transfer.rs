//! Zone transfers out: who gets one, and the messages of it (RFC 5936, RFC 1995).

use std::sync::Arc;

use super::begin::Local;
use super::finish::{self, Echo};
use super::route::{Route, refuse};
use super::{Packet, Replies, Request, Snapshot};
use crate::dns::{Answer, AnswerRrset, ErrorCode, ExtendedError, Rcode, RrType};
use crate::observe::{Event, Source, Transfer, Transport};
use crate::transfer::{self, Outgoing, Progress};
use crate::wire::Query;
use crate::zone::{Zone, ZoneEntry};

/// The list for AXFR and IXFR: the zone, who may have it, the door, what the client has already, how many at once.
pub(super) fn route<'a>(snapshot: &'a Snapshot, query: &Query<'a>, packet: &Packet<'_>) -> Route<'a> {
    let (question, client) = (query.question, packet.client.ip());
    let zone = match snapshot.zones.get(question.name) {
        // RFC 5936 2.2.1: not the apex of a zone served here.
        None => {
            let error =
                ExtendedError::new(ErrorCode::NOT_AUTHORITATIVE, "not the apex of a zone served here");
            return Route::Answered(Answer::failure(Rcode::NOTAUTH, error), Source::Refused);
        }
        Some(_) if !snapshot.access.transfer.admits(question.name, client) => {
            return refuse(ErrorCode::PROHIBITED, "zone transfers to this address are not allowed");
        }
        Some(ZoneEntry::Unavailable(_)) => return super::route::unavailable(),
        Some(ZoneEntry::Loaded(zone)) => zone,
    };
    match (question.rr_type, packet.transport) {
        (RrType::IXFR, transport) => {
            let Some(serial) = transfer::serial_of_client(packet.octets, zone.apex()) else {
                return Route::Answered(Answer::empty(Rcode::FORMERR), Source::Malformed);
            };
            // RFC 1995 2 and 4: the SOA alone says that nothing is newer or, over UDP, to come back over TCP.
            if transport == Transport::Udp || !zone.serial().is_after(serial) {
                return Route::Answered(soa_alone(zone), Source::Authoritative);
            }
        }
        // RFC 5936 4.2: never over UDP.
        (_, Transport::Udp) => return refuse(ErrorCode::NOT_SUPPORTED, "zone transfers need TCP"),
        (_, Transport::Tcp) => {}
    }
    match snapshot.options.transfers.take(client) {
        Some(place) => Route::Transfer(place),
        None => refuse(ErrorCode::PROHIBITED, "too many zone transfers are under way"),
    }
}

fn soa_alone(zone: &Zone) -> Answer<'_> {
    let mut answer = Answer::empty(Rcode::NOERROR);
    answer.authoritative = true;
    answer.answer.push(AnswerRrset::borrowed(zone.soa()));
    answer
}

/// Sends the zone of a request that was found worth it, one message when there is room for the next. What is sent is
/// the version of the request's snapshot, whatever is published meanwhile. Ends when the client is gone.
pub(super) async fn send(request: &Request, query: &Query<'_>, replies: &mut dyn Replies) {
    let (packet, snapshot) = (request.packet(), &request.snapshot);
    let question = query.question;
    let Some(ZoneEntry::Loaded(zone)) = snapshot.zones.get(question.name) else { return };
    let zone = Arc::clone(zone);
    let mut echo = Echo::of(&packet, snapshot, query, request.received);
    echo.tell_of_zone(snapshot, query);
    let head = finish::head(&mut Local::default(), &packet, snapshot, &echo);
    let mut outgoing = Outgoing::new(&zone, head);
    let mut octets = 0;
    let tell = |octets: usize, is_whole| Event {
        octets: u32::try_from(octets).unwrap_or(u32::MAX),
        transfer: Some(Transfer { serial: zone.serial(), is_whole }),
        ..finish::event(Source::Authoritative, Rcode::NOERROR, Some(question))
    };
    loop {
        match outgoing.next_message() {
            Progress::More(message) => {
                let length = message.len();
                if !replies.send(message, None).await {
                    return replies.give_up(tell(octets, false));
                }
                octets += length;
            }
            Progress::Last(message, flags) => {
                let event = Event { flags: flags.0, ..tell(octets + message.len(), true) };
                if !replies.send(message, Some(event)).await {
                    replies.give_up(tell(octets, false));
                }
                return;
            }
            Progress::TooLarge => {
                let transfer = tell(octets, false).transfer;
                return fail(&packet, snapshot, &echo, transfer, replies).await;
            }
        }
    }
}

/// RFC 5936 2.2: an error in the middle is told by its code, and ends the transfer.
async fn fail(
    packet: &Packet<'_>,
    snapshot: &Arc<Snapshot>,
    echo: &Echo<'_>,
    transfer: Option<Transfer>,
    replies: &mut dyn Replies,
) {
    let error = ExtendedError::new(ErrorCode::OTHER, "a record is too large for any message");
    let answer = Answer::failure(Rcode::SERVFAIL, error);
    let mut out = vec![0; usize::from(u16::MAX)];
    let (length, event) = finish::write(
        &mut Local::default(),
        packet,
        snapshot,
        echo,
        (&answer, Source::Authoritative),
        &mut out,
    );
    out.truncate(length);
    replies.send(out, Some(Event { transfer, ..event })).await;
}
