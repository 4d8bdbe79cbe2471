use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use socket2::{Domain, Socket, Type};

use super::*;
use crate::limits;

fn connect(house: &House) -> TcpStream {
    connect_from("127.0.0.1", house)
}

fn connect_from(client: &str, house: &House) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(client.parse().unwrap(), 0).into()).unwrap();
    socket.connect(&house.address().into()).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.set_tcp_nodelay(true).unwrap();
    socket.into()
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |message: &Vec<u8>| [&(message.len() as u16).to_be_bytes()[..], message].concat();
    messages.iter().flat_map(frame).collect()
}

fn send(mut stream: &TcpStream, orders: &[(u16, &str)]) {
    let messages: Vec<Vec<u8>> = orders.iter().map(|(id, order)| request(*id, order)).collect();
    stream.write_all(&framed(&messages)).unwrap();
}

fn receive(mut stream: &TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a response");
    let mut octets = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut octets).expect("all of it");
    octets
}

fn receive_ids(stream: &TcpStream, count: usize) -> Vec<u16> {
    (0..count).map(|_| id(&receive(stream))).collect()
}

/// The server has closed the connection and said nothing more.
fn is_closed(mut stream: &TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Bounds that end a test soon where `change` makes one small.
fn bounds(change: impl FnOnce(&mut Bounds)) -> Bounds {
    let mut bounds =
        Bounds { first_octet: SOON, message: SOON, idle: SOON, write: SOON, ..Bounds::default() };
    change(&mut bounds);
    bounds
}

fn wait_until(house: &House, fact: impl Fn(&Running) -> bool) {
    let clock = &house.running.shared.clock;
    let deadline = clock.now().tick.plus(SOON);
    while !fact(&house.running) {
        assert!(clock.now().tick < deadline, "{} connections", house.running.open_connections());
        thread::yield_now();
    }
}

fn wait_for_connections(house: &House, count: usize) {
    wait_until(house, |running| running.open_connections() == count);
}

fn waiting(house: &House, count: usize) {
    let world = &house.world;
    world.wait_until(|_| (world.waiting.load(Ordering::SeqCst) >= count).then_some(()));
}

#[test]
fn pipelined_requests_are_answered_in_one_connection() {
    let house = House::at("127.0.0.1", 2, Bounds::default());
    let stream = connect(&house);
    let orders: Vec<(u16, &str)> = (0..100).map(|id| (id, "echo")).collect();
    send(&stream, &orders);
    assert_eq!(receive_ids(&stream, 100), (0..100).collect::<Vec<_>>());
    send(&stream, &[(7, "echo")]);
    assert_eq!(receive_ids(&stream, 1), [7]);
    for recorded in house.world.recorded(101) {
        assert_eq!(recorded.of.transport, Transport::Tcp);
        assert_eq!(recorded.of.client, stream.local_addr().unwrap());
        assert_eq!(recorded.request.len(), 16);
    }
}

#[test]
fn responses_go_out_as_they_are_ready() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let stream = connect(&house);
    send(&stream, &[(1, "wait"), (2, "echo"), (3, "many")]);
    assert_eq!(receive_ids(&stream, 1), [2]);
    house.world.open_the_gate();
    let mut ids = receive_ids(&stream, 101);
    ids.sort();
    assert_eq!((ids[0], &ids[1..]), (1, &[3; 100][..]), "one of them has many messages");
    assert_eq!(house.world.recorded(3).len(), 3, "and one line");
}

#[test]
fn a_request_in_the_middle_of_a_long_response_is_heard() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let stream = connect(&house);
    house.world.open_the_gate();
    send(&stream, &[(1, "pour")]);
    assert_eq!(id(&receive(&stream)), 1);
    send(&stream, &[(2, "echo")]);
    while id(&receive(&stream)) == 1 {}
    assert_eq!(house.world.waiting.load(Ordering::SeqCst), 1, "it still pours");
    drop(stream);
    house.world.wait_until(|_| (house.world.waiting.load(Ordering::SeqCst) == 0).then_some(()));
}

#[test]
fn a_message_may_come_octet_by_octet() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let mut stream = connect(&house);
    for octet in framed(&[request(1, "echo"), request(2, "echo")]) {
        stream.write_all(&[octet]).unwrap();
    }
    assert_eq!(receive_ids(&stream, 2), [1, 2]);
}

