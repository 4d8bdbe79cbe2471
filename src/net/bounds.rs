//! How much and how long the doors bear: the numbers of `limits`, gathered so that they can be given at the start.

use std::time::Duration;

use super::sys::socket::open_files_limit;
use crate::limits;

/// How much and how long the doors bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Time from accept to the first octet of a request.
    pub first_octet: Duration,
    /// Time from the first octet of a message to its last.
    pub message: Duration,
    /// Time a connection may be idle between messages while there is plenty of room.
    pub idle: Duration,
    /// Time a connection is left alone whatever the load.
    pub quiet: Duration,
    /// Time a client has to take the responses that wait for it.
    pub write: Duration,
    /// Connections in all; of one prefix a tenth of it.
    pub connections: usize,
    /// Requests that wait at once, all cores together.
    pub waiting: usize,
}

impl Default for Bounds {
    /// The bounds of `limits`; connections may take half of the descriptors this process may open.
    fn default() -> Bounds {
        Bounds {
            first_octet: limits::TCP_FIRST_OCTET,
            message: limits::TCP_MESSAGE,
            idle: limits::TCP_IDLE,
            quiet: limits::TCP_QUIET,
            write: limits::TCP_WRITE,
            connections: (open_files_limit() / 2).clamp(1, limits::TCP_CONNECTIONS),
            waiting: limits::WAITING_REQUESTS + limits::WAITING_TO_LEAVE,
        }
    }
}

impl Bounds {
    /// Time a connection may be idle now that so many are open: all of it up to half of the places, then less in
    /// proportion, and at the end only `quiet` (RFC 7766 6.2.3: less under load).
    pub(super) fn idle_while(&self, open: usize) -> Duration {
        let free = self.connections.saturating_sub(open);
        let free_twice = u32::try_from(free * 2).unwrap_or(u32::MAX);
        let all = u32::try_from(self.connections).unwrap_or(u32::MAX);
        if free_twice >= all { self.idle } else { (self.idle * free_twice / all).max(self.quiet) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_shrinks_with_load() {
        let bounds = Bounds { connections: 1000, ..Bounds::default() };
        for (open, milliseconds) in
            [(0, 10_000), (500, 10_000), (600, 8000), (750, 5000), (900, 2000), (999, 200), (2000, 200)]
        {
            assert_eq!(bounds.idle_while(open).as_millis(), milliseconds, "{open}");
        }
    }

    #[test]
    fn connections_take_at_most_half_of_the_descriptors() {
        let connections = Bounds::default().connections;
        assert!(connections <= limits::TCP_CONNECTIONS && connections <= open_files_limit() / 2);
    }
}
