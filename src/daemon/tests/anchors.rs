//! Trust anchors on a real disk, with a clock that is moved and zones that say what they are told to.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Home, NOW};
use crate::clock::{Age, Now, Tick, Unix};
use crate::config::Config;
use crate::daemon::anchors::{self, Eyes, HouseAnchors};
use crate::dns::{Name, Ttl};
use crate::limits;
use crate::validator::{Look, Mode, TrustAnchors, ValidatedKeys};

const DAY: Duration = Duration::from_secs(86_400);

/// A house with trust anchors, and what its root zone says.
struct Place {
    home: Home,
    says: Arc<Mutex<Option<Look>>>,
    anchors: HouseAnchors,
    now: Now,
}

impl Place {
    /// The two keys of [`keys`] are there; the first is configured.
    fn new() -> Place {
        let home = Home::plain();
        // The key with the tag 3082.
        fs::write(
            home.folder.join("keys"),
            ". DS 3082 8 2 fb0d39ec33ff27bee1702c7ea520b08a6571e00a0222efc3f8501be0cabb5fbe\n",
        )
        .unwrap();
        let says: Arc<Mutex<Option<Look>>> = Arc::default();
        let now = Now { tick: Tick(0), age: Age(0), unix: NOW };
        let anchors = HouseAnchors::new(&home.folder.join("state"), Some(eyes(&says)), now);
        let mut place = Place { home, says, anchors, now };
        place.says_keys();
        place.configure("");
        place
    }

    fn config(&self, options: &str) -> Config {
        let keys = self.home.folder.join("keys").display().to_string();
        let text = format!("resolver: {{trust-anchors: '{keys}', {options}}}");
        Config::parse("c.yaml", text.into()).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    fn configure(&mut self, options: &str) {
        let config = self.config(options);
        let configured = anchors::read(&config).unwrap_or_else(|errors| panic!("{errors:?}"));
        self.anchors.configure(&config, configured, self.now.unix);
    }

    fn restart(&mut self) {
        self.anchors = HouseAnchors::new(&self.home.folder.join("state"), Some(eyes(&self.says)), self.now);
        self.configure("");
    }

    fn says_keys(&self) {
        let keys = ValidatedKeys {
            keys: keys().into(),
            signers: Vec::new(),
            ttl: Ttl::saturating(2 * DAY.as_secs()),
            expires: Unix(u64::MAX),
        };
        *self.says.lock().unwrap() = Some(Look { validated: Some(keys), revoked: Vec::new() });
    }

    fn later(&mut self, time: Duration) {
        self.now.tick = self.now.tick.plus(time);
        self.now.unix = Unix(self.now.unix.0 + u64::try_from(time.as_nanos()).unwrap());
    }

    /// What the timer of the house does; how many zones it looks at.
    fn on_time(&mut self) -> usize {
        let looks = self.anchors.looks(self.now);
        let count = looks.len();
        for (apex, look) in looks {
            let look = futures_util::FutureExt::now_or_never(look).expect("it says it at once");
            self.anchors.take(&apex, look, self.now.unix);
        }
        count
    }

    fn states(&self) -> String {
        let numbers = self.anchors.numbers();
        let tell = |one: &crate::observe::prometheus::TrustAnchorNumbers| {
            format!("{}{} {}", one.zone, one.key_tag, one.state)
        };
        numbers.iter().map(tell).collect::<Vec<_>>().join(", ")
    }

    fn trusted(&self) -> Vec<u16> {
        let current = self.anchors.store.current();
        current.anchors().iter().flat_map(|anchor| anchor.key_tags().collect::<Vec<_>>()).collect()
    }

    fn file(&self) -> PathBuf {
        self.home.folder.join("state/trust-anchors")
    }
}

fn eyes(says: &Arc<Mutex<Option<Look>>>) -> Eyes {
    let says = Arc::clone(says);
    let look = move |_: Name| -> futures_util::future::BoxFuture<'static, Option<Look>> {
        let look = says.lock().unwrap().clone();
        Box::pin(async move { look })
    };
    Arc::new(look)
}

