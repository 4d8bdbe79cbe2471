//! One flight per question and aim: the first to ask leads, the others follow, and nobody waits for himself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::dns::{Name, Question};
use crate::limits;
use crate::resolver::{Aim, Failure, FlightId, Landing};

/// The flights under way.
///
/// - A question is in the table as long as its flight is under way, and for each aim only once (RFC 5452 5: else each
///   further packet for it doubles a forger's chances; only flights for data send any).
/// - A flight waits for at most one other at a time. `waits` holds who waits for whom, whoever asked first, and never
///   holds a ring: whoever would close one is told so instead.
///
/// One lock for both, taken twice a miss for a few probes of a map.
#[derive(Debug, Default)]
pub struct Table {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    flights: HashMap<Subject, Entry>,
    waits: HashMap<FlightId, FlightId>,
    /// The zone whose servers a flight asks, and how many flights ask those of each.
    places: HashMap<FlightId, Name>,
    zones: HashMap<Name, usize>,
    last_id: u64,
}

/// A question, and what a flight for it is to come to.
type Subject = (Question, Aim);

#[derive(Debug)]
struct Entry {
    id: FlightId,
    landing: watch::Receiver<Option<Landing>>,
    followers: usize,
}

/// What to do about a question.
#[derive(Debug)]
pub enum Role {
    /// Nobody was at it: fly, and wait like the others.
    Lead(Takeoff, Waiting),
    /// Wait for the one that flies.
    Follow(Waiting),
}

/// A flight's place in the table. It is given up when this is dropped, whatever the reason.
#[derive(Debug)]
pub struct Takeoff {
    /// The flight.
    pub id: FlightId,
    subject: Subject,
    table: Arc<Table>,
    landing: watch::Sender<Option<Landing>>,
}

/// One who waits for a flight.
#[derive(Debug)]
pub struct Waiting {
    landing: watch::Receiver<Option<Landing>>,
    waiter: Option<FlightId>,
    table: Arc<Table>,
}

impl Table {
    /// Leads or follows. `waiter` is the flight that asks, none when a client does. The error is [`Failure::Cycle`] or
    /// [`Failure::Busy`].
    pub fn lead_or_follow(
        self: &Arc<Table>,
        question: &Question,
        aim: Aim,
        waiter: Option<FlightId>,
    ) -> Result<Role, Failure> {
        let subject = (question.clone(), aim);
        let mut inner = self.lock();
        let Inner { flights, waits, last_id, .. } = &mut *inner;
        let waiting = |landing| Waiting { landing, waiter, table: self.clone() };
        if let Some(entry) = flights.get_mut(&subject) {
            if waiter.is_some_and(|waiter| leads_to(waits, entry.id, waiter)) {
                return Err(Failure::Cycle(question.clone()));
            }
            if entry.followers >= limits::FOLLOWERS {
                return Err(Failure::Busy);
            }
            entry.followers += 1;
            waits.extend(waiter.map(|waiter| (waiter, entry.id)));
            return Ok(Role::Follow(waiting(entry.landing.clone())));
        }
        if flights.len() >= limits::FLIGHTS {
            return Err(Failure::Busy);
        }
        *last_id += 1;
        let id = FlightId(*last_id);
        let (sender, landing) = watch::channel(None);
        flights.insert(subject.clone(), Entry { id, landing: landing.clone(), followers: 0 });
        waits.extend(waiter.map(|waiter| (waiter, id)));
        let takeoff = Takeoff { id, subject, table: self.clone(), landing: sender };
        Ok(Role::Lead(takeoff, waiting(landing)))
    }

    /// Counts a flight at the servers of a zone, and no longer where it was before. Of a zone that is down, or invented
    /// names of one, no more than [`limits::ZONE_FLIGHTS`] flights hang about; the root and its children are many zones'
    /// way and have no bound of their own. The error is [`Failure::CrowdedZone`].
    pub fn enter(&self, flight: FlightId, zone: &Name) -> Result<(), Failure> {
        let mut inner = self.lock();
        if inner.places.get(&flight) == Some(zone) {
            return Ok(());
        }
        inner.leave(flight);
        if zone.as_ref().label_count() <= 1 {
            return Ok(());
        }
        let count = inner.zones.entry(zone.clone()).or_default();
        if *count >= limits::ZONE_FLIGHTS {
            return Err(Failure::CrowdedZone(zone.clone()));
        }
        *count += 1;
        inner.places.insert(flight, zone.clone());
        Ok(())
    }

