//! What differs between two versions of a zone, RRset by RRset.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::merge::{fold_into, is_same_rdata};
use super::packed::PackedNode;
use super::page::Page;
use super::rebuild::{changed_owners, rebuild};
use super::rrset_run::RrsetRun;
use super::tree::NameTree;
use super::zone::{Zone, serial_place};
use crate::dns::{Name, NameRef, Records, RrType, RrsetRef, Serial};

/// One changed owner in so many is worth making the tree anew: its pages are then written once each.
const REBUILD_SHARE: usize = 64;
/// Records of one RRset up to which each is compared with each; more are sorted.
const FEW: usize = 8;

/// The difference between two versions of a zone. An RRset is a set: the order of its records makes no difference, nor does
/// the letter case of names where DNS compares without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Changeset {
    apex: Name,
    from: Serial,
    to: Serial,
    /// The RRsets of the old version that are not in the new one. The SOA is among them when its serial differs.
    pub(super) removed: RrsetRun,
    /// The RRsets of the new version that are not in the old one.
    pub(super) added: RrsetRun,
    summary: Summary,
    is_rearranged: bool,
}

/// What became of one RRset. At least one side is there; with both it is the same owner and type.
#[derive(Debug, Clone, Copy)]
pub struct Change<'c> {
    /// As it was.
    pub old: Option<RrsetRef<'c>>,
    /// As it is.
    pub new: Option<RrsetRef<'c>>,
}

/// How many RRsets came, went and changed. A SOA of which only the serial differs is not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// RRsets of owner and type that did not exist.
    pub added: u32,
    /// RRsets of which nothing is left.
    pub removed: u32,
    /// RRsets with other records or signatures.
    pub changed: u32,
    /// RRsets with the same records under another TTL.
    pub retimed: u32,
}

/// Why a changeset cannot be applied: it was made of another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// It begins at another zone or serial.
    Version,
    /// This RRset is not as it was when the changeset was made.
    Rrset(Name, RrType),
    /// No readable SOA would be left.
    NoSoa,
}

impl Changeset {
    /// What leads from `old` to `new`, two versions of one zone. Pages they share cost one comparison of pointers.
    pub fn between(old: &Zone, new: &Zone) -> Changeset {
        debug_assert!(old.apex() == new.apex());
        let (mut own, mut nsec3) = (Changeset::nothing(old, new), Changeset::nothing(old, new));
        own.walk(Some(old.tree()), Some(new.tree()));
        nsec3.walk(old.tree().nsec3.as_deref(), new.tree().nsec3.as_deref());
        own.joined(nsec3)
    }

    /// The same changes with the apex compared anew, for a version that differs from the one compared with at the apex
    /// only: its serial was set.
    pub fn toward(mut self, old: &Zone, new: &Zone) -> Changeset {
        let mut at_apex = Changeset::nothing(old, new);
        let apex = self.apex.clone();
        at_apex.compare_rrsets(old.tree().rrsets_at(apex.as_ref()), new.tree().rrsets_at(apex.as_ref()));
        for (run, front) in [(&mut self.removed, &at_apex.removed), (&mut self.added, &at_apex.added)] {
            let mut front_octets = RrsetRun::default();
            run.iter()
                .take_while(|rrset| rrset.owner == apex.as_ref())
                .for_each(|rrset| front_octets.push(rrset));
            run.replace_front(front_octets.octets().len(), front);
        }
        Changeset { to: new.serial(), ..self }
    }

    /// The changes a journal holds.
    pub(super) fn of_runs(
        apex: NameRef<'_>,
        (from, to): (Serial, Serial),
        removed: RrsetRun,
        added: RrsetRun,
        summary: Summary,
    ) -> Changeset {
        Changeset { apex: apex.to_name(), from, to, removed, added, summary, is_rearranged: false }
    }

    fn nothing(old: &Zone, new: &Zone) -> Changeset {
        Changeset {
            apex: old.apex().to_name(),
            from: old.serial(),
            to: new.serial(),
            removed: RrsetRun::default(),
            added: RrsetRun::default(),
            summary: Summary::default(),
            is_rearranged: false,
        }
    }

