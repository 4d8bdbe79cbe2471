//! Trust anchors that follow their zone (RFC 5011), watched from outside: a root that changes its keys, a namu that validates
//! by them, and all clocks of that namu in the hand of the test.
//!
//! libfaketime moves the monotonic clock with that of the wall, as if the time had passed. A timer that waits in the kernel
//! does not notice; an order of the operator wakes the house, which then finds that a look is due.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use namu::dns::{NameRef, Rrset};
use namu::dnssec::DigestType;

use crate::dig::{self, Reply};
use crate::namespace::Namespace;
use crate::namu::{Folder, Namu, eventually, program, run, skipped};
use crate::peers::{Kind, Peer, Zone};
use crate::signing_keys::{KEY_SIGNING_KEY, SigningKey, ZONE_KEY, rrsets, with_signatures};
use crate::upstream_faults::{faketime, set_clock};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// The bit of a key that says of itself that it is not to be trusted (RFC 5011 7).
const REVOKE: u16 = 0x0080;
const NAMU: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Signatures hold from 2020 to 2037, so that nothing but keys has to change while years go by.
const PERIOD: (u32, u32) = (1_577_836_800, 2_114_380_800);

/// What the root says besides its keys.
const ROOT: &str = ". 172800 SOA server.root. admin.root. 1 3600 600 86400 60\n. 172800 NS server.root.\n\
                    server.root. 172800 A ADDRESS\nwww. 300 A 192.0.2.1\n";
const HOME: &str =
    "$ORIGIN home.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";

fn key(name: &str) -> SigningKey {
    SigningKey::ed25519_of(name.as_bytes(), KEY_SIGNING_KEY)
}

/// The same key when it revokes itself.
fn revoked(name: &str) -> SigningKey {
    SigningKey::ed25519_of(name.as_bytes(), KEY_SIGNING_KEY | REVOKE)
}

fn tag(name: &str) -> u16 {
    key(name).key().key_tag()
}

/// A network with a root whose keys change, and a clock.
struct Lab {
    folder: Folder,
    namespace: Namespace,
    library: PathBuf,
    kind: Kind,
    root: Option<Peer>,
    published: usize,
    /// Seconds the clock of namu is ahead.
    ahead: i64,
}

impl Lab {
    /// With a key as the one trust anchor that is configured; see [`Lab::with_anchors`].
    fn with_anchor(name: &str) -> Option<Lab> {
        Lab::with_anchors(&[name])
    }

