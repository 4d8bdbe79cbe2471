//! The side of the control socket that answers: a thread that accepts and one for each client, all bounded.

use std::io::{self, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::{place, protocol};
use crate::config::{Config, ControlSocket};
use crate::daemon::{ControlDoor, Handle, Refusal};
use crate::limits;

/// The owner and the group may give orders, nobody else.
const MODE: u32 = 0o660;

/// Opens the socket of a configuration; none when it asks for none. The error is a sentence.
pub fn open(config: &Config, handle: Handle) -> Result<Option<ControlDoor>, String> {
    let Some(path) = place::of_server(config)? else { return Ok(None) };
    if config.control.socket == ControlSocket::Usual {
        // A folder an operator names has to be there; the usual one may be made.
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            let problem = |error| format!("{} cannot be made: {error}", folder.display());
            std::fs::create_dir_all(folder).map_err(problem)?;
        }
    }
    let place = path.display().to_string();
    let door = Door::open(path, handle)?;
    Ok(Some(ControlDoor { guard: Box::new(door), place }))
}

/// An open socket. Dropped it is closed and removed, after the replies under way are written.
struct Door {
    path: PathBuf,
    /// Which file is ours: a server started after us may have put another in its place.
    inode: u64,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    is_closing: AtomicBool,
    clients: Mutex<usize>,
    client_left: Condvar,
}

impl Door {
    fn open(path: PathBuf, handle: Handle) -> Result<Door, String> {
        let problem = |error: io::Error| format!("the control socket {}: {error}", path.display());
        if UnixStream::connect(&path).is_ok() {
            return Err(format!(
                "the control socket {} is in use by a running server; stop that, or write another path at \
                 `control.socket`",
                path.display()
            ));
        }
        let is_foreign = |about: &std::fs::Metadata| !is_socket(about);
        if path.symlink_metadata().is_ok_and(|about| is_foreign(&about)) {
            return Err(format!(
                "{} is no socket and stands where the control socket belongs",
                path.display()
            ));
        }
        let listener = bind_in_place(&path).map_err(problem)?;
        let inode = path.symlink_metadata().map_err(problem)?.ino();
        let shared = Arc::new(Shared {
            is_closing: AtomicBool::new(false),
            clients: Mutex::new(0),
            client_left: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        let body = move || accept(&listener, &handle, &accepting);
        let thread = thread::Builder::new().name("control".into()).spawn(body).map_err(problem)?;
        Ok(Door { path, inode, shared, thread: Some(thread) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::Release);
        let is_ours = self.path.symlink_metadata().is_ok_and(|about| about.ino() == self.inode);
        // The thread sleeps until somebody connects.
        let is_awake = is_ours && UnixStream::connect(&self.path).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| is_awake) {
            let _ = thread.join();
        }
        if is_ours {
            let _ = std::fs::remove_file(&self.path);
        }
        let clients = self.shared.clients();
        let some_left = |clients: &mut usize| *clients > 0;
        let _ = self.shared.client_left.wait_timeout_while(clients, limits::CONTROL_FAREWELL, some_left);
    }
}

impl Shared {
    fn clients(&self) -> MutexGuard<'_, usize> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_socket(about: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&about.file_type())
}

/// A socket that never is reachable with another mode than its own, in the place of one that nobody answers at.
fn bind_in_place(path: &Path) -> io::Result<UnixListener> {
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let listener = UnixListener::bind(&temporary)?;
    let placed = std::fs::set_permissions(&temporary, PermissionsExt::from_mode(MODE))
        .and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = placed {
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(listener)
}

fn accept(listener: &UnixListener, handle: &Handle, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_closing.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else {
            // No descriptors or no memory: asking again at once would only take a core.
            thread::sleep(limits::DOOR_PAUSE);
            continue;
        };
        if *shared.clients() >= limits::CONTROL_CLIENTS {
            let refusal = Refusal("too many clients at the control socket; try again".into());
            let _ = stream.set_write_timeout(Some(limits::DOOR_PAUSE));
            let _ = protocol::write_answer(Err(refusal), &mut &stream);
            continue;
        }
        *shared.clients() += 1;
        let seat = Seat(Arc::clone(shared));
        let handle = handle.clone();
        let body = move || {
            // A client that is gone or slow is its own affair.
            let _ = serve(stream, &handle, &seat.0);
        };
        // Without a thread the seat is free again at once and the client sees its connection closed.
        let _ = thread::Builder::new().name("control-client".into()).spawn(body);
    }
}

/// The place of one client.
struct Seat(Arc<Shared>);

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.clients() -= 1;
        self.0.client_left.notify_all();
    }
}

fn serve(stream: UnixStream, handle: &Handle, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(limits::CONTROL_TIME))?;
    stream.set_write_timeout(Some(limits::CONTROL_TIME))?;
    let mut reader = BufReader::new(&stream);
    while let Some(line) = protocol::read_line(&mut reader, limits::CONTROL_REQUEST as u64)? {
        let answer = protocol::read_order(&line).and_then(|command| handle.execute(command));
        protocol::write_answer(answer, &mut &stream)?;
        if shared.is_closing.load(Ordering::Acquire) {
            break;
        }
    }
    Ok(())
}
