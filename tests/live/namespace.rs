//! A network of its own, with nothing in it but loopback, and files of its own in place of the machine's.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::namu::{program, skipped, wait};

/// A network namespace and a mount namespace. They last as long as the shell that holds them, which ends with its
/// standard input.
pub struct Namespace {
    holder: Child,
    input: Option<ChildStdin>,
}

impl Namespace {
    /// None, and said to be skipped, where this is not allowed: it takes root. `mounts` are files put in the place of
    /// others.
    pub fn enter(mounts: &[(&Path, &str)]) -> Option<Namespace> {
        for needed in ["unshare", "nsenter", "ip", "mount"] {
            if program(needed).is_none() {
                skipped(&format!("{needed} is not installed, so there is no network to test in"));
                return None;
            }
        }
        let mut script = "set -e; ip link set lo up\n".to_string();
        for (file, place) in mounts {
            script += &format!("mount --bind '{}' {place}\n", file.display());
        }
        script += "echo here\nread -r end\n";
        let mut command = Command::new("sh");
        command.args(["-c", "exec 2>&1 unshare --net --mount sh -c \"$0\"", &script]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = holder.stdin.take();
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let namespace = Namespace { holder, input };
        if said.trim() != "here" {
            skipped(&format!("there is no network to test in: {}", said.trim()));
            return None;
        }
        Some(namespace)
    }

    /// What is put before a command line to start it here. Of the mounts only `getent` has to know, and they would
    /// cost the working directory.
    pub fn prefix(&self, with_mounts: bool) -> Vec<String> {
        let mut words =
            vec!["nsenter".to_owned(), format!("--target={}", self.holder.id()), "--net".to_owned()];
        words.extend(with_mounts.then(|| "--mount".to_owned()));
        words
    }

    /// A program started here.
    pub fn command(&self, with_mounts: bool, program: &Path) -> Command {
        let prefix = self.prefix(with_mounts);
        let mut command = Command::new(&prefix[0]);
        command.args(&prefix[1..]).arg(program).stdin(Stdio::null());
        command
    }

    /// Whether something listens for datagrams at an address and port of IPv4.
    pub fn has_datagram_socket(&self, address: [u8; 4], port: u16) -> bool {
        let sockets = std::fs::read_to_string(format!("/proc/{}/net/udp", self.holder.id())).unwrap();
        let local = format!(" {:08X}:{port:04X} ", u32::from_ne_bytes(address));
        sockets.contains(&local)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.input.take());
        wait(&mut self.holder);
    }
}
