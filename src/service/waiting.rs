//! Who may wait for recursion: so many in all, so many of one client prefix, and who makes room when all places are taken.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::clock::Tick;
use crate::limits;
use crate::policy::ClientNetwork;

/// The places of all who wait.
///
/// Half of the places are kept to the end, of all and of each prefix. In the other half a newcomer may take the place of
/// the oldest when all are taken and that one has had [`limits::JOSTLE_AFTER`]: whoever fills all places with questions to
/// slow servers holds up nobody whose question is answered quickly, and honest slow questions still come to their end in
/// the first half.
#[derive(Debug, Default)]
pub struct Waiting {
    inner: Mutex<Inner>,
}

/// Invariant: `all` counts the `places`, and each of `prefixes` those of one prefix; none is listed with none.
#[derive(Debug, Default)]
struct Inner {
    places: HashMap<u64, Held>,
    all: Crowd,
    prefixes: HashMap<ClientNetwork, Crowd>,
    next: u64,
}

#[derive(Debug)]
struct Held {
    prefix: ClientNetwork,
    push: oneshot::Sender<()>,
}

/// Places that have one bound together: those kept to the end, and the others by age.
#[derive(Debug, Default)]
struct Crowd {
    kept: usize,
    pushable: BTreeMap<u64, Tick>,
}

/// The place of one question; given back when dropped.
#[derive(Debug)]
pub struct Place {
    waiting: Arc<Waiting>,
    number: u64,
    pushed_out: oneshot::Receiver<()>,
}

impl Waiting {
    /// A place for a client's question, if there is one. `is_proven` says that the client is where its address says.
    pub fn take(self: &Arc<Waiting>, client: IpAddr, is_proven: bool, now: Tick) -> Option<Place> {
        let prefix = ClientNetwork::of_site(client);
        let most = match is_proven {
            true => limits::WAITING_OF_PREFIX_WITH_COOKIE,
            false => limits::WAITING_OF_PREFIX,
        };
        let mut inner = self.inner();
        if let Some(crowd) = inner.prefixes.get(&prefix).filter(|crowd| crowd.count() >= most) {
            let oldest = crowd.to_push_out(now)?;
            inner.push_out(oldest);
        }
        if inner.all.count() >= limits::WAITING_REQUESTS {
            let oldest = inner.all.to_push_out(now)?;
            inner.push_out(oldest);
        }
        let number = inner.next;
        inner.next += 1;
        let (push, pushed_out) = oneshot::channel();
        inner.places.insert(number, Held { prefix, push });
        inner.all.add(number, limits::WAITING_REQUESTS, now);
        inner.prefixes.entry(prefix).or_default().add(number, most, now);
        Some(Place { waiting: Arc::clone(self), number, pushed_out })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push_out(&mut self, number: u64) {
        if let Some(held) = self.leave(number) {
            // It may have come to its end this very moment.
            let _ = held.push.send(());
        }
    }

    fn leave(&mut self, number: u64) -> Option<Held> {
        let held = self.places.remove(&number)?;
        self.all.remove(number);
        if let Some(crowd) = self.prefixes.get_mut(&held.prefix) {
            crowd.remove(number);
            if crowd.count() == 0 {
                self.prefixes.remove(&held.prefix);
            }
        }
        Some(held)
    }
}

impl Crowd {
    fn count(&self) -> usize {
        self.kept + self.pushable.len()
    }

    fn add(&mut self, number: u64, most: usize, now: Tick) {
        match self.kept < most / 2 {
            true => self.kept += 1,
            false => _ = self.pushable.insert(number, now),
        }
    }

    fn remove(&mut self, number: u64) {
        if self.pushable.remove(&number).is_none() {
            self.kept -= 1;
        }
    }

