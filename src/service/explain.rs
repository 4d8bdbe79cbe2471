//! A question of the operator's own, on the very path of a client's, with what was done for it.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use super::begin::{Begin, Local, begin};
use super::{Packet, Replies, Snapshot, complete};
use crate::authority;
use crate::clock::Now;
use crate::dns::Question;
use crate::observe::{Event, Source, Step, Transport};
use crate::wire::{Flags, write_query};
use crate::zone::ZoneEntry;

/// What came of a question, and what was done for it.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What is written down of it.
    pub event: Event,
    /// What was done, in order.
    pub steps: Arc<[Step]>,
    /// The response.
    pub octets: Vec<u8>,
}

/// Answers a question of class IN as for a client of this machine over TCP. None when the server would not respond.
pub async fn explain(snapshot: Arc<Snapshot>, question: Question, now: Now) -> Option<Explained> {
    let mut octets = Vec::new();
    write_query(
        &question,
        0,
        Flags(Flags::RD.0),
        Some((snapshot.options.udp_payload_size, false)),
        &mut octets,
    );
    // Any port but 0 will do; TCP is neither truncated nor limited.
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let packet = Packet { octets: &octets, client, local: client, transport: Transport::Tcp };
    let mut out = vec![0; usize::from(u16::MAX)];
    match begin(&mut Local::default(), &packet, &snapshot, now, &mut out) {
        Begin::Done { length, event } => {
            out.truncate(length);
            let steps = at_once(&snapshot, &question, &event, now).into_iter().collect();
            Some(Explained { event, steps, octets: out })
        }
        Begin::Continue(request) => {
            let mut reply = OneReply::default();
            complete(*request, &mut reply).await;
            let OneReply { octets, event } = reply;
            let event = event?;
            let steps =
                event.recursion.as_ref().map_or_else(Arc::default, |recursion| recursion.steps.clone());
            Some(Explained { event, steps, octets })
        }
        Begin::Drop(_) | Begin::Silent(_) => None,
    }
}

/// The one step of an answer that needed nobody.
fn at_once(snapshot: &Snapshot, question: &Question, event: &Event, now: Now) -> Option<Step> {
    let entry_of = |zones| authority::zone_for(zones, question.as_ref());
    match event.source {
        Source::Authoritative => {
            let entry = entry_of(&snapshot.zones)?;
            let serial = match entry {
                ZoneEntry::Loaded(zone) => Some(zone.serial().0),
                ZoneEntry::Unavailable(_) => None,
            };
            Some(Step::LocalZone { apex: entry.apex().to_name(), serial })
        }
        Source::Local => {
            let zones = snapshot.options.special_names.as_ref()?.zones_for(question.as_ref())?;
            Some(Step::SpecialName(entry_of(zones)?.apex().to_name()))
        }
        Source::Cache | Source::NegativeCache | Source::FailureCache | Source::Stale => {
            snapshot.recursion.as_ref()?.known(question, now)
        }
        _ => None,
    }
}

#[derive(Default)]
struct OneReply {
    octets: Vec<u8>,
    event: Option<Event>,
}

impl Replies for OneReply {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        (self.octets, self.event) = (octets, event);
        Box::pin(std::future::ready(true))
    }

    fn give_up(&mut self, event: Event) {
        self.event = Some(event);
    }
}
