//! What is made of proofs, told as zone text. Signatures are left out: whether they are good was seen before.

use super::*;
use crate::cache::cache::tests::{cache, name, second};
use crate::cache::{Cache, CachedAnswer, CachedRrset, Chosen, LearntFrom, NewDelegation, Security, Terms};
use crate::dns::{NameBuf, Question};
use crate::dnssec::testing::rrsets;

const SOA: &str = "@ 900 SOA ns h 1 2 3 4 600";
const EXAMPLE: &str = "@ 900 SOA ns h 1 2 3 4 600 | @ NSEC b NS SOA RRSIG NSEC | b NSEC x.ent A RRSIG NSEC \
    | x.ent NSEC sub A RRSIG NSEC | sub NSEC tn NS RRSIG NSEC | tn NSEC *.w DNAME RRSIG NSEC | *.w NSEC z.w TXT RRSIG NSEC \
    | z.w NSEC @ A RRSIG NSEC | *.w 7200 TXT hello";

/// The RRsets of a zone from lines of its text.
fn proven(apex: &str, lines: &str) -> Vec<Proven> {
    let text = format!("$ORIGIN {apex}\n$TTL 3600\n{}\n", lines.replace(" | ", "\n"));
    let of_zone = |rrset| Proven { zone: name(apex), rrset: Arc::new(rrset) };
    rrsets(&text).into_iter().map(of_zone).collect()
}

/// A whole chain of NSEC3 records: names below `example.` and their types.
fn hashed(names: &[(&str, &str)], iterations: u16, flags: u8) -> String {
    let params = Nsec3Params { iterations, salt: [0xab].into() };
    let hash = |of: &str| params.hash(name(&format!("{of}example.")).as_ref());
    let mut chain: Vec<(OwnerHash, &str)> = names.iter().map(|(of, types)| (hash(of), *types)).collect();
    chain.sort();
    let text = |hash: OwnerHash| {
        let owner = hash.owner(NameRef::ROOT, &mut NameBuf::new()).unwrap().to_string();
        owner.trim_end_matches('.').to_owned()
    };
    let line = |at: usize| {
        let (own, next) = (chain[at], chain[(at + 1) % chain.len()]);
        format!(" | {} NSEC3 1 {flags} {iterations} ab {} {}", text(own.0), text(next.0), own.1)
    };
    (0..chain.len()).map(line).collect()
}

fn knowing(zones: &[(&str, &str)]) -> Cache {
    let cache = cache();
    zones.iter().for_each(|(apex, lines)| cache.store_proven(&proven(apex, lines), second(0)));
    cache
}

fn question(asked: &str) -> Question {
    let (owner, rr_type) = asked.split_once(' ').unwrap();
    Question::new(name(owner), rr_type.parse().unwrap())
}

fn made(cache: &Cache, asked: &str, at: u64) -> Option<Arc<CachedAnswer>> {
    cache.synthesise(question(asked).as_ref(), Terms::AT_ONCE, |_| true, second(at))
}

/// In short: what it is, its TTL, and what it has.
fn look(cache: &Cache, asked: &str, at: u64) -> String {
    let Some(made) = made(cache, asked, at) else { return "-".into() };
    let all: Vec<&CachedRrset> = made.answer.iter().chain(&made.authority).collect();
    let ttl = all[0].ttl(second(at));
    assert!(all.iter().all(|cached| cached.ttl(second(at)) == ttl) && made.security == Security::Secure);
    let shown = all.iter().map(|cached| format!(" {} {}", cached.rrset.owner, cached.rrset.rr_type));
    format!("{:?} {ttl}{}", made.kind, shown.collect::<String>()).replace("example.", "~")
}

