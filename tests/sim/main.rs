//! The resolver on an internet in memory: no sockets, no real time, the same run every time.

mod adversary;
#[path = "../support/client.rs"]
mod client;
#[allow(dead_code, reason = "the rest is for the plays of tests/rpl")]
mod clock;
mod faults;
mod front_door;
mod internet;
mod lab;
mod mutations;
mod proofs;
mod random;
mod random_signed;
mod random_signed_liars;
mod random_signed_plan;
mod random_signed_reached;
mod random_signed_tree;
mod random_signed_twin;
mod reached;
mod scenario;
mod signed;
#[path = "../support/signed_zone.rs"]
mod signed_zone;
#[path = "../support/signing.rs"]
mod signing;
mod tamper;
mod told;
mod traps;
mod twin;
mod validation_bounds;
mod validation_costs;

/// Every story under `tests/scenarios` is a test; a failing one shows the ladder of its exchanges.
#[test]
fn scenarios_end_as_they_are_told() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut told = 0;
    let mut failures = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else {
                told += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                if let Err(story) = scenario::tell(&text) {
                    failures.push(format!("{}: {story}", path.display()));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(told >= 12, "{told} scenarios");
}
