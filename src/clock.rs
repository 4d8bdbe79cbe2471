//! Time as a value: three readings, taken outside and handed in (DESIGN 5).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One reading of all clocks. Engines are given it and never read a clock themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: retransmission, idle times, deadlines.
    pub tick: Tick,
    /// What TTLs and remembered failures age by.
    pub age: Age,
    /// The wall clock: signatures and log lines.
    pub unix: Unix,
}

/// Nanoseconds of the monotonic clock since an arbitrary start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(pub u64);

impl Tick {
    /// This moment and `duration` more.
    pub fn plus(self, duration: Duration) -> Tick {
        Tick(self.0.saturating_add(nanoseconds(duration)))
    }

    /// The time from `earlier` to here, zero if that is not earlier.
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds of age. Goes with the monotonic clock, jumps forward when the wall clock does (a laptop
/// that slept), and never goes back: a clock set back changes no TTL, one set forward expires entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Age(pub u64);

impl Age {
    /// This moment and `duration` more.
    pub fn plus(self, duration: Duration) -> Age {
        Age(self.0.saturating_add(nanoseconds(duration)))
    }

    /// The time from `earlier` to here, zero if that is not earlier.
    pub fn since(self, earlier: Age) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds of the wall clock since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Unix(pub u64);

impl Unix {
    /// So many seconds after the beginning of 1970.
    pub const fn of_seconds(seconds: u64) -> Unix {
        Unix(seconds.saturating_mul(1_000_000_000))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Derives [`Age`] from the other two readings. Shared by all threads.
///
/// Invariant: `ahead` only grows, and age is `tick + ahead`, so age never goes back.
#[derive(Debug)]
pub struct Ageing {
    started: u64,
    ahead: AtomicU64,
}

impl Ageing {
    /// Ages from here on; at this moment age equals the tick.
    pub fn start(tick: Tick, unix: Unix) -> Ageing {
        Ageing { started: unix.0.wrapping_sub(tick.0), ahead: AtomicU64::new(0) }
    }

    /// The three readings of one moment.
    pub fn now(&self, tick: Tick, unix: Unix) -> Now {
        // How far the wall clock has run ahead of the tick since the start; negative when it was set back.
        let drift = unix.0.wrapping_sub(tick.0).wrapping_sub(self.started) as i64;
        let drift = u64::try_from(drift).unwrap_or(0);
        let mut ahead = self.ahead.load(Ordering::Relaxed);
        if drift > ahead {
            ahead = self.ahead.fetch_max(drift, Ordering::Relaxed).max(drift);
        }
        Now { tick, age: Age(tick.0.saturating_add(ahead)), unix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_follows_jumps_forward_and_ignores_jumps_back() {
        const SECOND: u64 = 1_000_000_000;
        let ageing = Ageing::start(Tick(5 * SECOND), Unix(1000 * SECOND));
        let age = |tick: u64, unix: u64| ageing.now(Tick(tick * SECOND), Unix(unix * SECOND)).age.0 / SECOND;
        assert_eq!(age(5, 1000), 5);
        assert_eq!(age(6, 1001), 6);
        assert_eq!(age(7, 402), 7, "set back by 600 s");
        assert_eq!(age(8, 1003), 8, "and forward again: no time has passed");
        assert_eq!(age(9, 87_404), 86_409, "set forward by a day");
        assert_eq!(age(10, 10), 86_410, "set back: age goes on from where it was");
    }
}
