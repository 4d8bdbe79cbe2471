//! Questions held until all can be answered at once (DNSBomb, CVE-2024-33655): how much leaves in one moment.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::resolver::World;
use crate::resolver::testing::Seen;

/// The moment at which the server of the attacker lets all its replies go.
const RELEASE: Duration = Duration::from_millis(1500);
/// The measure of a pulse, and of the attacker's patience.
const MOMENT: Duration = Duration::from_millis(10);
const QUESTIONS: usize = 5000;

/// What went out when.
#[derive(Default)]
struct Sent(Mutex<Vec<(Tick, usize, Rcode)>>);

impl Sent {
    fn note(&self, now: Tick, octets: &[u8]) {
        let rcode = MessageView::parse(octets).unwrap().rcode();
        self.0.lock().unwrap().push((now, octets.len(), rcode));
    }
}

struct Noting {
    sent: Arc<Sent>,
    world: Arc<TestWorld>,
}

impl Replies for Noting {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        _: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        self.sent.note(self.world.now().tick, &octets);
        Box::pin(std::future::ready(true))
    }

    fn give_up(&mut self, _: Event) {}
}

/// A root server that is slow, and then holds what it has to say until [`RELEASE`]. Each answer has so many addresses.
fn slow_world(addresses: usize) -> Arc<TestWorld> {
    let world = Arc::new(TestWorld::default());
    let outside = Arc::downgrade(&world);
    world.host("192.0.2.1", move |seen: &Seen| {
        let now = outside.upgrade().expect("it sends").now().tick;
        let delay = match seen.question.name.to_string().to_lowercase().starts_with("warm") {
            true => 1000,
            false => RELEASE.saturating_sub(now.since(began())).as_millis() as u64,
        };
        let name = &seen.question.name;
        let records: Vec<_> = (0..addresses).map(|at| format!("{name} A 192.0.2.{at}")).collect();
        vec![(delay, seen.reply("aa", &records.join(" | "), "", ""))]
    });
    world
}

/// The moment of the first question.
fn began() -> Tick {
    Tick(60_000_000_000)
}

/// All questions of one network, evenly until the release; what went out, in order.
fn bombed(addresses: usize) -> Vec<(Tick, usize, Rcode)> {
    let world = slow_world(addresses);
    let recursion = resolving_in(&world);
    let outside = Outside(world.clone());
    // Until its slowness is known, nobody would wait for its replies so long.
    let warm = crate::resolver::testing::question("warm. A");
    assert_eq!(world.run(recursion.resolve(warm)).rcode, Rcode::NOERROR);
    let moment = began().since(world.now().tick);
    world.later(moment);
    let snapshot = Arc::new(Snapshot { recursion: Some(recursion), ..snapshot(self::options()) });
    let sent = Arc::new(Sent::default());
    let moments = RELEASE.as_millis() / MOMENT.as_millis();
    let asking = async {
        let mut local = Local::new([1, 2, 3], 1);
        let mut asked = 0;
        for moment in 1..=moments as usize {
            while asked < QUESTIONS * moment / moments as usize {
                let octets = request(&format!("q{asked}. A"), Some(b""), b"");
                let client = SocketAddr::from(([192, 0, 2, asked as u8], 5353));
                let packet = Packet { octets: &octets, client, local: client, transport: Transport::Udp };
                let mut out = vec![0; 65_535];
                match begin(&mut local, &packet, &snapshot, world.now(), &mut out) {
                    Begin::Done { length, .. } => sent.note(world.now().tick, &out[..length]),
                    Begin::Continue(request) => {
                        let mut client = Noting { sent: sent.clone(), world: world.clone() };
                        outside.spawn(Box::pin(async move { complete(*request, &mut client).await }));
                    }
                    other => panic!("{other:?}"),
                }
                asked += 1;
            }
            world.sleep(MOMENT).await;
        }
    };
    world.run(asking);
    let sent = std::mem::take(&mut *sent.0.lock().unwrap());
    assert_eq!(sent.len(), QUESTIONS, "everybody is told something");
    sent
}

/// The most octets of any moment, and the average.
fn peak(sent: &[(Tick, usize, Rcode)]) -> (usize, usize) {
    let moments = (RELEASE.as_millis() / MOMENT.as_millis()) as usize;
    let in_moment = |at: &(Tick, usize, Rcode)| {
        let until = sent.iter().filter(|other| other.0 >= at.0 && other.0.since(at.0) < MOMENT);
        until.map(|(_, octets, _)| octets).sum::<usize>()
    };
    let all: usize = sent.iter().map(|(_, octets, _)| octets).sum();
    (sent.iter().map(in_moment).max().unwrap(), all / moments)
}

#[test]
fn answers_held_for_one_network_are_so_few_that_they_are_no_pulse() {
    let sent = bombed(1);
    let answers = sent.iter().filter(|(_, _, rcode)| *rcode == Rcode::NOERROR);
    let released = answers.clone().filter(|(tick, ..)| tick.since(began()) >= RELEASE - MOMENT).count();
    assert_eq!(answers.count(), released, "nobody was answered before");
    assert!(released <= limits::WAITING_OF_PREFIX + QUESTIONS / 150, "{released}");
    assert!(released >= limits::WAITING_OF_PREFIX / 2, "and those who may wait are answered: {released}");
    let (peak, average) = peak(&sent);
    assert!(peak <= 10 * average, "{peak} octets in one moment, {average} on the average");
}

/// However long the answers are, those of one moment are no more than may wait.
#[test]
fn long_answers_held_for_one_network_are_no_more_than_may_wait() {
    let sent = bombed(60);
    let long = sent.iter().filter(|(_, octets, _)| *octets > 900).count();
    assert!((limits::WAITING_OF_PREFIX / 2..=limits::WAITING_OF_PREFIX).contains(&long), "{long}");
    let (peak, average) = peak(&sent);
    println!("{peak} octets in one moment, {average} on the average");
    let refused = QUESTIONS / 100 * 512;
    assert!(peak <= limits::WAITING_OF_PREFIX * usize::from(limits::UDP_PAYLOAD) + refused, "{peak}");
}
