//! Failure: why a question was not answered, and the extended error (RFC 8914) that tells the client.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Limit, NoReply};
use crate::dns::{ErrorCode, ExtendedError, Name, Question, SharedRrset};
use crate::observe::ExchangeResult;

/// Servers named in the text of an extended error: it must fit beside a question into 512 octets.
const SERVERS_NAMED: usize = 4;

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No server of the zone gave a usable answer.
    NoAnswer {
        /// The zone's apex.
        zone: Name,
        /// The servers asked last, with what came of it; none when no address of any could be found.
        tried: Arc<[Tried]>,
        /// Why an address of a name server was not found.
        cause: Option<Arc<Failure>>,
    },
    /// No server the operator named for a forward or stub zone gave a usable answer.
    NoUpstream {
        /// The zone's apex.
        zone: Name,
        /// The servers asked, with what came of it.
        tried: Arc<[Tried]>,
    },
    /// The zone is served here and could not be loaded.
    NotLoaded(Name),
    /// The query had cost enough before a server of the zone gave a usable answer.
    CutShort {
        /// What it had enough of.
        limit: Limit,
        /// The zone's apex.
        zone: Name,
        /// The servers asked last, with what came of it.
        tried: Arc<[Tried]>,
    },
    /// The query has cost enough.
    Limit(Limit),
    /// Answering this question needs its own answer: name servers that wait for each other.
    Cycle(Question),
    /// Aliases lead back to a name.
    AliasLoop {
        /// The name.
        name: Name,
        /// The aliases, shown to who asks first: RFC 1034 3.6.2 wants the loop signalled as an error, and these tell which.
        aliases: Arc<[SharedRrset]>,
    },
    /// The question failed a moment ago (RFC 9520).
    Cached(Arc<ExtendedError>),
    /// The answer did not stand validation (RFC 4035 4.3).
    Bogus(Arc<ExtendedError>),
    /// What it takes to validate the answer could not be had, which makes it indeterminate (RFC 4035 4.3).
    NoKeys {
        /// The question for a DS or DNSKEY RRset that was not answered.
        question: Question,
        /// Why not.
        cause: Arc<Failure>,
    },
    /// Too many questions, or too many waiting for this one.
    Busy,
    /// Too many questions at the servers of this zone.
    CrowdedZone(Name),
    /// The work on the question was given up: the server is stopping, or has a mistake of its own.
    Abandoned,
}

/// A server that gave no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// The server.
    pub server: SocketAddr,
    /// What came of it.
    pub result: ExchangeResult,
    /// What the network said, when it was the network.
    pub no_reply: Option<NoReply>,
}

impl Failure {
    /// Whether the cause lies with who asked, what it had spent and whom it was waiting for, not with the question:
    /// another may get an answer.
    pub fn is_of_asker(&self) -> bool {
        match self {
            Failure::NoAnswer { cause, .. } => cause.as_ref().is_some_and(|cause| cause.is_of_asker()),
            Failure::NoKeys { cause, .. } => cause.is_of_asker(),
            Failure::CutShort { .. } | Failure::Limit(_) | Failure::Cycle(_) => true,
            Failure::Busy | Failure::CrowdedZone(_) | Failure::Abandoned => true,
            Failure::NoUpstream { .. } | Failure::NotLoaded(_) => false,
            Failure::AliasLoop { .. } | Failure::Cached(_) | Failure::Bogus(_) => false,
        }
    }

    /// The same as a reason not to know what to think of an answer: the answer to this question would have told. The
    /// first question of several that wait for each other is the one to name.
    pub fn of_keys(self, question: Question) -> Failure {
        match self {
            Failure::NoKeys { .. } => self,
            cause => Failure::NoKeys { question, cause: Arc::new(cause) },
        }
    }

    /// The failure behind the failures: a zone whose servers were not found because of a zone whose servers ...
    fn root_cause(&self) -> Option<&Failure> {
        match self {
            Failure::NoAnswer { cause: Some(cause), .. } => Some(cause.root_cause().unwrap_or(cause)),
            _ => None,
        }
    }

