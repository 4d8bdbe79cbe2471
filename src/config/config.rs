//! The tree of options. Its doc comments, defaults and types are the reference of the file.
//!
//! Fields of type [`NotBuilt`] are keys whose feature is to come: known, so that a file can be written ahead.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::answering::{RateLimitOptions, ServerName, SpecialZones, VersionBind};
use super::control::ControlOptions;
use super::forwarding::{Base, Server};
use super::resolving::{CacheOptions, ResolverOptions};
use super::validating::ZoneTrustAnchor;
use super::versions::{JournalSize, MaxRemoved, SerialPolicy};
use crate::dns::Name;
use crate::limits;
use crate::observe::Transport;
use crate::options::{Address, NotBuilt, PayloadSize, from_text};
use crate::policy::{AccessOptions, AclOptions};

/// The port of DNS (RFC 1035 4.2).
pub(super) const DNS_PORT: u16 = 53;

/// All options. The default is what runs without a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map of options, such as `listen:`"
)]
pub struct Config {
    /// The process as a whole.
    pub server: ServerOptions,
    /// Addresses to answer on.
    pub listen: Vec<ListenOptions>,
    /// Named lists of networks.
    pub acls: Vec<AclOptions>,
    /// Who may do what.
    pub access: AccessOptions,
    /// What is served from here.
    pub zones: Vec<ZoneOptions>,
    /// How other names are resolved.
    pub resolver: ResolverOptions,
    /// How long answers of others are kept.
    pub cache: CacheOptions,
    /// How often somebody is answered.
    pub rate_limit: RateLimitOptions,
    /// Where requests are written down.
    pub access_log: Vec<AccessLogOptions>,
    /// What the server says of itself.
    pub log: LogOptions,
    version: NotBuilt,
    include: NotBuilt,
    certificates: NotBuilt,
    tsig_keys: NotBuilt,
    views: NotBuilt,
    dnssec_policies: NotBuilt,
    policy: NotBuilt,
    api: NotBuilt,
    /// How the running server is reached by commands.
    pub control: ControlOptions,
}

impl Default for Config {
    fn default() -> Config {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        Config {
            server: ServerOptions::default(),
            listen: loopback.map(|address| ListenOptions::new(address, DNS_PORT)).into(),
            acls: Vec::new(),
            access: AccessOptions::default(),
            zones: Vec::new(),
            resolver: ResolverOptions::default(),
            cache: CacheOptions::default(),
            rate_limit: RateLimitOptions::default(),
            access_log: vec![AccessLogOptions::default()],
            log: LogOptions::default(),
            version: NotBuilt,
            include: NotBuilt,
            certificates: NotBuilt,
            tsig_keys: NotBuilt,
            views: NotBuilt,
            dnssec_policies: NotBuilt,
            policy: NotBuilt,
            api: NotBuilt,
            control: ControlOptions::default(),
        }
    }
}

impl Config {
    /// Where a path written in the file leads: relative ones start at `server.directory`.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.server.directory.join(path)
    }

    /// Where serials, journals and keys are kept: `server.state`, else the first directory of
    /// `from_environment` (the value of `$STATE_DIRECTORY`), else `state` below `server.directory`.
    pub fn state_directory(&self, from_environment: Option<&OsStr>) -> PathBuf {
        let first = from_environment.and_then(|paths| std::env::split_paths(paths).next());
        match (&self.server.state, first) {
            (Some(state), _) => self.resolve(state),
            (None, Some(state)) if !state.as_os_str().is_empty() => state,
            (None, _) => self.resolve(Path::new("state")),
        }
    }

    /// The EDNS size told to upstream servers.
    pub fn upstream_payload_size(&self) -> PayloadSize {
        self.resolver.edns_payload_size.unwrap_or(self.server.udp_payload_size)
    }
}

