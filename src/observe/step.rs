//! Step: one thing done for a question. The steps of a query, in order, explain its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::dns::{ExtendedError, Name, Question, Rcode, RrType, Ttl};

use super::event::UpstreamExchange;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A zone served here has the last word on the name.
    LocalZone {
        /// Its apex.
        apex: Name,
        /// The serial of the version that answered; none when no version could be loaded.
        serial: Option<u32>,
    },
    /// The name is special and never leaves this server (RFC 6761, RFC 6303).
    SpecialName(Name),
    /// A zone served here said something of this, nobody was asked.
    Here(Question),
    /// The servers the operator named for the names at and below this one are asked next.
    Upstream(Name),
    /// The cache knew this, nobody was asked.
    Known {
        /// What it knew the answer to.
        question: Question,
        /// How long it has known it.
        age: Duration,
        /// How long it will.
        ttl: Ttl,
        /// How far it is believed, in the words of RFC 2181 5.4.1.
        credibility: &'static str,
    },
    /// The question failed a moment ago and is not tried again yet (RFC 9520).
    FailedBefore(Question, Arc<ExtendedError>),
    /// The cache knew the servers of this zone, the nearest one above the name, for so long.
    Nearest(Name, Ttl),
    /// The servers of this zone are asked next.
    Zone {
        /// Its apex.
        apex: Name,
        /// How many name servers its delegation has.
        name_servers: usize,
    },
    /// This server is asked next.
    Chosen {
        /// The server.
        server: SocketAddr,
        /// Why it and no other.
        why: Choice,
        /// The time it has for its reply.
        patience: Duration,
    },
    /// The server is asked over a stream.
    Stream(SocketAddr, WhyStream),
    /// The server is asked again without EDNS, for it seems to know none (RFC 6891 7).
    WithoutEdns(SocketAddr),
    /// What came of asking.
    Exchange {
        /// The question.
        question: Question,
        /// The server, and what came of it.
        exchange: UpstreamExchange,
    },
    /// A server referred to the servers of this zone.
    Referral(Name),
    /// The first name is an alias of the second.
    Alias(Name, Name),
    /// The question was answered with this code.
    Found(Question, Rcode),
    /// A question of our own had to be answered first. Its steps follow, up to its `Found`, `ChildFailed` or `Cycle`.
    Child(Question),
    /// A question of our own was not answered.
    ChildFailed(Question),
    /// The answer to the question was made from another, that of IPv4 (RFC 6147).
    Synthesised(Question),
    /// No server of the zone helped: what one said that has it from somebody's cache is taken.
    SecondHand(Question),
    /// Waiting for this question would have been waiting for ourselves.
    Cycle(Question),
    /// A link of a chain of trust had to be had and validated first. Its steps follow, up to its `Judged`, `ChildFailed` or
    /// `Cycle`.
    Link(Question),
    /// A chain of trust begins at this zone, with trust anchors for the keys with these tags.
    Anchor(Name, Vec<u16>),
    /// Nothing is validated at the first name: no trust anchor is above it, or the second name has a negative one.
    Unanchored(Name, Option<Name>),
    /// What the zone above says of a name.
    Delegated {
        /// The name.
        name: Name,
        /// What it is, in words.
        how: &'static str,
        /// Its DS records.
        ds: Box<[DsStep]>,
    },
    /// Keys of a zone were compared with what is trusted.
    Keys {
        /// The zone.
        zone: Name,
        /// Whether trust anchors tell of them, and not DS records.
        is_anchored: bool,
        /// Its keys.
        keys: Box<[KeyStep]>,
    },
    /// The keys of this zone were in the cache, validated before.
    KnownKeys(Name),
    /// A signature was looked at.
    Signature(Box<SignatureStep>),
    /// Records were taken for a proof.
    Proof {
        /// Of what.
        what: Box<str>,
        /// The zone they are of.
        zone: Name,
        /// Their owners and types.
        records: Vec<(Name, RrType)>,
        /// Whether they prove it, in words.
        holds: &'static str,
    },
    /// What validation thinks of the answer to the question, in the word of the access log, and why.
    Judged(Question, &'static str, Option<Arc<ExtendedError>>),
    /// The answer to the question did not stand validation: it is asked for once more, of others if there are any.
    AskedAgain(Question),
}

/// A DS record in a chain of trust; numbers as in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DsStep {
    /// The tag of the key it tells of.
    pub key_tag: u16,
    /// The algorithm of that.
    pub algorithm: u8,
    /// How it is digested.
    pub digest_type: u8,
}