    /// Takes what differs between two trees, without the NSEC3 that stand beside them.
    fn walk(&mut self, old: Option<&NameTree>, new: Option<&NameTree>) {
        let (mut old, mut new) = (Walk::new(old), Walk::new(new));
        loop {
            if old.stands_with(&new) {
                old.leave_page();
                new.leave_page();
                continue;
            }
            match (old.node(), new.node()) {
                (None, None) => return,
                (Some(node), None) => self.remove(node, &mut old),
                (None, Some(node)) => self.add(node, &mut new),
                (Some(left), Some(right)) => match compare_owners(left, right) {
                    Ordering::Less => self.remove(left, &mut old),
                    Ordering::Greater => self.add(right, &mut new),
                    Ordering::Equal => {
                        self.compare(left, right);
                        old.step();
                        new.step();
                    }
                },
            }
        }
    }

    /// With changes of the same two versions to other RRsets.
    fn joined(self, other: Changeset) -> Changeset {
        Changeset {
            removed: self.removed.merged(other.removed),
            added: self.added.merged(other.added),
            summary: self.summary.plus(other.summary),
            is_rearranged: self.is_rearranged || other.is_rearranged,
            ..self
        }
    }

    fn remove(&mut self, node: PackedNode<'_>, walk: &mut Walk<'_>) {
        node.rrsets().for_each(|rrset| self.change(Some(rrset), None));
        walk.step();
    }

    fn add(&mut self, node: PackedNode<'_>, walk: &mut Walk<'_>) {
        node.rrsets().for_each(|rrset| self.change(None, Some(rrset)));
        walk.step();
    }

    /// Takes what differs between two nodes of one name.
    fn compare(&mut self, old: PackedNode<'_>, new: PackedNode<'_>) {
        if old.octets == new.octets {
            return;
        }
        self.is_rearranged |= old.owner_octets() != new.owner_octets();
        self.compare_rrsets(old.rrsets(), new.rrsets());
    }

    /// Takes what differs between the RRsets of one name, both by ascending type.
    fn compare_rrsets<'z>(
        &mut self,
        olds: impl Iterator<Item = RrsetRef<'z>>,
        news: impl Iterator<Item = RrsetRef<'z>>,
    ) {
        let (mut olds, mut news) = (olds.peekable(), news.peekable());
        loop {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.rr_type.cmp(&new.rr_type),
            };
            let old = if order.is_le() { olds.next() } else { None };
            let new = if order.is_ge() { news.next() } else { None };
            match (old, new) {
                (Some(old), Some(new)) if is_same_rrset(old, new) => {
                    self.is_rearranged |= old.records != new.records || old.signatures != new.signatures;
                }
                _ => self.change(old, new),
            }
        }
    }

    fn change(&mut self, old: Option<RrsetRef<'_>>, new: Option<RrsetRef<'_>>) {
        old.into_iter().for_each(|rrset| self.removed.push(rrset));
        new.into_iter().for_each(|rrset| self.added.push(rrset));
        self.summary.count(&Change { old, new });
    }

    /// The version that follows `zone`. Costs what changed, or the making of a tree when much did.
    pub fn apply(&self, zone: &Zone) -> Result<Zone, Mismatch> {
        if (self.apex.as_ref(), self.from) != (zone.apex(), zone.serial()) {
            return Err(Mismatch::Version);
        }
        let mut owner_count = 0;
        for owner in changed_owners(self.changes()) {
            owner_count += 1;
            for change in &owner.changes {
                let is = zone.tree().rrset_at(owner.owner, change.rr_type());
                let is_as_it_was = match (is, change.old) {
                    (Some(is), Some(was)) => is_same_rrset(is, was),
                    (is, was) => is.is_none() && was.is_none(),
                };
                if !is_as_it_was {
                    return Err(Mismatch::Rrset(owner.owner.to_name(), change.rr_type()));
                }
            }
        }
        let tree = if owner_count * REBUILD_SHARE > zone.tree().rrset_count() {
            rebuild(zone.apex(), Some(zone.tree()), || self.changes())
        } else {
            changed_owners(self.changes()).fold(zone.tree().clone(), |tree, owner| {
                tree.with(owner.owner, owner.rrsets(zone.tree().rrsets_at(owner.owner)))
            })
        };
        Zone::new(tree).ok_or(Mismatch::NoSoa)
    }

    /// What leads back.
    pub fn reverse(self) -> Changeset {
        let Summary { added, removed, .. } = self.summary;
        Changeset {
            from: self.to,
            to: self.from,
            removed: self.added,
            added: self.removed,
            summary: Summary { added: removed, removed: added, ..self.summary },
            ..self
        }
    }

    /// The serial of the old version.
    pub fn from(&self) -> Serial {
        self.from
    }

    /// The serial of the new version.
    pub fn to(&self) -> Serial {
        self.to
    }

    /// All changes in canonical order, the SOA's among them when only its serial changed.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        let (mut removed, mut added) = (self.removed.iter().peekable(), self.added.iter().peekable());
        std::iter::from_fn(move || {
            let order = match (removed.peek(), added.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => (old.owner, old.rr_type).cmp(&(new.owner, new.rr_type)),
            };
            let old = if order.is_le() { removed.next() } else { None };
            let new = if order.is_ge() { added.next() } else { None };
            Some(Change { old, new })
        })
    }

    /// How many RRsets came, went and changed.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Whether both versions say the same, whatever their serials.
    pub fn is_content_same(&self) -> bool {
        self.summary == Summary::default()
    }

    /// Whether both versions are written the same too, whatever their serials: no order or letter case differs.
    pub fn is_same_to_the_letter(&self) -> bool {
        self.is_content_same() && !self.is_rearranged
    }
}

