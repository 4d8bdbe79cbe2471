//! What is wrong with a zone: errors keep it from being served, warnings do not.
//!
//! Given: the records of a zone with their marks, and the time. Must not know: files, the network.
//! `owner` and `problem` are part of building any zone. The rest is for [`super::ZoneBuilder::check`]: it walks a [`Book`]
//! of all records, good or not, once for each subject, and every finding is an [`Advice`].
//! RFC 1912 and 2181 (operation), 4034 and 9276 (signatures, NSEC3), 4592 (wildcards), 7208 (SPF), 7489 (DMARC), 8659 (CAA).

mod advice;
mod book;
mod delegations;
mod findings;
mod mail;
mod names;
mod owner;
mod problem;
mod reverse;
mod services;
mod signatures;
mod soa;
mod spf;
mod targets;
#[cfg(test)]
mod tests;

pub use advice::Advice;
pub use findings::Findings;
pub use problem::{Problem, ZoneError};

pub(super) use book::Book;
pub(super) use owner::check_owner;
pub(super) use problem::Report;

use book::Owner;

use crate::dns::Name;

/// Looks at all subjects. Signatures are judged at `unix_seconds`.
pub(super) fn advise<M: Copy>(book: &Book<'_, M>, unix_seconds: u64, report: &mut Report<M>) {
    let mut advisor = Advisor { report };
    soa::look(book, &mut advisor);
    for owner in book.owners() {
        names::look(owner, &mut advisor);
        delegations::look(owner, &mut advisor);
        // What is never answered needs no further advice.
        if owner.hidden_by().is_none() {
            targets::look(owner, &mut advisor);
            mail::look(owner, &mut advisor);
            services::look(owner, &mut advisor);
            reverse::look(owner, &mut advisor);
        }
    }
    signatures::look(book, unix_seconds, &mut advisor);
}

/// Takes advice.
struct Advisor<'r, M> {
    report: &'r mut Report<M>,
}

impl<M: Copy> Advisor<'_, M> {
    /// About the record marked `mark`.
    fn say(&mut self, advice: Advice, owner: Owner<'_, '_, M>, mark: M) {
        self.report.add(Problem::Advice(Box::new(advice)), owner.name(), Some(mark), None);
    }

    /// About the record marked `mark`, on account of the one marked `other`.
    fn say_both(&mut self, advice: Advice, owner: Owner<'_, '_, M>, mark: M, other: M) {
        self.report.add(Problem::Advice(Box::new(advice)), owner.name(), Some(mark), Some(other));
    }
}

/// A name from some labels of another and a suffix; none when it would be too long.
fn join<'l>(labels: impl Iterator<Item = &'l [u8]>, suffix: crate::dns::NameRef<'_>) -> Option<Name> {
    let mut name = crate::dns::NameBuf::new();
    for label in labels {
        name.push_label(label).ok()?;
    }
    name.finish_with(suffix).ok().map(|name| name.to_name())
}
