//! Waiting for several descriptors at once: epoll.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// A set of descriptors to wait for.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// An empty set.
    pub fn new() -> io::Result<Poller> {
        // SAFETY: the call takes no pointers; a result that is not negative is a descriptor nobody else owns.
        let epoll = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Poller { epoll })
    }

    /// Adds a descriptor under a number. It leaves the set when its last duplicate is closed.
    pub fn add(&self, fd: &impl AsFd, number: usize) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: number as u64 };
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: both descriptors are open, `event` lives during the call and is only read.
        let result = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits until some of the descriptors can be read, at most so long, and puts their numbers into `ready`.
    /// A signal ends the wait early; what did not fit comes next time.
    pub fn wait(&self, at_most: Duration, ready: &mut Vec<usize>) {
        const EVENTS: usize = 16;
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let milliseconds = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX);
        let epoll = self.epoll.as_raw_fd();
        // SAFETY: `events` has room for the `EVENTS` events the kernel may write.
        let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), EVENTS as i32, milliseconds) };
        ready.clear();
        let count = usize::try_from(count).unwrap_or(0);
        ready.extend(events.iter().take(count).map(|event| event.u64 as usize));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_can_be_read_is_reported_by_its_number_until_it_is_read() {
        let (quiet, _quiet_writer) = io::pipe().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        let poller = Poller::new().unwrap();
        poller.add(&quiet, 1).unwrap();
        poller.add(&reader, 7).unwrap();
        let mut ready = vec![99];
        poller.wait(Duration::ZERO, &mut ready);
        assert!(ready.is_empty());
        writer.write_all(b"x").unwrap();
        for _ in 0..2 {
            poller.wait(Duration::from_secs(10), &mut ready);
            assert_eq!(ready, [7]);
        }
    }
}