/// Options of the process as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "the options of `server`")]
pub struct ServerOptions {
    /// Where relative paths start. Default: the folder of the file, without a file the current one.
    pub directory: PathBuf,
    /// Where serials, journals and keys are kept; see [`Config::state_directory`].
    pub state: Option<PathBuf>,
    /// Threads that answer.
    pub workers: Workers,
    /// EDNS size told to clients, and upstream unless `resolver.edns-payload-size` says otherwise.
    pub udp_payload_size: PayloadSize,
    /// In which order the records of an RRset are sent.
    pub rrset_order: RrsetOrder,
    /// Whether responses say why (RFC 8914).
    pub extended_errors: bool,
    /// The name of this server, for who asks which one answered; `none` for silence.
    pub identity: ServerName,
    /// What is said of the version.
    pub version_bind: VersionBind,
    /// Whether clients can prove their address by a cookie (RFC 7873).
    pub cookies: bool,
    /// The secrets of cookies, one a line in hexadecimal, relative to `server.directory`: cookies are made with the
    /// first, all are accepted. Servers behind one address share them (RFC 9018). Without, one is drawn each day.
    pub cookie_secret_file: Option<PathBuf>,
    /// Which special-use names are answered here.
    pub special_zones: SpecialZones,
    user: NotBuilt,
    minimal_responses: NotBuilt,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            directory: PathBuf::new(),
            state: None,
            workers: Workers::Auto,
            udp_payload_size: PayloadSize::DEFAULT,
            rrset_order: RrsetOrder::Rotate,
            extended_errors: true,
            identity: ServerName::default(),
            version_bind: VersionBind::default(),
            cookies: true,
            cookie_secret_file: None,
            special_zones: SpecialZones::Builtin,
            user: NotBuilt,
            minimal_responses: NotBuilt,
        }
    }
}

/// How many threads answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One per CPU.
    Auto,
    /// That many.
    Count(NonZeroU16),
}

impl<'de> Deserialize<'de> for Workers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Workers, D::Error> {
        from_text(deserializer, "`auto` or a number of threads", |text| match text.parse() {
            _ if text == "auto" => Ok(Workers::Auto),
            Ok(count) if u16::from(count) <= limits::WORKERS => Ok(Workers::Count(count)),
            _ => Err(format!(
                "`{text}` is not a number of workers; write auto, or a number from 1 to {}",
                limits::WORKERS
            )),
        })
    }
}

/// In which order the records of an RRset are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RrsetOrder {
    /// Another one first each time.
    Rotate,
    /// As in the zone.
    Fixed,
    /// Shuffled each time.
    Random,
}

/// One address to answer on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map such as `address: 127.0.0.1`"
)]
pub struct ListenOptions {
    /// The address; 0.0.0.0 and :: mean all.
    pub address: Address,
    /// The port; 0 lets the kernel choose one, the same for UDP and TCP.
    pub port: u16,
    /// Which doors.
    pub transports: Vec<Transport>,
    certificate: NotBuilt,
    path: NotBuilt,
    proxy_protocol: NotBuilt,
    view: NotBuilt,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions::new(Ipv4Addr::LOCALHOST.into(), DNS_PORT)
    }
}

impl ListenOptions {
    /// UDP and TCP there.
    pub fn new(address: IpAddr, port: u16) -> ListenOptions {
        ListenOptions {
            address: Address(address),
            port,
            transports: vec![Transport::Udp, Transport::Tcp],
            certificate: NotBuilt,
            path: NotBuilt,
            proxy_protocol: NotBuilt,
            view: NotBuilt,
        }
    }
}

impl<'de> Deserialize<'de> for Transport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Transport, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Word {
            Udp,
            Tcp,
        }
        Ok(match Word::deserialize(deserializer)? {
            Word::Udp => Transport::Udp,
            Word::Tcp => Transport::Tcp,
        })
    }
}

