//! The cache of a running server: looked at, flushed, saved and taken up again.

use hickory_proto::rr::RecordType;

use crate::dns::udp;
use crate::namu::{Folder, Namu, run};

/// A name and its address.
const SAVED: &str = "answer www.far.example.com. IN A positive unchecked\n answer www.far.example.com. IN A 86400 86400\n  c0000250\n";

fn served(persist: bool) -> (Folder, Namu) {
    let folder = Folder::new();
    // The only root server is one nobody is: what is not in the cache cannot be had.
    folder.write("hints", ". 3600 NS ns.root.test.\nns.root.test. 3600 A 192.0.2.1\n");
    folder.write("config.yaml", &config(persist, ""));
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    (folder, namu)
}

fn config(persist: bool, more: &str) -> String {
    format!(
        "listen:\n  - address: 127.0.0.1\n    port: 0\naccess-log: []\ncontrol: {{socket: control.sock}}\n\
         resolver: {{root-hints: hints, never-query: [0.0.0.0/0], ipv6: false, trust-anchors: none}}\n\
         cache: {{persist: {persist}, size: 16MiB{more}}}\n"
    )
}

fn seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn load(folder: &Folder) {
    folder.write("saved.txt", &format!("namu-cache 1 {}\n{SAVED}", seconds()));
    let (code, said, talk) = run(&folder.path, &["cache", "load", "saved.txt"]);
    assert_eq!((code, &*said), (0, "1 entries taken up, 0 passed over\n"), "{talk}");
}

#[test]
fn the_cache_is_looked_at_and_flushed_by_command() {
    let (folder, namu) = served(false);
    load(&folder);
    let answer = udp(namu.address(), "www.far.example.com.", RecordType::A);
    assert_eq!(answer.answers.len(), 1);
    let (_, stats, _) = run(&folder.path, &["cache", "stats", "--json"]);
    assert!(stats.contains("\"entries\":1,") && stats.contains("\"hits\":1,"), "{stats}");
    let (_, got, _) = run(&folder.path, &["cache", "get", "WWW.far.example.com", "A"]);
    assert!(got.starts_with("answer www.far.example.com. A: positive, unchecked, "), "{got}");
    assert!(got.contains("192.0.2.80"), "{got}");
    let (_, got, _) = run(&folder.path, &["cache", "get", "www.far.example.com", "TXT"]);
    assert_eq!(got, "nothing is known\n");
    let (code, said, _) = run(&folder.path, &["cache", "flush", "--negative"]);
    assert_eq!((code, &*said), (0, "nothing changed\n"));
    let (_, said, _) = run(&folder.path, &["cache", "flush", "far.example.com", "--subtree"]);
    assert_eq!(said, "1 entry is forgotten\n");
    let (_, got, _) = run(&folder.path, &["cache", "get", "www.far.example.com"]);
    assert_eq!(got, "nothing is known\n");
    assert_eq!(run(&folder.path, &["cache", "flush", "--subtree"]).0, 2, "the subtree of what?");
}

#[test]
fn the_cache_goes_out_as_text_and_comes_back_without_what_has_expired() {
    let (folder, _namu) = served(false);
    load(&folder);
    assert_eq!(run(&folder.path, &["cache", "dump", "dump.txt"]).0, 0);
    let text = std::fs::read_to_string(folder.path.join("dump.txt")).unwrap();
    let (_, same, _) = run(&folder.path, &["cache", "dump"]);
    assert_eq!(text.lines().nth(1), same.lines().nth(1));
    assert_eq!(text.lines().nth(1), Some("answer www.far.example.com. IN A positive unchecked"));
    run(&folder.path, &["cache", "flush"]);
    let old = text.replacen(text.lines().next().unwrap(), "namu-cache 1 1000000000", 1);
    folder.write("old.txt", &old);
    let (_, said, _) = run(&folder.path, &["cache", "load", "old.txt"]);
    assert_eq!(said, "0 entries taken up, 1 passed over\n");
    for text in ["", "hello\n", "namu-cache 2 1000000000\nanswer\n"] {
        folder.write("wrong.txt", text);
        let (code, _, talk) = run(&folder.path, &["cache", "load", "wrong.txt"]);
        assert_eq!(code, 1, "{talk}");
        assert!(talk.contains("no saved cache of version 1"), "{talk}");
    }
    let (_, said, _) = run(&folder.path, &["cache", "load", "dump.txt"]);
    assert_eq!(said, "1 entries taken up, 0 passed over\n");
}

#[test]
fn what_was_learnt_from_other_servers_is_not_taken_up() {
    let (folder, namu) = served(true);
    load(&folder);
    assert_eq!(run(&folder.path, &["cache", "dump", "dump.txt"]).0, 0);
    assert!(namu.stop().success());
    let forwards = config(true, "") + "zones: [{name: example.org, type: forward, servers: ['192.0.2.7']}]\n";
    folder.write("config.yaml", &forwards);
    let mut namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let said = namu.heard();
    let why = "other servers than those configured now, or judged otherwise (forward and stub zones, root hints, trust anchors)";
    let sentence = format!("the saved cache is not taken up: it was learnt from {why}");
    assert_eq!(said.matches(&sentence).count(), 1, "{said}");
    let (_, got, _) = run(&folder.path, &["cache", "get", "www.far.example.com"]);
    assert_eq!(got, "nothing is known\n");
    let (code, _, talk) = run(&folder.path, &["cache", "load", "dump.txt"]);
    assert_eq!(code, 1);
    assert!(talk.contains(&format!("this cache was learnt from {why}")), "{talk}");
    // The operator may know better.
    let text = folder.read("dump.txt");
    let (first, rest) = text.split_once('\n').unwrap();
    let anyones = first.split(" from=").next().unwrap();
    folder.write("anyones.txt", &format!("{anyones}\n{rest}"));
    let (code, said, talk) = run(&folder.path, &["cache", "load", "anyones.txt"]);
    assert_eq!((code, &*said), (0, "1 entries taken up, 0 passed over\n"), "{talk}");
}

#[test]
fn the_cache_survives_a_reload_and_a_restart() {
    let (folder, namu) = served(true);
    load(&folder);
    folder.write("config.yaml", &config(true, ", prefetch: false, max-ttl: 2d"));
    assert_eq!(run(&folder.path, &["ctl", "reload"]).0, 0);
    assert_eq!(
        udp(namu.address(), "www.far.example.com.", RecordType::A).answers.len(),
        1,
        "after the reload"
    );
    assert!(namu.stop().success());
    let file = folder.path.join("state/cache-1.txt");
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(saved.contains("answer www.far.example.com. IN A positive"), "{saved}");
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let answer = udp(namu.address(), "www.far.example.com.", RecordType::A);
    assert_eq!(answer.answers.len(), 1, "after the restart");
    assert!(answer.answers[0].ttl <= 86_400);
    drop(namu);
    // A file that is no cache is said, and nothing else happens.
    folder.write("state/cache-1.txt", "torn");
    let mut namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let said = namu.heard();
    assert!(said.contains("not wholly taken up"), "{said}");
}
