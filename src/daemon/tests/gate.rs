//! The gate every version goes through, for who waits and for who asks.

use super::super::stamp::{ContentMark, Stamp};
use super::super::zone_list::ZoneList;
use super::super::zone_set::{LoadReport, Scope, Terms, ZoneSet};
use super::*;
use crate::config::Config;
use crate::dns::Serial;

struct Gate {
    zones: ZoneSet,
    file: PathBuf,
    home: Home,
}

impl Gate {
    fn new(records: &str) -> Gate {
        let home = Home::plain();
        let file = home.folder.join("example.zone");
        let list = ZoneList::of(&Config::default(), false, std::slice::from_ref(&file));
        let versions = Arc::new(Versions::new(State::new(home.folder.join("state"))));
        let mut gate = Gate { zones: ZoneSet::new(list, versions), file, home };
        gate.write(records);
        gate.look(Cause::Start, false);
        gate
    }

    fn write(&self, records: &str) {
        std::fs::write(&self.file, text(records)).unwrap();
    }

    /// Right after the file was written.
    fn look(&mut self, cause: Cause, is_patient: bool) -> LoadReport {
        let now = Stamp::at(&self.file).unwrap().modified;
        let mut whole = LoadReport::default();
        let terms = Terms { cause, now, is_sure: false, is_patient };
        self.zones.load(&Scope::all(), terms, &mut |_, report| {
            whole.changes.extend(report.changes);
            whole.problems.extend(report.problems);
            whole.unsettled.extend(report.unsettled);
            whole.since_last_run.extend(report.since_last_run);
        });
        whole
    }

    fn causes(&self) -> Vec<String> {
        let versions = Versions::new(State::new(self.home.folder.join("state")));
        let history = versions.history(apex().as_ref()).unwrap();
        history.iter().map(|version| version.cause.to_string()).collect()
    }
}

fn text(records: &str) -> String {
    format!("$ORIGIN example.\n$TTL 60\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\n{records}")
}

#[test]
fn a_shorter_file_is_waited_for_unless_somebody_asks_and_half_a_line_waits_for_a_word() {
    let mut gate = Gate::new("a A 192.0.2.1\nb A 192.0.2.2\n");
    gate.write("a A 192.0.2.1\n");
    let watched = gate.look(Cause::Watch, false);
    assert!(watched.unsettled.contains(&apex()) && watched.changes.is_empty());
    let asked = gate.look(Cause::Command, true);
    assert!(asked.unsettled.is_empty() && asked.changes[0].contains("serial 1 -> 2"), "{:?}", asked.changes);
    gate.write("a A 192.0.2");
    for (cause, is_patient) in [(Cause::Watch, false), (Cause::Command, true)] {
        let report = gate.look(cause, is_patient);
        assert!(report.changes.is_empty() && report.unsettled.is_empty());
        assert!(report.problems[0].contains("half-written; serial 2 stays"), "{:?}", report.problems);
    }
}

#[test]
fn a_version_is_an_edit_when_its_octets_were_announced_and_only_then() {
    let mut gate = Gate::new("a A 192.0.2.1\n");
    for (announced, written) in
        [("a A 192.0.2.2\n", "a A 192.0.2.2\n"), ("a A 192.0.2.3\n", "a A 192.0.2.4\n")]
    {
        gate.zones.expect(&apex(), ContentMark::of(text(announced).as_bytes()));
        gate.write(written);
        gate.look(Cause::Watch, false);
    }
    // An announcement counts until the next version, whatever that is.
    gate.write("a A 192.0.2.3\n");
    gate.look(Cause::Signal, true);
    assert_eq!(gate.causes(), ["start", "edit", "watch", "signal"]);
}

#[test]
fn a_roll_back_does_not_write_over_what_nobody_has_read() {
    let mut gate = Gate::new("a A 192.0.2.1\n");
    gate.write("a A 192.0.2.2\n");
    gate.look(Cause::Watch, false);
    gate.write("a A 192.0.2.3\n");
    let refused = gate.zones.roll_back(&apex(), Serial(1), true, NOW).err().unwrap();
    assert!(refused.0.contains("it was changed meanwhile; nothing was taken back"), "{refused}");
    assert_eq!(gate.causes(), ["start", "watch"]);
    assert_eq!(std::fs::read_to_string(&gate.file).unwrap(), text("a A 192.0.2.3\n"));
    gate.look(Cause::Watch, false);
    let report = gate.zones.roll_back(&apex(), Serial(1), true, NOW).unwrap();
    assert!(report.changes[0].contains("serial 3 -> 4"), "{:?}", report.changes);
    // A broken file that was seen may be written over.
    gate.write("a AA\n");
    assert_eq!(gate.look(Cause::Command, true).problems.len(), 1);
    assert!(gate.zones.roll_back(&apex(), Serial(2), true, NOW).is_ok());
    assert!(std::fs::read_to_string(&gate.file).unwrap().contains("a.example. 60 IN A 192.0.2.2"));
    assert!(gate.look(Cause::Watch, true).changes.is_empty());
}
