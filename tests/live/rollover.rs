//! Trust anchors that follow their zone (RFC 5011), watched from outside: what is trusted, what is kept, and what the
//! operator is told.

use crate::changing_root::{DAY, HOUR, Lab, MINUTE, REVOKE, binary, key, revoked, tag};
use crate::namu::{Namu, eventually, program, run};
use crate::signing_keys::{SigningKey, ZONE_KEY};

/// A lab and a namu that trusts `a` as configured and `b` because it was there for its time; both are there.
fn with_learnt() -> Option<(Lab, Namu)> {
    let mut lab = Lab::with_anchor("a")?;
    lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.assert_secure(&namu);
    lab.look_after(2 * MINUTE);
    namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("a")));
    namu.wait_for(&format!(
        "trust anchor .: key {} is new; it is trusted when it has been there for 30 days",
        tag("b")
    ));
    for _ in 0..2 {
        lab.look_after(10 * DAY);
        assert!(lab.is("b", "addpend"), "{}", lab.state());
        assert!(lab.explain().contains(&format!("trust anchor for key {}\n", tag("a"))), "{}", lab.explain());
    }
    lab.look_after(10 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} has been there for long enough: it is trusted", tag("b")));
    assert!(lab.is("a", "valid") && lab.is("b", "valid"), "{}", lab.state());
    Some((lab, namu))
}

#[test]
fn a_new_key_takes_over_when_its_time_has_come_and_outlives_a_restart() {
    let Some((mut lab, mut namu)) = with_learnt() else { return };
    let both = format!("trust anchors for key {}, {}", tag("a"), tag("b"));
    assert!(lab.explain().contains(&both), "{}", lab.explain());
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is not there any more; it stays trusted", tag("a")));
    let outdated = format!("that {} is trusted stands in state/trust-anchors alone: configure it", tag("b"));
    namu.wait_for(&outdated);
    lab.assert_secure(&namu);
    let (_, stats, _) = run(&lab.folder.path, &["ctl", "stats"]);
    for (name, state) in [("a", "missing"), ("b", "valid")] {
        let line =
            format!("namu_trust_anchor_info{{zone=\".\",key_tag=\"{}\",state=\"{state}\"}} 1", tag(name));
        assert!(stats.contains(&line), "{line} in\n{stats}");
    }
    assert!(namu.stop().success());
    // What is configured would validate nothing any more.
    let mut namu = lab.namu();
    assert!(namu.heard().contains(&outdated), "{}", namu.heard());
    lab.assert_secure(&namu);
    assert!(namu.stop().success());
    std::fs::remove_file(lab.folder.path.join("state/trust-anchors")).unwrap();
    let namu = lab.namu();
    lab.assert_bogus(&namu);
    let text = lab.explain();
    for part in [
        "none of the keys of . is a trust anchor",
        "hint: if . has other keys now, configure them in `trust-anchors`",
    ] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    assert!(namu.stop().success());
}

