//! A clock that jumps to the next thing due, and the executor that lets it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use namu::clock::{Age, Now, Tick, Unix};

/// 2026-01-01 in the simulated world.
const START: Unix = Unix(1_767_225_600_000_000_000);

/// Simulated time and everything that waits for it.
#[derive(Clone, Default)]
pub struct Time {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    now: u64,
    /// Nanoseconds since 1970 when all began; none stands for `START`.
    started: Option<Unix>,
    /// How far the wall clock was set forward since.
    ahead: u64,
    /// Who waits for which moment; the second number keeps the order in which they began to wait.
    sleepers: BTreeMap<(u64, u64), Waker>,
    count: u64,
    spawned: Vec<BoxFuture<'static, ()>>,
}

/// A future driven by [`Time::run`], and whether something woke it.
struct Driven {
    future: BoxFuture<'static, ()>,
    woken: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Time {
    /// Begins at another moment of the wall clock.
    pub fn started(unix: Unix) -> Time {
        let inner = Inner { started: Some(unix), ..Inner::default() };
        Time { inner: Arc::new(Mutex::new(inner)) }
    }

    pub fn now(&self) -> Now {
        let inner = self.inner.lock().unwrap();
        let (tick, age) = (Tick(inner.now), Age(inner.now + inner.ahead));
        Now { tick, age, unix: Unix(inner.started.unwrap_or(START).0 + age.0) }
    }

    /// Sets the wall clock forward; the monotonic clock does not see it.
    pub fn jump_wall_clock(&self, time: Duration) {
        self.inner.lock().unwrap().ahead += time.as_nanos() as u64;
    }

    /// Lets time pass while nothing happens but what is under way.
    pub fn pass(&self, time: Duration) {
        self.run(self.sleep_until(self.now().tick.plus(time)));
    }

    pub fn sleep_until(&self, tick: Tick) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { time: self.clone(), until: tick.0, place: None })
    }

    pub fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.inner.lock().unwrap().spawned.push(future);
    }

    /// Runs a future and all that was spawned, which goes on with the next call; polls in the order of birth, and when all wait, moves the clock.
    pub fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let result = Arc::new(Mutex::new(None));
        let store = Arc::clone(&result);
        self.spawn(Box::pin(async move {
            let value = future.await;
            *store.lock().unwrap() = Some(value);
        }));
        let mut driven: Vec<Driven> = Vec::new();
        loop {
            let born = std::mem::take(&mut self.inner.lock().unwrap().spawned);
            driven.extend(
                born.into_iter()
                    .map(|future| Driven { future, woken: Arc::new(Flag(AtomicBool::new(true))) }),
            );
            let mut moved = false;
            driven.retain_mut(|task| {
                if !task.woken.0.swap(false, Ordering::Relaxed) {
                    return true;
                }
                moved = true;
                let waker = Waker::from(Arc::clone(&task.woken));
                task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if let Some(value) = result.lock().unwrap().take() {
                let mut inner = self.inner.lock().unwrap();
                let born = std::mem::take(&mut inner.spawned);
                inner.spawned = driven.into_iter().map(|task| task.future).chain(born).collect();
                return value;
            }
            if !moved && self.inner.lock().unwrap().spawned.is_empty() {
                self.jump();
            }
        }
    }

    /// To the next moment somebody waits for.
    fn jump(&self) {
        let mut inner = self.inner.lock().unwrap();
        let ((due, _), waker) = inner.sleepers.pop_first().expect("everybody waits and nothing is due");
        inner.now = inner.now.max(due);
        drop(inner);
        waker.wake();
    }
}

struct Sleep {
    time: Time,
    until: u64,
    place: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut inner = time.inner.lock().unwrap();
        if let Some(place) = self.place.take() {
            inner.sleepers.remove(&place);
        }
        if inner.now >= self.until {
            return Poll::Ready(());
        }
        inner.count += 1;
        let place = (self.until, inner.count);
        inner.sleepers.insert(place, context.waker().clone());
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.time.inner.lock().unwrap().sleepers.remove(&place);
        }
    }
}
