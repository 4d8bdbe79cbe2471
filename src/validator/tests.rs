//! Stories of trust anchors that follow their zone, told with a clock that is moved.

use super::tracking::key_tag;
use super::*;
use crate::clock::Unix;
use crate::dns::{Name, NameRef, RrType, Ttl};
use crate::dnssec::{self, DigestType, Dnskey};
use crate::limits;

const DAY: u64 = 86_400;
/// 2026-11-21.
const START: u64 = 1_795_219_200;

/// A key of its own for each number, with the SEP bit.
fn key(number: u8) -> Box<[u8]> {
    [1, 1, 3, 8, number, number, 7].into()
}

fn revoked(number: u8) -> Box<[u8]> {
    [1, 0x81, 3, 8, number, number, 7].into()
}

fn ds(number: u8) -> Vec<u8> {
    let key = key(number);
    let digest = dnssec::digest(NameRef::ROOT, &Dnskey::parse(&key).unwrap(), DigestType::SHA256).unwrap();
    [&key_tag(&key).to_be_bytes()[..], &[8, 2], &digest].concat()
}

/// A zone, its trust anchors, and a clock in days.
struct Story {
    tracking: Tracking,
    apex: Name,
}

impl Story {
    fn with(anchors: &TrustAnchors) -> Story {
        Story { tracking: Tracking::new(anchors, at(0)), apex: Name::root() }
    }

    /// Configured by the DS records of these keys.
    fn of(numbers: &[u8]) -> Story {
        Story::with(&configured(numbers))
    }

    /// A look that finds these keys and those that revoke themselves; what changed, and which keys are trusted then.
    fn look(&mut self, day: u64, there: &[u8], gone: &[u8]) -> (String, String) {
        let keys = there.iter().copied().map(key).chain(gone.iter().copied().map(revoked)).collect();
        let ttl = Ttl::saturating(2 * DAY);
        let validated = Some(ValidatedKeys { keys, signers: vec![], ttl, expires: at(day + 10) });
        let look = Look { validated, revoked: gone.iter().copied().map(revoked).collect() };
        self.take(day, &look)
    }

    fn take(&mut self, day: u64, look: &Look) -> (String, String) {
        let changes = self.tracking.take(&self.apex, look, at(day));
        let word = |state: Option<KeyState>| state.map_or("start", KeyState::word);
        let tell = |change: &Change| {
            format!("{} {}->{}", number(change.key_tag), word(change.before), word(change.after))
        };
        (changes.iter().map(tell).collect::<Vec<_>>().join(", "), self.trusted())
    }

    fn trusted(&self) -> String {
        let anchors = self.tracking.anchors();
        let Some(anchor) = anchors.anchors().first() else { return "nothing".into() };
        let numbers: Vec<String> = anchor.key_tags().map(|tag| number(tag).to_string()).collect();
        numbers.join(" ")
    }

    /// What a restart makes of it.
    fn restart(&mut self, anchors: &TrustAnchors, day: u64) -> Vec<Name> {
        let saved = Tracking::read(&self.tracking.text()).unwrap();
        let (tracking, dropped) = Tracking::resume(saved, anchors, at(day));
        self.tracking = tracking;
        dropped
    }
}

fn at(day: u64) -> Unix {
    Unix::of_seconds(START + day * DAY)
}

fn number(tag: u16) -> u8 {
    (0..=255).find(|number| key_tag(&key(*number)) == tag).expect("keys have different tags")
}

fn configured(numbers: &[u8]) -> TrustAnchors {
    let mut anchors = TrustAnchors::none();
    for number in numbers {
        anchors.insert(NameRef::ROOT, RrType::DS, &ds(*number)).unwrap();
    }
    anchors
}

fn told(changes: &str, trusted: &str) -> (String, String) {
    (changes.into(), trusted.into())
}

