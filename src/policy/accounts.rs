//! Accounts of very many clients, in a table that is as large at the end as at the beginning.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::clock::Tick;
use crate::limits;

/// Accounts of one set: a cache line.
const WAYS: usize = 4;
const SETS: usize = limits::RATE_LIMIT_ANSWERS / WAYS;

/// The accounts of one worker.
///
/// Invariant: an account stands in the set its hash says; within a set, tags differ.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Drawn outside, so that nobody can choose what shares a set.
    key: (u64, u64),
    /// Made when the first is asked for: a worker that counts nothing needs none.
    sets: Box<[[Account; WAYS]]>,
}

/// One account. A new one is empty, of a second long past.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    tag: u32,
    /// The second it was used last; see [`second`].
    pub(super) second: u32,
    /// What may still be taken out, by whatever measure the owner has.
    pub(super) balance: i32,
    /// How often there was nothing to take.
    pub(super) excess: u32,
}

impl Accounts {
    /// No account yet.
    pub(super) fn new(key: (u64, u64)) -> Accounts {
        Accounts { key, sets: Box::default() }
    }

    /// The account of a holder. If there is none, it takes the place of the one that was not used for longest; of several,
    /// of the one with most left, so that a flood of new holders frees nobody.
    pub(super) fn of(&mut self, holder: impl Hash) -> &mut Account {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        holder.hash(&mut hasher);
        let hash = hasher.finish();
        if self.sets.is_empty() {
            self.sets = vec![[Account::default(); WAYS]; SETS].into();
        }
        let (tag, set) = ((hash >> 32) as u32, &mut self.sets[hash as usize % SETS]);
        let place = match set.iter().position(|account| account.tag == tag) {
            Some(place) => place,
            None => {
                let oldest = (0..WAYS).min_by_key(|place| (set[*place].second, Reverse(set[*place].balance)));
                let place = oldest.expect("a set has places");
                set[place] = Account { tag, ..Account::default() };
                place
            }
        };
        &mut set[place]
    }

    /// Accounts there is room for, and the octets they take.
    #[cfg(test)]
    pub(super) fn room(&self) -> (usize, usize) {
        (self.sets.len() * WAYS, std::mem::size_of_val(&*self.sets))
    }
}

/// The second of a time, from one on: an empty account is one of second zero, long past.
pub(super) fn second(now: Tick) -> u32 {
    (now.0 / 1_000_000_000) as u32 + limits::RATE_LIMIT_WINDOW
}