#[test]
fn the_longest_message_fits_both_ways() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let mut stream = connect(&house);
    let mut longest = request(5, "huge");
    longest.resize(65535, 0);
    stream.write_all(&framed(&[longest.clone(), request(6, "echo")])).unwrap();
    assert_eq!(receive(&stream).len(), 65535);
    assert_eq!(receive_ids(&stream, 1), [6]);
    assert_eq!(house.world.recorded(1)[0].request, longest);
}

#[test]
fn a_client_that_ends_its_side_still_gets_all_answers() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let stream = connect(&house);
    send(&stream, &[(1, "wait"), (2, "echo")]);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receive_ids(&stream, 1), [2]);
    house.world.open_the_gate();
    assert_eq!(receive_ids(&stream, 1), [1]);
    assert!(is_closed(&stream));
}

#[test]
fn what_gets_no_response_closes_nothing_but_an_empty_message_does() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let mut stream = connect(&house);
    stream.write_all(&framed(&[b"short".to_vec(), request(1, "none"), request(2, "echo")])).unwrap();
    assert_eq!(receive_ids(&stream, 1), [2]);
    house.world.wait_until(|notes| (notes.dropped.len() == 2).then_some(()));
    stream.write_all(&framed(&[request(3, "echo"), Vec::new()])).unwrap();
    assert_eq!(receive_ids(&stream, 1), [3], "what came before it is answered");
    assert!(is_closed(&stream));
}

#[test]
fn a_client_that_is_too_slow_is_cut() {
    let short = Duration::from_millis(50);
    let start = framed(&[request(1, "echo")]);
    for (name, bounds, octets, responses) in [
        ("no first octet", bounds(|b| b.first_octet = short), &b""[..], 0),
        ("half a length", bounds(|b| b.message = short), &b"\0"[..], 0),
        ("part of a message", bounds(|b| b.message = short), &start[..9], 0),
        ("part of a second one", bounds(|b| b.message = short), &[&start[..], b"\0\x10x"].concat(), 1),
        ("idle", bounds(|b| b.idle = short), &start, 1),
    ] {
        let house = House::at("127.0.0.1", 1, bounds);
        let mut stream = connect(&house);
        stream.write_all(octets).unwrap();
        assert_eq!(receive_ids(&stream, responses).len(), responses, "{name}");
        assert!(is_closed(&stream), "{name}");
        wait_for_connections(&house, 0);
    }
}

#[test]
fn a_request_that_waits_is_not_idleness() {
    let house = House::at("127.0.0.1", 1, bounds(|b| b.idle = Duration::from_millis(1)));
    let (stream, other) = (connect(&house), connect(&house));
    send(&stream, &[(1, "wait")]);
    waiting(&house, 1);
    send(&other, &[(2, "echo")]);
    assert_eq!(receive_ids(&other, 1), [2]);
    assert!(is_closed(&other), "so long has passed that the idle one is cut");
    house.world.open_the_gate();
    assert_eq!(receive_ids(&stream, 1), [1]);
}

#[test]
fn a_client_that_never_reads_is_cut() {
    let house = House::at("127.0.0.1", 1, bounds(|b| b.write = Duration::from_millis(50)));
    let stream = connect(&house);
    let orders: Vec<(u16, &str)> = (0..500).map(|id| (id, "huge")).collect();
    send(&stream, &orders);
    wait_until(&house, |running| running.unsent() > 0);
    wait_for_connections(&house, 0);
    let begun = house.world.notes.lock().unwrap().recorded.len();
    assert!(begun < 500, "no more is begun than can be written: {begun}");
}

#[test]
fn a_connection_has_so_many_requests_under_way_and_the_rest_later() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let stream = connect(&house);
    let many = limits::TCP_PIPELINE as u16 + 8;
    let orders: Vec<(u16, &str)> = (0..many).map(|id| (id, "wait")).collect();
    send(&stream, &orders);
    waiting(&house, limits::TCP_PIPELINE);
    // Another connection of the same core is served meanwhile, so the first had every chance to begin more.
    let other = connect(&house);
    send(&other, &[(1, "echo")]);
    receive_ids(&other, 1);
    assert_eq!(house.world.waiting.load(Ordering::SeqCst), limits::TCP_PIPELINE);
    house.world.open_the_gate();
    let ids: BTreeSet<u16> = receive_ids(&stream, many.into()).into_iter().collect();
    assert_eq!(ids, (0..many).collect());
}

