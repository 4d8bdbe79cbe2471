//! The whole server on an internet in memory: what is asked goes in as octets through the service, as a client's query
//! does, and comes out as octets.

use std::net::IpAddr;
use std::sync::Arc;

use namu::dns::{Answer, AnswerRrset, ExtendedError, Name, Question, RrType};
use namu::observe::{Event, Transport};
use namu::policy::{
    Access, AccessOptions, Ground, Nat64Prefix, OverlayBuilder, Overlays, RebindingGuard, SpecialNames,
};
use namu::recursion::Recursion;
use namu::resolver::World;
use namu::service::{Begin, Local, Packet, ServeOptions, Snapshot, Visibility, begin, complete};
use namu::wire::names::Hops;
use namu::wire::{Flags, MessageView, SectionKind, write_query};
use namu::zone::{ZoneEntry, ZoneTable};
use namu::zonefile::{Files, NoIncludes, parse};

use crate::client::Client;
use crate::internet::{Internet, zone_of};

/// What a scenario says of the server itself.
#[derive(Default)]
pub struct Served {
    zones: ZoneTable,
    hidden_from_clients: Vec<Name>,
    hidden_from_resolver: Vec<Name>,
    overlays: Option<Overlays>,
    networks: Option<Vec<String>>,
    exceptions: Vec<Name>,
    dns64: Option<Nat64Prefix>,
    /// Anything was said.
    pub is_used: bool,
}

impl Served {
    /// A zone served here, and from whom it is hidden.
    pub fn zone(&mut self, apex: &str, text: &str, hidden: &[&str]) -> Result<(), String> {
        let zone = zone_of(apex, text)?;
        let name: Name = apex.parse().map_err(|error| format!("{apex}: {error}"))?;
        match hidden {
            [] => {}
            ["hidden-from", "clients"] => self.hidden_from_clients.push(name),
            ["hidden-from", "resolver"] => self.hidden_from_resolver.push(name),
            other => return Err(format!("hidden from whom? {other:?}")),
        }
        self.zones = self.zones.with(ZoneEntry::Loaded(zone.into()));
        self.is_used = true;
        Ok(())
    }

    /// A zone that could not be loaded.
    pub fn broken(&mut self, apex: &str) -> Result<(), String> {
        let name: Name = apex.parse().map_err(|error| format!("{apex}: {error}"))?;
        self.zones = self.zones.with(ZoneEntry::Unavailable(name));
        self.is_used = true;
        Ok(())
    }

    /// An overlay.
    pub fn overlay(&mut self, apex: &str, text: &str, ground: Ground) -> Result<(), String> {
        let apex: Name = apex.parse().map_err(|error| format!("{apex}: {error}"))?;
        let mut builder = OverlayBuilder::new(apex.clone());
        let mut files = Files::new("overlay", text.as_bytes().to_vec());
        parse(&mut files, apex.as_ref(), &NoIncludes, &mut |record| {
            builder.push(record.owner, record.rr_type, record.ttl, record.rdata, ());
        })
        .map_err(|errors| errors[0].to_string())?;
        let zone = builder.build().map_err(|errors| errors[0].to_string())?;
        self.overlays.get_or_insert_default().add(zone, ground);
        self.is_used = true;
        Ok(())
    }

