//! Replies that are not the server's own, and servers that do not repeat what they were asked (RFC 5452).

use super::*;

/// The name in lower case, as a server repeats it that does not keep the letter case.
fn lowered(seen: &Seen) -> Seen {
    let mut lowered = seen.question.clone();
    lowered.name = name(&seen.question.name.to_string().to_lowercase());
    Seen { question: lowered, ..*seen }
}

fn answer(seen: &Seen) -> Vec<u8> {
    seen.reply("aa", &format!("{} A 192.0.2.80", seen.question.name), "", "")
}

fn forged(seen: &Seen) -> Vec<u8> {
    seen.reply("aa", &format!("{} A 192.0.2.66", seen.question.name), "", "")
}

#[test]
fn the_letter_case_of_a_name_is_drawn_anew_for_each_question_and_not_shown() {
    static CASES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        CASES.lock().unwrap().push(seen.question.name.to_string());
        vec![(10, answer(seen))]
    });
    for at in 0..50 {
        let asked = format!("a-rather-long-name{at}.example.");
        assert_eq!(lab.ask(&format!("{asked} A")), format!("NOERROR {asked} A 192.0.2.80"));
    }
    let cases = CASES.lock().unwrap();
    let letters = |is: fn(&char) -> bool| cases.iter().flat_map(|case| case.chars()).filter(is).count();
    let (upper, lower) = (letters(char::is_ascii_uppercase), letters(char::is_ascii_lowercase));
    // 1100 letters: a hundred off the middle is six standard deviations.
    assert!(upper.abs_diff(lower) < 200, "{upper} and {lower}");
    let mut patterns: Vec<_> = cases.iter().map(|case| &case[..18]).collect();
    patterns.sort();
    patterns.dedup();
    assert!(patterns.len() >= 45, "{}", patterns.len());
}

#[test]
fn letter_case_is_left_alone_when_told_so() {
    let options = ResolverOptions { case_randomization: false, priming: false, ..ResolverOptions::default() };
    let lab = Lab::with(options, &[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        assert_eq!(seen.question.name.to_string(), "Mixed.example.");
        vec![(10, answer(&lowered(seen)))]
    });
    assert_eq!(lab.ask("Mixed.example. A"), "NOERROR mixed.example. A 192.0.2.80");
    assert_eq!(lab.sent().len(), 2);
}

#[test]
fn a_server_that_changes_the_case_is_asked_over_a_stream_and_remembered() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| match seen.stream {
        true => vec![(10, answer(seen))],
        false => vec![(10, answer(&lowered(seen)))],
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    assert_eq!(lab.sent()[1..], ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp"]);
    assert_eq!(lab.ask("b.example. A"), "NOERROR b.example. A 192.0.2.80");
    assert_eq!(lab.sent(), ["192.0.2.2 b.example. A"]);
}

#[test]
fn a_server_that_changes_the_case_and_has_no_streams_is_asked_in_plain_and_remembered() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| match seen.stream {
        true => vec![],
        false => vec![(10, answer(&lowered(seen)))],
    });
    assert_eq!(lab.ask("a.example. A"), FOUND);
    let want = ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp", "192.0.2.2 a.example. A"];
    assert_eq!(lab.sent()[1..], want);
    assert_eq!(lab.ask("b.example. A"), "NOERROR b.example. A 192.0.2.80");
    assert_eq!(lab.sent(), ["192.0.2.2 b.example. A"]);
}

#[test]
fn a_forger_who_does_not_know_the_case_does_not_make_us_forget_it() {
    static CASES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        CASES.lock().unwrap().push(seen.question.name.to_string());
        match (seen.stream, seen.question.name == name("a-rather-long-name.example.")) {
            // He has guessed port and id, but not the case.
            (false, true) => vec![(1, with_other_id(forged(&lowered(seen)))), (50, answer(seen))],
            _ => vec![(10, answer(seen))],
        }
    });
    assert_eq!(lab.ask("a-rather-long-name.example. A"), "NOERROR a-rather-long-name.example. A 192.0.2.80");
    lab.ask("another-long-name.example. A");
    let cases = CASES.lock().unwrap();
    assert!(cases.last().unwrap().chars().any(|letter| letter.is_ascii_uppercase()), "{cases:?}");
}

