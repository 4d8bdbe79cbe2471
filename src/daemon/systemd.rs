//! What systemd gives and is told (sd_notify(3), sd_listen_fds(3)). Without systemd nothing happens here.

use std::io;
use std::os::fd::OwnedFd;

use sd_notify::NotifyState;

use crate::net::sys::process;

/// The sockets this process was started with; none when it was started by hand.
pub(super) fn passed_sockets() -> io::Result<Vec<OwnedFd>> {
    if std::env::var_os("LISTEN_FDS").is_none() {
        return Ok(Vec::new());
    }
    process::adopt(sd_notify::listen_fds()?)
}

/// The doors are open and the zones loaded.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Files are being read again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// The end has begun.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("systemd could not be told: {error}");
    }
}
