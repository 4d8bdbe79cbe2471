//! `namu zone fmt` on files and standard input.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::namu::{Folder, command};

const UNTIDY: &str = "$TTL 1h ; default\n@ SOA ns host 1 2 3 4 5\n NS ns\nns 60 A 192.0.2.53 ; one\n";
const TIDY: &str = "\
$TTL 1h                    ; default
@          SOA ns host 1 2 3 4 5
           NS  ns
ns      60 A   192.0.2.53  ; one
";

fn fmt(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    said(command(folder, &[&["zone", "fmt"], arguments].concat()).output().unwrap())
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_file_is_put_in_order_where_it_is() {
    let folder = Folder::new();
    let path = folder.write("example.zone", UNTIDY);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let check = fmt(&folder.path, &["--check", "example.zone"]);
    assert_eq!(check, (Some(1), "example.zone\n".into(), String::new()));
    assert_eq!(folder.read("example.zone"), UNTIDY, "--check changes nothing");
    assert_eq!(fmt(&folder.path, &["example.zone"]), (Some(0), String::new(), String::new()));
    assert_eq!(folder.read("example.zone"), TIDY);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_dir(&folder.path).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(fmt(&folder.path, &["--check", "example.zone"]), (Some(0), String::new(), String::new()));
}

#[test]
fn output_goes_where_it_is_asked_to() {
    let folder = Folder::new();
    folder.write("example.zone", UNTIDY);
    assert_eq!(fmt(&folder.path, &["--stdout", "example.zone"]), (Some(0), TIDY.into(), String::new()));
    assert_eq!(folder.read("example.zone"), UNTIDY);
    let mut command = command(&folder.path, &["zone", "fmt", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(UNTIDY.as_bytes()).unwrap();
    assert_eq!(said(child.wait_with_output().unwrap()), (Some(0), TIDY.into(), String::new()));
}

#[test]
fn a_file_with_mistakes_is_not_touched_and_others_are() {
    let folder = Folder::new();
    let bad = "@  1   A   192.0.2.256\n";
    folder.write("bad.zone", bad);
    folder.write("good.zone", UNTIDY);
    folder.write("includes.zone", "$TTL 1\n$INCLUDE   bad.zone\n");
    let (code, output, errors) = fmt(&folder.path, &["bad.zone", "good.zone", "includes.zone", "gone.zone"]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    for part in ["bad.zone:1:12", "192.0.2.256", "included from includes.zone:2", "gone.zone: no such file"] {
        assert!(errors.contains(part), "{part} in\n{errors}");
    }
    assert_eq!(folder.read("bad.zone"), bad);
    assert_eq!(folder.read("good.zone"), TIDY);
    assert_eq!(folder.read("includes.zone"), "$TTL 1\n$INCLUDE   bad.zone\n");
}
