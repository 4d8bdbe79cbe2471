//! The steps of an answer, in order.

use super::{additional, alias, any, negative, referral, wildcard};
use crate::dns::{Answer, AnswerRrset, Name, NameRef, QuestionRef, Rcode, RrType, RrsetRef};
use crate::limits;
use crate::zone::{Found, Node, Zone, ZoneEntry, ZoneTable};

/// What the zones served here have to say about a question.
#[derive(Debug)]
// An answer is made and read in place; a box would be the one allocation of a hit.
#[allow(clippy::large_enum_variant)]
pub enum Verdict<'a> {
    /// This answer.
    Answer(Answer<'a>),
    /// The name belongs to a zone that is configured but could not be loaded.
    ZoneUnavailable,
    /// No zone here has the name.
    NotOurs,
}

/// Answers a question of class IN from the zones. When `dnssec_ok` asks for them, a signed zone adds signatures and the
/// proofs of what it does not have.
///
/// Aliases are followed as long as they lead to names of zones served here, at most
/// [`limits::LOCAL_ALIASES`] of them; a chain that loops or is longer ends where it is, NOERROR.
pub fn answer<'a>(zones: &'a ZoneTable, question: QuestionRef<'a>, dnssec_ok: bool) -> Verdict<'a> {
    let mut zone = match zone_for(zones, question) {
        None => return Verdict::NotOurs,
        Some(ZoneEntry::Unavailable(_)) => return Verdict::ZoneUnavailable,
        Some(ZoneEntry::Loaded(zone)) => zone,
    };
    let mut answering = Answering {
        zone,
        sname: Sname::Borrowed(question.name),
        rr_type: question.rr_type,
        dnssec_ok,
        answer: Answer::empty(Rcode::NOERROR),
    };
    for _ in 0..=limits::LOCAL_ALIASES {
        let Step::Alias(target) = answering.step() else { break };
        match zones.find(target.name()) {
            Some(ZoneEntry::Loaded(next)) => zone = next,
            _ => break,
        }
        (answering.zone, answering.sname) = (zone, target);
    }
    additional::add_addresses(&mut answering);
    Verdict::Answer(answering.answer)
}

/// The zone whose apex is nearest above the name; for DS the zone on the parent's side of a cut, where
/// that is served here (RFC 4035 3.1.4.1).
pub fn zone_for<'a>(zones: &'a ZoneTable, question: QuestionRef<'_>) -> Option<&'a ZoneEntry> {
    let entry = zones.find(question.name)?;
    let at_apex = entry.apex() == question.name;
    if question.rr_type.is_parental() && at_apex {
        zones.find_above(question.name).or(Some(entry))
    } else {
        Some(entry)
    }
}

/// A name being looked for: the one asked, or where an alias led.
#[derive(Debug, Clone)]
pub(super) enum Sname<'a> {
    /// From the request or from a zone.
    Borrowed(NameRef<'a>),
    /// Made by a DNAME.
    Synthesised(Name),
}

impl Sname<'_> {
    pub(super) fn name(&self) -> NameRef<'_> {
        match self {
            Sname::Borrowed(name) => *name,
            Sname::Synthesised(name) => name.as_ref(),
        }
    }
}

/// An answer in the making.
pub(super) struct Answering<'a> {
    pub(super) zone: &'a Zone,
    pub(super) sname: Sname<'a>,
    pub(super) rr_type: RrType,
    pub(super) dnssec_ok: bool,
    pub(super) answer: Answer<'a>,
}

/// Whether the answer is complete.
pub(super) enum Step<'a> {
    Done,
    /// The name is an alias; go on with this one.
    Alias(Sname<'a>),
}

impl<'a> Answering<'a> {
    /// RFC 1034 4.3.2 step 3 for the name at hand.
    fn step(&mut self) -> Step<'a> {
        match self.zone.find(self.sname.name()) {
            Found::Exact(node) => match node.cut() {
                // RFC 4035 3.1.4.1: of all types at a cut, only DS is the parent's to answer.
                Some(cut) if !(self.rr_type.is_parental() && cut.owner() == self.sname.name()) => {
                    referral::refer(self, cut)
                }
                Some(_) => self.answer_at_parent(node),
                None => match dname_of(node.dname_above()) {
                    Some(dname) => alias::redirect(self, dname),
                    None => self.answer_from(node, Synthesis::None),
                },
            },
            Found::Below { closest_encloser } => match closest_encloser.cut() {
                Some(cut) => referral::refer(self, cut),
                None => match dname_of(closest_encloser.dname_at_or_above()) {
                    Some(dname) => alias::redirect(self, dname),
                    None => wildcard::synthesise(self, closest_encloser),
                },
            },
        }
    }

    /// DS at a zone cut: of all that stands there, only this is ours.
    fn answer_at_parent(&mut self, node: Node<'a>) -> Step<'a> {
        self.answer.authoritative = true;
        match node.rrset(RrType::DS) {
            Some(rrset) => self.push_answer(rrset, Synthesis::None),
            None => negative::nodata(self, node, Synthesis::None),
        }
        Step::Done
    }

    /// The records at a node, for the name itself or for one synthesised from it.
    pub(super) fn answer_from(&mut self, node: Node<'a>, synthesis: Synthesis<'a>) -> Step<'a> {
        self.answer.authoritative = true;
        if let Some(rrset) = node.rrset(self.rr_type) {
            self.push_answer(rrset, synthesis);
            return Step::Done;
        }
        match self.rr_type {
            RrType::ANY => any::answer(self, node, synthesis),
            RrType::RRSIG => any::signatures(self, node, synthesis),
            _ => match node.rrset(RrType::CNAME) {
                Some(cname) => alias::follow(self, cname, synthesis),
                None => {
                    negative::nodata(self, node, synthesis);
                    Step::Done
                }
            },
        }
    }

    /// Adds an RRset of the zone to the answer section, with its signatures when they are wanted.
    pub(super) fn push_answer(&mut self, rrset: RrsetRef<'a>, synthesis: Synthesis<'a>) {
        self.push_answer_rrset(AnswerRrset::borrowed(rrset), synthesis);
    }

    /// As [`Answering::push_answer`]; gives the RRset the owner it has in this answer, and says what that rests on.
    pub(super) fn push_answer_rrset(&mut self, rrset: AnswerRrset<'a>, synthesis: Synthesis<'a>) {
        let rrset = rrset.with_signatures(self.dnssec_ok);
        let Synthesis::Wildcard { closest_encloser } = synthesis else {
            return self.answer.answer.push(rrset);
        };
        self.answer.answer.push(match &self.sname {
            Sname::Borrowed(owner) => rrset.with_owner(*owner),
            Sname::Synthesised(owner) => rrset.with_owned_owner(owner.clone()),
        });
        negative::no_closer_match(self, closest_encloser);
    }
}

fn dname_of(node: Option<Node<'_>>) -> Option<RrsetRef<'_>> {
    node.and_then(|node| node.rrset(RrType::DNAME))
}

/// Whether records answer under the name they have in the zone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Synthesis<'a> {
    /// They do.
    None,
    /// They stand at a wildcard and take the name that was looked for (RFC 4592 3.3.1).
    Wildcard {
        /// The parent of the wildcard.
        closest_encloser: Node<'a>,
    },
}
