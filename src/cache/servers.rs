//! What is known of each server address: how fast, whether it answers, what it speaks, which zones it is lame for.

use std::net::SocketAddr;
use std::time::Duration;

use super::table::Table;
use crate::clock::{Age, Now};
use crate::dns::{Name, NameRef};
use crate::limits;

/// The servers met, by address.
pub struct Servers {
    table: Table<SocketAddr, Server>,
    lame: Table<(SocketAddr, Name), Age>,
}

/// What is known of one address. The default is a server never met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Server {
    /// The round-trip time, smoothed, and its variation, both as in RFC 6298; none before the first reply.
    pub round_trip: Option<RoundTrip>,
    /// What it does with EDNS.
    pub edns: EdnsAbility,
    /// It is to be left alone until this moment, unless nothing else is left to ask.
    pub back_off_until: Option<Age>,
    /// Tries in a row without a reply.
    pub silent_tries: u32,
    /// When the latest reply came.
    pub last_reply: Option<Age>,
    /// Its replies repeat the question in another letter case than it was asked.
    pub changes_case: bool,
    /// It replies over streams, not to datagrams: believed until this moment.
    pub stream_only_until: Option<Age>,
    updated: Age,
}

/// A smoothed round-trip time (RFC 6298 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// SRTT.
    pub smoothed: Duration,
    /// RTTVAR.
    pub variation: Duration,
}

/// What a server does with EDNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EdnsAbility {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It has answered with an OPT record, so a later reply without one is suspicious, not a missing ability.
    Spoken,
    /// It answered FORMERR or NOTIMP to a request with an OPT record and well without (RFC 6891 7).
    Refused,
}

impl Server {
    /// Whether it is to be left alone.
    pub fn is_backed_off(&self, now: Now) -> bool {
        self.back_off_until.is_some_and(|until| now.age < until)
    }

    /// Whether it is known to reply over streams only.
    pub fn is_stream_only(&self, now: Now) -> bool {
        self.stream_only_until.is_some_and(|until| now.age < until)
    }

    /// Whether its next try is to go over a stream: it was silent so often that its datagrams may be what is lost on the
    /// way. One try each time it falls silent; a server that replied to a datagram lately has no need of it.
    pub fn may_be_stream_only(&self, now: Now) -> bool {
        match self.stream_only_until {
            Some(_) => self.silent_tries == 1,
            None => {
                let is_heard = self.last_reply.is_some_and(|at| now.age.since(at) < limits::SERVER_HEARD);
                self.silent_tries == limits::SILENT_TRIES_BEFORE_STREAM && !is_heard
            }
        }
    }
}

impl Default for Servers {
    fn default() -> Servers {
        let lame_octets = |(_, zone): &(SocketAddr, Name), _: &Age| {
            size_of::<(SocketAddr, Name, Age)>() + 32 + zone.octets().len()
        };
        Servers {
            table: Table::new(limits::CACHE_SERVERS, limits::CACHE_SERVERS_OCTETS, |_, _| {
                size_of::<(SocketAddr, Server)>()
            }),
            lame: Table::new(limits::CACHE_LAME, limits::CACHE_LAME_OCTETS, lame_octets),
        }
    }
}

impl Servers {
    /// A reply came from `address` after `round_trip`.
    pub fn replied(&self, address: SocketAddr, round_trip: Duration, now: Now) {
        self.change(address, now, |server| Server {
            stream_only_until: None,
            ..server.after_reply(round_trip, now)
        });
    }

    /// `address` replied over a stream after `round_trip`, and not to datagrams before. Those are tried again after a while.
    pub fn replied_over_stream_only(&self, address: SocketAddr, round_trip: Duration, now: Now) {
        self.change(address, now, |server| {
            let known = server.stream_only_until.filter(|until| now.age < *until);
            let until = known.unwrap_or(now.age.plus(limits::STREAM_ONLY_MEMORY));
            Server { stream_only_until: Some(until), ..server.after_reply(round_trip, now) }
        });
    }

    /// `address` has no stream for us, whatever was known.
    pub fn forget_stream_only(&self, address: SocketAddr, now: Now) {
        self.change(address, now, |server| Server { stream_only_until: None, ..server });
    }

    /// No reply came from `address` in time. The third time in a row, unless it replied a moment ago, it is left alone
    /// for a while, and after each further silence twice as long.
    pub fn stayed_silent(&self, address: SocketAddr, now: Now) {
        self.change(address, now, |server| {
            if server.is_backed_off(now) {
                // Sent before the back-off began: many questions that time out together are one silence.
                return server;
            }
            let is_alive = server.last_reply.is_some_and(|at| now.age.since(at) < limits::SERVER_ALIVE);
            let most = if is_alive { limits::SERVER_SILENT_TRIES - 1 } else { u32::MAX };
            let silent_tries = server.silent_tries.saturating_add(1).min(most);
            let back_off_until = back_off(silent_tries).map(|time| now.age.plus(time));
            Server { silent_tries, back_off_until, ..server }
        });
    }

