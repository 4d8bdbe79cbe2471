//! Name servers of others, started for a test, and a namu in the place of one that is not installed.

use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::dns::try_udp;
use crate::namu::{program, send, skipped, wait};
use hickory_proto::rr::RecordType;

/// A server by someone else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Named,
    Nsd,
    Knot,
}

/// A zone, and its text in zone file format.
pub struct Zone {
    pub name: String,
    pub text: String,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Named, Kind::Nsd, Kind::Knot];

    /// Each kind has an address of its own. named answers only on addresses of an interface, the others on all of 127/8.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Kind::Named => Ipv4Addr::new(127, 0, 0, 1),
            Kind::Nsd => Ipv4Addr::new(127, 0, 0, 2),
            Kind::Knot => Ipv4Addr::new(127, 0, 0, 3),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Kind::Named => "named",
            Kind::Nsd => "nsd",
            Kind::Knot => "knotd",
        }
    }

    /// Writes the configuration into `folder`; returns the arguments that keep the server in the foreground.
    fn configure(self, folder: &Path, at: &[SocketAddr], zones: &[Zone]) -> Vec<String> {
        let (text, arguments): (String, &[&str]) = match self {
            Kind::Named => (named_configuration(folder, at, zones), &["-g", "-n", "1", "-c"]),
            Kind::Nsd => (nsd_configuration(folder, at, zones), &["-d", "-c"]),
            Kind::Knot => (knot_configuration(folder, at, zones), &["-c"]),
        };
        started_with(folder, &text, arguments)
    }
}

/// A running server. Ended when dropped.
pub struct Peer {
    child: Child,
}

impl Peer {
    /// Starts a server with everything it reads and writes below `folder`, and waits until it answers for its first
    /// zone at every address. None when it ends before, as it does when a port is taken. `through` is put before the
    /// command line, to start it elsewhere; then it is not waited for.
    pub fn start(
        kind: Kind,
        folder: &Path,
        at: &[SocketAddr],
        zones: &[Zone],
        through: &[String],
    ) -> Option<Peer> {
        fs::create_dir_all(folder).unwrap();
        for zone in zones {
            fs::write(file_of(folder, zone), &zone.text).unwrap();
        }
        let (binary, arguments) = match program(kind.program()) {
            Some(binary) => (binary, kind.configure(folder, at, zones)),
            None => {
                skipped(&format!("{} is not installed; a namu takes its place", kind.program()));
                let text = namu_configuration(folder, at, zones);
                (PathBuf::from(env!("CARGO_BIN_EXE_namu")), started_with(folder, &text, &["run", "-c"]))
            }
        };
        let line: Vec<_> =
            through.iter().cloned().chain([binary.display().to_string()]).chain(arguments).collect();
        let talk = fs::File::create(folder.join("talk")).unwrap();
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(talk.try_clone().unwrap()).stderr(talk).spawn().unwrap();
        let mut peer = Peer { child };
        let is_ready = !through.is_empty() || at.iter().all(|server| peer.answers(*server, &zones[0].name));
        is_ready.then_some(peer)
    }

    /// Whether the server comes to answer for `zone`.
    fn answers(&mut self, server: SocketAddr, zone: &str) -> bool {
        let mut is_alive = true;
        crate::namu::eventually("a peer answers", || {
            is_alive = self.child.try_wait().unwrap().is_none();
            let reply = is_alive.then(|| try_udp(server, zone, RecordType::SOA)).flatten();
            !is_alive || reply.is_some_and(|reply| reply.metadata.authoritative && !reply.answers.is_empty())
        });
        is_alive
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // They have helpers of their own to end, so they are asked to.
        if let Ok(None) = self.child.try_wait() {
            send("TERM", &self.child);
            wait(&mut self.child);
        }
    }
}

fn started_with(folder: &Path, text: &str, arguments: &[&str]) -> Vec<String> {
    let file = folder.join("configuration");
    fs::write(&file, text).unwrap();
    arguments.iter().map(|word| word.to_string()).chain([file.display().to_string()]).collect()
}

fn file_of(folder: &Path, zone: &Zone) -> PathBuf {
    folder.join(format!("zone-{}", zone.name.trim_end_matches('.')))
}

fn named_configuration(folder: &Path, at: &[SocketAddr], zones: &[Zone]) -> String {
    let place = folder.display();
    let mut text = format!(
        "options {{ directory \"{place}\"; pid-file none; lock-file none; session-keyfile none; recursion no; \
         notify no; allow-transfer {{ none; }}; dnssec-validation no; empty-zones-enable no;\n"
    );
    let of_family = |is_ipv4: bool| at.iter().filter(move |server| server.is_ipv4() == is_ipv4);
    for server in of_family(true) {
        writeln!(text, "listen-on port {} {{ {}; }};", server.port(), server.ip()).unwrap();
    }
    match of_family(false).next() {
        Some(server) => {
            writeln!(text, "listen-on-v6 port {} {{ {}; }};", server.port(), server.ip()).unwrap();
        }
        None => text += "listen-on-v6 { none; };\n",
    }
    text += "};\ncontrols { };\n";
    for zone in zones {
        let file = file_of(folder, zone);
        writeln!(text, "zone \"{}\" {{ type primary; file \"{}\"; }};", zone.name, file.display()).unwrap();
    }
    text
}

fn nsd_configuration(folder: &Path, at: &[SocketAddr], zones: &[Zone]) -> String {
    let place = folder.display();
    let mut text = format!(
        "server:\n username: \"\"\n chroot: \"\"\n database: \"\"\n pidfile: \"\"\n zonesdir: \"{place}\"\n \
         xfrdir: \"{place}\"\n xfrdfile: \"{place}/xfrd\"\n zonelistfile: \"{place}/list\"\n server-count: 1\n \
         rrl-ratelimit: 0\n"
    );
    for server in at {
        writeln!(text, " ip-address: {}@{}", server.ip(), server.port()).unwrap();
    }
    text += "remote-control:\n control-enable: no\n";
    for zone in zones {
        writeln!(text, "zone:\n name: \"{}\"\n zonefile: \"{}\"", zone.name, file_of(folder, zone).display())
            .unwrap();
    }
    text
}

fn knot_configuration(folder: &Path, at: &[SocketAddr], zones: &[Zone]) -> String {
    let place = folder.display();
    let mut text = format!(
        "server:\n rundir: {place}\n udp-workers: 1\n tcp-workers: 1\n background-workers: 1\n listen: ["
    );
    for server in at {
        write!(text, " {}@{},", server.ip(), server.port()).unwrap();
    }
    text.pop();
    write!(text, " ]\nlog:\n - target: stderr\n   any: info\ncontrol:\n listen: {place}/control\n").unwrap();
    write!(text, "database:\n storage: {place}\ntemplate:\n - id: default\n   storage: {place}\n").unwrap();
    text += "   journal-content: none\n   zonefile-load: whole\n   zonefile-sync: -1\nzone:\n";
    for zone in zones {
        writeln!(text, " - domain: {}\n   file: {}", zone.name, file_of(folder, zone).display()).unwrap();
    }
    text
}

fn namu_configuration(folder: &Path, at: &[SocketAddr], zones: &[Zone]) -> String {
    let mut text = "resolver:\n  enabled: false\nlisten:\n".to_string();
    for server in at {
        writeln!(text, "  - address: {}\n    port: {}", IpAddr::to_string(&server.ip()), server.port())
            .unwrap();
    }
    text += "zones:\n";
    for zone in zones {
        let file = file_of(folder, zone);
        writeln!(text, "  - name: {}\n    type: primary\n    file: {}", zone.name, file.display()).unwrap();
    }
    text
}
