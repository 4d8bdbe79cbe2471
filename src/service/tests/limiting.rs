//! How often one network is answered, and heard at all.

use super::*;

fn limited(slip: u32) -> ServeOptions {
    ServeOptions { rate_limit: Some(RateLimit { per_second: 200, slip }), ..options() }
}

/// BOUNDS on amplification: the answer is over a kilobyte, the query a few dozen octets.
#[test]
fn a_flood_from_one_network_gets_no_more_octets_than_it_sends() {
    let mut house = House::new(snapshot(limited(2)));
    let query = request("fat. TXT", Some(b""), b"");
    let whole = house.ask(&query).len();
    assert!(whole > 1000, "{whole}");
    for second in 1..4u64 {
        let (mut octets_in, mut octets_out) = (0, 0);
        for number in 0..10_000u64 {
            house.now = at(second * 1000 + number / 10);
            house.client = SocketAddr::from(([203, 0, 113, number as u8], 1024 + number as u16));
            octets_in += query.len();
            octets_out += house.begin(&query).1.len();
        }
        let bound = if second == 1 { octets_in + 200 * whole } else { octets_in };
        assert!(octets_out <= bound, "second {second}: {octets_out} out for {octets_in} in");
        assert!(second > 1 || octets_out >= 200 * whole, "what is allowed is sent");
    }
}

#[test]
fn what_is_too_much_is_truncated_or_silent_and_written_down() {
    let mut house = House::new(snapshot(limited(2)));
    let query = request("www.example. A", None, b"");
    let mut outcomes = [0; 3];
    for _ in 0..300 {
        match house.begin(&query) {
            (Begin::Done { event: Event { source: Source::Authoritative, .. }, .. }, _) => outcomes[0] += 1,
            (Begin::Done { event, .. }, response) => {
                let view = MessageView::parse(&response).unwrap();
                assert!(view.header().flags.has(Flags::TC) && view.header().counts == [1, 0, 0, 0]);
                assert_eq!((event.source, event.octets), (Source::Dropped, response.len() as u32));
                outcomes[1] += 1;
            }
            (Begin::Silent(event), _) => {
                assert_eq!((event.source, event.octets, event.rcode), (Source::Dropped, 0, Rcode::NOERROR));
                outcomes[2] += 1;
            }
            (begun, _) => panic!("{begun:?}"),
        }
    }
    assert_eq!(outcomes, [200, 50, 50]);
    assert_eq!(DropReason::RateLimit.word(), "rate_limit");
}

#[test]
fn a_network_that_asks_too_often_is_not_heard_whatever_it_asks_and_through_which_door() {
    let exempt = Acl::compile(&["198.51.100.0/24"], &[]).unwrap();
    let limit = ClientLimit { per_second: 10, burst: 20, ipv4_prefix: 24, ipv6_prefix: 56, exempt };
    let mut house = House::new(snapshot(ServeOptions { client_limit: Some(limit), ..options() }));
    let is_heard = |house: &mut House, octets: &[u8]| match house.begin(octets).0 {
        Begin::Drop(DropReason::ClientLimit) => false,
        Begin::Done { .. } => true,
        begun => panic!("{begun:?}"),
    };
    let query = request("www.example. A", None, b"");
    for asked in 0..20 {
        house.transport = if asked % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        let other = request(&format!("n{asked}.example. TXT"), None, b"");
        assert!(is_heard(&mut house, if asked % 3 == 0 { &query } else { &other }), "{asked}");
    }
    assert!(!is_heard(&mut house, &query));
    assert!(!is_heard(&mut house, &[0; 12]), "what is malformed is counted too");
    house.client = "198.51.100.1:53".parse().unwrap();
    assert!((0..100).all(|_| is_heard(&mut house, &query)), "the exempt are always heard");
    house.client = "203.0.113.1:53".parse().unwrap();
    assert!(is_heard(&mut house, &query), "another network has its own account");
}

#[test]
fn who_is_known_by_a_cookie_or_a_stream_is_not_limited() {
    let mut house = House::new(snapshot(limited(1)));
    let plain = request("www.example. A", None, b"");
    let known = told(&house.ask(&request("www.example. A", Some(&cookie(b"12345678")), b"")))[0].1.clone();
    let known = request("www.example. A", Some(&cookie(&known)), b"");
    let new = request("www.example. A", Some(&cookie(b"abcdefgh")), b"");
    let forged = request("www.example. A", Some(&cookie(b"abcdefghnot-from-here---")), b"");
    for _ in 0..500 {
        house.begin(&plain);
        let response = house.ask(&known);
        assert_eq!(
            MessageView::parse(&response).unwrap().header().counts[1],
            1,
            "the cookie holder loses none"
        );
    }
    for octets in [&new, &forged] {
        assert_eq!(house.rcode(octets), Rcode::BADCOOKIE, "come back with this cookie");
        assert_eq!(told(&house.ask(octets))[0].1.len(), 24);
    }
    house.transport = Transport::Tcp;
    assert_eq!(MessageView::parse(&house.ask(&plain)).unwrap().header().counts[1], 1);
}

#[test]
fn special_names_have_no_limit_for_those_they_are_for() {
    let special = ServeOptions { special_names: Some(SpecialNames::builtin().into()), ..limited(0) };
    let mut house = House::new(resolving(snapshot(special)));
    (0..500).for_each(|_| drop(house.ask(&request("1.0.0.10.in-addr.arpa. PTR", None, b""))));
}

#[test]
fn random_names_below_a_wildcard_or_nowhere_are_one_answer() {
    for (suffix, sent) in
        [("wild.example.", 200), ("example.", 200), ("sub.example.", 200), ("elsewhere.", 200)]
    {
        let mut house = House::new(snapshot(limited(0)));
        let answered =
            (0..300).filter(|n| !house.begin(&request(&format!("r{n}.{suffix} A"), None, b"")).1.is_empty());
        assert_eq!(answered.count(), sent, "{suffix}");
    }
}
