//! How many requests of one network are looked at. It comes before any work, so it costs a flood less than an answer; but
//! over UDP an address proves nothing, and who pretends to be a network can use up what it may ask.

use std::net::IpAddr;

use super::Acl;
use super::ClientNetwork;
use super::accounts::{self, Accounts};
use crate::clock::Tick;

/// How often one client network is heard.
#[derive(Debug, Clone)]
pub struct ClientLimit {
    /// Requests a second in the long run; at least one.
    pub per_second: u32,
    /// Requests at once after silence; at least one.
    pub burst: u32,
    /// Leading bits that make a network of IPv4, 1 to 32.
    pub ipv4_prefix: u8,
    /// The same of IPv6, 1 to 128.
    pub ipv6_prefix: u8,
    /// Whose requests are not counted.
    pub exempt: Acl,
}

/// What the networks have asked of one worker.
#[derive(Debug, Default)]
pub struct ClientLimiter {
    accounts: Accounts,
}

impl ClientLimiter {
    /// Nobody has asked yet.
    pub fn new(key: (u64, u64)) -> ClientLimiter {
        ClientLimiter { accounts: Accounts::new(key) }
    }

    /// Counts a request and says whether it is looked at. One of so many workers allows its share: the kernel spreads the
    /// requests of a network over all of them.
    pub fn admits(&mut self, limit: &ClientLimit, workers: usize, client: IpAddr, now: Tick) -> bool {
        if limit.exempt.admits(client) {
            return true;
        }
        let workers = u32::try_from(workers).unwrap_or(u32::MAX).max(1);
        let share = |all: u32| i32::try_from(all.div_ceil(workers)).unwrap_or(i32::MAX).max(1);
        let (rate, burst) = (share(limit.per_second), share(limit.burst));
        let account = self.accounts.of(ClientNetwork::new(client, limit.ipv4_prefix, limit.ipv6_prefix));
        let second = accounts::second(now);
        let passed = i32::try_from(second.wrapping_sub(account.second)).unwrap_or(i32::MAX);
        account.second = second;
        // Zero is a network that owes nothing; a new account is one.
        account.balance = account.balance.saturating_add(passed.saturating_mul(rate)).min(0);
        let is_admitted = account.balance > -burst;
        account.balance -= i32::from(is_admitted);
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn limit(exempt: &[&str]) -> ClientLimit {
        let exempt = Acl::compile(exempt, &[]).unwrap();
        ClientLimit { per_second: 10, burst: 25, ipv4_prefix: 24, ipv6_prefix: 56, exempt }
    }

    /// How many of so many requests in one second are looked at.
    fn flood(limiter: &mut ClientLimiter, limit: &ClientLimit, client: &str, count: usize, at: u64) -> usize {
        let (client, now) = (client.parse().unwrap(), Tick(at * 1_000_000_000));
        (0..count).filter(|_| limiter.admits(limit, 1, client, now)).count()
    }

    #[test]
    fn a_network_is_heard_up_to_its_burst_and_then_at_its_rate() {
        let (mut limiter, limit) = (ClientLimiter::new((1, 2)), limit(&[]));
        assert_eq!(flood(&mut limiter, &limit, "192.0.2.1", 24, 0), 24);
        assert_eq!(flood(&mut limiter, &limit, "192.0.2.255", 2, 0), 1, "the last of the burst");
        for second in 1..50 {
            assert_eq!(flood(&mut limiter, &limit, "192.0.2.1", 100, second), 10, "{second}");
        }
        // What was not asked for is saved up, to the burst and no further.
        assert_eq!(flood(&mut limiter, &limit, "192.0.2.1", 100, 51), 20);
        assert_eq!(flood(&mut limiter, &limit, "192.0.2.1", 100, 1000), 25);
        for second in 1001..1050 {
            assert_eq!(flood(&mut limiter, &limit, "192.0.2.1", 10, second), 10, "as many as are allowed");
        }
    }

    #[test]
    fn networks_are_counted_apart_and_the_exempt_not_at_all() {
        let limit = limit(&["loopback", "198.51.100.0/24"]);
        for (one, other, is_one) in [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("192.0.2.1", "::ffff:192.0.2.9", true),
            ("2001:db8::1", "2001:db8:0:ff::1", true),
            ("2001:db8::1", "2001:db8:0:100::1", false),
        ] {
            let mut limiter = ClientLimiter::new((1, 2));
            assert_eq!(flood(&mut limiter, &limit, one, 30, 0), 25);
            assert_eq!(flood(&mut limiter, &limit, other, 30, 0), if is_one { 0 } else { 25 }, "{other}");
        }
        let mut limiter = ClientLimiter::new((1, 2));
        for exempt in ["127.0.0.1", "::1", "198.51.100.7", "::ffff:198.51.100.7"] {
            assert_eq!(flood(&mut limiter, &limit, exempt, 1000, 0), 1000, "{exempt}");
        }
        assert_eq!(limiter.accounts.room().0, 0, "nobody was counted");
    }

    #[test]
    fn one_address_can_be_a_network_and_so_can_all() {
        let mut limiter = ClientLimiter::new((1, 2));
        let each = ClientLimit { ipv4_prefix: 32, ipv6_prefix: 128, ..limit(&[]) };
        for client in ["192.0.2.1", "192.0.2.2", "2001:db8::", "2001:db8::1"] {
            assert_eq!(flood(&mut limiter, &each, client, 30, 0), 25, "{client}");
        }
        let half = ClientLimit { ipv4_prefix: 1, ipv6_prefix: 1, ..limit(&[]) };
        assert_eq!(flood(&mut limiter, &half, "10.0.0.1", 30, 0), 25);
        assert_eq!(flood(&mut limiter, &half, "100.0.0.1", 30, 0), 0);
    }

    #[test]
    fn workers_share_what_is_allowed() {
        let limit = limit(&[]);
        let mut limiter = ClientLimiter::new((1, 2));
        let client = "192.0.2.1".parse().unwrap();
        let heard = |limiter: &mut ClientLimiter, second: u64| {
            (0..100).filter(|_| limiter.admits(&limit, 4, client, Tick(second * 1_000_000_000))).count()
        };
        assert_eq!([heard(&mut limiter, 0), heard(&mut limiter, 1)], [7, 3]);
    }

    #[test]
    fn very_many_networks_take_no_more_room_and_do_not_free_one_that_floods() {
        let (mut limiter, limit) = (ClientLimiter::new((1, 2)), limit(&[]));
        assert_eq!(flood(&mut limiter, &limit, "203.0.113.1", 100, 0), 25);
        for number in 0..4 * limits::RATE_LIMIT_ANSWERS as u32 {
            limiter.admits(&limit, 1, IpAddr::from((number << 8).to_be_bytes()), Tick(0));
            if number % 1000 == 0 {
                assert_eq!(flood(&mut limiter, &limit, "203.0.113.1", 1, 0), 0, "{number}");
            }
        }
        assert_eq!(limiter.accounts.room(), (limits::RATE_LIMIT_ANSWERS, 1 << 20));
    }
}
