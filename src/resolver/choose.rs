//! Which address next: those asked least, then those fit to be asked, then the fastest, and chance among equals.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::cache::Delegation;
use crate::cache::servers::RoundTrip;
use crate::clock::Age;
use crate::dns::{Name, RrType};
use crate::limits;
use crate::observe::Choice;

use super::{Failure, Task};

/// Round-trip times this near to the best count as equal, so that the load is spread and a server that became faster
/// is noticed.
const EQUAL: Duration = Duration::from_millis(20);

/// The addresses of one delegation's servers while one question is asked there.
#[derive(Debug, Default)]
pub struct Candidates {
    list: Vec<Candidate>,
    /// Name servers without an address yet, and the type to look for.
    pub(super) wanted: VecDeque<(Name, RrType)>,
    /// Name servers at or below the apex without a usable address, of whom only the parent's servers can tell.
    pub(super) orphans: VecDeque<(Name, RrType)>,
    /// How often an address was looked for.
    pub(super) sought: usize,
    /// Why an address was not found; a reason that lies with who asked comes first.
    pub(super) cause: Option<Arc<Failure>>,
}

/// One address.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where to ask.
    pub server: SocketAddr,
    tries: u32,
    standing: Standing,
    /// Smoothed, or drawn by lot for one never met.
    expected: Duration,
    round_trip: Option<RoundTrip>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Fit,
    /// Silent or lame lately: only when nobody else is left.
    LastResort,
    /// Has shown for this question that it is of no use.
    Out,
}

impl Candidates {
    /// Those of a delegation, as far as their addresses are known. Name servers without are wanted; those at or below
    /// the apex, whose addresses of all servers of the zone only its parent's could tell, come last. Before them come
    /// those of other zones for which the parent has vouched: its glue may be out of date, their own zone knows.
    pub fn of(delegation: &Delegation, task: &Task) -> Candidates {
        let mut candidates = Candidates::default();
        let (mut vouched_for, mut orphans) = (Vec::new(), Vec::new());
        for server in &delegation.servers {
            let may_ask = |address: &IpAddr| candidates.add(*address, delegation, task);
            let is_usable = server.addresses.iter().map(may_ask).fold(false, |one, other| one | other);
            let families = task.address_types();
            let is_elsewhere = !server.name.as_ref().is_at_or_below(delegation.apex.as_ref());
            if !server.addresses.is_empty() {
                vouched_for.extend(is_elsewhere.then_some(&server.name));
                orphans.extend((!is_elsewhere && !is_usable).then_some(server));
            } else {
                let known = families.filter_map(|rr_type| task.known_rrset(server.name.as_ref(), rr_type));
                let known: Vec<_> = known
                    .flat_map(|rrset| super::delegation::addresses_of(&rrset).collect::<Vec<_>>())
                    .collect();
                for address in known.iter().take(limits::NAME_SERVER_ADDRESSES) {
                    candidates.add(*address, delegation, task);
                }
                match is_elsewhere {
                    true if known.is_empty() => candidates.want(&server.name, task),
                    false if known.is_empty() => orphans.push(server),
                    _ => {}
                }
            }
        }
        // The root's hints are the operator's word, and all of its servers in one zone.
        if !delegation.apex.as_ref().is_root() {
            vouched_for.into_iter().for_each(|name| candidates.want(name, task));
            // Of the first type for all of them first. What glue they have would only come again.
            let of_type = |rr_type: RrType| {
                let has_glue = move |address: &IpAddr| address.is_ipv4() == (rr_type == RrType::A);
                let without = orphans.iter().filter(move |server| !server.addresses.iter().any(has_glue));
                without.map(move |server| (server.name.clone(), rr_type))
            };
            candidates.orphans = task.address_types().flat_map(of_type).collect();
        }
        candidates
    }

    /// From here on no address is looked up.
    pub fn seek_no_more(&mut self) {
        self.wanted.clear();
        self.orphans.clear();
    }

    /// Adds what other delegations have as glue for these name servers: the least credible addresses, not incredible ones
    /// (RFC 2181 5.4.1). Their own zone may have spoken of others.
    pub fn add_other_glue(&mut self, delegation: &Delegation, task: &Task) {
        for server in &delegation.servers {
            let other = task.cache().closest_delegation(server.name.as_ref(), task.now());
            for address in other.iter().flat_map(|other| other.glue_of(&server.name)) {
                self.add(*address, delegation, task);
            }
        }
    }

