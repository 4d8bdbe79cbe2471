//! Proofs by NSEC3 (RFC 5155 section 8).

use super::super::nsec3::OwnerHash;
use super::check::{denies, may_enclose, no_ds_at};
use super::evidence::{Evidence, Nsec3Span};
use super::hashes::Hashes;
use super::verdict::{Failure, Missing, NoDs, Span};
use super::{next_closer, wildcard_of};
use crate::dns::{NameBuf, NameRef, RrType};
use crate::limits;

/// The NSEC3 records of the evidence, all with these parameters.
pub(super) struct ByNsec3<'e> {
    pub(super) evidence: &'e Evidence<'e>,
    pub(super) iterations: u16,
    pub(super) salt: &'e [u8],
    pub(super) hashes: &'e mut Hashes,
}

/// A closest encloser with the proof that it is one.
struct Proven<'n> {
    closest_encloser: NameRef<'n>,
    /// Of the record that covers the next closer name.
    span: Span,
}

impl<'e> ByNsec3<'e> {
    /// See [`super::check_nxdomain`].
    pub(super) fn nxdomain(&mut self, name: NameRef<'_>) -> Result<Span, Failure> {
        let Proven { closest_encloser, span } = self.closest_encloser(name)?;
        let mut buf = NameBuf::new();
        let Some(wildcard) = wildcard_of(closest_encloser, &mut buf) else {
            return Ok(span);
        };
        match self.covering(wildcard)? {
            Some(covering) => Ok(span.and(Span::of(covering.opt_out))),
            None => Err(Missing::NoWildcard(wildcard.to_name()).into()),
        }
    }

    /// See [`super::check_nodata`].
    pub(super) fn nodata(&mut self, name: NameRef<'_>, rr_type: RrType) -> Result<Span, Failure> {
        if let Some(matching) = self.matching(name)? {
            denies(matching.types, name, rr_type)?;
            return Ok(Span::Whole);
        }
        let Proven { closest_encloser, span } = self.closest_encloser(name)?;
        // RFC 5155 8.6, and its erratum 3441 for other types than DS: the name may be an insecure delegation, or an empty
        // non-terminal above some.
        if span == Span::OptOut {
            return Ok(span);
        }
        let mut buf = NameBuf::new();
        // Without a wildcard that answers for it a name that does not exist has no NODATA.
        let wildcard = wildcard_of(closest_encloser, &mut buf).ok_or(Missing::Wildcard)?;
        match self.matching(wildcard)? {
            Some(matching) => {
                denies(matching.types, wildcard, rr_type)?;
                Ok(span)
            }
            None => match self.covering(wildcard)? {
                Some(covering) if covering.opt_out => Ok(Span::OptOut),
                _ => Err(Missing::WildcardTypes(wildcard.to_name()).into()),
            },
        }
    }

    /// See [`super::check_wildcard_answer`]. That the encloser exists is seen from the wildcard, which is signed.
    pub(super) fn wildcard_answer(
        &mut self,
        name: NameRef<'_>,
        closest_encloser: NameRef<'_>,
    ) -> Result<Span, Failure> {
        let next_closer = next_closer(name, closest_encloser);
        match self.covering(next_closer)? {
            Some(covering) => Ok(Span::of(covering.opt_out)),
            None => Err(Missing::NextCloser(next_closer.to_name()).into()),
        }
    }

    /// See [`super::check_no_ds`].
    pub(super) fn no_ds(&mut self, name: NameRef<'_>) -> Result<NoDs, Failure> {
        if let Some(matching) = self.matching(name)? {
            return Ok(no_ds_at(matching.types)?);
        }
        Ok(match self.closest_encloser(name)?.span {
            Span::OptOut => NoDs::OptOut,
            Span::Whole => NoDs::NotACut,
        })
    }

    /// The closest encloser proof (RFC 5155 8.3): a record matches an ancestor, and one covers the name one label below it. No
    /// other pair can do so in the same chain, so the order in which they are tried is free.
    fn closest_encloser<'n>(&mut self, name: NameRef<'n>) -> Result<Proven<'n>, Failure> {
        let apex = self.evidence.apex;
        let names: Vec<NameRef<'n>> =
            name.ancestors().take_while(|ancestor| ancestor.is_at_or_below(apex)).collect();
        let first = names.len().min(1 + limits::NSEC3_LABELS_FIRST);
        let mut missing = Missing::ClosestEncloser;
        for place in (1..first).chain((first..names.len()).rev()) {
            let Some(matching) = self.matching(names[place])? else { continue };
            match self.covering(names[place - 1])? {
                Some(covering) => {
                    // RFC 5155 8.3: such a record is of a name below which the zone knows nothing.
                    may_enclose(matching.types)?;
                    return Ok(Proven { closest_encloser: names[place], span: Span::of(covering.opt_out) });
                }
                None => missing = Missing::NextCloser(names[place - 1].to_name()),
            }
        }
        Err(missing.into())
    }

    fn matching(&mut self, name: NameRef<'_>) -> Result<Option<&'e Nsec3Span<'e>>, Failure> {
        let hash = self.hash(name)?;
        Ok(self.evidence.nsec3s.iter().find(|span| span.owner == hash))
    }

    fn covering(&mut self, name: NameRef<'_>) -> Result<Option<&'e Nsec3Span<'e>>, Failure> {
        let hash = self.hash(name)?;
        Ok(self.evidence.nsec3s.iter().find(|span| span.covers(hash)))
    }

    fn hash(&mut self, name: NameRef<'_>) -> Result<OwnerHash, Failure> {
        self.hashes.hash(name, self.iterations, self.salt)
    }
}
