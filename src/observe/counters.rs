//! Numbers of one worker, written by it alone and summed when somebody reads them. Labels are fixed sets, so
//! that no client can make the numbers grow in kind (names and addresses are for the log).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::event::{DropReason, Event, Security, Source, Transport};
use crate::dns::{Rcode, RrType};
use crate::limits;

/// The QTYPEs that are counted apart, the most asked first; all others are `other`.
const TYPES: [RrType; 20] = [
    RrType::A,
    RrType::AAAA,
    RrType::HTTPS,
    RrType::PTR,
    RrType::TXT,
    RrType::NS,
    RrType::SOA,
    RrType::MX,
    RrType::SRV,
    RrType::CNAME,
    RrType::DS,
    RrType::DNSKEY,
    RrType::SVCB,
    RrType::TLSA,
    RrType::CAA,
    RrType::NAPTR,
    RrType::ANY,
    RrType::AXFR,
    RrType::IXFR,
    RrType::SSHFP,
];
/// RCODEs with a mnemonic end at 23; all others are `other`.
const RCODES: usize = 24;
const OTHER: &str = "other";

const TYPE_COUNT: usize = TYPES.len() + 1;
const RCODE_COUNT: usize = RCODES + 1;
const TRANSPORTS: usize = Transport::WORDS.len();
const SOURCES: usize = Source::WORDS.len();
const REASONS: usize = DropReason::WORDS.len();
/// The families of clients, as they are labelled.
const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];
/// What validation found, or that it did not look.
const SECURITIES: usize = Security::WORDS.len() + 1;
/// Those of [`limits::DURATIONS`], and all longer ones.
const DURATIONS: usize = limits::DURATIONS.len() + 1;
/// The bit of TC in the second two octets of a header.
const TC: u16 = 0x0200;

/// The counters of one worker. On cache lines of their own, so that two workers never write to one line.
///
/// Invariant: one thread writes, which is why a count needs no atomic addition. [`super::Recorder`] and
/// [`super::LogWriter`] make their own counters and are the only ones that can write them.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    requests: [[[AtomicU64; TYPE_COUNT]; FAMILIES.len()]; TRANSPORTS],
    responses: [[[AtomicU64; RCODE_COUNT]; SECURITIES]; SOURCES],
    durations: [[AtomicU64; DURATIONS]; SOURCES],
    nanoseconds: [AtomicU64; SOURCES],
    octets_in: [AtomicU64; TRANSPORTS],
    octets_out: [AtomicU64; TRANSPORTS],
    dropped: [AtomicU64; REASONS],
    truncated: AtomicU64,
    panics: AtomicU64,
    log_lines_dropped: AtomicU64,
}

/// A counter at its beginning; each use is a new one.
#[allow(clippy::declare_interior_mutable_const)]
const ZERO: AtomicU64 = AtomicU64::new(0);

impl Counters {
    /// All at zero.
    pub(super) fn new() -> Arc<Counters> {
        Arc::new(Counters {
            requests: [const { [const { [ZERO; TYPE_COUNT] }; FAMILIES.len()] }; TRANSPORTS],
            responses: [const { [const { [ZERO; RCODE_COUNT] }; SECURITIES] }; SOURCES],
            durations: [const { [ZERO; DURATIONS] }; SOURCES],
            nanoseconds: [ZERO; SOURCES],
            octets_in: [ZERO; TRANSPORTS],
            octets_out: [ZERO; TRANSPORTS],
            dropped: [ZERO; REASONS],
            truncated: ZERO,
            panics: ZERO,
            log_lines_dropped: ZERO,
        })
    }

    pub(super) fn request(&self, transport: Transport, client: IpAddr, event: &Event, octets: usize) {
        let qtype = event.question.map(|question| question.rr_type);
        let family = usize::from(client.is_ipv6());
        add(&self.requests[transport as usize][family][type_place(qtype)], 1);
        add(&self.octets_in[transport as usize], octets as u64);
    }

