//! One connection: messages in, responses out as they are ready (RFC 7766).
//!
//! ```text
//!            a message or two            responses             no more input, nothing under way
//! accept --> [ read ] --> [ begin each ] --> [ write once ] --> close
//!               ^               |                 ^
//!               |               +-- waiting: a task of its own, at most 32 --+
//!               +---------------------------------+
//! ```
//! While it waits it keeps no buffers, so an idle connection costs its task and what the kernel needs.

use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::FusedFuture;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_local;

use super::admission::Seat;
use super::core::{Bench, Core};
use super::desk::{self, Desk, Exchange, Step};
use crate::clock::{Now, Tick};
use crate::limits;
use crate::observe::{DropReason, Event, Transport};
use crate::service::{Packet, Replies};

/// One connection.
pub(super) struct Connection<D: Desk> {
    core: Arc<Core<D>>,
    stream: TcpStream,
    client: SocketAddr,
    local: SocketAddr,
    seat: Seat,
    /// Octets read and not begun: part of a message, or messages that wait for others to end.
    input: Vec<u8>,
    /// Responses with their lengths, to be written.
    output: Vec<u8>,
    /// What is written down once `output` is written.
    answered: Vec<Answered>,
    from_tasks: mpsc::Receiver<FromTask>,
    to_connection: mpsc::Sender<FromTask>,
    /// Requests that wait, each in its task.
    under_way: usize,
    /// The time of the latest read; requests count as received then.
    received: Now,
    /// Since when the client is silent: accept, read or write.
    silent_since: Tick,
    /// When the message began of which a part is in `input`.
    message_since: Option<Tick>,
    has_spoken: bool,
    is_asked_for: bool,
    /// Nothing more is read: the client said so, or we leave.
    is_at_end: bool,
}

struct Answered {
    request: Arc<[u8]>,
    exchange: Exchange,
    event: Event,
}

enum FromTask {
    Response { octets: Vec<u8>, answered: Option<Answered> },
    Ended,
}

impl<D: Desk> Connection<D> {
    pub(super) fn new(
        core: Arc<Core<D>>,
        stream: TcpStream,
        client: SocketAddr,
        local: SocketAddr,
        seat: Seat,
        now: Now,
    ) -> Connection<D> {
        let (to_connection, from_tasks) = mpsc::channel(limits::TCP_PIPELINE);
        Connection {
            core,
            stream,
            client,
            local,
            seat,
            input: Vec::new(),
            output: Vec::new(),
            answered: Vec::new(),
            from_tasks,
            to_connection,
            under_way: 0,
            received: now,
            silent_since: now.tick,
            message_since: None,
            has_spoken: false,
            is_asked_for: false,
            is_at_end: false,
        }
    }

    /// Serves until the client has all it asked for and leaves, or until it is too slow.
    pub(super) async fn run(mut self) {
        self.serve().await;
        self.give_up_transfers();
    }

    async fn serve(&mut self) {
        let core = self.core.clone();
        let mut stop = pin!(core.shared.stop.wait().fuse());
        loop {
            while self.begin_input() {
                if !self.write().await {
                    return;
                }
            }
            if self.is_at_end && self.under_way == 0 {
                return;
            }
            match self.next(stop.as_mut()).await {
                Next::Stop => {
                    // What the kernel has of this client is still answered, whether or not the runtime knows of it yet.
                    self.read_by(|stream, room| (&*SockRef::from(stream)).read(room));
                    self.is_at_end = true;
                }
                Next::FromTask(message) => self.take(message),
                Next::Input if self.read() => {}
                Next::AskedFor => self.is_asked_for = true,
                Next::Input | Next::TooSlow => return,
            }
        }
    }

