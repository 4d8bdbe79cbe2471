//! Access lists: networks compiled to sorted, disjoint ranges, asked by binary search.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;

use crate::dns::{Name, NameRef};
use crate::options::{Network, NotBuilt};

/// A named list of networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map with `name` and `networks`"
)]
pub struct AclOptions {
    /// What other lists call it.
    pub name: String,
    /// Addresses and prefixes.
    pub networks: Vec<Network>,
    // Its feature is to come.
    tsig_key: NotBuilt,
}

impl AclOptions {
    /// A list of that name.
    pub fn new(name: impl Into<String>, networks: Vec<Network>) -> AclOptions {
        AclOptions { name: name.into(), networks, tsig_key: NotBuilt }
    }
}

/// Who may do what. Each list names ACLs, the words `any`, `loopback` and `none`, or networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "the options of `access`")]
pub struct AccessOptions {
    /// Who is answered at all.
    pub query: Vec<String>,
    /// Who may have names resolved that are not served here.
    pub recursion: Vec<String>,
    /// Who may ask, with RD clear, what the cache holds.
    pub cache_only: Vec<String>,
    /// Who may transfer zones that have no list of their own.
    pub transfer: Vec<String>,
    /// Says that recursion for everyone is meant.
    pub open_resolver: bool,
    // Their features are to come.
    update: NotBuilt,
    notify: NotBuilt,
}

impl Default for AccessOptions {
    fn default() -> AccessOptions {
        AccessOptions {
            query: vec!["any".into()],
            recursion: vec!["loopback".into()],
            cache_only: vec!["loopback".into()],
            transfer: Vec::new(),
            open_resolver: false,
            update: NotBuilt,
            notify: NotBuilt,
        }
    }
}

/// One word of an access list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// Everyone.
    Any,
    /// 127.0.0.0/8 and ::1.
    Loopback,
    /// Nobody: an empty list in a word.
    Nobody,
    /// A network written where a name could be.
    Network(Network),
    /// The ACL of that name.
    Named(&'a str),
}

impl<'a> Who<'a> {
    /// The words that need no definition.
    pub const WORDS: [&'static str; 3] = ["any", "loopback", "none"];

    /// Reads a word; whether a named ACL exists is not asked.
    pub fn read(word: &'a str) -> Who<'a> {
        match word {
            "any" => Who::Any,
            "loopback" => Who::Loopback,
            "none" => Who::Nobody,
            _ => word.parse().map_or(Who::Named(word), Who::Network),
        }
    }
}

/// A list cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessError {
    /// A word names no ACL.
    Undefined(String),
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessError::Undefined(word) => write!(f, "acl `{word}` is not defined"),
        }
    }
}

impl std::error::Error for AccessError {}

/// The lists of `access`, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who is answered at all.
    pub query: Acl,
    /// Who may have names resolved.
    pub recursion: Acl,
    /// Who may ask what the cache holds.
    pub cache_only: Acl,
    /// Who may transfer which zone.
    pub transfer: TransferAccess,
}

/// Who may transfer which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferAccess {
    common: Acl,
    /// By apex, in canonical order.
    own: Arc<[(Name, Acl)]>,
}

impl TransferAccess {
    /// Whether `client` may have the zone: the zone's own list says so, and where it has none the common one.
    pub fn admits(&self, apex: NameRef<'_>, client: IpAddr) -> bool {
        let own = self.own.binary_search_by(|(name, _)| name.as_ref().canonical_cmp(apex));
        own.map_or(&self.common, |at| &self.own[at].1).admits(client)
    }

    /// With lists of their own for zones, by apex.
    pub fn with_own(self, own: impl IntoIterator<Item = (Name, Acl)>) -> TransferAccess {
        let mut own: Vec<(Name, Acl)> = own.into_iter().collect();
        own.sort_by(|(name, _), (other, _)| name.cmp(other));
        TransferAccess { own: own.into(), ..self }
    }
}

