//! The header of a play in the options of this server, or why it cannot be set to what the play needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use namu::cache::{CacheOptions, NameServer};
use namu::clock::Unix;
use namu::dns::{Name, RrType, Ttl};
use namu::policy::{Ground, Nat64Prefix, OverlayBuilder, RebindingGuard, SpecialNames};
use namu::resolver::{
    Minimisation, NeverQuery, ResolverOptions, RootHints, Strategy, UpstreamKind, UpstreamZone, Upstreams,
};
use namu::service::{ServeOptions, Visibility};
use namu::validator::{NegativeAnchor, TrustAnchors};
use namu::zone::{ZoneEntry, ZoneTable};

use crate::message::Record;
use crate::parse::{Action, Scenario, read_name, read_record, without_comment};

/// What the resolver under test is set to.
#[derive(Clone)]
pub struct Settings {
    pub resolver: ResolverOptions,
    pub cache: CacheOptions,
    pub hints: RootHints,
    pub zones: ZoneTable,
    pub serve: ServeOptions,
    /// Where chains of trust begin; none for a play that validates nothing.
    pub anchors: TrustAnchors,
    /// Whether proofs answer further questions (RFC 8198). They do unless a play says no.
    pub aggressive: bool,
    /// The time of day at the start, when it matters.
    pub start: Option<Unix>,
    pub client: SocketAddr,
    /// With each of these the play has to pass.
    pub minimisation: Vec<Minimisation>,
}

/// A play whose header does not choose is played with each (RFC 9156).
const MINIMISATION: [Minimisation; 2] = [Minimisation::None, Minimisation::Relaxed];

/// Why a play is not played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It needs what is not built yet.
    Waits(&'static str),
    /// It needs what this server is not to have.
    DoesNotApply(String),
    /// The header is not understood.
    Mistake(String),
}

impl Settings {
    /// The same with QNAME minimisation as it is to be.
    pub fn minimised(&self, minimisation: Minimisation) -> Settings {
        let resolver = ResolverOptions { minimisation, ..self.resolver.clone() };
        Settings { resolver, ..self.clone() }
    }
}

/// The settings of a play called `name`. `files` is the folder of the zone files that it loads.
pub fn settings(scenario: &Scenario, files: &Path) -> Result<Settings, Unfit> {
    let mut reader = Reader::new(files);
    for (key, value) in &scenario.header {
        reader.key(key, value)?;
    }
    reader.settings.resolver.priming = answers_priming(scenario);
    if answers_special_names(scenario) {
        reader.settings.serve.special_names = None;
    }
    reader.finish()
}

/// Whether any server of a play has something to say to the priming query. Where none has, a query would be too many.
fn answers_priming(scenario: &Scenario) -> bool {
    let of_range = scenario.ranges.iter().flat_map(|range| &range.entries);
    let of_step = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Reply(entry) => Some(entry),
        _ => None,
    });
    let mut questions = of_range.chain(of_step).filter_map(|entry| entry.message.question.as_ref());
    questions.any(|question| question.name.as_ref().is_root() && question.rr_type == RrType::NS)
}

/// Whether the servers of a play answer for names that this server would keep to itself. Then it is not to.
fn answers_special_names(scenario: &Scenario) -> bool {
    let special = SpecialNames::builtin();
    let entries = scenario.ranges.iter().flat_map(|range| &range.entries);
    let mut questions = entries.filter_map(|entry| entry.message.question.as_ref());
    questions.any(|question| special.zones_for(question.as_ref()).is_some())
}

struct Reader<'f> {
    files: &'f Path,
    settings: Settings,
    root: Option<IpAddr>,
    root_name: String,
    has_ipv6_client: bool,
    upstreams: Vec<UpstreamZone>,
    hidden_from_clients: Vec<Name>,
    hidden_from_resolver: Vec<Name>,
    private_networks: Vec<IpNet>,
    private_exceptions: Vec<Name>,
    local_zones: Vec<Name>,
    local_data: Vec<Record>,
    negative_anchors: Vec<NegativeAnchor>,
    serves_stale: bool,
    stale_for: Duration,
}