fn keys() -> [Box<[u8]>; 2] {
    [[1, 1, 3, 8, 1, 1, 7].into(), [1, 1, 3, 8, 2, 2, 7].into()]
}

#[test]
fn a_new_key_is_trusted_after_its_time_over_restarts() {
    let mut place = Place::new();
    assert_eq!(place.trusted().len(), 1);
    assert_eq!(place.on_time(), 0, "machines start before their network");
    assert_eq!(place.anchors.wait(place.now), Some(limits::ANCHOR_FIRST_LOOK));
    place.later(limits::ANCHOR_FIRST_LOOK);
    assert_eq!(place.on_time(), 1);
    assert_eq!(place.on_time(), 0, "and not again at once");
    let first = place.states();
    assert!(first.contains(" valid") && first.contains(" addpend"), "{first}");
    for _ in 0..29 {
        place.later(DAY);
        assert_eq!(place.on_time(), 1);
        place.restart();
        assert_eq!(place.trusted().len(), 1);
        place.later(limits::ANCHOR_FIRST_LOOK);
        assert_eq!(place.on_time(), 0, "the file says when to look");
    }
    place.later(DAY);
    assert_eq!(place.on_time(), 1);
    assert_eq!(place.trusted().len(), 2);
    place.restart();
    assert_eq!(place.trusted().len(), 2);
}

#[test]
fn without_a_network_and_a_disk_the_configured_anchors_are_in_force() {
    let mut place = Place::new();
    // A file where the folder should be.
    fs::write(place.home.folder.join("state"), "").unwrap();
    *place.says.lock().unwrap() = None;
    place.restart();
    let (configured, trusted) = (place.states(), place.trusted());
    assert!(configured.ends_with(" configured") && trusted.len() == 1, "{configured}");
    place.later(limits::ANCHOR_FIRST_LOOK);
    assert_eq!(place.on_time(), 1);
    assert_eq!(place.anchors.wait(place.now), Some(limits::ANCHOR_LOOK_LEAST));
    assert_eq!((place.states(), place.trusted()), (configured, trusted));
    // The network comes, the disk does not: it is followed in memory.
    place.says_keys();
    place.later(limits::ANCHOR_LOOK_LEAST);
    assert_eq!(place.on_time(), 1);
    assert!(place.states().contains(" addpend"));
    // And when the disk comes, it is written.
    fs::remove_file(place.home.folder.join("state")).unwrap();
    place.later(DAY);
    assert_eq!(place.on_time(), 1);
    assert!(fs::read_to_string(place.file()).unwrap().starts_with("namu-trust-anchors 1\n"));
}

#[test]
fn what_is_damaged_or_newer_is_not_believed_and_written_anew() {
    for damage in ["", "namu-trust-anchors 2\nend\n", "namu-trust-anchors 1\nkey\nend\n", "\u{0}"] {
        let mut place = Place::new();
        fs::create_dir_all(place.home.folder.join("state")).unwrap();
        fs::write(place.file(), damage).unwrap();
        place.restart();
        assert_eq!(place.trusted().len(), 1, "{damage}");
        place.later(limits::ANCHOR_FIRST_LOOK);
        assert_eq!(place.on_time(), 1);
        let written = fs::read_to_string(place.file()).unwrap();
        assert!(written.contains("addpend") && written.ends_with("end\n"), "{written}");
    }
}

#[test]
fn a_reload_takes_up_other_anchors_and_lets_go_of_what_it_does_not_follow() {
    let mut place = Place::new();
    place.later(limits::ANCHOR_FIRST_LOOK);
    place.on_time();
    place.configure("negative-trust-anchors: [legacy.example]");
    assert!(place.states().contains(" addpend"), "what is known stays known");
    assert_eq!(place.anchors.store.current().negative().len(), 1);
    place.configure("trust-anchor-tracking: false");
    assert!(place.states().ends_with(" configured"));
    assert_eq!(place.anchors.wait(place.now), None);
    place.configure("");
    assert!(place.states().contains(" addpend"), "the file still knows it");
    place.configure("validation: none");
    assert_eq!((place.states(), place.trusted()), (String::new(), vec![]));
    place.configure("");
    fs::write(place.home.folder.join("keys"), ". DS 1 8 99 020207\n").unwrap();
    let other = anchors::read(&place.config("")).unwrap();
    assert!(place.anchors.differ_from(&other));
    place.configure("");
    assert!(!place.anchors.differ_from(&other));
    assert_eq!((place.states(), place.trusted()), (".1 configured".into(), vec![1]));
}

