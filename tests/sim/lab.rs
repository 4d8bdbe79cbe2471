//! A validating resolver, a signed root and a signed `example.` below it, for tests that look closer than a story can.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use namu::cache::{Cache, CacheOptions, NameServer, Security};
use namu::dns::{Name, Question, QuestionRef, RrType, Rrset};
use namu::dnssec::DigestType;
use namu::observe::Spending;
use namu::recursion::{Recursion, Resolved};
use namu::resolver::{ResolverOptions, RootHints, Strategy, UpstreamKind, UpstreamZone, Upstreams, World};
use namu::validator::{AnchorStore, TrustAnchors, Validation, ValidationOptions};

use crate::internet::Internet;
use crate::signed_zone::{SignedZone, Signing, line};
use crate::tamper::Message;

pub const ROOT: &str = ". 3600 SOA ns.root. h.root. 1 3600 600 86400 60\n. 3600 NS ns.root.\n\
                        ns.root. 3600 A 198.41.0.4\nexample. 3600 NS ns.example.\nns.example. 3600 A 192.0.2.53\n";

/// A validating resolver and the two zones.
pub struct Lab {
    pub internet: Internet,
    pub recursion: Arc<Recursion>,
    pub root: SignedZone,
    pub example: SignedZone,
}

/// The seconds since 1970 at which all labs begin.
pub fn beginning() -> u64 {
    Internet::new(1).now().unix.seconds()
}

/// `example.` with these records, signed so.
pub fn example(records: &str, signing: Signing) -> SignedZone {
    let own = "example. 3600 SOA ns.example. h.example. 1 3600 600 86400 60\nexample. 3600 NS ns.example.\n\
               ns.example. 3600 A 192.0.2.53\n";
    SignedZone::new("example.", &format!("{own}{records}"), signing)
}

impl Lab {
    /// With `example.` as it is, and the DS record that fits it.
    pub fn new(example: SignedZone) -> Lab {
        let ds = example.key_signing().ds(&example.apex, DigestType::SHA256);
        Lab::with_ds(example, &[ds])
    }

    /// With these DS records in the root.
    pub fn with_ds(example: SignedZone, ds: &[Vec<u8>]) -> Lab {
        let ds: String = ds.iter().map(|rdata| line(&example.apex, RrType::DS, rdata)).collect();
        // As long as the zone below.
        let above = Signing { expiration: example.signing.expiration, ..Signing::at(beginning()) };
        let root = SignedZone::new(".", &format!("{ROOT}{ds}"), above);
        let internet = Internet::new(1);
        internet.serve("root", address("198.41.0.4"), ".", &root.text()).unwrap();
        internet.serve("ns", address("192.0.2.53"), "example", &example.text()).unwrap();
        let recursion = recursion(&internet, &root, small_cache());
        Lab { internet, recursion, root, example }
    }

    /// The same internet, with nothing in the cache.
    pub fn afresh(&mut self) {
        self.recursion = self.with_cache(small_cache());
    }

    /// A resolver on the same internet that knows this.
    pub fn with_cache(&self, cache: Arc<Cache>) -> Arc<Recursion> {
        recursion(&self.internet, &self.root, cache)
    }

    /// The name server of `example.` says this when it is asked that.
    pub fn say(&self, asked: &str, message: Message) {
        self.say_as("ns", asked, message);
    }

    /// Another host does.
    pub fn say_as(&self, host: &str, asked: &str, message: Message) {
        let asked = question(asked);
        let tamper = move |question: QuestionRef<'_>, said: &mut Message| {
            if question == asked.as_ref() {
                *said = message.clone();
            }
        };
        self.internet.tamper(host, Arc::new(tamper));
    }

    pub fn resolve(&self, asked: &str) -> Resolved {
        self.resolve_for(asked, false)
    }

    /// For somebody who sets CD.
    pub fn resolve_unchecked(&self, asked: &str) -> Resolved {
        self.resolve_for(asked, true)
    }

    fn resolve_for(&self, asked: &str, checking_disabled: bool) -> Resolved {
        resolve(&self.internet, self.recursion.clone(), asked, checking_disabled)
    }

    /// In short: `secure NOERROR`, `bogus SERVFAIL 6`.
    pub fn ask(&self, asked: &str) -> String {
        short(&self.resolve(asked))
    }
}