impl Access {
    /// Compiles the lists; `acls` are the definitions their words may name.
    pub fn compile(options: &AccessOptions, acls: &[AclOptions]) -> Result<Access, AccessError> {
        Ok(Access {
            query: Acl::compile(&options.query, acls)?,
            recursion: Acl::compile(&options.recursion, acls)?,
            cache_only: Acl::compile(&options.cache_only, acls)?,
            transfer: TransferAccess { common: Acl::compile(&options.transfer, acls)?, own: Arc::default() },
        })
    }
}

/// A set of addresses.
///
/// Invariant: in each family the ranges are inclusive, sorted, and neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Acl {
    /// The set of the addresses in `networks`.
    pub fn of(networks: impl IntoIterator<Item = Network>) -> Acl {
        let mut ranges = Ranges::default();
        networks.into_iter().for_each(|network| ranges.add(network));
        ranges.finish()
    }

    /// The set a list of words means.
    pub fn compile<W: AsRef<str>>(words: &[W], acls: &[AclOptions]) -> Result<Acl, AccessError> {
        let acls: HashMap<&str, &AclOptions> = acls.iter().map(|acl| (acl.name.as_str(), acl)).collect();
        let mut ranges = Ranges::default();
        for word in words {
            match Who::read(word.as_ref()) {
                Who::Any => {
                    ranges.v4.push((0, u32::MAX));
                    ranges.v6.push((0, u128::MAX));
                }
                Who::Loopback => {
                    ranges.v4.push((0x7f00_0000, 0x7fff_ffff));
                    ranges.v6.push((1, 1));
                }
                Who::Nobody => {}
                Who::Network(network) => ranges.add(network),
                Who::Named(name) => {
                    let acl = acls.get(name).ok_or_else(|| AccessError::Undefined(name.to_owned()))?;
                    acl.networks.iter().for_each(|network| ranges.add(*network));
                }
            }
        }
        Ok(ranges.finish())
    }

    /// Whether `client` is in the set. An IPv4 client on an IPv6 socket (RFC 4291 2.5.5.2) counts as IPv4.
    pub fn admits(&self, client: IpAddr) -> bool {
        match client.to_canonical() {
            IpAddr::V4(address) => contains(&self.v4, address.to_bits()),
            IpAddr::V6(address) => contains(&self.v6, address.to_bits()),
        }
    }

    /// Whether a whole address family is in the set.
    pub fn is_everyone(&self) -> bool {
        *self.v4 == [(0, u32::MAX)] || *self.v6 == [(0, u128::MAX)]
    }
}

fn contains<A: Ord>(ranges: &[(A, A)], address: A) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).is_some_and(|at| address <= ranges[at].1)
}

#[derive(Default)]
struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Ranges {
    fn add(&mut self, network: Network) {
        match network.bounds() {
            (IpAddr::V4(first), IpAddr::V4(last)) => self.v4.push((first.to_bits(), last.to_bits())),
            (IpAddr::V6(first), IpAddr::V6(last)) => self.v6.push((first.to_bits(), last.to_bits())),
            _ => debug_assert!(false, "a network is of one family"),
        }
    }

    fn finish(self) -> Acl {
        Acl { v4: merge(self.v4, |last| last.checked_add(1)), v6: merge(self.v6, |last| last.checked_add(1)) }
    }
}

