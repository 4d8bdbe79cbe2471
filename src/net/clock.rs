//! The clocks of the machine: the only place that reads them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::clock::{Ageing, Now, Tick, Unix};

/// The clocks of the machine. Shared by all threads, so that age is one for the house.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    ageing: Ageing,
}

impl Clock {
    /// A clock whose tick is zero now.
    pub fn start() -> Clock {
        let started = Instant::now();
        Clock { started, ageing: Ageing::start(Tick(0), unix()) }
    }

    /// The three readings of this moment.
    pub fn now(&self) -> Now {
        let tick = Tick(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.ageing.now(tick, unix())
    }
}

/// The wall clock; a clock before 1970 reads as 1970.
fn unix() -> Unix {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Unix(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_readings_go_forward_together() {
        let clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first.tick <= second.tick && first.age <= second.age);
        assert!(first.unix.seconds() > 1_700_000_000, "after the year 2023");
        assert!(first.age.0 >= first.tick.0, "age never is behind the tick");
    }
}