    /// Waits for what happens next. Of things that happen at once the first in this order is told.
    async fn next(&mut self, mut stop: Pin<&mut impl FusedFuture<Output = Tick>>) -> Next {
        let wants_input = !self.is_at_end && self.under_way < limits::TCP_PIPELINE;
        let patience = self.patience();
        let (stream, seat, from_tasks) = (&self.stream, &self.seat, &mut self.from_tasks);
        let mut asked_for = pin!(seat.is_asked_for());
        let mut too_slow = pin!(tokio::time::sleep(patience.unwrap_or_default()));
        poll_fn(|cx| {
            if !stop.is_terminated() && stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::Stop);
            }
            if let Poll::Ready(Some(message)) = from_tasks.poll_recv(cx) {
                return Poll::Ready(Next::FromTask(message));
            }
            if wants_input && stream.poll_read_ready(cx).is_ready() {
                return Poll::Ready(Next::Input);
            }
            if !self.is_asked_for && asked_for.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::AskedFor);
            }
            if patience.is_some() && too_slow.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::TooSlow);
            }
            Poll::Pending
        })
        .await
    }

    /// How long the client may go on as it is, none while it waits for us.
    fn patience(&self) -> Option<Duration> {
        let shared = &self.core.shared;
        let bounds = &shared.bounds;
        let deadline = match self.message_since {
            Some(since) => since.plus(bounds.message),
            None if self.under_way > 0 => return None,
            None if self.is_asked_for => self.silent_since.plus(bounds.quiet),
            None if !self.has_spoken => self.silent_since.plus(bounds.first_octet),
            None => self.silent_since.plus(bounds.idle_while(shared.admission.open())),
        };
        Some(deadline.since(shared.clock.now().tick))
    }

    /// Reads what there is; false when the connection is broken.
    fn read(&mut self) -> bool {
        self.read_by(TcpStream::try_read)
    }

    fn read_by(&mut self, read: impl FnOnce(&TcpStream, &mut [u8]) -> io::Result<usize>) -> bool {
        let mut bench = self.core.bench();
        match read(&self.stream, &mut bench.input) {
            Ok(0) => self.is_at_end = true,
            Ok(count) => {
                self.input.extend_from_slice(&bench.input[..count]);
                self.received = self.core.shared.clock.now();
                self.silent_since = self.received.tick;
                self.has_spoken = true;
                self.is_asked_for = false;
                bench.desk.refresh();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        true
    }

    /// Begins the messages that are complete, as far as there is room for their responses; whether there is
    /// something to write.
    fn begin_input(&mut self) -> bool {
        let mut at = 0;
        let mut is_partial = false;
        while self.output.len() < limits::TCP_OUTPUT && self.under_way < limits::TCP_PIPELINE {
            match next_message(&self.input[at..]) {
                Message::Whole(length) => {
                    self.begin(at + 2..at + 2 + length);
                    at += 2 + length;
                }
                Message::Partial => {
                    is_partial = at < self.input.len();
                    break;
                }
                // No message is without octets (RFC 1035 4.2.2): this is another protocol, or none.
                Message::Empty => {
                    at = self.input.len();
                    self.is_at_end = true;
                    break;
                }
            }
        }
        self.input.drain(..at);
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        let is_new = at > 0 || self.message_since.is_none();
        self.message_since = match is_partial && !self.is_at_end {
            true if is_new => Some(self.received.tick),
            true => self.message_since,
            false => None,
        };
        !self.output.is_empty()
    }

    fn begin(&mut self, message: std::ops::Range<usize>) {
        let exchange = Exchange { client: self.client, transport: Transport::Tcp, received: self.received };
        let octets = &self.input[message];
        let packet = Packet { octets, client: self.client, local: self.local, transport: exchange.transport };
        let Bench { desk, output, .. } = &mut *self.core.bench();
        match desk::begin(desk, &packet, exchange.received, output, &self.core.shared.panics) {
            Step::Answered { length, event } => {
                frame(&mut self.output, &output[..length]);
                self.answered.push(Answered { request: octets.into(), exchange, event });
            }
            Step::Dropped(reason) => desk.dropped(reason),
            Step::Silent(event) => self.answered.push(Answered { request: octets.into(), exchange, event }),
            Step::Waiting(request) => match self.core.place() {
                None => desk.dropped(DropReason::Overload),
                Some(place) => {
                    let replies = StreamReplies {
                        core: self.core.clone(),
                        request: octets.into(),
                        exchange,
                        local: self.local,
                        connection: self.to_connection.clone(),
                    };
                    self.under_way += 1;
                    spawn_local(complete(request, replies, place));
                }
            },
        }
    }

    /// Takes what tasks have ready, as much as is written at once.
    fn take(&mut self, first: FromTask) {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                FromTask::Ended => self.under_way -= 1,
                FromTask::Response { octets, answered } => {
                    frame(&mut self.output, &octets);
                    self.answered.extend(answered);
                }
            }
            next =
                if self.output.len() < limits::TCP_OUTPUT { self.from_tasks.try_recv().ok() } else { None };
        }
    }

    /// Notes the zone transfers whose last message was made and is not written any more.
    fn give_up_transfers(&mut self) {
        self.from_tasks.close();
        while let Ok(message) = self.from_tasks.try_recv() {
            if let FromTask::Response { answered: Some(answered), .. } = message
                && answered.event.transfer.is_some()
            {
                self.answered.push(answered);
            }
        }
        self.note(false);
    }

    /// Notes what was answered, and whether it reached the client as far as anybody knows.
    fn note(&mut self, is_written: bool) {
        let sent = self.core.shared.clock.now();
        self.silent_since = sent.tick;
        let mut bench = self.core.bench();
        for Answered { request, exchange, mut event } in std::mem::take(&mut self.answered) {
            if let Some(transfer) = &mut event.transfer {
                transfer.is_whole &= is_written;
            }
            bench.desk.record(&request, exchange, &event, sent);
        }
        self.core.noted();
    }

    /// Writes the responses and notes what was answered; false when the client does not take them.
    async fn write(&mut self) -> bool {
        let written = self.stream.write_all(&self.output);
        let written = tokio::time::timeout(self.core.shared.bounds.write, written).await;
        let is_written = matches!(written, Ok(Ok(())));
        if !is_written {
            self.core.shared.unsent.fetch_add(self.answered.len() as u64, Ordering::Relaxed);
        }
        self.note(is_written);
        self.output = Vec::new();
        is_written
    }
}