    /// With these keys as trust anchors that are configured. None, and said to be skipped, where something is missing.
    fn with_anchors(names: &[&str]) -> Option<Lab> {
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
    fn configure_anchors(&self, names: &[&str]) {
        let ds =
            |name: &&str| format!(". DS {}\n", generic(&key(name).ds(NameRef::ROOT, DigestType::SHA256)));
        self.folder.write("anchors", &names.iter().map(ds).collect::<String>());
    }

    /// Has the root publish these keys of keys, its set of keys being signed by those.
    fn publish(&mut self, keys: &[&SigningKey], signers: &[&SigningKey]) {
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
    fn lose_root(&mut self) {
        self.root = None;
    }

    fn namu(&self) -> Namu {
        Namu::spawn(self.faked(self.namespace.command(false, &binary()), &["run", "-c", "config.yaml"]))
    }

    fn faked(&self, mut command: Command, words: &[&str]) -> Command {
        command.args(words).current_dir(&self.folder.path).env("RUNTIME_DIRECTORY", &self.folder.path);
        command.env("LD_PRELOAD", &self.library);
        command.env("FAKETIME_TIMESTAMP_FILE", self.folder.path.join("clock"));
        command.envs(["FAKETIME_NO_CACHE", "NO_FAKE_STAT"].map(|name| (name, "1")));
        command
    }

    /// Lets time pass for namu, and has it do what is due then.
    fn pass(&mut self, seconds: i64) {
        self.ahead += seconds;
        set_clock(&self.folder, self.ahead);
        let (code, _, problem) = run(&self.folder.path, &["ctl", "status"]);
        assert_eq!(code, 0, "{problem}");
    }

    /// Lets time pass until a look is due, and waits until namu has written down what it brought.
    fn look_after(&mut self, seconds: i64) {
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
    fn state(&self) -> String {
        self.folder.read("state/trust-anchors")
    }

    /// The state of a key in that file, and since when.
    fn state_of(&self, name: &str) -> Option<(String, i64)> {
        let (state, begin) = (self.state(), format!("key {} ", tag(name)));
        let line = state.lines().find_map(|line| line.strip_prefix(&begin))?;
        let words: Vec<&str> = line.split(' ').collect();
        let [state, "since", since, ..] = words[..] else { panic!("{line}") };
        Some((state.into(), since.parse().unwrap()))
    }

    fn is(&self, name: &str, want: &str) -> bool {
        self.state_of(name).is_some_and(|(state, _)| state == want)
    }

    fn ask(&self, namu: &Namu, words: &str) -> Reply {
        dig::read(&dig::run(self.dig(), namu.address(), words))
    }

    fn dig(&self) -> Command {
        self.namespace.command(false, &program("dig").unwrap())
    }

    fn explain(&self) -> String {
        run(&self.folder.path, &["explain", "www.", "--fresh"]).1
    }

    #[track_caller]
    fn assert_secure(&self, namu: &Namu) {
        let reply = self.ask(namu, "www. A +adflag");
        let is_secure = reply.status == "NOERROR" && reply.flags.contains(&"ad".to_owned());
        assert!(is_secure && reply.answers.len() == 1, "{reply:?}\n{}", self.explain());
    }

    /// SERVFAIL, with an extended error that says why (RFC 8914 4.7 and 4.10).
    #[track_caller]
    fn assert_bogus(&self, namu: &Namu) {
        let reply = self.ask(namu, "www. A");
        let code = reply.error.as_ref().map(|error| error.0);
        assert!(reply.status == "SERVFAIL" && matches!(code, Some(6 | 9)), "{reply:?}\n{}", self.explain());
    }

    /// A lab and a namu that trusts `a` as configured and `b` because it was there for its time; both are there.
    fn with_learnt() -> Option<(Lab, Namu)> {
        let mut lab = Lab::with_anchor("a")?;
        lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
        let mut namu = lab.namu();
        lab.assert_secure(&namu);
        lab.look_after(2 * MINUTE);
        namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("a")));
        namu.wait_for(&format!(
            "trust anchor .: key {} is new; it is trusted when it has been there for 30 days",
            tag("b")
        ));
        for _ in 0..2 {
            lab.look_after(10 * DAY);
            assert!(lab.is("b", "addpend"), "{}", lab.state());
            assert!(
                lab.explain().contains(&format!("trust anchor for key {}\n", tag("a"))),
                "{}",
                lab.explain()
            );
        }
        lab.look_after(10 * DAY);
        namu.wait_for(&format!(
            "trust anchor .: key {} has been there for long enough: it is trusted",
            tag("b")
        ));
        assert!(lab.is("a", "valid") && lab.is("b", "valid"), "{}", lab.state());
        Some((lab, namu))
    }
}

fn root_server() -> Option<Kind> {
    [(Kind::Nsd, "nsd"), (Kind::Named, "named")]
        .into_iter()
        .find_map(|(kind, name)| program(name).map(|_| kind))
}

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_namu"))
}

