//! Walked: what was found on the ways down to the names of one answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::validate::Verdict;
use crate::dns::name::MAX_LABELS;
use crate::dns::{Name, NameRef};
use crate::dnssec::NoDs;

/// What was found on the ways down to the names of one answer, so that a hundred types at one name are not a hundred walks, each
/// with hashes at every label (CVE-2023-50868).
#[derive(Default)]
pub(super) struct Walked {
    /// Names that have no DS RRset, with what that means. Not more than a name has labels: the others are looked at anew.
    cuts: Mutex<Vec<(Name, NoDs)>>,
    /// What makes data without signatures good at the last name that was walked to.
    unsigned: Mutex<Option<(Name, Option<Verdict>)>>,
}

impl Walked {
    pub(super) fn no_ds(&self, cut: &Name) -> Option<NoDs> {
        let cuts = lock(&self.cuts);
        cuts.iter().find(|(known, _)| known == cut).map(|(_, said)| said.clone())
    }

    pub(super) fn note_no_ds(&self, cut: &Name, said: &NoDs) {
        let mut cuts = lock(&self.cuts);
        if cuts.len() < MAX_LABELS {
            cuts.push((cut.clone(), said.clone()));
        }
    }

    pub(super) fn unsigned(&self, name: NameRef<'_>) -> Option<Option<Verdict>> {
        let last = lock(&self.unsigned);
        last.as_ref().filter(|(known, _)| known.as_ref() == name).map(|(_, verdict)| verdict.clone())
    }

    pub(super) fn note_unsigned(&self, name: NameRef<'_>, verdict: &Option<Verdict>) {
        *lock(&self.unsigned) = Some((name.to_name(), verdict.clone()));
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
