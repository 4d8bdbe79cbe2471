//! For tests: a signed internet in memory. The root and `example.` are signed, `plain.` is not.

use std::sync::Arc;
use std::time::Duration;

use super::Recursion;
use crate::cache::{Cache, CacheOptions, NameServer};
use crate::dns::{Name, NameRef, RrType, Rrset};
use crate::dnssec::DigestType;
use crate::dnssec::testing::{KEY_SIGNING_KEY, SigningKey, rrsets, with_signatures};
use crate::observe::FlightRecorder;
use crate::resolver::testing::{Outside, Reply, Seen, TestWorld, question};
use crate::resolver::{Minimisation, ResolverOptions, RootHints, Upstreams};
use crate::validator::{AnchorStore, TrustAnchors, Validation, ValidationOptions};

/// The day on which the stories begin, in seconds since 1970.
pub(crate) const START: u32 = 10 * 86_400;
/// The signatures of `old.example.` end a day earlier, all others three months later.
const OLD: u32 = START - 86_400;
const END: u32 = START + 90 * 86_400;

/// Who signs for one zone. What its server says stands in rows, each signed by itself; the whole zones of `tests/sim` are
/// signed in `tests/support/signed_zone.rs`, with the same keys.
pub(crate) struct Signer {
    apex: Name,
    pub(crate) key: SigningKey,
}

impl Signer {
    /// With a key that is the same every time.
    pub(crate) fn new(apex: &str) -> Signer {
        let key = SigningKey::ed25519_of(apex.as_bytes(), KEY_SIGNING_KEY);
        Signer { apex: apex.parse().unwrap(), key }
    }

    pub(crate) fn key_tag(&self) -> u16 {
        self.key.key().key_tag()
    }

    /// Its DNSKEY record.
    pub(crate) fn dnskey(&self) -> String {
        format!("{} 300 DNSKEY {}", self.apex, unknown(self.key.dnskey()))
    }

    /// The DS record for it.
    pub(crate) fn ds(&self) -> String {
        let ds = self.key.ds(self.apex.as_ref(), DigestType::SHA256);
        format!("{} 300 DS {}", self.apex, unknown(&ds))
    }

    /// RRsets of a text, signed but for delegations and their glue.
    fn signed(&self, text: &str) -> Vec<Rrset> {
        rrsets(&text.replace(" | ", "\n")).iter().map(|rrset| self.sign(rrset)).collect()
    }

    fn sign(&self, rrset: &Rrset) -> Rrset {
        let is_below = rrset.owner.as_ref().is_below(self.apex.as_ref());
        if rrset.rr_type == RrType::NS && is_below {
            return rrset.clone();
        }
        let end = if rrset.owner.to_string().starts_with("old.") { OLD } else { END };
        let signature = self.key.sign(rrset.view(), self.apex.as_ref(), 0, end);
        with_signatures(rrset.view(), &[signature])
    }
}

/// RDATA as RFC 3597 writes it.
fn unknown(rdata: &[u8]) -> String {
    let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("\\# {} {hex}", rdata.len())
}

