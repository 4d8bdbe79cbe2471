//! Answers of signed zones: what is thought of them, beside unbound and named, and what clients are told.

use std::collections::BTreeSet;
use std::thread;

use namu::observe::Security;
use namu::observe::access_log_parse::parse;

use crate::dig::{self, Reply};
use crate::internet::zone;
use crate::namu::{Folder, Namu, eventually, run, skipped};
use crate::peers::Zone;
use crate::signed_internet::{LEAF, Leaves, SignedInternet, tld};
use crate::signing::{ALGORITHMS, Denial, Manner, Signer, sign};
use crate::upstream_faults::{faketime, set_clock};

/// What is in each leaf, below its name `LEAF`.
const CONTENTS: &str = "@ NS ns\nns A SERVER\nwww A 192.0.2.1\nwww TXT \"a b\" \"c\"\n*.wild A 192.0.2.9\n*.wc CNAME www\n\
                        a.b.ent A 192.0.2.3\nalias CNAME www\nchain CNAME alias\nout CNAME www.plain\n\
                        across CNAME www.bind-13-nsec.one.\ngone CNAME nobody\nold DNAME far\nx.far A 192.0.2.4\n\
                        away DNAME bare.one.\nplain NS ns.plain\nns.plain A SERVER\n";

/// What is asked of each leaf.
const OF_LEAF: &[&str] = &[
    "www.LEAF A",
    "www.LEAF AAAA",
    "WWW.LEAF TXT",
    "nobody.LEAF A",
    "a.nobody.LEAF A",
    "x.wild.LEAF A",
    "x.y.wild.LEAF A",
    "x.wild.LEAF AAAA",
    "wild.LEAF A",
    "*.wild.LEAF A",
    "x.wc.LEAF A",
    "x.wc.LEAF AAAA",
    "x.wc.LEAF CNAME",
    "ent.LEAF A",
    "b.ent.LEAF DS",
    "x.b.ent.LEAF A",
    "alias.LEAF A",
    "alias.LEAF CNAME",
    "alias.LEAF AAAA",
    "chain.LEAF A",
    "out.LEAF A",
    "across.LEAF A",
    "gone.LEAF A",
    "old.LEAF DNAME",
    "old.LEAF A",
    "x.old.LEAF A",
    "y.old.LEAF A",
    "www.away.LEAF A",
    "LEAF DS",
    "LEAF DNSKEY",
    "LEAF SOA",
    "LEAF NS",
    "LEAF NSEC",
    "LEAF MX",
    "www.LEAF DS",
    "www.LEAF NSEC",
    "plain.LEAF DS",
    "plain.LEAF NS",
    "www.plain.LEAF A",
    "nobody.plain.LEAF A",
    "www.LEAF RRSIG",
    "nobody.LEAF RRSIG",
    "ent.LEAF RRSIG",
    "www.plain.LEAF RRSIG",
    "www.LEAF ANY",
    "LEAF ANY",
    "nobody.LEAF ANY",
    "ent.LEAF ANY",
    "x.wild.LEAF ANY",
    "alias.LEAF ANY",
    "www.plain.LEAF ANY",
];