    /// The oldest that may be pushed out, if it has had its time.
    fn to_push_out(&self, now: Tick) -> Option<u64> {
        let (number, since) = self.pushable.first_key_value()?;
        (now.since(*since) >= limits::JOSTLE_AFTER).then_some(*number)
    }
}

impl Place {
    /// Waits until a newer question needs the place; for ever when none does.
    pub async fn pushed_out(&mut self) {
        if (&mut self.pushed_out).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.inner().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn client(number: usize) -> IpAddr {
        Ipv4Addr::from_bits((10 << 24) + ((number as u32) << 8) + 1).into()
    }

    const START: Tick = Tick(1_000_000_000);

    #[test]
    fn a_prefix_has_so_many_places_and_more_with_a_cookie() {
        let waiting = Arc::new(Waiting::default());
        let take =
            |is_proven, last: u8| waiting.take(format!("192.0.2.{last}").parse().unwrap(), is_proven, START);
        let mut places: Vec<_> =
            (0..limits::WAITING_OF_PREFIX).map(|at| take(false, at as u8).unwrap()).collect();
        assert!(take(false, 201).is_none());
        assert!(waiting.take(client(1), false, START).is_some(), "others have theirs");
        while let Some(place) = take(true, 202) {
            places.push(place);
        }
        assert_eq!(places.len(), limits::WAITING_OF_PREFIX_WITH_COOKIE);
        places.truncate(limits::WAITING_OF_PREFIX - 1);
        places.push(take(false, 201).unwrap());
        // Later its own old ones make room, and nobody else's.
        let later = START.plus(limits::JOSTLE_AFTER);
        places.push(waiting.take("192.0.2.201".parse().unwrap(), false, later).unwrap());
        let is_out = |place: &mut Place| place.pushed_out().now_or_never().is_some();
        let pushed_out = places.iter_mut().position(is_out);
        assert_eq!(pushed_out, Some(limits::WAITING_OF_PREFIX / 2), "the oldest of the second half");
        drop(places);
        let inner = waiting.inner();
        assert!(inner.places.is_empty() && inner.prefixes.is_empty() && inner.all.count() == 0);
    }

    #[test]
    fn when_all_places_are_taken_the_old_of_one_half_make_room_for_the_new() {
        let waiting = Arc::new(Waiting::default());
        let mut places: Vec<_> = (0..limits::WAITING_REQUESTS)
            .map(|at| waiting.take(client(at / 100), false, START).unwrap())
            .collect();
        let stranger = client(5000);
        let soon = START.plus(limits::JOSTLE_AFTER - Duration::from_millis(1));
        assert!(waiting.take(stranger, false, soon).is_none(), "nobody has had his time");
        let later = START.plus(limits::JOSTLE_AFTER);
        let newcomers: Vec<_> = (0..limits::WAITING_REQUESTS / 2)
            .map(|at| waiting.take(client(5000 + at / 100), false, later).expect("a place"))
            .collect();
        assert!(waiting.take(stranger, false, later).is_none(), "the half that may be pushed out is new");
        let pushed_out: Vec<_> =
            places.iter_mut().map(|place| place.pushed_out().now_or_never().is_some()).collect();
        let (kept, pushed) = pushed_out.split_at(limits::WAITING_REQUESTS / 2);
        assert!(kept.iter().all(|is_out| !is_out) && pushed.iter().all(|is_out| *is_out));
        drop((places, newcomers));
        let inner = waiting.inner();
        assert!(inner.places.is_empty() && inner.prefixes.is_empty() && inner.all.count() == 0);
    }

    /// All places held by questions to servers that take three seconds; good ones come at a steady rate and take 20 ms.
    #[test]
    fn good_questions_are_answered_while_slow_ones_fill_all_places() {
        let waiting = Arc::new(Waiting::default());
        let mut slow = Vec::new();
        let mut good: Vec<(Tick, Place)> = Vec::new();
        let (mut asked, mut refused, mut site) = (0, 0, 0);
        for millisecond in 0..5000 {
            let now = START.plus(Duration::from_millis(millisecond));
            // The attacker takes whatever is free, as fast as it gets free.
            for _ in 0..5 {
                site += 1;
                slow.extend(waiting.take(client(site % 200), false, now).map(|place| (now, place)));
            }
            slow.retain_mut(|(began, place)| {
                now.since(*began) < Duration::from_secs(3) && place.pushed_out().now_or_never().is_none()
            });
            good.retain(|(began, _)| now.since(*began) < Duration::from_millis(20));
            if millisecond > 1000 {
                asked += 1;
                match waiting.take(client(5000 + site % 100), false, now) {
                    Some(place) => good.push((now, place)),
                    None => refused += 1,
                }
            }
            let before = good.len();
            good.retain_mut(|(_, place)| place.pushed_out().now_or_never().is_none());
            refused += before - good.len();
        }
        assert!(refused * 100 <= asked, "{refused} of {asked}");
    }
}