#[test]
fn a_rollover_from_beginning_to_end() {
    let mut story = Story::of(&[1]);
    assert_eq!(story.trusted(), "1");
    assert_eq!(story.look(0, &[1, 100], &[]), told("1 start->valid, 100 start->addpend", "1"));
    for day in [1, 15, 29] {
        assert_eq!(story.look(day, &[1, 100], &[]), told("", "1"), "{day}");
        assert!(story.restart(&configured(&[1]), day).is_empty());
    }
    assert_eq!(story.look(30, &[1, 100], &[]), told("100 addpend->valid", "1 100"));
    assert_eq!(story.look(40, &[100], &[]), told("1 valid->missing", "1 100"));
    assert_eq!(story.look(41, &[1, 100], &[]), told("1 missing->valid", "1 100"));
    assert_eq!(story.look(50, &[100], &[1]), told("1 valid->revoked", "100"));
    assert!(story.restart(&configured(&[1]), 50).is_empty());
    assert_eq!(story.trusted(), "100", "the digest that is configured is that of the revoked key");
    assert_eq!(story.look(60, &[100, 1], &[]), told("", "100"), "nothing makes a revoked key good again");
    assert_eq!(story.look(79, &[100], &[]), told("", "100"));
    assert_eq!(story.look(80, &[100], &[]), told("1 revoked->removed", "100"));
    assert_eq!(story.look(90, &[100, 1], &[]), told("", "100"));
}

#[test]
fn a_pending_key_that_is_gone_once_begins_anew() {
    let mut story = Story::of(&[1]);
    story.look(0, &[1, 66], &[]);
    assert_eq!(story.look(20, &[1], &[]), told("66 addpend->start", "1"));
    assert_eq!(story.look(21, &[1, 66], &[]), told("66 start->addpend", "1"));
    assert_eq!(story.look(50, &[1, 66], &[]), told("", "1"));
    assert_eq!(story.look(51, &[1, 66], &[]), told("66 addpend->valid", "1 66"));

    // Gone at the first look after its time: not trusted either, and seen later it begins anew.
    let mut story = Story::of(&[1]);
    story.look(0, &[1, 66], &[]);
    assert_eq!(story.look(31, &[1], &[]), told("66 addpend->start", "1"));
    assert_eq!(story.look(32, &[1, 66], &[]), told("66 start->addpend", "1"));
}

#[test]
fn a_zone_without_any_configured_key_is_known_as_rolled_over() {
    let mut story = Story::of(&[1, 2]);
    let rolled_over = |story: &Story| {
        let numbers = |tags: Vec<u16>| tags.into_iter().map(number).collect::<Vec<_>>();
        story.tracking.rolled_over().map(|(_, tags)| numbers(tags)).next()
    };
    assert_eq!(rolled_over(&story), None, "nothing is known yet");
    story.look(0, &[1, 66, 67], &[]);
    story.look(30, &[1, 66], &[]);
    assert_eq!(rolled_over(&story), None, "one that is configured is there");
    story.look(31, &[66], &[]);
    assert_eq!(rolled_over(&story), Some(vec![66]), "missing");
    story.look(32, &[1, 66], &[]);
    assert_eq!(rolled_over(&story), None);
    story.look(33, &[66, 68], &[1]);
    assert_eq!(rolled_over(&story), Some(vec![66]), "revoked");
    story.restart(&configured(&[66]), 34);
    assert_eq!(rolled_over(&story), None, "configured now");
}

#[test]
fn time_alone_makes_no_key_trusted() {
    let mut story = Story::of(&[1]);
    story.look(0, &[1, 66], &[]);
    // The clock runs far ahead, and all looks fail.
    assert_eq!(story.take(4000, &Look::default()), told("", "1"));
    assert!(story.restart(&configured(&[1]), 4000).is_empty());
    assert_eq!(story.trusted(), "1");
    // And is set back to before the key was seen first: its time begins anew.
    let mut back = Story { tracking: story.tracking.clone(), apex: Name::root() };
    back.tracking.points[0].keys[1].since = START + 50 * DAY;
    assert_eq!(back.look(49, &[1, 66], &[]), told("", "1"));
    assert_eq!(back.look(78, &[1, 66], &[]), told("", "1"));
    assert_eq!(back.look(79, &[1, 66], &[]), told("66 addpend->valid", "1 66"));
}

