//! Domain names in wire form (RFC 1035 3.1): compared without regard to ASCII case, shown as written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Most octets of a name in wire form, the root label included (RFC 1035 2.3.4).
pub const MAX_NAME_OCTETS: usize = 255;
/// Most octets of one label (RFC 1035 2.3.4).
pub const MAX_LABEL_OCTETS: usize = 63;
/// Most labels of a name, the root label not counted: 127 labels of one octet and the root fill 255 octets.
pub const MAX_LABELS: usize = 127;

/// Why octets or text are not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// The octets end before the root label.
    Truncated,
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets in all.
    NameTooLong,
    /// A label of no octets where one is not allowed.
    EmptyLabel,
    /// An escape that is not `\DDD` up to 255 nor a backslash and one character.
    BadEscape,
    /// A label type other than an ordinary label, or a compression pointer where none is allowed.
    BadLabelType,
    /// A compression pointer that does not point backwards, or too many of them.
    BadPointer,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Truncated => "the name is cut short",
            NameError::LabelTooLong => "a label has more than 63 octets",
            NameError::NameTooLong => "the name has more than 255 octets",
            NameError::EmptyLabel => "the name has an empty label",
            NameError::BadEscape => {
                "an escape is neither \\DDD (000 to 255) nor a backslash and one character"
            }
            NameError::BadLabelType => "a label type is unknown",
            NameError::BadPointer => "a compression pointer does not point backwards",
        })
    }
}

impl std::error::Error for NameError {}

/// A valid, uncompressed name that borrows its octets. Copying it copies a pointer.
#[derive(Clone, Copy)]
pub struct NameRef<'a> {
    octets: &'a [u8],
}

impl<'a> NameRef<'a> {
    /// The root name.
    pub const ROOT: NameRef<'static> = NameRef { octets: &[0] };

    /// Reads the name at the front of `octets`; returns it and what follows. No compression.
    pub fn split_from(octets: &'a [u8]) -> Result<(NameRef<'a>, &'a [u8]), NameError> {
        let mut at = 0;
        loop {
            let length = *octets.get(at).ok_or(NameError::Truncated)? as usize;
            if length > MAX_LABEL_OCTETS {
                return Err(NameError::BadLabelType);
            }
            at += 1 + length;
            if at > MAX_NAME_OCTETS {
                return Err(NameError::NameTooLong);
            }
            if length == 0 {
                let (name, rest) = octets.split_at(at);
                return Ok((NameRef { octets: name }, rest));
            }
        }
    }

    /// A name that is exactly `octets`.
    pub fn from_wire(octets: &'a [u8]) -> Result<NameRef<'a>, NameError> {
        match NameRef::split_from(octets)? {
            (name, []) => Ok(name),
            _ => Err(NameError::BadLabelType),
        }
    }

    /// The octets in wire form, the root label last.
    pub fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// Octets in wire form, 1 to 255.
    pub fn octet_count(self) -> usize {
        self.octets.len()
    }

    /// Whether this is the root name.
    pub fn is_root(self) -> bool {
        self.octets.len() == 1
    }

    /// The labels from the left, the root label not among them.
    pub fn labels(self) -> Labels<'a> {
        Labels { rest: self.octets }
    }

    /// How many labels, the root label not counted.
    pub fn label_count(self) -> usize {
        self.labels().count()
    }

