//! All records of a zone in canonical order of their owners, to be looked up while a zone is checked.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::dns::{NameRef, RrType};
use crate::zone::merge::Record;

/// Owners and records. Unlike a tree it takes what no zone may have, and keeps duplicates and marks.
pub(in crate::zone) struct Book<'a, M> {
    apex: NameRef<'a>,
    owners: Vec<Span<'a>>,
    records: Vec<Record<'a, M>>,
    name_servers: OnceCell<HashSet<NameRef<'a>>>,
}

struct Span<'a> {
    name: NameRef<'a>,
    first: usize,
    end: usize,
    /// The topmost owner of a zone cut or a DNAME above.
    hidden_by: Option<usize>,
}

/// An owner name of the book.
pub(super) struct Owner<'b, 'a, M> {
    book: &'b Book<'a, M>,
    at: usize,
}

/// What a zone knows of a name.
pub(super) enum Place<'b, 'a, M> {
    /// It is not the zone's: outside, below a zone cut or below a DNAME.
    Elsewhere,
    /// It is a zone cut.
    Cut,
    /// It has records, of its own or by a wildcard.
    Records(Owner<'b, 'a, M>),
    /// It exists without records.
    Empty,
    /// It does not exist.
    Missing,
}

impl<'a, M> Book<'a, M> {
    /// No owner yet.
    pub(in crate::zone) fn new(apex: NameRef<'a>) -> Book<'a, M> {
        Book { apex, owners: Vec::new(), records: Vec::new(), name_servers: OnceCell::new() }
    }

    /// Adds an owner, which comes after all that were added before, with its records by [`Record::sort_key`].
    pub(in crate::zone) fn add(&mut self, name: NameRef<'a>, records: &[Record<'a, M>])
    where
        M: Copy,
    {
        // What stands between a name and one that hides it is hidden by the same.
        let hidden_by = self.owners.len().checked_sub(1).and_then(|last| {
            let above = self.at(self.owners[last].hidden_by.unwrap_or(last));
            (above.hides_what_is_below() && name.is_below(above.name())).then_some(above.at)
        });
        let first = self.records.len();
        self.records.extend_from_slice(records);
        self.owners.push(Span { name, first, end: self.records.len(), hidden_by });
    }

    pub(super) fn apex(&self) -> NameRef<'a> {
        self.apex
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = Owner<'_, 'a, M>> {
        (0..self.owners.len()).map(|at| self.at(at))
    }

    /// The owner of exactly this name.
    pub(super) fn exact(&self, name: NameRef<'_>) -> Option<Owner<'_, 'a, M>> {
        self.owners.binary_search_by(|span| span.name.canonical_cmp(name)).ok().map(|at| self.at(at))
    }

    /// The targets of all NS; asked after all owners were added.
    pub(super) fn name_servers(&self) -> &HashSet<NameRef<'a>> {
        self.name_servers.get_or_init(|| {
            let ns = self.records.iter().filter(|record| record.rr_type == RrType::NS);
            ns.filter_map(|record| NameRef::from_wire(record.rdata).ok()).collect()
        })
    }

    /// Where an answer about `name` would come from.
    pub(super) fn look_up(&self, name: NameRef<'_>) -> Place<'_, 'a, M> {
        if !name.is_at_or_below(self.apex) || self.is_hidden(name) {
            return Place::Elsewhere;
        }
        if let Some(owner) = self.exact(name) {
            return if owner.is_cut() { Place::Cut } else { Place::Records(owner) };
        }
        if self.exists(name) {
            return Place::Empty;
        }
        // RFC 4592 3.3.1: only the wildcard below the closest encloser counts.
        let encloser = name.ancestors().skip(1).find(|above| self.exists(*above)).unwrap_or(self.apex);
        let wildcard = super::join([&b"*"[..]].into_iter(), encloser);
        match wildcard.and_then(|wildcard| self.exact(wildcard.as_ref())) {
            Some(wildcard) if wildcard.is_cut() => Place::Cut,
            Some(wildcard) => Place::Records(wildcard),
            None => Place::Missing,
        }
    }

    fn is_hidden(&self, name: NameRef<'_>) -> bool {
        let above = name.ancestors().skip(1).take_while(|above| above.is_at_or_below(self.apex));
        above.filter_map(|above| self.exact(above)).any(|above| above.hides_what_is_below())
    }

    /// Whether the name or one below it has records.
    fn exists(&self, name: NameRef<'_>) -> bool {
        let next = self.owners.partition_point(|span| span.name < name);
        self.owners.get(next).is_some_and(|span| span.name.is_at_or_below(name))
    }

    fn at(&self, at: usize) -> Owner<'_, 'a, M> {
        Owner { book: self, at }
    }
}

impl<M> Clone for Owner<'_, '_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Owner<'_, '_, M> {}

impl<'b, 'a, M> Owner<'b, 'a, M> {
    pub(super) fn book(self) -> &'b Book<'a, M> {
        self.book
    }

    pub(super) fn name(self) -> NameRef<'a> {
        self.span().name
    }

    pub(super) fn is_apex(self) -> bool {
        self.name().octet_count() == self.book.apex.octet_count()
    }

    pub(super) fn records(self) -> &'b [Record<'a, M>] {
        &self.book.records[self.span().first..self.span().end]
    }

    pub(super) fn of_type(self, rr_type: RrType) -> &'b [Record<'a, M>] {
        let records = self.records();
        let start = records.partition_point(|record| record.rr_type < rr_type);
        let end = records.partition_point(|record| record.rr_type <= rr_type);
        &records[start..end]
    }

    pub(super) fn has(self, rr_type: RrType) -> bool {
        !self.of_type(rr_type).is_empty()
    }

    pub(super) fn has_address(self) -> bool {
        self.has(RrType::A) || self.has(RrType::AAAA)
    }

    /// Whether it is a delegation.
    pub(super) fn is_cut(self) -> bool {
        !self.is_apex() && self.has(RrType::NS)
    }

    /// The topmost owner of a zone cut or a DNAME above.
    pub(super) fn hidden_by(self) -> Option<Owner<'b, 'a, M>> {
        self.span().hidden_by.map(|at| self.book.at(at))
    }

    fn hides_what_is_below(self) -> bool {
        self.is_cut() || self.has(RrType::DNAME)
    }

    fn span(self) -> &'b Span<'a> {
        &self.book.owners[self.at]
    }
}
