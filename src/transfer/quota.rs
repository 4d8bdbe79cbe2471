//! How many transfers may be under way at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// Transfers under way by peer. It is asked after the access list, so that whoever may not transfer takes nobody's
/// place.
///
/// Invariants: no peer is listed with zero; the numbers are those of the living places.
#[derive(Debug, Default)]
pub struct Quota {
    under_way: Mutex<BTreeMap<IpAddr, usize>>,
}

/// The right to one transfer; given back when dropped.
#[derive(Debug)]
pub struct Place {
    quota: Arc<Quota>,
    peer: IpAddr,
}

impl Quota {
    /// A place for a transfer to `peer`, if there is one.
    pub fn take(self: &Arc<Quota>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut under_way = self.under_way();
        let of_peer = under_way.get(&peer).copied().unwrap_or(0);
        if under_way.values().sum::<usize>() >= limits::TRANSFERS || of_peer >= limits::TRANSFERS_PER_PEER {
            return None;
        }
        under_way.insert(peer, of_peer + 1);
        drop(under_way);
        Some(Place { quota: Arc::clone(self), peer })
    }

    /// A map of a few entries, locked for a look: transfers are rare.
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.quota.under_way();
        match under_way.get_mut(&self.peer) {
            Some(count @ 2..) => *count -= 1,
            _ => {
                under_way.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_end_at_the_bounds_and_come_back() {
        let quota = Arc::new(Quota::default());
        let peer = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut places: Vec<Place> =
            (0..limits::TRANSFERS_PER_PEER).filter_map(|_| quota.take(peer(1))).collect();
        assert_eq!(places.len(), limits::TRANSFERS_PER_PEER);
        assert!(quota.take(peer(1)).is_none() && quota.take("::ffff:192.0.2.1".parse().unwrap()).is_none());
        places.extend((2..100).filter_map(|last| quota.take(peer(last))));
        assert_eq!(places.len(), limits::TRANSFERS);
        places.remove(0);
        assert!(quota.take(peer(1)).is_some(), "given back at once when not kept");
        places.clear();
        assert!(quota.under_way().is_empty());
    }
}
