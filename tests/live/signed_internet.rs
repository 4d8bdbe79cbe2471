//! An internet of signed zones in a network of its own: a root, three top-level domains that deny in three ways, what
//! is below them, and resolvers that validate what they find there.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::dig::{self, Reply};
use crate::internet::zone;
use crate::namespace::Namespace;
use crate::namu::{Folder, Namu, eventually, program, send, skipped, wait};
use crate::peers::{Kind, Peer, Zone};
use crate::signing::{Denial, Manner, Signed, Signer, sign};

/// Who answers for the root, the top-level domains, and all below them.
const ROOT: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
const TLD: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 2);
/// The address of the server of leaves.
pub const LEAF: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 3);
const NAMU: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const UNBOUND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// named answers only at addresses of an interface.
const NAMED: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Resolvers ask where the DNS is.
const PORT: u16 = 53;

/// What is below the top-level domains: zones, and what stands above each instead of nothing.
#[derive(Default)]
pub struct Leaves {
    /// Served, delegated or not.
    pub zones: Vec<Zone>,
    /// Lines of the top-level domains, by their number in [`Denial::ALL`].
    pub above: [String; 3],
}

/// The name of the top-level domain that denies so.
pub fn tld(denial: Denial) -> &'static str {
    ["one.", "three.", "opt."][denial as usize]
}

impl Leaves {
    /// Delegates a zone that is served, with these DS records, from the top-level domain at its end.
    pub fn add(&mut self, zone: Zone, ds: &str) {
        let above = Denial::ALL.iter().find(|denial| zone.name.ends_with(&format!(".{}", tld(**denial))));
        let lines = &mut self.above[*above.unwrap() as usize];
        writeln!(lines, "{0} NS ns.{0}\nns.{0} A {LEAF}\n{ds}", zone.name).unwrap();
        self.zones.push(zone);
    }
}

/// The internet. Its servers end with it.
pub struct SignedInternet {
    pub folder: Folder,
    pub namespace: Namespace,
    _servers: [Peer; 3],
}

impl SignedInternet {
    /// None, and said to be skipped, where something is missing for it.
    pub fn start(leaves: impl FnOnce(&Folder) -> Leaves) -> Option<SignedInternet> {
        for needed in ["nsd", "dig", "dnssec-keygen", "dnssec-signzone", "dnssec-dsfromkey"] {
            if program(needed).is_none() {
                skipped(&format!("{needed} is not installed, so there is no signed internet"));
                return None;
            }
        }
        let namespace = Namespace::enter(&[])?;
        let folder = Folder::new();
        let Leaves { zones, above } = leaves(&folder);
        let key = |zone: &Zone, denial, place: &str| {
            let manner = Manner::new(Signer::Bind, 13, denial);
            sign(&folder.path.join(place), zone, manner).expect("everybody has this algorithm")
        };
        let tlds: Vec<Signed> = Denial::ALL
            .iter()
            .map(|denial| {
                let lines = format!("@ NS ns\nns A {TLD}\n{}", above[*denial as usize]);
                key(&zone(tld(*denial), &lines), *denial, tld(*denial))
            })
            .collect();
        let mut lines = format!("@ NS server.root.\nserver.root. A {ROOT}\n");
        for Signed { zone, ds } in &tlds {
            write!(lines, "{0} NS ns.{0}\nns.{0} A {TLD}\n{ds}", zone.name).unwrap();
        }
        let root = key(&zone(".", &lines), Denial::Nsec, "root");
        folder.write("anchors", &root.ds);
        folder.write("hints", &crate::internet::hints(ROOT));
        let tlds: Vec<Zone> = tlds.into_iter().map(|signed| signed.zone).collect();
        let serve = |place: &str, address: Ipv4Addr, zones: &[Zone]| {
            let at = [SocketAddr::from((address, PORT))];
            let place = folder.path.join(place);
            let peer = Peer::start(Kind::Nsd, &place, &at, zones, &namespace.prefix(false));
            peer.expect("it is not waited for")
        };
        let servers = [
            serve("of-root", ROOT, &[root.zone]),
            serve("of-tlds", TLD, &tlds),
            serve("of-leaves", LEAF, &zones),
        ];
        let internet = SignedInternet { folder, namespace, _servers: servers };
        for (address, zone) in [(ROOT, "."), (TLD, "one."), (LEAF, &zones[0].name)] {
            internet.await_zone(address, zone);
        }
        Some(internet)
    }

    /// Waits until a server answers for a zone.
    fn await_zone(&self, server: Ipv4Addr, zone: &str) {
        eventually("a server answers", || {
            let text = dig::run(self.dig(), (server, PORT).into(), &format!("{zone} SOA"));
            text.contains("status: NOERROR")
        });
    }

    fn dig(&self) -> Command {
        self.namespace.command(false, &program("dig").unwrap())
    }

    /// Asks as [`dig::dig`] does.
    pub fn ask(&self, server: SocketAddr, words: &str) -> Reply {
        dig::read(&self.print(server, words))
    }

