//! `namu check` through its front door: formats, exit codes, and files that are none.

use std::fs::File;
use std::process::Command;

use crate::namu::{Folder, run};

const GOOD: &str =
    "$ORIGIN good.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n";

/// Two errors, one of them in an included file, and two warnings, which say what the two lines have to do with each other.
const BAD: &str = "$ORIGIN bad.test.
$TTL 300
@    SOA ns1 admin 7 3600 600 86400 60
@    NS  ns1
@    MX  10 mail
@    MX  20 ns1
ns1  A   192.0.2.1
mail CNAME ns1
mail TXT \"beside\"
www  A   192.0.2.2
www  A   192.0.2.2
$INCLUDE \"more hosts.zone\"
";
const INCLUDED: &str = "nas  AAA 2001:db8::1\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("good.zone", GOOD);
    folder.write("bad.zone", BAD);
    folder.write("more hosts.zone", INCLUDED);
    folder
}

#[test]
fn each_format_is_that_of_its_golden_file() {
    let folder = folder();
    for (format, golden) in [
        ("text", include_str!("../golden/check.txt")),
        ("json", include_str!("../golden/check.json")),
        ("sarif", include_str!("../golden/check.sarif")),
    ] {
        let (code, said, talk) = run(&folder.path, &["check", "--format", format, "good.zone", "bad.zone"]);
        let golden = golden.replace("{VERSION}", env!("CARGO_PKG_VERSION"));
        assert_eq!((code, said.as_str(), talk.as_str()), (1, golden.as_str(), ""), "{format}:\n{said}");
    }
}

#[test]
fn warnings_are_good_enough_unless_one_is_strict() {
    let folder = Folder::new();
    folder.write("good.zone", GOOD);
    folder.write("odd.zone", &GOOD.replace(" 7 ", " 0 "));
    for (arguments, expected) in [
        (&["check", "good.zone", "--strict"][..], 0),
        (&["check", "odd.zone"], 0),
        (&["check", "odd.zone", "--strict"], 1),
        (&["check", "--strict", "zone", "good.test", "odd.zone"], 1),
        (&["check", "zone", "other.test", "good.zone"], 1),
        (&["check", "--strict", "zone", "a..b", "good.zone"], 1),
        (&["check", "--format", "yaml", "good.zone"], 2),
    ] {
        let (code, said, talk) = run(&folder.path, arguments);
        assert_eq!(code, expected, "{arguments:?}:\n{said}{talk}");
    }
}

#[test]
fn errors_of_all_kinds_come_in_one_run_without_their_consequences() {
    let folder = folder();
    folder.write("mixed.zone", &format!("{GOOD}a CNAME ns1\na TXT x\nmail AA 192.0.2.1\n@ MX 10 mail\n"));
    let (code, said, _) = run(&folder.path, &["check", "mixed.zone", "bad.zone", "nothing.yaml"]);
    assert_eq!(code, 1);
    for part in
        ["mixed.zone:6:1", "mixed.zone:8:6", "bad.zone:8:1", "nothing.yaml", "3 files: 5 errors, 2 warnings"]
    {
        assert!(said.contains(part), "`{part}` in\n{said}");
    }
    // The line that would have made it was not understood.
    assert!(!said.contains("mail.good.test."), "{said}");
    folder.write("nosoa.zone", "$ORIGIN nosoa.test.\n$TTL 60\n@ NSS ns1\n");
    let (_, said, _) = run(&folder.path, &["check", "nosoa.zone"]);
    assert!(said.contains("did you mean `NS`?") && said.contains("1 error, 0 warnings"), "{said}");
}

#[test]
fn what_has_no_end_is_refused_at_once() {
    let folder = Folder::new();
    let status = Command::new("mkfifo").arg(folder.path.join("pipe")).status().unwrap();
    assert!(status.success());
    folder.write("self.zone", &format!("{GOOD}$INCLUDE self.zone\n"));
    folder.write("ring.zone", &format!("{GOOD}$INCLUDE ring.part\n"));
    folder.write("ring.part", "$INCLUDE ring.zone\n");
    // A gibibyte that takes no room.
    File::create(folder.path.join("huge")).unwrap().set_len(1 << 30).unwrap();
    for path in ["/dev/zero", ".", "pipe", "huge"] {
        folder.write("includes.zone", &format!("{GOOD}$INCLUDE {path}\n"));
        let (code, said, _) = run(&folder.path, &["check", "includes.zone"]);
        assert!(
            code == 1 && said.contains("includes.zone:6:10") && said.contains("1 error"),
            "{path}: {said}"
        );
    }
    for (path, why) in [
        ("/dev/zero", "not a regular file"),
        (".", "is a directory"),
        ("pipe", "not a regular file"),
        ("gone.zone", "no such file"),
        ("self.zone", "self.zone includes itself"),
        ("ring.zone", "ring.zone includes itself"),
    ] {
        let (code, said, _) = run(&folder.path, &["check", path]);
        assert!(code == 1 && said.contains(why), "{path}: {said}");
    }
}

#[test]
fn mistakes_in_an_overlay_are_told_with_their_lines() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "resolver:\n  trust-anchors: none\n  mode: forward\n  upstreams: ['127.0.0.1@1']\nzones:\n  \
         - {name: far.test, type: overlay, file: over.zone}\n",
    );
    for (record, problem, help) in [
        ("www.near.test. A 192.0.2.1", "www.near.test. is not in the zone", "help: "),
        (
            "www DNAME near.test.",
            "DNAME at www.far.test. in an overlay",
            "help: an overlay replaces names one by one",
        ),
    ] {
        folder.write("over.zone", &format!("$TTL 60\nwww A 192.0.2.1\n{record}\n"));
        let (code, said, _) = run(&folder.path, &["check", "config.yaml"]);
        let line = format!("3 | {record}\n");
        assert_eq!(code, 1, "{said}");
        for part in [problem, "over.zone:3:1", &line, help] {
            assert!(said.contains(part), "`{part}` in\n{said}");
        }
    }
}

#[test]
fn mistakes_in_the_files_that_resolution_begins_with_are_told_with_their_lines() {
    let folder = Folder::new();
    folder.write("config.yaml", "resolver:\n  root-hints: hints\n  trust-anchors: keys\n");
    folder.write("hints", ". 60 NS a.root.\na.root. 60 A 192.0.2.1\n");
    folder.write("keys", ". IN DS 20326 8 2 E06D\n");
    let (code, said, _) = run(&folder.path, &["check", "config.yaml"]);
    assert!(code == 1 && said.contains("keys:1:"), "{said}");
    folder.write(
        "keys",
        ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n",
    );
    let (code, said, _) = run(&folder.path, &["check", "config.yaml"]);
    assert_eq!(code, 0, "{said}");
    std::fs::remove_file(folder.path.join("hints")).unwrap();
    let (code, said, _) = run(&folder.path, &["check", "config.yaml"]);
    assert!(code == 1 && said.contains("hints"), "{said}");
}