/// What happened to a connection that waited.
enum Next {
    Stop,
    FromTask(FromTask),
    Input,
    AskedFor,
    TooSlow,
}

/// What stands at the beginning of a stream's octets.
enum Message {
    Whole(usize),
    Partial,
    Empty,
}

fn next_message(input: &[u8]) -> Message {
    let Some((length, rest)) = input.split_first_chunk() else { return Message::Partial };
    match usize::from(u16::from_be_bytes(*length)) {
        0 => Message::Empty,
        length if length <= rest.len() => Message::Whole(length),
        _ => Message::Partial,
    }
}

/// Appends a response with its length (RFC 1035 4.2.2).
fn frame(output: &mut Vec<u8>, response: &[u8]) {
    // `begin` writes into a buffer of 65535 octets, and a task's message is one of DNS, which cannot be longer.
    let Ok(length) = u16::try_from(response.len()) else { return };
    output.extend_from_slice(&length.to_be_bytes());
    output.extend_from_slice(response);
}

/// Completes one request that waits.
async fn complete<D: Desk>(request: D::Request, mut replies: StreamReplies<D>, _place: OwnedSemaphorePermit) {
    // Unwind safety: after a panic nothing of `replies` is used that `complete` could have left half changed.
    if AssertUnwindSafe(D::complete(request, &mut replies)).catch_unwind().await.is_err() {
        replies.recover().await;
    }
    let _ = replies.connection.send(FromTask::Ended).await;
}

struct StreamReplies<D> {
    core: Arc<Core<D>>,
    request: Arc<[u8]>,
    exchange: Exchange,
    local: SocketAddr,
    connection: mpsc::Sender<FromTask>,
}

impl<D: Desk> Replies for StreamReplies<D> {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        let (request, exchange) = (self.request.clone(), self.exchange);
        let answered = event.map(|event| Answered { request, exchange, event });
        Box::pin(async move { self.connection.send(FromTask::Response { octets, answered }).await.is_ok() })
    }

    fn give_up(&mut self, event: Event) {
        let sent = self.core.shared.clock.now();
        self.core.bench().desk.record(&self.request, self.exchange, &event, sent);
        self.core.noted();
    }
}

impl<D: Desk> StreamReplies<D> {
    async fn recover(&mut self) {
        let (octets, Exchange { client, transport, .. }) = (&self.request, self.exchange);
        let packet = Packet { octets, client, local: self.local, transport };
        let now = self.core.shared.clock.now();
        let recovered = {
            let Bench { desk, output, .. } = &mut *self.core.bench();
            desk::recover(desk, &packet, now, output, &self.core.shared.panics)
                .map(|(length, event)| (output[..length].to_vec(), event))
        };
        if let Some((octets, event)) = recovered {
            self.send(octets, Some(event)).await;
        }
    }
}
