//! What a check finds.

use std::fmt;

use crate::dns::Name;

/// What the records of a zone say of a claim that something is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It is not there.
    Proven,
    /// It is not there, or below an insecure delegation that an opt-out span hides: insecure (RFC 5155 8.4 to 8.8, 9.2).
    OptOut,
    /// NSEC3 with more iterations than are checked: insecure (RFC 9276 3.2).
    TooManyIterations,
    /// More hashes than one answer may cost.
    TooManyHashes,
    /// The records do not prove it: bogus.
    Unproven(Missing),
}

/// What the records of a parent zone say of a name for which there is no DS (RFC 4035 5.2, RFC 5155 8.6 and 8.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDs {
    /// It is a delegation without DS: insecure from there on.
    InsecureDelegation,
    /// It may be one, hidden by an opt-out span: insecure from there on.
    OptOut,
    /// It is none: the zone goes on there, or has no such name.
    NotACut,
    /// NSEC3 with more iterations than are checked: insecure (RFC 9276 3.2).
    TooManyIterations,
    /// More hashes than one answer may cost.
    TooManyHashes,
    /// The records prove nothing of it: bogus.
    Unproven(Missing),
}

/// Why records prove nothing. Written as part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// None that can be used.
    Records,
    /// The zone that signed them does not reach to the name.
    OutOfZone,
    /// NSEC3 of more than one set of parameters (RFC 5155 8.2).
    OneHashing,
    /// No span of an NSEC holds the name.
    Cover,
    /// No NSEC3 is that of an ancestor.
    ClosestEncloser,
    /// No span of an NSEC3 holds this next closer name.
    NextCloser(Name),
    /// Nothing denies this wildcard.
    NoWildcard(Name),
    /// Nothing says that this wildcard exists and has not the type.
    WildcardTypes(Name),
    /// No wildcard can be as long as it must be to answer for the name.
    Wildcard,
    /// The name exists.
    Absence,
    /// The wildcard that was used is not the one below the closest encloser.
    SourceOfSynthesis,
    /// The name, or the wildcard, has the type.
    NoType,
    /// The name, or the wildcard, is an alias.
    NoAlias,
    /// For DS the record of the parent zone is needed (RFC 6840 4.4).
    ParentSide,
    /// For other types than DS the record of the child zone is needed (RFC 6840 4.1).
    ChildSide,
    /// The name is below a delegation, of which this zone knows nothing (RFC 6840 4.1).
    BelowDelegation,
    /// The name is below a DNAME, which should have answered (RFC 6840 4.1).
    BelowDname,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missing::NextCloser(name) => return write!(f, "no NSEC3 covers {name}"),
            Missing::NoWildcard(name) => return write!(f, "no proof that {name} does not exist"),
            Missing::WildcardTypes(name) => return write!(f, "no proof that {name} has not the type"),
            Missing::Records => "no NSEC or NSEC3 of the zone that can be used",
            Missing::OutOfZone => "the NSEC or NSEC3 are of a zone the name is not in",
            Missing::OneHashing => "the NSEC3 have different parameters",
            Missing::Cover => "no NSEC covers the name",
            Missing::ClosestEncloser => "no NSEC3 matches an ancestor of the name",
            Missing::Wildcard => "no wildcard can answer for the name, which does not exist",
            Missing::Absence => "the NSEC or NSEC3 says that the name exists",
            Missing::SourceOfSynthesis => "another wildcard than the one used is nearer to the name",
            Missing::NoType => "the NSEC or NSEC3 at the name has the type",
            Missing::NoAlias => "the NSEC or NSEC3 at the name has a CNAME",
            Missing::ParentSide => {
                "the NSEC or NSEC3 at the name is of the child zone, which says nothing of DS"
            }
            Missing::ChildSide => {
                "the NSEC or NSEC3 at the name is of the parent zone, which knows only of DS"
            }
            Missing::BelowDelegation => "an NSEC or NSEC3 of a delegation proves nothing below it",
            Missing::BelowDname => "an NSEC or NSEC3 of a DNAME proves nothing below it",
        })
    }
}

/// Whether a span that was used may hide insecure delegations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Whole,
    OptOut,
}

impl Span {
    pub(super) fn of(opt_out: bool) -> Span {
        if opt_out { Span::OptOut } else { Span::Whole }
    }

    pub(super) fn and(self, other: Span) -> Span {
        if self == Span::OptOut { self } else { other }
    }
}

/// Why a check ends without proof.
#[derive(Debug)]
pub(super) enum Failure {
    TooManyIterations,
    TooManyHashes,
    Missing(Missing),
}

impl From<Missing> for Failure {
    fn from(missing: Missing) -> Failure {
        Failure::Missing(missing)
    }
}

impl From<Result<Span, Failure>> for Denial {
    fn from(checked: Result<Span, Failure>) -> Denial {
        match checked {
            Ok(Span::Whole) => Denial::Proven,
            Ok(Span::OptOut) => Denial::OptOut,
            Err(Failure::TooManyIterations) => Denial::TooManyIterations,
            Err(Failure::TooManyHashes) => Denial::TooManyHashes,
            Err(Failure::Missing(missing)) => Denial::Unproven(missing),
        }
    }
}

impl From<Failure> for NoDs {
    fn from(failure: Failure) -> NoDs {
        match failure {
            Failure::TooManyIterations => NoDs::TooManyIterations,
            Failure::TooManyHashes => NoDs::TooManyHashes,
            Failure::Missing(missing) => NoDs::Unproven(missing),
        }
    }
}