    /// The leftmost label, none for the root.
    pub fn first_label(self) -> Option<&'a [u8]> {
        self.labels().next()
    }

    /// The name without its leftmost label, none for the root.
    pub fn parent(self) -> Option<NameRef<'a>> {
        match self.octets[0] as usize {
            0 => None,
            length => Some(NameRef { octets: &self.octets[1 + length..] }),
        }
    }

    /// This name and each of its ancestors up to the root.
    pub fn ancestors(self) -> impl Iterator<Item = NameRef<'a>> {
        std::iter::successors(Some(self), |name| name.parent())
    }

    /// The ancestor with exactly `labels` labels; this name itself when it has no more than that.
    pub fn trim_to(self, labels: usize) -> NameRef<'a> {
        let mut name = self;
        for _ in labels..self.label_count() {
            name = name.parent().expect("the count says there are more labels");
        }
        name
    }

    /// Whether the leftmost label is a lone asterisk (RFC 4592 2.1.1).
    pub fn is_wildcard(self) -> bool {
        self.octets.starts_with(b"\x01*")
    }

    /// Whether this name is `ancestor` or lies below it.
    pub fn is_at_or_below(self, ancestor: NameRef<'_>) -> bool {
        let surplus = match self.octets.len().checked_sub(ancestor.octets.len()) {
            Some(surplus) => surplus,
            None => return false,
        };
        // The tail must begin where a label begins, not inside one.
        let mut at = 0;
        while at < surplus {
            at += 1 + self.octets[at] as usize;
        }
        at == surplus && self.octets[at..].eq_ignore_ascii_case(ancestor.octets)
    }

    /// Whether this name lies below `ancestor`.
    pub fn is_below(self, ancestor: NameRef<'_>) -> bool {
        self.octets.len() > ancestor.octets.len() && self.is_at_or_below(ancestor)
    }

    /// How many labels, counted from the root, both names share.
    pub fn common_labels(self, other: NameRef<'_>) -> usize {
        let (ours, theirs) = (LabelOffsets::of(self), LabelOffsets::of(other));
        let pairs = ours.rootwards().zip(theirs.rootwards());
        pairs.take_while(|(a, b)| label_at(self, *a).eq_ignore_ascii_case(label_at(other, *b))).count()
    }

    /// Canonical order (RFC 4034 6.1): label by label from the root, in lower case, absent before present.
    pub fn canonical_cmp(self, other: NameRef<'_>) -> Ordering {
        // Most names that meet in a search are siblings: one label decides, and the others need not be found.
        if let (Some(ours), Some(theirs)) = (self.parent(), other.parent())
            && ours.octets == theirs.octets
        {
            return label_cmp(label_at(self, 0), label_at(other, 0));
        }
        let (ours, theirs) = (LabelOffsets::of(self), LabelOffsets::of(other));
        for (a, b) in ours.rootwards().zip(theirs.rootwards()) {
            let order = label_cmp(label_at(self, a), label_at(other, b));
            if order != Ordering::Equal {
                return order;
            }
        }
        ours.count.cmp(&theirs.count)
    }

    /// An owned copy.
    pub fn to_name(self) -> Name {
        Name { octets: self.octets.into() }
    }
}

impl PartialEq for NameRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Length octets are below 64 and so untouched by the folding of A to Z.
        self.octets.eq_ignore_ascii_case(other.octets)
    }
}

impl Eq for NameRef<'_> {}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut folded = [0; MAX_NAME_OCTETS];
        let folded = &mut folded[..self.octets.len()];
        folded.copy_from_slice(self.octets);
        folded.make_ascii_lowercase();
        state.write(folded);
    }
}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NameRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical_cmp(*other)
    }
}

/// The labels of a name from the left; see [`NameRef::labels`].
#[derive(Clone)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.rest[0] as usize;
        if length == 0 {
            return None;
        }
        let (label, rest) = self.rest[1..].split_at(length);
        self.rest = rest;
        Some(label)
    }
}

/// Where each label of a name begins, so that labels can be walked from the root.
struct LabelOffsets {
    offsets: [u8; MAX_LABELS],
    count: usize,
}

impl LabelOffsets {
    fn of(name: NameRef<'_>) -> LabelOffsets {
        let mut found = LabelOffsets { offsets: [0; MAX_LABELS], count: 0 };
        let mut at = 0;
        while name.octets[at] != 0 {
            found.offsets[found.count] = at as u8;
            found.count += 1;
            at += 1 + name.octets[at] as usize;
        }
        found
    }

