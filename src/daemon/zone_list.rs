//! Which zones there are, and from which file each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::stamp::Stamp;
use super::versions::VersionOptions;
use super::zone_file::guess_apex;
use crate::config::{Config, MaxRemoved, ZoneOptions};
use crate::diagnostic::Diagnostic;
use crate::dns::Name;

/// A zone to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedZone {
    pub(super) file: PathBuf,
    /// How much a version may lose without a word from the operator.
    pub(super) max_removed: MaxRemoved,
    /// How its versions are numbered and kept.
    pub(super) versions: VersionOptions,
}

impl ListedZone {
    /// A zone that no configuration says anything of.
    fn plain(file: PathBuf) -> ListedZone {
        ListedZone { file, max_removed: MaxRemoved::NONE, versions: VersionOptions::default() }
    }
}

/// Where the list of zones comes from.
pub(super) enum ZoneSource {
    /// From the configuration.
    Configured(BTreeMap<Name, ListedZone>),
    /// Files named on the command line.
    Files(Vec<PathBuf>),
    /// Every `*.zone` in a folder, looked at anew each time.
    Folder(PathBuf),
}

/// The list of zones, and the zones of files that name theirs inside, by how those files were.
pub(super) struct ZoneList {
    source: ZoneSource,
    names: BTreeMap<PathBuf, (Stamp, Name)>,
}

/// The zones as they are now, and what is wrong with the list itself.
pub(super) struct Listing {
    pub(super) zones: BTreeMap<Name, ListedZone>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl ZoneList {
    pub(super) fn of(config: &Config, is_from_file: bool, files: &[PathBuf]) -> ZoneList {
        let source = if !files.is_empty() {
            ZoneSource::Files(files.to_vec())
        } else if is_from_file {
            let listed = |zone: &ZoneOptions| {
                let file = config.resolve(&zone.file);
                let versions = VersionOptions::of(zone);
                (zone.name.clone(), ListedZone { file, max_removed: zone.max_removed, versions })
            };
            ZoneSource::Configured(config.primaries().map(listed).collect())
        } else {
            ZoneSource::Folder("zones".into())
        };
        ZoneList { source, names: BTreeMap::new() }
    }

    /// The folder whose files are zones, if that is where they come from.
    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.source {
            ZoneSource::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// The zones as they are now. A file is opened only to learn the name of its zone, and only when it changed.
    pub(super) fn zones(&mut self) -> Listing {
        let files = match &self.source {
            ZoneSource::Configured(zones) => {
                return Listing { zones: zones.clone(), diagnostics: Vec::new() };
            }
            ZoneSource::Files(files) => files.clone(),
            ZoneSource::Folder(folder) => zone_files_in(folder),
        };
        let mut listing = Listing { zones: BTreeMap::new(), diagnostics: Vec::new() };
        let mut names = BTreeMap::new();
        for file in files {
            match self.name_of(&file) {
                Err(diagnostic) => listing.diagnostics.push(*diagnostic),
                Ok((stamp, apex)) => {
                    if let Some(stamp) = stamp {
                        names.insert(file.clone(), (stamp, apex.clone()));
                    }
                    listing.add(apex, file);
                }
            }
        }
        self.names = names;
        listing
    }

    fn name_of(&self, file: &Path) -> Result<(Option<Stamp>, Name), Box<Diagnostic>> {
        let stamp = Stamp::at(file);
        if let (Some(now), Some((known, apex))) = (stamp, self.names.get(file))
            && now == *known
        {
            return Ok((stamp, apex.clone()));
        }
        guess_apex(file).map(|apex| (stamp, apex))
    }
}

impl Listing {
    fn add(&mut self, apex: Name, file: PathBuf) {
        if let Some(first) = self.zones.get(&apex) {
            let message =
                format!("{}: the zone {apex} stands in {} too", file.display(), first.file.display());
            self.diagnostics.push(Diagnostic::error(message).help("keep one of them"));
            return;
        }
        self.zones.insert(apex, ListedZone::plain(file));
    }
}

/// The `*.zone` files of a folder by name; none when there is no folder.
pub fn zone_files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "zone"))
        .collect();
    files.sort();
    files
}
