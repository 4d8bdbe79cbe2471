//! Options of the control socket.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use crate::options::from_text;

/// How the running server is reached by commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a map such as `socket: /run/namu/control.sock`"
)]
pub struct ControlOptions {
    /// The Unix socket, relative to `server.directory`. Without this key where commands look for it by themselves.
    pub socket: ControlSocket,
}

/// Where the control socket is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ControlSocket {
    /// Where commands look for it by themselves.
    #[default]
    Usual,
    /// Nowhere: the server takes signals only.
    Nowhere,
    /// There.
    At(PathBuf),
}

impl<'de> Deserialize<'de> for ControlSocket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ControlSocket, D::Error> {
        from_text(deserializer, "a path, or none", |text| match text {
            "" => Err("a path is needed; write one such as /run/namu/control.sock, or none"),
            "none" => Ok(ControlSocket::Nowhere),
            path => Ok(ControlSocket::At(path.into())),
        })
    }
}