    fn rootwards(&self) -> impl Iterator<Item = usize> + '_ {
        self.offsets[..self.count].iter().rev().map(|at| *at as usize)
    }
}

fn label_at(name: NameRef<'_>, at: usize) -> &[u8] {
    &name.octets[at + 1..at + 1 + name.octets[at] as usize]
}

/// Octet by octet in lower case, a beginning before the whole (RFC 4034 6.1).
fn label_cmp(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
}

/// A valid name that owns its octets. Cloning shares them.
#[derive(Clone)]
pub struct Name {
    octets: Arc<[u8]>,
}

impl Name {
    /// The root name.
    pub fn root() -> Name {
        NameRef::ROOT.to_name()
    }

    /// A name that is exactly `octets` in wire form.
    pub fn from_wire(octets: &[u8]) -> Result<Name, NameError> {
        NameRef::from_wire(octets).map(NameRef::to_name)
    }

    /// The borrowed form, which has all the questions one can ask of a name.
    pub fn as_ref(&self) -> NameRef<'_> {
        NameRef { octets: &self.octets }
    }

    /// The octets in wire form.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl From<NameRef<'_>> for Name {
    fn from(name: NameRef<'_>) -> Name {
        name.to_name()
    }
}

/// A name under construction, on the stack: for synthesis and decompression without allocation.
#[derive(Clone)]
pub struct NameBuf {
    length: u8,
    /// Whether the octets end with the root label, and so are a name.
    is_finished: bool,
    octets: [u8; MAX_NAME_OCTETS],
}

impl NameBuf {
    /// No label yet; not a name until [`NameBuf::finish`] or [`NameBuf::finish_with`] closes it.
    pub fn new() -> NameBuf {
        NameBuf { length: 0, is_finished: false, octets: [0; MAX_NAME_OCTETS] }
    }

    /// Adds a label on the right. An empty label or one over 63 octets is an error, and so is one behind the root label.
    pub fn push_label(&mut self, label: &[u8]) -> Result<(), NameError> {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if label.len() > MAX_LABEL_OCTETS {
            return Err(NameError::LabelTooLong);
        }
        self.push_octets(&[label.len() as u8])?;
        self.push_octets(label)
    }

    /// Appends labels that stand one after another, each with its length before it. The caller has seen that they do.
    pub(crate) fn push_labels(&mut self, labels: &[u8]) -> Result<(), NameError> {
        debug_assert!(labels.first().is_none_or(|length| (1..=MAX_LABEL_OCTETS as u8).contains(length)));
        self.push_octets(labels)
    }

    /// Closes the name with the root label.
    pub fn finish(&mut self) -> Result<NameRef<'_>, NameError> {
        self.finish_with(NameRef::ROOT)
    }

    /// Closes the name with all of `suffix`.
    pub fn finish_with(&mut self, suffix: NameRef<'_>) -> Result<NameRef<'_>, NameError> {
        self.push_octets(suffix.octets)?;
        self.is_finished = true;
        self.as_name()
    }

    /// The finished name again.
    ///
    /// Before [`NameBuf::finish`] has succeeded this is an error.
    pub fn as_name(&self) -> Result<NameRef<'_>, NameError> {
        if !self.is_finished {
            return Err(NameError::Truncated);
        }
        Ok(NameRef { octets: &self.octets[..self.length as usize] })
    }

    fn push_octets(&mut self, octets: &[u8]) -> Result<(), NameError> {
        if self.is_finished {
            return Err(NameError::EmptyLabel);
        }
        let (from, to) = (self.length as usize, self.length as usize + octets.len());
        let room = self.octets.get_mut(from..to).ok_or(NameError::NameTooLong)?;
        room.copy_from_slice(octets);
        self.length = to as u8;
        Ok(())
    }
}