    /// What dig prints for this.
    pub fn print(&self, server: SocketAddr, words: &str) -> String {
        dig::run(self.dig(), server, words)
    }

    /// Asks these one after another, of one client; what dig prints for each.
    pub fn ask_all(&self, server: SocketAddr, questions: &[String]) -> Vec<String> {
        const HEADER: &str = ";; ->>HEADER<<- ";
        let file = format!("questions-{}", server.ip());
        let file = self.folder.write(&file, &(questions.join("\n") + "\n"));
        let text = dig::run(self.dig(), server, &format!("-f {}", file.display()));
        let replies: Vec<String> = text.split(HEADER).skip(1).map(|part| format!("{HEADER}{part}")).collect();
        assert_eq!(replies.len(), questions.len(), "of {server}:\n{text}");
        replies
    }

    /// The command line of a namu that resolves here, configured by `more` under `resolver`, which writes `NAME.log`.
    pub fn namu_command(&self, name: &str, more: &str) -> Command {
        self.folder.write(
            &format!("{name}.yaml"),
            &format!(
                "server:\n  special-zones: none\n  state: {name}-state\nlisten:\n  - address: {NAMU}\n    port: 0\n\
                 control:\n  socket: {name}.sock\naccess-log:\n  - output: {name}.log\nresolver:\n  \
                 root-hints: hints\n  never-query: none\n  ipv6: false\n{more}"
            ),
        );
        let mut command = self.namespace.command(false, &PathBuf::from(env!("CARGO_BIN_EXE_namu")));
        command.args(["run", "-c", &format!("{name}.yaml")]).current_dir(&self.folder.path);
        command
    }

    /// A namu that validates by the anchor of this internet.
    pub fn namu(&self, name: &str, more: &str) -> Namu {
        Namu::spawn(self.namu_command(name, &format!("  trust-anchors: anchors\n{more}")))
    }

    /// An unbound that validates; none, and said to be skipped, when it is not installed.
    pub fn unbound(&self) -> Option<Resolver> {
        let place = self.folder.path.join("unbound");
        fs::create_dir_all(&place).unwrap();
        let text = format!(
            "server:\n directory: \"{0}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n \
             num-threads: 1\n interface: {UNBOUND}@{PORT}\n do-ip6: no\n do-not-query-localhost: no\n root-hints: \"{1}/hints\"\n \
             trust-anchor-file: \"{1}/anchors\"\n ede: yes\nremote-control:\n control-enable: no\n",
            place.display(),
            self.folder.path.display(),
        );
        self.resolver("unbound", &place, &text, &["-d", "-c"], (UNBOUND, PORT).into())
    }

    /// A named that validates; none, and said to be skipped, when it is not installed.
    pub fn named(&self) -> Option<Resolver> {
        let place = self.folder.path.join("named");
        fs::create_dir_all(&place).unwrap();
        let anchors = self.folder.read("anchors");
        let line = anchors.lines().next().unwrap();
        let numbers: Vec<&str> = line.split_once(" DS ").unwrap().1.split(' ').collect();
        let [tag, algorithm, digest_type, digest @ ..] = &numbers[..] else { panic!("no DS: {line}") };
        let text = format!(
            "options {{ directory \"{0}\"; pid-file none; lock-file none; session-keyfile none; recursion yes; \
             listen-on port {PORT} {{ {NAMED}; }}; listen-on-v6 {{ none; }}; empty-zones-enable no; \
             dnssec-validation yes; managed-keys-directory \"{0}\"; }};\ncontrols {{ }};\n\
             zone \".\" {{ type hint; file \"{1}/hints\"; }};\n\
             trust-anchors {{ . static-ds {tag} {algorithm} {digest_type} \"{2}\"; }};\n",
            place.display(),
            self.folder.path.display(),
            digest.concat(),
        );
        self.resolver("named", &place, &text, &["-g", "-4", "-n", "1", "-c"], (NAMED, PORT).into())
    }

    fn resolver(
        &self,
        name: &str,
        place: &Path,
        text: &str,
        words: &[&str],
        at: SocketAddr,
    ) -> Option<Resolver> {
        let Some(binary) = program(name) else {
            skipped(&format!("{name} is not installed, so nothing is compared with it"));
            return None;
        };
        let (file, talk) = (place.join("configuration"), fs::File::create(place.join("talk")).unwrap());
        fs::write(&file, text).unwrap();
        let mut command = self.namespace.command(false, &binary);
        command.args(words).arg(&file).stdin(Stdio::null()).stdout(talk.try_clone().unwrap()).stderr(talk);
        let mut resolver = Resolver { child: command.spawn().unwrap(), at };
        eventually("a resolver answers", || {
            let ended = resolver.child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", fs::read_to_string(place.join("talk")).unwrap());
            dig::run(self.dig(), at, ". SOA").contains("status: NOERROR")
        });
        Some(resolver)
    }
}

/// A resolver by someone else. Ended when dropped.
pub struct Resolver {
    child: Child,
    pub at: SocketAddr,
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            send("TERM", &self.child);
            wait(&mut self.child);
        }
    }
}
