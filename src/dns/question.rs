//! What a query asks for: QNAME, QTYPE, QCLASS (RFC 1035 4.1.2).

use std::fmt;

use super::{Name, NameRef, RrClass, RrType};

/// A question that borrows its name, usually from the octets of the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuestionRef<'a> {
    /// QNAME, in the letter case it was asked.
    pub name: NameRef<'a>,
    /// QTYPE.
    pub rr_type: RrType,
    /// QCLASS.
    pub class: RrClass,
}

impl QuestionRef<'_> {
    /// An owned copy.
    pub fn to_question(self) -> Question {
        Question { name: self.name.to_name(), rr_type: self.rr_type, class: self.class }
    }
}

/// A question that owns its name. Equality and hash ignore the letter case of the name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rr_type: RrType,
    /// QCLASS.
    pub class: RrClass,
}

impl Question {
    /// A question in class IN.
    pub fn new(name: Name, rr_type: RrType) -> Question {
        Question { name, rr_type, class: RrClass::IN }
    }

    /// The borrowed form.
    pub fn as_ref(&self) -> QuestionRef<'_> {
        QuestionRef { name: self.name.as_ref(), rr_type: self.rr_type, class: self.class }
    }
}

impl fmt::Display for QuestionRef<'_> {
    /// `www.example.org. A`; the class only when it is not IN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            RrClass::IN => write!(f, "{} {}", self.name, self.rr_type),
            class => write!(f, "{} {}/{}", self.name, class, self.rr_type),
        }
    }
}

impl fmt::Debug for QuestionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
