//! Zones signed by the tools of others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::namu::{program, skipped};
use crate::peers::Zone;

/// A tool that signs zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    Bind,
    Ldns,
    Knot,
}

/// How a zone proves what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Nsec,
    Nsec3,
    OptOut,
}

/// Algorithm numbers with the names that ldns has for them and those of Knot DNS.
pub const ALGORITHMS: [(u8, &str, &str); 8] = [
    (5, "RSASHA1", "rsasha1"),
    (7, "RSASHA1_NSEC3", "rsasha1-nsec3-sha1"),
    (8, "RSASHA256", "rsasha256"),
    (10, "RSASHA512", "rsasha512"),
    (13, "ECDSAP256SHA256", "ecdsap256sha256"),
    (14, "ECDSAP384SHA384", "ecdsap384sha384"),
    (15, "ED25519", "ed25519"),
    (16, "ED448", "ed448"),
];

/// How a zone is to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    pub signer: Signer,
    pub algorithm: u8,
    pub denial: Denial,
    /// When signatures begin and end to hold, as dnssec-signzone wants it, when that is not around now.
    pub dates: Option<(&'static str, &'static str)>,
}

/// A signed zone, and the DS records it wants above it.
pub struct Signed {
    pub zone: Zone,
    pub ds: String,
}

impl Signer {
    pub const ALL: [Signer; 3] = [Signer::Bind, Signer::Ldns, Signer::Knot];

    /// What it is called in names of zones.
    pub fn word(self) -> &'static str {
        match self {
            Signer::Bind => "bind",
            Signer::Ldns => "ldns",
            Signer::Knot => "knot",
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Signer::Bind => &["dnssec-keygen", "dnssec-signzone"],
            Signer::Ldns => &["ldns-keygen", "ldns-signzone"],
            Signer::Knot => &["kzonesign"],
        }
    }

    /// Whether it is installed; said to be skipped when not.
    pub fn is_here(self) -> bool {
        let missing = self.programs().iter().find(|name| program(name).is_none());
        missing.iter().for_each(|name| skipped(&format!("{name} is not installed, so it signs no zones")));
        missing.is_none()
    }
}

impl Denial {
    pub const ALL: [Denial; 3] = [Denial::Nsec, Denial::Nsec3, Denial::OptOut];

    /// What it is called in names of zones.
    pub fn word(self) -> &'static str {
        match self {
            Denial::Nsec => "nsec",
            Denial::Nsec3 => "nsec3",
            Denial::OptOut => "optout",
        }
    }
}

impl Manner {
    pub fn new(signer: Signer, algorithm: u8, denial: Denial) -> Manner {
        Manner { signer, algorithm, denial, dates: None }
    }

    /// RFC 5155 2: algorithms older than NSEC3 have numbers of their own with it.
    pub fn exists(self) -> bool {
        self.algorithm != 5 || self.denial == Denial::Nsec
    }
}

/// Signs a zone with one new key, in a folder of its own; none, and said to be skipped, when the tool cannot make such
/// a key.
pub fn sign(folder: &Path, zone: &Zone, manner: Manner) -> Option<Signed> {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("unsigned"), &zone.text).unwrap();
    let file = match manner.signer {
        Signer::Bind => sign_with_bind(folder, &zone.name, manner),
        Signer::Ldns => sign_with_ldns(folder, &zone.name, manner),
        Signer::Knot => sign_with_knot(folder, &zone.name, manner),
    };
    let file = match file {
        Ok(file) => file,
        Err(said) => {
            skipped(&format!("{:?} with algorithm {}: {}", manner.signer, manner.algorithm, said.trim()));
            return None;
        }
    };
    let ds = match manner.signer {
        Signer::Knot => ds(&file, &zone.name, &["-a", "SHA-384"]),
        Signer::Ldns => ds(&file, &zone.name, &["-a", "SHA-256"]),
        Signer::Bind => ds(&file, &zone.name, &["-a", "SHA-1", "-a", "SHA-256"]),
    };
    let text = fs::read_to_string(file).unwrap();
    Some(Signed { zone: Zone { name: zone.name.clone(), text }, ds })
}

