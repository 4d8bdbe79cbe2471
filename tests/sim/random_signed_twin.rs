//! The slow obvious twin of a validating resolver: it has the whole tree before it, knows how each zone is signed and what is
//! wrong with it, and says which answer is right and what is to be thought of it.

use namu::cache::Security;
use namu::clock::Now;
use namu::dns::{Name, NameRef, Question, Rcode, RrType};

use crate::random_signed_tree::{Chain, ENDS, How, SPOILS, Told, Tree, suffix};
use crate::twin::Record;

/// What is right.
#[derive(Debug)]
pub struct Right {
    pub rcode: Rcode,
    /// The answer section, sorted. Of ANY each record that may be in it.
    pub records: Vec<Record>,
    /// Of the whole.
    pub security: Security,
    /// One after the other.
    pub steps: Vec<Said>,
}

/// One thing a zone says on the way to an answer.
#[derive(Debug)]
pub struct Said {
    pub zone: usize,
    pub what: What,
    pub security: Security,
    /// Nobody on the way can make it less than secure without being found out.
    pub is_firm: bool,
    /// See [`State::is_vague`].
    pub is_vague: bool,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Data,
    /// Data of a wildcard.
    Expanded,
    /// The name has not the type.
    NoData,
    /// The name owns nothing and is above others.
    Empty,
    /// A wildcard answers for it and has not the type.
    WildNoData,
    NxDomain,
}

/// What is to be thought of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub security: Security,
    /// No zone on the way to it counts as unsigned where it denies.
    is_firm: bool,
    /// It is bogus, not all of it is signed, and a zone above counts as unsigned where it denies: who has not seen its
    /// delegation takes it for part of that.
    is_vague: bool,
}

/// Where an answer for a name comes from.
enum Source {
    Name,
    Empty,
    Wildcard(Name),
    None,
}

impl Tree {
    pub fn right(&self, question: &Question, now: Now) -> Right {
        let (mut name, mut records, mut steps) = (question.name.clone(), Vec::new(), Vec::new());
        let mut passed: Vec<Name> = Vec::new();
        let rr_type = question.rr_type;
        let rcode = loop {
            if passed.contains(&name) {
                break Rcode::SERVFAIL;
            }
            let at = self.speaker(&name, rr_type);
            let zone = &self.zones[at];
            let of_zone = &zone.made.records;
            let dname = of_zone.iter().find(|(owner, rr_type, _)| {
                *rr_type == RrType::DNAME && name.as_ref().is_below(owner.as_ref())
            });
            if let Some((owner, _, target)) = dname {
                records.push((owner.to_string(), RrType::DNAME, target.clone()));
                steps.push(self.said(at, What::Data, owner, RrType::DNAME, now));
                let target = NameRef::from_wire(target).unwrap().to_string();
                let kept = name.to_string();
                let kept = &kept[..kept.len() - owner.to_string().len()];
                let target = if target == "." { "" } else { &target };
                let to: Name = format!("{kept}{target}").parse().expect("none is too long");
                records.push((name.to_string(), RrType::CNAME, to.octets().to_vec()));
                passed.push(std::mem::replace(&mut name, to));
                continue;
            }
            let (owner, is_expanded) = match source(&name, zone.apex.as_ref(), of_zone) {
                Source::Name => (name.clone(), false),
                Source::Wildcard(wildcard) => (wildcard, true),
                Source::Empty => {
                    steps.push(self.said(at, What::Empty, &name, rr_type, now));
                    break Rcode::NOERROR;
                }
                Source::None => {
                    steps.push(self.said(at, What::NxDomain, &name, rr_type, now));
                    break Rcode::NXDOMAIN;
                }
            };
            let of = |wanted: &dyn Fn(RrType) -> bool| -> Vec<Record> {
                let own = of_zone.iter().filter(|(at, rr_type, _)| *at == owner && wanted(*rr_type));
                own.map(|(_, rr_type, rdata)| (name.to_string(), *rr_type, rdata.clone())).collect()
            };
            let data = of(&|own| own == rr_type || rr_type == RrType::ANY);
            let what = if is_expanded { What::Expanded } else { What::Data };
            if !data.is_empty() {
                steps.push(self.said(at, what, &owner, rr_type, now));
                records.extend(data);
                break Rcode::NOERROR;
            }
            let Some(alias) = of(&|own| own == RrType::CNAME).pop() else {
                let what = if is_expanded { What::WildNoData } else { What::NoData };
                steps.push(self.said(at, what, &name, rr_type, now));
                break Rcode::NOERROR;
            };
            steps.push(self.said(at, what, &owner, RrType::CNAME, now));
            let to = NameRef::from_wire(&alias.2).unwrap().to_name();
            records.push(alias);
            passed.push(std::mem::replace(&mut name, to));
        };
        records.sort();
        records.dedup();
        let security = steps.iter().map(|said| said.security).max_by_key(|security| rank(*security)).unwrap();
        Right { rcode, records, security, steps }
    }

