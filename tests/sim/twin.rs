//! The slow obvious twin of a resolver: it has all zones before it and looks through all their records.

use namu::dns::{Name, NameRef, Question, Rcode, RrType};
use namu::zonefile::{Files, NoIncludes, parse};

/// Owner, type and RDATA of a record.
pub type Record = (String, RrType, Vec<u8>);

type Records = Vec<(Name, RrType, Vec<u8>)>;

/// All zones.
#[derive(Default)]
pub struct Twin {
    zones: Vec<(Name, Records)>,
}

impl Twin {
    /// One more zone, unless it is known.
    pub fn serve(&mut self, apex: &str, text: &str) {
        let name: Name = apex.parse().unwrap();
        if self.zones.iter().any(|(known, _)| *known == name) {
            return;
        }
        let mut records = Records::new();
        let mut files = Files::new(apex, text.as_bytes().to_vec());
        parse(&mut files, name.as_ref(), &NoIncludes, &mut |record| {
            records.push((record.owner.to_name(), record.rr_type, record.rdata.to_vec()));
        })
        .unwrap();
        self.zones.push((name, records));
    }

    /// The response code and the answer section, sorted. None when a zone on the way is served by nobody.
    pub fn answer(&self, question: &Question) -> Option<(Rcode, Vec<Record>)> {
        let (mut name, mut answer, mut passed) = (question.name.clone(), Vec::new(), Vec::<Name>::new());
        let rcode = loop {
            if passed.contains(&name) {
                return Some((Rcode::SERVFAIL, Vec::new()));
            }
            let at = |zone: &&(Name, _)| name.as_ref().is_at_or_below(zone.0.as_ref());
            let zone = self.zones.iter().filter(at).max_by_key(|zone| zone.0.as_ref().label_count())?;
            let (apex, records) = zone;
            let is_above = |owner: &Name| name.as_ref().is_below(owner.as_ref());
            if records.iter().any(|(owner, rr_type, _)| {
                *rr_type == RrType::NS && owner != apex && (is_above(owner) || *owner == name)
            }) {
                return None;
            }
            if let Some((owner, _, target)) =
                records.iter().find(|(owner, rr_type, _)| *rr_type == RrType::DNAME && is_above(owner))
            {
                answer.push((owner.to_string(), RrType::DNAME, target.clone()));
                let target = NameRef::from_wire(target).unwrap().to_string();
                let kept = name.to_string();
                let kept = &kept[..kept.len() - owner.to_string().len()];
                let Ok(to) = format!("{kept}{target}").parse::<Name>() else { break Rcode::YXDOMAIN };
                answer.push((name.to_string(), RrType::CNAME, to.octets().to_vec()));
                passed.push(std::mem::replace(&mut name, to));
                continue;
            }
            let Some(source) = source(&name, records) else { break Rcode::NXDOMAIN };
            let of = |wanted: RrType| {
                records
                    .iter()
                    .filter(|(owner, rr_type, _)| *owner == source && *rr_type == wanted)
                    .map(|(_, rr_type, rdata)| (name.to_string(), *rr_type, rdata.clone()))
                    .collect::<Vec<_>>()
            };
            let data = of(question.rr_type);
            if !data.is_empty() {
                answer.extend(data);
                break Rcode::NOERROR;
            }
            let Some(alias) = of(RrType::CNAME).pop() else { break Rcode::NOERROR };
            let to = NameRef::from_wire(&alias.2).unwrap().to_name();
            answer.push(alias);
            passed.push(std::mem::replace(&mut name, to));
        };
        answer.sort();
        answer.dedup();
        Some((rcode, answer))
    }
}

/// The name whose records answer for `name`: itself when it exists, else the wildcard below its closest encloser
/// (RFC 4592 3.3.1).
fn source(name: &Name, records: &[(Name, RrType, Vec<u8>)]) -> Option<Name> {
    let exists = |name: NameRef<'_>| records.iter().any(|(owner, ..)| owner.as_ref().is_at_or_below(name));
    if exists(name.as_ref()) {
        return Some(name.clone());
    }
    let mut encloser = name.as_ref().parent()?;
    while !exists(encloser) {
        encloser = encloser.parent()?;
    }
    let wildcard: Name = format!("*.{encloser}").parse().ok()?;
    records.iter().any(|(owner, ..)| *owner == wildcard).then_some(wildcard)
}