#[test]
fn a_long_ttl_makes_the_hold_down_longer() {
    let mut story = Story::of(&[1]);
    let look = |day: u64| {
        let ttl = Ttl::saturating(40 * DAY);
        let keys = ValidatedKeys { keys: vec![key(1), key(66)], signers: vec![], ttl, expires: at(day + 90) };
        Look { validated: Some(keys), revoked: Vec::new() }
    };
    story.take(0, &look(0));
    assert_eq!(story.take(39, &look(39)), told("", "1"));
    assert_eq!(story.take(40, &look(40)), told("66 addpend->valid", "1 66"));
}

#[test]
fn a_key_revokes_itself_whatever_else_is_wrong() {
    let alone =
        |numbers: &[u8]| Look { validated: None, revoked: numbers.iter().copied().map(revoked).collect() };
    let mut story = Story::of(&[1, 2]);
    assert_eq!(
        story.take(0, &alone(&[2, 77])),
        told("2 start->revoked", "1"),
        "never seen before, or unknown"
    );
    story.look(1, &[1, 66], &[]);
    assert_eq!(story.take(2, &alone(&[66])), told("66 addpend->revoked", "1"));
    assert_eq!(story.look(40, &[1, 66], &[]), told("2 revoked->removed, 66 revoked->removed", "1"));
    // A key that only looks like one that revokes itself is as good as not there.
    let keys = ValidatedKeys { keys: vec![revoked(1)], signers: vec![], ttl: Ttl::ZERO, expires: at(50) };
    let unsigned = Look { validated: Some(keys), revoked: vec![key(1)] };
    assert_eq!(story.take(41, &unsigned), told("1 valid->missing", "1"));
}

#[test]
fn a_zone_whose_trust_anchors_are_all_revoked_is_as_if_it_had_none() {
    let mut story = Story::of(&[1]);
    assert_eq!(story.look(0, &[1, 66], &[]).1, "1");
    assert_eq!(story.look(1, &[66], &[1]), told("1 valid->revoked", "nothing"));
    assert!(story.tracking.anchors().is_empty());
    assert_eq!(story.tracking.wait(at(5000)), None, "nobody looks there any more");
    assert_eq!(story.tracking.due(at(5000)).count(), 0);
    assert!(story.restart(&configured(&[1]), 2).is_empty());
    assert_eq!(story.trusted(), "nothing", "over a restart too");
    assert_eq!(story.tracking.wait(at(5000)), None);
    // Until the operator says otherwise, though not of that key. RFC 5011 4.2: "Once in this state, this key MUST permanently
    // be considered invalid as a trust anchor."
    assert_eq!(story.restart(&configured(&[1, 2]), 3), [Name::root()]);
    assert_eq!(story.trusted(), "2");
    assert_eq!(story.look(4, &[1, 2], &[]), told("2 start->valid", "2"));
    assert_eq!(story.restart(&configured(&[1, 3]), 5), [Name::root()]);
    assert_eq!(story.trusted(), "3");
}