    /// RFC 4035 2.6: what DS there is, the zone above says.
    fn speaker(&self, name: &Name, rr_type: RrType) -> usize {
        let at = self.zone_of(name);
        match self.zones[at].parent {
            Some(parent) if rr_type == RrType::DS && self.zones[at].apex == *name => parent,
            _ => at,
        }
    }

    fn said(&self, at: usize, what: What, owner: &Name, rr_type: RrType, now: Now) -> Said {
        let state = self.state(at, now);
        let security = match state.security {
            Security::Secure => self.of_secure(at, what, owner, rr_type),
            other => other,
        };
        let is_firm = state.is_firm && matches!(security, Security::Secure | Security::Bogus);
        let is_unsigned = SPOILS[self.zones[at].plan.spoil] == ["unsigned"] && security == Security::Bogus;
        let is_vague = state.is_vague || is_unsigned && !state.is_firm;
        Said { zone: at, what, security, is_firm, is_vague }
    }

    /// What is to be thought of what a zone says that has a chain of trust.
    fn of_secure(&self, at: usize, what: What, owner: &Name, rr_type: RrType) -> Security {
        let Tree { zones, .. } = self;
        let plan = &zones[at].plan;
        let is_spoilt = || {
            let bad = owner.as_ref().first_label() == Some(b"bad") && rr_type == RrType::A;
            bad && owner.as_ref().parent() == Some(zones[at].apex.as_ref()) && plan.spoil != 0
        };
        match what {
            // RFC 9276 3.2: what is not denied in a way that counts need not be signed.
            What::Data
                if is_spoilt() && SPOILS[plan.spoil] == ["unsigned"] && plan.chain == Chain::TooDear =>
            {
                Security::Insecure
            }
            What::Data if is_spoilt() => Security::Bogus,
            What::Data => Security::Secure,
            _ if plan.chain == Chain::TooDear => Security::Insecure,
            // RFC 5155 8.5 and 8.6: the name has a record of its own.
            What::NoData | What::Empty if plan.chain == Chain::OptOut => match self.is_left_out(at, owner) {
                true => Security::Insecure,
                false => Security::Secure,
            },
            // RFC 5155 9.2.
            _ if plan.chain == Chain::OptOut => Security::Insecure,
            _ => Security::Secure,
        }
    }

    /// Opt-out: all there is at and below a name are delegations without DS.
    fn is_left_out(&self, at: usize, name: &Name) -> bool {
        let zone = &self.zones[at];
        let has_ds = |name: &Name| {
            zone.made.records.iter().any(|(owner, rr_type, _)| *rr_type == RrType::DS && owner == name)
        };
        let child = |owner: &Name| {
            let children = self.zones.iter().filter(|child| child.parent == Some(at));
            children
                .into_iter()
                .find(|child| owner.as_ref().is_at_or_below(child.apex.as_ref()))
                .map(|child| &child.apex)
        };
        let mut below = zone.made.records.iter().filter(|(owner, rr_type, _)| {
            owner.as_ref().is_at_or_below(name.as_ref()) && *rr_type != RrType::NSEC3
        });
        below.all(|(owner, ..)| child(owner).is_some_and(|child| !has_ds(child)))
    }

