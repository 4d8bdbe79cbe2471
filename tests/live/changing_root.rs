//! A root that changes its keys, a namu that validates by them, and all clocks of that namu in the hand of the test.
//!
//! libfaketime moves the monotonic clock with that of the wall, as if the time had passed. A timer that waits in the kernel
//! does not notice; an order of the operator wakes the house, which then finds that a look is due.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use namu::dns::{NameRef, RrType, Rrset};
use namu::dnssec::DigestType;

use crate::dig::{self, Reply};
use crate::namespace::Namespace;
use crate::namu::{Folder, Namu, eventually, program, run, skipped};
use crate::peers::{Kind, Peer, Zone};
use crate::signing_keys::{KEY_SIGNING_KEY, SigningKey, ZONE_KEY, rrsets, with_signatures};
use crate::upstream_faults::{faketime, set_clock};

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 3600;
pub const DAY: i64 = 86_400;
/// The bit of a key that says of itself that it is not to be trusted (RFC 5011 7).
pub const REVOKE: u16 = 0x0080;
const NAMU: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Signatures hold from 2020 to 2037, so that nothing but keys has to change while years go by.
const PERIOD: (u32, u32) = (1_577_836_800, 2_114_380_800);

/// What the root says besides its keys. Without a chain of NSEC records named takes it for unsigned.
const ROOT: &str = ". 172800 SOA server.root. admin.root. 1 3600 600 86400 60\n. 172800 NS server.root.\n\
                    . 60 NSEC server.root. NS SOA RRSIG NSEC DNSKEY\nserver.root. 172800 A ADDRESS\n\
                    server.root. 60 NSEC www. A RRSIG NSEC\nwww. 300 A 192.0.2.1\nwww. 60 NSEC . A RRSIG NSEC\n";
const HOME: &str =
    "$ORIGIN home.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";

pub fn key(name: &str) -> SigningKey {
    SigningKey::ed25519_of(name.as_bytes(), KEY_SIGNING_KEY)
}

/// The same key when it revokes itself.
pub fn revoked(name: &str) -> SigningKey {
    SigningKey::ed25519_of(name.as_bytes(), KEY_SIGNING_KEY | REVOKE)
}

pub fn tag(name: &str) -> u16 {
    key(name).key().key_tag()
}

/// A network with a root whose keys change, and a clock.
pub struct Lab {
    pub folder: Folder,
    pub namespace: Namespace,
    library: PathBuf,
    kind: Kind,
    root: Option<Peer>,
    published: usize,
    /// Seconds the clock of namu is ahead.
    ahead: i64,
}

impl Lab {
    /// With a key as the one trust anchor that is configured; see [`Lab::with_anchors`].
    pub fn with_anchor(name: &str) -> Option<Lab> {
        Lab::with_anchors(&[name])
    }

    /// With these keys as trust anchors that are configured. None, and said to be skipped, where something is missing.
    pub fn with_anchors(names: &[&str]) -> Option<Lab> {
        let Some(library) = faketime() else {
            skipped("libfaketime is not installed, so no clock can leap");
            return None;
        };
        let Some(kind) = root_server() else {
            skipped("neither nsd nor named is installed, so no root changes its keys");
            return None;
        };
        if program("dig").is_none() {
            skipped("dig is not installed, so nobody asks in the network of this test");
            return None;
        }
        let namespace = Namespace::enter(&[])?;
        let folder = Folder::new();
        let lab = Lab { folder, namespace, library, kind, root: None, published: 0, ahead: 0 };
        lab.configure_anchors(names);
        lab.folder.write("hints", &crate::internet::hints(kind.address()));
        lab.folder.write("home.zone", HOME);
        lab.folder.write(
            "config.yaml",
            &format!(
                "server:\n  special-zones: none\n  state: state\nlisten:\n  - address: {NAMU}\n    port: 0\n\
                 access-log: []\nzones:\n  - {{name: home, type: primary, file: home.zone}}\nresolver:\n  \
                 root-hints: hints\n  never-query: none\n  ipv6: false\n  trust-anchors: anchors\n"
            ),
        );
        set_clock(&lab.folder, 0);
        Some(lab)
    }

    /// Writes the file of trust anchors that is configured.
    pub fn configure_anchors(&self, names: &[&str]) {
        let ds =
            |name: &&str| format!(". DS {}\n", generic(&key(name).ds(NameRef::ROOT, DigestType::SHA256)));
        self.folder.write("anchors", &names.iter().map(ds).collect::<String>());
    }

    /// Has the root publish these keys of keys, its set of keys being signed by those.
    pub fn publish(&mut self, keys: &[&SigningKey], signers: &[&SigningKey]) {
        self.root = None;
        self.published += 1;
        let at = SocketAddr::from((self.kind.address(), 53));
        let zone = Zone { name: ".".into(), text: root_zone(self.kind.address(), keys, signers) };
        let place = self.folder.path.join(format!("root-{}", self.published));
        self.root = Peer::start(self.kind, &place, &[at], &[zone], &self.namespace.prefix(false));
        assert!(self.root.is_some());
        eventually("the root answers", || {
            let reply = dig::run(self.dig(), at, ". SOA");
            reply.contains("status: NOERROR")
        });
    }

    /// From here on there is no root.
    pub fn lose_root(&mut self) {
        self.root = None;
    }

