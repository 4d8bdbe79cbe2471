//! Aliases within one reply: CNAME (RFC 1034 3.6.2) and DNAME (RFC 6672), followed as far as the reply goes.

use crate::dns::{Name, NameBuf, NameRef, Question, RecordsBuf, RrType, Rrset};
use crate::limits;

/// What the answer section says of a question.
#[derive(Debug)]
pub struct Chain {
    /// Aliases in the order they were followed, then the data they lead to. CNAMEs that a DNAME implies are made
    /// here, not taken from the reply.
    pub rrsets: Vec<Rrset>,
    /// Each alias: from, to.
    pub aliases: Vec<(Name, Name)>,
    /// The last name.
    pub end: Name,
    /// What stands at it.
    pub at_end: AtEnd,
}

/// What stands at the end of a chain of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// The data asked for.
    Data,
    /// Nothing, as far as this reply says.
    Nothing,
    /// A DNAME whose result would be no name (RFC 6672 2.2).
    Overlong,
}

/// How the aliases of a reply contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junk {
    /// A name with more than one alias (RFC 2181 10.1).
    SeveralAliases,
    /// A CNAME that is not what the DNAME beside it implies (RFC 6672 3.1).
    FalseSynthesis,
}

/// Follows the aliases from the question's name through a scrubbed answer section. A ring ends where it closes.
pub fn follow(question: &Question, answer: &[Rrset]) -> Result<Chain, Junk> {
    let end = question.name.clone();
    let mut chain = Chain { rrsets: Vec::new(), aliases: Vec::new(), end, at_end: AtEnd::Nothing };
    // One more than may be followed, so that whoever counts sees that the bound is passed.
    for _ in 0..=limits::ALIASES {
        let here = |rr_type: RrType| {
            answer.iter().find(|rrset| rrset.rr_type == rr_type && rrset.owner == chain.end)
        };
        // RFC 6672 2.4: nothing exists below a DNAME, so it is looked for before anything else.
        let dname = answer.iter().find(|rrset| {
            rrset.rr_type == RrType::DNAME && chain.end.as_ref().is_below(rrset.owner.as_ref())
        });
        let target = if let Some(dname) = dname {
            let Some(synthesised) = synthesise(chain.end.as_ref(), dname)? else {
                chain.rrsets.push(dname.clone());
                chain.at_end = AtEnd::Overlong;
                return Ok(chain);
            };
            let target = only_name(&synthesised)?.to_name();
            // RFC 6672 3.1: the CNAME sent along is for those who know no DNAME. It must not lead elsewhere.
            if here(RrType::CNAME).is_some_and(|cname| only_name(cname).ok() != Some(target.as_ref())) {
                return Err(Junk::FalseSynthesis);
            }
            chain.rrsets.extend([dname.clone(), synthesised]);
            target
        } else {
            let is_data = |rrset: &&Rrset| {
                let is_type = question.rr_type == RrType::ANY || rrset.rr_type == question.rr_type;
                is_type && rrset.owner == chain.end
            };
            let data: Vec<_> = answer.iter().filter(is_data).cloned().collect();
            if !data.is_empty() {
                chain.rrsets.extend(data);
                chain.at_end = AtEnd::Data;
                return Ok(chain);
            }
            let Some(cname) = here(RrType::CNAME) else { return Ok(chain) };
            let target = only_name(cname)?.to_name();
            let cname = cname.clone();
            chain.rrsets.push(cname);
            target
        };
        let closes = chain.end == target || chain.aliases.iter().any(|(from, _)| *from == target);
        chain.aliases.push((std::mem::replace(&mut chain.end, target.clone()), target));
        if closes {
            return Ok(chain);
        }
    }
    Ok(chain)
}

/// The name a CNAME or DNAME RRset leads to. More than one record is a contradiction (RFC 2181 10.1, RFC 6672 2.4).
fn only_name(rrset: &Rrset) -> Result<NameRef<'_>, Junk> {
    let mut records = rrset.records().iter();
    match (records.next(), records.next()) {
        (Some(rdata), None) => NameRef::from_wire(rdata).map_err(|_| Junk::SeveralAliases),
        _ => Err(Junk::SeveralAliases),
    }
}

