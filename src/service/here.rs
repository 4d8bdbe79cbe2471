//! What is served here, as the resolver sees it: overlays, zones, special names. The same order as in `route`.

use std::sync::Arc;

use super::{Snapshot, route};
use crate::authority::{self, Verdict};
use crate::dns::{Answer, AnswerRrset, NameRef, QuestionRef, RrType};
use crate::policy::Ground;
use crate::resolver::{Here, Said};
use crate::zone::ZoneEntry;

/// A snapshot for the flights that began with it.
pub(super) struct Served(pub(super) Arc<Snapshot>);

impl Here for Served {
    fn answer(&self, question: QuestionRef<'_>, least: usize) -> Option<Said> {
        let snapshot = &self.0;
        if let Some((answer, ground)) = snapshot.options.overlays.answer(question, true) {
            return Some(said(&answer, ground == Ground::Zone));
        }
        let zones = snapshot.zones_for_resolver();
        if let Some(entry) = authority::zone_for(zones, question)
            && entry.apex().label_count() >= least
        {
            let is_visible = !snapshot.options.visibility.is_hidden_from_clients(entry.apex());
            return match authority::answer(zones, question, false) {
                Verdict::Answer(answer) => Some(said(&answer, answer.authoritative && is_visible)),
                Verdict::ZoneUnavailable => Some(Said::Unavailable(entry.apex().to_name())),
                Verdict::NotOurs => None,
            };
        }
        match authority::answer(route::special(snapshot, question)?, question, false) {
            Verdict::Answer(answer) => Some(said(&answer, true)),
            _ => None,
        }
    }

    fn depth(&self, name: NameRef<'_>) -> Option<usize> {
        let snapshot = &self.0;
        if snapshot.options.overlays.has(name) {
            return Some(usize::MAX);
        }
        let labels = |entry: &ZoneEntry| entry.apex().label_count();
        let question = QuestionRef { name, rr_type: RrType::A, class: crate::dns::RrClass::IN };
        let special = route::special(snapshot, question).and_then(|zones| zones.find(name)).map(labels);
        snapshot.zones_for_resolver().find(name).map(labels).max(special)
    }
}

/// An answer that outlives its zone. RRsets keep their signatures.
fn said(answer: &Answer<'_>, authoritative: bool) -> Said {
    let owned = |rrset: &AnswerRrset<'_>| rrset.rrset().to_rrset();
    Said::Answer {
        rcode: answer.rcode,
        authoritative,
        answer: answer.answer.iter().map(owned).map(Arc::new).collect(),
        authority: answer.authority.iter().map(owned).map(Arc::new).collect(),
        additional: answer.additional.iter().map(owned).collect(),
    }
}