/// A lab whose host for `example.` says several things.
pub fn lab_saying(zone: SignedZone, said: Vec<(&'static str, Message)>) -> Lab {
    let lab = Lab::new(zone);
    let said: Vec<_> = said.into_iter().map(|(asked, said)| (question(asked), said)).collect();
    lab.internet.tamper(
        "ns",
        Arc::new(move |question, message: &mut Message| {
            if let Some((_, said)) = said.iter().find(|(asked, _)| asked.as_ref() == question) {
                *message = said.clone();
            }
        }),
    );
    lab
}

/// The DS record of a zone, as a line of the one above.
pub fn line_of_ds(zone: &SignedZone) -> String {
    line(&zone.apex, RrType::DS, &zone.key_signing().ds(&zone.apex, DigestType::SHA256))
}

fn small_cache() -> Arc<Cache> {
    Arc::new(Cache::new(CacheOptions { size: 1 << 20, ..CacheOptions::default() }))
}

/// A resolver that trusts this root and has every question answered by one forwarder.
pub fn forwarding(internet: &Internet, root: &SignedZone, forwarder: IpAddr) -> Arc<Recursion> {
    let (servers, strategy) = (vec![SocketAddr::new(forwarder, 53)], Strategy::Fastest);
    let (kind, apex, fallback) = (UpstreamKind::Forward, Name::root(), false);
    let upstream = UpstreamZone { apex, kind, servers, strategy, fallback };
    validating(internet, anchor_of(root), small_cache(), vec![upstream])
}

fn recursion(internet: &Internet, root: &SignedZone, cache: Arc<Cache>) -> Arc<Recursion> {
    trusting(internet, anchor_of(root), cache)
}

fn anchor_of(root: &SignedZone) -> TrustAnchors {
    let mut anchors = TrustAnchors::none();
    let ds = root.key_signing().ds(&root.apex, DigestType::SHA256);
    anchors.insert(root.apex.as_ref(), RrType::DS, &ds).unwrap();
    anchors
}

/// A resolver on an internet whose root server is where all labs have it.
pub fn trusting(internet: &Internet, anchors: TrustAnchors, cache: Arc<Cache>) -> Arc<Recursion> {
    validating(internet, anchors, cache, Vec::new())
}

fn validating(
    internet: &Internet,
    anchors: TrustAnchors,
    cache: Arc<Cache>,
    upstreams: Vec<UpstreamZone>,
) -> Arc<Recursion> {
    let name = "ns.root.".parse().unwrap();
    let hints =
        RootHints { servers: [NameServer { name, addresses: [address("198.41.0.4")].into() }].into() };
    let upstreams = Upstreams::new(upstreams);
    let options = ResolverOptions { ipv6: false, priming: false, upstreams, ..ResolverOptions::default() };
    let recursion = Recursion::new(cache, Arc::new(internet.clone()), hints, options);
    let anchors = Arc::new(AnchorStore::new(anchors));
    recursion.validating(Arc::new(Validation { options: ValidationOptions::default(), anchors }))
}

/// Asks with DO, and with CD or without.
pub fn resolve(
    internet: &Internet,
    recursion: Arc<Recursion>,
    asked: &str,
    checking_disabled: bool,
) -> Resolved {
    let (question, wants) = (question(asked), recursion.wants(true, checking_disabled));
    internet.time.run(async move { recursion.resolve_with(question, None, wants).await })
}

/// Why it failed, as the client is told.
pub fn why(resolved: &Resolved) -> &str {
    resolved.extended_error.as_ref().map_or("", |error| &error.text)
}

pub fn short(resolved: &Resolved) -> String {
    let error = resolved.extended_error.as_ref();
    let error = error.map_or(String::new(), |error| format!(" {}", error.code));
    let security = word(resolved.security);
    format!("{security} {}{error}", resolved.rcode)
}

/// What validation has said, in a word.
pub fn word(security: Security) -> &'static str {
    match security {
        Security::Secure => "secure",
        Security::Insecure => "insecure",
        Security::Indeterminate => "indeterminate",
        Security::Bogus => "bogus",
        Security::Unchecked => "unchecked",
    }
}

/// What a question cost of something.
pub fn spent(resolved: &Resolved, what: &str) -> u64 {
    let of = |one: &&Spending| one.what == what;
    resolved.facts.spent.iter().flatten().find(of).expect("it is counted").spent
}

pub fn verified(resolved: &Resolved) -> u64 {
    spent(resolved, "signatures verified")
}

pub fn question(text: &str) -> Question {
    let (name, rr_type) = text.split_once(' ').unwrap();
    Question::new(name.parse().unwrap(), rr_type.parse().unwrap())
}

/// A response with these RRsets in its answer and authority sections.
pub fn message(rcode: u16, answer: &[&Rrset], authority: &[&Rrset]) -> Message {
    let mut message = Message { rcode, authoritative: true, records: Vec::new() };
    answer.iter().for_each(|rrset| message.push(1, rrset.view()));
    authority.iter().for_each(|rrset| message.push(2, rrset.view()));
    message
}

/// An RRset with another owner.
pub fn moved(rrset: &Rrset, owner: &str) -> Rrset {
    let mut moved = rrset.clone();
    moved.owner = owner.parse().unwrap();
    moved
}

pub fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}
