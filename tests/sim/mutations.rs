//! Ten thousand answers that were secure, each changed in one place. What changes nothing of what was signed stays secure;
//! everything else is bogus: never insecure, and never secure with something else in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use namu::cache::{Cache, CacheOptions, Security};
use namu::dns::{Name, Question, QuestionRef, RrType, SharedRrset};
use namu::recursion::Resolved;

use crate::lab::{Lab, beginning, example, question};
use crate::signed_zone::{ChainKind, Signing};
use crate::tamper::Message;

const RECORDS: &str = "www.example. 60 A 192.0.2.80\nwww.example. 60 A 192.0.2.81\n\
    mail.example. 60 MX 10 www.example.\nalias.example. 60 CNAME www.example.\n\
    d.example. 60 DNAME sub.example.\nwww.sub.example. 60 A 192.0.2.82\n*.wild.example. 60 A 192.0.2.83\n\
    signed.example. 60 NS ns.signed.example.\nns.signed.example. 60 A 192.0.2.53\n\
    signed.example. 60 DS 12345 15 2 0000000000000000000000000000000000000000000000000000000000000001\n";

const ASKED: [&str; 12] = [
    "www.example. A",
    "mail.example. MX",
    "x.wild.example. A",
    "x.wild.example. MX",
    "www.example. MX",
    "nothing.example. A",
    "sub.example. A",
    "alias.example. A",
    "www.d.example. A",
    "signed.example. DS",
    "example. DNSKEY",
    "www.example. DS",
];

const MUTATIONS: u64 = 10_000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % sides as u64) as usize
    }
}

/// What has to become of a changed answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// What was signed is still there.
    Secure,
    /// It is no more.
    Refused,
    /// It depends on whether the place is one that anybody relies on.
    Either,
}

/// Changes one place. What was done, and what it must come to.
fn mutate(message: &mut Message, dice: &mut Dice) -> (String, Fate) {
    let place = dice.below(message.records.len());
    let count = message.records.len();
    let record = &mut message.records[place];
    let what = |change: &str| format!("{change} of record {place}, {} {}", record.owner, record.rr_type);
    match dice.below(16) {
        0 => {
            let what = what("a letter of the owner");
            let mut octets = record.owner.octets().to_vec();
            let letters = octets.iter().enumerate().filter(|(_, octet)| octet.is_ascii_lowercase());
            let letters: Vec<usize> = letters.map(|(at, _)| at).collect();
            let Some(at) = letters.get(dice.below(letters.len().max(1))) else { return (what, Fate::Secure) };
            octets[*at] = if octets[*at] == b'q' { b'p' } else { b'q' };
            record.owner = Name::from_wire(&octets).unwrap();
            (what, Fate::Either)
        }
        1 => {
            let what = what("the case of the owner");
            let mut octets = record.owner.octets().to_vec();
            let at = dice.below(octets.len());
            octets[at..].make_ascii_uppercase();
            record.owner = Name::from_wire(&octets).unwrap();
            (what, Fate::Secure)
        }
        2 => {
            let what = what("the TTL, lower,");
            record.ttl -= dice.below(record.ttl as usize) as u32;
            (what, Fate::Secure)
        }
        3 => {
            let what = what("the TTL, higher,");
            record.ttl += 1 + dice.below(100_000) as u32;
            (what, Fate::Secure)
        }
        4 | 5 if record.rr_type != RrType::RRSIG => {
            let at = dice.below(record.rdata.len());
            let what = what(&format!("octet {at}"));
            record.rdata[at] ^= 1 << dice.below(8);
            (what, Fate::Either)
        }
        4..=8 => {
            let Some(signature) =
                message.records.iter_mut().filter(|one| one.rr_type == RrType::RRSIG).nth(place % 3)
            else {
                return ("no such signature".into(), Fate::Secure);
            };
            // Type, algorithm, labels, TTL, times, tag; then signer and signature.
            let fields = [0..2, 2..3, 3..4, 4..8, 8..12, 12..16, 16..18, 18..signature.rdata.len()];
            let field = dice.below(fields.len());
            let at = fields[field].start + dice.below(fields[field].len());
            let what = format!("octet {at} of a signature of {}", signature.owner);
            let is_signer = (18..18 + 9).contains(&at) && signature.rdata[at].is_ascii_alphabetic();
            signature.rdata[at] ^= 1 << dice.below(8);
            let is_case = is_signer && (signature.rdata[at] ^ 0x20).is_ascii_alphabetic();
            (what, if is_case { Fate::Either } else { Fate::Refused })
        }
        9 => {
            let what = what("the type");
            record.rr_type = [RrType::TXT, RrType::A, RrType::NSEC, RrType::CNAME][dice.below(4)];
            (what, Fate::Either)
        }
        10 => {
            let what = what("the class");
            record.class = [3, 4, 254, 255][dice.below(4)];
            (what, Fate::Either)
        }
        11 => {
            let what = what("all");
            message.records.remove(place);
            (what, Fate::Either)
        }
        12 => {
            let what = what("a double");
            let double = record.clone();
            message.records.insert(dice.below(count), double);
            (what, Fate::Secure)
        }
        13 => {
            let what = what("the section");
            record.section = 1 + record.section % 3;
            (what, Fate::Either)
        }
        14 => {
            let what = what("the place");
            message.records.swap(place, (place + 1) % count);
            (what, Fate::Secure)
        }
        _ => {
            let code = [0, 2, 3, 5, 6][dice.below(5)];
            let fate = if code == message.rcode { Fate::Secure } else { Fate::Either };
            message.rcode = code;
            (format!("the response code, {code},"), fate)
        }
    }
}