impl fmt::Debug for Changeset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {} ", self.apex, self.from, self.to)?;
        f.debug_list().entries(self.changes()).finish()
    }
}

impl Change<'_> {
    /// The type of the RRset.
    pub fn rr_type(&self) -> RrType {
        self.any().rr_type
    }

    /// The owner of the RRset.
    pub fn owner(&self) -> NameRef<'_> {
        self.any().owner
    }

    fn any(&self) -> RrsetRef<'_> {
        self.new.or(self.old).expect("a change has at least one side")
    }
}

impl Summary {
    fn plus(self, other: Summary) -> Summary {
        Summary {
            added: self.added + other.added,
            removed: self.removed + other.removed,
            changed: self.changed + other.changed,
            retimed: self.retimed + other.retimed,
        }
    }

    fn count(&mut self, change: &Change<'_>) {
        match (change.old, change.new) {
            (Some(old), Some(new)) if is_same_but_for_serial(old, new) => {}
            (Some(old), Some(new)) if is_same_data(old, new) => self.retimed += 1,
            (Some(_), Some(_)) => self.changed += 1,
            (Some(_), None) => self.removed += 1,
            (None, _) => self.added += 1,
        }
    }
}

/// `+3 -1 RRsets, 2 changed, 1 TTL`; parts that would say zero are left out.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.added + self.removed > 0 {
            let ends: Vec<String> = [('+', self.added), ('-', self.removed)]
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(sign, count)| format!("{sign}{count}"))
                .collect();
            let plural = if self.added + self.removed == 1 { "" } else { "s" };
            parts.push(format!("{} RRset{plural}", ends.join(" ")));
        }
        if self.changed > 0 {
            let plural = if self.changed == 1 { "" } else { "s" };
            let what = if parts.is_empty() { format!(" RRset{plural}") } else { String::new() };
            parts.push(format!("{}{what} changed", self.changed));
        }
        if self.retimed > 0 {
            let plural = if self.retimed == 1 { "" } else { "s" };
            parts.push(format!("{} TTL{plural}", self.retimed));
        }
        if parts.is_empty() {
            parts.push("no RRset changed".into());
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Version => f.write_str("the changes begin at another version"),
            Mismatch::Rrset(owner, rr_type) => {
                write!(f, "{rr_type} at {owner} is not as it was when the changes were made")
            }
            Mismatch::NoSoa => f.write_str("the changes leave no SOA"),
        }
    }
}

impl std::error::Error for Mismatch {}

/// A walk over the nodes of a tree in canonical order that knows where pages begin.
struct Walk<'z> {
    pages: Vec<&'z Arc<Page>>,
    page: usize,
    at: usize,
}