    /// How many flights are under way.
    pub fn under_way(&self) -> usize {
        self.lock().flights.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn leave(&mut self, flight: FlightId) {
        let Some(zone) = self.places.remove(&flight) else { return };
        if let Some(count) = self.zones.get_mut(&zone) {
            *count -= 1;
            if *count == 0 {
                self.zones.remove(&zone);
            }
        }
    }
}

/// Whether `from` is `to`, or waits for it, over however many others. The walk ends since there is no ring.
fn leads_to(waits: &HashMap<FlightId, FlightId>, from: FlightId, to: FlightId) -> bool {
    std::iter::successors(Some(from), |flight| waits.get(flight).copied()).any(|flight| flight == to)
}

impl Takeoff {
    /// Ends the flight and wakes those who wait. From here on the question is asked anew.
    pub fn land(self, landing: Landing) {
        let sender = self.landing.clone();
        drop(self);
        sender.send_replace(Some(landing));
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        let mut inner = self.table.lock();
        inner.flights.remove(&self.subject);
        inner.leave(self.id);
        inner.waits.remove(&self.id);
    }
}

impl Waiting {
    /// The flight's end.
    pub async fn landing(mut self) -> Landing {
        let landed = self.landing.wait_for(Option::is_some).await;
        let landing = landed.ok().and_then(|landing| landing.clone());
        // The sender is gone without a word only when the flight was dropped or broke.
        landing.unwrap_or_else(|| Landing {
            answered: Err(Failure::Abandoned),
            steps: Arc::new([]),
            id: None,
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.table.lock().waits.remove(&waiter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::testing::question;

    fn lead(table: &Arc<Table>, asked: &str, waiter: Option<FlightId>) -> (Takeoff, Waiting) {
        match table.lead_or_follow(&question(asked), Aim::Data, waiter) {
            Ok(Role::Lead(takeoff, waiting)) => (takeoff, waiting),
            other => panic!("{asked}: {other:?}"),
        }
    }

    fn follow(table: &Arc<Table>, asked: &str, waiter: Option<FlightId>) -> Result<Waiting, Failure> {
        match table.lead_or_follow(&question(asked), Aim::Data, waiter)? {
            Role::Follow(waiting) => Ok(waiting),
            other => panic!("{asked}: {other:?}"),
        }
    }

    #[test]
    fn a_question_has_one_flight_at_a_time() {
        let table = Arc::new(Table::default());
        let (takeoff, _leader) = lead(&table, "a. A", None);
        let _follower = follow(&table, "A. A", None).unwrap();
        let (other, _) = lead(&table, "a. AAAA", None);
        assert_eq!(table.under_way(), 2);
        drop((takeoff, other));
        assert_eq!(table.under_way(), 0);
        lead(&table, "a. A", None);
    }

    #[test]
    fn rings_are_cut_where_they_would_close() {
        let table = Arc::new(Table::default());
        // Two clients: one has a, which waits for b; the other has c, which waits for d.
        let (a, _client) = lead(&table, "a. A", None);
        let (b, _a_waits) = lead(&table, "b. A", Some(a.id));
        let (c, _client) = lead(&table, "c. A", None);
        let (d, _c_waits) = lead(&table, "d. A", Some(c.id));
        assert!(matches!(follow(&table, "a. A", Some(a.id)), Err(Failure::Cycle(_))), "itself");
        assert!(matches!(follow(&table, "a. A", Some(b.id)), Err(Failure::Cycle(_))), "its asker");
        let b_waits = follow(&table, "c. A", Some(b.id)).unwrap();
        assert!(matches!(follow(&table, "a. A", Some(d.id)), Err(Failure::Cycle(_))), "across clients");
        drop(b_waits);
        follow(&table, "a. A", Some(d.id)).unwrap();
    }

    #[test]
    fn a_question_has_so_many_followers() {
        let table = Arc::new(Table::default());
        let (_takeoff, _leader) = lead(&table, "a. A", None);
        let followers: Vec<_> =
            (0..limits::FOLLOWERS).map(|_| follow(&table, "a. A", None).unwrap()).collect();
        assert_eq!(follow(&table, "a. A", None).unwrap_err(), Failure::Busy);
        assert_eq!(followers.len(), limits::FOLLOWERS);
    }

    #[test]
    fn a_zone_has_so_many_flights_at_its_servers_and_the_root_and_its_children_any_number() {
        let table = Arc::new(Table::default());
        let zone = |text: &str| text.parse::<Name>().unwrap();
        let flights: Vec<_> = (0..limits::ZONE_FLIGHTS)
            .map(|at| {
                let (takeoff, _) = lead(&table, &format!("a{at}.dead.test. A"), None);
                for place in [".", "test.", "dead.test.", "DEAD.test."] {
                    table.enter(takeoff.id, &zone(place)).unwrap();
                }
                takeoff
            })
            .collect();
        let (one_more, _) = lead(&table, "b.dead.test. A", None);
        table.enter(one_more.id, &zone("test.")).unwrap();
        let crowded = Err(Failure::CrowdedZone(zone("dead.test.")));
        assert_eq!(table.enter(one_more.id, &zone("dead.test.")), crowded);
        table.enter(one_more.id, &zone("good.test.")).unwrap();
        // One goes on to another zone, one ends: two places.
        table.enter(flights[0].id, &zone("below.dead.test.")).unwrap();
        table.enter(one_more.id, &zone("dead.test.")).unwrap();
        assert_eq!(table.enter(flights[0].id, &zone("dead.test.")), crowded);
        drop((flights, one_more));
        let inner = table.lock();
        assert!(inner.zones.is_empty() && inner.places.is_empty(), "nothing is left behind");
    }

    #[test]
    fn there_are_so_many_flights() {
        let table = Arc::new(Table::default());
        let flights: Vec<_> =
            (0..limits::FLIGHTS).map(|at| lead(&table, &format!("a{at}. A"), None)).collect();
        assert_eq!(table.lead_or_follow(&question("b. A"), Aim::Data, None).unwrap_err(), Failure::Busy);
        drop(flights);
        lead(&table, "b. A", None);
    }
}
