//! Datagrams: one worker a core, batches in and out.
//!
//! A worker owns its sockets, buffers and desk, and shares nothing it writes to with another core. With exactly one
//! socket it sleeps in the receive itself, the cheapest way there is; with more it waits by epoll.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::Shared;
use super::desk::{self, Desk, Exchange, Step};
use super::listen::{self, Doors, Sockets};
use super::sys::batch::{Batch, Wait};
use super::sys::poll::Poller;
use super::waiting::{Origin, Queue};
use crate::limits;
use crate::observe::{DropReason, Event, Transport};
use crate::service::Packet;

/// One worker.
pub(super) struct Worker<D: Desk> {
    desk: D,
    doors: Vec<Door>,
    /// None when the worker sleeps in the receive of its only socket.
    poller: Option<Poller>,
    batch: Batch,
    /// What was answered in this batch, by slot; written down after the send.
    answered: Vec<(usize, Exchange, Event)>,
    queue: Queue<D::Request>,
    shared: Arc<Shared>,
}

struct Door {
    address: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl<D: Desk> Worker<D> {
    /// The worker of a core; none when there are no doors for datagrams.
    pub(super) fn new(
        doors: &Doors,
        worker: usize,
        desk: D,
        queue: Queue<D::Request>,
        shared: Arc<Shared>,
    ) -> io::Result<Option<Worker<D>>> {
        // A socket from outside is not ours to set a timeout on, so it is waited for by epoll too.
        let poller = match &doors.datagrams[..] {
            [] => return Ok(None),
            [listen::Door { sockets: Sockets::Own(_), .. }] => None,
            _ => Some(Poller::new()?),
        };
        let of_worker =
            |door: &listen::Door<_>| Door { address: door.address, socket: door.sockets.of(worker) };
        let doors: Vec<Door> = doors.datagrams.iter().map(of_worker).collect();
        if let Some(poller) = &poller {
            poller.add(shared.stop.pipe(), doors.len())?;
            for (number, door) in doors.iter().enumerate() {
                poller.add(&*door.socket, number)?;
            }
        }
        let batch = Batch::new(limits::UDP_BATCH, limits::UDP_REQUEST, limits::UDP_RESPONSE);
        let answered = Vec::with_capacity(limits::UDP_BATCH);
        Ok(Some(Worker { desk, doors, poller, batch, answered, queue, shared }))
    }

    /// The socket in whose receive this worker sleeps, deaf to the pipe of the stop signal.
    pub(super) fn blocking_socket(&self) -> Option<Arc<UdpSocket>> {
        self.poller.is_none().then(|| self.doors[0].socket.clone())
    }

    /// Serves until the stop signal, then what the kernel has queued.
    pub(super) fn run(mut self) {
        match self.poller.take() {
            None => self.serve_one_socket(),
            Some(poller) => self.serve_sockets(&poller),
        }
        self.drain();
        self.desk.hand_over(crate::clock::Tick(u64::MAX));
    }

    fn serve_one_socket(&mut self) {
        let mut timeout = Duration::ZERO;
        while !self.shared.stop.is_set() {
            let wanted = self.longest_wait();
            if timeout != wanted && listen::set_receive_timeout(&self.doors[0].socket, wanted).is_ok() {
                timeout = wanted;
            }
            let count = self.serve_batch(0, Wait::ForOne);
            self.keep_house(count);
        }
    }

    fn serve_sockets(&mut self, poller: &Poller) {
        let doors = self.doors.len();
        let mut ready = Vec::with_capacity(doors);
        let mut is_busy = false;
        while !self.shared.stop.is_set() {
            // While batches come full, asking which sockets have something costs more than trying them all.
            match is_busy {
                true => ready.extend(0..doors),
                false => poller.wait(self.longest_wait(), &mut ready),
            }
            is_busy = false;
            let mut total = 0;
            for number in ready.drain(..).filter(|number| *number < doors) {
                let count = self.serve_batch(number, Wait::Never);
                is_busy |= count == limits::UDP_BATCH;
                total += count;
            }
            self.keep_house(total);
        }
    }

    /// Answers what the kernel had queued when the signal came. For a moment only: at full rate new requests come
    /// as fast as they are answered.
    fn drain(&mut self) {
        let start = self.shared.clock.now().tick;
        loop {
            let total: usize =
                (0..self.doors.len()).map(|number| self.serve_batch(number, Wait::Never)).sum();
            if total == 0 || self.shared.clock.now().tick.since(start) > limits::UDP_DRAIN {
                return;
            }
        }
    }

    /// Receives, answers, sends, writes down. How many datagrams came.
    fn serve_batch(&mut self, number: usize, wait: Wait) -> usize {
        let door = &self.doors[number];
        let count = match self.batch.receive(&*door.socket, wait) {
            Ok(count) => count,
            Err(error) => {
                if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                    // No memory, the interface is gone: asking again at once would only take a core.
                    std::thread::sleep(limits::DOOR_PAUSE);
                }
                return 0;
            }
        };
        let received = self.shared.clock.now();
        self.desk.refresh();
        for slot in 0..count {
            let exchange = |client| Exchange { client, transport: Transport::Udp, received };
            let Some((datagram, out)) = self.batch.datagram(slot) else { continue };
            let client = canonical(datagram.client);
            if client.port() == 0 {
                self.desk.dropped(DropReason::PortZero);
                continue;
            }
            let source = datagram.local;
            let local = SocketAddr::new(source.unwrap_or(door.address.ip()), door.address.port());
            let local = canonical(local);
            let packet = Packet { octets: datagram.octets, client, local, transport: Transport::Udp };
            match desk::begin(&mut self.desk, &packet, received, out, &self.shared.panics) {
                Step::Answered { length, event } => {
                    self.batch.reply(slot, length, source);
                    self.answered.push((slot, exchange(client), event));
                }
                Step::Dropped(reason) => self.desk.dropped(reason),
                Step::Silent(event) => self.answered.push((slot, exchange(client), event)),
                Step::Waiting(request) => {
                    let origin = || Origin {
                        octets: datagram.octets.into(),
                        exchange: exchange(client),
                        local,
                        socket: door.socket.clone(),
                        client: datagram.client,
                        source,
                    };
                    if !self.queue.push(request, origin) {
                        self.desk.dropped(DropReason::Overload);
                    }
                }
            }
        }
        let unsent = self.batch.send(&*door.socket, limits::UDP_SEND_WAIT);
        if unsent > 0 {
            self.shared.unsent.fetch_add(unsent as u64, Ordering::Relaxed);
        }
        self.write_down();
        count
    }

    /// After the send, so that nobody waits for it: the whole batch took from one reading of the clock to the other.
    fn write_down(&mut self) {
        let sent = self.shared.clock.now();
        for (slot, exchange, event) in self.answered.drain(..) {
            if let Some((datagram, _)) = self.batch.datagram(slot) {
                self.desk.record(datagram.octets, exchange, &event, sent);
            }
        }
    }

    /// Lets go of an old snapshot when nothing came, and hands the log on.
    fn keep_house(&mut self, count: usize) {
        if count == 0 {
            self.desk.refresh();
        }
        if self.desk.has_pending() {
            self.desk.hand_over(self.shared.clock.now().tick);
        }
    }

    fn longest_wait(&self) -> Duration {
        if self.desk.has_pending() { limits::ACCESS_LOG_DELAY } else { limits::DOOR_IDLE }
    }
}

/// The address as it would be without IPv4 hidden in IPv6: a socket from outside may serve both.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(v6.ip().to_canonical(), v6.port())
        }
        _ => address,
    }
}