#[test]
fn what_lies_in_a_span_is_denied_and_what_does_not_is_left_to_the_servers() {
    let cache = knowing(&[("example.", EXAMPLE)]);
    for (asked, want) in [
        // Names, with the wildcard of the closest encloser in the same span or another one.
        ("a.example. A", "NxDomain 600 ~ SOA ~ NSEC"),
        ("A.EXAMPLE. A", "NxDomain 600 ~ SOA ~ NSEC"),
        ("y.a.example. A", "NxDomain 600 ~ SOA ~ NSEC"),
        ("c.example. MX", "NxDomain 600 ~ SOA b.~ NSEC ~ NSEC"),
        ("x.b.example. A", "NxDomain 600 ~ SOA b.~ NSEC"),
        ("y.ent.example. A", "NxDomain 600 ~ SOA x.ent.~ NSEC b.~ NSEC"),
        // The last span leads back to the apex.
        ("zz.example. A", "NxDomain 600 ~ SOA z.w.~ NSEC ~ NSEC"),
        // Types, empty non-terminals, and the DS of a delegation.
        ("b.example. AAAA", "NoData 600 ~ SOA b.~ NSEC"),
        ("example. TXT", "NoData 600 ~ SOA ~ NSEC"),
        ("ent.example. A", "NoData 600 ~ SOA b.~ NSEC"),
        ("sub.example. DS", "NoData 600 ~ SOA sub.~ NSEC"),
        // A wildcard: its data, and types that it has not.
        ("m.w.example. TXT", "Positive 600 m.w.~ TXT *.w.~ NSEC"),
        ("o.m.w.example. TXT", "Positive 600 o.m.w.~ TXT *.w.~ NSEC"),
        ("m.w.example. A", "NoData 600 ~ SOA *.w.~ NSEC"),
        // What is there, what another zone has to say, and what has an alias.
        ("b.example. A", "-"),
        ("z.w.example. A", "-"),
        ("sub.example. A", "-"),
        ("sub.example. NS", "-"),
        ("www.sub.example. A", "-"),
        ("example. DS", "-"),
        ("a.tn.example. A", "-"),
        ("b.example. ANY", "-"),
        ("a.test. A", "-"),
        ("exampl. A", "-"),
    ] {
        assert_eq!(look(&cache, asked, 0), want, "{asked}");
    }
    let cache = knowing(&[("example.", &EXAMPLE.replace("~", ""))]);
    assert_eq!(look(&cache, "a.example. A", 0), "NxDomain 600 ~ SOA ~ NSEC");
}

#[test]
fn hashed_chains_deny_as_well() {
    let names = [
        ("", "NS SOA"),
        ("b.", "A"),
        ("ent.", ""),
        ("x.ent.", "A"),
        ("sub.", "NS"),
        ("*.w.", "TXT"),
        ("w.", ""),
    ];
    let whole = format!("{SOA} | *.w TXT hello{}", hashed(&names, 0, 0));
    let (opt_out, many, more) =
        (whole.replace(" 1 0 0 ab", " 1 1 0 ab"), hashed(&names, 10, 0), hashed(&names, 11, 0));
    let (many, more) = (format!("{SOA}{many}"), format!("{SOA}{more}"));
    for (asked, want) in [
        ("a.example. A", "NxDomain - NxDomain -"),
        ("y.x.a.example. A", "NxDomain - NxDomain -"),
        ("x.b.example. A", "NxDomain - NxDomain -"),
        ("b.example. AAAA", "NoData NoData NoData -"),
        ("ent.example. A", "NoData NoData NoData -"),
        ("sub.example. DS", "NoData NoData NoData -"),
        ("sub.example. A", "- - - -"),
        ("www.sub.example. A", "- - - -"),
        ("b.example. A", "- - - -"),
        ("m.w.example. TXT", "Positive - - -"),
        ("m.w.example. A", "NoData - NoData -"),
    ] {
        let found = [&whole, &opt_out, &many, &more].map(|lines| {
            let look = look(&knowing(&[("example.", lines)]), asked, 0);
            look.split(' ').next().unwrap_or_default().to_owned()
        });
        assert_eq!(found.join(" "), want, "{asked}");
    }
    // More iterations are for those who may take their time, and too many for nobody.
    for (iterations, want) in [(11, true), (50, true), (51, false)] {
        let cache = knowing(&[("example.", &format!("{SOA}{}", hashed(&names, iterations, 0)))]);
        let asked = question("a.example. A");
        let made = cache.synthesise(asked.as_ref(), Terms::IN_FLIGHT, |_| true, second(0));
        assert_eq!(made.is_some(), want, "{iterations}");
    }
}

