//! The window: what is new, in the order it came, until it has to prove itself.

use std::collections::{BTreeMap, HashMap};

use super::store::Kept;

/// Invariant: both maps hold the same entries, and `octets` is their sum.
#[derive(Default)]
pub(super) struct Window {
    queue: BTreeMap<u64, u64>,
    entries: HashMap<u64, (u64, Kept)>,
    octets: u64,
    next: u64,
}

impl Window {
    /// Puts an entry at the end, or a newer value in the place an entry has already.
    pub(super) fn put(&mut self, fingerprint: u64, kept: Kept) {
        self.octets += u64::from(kept.octets());
        if let Some((_, old)) = self.entries.get_mut(&fingerprint) {
            self.octets -= u64::from(old.octets());
            *old = kept;
            return;
        }
        self.queue.insert(self.next, fingerprint);
        self.entries.insert(fingerprint, (self.next, kept));
        self.next += 1;
    }

    /// Lets the oldest go.
    pub(super) fn pop(&mut self) -> Option<u64> {
        let (_, fingerprint) = self.queue.pop_first()?;
        let (_, kept) = self.entries.remove(&fingerprint)?;
        self.octets -= u64::from(kept.octets());
        Some(fingerprint)
    }

    /// Removes an entry if it is the one meant.
    pub(super) fn remove_if(&mut self, fingerprint: u64, is: impl FnOnce(&Kept) -> bool) {
        let Some((place, kept)) = self.entries.get(&fingerprint).filter(|(_, kept)| is(kept)) else { return };
        self.octets -= u64::from(kept.octets());
        self.queue.remove(place);
        self.entries.remove(&fingerprint);
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn count(&self) -> u64 {
        self.entries.len() as u64
    }
}