/// What is asked besides.
const ELSEWHERE: &[&str] = &[
    ". SOA",
    ". NS",
    ". DNSKEY",
    ". DS",
    ". NSEC",
    ". A",
    "nobody. A",
    "a.nobody. A",
    "one. DS",
    "three. DS",
    "opt. DS",
    "one. DNSKEY",
    "three. DNSKEY",
    "opt. DNSKEY",
    "one. A",
    "three. A",
    "opt. A",
    "nobody.one. A",
    "nobody.three. A",
    "nobody.opt. A",
    "a.nobody.one. DS",
    "a.nobody.three. DS",
    "a.nobody.opt. DS",
    "ns.one. A",
    "ns.one. AAAA",
    "ns.three. AAAA",
    "ns.opt. AAAA",
    "bare.one. DS",
    "bare.three. DS",
    "bare.opt. DS",
    "bare.one. DNSKEY",
    "bare.three. DNSKEY",
    "bare.opt. DNSKEY",
    "www.bare.one. A",
    "www.bare.three. A",
    "www.bare.opt. A",
    "nobody.bare.one. A",
    "nobody.bare.three. A",
    "nobody.bare.opt. A",
    "www.bare.one. AAAA",
    "www.bare.three. DS",
    "www.bare.opt. DS",
    "ns.bare.opt. A",
    "island.one. DS",
    "www.island.one. A",
    "island.one. DNSKEY",
    "nobody.island.one. A",
    "www.expired.one. A",
    "www.early.one. A",
    "www.otherkey.one. A",
    "www.otherdigest.one. A",
    "www.stripped.one. A",
    "www.unproven.one. A",
    "nobody.unproven.one. A",
    "www.unproven.one. AAAA",
    "bad.broken.one. A",
    "www.broken.one. A",
    "www.bald.one. A",
    "www.bald.one. AAAA",
    "toexpired.broken.one. A",
    "expired.one. DNSKEY",
    "expired.one. DS",
    "stripped.one. DNSKEY",
    "stripped.one. DS",
    "www.a.b.deep.one. A",
    "b.deep.one. DS",
    "a.b.deep.one. DS",
];

/// Leaves that are signed with an algorithm which only the others know: Ed448 (RFC 8080), which no library kept here
/// offers. RFC 4035 5.2: to namu they are as if they were unsigned.
const UNSUPPORTED: &str = "-16-";

/// What others still validate is validated for the comparison. The servers of this internet are at loopback addresses, of
/// which public names are otherwise rid.
const VALIDATE_SHA1: &str = "  dnssec-sha1: validate\n  private-exceptions: [one, three, opt]\n";

/// The part of an answer that validators must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    status: String,
    is_authentic: bool,
    answers: BTreeSet<String>,
}

fn told(text: &str) -> Told {
    let Reply { status, flags, answers, .. } = dig::read(text);
    // Names are compared without case, other data with it.
    let record = |(owner, _, data): (String, u32, String)| format!("{} {data}", owner.to_lowercase());
    Told {
        status,
        is_authentic: flags.contains(&"ad".to_owned()),
        answers: answers.into_iter().map(record).collect(),
    }
}

fn agree(ours: &Told, theirs: &Told, question: &str) -> bool {
    let mut theirs = theirs.clone();
    // RFC 8482 4.1: of all there is, one RRset will do.
    if question.contains(" ANY") && !ours.answers.is_empty() && ours.answers.is_subset(&theirs.answers) {
        theirs.answers = ours.answers.clone();
    }
    let without_proof = || Told { is_authentic: false, ..theirs.clone() };
    *ours == theirs || (question.contains(UNSUPPORTED) && *ours == without_proof())
}

/// A leaf of this name, unsigned.
fn leaf(name: &str) -> Zone {
    zone(name, &CONTENTS.replace("SERVER", &LEAF.to_string()))
}

/// A zone below it that nobody signs, and above which no DS stands.
fn plain(leaf: &str) -> Zone {
    zone(&format!("plain.{leaf}"), &format!("@ NS ns\nns A {LEAF}\nwww A 192.0.2.8\n"))
}

fn manners() -> Vec<Manner> {
    let signers: Vec<Signer> = Signer::ALL.into_iter().filter(|signer| signer.is_here()).collect();
    let mut manners = Vec::new();
    for signer in signers {
        for (algorithm, ..) in ALGORITHMS {
            let all = Denial::ALL.map(|denial| Manner::new(signer, algorithm, denial));
            manners.extend(all.into_iter().filter(|manner| manner.exists()));
        }
    }
    manners
}

fn name_of(Manner { signer, algorithm, denial, .. }: Manner) -> String {
    format!("{}-{algorithm}-{}.{}", signer.word(), denial.word(), tld(denial))
}