#[test]
fn the_time_of_a_key_ends_when_all_that_vouched_for_it_are_revoked() {
    let look = |there: &[u8], gone: &[u8], signers: &[u8]| {
        let keys = |numbers: &[u8]| numbers.iter().copied().map(key).collect::<Vec<_>>();
        let gone: Vec<_> = gone.iter().copied().map(revoked).collect();
        let (keys, signers) = ([keys(there), gone.clone()].concat(), keys(signers));
        let validated = ValidatedKeys { keys, signers, ttl: Ttl::saturating(2 * DAY), expires: at(900) };
        Look { validated: Some(validated), revoked: gone }
    };
    let mut story = Story::of(&[1, 2, 3]);
    // A key that is not trusted vouches for nobody.
    let changes = story.take(0, &look(&[1, 2, 3, 66], &[], &[1, 2, 66])).0;
    assert_eq!(changes, "1 start->valid, 2 start->valid, 3 start->valid, 66 start->addpend");
    assert!(story.tracking.text().contains(" by 3082,3339 "), "{}", story.tracking.text());
    assert!(story.restart(&configured(&[1, 2, 3]), 1).is_empty());
    // One of two is revoked: the other still vouches for it.
    assert_eq!(story.take(10, &look(&[2, 3, 66], &[1], &[2, 3])), told("1 valid->revoked", "2 3"));
    // Both are: it begins anew, by the one that is left.
    let want = told("2 valid->revoked, 66 addpend->start, 66 start->addpend", "3");
    assert_eq!(story.take(20, &look(&[3, 66], &[1, 2], &[3])), want);
    assert_eq!(story.take(49, &look(&[3, 66], &[], &[3])), told("1 revoked->removed", "3"));
    let want = told("2 revoked->removed, 66 addpend->valid", "3 66");
    assert_eq!(story.take(50, &look(&[3, 66], &[], &[3])), want);
    // Who has stolen a key makes another with its tag: that is no reason to believe it longer.
    let twin = (0..=u16::MAX).find_map(|number| {
        let [high, low] = number.to_be_bytes();
        let rdata: Box<[u8]> = [1, 1, 3, 8, high, low, 9].into();
        (key_tag(&rdata) == key_tag(&key(1))).then_some(rdata)
    });
    let twin = twin.unwrap();
    let mut story = Story::of(&[1, 2]);
    let mut with_twin = look(&[1, 2], &[], &[1]);
    with_twin.validated.as_mut().unwrap().keys.push(twin);
    story.take(0, &with_twin);
    let revoking = story.take(1, &Look { validated: None, revoked: vec![revoked(1)] }).0;
    assert_eq!(revoking, "1 valid->revoked, 1 addpend->start");
    // A revocation that comes alone ends it too.
    let mut story = Story::of(&[1, 2]);
    story.take(0, &look(&[1, 2, 66], &[], &[1]));
    let alone = Look { validated: None, revoked: vec![revoked(1)] };
    assert_eq!(story.take(1, &alone), told("1 valid->revoked, 66 addpend->start", "2"));
}

#[test]
fn configured_keys_are_good_at_once_and_others_need_the_sep_bit() {
    let mut anchors = TrustAnchors::none();
    let mut own = key(1);
    own[1] = 0;
    anchors.insert(NameRef::ROOT, RrType::DNSKEY, &own).unwrap();
    let mut story = Story::with(&anchors);
    let mut zone_signing = key(2);
    zone_signing[1] = 0;
    let mut other_protocol = key(3);
    other_protocol[2] = 4;
    let mut long = key(4).to_vec();
    long.resize(limits::TRUST_ANCHOR_OCTETS + 1, 0);
    let keys = vec![own.clone(), zone_signing, other_protocol, long.into(), [].into(), [1, 1, 3, 8].into()];
    let look = Look {
        validated: Some(ValidatedKeys { keys, signers: vec![], ttl: Ttl::ZERO, expires: at(9) }),
        revoked: vec![[].into(), [1].into(), [1, 0x81].into()],
    };
    let changes = story.tracking.take(&story.apex, &look, at(0));
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].key_tag, changes[0].after), (key_tag(&own), Some(KeyState::Valid)));
    assert_eq!(story.tracking.anchors(), anchors);
    let elsewhere = "example.".parse().unwrap();
    assert!(story.tracking.take(&elsewhere, &look, at(0)).is_empty());
}

