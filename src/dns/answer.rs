//! The currency of the house: what every engine produces and one writer turns into octets.

use super::{ExtendedError, Name, NameRef, Rcode, RrsetRef, SharedRrset, Ttl};

/// What is to be said about a question. RRsets are borrowed from a zone or shared with a cache, and the
/// few of an ordinary answer are held inline, so making one allocates nothing.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The response code, EDNS bits included.
    pub rcode: Rcode,
    /// AA: the answer comes from a zone served here (RFC 1035 4.1.1).
    pub authoritative: bool,
    /// AD: the answer was validated (RFC 4035 3.2.3).
    pub authentic: bool,
    /// Why, for the one who asked (RFC 8914).
    pub extended_error: Option<ExtendedError>,
    /// The answer section.
    pub answer: Section<'a>,
    /// The authority section.
    pub authority: Section<'a>,
    /// The additional section, without OPT.
    pub additional: AdditionalSection<'a>,
}

/// RRsets of the answer or authority section.
pub type Section<'a> = RrsetList<'a, 4>;

/// RRsets of the additional section, with room inline for the addresses of five servers.
pub type AdditionalSection<'a> = RrsetList<'a, 10>;

/// RRsets of one section, in the order they are written: the first `N` inline, the rest on the heap.
///
/// Invariant: the heap is empty unless all inline places are taken.
#[derive(Debug, Clone)]
pub struct RrsetList<'a, const N: usize> {
    inline: [Option<AnswerRrset<'a>>; N],
    count: usize,
    heap: Vec<AnswerRrset<'a>>,
}

impl<'a, const N: usize> RrsetList<'a, N> {
    /// No RRset yet.
    pub fn new() -> RrsetList<'a, N> {
        RrsetList { inline: std::array::from_fn(|_| None), count: 0, heap: Vec::new() }
    }

    /// Adds one at the end.
    pub fn push(&mut self, rrset: AnswerRrset<'a>) {
        match self.inline.get_mut(self.count) {
            Some(place) => *place = Some(rrset),
            None => self.heap.push(rrset),
        }
        self.count += 1;
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// From the first to the last.
    pub fn iter(&self) -> impl Iterator<Item = &AnswerRrset<'a>> {
        self.inline[..self.count.min(N)].iter().flatten().chain(&self.heap)
    }
}

impl<const N: usize> Default for RrsetList<'_, N> {
    fn default() -> Self {
        RrsetList::new()
    }
}

impl<'a, const N: usize> FromIterator<AnswerRrset<'a>> for RrsetList<'a, N> {
    fn from_iter<I: IntoIterator<Item = AnswerRrset<'a>>>(rrsets: I) -> Self {
        let mut list = RrsetList::new();
        rrsets.into_iter().for_each(|rrset| list.push(rrset));
        list
    }
}

impl<'a> Answer<'a> {
    /// An answer with no RRset in it.
    pub fn empty(rcode: Rcode) -> Answer<'a> {
        Answer {
            rcode,
            authoritative: false,
            authentic: false,
            extended_error: None,
            answer: Section::new(),
            authority: Section::new(),
            additional: AdditionalSection::new(),
        }
    }

    /// An answer with no RRset in it, and the reason.
    pub fn failure(rcode: Rcode, error: ExtendedError) -> Answer<'a> {
        Answer { extended_error: Some(error), ..Answer::empty(rcode) }
    }
}

/// An RRset as it stands in an answer.
#[derive(Debug, Clone)]
pub struct AnswerRrset<'a> {
    held: Held<'a>,
    owner: Owner<'a>,
    /// The TTL to write: that of the RRset, or less when it has aged or is a negative answer's SOA.
    pub ttl: Ttl,
    /// Whether the RRSIGs that cover it are written too.
    pub with_signatures: bool,
    /// In the additional section: a response that leaves this RRset out is truncated and says so (glue
    /// the referral cannot do without, RFC 9471).
    pub required: bool,
}

#[derive(Debug, Clone)]
enum Held<'a> {
    Borrowed(RrsetRef<'a>),
    Shared(SharedRrset),
}

#[derive(Debug, Clone)]
enum Owner<'a> {
    OfRrset,
    Borrowed(NameRef<'a>),
    Owned(Name),
}

impl<'a> AnswerRrset<'a> {
    /// An RRset that a zone in the snapshot owns.
    pub fn borrowed(rrset: RrsetRef<'a>) -> AnswerRrset<'a> {
        AnswerRrset::held(rrset.ttl, Held::Borrowed(rrset))
    }

    /// An RRset shared with a cache, or made for this answer.
    pub fn shared(rrset: SharedRrset) -> AnswerRrset<'a> {
        AnswerRrset::held(rrset.ttl, Held::Shared(rrset))
    }

    fn held(ttl: Ttl, held: Held<'a>) -> AnswerRrset<'a> {
        AnswerRrset { held, owner: Owner::OfRrset, ttl, with_signatures: false, required: false }
    }

    /// The same records under another owner name: synthesis from a wildcard (RFC 4592 2.2.2).
    pub fn with_owner(self, owner: NameRef<'a>) -> AnswerRrset<'a> {
        AnswerRrset { owner: Owner::Borrowed(owner), ..self }
    }

    /// As [`AnswerRrset::with_owner`] for a name that was itself synthesised.
    pub fn with_owned_owner(self, owner: Name) -> AnswerRrset<'a> {
        AnswerRrset { owner: Owner::Owned(owner), ..self }
    }

    /// With another TTL.
    pub fn with_ttl(self, ttl: Ttl) -> AnswerRrset<'a> {
        AnswerRrset { ttl, ..self }
    }

    /// With its RRSIGs, when `dnssec_ok` asks for them.
    pub fn with_signatures(self, dnssec_ok: bool) -> AnswerRrset<'a> {
        AnswerRrset { with_signatures: dnssec_ok, ..self }
    }

    /// As one that must not be left out silently.
    pub fn required(self) -> AnswerRrset<'a> {
        AnswerRrset { required: true, ..self }
    }

    /// The RRset when it is borrowed, and so outlives this answer, under the owner it has there.
    pub fn borrowed_rrset(&self) -> Option<RrsetRef<'a>> {
        match &self.held {
            Held::Borrowed(rrset) => Some(*rrset),
            Held::Shared(_) => None,
        }
    }

    /// The RRset as it is written: owner and TTL of this answer.
    pub fn rrset(&self) -> RrsetRef<'_> {
        let rrset = match &self.held {
            Held::Borrowed(rrset) => *rrset,
            Held::Shared(rrset) => rrset.view(),
        };
        let owner = match &self.owner {
            Owner::OfRrset => rrset.owner,
            Owner::Borrowed(owner) => *owner,
            Owner::Owned(owner) => owner.as_ref(),
        };
        RrsetRef { owner, ttl: self.ttl, ..rrset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{RecordsBuf, RrType, Rrset};

    #[test]
    fn a_list_keeps_its_order_beyond_its_inline_places() {
        let mut list = Section::new();
        assert!(list.is_empty());
        for number in 0..9 {
            let set =
                Rrset::new(Name::root(), RrType(number), Ttl::ZERO, RecordsBuf::new(), RecordsBuf::new());
            list.push(AnswerRrset::shared(set.into()));
        }
        let types: Vec<u16> = list.iter().map(|rrset| rrset.rrset().rr_type.0).collect();
        assert_eq!(types, (0..9).collect::<Vec<_>>());
        assert_eq!(list.len(), 9);
    }
}
