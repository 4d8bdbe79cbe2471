use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

use super::*;
use crate::limits;

fn serial(response: &[u8]) -> u64 {
    u64::from_be_bytes(*response.last_chunk().unwrap())
}

#[test]
fn each_address_family_answers_on_one_socket_and_on_two() {
    for addresses in [&["127.0.0.1"][..], &["::1"], &["127.0.0.1", "::1"]] {
        let listens: Vec<Listen> = addresses
            .iter()
            .map(|address| Listen {
                address: SocketAddr::new(address.parse().unwrap(), 0),
                transports: vec![Transport::Udp],
            })
            .collect();
        let (doors, errors) = Doors::bind(&listens, 2);
        if !errors.is_empty() {
            continue; // a machine without IPv6
        }
        let house = House::behind(doors, Bounds::default());
        for (address, _) in house.running.addresses() {
            let socket = client(&address.ip().to_string());
            let answer = ask(&socket, *address, &request(7, "echo"));
            assert_eq!((id(&answer), answer[2] & 0x80), (7, 0x80));
        }
        for recorded in house.world.recorded(addresses.len()) {
            assert_eq!(recorded.of.transport, Transport::Udp);
            assert!(recorded.sent.tick > recorded.of.received.tick, "two readings of the clock");
        }
    }
}

#[test]
fn many_at_once_are_answered_once_each() {
    let house = House::at("127.0.0.1", 2, Bounds::default());
    let socket = client("127.0.0.1");
    let mut answered = BTreeSet::new();
    // More than a batch, less than the kernel holds for a client that is not reading.
    for round in 0..4 {
        let ids = round * 100..(round + 1) * 100;
        for id in ids.clone() {
            socket.send_to(&request(id, "echo"), house.address()).unwrap();
        }
        for _ in ids {
            assert!(answered.insert(id(&receive(&socket).0)));
        }
    }
    assert_eq!(answered, (0..400).collect());
    let recorded = house.world.recorded(400);
    assert_eq!(recorded.len(), 400);
    assert!(recorded.iter().all(|recorded| recorded.of.client == socket.local_addr().unwrap()));
    let requests: BTreeSet<u16> = recorded.iter().map(|recorded| id(&recorded.request)).collect();
    assert_eq!(requests, answered, "each is written down with its own octets");
    assert_eq!(house.running.unsent(), 0);
}

#[test]
fn a_wildcard_answers_from_the_address_asked_at_once_and_later() {
    for (wildcard, client_address, asked) in
        [("0.0.0.0", "127.0.0.1", "127.0.0.2"), ("0.0.0.0", "127.0.0.9", "127.0.0.1"), ("::", "::1", "::1")]
    {
        let address = SocketAddr::new(wildcard.parse().unwrap(), 0);
        let (doors, errors) = Doors::bind(&[Listen { address, transports: vec![Transport::Udp] }], 1);
        if !errors.is_empty() {
            continue; // a machine without IPv6
        }
        let house = House::behind(doors, Bounds::default());
        let socket = client(client_address);
        let asked = SocketAddr::new(asked.parse().unwrap(), house.address().port());
        assert_eq!(id(&ask(&socket, asked, &request(1, "echo"))), 1);
        house.world.open_the_gate();
        assert_eq!(id(&ask(&socket, asked, &request(2, "wait"))), 2);
    }
}

#[test]
fn a_datagram_that_is_too_long_is_begun_as_far_as_there_is_room() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let socket = client("127.0.0.1");
    let mut octets = request(3, "echo");
    octets.resize(limits::UDP_REQUEST + 1000, 0);
    ask(&socket, house.address(), &octets);
    assert_eq!(house.world.recorded(1)[0].request, octets[..limits::UDP_REQUEST]);
    assert_eq!(id(&ask(&socket, house.address(), &request(4, "echo"))), 4, "the next is not affected");
    assert_eq!(house.world.recorded(2)[1].request.len(), 16);
}

#[test]
fn a_datagram_of_no_use_gets_no_response() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let socket = client("127.0.0.1");
    for octets in [&b""[..], b"x", &request(1, "none")] {
        socket.send_to(octets, house.address()).unwrap();
    }
    assert_eq!(id(&ask(&socket, house.address(), &request(2, "echo"))), 2, "the only response");
    house.world.wait_until(|notes| (notes.dropped.len() == 3).then_some(()));
}

#[test]
fn a_panic_costs_one_query_and_three_are_failure() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let failed = house.running.failed();
    let socket = client("127.0.0.1");
    house.world.open_the_gate();
    for (number, order) in ["boom", "hurt", "boom"].into_iter().enumerate() {
        assert!(!*failed.borrow());
        socket.send_to(&request(1, "echo"), house.address()).unwrap();
        socket.send_to(&request(2, order), house.address()).unwrap();
        socket.send_to(&request(3, "echo"), house.address()).unwrap();
        let answers: BTreeSet<(u16, u8)> =
            (0..3).map(|_| receive(&socket).0).map(|a| (id(&a), a[3])).collect();
        assert_eq!(answers, [(1, 0), (2, 2), (3, 0)].into(), "SERVFAIL for the one that panicked");
        house.world.wait_until(|notes| (notes.panicked == number + 1).then_some(()));
    }
    assert!(*failed.borrow());
    assert_eq!(id(&ask(&socket, house.address(), &request(4, "echo"))), 4, "and still it serves");
}

