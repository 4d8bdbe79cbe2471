//! Numbers of one worker, written by it alone and summed when somebody reads them. Labels are fixed sets, so
//! that no client can make the numbers grow in kind (names and addresses are for the log).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::event::{DropReason, Source, Transport};
use crate::dns::{Rcode, RrType};

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

/// The counters of one worker. On cache lines of their own, so that two workers never write to one line.
///
/// Invariant: one thread writes, which is why a count needs no atomic addition. [`super::Recorder`] and
/// [`super::LogWriter`] make their own counters and are the only ones that can write them.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    requests: [[AtomicU64; TYPE_COUNT]; TRANSPORTS],
    responses: [[AtomicU64; RCODE_COUNT]; SOURCES],
    dropped: [AtomicU64; REASONS],
    panics: AtomicU64,
    log_lines_dropped: AtomicU64,
    octets_in: AtomicU64,
    octets_out: AtomicU64,
}

impl Counters {
    /// All at zero.
    pub(super) fn new() -> Arc<Counters> {
        Arc::new(Counters {
            requests: [const { [const { AtomicU64::new(0) }; TYPE_COUNT] }; TRANSPORTS],
            responses: [const { [const { AtomicU64::new(0) }; RCODE_COUNT] }; SOURCES],
            dropped: [const { AtomicU64::new(0) }; REASONS],
            panics: AtomicU64::new(0),
            log_lines_dropped: AtomicU64::new(0),
            octets_in: AtomicU64::new(0),
            octets_out: AtomicU64::new(0),
        })
    }

    pub(super) fn request(&self, transport: Transport, qtype: Option<RrType>, octets: usize) {
        add(&self.requests[transport as usize][type_place(qtype)], 1);
        add(&self.octets_in, octets as u64);
    }

    pub(super) fn response(&self, source: Source, rcode: Rcode, octets: u32) {
        add(&self.responses[source as usize][rcode_place(rcode)], 1);
        add(&self.octets_out, u64::from(octets));
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
            for (sums, counts) in totals.requests.iter_mut().zip(&counters.requests) {
                collect(sums, counts);
            }
            for (sums, counts) in totals.responses.iter_mut().zip(&counters.responses) {
                collect(sums, counts);
            }
            collect(&mut totals.dropped, &counters.dropped);
            totals.panics += read(&counters.panics);
            totals.log_lines_dropped += read(&counters.log_lines_dropped);
            totals.octets_in += read(&counters.octets_in);
            totals.octets_out += read(&counters.octets_out);
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

fn rcode_place(rcode: Rcode) -> usize {
    rcode.mnemonic().map_or(RCODES, |_| usize::from(rcode.0).min(RCODES))
}

/// Sums over all workers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    requests: [[u64; TYPE_COUNT]; TRANSPORTS],
    responses: [[u64; RCODE_COUNT]; SOURCES],
    dropped: [u64; REASONS],
    /// Requests that ended in a panic.
    pub panics: u64,
    /// Lines that did not reach the access log.
    pub log_lines_dropped: u64,
    /// Octets of requests that were answered.
    pub octets_in: u64,
    /// Octets of responses.
    pub octets_out: u64,
}

impl Totals {
    /// These and others together.
    pub fn plus(mut self, other: &Totals) -> Totals {
        let add = |sums: &mut [u64], more: &[u64]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        };
        self.requests.iter_mut().zip(&other.requests).for_each(|(sums, more)| add(sums, more));
        self.responses.iter_mut().zip(&other.responses).for_each(|(sums, more)| add(sums, more));
        add(&mut self.dropped, &other.dropped);
        self.panics += other.panics;
        self.log_lines_dropped += other.log_lines_dropped;
        self.octets_in += other.octets_in;
        self.octets_out += other.octets_out;
        self
    }

    /// Requests by transport and QTYPE, zeros left out. Those without a readable question are `other`.
    pub fn requests(&self) -> impl Iterator<Item = (Transport, &'static str, u64)> + '_ {
        let label = |place: usize| TYPES.get(place).and_then(|known| known.mnemonic()).unwrap_or(OTHER);
        Transport::WORDS.iter().zip(&self.requests).flat_map(move |((transport, _), counts)| {
            non_zero(counts).map(move |(place, count)| (*transport, label(place), count))
        })
    }

    /// Responses by source and RCODE, zeros left out.
    pub fn responses(&self) -> impl Iterator<Item = (Source, &'static str, u64)> + '_ {
        let label = |place: usize| Rcode(place as u16).mnemonic().unwrap_or(OTHER);
        Source::WORDS.iter().zip(&self.responses).flat_map(move |((source, _), counts)| {
            non_zero(counts).map(move |(place, count)| (*source, label(place), count))
        })
    }

    /// Requests that got no response, by reason, zeros left out.
    pub fn dropped(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        non_zero(&self.dropped).map(|(place, count)| (DropReason::WORDS[place].0, count))
    }
}

fn non_zero(counts: &[u64]) -> impl Iterator<Item = (usize, u64)> + '_ {
    counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_by_label() {
        let (one, two) = (Counters::new(), Counters::new());
        one.request(Transport::Udp, Some(RrType::A), 30);
        one.request(Transport::Udp, Some(RrType(65280)), 10);
        two.request(Transport::Udp, Some(RrType::A), 2);
        two.request(Transport::Tcp, None, 0);
        one.response(Source::Cache, Rcode::NXDOMAIN, 100);
        two.response(Source::Cache, Rcode::NXDOMAIN, 11);
        two.response(Source::Malformed, Rcode(3841), 0);
        one.drop_of(DropReason::IsResponse);
        one.panic();
        two.log_lines_dropped(7);
        let totals = Counters::sum([&one, &two]);
        let requests: Vec<_> = totals.requests().collect();
        assert_eq!(
            requests,
            [(Transport::Udp, "A", 2), (Transport::Udp, "other", 1), (Transport::Tcp, "other", 1)]
        );
        let responses: Vec<_> = totals.responses().collect();
        assert_eq!(responses, [(Source::Cache, "NXDOMAIN", 2), (Source::Malformed, "other", 1)]);
        assert_eq!(totals.dropped().collect::<Vec<_>>(), [(DropReason::IsResponse, 1)]);
        assert_eq!((totals.octets_in, totals.octets_out), (42, 111));
        assert_eq!((totals.panics, totals.log_lines_dropped), (1, 7));
    }

    #[test]
    fn every_known_rcode_has_a_place_of_its_own() {
        for (rcode, mnemonic) in Rcode::KNOWN {
            let counters = Counters::new();
            counters.response(Source::Local, *rcode, 0);
            let totals = Counters::sum([&counters]);
            assert_eq!(totals.responses().collect::<Vec<_>>(), [(Source::Local, *mnemonic, 1)]);
        }
        for unassigned in [12, 15, 24, u16::MAX] {
            assert_eq!(rcode_place(Rcode(unassigned)), RCODES, "{unassigned}");
        }
    }
}
