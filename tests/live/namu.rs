//! A running namu and the folder it was given.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest any test waits for a fact. Only a broken server lets it pass.
const PATIENCE: Duration = Duration::from_secs(90);

/// A folder of its own for one test, removed when the test is over.
pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("namu-live-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder { path }
    }

    /// Writes a file below the folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path.join(name)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A namu process. Killed when dropped, unless it was stopped before.
pub struct Namu {
    child: Child,
    talk: Receiver<String>,
    heard: Vec<String>,
    /// The addresses of the ready line.
    pub listening: Vec<SocketAddr>,
}

/// The command line of the binary under test, in `folder`.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_namu"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // Servers and commands of one test meet in its folder and nowhere else.
    command.env("RUNTIME_DIRECTORY", folder);
    command
}

impl Namu {
    /// Starts the server and waits for its ready line.
    pub fn start(folder: &Path, arguments: &[&str]) -> Namu {
        Namu::spawn(command(folder, arguments))
    }

    /// As [`Namu::start`] for a prepared command.
    pub fn spawn(command: Command) -> Namu {
        Namu::spawn_writing(command, Stdio::null())
    }

    /// As [`Namu::spawn`], with standard output, where an access log may go.
    pub fn spawn_writing(mut command: Command, output: impl Into<Stdio>) -> Namu {
        let mut child = command.stdout(output).stderr(Stdio::piped()).spawn().unwrap();
        let talk = lines_of(child.stderr.take().unwrap());
        let mut namu = Namu { child, talk, heard: Vec::new(), listening: Vec::new() };
        let ready = namu.wait_for("ready in ");
        let words = ready.split_whitespace();
        namu.listening = words.filter_map(|word| word.trim_end_matches(',').parse().ok()).collect();
        assert!(!namu.listening.is_empty(), "the ready line names its addresses: {ready}");
        namu
    }

    /// The IPv4 address of the ready line.
    pub fn address(&self) -> SocketAddr {
        *self.listening.iter().find(|address| address.is_ipv4()).unwrap()
    }

    /// Waits until a line of standard error contains `part`, and returns it.
    pub fn wait_for(&mut self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.talk.recv_timeout(left) {
                Ok(line) => {
                    let found = line.contains(part);
                    self.heard.push(line.clone());
                    if found {
                        return line;
                    }
                }
                Err(_) => panic!("no line with `{part}`; heard:\n{}", self.heard.join("\n")),
            }
        }
    }

    /// Everything said on standard error up to now.
    pub fn heard(&mut self) -> String {
        self.heard.extend(self.talk.try_iter());
        self.heard.join("\n")
    }

    pub fn signal(&self, signal: &str) {
        send(signal, &self.child);
    }

    /// How many descriptors the process has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// How many descriptors the process may have open.
    pub fn open_files_limit(&self) -> u64 {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        line.split_whitespace().nth(3).and_then(|soft| soft.parse().ok()).unwrap()
    }

    /// Sets how many descriptors the process may open from now on; those it has stay.
    pub fn limit_open_files(&self, limit: u64) {
        let (pid, limit) = (format!("--pid={}", self.child.id()), format!("--nofile={limit}:"));
        assert!(Command::new("prlimit").args([pid, limit]).status().unwrap().success());
    }

    /// Sends SIGKILL; everything it said up to its end.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest: Vec<String> = self.talk.iter().collect();
        self.heard.extend(rest);
        self.heard.join("\n")
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for the end.
    pub fn ended(mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

impl Drop for Namu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that ends by itself; its exit code and what it said on both streams.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = command(folder, arguments).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Waits until `fact` holds.
pub fn eventually(what: &str, mut fact: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !fact() {
        assert!(Instant::now() < until, "never happened: {what}");
        // Between two looks the core is for those who are waited for.
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Signals a process this test has started.
pub fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
}

/// Says what is not tested on this machine, also when the test passes: the harness keeps back only what is printed.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// Where a program of this machine is. Servers stand where the PATH of a user does not look.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    places.map(|place| place.join(name)).find(|file| file.is_file())
}

/// Waits for the end of a process.
pub fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually("the process ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