    pub(super) fn response(&self, transport: Transport, event: &Event, took: Duration) {
        let source = event.source as usize;
        let security = event.security.map_or(0, |security| 1 + security as usize);
        add(&self.responses[source][security][rcode_place(event.rcode)], 1);
        // Five centuries have room.
        let nanoseconds = took.as_nanos() as u64;
        add(&self.durations[source][duration_place(nanoseconds)], 1);
        add(&self.nanoseconds[source], nanoseconds);
        add(&self.octets_out[transport as usize], u64::from(event.octets));
        if event.flags & TC != 0 {
            add(&self.truncated, 1);
        }
    }

    pub(super) fn drop_of(&self, reason: DropReason) {
        add(&self.dropped[reason as usize], 1);
    }

    pub(super) fn panic(&self) {
        add(&self.panics, 1);
    }

    pub(super) fn log_lines_dropped(&self, lines: u64) {
        add(&self.log_lines_dropped, lines);
    }

    /// The sum over all workers at about this moment.
    pub fn sum<'c>(workers: impl IntoIterator<Item = &'c Arc<Counters>>) -> Totals {
        let mut totals = Totals::default();
        for counters in workers {
            let flat = counters.requests.as_flattened().as_flattened();
            collect(totals.requests.as_flattened_mut().as_flattened_mut(), flat);
            let flat = counters.responses.as_flattened().as_flattened();
            collect(totals.responses.as_flattened_mut().as_flattened_mut(), flat);
            collect(totals.durations.as_flattened_mut(), counters.durations.as_flattened());
            collect(&mut totals.nanoseconds, &counters.nanoseconds);
            collect(&mut totals.octets_in, &counters.octets_in);
            collect(&mut totals.octets_out, &counters.octets_out);
            collect(&mut totals.dropped, &counters.dropped);
            totals.truncated += read(&counters.truncated);
            totals.panics += read(&counters.panics);
            totals.log_lines_dropped += read(&counters.log_lines_dropped);
        }
        totals
    }
}

/// Relaxed: each number stands for itself, and nobody concludes from one to another.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(read(counter).wrapping_add(more), Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn collect(sums: &mut [u64], counts: &[AtomicU64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += read(count);
    }
}

fn type_place(qtype: Option<RrType>) -> usize {
    TYPES.iter().position(|known| Some(*known) == qtype).unwrap_or(TYPES.len())
}

/// Most answers are made here and at once.
fn duration_place(nanoseconds: u64) -> usize {
    match nanoseconds <= limits::DURATIONS[0] {
        true => 0,
        false => limits::DURATIONS.partition_point(|most| *most < nanoseconds),
    }
}

fn rcode_place(rcode: Rcode) -> usize {
    rcode.mnemonic().map_or(RCODES, |_| usize::from(rcode.0).min(RCODES))
}

/// Sums over all workers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    requests: [[[u64; TYPE_COUNT]; FAMILIES.len()]; TRANSPORTS],
    responses: [[[u64; RCODE_COUNT]; SECURITIES]; SOURCES],
    durations: [[u64; DURATIONS]; SOURCES],
    nanoseconds: [u64; SOURCES],
    octets_in: [u64; TRANSPORTS],
    octets_out: [u64; TRANSPORTS],
    dropped: [u64; REASONS],
    /// Responses with TC set.
    pub truncated: u64,
    /// Requests that ended in a panic.
    pub panics: u64,
    /// Lines that did not reach the access log.
    pub log_lines_dropped: u64,
}

/// How long the responses from one source took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Durations<'t> {
    /// Where they came from.
    pub source: Source,
    /// How many took no longer than each of [`limits::DURATIONS`] and longer than the one before it; last, than any.
    pub counts: &'t [u64],
    /// All of them together, in seconds.
    pub seconds: f64,
}