    /// What the client is told.
    pub fn extended_error(&self) -> ExtendedError {
        let code = match self {
            Failure::NoAnswer { tried, .. } | Failure::NoUpstream { tried, .. }
                if all_network_errors(tried) =>
            {
                ErrorCode::NETWORK_ERROR
            }
            Failure::NotLoaded(_) => ErrorCode::NOT_READY,
            Failure::NoAnswer { .. } | Failure::NoUpstream { .. } | Failure::Cycle(_) => {
                ErrorCode::NO_REACHABLE_AUTHORITY
            }
            Failure::Cached(error) | Failure::Bogus(error) => return (**error).clone(),
            Failure::CutShort { limit: Limit::Time(_), .. } => ErrorCode::NO_REACHABLE_AUTHORITY,
            Failure::CutShort { .. } => ErrorCode::OTHER,
            Failure::AliasLoop { .. } => ErrorCode::INVALID_DATA,
            Failure::NoKeys { .. } => ErrorCode::DNSSEC_INDETERMINATE,
            Failure::Limit(limit) if limit.is_of_validation() => ErrorCode::DNSSEC_INDETERMINATE,
            Failure::Limit(_) | Failure::Busy | Failure::CrowdedZone(_) | Failure::Abandoned => {
                ErrorCode::OTHER
            }
        };
        ExtendedError { code, text: self.to_string().into() }
    }
}

fn all_network_errors(tried: &[Tried]) -> bool {
    !tried.is_empty() && tried.iter().all(|tried| tried.no_reply.is_some())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoAnswer { zone, tried, .. } if tried.is_empty() => {
                write!(f, "no address of a name server of {zone} could be found")?;
                match self.root_cause() {
                    Some(cause) => write!(f, ": {cause}"),
                    None => Ok(()),
                }
            }
            Failure::NoAnswer { zone, tried, .. } => {
                write!(f, "no name server of {zone} gave a usable answer")?;
                write_tried(f, tried)
            }
            Failure::NoUpstream { zone, tried } => {
                write!(f, "no server named for {zone} gave a usable answer")?;
                write_tried(f, tried)
            }
            Failure::NotLoaded(zone) => write!(f, "the zone {zone} could not be loaded"),
            Failure::CutShort { limit, zone, tried } => {
                write!(f, "gave up after {limit} at the name servers of {zone}")?;
                write_tried(f, tried)
            }
            Failure::Limit(limit) => write!(f, "gave up after {limit}"),
            Failure::Cycle(question) => {
                write!(f, "name servers that need each other: {question} needs itself")
            }
            Failure::AliasLoop { name, .. } => write!(f, "aliases lead back to {name}"),
            Failure::NoKeys { question, cause } => {
                write!(f, "not to be validated without {question}: {cause}")
            }
            Failure::Cached(error) | Failure::Bogus(error) => f.write_str(&error.text),
            Failure::Busy => f.write_str("too many questions are under way here; ask again"),
            Failure::CrowdedZone(zone) => {
                write!(f, "too many questions are under way at the name servers of {zone}; ask again")
            }
            Failure::Abandoned => f.write_str(
                "the work on this question was given up, the server is ending or its log tells of a mistake",
            ),
        }
    }
}

fn write_tried(f: &mut fmt::Formatter<'_>, tried: &[Tried]) -> fmt::Result {
    for (place, tried) in tried.iter().take(SERVERS_NAMED).enumerate() {
        write!(f, "{}{tried}", if place == 0 { ": " } else { ", " })?;
    }
    match tried.len().checked_sub(SERVERS_NAMED) {
        Some(more) if more > 0 => write!(f, " and {more} more"),
        _ => Ok(()),
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The port says something only when it is not the usual one.
        match self.server.port() {
            53 => write!(f, "{} ", self.server.ip())?,
            _ => write!(f, "{} ", self.server)?,
        }
        match (self.no_reply, self.result) {
            (Some(no_reply), _) => no_reply.fmt(f),
            (_, ExchangeResult::Answered(_)) => f.write_str("no use"),
            (_, ExchangeResult::Lame) => f.write_str("lame"),
            (_, ExchangeResult::Timeout) => f.write_str("timeout"),
            (_, ExchangeResult::Unreachable) => f.write_str("unreachable"),
            (_, ExchangeResult::Malformed) => f.write_str("malformed reply"),
            (_, ExchangeResult::Failed(rcode)) => rcode.fmt(f),
        }
    }
}