/// What a server says: question, flags, answer and authority; with `unsigned` among the flags, without signatures.
type Row = (String, &'static str, String, String);

fn row(asked: &str, flags: &'static str, answer: &str, authority: &str) -> Row {
    (asked.into(), flags, answer.into(), authority.into())
}

/// The recursion in that internet.
pub(crate) struct SignedLab {
    pub(crate) world: Arc<TestWorld>,
    pub(crate) recursion: Arc<Recursion>,
    pub(crate) root: Signer,
}

impl SignedLab {
    /// With the key of the root as trust anchor.
    pub(crate) fn new(options: ValidationOptions) -> SignedLab {
        SignedLab::with(options, Upstreams::default(), |anchors, _| anchors)
    }

    /// With upstream servers, and with trust anchors made of that.
    pub(crate) fn with(
        options: ValidationOptions,
        upstreams: Upstreams,
        change: impl Fn(TrustAnchors, &Signer) -> TrustAnchors,
    ) -> SignedLab {
        let (root, example) = (Signer::new("."), Signer::new("example."));
        let mut anchors = TrustAnchors::none();
        let ds = root.key.ds(NameRef::ROOT, DigestType::SHA256);
        anchors.insert(NameRef::ROOT, RrType::DS, &ds).unwrap();
        let anchors = Arc::new(AnchorStore::new(change(anchors, &example)));

        let world = Arc::new(TestWorld::default());
        world.later(Duration::from_secs(START.into()));
        let of_root = of_root(&root, &example);
        let of_example = of_example(&example);
        let of_plain = vec![row("www.plain. A", "aa unsigned", "www.plain. 300 A 192.0.2.82", "")];
        let mut all = [of_example.clone(), of_plain.clone(), of_root.clone()].concat();
        all.retain(|(asked, ..)| !asked.starts_with('*'));
        host(&world, "192.0.2.1", of_root, &root, &example);
        host(&world, "192.0.2.2", of_example, &root, &example);
        host(&world, "192.0.2.3", of_plain, &root, &example);
        // Knows all that is there, as one who resolves for others.
        host(&world, "192.0.2.9", all, &root, &example);

        let minimisation = Minimisation::None;
        let resolver =
            ResolverOptions { priming: false, minimisation, upstreams, ..ResolverOptions::default() };
        let cache = Arc::new(Cache::new(CacheOptions::default()));
        let addresses = ["192.0.2.1".parse().unwrap()].into();
        let hints =
            RootHints { servers: [NameServer { name: "ns.root.".parse().unwrap(), addresses }].into() };
        let recorder = Arc::new(FlightRecorder::new(1));
        let outside = Arc::new(Outside(world.clone()));
        let recursion = Recursion::recorded(cache, outside, hints, resolver, recorder);
        let recursion = recursion.validating(Arc::new(Validation { options, anchors }));
        SignedLab { world, recursion, root }
    }
}

const ROOT_SOA: &str = ". 300 SOA ns.root. h. 1 2 3 4 60";
const EXAMPLE_SOA: &str = "example. 300 SOA ns.example. h.example. 1 2 3 4 60";

fn of_root(root: &Signer, example: &Signer) -> Vec<Row> {
    let no_ds = "plain. 60 NSEC . NS RRSIG NSEC";
    vec![
        row(". DNSKEY", "aa", &root.dnskey(), ""),
        row(". NS", "aa", ". 300 NS ns.root.", ""),
        row("example. DS", "aa", &example.ds(), ""),
        row("plain. DS", "aa", "", &format!("{ROOT_SOA} | {no_ds}")),
        row("*.example. *", "", "", &format!("example. 300 NS ns.example. | {}", example.ds())),
        row("*.plain. *", "", "", &format!("plain. 300 NS ns.plain. | {no_ds}")),
        row("*. *", "aa nxdomain", "", &format!("{ROOT_SOA} | . 60 NSEC example. NS SOA RRSIG NSEC DNSKEY")),
    ]
}

fn of_example(example: &Signer) -> Vec<Row> {
    vec![
        row("example. DNSKEY", "aa", &example.dnskey(), ""),
        row("www.example. A", "aa", "www.example. 300 A 192.0.2.80", ""),
        row("old.example. A", "aa", "old.example. 300 A 192.0.2.81", ""),
        row("bare.example. A", "aa unsigned", "bare.example. 300 A 192.0.2.83", ""),
        row(
            "bare.example. DS",
            "aa",
            "",
            &format!("{EXAMPLE_SOA} | bare.example. 60 NSEC example. A RRSIG NSEC"),
        ),
        row(
            "*.example. *",
            "aa nxdomain",
            "",
            &format!("{EXAMPLE_SOA} | example. 60 NSEC old.example. NS SOA RRSIG NSEC DNSKEY"),
        ),
    ]
}

fn host(world: &TestWorld, ip: &str, rows: Vec<Row>, root: &Signer, example: &Signer) {
    let rows: Vec<(String, &str, Reply)> = rows
        .into_iter()
        .map(|(asked, flags, answer, authority)| {
            let zone =
                if authority.contains(ROOT_SOA) || is_of_root(&asked, &authority) { root } else { example };
            let said = |text: &str| match flags.contains("unsigned") {
                true => rrsets(&text.replace(" | ", "\n")),
                false => zone.signed(text),
            };
            let (answer, authority) = (said(&answer), said(&authority));
            let glue = rrsets("ns.example. 300 A 192.0.2.2\nns.plain. 300 A 192.0.2.3");
            let is_referral = answer.is_empty() && !flags.contains("aa");
            let additional = if is_referral { glue } else { Vec::new() };
            let rcode = flags.split_whitespace().find_map(|word| word.parse().ok());
            let reply = Reply {
                rcode: rcode.unwrap_or(crate::dns::Rcode::NOERROR),
                authoritative: true,
                recursive: true,
                answer,
                authority,
                additional,
            };
            (asked, flags, reply)
        })
        .collect();
    world.host(ip, move |seen: &Seen| {
        let row = rows.iter().find(|(asked, ..)| agrees(asked, seen));
        let octets = match row {
            Some((_, flags, reply)) => seen.say(flags, reply),
            None => seen.reply("refused", "", "", ""),
        };
        vec![(10, octets)]
    });
}

/// What of the rows the root has signed.
fn is_of_root(asked: &str, authority: &str) -> bool {
    let of_root = [". DNSKEY", ". NS", "example. DS", "plain. DS", "*. *"];
    of_root.contains(&asked) || authority.contains(" NS ns.")
}

fn agrees(asked: &str, seen: &Seen) -> bool {
    match asked.split_once(". *") {
        Some((apex, _)) => {
            let apex: Name =
                format!("{}.", apex.trim_start_matches('*').trim_start_matches('.')).parse().unwrap();
            seen.question.name.as_ref().is_at_or_below(apex.as_ref())
        }
        None => question(asked) == seen.question,
    }
}