impl<'z> Walk<'z> {
    /// At the apex; where there is no tree, at its end.
    fn new(tree: Option<&'z NameTree>) -> Walk<'z> {
        let pages = |tree: &'z NameTree| tree.order.iter().map(|page| tree.pages.get(page));
        Walk { pages: tree.into_iter().flat_map(pages).collect(), page: 0, at: 0 }
    }

    fn node(&self) -> Option<PackedNode<'z>> {
        self.pages.get(self.page).map(|page| page.node(self.at))
    }

    fn step(&mut self) {
        self.at += 1;
        if self.at == self.pages[self.page].count() {
            self.leave_page();
        }
    }

    fn leave_page(&mut self) {
        (self.page, self.at) = (self.page + 1, 0);
    }

    /// Whether both stand at the same node of a page they share, so that the rest of it is the same too.
    fn stands_with(&self, other: &Walk<'_>) -> bool {
        match (self.pages.get(self.page), other.pages.get(other.page)) {
            (Some(page), Some(other_page)) => self.at == other.at && Arc::ptr_eq(page, other_page),
            _ => false,
        }
    }
}

fn compare_owners(left: PackedNode<'_>, right: PackedNode<'_>) -> Ordering {
    match left.owner_octets() == right.owner_octets() {
        true => Ordering::Equal,
        false => left.owner().canonical_cmp(right.owner()),
    }
}

fn is_same_rrset(left: RrsetRef<'_>, right: RrsetRef<'_>) -> bool {
    left.ttl == right.ttl && is_same_data(left, right)
}

fn is_same_data(left: RrsetRef<'_>, right: RrsetRef<'_>) -> bool {
    is_same_set(left.rr_type, left.records, right.records)
        && is_same_set(RrType::RRSIG, left.signatures, right.signatures)
}

/// Whether records without duplicates are the same set.
fn is_same_set(rr_type: RrType, left: Records<'_>, right: Records<'_>) -> bool {
    if left == right {
        return true;
    }
    let count = left.count();
    if count != right.count() {
        return false;
    }
    if count <= FEW {
        return left.iter().all(|rdata| right.iter().any(|other| is_same_rdata(rr_type, rdata, other)));
    }
    let folded = |records: Records<'_>| -> BTreeSet<Vec<u8>> {
        let folded = |rdata: &[u8]| {
            let mut folded = Vec::with_capacity(rdata.len());
            fold_into(rr_type, rdata, &mut folded);
            folded
        };
        records.iter().map(folded).collect()
    };
    folded(left) == folded(right)
}

