//! The mistakes that are looked for whenever a zone is built, and the list they are collected in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::advice::Advice;
use crate::diagnostic::Severity;
use crate::dns::{Name, NameRef, RrType};
use crate::limits::{NSEC3_ITERATIONS, ZONE_OWNER_OCTETS, ZONEFILE_ERRORS};

/// One mistake in the records of a zone. `Display` is a sentence part that names the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError<M> {
    /// What is wrong.
    pub problem: Problem,
    /// At which name.
    pub owner: Name,
    /// The mark of the offending record; none when a record is missing.
    pub mark: Option<M>,
    /// The mark of the record it contradicts: the first SOA, the record beside the CNAME.
    pub other: Option<M>,
}

/// The kinds of mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No SOA at the apex (RFC 1035 5.2).
    NoSoa,
    /// A second, different SOA at the apex.
    SecondSoa,
    /// A SOA below the apex: another zone's.
    SoaBelowApex,
    /// RDATA of the SOA that is not two names and five numbers.
    BadSoa,
    /// The owner is not at or below the apex.
    OutOfZone,
    /// A type that exists only in messages (RFC 6895 3.1).
    MetaType(RrType),
    /// RDATA of more than 65,535 octets.
    RdataTooLong(RrType),
    /// More at one name than [`ZONE_OWNER_OCTETS`].
    TooMuchAtOneName,
    /// A record of that type beside a CNAME (RFC 2181 10.1).
    CnameBeside(RrType),
    /// Two different CNAMEs (RFC 2181 10.1).
    TwoCnames,
    /// Two different DNAMEs (RFC 6672 2.4).
    TwoDnames,
    /// Names below a DNAME at the apex: the whole zone would be hidden, its name servers' addresses too.
    BelowApexDname,
    /// An NSEC3PARAM with more iterations than [`NSEC3_ITERATIONS`], of that number.
    TooManyIterations(u16),
    /// Names below a DNAME, which hides them (RFC 6672 2.4). A warning.
    BelowDname,
    /// DNAME beside NS below the apex: the zone cut hides the DNAME (RFC 6672 2.3). A warning.
    DnameAtCut,
    /// Records of one RRset with different TTLs; the lowest is used (RFC 2181 5.2). A warning.
    TtlsDiffer(RrType),
    /// No NS at the apex. A warning.
    NoApexNs,
    /// The same record twice (RFC 2181 5). A warning.
    Duplicate(RrType),
    /// What only [`super::super::ZoneBuilder::check`] looks for. A warning.
    Advice(Box<Advice>),
}