/// The CNAME that `dname` implies for `name`, which lies below its owner (RFC 6672 2.2); none when the result is too
/// long. It lives as long as the DNAME (RFC 6672 3.1).
fn synthesise(name: NameRef<'_>, dname: &Rrset) -> Result<Option<Rrset>, Junk> {
    let kept = name.label_count() - dname.owner.as_ref().label_count();
    let mut target = NameBuf::new();
    let suffix = only_name(dname)?;
    let pushed = name.labels().take(kept).try_for_each(|label| target.push_label(label));
    let Ok(target) = pushed.and_then(|()| target.finish_with(suffix)) else { return Ok(None) };
    let records: RecordsBuf = [target.octets()].into_iter().collect();
    Ok(Some(Rrset::new(name.to_name(), RrType::CNAME, dname.ttl, records, RecordsBuf::new())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::testing::{question, reply};

    fn followed(asked: &str, answer: &str) -> String {
        match follow(&question(asked), &reply("aa", answer, "", "").answer) {
            Err(junk) => format!("{junk:?}"),
            Ok(chain) => {
                let types: Vec<_> = chain.rrsets.iter().map(|rrset| rrset.rr_type.to_string()).collect();
                format!("{} {} {:?}", types.join("+"), chain.end, chain.at_end)
            }
        }
    }

    #[test]
    fn aliases_are_followed_as_far_as_the_reply_goes() {
        let long = "l".repeat(63);
        let overlong = format!("{long}.{long}.{long}.b.");
        let dname = "b. DNAME c. | a.b. CNAME a.c. | a.c. A 192.0.2.1";
        for (asked, answer, want) in [
            ("a. A", "a. A 192.0.2.1", "A a. Data"),
            ("a. A", "b. A 192.0.2.1", " a. Nothing"),
            ("a. A", "a. CNAME b. | b. A 192.0.2.1", "CNAME+A b. Data"),
            ("a. A", "b. A 192.0.2.1 | a. CNAME b.", "CNAME+A b. Data"),
            ("a. A", "a. CNAME b. | b. CNAME c.", "CNAME+CNAME c. Nothing"),
            ("a. CNAME", "a. CNAME b. | b. CNAME c.", "CNAME a. Data"),
            ("a. ANY", "a. CNAME b. | b. A 192.0.2.1", "CNAME a. Data"),
            ("a. ANY", "a. A 192.0.2.1 | a. TXT x", "A+TXT a. Data"),
            ("a. A", "a. CNAME b. | b. CNAME a.", "CNAME+CNAME a. Nothing"),
            ("a. A", "a. CNAME a.", "CNAME a. Nothing"),
            ("a. A", "a. CNAME b. | a. CNAME c.", "SeveralAliases"),
            ("a.b. A", dname, "DNAME+CNAME+A a.c. Data"),
            ("a.b. A", "b. DNAME c. | a.c. A 192.0.2.1", "DNAME+CNAME+A a.c. Data"),
            ("a.b. A", "b. DNAME c. | a.b. CNAME evil.c. | evil.c. A 192.0.2.1", "FalseSynthesis"),
            ("a.b. CNAME", "b. DNAME c. | a.b. CNAME a.c.", "DNAME+CNAME a.c. Nothing"),
            ("a.b. A", "b. DNAME c. | a.b. A 192.0.2.1", "DNAME+CNAME a.c. Nothing"),
            ("b. A", "b. DNAME c. | b. A 192.0.2.1", "A b. Data"),
            ("b. DNAME", "b. DNAME c.", "DNAME b. Data"),
        ] {
            assert_eq!(followed(asked, answer), want, "{asked} in {answer}");
        }
        let grows = format!("b. DNAME {long}.");
        let want = format!("DNAME {overlong} Overlong");
        assert_eq!(followed(&format!("{overlong} A"), &grows), want);
    }

    #[test]
    fn a_chain_is_followed_one_step_past_its_bound() {
        let links: Vec<_> = (0..300).map(|at| format!("a{at}. CNAME a{}.", at + 1)).collect();
        let chain = follow(&question("a0. A"), &reply("aa", &links.join(" | "), "", "").answer).unwrap();
        assert_eq!(chain.aliases.len() as u32, limits::ALIASES + 1);
    }
}