/// Whether these are SOAs that differ in their serial and nothing else.
fn is_same_but_for_serial(old: RrsetRef<'_>, new: RrsetRef<'_>) -> bool {
    let without_serial = |rrset: RrsetRef<'_>| -> Option<Vec<u8>> {
        let rdata = rrset.records.first()?;
        let place = serial_place(rrset.rr_type, rdata)?;
        let mut folded = Vec::with_capacity(rdata.len());
        fold_into(rrset.rr_type, rdata, &mut folded);
        folded[place].fill(0);
        Some(folded)
    };
    old.rr_type == RrType::SOA
        && old.ttl == new.ttl
        && is_same_set(RrType::RRSIG, old.signatures, new.signatures)
        && without_serial(old).is_some_and(|old| Some(old) == without_serial(new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{listing, zone};
    use super::*;

    fn changes(changeset: &Changeset) -> Vec<String> {
        let side = |rrset: Option<RrsetRef<'_>>| match rrset {
            Some(rrset) => format!("{}*{}", rrset.records.count(), rrset.ttl),
            None => "-".into(),
        };
        let change = |change: Change<'_>| {
            format!("{} {} {} {}", change.owner(), change.rr_type(), side(change.old), side(change.new))
        };
        changeset.changes().map(change).collect()
    }

    #[test]
    fn each_rrset_that_differs_is_one_change() {
        let old = zone(
            1,
            &["a A 192.0.2.1", "b A 192.0.2.1", "b A 192.0.2.2", "c 60 TXT x", "c MX 1 a", "d.d A 192.0.2.1"],
        );
        let new = zone(
            2,
            &["a A 192.0.2.2", "b A 192.0.2.2", "b A 192.0.2.1", "c 61 TXT x", "c MX 1 A", "e.d A 192.0.2.1"],
        );
        let changeset = Changeset::between(&old, &new);
        assert_eq!(
            changes(&changeset),
            [
                "example. SOA 1*60 1*60",
                "a.example. A 1*60 1*60",
                "c.example. TXT 1*60 1*61",
                "d.d.example. A 1*60 -",
                "e.d.example. A - 1*60",
            ]
        );
        assert_eq!(changeset.summary(), Summary { added: 1, removed: 1, changed: 1, retimed: 1 });
        assert_eq!(changeset.summary().to_string(), "+1 -1 RRsets, 1 changed, 1 TTL");
        assert_eq!((changeset.from(), changeset.to()), (Serial(1), Serial(2)));
    }

    #[test]
    fn summaries_leave_out_what_did_not_happen() {
        for (added, removed, changed, retimed, want) in [
            (0, 0, 0, 0, "no RRset changed"),
            (1, 0, 0, 0, "+1 RRset"),
            (0, 2, 0, 0, "-2 RRsets"),
            (3, 1, 0, 0, "+3 -1 RRsets"),
            (0, 0, 1, 0, "1 RRset changed"),
            (0, 0, 2, 3, "2 RRsets changed, 3 TTLs"),
            (0, 0, 0, 1, "1 TTL"),
        ] {
            assert_eq!(Summary { added, removed, changed, retimed }.to_string(), want);
        }
    }

    #[test]
    fn order_case_and_serial_are_no_content() {
        let old = zone(1, &["a A 192.0.2.1", "a A 192.0.2.2", "@ MX 1 a"]);
        let same = Changeset::between(&old, &zone(9, &["a A 192.0.2.1", "a A 192.0.2.2", "@ MX 1 a"]));
        assert!(same.is_content_same() && same.is_same_to_the_letter());
        for lines in [
            &["A A 192.0.2.1", "a A 192.0.2.2", "@ MX 1 a"],
            &["a A 192.0.2.2", "a A 192.0.2.1", "@ MX 1 a"],
            &["a A 192.0.2.1", "a A 192.0.2.2", "@ MX 1 A"],
        ] {
            let changeset = Changeset::between(&old, &zone(1, lines));
            assert!(changeset.is_content_same() && !changeset.is_same_to_the_letter(), "{lines:?}");
            assert_eq!(changeset.changes().count(), 0);
        }
    }

    #[test]
    fn many_records_are_one_set_whatever_their_order() {
        let lines: Vec<String> = (0..40).map(|n| format!("m NS N{n}.test.")).collect();
        let reversed: Vec<String> =
            lines.iter().rev().map(|line| line.replace('N', "n").replace("ns", "NS")).collect();
        let of = |lines: &[String]| zone(1, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(Changeset::between(&of(&lines), &of(&reversed)).is_content_same());
        assert_eq!(Changeset::between(&of(&lines), &of(&lines[1..])).summary().changed, 1);
    }

    #[test]
    fn a_changeset_fits_only_the_version_it_was_made_of() {
        let (old, new) = (zone(1, &["a A 192.0.2.1"]), zone(2, &["a A 192.0.2.2"]));
        let changeset = Changeset::between(&old, &new);
        let wrong = |zone: &Zone| changeset.apply(zone).err().unwrap();
        assert_eq!(wrong(&new), Mismatch::Version);
        let a = || "a.example.".parse().unwrap();
        assert_eq!(wrong(&zone(1, &["a A 192.0.2.3"])), Mismatch::Rrset(a(), RrType::A));
        assert_eq!(wrong(&zone(1, &["a 5 A 192.0.2.1"])), Mismatch::Rrset(a(), RrType::A));
        assert_eq!(wrong(&zone(1, &[])), Mismatch::Rrset(a(), RrType::A));
        let adding = Changeset::between(&zone(1, &[]), &new);
        assert_eq!(adding.apply(&zone(1, &["a A 192.0.2.1"])).err(), Some(Mismatch::Rrset(a(), RrType::A)));
    }

    #[test]
    fn the_new_serial_is_set_in_the_changes_too() {
        let (old, new) = (zone(7, &["a A 192.0.2.1"]), zone(7, &["@ A 192.0.2.9"]));
        let numbered = new.with_serial(Serial(8));
        let changeset = Changeset::between(&old, &new).toward(&old, &numbered);
        assert_eq!(changeset, Changeset::between(&old, &numbered));
        assert_eq!(listing(&changeset.apply(&old).unwrap()), listing(&numbered));
    }

    #[test]
    fn versions_that_share_pages_are_compared_where_they_do_not() {
        let lines: Vec<String> = (0..3000).map(|n| format!("n{n} A 192.0.2.1")).collect();
        let old = zone(1, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let other = zone(1, &["n1500 TXT x"]);
        let rrset = other.tree().exact("n1500.example.".parse::<Name>().unwrap().as_ref()).unwrap();
        let tree = old.tree().clone().with(rrset.owner(), rrset.rrsets());
        let new = Zone::new(tree).unwrap();
        fn walk(zone: &Zone) -> Walk<'_> {
            Walk::new(Some(zone.tree()))
        }
        let shared = |old: &Zone, new: &Zone| {
            let (old, new) = (walk(old), walk(new));
            old.pages.iter().filter(|page| new.pages.iter().any(|other| Arc::ptr_eq(page, other))).count()
        };
        assert!(shared(&old, &new) + 1 >= walk(&old).pages.len());
        let changeset = Changeset::between(&old, &new);
        assert_eq!(changes(&changeset), ["n1500.example. A 1*60 -", "n1500.example. TXT - 1*60"]);
        // And what is made of few changes shares as much.
        let applied = changeset.apply(&old).unwrap();
        assert!(shared(&old, &applied) + 1 >= walk(&old).pages.len());
    }

    /// Lines of few owners and types, so that versions meet; some make cuts, some empty non-terminals.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        let owner = proptest::sample::select(vec!["a", "A", "b.a", "c.b.a", "*.a", "d", "x.y.z.d", "e"]);
        let record = proptest::sample::select(vec![
            "A 192.0.2.1",
            "A 192.0.2.2",
            "MX 1 a",
            "MX 1 A",
            "TXT x",
            "TXT y",
            "NS ns1",
            "DNAME t.test.",
            "RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA",
        ]);
        let line =
            (owner, 59..61u32, record).prop_map(|(owner, ttl, record)| format!("{owner} {ttl} {record}"));
        proptest::collection::vec(line, 0..24)
    }

    fn of(serial: u32, lines: &[String]) -> Option<Zone> {
        super::super::testing::try_zone(serial, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The twin: all RRsets of both, told apart one by one.
    fn slow_summary(old: &[String], new: &[String]) -> (usize, usize) {
        let gone = old.iter().filter(|line| !new.contains(line)).count();
        (gone, new.iter().filter(|line| !old.contains(line)).count())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_applied_leads_to_the_new_version_and_back(a in lines(), b in lines(), many in any::<bool>()) {
            // Beside many other names few changes are made in place, beside none the tree is made anew.
            let others: Vec<String> = (0..if many { 1500 } else { 0 }).map(|n| format!("o{n} A 192.0.2.1")).collect();
            let (Some(old), Some(new)) = (of(1, &[a, others.clone()].concat()), of(2, &[b, others].concat())) else {
                return Ok(());
            };
            let changeset = Changeset::between(&old, &new);
            let (before, after) = (listing(&old), listing(&new));
            let applied = changeset.apply(&old).unwrap();
            prop_assert_eq!(listing(&applied), after.clone());
            prop_assert_eq!(applied.tree().rrset_count(), new.tree().rrset_count());
            prop_assert_eq!(applied.tree().record_count(), new.tree().record_count());
            prop_assert_eq!(applied.nodes().map(|node| node.kind()).collect::<Vec<_>>(), new.nodes().map(|node| node.kind()).collect::<Vec<_>>());
            prop_assert!(Changeset::between(&applied, &new).changes().next().is_none());
            let back = changeset.clone().reverse();
            prop_assert_eq!(listing(&back.apply(&new).unwrap()), before.clone());
            let Summary { added, removed, changed, retimed } = changeset.summary();
            let counted = ((removed + changed + retimed) as usize, (added + changed + retimed) as usize);
            // The SOA's line differs by its serial, and is not counted.
            let (gone, come) = slow_summary(&before, &after);
            prop_assert_eq!((counted.0 + 1, counted.1 + 1), (gone, come));
            prop_assert_eq!(back.summary(), Summary { added: removed, removed: added, changed, retimed });
        }
    }
}
