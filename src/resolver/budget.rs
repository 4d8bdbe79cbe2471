//! Budget: what one client query may cost, all its children included. It is shared with them and never reset.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::ResolverOptions;
use crate::clock::{Now, Tick};
use crate::limits;
use crate::observe::{Spending, Spendings};

/// What is left for one client query.
#[derive(Debug)]
pub struct Budget {
    packets: Allowance,
    octets: Allowance,
    children: Allowance,
    denied_children: Allowance,
    key_questions: Allowance,
    verifications: Allowance,
    aliases: Allowance,
    referrals: Allowance,
    minimised: Allowance,
    minimised_of_others: Allowance,
    is_wary: AtomicBool,
    is_passed_on: AtomicBool,
    addresses: Mutex<BTreeSet<IpAddr>>,
    /// Time for the client's query.
    pub timeout: Duration,
    /// When the query ends, whatever it has.
    pub deadline: Tick,
}

/// A bound that was met. It names itself, so that the client can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Packets sent.
    Packets(u32),
    /// Octets received.
    Octets(u32),
    /// Child questions in all.
    Children(u32),
    /// Child questions whose name does not exist.
    DeniedChildren(u32),
    /// Questions for keys.
    KeyQuestions(u32),
    /// Signatures verified.
    Verifications(u32),
    /// Child questions that wait for each other.
    Depth(u32),
    /// Questions for keys that wait for each other.
    ChainDepth(u32),
    /// Aliases followed.
    Aliases(u32),
    /// Referrals followed.
    Referrals(u32),
    /// Different server addresses.
    Addresses(usize),
    /// Time.
    Time(Duration),
}

impl Limit {
    /// Whether it is met by validation only.
    pub fn is_of_validation(self) -> bool {
        matches!(self, Limit::KeyQuestions(_) | Limit::Verifications(_) | Limit::ChainDepth(_))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Packets(most) => write!(f, "{most} packets to servers"),
            Limit::Octets(most) => write!(f, "{most} octets from servers"),
            Limit::Children(most) => write!(f, "{most} questions for name server addresses"),
            Limit::DeniedChildren(most) => write!(f, "{most} name servers that do not exist"),
            Limit::KeyQuestions(most) => write!(f, "{most} questions for keys"),
            Limit::Verifications(most) => write!(f, "{most} signatures verified"),
            Limit::Depth(most) => write!(f, "{most} zones that need each other's name servers"),
            Limit::ChainDepth(most) => write!(f, "{most} questions for keys that need each other"),
            Limit::Aliases(most) => write!(f, "{most} aliases"),
            Limit::Referrals(most) => write!(f, "{most} referrals"),
            Limit::Addresses(most) => write!(f, "{most} server addresses"),
            Limit::Time(most) => write!(f, "{} ms", most.as_millis()),
        }
    }
}

#[derive(Debug)]
struct Allowance {
    most: u32,
    left: AtomicU32,
}

impl Allowance {
    fn new(most: u32) -> Allowance {
        Allowance { most, left: AtomicU32::new(most) }
    }

    /// The error is how many there were.
    fn take(&self, count: u32) -> Result<(), u32> {
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
        taken.map(drop).map_err(|_| self.most)
    }
}

impl Budget {
    /// The budget of a client query that begins now.
    pub fn new(options: &ResolverOptions, now: Now) -> Budget {
        // A client that waits as long as we do, as most do, is to see the answer.
        let timeout = options.query_timeout - options.query_timeout / limits::QUERY_TIMEOUT_SHARE_OF_ANSWER;
        Budget {
            packets: Allowance::new(options.max_upstream_queries),
            octets: Allowance::new(limits::UPSTREAM_OCTETS),
            children: Allowance::new(limits::CHILDREN),
            denied_children: Allowance::new(limits::CHILDREN_NXDOMAIN),
            key_questions: Allowance::new(limits::KEY_QUESTIONS),
            verifications: Allowance::new(limits::VERIFICATIONS),
            aliases: Allowance::new(limits::ALIASES),
            referrals: Allowance::new(limits::REFERRALS),
            minimised: Allowance::new(limits::MINIMISED_STEPS),
            minimised_of_others: Allowance::new(limits::MINIMISED_STEPS_OF_OTHERS),
            is_wary: AtomicBool::new(false),
            is_passed_on: AtomicBool::new(false),
            addresses: Mutex::new(BTreeSet::new()),
            timeout,
            deadline: now.tick.plus(timeout),
        }
    }

