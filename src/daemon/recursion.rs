//! The resolver, made from its options.

use std::net::{IpAddr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::anchors;
use super::zone_file::read_records;
use crate::cache::{Cache, CacheOptions, NameServer};
use crate::config::{self, Config, Ipv6, QnameMinimization};
use crate::diagnostic::Diagnostic;
use crate::dns::{Name, NameRef, RrType};
use crate::net::clock::Clock;
use crate::net::{Outgoing, Upstream};
use crate::observe::FlightRecorder;
use crate::recursion::Recursion;
use crate::resolver::{Minimisation, NeverQuery, ResolverOptions, RootHints};
use crate::validator::{AnchorStore, Validation};

/// A cache of a configuration, with nothing in it.
pub(super) fn new_cache(config: &Config) -> Arc<Cache> {
    Arc::new(Cache::new(cache_options(&config.cache)))
}

/// A cache of a configuration with the content of another.
pub(super) fn changed_cache(cache: &Cache, config: &Config) -> Arc<Cache> {
    Arc::new(cache.with_options(cache_options(&config.cache)))
}

/// The resolver of a configuration, with a cache that may have served another; none when it is not enabled.
pub(super) fn start(
    config: &Config,
    cache: &Arc<Cache>,
    clock: &Arc<Clock>,
    recorder: &Arc<FlightRecorder>,
    anchors: &Arc<AnchorStore>,
) -> Result<Option<Arc<Recursion>>, Vec<Diagnostic>> {
    let options = &config.resolver;
    if !options.enabled {
        return Ok(None);
    }
    let hints = hints(config)?;
    let outgoing: Vec<IpAddr> = options.outgoing_addresses.iter().map(|address| address.0).collect();
    let world = Upstream::new(Arc::clone(clock), Outgoing::new(&outgoing));
    let (cache, recorder) = (Arc::clone(cache), Arc::clone(recorder));
    let recursion = Recursion::recorded(cache, Arc::new(world), hints, resolver_options(config), recorder);
    Ok(Some(match config.validates() {
        false => recursion,
        true => {
            let (options, anchors) = (anchors::options(config), Arc::clone(anchors));
            recursion.validating(Arc::new(Validation { options, anchors }))
        }
    }))
}

/// What the files tell that resolution begins with: root hints and trust anchors.
pub fn check_resolver_files(config: &Config) -> Vec<Diagnostic> {
    if !config.resolver.enabled {
        return Vec::new();
    }
    let hints = hints(config).err().unwrap_or_default();
    let anchors = anchors::read(config).err().unwrap_or_default();
    hints.into_iter().chain(anchors).collect()
}

fn hints(config: &Config) -> Result<RootHints, Vec<Diagnostic>> {
    match &config.resolver.root_hints {
        config::RootHints::Builtin => Ok(RootHints::builtin()),
        config::RootHints::File(path) => read_hints(&config.resolve(path)),
    }
}

fn resolver_options(config: &Config) -> ResolverOptions {
    let options = &config.resolver;
    let networks = |networks: Vec<crate::options::Network>| {
        networks.into_iter().map(crate::options::Network::net).collect()
    };
    ResolverOptions {
        ipv4: options.ipv4,
        ipv6: match options.ipv6 {
            Ipv6::Yes => true,
            Ipv6::No => false,
            Ipv6::Auto => has_ipv6_route(),
        },
        upstream_port: options.upstream_port.get(),
        never_query: match &options.never_query {
            config::NeverQuery::Builtin => NeverQuery::Builtin,
            config::NeverQuery::Networks(list) if list.is_empty() => NeverQuery::None,
            config::NeverQuery::Networks(list) => NeverQuery::Networks(networks(list.clone())),
        },
        edns_payload_size: config.upstream_payload_size().octets(),
        query_timeout: options.query_timeout.0,
        max_upstream_queries: options.max_upstream_queries.get().into(),
        priming: options.priming,
        minimisation: match options.qname_minimization {
            QnameMinimization::None => Minimisation::None,
            QnameMinimization::Relaxed => Minimisation::Relaxed,
            QnameMinimization::Strict => Minimisation::Strict,
        },
        case_randomization: options.case_randomization,
        dnssec: false,
        upstreams: config.upstreams(),
    }
}

fn cache_options(options: &config::CacheOptions) -> CacheOptions {
    CacheOptions {
        size: options.size.0,
        min_ttl: options.min_ttl,
        max_ttl: options.max_ttl,
        max_negative_ttl: options.max_negative_ttl,
        failure_ttl: Duration::from_secs(options.failure_ttl.seconds().into()),
        serve_stale: options.serve_stale.0.0,
        stale_answer_timeout: options.stale_answer_timeout.0,
        stale_answer_ttl: options.stale_answer_ttl,
        prefetch: options.prefetch,
    }
}

/// Whether this machine has a route to the IPv6 internet. Connecting a datagram socket asks the kernel and
/// sends nothing.
fn has_ipv6_route() -> bool {
    let root_server = Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30);
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0));
    socket.is_ok_and(|socket| socket.connect((root_server, 53)).is_ok())
}

/// Root hints in zone file format: NS records of the root, and addresses of the servers they name (RFC 9609 2.2).
fn read_hints(path: &Path) -> Result<RootHints, Vec<Diagnostic>> {
    let mut servers: Vec<NameServer> = Vec::new();
    let mut addresses: Vec<(Name, IpAddr)> = Vec::new();
    read_records(&Name::root(), path, &mut |record| match (record.rr_type, record.rdata) {
        (RrType::NS, rdata) if record.owner.is_root() => {
            let name = NameRef::from_wire(rdata).expect("the parser checked the RDATA").to_name();
            servers.push(NameServer { name, addresses: Box::default() });
        }
        (RrType::A, rdata) => addresses.extend(ipv4(rdata).map(|address| (record.owner.to_name(), address))),
        (RrType::AAAA, rdata) => {
            addresses.extend(ipv6(rdata).map(|address| (record.owner.to_name(), address)))
        }
        _ => {}
    })?;
    for server in &mut servers {
        let own = addresses.iter().filter(|(name, _)| *name == server.name).map(|(_, address)| *address);
        server.addresses = own.collect();
    }
    servers.retain(|server| !server.addresses.is_empty());
    if servers.is_empty() {
        let message = format!("{}: no root server with an address", path.display());
        let help = "write `. 3600000 NS a.root-servers.net.` and `a.root-servers.net. 3600000 A 198.41.0.4`";
        return Err(vec![Diagnostic::error(message).help(help)]);
    }
    Ok(RootHints { servers: servers.into() })
}

fn ipv4(rdata: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from)
}

fn ipv6(rdata: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from)
}