#[test]
fn requests_beyond_what_may_wait_are_dropped() {
    let house = House::at("127.0.0.1", 1, bounds(|b| b.waiting = 2));
    let stream = connect(&house);
    send(&stream, &[(1, "wait"), (2, "wait"), (3, "wait"), (4, "echo")]);
    assert_eq!(receive_ids(&stream, 1), [4]);
    house.world.wait_until(|notes| (notes.dropped == [DropReason::Overload]).then_some(()));
    house.world.open_the_gate();
    let ids: BTreeSet<u16> = receive_ids(&stream, 2).into_iter().collect();
    assert_eq!(ids, [1, 2].into());
}

#[test]
fn a_prefix_that_has_its_share_is_refused_and_others_are_not() {
    let house = House::at("127.0.0.1", 1, bounds(|b| (b.connections, b.quiet) = (20, SOON)));
    let first = [connect(&house), connect(&house)];
    for (number, stream) in first.iter().enumerate() {
        send(stream, &[(number as u16, "echo")]);
        receive(stream);
    }
    assert!(is_closed(&connect(&house)), "a tenth of twenty are two");
    assert_eq!(house.running.refused_connections(), 1);
    let stranger = connect_from("127.0.9.1", &house);
    send(&stranger, &[(1, "echo")]);
    assert_eq!(receive_ids(&stranger, 1), [1]);
    drop(first);
    wait_for_connections(&house, 1);
    let again = connect(&house);
    send(&again, &[(2, "echo")]);
    assert_eq!(receive_ids(&again, 1), [2]);
}

#[test]
fn a_newcomer_finds_room_among_the_quiet() {
    // The newcomer has all the time of the usual bounds to say something.
    let bounds = Bounds { connections: 80, quiet: Duration::ZERO, ..Bounds::default() };
    let house = House::at("127.0.0.1", 1, bounds);
    let quiet: Vec<TcpStream> = (0..7).map(|_| connect(&house)).collect();
    wait_for_connections(&house, 7);
    let newcomer = connect(&house);
    for stream in &quiet {
        assert!(is_closed(stream));
    }
    send(&newcomer, &[(1, "echo")]);
    assert_eq!(receive_ids(&newcomer, 1), [1]);
}

#[test]
fn a_panic_costs_one_query_of_a_connection() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let stream = connect(&house);
    house.world.open_the_gate();
    send(&stream, &[(1, "boom"), (2, "echo"), (3, "hurt")]);
    let answers: BTreeSet<(u16, u8)> = (0..3).map(|_| receive(&stream)).map(|a| (id(&a), a[3])).collect();
    assert_eq!(answers, [(1, 2), (2, 0), (3, 2)].into());
    assert_eq!(house.world.notes.lock().unwrap().panicked, 2);
}

#[test]
fn connections_cut_in_the_middle_leave_nothing_behind() {
    let house = House::at("127.0.0.1", 2, Bounds::default());
    for number in 0..100 {
        let stream = connect(&house);
        send(&stream, &[(1, "wait"), (2, "huge"), (3, "many")]);
        if number % 2 == 0 {
            // Close with a reset.
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
    house.world.open_the_gate();
    wait_for_connections(&house, 0);
    let stream = connect(&house);
    send(&stream, &[(9, "echo")]);
    assert_eq!(receive_ids(&stream, 1), [9]);
}

#[test]
fn a_stop_answers_what_was_sent_and_closes_the_idle() {
    let house = House::at("127.0.0.1", 1, bounds(|_| {}));
    let (idle, busy, late) = (connect(&house), connect(&house), connect(&house));
    send(&busy, &[(1, "wait")]);
    waiting(&house, 1);
    wait_for_connections(&house, 3);
    send(&late, &[(2, "echo")]);
    let world = house.world.clone();
    let stopping = thread::spawn(move || house.running.stop(SOON));
    assert!(is_closed(&idle));
    assert_eq!(receive_ids(&late, 1), [2]);
    assert!(is_closed(&late));
    assert!(!stopping.is_finished());
    world.open_the_gate();
    assert_eq!(receive_ids(&busy, 1), [1]);
    assert!(is_closed(&busy));
    stopping.join().unwrap();
}

#[test]
fn a_listener_from_outside_is_served_and_lives_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for round in 0..2 {
        let passed = OwnedFd::from(listener.try_clone().unwrap());
        let house = House::behind(Doors::inherit(vec![passed], 2).unwrap(), Bounds::default());
        let stream = connect(&house);
        send(&stream, &[(round, "echo")]);
        assert_eq!(receive_ids(&stream, 1), [round]);
        house.running.stop(SOON);
    }
}