    /// A packet is to be sent, if there is time left for it.
    pub fn packet(&self, now: Now) -> Result<(), Limit> {
        self.time(now)?;
        self.packets.take(1).map_err(Limit::Packets)
    }

    /// So many octets were received.
    pub fn received(&self, octets: usize) -> Result<(), Limit> {
        self.octets.take(u32::try_from(octets).unwrap_or(u32::MAX)).map_err(Limit::Octets)
    }

    /// A child question is to be asked.
    pub fn child(&self) -> Result<(), Limit> {
        self.children.take(1).map_err(Limit::Children)
    }

    /// A question for a DS or DNSKEY RRset is to be asked.
    pub fn key_question(&self) -> Result<(), Limit> {
        self.key_questions.take(1).map_err(Limit::KeyQuestions)
    }

    /// A signature is to be verified.
    pub fn verification(&self) -> Result<(), Limit> {
        self.verifications.take(1).map_err(Limit::Verifications)
    }

    /// A child question came back NXDOMAIN.
    pub fn child_denied(&self) -> Result<(), Limit> {
        self.denied_children.take(1).map_err(Limit::DeniedChildren)
    }

    /// An alias is to be followed.
    pub fn alias(&self) -> Result<(), Limit> {
        self.aliases.take(1).map_err(Limit::Aliases)
    }

    /// A referral is to be followed.
    pub fn referral(&self) -> Result<(), Limit> {
        self.referrals.take(1).map_err(Limit::Referrals)
    }

    /// A part of a name is to be asked, if there is something left for that. `is_client_s` for the name the client asked.
    pub fn minimised_step(&self, is_client_s: bool) -> bool {
        let allowance = if is_client_s { &self.minimised } else { &self.minimised_of_others };
        allowance.take(1).is_ok()
    }

    /// From here on all names are asked whole: a server could not make sense of less.
    pub fn stop_minimising(&self) {
        self.minimised.left.store(0, Ordering::Relaxed);
        self.minimised_of_others.left.store(0, Ordering::Relaxed);
    }

    /// A delegation looks as if it were made to cost us.
    pub fn become_wary(&self) {
        self.is_wary.store(true, Ordering::Relaxed);
    }

    /// Whether one did.
    pub fn is_wary(&self) -> bool {
        self.is_wary.load(Ordering::Relaxed)
    }

    /// A second question of the same client query is paid from what the first has left.
    pub fn pass_on(&self) {
        self.is_passed_on.store(true, Ordering::Relaxed);
    }

    /// Whether one is.
    pub fn is_passed_on(&self) -> bool {
        self.is_passed_on.load(Ordering::Relaxed)
    }

