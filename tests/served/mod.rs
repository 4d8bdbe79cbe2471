//! A server without doors, for tests and benches: a snapshot of zones given as text.

use std::sync::Arc;

use namu::dns::Name;
use namu::policy::{Access, AccessOptions};
use namu::service::{ServeOptions, Snapshot};
use namu::zone::{Zone, ZoneBuilder, ZoneEntry, ZoneTable};
use namu::zonefile::{Files, NoIncludes, parse};

/// The zone of a text without mistakes.
pub fn zone(apex: &str, text: &str) -> Zone {
    let apex: Name = apex.parse().expect("a name");
    let mut files = Files::new("zone", text.as_bytes().to_vec());
    let mut builder = ZoneBuilder::new(apex.clone());
    let warnings = parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    });
    warnings.unwrap_or_else(|mistakes| panic!("{apex} {mistakes:?}"));
    builder.build().unwrap_or_else(|errors| panic!("{apex} {errors:?}")).zone
}

/// What is served when these are all zones, with the options of a server that was told nothing, and no recursion.
pub fn snapshot(entries: impl IntoIterator<Item = ZoneEntry>) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        zones: entries.into_iter().fold(ZoneTable::new(), |table, entry| table.with(entry)),
        access: Access::compile(&AccessOptions::default(), &[]).expect("the default has no ACLs"),
        options: ServeOptions::default(),
        recursion: None,
        #[cfg(debug_assertions)]
        panic_on: None,
    })
}