fn asks_for_keys(place: usize) -> bool {
    ASKED[place].ends_with("DNSKEY")
}

type Records = BTreeSet<(String, RrType, Vec<u8>)>;

/// An answer without what may change: TTLs, order, and the case of letters.
fn canonical<'r>(rrsets: impl Iterator<Item = &'r SharedRrset>) -> Records {
    let records = rrsets.flat_map(|rrset| {
        let of_type = rrset.rr_type;
        let is_name =
            matches!(of_type, RrType::CNAME | RrType::DNAME | RrType::SOA | RrType::MX | RrType::NS);
        rrset.records().iter().map(move |rdata| {
            let rdata = if is_name { rdata.to_ascii_lowercase() } else { rdata.to_vec() };
            (rrset.owner.to_string().to_ascii_lowercase(), of_type, rdata)
        })
    });
    records.collect()
}

/// Longer than an answer or a failure is remembered, and shorter than the chain of trust is.
const PAUSE: Duration = Duration::from_secs(1000);

fn cache() -> Arc<Cache> {
    let options = CacheOptions { prefetch: false, serve_stale: Duration::ZERO, ..CacheOptions::default() };
    Arc::new(Cache::new(CacheOptions { size: 1 << 20, ..options }))
}

/// Zones that were signed once, and who changes what one of them says.
struct Stage {
    lab: Lab,
    mutation: Arc<Mutex<Option<(Question, Message)>>>,
}

