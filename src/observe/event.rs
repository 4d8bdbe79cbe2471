//! What happened to one request, and why. Engines return these facts; `service` writes them down.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::dns::{ErrorCode, NameRef, QuestionRef, Rcode, RrClass, RrType, Serial};

/// Which door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A stream (RFC 7766).
    Tcp,
}

impl Transport {
    /// Every transport with its word, in the order of the variants.
    pub const WORDS: [(Transport, &'static str); 2] = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")];

    /// The word of the access log.
    pub fn word(self) -> &'static str {
        Transport::WORDS[self as usize].1
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where an answer came from, in the words of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Source {
    Authoritative,
    Cache,
    NegativeCache,
    FailureCache,
    Malformed,
    Recursion,
    Forward,
    Stale,
    Synthesized,
    Policy,
    Local,
    Refused,
    Dropped,
}

impl Source {
    /// Every source with its word, in the order of the variants.
    pub const WORDS: [(Source, &'static str); 13] = [
        (Source::Authoritative, "authoritative"),
        (Source::Cache, "cache"),
        (Source::NegativeCache, "negative-cache"),
        (Source::FailureCache, "failure-cache"),
        (Source::Malformed, "malformed"),
        (Source::Recursion, "recursion"),
        (Source::Forward, "forward"),
        (Source::Stale, "stale"),
        (Source::Synthesized, "synthesized"),
        (Source::Policy, "policy"),
        (Source::Local, "local"),
        (Source::Refused, "refused"),
        (Source::Dropped, "dropped"),
    ];

    /// The word of the access log.
    pub fn word(self) -> &'static str {
        Source::WORDS[self as usize].1
    }
}

/// What validation found (RFC 4035 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Security {
    Secure,
    Insecure,
    Bogus,
    Indeterminate,
}

impl Security {
    /// Every state with its word, in the order of the variants.
    pub const WORDS: [(Security, &'static str); 4] = [
        (Security::Secure, "secure"),
        (Security::Insecure, "insecure"),
        (Security::Bogus, "bogus"),
        (Security::Indeterminate, "indeterminate"),
    ];

    /// The word of the access log.
    pub fn word(self) -> &'static str {
        Security::WORDS[self as usize].1
    }
}

/// Where the question stands in a request: its name begins behind the header and is never compressed.
/// An event keeps this instead of a copy of the name, so that recording a hit copies and allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionPlace {
    /// Octets of QNAME in wire form.
    pub name_octets: u8,
    /// QTYPE.
    pub rr_type: RrType,
    /// QCLASS.
    pub class: RrClass,
}

impl QuestionPlace {
    /// The question itself, given the octets of the request it was found in.
    pub fn question(self, request: &[u8]) -> Option<QuestionRef<'_>> {
        let octets = request.get(12..12 + usize::from(self.name_octets))?;
        let name = NameRef::from_wire(octets).ok()?;
        Some(QuestionRef { name, rr_type: self.rr_type, class: self.class })
    }
}

/// What happened to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where the answer came from.
    pub source: Source,
    /// The response code, EDNS bits included.
    pub rcode: Rcode,
    /// The question, none when the request had no readable one.
    pub question: Option<QuestionPlace>,
    /// The second two octets of the response's header: QR, opcode, AA, TC, RD, RA, AD, CD.
    pub flags: u16,
    /// Octets of the response.
    pub octets: u32,
    /// What validation found, none when nothing was validated.
    pub security: Option<Security>,
    /// INFO-CODE of the extended error sent along.
    pub extended_error: Option<ErrorCode>,
    /// What recursion did, none for an answer made here.
    pub recursion: Option<Box<RecursionFacts>>,
    /// The zone transfer this was, none for an answer.
    pub transfer: Option<Transfer>,
}

/// A zone on its way to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The version that was sent.
    pub serial: Serial,
    /// Whether all of it was.
    pub is_whole: bool,
}

/// What recursion did for one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecursionFacts {
    /// The exchanges with servers, in order; at most as many as the access log shows.
    pub exchanges: Vec<UpstreamExchange>,
    /// How many exchanges there were in all.
    pub tries: u32,
}

/// One question sent to one server, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamExchange {
    /// The server asked.
    pub server: SocketAddr,
    /// What came of it.
    pub result: ExchangeResult,
}

/// What came of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeResult {
    /// A usable reply after this time.
    Answered(Duration),
    /// A reply that does not answer, as a server answers that does not serve the zone.
    Lame,
    /// Nothing in time.
    Timeout,
    /// The network refused.
    Unreachable,
    /// A reply that is no DNS message or contradicts itself.
    Malformed,
    /// A reply with this code.
    Failed(Rcode),
}

/// Why a request got no response and no line in the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Fewer octets than a header has.
    TooShort,
    /// A response: answering it could start a loop (RFC 1035 4.1.1).
    IsResponse,
    /// From source port 0, where nobody listens.
    PortZero,
    /// The queue of requests that have to wait is full.
    Overload,
    /// The answer was sent to the client's network too often; of this there is a line.
    RateLimit,
    /// The client's network asked too often.
    ClientLimit,
}

impl DropReason {
    /// Every reason with its word, in the order of the variants. Reasons with one word are counted as one.
    pub const WORDS: [(DropReason, &'static str); 6] = [
        (DropReason::TooShort, "malformed"),
        (DropReason::IsResponse, "malformed"),
        (DropReason::PortZero, "malformed"),
        (DropReason::Overload, "overload"),
        (DropReason::RateLimit, "rate_limit"),
        (DropReason::ClientLimit, "rate_limit"),
    ];

    /// The word of the counters.
    pub fn word(self) -> &'static str {
        DropReason::WORDS[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_the_order_of_the_variants() {
        for (place, (source, _)) in Source::WORDS.iter().enumerate() {
            assert_eq!(*source as usize, place);
        }
        for (place, (transport, _)) in Transport::WORDS.iter().enumerate() {
            assert_eq!(*transport as usize, place);
        }
        for (place, (security, _)) in Security::WORDS.iter().enumerate() {
            assert_eq!(*security as usize, place);
        }
        for (place, (reason, _)) in DropReason::WORDS.iter().enumerate() {
            assert_eq!(*reason as usize, place);
        }
    }
}