/// A leaf of every tool, algorithm and way of denial.
fn add_signed(leaves: &mut Leaves, folder: &Folder) {
    let manners = manners();
    let half = manners.len().div_ceil(2);
    let signed: Vec<_> = thread::scope(|scope| {
        let sign_all = |some: &[Manner]| -> Vec<_> {
            let place = |name: &str| folder.path.join(format!("signing/{name}"));
            let sign_one = |manner: &Manner| {
                let name = name_of(*manner);
                sign(&place(&name), &leaf(&name), *manner)
            };
            some.iter().filter_map(sign_one).collect()
        };
        let threads: Vec<_> = manners.chunks(half).map(|some| scope.spawn(move || sign_all(some))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for signed in signed {
        leaves.zones.push(plain(&signed.zone.name));
        leaves.add(signed.zone, &signed.ds);
    }
}

/// Leaves with something wrong, each with the code that tells what (RFC 8914 4).
const WRONG: [(&str, &str, u16); 8] = [
    // Signature Expired.
    ("expired", "www", 7),
    // Signature Not Yet Valid.
    ("early", "www", 8),
    // DNSKEY Missing: the zone has none that its DS is of.
    ("otherkey", "www", 9),
    ("otherdigest", "www", 9),
    // RRSIGs Missing (RFC 8914 4.11): "no RRSIGs could be found for at least one RRset where RRSIGs were expected".
    ("stripped", "www", 10),
    // DNSSEC Bogus.
    ("broken", "bad", 6),
    // NSEC Missing.
    ("unproven", "nobody", 12),
    // RRSIGs Missing.
    ("bald", "www", 10),
];

/// Leaves that are unsigned, signed for nobody, or wrong.
fn add_others(leaves: &mut Leaves, folder: &Folder) {
    for denial in Denial::ALL {
        leaves.add(
            zone(&format!("bare.{}", tld(denial)), &format!("@ NS ns\nns A {LEAF}\nwww A 192.0.2.5\n")),
            "",
        );
    }
    let manner = Manner::new(Signer::Bind, 13, Denial::Nsec);
    let sign_with = |name: &str, lines: &str, manner: Manner| {
        let text = format!("@ NS ns\nns A {LEAF}\nwww A 192.0.2.6\n{lines}");
        let place = folder.path.join(format!("signing/{name}"));
        sign(&place, &zone(name, &text), manner).expect("everybody has this algorithm")
    };
    let sign = |name: &str, lines: &str| sign_with(name, lines, manner);
    leaves.add(sign("island.one.", "").zone, "");
    let past = Some(("20200101000000", "20200201000000"));
    let expired = sign_with("expired.one.", "", Manner { dates: past, ..manner });
    leaves.add(expired.zone, &expired.ds);
    let future = Some(("20800101000000", "20800201000000"));
    let early = sign_with("early.one.", "", Manner { dates: future, ..manner });
    leaves.add(early.zone, &early.ds);
    let other = sign("otherkey.one.", "").ds;
    let again = folder.path.join("signing/otherkey-again");
    let zone_again = zone("otherkey.one.", &format!("@ NS ns\nns A {LEAF}\nwww A 192.0.2.6\n"));
    leaves.add(crate::signing::sign(&again, &zone_again, manner).unwrap().zone, &other);
    let otherdigest = sign("otherdigest.one.", "");
    leaves.add(otherdigest.zone, &with_other_digests(&otherdigest.ds));
    let stripped = sign("stripped.one.", "");
    leaves.add(zone("stripped.one.", &format!("@ NS ns\nns A {LEAF}\nwww A 192.0.2.6\n")), &stripped.ds);
    let unproven = sign("unproven.one.", "");
    leaves.add(without(unproven.zone, |words| words[3] == "NSEC" || words[4] == "NSEC"), &unproven.ds);
    let bald = sign("bald.one.", "");
    leaves.add(without(bald.zone, |words| words[3] == "RRSIG" && words[4] == "A"), &bald.ds);
    let mut broken = sign("broken.one.", "bad A 192.0.2.7\ntoexpired CNAME www.expired.one.\n");
    broken.zone.text = broken.zone.text.replace("192.0.2.7", "192.0.2.77");
    leaves.add(broken.zone, &broken.ds);
    // A DS below two empty non-terminals.
    let deep = sign("a.b.deep.one.", "");
    leaves.add(deep.zone, &deep.ds);
}

/// DS records with the right key tags, of keys that nobody has.
fn with_other_digests(ds: &str) -> String {
    let mut text = String::new();
    for line in ds.lines() {
        let (before, digest) = line.rsplit_once(' ').unwrap();
        let flip = |digit: char| if digit == '0' { '1' } else { '0' };
        text += &format!("{before} {}\n", digest.chars().map(flip).collect::<String>());
    }
    text
}

/// A signed zone, a record a line, without some of them.
fn without(zone: Zone, is_gone: impl Fn(&[&str]) -> bool) -> Zone {
    let stays = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() < 5 || line.starts_with(';') || !is_gone(&words)
    };
    let lines: Vec<&str> = zone.text.lines().filter(stays).collect();
    Zone { name: zone.name, text: lines.join("\n") + "\n" }
}

/// A leaf that nothing is wrong with.
fn add_good(leaves: &mut Leaves, folder: &Folder) {
    let place = folder.path.join("signing/good");
    let manner = Manner::new(Signer::Bind, 13, Denial::Nsec);
    let signed = sign(&place, &leaf("good.one."), manner).expect("everybody has this algorithm");
    leaves.add(signed.zone, &signed.ds);
}

#[test]
fn every_answer_is_thought_of_as_by_others() {
    let internet = SignedInternet::start(|folder| {
        let mut leaves = Leaves::default();
        add_signed(&mut leaves, folder);
        add_others(&mut leaves, folder);
        leaves
    });
    let Some(internet) = internet else { return };
    let namu = internet.namu("namu", VALIDATE_SHA1);
    let (unbound, named) = (internet.unbound(), internet.named());
    let mut questions: Vec<String> = ELSEWHERE.iter().map(|question| format!("{question} +dnssec")).collect();
    for manner in manners() {
        let ask = |question: &&str| format!("{} +dnssec", question.replace("LEAF", &name_of(manner)));
        questions.extend(OF_LEAF.iter().map(ask));
    }
    let (internet, questions) = (&internet, &questions);
    let ask_all = |at| {
        let replies = internet.ask_all(at, questions);
        replies.iter().map(|text| told(text)).collect::<Vec<Told>>()
    };
    let (ours, theirs) = thread::scope(|scope| {
        let peers = [("unbound", &unbound), ("named", &named)];
        let peers = peers.into_iter().filter_map(|(name, peer)| Some((name, peer.as_ref()?.at)));
        let peers: Vec<_> = peers.map(|(name, at)| (name, scope.spawn(move || ask_all(at)))).collect();
        let ours = ask_all(namu.address());
        let theirs = peers.into_iter().map(|(name, peer)| (name, peer.join().unwrap()));
        (ours, theirs.collect::<Vec<_>>())
    });
    let mut differences = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        // Where the others disagree, namu is to agree with one of them.
        let is_shared = theirs.iter().any(|(_, told)| agree(&ours[index], &told[index], question));
        if !is_shared && !theirs.is_empty() {
            let theirs: Vec<_> =
                theirs.iter().map(|(name, told)| format!("  {name}: {:?}", told[index])).collect();
            differences.push(format!("{question}\n  namu: {:?}\n{}", ours[index], theirs.join("\n")));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        questions.len(),
        differences.join("\n")
    );
    assert!(namu.stop().success());
}

/// What is asked of a good leaf, and of the response: the code, the flags, how many records answer, and whether any
/// record of DNSSEC is in any section.
const ASKED: &[(&str, &str, usize, bool)] = &[
    // RFC 4035 3.2.1: without DO there is nothing of DNSSEC that was not asked for. RFC 6840 5.8: AD for who sets AD or DO.
    ("www.good.one. A +noadflag", "NOERROR qr rd ra", 1, false),
    ("www.good.one. A +adflag", "NOERROR qr rd ra ad", 1, false),
    ("www.good.one. A +noadflag +dnssec", "NOERROR qr rd ra ad", 2, true),
    ("www.good.one. A +noedns +noadflag", "NOERROR qr rd ra", 1, false),
    ("www.good.one. A +noedns +adflag", "NOERROR qr rd ra ad", 1, false),
    ("nobody.good.one. A +noadflag", "NXDOMAIN qr rd ra", 0, false),
    ("nobody.good.one. A +adflag", "NXDOMAIN qr rd ra ad", 0, false),
    ("nobody.good.one. A +noadflag +dnssec", "NXDOMAIN qr rd ra ad", 0, true),
    ("www.good.one. AAAA +noadflag", "NOERROR qr rd ra", 0, false),
    ("www.good.one. AAAA +noadflag +dnssec", "NOERROR qr rd ra ad", 0, true),
    ("x.old.good.one. A +adflag", "NOERROR qr rd ra ad", 3, false),
    ("x.wild.good.one. A +noadflag +dnssec", "NOERROR qr rd ra ad", 2, true),
    // What was asked for is given.
    ("good.one. NSEC +noadflag", "NOERROR qr rd ra", 1, true),
    ("good.one. DNSKEY +noadflag", "NOERROR qr rd ra", 1, false),
    ("www.bare.one. A +noadflag +dnssec", "NOERROR qr rd ra", 1, false),
    ("www.island.one. A +noadflag +dnssec", "NOERROR qr rd ra", 2, true),
];

#[test]
fn clients_are_told_what_they_asked_for_and_why_there_is_nothing() {
    let internet = SignedInternet::start(|folder| {
        let mut leaves = Leaves::default();
        add_good(&mut leaves, folder);
        add_others(&mut leaves, folder);
        leaves
    });
    let Some(internet) = internet else { return };
    let namu = internet.namu("namu", "");
    let at = namu.address();
    for _from_network_then_cache in 0..2 {
        for (words, header, answers, has_proofs) in ASKED {
            let text = internet.print(at, words);
            let reply = dig::read(&text);
            let told = format!("{} {}", reply.status, reply.flags.join(" "));
            let proofs = text.lines().filter(|line| !line.starts_with(';'));
            let mut proofs = proofs.filter(|line| line.contains("RRSIG") || line.contains("NSEC"));
            let said = (told.as_str(), reply.answers.len(), proofs.next().is_some());
            assert_eq!(said, (*header, *answers, *has_proofs), "{words}:\n{text}");
        }
        for (leaf, host, code) in WRONG {
            let name = format!("{host}.{leaf}.one. A");
            let reply = internet.ask(at, &name);
            let said =
                (reply.status.as_str(), reply.answers.len(), reply.error.as_ref().map(|error| error.0));
            assert_eq!(said, ("SERVFAIL", 0, Some(code)), "{name}: {reply:?}");
            // RFC 4035 3.2.2: who checks alone may have it, and nobody else has it then.
            let reply = internet.ask(at, &format!("{name} +cd"));
            let is_unproven =
                reply.flags.contains(&"cd".to_owned()) && !reply.flags.contains(&"ad".to_owned());
            let status = if host == "nobody" { "NXDOMAIN" } else { "NOERROR" };
            assert!(reply.status == status && is_unproven, "{name}: {reply:?}");
            assert_eq!(internet.ask(at, &name).status, "SERVFAIL", "{name}");
        }
    }
    assert!(namu.stop().success());
    without_enforcement(&internet);
}

/// The other ways to be configured.
fn without_enforcement(internet: &SignedInternet) {
    let namu = Namu::spawn(internet.namu_command("unanchored", "  trust-anchors: none\n"));
    for name in ["www.good.one.", "www.expired.one.", "bad.broken.one."] {
        let reply = internet.ask(namu.address(), &format!("{name} A"));
        assert_eq!(
            (reply.status.as_str(), reply.flags.join(" ").as_str()),
            ("NOERROR", "qr rd ra"),
            "{name}"
        );
    }
    assert!(namu.stop().success());
    let namu = internet.namu("lenient", "  validation: log\n");
    for (name, flags) in
        [("www.good.one.", "qr rd ra ad"), ("www.expired.one.", "qr rd ra"), ("bad.broken.one.", "qr rd ra")]
    {
        let reply = internet.ask(namu.address(), &format!("{name} A"));
        assert_eq!((reply.status.as_str(), reply.flags.join(" ").as_str()), ("NOERROR", flags), "{name}");
        assert_eq!(reply.answers.len(), 1, "{name}");
    }
    assert!(namu.stop().success());
    let log = internet.folder.read("lenient.log");
    // Each core hands its lines on by itself, so they stand in any order.
    let says = |name: &str| {
        let line = log.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {log}"));
        parse(line).unwrap().security
    };
    let names = ["www.good.one.", "www.expired.one.", "bad.broken.one."];
    let want = [Security::Secure, Security::Bogus, Security::Bogus].map(Some);
    assert_eq!(names.map(says), want, "{log}");
    // Where no directory can be made, what is learnt is not kept, and nothing else is different.
    internet.folder.write("homeless-state", "a file where the directory should be");
    let namu = internet.namu("homeless", "");
    let reply = internet.ask(namu.address(), "www.good.one. A");
    assert_eq!((reply.status.as_str(), reply.flags.join(" ").as_str()), ("NOERROR", "qr rd ra ad"));
    assert!(namu.stop().success());
}

#[test]
fn trust_anchors_that_cannot_be_read_are_told_by_their_place() {
    let folder = Folder::new();
    let config = "listen: [{address: 127.0.0.1, port: 0}]\nresolver: {trust-anchors: anchors}\n";
    folder.write("config.yaml", config);
    let start = || run(&folder.path, &["run", "-c", "config.yaml"]);
    let (code, _, talk) = start();
    assert!(code == 3 && talk.contains("anchors"), "{code}: {talk}");
    for (text, want) in [
        (". DS 20326 8 2 XY\n", "anchors:1:"),
        ("; a comment\n. DS 20326 8 2 00\n", "anchors:2:"),
        ("\n\n. A 192.0.2.1\n", "anchors:3:1"),
        ("; nothing\n", "no DS and no DNSKEY record"),
    ] {
        folder.write("anchors", text);
        let (code, _, talk) = start();
        assert!(code == 3 && talk.contains(want), "{text}: {code}: {talk}");
    }
}

#[test]
fn signatures_end_by_the_clock_of_the_wall_and_hold_again_when_it_is_set_back() {
    const DAY: i64 = 86_400;
    let Some(library) = faketime() else {
        return skipped("libfaketime is not installed, so no clock can leap");
    };
    let internet = SignedInternet::start(|folder| {
        let mut leaves = Leaves::default();
        add_good(&mut leaves, folder);
        leaves
    });
    let Some(internet) = internet else { return };
    set_clock(&internet.folder, 0);
    let mut command = internet.namu_command("namu", "  trust-anchors: anchors\n");
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", internet.folder.path.join("clock"));
    command
        .envs(["FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_NO_CACHE", "NO_FAKE_STAT"].map(|name| (name, "1")));
    let namu = Namu::spawn(command);
    let mut asked = 0;
    let mut ask = || {
        asked += 1;
        internet.ask(namu.address(), &format!("x{asked}.wild.good.one. A"))
    };
    let is_secure = |reply: &Reply| reply.status == "NOERROR" && reply.flags.contains(&"ad".to_owned());
    let is_expired = |reply: &Reply| {
        // RFC 8914 4.8: Signature Expired.
        reply.status == "SERVFAIL" && reply.error.as_ref().is_some_and(|error| error.0 == 7)
    };
    let reply = ask();
    assert!(is_secure(&reply), "{reply:?}");
    for days in [60, 0, -60, 0] {
        set_clock(&internet.folder, days * DAY);
        eventually("the clock has leapt", || {
            let reply = ask();
            match days {
                0 => is_secure(&reply),
                -60 => reply.error.is_some_and(|error| error.0 == 8),
                _ => is_expired(&reply),
            }
        });
    }
    assert!(namu.stop().success());
}
