//! Response rate limiting: who spoofs the address of a victim gets no more out of us than the victim can bear.
//!
//! An answer is counted by what it says, not by what was asked: random names below one wildcard, or random names that do
//! not exist, are one answer. Each has an account for each client prefix. It is credited so many responses a second and
//! debited each one that would be sent, so a flood is cut off as long as it lasts, not every second anew.

use std::net::IpAddr;

use super::ClientNetwork;
use super::accounts::{self, Account, Accounts};
use crate::clock::Tick;
use crate::dns::{Answer, AnswerRrset, NameRef, QuestionRef, Rcode, RrType};
use crate::limits;

/// How often one answer may be sent to one client prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Responses a second; at least one.
    pub per_second: u32,
    /// Of so many responses that are too many one is sent, truncated, so that a true client comes back over TCP; 0: none.
    pub slip: u32,
}

impl RateLimit {
    /// The part of one worker among so many: the kernel spreads the datagrams of a flood over all of them.
    #[must_use]
    pub fn shared_by(self, workers: usize) -> RateLimit {
        let workers = u32::try_from(workers).unwrap_or(u32::MAX).max(1);
        RateLimit { per_second: self.per_second.div_ceil(workers), ..self }
    }
}

/// What becomes of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// Truncated, it is.
    Slip,
    /// It is not.
    Drop,
}

/// What an answer says, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Told<'a> {
    kind: Kind,
    name: NameRef<'a>,
    rr_type: RrType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Positive,
    NoData,
    NxDomain,
    Referral,
    Error,
}

impl<'a> Told<'a> {
    /// What an answer says: the records of a name, which for one made from a wildcard or a DNAME is the name these have
    /// in the zone; that something is not in a zone; that a zone is elsewhere; or an error.
    pub fn of(answer: &'a Answer<'_>, question: Option<QuestionRef<'_>>) -> Told<'a> {
        let told = |kind, name, rr_type| Told { kind, name, rr_type };
        let rr_type = question.map_or(RrType::ANY, |question| question.rr_type);
        let authority = answer.authority.iter().next();
        match (answer.rcode, answer.answer.iter().next(), authority) {
            (Rcode::NXDOMAIN, _, soa) => told(Kind::NxDomain, held_owner(soa), RrType::SOA),
            (Rcode::NOERROR, Some(first), _) => told(Kind::Positive, held_owner(Some(first)), rr_type),
            (Rcode::NOERROR, None, Some(set)) if set.rrset().rr_type == RrType::NS => {
                told(Kind::Referral, held_owner(Some(set)), RrType::NS)
            }
            (Rcode::NOERROR, None, soa) => told(Kind::NoData, held_owner(soa), RrType::SOA),
            (_, _, _) => told(Kind::Error, NameRef::ROOT, RrType::ANY),
        }
    }
}

/// The owner an RRset has where it is held, whatever name it has in the answer.
fn held_owner<'a>(set: Option<&'a AnswerRrset<'_>>) -> NameRef<'a> {
    let held = |set: &'a AnswerRrset<'_>| set.borrowed_rrset().unwrap_or_else(|| set.rrset()).owner;
    set.map_or(NameRef::ROOT, held)
}

/// The accounts of one worker: one for each answer to each client network.
#[derive(Debug, Default)]
pub struct RateLimiter {
    accounts: Accounts,
}

impl RateLimiter {
    /// No account yet.
    pub fn new(key: (u64, u64)) -> RateLimiter {
        RateLimiter { accounts: Accounts::new(key) }
    }

    /// Counts a response and says what becomes of it.
    pub fn take(&mut self, limit: RateLimit, client: IpAddr, told: Told<'_>, now: Tick) -> Verdict {
        let network = ClientNetwork::of_site(client);
        self.accounts.of((network, told)).count(limit, accounts::second(now))
    }
}

impl Account {
    fn count(&mut self, limit: RateLimit, second: u32) -> Verdict {
        let rate = limit.per_second.clamp(1, limits::RATE_LIMIT_MOST) as i32;
        let passed = second.wrapping_sub(self.second).min(2 * limits::RATE_LIMIT_WINDOW) as i32;
        let debt = -(limits::RATE_LIMIT_WINDOW as i32) * rate;
        self.balance = self.balance.saturating_add(passed.saturating_mul(rate)).min(rate);
        self.second = second;
        self.balance = (self.balance - 1).max(debt);
        if self.balance >= 0 {
            return Verdict::Send;
        }
        self.excess = self.excess.wrapping_add(1);
        match self.excess.checked_rem(limit.slip) {
            Some(0) => Verdict::Slip,
            _ => Verdict::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dns::{Name, RecordsBuf, Rrset, Ttl};

    const LIMIT: RateLimit = RateLimit { per_second: 10, slip: 2 };

    fn at(seconds: u64) -> Tick {
        Tick(seconds * 1_000_000_000)
    }

    fn set(owner: &str, rr_type: RrType) -> AnswerRrset<'static> {
        let (owner, empty) = (owner.parse::<Name>().unwrap(), RecordsBuf::new);
        AnswerRrset::shared(Rrset::new(owner, rr_type, Ttl::ZERO, empty(), empty()).into())
    }

    fn positive(owner: &str) -> Answer<'static> {
        let mut answer = Answer::empty(Rcode::NOERROR);
        answer.answer.push(set(owner, RrType::A));
        answer
    }

    fn negative(rcode: Rcode, zone: &str) -> Answer<'static> {
        let mut answer = Answer::empty(rcode);
        answer.authority.push(set(zone, RrType::SOA));
        answer
    }