fn root_zone(address: Ipv4Addr, keys: &[&SigningKey], signers: &[&SigningKey]) -> String {
    let zone_key = SigningKey::ed25519_of(b"zone", ZONE_KEY);
    let mut text = ROOT.replace("ADDRESS", &address.to_string());
    let all = keys.iter().copied().chain([&zone_key]);
    all.for_each(|key| text += &format!(". 172800 DNSKEY {}\n", generic(key.dnskey())));
    let sign = |rrset: &Rrset| {
        let is_of_keys = rrset.rr_type == namu::dns::RrType::DNSKEY;
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

#[test]
fn a_new_key_takes_over_when_its_time_has_come_and_outlives_a_restart() {
    let Some((mut lab, mut namu)) = Lab::with_learnt() else { return };
    let both = format!("trust anchors for key {}, {}", tag("a"), tag("b"));
    assert!(lab.explain().contains(&both), "{}", lab.explain());
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is not there any more; it stays trusted", tag("a")));
    let outdated = format!("that {} is trusted stands in state/trust-anchors alone: configure it", tag("b"));
    namu.wait_for(&outdated);
    lab.assert_secure(&namu);
    let (_, stats, _) = run(&lab.folder.path, &["ctl", "stats"]);
    for (name, state) in [("a", "missing"), ("b", "valid")] {
        let line =
            format!("namu_trust_anchor_info{{zone=\".\",key_tag=\"{}\",state=\"{state}\"}} 1", tag(name));
        assert!(stats.contains(&line), "{line} in\n{stats}");
    }
    assert!(namu.stop().success());
    // What is configured would validate nothing any more.
    let mut namu = lab.namu();
    assert!(namu.heard().contains(&outdated), "{}", namu.heard());
    lab.assert_secure(&namu);
    assert!(namu.stop().success());
    std::fs::remove_file(lab.folder.path.join("state/trust-anchors")).unwrap();
    let namu = lab.namu();
    lab.assert_bogus(&namu);
    let text = lab.explain();
    for part in [
        "none of the keys of . is a trust anchor",
        "hint: if . has other keys now, configure them in `trust-anchors`",
    ] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    assert!(namu.stop().success());
}

#[test]
fn a_revoked_key_is_not_trusted_again_whatever_it_signs() {
    let Some((mut lab, mut namu)) = Lab::with_learnt() else { return };
    // RFC 5011 2.1: the bit is part of what the tag is made of.
    assert_eq!(revoked("a").key().key_tag(), tag("a").wrapping_add(REVOKE));
    lab.publish(&[&revoked("a"), &key("b")], &[&revoked("a"), &key("b")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} revoked itself: it is not trusted any more", tag("a")));
    assert!(lab.is("a", "revoked") && lab.is("b", "valid"), "{}", lab.state());
    lab.assert_secure(&namu);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    lab.assert_bogus(&namu);
    // And after the time that it is remembered for.
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.look_after(40 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} was revoked long ago", tag("a")));
    lab.assert_secure(&namu);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}

#[test]
fn a_root_that_revokes_its_only_key_is_not_validated_and_that_is_said_loudly() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    lab.assert_secure(&namu);
    lab.publish(&[&revoked("a"), &key("b")], &[&revoked("a"), &key("b")]);
    lab.pass(2 * DAY);
    const DELETED: &str = "all trust anchors of . are revoked: nothing at and below it is validated any more";
    assert!(namu.wait_for(DELETED).contains("configure new ones"));
    let reply = lab.ask(&namu, "www. A +adflag");
    assert!(reply.status == "NOERROR" && !reply.flags.contains(&"ad".to_owned()), "{reply:?}");
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    assert!(namu.heard().contains(DELETED), "{}", namu.heard());
    // RFC 5011 4.2: also when somebody configures it again, beside the one that is good.
    lab.configure_anchors(&["a", "b"]);
    assert_eq!(run(&lab.folder.path, &["ctl", "reload"]).0, 0);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("b")));
    lab.assert_secure(&namu);
    assert!(lab.is("a", "revoked"), "{}", lab.state());
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_was_gone_for_a_while_begins_anew() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("c")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    let (_, first) = lab.state_of("c").unwrap();
    lab.look_after(20 * DAY);
    assert_eq!(lab.state_of("c"), Some(("addpend".into(), first)));
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is forgotten before it was trusted", tag("c")));
    assert_eq!(lab.state_of("c"), None);
    lab.publish(&[&key("a"), &key("c")], &[&key("a")]);
    lab.look_after(2 * DAY);
    let (state, again) = lab.state_of("c").unwrap();
    assert!(state == "addpend" && again >= first + 24 * DAY, "{first} {again}");
    // More than its time since it was seen first, less than its time since it was seen again.
    lab.look_after(20 * DAY);
    assert_eq!(lab.state_of("c"), Some((state, again)));
    // Neither does a restart hurry it, nor the end of its time alone.
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    lab.look_after(9 * DAY);
    assert_eq!(lab.state_of("c"), Some(("addpend".into(), again)));
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("key {} has been there for long enough: it is trusted", tag("c")));
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_only_a_revoked_one_vouched_for_begins_anew() {
    let Some(mut lab) = Lab::with_anchors(&["a", "b"]) else { return };
    lab.publish(&[&key("a"), &key("b"), &key("c")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    let (_, first) = lab.state_of("c").unwrap();
    // RFC 5011 2.2: who has stolen the key `a` may have made `c`.
    lab.publish(&[&revoked("a"), &key("b"), &key("c")], &[&revoked("a"), &key("b")]);
    lab.look_after(20 * DAY);
    namu.wait_for(&format!("key {} is forgotten before it was trusted", tag("c")));
    namu.wait_for(&format!("key {} is new; it is trusted when it has been there for 30 days", tag("c")));
    let (state, again) = lab.state_of("c").unwrap();
    assert!(state == "addpend" && again >= first + 20 * DAY, "{first} {again}");
    lab.look_after(29 * DAY);
    assert_eq!(lab.state_of("c"), Some((state, again)));
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("key {} has been there for long enough: it is trusted", tag("c")));
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_no_trusted_one_vouches_for_is_never_trusted() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    lab.assert_secure(&namu);
    let zone_key = SigningKey::ed25519_of(b"zone", ZONE_KEY);
    for (keys, signer) in [
        // Beside the trusted one, alone, and in place of one that is said to be revoked.
        (&[&key("a"), &key("x")][..], &key("x")),
        (&[&key("x")], &key("x")),
        (&[&revoked("a"), &key("x")], &key("x")),
        // RFC 5011 2: the key of the data vouches for no keys, though the trusted one has vouched for it.
        (&[&key("a"), &key("x")], &zone_key),
    ] {
        lab.publish(keys, &[signer]);
        for _ in 0..2 {
            lab.look_after(40 * DAY);
            lab.assert_bogus(&namu);
            assert!(lab.is("a", "valid") && lab.state_of("x").is_none(), "{}", lab.state());
        }
    }
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_secure(&namu);
    namu.wait_for("trust anchor .: the keys of the zone are seen again");
    const UNTRUSTED: &str = "trust anchor .: the keys of the zone are signed by none that is trusted here";
    assert_eq!(namu.heard().matches(UNTRUSTED).count(), 1, "{}", namu.heard());
    assert!(namu.stop().success());
}

#[test]
fn a_start_without_a_network_serves_and_looks_when_there_is_one() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    let mut namu = lab.namu();
    let answers_home = |lab: &Lab, namu: &Namu| {
        let reply = lab.ask(namu, "ns1.home. A");
        assert!(reply.status == "NOERROR" && reply.flags.contains(&"aa".to_owned()), "{reply:?}");
    };
    answers_home(&lab, &namu);
    lab.look_after(2 * MINUTE);
    namu.wait_for("trust anchor .: no name server gives the keys of the zone; they are asked for again");
    assert_eq!(lab.ask(&namu, "www. A").status, "SERVFAIL");
    answers_home(&lab, &namu);
    assert_eq!(lab.state_of("a"), None);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(HOUR);
    namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("a")));
    namu.wait_for("trust anchor .: the keys of the zone are seen again");
    lab.assert_secure(&namu);
    // And gone again: what was learnt stays.
    lab.lose_root();
    lab.look_after(2 * DAY);
    assert!(lab.is("a", "valid"), "{}", lab.state());
    answers_home(&lab, &namu);
    assert!(namu.stop().success());
}