#[test]
fn each_kind_of_wrong_reply_leaves_the_true_answer() {
    type Forge = fn(&Seen) -> Vec<u8>;
    let kinds: [(&str, Forge, usize); 8] = [
        ("another id", |seen| with_other_id(forged(seen)), 1),
        ("another question", |seen| forged(&Seen { question: question("b.example. A"), ..*seen }), 1),
        ("another type", |seen| forged(&Seen { question: question("a.example. AAAA"), ..*seen }), 1),
        ("another case", |seen| forged(&flipped(seen)), 1),
        ("another opcode", |seen| with(forged(seen), 2, 0x28), 0),
        ("a query", |seen| with(forged(seen), 2, 0), 0),
        ("FORMERR without question", |seen| with(seen.reply("formerr", "", "", ""), 5, 0)[..12].to_vec(), 0),
        ("no message", |_| vec![7; 11], 0),
    ];
    for (what, forge, streams) in kinds {
        for has_stream in [true, false] {
            let lab = Lab::new(&[], &[]);
            lab.world.host("192.0.2.2", move |seen: &Seen| match (seen.stream, has_stream) {
                (true, true) => vec![(10, answer(seen))],
                (true, false) => vec![],
                (false, _) => vec![(1, forge(seen)), (50, answer(seen))],
            });
            // In another case alone, the server is the likelier cause, and plain is what is left without a stream.
            let is_case = what == "another case";
            let want = if is_case && !has_stream { "NOERROR" } else { FOUND };
            assert!(lab.ask("a.example. A").starts_with(want), "{what}");
            let sent = lab.sent();
            let tcp = sent.iter().filter(|sent| sent.ends_with("tcp")).count();
            assert_eq!(tcp, streams, "{what}: {sent:?}");
            lab.ask("b.example. A");
            assert!(!lab.sent()[0].ends_with("plain"), "{what}: EDNS is not forgotten");
        }
    }
}

fn flipped(seen: &Seen) -> Seen {
    let flip = |letter: char| match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    };
    let mut question = seen.question.clone();
    question.name = name(&question.name.to_string().chars().map(flip).collect::<String>());
    Seen { question, ..*seen }
}

fn with(mut octets: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    octets[at] = value;
    octets
}

#[test]
fn replies_that_are_late_or_doubled_change_nothing() {
    let lab = Lab::new(&[], &[]);
    lab.world
        .host("192.0.2.2", |seen: &Seen| vec![(10, answer(seen)), (11, forged(seen)), (4000, forged(seen))]);
    assert_eq!(lab.ask("a.example. A"), FOUND);
    lab.later(10);
    assert_eq!(lab.ask("a.example. A"), FOUND);
}

#[test]
fn a_reply_of_many_pointers_is_malformed_and_no_more() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let mut octets = seen.reply("aa", "", "", "");
        octets.truncate(12 + seen.question.name.octets().len() + 4);
        let records = 1000u16;
        octets[6..8].copy_from_slice(&records.to_be_bytes());
        octets[10..12].copy_from_slice(&[0, 0]);
        for _ in 0..records {
            // Each owner points at the owner before.
            let before = octets.len().saturating_sub(12).max(12) as u16;
            octets.extend((0xc000 | before).to_be_bytes());
            octets.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 0]);
        }
        vec![(10, octets)]
    });
    let want = "SERVFAIL 22 no name server of example. gave a usable answer: 192.0.2.2 malformed reply";
    assert_eq!(lab.ask("a.example. A"), want);
}

#[test]
fn a_server_that_never_repeats_the_question_is_given_up_at_once() {
    let lab = Lab::new(&[], &[]);
    lab.world.host("192.0.2.2", |seen: &Seen| {
        let mut reply = answer(seen);
        let question = 12..12 + seen.question.name.octets().len() + 4;
        reply.drain(question);
        vec![(10, with(reply, 5, 0))]
    });
    let want = "SERVFAIL 22 no name server of example. gave a usable answer: 192.0.2.2 malformed reply";
    assert_eq!(lab.ask("a.example. A"), want);
    assert_eq!(lab.sent()[1..], ["192.0.2.2 a.example. A", "192.0.2.2 a.example. A tcp"]);
}
