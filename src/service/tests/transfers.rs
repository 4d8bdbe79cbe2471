//! Zone transfers: who may have one, over which door, and what is written down of it.

use futures_util::FutureExt;

use super::*;

/// The SOA of `example.` with this serial, as the authority section of an IXFR request has it.
fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 0, 0, 0, 0].map(u32::to_be_bytes).concat();
    [&b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c"[..], &numbers].concat()
}

#[test]
fn a_transfer_is_for_who_may_have_it_over_the_door_it_needs() {
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    let (friend, stranger) = ("192.0.2.99:5353", "198.51.100.1:5353");
    // What is answered at once, as code and records of the answer section; none is a transfer.
    type Row<'r> = (&'r str, Vec<u8>, Transport, &'r str, Option<(Rcode, u16)>);
    let rows: [Row<'_>; 13] = [
        ("example. AXFR", vec![], tcp, friend, None),
        ("EXAMPLE. AXFR", vec![], tcp, friend, None),
        ("example. AXFR", vec![], udp, friend, Some((Rcode::REFUSED, 0))),
        ("example. AXFR", vec![], tcp, stranger, Some((Rcode::REFUSED, 0))),
        ("www.example. AXFR", vec![], tcp, friend, Some((Rcode::NOTAUTH, 0))),
        ("elsewhere. AXFR", vec![], tcp, stranger, Some((Rcode::NOTAUTH, 0))),
        ("broken. AXFR", vec![], tcp, friend, Some((Rcode::SERVFAIL, 0))),
        ("example. IXFR", soa(6), tcp, friend, None),
        ("example. IXFR", soa(7), tcp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", soa(8), tcp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", soa(6), udp, friend, Some((Rcode::NOERROR, 1))),
        ("example. IXFR", vec![], tcp, friend, Some((Rcode::FORMERR, 0))),
        ("example. IXFR", soa(6), udp, stranger, Some((Rcode::REFUSED, 0))),
    ];
    for (question, authority, transport, client, want) in rows {
        let mut house = House::new(snapshot(options()));
        (house.transport, house.client) = (transport, client.parse().unwrap());
        let (begun, response) = house.begin(&request(question, None, &authority));
        let found = match begun {
            Begin::Continue(_) => None,
            _ => {
                let view = MessageView::parse(&response).unwrap();
                Some((view.rcode(), view.header().counts[1]))
            }
        };
        assert_eq!(found, want, "{question} {transport} {client}");
    }
}

fn transfer(house: &mut House, patience: usize) -> Client {
    house.transport = Transport::Tcp;
    let (begun, _) = house.begin(&request("big. AXFR", Some(&asking_for(&[9, 3])), b""));
    let Begin::Continue(request) = begun else { panic!("{begun:?}") };
    let mut client = Client { patience, ..Client::default() };
    complete(*request, &mut client).now_or_never().expect("nothing here waits");
    client
}

fn with_big_zone() -> House {
    let text = (0..3000).fold("@ 60 SOA ns admin 1 1 1 9 1\n@ 60 NS ns\n".to_string(), |text, host| {
        format!("{text}host{host} 60 TXT \"text that fills messages {host}\"\n")
    });
    let served = snapshot(options());
    House::new(Snapshot { zones: served.zones.with(zone("big.", &text)), ..served })
}

#[test]
fn a_transfer_is_one_line_of_the_log_with_all_its_octets() {
    let client = transfer(&mut with_big_zone(), usize::MAX);
    assert!(client.messages.len() > 5);
    let records: usize =
        client.messages.iter().map(|message| usize::from(Header::read(message).unwrap().counts[1])).sum();
    assert_eq!(records, 3003);
    let octets: usize = client.messages.iter().map(Vec::len).sum();
    let [event] = &client.events[..] else { panic!("{:?}", client.events) };
    assert_eq!(
        (event.octets, event.source, event.rcode),
        (octets as u32, Source::Authoritative, Rcode::NOERROR)
    );
    assert_eq!(event.question.unwrap().rr_type, RrType::AXFR);
    assert_eq!(event.transfer, Some(Transfer { serial: Serial(1), is_whole: true }));
    let first = told(&client.messages[0]);
    assert_eq!(first, [(3, b"ns1.example.net".to_vec()), (9, vec![0, 0, 0, 9])]);
}

#[test]
fn a_client_that_is_gone_ends_its_transfer_with_a_line_that_says_so() {
    let client = transfer(&mut with_big_zone(), 3);
    let [event] = &client.events[..] else { panic!("{:?}", client.events) };
    assert_eq!(event.transfer, Some(Transfer { serial: Serial(1), is_whole: false }));
    // The third message did not get through.
    let octets: usize = client.messages[..2].iter().map(Vec::len).sum();
    assert_eq!((client.messages.len(), event.octets), (3, octets as u32));
}

#[test]
fn transfers_have_places_and_give_them_back() {
    let mut house = with_big_zone();
    house.transport = Transport::Tcp;
    let axfr = request("example. AXFR", None, b"");
    let begin = |house: &mut House| house.begin(&axfr);
    let held: Vec<Begin> = (0..limits::TRANSFERS_PER_PEER).map(|_| begin(&mut house).0).collect();
    assert!(held.iter().all(|begun| matches!(begun, Begin::Continue(_))));
    let (_, refused) = begin(&mut house);
    assert_eq!(MessageView::parse(&refused).unwrap().rcode(), Rcode::REFUSED);
    // Strangers in any number take nobody's place: they are refused before places are counted.
    house.client = "198.51.100.1:53".parse().unwrap();
    (0..100).for_each(|_| drop(begin(&mut house)));
    house.client = "192.0.2.1:53".parse().unwrap();
    assert!(matches!(begin(&mut house).0, Begin::Continue(_)));
    drop(held);
    house.client = "192.0.2.99:53".parse().unwrap();
    assert!(matches!(begin(&mut house).0, Begin::Continue(_)));
}