#[test]
fn no_more_keys_are_followed_than_there_is_room_for() {
    let most = limits::TRACKED_KEYS as u8;
    let mut story = Story::of(&[1]);
    let all: Vec<u8> = (1..=most + 2).collect();
    story.look(0, &all, &[]);
    assert_eq!(story.tracking.keys().count(), usize::from(most) + 1, "the configured one and those");
    assert_eq!(story.look(1, &all, &[]), told("", "1"));
    // A key that is long revoked makes room, a configured one does not.
    let without: Vec<u8> = (3..=most + 1).collect();
    story.look(2, &without, &[1, 2]);
    story.look(32, &without, &[]);
    let with_new: Vec<u8> = (3..=most + 2).collect();
    assert_eq!(story.look(33, &with_new, &[]).0, format!("{} start->addpend, 2 removed->start", most + 2));
    assert!(story.tracking.keys().any(|(_, tag, state)| number(tag) == 1 && state == KeyState::Removed));
}

#[test]
fn the_next_look_follows_the_ttl_and_the_signatures() {
    const HOUR: u64 = 3600;
    for (ttl, signed_for, next, retry) in [
        (2 * DAY, 10 * DAY, DAY, 17_280),
        (10 * DAY, 2 * DAY, DAY, 17_280),
        (60, 10 * DAY, HOUR, HOUR),
        (2 * DAY, 0, HOUR, HOUR),
        (90 * DAY, 90 * DAY, 15 * DAY, DAY),
    ] {
        let mut tracking = Tracking::new(&configured(&[1]), at(0));
        assert_eq!(tracking.due(at(0)).count(), 1);
        let expires = Unix::of_seconds(START + signed_for);
        let keys = ValidatedKeys { keys: vec![key(1)], signers: vec![], ttl: Ttl::saturating(ttl), expires };
        let look = Look { validated: Some(keys), revoked: Vec::new() };
        tracking.take(&Name::root(), &look, at(0));
        assert_eq!(tracking.wait(at(0)).unwrap().as_secs(), next, "{ttl} {signed_for}");
        assert_eq!(tracking.due(Unix::of_seconds(START + next - 1)).count(), 0);
        assert_eq!(tracking.due(Unix::of_seconds(START + next)).count(), 1);
        tracking.take(&Name::root(), &Look::default(), at(100));
        assert_eq!(tracking.wait(at(100)).unwrap().as_secs(), retry, "{ttl} {signed_for}");
        assert!(tracking.wait(at(0)).unwrap().is_zero(), "a clock that was set back keeps nobody waiting");
    }
}

#[test]
fn what_is_configured_counts() {
    let mut both = configured(&[1]);
    both.insert("island.".parse::<Name>().unwrap().as_ref(), RrType::DS, &ds(5)).unwrap();
    let mut story = Story::with(&both);
    story.look(0, &[1, 66], &[]);
    story.look(30, &[1, 66], &[]);
    assert_eq!(story.trusted(), "1 66");
    // The island is not configured any more; the root goes on.
    assert_eq!(story.restart(&configured(&[1]), 30), ["island.".parse::<Name>().unwrap()]);
    assert_eq!(story.trusted(), "1 66");
    // The order of records does not matter, another record does.
    assert_eq!(story.restart(&configured(&[2, 1]), 30), [Name::root()]);
    assert_eq!(story.trusted(), "2 1");
    assert!(story.restart(&configured(&[1, 2]), 30).is_empty());
}

#[test]
fn the_text_of_the_state_is_a_contract() {
    let mut story = Story::of(&[1, 2]);
    story.look(0, &[1, 2, 66], &[]);
    story.look(30, &[66, 67], &[1]);
    assert_eq!(story.tracking.text(), GOLDEN);
    assert_eq!(Tracking::read(GOLDEN), Ok(story.tracking.clone()));
    story.tracking.points[0].next = tracking::NEVER;
    assert_eq!(Tracking::read(&story.tracking.text()), Ok(story.tracking));
    let none = Tracking::default();
    assert_eq!(Tracking::read(&none.text()), Ok(none));
}