impl<'f> Reader<'f> {
    fn new(files: &'f Path) -> Reader<'f> {
        let settings = Settings {
            resolver: ResolverOptions::default(),
            // Of what goes beyond the RFCs' duties a play names what it wants.
            cache: CacheOptions { serve_stale: Duration::ZERO, prefetch: false, ..CacheOptions::default() },
            hints: RootHints { servers: Box::default() },
            zones: ZoneTable::new(),
            serve: ServeOptions {
                special_names: Some(Arc::new(SpecialNames::builtin())),
                // Clients of the plays take 4096 octets, and are given them.
                udp_payload_size: 4096,
                ..ServeOptions::default()
            },
            anchors: TrustAnchors::none(),
            aggressive: true,
            start: None,
            client: (Ipv4Addr::LOCALHOST, 40_000).into(),
            minimisation: MINIMISATION.to_vec(),
        };
        let root_name = "k.root-servers.net".into();
        Reader {
            files,
            settings,
            root: None,
            root_name,
            has_ipv6_client: false,
            upstreams: Vec::new(),
            hidden_from_clients: Vec::new(),
            hidden_from_resolver: Vec::new(),
            private_networks: Vec::new(),
            private_exceptions: Vec::new(),
            local_zones: Vec::new(),
            local_data: Vec::new(),
            negative_anchors: Vec::new(),
            serves_stale: false,
            stale_for: CacheOptions::default().serve_stale,
        }
    }

    fn key(&mut self, key: &str, value: &str) -> Result<(), Unfit> {
        let value = without_comment(value, '#').trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        match key {
            "stub-addr" => {
                let address: IpAddr = read(value)?;
                self.root = Some(address);
                self.has_ipv6_client |= address.is_ipv6();
            }
            "stub-name" => self.root_name = value.to_string(),
            "trust-anchor" => {
                let Record { owner, rr_type, rdata, .. } = read_record(value).map_err(Unfit::Mistake)?;
                let inserted = self.settings.anchors.insert(owner.as_ref(), rr_type, &rdata);
                inserted.map_err(|unfit| Unfit::Mistake(unfit.to_string()))?;
            }
            "domain-insecure" => {
                let apex = read_name(value).map_err(Unfit::Mistake)?;
                self.negative_anchors.push(NegativeAnchor { apex, until: None });
            }
            "val-override-date" => self.settings.start = Some(date(value)?),
            "val-override-timestamp" => self.settings.start = Some(seconds(read(value)?)),
            "query-minimization" => {
                let wanted = if truth(value)? { Minimisation::Relaxed } else { Minimisation::None };
                self.settings.minimisation.retain(|minimisation| *minimisation == wanted);
            }
            "do-ip4" => self.settings.resolver.ipv4 = truth(value)?,
            "do-ip6" => self.settings.resolver.ipv6 = truth(value)?,
            "force-ipv6" => self.has_ipv6_client |= truth(value)?,
            "harden-glue" => _ = truth(value)?,
            "do-not-query-localhost" => {
                if !truth(value)? {
                    self.settings.resolver.never_query = NeverQuery::None;
                }
            }
            "forward-addr" => self.upstream(UpstreamKind::Forward, ".", value, false)?,
            "features" => {
                for feature in value.split(';').filter(|feature| !feature.trim().is_empty()) {
                    self.feature(feature)?;
                }
            }
            "feature-list" => self.listed(value)?,
            _ => return Err(Unfit::Mistake(format!("unknown key `{key}`"))),
        }
        Ok(())
    }

    fn feature(&mut self, feature: &str) -> Result<(), Unfit> {
        let (name, value) = assignment(feature)?;
        match name {
            "min_ttl" => self.settings.cache.min_ttl = ttl(value)?,
            "max_ttl" => self.settings.cache.max_ttl = ttl(value)?,
            "dns64_prefix" => self.settings.serve.dns64 = Some(nat64(value)?),
            "static_hint_name" | "static_hint_addr" => return Err(Unfit::Waits("overlays")),
            "renumber_src" | "renumber_dst" => return Err(not_here("addresses are not rewritten")),
            _ => return Err(Unfit::Mistake(format!("unknown feature `{name}`"))),
        }
        Ok(())
    }

    fn listed(&mut self, value: &str) -> Result<(), Unfit> {
        match assignment(value)? {
            ("zone", zone) => self.zone(&zone.split('|').map(str::trim).collect::<Vec<_>>()),
            ("server", option) => {
                let (key, value) = option.split_once(':').ok_or_else(|| mistake(option))?;
                self.server(key.trim(), value.trim().trim_matches('"'))
            }
            ("clause", clause) if clause.contains("zonemd-check: yes") => Err(Unfit::Waits("ZONEMD")),
            // The same as `zone`, in the words of another server.
            ("clause", _) => Ok(()),
            ("policy", _) => Err(not_here("it is told in the words of another server")),
            (name, _) => Err(Unfit::Mistake(format!("unknown entry `{name}` of feature-list"))),
        }
    }

    fn zone(&mut self, fields: &[&str]) -> Result<(), Unfit> {
        match fields {
            ["stub" | "forward", _, _, hosts, _] if !hosts.is_empty() => {
                Err(not_here("upstream servers are named by their addresses"))
            }
            ["stub", apex, servers, _, first] => {
                self.upstream(UpstreamKind::Stub, apex, servers, *first == "first")
            }
            ["forward", apex, servers, _, first] => {
                self.upstream(UpstreamKind::Forward, apex, servers, *first == "first")
            }
            ["auth", apex, file, clients, resolver] => {
                let name = read_name(apex).map_err(Unfit::Mistake)?;
                if *clients != "yes" {
                    self.hidden_from_clients.push(name.clone());
                }
                if *resolver != "yes" {
                    self.hidden_from_resolver.push(name);
                }
                self.load(apex, file)
            }
            _ => Err(Unfit::Mistake(format!("unknown zone {fields:?}"))),
        }
    }

    /// Servers named for a zone.
    fn upstream(
        &mut self,
        kind: UpstreamKind,
        apex: &str,
        servers: &str,
        fallback: bool,
    ) -> Result<(), Unfit> {
        let addresses = servers.split(',').map(str::trim).filter(|address| !address.is_empty());
        let servers: Result<Vec<_>, _> =
            addresses.map(|address| Ok(SocketAddr::new(read(address)?, 53))).collect();
        let (apex, servers) = (read_name(apex).map_err(Unfit::Mistake)?, servers?);
        self.upstreams.push(UpstreamZone { apex, kind, servers, strategy: Strategy::Ordered, fallback });
        Ok(())
    }

    fn load(&mut self, apex: &str, file: &str) -> Result<(), Unfit> {
        let file = self.files.join(file.trim_start_matches("@FILES@/"));
        let told = |error| Unfit::Mistake(format!("{}: {error}", file.display()));
        let text = std::fs::read_to_string(&file).map_err(told)?;
        let apex = read_name(apex).map_err(Unfit::Mistake)?;
        let zone = crate::served::zone(&apex.to_string(), &text);
        self.settings.zones = self.settings.zones.with(ZoneEntry::Loaded(zone.into()));
        Ok(())
    }

    /// A setting as Unbound spells it.
    fn server(&mut self, key: &str, value: &str) -> Result<(), Unfit> {
        let cache = &mut self.settings.cache;
        match key {
            "cache-min-ttl" => cache.min_ttl = ttl(value)?,
            "cache-max-ttl" => cache.max_ttl = ttl(value)?,
            "cache-max-negative-ttl" => cache.max_negative_ttl = ttl(value)?,
            "local-zone" if value.ends_with("nodefault") => self.settings.serve.special_names = None,
            "local-zone" => match value.replace('"', "").split_once(' ') {
                Some((apex, "transparent" | "typetransparent")) => {
                    self.local_zones.push(read_name(apex).map_err(Unfit::Mistake)?)
                }
                _ => return Err(not_here("a local zone has a SOA record, or lets other names through")),
            },
            "local-data" => self.local_data.push(read_record(value).map_err(Unfit::Mistake)?),
            "private-address" => self.private_networks.push(read(value)?),
            "private-domain" => self.private_exceptions.push(read_name(value).map_err(Unfit::Mistake)?),
            "dns64-prefix" => self.settings.serve.dns64 = Some(nat64(value)?),
            "dns64-ignore-aaaa" => return Err(not_here("no list of names whose IPv6 addresses are ignored")),
            "do-nat64" | "nat64-prefix" => return Err(not_here("no NAT64 towards servers")),
            "serve-expired" => self.serves_stale = truth(value)?,
            "serve-expired-ttl" => self.stale_for = Duration::from_secs(read(value)?),
            "serve-expired-reply-ttl" => cache.stale_answer_ttl = ttl(value)?,
            "serve-expired-client-timeout" => {
                cache.stale_answer_timeout = Duration::from_millis(read(value)?)
            }
            "prefetch" => cache.prefetch = truth(value)?,
            "aggressive-nsec" => self.settings.aggressive = truth(value)?,

            "iter-scrub-ns" => return Err(not_here("an RRset is not cut to fewer records for its client")),
            "serve-original-ttl" => return Err(not_here("answers have the TTL that is left")),
            // How it is done, or what answers have besides that the checks look at.
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Settings, Unfit> {
        if self.serves_stale {
            self.settings.cache.serve_stale = self.stale_for;
        }
        let anchors = std::mem::replace(&mut self.settings.anchors, TrustAnchors::none());
        self.settings.anchors = anchors.with_negative(self.negative_anchors);
        let name = read_name(&self.root_name).map_err(Unfit::Mistake)?;
        let server = self.root.map(|address| NameServer { name, addresses: [address].into() });
        self.settings.hints = RootHints { servers: server.into_iter().collect() };
        self.settings.resolver.upstreams = Upstreams::new(self.upstreams);
        let serve = &mut self.settings.serve;
        serve.visibility = Visibility::new(self.hidden_from_clients, self.hidden_from_resolver);
        if !self.private_networks.is_empty() {
            let guard = RebindingGuard::new(self.private_networks, self.private_exceptions);
            serve.rebinding = Some(Arc::new(guard));
        }
        for apex in self.local_zones {
            let mut overlay = OverlayBuilder::new(apex.clone());
            let own =
                self.local_data.iter().filter(|record| record.owner.as_ref().is_at_or_below(apex.as_ref()));
            for record in own {
                let ttl = Ttl::saturating(record.ttl.into());
                overlay.push(record.owner.as_ref(), record.rr_type, ttl, &record.rdata, ());
            }
            let zone = overlay.build().map_err(|errors| Unfit::Mistake(format!("{errors:?}")))?;
            serve.overlays.add(zone, Ground::Resolution);
        }
        if self.has_ipv6_client {
            self.settings.client = (Ipv6Addr::LOCALHOST, 40_000).into();
        }
        Ok(self.settings)
    }
}

fn not_here(why: &str) -> Unfit {
    Unfit::DoesNotApply(why.into())
}

fn mistake(text: &str) -> Unfit {
    Unfit::Mistake(format!("`{text}` is not understood"))
}

fn assignment(text: &str) -> Result<(&str, &str), Unfit> {
    let (name, value) = text.split_once('=').ok_or_else(|| mistake(text))?;
    Ok((name.trim(), value.trim()))
}

fn read<T: std::str::FromStr>(text: &str) -> Result<T, Unfit> {
    text.parse().map_err(|_| mistake(text))
}

fn nat64(text: &str) -> Result<Nat64Prefix, Unfit> {
    Nat64Prefix::new(read(text)?).ok_or_else(|| mistake(text))
}

fn ttl(text: &str) -> Result<Ttl, Unfit> {
    read(text).map(Ttl::saturating)
}

fn truth(text: &str) -> Result<bool, Unfit> {
    match text {
        "yes" | "on" | "true" => Ok(true),
        "no" | "off" | "false" => Ok(false),
        _ => Err(mistake(text)),
    }
}

fn seconds(seconds: u64) -> Unix {
    Unix(seconds * 1_000_000_000)
}

/// `YYYYMMDDhhmmss` in UTC.
fn date(text: &str) -> Result<Unix, Unfit> {
    let part = |from: usize, to: usize| -> Result<i64, Unfit> {
        read(text.get(from..to).filter(|_| text.len() == 14).ok_or_else(|| mistake(text))?)
    };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    // Days since 1970 of a year that begins in March, so that the day of a leap year is its last.
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    let days = 365 * march_year + leap_days + (153 * march_month + 2) / 5 + day - 1 - 719_468;
    let total = ((days * 24 + hour) * 60 + minute) * 60 + second;
    u64::try_from(total).map(seconds).map_err(|_| mistake(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<Settings, Unfit> {
        let lines = header.replace('|', "\n");
        let text = format!("{lines}\nCONFIG_END\nSCENARIO_BEGIN x\nSTEP 1 NOTHING\nSCENARIO_END\n");
        settings(&crate::parse::parse(&text).unwrap(), Path::new("."))
    }

    #[test]
    fn keys_become_options() {
        let set =
            of("stub-addr: 2001:db8::1 # root|stub-name: a.root|do-ip4: no|do-not-query-localhost: off|\
                      features: min_ttl = 300; max_ttl = 600|val-override-date: \"20170401000102\"|\
                      query-minimization: off|feature-list: server=cache-max-negative-ttl: 10|\
                      feature-list: server=local-zone: test. nodefault")
            .unwrap_or_else(|unfit| panic!("{unfit:?}"));
        assert_eq!(set.hints.servers[0].name, "a.root.".parse().unwrap());
        assert!(set.hints.has("2001:db8::1".parse().unwrap()) && set.client.is_ipv6());
        assert_eq!((set.resolver.ipv4, set.resolver.ipv6), (false, true));
        assert_eq!(set.resolver.never_query, NeverQuery::None);
        let ttls = [set.cache.min_ttl, set.cache.max_ttl, set.cache.max_negative_ttl];
        assert_eq!(ttls.map(Ttl::seconds), [300, 600, 10]);
        assert_eq!(set.start, Some(seconds(1_491_004_862)));
        assert!(set.serve.special_names.is_none() && set.minimisation == [Minimisation::None]);
    }

    #[test]
    fn stale_answers_are_for_plays_that_want_them() {
        let stale = |header: &str| of(header).unwrap_or_else(|unfit| panic!("{unfit:?}")).cache;
        let ttl = "feature-list: server=serve-expired-ttl: 10";
        assert_eq!(stale(ttl).serve_stale, Duration::ZERO);
        let all = format!(
            "feature-list: server=serve-expired: yes|{ttl}|feature-list: server=serve-expired-reply-ttl: 123|\
             feature-list: server=serve-expired-client-timeout: 1|feature-list: server=prefetch: yes"
        );
        let set = stale(&all);
        let times = (set.serve_stale, set.stale_answer_timeout, set.stale_answer_ttl.seconds());
        assert_eq!(times, (Duration::from_secs(10), Duration::from_millis(1), 123));
        assert!(set.prefetch && !stale("").prefetch);
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        for (header, want) in [
            ("forward-addr: ns.example", mistake("ns.example")),
            ("feature-list: zone=secondary", Unfit::Mistake("unknown zone [\"secondary\"]".into())),
            ("features: renumber_src=192.0.2.0/24", not_here("addresses are not rewritten")),
            ("colour: blue", Unfit::Mistake("unknown key `colour`".into())),
            ("do-ip4: maybe", mistake("maybe")),
            ("val-override-date: 2017", mistake("2017")),
        ] {
            assert_eq!(of(header).err(), Some(want), "{header}");
        }
    }

    #[test]
    fn dates_are_in_utc() {
        for (text, want) in
            [("19700101000000", 0), ("20000229235959", 951_868_799), ("20240301000000", 1_709_251_200)]
        {
            assert_eq!(date(text), Ok(seconds(want)), "{text}");
        }
    }
}
