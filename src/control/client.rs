//! The side of the control socket that asks.

use std::fmt;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{place, protocol};
use crate::daemon::{Command, Refusal, Reply};
use crate::limits;

/// A connection to a running server.
pub struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

/// No server is there, or it went away in the middle.
#[derive(Debug)]
pub struct Unreachable {
    /// Where it was looked for.
    pub path: PathBuf,
    /// Why it is not there.
    pub error: io::Error,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.error.kind() {
            io::ErrorKind::NotFound => write!(f, "no server is running: there is no {path}"),
            io::ErrorKind::ConnectionRefused => write!(f, "no server is running: nobody listens at {path}"),
            io::ErrorKind::PermissionDenied => {
                write!(f, "{path} may not be used by this user; use sudo or the group of the server")
            }
            _ => write!(f, "the server at {path} did not answer: {}", self.error),
        }
    }
}

impl std::error::Error for Unreachable {}

impl Client {
    /// Connects at `path`, or where servers usually are.
    pub fn connect(path: Option<&Path>) -> Result<Client, Unreachable> {
        let places = path.map_or_else(place::of_commands, |path| vec![path.into()]);
        let mut first_error = None;
        for path in places {
            match UnixStream::connect(&path) {
                Ok(stream) => return Ok(Client { stream: BufReader::new(stream), path }),
                Err(error) => first_error = first_error.or(Some(Unreachable { path, error })),
            }
        }
        let nowhere = || Unreachable { path: PathBuf::new(), error: io::ErrorKind::NotFound.into() };
        Err(first_error.unwrap_or_else(nowhere))
    }

    /// Has a command carried out. It takes as long as it takes: a reload of many zones is many seconds.
    pub fn execute(&mut self, command: Command) -> Result<Result<Reply, Refusal>, Unreachable> {
        self.exchange(command).map_err(|error| Unreachable { path: self.path.clone(), error })
    }

    fn exchange(&mut self, command: Command) -> io::Result<Result<Reply, Refusal>> {
        protocol::write_order(command, self.stream.get_mut())?;
        match protocol::read_line(&mut self.stream, limits::CONTROL_REPLY)? {
            Some(line) => protocol::read_answer(&line),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
        }
    }
}
