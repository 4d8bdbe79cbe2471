//! Telling a zone which of its keys are trusted here (RFC 8145): its owner can see before a rollover who would be left
//! behind. It is a flight of its own that nobody waits for and no client pays.

use std::sync::{Arc, Mutex, PoisonError};

use super::coalesce::Role;
use super::flight::{Recursion, fly};
use crate::cache::Security;
use crate::clock::Tick;
use crate::dns::{Name, NameBuf, Question, RrType};
use crate::limits;
use crate::observe::Step;
use crate::resolver::{Aim, Failure, Resolution, Task};
use crate::validator::Anchor;

/// The zones that were told, and when.
///
/// Invariant: those that have a trust anchor only, so at most [`limits::TRUST_POINTS`].
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Vec<(Name, Tick)>>);

impl Recursion {
    /// After the task: when it fetched the keys of a zone with trust anchors, the zone is told which these are.
    pub(super) fn tell_anchors(
        self: &Arc<Recursion>,
        task: &Task,
        answered: &Result<Arc<Resolution>, Failure>,
    ) {
        if task.aim != Aim::Validated || task.question.rr_type != RrType::DNSKEY {
            return;
        }
        let is_good = answered.as_ref().is_ok_and(|resolution| resolution.security == Security::Secure);
        let is_fetched = || task.steps().iter().any(|step| matches!(step, Step::Exchange { .. }));
        let Some(validation) = self.validation.as_ref().filter(|validation| validation.options.signaling)
        else {
            return;
        };
        let anchors = validation.anchors.current();
        let zone = &task.question.name;
        let Some(anchor) = anchors.anchors().iter().find(|anchor| anchor.apex == *zone) else { return };
        if is_good && is_fetched() && self.told.is_due(anchor, anchors.anchors(), self.now().tick) {
            self.tell(anchor);
        }
    }

    fn tell(self: &Arc<Recursion>, anchor: &Anchor) {
        let Some(name) = told_name(anchor) else { return };
        let question = Question::new(name, RrType::NULL);
        if let Ok(Role::Lead(takeoff, _)) = self.table.lead_or_follow(&question, Aim::Data, None) {
            let task = self.task(&question, takeoff.id, &self.budget(), None).past_cache();
            self.resolver.world.spawn(fly(self.clone(), takeoff, task));
        }
    }
}

impl Told {
    /// Whether a zone is to be told now; then it counts as told.
    fn is_due(&self, anchor: &Anchor, anchors: &[Anchor], now: Tick) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|(apex, at)| {
            now.since(*at) < limits::ANCHORS_TOLD_EVERY && anchors.iter().any(|anchor| anchor.apex == *apex)
        });
        let is_due = told.iter().all(|(apex, _)| *apex != anchor.apex);
        if is_due {
            told.push((anchor.apex.clone(), now));
        }
        is_due
    }
}

/// RFC 8145 5.1: `_ta-` and the key tags in hexadecimal, the smallest first, below the zone. None when that is no name, as
/// many tags make none.
fn told_name(anchor: &Anchor) -> Option<Name> {
    let mut tags: Vec<u16> = anchor.key_tags().collect();
    tags.sort_unstable();
    tags.dedup();
    let tags: Vec<String> = tags.iter().map(|tag| format!("{tag:04x}")).collect();
    let mut name = NameBuf::new();
    name.push_label(format!("_ta-{}", tags.join("-")).as_bytes()).ok()?;
    name.finish_with(anchor.apex.as_ref()).ok().map(|name| name.to_name())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recursion::testing::SignedLab;
    use crate::resolver::testing::question;
    use crate::validator::ValidationOptions;

    /// The queries that told of anchors while these questions were answered.
    fn told(lab: &SignedLab, asked: &[&str]) -> Vec<String> {
        lab.world.take_sent();
        for asked in asked {
            lab.world.run(lab.recursion.resolve(question(asked)));
        }
        let sent = lab.world.take_sent();
        sent.into_iter().filter(|sent| sent.contains("_ta-")).collect()
    }

    fn lab(signaling: bool) -> SignedLab {
        SignedLab::new(ValidationOptions { signaling, ..ValidationOptions::default() })
    }

    #[test]
    fn the_zone_of_an_anchor_is_told_of_it_once_a_day_when_its_keys_are_fetched() {
        let lab = lab(true);
        let want = vec![format!("192.0.2.1 _ta-{:04x}. NULL", lab.root.key_tag())];
        assert_eq!(told(&lab, &["www.example. A", "www.plain. A"]), want);
        // The keys live five minutes.
        lab.world.later(Duration::from_secs(600));
        assert_eq!(told(&lab, &["www.example. A"]), Vec::<String>::new());
        lab.world.later(limits::ANCHORS_TOLD_EVERY);
        assert_eq!(told(&lab, &["www.example. A"]), want);
    }

    #[test]
    fn nobody_is_told_when_that_is_off() {
        assert_eq!(told(&lab(false), &["www.example. A"]), Vec::<String>::new());
    }

    #[test]
    fn neither_the_time_nor_the_packets_of_a_client_are_spent_on_it() {
        let cost = |signaling| {
            let lab = lab(signaling);
            let began = lab.world.now().tick;
            let (recursion, world) = (lab.recursion.clone(), lab.world.clone());
            let (spent, took) = lab.world.run(async move {
                let resolved = recursion.resolve(question("www.example. A")).await;
                (resolved.facts.spent, world.now().tick.since(began))
            });
            (spent.unwrap()[0].spent, took, resolved_packets(&lab))
        };
        let ((packets, took, sent), (silent_packets, silent_took, silent_sent)) = (cost(true), cost(false));
        assert_eq!((packets, took), (silent_packets, silent_took));
        assert_eq!(sent, silent_sent + 1);
    }

    fn resolved_packets(lab: &SignedLab) -> usize {
        lab.world.take_sent().len()
    }

    #[test]
    fn a_name_has_all_tags_in_order_or_is_none() {
        let anchor = |tags: &[u16], apex: &str| Anchor {
            apex: apex.parse().unwrap(),
            ds: tags.iter().map(|tag| [&tag.to_be_bytes()[..], &[8, 2]].concat().into()).collect(),
            keys: Vec::new(),
        };
        let many: Vec<u16> = (0..limits::ANCHORS_PER_POINT as u16).collect();
        for (tags, apex, want) in [
            (&[20326][..], ".", Some("_ta-4f66.".to_string())),
            (&[38696, 20326, 38696], ".", Some("_ta-4f66-9728.".into())),
            (&[1], "example.", Some("_ta-0001.example.".into())),
            // RFC 8145 5.1: a label has room for twelve.
            (
                &many[..12],
                ".",
                Some(format!(
                    "_ta-{}.",
                    (0..12).map(|tag| format!("{tag:04x}")).collect::<Vec<_>>().join("-")
                )),
            ),
            (&many[..], ".", None),
        ] {
            assert_eq!(told_name(&anchor(tags, apex)).map(|name| name.to_string()), want, "{tags:?}");
        }
    }
}
