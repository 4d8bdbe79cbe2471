//! For those who follow the keys of zones with trust anchors.

use std::sync::Arc;

use super::Recursion;
use crate::dns::{Name, Question, RrType};
use crate::resolver::Aim;
use crate::validator::Look;

impl Recursion {
    /// Asks a zone for its keys, past the cache, and says what that shows. None when nothing could be had.
    pub async fn look_at_keys(self: Arc<Recursion>, apex: Name) -> Option<Look> {
        let (question, budget) = (Question::new(apex, RrType::DNSKEY), self.budget());
        let task = |id| self.task(&question, id, &budget, None).past_cache().aiming(Aim::Validated);
        let landing = self.lead_or_follow(&question, Aim::Validated, None, &budget, task).await;
        let found = landing.answered.ok()?;
        let is_there = found.answer.iter().any(|rrset| rrset.rr_type == RrType::DNSKEY);
        let anchors = self.validation.as_ref().map(|validation| validation.anchors.current());
        let anchor = anchors.iter().flat_map(|all| all.anchors()).find(|anchor| anchor.apex == question.name);
        is_there.then(|| Look::at(&found, anchor, self.now().unix))
    }
}