#[test]
fn hashes_that_are_too_many_for_a_moment_are_not_made() {
    let names = [("", "NS SOA"), ("b.", "A")];
    let cache = knowing(&[("example.", &format!("{SOA}{}", hashed(&names, 10, 0)))]);
    // 11 blocks a name: that of each label, and the wildcard.
    let asked = |labels: usize| format!("{}example. A", "a.".repeat(labels));
    let most = limits::DENIAL_BLOCKS_AT_ONCE / 11 - 2;
    assert!(made(&cache, &asked(most), 0).is_some());
    assert!(made(&cache, &asked(most + 1), 0).is_none());
    let question = question(&asked(most + 1));
    assert!(cache.synthesise(question.as_ref(), Terms::IN_FLIGHT, |_| true, second(0)).is_some());
}

#[test]
fn other_hashes_take_the_place_of_those_there_were() {
    let names = [("", "NS SOA"), ("b.", "A")];
    let cache = knowing(&[("example.", &format!("{SOA}{}", hashed(&names, 0, 0)))]);
    let old = cache.usage().denials;
    cache.store_proven(&proven("example.", &format!("{SOA}{}", hashed(&names, 1, 0))), second(0));
    assert_eq!(cache.usage().denials, old);
    assert!(look(&cache, "b.example. MX", 0).starts_with("NoData"));
    assert!(made(&cache, "a.example. A", 0).is_some());
    cache.store_proven(&proven("example.", &hashed(&names[..1], 0, 0)[3..]), second(0));
    assert_eq!(cache.usage().denials, 2);
    assert!(look(&cache, "b.example. MX", 0).starts_with("NxDomain"), "nobody tells of it any more");
}

#[test]
fn a_proof_ends_with_its_own_ttl_or_that_of_a_denial_of_its_zone() {
    for (lines, ttl) in [
        ("@ 900 SOA ns h 1 2 3 4 600 | @ 3600 NSEC b NS SOA", 600),
        ("@ 500 SOA ns h 1 2 3 4 600 | @ 3600 NSEC b NS SOA", 500),
        ("@ 3600 NSEC b NS SOA | @ 500 SOA ns h 1 2 3 4 600", 500),
        ("@ 900 SOA ns h 1 2 3 4 600 | @ 60 NSEC b NS SOA", 60),
        ("@ 9000 SOA ns h 1 2 3 4 9000 | @ 9000 NSEC b NS SOA", 3600),
    ] {
        let cache = knowing(&[("example.", lines)]);
        for (at, want) in [(0, ttl), (1, ttl - 1), (ttl - 1, 1)] {
            let want = format!("NxDomain {want} ~ SOA ~ NSEC");
            assert_eq!(look(&cache, "a.example. A", at), want, "{lines} at {at}");
        }
        assert!(made(&cache, "a.example. A", ttl).is_none(), "{lines}");
    }
    // An SOA that is known counts for what comes later, too.
    let cache = knowing(&[("example.", SOA)]);
    cache.store_proven(&proven("example.", "@ 3600 NSEC b NS SOA"), second(100));
    assert_eq!(look(&cache, "a.example. A", 599), "NxDomain 1 ~ SOA ~ NSEC");
    assert!(made(&cache, "a.example. A", 600).is_none(), "nothing says how long it holds");
    let ourselves = |at| {
        let asked = question("a.example. A");
        cache.synthesise(asked.as_ref(), Terms::FOR_OURSELVES, |_| true, second(at)).is_some()
    };
    assert!(ourselves(699) && !ourselves(700));
    // What comes again with less left does not make it shorter; what has changed counts at once.
    cache.store_proven(&proven("example.", &format!("{SOA} | @ 30 NSEC b NS SOA")), second(200));
    assert!(made(&cache, "a.example. A", 699).is_some());
    cache.store_proven(&proven("example.", "@ 30 NSEC a NS SOA"), second(300));
    assert!(made(&cache, "a.example. A", 300).is_none());
    cache.store_proven(&proven("example.", "@ 0 NSEC c NS SOA"), second(300));
    assert!(made(&cache, "b.example. A", 300).is_none());
}