impl Totals {
    /// These and others together.
    pub fn plus(mut self, other: &Totals) -> Totals {
        let add = |sums: &mut [u64], more: &[u64]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        };
        let flat = other.requests.as_flattened().as_flattened();
        add(self.requests.as_flattened_mut().as_flattened_mut(), flat);
        let flat = other.responses.as_flattened().as_flattened();
        add(self.responses.as_flattened_mut().as_flattened_mut(), flat);
        add(self.durations.as_flattened_mut(), other.durations.as_flattened());
        add(&mut self.nanoseconds, &other.nanoseconds);
        add(&mut self.octets_in, &other.octets_in);
        add(&mut self.octets_out, &other.octets_out);
        add(&mut self.dropped, &other.dropped);
        self.truncated += other.truncated;
        self.panics += other.panics;
        self.log_lines_dropped += other.log_lines_dropped;
        self
    }

    /// Requests by transport, address family of the client and QTYPE, zeros left out. Those without a readable question
    /// are `other`.
    pub fn requests(&self) -> impl Iterator<Item = (Transport, &'static str, &'static str, u64)> + '_ {
        let label = |place: usize| TYPES.get(place).and_then(|known| known.mnemonic()).unwrap_or(OTHER);
        Transport::WORDS.iter().zip(&self.requests).flat_map(move |((transport, _), families)| {
            FAMILIES.iter().zip(families).flat_map(move |(family, counts)| {
                non_zero(counts).map(move |(place, count)| (*transport, *family, label(place), count))
            })
        })
    }

    /// Responses by source, what validation found (`-` when it did not look) and RCODE, zeros left out.
    pub fn responses(&self) -> impl Iterator<Item = (Source, &'static str, &'static str, u64)> + '_ {
        let label = |place: usize| Rcode(place as u16).mnemonic().unwrap_or(OTHER);
        let found = |place: usize| {
            place.checked_sub(1).and_then(|place| Security::WORDS.get(place)).map_or("-", |(_, word)| *word)
        };
        Source::WORDS.iter().zip(&self.responses).flat_map(move |((source, _), securities)| {
            securities.iter().enumerate().flat_map(move |(security, counts)| {
                non_zero(counts).map(move |(place, count)| (*source, found(security), label(place), count))
            })
        })
    }

    /// Responses from one source.
    pub fn responses_from(&self, source: Source) -> u64 {
        self.durations[source as usize].iter().sum()
    }

    /// How long responses took, by source; sources of none are left out.
    pub fn durations(&self) -> impl Iterator<Item = Durations<'_>> + '_ {
        let all = Source::WORDS.iter().zip(&self.durations).zip(&self.nanoseconds);
        all.filter(|((_, counts), _)| counts.iter().any(|count| *count > 0)).map(
            |(((source, _), counts), nanoseconds)| Durations {
                source: *source,
                counts,
                seconds: Duration::from_nanos(*nanoseconds).as_secs_f64(),
            },
        )
    }

    /// Octets of requests that were answered, and of the responses.
    pub fn octets(&self, transport: Transport) -> (u64, u64) {
        (self.octets_in[transport as usize], self.octets_out[transport as usize])
    }

    /// Requests that got no response, by word of the reason, zeros left out.
    pub fn dropped(&self) -> Vec<(&'static str, u64)> {
        let mut dropped: Vec<(&'static str, u64)> = Vec::new();
        for (place, count) in non_zero(&self.dropped) {
            let word = DropReason::WORDS[place].1;
            match dropped.last_mut().filter(|(last, _)| *last == word) {
                Some((_, sum)) => *sum += count,
                None => dropped.push((word, count)),
            }
        }
        dropped
    }
}

