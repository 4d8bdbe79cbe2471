//! The process itself: descriptors it was given, limits, memory.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes over descriptors that this process was started with: those systemd numbers from 3 on.
///
/// Each may be taken over once; a number that is no open descriptor is an error.
pub fn adopt(fds: impl IntoIterator<Item = RawFd>) -> io::Result<Vec<OwnedFd>> {
    fds.into_iter()
        .map(|fd| {
            // SAFETY: F_GETFD takes no pointer and fails on a number that is not open.
            if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor is open, and by the protocol of socket activation nobody else in this process owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(fd) })
        })
        .collect()
}

/// Raises the limit of open files to what this process may have.
pub fn raise_open_files_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit for the call to fill, and is read by the second call only.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Lets other threads go first from here on: this one has work that can wait.
pub fn give_way() {
    // SAFETY: setpriority takes no pointer. On Linux 0 is the calling thread, and nothing depends on whether it works.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

/// Has all threads allocate from one arena. With one each, what a cache frees on one thread is not there for
/// another, and the process grows to 1.6 times what it holds (measured with two storing threads); answers from
/// zones and cache allocate nothing, so they do not meet at its lock.
pub fn use_one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets a parameter of the allocator.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_no_descriptor_is_not_adopted() {
        assert!(adopt([1_000_000]).is_err());
    }
}