fn merge<A: Ord + Copy>(mut ranges: Vec<(A, A)>, next: impl Fn(A) -> Option<A>) -> Box<[(A, A)]> {
    ranges.sort_unstable();
    let mut merged: Vec<(A, A)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            // Nothing follows the highest address, so a range up to it takes in all later ones.
            Some(before) if next(before.1).is_none_or(|next| first <= next) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn acl(words: &[&str]) -> Acl {
        let lan = AclOptions::new("lan", vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        Acl::compile(words, &[lan]).unwrap()
    }

    #[test]
    fn words_mean_what_they_say() {
        for (words, client, admitted) in [
            (&["any"][..], "192.0.2.1", true),
            (&["any"], "2001:db8::1", true),
            (&["loopback"], "127.255.255.255", true),
            (&["loopback"], "::1", true),
            (&["loopback"], "::ffff:127.0.0.1", true),
            (&["loopback"], "128.0.0.0", false),
            (&["loopback"], "::2", false),
            (&[], "127.0.0.1", false),
            (&["none"], "127.0.0.1", false),
            (&["none", "lan"], "10.1.2.3", true),
            (&["lan"], "::ffff:10.1.2.3", true),
            (&["lan"], "fd12::1", true),
            (&["lan"], "11.0.0.0", false),
            (&["192.0.2.0/24"], "192.0.2.255", true),
            (&["::/0"], "192.0.2.1", false),
            (&["0.0.0.0/0"], "::ffff:192.0.2.1", true),
        ] {
            assert_eq!(acl(words).admits(client.parse().unwrap()), admitted, "{words:?} {client}");
        }
    }

    #[test]
    fn a_zone_with_a_list_of_its_own_is_not_for_those_of_the_common_one() {
        let options = AccessOptions { transfer: vec!["192.0.2.1".into()], ..AccessOptions::default() };
        let transfer = Access::compile(&options, &[]).unwrap().transfer;
        let own =
            ["b.test.", "own.test.", "a.test."].map(|apex| (apex.parse().unwrap(), acl(&["192.0.2.2"])));
        let transfer = transfer.with_own(own);
        for (apex, client, admitted) in [
            ("other.test.", "192.0.2.1", true),
            ("other.test.", "192.0.2.2", false),
            ("OWN.test.", "192.0.2.1", false),
            ("own.test.", "192.0.2.2", true),
        ] {
            let apex: Name = apex.parse().unwrap();
            assert_eq!(transfer.admits(apex.as_ref(), client.parse().unwrap()), admitted, "{apex} {client}");
        }
    }

    #[test]
    fn everyone_is_noticed_in_pieces_too() {
        assert!(acl(&["any"]).is_everyone());
        assert!(acl(&["128.0.0.0/1", "0.0.0.0/1"]).is_everyone());
        assert!(acl(&["lan", "::/0"]).is_everyone());
        assert!(!acl(&["lan", "loopback", "128.0.0.0/1"]).is_everyone());
    }

    #[test]
    fn an_undefined_name_is_an_error() {
        assert_eq!(Acl::compile(&["lna"], &[]), Err(AccessError::Undefined("lna".into())));
        let access = Access::compile(&AccessOptions::default(), &[]).unwrap();
        assert!(access.query.admits([192, 0, 2, 1].into()));
        assert!(!access.recursion.admits([192, 0, 2, 1].into()));
    }

    /// Few leading octets, so that networks and clients meet.
    fn address() -> impl Strategy<Value = IpAddr> {
        let v4 = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(bits));
        prop_oneof![
            (0u32..4, any::<u32>()).prop_map(move |(top, low)| v4((top << 30) | (low & 0xff00_00ff))),
            any::<u32>().prop_map(move |bits| v4(bits & 7)),
            Just(v4(u32::MAX)),
            (0u128..4, any::<u8>())
                .prop_map(|(top, low)| Ipv6Addr::from_bits((top << 126) | u128::from(low)).into()),
            any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).to_ipv6_mapped().into()),
            Just(IpAddr::V6(Ipv6Addr::from_bits(u128::MAX))),
        ]
    }

    proptest! {
        #[test]
        fn admits_agrees_with_asking_every_network(
            networks in prop::collection::vec((address(), 0u8..=128), 0..12),
            clients in prop::collection::vec(address(), 1..20),
        ) {
            let networks: Vec<ipnet::IpNet> = networks
                .into_iter()
                .map(|(address, length)| {
                    let address = address.to_canonical();
                    let most = if address.is_ipv4() { 32 } else { 128 };
                    ipnet::IpNet::new_assert(address, length.min(most)).trunc()
                })
                .collect();
            let acl = Acl::of(networks.iter().map(|net| net.to_string().parse().unwrap()));
            for client in clients {
                let plainly = networks.iter().any(|net| net.contains(&client.to_canonical()));
                prop_assert_eq!(acl.admits(client), plainly, "{:?} {}", networks, client);
            }
            for pair in acl.v4.windows(2) {
                prop_assert!(pair[0].1 < pair[1].0 && pair[1].0 - pair[0].1 > 1);
            }
        }
    }
}