    /// How many of so many responses in one second are sent whole, truncated, not at all.
    fn flood(
        limiter: &mut RateLimiter,
        client: &str,
        answer: &Answer<'_>,
        count: u32,
        now: Tick,
    ) -> [u32; 3] {
        let mut verdicts = [0; 3];
        for _ in 0..count {
            let told = Told::of(answer, None);
            verdicts[limiter.take(LIMIT, client.parse().unwrap(), told, now) as usize] += 1;
        }
        verdicts
    }

    #[test]
    fn a_flood_is_cut_off_as_long_as_it_lasts_and_then_forgiven() {
        let mut limiter = RateLimiter::new((1, 2));
        let answer = positive("www.example.");
        assert_eq!(flood(&mut limiter, "192.0.2.1", &answer, 100, at(0)), [10, 45, 45]);
        for second in 1..20 {
            assert_eq!(flood(&mut limiter, "192.0.2.1", &answer, 100, at(second)), [0, 50, 50], "{second}");
        }
        // The debt is bounded: fifteen seconds later it is paid, one more and there is credit.
        assert_eq!(flood(&mut limiter, "192.0.2.1", &answer, 1, at(34))[0], 0);
        assert_eq!(flood(&mut limiter, "192.0.2.1", &answer, 9, at(36))[0], 9);
    }

    #[test]
    fn as_many_a_second_as_are_allowed_are_always_sent() {
        let mut limiter = RateLimiter::new((1, 2));
        let answer = positive("www.example.");
        for second in 0..100 {
            assert_eq!(flood(&mut limiter, "192.0.2.1", &answer, 10, at(second)), [10, 0, 0], "{second}");
        }
    }

    #[test]
    fn what_is_one_answer_to_one_prefix_has_one_account() {
        let www = positive("www.example.");
        let wildcard = |_: &str| positive("*.example.");
        let rows: [(&str, &Answer<'_>, &str, &Answer<'_>, bool); 8] = [
            ("192.0.2.1", &www, "192.0.2.255", &positive("WWW.example."), true),
            ("192.0.2.1", &www, "192.0.3.1", &www, false),
            ("192.0.2.1", &www, "192.0.2.1", &positive("mail.example."), false),
            ("192.0.2.1", &wildcard("a"), "192.0.2.1", &wildcard("b"), true),
            ("192.0.2.1", &www, "::ffff:192.0.2.1", &www, true),
            ("2001:db8::1", &www, "2001:db8:0:ff::1", &www, true),
            ("2001:db8::1", &www, "2001:db8:0:100::1", &www, false),
            (
                "192.0.2.1",
                &negative(Rcode::NXDOMAIN, "example."),
                "192.0.2.1",
                &negative(Rcode::NOERROR, "example."),
                false,
            ),
        ];
        for (number, (client, answer, other_client, other_answer, is_one)) in rows.iter().enumerate() {
            let mut limiter = RateLimiter::new((1, 2));
            flood(&mut limiter, client, answer, 10, at(0));
            let sent = flood(&mut limiter, other_client, other_answer, 1, at(0))[0];
            assert_eq!(sent == 0, *is_one, "row {number}");
        }
    }

    #[test]
    fn an_answer_from_a_wildcard_is_counted_under_the_wildcard() {
        let records = RecordsBuf::new();
        let owner: Name = "*.example.".parse().unwrap();
        let set = Rrset::new(owner, RrType::A, Ttl::ZERO, records.clone(), records);
        let told_of = |name: &str| {
            let name: Name = name.parse().unwrap();
            let mut answer = Answer::empty(Rcode::NOERROR);
            answer.answer.push(AnswerRrset::borrowed(set.view()).with_owned_owner(name));
            Told::of(&answer, None).name.to_name()
        };
        assert_eq!(told_of("a.example."), told_of("b.example."));
    }

    #[test]
    fn the_table_stays_as_large_as_it_is_and_keeps_what_is_in_use() {
        let mut limiter = RateLimiter::new((1, 2));
        let answer = positive("www.example.");
        flood(&mut limiter, "203.0.113.1", &answer, 200, at(0));
        for number in 0..4 * limits::RATE_LIMIT_ANSWERS as u32 {
            let now = at(u64::from(number) / 30_000);
            limiter.take(LIMIT, IpAddr::from((number << 8).to_be_bytes()), Told::of(&answer, None), now);
            flood(&mut limiter, "203.0.113.1", &answer, u32::from(number % 1000 == 0), now);
        }
        assert_eq!(limiter.accounts.room(), (limits::RATE_LIMIT_ANSWERS, 1 << 20));
        assert_eq!(
            flood(&mut limiter, "203.0.113.1", &answer, 20, at(9))[0],
            0,
            "its account is still there"
        );
    }

    #[test]
    fn workers_share_what_is_allowed() {
        for (per_second, workers, each) in [(200, 1, 200), (200, 2, 100), (200, 3, 67), (1, 64, 1), (5, 0, 5)]
        {
            let limit = RateLimit { per_second, slip: 2 }.shared_by(workers);
            assert_eq!(limit.per_second, each, "{per_second} {workers}");
        }
    }

    proptest! {
        /// The twin counts all responses of an answer from the beginning, second by second.
        #[test]
        fn an_account_agrees_with_counting_by_seconds(steps in prop::collection::vec((0u32..4, 1u32..40), 1..30)) {
            let mut account = Account::default();
            let (mut second, mut balance) = (100, 10i64);
            for (passed, count) in steps {
                second += passed;
                for _ in 0..passed {
                    balance = (balance + 10).min(10);
                }
                for _ in 0..count {
                    balance = (balance - 1).max(-150);
                    let is_sent = account.count(LIMIT, second) == Verdict::Send;
                    prop_assert_eq!(is_sent, balance >= 0);
                }
            }
        }
    }
}