impl Problem {
    /// Whether the zone can be served all the same.
    pub fn severity(&self) -> Severity {
        match self {
            Problem::BelowDname
            | Problem::DnameAtCut
            | Problem::TtlsDiffer(_)
            | Problem::NoApexNs
            | Problem::Duplicate(_)
            | Problem::Advice(_) => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Its name for programs. It stays the same when the sentence changes.
    pub fn code(&self) -> &'static str {
        match self {
            Problem::NoSoa => "no-soa",
            Problem::SecondSoa => "second-soa",
            Problem::SoaBelowApex => "soa-below-apex",
            Problem::BadSoa => "bad-soa",
            Problem::OutOfZone => "out-of-zone",
            Problem::MetaType(_) => "meta-type",
            Problem::RdataTooLong(_) => "rdata-too-long",
            Problem::TooMuchAtOneName => "too-much-at-one-name",
            Problem::CnameBeside(_) => "cname-beside-data",
            Problem::TwoCnames => "two-cnames",
            Problem::TwoDnames => "two-dnames",
            Problem::BelowApexDname => "below-apex-dname",
            Problem::BelowDname => "below-dname",
            Problem::DnameAtCut => "dname-at-cut",
            Problem::TtlsDiffer(_) => "ttls-differ",
            Problem::NoApexNs => "no-apex-ns",
            Problem::Duplicate(_) => "duplicate-record",
            Problem::TooManyIterations(_) => "nsec3-too-many-iterations",
            Problem::Advice(advice) => advice.code(),
        }
    }

    /// Whether it says that something is missing. A record that could not be read may be the reason.
    pub fn is_absence(&self) -> bool {
        match self {
            Problem::NoSoa | Problem::NoApexNs => true,
            Problem::Advice(advice) => advice.is_absence(),
            _ => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Cow<'_, str> {
        let help = match self {
            Problem::Advice(advice) => return advice.help().into(),
            Problem::NoSoa => "add one, such as `@ 3600 SOA ns1 hostmaster 1 7200 900 1209600 300`",
            Problem::SecondSoa => "remove one of them",
            Problem::SoaBelowApex => "a zone has one SOA, at its apex; give the child zone a file of its own",
            Problem::BadSoa => "a SOA has two names and five numbers",
            Problem::OutOfZone => {
                "check the final dot and $ORIGIN, or put the record into the zone it belongs to"
            }
            Problem::MetaType(_) => "this type exists only in messages; remove the record",
            Problem::RdataTooLong(_) => "a record holds at most 65535 octets",
            Problem::TooMuchAtOneName => "spread the records over several names",
            Problem::CnameBeside(_) => "remove one of them; a CNAME stands alone",
            Problem::TwoCnames => "keep one of them; a name has one canonical name",
            Problem::TwoDnames => "keep one of them",
            Problem::BelowApexDname => "remove the DNAME or everything below the apex",
            Problem::TooManyIterations(_) => {
                "sign the zone with 0 iterations (RFC 9276 3.1); resolvers do not take as many"
            }
            Problem::BelowDname => "remove the names below the DNAME; they are never answered",
            Problem::DnameAtCut => "move the DNAME to the apex of the delegated zone",
            Problem::TtlsDiffer(_) => "give all records of the RRset the same TTL; the lowest is used",
            Problem::NoApexNs => "add the zone's name servers, such as `@ NS ns1`",
            Problem::Duplicate(_) => "remove one of them; it is served once",
        };
        help.into()
    }
}

impl<M> fmt::Display for ZoneError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = &self.owner;
        match &self.problem {
            Problem::NoSoa => write!(f, "no SOA at {owner}"),
            Problem::SecondSoa => write!(f, "a second, different SOA at {owner}"),
            Problem::SoaBelowApex => write!(f, "SOA below the apex at {owner}"),
            Problem::BadSoa => write!(f, "malformed SOA at {owner}"),
            Problem::OutOfZone => write!(f, "{owner} is not in the zone"),
            Problem::MetaType(rr_type) => write!(f, "a zone cannot hold {rr_type}, found at {owner}"),
            Problem::RdataTooLong(rr_type) => write!(f, "{rr_type} with too much data at {owner}"),
            Problem::TooMuchAtOneName => {
                write!(f, "more than {} MiB of records at {owner}", ZONE_OWNER_OCTETS >> 20)
            }
            Problem::CnameBeside(rr_type) => write!(f, "CNAME beside {rr_type} at {owner}"),
            Problem::TwoCnames => write!(f, "two different CNAMEs at {owner}"),
            Problem::TwoDnames => write!(f, "two different DNAMEs at {owner}"),
            Problem::BelowApexDname => write!(f, "{owner} is hidden by the DNAME at the apex"),
            Problem::TooManyIterations(iterations) => {
                write!(f, "NSEC3 with {iterations} iterations, more than {NSEC3_ITERATIONS}, at {owner}")
            }
            Problem::BelowDname => write!(f, "{owner} is hidden by a DNAME above it"),
            Problem::DnameAtCut => write!(f, "DNAME beside the NS of a delegation at {owner}"),
            Problem::TtlsDiffer(rr_type) => write!(f, "{rr_type} records with different TTLs at {owner}"),
            Problem::NoApexNs => write!(f, "no NS at the apex {owner}"),
            Problem::Duplicate(rr_type) => write!(f, "the same {rr_type} record twice at {owner}"),
            Problem::Advice(advice) => f.write_str(&advice.message(owner)),
        }
    }
}

impl<M: fmt::Debug> std::error::Error for ZoneError<M> {}

/// Collects mistakes, no more than anyone reads: so many of each severity, or so many of each kind.
pub(in crate::zone) struct Report<M> {
    pub(in crate::zone) errors: Vec<ZoneError<M>>,
    pub(in crate::zone) warnings: Vec<ZoneError<M>>,
    /// Errors met, kept or not.
    pub(in crate::zone) error_count: usize,
    /// How many of each kind were met, by code; none when they are not told apart.
    pub(super) kinds: Option<HashMap<&'static str, usize>>,
}

impl<M> Report<M> {
    /// No mistake yet.
    pub(in crate::zone) fn new() -> Report<M> {
        Report { errors: Vec::new(), warnings: Vec::new(), error_count: 0, kinds: None }
    }

    /// From here on keeps some of each kind.
    pub(in crate::zone) fn keep_each_kind(&mut self) {
        let mut kinds = HashMap::new();
        for error in self.errors.iter().chain(&self.warnings) {
            *kinds.entry(error.problem.code()).or_default() += 1;
        }
        self.kinds = Some(kinds);
    }

    pub(in crate::zone) fn add(
        &mut self,
        problem: Problem,
        owner: NameRef<'_>,
        mark: Option<M>,
        other: Option<M>,
    ) {
        let list = match problem.severity() {
            Severity::Error => {
                self.error_count += 1;
                &mut self.errors
            }
            Severity::Warning => &mut self.warnings,
        };
        let before = match &mut self.kinds {
            None => list.len(),
            Some(kinds) => {
                let count = kinds.entry(problem.code()).or_default();
                *count += 1;
                *count - 1
            }
        };
        if before < ZONEFILE_ERRORS {
            list.push(ZoneError { problem, owner: owner.to_name(), mark, other });
        }
    }
}
