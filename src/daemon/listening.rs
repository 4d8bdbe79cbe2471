//! Which doors to open, and what to do when one cannot be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;

use super::start::Order;
use super::systemd;
use crate::config::{Config, Workers};
use crate::net::{BindError, Doors, Listen};
use crate::observe::Transport;

/// The port of DNS (RFC 1035 4.2).
const DNS_PORT: u16 = 53;
/// Where a server without configuration listens when it may not have [`DNS_PORT`].
const FALLBACK_PORT: u16 = 5300;

/// Doors that are open, and what there is to say about them.
pub(super) struct Opened {
    pub(super) doors: Vec<Opening>,
    pub(super) remarks: Vec<String>,
}

/// The sockets of one entry of a list.
pub(super) struct Opening {
    /// The entry of `listen`; none when the doors do not come from the configuration, which then cannot change them.
    pub(super) listen: Option<Listen>,
    pub(super) doors: Doors,
}

/// Opens the doors that systemd passed, the arguments or the configuration name, or those of a server without any.
///
/// With a configuration or `--listen`, an address that cannot be had is an error: nobody should believe
/// they are served there. Without, loopback as far as there is one, and port 5300 when 53 is not to be had.
pub(super) fn open(order: &Order, config: &Config) -> Result<Opened, Vec<String>> {
    let workers = workers(config);
    let passed = systemd::passed_sockets().map_err(|error| vec![format!("passed sockets: {error}")])?;
    if !passed.is_empty() {
        let doors = Doors::inherit(passed, workers).map_err(|error| vec![error.to_string()])?;
        return Ok(Opened {
            doors: vec![Opening { listen: None, doors }],
            remarks: vec!["sockets passed by systemd; `listen` is not looked at".into()],
        });
    }
    if !order.listen.is_empty() {
        return open_each(&arguments(order), workers).map(|mut opened| {
            opened.doors.iter_mut().for_each(|opening| opening.listen = None);
            opened
        });
    }
    match &order.config_file {
        Some(_) => open_each(&configured(order, config), workers),
        None => loopback(order.port, workers),
    }
}

pub(super) fn workers(config: &Config) -> usize {
    match config.server.workers {
        Workers::Auto => thread::available_parallelism().map_or(1, usize::from),
        Workers::Count(count) => usize::from(count.get()),
    }
}

/// The addresses of `--listen`.
fn arguments(order: &Order) -> Vec<Listen> {
    let address = |at: &crate::options::AddressPort| {
        SocketAddr::new(at.address, at.port.or(order.port).unwrap_or(DNS_PORT))
    };
    order.listen.iter().map(|at| both(address(at))).collect()
}

/// The addresses of the configuration.
pub(super) fn configured(order: &Order, config: &Config) -> Vec<Listen> {
    let listens = config.listen.iter().map(|listen| {
        let port = if listen.port == DNS_PORT { order.port.unwrap_or(DNS_PORT) } else { listen.port };
        Listen { address: SocketAddr::new(listen.address.0, port), transports: listen.transports.clone() }
    });
    listens.collect()
}

fn both(address: SocketAddr) -> Listen {
    Listen { address, transports: vec![Transport::Udp, Transport::Tcp] }
}

/// All of them, or none and why.
pub(super) fn open_each(listens: &[Listen], workers: usize) -> Result<Opened, Vec<String>> {
    let (mut opened, mut errors) = (Vec::new(), Vec::new());
    for listen in listens {
        let (doors, failed) = Doors::bind(std::slice::from_ref(listen), workers);
        errors.extend(failed.iter().map(BindError::to_string));
        opened.push(Opening { listen: Some(listen.clone()), doors });
    }
    if errors.is_empty() { Ok(Opened { doors: opened, remarks: Vec::new() }) } else { Err(errors) }
}

fn loopback(port: Option<u16>, workers: usize) -> Result<Opened, Vec<String>> {
    let first_choice = port.unwrap_or(DNS_PORT);
    match bind_loopback(first_choice, workers) {
        Err(errors) if port.is_none() => {
            let why = format!("port {DNS_PORT}: {}", errors[0]);
            let mut opened = bind_loopback(FALLBACK_PORT, workers).map_err(|errors| sentences(&errors))?;
            opened.remarks.insert(0, why);
            Ok(opened)
        }
        opened => opened.map_err(|errors| sentences(&errors)),
    }
}

fn sentences(errors: &[BindError]) -> Vec<String> {
    errors.iter().map(BindError::to_string).collect()
}

/// 127.0.0.1, and ::1 on the same port unless this machine has none.
fn bind_loopback(port: u16, workers: usize) -> Result<Opened, Vec<BindError>> {
    let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let listens = addresses.map(|address| both(SocketAddr::new(address, port)));
    let (doors, errors) = Doors::bind(&listens, workers);
    let is_absent = |error: &BindError| error.address.is_ipv6() && error.is_address_absent();
    match errors.iter().all(is_absent) {
        true => {
            let remarks = errors.iter().map(|_| "this machine has no ::1; IPv4 only".to_string()).collect();
            Ok(Opened { doors: vec![Opening { listen: None, doors }], remarks })
        }
        false => Err(errors.into_iter().filter(|error| !is_absent(error)).collect()),
    }
}
