//! Proofs by NSEC (RFC 4035 5.4, RFC 6840 4).

use super::check::{denies, may_enclose, no_ds_at};
use super::evidence::{Evidence, NsecSpan};
use super::verdict::{Missing, NoDs, Span};
use super::wildcard_of;
use crate::dns::{NameBuf, NameRef, RrType};

/// The NSEC records of the evidence.
pub(super) struct ByNsec<'e> {
    pub(super) evidence: &'e Evidence<'e>,
}

impl<'e> ByNsec<'e> {
    /// See [`super::check_nxdomain`].
    pub(super) fn nxdomain(&self, name: NameRef<'_>) -> Result<Span, Missing> {
        let closest_encloser = self.absence(name)?.closest_encloser(name);
        let mut buf = NameBuf::new();
        if let Some(wildcard) = wildcard_of(closest_encloser, &mut buf) {
            self.absence(wildcard).map_err(|_| Missing::NoWildcard(wildcard.to_name()))?;
        }
        Ok(Span::Whole)
    }

    /// See [`super::check_nodata`].
    pub(super) fn nodata(&self, name: NameRef<'_>, rr_type: RrType) -> Result<Span, Missing> {
        if let Some(types) = self.existing(name)? {
            return types.denies(name, rr_type);
        }
        let closest_encloser = self.absence(name)?.closest_encloser(name);
        let mut buf = NameBuf::new();
        // Without a wildcard that answers for it a name that does not exist has no NODATA.
        let wildcard = wildcard_of(closest_encloser, &mut buf).ok_or(Missing::Wildcard)?;
        match self.existing(wildcard) {
            Ok(Some(types)) => types.denies(wildcard, rr_type),
            _ => Err(Missing::WildcardTypes(wildcard.to_name())),
        }
    }

    /// See [`super::check_wildcard_answer`].
    pub(super) fn wildcard_answer(
        &self,
        name: NameRef<'_>,
        closest_encloser: NameRef<'_>,
    ) -> Result<Span, Missing> {
        if self.absence(name)?.closest_encloser(name) != closest_encloser {
            return Err(Missing::SourceOfSynthesis);
        }
        Ok(Span::Whole)
    }

    /// See [`super::check_no_ds`].
    pub(super) fn no_ds(&self, name: NameRef<'_>) -> Result<NoDs, Missing> {
        match self.matching(name) {
            Some(span) => no_ds_at(span.types),
            None => self.covering(name).map(|_| NoDs::NotACut),
        }
    }

    fn matching(&self, name: NameRef<'_>) -> Option<&'e NsecSpan<'e>> {
        self.evidence.nsecs.iter().find(|span| span.owner == name)
    }

    /// The record in whose span a name lies, if it speaks of names there.
    fn covering(&self, name: NameRef<'_>) -> Result<&'e NsecSpan<'e>, Missing> {
        let mut missing = Missing::Cover;
        for span in self.evidence.nsecs.iter().filter(|span| span.covers(name, self.evidence.apex)) {
            match may_enclose(span.types) {
                Err(why) if name.is_below(span.owner) => missing = why,
                _ => return Ok(span),
            }
        }
        Err(missing)
    }

    /// The record that says that a name does not exist. An empty non-terminal does: the next name is below it (RFC 4592
    /// 2.2.2).
    fn absence(&self, name: NameRef<'_>) -> Result<&'e NsecSpan<'e>, Missing> {
        if self.matching(name).is_some() {
            return Err(Missing::Absence);
        }
        let span = self.covering(name)?;
        if span.next.is_below(name) { Err(Missing::Absence) } else { Ok(span) }
    }

    /// What is known of a name that exists; none of one that does not.
    fn existing(&self, name: NameRef<'_>) -> Result<Option<Types<'e>>, Missing> {
        if let Some(span) = self.matching(name) {
            return Ok(Some(Types::Some(span)));
        }
        Ok(self.covering(name)?.next.is_below(name).then_some(Types::None))
    }
}

/// The types at a name that exists.
enum Types<'e> {
    /// It is an empty non-terminal.
    None,
    Some(&'e NsecSpan<'e>),
}

impl Types<'_> {
    fn denies(self, name: NameRef<'_>, rr_type: RrType) -> Result<Span, Missing> {
        if let Types::Some(span) = self {
            denies(span.types, name, rr_type)?;
        }
        Ok(Span::Whole)
    }
}