#[test]
fn a_state_directory_that_cannot_be_written_is_said_once_and_hinders_nothing() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
    std::fs::create_dir(lab.folder.path.join("state")).unwrap();
    // Permissions do not count for the superuser, whom it takes to be here; a mount does.
    let script =
        "mount --bind state state && mount -o remount,bind,ro state && exec \"$0\" run -c config.yaml";
    let unshare = lab.namespace.command(false, &program("unshare").unwrap());
    let binary = binary().display().to_string();
    let mut namu = Namu::spawn(lab.faked(unshare, &["--mount", "sh", "-c", script, &binary]));
    lab.pass(2 * MINUTE);
    namu.wait_for(&format!("trust anchor .: key {} is new", tag("b")));
    lab.assert_secure(&namu);
    lab.pass(31 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} has been there for long enough", tag("b")));
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.pass(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is not there any more", tag("a")));
    lab.assert_secure(&namu);
    let heard = namu.heard();
    assert_eq!(
        heard.matches("what is learnt of trust anchors is lost at the next stop").count(),
        1,
        "{heard}"
    );
    assert_eq!(lab.state(), "", "the directory is not read-only");
    assert!(namu.stop().success());
}

#[test]
fn a_broken_state_file_is_said_and_leaves_the_configured_trust_anchors() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
    let namu = lab.namu();
    lab.look_after(2 * MINUTE);
    assert!(namu.stop().success());
    let good = lab.state();
    let is_whole = |lab: &Lab| lab.state().ends_with("end\n") && lab.is("a", "valid");
    assert!(is_whole(&lab), "{good}");
    for (damage, said) in [
        ("", "it is damaged at line 1"),
        (&good[..good.len() - 30], "it is damaged at line "),
        (&good.replace(" valid ", " trusted "), "it is damaged at line "),
        ("namu-trust-anchors 2\nend\n", "it has format 2, which a later namu wrote"),
        ("\u{0}\u{1}\u{2}", "it is damaged at line 1"),
    ] {
        lab.folder.write("state/trust-anchors", damage);
        let mut namu = lab.namu();
        let heard = namu.heard();
        let line = heard.lines().find(|line| line.contains("state/trust-anchors: "));
        let line = line.unwrap_or_else(|| panic!("nothing is said of {damage}:\n{heard}"));
        assert!(
            line.contains(said) && line.contains("the configured trust anchors are begun with"),
            "{line}"
        );
        lab.assert_secure(&namu);
        lab.pass(2 * DAY);
        eventually("the file is whole again", || is_whole(&lab));
        assert!(namu.stop().success());
    }
    // What is broken opens no door.
    lab.folder.write("state/trust-anchors", "broken");
    lab.publish(&[&key("x")], &[&key("x")]);
    let namu = lab.namu();
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}