#[test]
fn a_zone_speaks_of_no_other() {
    // Parent and child have spans over the same names.
    let parent = format!("{SOA} | @ NSEC sub NS SOA | sub NSEC @ NS DS");
    let child = format!("{SOA} | @ NSEC z NS SOA | z NSEC @ A");
    let cache = knowing(&[("example.", &parent), ("sub.example.", &child)]);
    assert_eq!(look(&cache, "a.sub.example. A", 0), "NxDomain 600 sub.~ SOA sub.~ NSEC");
    assert_eq!(look(&cache, "sub.example. MX", 0), "NoData 600 sub.~ SOA sub.~ NSEC");
    assert_eq!(look(&cache, "a.example. A", 0), "NxDomain 600 ~ SOA ~ NSEC");
    // A child that is known to be there, whatever the parent's chain says.
    let parent = format!("{SOA} | @ NSEC @ NS SOA");
    let cache = knowing(&[("example.", &parent)]);
    assert!(made(&cache, "x.new.example. A", 0).is_some());
    let learnt_from = LearntFrom::ROOT;
    let new = NewDelegation {
        apex: name("new.example."),
        servers: Box::default(),
        ttl: Ttl::saturating(60),
        learnt_from,
    };
    cache.store_delegation(new, second(0)).unwrap();
    for asked in ["new.example. A", "x.new.example. A", "x.new.example. DS"] {
        assert!(made(&cache, asked, 0).is_none(), "{asked}");
        assert!(made(&cache, asked, 60).is_some(), "{asked}");
    }
    assert!(made(&cache, "other.example. A", 0).is_some());
    // Whoever asks has the last word.
    let asked = question("other.example. A");
    assert!(cache.synthesise(asked.as_ref(), Terms::AT_ONCE, |_| false, second(0)).is_none());
}

#[test]
fn what_leads_out_of_a_zone_or_is_not_of_it_is_not_kept() {
    for lines in [
        "@ NSEC b.test. NS SOA",
        "b.test. NSEC c.test. A",
        "b TXT hello",
        "b SOA ns h 1 2 3 4 600",
        "x.0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3to NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
    ] {
        assert_eq!(knowing(&[("example.", lines)]).usage().denials, 0, "{lines}");
    }
    assert_eq!(knowing(&[("example.", EXAMPLE)]).usage().denials, 9);
}

#[test]
fn what_is_flushed_is_not_denied_any_more() {
    for (of, subtree, negative, count, left) in [
        ("a.example.", false, false, 3, "a.sub a.test"),
        ("a.example.", false, true, 3, "a.sub a.test"),
        ("example.", false, false, 3, "a.sub a.test"),
        ("example.", true, true, 5, "a.test"),
        ("x.a.sub.example.", true, false, 2, "a a.test"),
        ("org.", true, false, 0, "a a.sub a.test"),
        ("", false, true, 7, ""),
    ] {
        let parent = format!("{SOA} | @ NSEC sub NS SOA | sub NSEC @ NS DS");
        let lines = format!("{SOA} | @ NSEC @ NS SOA");
        let zones = [("example.", &*parent), ("sub.example.", &*lines), ("test.", &*lines)];
        let cache = knowing(&zones);
        let name = (!of.is_empty()).then(|| name(of));
        let chosen = Chosen { name: name.as_ref().map(Name::as_ref), subtree, negative };
        assert_eq!(cache.flush(chosen), count, "{of}");
        let asked = [("a", "a.example. A"), ("a.sub", "a.sub.example. A"), ("a.test", "a.test. A")];
        let is_denied = |(_, asked): &&(&str, &str)| made(&cache, asked, 0).is_some();
        let found: Vec<_> = asked.iter().filter(is_denied).map(|(word, _)| *word).collect();
        assert_eq!(found.join(" "), left, "{of}");
        assert_eq!(cache.usage().denials, 7 - count as u64);
    }
}