    fn want(&mut self, name: &Name, task: &Task) {
        let first = task.address_types().next();
        self.wanted.extend(first.map(|rr_type| (name.clone(), rr_type)));
    }

    /// Adds an address, unless it is there or may not be asked. Says whether it may.
    pub fn add(&mut self, address: IpAddr, delegation: &Delegation, task: &Task) -> bool {
        let server = SocketAddr::new(address, task.options().upstream_port);
        // What a zone served here delegates to was named by the operator; such a delegation has no end.
        let is_named = delegation.expires == Age(u64::MAX)
            && delegation.servers.iter().any(|server| server.addresses.contains(&address));
        if !(task.may_ask(address) || is_named && task.has_family(address)) {
            return false;
        }
        if self.list.iter().any(|candidate| candidate.server == server) {
            return true;
        }
        let (servers, now) = (task.cache().servers(), task.now());
        let known = servers.server(server, now);
        let is_fit = !known.is_backed_off(now)
            && !servers.is_lame(server, delegation.apex.as_ref(), now)
            && !task.avoids(server);
        let expected = known.round_trip.map_or_else(|| by_lot(task.random()), |known| known.smoothed);
        self.list.push(Candidate {
            server,
            tries: 0,
            standing: if is_fit { Standing::Fit } else { Standing::LastResort },
            expected,
            round_trip: known.round_trip,
        });
        true
    }

    /// The next to ask, none when all are out.
    pub fn choose(&self, random: u64) -> Option<&Candidate> {
        let rank = |candidate: &Candidate| (candidate.tries, candidate.standing);
        let in_use = || self.list.iter().filter(|candidate| candidate.standing != Standing::Out);
        let best = in_use().map(rank).min()?;
        let equals = || in_use().filter(|candidate| rank(candidate) == best);
        let fastest = equals().map(|candidate| candidate.expected).min()?;
        let near: Vec<_> = equals().filter(|candidate| candidate.expected <= fastest + EQUAL).collect();
        near.get(random as usize % near.len()).copied()
    }

    /// Why `choose` chose this one.
    pub fn why(&self, chosen: &Candidate) -> Choice {
        let in_use = self.list.iter().filter(|candidate| candidate.standing != Standing::Out).count();
        match (chosen.tries, chosen.standing, chosen.round_trip) {
            (1.., ..) => Choice::Again(chosen.tries),
            (_, Standing::LastResort, _) => Choice::LastResort,
            _ if in_use == 1 => Choice::Only,
            (.., Some(_)) => Choice::Fastest(in_use, chosen.expected),
            (.., None) => Choice::Untried(in_use),
        }
    }

    /// Whether each one that is still of use has been tried at least once, so that finding further name servers is
    /// worth more than asking again.
    pub fn are_all_tried(&self) -> bool {
        self.list.iter().all(|candidate| candidate.tries > 0 || candidate.standing == Standing::Out)
    }

    /// Whether none is fit: a probe will do.
    pub fn are_all_last_resort(&self) -> bool {
        self.list.iter().all(|candidate| candidate.standing != Standing::Fit)
    }

    /// Whether one of them has replied to anything lately, so that silence is more likely loss than death.
    pub fn is_any_known(&self) -> bool {
        self.list.iter().any(|candidate| candidate.round_trip.is_some())
    }

    /// It was asked and did not answer; it may be asked again.
    pub fn tried(&mut self, server: SocketAddr) {
        self.change(server, |candidate| candidate.tries += 1);
    }

    /// It is of no use for this question.
    pub fn rule_out(&mut self, server: SocketAddr) {
        self.change(server, |candidate| candidate.standing = Standing::Out);
    }

    fn change(&mut self, server: SocketAddr, change: impl FnOnce(&mut Candidate)) {
        self.list.iter_mut().find(|candidate| candidate.server == server).map(change);
    }
}

impl Candidate {
    /// How long to wait for its reply (RFC 6298 2.3, with bounds of our own). A server that is known was probably
    /// unlucky, so only every third silence doubles the time; of one that is not, the time was a guess.
    pub fn timeout(&self) -> Duration {
        let (shortest, longest) = limits::REPLY_TIMEOUT;
        let (first, doublings) = match self.round_trip {
            Some(known) => ((known.smoothed + known.variation * 4).max(shortest), self.tries / 3),
            None => (limits::UNKNOWN_ROUND_TRIP, self.tries / 2),
        };
        first.saturating_mul(1 << doublings.min(8)).min(longest)
    }
}