const GOLDEN: &str = "\
namu-trust-anchors 1
point . next 1797897600 window 172800
configured ds 0c0a0802fb0d39ec33ff27bee1702c7ea520b08a6571e00a0222efc3f8501be0cabb5fbe
configured ds 0d0b0802f807b83ee8038aa27b7f2c071e5161cfa73f1e2d4955d6c7868ad7f5d504518b
key 3082 revoked since 1797811200 01010308010107
key 3339 missing since 1797811200 01010308020207
key 19787 valid since 1797811200 01010308424207
key 20044 addpend since 1797811200 until 1800403200 01010308434307
end
";

#[test]
fn a_damaged_text_is_not_taken_in_part() {
    let mut story = Story::of(&[1]);
    story.look(0, &[1, 66], &[]);
    let text = story.tracking.text();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(Tracking::read(&text[..end]).is_err(), "cut at {end}");
    }
    assert!(matches!(Tracking::read(&format!("{text}\n")), Err(Damage::Line(_))));
    assert_eq!(Tracking::read(&text.replace("anchors 1", "anchors 2")), Err(Damage::Newer(2)));
    for (from, to, line) in [
        ("namu", "Namu", 1),
        ("anchors 1", "anchors 0", 1),
        ("point .", "point ..", 2),
        ("next ", "next x", 2),
        ("configured ds ", "configured ds 0", 3),
        ("configured ds ", "configured xx ", 3),
        ("valid", "start", 4),
        ("valid", "addpend", 4),
        ("0101030801", "0101030802", 4),
        ("until", "till", 5),
        ("0101030842", "by 0101030842", 5),
        ("0101030842", "by 1,x 0101030842", 5),
        ("valid since", "valid by 1 since", 4),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(Tracking::read(&text.replacen(from, to, 1)), Err(Damage::Line(line)), "{from}");
    }
    let point = text.lines().nth(1).unwrap();
    let keys = text.lines().nth(3).unwrap();
    for (repeated, times) in [
        (point, 1),
        (keys, limits::ANCHORS_PER_POINT + limits::TRACKED_KEYS),
        ("configured ds 00", limits::ANCHORS_PER_POINT),
    ] {
        let more = format!("{repeated}\n").repeat(times);
        let text = text.replace("end\n", &format!("{more}end\n"));
        assert!(matches!(Tracking::read(&text), Err(Damage::Line(_))), "{repeated}");
    }
    // A key is not in two states, and none that revokes itself is known as such.
    let lines: Vec<&str> = text.lines().collect();
    let twice = text.replace("end\n", &format!("{}\nend\n", lines[3].replace("valid", "revoked")));
    assert_eq!(Tracking::read(&twice), Err(Damage::Line(6)));
    let tags = [key_tag(&key(1)), key_tag(&revoked(1))].map(|tag| format!("key {tag} "));
    let of_revoked = text.replace(&tags[0], &tags[1]).replace("0101030801", "0181030801");
    assert_eq!(Tracking::read(&of_revoked), Err(Damage::Line(4)));
    // Not more keys vouch for one than are known.
    let vouched = |count: usize| {
        let tags = vec!["3082"; count].join(",");
        Tracking::read(&text.replace(" 0101030842", &format!(" by {tags} 0101030842")))
    };
    assert!(vouched(limits::ANCHORS_PER_POINT + limits::TRACKED_KEYS).is_ok());
    assert!(vouched(limits::ANCHORS_PER_POINT + limits::TRACKED_KEYS + 1).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_read(text in "(namu-trust-anchors 1\n)?([a-z0-9. é]{0,40}\n|point [a-z.]{0,9} next [0-9]{1,22} window 1\n|configured (ds|dnskey) [0-9a-fé]{0,9}\n){0,9}(end\n)?") {
        let _ = Tracking::read(&text);
    }
}