    pub fn namu(&self) -> Namu {
        Namu::spawn(self.faked(self.namespace.command(false, &binary()), &["run", "-c", "config.yaml"]))
    }

    pub fn faked(&self, mut command: Command, words: &[&str]) -> Command {
        command.args(words).current_dir(&self.folder.path).env("RUNTIME_DIRECTORY", &self.folder.path);
        command.env("LD_PRELOAD", &self.library);
        command.env("FAKETIME_TIMESTAMP_FILE", self.folder.path.join("clock"));
        command.envs(["FAKETIME_NO_CACHE", "NO_FAKE_STAT"].map(|name| (name, "1")));
        command
    }

    /// Lets time pass for namu, and has it do what is due then.
    pub fn pass(&mut self, seconds: i64) {
        self.ahead += seconds;
        set_clock(&self.folder, self.ahead);
        let (code, _, problem) = run(&self.folder.path, &["ctl", "status"]);
        assert_eq!(code, 0, "{problem}");
    }

    /// Lets time pass until a look is due, and waits until namu has written down what it brought.
    pub fn look_after(&mut self, seconds: i64) {
        self.pass(seconds);
        eventually("a look is done", || self.next_look().is_some_and(|next| next > self.now()));
    }

    /// The time by the clock of namu.
    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + self.ahead
    }

    fn next_look(&self) -> Option<i64> {
        let state = self.state();
        let (_, rest) = state.split_once(" next ")?;
        rest.split(' ').next()?.parse().ok()
    }

    /// The file in which what was learnt is kept.
    pub fn state(&self) -> String {
        self.folder.read("state/trust-anchors")
    }

    /// The state of a key in that file, and since when.
    pub fn state_of(&self, name: &str) -> Option<(String, i64)> {
        let (state, begin) = (self.state(), format!("key {} ", tag(name)));
        let line = state.lines().find_map(|line| line.strip_prefix(&begin))?;
        let words: Vec<&str> = line.split(' ').collect();
        let [state, "since", since, ..] = words[..] else { panic!("{line}") };
        Some((state.into(), since.parse().unwrap()))
    }

    pub fn is(&self, name: &str, want: &str) -> bool {
        self.state_of(name).is_some_and(|(state, _)| state == want)
    }

    pub fn ask(&self, namu: &Namu, words: &str) -> Reply {
        dig::read(&dig::run(self.dig(), namu.address(), words))
    }

    fn dig(&self) -> Command {
        self.namespace.command(false, &program("dig").unwrap())
    }

    pub fn explain(&self) -> String {
        run(&self.folder.path, &["explain", "www.", "--fresh"]).1
    }

    #[track_caller]
    pub fn assert_secure(&self, namu: &Namu) {
        let reply = self.ask(namu, "www. A +adflag");
        let is_secure = reply.status == "NOERROR" && reply.flags.contains(&"ad".to_owned());
        assert!(is_secure && reply.answers.len() == 1, "{reply:?}\n{}", self.explain());
    }

    /// SERVFAIL, with an extended error that says why (RFC 8914 4.7 and 4.10).
    #[track_caller]
    pub fn assert_bogus(&self, namu: &Namu) {
        let reply = self.ask(namu, "www. A");
        let code = reply.error.as_ref().map(|error| error.0);
        assert!(reply.status == "SERVFAIL" && matches!(code, Some(6 | 9)), "{reply:?}\n{}", self.explain());
    }
}

fn root_server() -> Option<Kind> {
    [(Kind::Nsd, "nsd"), (Kind::Named, "named")]
        .into_iter()
        .find_map(|(kind, name)| program(name).map(|_| kind))
}

pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_namu"))
}

fn root_zone(address: Ipv4Addr, keys: &[&SigningKey], signers: &[&SigningKey]) -> String {
    let zone_key = SigningKey::ed25519_of(b"zone", ZONE_KEY);
    let mut text = ROOT.replace("ADDRESS", &address.to_string());
    let all = keys.iter().copied().chain([&zone_key]);
    all.for_each(|key| text += &format!(". 172800 DNSKEY {}\n", generic(key.dnskey())));
    let sign = |rrset: &Rrset| {
        let is_of_keys = rrset.rr_type == RrType::DNSKEY;
        let signers = if is_of_keys { signers } else { &[&zone_key] };
        let signatures: Vec<Vec<u8>> =
            signers.iter().map(|key| key.sign(rrset.view(), NameRef::ROOT, PERIOD.0, PERIOD.1)).collect();
        with_signatures(rrset.view(), &signatures)
    };
    let mut signed = String::new();
    for rrset in rrsets(&text).iter().map(sign) {
        let (owner, ttl, rr_type) = (&rrset.owner, rrset.ttl.seconds(), rrset.rr_type);
        let line = |word: &str, rdata: &[u8]| format!("{owner} {ttl} IN {word} {}\n", generic(rdata));
        signed.extend(rrset.records().iter().map(|rdata| line(&rr_type.to_string(), rdata)));
        signed.extend(rrset.signatures().iter().map(|rdata| line("RRSIG", rdata)));
    }
    signed
}

/// RDATA as it is written for any type (RFC 3597 5).
fn generic(rdata: &[u8]) -> String {
    let digits: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("\\# {} {digits}", rdata.len())
}