fn non_zero(counts: &[u64]) -> impl Iterator<Item = (usize, u64)> + '_ {
    counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::QuestionPlace;

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn event(source: Source, rcode: Rcode, qtype: Option<RrType>) -> Event {
        let question =
            qtype.map(|rr_type| QuestionPlace { name_octets: 1, rr_type, class: crate::dns::RrClass::IN });
        Event {
            source,
            rcode,
            question,
            flags: 0,
            octets: 11,
            security: None,
            extended_error: None,
            recursion: None,
            transfer: None,
        }
    }

    #[test]
    fn workers_are_summed_by_label() {
        let (one, two) = (Counters::new(), Counters::new());
        let asks = |rr_type| event(Source::Cache, Rcode::NXDOMAIN, rr_type);
        one.request(Transport::Udp, V4, &asks(Some(RrType::A)), 30);
        one.request(Transport::Udp, V6, &asks(Some(RrType(65280))), 10);
        two.request(Transport::Udp, V4, &asks(Some(RrType::A)), 2);
        two.request(Transport::Tcp, V6, &asks(None), 1);
        let short = Duration::from_micros(50);
        one.response(Transport::Udp, &asks(None), short);
        two.response(Transport::Udp, &asks(None), Duration::from_nanos(50_001));
        let secure = Event { security: Some(Security::Secure), flags: TC, ..asks(None) };
        two.response(Transport::Tcp, &secure, Duration::from_secs(11));
        two.response(Transport::Udp, &event(Source::Malformed, Rcode(3841), None), short);
        one.drop_of(DropReason::IsResponse);
        two.drop_of(DropReason::TooShort);
        two.drop_of(DropReason::ClientLimit);
        one.panic();
        two.log_lines_dropped(7);
        let totals = Counters::sum([&one, &two]);
        let requests: Vec<_> = totals.requests().collect();
        assert_eq!(
            requests,
            [
                (Transport::Udp, "ipv4", "A", 2),
                (Transport::Udp, "ipv6", "other", 1),
                (Transport::Tcp, "ipv6", "other", 1)
            ]
        );
        let responses: Vec<_> = totals.responses().collect();
        assert_eq!(
            responses,
            [
                (Source::Cache, "-", "NXDOMAIN", 2),
                (Source::Cache, "secure", "NXDOMAIN", 1),
                (Source::Malformed, "-", "other", 1)
            ]
        );
        let [cache, _] = totals.durations().collect::<Vec<_>>()[..] else { panic!("two sources") };
        let mut counts = [0; DURATIONS];
        (counts[0], counts[1], counts[DURATIONS - 1]) = (1, 1, 1);
        assert_eq!((cache.source, cache.counts), (Source::Cache, &counts[..]));
        assert!((cache.seconds - 11.000_1).abs() < 1e-6, "{}", cache.seconds);
        assert_eq!(totals.responses_from(Source::Cache), 3);
        assert_eq!(totals.dropped(), [("malformed", 2), ("rate_limit", 1)]);
        assert_eq!((totals.octets(Transport::Udp), totals.octets(Transport::Tcp)), ((42, 33), (1, 11)));
        assert_eq!((totals.truncated, totals.panics, totals.log_lines_dropped), (1, 1, 7));
        let twice = totals.clone().plus(&totals);
        assert_eq!((twice.octets(Transport::Udp), twice.truncated), ((84, 66), 2));
        assert_eq!(twice.responses_from(Source::Cache), 6);
        assert_eq!(twice, Counters::sum([&one, &two, &one, &two]));
    }

    #[test]
    fn a_duration_is_counted_at_the_first_bound_it_does_not_pass() {
        for (place, most) in limits::DURATIONS.iter().enumerate() {
            assert_eq!(duration_place(*most), place);
            assert_eq!(duration_place(*most + 1), place + 1);
        }
        assert_eq!((duration_place(0), duration_place(u64::MAX)), (0, DURATIONS - 1));
    }

    #[test]
    fn every_known_rcode_has_a_place_of_its_own() {
        for (rcode, mnemonic) in Rcode::KNOWN {
            let counters = Counters::new();
            counters.response(Transport::Udp, &event(Source::Local, *rcode, None), Duration::ZERO);
            let totals = Counters::sum([&counters]);
            assert_eq!(totals.responses().collect::<Vec<_>>(), [(Source::Local, "-", *mnemonic, 1)]);
        }
        for unassigned in [12, 15, 24, u16::MAX] {
            assert_eq!(rcode_place(Rcode(unassigned)), RCODES, "{unassigned}");
        }
    }
}
