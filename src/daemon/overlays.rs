//! The overlays of a configuration, read from their files.

use std::path::Path;

use super::zone_file::read_records;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::dns::Name;
use crate::policy::{Ground, OverlayBuilder, Overlays};
use crate::zone::Zone;

/// Reads all overlays. One that cannot be read would leave names to those it was laid over, so it is an error.
pub(super) fn read(config: &Config) -> Result<Overlays, Box<Diagnostic>> {
    let mut overlays = Overlays::default();
    for zone in config.overlays() {
        let read = read_overlay(&zone.name, &config.resolve(&zone.file));
        let overlay = read.map_err(|diagnostics| {
            let first = diagnostics.into_iter().next();
            first.unwrap_or_else(|| Diagnostic::error(format!("the overlay {} cannot be read", zone.name)))
        })?;
        let ground = if zone.base.0.is_some() { Ground::Zone } else { Ground::Resolution };
        overlays.add(overlay, ground);
    }
    Ok(overlays)
}

/// Reads one overlay, or says what is wrong with its file.
pub fn read_overlay(apex: &Name, path: &Path) -> Result<Zone, Vec<Diagnostic>> {
    let mut builder = OverlayBuilder::new(apex.clone());
    read_records(apex, path, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata);
    })?;
    builder.build().map_err(|refused| {
        refused.iter().map(|why| Diagnostic::error(format!("{}: {why}", path.display()))).collect()
    })
}