/// One zone served from here, or asked of others than the tree names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map with `name`, `type` and `file`"
)]
pub struct ZoneOptions {
    /// Its apex.
    pub name: Name,
    /// Where its records come from.
    #[serde(rename = "type")]
    pub zone_type: ZoneType,
    /// The zone file, relative to `server.directory`.
    pub file: PathBuf,
    /// Which serial is published when the content of the file changed and its serial did not.
    pub serial: SerialPolicy,
    /// Whether its versions are kept, and in how much room.
    pub journal: JournalSize,
    /// Who may transfer it, instead of those of `access.transfer`.
    pub transfer: Option<Vec<String>>,
    dnssec: NotBuilt,
    notify: NotBuilt,
    catalog: NotBuilt,
    primaries: NotBuilt,
    zonemd: NotBuilt,
    update: NotBuilt,
    update_rules: NotBuilt,
    /// Of a forward or stub zone: the servers asked, at most [`limits::FORWARD_SERVERS`].
    pub servers: Vec<Server>,
    /// `none`: nothing is validated at and below it.
    pub trust_anchor: ZoneTrustAnchor,
    /// Of a forward or stub zone: whether recursion takes over when all servers fail.
    pub fallback: bool,
    /// Whether clients are answered from it.
    pub for_clients: bool,
    /// Whether the resolver finds it here instead of asking its name servers: aliases lead into it, and what it
    /// delegates is followed.
    pub for_resolver: bool,
    /// How much of its records a new version may lose before it waits for a word of the operator.
    pub max_removed: MaxRemoved,
    write_back: NotBuilt,
    /// Of an overlay: the zone served here that it is laid over; else it is laid over what is resolved.
    pub base: Base,
    refresh_min: NotBuilt,
    retry_min: NotBuilt,
    allow_notify: NotBuilt,
}

impl Default for ZoneOptions {
    fn default() -> ZoneOptions {
        ZoneOptions::primary(Name::root(), PathBuf::new())
    }
}

impl ZoneOptions {
    /// A zone whose records stand in `file`.
    pub fn primary(name: Name, file: PathBuf) -> ZoneOptions {
        ZoneOptions {
            name,
            zone_type: ZoneType::Primary,
            file,
            serial: SerialPolicy::Increment,
            journal: JournalSize::default(),
            transfer: None,
            dnssec: NotBuilt,
            notify: NotBuilt,
            catalog: NotBuilt,
            primaries: NotBuilt,
            zonemd: NotBuilt,
            update: NotBuilt,
            update_rules: NotBuilt,
            servers: Vec::new(),
            trust_anchor: ZoneTrustAnchor::Inherited,
            fallback: false,
            for_clients: true,
            for_resolver: true,
            max_removed: MaxRemoved::NONE,
            write_back: NotBuilt,
            base: Base::default(),
            refresh_min: NotBuilt,
            retry_min: NotBuilt,
            allow_notify: NotBuilt,
        }
    }
}

/// Where the records of a zone come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneType {
    /// From a file here.
    Primary,
    /// From resolvers that are asked, with RD set, for all names at and below its own.
    Forward,
    /// From its authoritative servers, which are asked instead of those its parent names.
    Stub,
    /// From a file here; what stands there is laid over another zone or over what is resolved.
    Overlay,
}

/// One place where requests are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map such as `output: stdout`"
)]
pub struct AccessLogOptions {
    /// The place.
    pub output: Output,
    format: NotBuilt,
    rotate: NotBuilt,
    messages: NotBuilt,
    only: NotBuilt,
    ignore: NotBuilt,
    anonymize: NotBuilt,
    sample: NotBuilt,
}

/// A place to write lines to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, relative to `server.directory`; opened anew on SIGHUP.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Output, D::Error> {
        from_text(deserializer, "stdout, stderr or a file", |text| match text {
            "stdout" => Ok(Output::Stdout),
            "stderr" => Ok(Output::Stderr),
            "none" => {
                Err("an output is needed; write stdout, stderr or a file, or `access-log: []` for no log")
            }
            _ => Ok(Output::File(text.into())),
        })
    }
}

/// What the server says of itself, on standard error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "the options of `log`")]
pub struct LogOptions {
    /// The least important that is said.
    pub level: LogLevel,
    /// How it looks.
    pub format: LogFormat,
    output: NotBuilt,
}

/// How important something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Colour on a terminal, plain elsewhere.
    #[default]
    Auto,
    /// Without colour.
    Plain,
}
