//! A play from its first step to its last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use namu::cache::Cache;
use namu::dnssec::Accepted;
use namu::observe::Transport;
use namu::policy::{Access, AccessOptions};
use namu::recursion::Recursion;
use namu::service::{self, Begin, Local, Packet, Snapshot};
use namu::validator::{AnchorStore, Validation, ValidationOptions};
use namu::zone::ZoneTable;

use crate::client::Client;
use crate::clock::Time;
use crate::compare::first_difference;
use crate::internet::Internet;
use crate::message::Message;
use crate::parse::{Action, Entry, Scenario};
use crate::settings::Settings;

/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time for what the resolver does behind an answer, such as to fetch again what it gave out stale.
const AFTER_AN_ANSWER: Duration = Duration::from_millis(50);

/// Plays it; the error says what was not as it is written, with everything that was sent.
pub fn play(scenario: Arc<Scenario>, settings: &Settings) -> Result<(), String> {
    let time = settings.start.map_or_else(Time::default, Time::started);
    let internet = Internet::new(scenario.clone(), time);
    let mut stage = Stage {
        snapshot: snapshot(settings, &internet),
        internet: internet.clone(),
        client: settings.client,
        local: Local::default(),
        last: None,
    };
    let mut complaints: Vec<String> = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        internet.enter(index);
        if let Err(why) = stage.act(&step.action) {
            complaints.push(format!("step {}: {why}", step.number));
            break;
        }
    }
    complaints.extend(internet.complaints());
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n    {}", complaints.join("\n  "), internet.ladder())),
    }
}

fn snapshot(settings: &Settings, internet: &Internet) -> Arc<Snapshot> {
    let cache = Arc::new(Cache::new(settings.cache));
    let (hints, options) = (settings.hints.clone(), settings.resolver.clone());
    let mut recursion = Recursion::new(cache, Arc::new(internet.clone()), hints, options);
    if !settings.anchors.is_empty() {
        // The plays are of a time when SHA-1 still counted.
        let (accepted, aggressive) = (Accepted { sha1: true }, settings.aggressive);
        // A play does not say what its servers make of being told of trust anchors.
        let signaling = false;
        let options = ValidationOptions { accepted, aggressive, signaling, ..ValidationOptions::default() };
        let anchors = Arc::new(AnchorStore::new(settings.anchors.clone()));
        recursion = recursion.validating(Arc::new(Validation { options, anchors }));
    }
    let snapshot = Snapshot {
        zones: ZoneTable::new(),
        access: Access::compile(&AccessOptions::default(), &[]).expect("the default has no ACLs"),
        options: settings.serve.clone(),
        recursion: Some(recursion),
        #[cfg(debug_assertions)]
        panic_on: None,
    };
    Arc::new(snapshot.with_zones(settings.zones.clone()))
}

/// The resolver and its client.
struct Stage {
    snapshot: Arc<Snapshot>,
    internet: Internet,
    client: SocketAddr,
    local: Local,
    last: Option<Message>,
}

impl Stage {
    fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Query(Entry { raw: Some(raw), .. }) => {
                self.ask(raw);
                Ok(())
            }
            Action::Query(entry) => {
                let reply = self.ask(&entry.message.octets()).ok_or("no answer")?;
                self.last = Some(Message::read(&reply)?);
                Ok(())
            }
            Action::CheckAnswer(entry) => {
                let last = self.last.as_ref().ok_or("nothing was answered before")?;
                match first_difference(&entry.matches, &entry.message, last) {
                    None => Ok(()),
                    Some(word) => {
                        let wanted = &entry.message;
                        Err(format!("{word:?} differs\n    wanted {wanted}\n    got {last}"))
                    }
                }
            }
            Action::TimePasses(time) => {
                self.internet.time.jump_wall_clock(*time);
                Ok(())
            }
            Action::Reply(_) | Action::Nothing => Ok(()),
        }
    }

    /// The response to a request over UDP, as far as the client waits for it.
    fn ask(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        let local = SocketAddr::new(self.client.ip(), 53);
        let packet = Packet { octets, client: self.client, local, transport: Transport::Udp };
        let mut out = vec![0; usize::from(u16::MAX)];
        let now = self.internet.time.now();
        match service::begin(&mut self.local, &packet, &self.snapshot, now, &mut out) {
            Begin::Done { length, .. } => {
                out.truncate(length);
                Some(out)
            }
            Begin::Drop(_) | Begin::Silent(_) => None,
            Begin::Continue(request) => {
                let time = self.internet.time.clone();
                self.internet.time.run(async move {
                    let mut client = Client::default();
                    let completed = Box::pin(service::complete(*request, &mut client));
                    let patience = time.sleep_until(time.now().tick.plus(PATIENCE));
                    if let Either::Right(_) = select(completed, patience).await {
                        return None;
                    }
                    time.sleep_until(time.now().tick.plus(AFTER_AN_ANSWER)).await;
                    client.messages.pop()
                })
            }
        }
    }
}
