//! `namu zone edit`: a copy is edited, and takes the place of the zone file only when it is good and wanted.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode};

use super::control::{connect, execute, show};
use super::print;
use super::running_args::Server;
use crate::daemon::{
    Command, ContentMark, Extent, Reply, append_change, guess_apex, read_zone, replace_file, say,
    say_diagnostics,
};
use crate::diagnostic::{Diagnostic, Severity};
use crate::dns::{Name, RrType, Serial};
use crate::limits;
use crate::zone::{Changeset, Zone};

const NOT_DONE: ExitCode = ExitCode::FAILURE;

pub(super) fn run(server: &Server, zone: &str, is_sure: bool) -> Result<ExitCode, ExitCode> {
    let target = Target::find(server, zone)?;
    let original = fs::read(&target.file).map_err(|error| fail(&target.file, &error))?;
    let copy = Copy::make(&target.file, &original).map_err(|error| fail(&target.file, &error))?;
    let before = read_zone(&target.apex, &target.file).zone;
    loop {
        open_editor(&copy.path)?;
        let edited = fs::read(&copy.path).map_err(|error| fail(&copy.path, &error))?;
        if edited == original {
            print("nothing changed\n");
            return Ok(ExitCode::SUCCESS);
        }
        match judge(&target, &copy, before.as_ref(), is_sure) {
            Verdict::EditAgain => continue,
            Verdict::GiveUp => {
                print("given up; the zone file is as it was\n");
                return Err(NOT_DONE);
            }
            Verdict::Take => {}
        }
        // Somebody else's edit must not be lost under ours.
        if fs::read(&target.file).ok().as_ref() != Some(&original) {
            let kept = copy.keep();
            say(&format!(
                "error: {} was changed by somebody else meanwhile; your version is {}",
                target.file.display(),
                kept.display()
            ));
            return Err(NOT_DONE);
        }
        announce(server, &target, &edited);
        replace_file(&target.file, &edited).map_err(|error| fail(&target.file, &error))?;
        return publish(server, &target, is_sure);
    }
}

fn fail(path: &Path, error: &io::Error) -> ExitCode {
    say(&format!("error: {}: {error}", path.display()));
    NOT_DONE
}

/// What is edited.
struct Target {
    apex: Name,
    file: PathBuf,
    /// The serial that is served; none when no server is asked.
    published: Option<u32>,
    is_served: bool,
}

impl Target {
    /// A path is edited without a server; anything else is a zone the server tells the file of.
    fn find(server: &Server, zone: &str) -> Result<Target, ExitCode> {
        let path = Path::new(zone);
        if path.is_file() || zone.contains('/') {
            let apex = guess_apex(path).map_err(|diagnostic| {
                say_diagnostics(&[*diagnostic]);
                NOT_DONE
            })?;
            return Ok(Target { apex, file: path.into(), published: None, is_served: false });
        }
        let apex: Name = zone.parse().map_err(|error| {
            say(&format!("error: `{zone}` is neither a zone nor a file: {error}"));
            ExitCode::from(2)
        })?;
        let reply = execute(&mut connect(server)?, Command::ZoneStatus { zone: apex.clone() })?;
        match reply {
            Reply::Zones { zones } if zones.len() == 1 => {
                let status = &zones[0];
                Ok(Target {
                    apex,
                    file: status.file.clone().into(),
                    published: status.serial,
                    is_served: true,
                })
            }
            _ => Err(NOT_DONE),
        }
    }
}

/// A copy beside the original, so that what it includes is found, under a name no server takes for a zone.
struct Copy {
    path: PathBuf,
    is_kept: bool,
}