/// The DS records of the keys in a signed zone.
fn ds(file: &Path, name: &str, digests: &[&str]) -> String {
    let mut words = digests.to_vec();
    words.extend(["-f", file.to_str().unwrap(), name]);
    run("dnssec-dsfromkey", file.parent().unwrap(), &words).unwrap_or_else(|said| panic!("{said}"))
}

/// Small keys of RSA are made quickly; other algorithms know one size.
fn is_rsa(algorithm: u8) -> bool {
    algorithm <= 10
}

fn sign_with_bind(folder: &Path, name: &str, manner: Manner) -> Result<PathBuf, String> {
    let algorithm = manner.algorithm.to_string();
    let mut words = vec!["-q", "-f", "KSK", "-a", &algorithm];
    words.extend(is_rsa(manner.algorithm).then_some(["-b", "1024"]).into_iter().flatten());
    run("dnssec-keygen", folder, &[&words[..], &[name]].concat())?;
    let mut words = vec!["-S", "-z", "-P", "-K", ".", "-O", "full", "-o", name, "-f", "signed"];
    words.extend(match manner.denial {
        Denial::Nsec => &[][..],
        Denial::Nsec3 => &["-3", "-"],
        Denial::OptOut => &["-3", "-", "-A"],
    });
    words.extend(manner.dates.into_iter().flat_map(|(begin, end)| ["-s", begin, "-e", end]));
    words.push("unsigned");
    let signed = run("dnssec-signzone", folder, &words);
    signed.map(|_| folder.join("signed"))
}

fn sign_with_ldns(folder: &Path, name: &str, manner: Manner) -> Result<PathBuf, String> {
    let algorithm = ALGORITHMS.iter().find(|(number, ..)| *number == manner.algorithm).unwrap().1;
    let key = run("ldns-keygen", folder, &["-a", algorithm, "-b", "1024", "-k", name])?;
    let mut words = vec!["-f", "signed", "-o", name];
    words.extend(match manner.denial {
        Denial::Nsec => &[][..],
        Denial::Nsec3 => &["-n", "-t", "0"],
        Denial::OptOut => &["-n", "-t", "0", "-p"],
    });
    words.extend(["unsigned", key.trim()]);
    run("ldns-signzone", folder, &words)?;
    Ok(folder.join("signed"))
}

fn sign_with_knot(folder: &Path, name: &str, manner: Manner) -> Result<PathBuf, String> {
    let algorithm = ALGORITHMS.iter().find(|(number, ..)| *number == manner.algorithm).unwrap().2;
    let size = if is_rsa(manner.algorithm) { "   ksk-size: 1024\n   zsk-size: 1024\n" } else { "" };
    let (is_nsec3, is_opt_out) = match manner.denial {
        Denial::Nsec => ("off", "off"),
        Denial::Nsec3 => ("on", "off"),
        Denial::OptOut => ("on", "on"),
    };
    let text = format!(
        "server:\n rundir: .\nlog:\n - target: stderr\n   any: warning\ndatabase:\n storage: keys\npolicy:\n - id: own\n   \
         algorithm: {algorithm}\n{size}   single-type-signing: on\n   nsec3: {is_nsec3}\n   nsec3-opt-out: {is_opt_out}\n   \
         nsec3-iterations: 0\n   nsec3-salt-length: 0\nzone:\n - domain: {name}\n   storage: .\n   file: unsigned\n   \
         dnssec-policy: own\n   dnssec-signing: on\n"
    );
    fs::write(folder.join("configuration"), text).unwrap();
    for made in ["keys", "out"] {
        fs::create_dir_all(folder.join(made)).unwrap();
    }
    run("kzonesign", folder, &["-c", "configuration", "-o", "out", name])?;
    Ok(folder.join("out/unsigned"))
}

/// What a tool prints; what it complains of when it fails.
fn run(tool: &str, folder: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program(tool).unwrap()).args(words).current_dir(folder).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{tool} {}: {}", words.join(" "), text(&output.stderr))),
    }
}
