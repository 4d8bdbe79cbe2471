//! Editing zone files under a running server: what is good is served soon, what is not changes nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::dns::{answers, udp};
use crate::namu::{Folder, Namu, command, eventually, run};
use hickory_proto::rr::{RData, RecordType};
use namu::daemon::ContentMark;

fn zone(serial: u32, records: &str) -> String {
    format!(
        "$ORIGIN home.test.\n$TTL 300\n@ SOA ns1 admin {serial} 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n{records}"
    )
}

fn serial(server: SocketAddr) -> u32 {
    match &udp(server, "home.test.", RecordType::SOA).answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("no SOA: {other}"),
    }
}

fn served(records: &str) -> (Folder, Namu) {
    let folder = Folder::new();
    folder.write("zones/home.test.zone", &zone(1, records));
    let namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    (folder, namu)
}

/// `namu zone edit` with a script as the editor, and these answers to what it asks.
fn edit(folder: &Folder, script: &str, answers: &str, arguments: &[&str]) -> (i32, String) {
    let arguments: Vec<&str> = ["zone", "edit"].iter().chain(arguments).copied().collect();
    let mut command = command(&folder.path, &arguments);
    command.env_remove("VISUAL").env("EDITOR", script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_saved_file_is_served_without_a_word() {
    let (folder, mut namu) = served("www A 192.0.2.2\n");
    folder.write("zones/home.test.zone", &zone(2, "www A 192.0.2.3\n"));
    namu.wait_for("serial 1 -> 2");
    // Another file in its place, as editors do it, and a serial that was forgotten.
    folder.write("zones/new", &zone(2, "www A 192.0.2.4\n"));
    fs::rename(folder.path.join("zones/new"), folder.path.join("zones/home.test.zone")).unwrap();
    namu.wait_for("serial 2 -> 3");
    assert_eq!(
        answers(&udp(namu.address(), "www.home.test.", RecordType::A)),
        ["www.home.test. 300 IN A 192.0.2.4"]
    );
    folder.write("zones/other.test.zone", &zone(9, "").replace("home", "other"));
    namu.wait_for("zone other.test.: serial 9");
    fs::remove_file(folder.path.join("zones/other.test.zone")).unwrap();
    namu.wait_for("zone other.test.: no longer served");
}

#[test]
fn included_files_are_watched_too() {
    let folder = Folder::new();
    folder.write("hosts/list", "www A 192.0.2.2\n");
    folder.write("zones/home.test.zone", &zone(1, "$INCLUDE ../hosts/list\n"));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    folder.write("hosts/list", "www A 192.0.2.3\nftp A 192.0.2.4\n");
    namu.wait_for("serial 1 -> 2");
    assert_eq!(udp(namu.address(), "ftp.home.test.", RecordType::A).answers.len(), 1);
}

#[test]
fn a_bad_file_is_shown_counted_and_kept_out_until_it_is_mended() {
    let (folder, mut namu) = served("www A 192.0.2.2\n");
    folder.write("zones/home.test.zone", &zone(2, "www AAA 192.0.2.3\n"));
    namu.wait_for("serial 1 stays");
    let (code, _, talk) = run(&folder.path, &["zone", "reload", "home.test"]);
    assert!(code == 1 && talk.contains("www AAA 192.0.2.3") && talk.contains("^^^"), "{talk}");
    let (_, status, _) = run(&folder.path, &["ctl", "status"]);
    assert!(status.contains("home.test: serial 1 stays: zones/home.test.zone:6:5"), "{status}");
    let (_, stats, _) = run(&folder.path, &["ctl", "stats"]);
    assert!(stats.contains("namu_zone_load_errors_total{zone=\"home.test\"} 2"), "{stats}");
    folder.write("zones/home.test.zone", &zone(2, "www AAAA 2001:db8::1\n"));
    namu.wait_for("serial 1 -> 2");
    let (_, status, _) = run(&folder.path, &["ctl", "status"]);
    assert!(!status.contains("stays"), "{status}");
}

#[test]
fn a_version_that_loses_too_much_waits_for_a_word() {
    let folder = Folder::new();
    let hosts: String = (0..20).map(|host| format!("h{host} A 192.0.2.7\n")).collect();
    folder.write("home.zone", &zone(1, &hosts));
    let config = "listen:\n  - address: 127.0.0.1\n    port: 0\ncontrol:\n  socket: control.sock\nzones:\n  \
                  - {name: home.test, type: primary, file: home.zone, max-removed: 20%}\n";
    folder.write("config.yaml", config);
    let mut namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    folder.write("home.zone", &zone(2, ""));
    namu.wait_for("loses 20 of 23 records, more than `max-removed: 20%`");
    assert_eq!(serial(namu.address()), 1);
    let (code, _, talk) = run(&folder.path, &["zone", "reload", "home.test"]);
    assert!(code == 1 && talk.contains("namu zone reload home.test --yes"), "{talk}");
    let (code, said, _) = run(&folder.path, &["zone", "reload", "home.test", "--yes"]);
    assert!(code == 0 && said.contains("serial 1 -> 2"), "{said}");
    assert_eq!(serial(namu.address()), 2);
}

#[test]
fn versions_are_remembered_compared_and_taken_back() {
    let (folder, namu) = served("www A 192.0.2.2\n");
    for last in 3..6 {
        folder.write("zones/home.test.zone", &zone(1, &format!("www A 192.0.2.{last}\n")));
        assert_eq!(run(&folder.path, &["zone", "reload", "home.test"]).0, 0);
        eventually("it is served", || serial(namu.address()) == last - 1);
    }
    let (code, history, talk) = run(&folder.path, &["zone", "history", "home.test"]);
    assert!(code == 0 && history.lines().count() == 4, "{history}{talk}");
    let (code, diff, _) = run(&folder.path, &["zone", "diff", "home.test"]);
    assert_eq!(code, 1);
    for part in ["- www.home.test. 300 IN A 192.0.2.4", "+ www.home.test. 300 IN A 192.0.2.5", "3 -> 4: "] {
        assert!(diff.contains(part), "`{part}` in\n{diff}");
    }
    let (_, diff, _) = run(&folder.path, &["zone", "diff", "home.test", "1", "3"]);
    assert!(diff.contains("+ www.home.test. 300 IN A 192.0.2.4"), "{diff}");
    let (_, text, _) = run(&folder.path, &["zone", "show", "home.test", "--at", "2"]);
    assert!(text.contains("www.home.test. 300 IN A 192.0.2.3"), "{text}");
    let (code, said, talk) = run(&folder.path, &["zone", "rollback", "home.test", "1"]);
    assert!(code == 0 && said.contains("serial 4 -> 5"), "{said}{talk}");
    assert_eq!(
        answers(&udp(namu.address(), "www.home.test.", RecordType::A)),
        ["www.home.test. 300 IN A 192.0.2.2"]
    );
    assert_eq!(run(&folder.path, &["zone", "rollback", "home.test", "77"]).0, 1);
    let (_, said, _) = run(&folder.path, &["zone", "reload"]);
    assert_eq!(said.trim(), "nothing changed");
}

#[test]
fn an_edit_is_checked_shown_and_published() {
    let (folder, namu) = served("www A 192.0.2.2\n");
    let file = folder.path.join("zones/home.test.zone");
    let (code, said) = edit(&folder, "sed -i 's/2.2$/2.9/'", "y\n", &["home.test"]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "- www.home.test. 300 IN A 192.0.2.2",
        "+ www.home.test. 300 IN A 192.0.2.9",
        "caches may go on with old answers for 300 s",
        "serial 1 -> 2",
    ] {
        assert!(said.contains(part), "`{part}` in\n{said}");
    }
    eventually("it is served", || serial(namu.address()) == 2);
    let before = fs::read_to_string(&file).unwrap();
    // An error leads back into the editor; giving up changes nothing.
    let (code, said) = edit(&folder, "sed -i 's/^www A/www AA/'", "e\ng\n", &["home.test"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("^^") && said.contains("[e]dit again") && said.contains("given up"), "{said}");
    assert!(said.contains("home.test.zone:6:5"), "{said}");
    for (script, answers) in
        [("true", ""), ("false", ""), ("sed -i s/2.9/2.8/", ""), ("sed -i s/2.9/2.8/", "g\n")]
    {
        edit(&folder, script, answers, &["home.test"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), before, "{script}");
    }
    assert_eq!(fs::read_dir(folder.path.join("zones")).unwrap().count(), 1, "no copy is left behind");
    assert_eq!(edit(&folder, "true", "", &["other.test"]).0, 1);
}

#[test]
fn a_file_is_edited_without_a_server_too() {
    let folder = Folder::new();
    folder.write("a.zone", &zone(1, "www A 192.0.2.2\n"));
    let (code, said) = edit(&folder, "sed -i 's/2.2$/2.9/'", "", &["a.zone", "--yes"]);
    assert!(code == 0 && said.contains("a.zone is in place"), "{said}");
    assert!(folder.read("a.zone").contains("192.0.2.9"));
    assert_eq!(edit(&folder, "true", "", &["home.test"]).0, 5);
    // An edit under ours is not lost.
    let script = "sh -c 'echo \"x A 192.0.2.3\" >>a.zone; sed -i s/2.9/2.8/ \"$0\"'";
    let (code, said) = edit(&folder, script, "", &["a.zone", "--yes"]);
    assert!(code == 1 && said.contains("somebody else meanwhile"), "{said}");
    assert!(folder.read("a.zone").contains("x A 192.0.2.3") && folder.read("a.zone").contains("192.0.2.9"));
}

/// Serial and cause of each version, the oldest first.
fn causes(folder: &Folder) -> Vec<String> {
    let (code, history, talk) = run(&folder.path, &["zone", "history", "home.test"]);
    assert_eq!(code, 0, "{talk}");
    let words = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}", words[0], words[2])
    };
    history.lines().map(words).collect()
}

#[test]
fn history_names_an_edit_as_the_cause_of_its_version() {
    let (folder, namu) = served("www A 192.0.2.2\n");
    let (code, said) = edit(&folder, "sed -i 's/2.2$/2.9/'", "y\n", &["home.test"]);
    assert_eq!(code, 0, "{said}");
    eventually("it is served", || serial(namu.address()) == 2);
    // What comes after it is not its work.
    folder.write("zones/home.test.zone", &zone(1, "www A 192.0.2.3\n"));
    eventually("it is seen", || serial(namu.address()) == 3);
    assert_eq!(causes(&folder), ["1 start", "2 edit", "3 watch"]);
}

#[test]
fn an_edit_the_watcher_sees_first_is_one_all_the_same() {
    let folder = Folder::new();
    folder.write("home.zone", &zone(1, "www A 192.0.2.2\n"));
    let config = "listen:\n  - address: 127.0.0.1\n    port: 0\ncontrol:\n  socket: control.sock\nzones:\n  \
                  - {name: home.test, type: primary, file: home.zone}\n";
    folder.write("config.yaml", config);
    let namu = Namu::start(&folder.path, &["run", "-c", "config.yaml"]);
    let announce = |text: &str| {
        let content = ContentMark::of(text.as_bytes()).0;
        let mut socket = UnixStream::connect(folder.path.join("control.sock")).unwrap();
        let order = format!(r#"{{"do":"zone-edited","zone":"home.test.","content":{content}}}"#);
        socket.write_all(format!("{{\"namu\":1,\"order\":{order}}}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).unwrap();
        assert!(answer.contains("\"is\":\"done\""), "{answer}");
    };
    let edited = zone(1, "www A 192.0.2.9\n");
    announce(&edited);
    folder.write("home.zone", &edited);
    eventually("it is seen", || serial(namu.address()) == 2);
    // Announced is not written: what is there instead is somebody else's.
    announce(&zone(1, "www A 192.0.2.10\n"));
    folder.write("home.zone", &zone(1, "www A 192.0.2.11\n"));
    eventually("it is seen", || serial(namu.address()) == 3);
    let (_, history, _) = run(&folder.path, &["zone", "history", "home.test", "-c", "config.yaml"]);
    let causes: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(causes, ["start", "edit", "watch"]);
}

#[test]
fn a_roll_back_writes_the_file_only_when_asked() {
    let (folder, namu) = served("www A 192.0.2.2 ; the first\n");
    let second = zone(1, "www A 192.0.2.3\n");
    folder.write("zones/home.test.zone", &second);
    assert_eq!(run(&folder.path, &["zone", "reload"]).0, 0);
    assert_eq!(serial(namu.address()), 2);
    let (code, said, talk) = run(&folder.path, &["zone", "rollback", "home.test", "1"]);
    assert!(code == 0 && said.contains("serial 2 -> 3"), "{said}{talk}");
    assert!(said.contains("still says what was published before") && said.contains("--write"), "{said}");
    assert_eq!(folder.read("zones/home.test.zone"), second);

    let (code, said, talk) = run(&folder.path, &["zone", "rollback", "home.test", "1", "--write"]);
    assert!(code == 0 && said.contains("serial 3 -> 4") && said.contains("is written anew"), "{said}{talk}");
    let written = folder.read("zones/home.test.zone");
    assert!(written.contains("192.0.2.2") && written.contains(" 4 3600 "), "{written}");
    assert_eq!(fs::read_dir(folder.path.join("zones")).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(run(&folder.path, &["check", "zones/home.test.zone"]).0, 0);
    let (_, said, _) = run(&folder.path, &["zone", "reload"]);
    assert_eq!(said.trim(), "nothing changed");

    // The file and what is served are one again, so what it said before counts when it is written.
    folder.write("zones/home.test.zone", &second);
    let (_, said, talk) = run(&folder.path, &["zone", "reload"]);
    assert_eq!(serial(namu.address()), 5, "{said}{talk}");
    assert_eq!(
        answers(&udp(namu.address(), "www.home.test.", RecordType::A)),
        ["www.home.test. 300 IN A 192.0.2.3"]
    );
    let all = causes(&folder);
    assert_eq!(
        (&all[0][..], &all[2..4]),
        ("1 start", &["3 rollback".into(), "4 rollback".into()][..]),
        "{all:?}"
    );
}

#[test]
fn who_asks_for_a_shorter_file_gets_it_and_never_half_of_one() {
    let hosts: String = (0..20).map(|host| format!("h{host} A 192.0.2.7\n")).collect();
    let (folder, namu) = served(&hosts);
    // The watcher would wait; who asks says that it is whole.
    folder.write("zones/home.test.zone", &zone(1, ""));
    let (code, said, talk) = run(&folder.path, &["zone", "reload", "home.test"]);
    assert_eq!((code, serial(namu.address())), (0, 2), "{said}{talk}");
    folder.write("zones/home.test.zone", &zone(1, &hosts));
    assert_eq!(run(&folder.path, &["zone", "reload"]).0, 0);
    assert_eq!(serial(namu.address()), 3);
    let whole = zone(1, &hosts);
    folder.write("zones/home.test.zone", whole.trim_end());
    for _ in 0..2 {
        let (code, _, talk) = run(&folder.path, &["zone", "reload", "home.test"]);
        assert!(code == 1 && talk.contains("looks half-written") && talk.contains("--yes"), "{talk}");
    }
    assert_eq!(serial(namu.address()), 3);
    assert_eq!(run(&folder.path, &["zone", "reload", "home.test", "--yes"]).0, 0);
}

#[test]
fn a_start_says_what_changed_since_the_last_run() {
    let (folder, namu) = served("www A 192.0.2.2\n");
    folder.write("zones/other.test.zone", &zone(5, "").replace("home", "other"));
    eventually("it is there", || run(&folder.path, &["zone", "show", "other.test"]).0 == 0);
    namu.stop();
    folder.write("zones/home.test.zone", &zone(1, "www A 192.0.2.3\nftp A 192.0.2.4\n"));
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    let said = namu.heard();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("since the last run")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("zone home.test.: serial 1 -> 2, +1"), "{said}");
    assert_eq!(causes(&folder), ["1 start", "2 start"]);
    namu.stop();
    let mut namu = Namu::start(&folder.path, &["run", "--port", "0"]);
    assert!(!namu.heard().contains("since the last run"), "nothing is new any more");
}