#[test]
fn a_revoked_key_is_not_trusted_again_whatever_it_signs() {
    let Some((mut lab, mut namu)) = with_learnt() else { return };
    // RFC 5011 2.1: the bit is part of what the tag is made of.
    assert_eq!(revoked("a").key().key_tag(), tag("a").wrapping_add(REVOKE));
    lab.publish(&[&revoked("a"), &key("b")], &[&revoked("a"), &key("b")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} revoked itself: it is not trusted any more", tag("a")));
    assert!(lab.is("a", "revoked") && lab.is("b", "valid"), "{}", lab.state());
    lab.assert_secure(&namu);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    lab.assert_bogus(&namu);
    // And after the time that it is remembered for.
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.look_after(40 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} was revoked long ago", tag("a")));
    lab.assert_secure(&namu);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}

#[test]
fn a_root_that_revokes_its_only_key_is_not_validated_and_that_is_said_loudly() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    lab.assert_secure(&namu);
    lab.publish(&[&revoked("a"), &key("b")], &[&revoked("a"), &key("b")]);
    lab.pass(2 * DAY);
    const DELETED: &str = "all trust anchors of . are revoked: nothing at and below it is validated any more";
    assert!(namu.wait_for(DELETED).contains("configure new ones"));
    let reply = lab.ask(&namu, "www. A +adflag");
    assert!(reply.status == "NOERROR" && !reply.flags.contains(&"ad".to_owned()), "{reply:?}");
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    assert!(namu.heard().contains(DELETED), "{}", namu.heard());
    // RFC 5011 4.2: also when somebody configures it again, beside the one that is good.
    lab.configure_anchors(&["a", "b"]);
    assert_eq!(run(&lab.folder.path, &["ctl", "reload"]).0, 0);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("b")));
    lab.assert_secure(&namu);
    assert!(lab.is("a", "revoked"), "{}", lab.state());
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_was_gone_for_a_while_begins_anew() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("c")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    let (_, first) = lab.state_of("c").unwrap();
    lab.look_after(20 * DAY);
    assert_eq!(lab.state_of("c"), Some(("addpend".into(), first)));
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is forgotten before it was trusted", tag("c")));
    assert_eq!(lab.state_of("c"), None);
    lab.publish(&[&key("a"), &key("c")], &[&key("a")]);
    lab.look_after(2 * DAY);
    let (state, again) = lab.state_of("c").unwrap();
    assert!(state == "addpend" && again >= first + 24 * DAY, "{first} {again}");
    // More than its time since it was seen first, less than its time since it was seen again.
    lab.look_after(20 * DAY);
    assert_eq!(lab.state_of("c"), Some((state, again)));
    // Neither does a restart hurry it, nor the end of its time alone.
    assert!(namu.stop().success());
    let mut namu = lab.namu();
    lab.look_after(9 * DAY);
    assert_eq!(lab.state_of("c"), Some(("addpend".into(), again)));
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("key {} has been there for long enough: it is trusted", tag("c")));
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_only_a_revoked_one_vouched_for_begins_anew() {
    let Some(mut lab) = Lab::with_anchors(&["a", "b"]) else { return };
    lab.publish(&[&key("a"), &key("b"), &key("c")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    let (_, first) = lab.state_of("c").unwrap();
    // RFC 5011 2.2: who has stolen the key `a` may have made `c`.
    lab.publish(&[&revoked("a"), &key("b"), &key("c")], &[&revoked("a"), &key("b")]);
    lab.look_after(20 * DAY);
    namu.wait_for(&format!("key {} is forgotten before it was trusted", tag("c")));
    namu.wait_for(&format!("key {} is new; it is trusted when it has been there for 30 days", tag("c")));
    let (state, again) = lab.state_of("c").unwrap();
    assert!(state == "addpend" && again >= first + 20 * DAY, "{first} {again}");
    lab.look_after(29 * DAY);
    assert_eq!(lab.state_of("c"), Some((state, again)));
    lab.look_after(2 * DAY);
    namu.wait_for(&format!("key {} has been there for long enough: it is trusted", tag("c")));
    assert!(namu.stop().success());
}

#[test]
fn a_key_that_no_trusted_one_vouches_for_is_never_trusted() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a")], &[&key("a")]);
    let mut namu = lab.namu();
    lab.look_after(2 * MINUTE);
    lab.assert_secure(&namu);
    let zone_key = SigningKey::ed25519_of(b"zone", ZONE_KEY);
    for (keys, signer) in [
        // Beside the trusted one, alone, and in place of one that is said to be revoked.
        (&[&key("a"), &key("x")][..], &key("x")),
        (&[&key("x")], &key("x")),
        (&[&revoked("a"), &key("x")], &key("x")),
        // RFC 5011 2: the key of the data vouches for no keys, though the trusted one has vouched for it.
        (&[&key("a"), &key("x")], &zone_key),
    ] {
        lab.publish(keys, &[signer]);
        for _ in 0..2 {
            lab.look_after(40 * DAY);
            lab.assert_bogus(&namu);
            assert!(lab.is("a", "valid") && lab.state_of("x").is_none(), "{}", lab.state());
        }
    }
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(2 * DAY);
    lab.assert_secure(&namu);
    namu.wait_for("trust anchor .: the keys of the zone are seen again");
    const UNTRUSTED: &str = "trust anchor .: the keys of the zone are signed by none that is trusted here";
    assert_eq!(namu.heard().matches(UNTRUSTED).count(), 1, "{}", namu.heard());
    assert!(namu.stop().success());
}

#[test]
fn a_start_without_a_network_serves_and_looks_when_there_is_one() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    let mut namu = lab.namu();
    let answers_home = |lab: &Lab, namu: &Namu| {
        let reply = lab.ask(namu, "ns1.home. A");
        assert!(reply.status == "NOERROR" && reply.flags.contains(&"aa".to_owned()), "{reply:?}");
    };
    answers_home(&lab, &namu);
    lab.look_after(2 * MINUTE);
    namu.wait_for("trust anchor .: no name server gives the keys of the zone; they are asked for again");
    assert_eq!(lab.ask(&namu, "www. A").status, "SERVFAIL");
    answers_home(&lab, &namu);
    assert_eq!(lab.state_of("a"), None);
    lab.publish(&[&key("a")], &[&key("a")]);
    lab.look_after(HOUR);
    namu.wait_for(&format!("trust anchor .: key {} is there as configured", tag("a")));
    namu.wait_for("trust anchor .: the keys of the zone are seen again");
    lab.assert_secure(&namu);
    // And gone again: what was learnt stays.
    lab.lose_root();
    lab.look_after(2 * DAY);
    assert!(lab.is("a", "valid"), "{}", lab.state());
    answers_home(&lab, &namu);
    assert!(namu.stop().success());
}