impl From<Limit> for Failure {
    fn from(limit: Limit) -> Failure {
        Failure::Limit(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Rcode;

    fn tried(last: u8, result: ExchangeResult, no_reply: Option<NoReply>) -> Tried {
        Tried { server: SocketAddr::from(([192, 0, 2, last], 53)), result, no_reply }
    }

    fn said(tried: &[Tried]) -> (u16, String) {
        let zone = "example.org.".parse().unwrap();
        let error = Failure::NoAnswer { zone, tried: tried.into(), cause: None }.extended_error();
        (error.code.0, error.text.into_owned())
    }

    /// One of each. A new variant does not compile until it stands here too.
    fn all() -> Vec<Failure> {
        let zone: crate::dns::Name = "example.org.".parse().unwrap();
        let question = Question::new(zone.clone(), crate::dns::RrType::A);
        let cached = ExtendedError::new(ErrorCode::NETWORK_ERROR, "nobody answered");
        let bogus = ExtendedError::new(ErrorCode::DNSSEC_BOGUS, "the signature is wrong");
        let limit = Limit::Packets(64);
        let all = vec![
            Failure::NoAnswer { zone: zone.clone(), tried: [].into(), cause: None },
            Failure::CutShort { limit, zone: zone.clone(), tried: [].into() },
            Failure::Limit(limit),
            Failure::Cycle(question),
            Failure::AliasLoop { name: zone.clone(), aliases: [].into() },
            Failure::NoUpstream { zone: zone.clone(), tried: [].into() },
            Failure::NotLoaded(zone.clone()),
            Failure::Cached(Arc::new(cached)),
            Failure::Bogus(Arc::new(bogus)),
            Failure::Busy.of_keys(Question::new(zone.clone(), crate::dns::RrType::DNSKEY)),
            Failure::Busy,
            Failure::CrowdedZone(zone),
            Failure::Abandoned,
        ];
        for failure in &all {
            match failure {
                Failure::NoAnswer { .. } | Failure::CutShort { .. } | Failure::Limit(_) => {}
                Failure::Cycle(_) | Failure::AliasLoop { .. } | Failure::Cached(_) => {}
                Failure::Bogus(_) | Failure::NoKeys { .. } => {}
                Failure::NoUpstream { .. } | Failure::NotLoaded(_) => {}
                Failure::Busy | Failure::CrowdedZone(_) | Failure::Abandoned => {}
            }
        }
        all
    }

    #[test]
    fn every_failure_has_a_text_of_its_own_that_fits_beside_a_question() {
        let texts: std::collections::BTreeSet<String> =
            all().iter().map(|failure| failure.extended_error().text.into_owned()).collect();
        assert_eq!(texts.len(), all().len(), "{texts:?}");
        for text in texts {
            assert!((10..200).contains(&text.len()), "{text}");
        }
    }

    #[test]
    fn a_failure_says_what_a_person_can_act_on() {
        let refused = tried(1, ExchangeResult::Unreachable, Some(NoReply::Refused));
        let silent = tried(2, ExchangeResult::Timeout, None);
        let broken = tried(3, ExchangeResult::Failed(Rcode::SERVFAIL), None);
        let what = "no name server of example.org. gave a usable answer: ";
        assert_eq!(said(&[refused]), (23, format!("{what}192.0.2.1 connection refused")));
        assert_eq!(
            said(&[refused, silent, broken]),
            (22, format!("{what}192.0.2.1 connection refused, 192.0.2.2 timeout, 192.0.2.3 SERVFAIL"))
        );
        assert!(said(&[silent; 6]).1.ends_with("192.0.2.2 timeout and 2 more"));
        assert_eq!(said(&[]), (22, "no address of a name server of example.org. could be found".into()));
        let limit = Failure::from(Limit::Aliases(10)).extended_error();
        assert_eq!((limit.code.0, &*limit.text), (0, "gave up after 10 aliases"));
        let keys = |zone: &str| Question::new(zone.parse().unwrap(), crate::dns::RrType::DNSKEY);
        let unknown = Failure::from(Limit::Packets(64)).of_keys(keys("test.")).of_keys(keys("example.test."));
        let error = unknown.extended_error();
        let text = "not to be validated without test. DNSKEY: gave up after 64 packets to servers";
        assert_eq!((error.code.0, &*error.text), (5, text));
        assert_eq!(Failure::from(Limit::Verifications(16)).extended_error().code.0, 5);
    }
}
