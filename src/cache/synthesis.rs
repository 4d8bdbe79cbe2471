//! Answers made from what is proven of a zone (RFC 8198): denials of names and types nobody has asked for yet, and data of
//! wildcards. Each is checked as the validator would check it, had it come from a server.

use std::sync::Arc;

use super::answers::{AnswerUsage, CachedAnswer, CachedRrset, Kind};
use super::cache::Cache;
use super::denials::{Proven, Span, Spans, ZoneSpans};
use super::entry::Security;
use crate::clock::Now;
use crate::dns::{Name, NameBuf, NameRef, QuestionRef, RrClass, RrType, Rrset};
use crate::dnssec::denial::{check_nodata, check_nxdomain, check_wildcard_answer};
use crate::dnssec::{Denial, Evidence, Hashes, Nsec};
use crate::limits;

/// What making an answer may cost, and what it has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Iterations of NSEC3.
    pub iterations: u16,
    /// Blocks of SHA-1.
    pub blocks: usize,
    /// A denial has the SOA RRset, which clients need (RFC 2308 3).
    pub with_soa: bool,
}

impl Terms {
    /// For a client who is answered where others wait for their turn.
    pub const AT_ONCE: Terms = Terms {
        iterations: limits::DENIAL_ITERATIONS_AT_ONCE,
        blocks: limits::DENIAL_BLOCKS_AT_ONCE,
        with_soa: true,
    };
    /// Where it delays nobody else.
    pub const IN_FLIGHT: Terms = Terms {
        iterations: limits::NSEC3_ITERATIONS_CHECKED,
        blocks: limits::NSEC3_HASH_BLOCKS,
        with_soa: true,
    };
    /// For a question of our own.
    pub const FOR_OURSELVES: Terms = Terms { with_soa: false, ..Terms::IN_FLIGHT };
}

impl Cache {
    /// Keeps validated RRsets that say more than they were asked for.
    pub fn store_proven(&self, proven: &[Proven], now: Now) {
        if !proven.is_empty() {
            self.denials().put(proven, self.options(), now);
        }
    }

    /// Whether this very RRset, signatures included, is known as one that a zone has proven.
    pub fn is_proven(&self, zone: &Name, rrset: &Rrset, now: Now) -> bool {
        let is_same = |known: &Span| {
            known.rrset.records() == rrset.records() && known.rrset.signatures() == rrset.signatures()
        };
        let spans = self.denials().nearest(zone.as_ref()).filter(|spans| spans.apex == *zone);
        spans.is_some_and(|spans| spans.read(|spans| spans.of(rrset, now).is_some_and(is_same)))
    }

    /// An answer to a question nobody has asked yet, made from what the nearest zone has proven. Whether that zone may
    /// speak of the name, `may_speak` is asked. It may end at an alias; see [`CachedAnswer::is_open`].
    pub fn synthesise(
        &self,
        question: QuestionRef<'_>,
        terms: Terms,
        may_speak: impl FnOnce(NameRef<'_>) -> bool,
        now: Now,
    ) -> Option<Arc<CachedAnswer>> {
        let QuestionRef { name, rr_type, class } = question;
        // RFC 4035 2.6: of a DS RRset the zone above knows.
        let place = rr_type.place(name);
        let zone = self.denials().nearest(place)?;
        if class != RrClass::IN || rr_type == RrType::ANY {
            return None;
        }
        // Another zone begins on the way down to the name: this one knows nothing of it.
        let known = self.closest_delegation(place, now);
        if known.is_some_and(|known| known.apex.as_ref().is_below(zone.apex.as_ref())) {
            return None;
        }
        if !may_speak(zone.apex.as_ref()) {
            return None;
        }
        let made = zone.read(|spans| Search { question, zone: &zone, spans, terms, now }.run());
        made.map(Arc::new)
    }
}

impl CachedAnswer {
    /// Whether it ends at an alias that has to be followed.
    pub fn is_open(&self) -> bool {
        let is_alias = |cached: &CachedRrset| cached.rrset.rr_type == RrType::CNAME;
        self.kind == Kind::Positive
            && self.question.rr_type != RrType::CNAME
            && self.answer.last().is_some_and(is_alias)
    }
}

struct Search<'s> {
    question: QuestionRef<'s>,
    zone: &'s ZoneSpans,
    spans: &'s Spans,
    terms: Terms,
    now: Now,
}

/// RRsets of a chain, by the names they are asked for.
trait Chain<'s> {
    /// That of a name, if the name has one.
    fn matching(&mut self, name: NameRef<'_>) -> Option<&'s Span>;
    /// The one in whose span the name should lie, if it has none itself.
    fn covering(&mut self, name: NameRef<'_>) -> Option<&'s Span>;
    /// Those that show which ancestor of a name is the last to exist, and that one; for a name without RRset.
    fn closest_encloser<'n>(&mut self, name: NameRef<'n>) -> Option<(NameRef<'n>, Vec<&'s Span>)>;
    /// The one that shows that a wildcard is the one to answer for a name.
    fn beside_wildcard(&mut self, name: NameRef<'_>, closest_encloser: NameRef<'_>) -> Option<&'s Span>;
    /// What was hashed so far.
    fn hashes(&mut self) -> &mut Hashes;
}

