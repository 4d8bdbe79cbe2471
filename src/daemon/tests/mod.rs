//! The memory of zones on a real disk.

mod anchors;
mod gate;
mod journals;
mod versions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::state::State;
use super::versions::{Prepared, VersionOptions, Versions};
use super::zone_file::read_zone;
use crate::clock::Unix;
use crate::config::{JournalSize, SerialPolicy};
use crate::dns::Name;
use crate::options::Bytes;
use crate::zone::{Cause, Zone};

/// 2026-11-21.
pub(super) const NOW: Unix = Unix(1_795_219_200_000_000_000);

/// A folder of its own, and a server that is started and stopped in it, as far as versions are concerned.
pub(super) struct Home {
    pub(super) folder: PathBuf,
    pub(super) options: VersionOptions,
    pub(super) versions: Versions,
    pub(super) served: Option<Arc<Zone>>,
}

impl Home {
    pub(super) fn new(policy: SerialPolicy, journal: JournalSize) -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("namu-versions-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let versions = Versions::new(State::new(folder.join("state")));
        Home { folder, options: VersionOptions { serial: policy, journal }, versions, served: None }
    }

    pub(super) fn plain() -> Home {
        Home::new(SerialPolicy::Increment, JournalSize::default())
    }

    pub(super) fn with_room(octets: u64) -> Home {
        Home::new(SerialPolicy::Increment, JournalSize::AtMost(Bytes(octets)))
    }

    /// Writes the zone file anew and loads it; what is published, and all that is remarked.
    pub(super) fn load(&mut self, serial: u32, lines: &[&str]) -> (u32, String) {
        let prepared = self.prepare(serial, lines);
        self.publish(prepared)
    }

    pub(super) fn prepare(&self, serial: u32, lines: &[&str]) -> Prepared {
        let (path, lines) = (self.folder.join("example.zone"), lines.join("\n"));
        let text = format!("$TTL 60\n@ SOA ns hostmaster {serial} 7200 900 1209600 300\n@ NS ns\n{lines}\n");
        std::fs::write(&path, text).unwrap();
        let zone = read_zone(&apex(), &path).zone.unwrap();
        self.versions.prepare(zone, self.served.as_ref(), self.options, Cause::Signal, NOW)
    }

    pub(super) fn publish(&mut self, prepared: Prepared) -> (u32, String) {
        let mut remarks: Vec<String> = prepared.remarks.iter().map(|remark| remark.message.clone()).collect();
        remarks.extend(self.versions.commit(&prepared).into_iter().map(|remark| remark.message));
        self.served = Some(prepared.zone);
        (self.served.as_ref().unwrap().serial().0, remarks.join("\n"))
    }

    /// Forgets all that is not on the disk.
    pub(super) fn restart(&mut self) {
        self.versions = Versions::new(State::new(self.folder.join("state")));
        self.served = None;
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("state/zones/example.journal")
    }

    /// The serials of the history, the oldest first.
    pub(super) fn serials(&self) -> Vec<u32> {
        let versions = self.versions.history(apex().as_ref()).unwrap();
        versions.iter().map(|version| version.serial.0).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn apex() -> Name {
    "example.".parse().unwrap()
}

/// The types and records of a zone, one line each.
pub(super) fn listing(zone: &Zone) -> Vec<String> {
    let rrsets = zone.nodes().flat_map(|node| node.rrsets());
    rrsets
        .map(|rrset| format!("{} {} {} {:?}", rrset.owner, rrset.ttl, rrset.rr_type, rrset.records))
        .collect()
}