/// Octets counted anew.
fn octets(denials: &Denials) -> (usize, usize) {
    let zones = denials.zones.read().unwrap();
    let of_spans = |zone: &Arc<ZoneSpans>| {
        zone.read(|spans| {
            assert_eq!(spans.octets, spans.kept.values().map(Span::octets).sum::<usize>());
            assert_eq!(spans.queue.len(), spans.kept.len());
        });
        zone.octets()
    };
    let counted = zones.by_apex.values().map(of_spans).sum::<usize>();
    assert_eq!((zones.octets, zones.queue.len()), (counted, zones.by_apex.len()));
    assert_eq!(zones.count, zones.by_apex.values().map(|zone| zone.count()).sum::<usize>());
    (counted, zones.count)
}

#[test]
fn a_zone_that_signs_on_the_fly_has_a_part_and_loses_what_is_not_used() {
    let cache = knowing(&[("example.", &format!("{SOA} | a-used NSEC a-used0 A")), ("test.", EXAMPLE)]);
    let salt = "x".repeat(50);
    let mut most = 0;
    for number in 0..40_000 {
        let line = format!("n{number:05}{salt} NSEC n{number:05}{salt}0 A");
        cache.store_proven(&proven("example.", &line), second(0));
        if number % 1000 == 0 {
            assert!(made(&cache, "a-used.example. MX", 0).is_some(), "{number}");
            most = most.max(octets(cache.denials()).0);
        }
    }
    let least = limits::CACHE_DENIALS_ZONE_OCTETS - 1000;
    assert!((least..limits::CACHE_DENIALS_ZONE_OCTETS + 10_000).contains(&most), "{most}");
    assert!(made(&cache, &format!("n39999{salt}.example. MX"), 0).is_some(), "the newest");
    assert!(made(&cache, &format!("n00001{salt}.example. MX"), 0).is_none(), "an old one nobody used");
    assert!(made(&cache, "a.test. A", 0).is_some(), "another zone");
}

#[test]
fn many_zones_take_no_more_than_all_may() {
    let denials = Denials::new();
    let options = *cache().options();
    let put = |apex: &str, lines: &str| denials.put(&proven(apex, lines), &options, second(0));
    put("used.", SOA);
    for number in 0..limits::CACHE_DENIALS_ZONES + 10 {
        put(&format!("z{number}."), SOA);
        if number % 1000 == 0 {
            denials.nearest(name("www.used.").as_ref()).expect("it is used").note_use([]);
        }
    }
    assert_eq!(octets(&denials).1, limits::CACHE_DENIALS_ZONES);
    assert!(denials.nearest(name("used.").as_ref()).is_some());
    assert!(denials.nearest(name("z0.").as_ref()).is_none());
    let big = "x".repeat(7000);
    let txt = big.as_bytes().chunks(250).map(|part| format!("\"{}\"", std::str::from_utf8(part).unwrap()));
    let txt = txt.collect::<Vec<_>>().join(" ");
    for number in 0..5000 {
        put(&format!("z{number}."), &format!("* TXT {txt}"));
        let (octets, _) = if number % 500 == 499 { octets(&denials) } else { (0, 0) };
        assert!(octets <= limits::CACHE_DENIALS_OCTETS);
    }
    assert!(octets(&denials).0 > limits::CACHE_DENIALS_OCTETS - 20_000);
    assert_eq!(denials.remove_all(|_| true) > 0, octets(&denials) == (0, 0));
}