impl<'s> Search<'s> {
    fn run(&self) -> Option<CachedAnswer> {
        let (spans, now) = (self.spans, self.now);
        let by_nsec = self.run_on(&mut Plain { spans, now, hashes: Hashes::new() });
        by_nsec.or_else(|| {
            let params = spans.params().filter(|params| params.iterations <= self.terms.iterations)?;
            let hashes = Hashes::within(self.terms.blocks);
            self.run_on(&mut Hashed { spans, now, params, apex: self.zone.apex.as_ref(), hashes })
        })
    }

    fn run_on(&self, chain: &mut impl Chain<'s>) -> Option<CachedAnswer> {
        let name = self.question.name;
        if let Some(own) = chain.matching(name) {
            return self.no_data(vec![own], chain);
        }
        if let Some(made) = self.expanded(chain) {
            return Some(made);
        }
        let (closest_encloser, mut proofs) = chain.closest_encloser(name)?;
        // An empty non-terminal: the closest encloser is the name itself.
        if closest_encloser == name {
            return self.no_data(proofs, chain);
        }
        let mut buf = NameBuf::new();
        let wildcard = wildcard_of(closest_encloser, &mut buf)?;
        if let Some(own) = chain.matching(wildcard) {
            proofs.push(own);
            return self.no_data(proofs, chain);
        }
        proofs.push(chain.covering(wildcard)?);
        let is_proven = |evidence: &Evidence<'_>, hashes: &mut Hashes| check_nxdomain(evidence, name, hashes);
        self.is_proven(&proofs, chain, is_proven).then(|| self.denial(Kind::NxDomain, proofs))?
    }

    fn no_data(&self, proofs: Vec<&'s Span>, chain: &mut impl Chain<'s>) -> Option<CachedAnswer> {
        let QuestionRef { name, rr_type, .. } = self.question;
        let check =
            |evidence: &Evidence<'_>, hashes: &mut Hashes| check_nodata(evidence, name, rr_type, hashes);
        self.is_proven(&proofs, chain, check).then(|| self.denial(Kind::NoData, proofs))?
    }

    /// Data of a wildcard, where it is known that nothing nearer to the name exists (RFC 8198 5.3).
    fn expanded(&self, chain: &mut impl Chain<'s>) -> Option<CachedAnswer> {
        let QuestionRef { name, rr_type, .. } = self.question;
        if !self.spans.has_sources() {
            return None;
        }
        let apex = self.zone.apex.as_ref();
        let enclosers = name.ancestors().skip(1).take_while(|encloser| encloser.is_at_or_below(apex));
        let source = |encloser: NameRef<'_>| {
            let mut buf = NameBuf::new();
            let wildcard = wildcard_of(encloser, &mut buf)?;
            let source = |rr_type| self.spans.source(wildcard, rr_type, self.now);
            source(rr_type).or_else(|| source(RrType::CNAME))
        };
        let mut sources =
            enclosers.take(limits::DENIAL_ENCLOSERS).filter_map(|name| Some((name, source(name)?)));
        let (encloser, source) = sources.next()?;
        let proof = chain.beside_wildcard(name, encloser)?;
        let check = |evidence: &Evidence<'_>, hashes: &mut Hashes| {
            check_wildcard_answer(evidence, name, encloser, hashes)
        };
        self.is_proven(&[proof], chain, check).then(|| self.expansion(source, proof))
    }

    /// Opt-out spans prove nothing here (RFC 8198 5.2, RFC 5155 6).
    fn is_proven(
        &self,
        proofs: &[&'s Span],
        chain: &mut impl Chain<'s>,
        check: impl FnOnce(&Evidence<'_>, &mut Hashes) -> Denial,
    ) -> bool {
        let views = proofs.iter().map(|span| span.rrset.view());
        let evidence = Evidence::new(self.zone.apex.as_ref(), views);
        check(&evidence, chain.hashes()) == Denial::Proven
    }

    fn denial(&self, kind: Kind, mut proofs: Vec<&'s Span>) -> Option<CachedAnswer> {
        match self.spans.soa(self.now) {
            Some(soa) => proofs.insert(0, soa),
            None if self.terms.with_soa => return None,
            None => {}
        }
        Some(self.answer(kind, None, &proofs))
    }

    fn expansion(&self, source: &'s Span, proof: &'s Span) -> CachedAnswer {
        let mut rrset = Rrset::clone(&source.rrset);
        rrset.owner = self.question.name.to_name();
        self.zone.note_use([source]);
        self.answer(Kind::Positive, Some((rrset, source)), &[proof])
    }

    /// It ends with the first of what it is made of (RFC 8198 5.4).
    fn answer(&self, kind: Kind, data: Option<(Rrset, &Span)>, authority: &[&'s Span]) -> CachedAnswer {
        let ends = authority.iter().map(|span| span.expires).chain(data.iter().map(|(_, from)| from.expires));
        let expires = ends.min().unwrap_or(self.now.age);
        self.zone.note_use(authority.iter().copied());
        let mut shown: Vec<CachedRrset> = Vec::with_capacity(authority.len());
        for span in authority {
            // One span may hold both the name and the wildcard.
            if !shown.iter().any(|cached| Arc::ptr_eq(&cached.rrset, &span.rrset)) {
                shown.push(CachedRrset { rrset: span.rrset.clone(), expires });
            }
        }
        CachedAnswer {
            question: self.question.to_question(),
            kind,
            answer: data
                .map(|(rrset, _)| CachedRrset { rrset: Arc::new(rrset), expires })
                .into_iter()
                .collect(),
            authority: shown.into(),
            expires,
            stored: self.now.age,
            security: Security::Secure,
            error: None,
            usage: AnswerUsage::default(),
        }
    }
}

struct Plain<'s> {
    spans: &'s Spans,
    now: Now,
    hashes: Hashes,
}

impl<'s> Chain<'s> for Plain<'s> {
    fn matching(&mut self, name: NameRef<'_>) -> Option<&'s Span> {
        self.spans.nsec(name, self.now).filter(|span| span.rrset.owner.as_ref() == name)
    }

    fn covering(&mut self, name: NameRef<'_>) -> Option<&'s Span> {
        self.spans.nsec(name, self.now)
    }

    fn closest_encloser<'n>(&mut self, name: NameRef<'n>) -> Option<(NameRef<'n>, Vec<&'s Span>)> {
        let span = self.covering(name)?;
        let next = Nsec::read(span.rrset.records().first()?)?.next;
        // RFC 4035 5.4: owner and next name exist, and so does what is above them.
        let labels = name.common_labels(span.rrset.owner.as_ref()).max(name.common_labels(next));
        Some((name.trim_to(labels), vec![span]))
    }

    fn beside_wildcard(&mut self, name: NameRef<'_>, _: NameRef<'_>) -> Option<&'s Span> {
        self.covering(name)
    }

    fn hashes(&mut self) -> &mut Hashes {
        &mut self.hashes
    }
}