    /// An address is to be asked; one asked before costs nothing.
    pub fn address(&self, address: IpAddr) -> Result<(), Limit> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= limits::UPSTREAM_ADDRESSES && !addresses.contains(&address) {
            return Err(Limit::Addresses(limits::UPSTREAM_ADDRESSES));
        }
        addresses.insert(address);
        Ok(())
    }

    /// An address could not be reached from here: nobody was asked there, so it does not count.
    pub fn release_address(&self, address: IpAddr) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }

    /// What was spent so far, of everything.
    pub fn spendings(&self, now: Now) -> Spendings {
        let of = |what, allowance: &Allowance| {
            let left = allowance.left.load(Ordering::Relaxed);
            Spending { what, spent: (allowance.most - left).into(), most: allowance.most.into() }
        };
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        [
            of("packets", &self.packets),
            of("octets", &self.octets),
            Spending { what: "addresses", spent: addresses, most: limits::UPSTREAM_ADDRESSES as u64 },
            of("referrals", &self.referrals),
            of("aliases", &self.aliases),
            of("questions of our own", &self.children),
            of("of those denied", &self.denied_children),
            of("questions for keys", &self.key_questions),
            of("signatures verified", &self.verifications),
            Spending {
                what: "milliseconds",
                spent: self.spent_time(now).as_millis() as u64,
                most: self.timeout.as_millis() as u64,
            },
        ]
    }

    /// The time since the query began.
    pub fn spent_time(&self, now: Now) -> Duration {
        now.tick.plus(self.timeout).since(self.deadline)
    }

    /// Whether there is time left.
    pub fn time(&self, now: Now) -> Result<(), Limit> {
        if now.tick < self.deadline { Ok(()) } else { Err(Limit::Time(self.timeout)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Age, Unix};

    fn at(milliseconds: u64) -> Now {
        Now { tick: Tick::default().plus(Duration::from_millis(milliseconds)), age: Age(0), unix: Unix(0) }
    }

    /// How often `spend` can be called.
    fn times(mut spend: impl FnMut() -> Result<(), Limit>) -> (u32, Limit) {
        let mut count = 0;
        loop {
            match spend() {
                Ok(()) => count += 1,
                Err(limit) => return (count, limit),
            }
        }
    }

    #[test]
    fn each_allowance_ends_at_its_bound() {
        let options = ResolverOptions { max_upstream_queries: 3, ..ResolverOptions::default() };
        let budget = Budget::new(&options, at(0));
        assert_eq!(times(|| budget.packet(at(1))), (3, Limit::Packets(3)));
        let by_default = Budget::new(&ResolverOptions::default(), at(0));
        assert_eq!(times(|| by_default.packet(at(1))), (64, Limit::Packets(64)));
        assert_eq!(times(|| budget.received(10_000)), (10, Limit::Octets(100_000)));
        assert_eq!(times(|| budget.child()), (16, Limit::Children(16)));
        assert_eq!(times(|| budget.child_denied()), (5, Limit::DeniedChildren(5)));
        assert_eq!(times(|| budget.alias()), (10, Limit::Aliases(10)));
        assert_eq!(times(|| budget.referral()), (24, Limit::Referrals(24)));
        let mut last = 0;
        let fresh_address = || {
            last += 1;
            budget.address(IpAddr::from([192, 0, 2, last]))
        };
        assert_eq!(times(fresh_address), (26, Limit::Addresses(26)));
        assert_eq!(budget.address(IpAddr::from([192, 0, 2, 26])), Ok(()), "asked before");
        budget.release_address(IpAddr::from([192, 0, 2, 26]));
        assert_eq!(budget.address(IpAddr::from([192, 0, 2, 27])), Ok(()), "one was not reached");
    }

    #[test]
    fn minimised_steps_end_at_their_bounds() {
        let steps =
            |budget: &Budget, is_client_s| (0..100).filter(|_| budget.minimised_step(is_client_s)).count();
        let budget = Budget::new(&ResolverOptions::default(), at(0));
        assert_eq!((steps(&budget, true), steps(&budget, false)), (10, 3));
        let budget = Budget::new(&ResolverOptions::default(), at(0));
        budget.stop_minimising();
        assert_eq!((steps(&budget, true), steps(&budget, false)), (0, 0));
    }

    #[test]
    fn time_ends_at_the_deadline() {
        let budget = Budget::new(&ResolverOptions::default(), at(100));
        assert_eq!(budget.packet(at(4_999)), Ok(()));
        assert_eq!(budget.packet(at(5_000)), Err(Limit::Time(Duration::from_millis(4_900))));
    }

    #[test]
    fn a_reply_too_large_for_what_is_left_spends_nothing() {
        let budget = Budget::new(&ResolverOptions::default(), at(0));
        assert!(budget.received(100_001).is_err());
        assert!(budget.received(100_000).is_ok());
    }
}
