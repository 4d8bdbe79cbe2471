//! Where the control socket is, for the server that makes it and the commands that look for it.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::{Config, ControlSocket};

const FILE: &str = "control.sock";
/// The folder of servers that root starts.
const SYSTEM_FOLDER: &str = "/run/namu";

/// Where the server of a configuration makes it; none when it is to make none.
pub fn of_server(config: &Config) -> Result<Option<PathBuf>, String> {
    match &config.control.socket {
        ControlSocket::Nowhere => Ok(None),
        ControlSocket::At(path) => Ok(Some(config.resolve(path))),
        ControlSocket::Usual => match usual().into_iter().next() {
            Some(path) => Ok(Some(path)),
            None => Err("there is no $XDG_RUNTIME_DIR; write `control.socket` with a path".into()),
        },
    }
}

/// Where commands look for it, the likeliest first, when they are not told.
pub fn of_commands() -> Vec<PathBuf> {
    let mut places = usual();
    let system = Path::new(SYSTEM_FOLDER).join(FILE);
    if !places.contains(&system) {
        places.push(system);
    }
    places
}

/// $RUNTIME_DIRECTORY is the folder systemd made for this service.
fn usual() -> Vec<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let first_of_service = folder("RUNTIME_DIRECTORY")
        .and_then(|folders| env::split_paths(&folders).next())
        .map(|folder| folder.join(FILE));
    let by_user = match is_root() {
        true => Some(Path::new(SYSTEM_FOLDER).join(FILE)),
        false => folder("XDG_RUNTIME_DIR").map(|folder| folder.join("namu").join(FILE)),
    };
    first_of_service.into_iter().chain(by_user).collect()
}

/// Whose this process is, by the owner of its own entry in /proc; without /proc it is nobody special.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}