    /// What is to be thought of a zone, whatever it says.
    pub fn state(&self, at: usize, now: Now) -> State {
        let insecure = State { security: Security::Insecure, is_firm: false, is_vague: false };
        let apex = &self.zones[at].apex;
        let has_ended = now.unix.seconds() >= self.began + ENDS;
        for above in apex.as_ref().ancestors() {
            let is_it = |name: &Name| name.as_ref() == above;
            let mut negative = self.negative.iter().filter(|anchor| is_it(&anchor.apex));
            if negative.any(|anchor| anchor.until.is_none() || !has_ended) {
                return insecure;
            }
            if self.anchors.iter().any(is_it) {
                let anchored = self.zones.iter().position(|zone| is_it(&zone.apex)).unwrap();
                return self.below(anchored, at, has_ended);
            }
        }
        State { security: Security::Indeterminate, is_firm: false, is_vague: false }
    }

    /// Of a zone at or below one whose key is trusted.
    fn below(&self, anchored: usize, at: usize, has_ended: bool) -> State {
        let (zone, is_anchored) = (&self.zones[at], at == anchored);
        let mut state = State { security: Security::Secure, is_firm: true, is_vague: false };
        if !is_anchored {
            state = self.below(anchored, zone.parent.expect("the anchor is above"), has_ended);
        }
        let is_sound = state.security == Security::Secure;
        state.security = match (zone.plan.told, zone.plan.how) {
            _ if !is_sound => state.security,
            (Told::None | Told::Unknown, _) if !is_anchored => Security::Insecure,
            (_, How::Unknown) => Security::Insecure,
            (Told::Wrong, _) if !is_anchored => Security::Bogus,
            (_, How::Unsigned | How::Expired | How::Future) => Security::Bogus,
            (_, How::Ending) if has_ended => Security::Bogus,
            _ => Security::Secure,
        };
        let is_unsigned = zone.plan.how == How::Unsigned || SPOILS[zone.plan.spoil] == ["unsigned"];
        state.is_vague |= state.security == Security::Bogus && is_unsigned && !state.is_firm;
        state.is_firm &= zone.plan.chain != Chain::TooDear;
        state
    }
}

/// The worse of two is what both together are.
fn rank(security: Security) -> usize {
    use Security::*;
    [Secure, Insecure, Indeterminate, Bogus].iter().position(|known| *known == security).unwrap()
}

/// RFC 4592 3.3.1: itself when it exists, else the wildcard below its closest encloser. The records of a chain stand beside
/// the names that exist.
fn source(name: &Name, apex: NameRef<'_>, records: &[(Name, RrType, Vec<u8>)]) -> Source {
    let owners =
        || records.iter().filter(|(_, rr_type, _)| *rr_type != RrType::NSEC3).map(|(owner, ..)| owner);
    let exists = |name: NameRef<'_>| owners().any(|owner| owner.as_ref().is_at_or_below(name));
    if owners().any(|owner| owner == name) {
        return Source::Name;
    }
    if exists(name.as_ref()) {
        return Source::Empty;
    }
    let mut encloser = name.as_ref().parent().expect("the root exists");
    while !exists(encloser) && encloser != apex {
        encloser = encloser.parent().expect("the apex exists");
    }
    let wildcard: Name = format!("*{}", suffix(&encloser.to_string())).parse().unwrap();
    match owners().any(|owner| *owner == wildcard) {
        true => Source::Wildcard(wildcard),
        false => Source::None,
    }
}