struct Hashed<'s> {
    spans: &'s Spans,
    now: Now,
    params: &'s crate::dnssec::Nsec3Params,
    apex: NameRef<'s>,
    hashes: Hashes,
}

impl<'s> Hashed<'s> {
    fn find(&mut self, name: NameRef<'_>) -> Option<(&'s Span, bool)> {
        self.spans.nsec3(self.hashes.of(name, self.params)?, self.now)
    }
}

impl<'s> Chain<'s> for Hashed<'s> {
    fn matching(&mut self, name: NameRef<'_>) -> Option<&'s Span> {
        self.find(name).filter(|(_, is_match)| *is_match).map(|(span, _)| span)
    }

    fn covering(&mut self, name: NameRef<'_>) -> Option<&'s Span> {
        self.find(name).filter(|(_, is_match)| !is_match).map(|(span, _)| span)
    }

    /// RFC 5155 8.3. What is above the closest encloser exists, too, so the first match from below is the one.
    fn closest_encloser<'n>(&mut self, name: NameRef<'n>) -> Option<(NameRef<'n>, Vec<&'s Span>)> {
        let mut next_closer = name;
        let apex = self.apex;
        let enclosers = name.ancestors().skip(1).take_while(|encloser| encloser.is_at_or_below(apex));
        for encloser in enclosers.take(limits::DENIAL_ENCLOSERS) {
            if let Some(own) = self.matching(encloser) {
                return Some((encloser, vec![own, self.covering(next_closer)?]));
            }
            next_closer = encloser;
        }
        None
    }

    fn beside_wildcard(&mut self, name: NameRef<'_>, closest_encloser: NameRef<'_>) -> Option<&'s Span> {
        self.covering(name.trim_to(closest_encloser.label_count() + 1))
    }

    fn hashes(&mut self) -> &mut Hashes {
        &mut self.hashes
    }
}

/// The wildcard below a name. None where it would be too long to exist.
fn wildcard_of<'b>(encloser: NameRef<'_>, buf: &'b mut NameBuf) -> Option<NameRef<'b>> {
    buf.push_label(b"*").ok()?;
    buf.finish_with(encloser).ok()
}

/// The data of a wildcard as it was signed, from what was made of it for a name whose closest encloser has so many labels.
pub fn source_of(rrset: &Rrset, labels: usize) -> Option<Rrset> {
    let mut buf = NameBuf::new();
    let mut source = rrset.clone();
    source.owner = wildcard_of(rrset.owner.as_ref().trim_to(labels), &mut buf)?.to_name();
    Some(source)
}
