//! Plays for resolvers (`.rpl`): a small internet, the resolver under test, a client, and what it must see. The plays are
//! not part of this project; where they are is told by `RPL_SCENARIOS`, else they are looked for beside the checkout.
//! Print the verdict on each with `cargo test --test rpl -- --nocapture`; `RPL_ONLY=word` plays those named so, aloud.

#[path = "../support/client.rs"]
mod client;
#[path = "../sim/clock.rs"]
#[allow(dead_code, reason = "the rest is for the stories of tests/sim")]
mod clock;
mod compare;
mod internet;
mod message;
mod parse;
mod play;
#[path = "../served/mod.rs"]
#[allow(dead_code, reason = "only zones are needed of it")]
mod served;
mod settings;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use settings::Unfit;

/// What came of a play.
enum Verdict {
    Passed,
    Failed(String),
    Waits(&'static str),
    DoesNotApply(String),
}

#[test]
fn plays_end_as_they_are_written() {
    let Some(folder) = folder() else {
        // Not `eprintln!`: what is printed by a test that passes, the harness keeps back.
        let why = "skipped: plays_end_as_they_are_written: no folder of scenarios; set RPL_SCENARIOS";
        let _ = writeln!(std::io::stderr(), "{why}");
        return;
    };
    let only = std::env::var("RPL_ONLY").ok();
    let unfit = not_applicable();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in plays(&folder) {
        let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let verdict = match unfit.get(name.as_str()) {
            Some(reason) => Verdict::DoesNotApply(reason.clone()),
            None => judge(&path),
        };
        let (word, why) = match verdict {
            Verdict::Passed => ("passed", String::new()),
            Verdict::Failed(why) if only.is_some() => ("failed", why),
            Verdict::Failed(why) => ("failed", why.lines().next().unwrap_or_default().to_string()),
            Verdict::Waits(what) => ("waiting", format!("for {what}")),
            Verdict::DoesNotApply(reason) => ("not applicable", reason),
        };
        *counts.entry(word).or_default() += 1;
        println!("{name}: {word} {why}");
    }
    let count = |word| counts.get(word).copied().unwrap_or_default();
    println!("{} waiting, {} not applicable", count("waiting"), count("not applicable"));
    println!("{} passed, {} failed", count("passed"), count("failed"));
    if only.is_none() {
        let before = passed_before();
        assert!(count("passed") >= before, "fewer passed than before: {before} in .ci/ratchet.txt");
        if count("passed") > before {
            println!("more than before: raise `scenarios {before}` in .ci/ratchet.txt");
        }
    }
}

/// Where the plays are.
fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/scenarios");
    let folder = std::env::var_os("RPL_SCENARIOS").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// All plays below a folder, in order.
fn plays(folder: &Path) -> Vec<PathBuf> {
    let mut plays = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder that is there") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpl") {
                plays.push(path);
            }
        }
    }
    plays.sort();
    plays
}

/// Plays that need what this server does not do, and why: `folder/name.rpl  reason`.
fn not_applicable() -> BTreeMap<&'static str, String> {
    let lines = include_str!("not_applicable.txt").lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| line.split_once(char::is_whitespace).expect("`folder/name.rpl  reason`");
    lines.map(row).map(|(name, reason)| (name, reason.trim().to_string())).collect()
}

/// How many passed when that was last written down.
fn passed_before() -> usize {
    let rows = include_str!("../../.ci/ratchet.txt").lines();
    let own = rows.filter_map(|row| row.strip_prefix("scenarios ")).next();
    own.and_then(|count| count.trim().parse().ok()).expect("a line `scenarios N`")
}

fn judge(path: &Path) -> Verdict {
    let scenario = match std::fs::read_to_string(path).map_err(|error| error.to_string()) {
        Ok(text) => parse::parse(&text).map(Arc::new),
        Err(error) => Err(error),
    };
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(why) => return Verdict::Failed(format!("not read: {why}")),
    };
    let settings = match settings::settings(&scenario, &path.with_extension("files")) {
        Ok(settings) => settings,
        Err(Unfit::Waits(what)) => return Verdict::Waits(what),
        Err(Unfit::DoesNotApply(reason)) => return Verdict::DoesNotApply(reason),
        Err(Unfit::Mistake(why)) => return Verdict::Failed(format!("not read: {why}")),
    };
    for minimisation in &settings.minimisation {
        let settings = settings.minimised(*minimisation);
        let played = catch_unwind(AssertUnwindSafe(|| play::play(scenario.clone(), &settings)));
        match played {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Verdict::Failed(format!("minimisation {minimisation:?}: {why}")),
            Err(_) => return Verdict::Failed("panicked".into()),
        }
    }
    Verdict::Passed
}