impl Copy {
    fn make(original: &Path, octets: &[u8]) -> io::Result<Copy> {
        let name = original.file_name().unwrap_or_default().to_string_lossy();
        let path = original.with_file_name(format!(".{name}.{}.edit", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(octets)?;
        Ok(Copy { path, is_kept: false })
    }

    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Runs $VISUAL, $EDITOR or vi, which may bring arguments of their own.
fn open_editor(path: &Path) -> Result<(), ExitCode> {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".into());
    let script = format!("{editor} \"$1\"");
    match Process::new("sh").args(["-c", &script, "sh"]).arg(path).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            say(&format!("error: the editor `{editor}` ended with {status}; the zone file is as it was"));
            Err(NOT_DONE)
        }
        Err(error) => {
            say(&format!("error: the editor `{editor}` cannot be started: {error}; set $EDITOR"));
            Err(NOT_DONE)
        }
    }
}

enum Verdict {
    Take,
    EditAgain,
    GiveUp,
}

/// Shows what is wrong, or what would change, and asks.
fn judge(target: &Target, copy: &Copy, before: Option<&Zone>, is_sure: bool) -> Verdict {
    let read = read_zone(&target.apex, &copy.path);
    let shown: Vec<Diagnostic> =
        read.diagnostics.into_iter().map(|found| in_original(found, copy, &target.file)).collect();
    say_diagnostics(&shown);
    let Some(after) = read.zone else {
        let errors = shown.iter().filter(|found| found.severity == Severity::Error).count();
        return ask(&format!("{errors} errors. [e]dit again or [g]ive up?"), &['e', 'g']);
    };
    match before {
        Some(before) => tell_difference(before, &after),
        None => print("the file had errors before; there is nothing to compare with\n"),
    }
    let published = target.published.or_else(|| before.map(|before| before.serial().0));
    print(&format!("serial {}\n", spoken_serial(published, after.serial().0)));
    if is_sure {
        return Verdict::Take;
    }
    ask("[y]es, put it in place, [e]dit again or [g]ive up?", &['y', 'e', 'g'])
}

/// Lines are those of the copy, which is gone when somebody looks; the name is the one that stays.
fn in_original(mut found: Diagnostic, copy: &Copy, original: &Path) -> Diagnostic {
    let path = copy.path.display().to_string();
    let name = original.display().to_string();
    if let Some(place) = found.place.as_mut().filter(|place| *place.file == *path) {
        place.file = name.as_str().into();
    }
    found.message = found.message.replace(&path, &name);
    found.notes.iter_mut().for_each(|note| *note = note.replace(&path, &name));
    found
}

/// A server takes the file's serial when it is later, and else the next one, unless the zone is configured otherwise.
fn spoken_serial(published: Option<u32>, file: u32) -> String {
    match published {
        None => file.to_string(),
        Some(published) if Serial(file).is_after(Serial(published)) => format!("{published} -> {file}"),
        Some(published) => {
            let next = Serial(published).plus(1);
            format!("{published} -> {next}, given by the server because the file says {file}")
        }
    }
}

fn tell_difference(before: &Zone, after: &Zone) {
    let changes = Changeset::between(before, after);
    let mut text = String::new();
    for change in changes.changes().filter(|change| change.rr_type() != RrType::SOA).take(limits::EDIT_LINES)
    {
        append_change(&mut text, &change);
    }
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().take(limits::EDIT_LINES).for_each(|line| print(&format!("{line}\n")));
    if changes.is_content_same() {
        return print("no record differs\n");
    }
    print(&format!("{}\n", changes.summary()));
    let seconds = Extent::of(&changes, before).stale_for.seconds();
    print(&format!("caches may go on with old answers for {seconds} s\n"));
}

/// One of the letters. Where nobody can answer, nothing is done.
fn ask(question: &str, letters: &[char]) -> Verdict {
    loop {
        print(&format!("{question} "));
        let _ = io::stdout().flush();
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).unwrap_or(0);
        let letter = line.trim().chars().next().map(|letter| letter.to_ascii_lowercase());
        match letter.filter(|letter| letters.contains(letter)) {
            Some('y') => return Verdict::Take,
            Some('e') => return Verdict::EditAgain,
            Some(_) => return Verdict::GiveUp,
            None if read == 0 => {
                if !io::stdin().is_terminal() {
                    print("\n");
                }
                return Verdict::GiveUp;
            }
            None => {}
        }
    }
}

/// Tells the server beforehand, which may see the new file by itself before it is told to read it. What goes wrong here
/// goes wrong again, and is said, when it is published.
fn announce(server: &Server, target: &Target, edited: &[u8]) {
    if !target.is_served {
        return;
    }
    if let Ok(mut client) = connect(server) {
        let (zone, content) = (target.apex.clone(), ContentMark::of(edited).0);
        let _ = client.execute(Command::ZoneEdited { zone, content });
    }
}

/// Has the server take it; it may have seen the new file by itself already.
fn publish(server: &Server, target: &Target, is_sure: bool) -> Result<ExitCode, ExitCode> {
    if !target.is_served {
        print(&format!("{} is in place\n", target.file.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut client = connect(server)?;
    let order = Command::ZoneReload { zone: Some(target.apex.clone()), yes: is_sure };
    let code = show(execute(&mut client, order)?, false);
    let reply = execute(&mut client, Command::ZoneStatus { zone: target.apex.clone() })?;
    show(reply, false);
    Ok(code)
}
