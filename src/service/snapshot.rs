//! What is served at one moment, published whole: a query sees entirely the old or entirely the new.

use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use super::identity::Identity;
use super::visibility::Visibility;
use super::waiting::Waiting;
use crate::dns::QuestionRef;
use crate::policy::{
    Access, ClientLimit, CookieSecrets, Nat64Prefix, Overlays, RateLimit, RebindingGuard, SpecialNames,
};
use crate::recursion::Recursion;
use crate::transfer::Quota;
use crate::zone::ZoneTable;

/// Everything answers are made from. Never changed once published.
pub struct Snapshot {
    /// The zones served here.
    pub zones: ZoneTable,
    /// Who may ask what.
    pub access: Access,
    /// How responses are written.
    pub options: ServeOptions,
    /// The resolver, when there is one.
    pub recursion: Option<Arc<Recursion>>,
    /// The name whose question panics, for the test that a panic costs one query.
    #[cfg(debug_assertions)]
    pub panic_on: Option<crate::dns::Name>,
}

impl Snapshot {
    /// The same once more, to be published with some of it changed.
    pub fn copy(&self) -> Snapshot {
        Snapshot {
            zones: self.zones.clone(),
            access: self.access.clone(),
            options: self.options.clone(),
            recursion: self.recursion.clone(),
            #[cfg(debug_assertions)]
            panic_on: self.panic_on.clone(),
        }
    }

    /// The same with other zones.
    pub fn with_zones(mut self, zones: ZoneTable) -> Snapshot {
        self.options.visibility = self.options.visibility.of(&zones);
        Snapshot { zones, ..self }
    }

    /// The zones that clients see.
    pub fn zones_for_clients(&self) -> &ZoneTable {
        self.options.visibility.for_clients(&self.zones)
    }

    /// The zones that the resolver sees.
    pub(super) fn zones_for_resolver(&self) -> &ZoneTable {
        self.options.visibility.for_resolver(&self.zones)
    }

    /// The zones of special names to answer a question from.
    pub(super) fn special_zones(&self, question: QuestionRef<'_>) -> Option<&ZoneTable> {
        self.options.special_names.as_ref()?.zones_for(question)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A snapshot may hold a million names; what tells one from another is enough.
        f.debug_struct("Snapshot").field("zones", &self.zones.iter().count()).finish_non_exhaustive()
    }
}

/// How requests are treated and responses written.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The EDNS payload size offered to clients, and the most octets of a UDP response.
    pub udp_payload_size: u16,
    /// In which order the records of an RRset are sent.
    pub rrset_order: RrsetOrder,
    /// Whether responses carry extended errors (RFC 8914).
    pub extended_errors: bool,
    /// What the server says of itself.
    pub identity: Identity,
    /// The secrets of server cookies; without any, cookies are not looked at.
    pub cookies: Option<CookieSecrets>,
    /// How often one answer may go to one network, if that is limited. Each worker takes its share.
    pub rate_limit: Option<RateLimit>,
    /// How often one network is heard, if that is limited. Each worker takes its share.
    pub client_limit: Option<ClientLimit>,
    /// The names answered without asking anybody, if any are.
    pub special_names: Option<Arc<SpecialNames>>,
    /// Names laid over zones and over what is resolved.
    pub overlays: Overlays,
    /// Which zones clients and the resolver see.
    pub visibility: Visibility,
    /// The addresses that public names may not have, if any.
    pub rebinding: Option<Arc<RebindingGuard>>,
    /// The prefix of synthesised addresses (RFC 6147), if there is one.
    pub dns64: Option<Nat64Prefix>,
    /// The zone transfers under way, of all snapshots together.
    pub transfers: Arc<Quota>,
    /// Who waits for recursion, of all snapshots together.
    pub waiting: Arc<Waiting>,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            udp_payload_size: crate::limits::UDP_PAYLOAD,
            rrset_order: RrsetOrder::Rotate,
            extended_errors: true,
            identity: Identity::default(),
            cookies: None,
            rate_limit: None,
            client_limit: None,
            special_names: None,
            overlays: Overlays::default(),
            visibility: Visibility::default(),
            rebinding: None,
            dns64: None,
            transfers: Arc::default(),
            waiting: Arc::default(),
        }
    }
}

/// In which order the records of an RRset are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RrsetOrder {
    /// From another one on in each response.
    Rotate,
    /// As in the zone.
    Fixed,
    /// In any, drawn anew for each response.
    Random,
}

/// The snapshot in force. Publishing frees the old one on the publisher's thread once its readers moved on.
#[derive(Debug)]
pub struct Published {
    current: ArcSwap<Snapshot>,
}

impl Published {
    /// Publishes the first snapshot.
    pub fn new(snapshot: Snapshot) -> Arc<Published> {
        Arc::new(Published { current: ArcSwap::from_pointee(snapshot) })
    }

    /// The snapshot in force, held on to.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts a new snapshot in force and returns the old one.
    pub fn publish(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        self.current.swap(Arc::new(snapshot))
    }

    /// A reader for one worker.
    pub fn reader(self: &Arc<Published>) -> Reader {
        Reader { cache: Cache::new(PublishedRef(Arc::clone(self))) }
    }
}

/// One worker's hold on the snapshot in force: looking whether it is still in force is one atomic read.
#[derive(Debug)]
pub struct Reader {
    cache: Cache<PublishedRef, Arc<Snapshot>>,
}

impl Reader {
    /// The snapshot in force now.
    pub fn current(&mut self) -> &Arc<Snapshot> {
        self.cache.load()
    }
}

#[derive(Debug)]
struct PublishedRef(Arc<Published>);

impl std::ops::Deref for PublishedRef {
    type Target = ArcSwap<Snapshot>;

    fn deref(&self) -> &ArcSwap<Snapshot> {
        &self.0.current
    }
}