/// A key of a zone in a chain of trust; numbers as in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyStep {
    /// Its tag.
    pub key_tag: u16,
    /// What it is for.
    pub flags: u16,
    /// Its algorithm.
    pub algorithm: u8,
    /// Whether a trust anchor or a DS record tells of it, so that it may sign the others.
    pub is_trusted: bool,
}

/// A signature that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureStep {
    /// What it signs.
    pub owner: Name,
    /// The type of that.
    pub rr_type: RrType,
    /// Whose it is.
    pub signer: Name,
    /// By which key.
    pub key_tag: u16,
    /// How, as a mnemonic.
    pub algorithm: String,
    /// From when on it holds, in seconds since 1970 modulo 2^32.
    pub inception: u32,
    /// Until when.
    pub expiration: u32,
    /// What is wrong with it; none when it is good.
    pub wrong: Option<String>,
}

/// Why a server was asked and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// There is no other.
    Only,
    /// Of so many nobody is expected to answer faster than in about this time.
    Fastest(usize, Duration),
    /// Of so many the lot fell on one never met.
    Untried(usize),
    /// It was asked so often for this question, and so was everybody else.
    Again(u32),
    /// It was silent or lame lately, and nobody else is left.
    LastResort,
    /// Of so many it comes first in the order the operator gave them, those silent lately left out.
    Ordered(usize),
    /// So many are asked at once.
    Parallel(usize),
}

/// Why a question goes over a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyStream {
    /// The datagram said that it is not all.
    Truncated,
    /// Datagrams came that were no replies: somebody is guessing (RFC 5452 9.1).
    Guessed,
    /// It did not reply to datagrams just now, so a stream is worth a try.
    Silent,
    /// It is known to reply over streams only.
    NoDatagrams,
}

/// How much of one bound a query has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spending {
    /// Of what, in the plural.
    pub what: &'static str,
    /// How many.
    pub spent: u64,
    /// At most so many.
    pub most: u64,
}

/// All bounds of one query.
pub type Spendings = [Spending; 10];

impl Step {
    /// Octets of memory a step takes, those of its names included.
    pub fn octets(&self) -> usize {
        let name = |name: &Name| name.octets().len();
        let outside = match self {
            Step::LocalZone { apex, .. } | Step::Zone { apex, .. } => name(apex),
            Step::SpecialName(apex) | Step::Nearest(apex, _) | Step::Referral(apex) => name(apex),
            Step::Upstream(apex) => name(apex),
            Step::Here(question) | Step::Synthesised(question) => name(&question.name),
            Step::SecondHand(question) => name(&question.name),
            Step::Known { question, .. } | Step::Exchange { question, .. } => name(&question.name),
            Step::Found(question, _) | Step::Child(question) => name(&question.name),
            Step::ChildFailed(question) | Step::Cycle(question) => name(&question.name),
            Step::FailedBefore(question, error) => {
                name(&question.name) + size_of::<ExtendedError>() + error.text.len()
            }
            Step::Alias(from, to) => name(from) + name(to),
            Step::Anchor(apex, tags) => name(apex) + size_of_val(&**tags),
            Step::Unanchored(below, apex) => name(below) + apex.as_ref().map_or(0, name),
            Step::Delegated { name: apex, ds, .. } => name(apex) + size_of_val(&**ds),
            Step::Keys { zone, keys, .. } => name(zone) + size_of_val(&**keys),
            Step::KnownKeys(zone) => name(zone),
            Step::Signature(step) => {
                let SignatureStep { owner, signer, algorithm, wrong, .. } = &**step;
                let texts = algorithm.len() + wrong.as_ref().map_or(0, String::len);
                size_of::<SignatureStep>() + name(owner) + name(signer) + texts
            }
            Step::Proof { what, zone, records, .. } => {
                let owners = records.iter().map(|(owner, _)| name(owner) + size_of::<(Name, RrType)>());
                what.len() + name(zone) + owners.sum::<usize>()
            }
            Step::Judged(question, _, error) => {
                name(&question.name) + error.as_ref().map_or(0, |error| error.text.len())
            }
            Step::AskedAgain(question) | Step::Link(question) => name(&question.name),
            Step::Chosen { .. } | Step::Stream(..) | Step::WithoutEdns(_) => 0,
        };
        size_of::<Step>() + outside
    }
}