    /// `private-networks`, `private-exceptions` or `dns64-prefix`; says whether it was one of them.
    pub fn option(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "private-networks" if value == "builtin" => self.networks = Some(Vec::new()),
            "private-networks" => self.networks = Some(value.split(',').map(str::to_string).collect()),
            "private-exceptions" => {
                self.exceptions.push(value.parse().map_err(|error| format!("{value}: {error}"))?);
            }
            "dns64-prefix" => {
                let network = value.parse().map_err(|error| format!("{value}: {error}"))?;
                self.dns64 = Some(Nat64Prefix::new(network).ok_or("not a prefix")?);
            }
            _ => return Ok(false),
        }
        self.is_used = true;
        Ok(true)
    }

    /// The snapshot of all that. Clients of 192.0.2.0/24 may recurse, those of 198.51.100.0/24 look into the cache.
    pub fn snapshot(&self, recursion: Arc<Recursion>) -> Arc<Snapshot> {
        let mut access = AccessOptions::default();
        access.recursion = vec!["192.0.2.0/24".into()];
        access.cache_only = vec!["198.51.100.0/24".into()];
        let networks = self.networks.as_ref().map(|networks| {
            let networks = networks.iter().map(|network| network.parse().expect("a network"));
            Arc::new(RebindingGuard::new(networks, self.exceptions.clone()))
        });
        let options = ServeOptions {
            overlays: self.overlays.clone().unwrap_or_default(),
            visibility: Visibility::new(self.hidden_from_clients.clone(), self.hidden_from_resolver.clone()),
            rebinding: networks,
            dns64: self.dns64,
            special_names: Some(Arc::new(SpecialNames::builtin())),
            ..ServeOptions::default()
        };
        let snapshot = Snapshot {
            zones: ZoneTable::new(),
            access: Access::compile(&access, &[]).expect("the lists are good"),
            options,
            recursion: Some(recursion),
            #[cfg(debug_assertions)]
            panic_on: None,
        };
        Arc::new(snapshot.with_zones(self.zones.clone()))
    }
}

/// How a question is asked.
#[derive(Clone, Debug)]
pub struct Manner {
    pub client: IpAddr,
    pub flags: Flags,
    pub dnssec_ok: bool,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner { client: [192, 0, 2, 1].into(), flags: Flags::RD, dnssec_ok: false }
    }
}

/// Asks one question as a client does.
pub async fn ask(
    internet: Internet,
    snapshot: Arc<Snapshot>,
    question: Question,
    manner: Manner,
) -> (Answer<'static>, Event) {
    let mut octets = Vec::new();
    write_query(&question, 7, manner.flags, Some((4096, manner.dnssec_ok)), &mut octets);
    let client = std::net::SocketAddr::new(manner.client, 4242);
    let local = ([192, 0, 2, 53], 53).into();
    let packet = Packet { octets: &octets, client, local, transport: Transport::Tcp };
    let mut out = vec![0; 65_535];
    let began = begin(&mut Local::new([1, 2, 3], 1), &packet, &snapshot, internet.now(), &mut out);
    let (octets, event) = match began {
        Begin::Done { length, event } => (out[..length].to_vec(), event),
        Begin::Continue(request) => {
            let mut client = Client::default();
            complete(*request, &mut client).await;
            let event = client.events.pop().expect("a response has an event");
            (client.messages.pop().expect("a response"), event)
        }
        other => panic!("no response: {other:?}"),
    };
    (read(&octets), event)
}

fn read(octets: &[u8]) -> Answer<'static> {
    let message = MessageView::parse(octets).expect("the server sends messages");
    let mut hops = Hops::of_message();
    let mut section = |kind| {
        let rrsets = message.rrsets(kind, &mut hops).expect("a section can be read");
        rrsets.into_iter().map(|rrset| AnswerRrset::shared(Arc::new(rrset))).collect::<Vec<_>>()
    };
    let (answer, authority) = (section(SectionKind::Answer), section(SectionKind::Authority));
    let additional = section(SectionKind::Additional);
    let additional = additional.into_iter().filter(|rrset| rrset.rrset().rr_type != RrType::OPT);
    let error = message.opt().and_then(|opt| opt.extended_error());
    let error = error
        .map(|(code, text)| ExtendedError { code, text: String::from_utf8_lossy(text).into_owned().into() });
    Answer {
        authoritative: message.header().flags.has(Flags::AA),
        authentic: message.header().flags.has(Flags::AD),
        extended_error: error,
        answer: answer.into_iter().collect(),
        authority: authority.into_iter().collect(),
        additional: additional.collect(),
        ..Answer::empty(message.rcode())
    }
}