    /// What `address` does with EDNS became clear.
    pub fn set_edns(&self, address: SocketAddr, edns: EdnsAbility, now: Now) {
        self.change(address, now, |server| Server { edns, ..server });
    }

    /// `address` was asked in one letter case and repeated the question in another, and meant it.
    pub fn set_changes_case(&self, address: SocketAddr, now: Now) {
        self.change(address, now, |server| Server { changes_case: true, ..server });
    }

    /// `address` does not serve `zone`, though it should.
    pub fn set_lame(&self, address: SocketAddr, zone: &Name, now: Now) {
        let until = now.age.plus(limits::SERVER_MEMORY);
        self.lame.update((address, zone.clone()), |_| Some(until));
    }

    /// What is known of `address`.
    pub fn server(&self, address: SocketAddr, now: Now) -> Server {
        let known = self.table.find(address, |other| *other == address, |server| believed(*server, now));
        known.unwrap_or_default()
    }

    /// Whether `address` is known not to serve `zone`.
    pub fn is_lame(&self, address: SocketAddr, zone: NameRef<'_>, now: Now) -> bool {
        let is = |(other, name): &(SocketAddr, Name)| *other == address && name.as_ref() == zone;
        self.lame.find((address, zone), is, |until| now.age < *until).unwrap_or(false)
    }

    fn change(&self, address: SocketAddr, now: Now, change: impl FnOnce(Server) -> Server) {
        self.table.update(address, |old| {
            let old = old.map_or_else(Server::default, |server| believed(*server, now));
            Some(Server { updated: now.age, ..change(old) })
        });
    }
}

impl Server {
    fn after_reply(self, round_trip: Duration, now: Now) -> Server {
        Server {
            round_trip: Some(self.round_trip.map_or_else(|| first(round_trip), |old| next(old, round_trip))),
            back_off_until: None,
            silent_tries: 0,
            last_reply: Some(now.age),
            ..self
        }
    }
}

/// Old news is no news.
fn believed(server: Server, now: Now) -> Server {
    if now.age.since(server.updated) < limits::SERVER_MEMORY { server } else { Server::default() }
}

// RFC 6298 2.2 and 2.3, with its alpha of 1/8 and beta of 1/4.
fn first(round_trip: Duration) -> RoundTrip {
    RoundTrip { smoothed: round_trip, variation: round_trip / 2 }
}

fn next(old: RoundTrip, round_trip: Duration) -> RoundTrip {
    RoundTrip {
        smoothed: old.smoothed * 7 / 8 + round_trip / 8,
        variation: old.variation * 3 / 4 + old.smoothed.abs_diff(round_trip) / 4,
    }
}