#[test]
fn a_state_directory_that_cannot_be_written_is_said_once_and_hinders_nothing() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
    std::fs::create_dir(lab.folder.path.join("state")).unwrap();
    // Permissions do not count for the superuser, whom it takes to be here; a mount does.
    let script =
        "mount --bind state state && mount -o remount,bind,ro state && exec \"$0\" run -c config.yaml";
    let unshare = lab.namespace.command(false, &program("unshare").unwrap());
    let binary = binary().display().to_string();
    let mut namu = Namu::spawn(lab.faked(unshare, &["--mount", "sh", "-c", script, &binary]));
    lab.pass(2 * MINUTE);
    namu.wait_for(&format!("trust anchor .: key {} is new", tag("b")));
    lab.assert_secure(&namu);
    lab.pass(31 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} has been there for long enough", tag("b")));
    lab.publish(&[&key("b")], &[&key("b")]);
    lab.pass(2 * DAY);
    namu.wait_for(&format!("trust anchor .: key {} is not there any more", tag("a")));
    lab.assert_secure(&namu);
    let heard = namu.heard();
    assert_eq!(
        heard.matches("what is learnt of trust anchors is lost at the next stop").count(),
        1,
        "{heard}"
    );
    assert_eq!(lab.state(), "", "the directory is not read-only");
    assert!(namu.stop().success());
}

#[test]
fn a_broken_state_file_is_said_and_leaves_the_configured_trust_anchors() {
    let Some(mut lab) = Lab::with_anchor("a") else { return };
    lab.publish(&[&key("a"), &key("b")], &[&key("a")]);
    let namu = lab.namu();
    lab.look_after(2 * MINUTE);
    assert!(namu.stop().success());
    let good = lab.state();
    let is_whole = |lab: &Lab| lab.state().ends_with("end\n") && lab.is("a", "valid");
    assert!(is_whole(&lab), "{good}");
    for (damage, said) in [
        ("", "it is damaged at line 1"),
        (&good[..good.len() - 30], "it is damaged at line "),
        (&good.replace(" valid ", " trusted "), "it is damaged at line "),
        ("namu-trust-anchors 2\nend\n", "it has format 2, which a later namu wrote"),
        ("\u{0}\u{1}\u{2}", "it is damaged at line 1"),
    ] {
        lab.folder.write("state/trust-anchors", damage);
        let mut namu = lab.namu();
        let heard = namu.heard();
        let line = heard.lines().find(|line| line.contains("state/trust-anchors: "));
        let line = line.unwrap_or_else(|| panic!("nothing is said of {damage}:\n{heard}"));
        assert!(
            line.contains(said) && line.contains("the configured trust anchors are begun with"),
            "{line}"
        );
        lab.assert_secure(&namu);
        lab.pass(2 * DAY);
        eventually("the file is whole again", || is_whole(&lab));
        assert!(namu.stop().success());
    }
    // What is broken opens no door.
    lab.folder.write("state/trust-anchors", "broken");
    lab.publish(&[&key("x")], &[&key("x")]);
    let namu = lab.namu();
    lab.assert_bogus(&namu);
    assert!(namu.stop().success());
}
