//! The overlays of a configuration, read from their files. They are small, so the house reads them itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf, absolute};

use super::house::House;
use super::say_diagnostics;
use super::zone_file::{explain, files_of, read_records};
use crate::config::{Config, ZoneOptions};
use crate::diagnostic::Diagnostic;
use crate::dns::Name;
use crate::policy::{Ground, OverlayBuilder, OverlayError, Overlays};
use crate::zone::Zone;
use crate::zonefile::{Files, Mark};

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

/// The files of all overlays and those they include, as the system names them.
pub(super) fn files(config: &Config) -> BTreeSet<PathBuf> {
    let files =
        |zone: &ZoneOptions| absolute(config.resolve(&zone.file)).map(|file| files_of(&zone.name, &file));
    config.overlays().filter_map(|zone| files(zone).ok()).flatten().collect()
}

/// The folders where a change may concern one of these files.
pub(super) fn folders(files: &BTreeSet<PathBuf>) -> impl Iterator<Item = PathBuf> {
    files.iter().filter_map(|file| file.parent().map(Path::to_path_buf))
}

impl House {
    /// Reads the overlays anew when one of these files is theirs, or any file may be. With a mistake in one of them all stay
    /// as they were.
    pub(super) fn hear_of_overlays(&mut self, changed: &BTreeSet<PathBuf>, all: bool) {
        if !self.overlay_files.iter().any(|file| all || changed.contains(file)) {
            return;
        }
        let files = files(&self.config);
        match read(&self.config) {
            Ok(overlays) => {
                let mut snapshot = self.published.load().copy();
                snapshot.options.overlays = overlays;
                self.published.publish(snapshot);
                self.overlay_files = files;
                tracing::info!("the overlays were read anew");
            }
            Err(diagnostic) => {
                // The mistake may be mended in any file of before or of now.
                self.overlay_files.extend(files);
                say_diagnostics(&[*diagnostic]);
                tracing::warn!("an overlay has errors; all of them stay as they were");
            }
        }
    }
}

/// Reads one overlay, or says what is wrong with its file.
pub fn read_overlay(apex: &Name, path: &Path) -> Result<Zone, Vec<Diagnostic>> {
    let mut builder = OverlayBuilder::new(apex.clone());
    let (files, _) = read_records(apex, path, &mut |record| {
        builder.push(record.owner, record.rr_type, record.ttl, record.rdata, record.mark);
    })?;
    builder.build().map_err(|errors| errors.iter().map(|error| explain_overlay(error, &files)).collect())
}

fn explain_overlay(error: &OverlayError<Mark>, files: &Files) -> Diagnostic {
    match error {
        OverlayError::Zone(finding) => explain(finding, files),
        OverlayError::Dname { mark, .. } => Diagnostic::error(error.to_string())
            .help("an overlay replaces names one by one; write CNAME records instead")
            .at(files.place(*mark)),
    }
}