#[test]
fn negative_anchors_end_once_and_the_house_wakes_for_it() {
    let mut place = Place::new();
    let day =
        |days: u64| crate::dns::SignatureTime((NOW.seconds() + days * DAY.as_secs()) as u32).to_string();
    let until = |days| format!("{}-{}-{}", &day(days)[..4], &day(days)[4..6], &day(days)[6..8]);
    let negative = format!("negative-trust-anchors: [a.test until {}, b.test]", until(3));
    place.configure(&format!("{negative}, trust-anchor-tracking: false"));
    assert!(place.anchors.ended(place.now.unix).is_empty());
    assert_eq!(place.anchors.wait(place.now), Some(limits::ANCHOR_LOOK_LEAST), "the wall clock may be set");
    place.later(2 * DAY);
    assert!(place.anchors.ended(place.now.unix).is_empty());
    let wait = std::iter::from_fn(|| {
        let wait = place.anchors.wait(place.now)?;
        place.later(wait);
        Some(wait)
    });
    assert!(wait.take(100).sum::<Duration>() <= DAY);
    assert_eq!(place.anchors.ended(place.now.unix), ["a.test.".parse::<Name>().unwrap()]);
    assert!(place.anchors.ended(place.now.unix).is_empty(), "once");
    assert_eq!(place.anchors.wait(place.now), None);
}

#[test]
fn anchors_are_read_from_a_file_with_its_mistakes() {
    let place = Place::new();
    let read = |text: &str| {
        fs::write(place.home.folder.join("keys"), text).unwrap();
        anchors::read(&place.config(""))
    };
    let good = read(
        "; two for the root\n. 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n\
         . DNSKEY 257 3 13 AAAA\n$ORIGIN example.\nisland DS 1 8 99 AA\n",
    );
    let good = good.unwrap();
    let counts: Vec<_> = good.anchors().iter().map(|anchor| (anchor.ds.len(), anchor.keys.len())).collect();
    assert_eq!(counts, [(1, 1), (1, 0)]);
    for (text, want) in [
        (". DS 1 8 2 AA\n", ":1:6: the digest has 1 octets, but its algorithm makes 32"),
        ("\n. DNSKEY 385 3 8 AAAA\n", ":2:1: this key is revoked; write the one that came after it"),
        (". DNSKEY 1 3 8 AAAA\n", ":1:1: this is no key of a zone; write one with the flags 257 or 256"),
        (". NS a.test.\n", ":1:1: NS records are no trust anchors; write DS or DNSKEY records"),
        (". DS 1 8 2 XX\n", ":1:"),
        ("; nothing\n", ": no DS and no DNSKEY record; write trust anchors there"),
    ] {
        let errors = read(text).unwrap_err();
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains(want), "{text}\n{said:?}");
    }
    fs::remove_file(place.home.folder.join("keys")).unwrap();
    assert_eq!(anchors::read(&place.config("")).unwrap_err().len(), 1);
    let builtin = Config::default();
    assert_eq!(anchors::read(&builtin), Ok(TrustAnchors::builtin()));
}

#[test]
fn options_of_the_file_are_options_of_the_validator() {
    let options = |text: &str| {
        let config = Config::parse("c", format!("resolver: {{{text}}}").into());
        anchors::options(&config.unwrap_or_else(|errors| panic!("{errors:?}")))
    };
    assert_eq!(options(""), Default::default());
    assert_eq!(options("validation: none").mode, Mode::None);
    assert_eq!(options("trust-anchors: none").mode, Mode::None);
    assert_eq!(options("validation: log").mode, Mode::Log);
    assert!(options("dnssec-sha1: validate").accepted.sha1 && !options("aggressive-nsec: false").aggressive);
    assert!(!options("trust-anchor-signaling: false").signaling);
}