/// How long a server is left alone after so many silent tries in a row.
fn back_off(silent_tries: u32) -> Option<Duration> {
    let doublings = silent_tries.checked_sub(limits::SERVER_SILENT_TRIES)?;
    let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
    Some(limits::SERVER_BACK_OFF.saturating_mul(factor).min(limits::SERVER_BACK_OFF_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::cache::tests::{name, second};

    const SERVER: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 53);

    #[test]
    fn back_off_begins_at_the_third_silence_and_doubles_to_five_minutes() {
        let servers = Servers::default();
        let mut now = 0;
        for want in [0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300] {
            servers.stayed_silent(SERVER, second(now));
            let server = servers.server(SERVER, second(now));
            assert_eq!(server.is_backed_off(second(now)), want > 0);
            assert!(!server.is_backed_off(second(now + want)), "{want}");
            assert!(want == 0 || server.is_backed_off(second(now + want - 1)), "{want}");
            now += want;
        }
        servers.replied(SERVER, Duration::from_millis(20), second(now));
        let server = servers.server(SERVER, second(now));
        assert_eq!(
            (server.silent_tries, server.back_off_until),
            (0, None),
            "one reply and it is as good as new"
        );
    }

    #[test]
    fn silences_of_questions_sent_together_count_once() {
        let servers = Servers::default();
        for _ in 0..100 {
            servers.stayed_silent(SERVER, second(0));
        }
        assert!(servers.server(SERVER, second(0)).is_backed_off(second(4)));
        assert!(!servers.server(SERVER, second(0)).is_backed_off(second(5)));
    }

    #[test]
    fn a_server_that_loses_packets_but_replies_is_not_left_alone() {
        let servers = Servers::default();
        servers.replied(SERVER, Duration::from_millis(20), second(10));
        for _ in 0..20 {
            servers.stayed_silent(SERVER, second(10));
        }
        assert!(!servers.server(SERVER, second(10)).is_backed_off(second(10)));
        servers.stayed_silent(SERVER, second(11));
        let server = servers.server(SERVER, second(11));
        assert!(
            server.is_backed_off(second(15)) && !server.is_backed_off(second(16)),
            "as at the third silence"
        );
    }

    #[test]
    fn the_longest_row_of_silence_does_not_overflow() {
        assert_eq!(back_off(2), None);
        for tries in [40, 1000, u32::MAX] {
            assert_eq!(back_off(tries), Some(Duration::from_secs(300)));
        }
    }

    #[test]
    fn round_trips_are_smoothed() {
        let servers = Servers::default();
        assert_eq!(servers.server(SERVER, second(0)), Server::default());
        let round_trip = |at| servers.server(SERVER, second(at)).round_trip.unwrap();
        servers.replied(SERVER, Duration::from_millis(80), second(0));
        assert_eq!(round_trip(0).smoothed, Duration::from_millis(80));
        assert_eq!(round_trip(0).variation, Duration::from_millis(40));
        servers.replied(SERVER, Duration::from_millis(160), second(1));
        assert_eq!(round_trip(1).smoothed, Duration::from_millis(90));
        assert_eq!(round_trip(1).variation, Duration::from_millis(50));
    }

    #[test]
    fn old_news_of_a_server_is_forgotten() {
        let servers = Servers::default();
        servers.set_edns(SERVER, EdnsAbility::Refused, second(0));
        assert_eq!(servers.server(SERVER, second(899)).edns, EdnsAbility::Refused);
        assert_eq!(servers.server(SERVER, second(900)), Server::default());
        servers.replied(SERVER, Duration::from_millis(1), second(901));
        assert_eq!(servers.server(SERVER, second(901)).edns, EdnsAbility::Unknown);
    }

    #[test]
    fn a_server_that_is_silent_twice_gets_one_try_over_a_stream() {
        let servers = Servers::default();
        let may = |at| servers.server(SERVER, second(at)).may_be_stream_only(second(at));
        let tried: Vec<_> = (0..6)
            .map(|_| {
                let may = may(100);
                servers.stayed_silent(SERVER, second(100));
                servers.change(SERVER, second(100), |server| Server { back_off_until: None, ..server });
                may
            })
            .collect();
        assert_eq!(tried, [false, false, true, false, false, false]);
        // One that was heard has lost a datagram, not all of them.
        servers.replied(SERVER, Duration::from_millis(20), second(200));
        servers.stayed_silent(SERVER, second(202));
        servers.stayed_silent(SERVER, second(202));
        assert!(!may(202) && !may(229) && may(230));
    }

    #[test]
    fn a_server_that_speaks_streams_only_is_tried_with_a_datagram_after_its_time() {
        let servers = Servers::default();
        let server = |at| servers.server(SERVER, second(at));
        for at in [0, 200] {
            servers.replied_over_stream_only(SERVER, Duration::from_millis(20), second(at));
        }
        assert!(server(299).is_stream_only(second(299)) && !server(300).is_stream_only(second(300)));
        // One silence is enough this time.
        servers.stayed_silent(SERVER, second(301));
        assert!(server(301).may_be_stream_only(second(301)));
        servers.replied_over_stream_only(SERVER, Duration::from_millis(20), second(302));
        assert!(server(601).is_stream_only(second(601)));
        servers.replied(SERVER, Duration::from_millis(20), second(602));
        assert!(!server(602).is_stream_only(second(602)), "datagrams reach it again");
        servers.replied_over_stream_only(SERVER, Duration::from_millis(20), second(603));
        servers.forget_stream_only(SERVER, second(604));
        assert!(!server(604).is_stream_only(second(604)));
    }

    #[test]
    fn lameness_is_of_one_zone_for_a_time() {
        let servers = Servers::default();
        let zone = name("lame.example.");
        servers.set_lame(SERVER, &zone, second(0));
        assert!(servers.is_lame(SERVER, name("LAME.example.").as_ref(), second(899)));
        assert!(!servers.is_lame(SERVER, zone.as_ref(), second(900)));
        assert!(!servers.is_lame(SERVER, name("example.").as_ref(), second(0)));
        let other = SocketAddr::new(SERVER.ip(), 5353);
        assert!(!servers.is_lame(other, zone.as_ref(), second(0)));
    }
}