/// What to expect of a server never met: anything up to [`limits::UNKNOWN_ROUND_TRIP`]. So the better the known ones
/// are, the more rarely another is tried out.
pub(super) fn by_lot(random: u64) -> Duration {
    let most = limits::UNKNOWN_ROUND_TRIP.as_micros() as u64;
    Duration::from_micros(random % most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(last: u8, tries: u32, standing: Standing, milliseconds: u64) -> Candidate {
        let expected = Duration::from_millis(milliseconds);
        let round_trip = Some(RoundTrip { smoothed: expected, variation: expected / 8 });
        let server = SocketAddr::from(([192, 0, 2, last], 53));
        Candidate { server, tries, standing, expected, round_trip }
    }

    fn chosen(list: &[Candidate]) -> Vec<u8> {
        let candidates = Candidates { list: list.to_vec(), ..Candidates::default() };
        let last_octet = |server: SocketAddr| match server.ip() {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(_) => 0,
        };
        let mut chosen: Vec<_> =
            (0..12).filter_map(|random| candidates.choose(random)).map(|c| last_octet(c.server)).collect();
        chosen.sort();
        chosen.dedup();
        chosen
    }

    #[test]
    fn the_best_are_chosen_by_chance() {
        use Standing::*;
        for (what, list, want) in [
            ("the fastest", vec![candidate(1, 0, Fit, 90), candidate(2, 0, Fit, 30)], vec![2]),
            ("equals", vec![candidate(1, 0, Fit, 50), candidate(2, 0, Fit, 30)], vec![1, 2]),
            ("not tried yet", vec![candidate(1, 0, Fit, 90), candidate(2, 1, Fit, 30)], vec![1]),
            ("fit", vec![candidate(1, 0, Fit, 90), candidate(2, 0, LastResort, 30)], vec![1]),
            ("last resort", vec![candidate(1, 0, Out, 9), candidate(2, 0, LastResort, 30)], vec![2]),
            (
                "the last resort before a second try",
                vec![candidate(1, 1, Fit, 9), candidate(2, 0, LastResort, 30)],
                vec![2],
            ),
            ("nobody", vec![candidate(1, 0, Out, 9)], vec![]),
        ] {
            assert_eq!(chosen(&list), want, "{what}");
        }
    }

    #[test]
    fn a_choice_has_its_reason() {
        use Standing::*;
        let new = Candidate { round_trip: None, ..candidate(3, 0, Fit, 1) };
        for (list, want) in [
            (vec![candidate(1, 0, Fit, 30)], Choice::Only),
            (vec![candidate(1, 0, Fit, 30), candidate(2, 0, Out, 9)], Choice::Only),
            (
                vec![candidate(1, 0, Fit, 30), candidate(2, 0, Fit, 90)],
                Choice::Fastest(2, Duration::from_millis(30)),
            ),
            (vec![new, candidate(2, 0, Fit, 90)], Choice::Untried(2)),
            (vec![candidate(1, 0, LastResort, 30)], Choice::LastResort),
            (vec![candidate(1, 2, Fit, 30), candidate(2, 2, Fit, 90)], Choice::Again(2)),
        ] {
            let candidates = Candidates { list, ..Candidates::default() };
            assert_eq!(candidates.why(candidates.choose(0).unwrap()), want);
        }
    }

    #[test]
    fn time_for_a_reply_grows_with_silence_up_to_its_bound() {
        let times = |mut candidate: Candidate| {
            let times = (0..6).map(|tries| {
                candidate.tries = tries;
                candidate.timeout().as_millis() as u64
            });
            times.collect::<Vec<_>>()
        };
        assert_eq!(times(candidate(1, 0, Standing::Fit, 200)), [300, 300, 300, 600, 600, 600]);
        assert_eq!(times(candidate(1, 0, Standing::Fit, 1000)), [1500, 1500, 1500, 2000, 2000, 2000]);
        assert_eq!(times(candidate(1, 0, Standing::Fit, 1)), [50, 50, 50, 100, 100, 100]);
        let unknown = Candidate { round_trip: None, ..candidate(1, 0, Standing::Fit, 1) };
        assert_eq!(times(unknown), [376, 376, 752, 752, 1504, 1504]);
    }
}
