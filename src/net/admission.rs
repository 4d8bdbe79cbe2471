//! Who may have a connection: so many in all, a tenth of them for one client prefix.
//!
//! Before the last place is taken, the quiet connections are asked to go (RFC 7766 6.2.3 lets a server close them at
//! any time), so that a newcomer finds room among ten thousand that say nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Tick;
use crate::limits;
use crate::policy::ClientNetwork;

/// The places of all cores.
///
/// Invariants: `open` is the number of seats alive; a prefix is in the table while it has one; their sum is `open`.
pub(super) struct Admission {
    places: usize,
    open: AtomicUsize,
    prefixes: Mutex<HashMap<ClientNetwork, Prefix>>,
    everybody: Crowd,
}

struct Prefix {
    open: usize,
    crowd: Arc<Crowd>,
}

/// Connections that can be asked to go, together.
#[derive(Default)]
struct Crowd {
    asked: Notify,
    /// How often they were.
    asks: AtomicUsize,
    latest: Mutex<Tick>,
}

/// The right to have one connection. Dropped with it.
pub(super) struct Seat {
    admission: Arc<Admission>,
    prefix: ClientNetwork,
    crowd: Arc<Crowd>,
    /// How often those of the prefix, and everybody, had been asked to go when this one last knew.
    known: [AtomicUsize; 2],
}

impl Admission {
    pub(super) fn new(places: usize) -> Admission {
        let (open, prefixes) = (AtomicUsize::new(0), Mutex::default());
        Admission { places, open, prefixes, everybody: Crowd::default() }
    }

    /// A place for one more connection of this client, if there is one.
    pub(super) fn admit(self: &Arc<Admission>, client: IpAddr, now: Tick) -> Option<Seat> {
        let share = (self.places / limits::TCP_PREFIX_SHARE).max(1);
        let mut prefixes = self.prefixes();
        let open = self.open();
        if is_crowded(open, self.places) {
            self.everybody.ask(now);
        }
        let key = ClientNetwork::of_site(client);
        let entry = prefixes.entry(key).or_insert_with(|| Prefix { open: 0, crowd: Arc::default() });
        if is_crowded(entry.open, share) {
            entry.crowd.ask(now);
        }
        let (of_prefix, crowd) = (entry.open, entry.crowd.clone());
        if open >= self.places || of_prefix >= share {
            if of_prefix == 0 {
                prefixes.remove(&key);
            }
            return None;
        }
        entry.open += 1;
        self.open.store(open + 1, Ordering::Relaxed);
        // What was asked for this one to have room does not concern it.
        let known = [crowd.asks.load(Ordering::Relaxed), self.everybody.asks.load(Ordering::Relaxed)];
        Some(Seat { admission: self.clone(), prefix: key, crowd, known: known.map(AtomicUsize::new) })
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Asks all quiet connections to go, as when there are no descriptors left.
    pub(super) fn make_room(&self, now: Tick) {
        self.everybody.ask(now);
    }

    /// The table. `open` changes only while it is locked, so that two newcomers cannot take one place.
    fn prefixes(&self) -> std::sync::MutexGuard<'_, HashMap<ClientNetwork, Prefix>> {
        self.prefixes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Seat {
    /// Waits until this connection is asked to go if it is quiet, or was since the last call that said so.
    pub(super) async fn is_asked_for(&self) {
        let crowds = [&*self.crowd, &self.admission.everybody];
        let (mut of_prefix, mut of_all) =
            (pin!(crowds[0].asked.notified()), pin!(crowds[1].asked.notified()));
        // From here on nothing is missed, and what was asked before is looked up.
        of_prefix.as_mut().enable();
        of_all.as_mut().enable();
        if !self.was_asked_for(crowds) {
            futures_util::future::select(of_prefix, of_all).await;
            self.was_asked_for(crowds);
        }
    }

    fn was_asked_for(&self, crowds: [&Crowd; 2]) -> bool {
        let is_new = |(crowd, known): (&Crowd, &AtomicUsize)| {
            let asks = crowd.asks.load(Ordering::Relaxed);
            known.swap(asks, Ordering::Relaxed) != asks
        };
        crowds.into_iter().zip(&self.known).map(is_new).fold(false, |one, other| one | other)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut prefixes = self.admission.prefixes();
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(entry) = prefixes.get_mut(&self.prefix) {
            entry.open -= 1;
            if entry.open == 0 {
                prefixes.remove(&self.prefix);
            }
        }
    }
}

impl Crowd {
    /// Asks, but not again at once: waking thousands for every newcomer would be an attack of its own.
    fn ask(&self, now: Tick) {
        const AGAIN: Duration = Duration::from_millis(100);
        let mut latest = self.latest.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *latest == Tick::default() || now.since(*latest) >= AGAIN {
            *latest = now;
            self.asks.fetch_add(1, Ordering::Relaxed);
            self.asked.notify_waiters();
        }
    }
}

fn is_crowded(open: usize, places: usize) -> bool {
    open * 8 >= places * limits::TCP_CROWDED
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn admit(admission: &Arc<Admission>, client: &str) -> Option<Seat> {
        admission.admit(client.parse().unwrap(), Tick(1))
    }

    #[test]
    fn a_prefix_has_a_tenth_and_all_have_all() {
        let admission = Arc::new(Admission::new(30));
        let mut seats: Vec<Seat> =
            (1..=3).map(|n| admit(&admission, &format!("10.0.0.{n}")).unwrap()).collect();
        assert!(admit(&admission, "10.0.0.9").is_none(), "the tenth is taken");
        seats.pop();
        seats.push(admit(&admission, "10.0.0.9").expect("one has left"));
        for site in 1..10 {
            seats.extend((0..3).map(|_| admit(&admission, &format!("10.0.{site}.1")).unwrap()));
        }
        assert_eq!(admission.open(), 30);
        assert!(admit(&admission, "10.1.0.1").is_none(), "all are taken");
        drop(seats);
        assert_eq!(admission.open(), 0);
        assert!(admission.prefixes().is_empty(), "what nobody uses is not remembered");
    }

    #[test]
    fn the_quiet_are_asked_to_go_before_the_last_place_is_taken() {
        let admission = Arc::new(Admission::new(80));
        let seats: Vec<Seat> = (0..7).map(|_| admit(&admission, "10.0.0.1").unwrap()).collect();
        let mut asked = Box::pin(seats[0].is_asked_for());
        let stranger = admit(&admission, "10.9.0.1").unwrap();
        let mut not_asked = Box::pin(stranger.is_asked_for());
        assert!(asked.as_mut().now_or_never().is_none());
        assert!(not_asked.as_mut().now_or_never().is_none());
        let _newcomer = admit(&admission, "10.0.0.1").expect("the eighth place");
        assert!(asked.as_mut().now_or_never().is_some());
        assert!(not_asked.as_mut().now_or_never().is_none(), "another prefix is not crowded");
    }
}
