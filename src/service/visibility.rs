//! Which of the zones served here clients see, and which the resolver.

use crate::dns::Name;
use crate::zone::ZoneTable;

/// Zones kept from some: `for-clients: false`, `for-resolver: false`.
#[derive(Debug, Clone, Default)]
pub struct Visibility {
    from_clients: Vec<Name>,
    from_resolver: Vec<Name>,
    tables: Option<Tables>,
}

/// Only made when something is hidden: else there is one table for all.
#[derive(Clone)]
struct Tables {
    clients: ZoneTable,
    resolver: ZoneTable,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Visibility {
    /// These zones are hidden from clients, those from the resolver.
    pub fn new(from_clients: Vec<Name>, from_resolver: Vec<Name>) -> Visibility {
        Visibility { from_clients, from_resolver, tables: None }
    }

    /// For these zones.
    pub fn of(&self, zones: &ZoneTable) -> Visibility {
        let without =
            |hidden: &[Name]| hidden.iter().fold(zones.clone(), |table, apex| table.without(apex.as_ref()));
        let is_needed = !(self.from_clients.is_empty() && self.from_resolver.is_empty());
        let tables = is_needed
            .then(|| Tables { clients: without(&self.from_clients), resolver: without(&self.from_resolver) });
        Visibility { tables, ..self.clone() }
    }

    /// Of all zones those that clients see.
    pub(super) fn for_clients<'a>(&'a self, all: &'a ZoneTable) -> &'a ZoneTable {
        self.tables.as_ref().map_or(all, |tables| &tables.clients)
    }

    /// Of all zones those that the resolver sees.
    pub(super) fn for_resolver<'a>(&'a self, all: &'a ZoneTable) -> &'a ZoneTable {
        self.tables.as_ref().map_or(all, |tables| &tables.resolver)
    }

    /// Whether any zone is for the resolver alone.
    pub(super) fn hides_from_clients(&self) -> bool {
        !self.from_clients.is_empty()
    }

    /// Whether the zone of this apex is for the resolver alone.
    pub(super) fn is_hidden_from_clients(&self, apex: crate::dns::NameRef<'_>) -> bool {
        self.from_clients.iter().any(|hidden| hidden.as_ref() == apex)
    }
}