#[test]
fn the_first_query_after_a_change_sees_it_on_every_worker() {
    let house = House::at("127.0.0.1", 4, Bounds::default());
    // The kernel spreads clients over workers by their port.
    let clients: Vec<UdpSocket> = (0..16).map(|_| client("127.0.0.1")).collect();
    for number in 2..50 {
        house.world.serial.store(number, Ordering::SeqCst);
        for socket in &clients {
            assert_eq!(serial(&ask(socket, house.address(), &request(1, "echo"))), number);
        }
    }
}

#[test]
fn threads_without_traffic_let_go_of_an_old_snapshot() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let before = house.world.refreshes.load(Ordering::SeqCst);
    let refreshes = || house.world.refreshes.load(Ordering::SeqCst);
    house.world.wait_until(|_| (refreshes() >= before + 4).then_some(()));
}

#[test]
fn requests_that_wait_do_not_hold_others_up_and_are_bounded() {
    let house = House::at("127.0.0.1", 1, Bounds { waiting: 2, ..Bounds::default() });
    let socket = client("127.0.0.1");
    for id in 0..5 {
        socket.send_to(&request(id, "wait"), house.address()).unwrap();
    }
    assert_eq!(id(&ask(&socket, house.address(), &request(9, "echo"))), 9);
    house.world.wait_until(|notes| (notes.dropped == [DropReason::Overload; 3]).then_some(()));
    house.world.open_the_gate();
    let answers: BTreeSet<u16> = (0..2).map(|_| id(&receive(&socket).0)).collect();
    assert_eq!(answers, [0, 1].into());
    house.world.recorded(3);
    // Their places are free again.
    assert_eq!(id(&ask(&socket, house.address(), &request(5, "wait"))), 5);
}

#[test]
fn what_came_before_the_stop_is_answered() {
    for addresses in [&["127.0.0.1"][..], &["127.0.0.1", "127.0.0.2"]] {
        let listen = |address: &&str| Listen {
            address: SocketAddr::new(address.parse().unwrap(), 0),
            transports: vec![Transport::Udp],
        };
        let (doors, _) = Doors::bind(&addresses.iter().map(listen).collect::<Vec<_>>(), 2);
        let house = House::behind(doors, Bounds::default());
        let socket = client("127.0.0.1");
        let world = house.world.clone();
        socket.send_to(&request(1000, "wait"), house.address()).unwrap();
        world.wait_until(|_| (world.waiting.load(Ordering::SeqCst) == 1).then_some(()));
        for id in 0..200 {
            socket.send_to(&request(id, "echo"), house.address()).unwrap();
        }
        let stopping = thread::spawn(move || house.running.stop(SOON));
        let answers: BTreeSet<u16> = (0..200).map(|_| id(&receive(&socket).0)).collect();
        assert_eq!(answers.len(), 200);
        assert!(!stopping.is_finished(), "one still waits");
        world.open_the_gate();
        assert_eq!(id(&receive(&socket).0), 1000);
        stopping.join().unwrap();
        assert_eq!(world.recorded(201).len(), 201);
    }
}

#[test]
fn a_stop_does_not_wait_longer_than_it_is_told() {
    let house = House::at("127.0.0.1", 1, Bounds::default());
    let socket = client("127.0.0.1");
    socket.send_to(&request(1, "wait"), house.address()).unwrap();
    house.world.wait_until(|_| (house.world.waiting.load(Ordering::SeqCst) == 1).then_some(()));
    house.running.stop(Duration::from_millis(1));
    assert!(house.world.notes.lock().unwrap().recorded.is_empty());
}

#[test]
fn a_socket_from_outside_is_served_and_lives_on() {
    // Without IPV6_V6ONLY, as a service manager makes them: IPv4 clients come as mapped addresses.
    let Ok(udp) = UdpSocket::bind("[::]:0") else { return };
    let port = udp.local_addr().unwrap().port();
    for round in 0..2 {
        let passed = OwnedFd::from(udp.try_clone().unwrap());
        let house = House::behind(Doors::inherit(vec![passed], 2).unwrap(), Bounds::default());
        let socket = client("127.0.0.1");
        house.world.open_the_gate();
        for (id_sent, order) in [(1, "echo"), (2, "wait")] {
            let answer = ask(&socket, SocketAddr::from(([127, 0, 0, 3], port)), &request(id_sent, order));
            assert_eq!(id(&answer), id_sent, "round {round}");
        }
        let recorded = &house.world.recorded(2)[0];
        assert_eq!(recorded.of.client, socket.local_addr().unwrap(), "access rules see an IPv4 client");
        house.running.stop(SOON);
    }
}
