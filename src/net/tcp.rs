//! Streams: accepting connections, as many as there is room for.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use super::connection::Connection;
use super::core::{Alive, Core, Stream};
use super::desk::Desk;
use super::udp::canonical;
use crate::limits;

/// Accepts the connections of one listener until the stop signal.
pub(super) async fn accept<D: Desk>(core: Arc<Core<D>>, stream: Stream, alive: Alive) {
    let listener = match TcpListener::from_std(stream.listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot accept connections");
            return core.shared.panics.fail();
        }
    };
    let mut stop = pin!(core.shared.stop.wait());
    let mut next = |cx: &mut Context<'_>| match stop.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => listener.poll_accept(cx).map(Some),
    };
    while let Some(accepted) = poll_fn(&mut next).await {
        match accepted {
            Ok((stream, client)) => open(&core, stream, client, &alive),
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => {
                // No descriptors or no memory (EMFILE, ENFILE, ENOMEM): room is made, and the door rests.
                core.shared.admission.make_room(core.shared.clock.now().tick);
                tokio::time::sleep(limits::DOOR_PAUSE).await;
            }
        }
    }
    if !stream.is_shared {
        // Who connected before the signal is answered; closing the listener would reset them.
        for _ in 0..limits::TCP_BACKLOG {
            let Some(Ok((stream, client))) = listener.accept().now_or_never() else { return };
            open(&core, stream, client, &alive);
        }
    }
}

fn open<D: Desk>(core: &Arc<Core<D>>, stream: TcpStream, client: SocketAddr, alive: &Alive) {
    let now = core.shared.clock.now();
    let client = canonical(client);
    let (Some(seat), Ok(local)) = (core.shared.admission.admit(client.ip(), now.tick), stream.local_addr())
    else {
        core.shared.refused.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let connection = Connection::new(core.clone(), stream, client, canonical(local), seat, now);
    let alive = alive.clone();
    spawn_local(async move {
        connection.run().await;
        drop(alive);
    });
}

/// Whether an error of `accept` is about the connection that was to be accepted, not about us.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