impl Stage {
    fn new(signing: Signing) -> Stage {
        let mut lab = Lab::new(example(RECORDS, signing));
        lab.recursion = lab.with_cache(cache());
        let mutation: Arc<Mutex<Option<(Question, Message)>>> = Arc::default();
        for host in ["ns", "root"] {
            let mutation = mutation.clone();
            let tamper = move |asked: QuestionRef<'_>, said: &mut Message| match &*mutation.lock().unwrap() {
                Some((question, message)) if question.as_ref() == asked && said.authoritative => {
                    *said = message.clone();
                }
                _ => {}
            };
            lab.internet.tamper(host, Arc::new(tamper));
        }
        Stage { lab, mutation }
    }

    /// The honest response to a question, as it is sent.
    fn honest(&self, asked: &str) -> Message {
        let heard: Arc<Mutex<Option<Message>>> = Arc::default();
        let (listener, question) = (heard.clone(), question(asked));
        let listened = question.clone();
        let listen = move |asked: QuestionRef<'_>, said: &mut Message| {
            if listened.as_ref() == asked {
                *listener.lock().unwrap() = Some(said.clone());
            }
        };
        let lab = Lab::new(example(RECORDS, self.lab.example.signing.clone()));
        lab.internet.tamper("ns", Arc::new(listen));
        assert_eq!(lab.resolve(asked).security, Security::Secure, "{asked}");
        let mut message = heard.lock().unwrap().take().unwrap();
        // Nobody relies on what stands in the additional section, nor on where an alias leads: that is asked for by itself.
        let targets: [Name; 2] = ["www.example.", "www.sub.example."].map(|target| target.parse().unwrap());
        let is_target = |owner: &Name| *owner != question.name && targets.contains(owner);
        message.records.retain(|record| record.section < 3 && !is_target(&record.owner));
        message
    }

    /// Asks when everything that was known of the question is forgotten, but the chain of trust is not.
    fn resolve(&mut self, asked: &Question, message: Option<Message>) -> Resolved {
        *self.mutation.lock().unwrap() = message.map(|message| (asked.clone(), message));
        self.lab.internet.time.pass(PAUSE);
        // What the chain consists of is kept for long, so that only an empty cache has forgotten it.
        let recursion = match asked.rr_type {
            RrType::DNSKEY => self.lab.with_cache(cache()),
            _ => self.lab.recursion.clone(),
        };
        let (question, wants) = (asked.clone(), recursion.wants(true, false));
        self.lab.internet.time.run(async move { recursion.resolve_with(question, None, wants).await })
    }

    /// Tries so many mutations of each answer. How often what became of them.
    fn run(&mut self, seed: u64, mutations: u64, met: &mut BTreeMap<&'static str, u64>) {
        let honest: Vec<(Question, Message)> =
            ASKED.iter().map(|asked| (question(asked), self.honest(asked))).collect();
        let truth: Vec<Resolved> =
            honest.iter().map(|(asked, message)| self.resolve(asked, Some(message.clone()))).collect();
        for number in 0..mutations {
            let mut dice = Dice(seed ^ number << 8);
            let place = dice.below(ASKED.len());
            // A question for keys takes an empty cache, which takes long to make.
            let place = if asks_for_keys(place) && !number.is_multiple_of(4) { 0 } else { place };
            let ((asked, message), truth) = (&honest[place], &truth[place]);
            assert_eq!(truth.security, Security::Secure, "{asked}: {:?}", truth.extended_error);
            let mut changed = message.clone();
            let (what, mut fate) = mutate(&mut changed, &mut dice);
            if changed == *message {
                fate = Fate::Secure;
            }
            let told = self.resolve(asked, Some(changed));
            let case = || {
                format!(
                    "mutation {number}: {what}; asked {asked}; {:?} {:?}",
                    told.security, told.extended_error
                )
            };
            let is_same = told.rcode == truth.rcode
                && canonical(told.answer.iter()) == canonical(truth.answer.iter())
                && canonical(told.authority.iter()).is_subset(&canonical(truth.authority.iter()));
            match told.security {
                Security::Secure if told.failure.is_none() => {
                    assert!(is_same, "{}: {:?}", case(), told.answer);
                    assert_ne!(fate, Fate::Refused, "{}", case());
                    *met.entry("secure").or_default() += 1;
                }
                Security::Bogus => {
                    assert_ne!(fate, Fate::Secure, "{}", case());
                    *met.entry("bogus").or_default() += 1;
                }
                // The reply was none that anybody could make use of.
                Security::Unchecked if told.failure.is_some() => {
                    assert_ne!(fate, Fate::Secure, "{}", case());
                    *met.entry("failed").or_default() += 1;
                }
                _ => panic!("{}", case()),
            }
        }
    }
}

/// Half of the ten thousand, in a zone with this chain.
fn five_thousand(chain: ChainKind, seed: u64) {
    let now = beginning();
    let expiration = now as u32 + 2 * 365 * 86_400;
    let mut met = BTreeMap::new();
    Stage::new(Signing { expiration, chain, ..Signing::at(now) }).run(seed, MUTATIONS / 2, &mut met);
    let (secure, bogus, failed) = (met["secure"], met["bogus"], met["failed"]);
    assert!(secure > MUTATIONS / 8 && bogus > MUTATIONS / 8 && failed < MUTATIONS / 10, "{met:?}");
}

#[test]
fn mutations_of_secure_answers_are_bogus_or_change_nothing_with_nsec() {
    five_thousand(ChainKind::Nsec, 1);
}

#[test]
fn mutations_of_secure_answers_are_bogus_or_change_nothing_with_nsec3() {
    five_thousand(ChainKind::Nsec3 { iterations: 1, salt: vec![0xaa], opt_out: false }, 2);
}
