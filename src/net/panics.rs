//! Panics of the whole process: logged with the octets that caused them, and too many of them end it.
//!
//! One panic costs one request. Three within ten seconds mean that something is wrong that answers will not mend: the
//! doors then report failure (`Running::failed`), the daemon leaves with an error and its supervisor starts it anew.

use std::fmt::Write;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::clock::Tick;
use crate::limits;
use crate::service::Packet;

/// Shared by all threads of the doors.
pub(super) struct Panics {
    latest: Mutex<[Option<Tick>; limits::PANICS]>,
    failed: watch::Sender<bool>,
}

impl Panics {
    pub(super) fn new() -> Panics {
        Panics { latest: Mutex::new([None; limits::PANICS]), failed: watch::Sender::new(false) }
    }

    /// Writes down a panic. Once the process has failed nothing more is logged: who can cause panics could fill a disk.
    pub(super) fn note(&self, now: Tick, packet: &Packet<'_>) {
        if *self.failed.borrow() {
            return;
        }
        let octets = packet.octets;
        tracing::error!(
            client = %packet.client,
            transport = %packet.transport,
            length = octets.len(),
            octets = hexadecimal(&octets[..octets.len().min(limits::PANIC_OCTETS)]),
            "a request made the service panic; please report these octets"
        );
        if self.is_one_too_many(now) {
            tracing::error!("{} panics within {:?}", limits::PANICS, limits::PANIC_WINDOW);
            self.fail();
        }
    }

    /// A thread of the doors is gone.
    pub(super) fn fail(&self) {
        self.failed.send_replace(true);
    }

    /// Becomes true when the process is to be started anew.
    pub(super) fn failed(&self) -> watch::Receiver<bool> {
        self.failed.subscribe()
    }

    fn is_one_too_many(&self, now: Tick) -> bool {
        // A thread that panicked here would have left whole values behind, so poison means nothing.
        let mut latest = self.latest.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        latest.rotate_left(1);
        latest[limits::PANICS - 1] = Some(now);
        latest[0].is_some_and(|first| now.since(first) < limits::PANIC_WINDOW)
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Transport;

    #[test]
    fn three_panics_within_ten_seconds_are_failure() {
        let client = ([127, 0, 0, 1], 1).into();
        let packet = Packet { octets: &[0; 9000], client, local: client, transport: Transport::Udp };
        for (seconds, is_failure) in [
            (&[0, 1][..], false),
            (&[0, 1, 9], true),
            (&[0, 1, 11], false),
            (&[0, 5, 11, 14], true),
            (&[0, 6, 12, 18, 24], false),
        ] {
            let panics = Panics::new();
            for second in seconds {
                panics.note(Tick(second * 1_000_000_000), &packet);
            }
            assert_eq!(*panics.failed().borrow(), is_failure, "{seconds:?}");
        }
    }

    #[test]
    fn octets_are_written_in_hexadecimal() {
        assert_eq!(hexadecimal(&[0, 0x1f, 0xff]), "001fff");
    }
}