impl Default for NameBuf {
    fn default() -> NameBuf {
        NameBuf::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn names_compare_without_case_and_keep_it() {
        assert_eq!(name("WwW.Example."), name("www.eXAMPLE."));
        assert_eq!(name("WwW.Example.").to_string(), "WwW.Example.");
    }

    #[test]
    fn at_or_below_looks_at_whole_labels() {
        for (below, ancestor, want) in [
            ("www.example.", "example.", true),
            ("example.", "example.", true),
            ("EXAMPLE.", "example.", true),
            ("wwwexample.", "example.", false),
            ("example.", "www.example.", false),
            ("a.b.", ".", true),
            // The octets of the label end like the ancestor, but inside one label.
            ("a\\007example.", "example.", false),
        ] {
            assert_eq!(
                name(below).as_ref().is_at_or_below(name(ancestor).as_ref()),
                want,
                "{below} {ancestor}"
            );
        }
    }

    #[test]
    fn canonical_order_is_that_of_rfc_4034() {
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "*A.z.EXAMPLE.",
            "*b.z.example.",
            "\\200.z.example.",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(name(pair[0]).cmp(&name(pair[1])), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn wire_form_has_its_limits() {
        assert_eq!(NameRef::from_wire(&[0]).unwrap(), NameRef::ROOT);
        assert_eq!(NameRef::from_wire(&[]), Err(NameError::Truncated));
        assert_eq!(NameRef::from_wire(b"\x03ab"), Err(NameError::Truncated));
        assert_eq!(NameRef::from_wire(b"\xc0\x0c"), Err(NameError::BadLabelType));
        let longest: Vec<u8> = [b"\x01a".repeat(127), vec![0]].concat();
        assert_eq!(NameRef::from_wire(&longest).unwrap().label_count(), MAX_LABELS);
        let longer: Vec<u8> = [b"\x02aa".repeat(85), vec![0]].concat();
        assert_eq!(NameRef::from_wire(&longer), Err(NameError::NameTooLong));
    }

    #[test]
    fn trimming_and_common_labels_count_from_the_root() {
        let deep = name("a.b.c.example.");
        assert_eq!(deep.as_ref().trim_to(2).to_string(), "c.example.");
        assert_eq!(deep.as_ref().trim_to(9), deep.as_ref());
        assert_eq!(deep.as_ref().common_labels(name("x.C.example.").as_ref()), 2);
        assert_eq!(deep.as_ref().common_labels(NameRef::ROOT), 0);
    }

    #[test]
    fn a_buffer_refuses_what_would_not_be_a_name() {
        let mut buf = NameBuf::new();
        assert_eq!(buf.push_label(b""), Err(NameError::EmptyLabel));
        assert_eq!(buf.push_label(&[b'a'; 64]), Err(NameError::LabelTooLong));
        for _ in 0..3 {
            buf.push_label(&[b'a'; 63]).unwrap();
        }
        assert_eq!(
            buf.finish_with(name(&format!("{}.", "b".repeat(62))).as_ref()).err(),
            Some(NameError::NameTooLong)
        );
        assert_eq!(
            buf.finish_with(name(&format!("{}.", "b".repeat(61))).as_ref()).unwrap().octet_count(),
            255
        );
        assert_eq!(buf.as_name().unwrap().octet_count(), 255);
    }

    #[test]
    fn a_buffer_is_a_name_once_it_is_finished() {
        let mut buf = NameBuf::new();
        assert_eq!(buf.as_name(), Err(NameError::Truncated));
        buf.push_label(b"a").unwrap();
        assert_eq!(buf.as_name(), Err(NameError::Truncated));
        buf.finish().unwrap();
        assert_eq!(buf.as_name(), Ok(name("a.").as_ref()));
        assert_eq!(buf.push_label(b"b"), Err(NameError::EmptyLabel));
        assert_eq!(buf.finish().err(), Some(NameError::EmptyLabel));
        assert_eq!(buf.as_name(), Ok(name("a.").as_ref()));
    }
}
